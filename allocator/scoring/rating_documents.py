"""The files of a fitted debt rating and of a fitted grade scorecard: their shapes."""

from __future__ import annotations

import itertools
from typing import Annotated, Literal

from pydantic import Field, model_validator

from allocator.scoring.documents import (
    ColumnShape,
    DerivedShape,
    Document,
    Interval,
    Name,
    RuleShape,
    Shape,
    Share,
    WeighedDocument,
    once,
)

SUM_TOLERANCE = 1e-6


class LearntShape(RuleShape):
    """An indicator with what was learnt of it."""

    low: float = 0.0
    high: float = 1.0
    fill: float
    cells_missing: int = 0
    cells_cut: int = 0
    f: Annotated[float, Field(gt=0)]
    weight: Annotated[float, Field(gt=0)]

    @model_validator(mode="after")
    def _ends(self) -> LearntShape:
        if self.kind != "qualitative" and self.high <= self.low:
            raise ValueError(f"its low {self.low:g} is not below its high {self.high:g}")
        return self


class ClassShape(Shape):
    """A class of a rating: scores in [low, high)."""

    name: Name
    low: float
    high: float
    loss_rate: Share
    pd: Share
    lgd: Share
    n: int = 0
    pd_low: Share | None = None
    pd_high: Share | None = None


class RatingShape(WeighedDocument):
    """A fitted debt rating."""

    kind: Literal["rating"]
    derived: tuple[DerivedShape, ...] = ()
    indicators: Annotated[tuple[LearntShape, ...], Field(min_length=1)]
    classes: Annotated[tuple[ClassShape, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _whole(self) -> RatingShape:
        once(self.indicators, "indicator")
        once(self.classes, "class")
        if abs(sum(indicator.weight for indicator in self.indicators) - 1) > SUM_TOLERANCE:
            raise ValueError("its weights do not sum to 1")
        borders = [rating_class.low for rating_class in self.classes]
        if [rating_class.high for rating_class in self.classes] != [100.0, *borders[:-1]] or borders[-1] != 0:
            raise ValueError("its classes do not go from 100 down to 0 without a gap")
        if any(rating_class.high <= rating_class.low for rating_class in self.classes):
            raise ValueError("a class is empty")
        return self


class GradeShape(Document):
    """A fitted grade scorecard: `frequency` and `pd_by_grade` by grade, best first."""

    kind: Literal["grade"]
    method: Literal["ordinal", "void_ranges"]
    frequency: Annotated[dict[str, Share], Field(min_length=2)]
    pd_by_grade: dict[str, Share]
    ranges: dict[str, Interval] | None = None
    variables: tuple[ColumnShape, ...] = ()
    slopes: dict[str, float] = Field(default_factory=dict)
    thresholds: tuple[float, ...] = ()
    strength: Annotated[float, Field(ge=0)] = 0.0

    @model_validator(mode="after")
    def _whole(self) -> GradeShape:
        grades = list(self.frequency)
        if list(self.pd_by_grade) != grades:
            raise ValueError("its PDs are not those of its grades")
        if abs(sum(self.frequency.values()) - 1) > SUM_TOLERANCE:
            raise ValueError("its frequencies do not sum to 1")
        if self.method == "void_ranges":
            widths = [] if self.ranges is None else [high - low for low, high in self.ranges.values()]
            if list(self.ranges or {}) != grades or min(widths) <= 0:
                raise ValueError("needs a range [low, high] for each of its grades")
            return self
        if not self.variables or list(self.slopes) != [variable.name for variable in self.variables]:
            raise ValueError("its slopes are not those of its variables")
        rises = all(a < b for a, b in itertools.pairwise(self.thresholds))
        if len(self.thresholds) != len(grades) - 1 or not rises:
            raise ValueError(f"needs {len(grades) - 1} thresholds that rise")
        return self
