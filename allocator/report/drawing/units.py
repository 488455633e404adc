"""Amounts as pictures and reports write them: 2.84 m, in thousands, millions or billions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

MINUS = "\N{MINUS SIGN}"
_SUFFIXES = ((1e12, "t"), (1e9, "bn"), (1e6, "m"), (1e3, "k"))
_FIGURES = 3
"""Significant ones of an amount in running text."""


@dataclass(frozen=True)
class Unit:
    """What the amounts of one column or axis are written in."""

    size: float
    suffix: str
    decimals: int

    def bare(self, amount: float) -> str:
        """`amount` where a heading names the unit."""
        return signed(f"{amount / self.size:z,.{self.decimals}f}")

    def of(self, currency: str) -> str:
        """`m CNY`."""
        return f"{self.suffix} {currency}".strip()


_UNITS = tuple(Unit(size, suffix, 2) for size, suffix in _SUFFIXES)
PLAIN = Unit(1.0, "", 2)


def unit_of(amounts: Sequence[float]) -> Unit:
    """The unit that the largest of `amounts` needs, with the decimals that show three of its figures."""
    largest = max((abs(amount) for amount in amounts if math.isfinite(amount)), default=0.0)
    unit = next((unit for unit in _UNITS if largest >= unit.size), replace(PLAIN, decimals=0))
    return replace(unit, decimals=0) if largest >= 1000 * unit.size and unit.size > 1 else unit


def unit_alone(amount: float) -> Unit:
    """The unit of an amount by itself: three figures of it."""
    unit = unit_of([amount])
    digits = len(f"{abs(amount) / unit.size:.0f}")
    return replace(unit, decimals=max(_FIGURES - digits, 0) if unit.size > 1 else unit.decimals)


def short(amount: float) -> str:
    """`2.84 m`."""
    unit = unit_alone(amount)
    return f"{unit.bare(amount)} {unit.suffix}".rstrip()


def headed(name: str, unit: Unit) -> str:
    """A column's heading with the unit of its amounts."""
    return f"{name},\N{NO-BREAK SPACE}{unit.suffix}" if unit.suffix else name


def signed(text: str) -> str:
    """A written number with a minus that is one."""
    return text.replace("-", MINUS) if text.startswith("-") else text
