"""A report on A4, as markup for typst: rows are never cut, headings repeat, figures lead to their rows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from allocator.report.colours import DEEP, FONTS, INK, MUTED, RULE, TONES, WARN, WASH
from allocator.report.committee.blocks import (
    Bar,
    Block,
    Card,
    Cell,
    Code,
    Column,
    Inline,
    Listing,
    Paragraph,
    Picture,
    Report,
    Row,
    Section,
    Stretch,
    Strong,
    Table,
    Verbatim,
)
from allocator.report.committee.figure import Figure
from allocator.report.drawing.cells import shaded
from allocator.report.drawing.paper import panel_file
from allocator.report.visible import visible

_NOT_KNOWN = "\N{EN DASH}"
_DRAWN = 420.0
"""Pixels that a drawing is made for."""
_WHOLE = 16
"""Rows up to which a section stands on one page."""
_WIDE = 7
"""Columns from which a table is set in smaller letters."""
_LONG_WORD = 32
_PIECE = 8
"""Letters of code that stay together where a word of it is longer than `_LONG_WORD`."""


def paper_of(report: Report) -> str:
    """The whole report."""
    seal = DEEP if report.certified else WARN
    parts = [
        _PREAMBLE,
        f"#set document(title: {_quoted(report.title)}, date: none)",
        f"#opening({_quoted(report.title)}, {_quoted(report.subtitle)}, rgb({_quoted(seal)}), "
        f"({_listed(map(_content, report.seal))}))",
        *map(_block, report.front),
        f"#cards(({_listed(map(_card, report.cards))}))" if report.cards else "",
        *map(_section, report.sections),
        f"#foot(({_listed(map(_content, report.foot))}), ({_listed(map(_quoted, report.signatures))}))",
    ]
    if report.annex:
        parts.append('#annex("Annex: the rows and formulas behind every figure")')
        parts += map(_section, report.annex)
    return "\n".join(filter(None, parts)) + "\n"


def _section(section: Section) -> str:
    rows = sum(len(block.rows) for block in section.blocks if isinstance(block, Table))
    whole = rows <= _WHOLE and not any(isinstance(block, Verbatim) for block in section.blocks)
    head = f"#question({_quoted(section.question)}, {_quoted(section.key)})"
    inner = "\n".join((head, *map(_block, section.blocks)))
    return f"#block(breakable: {'false' if whole else 'true'}, width: 100%)[\n{inner}\n]"


def _block(block: Block) -> str:
    match block:
        case Paragraph(words, kind):
            return f"#{kind}({_content(words)})"
        case Listing(points, heading):
            points_of = f"#list({_listed(map(_content, points))})" if points else ""
            return f"#ask({_quoted(heading)})[{points_of}]" if heading else points_of
        case Verbatim(said):
            return f"#verbatim({_quoted(said.expandtabs(4))})"
        case Picture(panel, label, said):
            svg = panel_file(panel, _DRAWN)
            return f"#drawing({_quoted(svg)}, {_quoted(label)}, {_quoted(said)})"
        case Table():
            return _table(block)


def _card(card: Card) -> str:
    tone = TONES[card.tone or "deep"]
    return f"(rgb({_quoted(tone)}), {_quoted(card.title)}, {_content([card.figure])}, {_content(card.words)})"


def _table(table: Table) -> str:
    columns = _listed(_width(column) for column in table.columns)
    sides = _listed("left" if column.kind != "number" else "right" for column in table.columns)
    size = "6.6pt" if len(table.columns) >= _WIDE else "8pt"
    heads = _listed(f"head({_quoted(column.heading)})" for column in table.columns)
    cells = [f"table.header({heads})"]
    shades = table.shades or ((),) * len(table.rows)
    for row, shade in zip(table.rows, shades, strict=True):
        cells += _row(row, shade)
    if table.total is not None:
        cells += ["table.hline(stroke: 1pt + ink)", *_row(table.total, ())]
    caption = f"#note({_quoted(table.caption)})\n" if table.caption else ""
    more = f"\n#note({_quoted(table.more)})" if table.more else ""
    return f"{caption}#rows({size}, ({columns}), ({sides}),\n{_listed(cells)})\n{more}"


def _width(column: Column) -> str:
    return {"text": "1fr", "number": "auto", "bar": "2.4cm"}[column.kind]


def _row(row: Row, shades: Sequence[float]) -> list[str]:
    cells = []
    for i, cell in enumerate(row.cells):
        inner = _cell(cell)
        if row.strong:
            inner = f"strong({inner})"
        if row.tone == "warn" and not isinstance(cell, Bar):
            inner = f"warned({inner})"
        shade = shades[i - 1] if 0 < i <= len(shades) else 0.0
        cells.append(f"table.cell(fill: rgb({_quoted(shaded(shade))}), {inner})" if shade else inner)
    return cells


def _cell(cell: Cell) -> str:
    match cell:
        case None:
            return "[]"
        case Bar():
            return _bar(cell)
        case tuple():
            return _content(cell)
    return _content([cell])


def _bar(bar: Bar) -> str:
    lines = _listed(f"({_listed(map(_stretch, line))})" for line in bar.lines)
    mark = "none" if bar.mark is None else f"{min(max(bar.mark, 0.0), 1.0):.4f}"
    return f"bar(({lines}), {mark})"


def _stretch(part: Stretch) -> str:
    return f"({part.start:.4f}, {part.end:.4f}, rgb({_quoted(TONES[part.tone])}))"


def _content(parts: Sequence[Inline]) -> str:
    """Words as one piece of content."""
    return " + ".join(map(_inline, parts)) if parts else "[]"


def _inline(part: Inline) -> str:
    match part:
        case Strong(inner):
            return f"strong({_inline(inner)})"
        case Code(text):
            return _code(text)
        case Figure():
            return f"text({_quoted(_NOT_KNOWN if math.isnan(part.value) else part.text)})"
    return f"text({_quoted(part)})"


def _code(text: str) -> str:
    """Code in one piece; a long word, such as a hash, in pieces between which a line may end."""
    if max(map(len, text.split()), default=0) <= _LONG_WORD:
        return f"raw({_quoted(text)})"
    pieces = [text[start : start + _PIECE] for start in range(0, len(text), _PIECE)]
    return " + ".join(f"box(raw({_quoted(piece)}))" for piece in pieces)


def _listed(parts: Iterable[str]) -> str:
    """The entries of an array, of one too."""
    return "".join(f"{part}, " for part in parts)


def _quoted(text: str) -> str:
    """A string of typst's: nothing in it is markup."""
    lines = "\n".join(map(visible, text.split("\n")))
    inner = lines.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{inner}"'


