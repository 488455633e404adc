"""A report read back: its figures with the places that they name, its links, its texts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

SUFFIXES = {"": 1.0, "k": 1e3, "m": 1e6, "bn": 1e9, "t": 1e12, "%": 0.01}
NUMBER = re.compile(r"([-\u2212]?)([\d,]+(?:\.(\d+))?)(?:e([-+]?\d+))? ?(k|m|bn|t|%|)")


@dataclass(frozen=True)
class Read:
    """A figure as a page has it."""

    text: str
    value: float
    of: str
    per: str


@dataclass
class Page(HTMLParser):
    """Everything that a test asks of a page."""

    figures: list[Read] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    attributes: list[tuple[str, str, str | None]] = field(default_factory=list)
    _figure: dict[str, str | None] | None = None

    def __post_init__(self) -> None:
        super().__init__()

    @classmethod
    def of(cls, html: str) -> Page:
        page = cls()
        page.feed(html)
        page.close()
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        self.ids += [str(found["id"])] if "id" in found else []
        self.links += [str(found["href"])] if "href" in found else []
        if tag == "data":
            self._figure = found

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if self._figure is not None:
            own, self._figure = self._figure, None
            per = own.get("data-per") or ""
            self.figures.append(Read(data, float(str(own["value"])), str(own["data-of"]), per))


def at(document: Any, pointer: str) -> Any:
    """What stands at a JSON pointer."""
    for key in pointer.split("/")[1:]:
        key = key.replace("~1", "/").replace("~0", "~")
        document = document[int(key)] if isinstance(document, list) else document[key]
    return document


def expected(document: Any, figure: Read) -> float:
    """What the documents say that the figure is."""
    value = float(at(document, figure.of))
    if not figure.per:
        return value
    whole = float(at(document, figure.per))
    return value / whole if whole else 0.0


def reads_as(figure: Read, scale: float | None = None) -> bool:
    """Whether the printed number is its value rounded to the last printed digit, whatever its sign.

    A figure below a heading that names the unit, `scale`, has no suffix; None: any unit will do.
    """
    match = NUMBER.fullmatch(figure.text)
    assert match, figure.text
    _, digits, decimals, power, suffix = match.groups()
    scales = [SUFFIXES[suffix]] if suffix else ([scale] if scale else [1.0, 1e3, 1e6, 1e9, 1e12])
    printed, places = float(digits.replace(",", "")), len(decimals or "")
    exponent = 10.0 ** int(power or 0)
    return any(
        abs(printed * exponent * one - abs(figure.value))
        <= 0.5 * 10.0**-places * exponent * one * (1 + 1e-9) + 1e-12 * abs(figure.value)
        for one in scales
    )
