"""How wide words are and where they fold, without a font: by what sans-serif letters take, a little more."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate

from allocator.report.colours import INK, MUTED
from allocator.report.markup import Markup, tag
from allocator.report.visible import visible

SIZE = 12.0
LEADING = 15.0
_NARROW, _WIDE = (
    frozenset(" ilj.,:;'|!()[]I\N{MIDDLE DOT}"),
    frozenset("mwMW@%&\N{EM DASH}\N{HORIZONTAL ELLIPSIS}"),
)
_SAFE = 1.06
"""Fonts differ: the widest that is likely takes so much more."""
_STRONG = 1.13
"""How much wider strong letters are."""


def width_of(text: str, size: float = SIZE, *, strong: bool = False) -> float:
    """Pixels that `text` takes at most."""
    return sum(map(_letter, text)) * _em(size, strong)


def _em(size: float, strong: bool) -> float:
    return size * _SAFE * (_STRONG if strong else 1.0)


def _letter(sign: str) -> float:
    """In ems."""
    if sign in _NARROW:
        return 0.31
    if sign in "rtf":
        return 0.38
    if sign in "0123456789":
        return 0.6
    if sign in _WIDE:
        return 0.9
    if unicodedata.east_asian_width(sign) in "WF":
        return 1.0
    return 0.0 if unicodedata.combining(sign) else 0.69 if sign.isupper() else 0.57


def folded(text: str, width: float, size: float = SIZE, *, strong: bool = False) -> list[str]:
    """Lines of at most `width` pixels: `text` folds between words, a word that is wider anywhere."""
    lines = [""]
    for word in visible(text).split():
        longer = f"{lines[-1]} {word}".strip()
        if width_of(longer, size, strong=strong) <= width:
            lines[-1] = longer
            continue
        lines += [word] if lines[-1] else []
        lines[-1:] = _pieces(word, width / _em(size, strong))
    return lines


def _pieces(word: str, width: float) -> Iterator[str]:
    """`word` in pieces of at most `width` ems, cut after its own dashes or dots where it has some."""
    reach = list(accumulate(map(_letter, word), initial=0.0))
    start = 0
    while start < len(word):
        fits = max(bisect_right(reach, reach[start] + width) - 1, start + 1)
        if fits < len(word):
            near = range(fits, (start + fits) // 2, -1)
            fits = next((i for i in near if word[i - 1] in "-_./[,"), fits)
        yield word[start:fits]
        start = fits


def text(
    x: float, y: float, words: str, anchor: str = "start", *, strong: bool = False, fill: str = MUTED,
    size: float = SIZE, halo: bool = False,
) -> Markup:  # fmt: skip
    """Words at a place, `y` their baseline; with a `halo` they can be read over lines."""
    around: dict[str, str | float] = (
        {"paint_order": "stroke", "stroke": "#fff", "stroke_width": 3.0} if halo else {}
    )
    return tag(
        "text", words, x=round(x, 1), y=round(y, 1), font_size=size, fill=fill,
        text_anchor=anchor if anchor != "start" else None, font_weight="700" if strong else None,
        **around,
    )  # fmt: skip


def paragraph(
    x: float, y: float, words: str, width: float, *, strong: bool = False, fill: str = INK, size: float = SIZE
) -> tuple[list[Markup], float]:
    """Folded words from the top `y` on, and how high they are."""
    leading = size * LEADING / SIZE
    lines = folded(words, width, size, strong=strong)
    shapes = [
        text(x, y + size + i * leading, line, strong=strong, fill=fill, size=size)
        for i, line in enumerate(lines)
    ]
    return shapes, leading * len(lines)
