"""The colours of pages and pictures: blues, orange for what binds or is broken; each told apart in grey."""

from __future__ import annotations

from typing import Literal

Tone = Literal["deep", "pale", "warn", "rest"]
"""Two blues; orange for what binds or is broken; grey for what is taken away or left over."""
Shade = Literal["deep", "pale", "warn", "rest", "first", "second", "third", "fourth", "fifth"]
"""A tone, or a part of a sum: from dark to light."""

DEEP, PALE, WARN, REST = "#14508c", "#a8c8e4", "#b84a00", "#6b7780"
INK, MUTED, RULE, WASH = "#17212b", "#51606d", "#d3dbe2", "#f1f5f8"
TONES = {"deep": DEEP, "pale": PALE, "warn": WARN, "rest": REST}
PARTS: tuple[Shade, ...] = ("first", "second", "third", "fourth", "fifth")
"""Of a sum that is stacked, in their order; what is left over is `rest`."""
FILLS = {**TONES, "first": "#0a2744", "second": "#1f64a8", "third": "#5b95cb", "fourth": "#9dc3e4",
         "fifth": "#d3e4f4"}  # fmt: skip
FONTS = ("Segoe UI", "Helvetica Neue", "Arial", "Liberation Sans", "DejaVu Sans")
"""Whichever the machine has."""
FAMILY = "".join(f"'{name}'," for name in FONTS) + "sans-serif"
