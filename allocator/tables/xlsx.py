"""Excel: the sheet named, else the first to be seen; the row named, else the first filled is its header."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import partial
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np
import pyarrow as pa
from python_calamine import CalamineError, CalamineWorkbook

from allocator.errors import Fault
from allocator.records.portfolio import Integers
from allocator.records.scenario import PortfolioSource
from allocator.records.workbook import cell_name, column_letters
from allocator.tables.areas import area_of
from allocator.tables.conversion import cell_text, to_array
from allocator.tables.findings import SHOWN, Finding, quoted
from allocator.tables.margins import CLOSING, LOOKED_AT, closing_rows, header_below
from allocator.tables.opened import (
    FetchedColumns,
    OpenedSource,
    content,
    existing_file,
    refuse,
    remedy_of,
    rows_wanted,
)
from allocator.tables.package import Package, Tab, Workbook, read_book
from allocator.tables.screening import Cell, ScreenedSheet, screen

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINKS = "http://schemas.openxmlformats.org/package/2006/relationships"
ROLES = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

Row = list[Any]


@dataclass(frozen=True)
class Grid:
    """What a sheet holds, from its first filled row and column on."""

    sheet: str
    rows: list[Row]
    """An empty cell is ""."""
    first: tuple[int, int]
    """Row and column, from 1, of the first cell."""
    screened: ScreenedSheet

    def within(self, first: Cell, last: Cell) -> Grid:
        """What of it lies from one cell to another, empty cells included."""
        (top, left), (bottom, right) = first, last
        rows = {self.first[0] + i: row for i, row in enumerate(self.rows)}
        skipped = range(left - self.first[1], right - self.first[1] + 1)
        cut = [[row[i] if 0 <= i < len(row) else "" for i in skipped]
               for row in (rows.get(number, []) for number in range(top, bottom + 1))]  # fmt: skip
        return replace(self, rows=cut, first=first)

    def place(self, row: int, column: int) -> str:
        """A cell's name, of a row and a column of the grid, from 0."""
        return cell_name(self.sheet, self.first[0] + row, self.first[1] + column)


@dataclass(frozen=True)
class SheetTable:
    """The table of a sheet."""

    sheet: str
    names: tuple[str, ...]
    rows: list[Row]
    """Rows below the header that are neither blank nor totals or notes."""
    number: Integers
    """(rows,) as a spreadsheet counts them, from 1."""
    column: int
    """The first column's number, from 1."""
    screened: ScreenedSheet
    findings: tuple[Finding, ...]


def open_xlsx(source: PortfolioSource) -> OpenedSource:
    """Open one sheet of a workbook."""
    cells = _table(read_grid(source), source)
    return OpenedSource(cells.names, partial(_fetch, cells, source))


def sheet_names(source: PortfolioSource) -> tuple[str, ...]:
    """The sheets of a workbook, hidden ones too. Raises InputError."""
    book = read_book(Package(content(source, existing_file(source)), source))
    return tuple(tab.name for tab in book.tabs)


def read_grid(source: PortfolioSource) -> Grid:
    """The cells of one sheet, or of the table or range named, as they stand.

    Raises InputError for what `open_xlsx` refuses.
    """
    package = Package(content(source, existing_file(source)), source)
    book = read_book(package)
    if source.table is None:
        return _grid(package, book, _chosen_sheet(book, source), source)
    area = area_of(package, book, source.table, source)
    return _grid(package, book, area.tab, source).within(area.first, area.last)


def _grid(package: Package, book: Workbook, tab: Tab, source: PortfolioSource) -> Grid:
    screened = screen(package.xml(tab.part), book.to_calculate, source)
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(_rebuilt(package, book, screened.xml))) as workbook:
            sheet = workbook.get_sheet_by_index(0)
            rows, start = sheet.to_python(skip_empty_area=True), sheet.start or (0, 0)
    except CalamineError as error:
        raise package.damaged(f"its part {tab.part}: {error}") from error
    return Grid(tab.name, rows, (start[0] + 1, start[1] + 1), screened)


def _chosen_sheet(book: Workbook, source: PortfolioSource) -> Tab:
    """The sheet that the source names, else the first that is not hidden."""
    names = [tab.name for tab in book.tabs]
    if source.sheet is not None:
        tabs = [tab for tab in book.tabs if tab.name == source.sheet] or [
            tab for tab in book.tabs if tab.name.strip().lower() == source.sheet.strip().lower()
        ]
        if tabs:
            return tabs[0]
        near = get_close_matches(source.sheet, names, n=1)
        listed = f"the nearest is {quoted(near[0])}" if near else f"there are {', '.join(map(quoted, names))}"
        raise refuse(
            source, f"no sheet {quoted(source.sheet)}; {listed}", "name one of its sheets under sheet"
        )
    seen = [tab for tab in book.tabs if not tab.hidden]
    if not seen:
        hidden = f"; hidden are {', '.join(map(quoted, names))}" if names else ""
        remedy = "show the one that is meant" if source.bare else "name one under sheet"
        raise refuse(source, f"a workbook without a sheet to be seen{hidden}", remedy)
    return seen[0]


