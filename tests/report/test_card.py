"""A model card in a report: its tables are tables, its points points, and no mark of Markdown is left."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from allocator.report.committee.blocks import Code, Column, Listing, Paragraph, Row, Strong, Table, Verbatim
from allocator.report.committee.card import card_blocks

CARDS = sorted((Path(__file__).parents[2] / "models").rglob("*.md"))
MARKED = re.compile(r"`|\*\*[^*]+\*\*|^[#|]")
CARD = """\
# A curve

`a.csv` says **which share** leaves,
by grade.

| column | `unit` |
| --- | ---: |
| rate | a | more |
| `A` |

**Quirks.**
- one, over
  two lines
- <script>

```
a | b
```
"""


def test_a_card_is_read_as_blocks() -> None:
    assert [*card_blocks(CARD)] == [
        Paragraph((Strong("A curve"),)),
        Paragraph((Code("a.csv"), " says ", Strong("which share"), " leaves, by grade.")),
        Table(
            (Column("column", "text"), Column("unit", "text")),
            (Row((("rate",), ("a",))), Row(((Code("A"),), ()))),
        ),
        Paragraph((Strong("Quirks."),)),
        Listing((("one, over two lines",), ("<script>",))),
        Verbatim("a | b"),
    ]


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_no_mark_is_left_of_our_cards(path: Path) -> None:
    for block in card_blocks(path.read_text("utf-8")):
        parts = getattr(block, "words", ()) or [
            part for row in getattr(block, "rows", ()) for cell in row.cells for part in cell
        ]
        for part in parts:
            assert not (isinstance(part, str) and MARKED.search(part))
