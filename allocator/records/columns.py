"""The canonical columns of borrowers: what each is, and what stands where it is not given."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isnan, nan
from typing import Literal

from allocator.records.scenario import LARGEST_AMOUNT, LARGEST_LOAN, LONGEST_TERM


@dataclass(frozen=True)
class Column:
    """A canonical column; of numbers also which values make sense, and what stands for one not given."""

    name: str
    kind: Literal["text", "flag", "share", "rate", "years", "money"]
    about: str
    """A sentence for docs/scenario.md."""
    absent: float | None = None
    """Value where the source has no such column; None: it must have one."""
    empty: float | None = None
    """Value of an empty cell; None: no cell may be empty."""
    highest: float = 1.0
    positive: bool = False
    """Whether the value must be above 0 rather than at least 0."""

    @property
    def lowest(self) -> float:
        """The least that makes sense: rates may be negative."""
        return -1.0 if self.kind == "rate" else 0.0


VALUE = "value"
"""The last column of an allocation, and the measure of limits that adds it up."""

COLUMNS = (
    Column("borrower_id", "text", "Unique identifier."),
    Column("grade", "text", "Credit grade."),
    Column("pd", "share", "Probability of default over the term."),
    Column("lgd", "share", "Loss given default."),
    Column("term_years", "years", "Term in years.", 1.0, None, LONGEST_TERM, positive=True),
    Column("min_amount", "money", "Smallest loan that the borrower takes.", 0.0, 0.0, LARGEST_LOAN),
    Column("max_amount", "money", "The request.", inf, inf, LARGEST_LOAN),
    Column("min_rate", "rate", "Lowest rate that may be offered.", nan, nan),
    Column("max_rate", "rate", "Highest rate that may be offered.", nan, nan),
    Column(
        "rate", "rate", "Contract rate: the one at which a loan may be made; it may be negative.", nan, nan
    ),
    Column("fixed_amount", "money", "Amount of a pinned offer.", nan, nan, LARGEST_LOAN, positive=True),
    Column("fixed_rate", "rate", "Rate of a pinned offer.", nan, nan),
    Column(
        "relationship_value",
        "money",
        "Worth of the relationship, lost when the customer walks away.",
        *(0.0, 0.0, LARGEST_AMOUNT),
    ),
    Column(
        "exposure", "money", "Already lent: counts in limits, earns nothing here.", 0.0, 0.0, LARGEST_LOAN
    ),
    Column("exclude", "flag", "Whether nothing may be offered."),
)
NUMBERS = tuple(
    sorted(
        (column for column in COLUMNS if column.kind not in ("text", "flag")),
        key=lambda column: isnan(column.absent or 0.0),
    )
)
"""The columns of numbers; those that may be without a value come last."""
CANONICAL = ("borrower_id", "grade", "exclude", *(column.name for column in NUMBERS))
TEXTS = frozenset(column.name for column in COLUMNS if column.kind == "text")
FRACTIONS = {column.name: column.lowest for column in COLUMNS if column.kind in ("share", "rate")}
"""Columns whose values are fractions, at most 1, and the least that each may be."""
