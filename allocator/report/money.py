"""Amounts as a treasurer reads them: thousands separated, in a unit that keeps a table narrow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_NAMES = {1: "", 10**3: "thousand ", 10**6: "million ", 10**9: "billion ", 10**12: "trillion "}


@dataclass(frozen=True)
class Unit:
    """What amounts are written in: `size` currency units."""

    size: int
    currency: str

    def __str__(self) -> str:
        return f"{_NAMES[self.size]}{self.currency}"

    def write(self, amount: float) -> str:
        """`amount` in this unit, rounded to whole ones: `-1,234,567`; never `-0`."""
        return f"{round(amount / self.size):,}"


def unit_for(columns: Mapping[str, Sequence[float]], currency: str, width: int) -> Unit:
    """The smallest unit in which the columns, headings included, two blanks before each, fit into `width`.

    Where headings alone are too wide it is the smallest of those that are narrowest.
    """

    def needed(unit: Unit) -> int:
        texts = [[heading, *map(unit.write, amounts)] for heading, amounts in columns.items()]
        return sum(2 + max(map(len, column)) for column in texts)

    units = [Unit(size, currency) for size in _NAMES]
    return next((unit for unit in units if needed(unit) <= width), min(units, key=needed))


def percent(fraction: float) -> str:
    """A rate or share, a fraction, as `4.65%`."""
    return f"{100 * fraction:.2f}%"


def small(number: float) -> str:
    """A price or gap to four digits; a plain 0 for nothing."""
    return f"{number:.4g}" if number else "0"
