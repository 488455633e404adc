"""Every number and text of a run's JSON files altered, each by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.forgery.runs import Files, put

JSON_FILES = ("certificate.json", "summary.json", "scenario.json")
_NUMBERS: dict[str, Callable[[float], Any]] = {
    "a thousandth more": lambda value: value * 1.001 if value else 0.001,
    "of the other sign": lambda value: -value if value else -1.0,
    "1e300": lambda value: 1e300,
    "null": lambda value: None,
    "text": lambda value: "1",
}
_ROUNDING = 1e-9
"""What no reader need notice."""
_OTHERS: dict[str, Callable[[Any], Any]] = {
    "null": lambda value: None,
    "text": lambda value: "1",
    "a number": lambda value: 1e300,
}


@dataclass(frozen=True)
class Leaf:
    """One figure, text or truth value of a JSON file, and another that is put in its place."""

    file: str
    place: str
    name: str
    value: Any

    def put_in(self, files: Files) -> None:
        """Write it there."""
        files.edit(self.file, lambda document: put(document, self.place, self.value, "\n"))


def leaves_of(document: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Place, keys parted by line ends, and value of everything that is neither an object nor a list."""
    if not isinstance(document, dict | list):
        yield place, document
        return
    entries = document.items() if isinstance(document, dict) else enumerate(document)
    for key, entry in entries:
        yield from leaves_of(entry, f"{place}\n{key}" if place else str(key))


def altered(files: Files) -> Iterator[Leaf]:
    """Every leaf of a run with everything that it may be altered to."""
    for file in JSON_FILES:
        for place, value in leaves_of(files.json(file)):
            numeric = isinstance(value, int | float) and not isinstance(value, bool)
            for name, change in (_NUMBERS if numeric else _OTHERS).items():
                new = change(value)
                same = numeric and isinstance(new, float) and abs(new - value) <= _ROUNDING
                if not same and (new != value or type(new) is not type(value)):
                    yield Leaf(file, place, name, new)
