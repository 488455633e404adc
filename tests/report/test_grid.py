"""Grids fit the page whatever the names and amounts."""

from __future__ import annotations

import pytest
from rich.console import Console

from allocator.report.grid import Grid, unit_of
from allocator.report.money import Unit
from allocator.report.room import WIDTH

CNY = Unit(1, "CNY")


def lines(grid: Grid, unit: Unit) -> list[str]:
    console = Console(width=WIDTH, color_system=None)
    with console.capture() as capture:
        console.print(grid.table(unit))
    return [line.rstrip() for line in capture.get().splitlines()]


def grid(name: str, amount: float, columns: int) -> Grid:
    return Grid(["", *["value"] * columns], [[name, *[amount] * columns]])


def test_names_fold_before_the_unit_grows() -> None:
    wide = grid("a name of twenty-four ch", 123_456_789.0, 6)
    assert unit_of([wide], "CNY") == CNY
    found = lines(wide, CNY)
    assert max(map(len, found)) <= WIDTH
    assert found[2].split()[-6:] == ["123,456,789"] * 6
    assert len(found) > 3


def test_the_unit_is_that_of_the_grid_that_needs_the_largest() -> None:
    narrow, wide = grid("it", 1e9, 2), grid("it", 1e9, 8)
    assert unit_of([narrow, wide], "CNY") == Unit(1000, "CNY")
    assert "1,000,000" in lines(wide, Unit(1000, "CNY"))[2]


def test_what_fits_no_unit_folds_and_keeps_every_digit() -> None:
    found = lines(grid("it", 123_456_789e12, 9), Unit(10**12, "CNY"))
    assert max(map(len, found)) <= WIDTH
    assert "…" not in "".join(found)


@pytest.mark.parametrize(("columns", "blocks"), [(3, 1), (4, 2), (9, 3)])
def test_columns_go_on_below(columns: int, blocks: int) -> None:
    names = [f"a side of many words no {at}" for at in range(columns)]
    found = lines(Grid(["grade", *names], [["A", *(1000.0 + at for at in range(columns))]]), CNY)
    assert max(map(len, found)) <= WIDTH
    rows = [line.split() for line in found if line.startswith("A ")]
    assert len(rows) == blocks
    assert [cell for row in rows for cell in row[1:]] == [f"{1000 + at:,}" for at in range(columns)]
    assert sum(line.startswith("grade") for line in found) == blocks
