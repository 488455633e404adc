"""What may change from the former run, as people type it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, Field, Tag, model_validator

from allocator.records.former import MONEY_MOVED, Direction
from allocator.records.misfits import Misfit, refuse
from allocator.scenario.limit_schema import Filter, readable
from allocator.scenario.quantities import Rate, one_of
from allocator.scenario.typed import Typed, told_by_keys


class RateMovedEntry(Typed):
    """How far the rate of a former client may move."""

    at_most: Annotated[Rate, Field(examples=["0.5%"])]
    """Distance from the former rate, up or down; where the grade has no rate within it there is no offer."""


class KeepEntry(Typed):
    """Whose former offer is kept."""

    where: Annotated[Filter, AfterValidator(readable), Field(examples=["{grade: A}"])]
    """Column: a text, a list of texts, or a range. Who was served and passes all is kept."""


class ChangesEntry(Typed):
    """What may change of the offers to those who were served in the former run."""

    rate_moved: RateMovedEntry | None = None
    """How far their rates may move."""
    amounts: Annotated[Direction, one_of(*get_args(Direction))] | None = None
    """Whoever gets a loan again gets no less than formerly (no_cut), no more (no_rise), or as much."""
    keep: (
        Annotated[
            Annotated[Literal["all"], one_of("all"), Tag("<all>")] | Annotated[KeepEntry, Tag("<where>")],
            told_by_keys("<all>", KeepEntry),
        ]
        | None
    ) = None
    """Whose former offer is made again, amount and rate as they were: all, or those of a filter."""

    @model_validator(mode="before")
    @classmethod
    def _no_limit(cls, written: Any) -> Any:
        if isinstance(written, Mapping) and MONEY_MOVED in written:
            problem = f"{MONEY_MOVED} is a measure of limits"
            remedy = (
                f"write it under limits, as {{name: turnover, measure: {MONEY_MOVED}, at_most: 4_000_000}}"
            )
            raise refuse(Misfit(problem, remedy, below=(MONEY_MOVED,)))
        return written
