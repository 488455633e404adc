"""Indicators brought to [0, 1] by rule, 1 the safest (Meng and Chi, section 3, equations 1 to 3).

    positive     (v - min) / (max - min)
    negative     (max - v) / (max - min)
    interval     1 inside [q1, q2]; 1 - (q1 - v) / D below, 1 - (v - q2) / D above,
                 D = max(q1 - min, max - q2)
    qualitative  a table: text -> score in [0, 1]

Before that, at fit, values are cut at the quantiles of `cut`, and min and max are those of what is
left; a missing value takes the median (qualitative: the score of MISSING where the table has it, else
the lowest). At use, values past min and max count as these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from allocator.errors import Fault, InputError, gathering
from allocator.records.portfolio import Floats
from allocator.scoring.codes import codes_beyond, standing_out
from allocator.scoring.levels import Levels, UnseenLevel, level, level_faults, levels_of
from allocator.scoring.reading import ImputedVariable, column, numbers
from allocator.scoring.weighting import part, quantiles

Kind = Literal["positive", "negative", "interval", "qualitative"]
MISSING = ""
"""Key of a score table for an empty cell."""


@dataclass(frozen=True)
class IndicatorRule:
    """How one indicator is read, as the analyst declares it."""

    name: str
    kind: Kind
    layer: str = ""
    """The criterion that it belongs to; indicators are clustered inside one."""
    interval: tuple[float, float] | None = None
    scores: Mapping[str, float] | None = None
    cut: tuple[float, float] = (0.01, 0.99)
    """Quantiles at which outliers are cut."""
    special: tuple[float, ...] = ()
    """Codes of a number, such as -999, that say that nothing is known: they count as empty."""


@dataclass(frozen=True)
class LearntRule:
    """A rule with what was learnt from the data: ends after the cut, and the value of a missing cell."""

    rule: IndicatorRule
    low: float = 0.0
    high: float = 1.0
    fill: float = 0.0
    """Median, on the raw scale; of a qualitative rule a score."""
    missing: int = 0
    """Cells imputed at fit."""
    cut: int = 0
    """Cells cut at fit."""

    @property
    def stand_in(self) -> str:
        """What stands for an empty cell, in words."""
        what = "the score" if self.rule.kind == "qualitative" else "the median at fit,"
        return f"{what} {self.fill:.4g}"

    def score(self, cells: Floats | Levels) -> Floats:
        """(n,) in [0, 1]. Raises InputError for a text that the table lacks."""
        if isinstance(cells, Levels):
            return _by_table(self.rule, cells, self.fill)
        v = np.clip(np.where(np.isnan(cells), self.fill, cells), self.low, self.high)
        span = self.high - self.low
        if self.rule.kind == "positive":
            return (v - self.low) / span
        if self.rule.kind == "negative":
            return (self.high - v) / span
        q1, q2 = self.rule.interval or (self.low, self.high)
        reach = max(q1 - self.low, self.high - q2)
        if reach <= 0:
            return np.ones(len(v))
        return np.clip(1 - np.maximum(np.maximum(q1 - v, v - q2), 0.0) / reach, 0.0, 1.0)


def learn(
    frame: pd.DataFrame, rules: Sequence[IndicatorRule], weights: Floats | None = None
) -> tuple[LearntRule, ...]:
    """Learn every rule from a frame, whose rows count by `weights` (n,).

    Raises InputError with all faults: a column missing, not numeric, infinite, empty or constant, an
    interval that holds every value.
    """
    faults: list[Fault] = []
    learnt = [_learn(frame, rule, faults, weights) for rule in rules]
    if not rules:
        faults.append(Fault("no indicator is named", "name at least one"))
    if faults:
        raise InputError.of(faults, "Indicators")
    return tuple(indicator for indicator in learnt if indicator is not None)


def standardise(frame: pd.DataFrame, learnt: Sequence[LearntRule]) -> Floats:
    """(n, indicators) in [0, 1].

    Raises InputError: a column missing, not numeric or infinite, a text without a score.
    """
    faults: list[Fault] = []
    raw = [_raw_cells(indicator.rule, frame, faults) for indicator in learnt]
    out = np.empty((len(frame), len(learnt)), order="F")
    for j, (own, cells) in enumerate(zip(learnt, raw, strict=True)):
        if cells is not None:
            with gathering(faults):
                out[:, j] = own.score(cells)
    if faults:
        raise InputError.of(faults, "Indicators")
    return out


def imputed(frame: pd.DataFrame, learnt: Sequence[LearntRule]) -> tuple[ImputedVariable, ...]:
    """The indicators of `frame`, one that `standardise` takes, that have empty cells."""
    cells_by_indicator = ((indicator, _raw_cells(indicator.rule, frame, [])) for indicator in learnt)
    counts = [(own, _empty(cells)) for own, cells in cells_by_indicator if cells is not None]
    return tuple(ImputedVariable(own.rule.name, count, own.stand_in) for own, count in counts if count)


def codes_in(frame: pd.DataFrame, learnt: Sequence[LearntRule], pds: Floats) -> list[UnseenLevel]:
    """Codes in numbers of `frame`, which `standardise` takes, far from all at fit; `pds` (n,) are its own."""
    codes: list[UnseenLevel] = []
    for indicator in learnt:
        cells = _raw_cells(indicator.rule, frame, [])
        if cells is not None and not isinstance(cells, Levels):
            codes += codes_beyond(indicator.rule.name, cells, indicator.low, indicator.high, pds)
    return codes


def special_codes(frame: pd.DataFrame, rule: IndicatorRule) -> dict[float, int]:
    """Values of a number that look like codes for what is not known, with their rows."""
    cells = None if rule.kind == "qualitative" else _raw_cells(rule, frame, [])
    return {} if cells is None or isinstance(cells, Levels) else standing_out(cells)


def _raw_cells(rule: IndicatorRule, frame: pd.DataFrame, faults: list[Fault]) -> Floats | Levels | None:
    """The indicator's cells: numbers, or levels; None and a fault where they cannot be."""
    if rule.kind == "qualitative":
        cells = column(frame, rule.name, faults)
        return None if cells is None else levels_of(cells)
    values = numbers(frame, rule.name, faults, "write numbers, or a qualitative rule")
    if values is None or not rule.special:
        return values
    return np.where(np.isin(values, rule.special), np.nan, values)


