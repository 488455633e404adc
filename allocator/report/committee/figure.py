"""Figures of a report: what is printed, the number behind it, and the place where that number stands.

A report computes nothing that a command gives: each figure is read from what summary.json, certificate.json
or a command's JSON say, by its place there. So the page says what they say, and whoever doubts one finds it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from allocator.records.limits import is_percentage
from allocator.records.plain import plain
from allocator.records.scenario import Limit
from allocator.report.drawing.units import Unit, signed, unit_alone, unit_of
from allocator.report.limits import part_stated
from allocator.report.money import gap, small

Key = str | int
Place = tuple[Key, ...]
"""Name of a document, then keys and positions in it."""

_FINEST = 9
"""Decimals of a percentage at most."""
_SMALLEST_PRICE = 1e-6
"""Below it zeros are counted, not written."""
_FINEST_COUNT = 6
"""Decimals of a count at most: what is smaller comes of rounding."""


@dataclass(frozen=True)
class Figure:
    """A number as the report prints it."""

    text: str
    value: float
    place: Place
    per: Place = ()
    """The place of what it is divided by, where it is a ratio."""
    scale: float = 1.0
    """What the printed number is counted in: 1e6 where it reads 2.79 m, 0.01 where it is a percentage."""


def pointer(place: Place) -> str:
    """`place` as a JSON pointer (RFC 6901)."""
    return "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in place)


class Documents:
    """What the commands say of a run, by name and as JSON has it, and figures read from it."""

    def __init__(self, parts: Mapping[str, Any], currency: str) -> None:
        self.parts: Mapping[str, Any] = plain(parts)
        self.currency = currency

    def at(self, *place: Key) -> Any:
        """What stands at `place`."""
        part: Any = self.parts
        for key in place:
            part = part[key]
        return part

    @property
    def rows(self) -> list[str]:
        """Names of all rows of the run's limits."""
        return [str(limit["name"]) for limit in self.at("summary").get("limits", ())]

    def places(self, *place: Key) -> Iterator[Place]:
        """The places of the entries of a list, or of the values of an object."""
        part = self.at(*place)
        yield from ((*place, key) for key in (part if isinstance(part, Mapping) else range(len(part))))

    def number(self, place: Place, per: Place = ()) -> float:
        """The number at `place`, a part of that at `per` where given; 0 of nothing."""
        stated = self.at(*place)
        value = math.nan if stated is None else float(stated)
        if not per:
            return value
        whole = float(self.at(*per))
        return value / whole if whole else 0.0

    def count(self, *place: Key) -> Figure:
        value = self.number(place)
        return Figure(f"{value:,.0f}", value, place)

    def whole(self, *place: Key) -> Figure:
        """A count, with its decimals where a bound has some."""
        value = self.number(place)
        return Figure(signed(f"{round(value, _FINEST_COUNT):z,.10g}"), value, place)

    def percent(self, place: Place, per: Place = (), decimals: int = 2, *, negative: bool = False) -> Figure:
        """A fraction as a percentage; with `negative` a cost is written as what it takes away."""
        value = self.number(place, per)
        if value and abs(value) < 0.005 * 10.0**-decimals:  # nothing but zeros would be seen
            decimals = min(1 - math.floor(math.log10(100 * abs(value))), _FINEST)
        text = f"{100 * value:z,.{decimals}f}"
        return Figure(signed(f"{_negated(text) if negative else text}%"), value, place, per, 0.01)

    def gap(self, *place: Key) -> Figure:
        """What is not proven, a part of the bound."""
        value = self.number(place)
        text = signed(gap(value))
        return Figure(text, value, place, (), 0.01 if text.endswith("%") else 1.0)

    def part(self, place: Place, bound: Place, entry: Limit) -> Figure:
        """What the row of a limit on an average has at `place`, as that average; `bound` is not 0."""
        value, percentage = self.number(place, bound), is_percentage(entry)
        text = part_stated(self.number(place), self.number(bound), entry)
        scale = (0.01 if percentage else 1.0) / entry.bound
        return Figure(signed(text), value, place, bound, scale)

    def price(self, *place: Key) -> Figure:
        """A price: to four significant digits; a small one in full, next to nothing by its power."""
        value = self.number(place)
        text = small(value)
        plain_price = f"{Decimal(text):f}" if _SMALLEST_PRICE <= abs(value) < 1.0 else text
        return Figure(signed(plain_price), value, place)

    def exact(self, *place: Key) -> Figure:
        """An amount to the cent, as an auditor adds them up."""
        value = self.number(place)
        return Figure(signed(f"{value:z,.2f}"), value, place)

    def money(self, *place: Key, absolute: bool = False) -> Figure:
        """An amount in running text: three figures, in thousands, millions or billions.

        With `absolute` its sign is left to the sentence.
        """
        value = self.number(place)
        return self.amount(place, unit_alone(value), negative=absolute and value < 0)

    def least(self, *place: Key) -> str:
        """What is said before the `low` end of an added value where the `high` end reads otherwise."""
        known = self.at(*place, "high") is not None
        same = known and self.money(*place, "low").text == self.money(*place, "high").text
        return "" if same else "at least "

    def amount(self, place: Place, unit: Unit, *, negative: bool = False) -> Figure:
        """An amount in a unit; with `negative` a cost is written as what it takes away."""
        value = self.number(place)
        number = f"{value / unit.size:z,.{unit.decimals}f}"
        number = _negated(number) if negative else number
        return Figure(signed(f"{number} {unit.suffix}".rstrip()), value, place, (), unit.size)

    def column(self, places: Sequence[Place]) -> Unit:
        """The unit of the amounts at `places`, that a column shows."""
        return unit_of([self.number(place) for place in places])

    def bare(self, place: Place, unit: Unit, *, negative: bool = False) -> Figure:
        """An amount under a heading that names the unit."""
        written = self.amount(place, unit, negative=negative)
        return replace(written, text=written.text.removesuffix(unit.suffix).rstrip())


def _negated(number: str) -> str:
    """The written number with the other sign; nothing stays nothing."""
    if not number.strip("0.,"):
        return number
    return number[1:] if number.startswith("-") else f"-{number}"
