"""A workbook to a file: row by row in constant memory, each formula with the value that it comes to.

What people handed over is written as text whatever it looks like: no cell of theirs becomes a formula, and
those that begin as one stay text when they are edited.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable, Iterator
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from allocator.errors import Fault, InputError
from allocator.extras import require
from allocator.records.workbook import (
    Cell,
    Choice,
    Column,
    Kind,
    Line,
    Sheet,
    Table,
    Workbook,
    column_letters,
)
from allocator.store.file import Content

if TYPE_CHECKING:
    from xlsxwriter import Workbook as Book
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

SHEET_ROWS = 1_048_576
"""What a worksheet holds, its header included."""
LONGEST_TEXT = 32_767
"""Characters of a cell."""
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes for the start of a formula when somebody types it."""
_LITERAL = 255
"""Characters of a text inside a formula."""
_SHOWN: dict[Kind, str] = {
    "money": "#,##0.00", "share": "0.00%", "factor": "0.000%", "price": "General", "count": "#,##0",
    "number": "General", "row": "0;;", "text": "@", "title": "@", "note": "@",
}  # fmt: skip
_WIDTHS: dict[Kind, float] = {"money": 16, "share": 10, "factor": 10, "price": 14, "count": 10, "row": 9,
                              "number": 12}  # fmt: skip
_CELL = re.compile(r"\[([^\[\]]+)\]")


def workbook_content(book: Workbook) -> Content:
    """The workbook as the bytes of an .xlsx file."""
    require("excel")

    def write(file: IO[bytes]) -> None:
        import xlsxwriter

        with xlsxwriter.Workbook(file, {"constant_memory": True}) as workbook:
            # The date of making would give the same run other bytes tomorrow.
            workbook.set_properties({"created": datetime.datetime(2020, 1, 1), "title": book.title})
            formats = _Formats(workbook)
            for sheet in book.sheets:
                _SheetWriter(workbook, formats, sheet).write()

    return write


class _Formats:
    """The formats of a workbook, each made once; `head` is that of a table's headings."""

    def __init__(self, workbook: Book) -> None:
        self._workbook = workbook
        self.plain: dict[Kind, Format] = {kind: self._made(kind) for kind in _SHOWN}
        self.quoted: dict[Kind, Format] = {
            kind: self._made(kind, quote_prefix=True) for kind in ("text", "title", "note")
        }
        self.live: dict[Kind, Format] = {**self.plain, "text": workbook.add_format()}
        """Of formulas: one that is formatted as text would become its own words when it is edited."""
        self.head = workbook.add_format(
            {"bold": True, "text_wrap": True, "valign": "top", "bottom": 1, "bg_color": "#DCE6F1"}
        )

    def _made(self, kind: Kind, **more: Any) -> Format:
        looks: dict[str, dict[str, Any]] = {
            "title": {"bold": True},
            "note": {"italic": True, "font_color": "#444444"},
        }
        return self._workbook.add_format({"num_format": _SHOWN[kind], **looks.get(kind, {}), **more})


class _SheetWriter:
    """Writes one sheet from its first row to its last."""

    def __init__(self, workbook: Book, formats: _Formats, sheet: Sheet) -> None:
        self._workbook, self._formats, self._sheet = workbook, formats, sheet
        self._page = workbook.add_worksheet(sheet.name)
        self._row = 0

    def write(self) -> None:
        """Raises InputError where the sheet would have more rows than a worksheet holds."""
        parts = self._sheet.parts
        rows = sum(len(part) + part.spare if isinstance(part, Table) else 1 for part in parts)
        require_rows(rows, f"sheet {self._sheet.name}")
        first = parts[0] if parts else ()
        columns = first.columns if isinstance(first, Table) and first.spare else ()
        for place, width in enumerate(_widths(self._sheet)):
            # What will be typed into a column of texts is to stay as typed, 0001 too.
            shown = self._formats.plain[columns[place].kind] if place < len(columns) else None
            self._page.set_column(place, place, width, shown)
        self._page.set_landscape()
        self._page.set_paper(9)  # A4
        self._page.fit_to_pages(1, 0)
        if isinstance(first, Table):
            self._page.repeat_rows(0)
            self._page.freeze_panes(1, 1)
            self._page.autofilter(0, 0, max(len(first) + first.spare, 1), len(first.columns) - 1)
        for part in parts:
            if isinstance(part, Table):
                self._table(part)
            else:
                self._line(part)

    def _line(self, line: Line) -> None:
        for place, cell in enumerate(line):
            self._cell(place, cell)
        self._row += 1

    def _cell(self, place: int, cell: Cell) -> None:
        shown = self._formats.live[cell.kind]
        if cell.name is not None:
            self._name(cell.name, place, self._row, self._row)
        if cell.formula is not None and not _is_endless(cell.value):
            self._page.write_formula(self._row, place, cell.formula, shown, cell.value)
        else:
            self._data(place, cell.value, cell.kind)

    def _data(self, place: int, value: Any, kind: Kind) -> None:
        write_data(
            self._page, self._row, place, value, self._formats.plain[kind], self._formats.quoted.get(kind)
        )

    def _name(self, name: str, column: int, first: int, last: int) -> None:
        letters = column_letters(column + 1)
        sheet = self._sheet.name.replace("'", "''")
        self._workbook.define_name(name, f"='{sheet}'!${letters}${first + 1}:${letters}${last + 1}"
                                   if last > first else f"='{sheet}'!${letters}${first + 1}")  # fmt: skip

    def _table(self, table: Table) -> None:
        for place, column in enumerate(table.columns):
            write_data(self._page, self._row, place, column.heading, self._formats.head, self._formats.head)
            if table.name is not None:
                last = self._row + max(len(table), 1)
                self._name(f"{table.name}_{column.key}", place, self._row + 1, last)
            self._choices(place, column, table)
        self._row += 1
        letters = {column.key: column_letters(place + 1) for place, column in enumerate(table.columns)}
        writers = [self._writer(place, column, letters) for place, column in enumerate(table.columns)]
        columns = [_as_python(column.values) for column in table.columns]
        for number, cells in enumerate(zip(*columns, strict=True)):
            for write, value in zip(writers, cells, strict=True):
                write(number, value)
            self._row += 1
        self._row += table.spare

    def _choices(self, place: int, column: Column, table: Table) -> None:
        """Has the spreadsheet check what is typed below the heading of the column."""
        first = self._row + 1
        if isinstance(column.choice, Choice):
            last = self._row + max(len(table) + table.spare, 1)
            _validate(self._page, place, first, last, column.choice)
        elif column.choice is not None:
            for row, choice in enumerate(column.choice, start=first):
                if choice is not None:
                    _validate(self._page, place, row, row, choice)

    def _writer(self, place: int, column: Column, letters: dict[str, str]) -> Callable[[int, Any], None]:
        """What writes one cell of the column: its row among those of the table, and its value."""
        kind, page, shown = column.kind, self._page, self._formats.live[column.kind]
        if column.formula is None:
            return lambda _, value: self._data(place, value, kind)
        same = isinstance(column.formula, str)
        template = _with_cells(str(column.formula), letters) if same else ""
        texts = (
            [] if same else [None if text is None else _with_cells(text, letters) for text in column.formula]
        )

        def write(number: int, value: Any) -> None:
            formula = template if same else texts[number]
            if formula is None or _is_endless(value):
                self._data(place, value, kind)
            else:
                page.write_formula(self._row, place, formula.replace("\0", str(self._row + 1)), shown, value)

        return write


