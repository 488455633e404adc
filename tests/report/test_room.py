"""On a terminal narrower than a page its tables go on below, and no figure is cut."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from allocator.report.grid import Grid
from allocator.report.money import Unit
from allocator.report.room import WIDTH, laid_out_in, room

GRID = Grid(
    ["name", *(f"figure {at}" for at in range(9))],
    [["ahp_lines", *(1234567.0 + at for at in range(9))], ["equal", *(7654321.0 - at for at in range(9))]],
)


def printed(columns: int) -> list[str]:
    with laid_out_in(columns):
        console = Console(file=io.StringIO(), width=room(), color_system=None)
        console.print(GRID.table(Unit(1, "EUR")))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("columns", [60, 80, 100])
def test_a_table_goes_on_below_where_the_page_is_narrow(columns: int) -> None:
    lines = printed(columns)
    assert max(map(len, lines)) <= columns
    text = "\n".join(lines)
    assert all(f"{1234567 + at:,}" in text and f"{7654321 - at:,}" in text for at in range(9))
    assert "ahp_lines" in text


@pytest.mark.parametrize(("columns", "taken"), [(None, WIDTH), (20, 60), (80, 80), (250, WIDTH)])
def test_a_page_is_as_wide_as_its_terminal_within_reason(columns: int | None, taken: int) -> None:
    with laid_out_in(columns):
        assert room() == taken
    assert room() == WIDTH
