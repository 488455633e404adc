"""The file of a fitted PD scorecard: its shape."""

from __future__ import annotations

import itertools
from typing import Annotated, Literal

from pydantic import Field, model_validator

from allocator.scoring.documents import (
    BinnedShape,
    ColumnShape,
    DerivedShape,
    Shape,
    Share,
    WeighedDocument,
    variable_of,
)
from allocator.scoring.logit import Penalty
from allocator.scoring.preparation import column_names


class PointsShape(Shape):
    """The scale of a score."""

    pdo: Annotated[float, Field(gt=0)] = 20.0
    base: float = 600.0
    odds: Annotated[float, Field(gt=0)] = 50.0


class ReferenceShape(Shape):
    """The training data in bins, to measure drift against."""

    pd: BinnedShape
    variables: dict[str, BinnedShape]


class RecalibrationShape(Shape):
    """What was done to a scorecard after its fit."""

    of: str
    why: str
    method: Literal["target", "intercept", "slope", "isotonic"]
    slope: Annotated[float, Field(gt=0)]
    shift: float
    margin: Annotated[float, Field(ge=0)] = 0.0


class StepsShape(Shape):
    """Log-odds as steps of log-odds."""

    cuts: tuple[float, ...]
    log_odds: Annotated[tuple[float, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _rising(self) -> StepsShape:
        if len(self.log_odds) != len(self.cuts) + 1:
            raise ValueError(f"{len(self.cuts)} cuts make {len(self.cuts) + 1} steps")
        if any(a >= b for a, b in itertools.pairwise(self.cuts)):
            raise ValueError("its cuts do not rise")
        if any(a > b for a, b in itertools.pairwise(self.log_odds)):
            raise ValueError("its log-odds fall")
        return self


class LogitShape(WeighedDocument):
    """A fitted PD scorecard."""

    kind: Literal["logit"]
    derived: tuple[DerivedShape, ...] = ()
    variables: Annotated[tuple[ColumnShape, ...], Field(min_length=1)]
    penalty: Penalty
    strength: Annotated[float, Field(ge=0)]
    coefficients: dict[str, float]
    covariance: tuple[tuple[float, ...], ...]
    log_likelihood: float
    n: int
    events: int
    bounds: dict[str, Share] = Field(default_factory=dict)
    lgd: Share | None = None
    points: PointsShape | None = None
    means: tuple[float, ...] | None = None
    reference: ReferenceShape | None = None
    recalibrated: RecalibrationShape | None = None
    steps: StepsShape | None = None

    @model_validator(mode="after")
    def _whole(self) -> LogitShape:
        names = ["intercept"]
        for variable in self.variables:
            names += column_names(variable_of(variable), variable.levels, variable.flags)
        if list(self.coefficients) != names:
            raise ValueError("its coefficients are not those of its variables")
        if [len(row) for row in self.covariance] != [len(names)] * len(names):
            raise ValueError(f"its covariance is not {len(names)} x {len(names)}")
        if self.means is not None and len(self.means) != len(names) - 1:
            raise ValueError("its means are not those of its variables")
        if self.reference is not None and set(self.reference.variables) != {v.name for v in self.variables}:
            raise ValueError("its reference is not of its variables")
        if any(row[i] < 0 for i, row in enumerate(self.covariance)):
            raise ValueError("its covariance has a negative variance")
        return self
