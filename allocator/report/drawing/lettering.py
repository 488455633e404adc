"""How wide words are and where they fold, without a font: by what sans-serif letters take, a little more."""

from __future__ import annotations

import unicodedata

from allocator.report.colours import INK, MUTED
from allocator.report.markup import Markup, tag
from allocator.report.visible import visible

SIZE = 12.0
LEADING = 15.0
_NARROW, _WIDE = (
    frozenset(" ilj.,:;'|!()[]tfrI\N{MIDDLE DOT}"),
    frozenset("mwMW@%&\N{EM DASH}\N{HORIZONTAL ELLIPSIS}"),
)
_SAFE = 1.06
"""Fonts differ: the widest that is likely takes so much more."""


def width_of(text: str, size: float = SIZE, *, strong: bool = False) -> float:
    """Pixels that `text` takes at most."""
    return sum(map(_letter, text)) * size * _SAFE * (1.07 if strong else 1.0)


def _letter(sign: str) -> float:
    if sign in _NARROW:
        return 0.31
    if sign in _WIDE:
        return 0.9
    if unicodedata.east_asian_width(sign) in "WF":
        return 1.0
    return 0.0 if unicodedata.combining(sign) else 0.69 if sign.isupper() else 0.56


def folded(text: str, width: float, size: float = SIZE, *, strong: bool = False) -> list[str]:
    """Lines of at most `width` pixels: `text` folds between words, a word that is wider anywhere."""
    lines = [""]
    for word in visible(text).split():
        longer = f"{lines[-1]} {word}".strip()
        if width_of(longer, size, strong=strong) <= width:
            lines[-1] = longer
            continue
        lines += [word] if lines[-1] else []
        lines[-1] = word
        while width_of(lines[-1], size, strong=strong) > width and len(lines[-1]) > 1:
            lines[-1:] = _halved(lines[-1], width, size, strong)
    return lines


def _halved(word: str, width: float, size: float, strong: bool) -> list[str]:
    """What of `word` fits, and the rest; after one of its own dashes or dots where there is one."""
    fits = next(
        at for at in range(len(word), 0, -1) if at == 1 or width_of(word[:at], size, strong=strong) <= width
    )
    breaks = [at for at in range(fits // 2, fits + 1) if word[at - 1 : at] in ("-", "_", ".", "/", "[", ",")]
    at = breaks[-1] if breaks else fits
    return [word[:at], word[at:]] if word[at:] else [word]


def text(
    x: float, y: float, said: str, anchor: str = "start", *, strong: bool = False, fill: str = MUTED,
    size: float = SIZE, halo: bool = False,
) -> Markup:  # fmt: skip
    """Words at a place, `y` their baseline; with a `halo` they can be read over lines."""
    around: dict[str, str | float] = (
        {"paint_order": "stroke", "stroke": "#fff", "stroke_width": 3.0} if halo else {}
    )
    return tag(
        "text", said, x=round(x, 1), y=round(y, 1), font_size=size, fill=fill,
        text_anchor=anchor if anchor != "start" else None, font_weight="700" if strong else None,
        **around,
    )  # fmt: skip


def paragraph(
    x: float, y: float, said: str, width: float, *, strong: bool = False, fill: str = INK, size: float = SIZE
) -> tuple[list[Markup], float]:
    """Folded words from the top `y` on, and how high they are."""
    leading = size * LEADING / SIZE
    lines = folded(said, width, size, strong=strong)
    shapes = [
        text(x, y + size + at * leading, line, strong=strong, fill=fill, size=size)
        for at, line in enumerate(lines)
    ]
    return shapes, leading * len(lines)
