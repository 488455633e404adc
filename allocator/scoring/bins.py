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
    rows: tuple[int, ...] = ()
    defaults: tuple[int, ...] = ()
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
        out = np.searchsorted(np.array(self.cuts), cells.values, side="right")
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


def learn_bins(variable: Variable, cells: NumberColumn | Levels, y: Floats) -> Bins:
    """The bins of a variable whose declaration asks for them; y (n,) is 1 for a default."""
    if isinstance(cells, Levels):
        counts = [(MISSING, cells.empty)]
        states = own_states(variable, len(y), counts)
        groups = _groups(variable, cells, y)
        commonest = cells.names[int(np.argmax(cells.counts))] if cells.names else OTHER
        order = [i for i, group in enumerate(groups) if OTHER in group]
        order += [i for i, group in enumerate(groups) if commonest in map(level, group)]
        return _weighed(Bins(groups=groups, states=states, pool=(order or [0])[0]), cells, y)
    states = own_states(variable, len(y), list(zip(cells.names, cells.counts.tolist(), strict=True)))
    cuts = _cuts(variable, cells, y)
    pool = int(np.searchsorted(np.array(cuts), np.nanmedian(cells.values), side="right"))
    return _weighed(Bins(cuts=cuts, states=states, pool=pool), cells, y)


def _weighed(bins: Bins, cells: NumberColumn | Levels, y: Floats) -> Bins:
    """`bins` with what the rows say of each."""
    place, number = bins.places(cells), len(bins.labels)
    rows = np.bincount(place, minlength=number)
    bad = np.bincount(place, weights=y, minlength=number)
    woe = np.where(rows > 0, _woe(bad.astype(float), (rows - bad).astype(float), y), 0.0)
    counts = (tuple(rows.tolist()), tuple(bad.astype(int).tolist()), tuple(woe.tolist()))
    return Bins(bins.cuts, bins.groups, bins.states, *counts, bins.pool)


def _woe(bad: Floats, good: Floats, y: Floats) -> Floats:
    whole = float(y.sum())
    odds = np.maximum(bad, 0.5) / np.maximum(good, 0.5)
    return np.asarray(np.log(odds) - math.log(whole / (len(y) - whole)))


def _shape(variable: Variable) -> Shape:
    """As declared, else as the sign says, else whichever way tells more."""
    if variable.bins is not None and variable.bins.shape is not None:
        return variable.bins.shape
    return "rising" if variable.sign > 0 else "falling" if variable.sign < 0 else "monotone"


def _cuts(variable: Variable, cells: NumberColumn, y: Floats) -> tuple[float, ...]:
    how = variable.bins
    if how is None or how.cuts is not None:
        return () if how is None or how.cuts is None else how.cuts
    known = cells.states < 0
    order = np.argsort(cells.values[known], kind="stable")
    values, bad = cells.values[known][order], y[known][order]
    ends = np.flatnonzero(np.diff(values) > 0) + 1
    if len(ends) >= POINTS:
        wanted = np.linspace(0, len(values), POINTS + 1)[1:-1]
        ends = np.unique(ends[np.minimum(np.searchsorted(ends, wanted), len(ends) - 1)])
    ends = np.concatenate([[0], ends, [len(values)]])
    chosen = _best(ends, np.concatenate([[0.0], np.cumsum(bad)])[ends], y, variable, _shape(variable))
    return tuple(between(float(values[end - 1]), float(values[end])) for end in chosen)


def _groups(variable: Variable, cells: Levels, y: Floats) -> tuple[tuple[str, ...], ...]:
    """Levels, rare ones as OTHER, in order of their default rates, cut as numbers are."""
    how = variable.bins
    if how is not None and how.groups is not None:
        return how.groups
    known = cells.codes >= 0
    counts = cells.counts
    bad = np.bincount(cells.codes[known], weights=y[known], minlength=len(counts))
    frequent = counts >= RARE
    names = [name for name, often in zip(cells.names, frequent, strict=True) if often]
    rows, bads = counts[frequent].astype(float), bad[frequent]
    if counts[~frequent].sum() >= RARE:
        names, rows, bads = [*names, OTHER], np.append(rows, counts[~frequent].sum()), np.append(
            bads, bad[~frequent].sum()
        )  # fmt: skip
    order = np.argsort(bads / rows, kind="stable")
    ends = np.concatenate([[0.0], np.cumsum(rows[order])])
    points = np.concatenate([[0.0], np.cumsum(bads[order])])
    inner = [int(np.searchsorted(ends, end)) for end in _best(ends, points, y, variable, "rising")]
    return tuple(
        tuple(names[i] for i in order[low:high]) for low, high in itertools.pairwise([0, *inner, len(names)])
    )


def _best(ends: Floats | Integers, bad: Floats, y: Floats, variable: Variable, shape: Shape) -> list[int]:
    """Those of `ends`, rows up to each, where the best cut falls; `bad` are the defaults up to each."""
    if variable.bins is None or len(ends) < 3:
        return []
    rows = np.subtract.outer(ends, ends).T.astype(float)
    defaults = np.subtract.outer(bad, bad).T
    possible = rows >= max(variable.bins.least * len(y), 1.0)
    rate = np.divide(defaults, rows, out=np.full_like(rows, np.nan), where=possible)
    whole = float(y.sum())
    good = np.maximum(rows - defaults, 0.0)
    shares = np.maximum(defaults, 0.5) / whole - np.maximum(good, 0.5) / (len(y) - whole)
    gain = np.where(possible, shares * _woe(defaults, good, y), -np.inf)
    found = best_cuts(rate, gain, variable.bins.most, shape)
    if not found:
        return []
    _, points = max(found.values(), key=lambda cut: cut[0])
    return [int(ends[point]) for point in points[1:-1]]


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
    values = [one.information_value for one in bins]
    named = list(map(strength_of, values))
    columns = {"bins": [len(one.labels) for one in bins], "information_value": values, "strength": named}
    table = pd.DataFrame(columns, index=pd.Index(names, name="variable"))
    return table.sort_values("information_value", ascending=False, kind="stable")


def strength_of(information_value: float) -> str:
    """What an information value is called (Siddiqi 2006)."""
    words = ("none", "weak", "medium", "strong", "suspicious")
    return words[int(np.searchsorted(LINES, information_value, side="right"))]
