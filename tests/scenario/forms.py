"""Workbooks of scenarios as people fill them in."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from allocator.records.workbook import Cell, Sheet, Workbook
from allocator.store.file import write_files
from allocator.store.workbook import workbook_content

Rows = Sequence[Sequence[object]]


def write_form(path: Path, sheets: Mapping[str, Rows]) -> Path:
    """Cells as they are; "" leaves one empty."""
    made = [
        Sheet(name, tuple(tuple(Cell(value) for value in row) for row in rows))  # type: ignore[arg-type]
        for name, rows in sheets.items()
    ]
    write_files({path: workbook_content(Workbook(tuple(made)))})
    return path


def typed(text: str, texts: Sequence[str]) -> Rows:
    """The rows of a CSV text, numbers as numbers but in the columns `texts`."""
    head, *rows = csv.reader(io.StringIO(text))
    kept = {head.index(name) for name in texts}
    return [head, *([_cell(cell, at in kept) for at, cell in enumerate(row)] for row in rows)]


def _cell(text: str, kept: bool) -> object:
    if kept or not text:
        return text
    return {"true": True, "false": False}.get(text) if text in ("true", "false") else float(text)
