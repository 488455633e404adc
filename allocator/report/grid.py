"""Tables of amounts that fit the page: names fold, then the unit grows, and no number is cut."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Group, RenderableType

from allocator.report.money import Unit, fitting
from allocator.report.plain import Text, plain_table, side_by_side
from allocator.report.room import WIDTH, room

NAME = 24
"""Columns that a name takes before it folds."""
_LEAST = 12
"""Columns down to which names fold so that amounts can stay in a smaller unit."""


@dataclass(frozen=True)
class Grid:
    """A column of names, then figures: a float is an amount, written in the unit of the page."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str | float]]

    def width(self, unit: Unit) -> int:
        """Columns of the page that it needs."""
        return min(self._names(), _LEAST) + self._figures(unit)

    def table(self, unit: Unit) -> RenderableType:
        """The table that is printed; where it is wider than the page several below one another."""
        if self.width(unit) > room() and len(blocks := [*self.blocks(unit)]) > 1:
            return Group(*(block.table(unit) for block in blocks))
        table = plain_table()
        left = max(room() - self._figures(unit), _LEAST)
        table.add_column(Text(self.headings[0]), overflow="fold", max_width=min(NAME, left))
        for heading, width in zip(self.headings[1:], self._widths(unit), strict=True):
            table.add_column(Text(heading), justify="right", overflow="fold", width=width)
        for row in self.rows:
            table.add_row(*(Text(_written(cell, unit)) for cell in row))
        return table

    def blocks(self, unit: Unit) -> Iterator[Grid]:
        """Grids with the same names, as many as it takes for each to fit the page."""
        widths = [2 + width for width in self._widths(unit)]
        for block in side_by_side(widths, room() - min(self._names(), NAME)):
            kept = [0, *(column + 1 for column in block)]
            yield Grid(
                [self.headings[column] for column in kept],
                [[row[column] for column in kept] for row in self.rows],
            )

    def _names(self) -> int:
        return max(cell_len(str(row[0])) for row in (self.headings, *self.rows))

    def _figures(self, unit: Unit) -> int:
        return sum(2 + width for width in self._widths(unit))

    def _widths(self, unit: Unit) -> list[int]:
        """The width of each column of figures: its widest cell, or its heading, which may fold."""
        return [
            max([min(cell_len(heading), NAME), *(cell_len(_written(row[column], unit)) for row in self.rows)])
            for column, heading in enumerate(self.headings[1:], start=1)
        ]


def unit_of(grids: Iterable[Grid], currency: str) -> Unit:
    """The smallest unit in which every grid fits the page."""
    units = [fitting(grid.width, currency, WIDTH) for grid in grids]
    return max(units, key=lambda unit: unit.size)


def _written(cell: str | float, unit: Unit) -> str:
    return cell if isinstance(cell, str) else unit.write(cell)
