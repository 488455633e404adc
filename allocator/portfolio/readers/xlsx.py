"""Excel: the first sheet, its first filled row the header."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Collection, Sequence
from functools import partial, reduce
from io import BytesIO
from xml.etree import ElementTree

import pyarrow as pa
from python_calamine import CalamineError, CalamineWorkbook

from allocator.intake import take_bytes
from allocator.portfolio.conversion import cell_text, to_array
from allocator.portfolio.readers.opened import Fetched, Opened, existing_file, refuse
from allocator.records.scenario import PortfolioSource

FAILED_CELL = re.compile(rb'<c r="([A-Z]+)([0-9]+)"[^>]*\bt="e"[^>]*>.*?<v>([^<]*)</v>', re.DOTALL)
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def open_xlsx(source: PortfolioSource) -> Opened:
    """Open a workbook's first sheet."""
    path = existing_file(source)
    try:
        content = BytesIO(take_bytes(path))
        with CalamineWorkbook.from_filelike(content) as workbook:
            sheet = workbook.get_sheet_by_index(0)
            cells = sheet.to_python(skip_empty_area=True)
            start = sheet.start or (0, 0)
        failed = _failed_cells(content)
    except (CalamineError, OSError, zipfile.BadZipFile) as error:
        problem = f"not a whole Excel workbook: {str(error).rstrip('.')}"
        raise refuse(source, problem, "save it again as .xlsx, without a password") from error
    for (row, column), shown in failed.items():
        cells[row - start[0]][column - start[1]] = shown
    while cells and all(cell == "" for cell in cells[-1]):
        cells.pop()
    if not cells:
        raise refuse(source, "an empty first sheet", "give a header and one row a borrower")
    names = tuple(cell_text(cell) or "" for cell in cells[0])
    return Opened(names, partial(_fetch, names, cells[1:]))


def _fetch(
    names: Sequence[str], cells: list[list[object]], columns: Sequence[str], coded: Collection[str]
) -> Fetched:
    """The named columns of the sheet, typed by what their cells hold."""
    places = [names.index(column) for column in columns]
    arrays = [to_array([row[place] for row in cells]) for place in places]
    return Fetched.whole(pa.table(arrays, names=list(columns)))


def _failed_cells(content: BytesIO) -> dict[tuple[int, int], str]:
    """Cells that hold an error, (row, column) from 0 -> as Excel shows it, "#N/A" and the like.

    Read by value they look empty, and an empty cell is an answer: "not given".
    """
    with zipfile.ZipFile(content) as archive:
        part = _first_sheet(archive)
        sheet = archive.read(part) if part in archive.namelist() else b""
    return {
        (int(row) - 1, reduce(lambda place, letter: place * 26 + letter - 64, letters, 0) - 1): shown.decode()
        for letters, row, shown in FAILED_CELL.findall(sheet)
    }


def _first_sheet(archive: zipfile.ZipFile) -> str:
    """The part of the archive that holds the first sheet."""
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    first = next((sheet.get(RELATION) for sheet in book.iter() if sheet.tag.endswith("}sheet")), None)
    target = next((link.get("Target", "") for link in links if link.get("Id") == first), "")
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"
