"""Amounts as a treasurer reads them: thousands separated, in a unit that keeps a table narrow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

_TELLING = 10.0
"""Times the whole: a percentage beyond says only that the whole is next to nothing."""
_NAMES = {1: "", 10**3: "thousand ", 10**6: "million ", 10**9: "billion ", 10**12: "trillion "}
_SCIENTIFIC = 1e12
_ALLOWED = 1e-11
"""A price below this is what is allowed for rounding."""
_PERCENT_FROM = 1e-4
"""Part of a bound from which it is written as a percentage."""
_TELLS = 1e-5
"""Part of the largest amount of a table from which another is not to read as nothing."""
_DECIMALS = 3
"""The most decimals that a unit gets."""


def visible(amount: float) -> bool:
    """Whether `amount` reads as anything but nothing where it is written to the cent."""
    return abs(amount) >= 0.005


@dataclass(frozen=True)
class Unit:
    """What amounts are written in: `size` currency units, with `decimals`."""

    size: int
    currency: str
    decimals: int = 0

    def __str__(self) -> str:
        return f"{_NAMES[self.size]}{self.currency}"

    def write(self, amount: float) -> str:
        """`amount` in this unit, rounded to its decimals: `-1,234,567`; never `-0`."""
        return f"{amount / self.size:z,.{self.decimals}f}"

    def hides(self, amount: float) -> bool:
        """Whether `amount`, a whole currency unit or more, would be written as nothing."""
        return abs(amount) >= 1.0 and round(amount / self.size, self.decimals) == 0


def unit_for(columns: Mapping[str, Sequence[float]], currency: str, width: int) -> Unit:
    """The smallest unit in which the columns, headings included, two blanks before each, fit into `width`.

    Where headings alone are too wide, so that columns go on below, it is the smallest of those that are
    narrowest and write none of what tells as nothing. It has decimals, as far as there is width for them,
    where an amount would else be written as nothing.
    """

    def needed(unit: Unit) -> int:
        texts = [[heading, *map(unit.write, amounts)] for heading, amounts in columns.items()]
        return sum(2 + max(map(len, column)) for column in texts)

    amounts = [amount for column in columns.values() for amount in column]
    whole = fitting(needed, currency, width)
    if needed(whole) > width:
        telling = _TELLS * max(map(abs, amounts), default=0.0)
        told = [amount for amount in amounts if abs(amount) >= telling]
        open_to = [unit for unit in _units(currency) if not any(map(unit.hides, told))]
        whole = min(open_to, key=needed, default=Unit(1, currency))
    finer = [replace(whole, decimals=more) for more in range(_DECIMALS + 1 if whole.size > 1 else 1)]
    wide = [unit for unit in finer if needed(unit) <= width] or [whole]
    return next((unit for unit in wide if not any(map(unit.hides, amounts))), wide[-1])


def fitting(needed: Callable[[Unit], int], currency: str, width: int) -> Unit:
    """The smallest unit that has `needed` columns within `width`, else the smallest of the narrowest."""
    units = _units(currency)
    return next((unit for unit in units if needed(unit) <= width), min(units, key=needed))


def _units(currency: str) -> list[Unit]:
    return [Unit(size, currency) for size in _NAMES]


def figure(amount: float) -> str:
    """A use, a bound or a move: whole from 1,000 on, else to four digits; of a trillion or more six."""
    if abs(amount) >= _SCIENTIFIC:
        return f"{amount:.6g}"
    whole = abs(amount) >= 1000 or amount == round(amount)
    return f"{round(amount):,}" if whole else f"{amount:.4g}"


def percent(fraction: float) -> str:
    """A rate or share, a fraction, as `4.65%`; never `-0.00%`."""
    return f"{100 * fraction:z.2f}%"


def part_of_all(share: float) -> str:
    """A share of a book, however small: to two digits where two decimals of a percentage would show none."""
    return percent(share) if not 0.0 < share < 5e-5 else f"{100 * share:.2g}%"


def relative(part: float, whole: float) -> str:
    """`part` as a percentage of `whole`; blank where that is 0, or next to nothing beside it."""
    return percent(part / abs(whole)) if whole and abs(part) <= _TELLING * abs(whole) else ""


def gap(part: float) -> str:
    """What is not proven, a part of the bound: `0.03%`, a smaller one by its power, `5e-10`; `0` for none."""
    return percent(part) if abs(part) >= _PERCENT_FROM else f"{part:.0e}" if part else "0"


def small(number: float) -> str:
    """A price to four digits, what rounding allows for to one; a plain 0 for nothing."""
    if abs(number) < _ALLOWED:
        return f"{number:.0e}" if number else "0"
    return f"{number:.4g}"