def _empty(cells: Floats | Levels) -> int:
    return cells.empty if isinstance(cells, Levels) else int(np.isnan(cells).sum())


def _learn(
    frame: pd.DataFrame, rule: IndicatorRule, faults: list[Fault], weights: Floats | None
) -> LearntRule | None:
    values = _raw_cells(rule, frame, faults)
    if values is None:
        return None
    if isinstance(values, Levels):
        table = rule.scores or {}
        learnt = LearntRule(rule, fill=table.get(MISSING, min(table.values())), missing=values.empty)
        with gathering(faults):
            learnt.score(values)
        return learnt
    there = ~np.isnan(values)
    known, own = values[there], part(weights, there)
    if len(known) == 0:
        faults.append(Fault("has no value at all", "leave the indicator out", field=rule.name))
        return None
    low, median, high = quantiles(known, [rule.cut[0], 0.5, rule.cut[1]], own)
    if high <= low:
        low, high = float(known.min()), float(known.max())
    if high <= low:
        faults.append(Fault("is constant: it tells no firm from another", "leave it out", field=rule.name))
        return None
    if rule.interval is not None and max(rule.interval[0] - low, high - rule.interval[1]) <= 0:
        faults.append(
            Fault(
                f"every value lies in the interval [{rule.interval[0]:g}, {rule.interval[1]:g}]",
                "narrow the interval or leave the indicator out",
                field=rule.name,
            )
        )
        return None
    beyond = int(((known < low) | (known > high)).sum())
    return LearntRule(rule, low, high, median, len(values) - len(known), beyond)


def _by_table(rule: IndicatorRule, levels: Levels, fill: float) -> Floats:
    table = {level(text): score for text, score in (rule.scores or {}).items()}
    known = [text for text in table if text]
    remedy = f"add it to the table, which has {', '.join(known)}"
    faults = level_faults(rule.name, levels, known, "has no score", remedy)
    if faults:
        raise InputError.of(faults, "Indicators")
    return np.array([*(table[name] for name in levels.names), fill])[levels.codes]