_PREAMBLE = f"""
#let ink = rgb("{INK}")
#let muted = rgb("{MUTED}")
#let rule = rgb("{RULE}")
#let warn = rgb("{WARN}")
#let wash = rgb("{WASH}")
#let deep = rgb("{DEEP}")
#set page(paper: "a4", margin: (x: 14mm, top: 14mm, bottom: 16mm), numbering: "1 / 1")
#set text(font: ({", ".join(f'"{name}"' for name in FONTS)}), size: 9pt, fill: ink, lang: "en")
#set par(leading: 0.5em, spacing: 0.7em)
#show raw: set text(size: 8pt)
#let plain(it) = par(it)
#let lead(it) = par(text(size: 10.5pt, it))
#let note(it) = par(text(size: 8pt, fill: muted, it))
#let warned(it) = text(fill: warn, weight: "bold", it)
#let head(it) = text(fill: muted, weight: "regular", it)
#let opening(title, subtitle, tone, seal) = grid(
  columns: (1fr, 7cm), gutter: 5mm,
  {{ text(size: 15pt, weight: "bold", title); linebreak(); text(fill: muted, subtitle) }},
  block(stroke: 1.2pt + tone, inset: 6pt, width: 100%, {{
    text(weight: "bold", fill: tone, seal.at(0))
    for line in seal.slice(1) {{ linebreak(); text(size: 8pt, line) }}
  }}),
)
#let ask(title, body) = block(
  stroke: (left: 2.5pt + warn), inset: (left: 7pt, y: 3pt), {{ strong(title); body }})
#let cards(entries) = grid(
  columns: (1fr,) * 5, gutter: 3mm,
  ..entries.map(((tone, title, figure, words)) => grid.cell(
    fill: wash, stroke: (top: 2pt + tone), inset: 6pt, breakable: false, {{
      text(size: 8pt, fill: muted, title); linebreak()
      text(size: 14pt, weight: "bold", figure); linebreak()
      text(size: 8pt, fill: muted, words)
    }},
  )),
)
#let question(title, key) = {{
  block(above: 1.5em, below: 0.7em, sticky: true, stroke: (bottom: 0.5pt + rule), inset: (bottom: 3pt),
    width: 100%,
    [#heading(level: 2, outlined: true, text(size: 11pt, title))#label(key)])
}}
#let annex(title) = {{ pagebreak(weak: true); heading(level: 1, text(size: 14pt, title)) }}
#let bar(lines, mark) = box(width: 100%, height: 8pt * lines.len(), {{
  for (at, line) in lines.enumerate() {{
    for (start, end, tone) in line {{
      place(dx: start * 100%, dy: at * 8pt, rect(width: (end - start) * 100%, height: 7pt, fill: tone))
    }}
  }}
  if mark != none {{ place(dx: mark * 100%, line(length: 100%, angle: 90deg, stroke: 0.8pt + ink)) }}
}})
#let rows(size, columns, sides, ..cells) = {{
  set text(size: size)
  set table.cell(breakable: false)
  table(columns: columns, inset: (x: 3pt, y: 2.6pt),
    align: (x, y) => sides.at(x) + if y == 0 {{ bottom }} else {{ top }},
    stroke: (x, y) => (top: if y > 0 {{ 0.4pt + rule }}), ..cells)
}}
#let drawing(svg, label, said) = block(breakable: false, {{
  image(bytes(svg), format: "svg", width: 11cm, alt: label)
  note(said)
}})
#let verbatim(said) = block(
  fill: wash, inset: 5pt, width: 100%, {{ set text(size: 7pt); raw(block: true, said) }})
#let foot(lines, names) = block(
  above: 1.5em, breakable: false, stroke: (top: 0.5pt + rule), inset: (top: 6pt), {{
  for line in lines {{ text(size: 8pt, fill: muted, line); linebreak() }}
  v(9mm)
  grid(columns: (3.6cm,) * names.len(), gutter: 6mm,
    ..names.map(name => block(stroke: (top: 0.6pt + ink), inset: (top: 3pt), width: 100%, name)))
}})
""".strip()
