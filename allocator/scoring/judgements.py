"""Files of an analytic hierarchy: judgements that an analyst writes, weights that a fit gives."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from allocator.scoring.documents import Document, Name, Shape, Share

Rows = tuple[tuple[Any, ...], ...]
"""An entry is a number or a fraction as text, which the matrix is checked for."""


class CriteriaShape(Shape):
    """The criteria and how they compare; an entry is a number or a fraction as text."""

    items: tuple[Name, ...]
    rows: Rows


class AlternativesShape(Shape):
    """What is weighed, and how it compares under each criterion."""

    items: tuple[Name, ...]
    rows: dict[str, Rows]


class JudgementsShape(Document):
    """Judgements of an analytic hierarchy."""

    kind: Literal["ahp"] = "ahp"
    criteria: CriteriaShape
    alternatives: AlternativesShape


class WeightsShape(Document):
    """Weights that a fit of judgements gave."""

    kind: Literal["weights"]
    method: Literal["eigenvector", "geometric_mean"]
    weights: Annotated[dict[str, Share], Field(min_length=1)]
    criteria: dict[str, Share]
    consistency: dict[str, float]
    warnings: tuple[str, ...] = ()
