"""Special codes among numbers: 999, -1 or -999999 for what is not known, which a fit takes for amounts.

A code stands out where it lies away from all other values, where it alone is negative, or, inside the
others, where it is far commoner.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd

from allocator.records.portfolio import Booleans, Floats
from allocator.scoring.levels import UnseenLevel, levels_of, unseen

CODE_PATTERN = re.compile(r"-?(9{2,}|9{2,}[6-8]|8{3,})|-[1-9]")
"""99, 999, -999999; 9996 to 9998; 888, 8888; -1 to -9."""
_APART = 0.1
"""Gap to all other values, in parts of their range, from which a code of CODE_PATTERN stands out."""
_FAR = 3.0
"""The same of any other value that repeats."""
_REPEATED = 5
SHARE = 0.01
"""Rows of a value, at least, and their share of all, for it to count as repeated."""
_COMMONER = 10
"""How much more often than any other value but 0 a code inside the range must stand."""
_FEWEST_VALUES = 5
"""Different other values, at least: less is a category."""


def _looks_like_code(values: Floats) -> Booleans:
    """(n,) whether a number is written as codes are."""
    whole = np.isfinite(values) & (values == np.round(values)) & (np.abs(values) < 1e15)
    matches = np.zeros(len(values), dtype=bool)
    matches[whole] = [CODE_PATTERN.fullmatch(str(int(value))) is not None for value in values[whole]]
    return matches


def standing_out(values: Floats) -> dict[float, int]:
    """The codes among values (n,), NaN where empty, with their rows; ascending."""
    distinct, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    coded = _looks_like_code(distinct)
    rest, others = distinct[~coded], counts[~coded]
    if len(rest) < _FEWEST_VALUES:
        return {}
    codes = {
        float(value): int(count)
        for value, count in zip(distinct[coded], counts[coded], strict=True)
        if _is_apart(value, count, rest, others)
    }
    enough = max(_REPEATED, SHARE * float(counts.sum()))
    for end, inner in ((0, rest[1:]), (-1, rest[:-1])):
        far = np.abs(rest[end] - inner[end]) >= _FAR * np.ptp(inner) > 0
        only_negative = end == 0 and rest[0] < 0 <= rest[1]
        if others[end] >= enough and (far or only_negative):
            codes[float(rest[end])] = int(others[end])
    return dict(sorted(codes.items()))


def _is_apart(value: float, count: int, rest: Floats, others: np.ndarray) -> bool:
    """Whether a value written as a code is one, beside the `rest` of the values and their rows."""
    gap = max(float(rest[0] - value), float(value - rest[-1]))
    if value < 0 <= rest[0] and count > 1:
        return True
    if gap > 0 and abs(value) > 10:
        return bool(gap >= (_APART if count > 1 else 1.0) * (rest[-1] - rest[0]))
    usual = int(others[rest != 0].max())
    return bool(abs(value) > 100 and count >= max(_REPEATED, _COMMONER * usual))


def codes_beyond(name: str, values: Floats, low: float, high: float, pds: Floats | None) -> list[UnseenLevel]:
    """Values written as codes, outside the range of a fit by its length or more, and what they count as.

    `pds` (n,) are the PDs of their rows, None where these get another figure.
    """
    with np.errstate(invalid="ignore"):
        outside = np.where(values < low, low - values, values - high)
        apart = np.where((np.abs(values) < 10) & (low >= 0), 0.0, high - low)
        far = (outside > 0) & (outside >= apart)
    far[far] = _looks_like_code(values[far])
    if not far.any():
        return []
    levels = levels_of(pd.Series(np.where(far, values, np.nan)))
    return [
        replace(
            code,
            counts_as=f"{low if float(code.level) < low else high:.4g}",
            why="lies far from all that the fit saw",
            like="declare it as special if it says that nothing is known",
        )
        for code in unseen(name, levels, [], "", pds)
    ]
