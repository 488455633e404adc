"""What stands in files must not steer a terminal: characters that cannot be seen are shown as escapes.

Names and identifiers come from tables, files and scenarios. ESC and the C0 and C1 controls move the cursor or
colour what follows, line breaks forge lines, bidirectional overrides turn a text around: all of them appear
as Python writes them (\\x1b, \\n, \\u202e). Everything that a command prints passes through here; files
of data do not.
"""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType

_JOINERS = "\u200c\u200d"
"""Invisible, and part of how Persian and the languages of India are spelt."""


def visible(text: str) -> str:
    """`text` with an escape in the place of every character that cannot be seen; blanks stay."""
    if text.isprintable():
        return text
    return "".join(map(_shown, text))


def visible_page(page: RenderableType) -> RenderableType:
    """`page` with its plain strings visible before it is laid out, as `plain.Text` is by itself."""
    from rich.console import Group
    from rich.table import Table

    match page:
        case str():
            return visible(page)
        case Group():
            return Group(*map(visible_page, page.renderables))
        case Table():
            page.columns = [
                replace(
                    column,
                    header=visible_page(column.header),
                    footer=visible_page(column.footer),
                    _cells=[visible_page(cell) for cell in column.cells],
                )
                for column in page.columns
            ]
    return page


def _shown(sign: str) -> str:
    if sign.isprintable() or sign in _JOINERS or unicodedata.category(sign) == "Zs":
        return sign
    return repr(sign)[1:-1]
