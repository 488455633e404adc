"""A pandas frame as a table of the terminal."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group, JustifyMethod, RenderableType
from rich.table import Table

from allocator.report.plain import Text, plain_table, side_by_side
from allocator.report.room import room

if TYPE_CHECKING:
    import pandas as pd

WHOLE = 24
"""Columns that a text keeps before it wraps."""


def frame_table(title: str, frame: pd.DataFrame) -> RenderableType:
    """`frame` with its index in front: four digits, blank where nothing is known.

    Columns that do not fit beside one another go into further tables below, each with the index.
    """
    first, *others = [_column(series) for _, series in frame.reset_index().items()]
    blocks = side_by_side([_width(column) for column in others], room() - _width(first))
    tables = [_table([first, *(others[number] for number in block)]) for block in blocks]
    return Group(Text(title, style="bold"), *tables)


def _column(series: pd.Series) -> tuple[str, list[str], bool]:
    """Heading, cells, and whether they are numbers."""
    cells = [_cell(value) for value in series.tolist()]
    return str(series.name).replace("_", " "), cells, series.dtype.kind in "iufb"


def _width(column: tuple[str, list[str], bool]) -> int:
    """Columns of the terminal, the blanks after it included."""
    heading, cells, is_number = column
    longest = max(map(len, [*cells, *heading.split()]), default=0)
    return 2 + (longest if is_number else min(longest, WHOLE))


def _table(columns: Sequence[tuple[str, list[str], bool]]) -> Table:
    table = plain_table()
    for column in columns:
        heading, _, is_number = column
        width = _width(column) - 2
        justify: JustifyMethod = "right" if is_number else "left"
        table.add_column(heading, justify=justify, width=width, overflow="fold")
    for row in zip(*(cells for _, cells, _ in columns), strict=True):
        table.add_row(*map(Text, row))
    return table


def _cell(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)) or repr(value) in ("<NA>", "NaT"):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if 1e5 <= abs(value) < 1e15 else f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def table_rows(tables: Mapping[str, pd.DataFrame]) -> dict[str, list[dict[str, Any]]]:
    """Tables as one JSON object, by their titles."""
    return {re.sub(r"\W+", "_", title).lower(): frame_rows(table) for title, table in tables.items()}


def frame_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as mappings, the index among them, NaN as None."""
    frame = table.reset_index().astype(object)
    rows = frame.where(frame.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]