def write_data(
    page: Worksheet, row: int, column: int, value: Any, shown: Format | None, quoted: Format | None = None
) -> None:
    """One cell of data in its own type; text stays text, whatever it looks like."""
    if isinstance(value, bool):
        page.write_boolean(row, column, value, shown)
    elif isinstance(value, int | float):
        if math.isfinite(value):
            page.write_number(row, column, value, shown)
    elif value is not None and value != "":
        text = str(value)
        text = text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"
        text = f" {text}" if text.startswith("<r>") and len(text) > _LITERAL else text
        shown = quoted if quoted is not None and text.startswith(_FORMULA_STARTS) else shown
        if text.startswith("<r>") and text.endswith("</r>") and len(text) <= _LITERAL:
            # The library would write such a text as XML of its own making; a formula that is one text is not.
            literal = text.replace('"', '""')
            page.write_formula(row, column, f'="{literal}"', shown, text)
        else:
            page.write_string(row, column, text, shown)


def require_rows(rows: int, subject: str) -> None:
    """Raise InputError where a table of `rows` and its header is more than a worksheet holds."""
    most = SHEET_ROWS - 1
    if rows > most:
        problem = f"{rows:,} rows are more than the {most:,} below the header of a worksheet"
        remedy = (
            f"write .csv or .parquet, or split the table into {-(-rows // most)} of at most {most:,} rows"
        )
        raise InputError.of([Fault(problem, remedy)], subject)


def _with_cells(formula: str, letters: dict[str, str]) -> str:
    """The formula with the cells of its row: `[amount]` is N and, for the row's number, a mark."""
    return _CELL.sub(lambda match: f"${letters[match[1]]}\0", formula)


def _as_python(values: Any) -> list[Any]:
    """The cells as Python has them."""
    return list(values.tolist()) if isinstance(values, np.ndarray) else list(values)


def _is_endless(value: Any) -> bool:
    """Whether it is a number that no cell holds, or none."""
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def _widths(sheet: Sheet) -> Iterator[float]:
    """Of the columns: the widest that a part asks for."""
    tables = [part for part in sheet.parts if isinstance(part, Table)]
    count = max([len(sheet.widths), *(len(table.columns) for table in tables)], default=0)
    for place in range(count):
        own = [column.width or _WIDTHS.get(column.kind, 14)
               for table in tables for column in table.columns[place : place + 1]]  # fmt: skip
        yield max([*own, *sheet.widths[place : place + 1]])


def _validate(page: Worksheet, column: int, first: int, last: int, choice: Choice) -> None:
    told = {"error_title": "Not as expected", "error_message": choice.says[:255],
            "error_type": "stop" if choice.strict else "warning"}  # fmt: skip
    if choice.among or choice.source:
        rule: dict[str, Any] = {"validate": "list", "source": choice.source or list(choice.among)}
    elif choice.low is not None and choice.high is not None:
        rule = {"validate": "decimal", "criteria": "between", "minimum": choice.low, "maximum": choice.high}
    else:
        rule = {"validate": "decimal", "criteria": ">=", "value": choice.low or 0}
    page.data_validation(first, column, last, column, {**rule, **told})
