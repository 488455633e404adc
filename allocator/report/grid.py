"""Tables of amounts that fit the page: names fold, then the unit grows, and no number is cut."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import RenderableType

from allocator.report.money import Unit, fitting
from allocator.report.named import LEAST, Figures, named_table
from allocator.report.room import WIDTH


@dataclass(frozen=True)
class Grid:
    """A column of names, then figures: a float is an amount, written in the unit of the page."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str | float]]

    def width(self, unit: Unit) -> int:
        """Columns of the page that it needs."""
        names = max(map(cell_len, self._names()))
        return min(names, LEAST) + sum(2 + column.width for column in self._columns(unit))

    def table(self, unit: Unit) -> RenderableType:
        """The table that is printed; where it is wider than the page it goes on below."""
        heading, *names = self._names()
        return named_table(heading, names, self._columns(unit))

    def _names(self) -> list[str]:
        return [str(row[0]) for row in (self.headings, *self.rows)]

    def _columns(self, unit: Unit) -> list[Figures]:
        return [
            Figures(heading, [_written(row[i], unit) for row in self.rows])
            for i, heading in enumerate(self.headings[1:], start=1)
        ]


def unit_of(grids: Iterable[Grid], currency: str) -> Unit:
    """The smallest unit in which every grid fits the page."""
    units = [fitting(grid.width, currency, WIDTH) for grid in grids]
    return max(units, key=lambda unit: unit.size)


def _written(cell: str | float, unit: Unit) -> str:
    return cell if isinstance(cell, str) else unit.write(cell)
