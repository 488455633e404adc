"""Price lists: one posted rate a segment, which every borrower of it without a rate of its own gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Pricing = Literal["individual", "per_grade", "monotone"]
"""Each borrower has a rate of its own; one rate a grade; and rates that never fall from grade to grade."""
AcrossGrades = Literal["together", "apart", "monotone"]
"""The grades of a segment share a rate, have one each, or have rates that never fall from grade to grade."""
PriceList = Mapping[str, float]
"""Segment -> its posted rate."""

MOST_SEGMENTS = 200
"""Rates that one list may post: more is a column of names, not of segments."""


@dataclass(frozen=True)
class Posting:
    """Who shares a posted rate: the borrowers of a grade, of a value of a column, or of both."""

    by_grade: bool = True
    rising: bool = False
    """Whether rates never fall from one grade of the policy to the next."""
    column: str | None = None
    groups: Mapping[str, str] = field(default_factory=dict)
    """Value of the column -> the group of values that it shares a segment with."""

    def segment(self, grade: str, value: str) -> str:
        """The name of the segment of a grade and a value of the column."""
        group = self.groups.get(value, value)
        if self.column is None:
            return grade
        return f"{grade} / {group}" if self.by_grade else group


def segment_column(posting: Posting | None) -> str | None:
    """The column whose values are segments; None where there is none."""
    return None if posting is None else posting.column
