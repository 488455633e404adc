"""The borrowers as columns: canonical names, checked values, ordered by identifier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allocator.records.columns import NUMBERS

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Codes = NDArray[np.int32]
Booleans = NDArray[np.bool_]

_NUMBERS = frozenset(column.name for column in NUMBERS)


@dataclass(frozen=True)
class Text:
    """A text column, dictionary-encoded: `values` ascend, `codes` index them, -1 is missing."""

    codes: Codes
    values: tuple[str, ...]

    def code_of(self, value: str) -> int:
        """Index of `value`, or -1 where no borrower has it."""
        return self.values.index(value) if value in self.values else -1


@dataclass(frozen=True)
class Portfolio:
    """n borrowers in ascending order of `borrower_id`; every array has shape (n,).

    No array holds NaN but `min_rate`, `max_rate`, `rate`, `fixed_amount`, `fixed_rate` (NaN: not given) and
    the number columns in `numbers` (NaN: missing, an error only for a limit that needs the value).
    """

    source: str
    """Where the borrowers came from, for messages."""
    borrower_id: NDArray[np.object_]
    """Unique texts, ascending by code point."""
    row: Integers
    """Row of each borrower in the source, as faults name it: outputs go back in that order."""
    grade: Text
    pd: Floats
    """Probability of default over the term."""
    lgd: Floats
    """Loss given default, a fraction."""
    term: Floats
    """Years."""
    min_amount: Floats
    """Smallest loan the borrower takes; 0 where not given."""
    max_amount: Floats
    """The request; inf where not given. Less where the policy's changes let it not rise to that."""
    relationship_value: Floats
    exposure: Floats
    """Already lent: counts in limits, earns nothing here."""
    exclude: Booleans
    min_rate: Floats
    max_rate: Floats
    rate: Floats
    """Of the contract, the one at which a loan may be made."""
    fixed_amount: Floats
    fixed_rate: Floats
    texts: Mapping[str, Text] = field(default_factory=dict)
    """Further columns that limits read as text."""
    numbers: Mapping[str, Floats] = field(default_factory=dict)
    """Further columns that limits read as numbers."""
    request: Floats | None = None
    """What was asked for, where `max_amount` has become less."""
    requirement: Floats | None = None
    """K of `policy.capital`, where capital has a cost: that which was decided by, whatever becomes of PD."""

    @property
    def tied_up(self) -> Floats:
        """(n,) the capital that a unit drawn ties up, where it has a cost."""
        if self.requirement is None:
            raise ValueError("the borrowers' capital requirements have not been computed")
        return self.requirement

    @property
    def asked(self) -> Floats:
        """(n,) the requests, whatever the policy's changes leave of them; inf where not given."""
        return self.max_amount if self.request is None else self.request

    def __len__(self) -> int:
        return len(self.borrower_id)

    @property
    def one_rate(self) -> Floats:
        """(n,) the rate of a pinned offer, or of the contract; NaN: the grade's rates are open."""
        return np.where(np.isnan(self.fixed_amount), self.rate, self.fixed_rate)

    def take(self, rows: Integers | slice) -> Portfolio:
        """The borrowers at positions `rows`, a repeated one as often: columns alone, in that order.

        Of a slice the columns are views: nothing is copied.
        """
        columns: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        arrays: dict[str, Any] = {
            name: column[rows] for name, column in columns.items() if isinstance(column, np.ndarray)
        }
        texts = {name: Text(column.codes[rows], column.values) for name, column in self.texts.items()}
        return replace(
            self,
            **arrays,
            grade=Text(self.grade.codes[rows], self.grade.values),
            texts=texts,
            numbers={name: column[rows] for name, column in self.numbers.items()},
        )

    def text(self, column: str) -> Text:
        """The text column `column`, the canonical ones included."""
        if column == "borrower_id":
            return Text(np.arange(len(self), dtype=np.int32), tuple(self.borrower_id.tolist()))
        return self.grade if column == "grade" else self.texts[column]

    def number(self, column: str) -> Floats:
        """The number column `column`, the canonical ones included.

        Raises KeyError for a column that was not read as numbers.
        """
        own = "term" if column == "term_years" else column
        canonical: dict[str, Floats] = vars(self)
        return canonical[own] if column in _NUMBERS else self.numbers[column]


@dataclass(frozen=True)
class ChurnTable:
    """A churn curve as it stands in its file: the share of customers who walk away, by rate and grade."""

    source: str
    rates: Floats
    """(K,) annual rates, strictly ascending fractions."""
    churn: Mapping[str, Floats]
    """Grade -> (K,) fractions in [0, 1]."""
