"""The look that all tables on the terminal share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Self

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text as RichText

from allocator.report.visible import visible


class Text(RichText):
    """A text of a page: what cannot be seen stands in it as escapes, line breaks too."""

    def __init__(self, text: str = "", style: str = "", **options: Any) -> None:
        super().__init__(visible(text), style, **options)  # which would drop some controls in silence

    def append(self, text: str | RichText, style: Any = None) -> Self:
        super().append(visible(text) if isinstance(text, str) else text, style)
        return self


def plain_table(*, totals: bool = False) -> Table:
    """A table without a frame, two blanks between columns: the same on a terminal, in a log, in a mail."""
    return Table(box=box.SIMPLE, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), show_footer=totals)


def notes_of(notes: Iterable[str]) -> list[RenderableType]:
    """Lines under a page for what may not be meant so; none where there is nothing to note."""
    lines = [Text(f"note: {note}") for note in notes]
    return ["", *lines] if lines else []


STOPPED = "*"
"""Marks what the clock stopped."""
STOPPED_NOTE = f"{STOPPED} stopped by solver.time_limit: certified, but more time may find better"


def marked(text: str, stopped: bool) -> str:
    """`text` with the mark of what the clock stopped, where it did."""
    return f"{text} {STOPPED}".strip() if stopped else text


def listed(names: Sequence[str], most: int) -> str:
    """The first `most` names, and how many more there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"
