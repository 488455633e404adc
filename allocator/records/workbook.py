"""A workbook as it is to be written: sheets of lines and tables, formulas beside the values they come to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from numpy.typing import NDArray

Kind = Literal["text", "title", "note", "money", "share", "factor", "price", "count", "number", "row"]
"""How a cell is shown; a `row` is the number of a limit, 0 of none, which is not shown."""


@dataclass(frozen=True)
class Cell:
    """One cell; text is never read as a formula, a number that is not finite leaves the cell empty."""

    value: str | float | bool | None
    kind: Kind = "text"
    formula: str | None = None
    """What a spreadsheet computes the value by, as `=SUM(loan_value)`."""
    name: str | None = None
    """A name by which formulas know the cell."""


Line = tuple[Cell, ...]
"""Cells side by side from the first column on."""


@dataclass(frozen=True)
class Choice:
    """What may be typed into a cell: one of `among` or `source`, or a number from `low` to `high`."""

    among: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    source: str | None = None
    """A range of cells whose values may be typed, as `=Rates!$A$2:$A$100`."""
    says: str = ""
    """What a spreadsheet says where something else is typed."""
    strict: bool = True
    """Whether it refuses anything else, rather than warns."""


@dataclass(frozen=True)
class Column:
    """A column of a table of n rows."""

    key: str
    """By which formulas know it: `[amount]` is the cell in the same row, `loan_amount` the whole column of
    the table `loan`."""
    heading: str
    kind: Kind
    values: Sequence[Any] | NDArray[Any]
    """(n,) what the cells hold, and what their formulas come to."""
    formula: str | Sequence[str | None] | None = None
    """One for every row, or one a row; None: the cells are data."""
    width: float | None = None
    choice: Choice | Sequence[Choice | None] | None = None
    """One for every row, the spare ones too, or one a row."""


@dataclass(frozen=True)
class Table:
    """Columns under their headings."""

    columns: tuple[Column, ...]
    name: str | None = None
    """What the names of its columns begin with; None: they have none."""
    spare: int = 0
    """Empty rows below that belong to it, of a form."""

    def __len__(self) -> int:
        return len(self.columns[0].values)


@dataclass(frozen=True)
class Sheet:
    """Lines and tables one below the other; the first part, where it is a table, keeps its header in view."""

    name: str
    parts: tuple[Line | Table, ...]
    widths: tuple[float, ...] = ()
    """Of the columns, in characters, where the table does not say."""


@dataclass(frozen=True)
class Workbook:
    """Sheets in their order."""

    sheets: tuple[Sheet, ...]
    title: str = ""
    notes: Sequence[str] = field(default_factory=tuple)
    """What was left out, in words."""


def cell_name(sheet: str, row: int, column: int) -> str:
    """A cell as formulas have it: Borrowers!C7, 'My firms'!C7; counted from 1."""
    plain = sheet.isidentifier() and sheet.isascii()
    shown = sheet if plain else "'" + sheet.replace("'", "''") + "'"
    return f"{shown}!{column_letters(column)}{row}"


def column_letters(number: int) -> str:
    """1 is A, 27 is AA."""
    letters = ""
    while number:
        number, place = divmod(number - 1, 26)
        letters = chr(65 + place) + letters
    return letters
