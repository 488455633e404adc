"""The file of a fitted LGD: its shape, and the record that it holds."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from allocator.scoring.declarations import derived_of
from allocator.scoring.documents import (
    ColumnShape,
    DerivedShape,
    Name,
    Shape,
    Share,
    WeighedDocument,
    once,
    variable_of,
)
from allocator.scoring.lgd import RegressionLgd, Segment, SegmentLgd
from allocator.scoring.logit import LogitFit
from allocator.scoring.preparation import column_names
from allocator.scoring.preparation_documents import column_documents, derived_documents, preparation_of


class SegmentShape(Shape):
    """A segment with its mean LGD."""

    name: Name
    n: Annotated[int, Field(ge=1)]
    mean: Share
    low: Share | None = None
    high: Share | None = None
    by_money: Share


class LgdShape(WeighedDocument):
    """A fitted LGD: of segments, or by a fractional logit."""

    kind: Literal["lgd"]
    method: Literal["segments", "regression"]
    column: str = ""
    segments: tuple[SegmentShape, ...] = ()
    whole: SegmentShape | None = None
    derived: tuple[DerivedShape, ...] = ()
    variables: tuple[ColumnShape, ...] = ()
    coefficients: dict[str, float] = Field(default_factory=dict)
    covariance: tuple[tuple[float, ...], ...] = ()
    log_likelihood: float = 0.0
    n: int = 0
    losses: int = 0

    @model_validator(mode="after")
    def _complete(self) -> LgdShape:
        once(self.segments, "segment")
        if self.method == "segments":
            if not self.column or self.whole is None:
                raise ValueError("of segments it needs column, segments and whole")
            return self
        names = ["intercept"]
        for variable in self.variables:
            names += column_names(variable_of(variable), variable.levels, variable.flags)
        if not self.variables or list(self.coefficients) != names:
            raise ValueError("its coefficients are not those of its variables")
        if [len(row) for row in self.covariance] != [len(names)] * len(names):
            raise ValueError(f"its covariance is not {len(names)} x {len(names)}")
        return self


def segments_document(card: SegmentLgd) -> dict[str, Any]:
    """A record as plain JSON values."""
    return {
        "kind": "lgd",
        "method": "segments",
        "column": card.column,
        "segments": [_plain(segment) for segment in card.segments],
        "whole": _plain(card.whole),
    }


def segments_of(shape: LgdShape) -> SegmentLgd:
    """The record of a document of segments, which has been checked to be whole."""
    whole = shape.whole
    return SegmentLgd(
        shape.column,
        tuple(_segment(segment) for segment in shape.segments),
        Segment("all", 0, np.nan, np.nan, np.nan, np.nan) if whole is None else _segment(whole),
    )


def regression_document(card: RegressionLgd) -> dict[str, Any]:
    """A record as plain JSON values."""
    fit = card.fit
    return {
        "kind": "lgd",
        "method": "regression",
        "derived": derived_documents(card.derived),
        "variables": column_documents(card.preparation),
        "coefficients": dict(zip(fit.names, fit.coefficients.tolist(), strict=True)),
        "covariance": fit.covariance.tolist(),
        "log_likelihood": fit.log_likelihood,
        "n": fit.n,
        "losses": fit.events,
    }


def regression_of(shape: LgdShape) -> RegressionLgd:
    """The record of a document of a regression, which has been checked to be whole."""
    values = np.array(list(shape.coefficients.values()))
    told = (shape.log_likelihood, shape.n, shape.losses)
    fit = LogitFit(tuple(shape.coefficients), values, np.array(shape.covariance), "none", 0.0, *told)
    return RegressionLgd(preparation_of(shape.variables), fit, tuple(map(derived_of, shape.derived)))


def _segment(shape: SegmentShape) -> Segment:
    low, high = (np.nan if end is None else end for end in (shape.low, shape.high))
    return Segment(shape.name, shape.n, shape.mean, low, high, shape.by_money)


def _plain(segment: Segment) -> dict[str, Any]:
    return {name: None if value != value else value for name, value in vars(segment).items()}
