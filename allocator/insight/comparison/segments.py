"""An allocation in figures: in all, and by the values of a column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from allocator.insight.comparison.sides import Side
from allocator.records.portfolio import Floats


@dataclass(frozen=True)
class Figures:
    """What an allocation comes to, for everybody or a segment; amounts in currency units."""

    borrowers: int
    funded: int
    offered: float
    drawn: float
    mean_rate: float
    """Weighted by the amounts offered; 0 where nothing is."""
    mean_pd: float
    """Likewise."""
    interest: float
    expected_loss: float
    value: float


def figures_of(side: Side) -> Figures:
    """The whole allocation; its value is the objective, what idle money earns included."""
    whole = _figures(side, np.zeros(len(side.ledger.amount), dtype=np.int64), 1)[0]
    return Figures(**{**whole.__dict__, "value": side.value})


def by_column(side: Side, column: str) -> dict[str, Figures]:
    """The figures of each value of a column of texts, in ascending order; those without one under ''."""
    text = side.case.inputs.portfolio.text(column)
    names = [*text.values, ""]
    codes = np.where(text.codes >= 0, text.codes, len(text.values)).astype(np.int64)
    found = _figures(side, codes, len(names))
    return {name: own for name, own in zip(names, found, strict=True) if own.borrowers}


def _figures(side: Side, codes: np.ndarray, count: int) -> list[Figures]:
    ledger, pd = side.ledger, side.case.inputs.portfolio.pd

    def sums(values: Floats) -> Floats:
        return np.bincount(codes, values, minlength=count).astype(np.float64, copy=False)

    offered = sums(ledger.amount)
    per_unit = np.where(offered > 0, offered, 1.0)
    columns = {
        "offered": offered,
        "drawn": sums(ledger.drawn),
        "mean_rate": sums(ledger.amount * ledger.rate) / per_unit,
        "mean_pd": sums(ledger.amount * pd) / per_unit,
        "interest": sums(ledger.interest),
        "expected_loss": sums(ledger.expected_loss),
        "value": sums(ledger.value),
    }
    counts = np.bincount(codes, minlength=count), np.bincount(codes[ledger.amount > 0], minlength=count)
    rows = zip(*counts, *columns.values(), strict=True)
    return [Figures(int(own), int(funded), *map(float, figures)) for own, funded, *figures in rows]
