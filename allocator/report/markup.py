"""HTML and SVG as text, in which nothing that a file says can be anything but text."""

from __future__ import annotations

from html import escape

from allocator.report.visible import visible

_VOID = frozenset({"meta", "br", "rect", "line", "path", "circle", "polyline"})
"""Elements without content; those of SVG are closed at once."""
_OPEN = frozenset({"meta", "br"})


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


def escaped(text: str) -> Markup:
    """`text` as it is read on a page: what cannot be seen as escapes, what would be markup as characters."""
    return text if isinstance(text, Markup) else Markup(escape(visible(text), quote=True))


def tag(name: str, /, *children: str, **attributes: str | float | bool | None) -> Markup:
    """An element; attributes that are None or False are left out, `_` in their names is `-`."""
    attributes_text = "".join(
        f" {key.strip('_').replace('_', '-')}" + ("" if value is True else f'="{_attribute(value)}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in _VOID:
        return Markup(f"<{name}{attributes_text}>" if name in _OPEN else f"<{name}{attributes_text}/>")
    return Markup(f"<{name}{attributes_text}>{together(*children)}</{name}>")


def together(*children: str) -> Markup:
    """Markup and text in one."""
    return Markup("".join(map(escaped, children)))


def _attribute(value: str | float | bool) -> str:
    return escaped(value) if isinstance(value, str) else f"{value:.6g}"
