"""The look that all tables on the terminal share."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Self, TypeVar

from rich import box
from rich.console import Console, JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text as RichText

from allocator.report.room import room
from allocator.report.visible import visible, visible_page

Entry = TypeVar("Entry")


class Text(RichText):
    """A text of a page: what cannot be seen stands in it as escapes, line breaks too."""

    def __init__(self, text: str = "", style: str = "", **options: Any) -> None:
        super().__init__(visible(text), style, **options)  # which would drop some controls in silence

    def append(self, text: str | RichText, style: Any = None) -> Self:
        super().append(visible(text) if isinstance(text, str) else text, style)
        return self


def page_text(page: RenderableType | tuple[RenderableType, ...]) -> str:
    """The page as plain text, lines of at most `room()` columns without blanks at their ends.

    Strings of a tuple are lines that are never folded.
    """
    if isinstance(page, tuple):
        return "".join(visible(part) + "\n" if isinstance(part, str) else page_text(part) for part in page)
    console = Console(file=io.StringIO(), width=room(), highlight=False, emoji=False, color_system=None)
    options = console.options.update(markup=False)
    lines = console.render_lines(visible_page(page), options, pad=False)
    return "".join(visible("".join(part.text for part in line)).rstrip() + "\n" for line in lines)


def plain_table(*columns: str | tuple[str, int], totals: bool = False) -> Table:
    """A table without a frame, two blanks between columns: the same on a terminal, in a log, in a mail.

    A heading alone is of figures, which are never folded; one with a width is of names, which fold there.
    """
    table = Table(box=box.SIMPLE, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), show_footer=totals)
    for column in columns:
        if isinstance(column, str):
            table.add_column(column, justify="right", no_wrap=True)
        else:
            table.add_column(column[0], overflow="fold", max_width=column[1])
    return table


def unheaded_table(*columns: JustifyMethod, least: int | None = None) -> Table:
    """Names beside what belongs to them, without headings; the first column takes at `least` so much."""
    table = Table.grid(padding=(0, 2, 0, 0))
    for number, justify in enumerate(columns):
        table.add_column(justify=justify, overflow="fold", min_width=None if number else least)
    return table


def reasons_table(counts: Mapping[str, int], most: int = 10) -> Table:
    """How many were refused for each reason, the commonest `most` first and the others in one row."""
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    table = unheaded_table("right", "left")
    for reason, count in ordered[:most]:
        table.add_row(f"{count:,}", Text(reason))
    rest = ordered[most:]
    if rest:
        table.add_row(f"{sum(count for _, count in rest):,}", f"for {len(rest)} further reasons")
    return table


def side_by_side(widths: Sequence[int], room: int) -> Iterator[list[int]]:
    """Block by block the places of the columns, of `widths` with their blanks, that fit into `room`."""
    block: list[int] = []
    left = room
    for number, width in enumerate(widths):
        if block and width > left:
            yield block
            block, left = [], room
        block.append(number)
        left -= width
    yield block


def notes_of(notes: Iterable[str]) -> list[RenderableType]:
    """Lines under a page for what may not be meant so; none where there is nothing to note."""
    lines = [Text(f"note: {note}") for note in notes]
    return ["", *lines] if lines else []


STOPPED = "*"
"""Marks what was cut short."""
STOPPED_NOTE = f"{STOPPED} stopped by solver.time_limit or solver.memory: certified, but more may find better"


def marked(text: str, stopped: bool) -> str:
    """`text` with the mark of what was cut short, where it was."""
    return f"{text} {STOPPED}".strip() if stopped else text


def cut(entries: Sequence[Entry], most: int, what: str = "") -> tuple[Sequence[Entry], list[str]]:
    """The first `most` entries, and the line for those that are left out."""
    return entries[:most], more(len(entries) - most, what)


def more(hidden: int, what: str = "") -> list[str]:
    """The line that says how many entries are `hidden`, and of `what`; none where none is."""
    return [f"and {hidden:,} more {what}".rstrip()] if hidden > 0 else []


def listed(names: Sequence[str], most: int) -> str:
    """The first `most` names, and how many more there are."""
    shown, hidden = cut(names, most)
    return " ".join([", ".join(shown), *hidden])
