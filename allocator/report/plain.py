"""The look that all tables on the terminal share."""

from __future__ import annotations

from rich import box
from rich.table import Table


def plain_table(*, totals: bool = False) -> Table:
    """A table without a frame, two blanks between columns: the same on a terminal, in a log, in a mail."""
    return Table(box=box.SIMPLE, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), show_footer=totals)
