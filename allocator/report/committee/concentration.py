"""Where the money is concentrated: segments crossed, the largest names, a Lorenz curve."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from allocator.report.committee.blocks import (
    Bar,
    Block,
    Column,
    Inline,
    Picture,
    Row,
    Section,
    Stretch,
    Table,
    words,
)
from allocator.report.committee.figure import Documents, Figure, Place
from allocator.report.drawing.units import Unit, headed
from allocator.report.drawing.usual import lorenz

MOST_ROWS, MOST_COLUMNS = 12, 8
_ROOM = 44
"""Characters that headings may take side by side, each as wide as its longest word."""
_NONE = "\N{EN DASH}"
_NARROWEST = 6
_WHOLE_LOANS = 10_000
"""Of so many equal loans no decimals are written."""


def concentration_section(docs: Documents) -> Section:
    """Two columns of segments crossed, or one, or grades alone; then the largest names."""
    by = docs.at("composition", "by")
    blocks: list[Block] = []
    if not docs.number(("summary", "offered")):
        blocks.append(words("Nothing is offered."))
    elif len(by) == 2:
        blocks.append(_crossed(docs))
    else:
        blocks.append(_bars(docs))
    blocks.append(_names(docs))
    return Section("concentration", "5 · Where is it concentrated?", tuple(blocks), "a-concentration")


def _names(docs: Documents) -> Block:
    names: Place = ("simulate", "concentration", "names")
    top = docs.at(*names, "top")
    parts: list[Inline] = []
    for count, whose in (
        (1, "The largest borrower has "),
        (10, "the ten largest "),
        (100, "the hundred largest "),
    ):
        if str(count) in top and count <= docs.at(*names, "names"):
            parts += [", " if parts else "", whose, docs.percent((*names, "top", str(count)))]
    if not parts:
        return words("There are no loans to be concentrated.")
    return words(*parts, " of the money expected to be drawn.")


def _crossed(docs: Documents) -> Table:
    """Offered by both columns, the largest first; the others are summed."""
    rows, columns = ([*docs.places("composition", "segments", axis)] for axis in (0, 1))
    unit = docs.column([(*place, "offered") for place in (*rows, *columns)])
    shown, across = rows[:MOST_ROWS], columns[: _fitting([docs.at(*place, "name") for place in columns])]
    cells = docs.at("composition", "crossed")
    most = max((cells[i][j] for i in range(len(shown)) for j in range(len(across))), default=0.0) or 1.0
    table, shades = [], []
    for i, place in enumerate(shown):
        own = [_crossing(docs, i, j, unit) for j in range(len(across))]
        rest: list[Inline | None] = (
            [_rest(cells[i][len(across) :], unit)] if len(columns) > len(across) else []
        )
        table.append(Row((docs.at(*place, "name"), *own, *rest, docs.bare((*place, "offered"), unit))))
        shades.append(tuple(max(cells[i][j], 0.0) / most for j in range(len(across))))
    if len(rows) > len(shown):
        left = [sum(cells[i][j] for i in range(len(shown), len(rows))) for j in range(len(columns))]
        rest = [_rest(left[len(across) :], unit)] if len(columns) > len(across) else []
        others = [_rest([left[j]], unit) for j in range(len(across))]
        table.append(Row((f"{len(rows) - len(shown)} others", *others, *rest, _rest(left, unit))))
        shades.append(())
    first, second = (str(name).replace("_", " ") for name in docs.at("composition", "by"))
    hidden = [Column(f"{len(columns) - len(across)} others")] if len(columns) > len(across) else []
    heads = [Column(str(docs.at(*place, "name"))) for place in across]
    totals = [docs.bare((*place, "offered"), unit) for place in across]
    beyond: list[Inline | None] = (
        [_rest([docs.number((*place, "offered")) for place in columns[len(across) :]], unit)]
        if hidden
        else []
    )
    total = Row(("All", *totals, *beyond, docs.bare(("summary", "offered"), unit)))
    return Table(
        (Column(first.capitalize(), "text"), *heads, *hidden, Column("All")), tuple(table),
        f"Offered by {first} and {second}, {unit.suffix} {docs.currency}", total, shades=tuple(shades),
    )  # fmt: skip


def _fitting(names: Sequence[str]) -> int:
    """How many columns with these headings fit."""
    widths = [max(_NARROWEST, *map(len, str(name).replace("-", " ").split() or [""])) + 1 for name in names]
    fit = [count for count, width in enumerate(accumulate(widths), start=1) if width <= _ROOM]
    return min(max(len(fit), 1), MOST_COLUMNS)


def _crossing(docs: Documents, i: int, j: int, unit: Unit) -> Figure | str:
    place: Place = ("composition", "crossed", i, j)
    return docs.bare(place, unit) if docs.number(place) else _NONE


def _rest(amounts: Sequence[float], unit: Unit) -> str:
    return f"{sum(amounts) / unit.size:,.{unit.decimals}f}" if any(amounts) else _NONE


def _bars(docs: Documents) -> Table:
    """Offered by one column."""
    by = docs.at("composition", "by")
    if by:
        name, places = str(by[0]), [*docs.places("composition", "segments", 0)]
        labels = [str(docs.at(*place, "name")) for place in places]
    else:
        name, places = "grade", [*docs.places("summary", "by_grade")]
        labels = [str(place[-1]) for place in places]
    unit = docs.column([(*place, "offered") for place in places])
    most = max((docs.number((*place, "offered")) for place in places), default=0.0) or 1.0
    rows = [
        Row((label, docs.bare((*place, "offered"), unit),
             Bar(((Stretch(0.0, docs.number((*place, "offered")) / most),),)),
             docs.percent((*place, "offered"), ("summary", "offered"))))
        for label, place in zip(labels[:MOST_ROWS], places, strict=False)
    ]  # fmt: skip
    hidden = len(places) - len(rows)
    columns = (
        Column(name.replace("_", " ").capitalize(), "text"), Column(headed("Offered", unit)),
        Column("", "bar"), Column("Of all"),
    )  # fmt: skip
    return Table(columns, tuple(rows), more=f"and {hidden} more" if hidden > 0 else "")


def concentration_annex(docs: Documents) -> Section:
    """Herfindahl indices, each segment's account, and the curve."""
    names: Place = ("simulate", "concentration", "names")
    as_many = docs.count if docs.number((*names, "effective")) >= _WHOLE_LOANS else docs.price
    blocks: list[Block] = [
        words(
            "The Herfindahl index is the sum of squared shares of the money expected to be drawn: over "
            "borrowers ",
            docs.price(*names, "hhi"), ", as concentrated as ", as_many(*names, "effective"),
            " equal loans.",
        )
    ]  # fmt: skip
    points = docs.at("composition", "curve")
    if points:
        caption = f"Half of the loans, the smaller ones, hold {_half(points):.0%} of what is offered."
        blocks.append(Picture(lorenz(points, "what is offered"), "Lorenz curve of what is offered", caption))
    for i, name in enumerate(docs.at("composition", "by")):
        blocks.append(_segments(docs, str(name), i))
    return Section("a-concentration", "A4 · Concentration", tuple(blocks))


def _half(points: Sequence[Sequence[float]]) -> float:
    return float(min(points, key=lambda point: abs(point[0] - 0.5))[1])


def _segments(docs: Documents, name: str, column: int) -> Table:
    places = [*docs.places("composition", "segments", column)]
    columns = (
        Column(name.replace("_", " ").capitalize(), "text"),
        Column("Asked"),
        Column("Funded"),
        Column("Offered"),
        Column("of all"),
        Column("Rate"),
        Column("Drawn"),
        Column("Expected loss"),
        Column("Value"),
    )
    rows = [
        Row((docs.at(*place, "name"), docs.count(*place, "borrowers"), docs.count(*place, "funded"),
             docs.exact(*place, "offered"), docs.percent((*place, "offered"), ("summary", "offered")),
             docs.percent((*place, "mean_rate")), docs.exact(*place, "drawn"),
             docs.exact(*place, "expected_loss"), docs.exact(*place, "value")))
        for place in places[:100]
    ]  # fmt: skip
    more = f"and {len(places) - 100:,} more" if len(places) > 100 else ""
    return Table(columns, tuple(rows), f"By {name.replace('_', ' ')}, {docs.currency}", more=more)
