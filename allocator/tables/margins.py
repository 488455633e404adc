"""What people write above and below a table: titles, totals, notes. None of it is a row."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from allocator.tables.findings import quoted

LOOKED_AT = 30
"""Rows at the top among which a header is looked for."""
CLOSING = 12
"""Rows at the bottom among which totals and notes are looked for."""
TOTAL_WORDS = (
    "total", "totals", "grand total", "subtotal", "sub total", "sub-total", "overall", "overall total", "sum",
    "sums", "average", "averages", "mean", "median", "count", "gesamt", "gesamtsumme", "summe", "summen",
    "zwischensumme", "insgesamt", "mittelwert", "durchschnitt", "somme", "total général", "total general",
    "sous-total", "ensemble", "moyenne", "suma", "total geral", "totale", "totaal", "итого", "всего",
    "合计", "总计", "总和", "小计", "共计", "总额", "平均", "平均值", "合計", "総計", "小計", "총계", "합계",
)  # fmt: skip
_WORDS = "|".join(sorted(map(re.escape, TOTAL_WORDS), key=len, reverse=True))
TOTAL = re.compile(rf"[\s*=\-–—(\[]*(?:{_WORDS}|[Σ∑])[\s:：=)\].*\-–—]*", re.IGNORECASE)
_TOTAL_OF = re.compile(r"\s*(?:grand\s+)?(?:sub-?)?totals?\b.*\S.*", re.IGNORECASE)
_NOTE = re.compile(
    r"\s*(?:\*|†|#\s|\(|note|source|as of|as at|printed|generated|created|exported|report|page|end of"
    r"|confidential|quelle|stand|hinweis|注|备注|说明|资料来源|数据来源|制表|打印)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class ClosingRow:
    """A row below the table that is none of its own."""

    back: int
    """The row's place from the end, from 0."""
    problem: str


def closing_rows(rows: Sequence[Sequence[str]], width: int, apart: Sequence[bool]) -> list[ClosingRow]:
    """Totals and notes among the last `rows` of a table of `width` columns, the last row first.

    A total begins with a word for one. A note is one text in the first filled cell and nothing beside it,
    that stands `apart` (below a blank row), or reads as a sentence or a remark. Looked at from below, up
    to the first row that is neither.
    """
    closing = []
    for back, cells in enumerate(reversed(rows)):
        filled = [cell.strip() for cell in cells if cell.strip()]
        if 1 < len(cells) < width and (apart[-1 - back] or _NOTE.match(filled[0] if filled else "")):
            filled = [", ".join(filled)]  # a sentence that the separator has split
        problem = _problem(filled, width, apart[-1 - back])
        if problem is None:
            break
        closing.append(ClosingRow(back, problem))
    return closing


def _problem(filled: Sequence[str], width: int, apart: bool) -> str | None:
    if not filled:
        return None
    first = filled[0]
    if TOTAL.fullmatch(first):
        return f"a total, not a row of the table: {quoted(first)}"
    if len(filled) > 2 or (len(filled) == 2 and width < 4) or width < 3:
        return None
    if _TOTAL_OF.fullmatch(first):
        return f"a total, not a row of the table: {quoted(first)}"
    sentence = len(first.split()) >= 4 or first.endswith((":", "："))
    if len(filled) == 1 and (apart or sentence or _NOTE.match(first)):
        return f"a note below the table, not a row of it: {quoted(first)}"
    return None


def header_below(rows: Sequence[Sequence[str]]) -> int | None:
    """Where `rows` begin with titles: the place, from 0, of the row that looks like the header.

    A title fills fewer cells than the table has columns; the header is the first row that fills as many as
    most of those after it, without a number among them. None: the first row may well be the header.
    """
    filled = [[cell for cell in row if cell.strip()] for row in rows[:LOOKED_AT]]
    if len(filled) < 2 or not filled[0]:
        return None
    widest = max(map(len, filled))
    if len(filled[0]) * 2 > widest and not (len(filled[0]) == 1 and widest > 1):
        return None
    for place, cells in enumerate(filled[1:], start=1):
        if len(cells) * 5 >= widest * 4 and not any(map(_is_number, cells)):
            return place
    return None


def _is_number(cell: str) -> bool:
    return re.fullmatch(r"\s*[+-]?[0-9][0-9., ']*%?\s*", cell) is not None
