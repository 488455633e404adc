"""What stands where on a drawing: its words as boxes, to be held against one another and the page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from xml.etree import ElementTree

from allocator.report.drawing.lettering import width_of

SVG = "{http://www.w3.org/2000/svg}"
_LESS = 0.9
"""Letters take a little less than they are given."""


@dataclass(frozen=True)
class Words:
    """A text and the box that it takes, in pixels of the drawing."""

    said: str
    left: float
    right: float
    top: float
    bottom: float

    def over(self, other: Words) -> bool:
        return (
            min(self.right, other.right) - max(self.left, other.left) > 1.0
            and min(self.bottom, other.bottom) - max(self.top, other.top) > 1.0
        )


def words_of(svg: str) -> list[Words]:
    """Every text of the drawing."""
    return [*_walk(ElementTree.fromstring(svg), 0.0, 0.0)]


def _walk(element: ElementTree.Element, x: float, y: float) -> Iterator[Words]:
    moved = re.fullmatch(r"translate\((\S+) (\S+)\)", element.get("transform", ""))
    if moved:
        x, y = x + float(moved[1]), y + float(moved[2])
    if element.tag in (f"{SVG}text", "text") and element.text:
        size, strong = float(element.get("font-size", "12")), element.get("font-weight") == "700"
        wide = width_of(element.text, size, strong=strong) * _LESS
        back = {"middle": 0.5, "end": 1.0}.get(element.get("text-anchor", ""), 0.0)
        left, base = x + float(element.get("x", "0")) - back * wide, y + float(element.get("y", "0"))
        yield Words(element.text, left, left + wide, base - 0.72 * size, base + 0.18 * size)
    for child in element:
        yield from _walk(child, x, y)


def faults_of(svg: str) -> list[str]:
    """Words that leave the drawing, and words that stand over others."""
    root = ElementTree.fromstring(svg)
    wide, high = map(float, root.get("viewBox", "").split()[2:])
    words = words_of(svg)
    cut = [f"{one.said!r} leaves the page" for one in words
           if one.left < -1 or one.right > wide + 1 or one.top < 0 or one.bottom > high]  # fmt: skip
    return cut + [f"{a.said!r} over {b.said!r}" for a, b in combinations(words, 2) if a.over(b)]
