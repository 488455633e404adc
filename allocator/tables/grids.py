"""A sheet of a workbook as it stands, and as the table that it holds."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from allocator.errors import Fault
from allocator.extras import require
from allocator.records.frames import Frame, OnSheet
from allocator.records.scenario import PortfolioSource
from allocator.records.workbook import cell_name
from allocator.tables.conversion import cell_text

if TYPE_CHECKING:
    from allocator.tables.xlsx import Grid

_CALCULATE = "open the workbook in a spreadsheet and save it, or write the value"


def grids_of(path: Path, wanted: tuple[str, ...]) -> dict[str, Grid]:
    """The sheets of a workbook that have one of the `wanted` names, in any case; those that are filled.

    Raises InputError where it is no workbook.
    """
    require("excel")
    from allocator.tables.xlsx import read_grid, sheet_names

    source = PortfolioSource("xlsx", path, bare=True)
    sheets = {name.strip().lower(): name for name in sheet_names(source)}
    grids = {
        name: read_grid(PortfolioSource("xlsx", path, sheet=sheets[name.lower()], bare=True))
        for name in wanted
        if name.lower() in sheets
    }
    return {
        name: grid for name, grid in grids.items() if any(cell != "" for row in grid.rows for cell in row)
    }


def pending_faults(grid: Grid, file: str) -> Iterator[Fault]:
    """Of each formula of the sheet that was never calculated."""
    for (row, column), formula in sorted(grid.screened.uncalculated.items()):
        shown = f"={formula}" if formula else "a formula"
        place = cell_name(grid.sheet, row, column)
        yield Fault(f"{shown} was never calculated", _CALCULATE, file=file, row=row, cell=place)


def frame_of_grid(grid: Grid, title: str, file: str) -> Frame:
    """The table on a sheet as the CSV file that it stands for; its header is the first filled row."""
    texts = [[cell_text(cell) or "" for cell in row] for row in grid.rows]
    head = next(place for place, row in enumerate(texts) if any(row))
    kept = [place for place, name in enumerate(texts[head]) if name.strip()]
    rows = [place for place in range(head + 1, len(texts)) if any(texts[place])]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    names = [texts[head][column].strip() for column in kept]
    writer.writerow(names)
    writer.writerows([texts[place][column] for column in kept] for place in rows)
    content = text.getvalue().encode("utf-8")
    letters = {
        name: cell_name(grid.sheet, 0, grid.first[1] + column)[:-1]
        for name, column in zip(names, kept, strict=True)
    }
    sheet = OnSheet(file, tuple(grid.first[0] + place for place in rows), letters)
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return Frame(title, ".csv", digest, pa.py_buffer(content), sheet)
