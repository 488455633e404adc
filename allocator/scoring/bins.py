"""Bins of a variable and their weights of evidence: numbers cut, levels grouped, states in bins of their own.

    woe_i = log( (defaults_i / defaults) / (repaid_i / repaid) )      above 0 where a bin is riskier than all
    IV    = sum_i (defaults_i / defaults - repaid_i / repaid) woe_i

A count of 0 stands as 1/2. Among all cuts that the declaration allows, the one of the largest information
value is taken (`runs`); levels stand in order of their default rates.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from allocator.records.portfolio import Floats, Integers
from allocator.scoring.levels import Levels, level
from allocator.scoring.runs import Shape, best_cuts
from allocator.scoring.variables import MISSING, RARE, NumberColumn, Variable, own_states
from allocator.scoring.weighting import counts, part, quantiles, total

OTHER = "other"
"""The level into which those of fewer than RARE rows at fit are pooled."""
POINTS = 64
"""Most groups of equally many rows among whose borders the cuts of a number are sought."""
LINES = (0.02, 0.1, 0.3, 0.5)
"""Information values from which a variable is weak, medium, strong, and suspicious (Siddiqi 2006)."""


@dataclass(frozen=True)
class Bins:
    """The bins of one variable: intervals or groups of levels, then states."""

    cuts: tuple[float, ...] = ()
    """Of a number: a bin holds the values from one cut on, up to the next, that one left out."""
    groups: tuple[tuple[str, ...], ...] = ()
    """Of a category: the levels of each bin."""
    states: tuple[str, ...] = ()
    """MISSING, or a code, in a bin of its own."""
    rows: tuple[float, ...] = ()
    """Of each bin; with weights, of mean 1, what its rows weigh, as of its defaults."""
    defaults: tuple[float, ...] = ()
    woe: tuple[float, ...] = ()
    pool: int = 0
    """The bin of what has none of its own: an unseen level, a state."""

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """What each bin holds, in words."""
        return (*self._ordinary, *(state or "missing" for state in self.states))

    @property
    def _ordinary(self) -> tuple[str, ...]:
        if self.groups:
            return tuple(", ".join(group) for group in self.groups)
        if not self.cuts:
            return ("any",)
        words = [f"{cut:.15g}" for cut in self.cuts]
        middle = [f"{low} to {high}" for low, high in itertools.pairwise(words)]
        return (f"below {words[0]}", *middle, f"{words[-1]} or more")

    @property
    def information_value(self) -> float:
        """IV, in nats."""
        bad = np.maximum(self.defaults, 0.5 * (np.array(self.rows) > 0))
        good = np.maximum(np.subtract(self.rows, self.defaults), 0.5 * (np.array(self.rows) > 0))
        shares = bad / sum(self.defaults) - good / (sum(self.rows) - sum(self.defaults))
        return float(shares @ np.array(self.woe))

    def places(self, cells: NumberColumn | Levels) -> Integers:
        """(n,) the bin of each cell."""
        first = len(self._ordinary)
        if isinstance(cells, Levels):
            of_level = {level(name): i for i, group in enumerate(self.groups) for name in group}
            empty = first if MISSING in self.states else self.pool
            return cells.looked_up([of_level.get(name, self.pool) for name in cells.names], empty)
        out = np.zeros(len(cells.values), dtype=np.int64)
        for cut in self.cuts:
            out += cells.values >= cut
        out[cells.states >= 0] = self.pool
        for i, state in enumerate(self.states):
            out[cells.in_state(state, self.states)] = first + i
        return out

    def table(self, name: str) -> pd.DataFrame:
        """One row per bin: variable, bin, rows, share, default_rate, woe."""
        rows = np.array(self.rows)
        rate = np.divide(self.defaults, rows, out=np.full(len(rows), np.nan), where=rows > 0)
        columns = {"bin": self.labels, "rows": rows, "share": rows / rows.sum(), "default_rate": rate}
        return pd.DataFrame(columns | {"woe": self.woe}, index=pd.Index([name] * len(rows), name="variable"))


def learn_bins(
    variable: Variable, cells: NumberColumn | Levels, y: Floats, weights: Floats | None = None
) -> Bins:
    """The bins of a variable whose declaration asks for them; y (n,) is 1 for a default.

    Rates and shares are of what rows weigh; whether a level or a state is rare is a matter of rows.
    """
    if isinstance(cells, Levels):
        states = own_states(variable, len(y), [(MISSING, cells.empty)])
        groups = _groups(variable, cells, y, weights)
        commonest = cells.names[int(np.argmax(cells.counts))] if cells.names else OTHER
        order = [i for i, group in enumerate(groups) if OTHER in group]
        order += [i for i, group in enumerate(groups) if commonest in map(level, group)]
        return _weighed(Bins(groups=groups, states=states, pool=(order or [0])[0]), cells, y, weights)
    states = own_states(variable, len(y), list(zip(cells.names, cells.counts.tolist(), strict=True)))
    cuts = _cuts(variable, cells, y, weights)
    known = cells.states < 0
    middle = quantiles(cells.values[known], [0.5], part(weights, known))[0]
    pool = int(np.searchsorted(np.array(cuts), middle, side="right"))
    return _weighed(Bins(cuts=cuts, states=states, pool=pool), cells, y, weights)


def _weighed(bins: Bins, cells: NumberColumn | Levels, y: Floats, weights: Floats | None) -> Bins:
    """`bins` with what the rows say of each."""
    place, number = bins.places(cells), len(bins.labels)
    rows = counts(place, number, weights)
    bad = counts(place, number, y if weights is None else weights * y)
    woe = np.where(rows > 0, _woe(bad, rows - bad, _kinds(y, weights)), 0.0)
    bad = bad.astype(rows.dtype)
    of_each = tuple(rows.tolist()), tuple(bad.tolist()), tuple(woe.tolist())
    return Bins(bins.cuts, bins.groups, bins.states, *of_each, bins.pool)


def _kinds(y: Floats, weights: Floats | None) -> tuple[float, float]:
    """What all defaults weigh, and all loans repaid."""
    bad = total(y, weights)
    return bad, len(y) - bad


def _woe(bad: Floats, good: Floats, kinds: tuple[float, float]) -> Floats:
    odds = np.maximum(bad, 0.5) / np.maximum(good, 0.5)
    return np.asarray(np.log(odds) - math.log(kinds[0] / kinds[1]))


def _shape(variable: Variable) -> Shape:
    """As declared, else as the sign says, else whichever way tells more."""
    if variable.bins is not None and variable.bins.shape is not None:
        return variable.bins.shape
    return "rising" if variable.sign > 0 else "falling" if variable.sign < 0 else "monotone"


def _cuts(variable: Variable, cells: NumberColumn, y: Floats, weights: Floats | None) -> tuple[float, ...]:
    how = variable.bins
    if how is None or how.cuts is not None:
        return () if how is None or how.cuts is None else how.cuts
    known = cells.states < 0
    order = np.argsort(cells.values[known], kind="stable")
    values, own = cells.values[known][order], (np.ones(len(y)) if weights is None else weights)[known][order]
    reached, bad = _summed(own), _summed(own * y[known][order])
    ends = np.flatnonzero(np.diff(values) > 0) + 1
    if len(ends) >= POINTS:
        wanted = np.linspace(0, reached[-1], POINTS + 1)[1:-1]
        ends = np.unique(ends[np.minimum(np.searchsorted(reached[ends], wanted), len(ends) - 1)])
    ends = np.concatenate([[0], ends, [len(values)]])
    chosen = _best(reached[ends], bad[ends], _kinds(y, weights), variable, _shape(variable))
    return tuple(between(float(values[end - 1]), float(values[end])) for end in ends[chosen])


def _summed(values: Floats) -> Floats:
    """(n + 1,) sums up to each."""
    return np.concatenate([[0.0], np.cumsum(values)])


def _groups(
    variable: Variable, cells: Levels, y: Floats, weights: Floats | None
) -> tuple[tuple[str, ...], ...]:
    """Levels, rare ones as OTHER, in order of their default rates, cut as numbers are."""
    how = variable.bins
    if how is not None and how.groups is not None:
        return how.groups
    known = cells.codes >= 0
    codes, number, own = cells.codes[known], len(cells.names), part(weights, known)
    every = counts(codes, number, own).astype(float)
    bad = counts(codes, number, y[known] if own is None else own * y[known])
    frequent = cells.counts >= RARE
    names = [name for name, often in zip(cells.names, frequent, strict=True) if often]
    rows, bads = every[frequent], bad[frequent]
    if cells.counts[~frequent].sum() >= RARE:
        names = [*names, OTHER]
        rows, bads = np.append(rows, every[~frequent].sum()), np.append(bads, bad[~frequent].sum())
    order = np.argsort(bads / rows, kind="stable")
    inner = _best(_summed(rows[order]), _summed(bads[order]), _kinds(y, weights), variable, "rising")
    return tuple(
        tuple(names[i] for i in order[low:high]) for low, high in itertools.pairwise([0, *inner, len(names)])
    )


def _best(
    ends: Floats, bad: Floats, kinds: tuple[float, float], variable: Variable, shape: Shape
) -> list[int]:
    """Places in `ends`, what weighs up to each, where the best cut falls; `bad` is of the defaults."""
    if variable.bins is None or len(ends) < 3:
        return []
    rows = np.subtract.outer(ends, ends).T
    defaults = np.subtract.outer(bad, bad).T
    possible = rows >= max(variable.bins.least * sum(kinds), 1.0)
    rate = np.divide(defaults, rows, out=np.full_like(rows, np.nan), where=possible)
    good = np.maximum(rows - defaults, 0.0)
    shares = np.maximum(defaults, 0.5) / kinds[0] - np.maximum(good, 0.5) / kinds[1]
    gain = np.where(possible, shares * _woe(defaults, good, kinds), -np.inf)
    by_number = best_cuts(rate, gain, variable.bins.most, shape)
    if not by_number:
        return []
    _, points = max(by_number.values(), key=lambda cut: cut[0])
    return points[1:-1]


def between(low: float, high: float) -> float:
    """The number of the fewest decimals above `low` and at most `high`."""
    size = max(abs(low), abs(high))
    first = -math.floor(math.log10(size)) if size > 0 else 0
    for digits in range(first - 1, first + 17):
        rounded = round(math.floor(high * 10.0**digits) / 10.0**digits, max(digits, 0))
        if low < rounded <= high:
            return rounded
    return high


def information_values(names: Sequence[str], bins: Sequence[Bins]) -> pd.DataFrame:
    """One row per binned variable, most telling first: bins, information_value, and what that is called."""
    values = [binned.information_value for binned in bins]
    named = list(map(strength_of, values))
    columns = {
        "bins": [len(binned.labels) for binned in bins],
        "information_value": values,
        "strength": named,
    }
    table = pd.DataFrame(columns, index=pd.Index(names, name="variable"))
    return table.sort_values("information_value", ascending=False, kind="stable")


def strength_of(information_value: float) -> str:
    """What an information value is called (Siddiqi 2006)."""
    words = ("none", "weak", "medium", "strong", "suspicious")
    return words[int(np.searchsorted(LINES, information_value, side="right"))]
