"""Who is swapped between two allocations: who enters, leaves, or gets another amount or rate."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from allocator.insight.compare.differences import Matching
from allocator.records.outcome import Outcome
from allocator.records.portfolio import Integers, Portfolio

KINDS = ("enters", "leaves", "other amount and rate", "other amount", "other rate")
SAME = "same"
_FIGURES = ("amount", "rate", "expected_loss", "value")


@dataclass(frozen=True)
class SwapTotal:
    """Borrowers who see one kind of change, or none; amounts in currency units."""

    kind: str
    borrowers: int
    amount_before: float
    amount_after: float
    value_before: float
    value_after: float
    mean_pd: float
    """Weighted by the larger of both amounts; 0 where there is nobody."""

    @property
    def gain(self) -> float:
        return self.value_after - self.value_before


@dataclass(frozen=True)
class Swaps:
    """Every change between two allocations."""

    table: pd.DataFrame
    """One row per borrower who sees one: borrower_id, grade, pd, change, each figure before and after, gain;
    those whose value changes most first."""
    totals: tuple[SwapTotal, ...]
    """One a kind, in the order of `KINDS`."""
    same: SwapTotal
    """Borrowers of both with the same offer, which may be worth something else."""
    idle: tuple[float, float]
    """What the budget left unspent earns, before and after."""
    penalty: tuple[float, float]
    """What soft limits that are missed cost, before and after."""
    above_worst: tuple[float, float]
    """What a mean over stresses lies above the value, the least, before and after."""
    whole: SwapTotal
    """All of them; its values are those of the sides, what idle money earns included."""


def swaps(before: Outcome, after: Outcome, matching: Matching) -> Swaps:
    """What `after` decides otherwise; who is in one portfolio alone gets nothing in the other."""
    places = (
        np.concatenate([matching.before, np.full(len(matching.added), -1), matching.dropped]),
        np.concatenate([matching.after, matching.added, np.full(len(matching.dropped), -1)]),
    )
    old, new = (_figures(side, place) for side, place in zip((before, after), places, strict=True))
    had, has = old["amount"] > 0, new["amount"] > 0
    amount = had & has & (old["amount"] != new["amount"])
    rate = had & has & (old["rate"] != new["rate"])
    kind = np.select([has & ~had, had & ~has, amount & rate, amount, rate, had & has], range(6), default=-1)
    books = before.inputs.portfolio, after.inputs.portfolio
    funded = np.flatnonzero(kind >= 0)
    offers = pd.DataFrame(
        {
            "borrower_id": _either(books[0].borrower_id, books[1].borrower_id, places)[funded],
            "grade": _either(_grades(books[0]), _grades(books[1]), places)[funded],
            "pd": _either(books[0].pd, books[1].pd, places)[funded].astype(float),
            "change": np.array([*KINDS, SAME], dtype=object)[kind[funded]],
            **{f"{name}_before": old[name][funded] for name in _FIGURES},
            **{f"{name}_after": new[name][funded] for name in _FIGURES},
        }
    )
    offers["gain"] = offers["value_after"] - offers["value_before"]
    parts = {name: _total(name, offers[offers["change"] == name]) for name in (*KINDS, SAME)}
    whole = replace(_total("total", offers), value_before=before.value, value_after=after.value)
    changed = offers[offers["change"] != SAME]
    order = np.lexsort((changed["borrower_id"].to_numpy(), -changed["gain"].abs().to_numpy()))
    return Swaps(
        table=changed.iloc[order].reset_index(drop=True),
        totals=tuple(parts[name] for name in KINDS),
        same=parts[SAME],
        idle=(before.idle_income, after.idle_income),
        penalty=(before.limit_penalty, after.limit_penalty),
        above_worst=(before.above_worst, after.above_worst),
        whole=whole,
    )


def _figures(side: Outcome, place: Integers) -> dict[str, np.ndarray]:
    """Figures of the borrowers at `place`; 0 where that is -1."""
    return {
        name: np.where(place >= 0, np.append(getattr(side.ledger, name), 0.0)[place], 0.0)
        for name in _FIGURES
    }


def _either(before: np.ndarray, after: np.ndarray, places: tuple[Integers, Integers]) -> np.ndarray:
    """The value in the second portfolio where a borrower is in it, else in the first."""
    ours, theirs = np.append(before, before[:1])[places[0]], np.append(after, after[:1])[places[1]]
    return np.where(places[1] >= 0, theirs, ours)


def _grades(portfolio: Portfolio) -> np.ndarray:
    return np.array(portfolio.grade.values, dtype=object)[portfolio.grade.codes]


def _total(kind: str, rows: pd.DataFrame) -> SwapTotal:
    weight = np.maximum(rows["amount_before"], rows["amount_after"])
    whole = float(weight.sum())
    return SwapTotal(
        kind=kind,
        borrowers=len(rows),
        amount_before=float(rows["amount_before"].sum()),
        amount_after=float(rows["amount_after"].sum()),
        value_before=float(rows["value_before"].sum()),
        value_after=float(rows["value_after"].sum()),
        mean_pd=float((weight * rows["pd"]).sum()) / whole if whole else 0.0,
    )
