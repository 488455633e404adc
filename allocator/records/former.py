"""The former run: where its offers stand, and the columns that a borrower's row gains by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from allocator.records.conditions import Condition
from allocator.records.frames import File

FORMER = "former"
"""Text: what became of the borrower in the former run, one of STANDINGS."""
FORMER_AMOUNT = "former_amount"
"""Number: what was offered then, 0 for nothing."""
FORMER_RATE = "former_rate"
"""Number: at which rate, a fraction; NaN where nothing was offered."""
FORMER_TEXTS, FORMER_NUMBERS = frozenset({FORMER}), frozenset({FORMER_AMOUNT, FORMER_RATE})

DECLINED, NEW, SERVED = "declined", "new", "served"
STANDINGS = (DECLINED, NEW, SERVED)
"""In ascending order as Text wants."""


MONEY_MOVED = "money_moved"
"""The measure |amount - former amount|, linear where each amount keeps to one side of the former one."""
Direction = Literal["no_cut", "no_rise", "same"]
"""Where a former client's amount may not go."""


@dataclass(frozen=True)
class Changes:
    """What may change of an offer to those who were served in the former run."""

    rate_moved: float | None = None
    """How far the rate may lie from the former one at most; None: as far as the terms allow."""
    amounts: Direction | None = None
    keep: tuple[Condition, ...] | None = None
    """Who of them gets the former offer again, as it was: whoever passes; None: nobody is kept."""

    @property
    def columns(self) -> frozenset[str]:
        """The columns of numbers that money moved is measured by."""
        return frozenset({FORMER_AMOUNT})


@dataclass(frozen=True)
class FormerRun:
    """A table of offers; who stands in it without an amount was declined, who does not is new."""

    file: File
    columns: Mapping[str, str] = field(default_factory=dict)
    """borrower_id, amount or rate -> the file's name for it."""

    @property
    def plain(self) -> bool:
        """Whether a checker can read it as it stands: by the names of a run's own columns."""
        return not self.columns and self.file.name.lower().endswith((".csv", ".parquet"))
