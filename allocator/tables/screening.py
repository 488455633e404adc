"""A sheet's XML looked through before its values are read.

The library that reads the values makes room for every cell up to the last one: one value at the sheet's far
end takes more memory than there is. It reads a formula that was never calculated as an empty cell, and so a
cell in error; and an empty cell is an answer, "not given".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import reduce
from xml.parsers import expat

from allocator.records.scenario import PortfolioSource
from allocator.records.workbook import column_letters
from allocator.tables.opened import refuse

ROWS, COLUMNS = 1_048_576, 16_384
"""Rows and columns that a sheet may have."""
_MOST_CELLS = 8_000_000
ROOM, SPARSE = 4_000_000, 8
"""Cells that room is made for in any case; beyond, one in `SPARSE` must be filled."""
_PIECE = 4 << 20

_PREFIX = rb"(?:[^\s<>/:!?\"'=]+:)?"
_STRICT = re.compile(rb'<c r="([A-Z]{1,3})([0-9]{1,7})"')
STARTS = (b"<c ", b"<c>", b"<c/", b"<c\n", b"<c\t", b"<c\r")
_IN_ERROR = re.compile(rb"\bt\s*=\s*[\"']e[\"']")
_ERROR_CELL = re.compile(rb"(<" + _PREFIX + rb"c\b[^>]*?\bt\s*=\s*)([\"'])e\2")
FORMULA = re.compile(
    rb"<" + _PREFIX + rb"c\b([^>]*)>\s*"
    rb"<" + _PREFIX + rb"f\b(?:[^>]*/>|[^>]*>([^<]*)</" + _PREFIX + rb"f\s*>)\s*"
    rb"(?:<" + _PREFIX + rb"v\b(?:[^>]*/>|[^>]*>([^<]*)</" + _PREFIX + rb"v\s*>))?"
)
_MERGED = re.compile(
    rb"<"
    + _PREFIX
    + rb"mergeCell\b[^>]*?\bref\s*=\s*[\"']([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})[\"']"
)
REFERENCE = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")
_NOT_A_TAG = re.compile(rb"<!--.*?-->|<!\[CDATA\[(.*?)\]\]>", re.DOTALL)

Cell = tuple[int, int]
"""Row and column, from 1."""


@dataclass(frozen=True)
class ScreenedSheet:
    """A sheet that is safe to read, and what its values alone do not tell."""

    xml: bytes
    """Cells in error as texts: "#N/A" and the like."""
    uncalculated: dict[Cell, str] = field(default_factory=dict)
    """Formulas without a value."""
    merged: tuple[tuple[Cell, Cell], ...] = ()
    """First and last cell of each group of merged ones."""


def screen(xml: bytes, to_calculate: bool, source: PortfolioSource) -> ScreenedSheet:
    """`xml` of a sheet, in UTF-8, checked and mended. Raises InputError for cells far from all others."""
    if b"<!" in xml:
        xml = _NOT_A_TAG.sub(lambda match: _escaped(match[1] or b""), xml)
    _require_room(xml, source)
    if _IN_ERROR.search(xml):
        xml = _ERROR_CELL.sub(rb"\1\2str\2", xml)
    merged = tuple(
        ((int(r1), column_number(c1)), (int(r2), column_number(c2)))
        for c1, r1, c2, r2 in _MERGED.findall(xml)
        for c1, r1, c2, r2 in _MERGED.findall(xml)
    )
    has_formulas = b"<f" in xml or b":f" in xml
    return ScreenedSheet(xml, dict(_uncalculated_cells(xml, to_calculate)) if has_formulas else {}, merged)


def column_number(letters: bytes) -> int:
    """A is 1, Z 26, AA 27."""
    return reduce(lambda place, letter: place * 26 + letter - 64, letters.upper(), 0)


def _escaped(text: bytes) -> bytes:
    return text.replace(b"&", b"&amp;").replace(b"<", b"&lt;").replace(b">", b"&gt;")


def _uncalculated_cells(xml: bytes, to_calculate: bool) -> Iterator[tuple[Cell, str]]:
    """Cells whose formula has no value. A workbook that waits to be calculated holds 0 for one."""
    for match in FORMULA.finditer(xml):
        attributes, formula, value = match[1], match[2] or b"", match[3] or b""
        text = re.search(rb"\bt\s*=\s*[\"'](?:str|s|e)[\"']", attributes) is not None and match[3] is not None
        place = re.search(rb"\br\s*=\s*[\"']([A-Z]{1,3})([0-9]{1,7})[\"']", attributes)
        lacking = (not value.strip() and not text) or (to_calculate and value.strip() == b"0")
        if place and lacking:
            yield (int(place[2]), column_number(place[1])), formula.decode("utf-8", "replace")


def _require_room(xml: bytes, source: PortfolioSource) -> None:
    """Raise InputError where the cells are too many, or far apart."""
    count, last = _plain_extent(xml) or _extent(xml, source)
    if _is_roomy(count, last):
        return
    count, last = _extent(xml, source)
    if count > _MOST_CELLS:
        problem = f"a sheet of more than {_MOST_CELLS:,} cells"
        raise refuse(source, problem, "save it as CSV or Parquet")
    if not _is_roomy(count, last):
        name = f"{column_letters(last[1])}{last[0]}"
        problem = f"{count:,} cells are filled in a range that ends at {name}: one lies far from the table"
        raise refuse(source, problem, f"delete what stands far away, down to {name}, and save it again")


def _is_roomy(count: int, last: Cell) -> bool:
    area = last[0] * last[1]
    return count <= _MOST_CELLS and (area <= ROOM or area <= SPARSE * count)


def _plain_extent(xml: bytes) -> tuple[int, Cell] | None:
    """How many cells there are, and the last row and column; None where tags are unusual."""
    count, rows, columns = 0, {0}, {b"A"}
    for piece in _pieces(xml):
        bounds = _STRICT.findall(piece)
        if len(bounds) != sum(map(piece.count, STARTS)) or b":c" in piece:
            return None
        if bounds:
            letters, numbers = zip(*bounds, strict=True)
            columns.update(letters)
            rows.add(max(map(int, set(numbers))))
        count += len(bounds)
    last = max(rows), max(map(column_number, columns))
    return (count, last) if last[0] <= ROWS and last[1] <= COLUMNS else None


def _pieces(xml: bytes) -> Iterator[bytes]:
    """The text in pieces that end before a tag."""
    begin = 0
    while begin < len(xml):
        end = xml.find(b"<", begin + _PIECE)
        end = len(xml) if end < 0 else end
        yield xml[begin:end]
        begin = end


def _extent(xml: bytes, source: PortfolioSource) -> tuple[int, Cell]:
    """How many cells have a value, and the last row and column of those, tag by tag."""
    row, column, count, last_row, last_column, counted = 0, 0, 0, 0, 0, True

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal row, column, count, last_row, last_column, counted
        tag = tag.rpartition(":")[2]
        if tag == "row":
            row, column = _number(attributes.get("r"), row + 1), 0
        elif tag == "c":
            row, column = _place(attributes.get("r"), row, column + 1, source)
            counted = False
        elif tag in ("v", "is", "t") and not counted:
            counted, count = True, count + 1
            last_row, last_column = max(last_row, row), max(last_column, column)

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    try:
        parser.Parse(xml, True)
    except expat.ExpatError as error:
        problem = f"not a whole Excel workbook: its sheet: {error}"
        raise refuse(source, problem, "save it again as .xlsx, without a password") from error
    return count, (last_row, last_column)


def _number(text: str | None, default: int) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else default


def _place(reference: str | None, row: int, column: int, source: PortfolioSource) -> Cell:
    match = REFERENCE.fullmatch(reference) if reference is not None else None
    place = (int(match[2]), column_number(match[1].encode())) if match else (row, column)
    if (reference is not None and match is None) or place[0] > ROWS or place[1] > COLUMNS:
        problem = f"a cell at {reference or 'no place'}, where no sheet has one"
        raise refuse(source, problem, "save it again as .xlsx, without a password")
    return place
