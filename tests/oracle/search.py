"""The program solved: options by a mixed-integer program, amounts in whole lots, the point exactly.

What comes back as an allocation has been checked in rationals. Only `bound`, and that there is no
allocation, rest on the solver.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from tests.oracle.amounts import best_amounts
from tests.oracle.arrays import Arrays, Model, arrays_of, maximise, scaled
from tests.oracle.feasibility import Offer, value
from tests.oracle.program import Program

CLOSE = 2e-10
"""Relative distance of bound and value at which a book counts as solved."""
FEW_LOTS = 20_000
"""Up to so many lots a loan the amounts are whole numbers of the program itself."""
ROUNDS = 25
"""Choices of offers that are tried, fewer where few nodes are."""


@dataclass(frozen=True)
class Answer:
    verdict: str
    """`optimal`, `infeasible`, or `open`: nothing exact was found, nothing excluded."""
    value: Fraction | None = None
    bound: float = np.inf
    offers: Sequence[Offer] = ()

    @property
    def closed(self) -> bool:
        if self.value is None:
            return self.verdict == "infeasible"
        return self.bound - float(self.value) <= CLOSE * max(1.0, abs(float(self.value)))


def solve(program: Program, nodes: int = 3_000) -> Answer:
    """The optimum, or what is known of it after `nodes` nodes of a search or `ROUNDS` choices of offers."""
    arrays = arrays_of(program)
    if any(line.exact and line.right.denominator != 1 for line in arrays.lines):
        return Answer("infeasible", bound=-np.inf)
    tried: list[list[int]] = []
    best = Answer("open")
    for _ in range(min(ROUNDS, max(4, nodes // 100))):
        status, chosen, lots, bound = _relaxed(arrays, tried, nodes)
        if status == "infeasible":
            if best.value is None:
                return Answer("infeasible", bound=-np.inf)
            return replace(best, bound=float(best.value))
        best = replace(best, bound=bound if best.value is None else max(bound, float(best.value)))
        if chosen is None or best.closed:
            return best
        tried.append(chosen)
        found = best_amounts(program, arrays, chosen, lots)
        if found is not None and (best.value is None or value(program, found) > best.value):
            best = Answer("optimal", value(program, found), bound, found)
    return best


def bound_with_tolerances(program: Program, nodes: int = 3_000) -> float:
    """No allocation is worth more that keeps rows in doubles to their tolerance; -inf where none does."""
    return _relaxed(arrays_of(program, loose=True), [], nodes)[3]


def _relaxed(
    arrays: Arrays, tried: Sequence[Sequence[int]], nodes: int
) -> tuple[str, list[int] | None, list[int] | None, float]:
    """Status, options chosen, their lots where these are whole numbers here, and the bound."""
    n = len(arrays.options)
    room = np.array([float(b) for b in arrays.room])
    widest = max(room, default=0.0)
    lots = widest <= FEW_LOTS
    per = 1.0 if lots else max(widest, 1.0)
    model = _model(arrays, tried, room, per, lots)
    top = float(np.max(np.abs(model.cost), initial=0.0)) or 1.0
    status, point, bound = maximise(replace(model, cost=model.cost / top), nodes)
    bound = bound * top + float(arrays.constant)
    if point is None:
        return status, None, None, bound
    chosen = np.flatnonzero(point[:n] > 0.5).tolist()
    whole = [min(round(point[n + o]), arrays.room[o]) for o in chosen] if lots else None
    return status, chosen, whole, bound


def _model(arrays: Arrays, tried: Sequence[Sequence[int]], room: np.ndarray, per: float, lots: bool) -> Model:
    """Columns: z of every option, then its lots above the smallest loan, `per` lots as one."""
    n = len(arrays.options)
    columns = [[*line.made, *(c * Fraction(per) for c in line.lots)] for line in arrays.lines]
    spans = np.concatenate([np.ones(n), room / per])
    rows, below, above = scaled(arrays.lines, columns, spans, lots)
    own, ones = _own(arrays, n)
    links = np.hstack([-np.diag(room / per), np.eye(n)])
    cuts, least = _cuts(arrays, tried, n)
    none = np.full(n, -np.inf)
    return Model(
        np.array(
            [
                *map(float, arrays.made),
                *(float(m) * per for m in arrays.unit),
            ]
        ),
        np.zeros(2 * n),
        np.concatenate([np.ones(n), room / per]),
        np.vstack([rows.reshape(len(rows), 2 * n), own, links, cuts]),
        np.concatenate([below, np.full(ones, -np.inf), none, least]),
        np.concatenate([above, np.ones(ones), np.zeros(n), np.full(len(least), np.inf)]),
        np.concatenate([np.ones(n, dtype=bool), np.full(n, lots)]),
    )


def _own(arrays: Arrays, n: int) -> tuple[np.ndarray, int]:
    """One offer a borrower."""
    who = np.array([o.borrower for o in arrays.options], dtype=int)
    ones = (np.unique(who)[:, None] == who[None, :]).astype(float)
    return np.hstack([ones, np.zeros_like(ones)]), len(ones)


def _cuts(arrays: Arrays, tried: Sequence[Sequence[int]], n: int) -> tuple[np.ndarray, np.ndarray]:
    """At least one offer other than in each choice tried."""
    who = np.array([o.borrower for o in arrays.options], dtype=int)
    cuts, least = np.zeros((len(tried), 2 * n)), np.ones(len(tried))
    for cut, chosen in zip(cuts, tried, strict=True):
        cut[:n] = ~np.isin(who, who[list(chosen)])
        cut[list(chosen)] = -1.0
    return cuts, least - np.array([len(chosen) for chosen in tried], dtype=float)
