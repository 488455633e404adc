"""What may change from the former run, as people type it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, Field, Tag, model_validator

from allocator.records.former import Direction
from allocator.records.misfits import Misfit, refuse
from allocator.scenario.limit_schema import Filter, readable
from allocator.scenario.quantities import Rate, one_of
from allocator.scenario.typed import Typed, told_by_keys

_BENT = "money_moved"


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
    def _no_bend(cls, written: Any) -> Any:
        if isinstance(written, Mapping) and _BENT in written:
            problem = f"{_BENT} cannot be limited: the money moved bends at each former amount"
            remedy = "limit clients_changed, or write rate_moved, amounts or keep"
            raise refuse(Misfit(problem, remedy, below=(_BENT,)))
        return written