def _rebuilt(package: Package, book: Workbook, sheet: bytes) -> bytes:
    """A workbook of the one sheet and what its cells need, under their usual names: all that is read on."""
    parts = {"worksheet": ("xl/worksheets/sheet1.xml", sheet)}
    for role, part in (("sharedStrings", book.shared), ("styles", book.styles)):
        if part is not None and (role != "styles" or part in package):
            parts[role] = (f"xl/{role}.xml", package.xml(part))
    links = "".join(
        f'<Relationship Id="r{number}" Type="{ROLES}/{role}" Target={quoteattr("/" + name)}/>'
        for number, (role, (name, _)) in enumerate(parts.items())
    )
    start = f'<Relationship Id="r" Type="{ROLES}/officeDocument" Target="xl/workbook.xml"/>'
    since = "1" if book.from_1904 else "0"
    workbook = (
        f'<workbook xmlns="{MAIN}" xmlns:r="{ROLES}"><workbookPr date1904="{since}"/>'
        '<sheets><sheet name="Sheet" sheetId="1" r:id="r0"/></sheets></workbook>'
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("_rels/.rels", f'<Relationships xmlns="{_LINKS}">{start}</Relationships>')
        archive.writestr("xl/workbook.xml", workbook)
        archive.writestr(
            "xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{_LINKS}">{links}</Relationships>'
        )
        for name, data in parts.values():
            archive.writestr(name, data)
    return out.getvalue()


def _table(grid: Grid, source: PortfolioSource) -> SheetTable:
    """Header and rows of a sheet."""
    rows, start, screened = grid.rows, grid.first, grid.screened
    header = _header_place(rows, start[0], source)
    names = tuple(cell_text(cell) or "" for cell in rows[header])
    filled = [place for place in range(header + 1, len(rows)) if any(cell != "" for cell in rows[place])]
    number = np.array(filled, dtype=np.int64) + start[0]
    last = [[cell_text(cell) or "" for cell in rows[place]] for place in filled[-CLOSING:]]
    gaps = np.diff(number, prepend=start[0] + header)[-len(last) :] > 1 if last else np.zeros(0)
    width = sum(1 for name in names if name.strip())
    closing = closing_rows(last, width, [bool(gap) for gap in gaps])
    findings = []
    if closing:
        faults = [
            Fault(
                row.problem,
                "remove it",
                file=source.label,
                row=(line := int(number[-1 - row.back])),
                cell=cell_name(grid.sheet, line, start[1]),
            )
            for row in reversed(closing)
        ]
        findings.append(Finding(len(faults), tuple(faults)))
        filled, number = filled[: -len(closing)], number[: -len(closing)]
    held = [rows[place] for place in filled]
    return SheetTable(grid.sheet, names, held, number, start[1], screened, tuple(findings))


def _header_place(rows: list[Row], first: int, source: PortfolioSource) -> int:
    """Where among `rows` the header stands; the first of them is row `first` of the sheet."""
    if not any(cell != "" for row in rows for cell in row):
        problem = "an empty first sheet" if source.sheet is None else "an empty sheet"
        raise refuse(source, problem, rows_wanted(source))
    if source.header is not None:
        header = source.header - first
        if not 0 <= header < len(rows) or all(cell == "" for cell in rows[header]):
            raise refuse(source, "no header: the row is empty", "mend header", row=source.header)
        return header
    place = header_below([[cell_text(cell) or "" for cell in row] for row in rows[:LOOKED_AT]])
    if place is not None:
        below = first + place
        problem = f"a title, not the names of the columns, which row {below} seems to hold"
        file = source.path.name if source.path else ""
        option = f"write source: {{xlsx: {file}, header: {below}}}"
        raise refuse(source, problem, remedy_of(source, "delete the rows above", option), row=first)
    return 0


def _fetch(
    cells: SheetTable,
    source: PortfolioSource,
    columns: Sequence[str],
    coded: Collection[str],
    typed: Collection[str],
) -> FetchedColumns:
    """The named columns of the sheet, typed by what their cells hold; rows without a value are reported."""
    places = [cells.names.index(column) for column in columns]
    lost = _uncalculated_faults(
        cells, dict(zip((place + cells.column for place in places), columns, strict=True)), source
    )
    rows = [row for row, number in zip(cells.rows, cells.number.tolist(), strict=True) if number not in lost]
    number = cells.number[~np.isin(cells.number, list(lost))] if lost else cells.number
    findings = list(cells.findings)
    if lost:
        findings.append(Finding(len(lost), tuple(lost.values())[:SHOWN]))
    arrays = [to_array([row[place] for row in rows]) for place in places]
    letters = {
        name: cell_name(cells.sheet, 0, place + cells.column)[:-1]
        for name, place in zip(columns, places, strict=True)
    }
    return FetchedColumns(pa.table(arrays, names=list(columns)), number, tuple(findings), letters)


def _uncalculated_faults(
    cells: SheetTable, columns: dict[int, str], source: PortfolioSource
) -> dict[int, Fault]:
    """Rows with a cell, in one of `columns`, that has no value though it looks filled: row -> its fault."""
    lost: dict[int, Fault] = {}
    if not len(cells.number):
        return lost
    rows = set(cells.number.tolist())
    for (row, column), formula in sorted(cells.screened.uncalculated.items()):
        if column in columns and row in rows:
            shown = quoted(f"={formula}") if formula else "a formula"
            lost[row] = Fault(
                f"{shown} was never calculated",
                "open the workbook in a spreadsheet and save it, or write the value",
                file=source.label,
                row=row,
                field=columns[column],
                cell=cell_name(cells.sheet, row, column),
            )
    first_row, last_row = int(cells.number[0]), int(cells.number[-1])
    for (top, left), (bottom, right) in cells.screened.merged:
        inside = [column for column in columns if left <= column <= right]
        for row in range(max(top, first_row), min(bottom, last_row) + 1) if inside else ():
            empty = [column for column in inside if (row, column) != (top, left)]
            if empty and row in rows and row not in lost:
                lost[row] = Fault(
                    f"its cell is merged with {column_letters(left)}{top}",
                    "unmerge the cells and fill each",
                    file=source.label,
                    row=row,
                    field=columns[empty[0]],
                    cell=cell_name(cells.sheet, row, empty[0]),
                )
    return dict(sorted(lost.items()))
