"""The report of a comparison: what each side comes to, what differs, what each difference costs, who is "
"swapped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from allocator.report.committee.blocks import (
    UNITS,
    Block,
    Cell,
    Column,
    Inline,
    Listing,
    Paragraph,
    Report,
    Row,
    Section,
    Strong,
    Table,
    note,
    words,
)
from allocator.report.committee.figure import Documents, Place
from allocator.report.committee.rules import bars_of, name_of, results, swaps
from allocator.report.committee.stress import breaks
from allocator.report.settings import as_written

_LISTED = 50
"""Differences of the scenarios, and steps, that are shown."""
_LONGEST = 80
"""Characters of what stands at a key."""


def comparison_report(docs: Documents) -> Report:
    """Every side with the first; `docs` has the comparison and each side's digest."""
    sides = [*docs.places("compare", "compared")]
    names = [name_of(docs, side) for side in sides]
    others = ", ".join(names[1:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    pairs = [*docs.places("compare", "pairs")]
    return Report(
        title=f"{names[0]} compared with {others}",
        subtitle=f"{len(sides)} sides · amounts in {docs.currency}: {UNITS}",
        seal=_seal(docs, sides),
        certified=not any(_broken(docs, side) for side in sides),
        front=(Paragraph(_lead(docs, sides), "lead"), *(note(line) for line in docs.at("compare", "notes"))),
        cards=(),
        sections=(
            Section("sides", "1 · Which is worth most?", (bars_of(docs, sides, sides[0]),), "a-sides"),
            Section(
                "grades",
                f"2 · Who gets the money, by {docs.at('compare', 'by')}?",
                _segments(docs, sides),
                "a-sides",
            ),
            Section("swaps", "3 · Who is swapped?", swaps(docs) or (words("Nobody."),), "a-swaps", "whole"),
            Section(
                "steps", "4 · What does each difference cost?", _steps(docs, pairs), "a-changes", "whole"
            ),
        ),
        foot=_foot(docs, sides),
        annex=(
            Section("a-sides", "A1 · Sides", (results(docs), *_all_segments(docs, sides))),
            Section("a-swaps", "A2 · Largest swaps", tuple(_listed(docs, pair) for pair in pairs)),
            Section("a-changes", "A3 · What differs", tuple(_differences(docs, pairs))),
            Section("a-proof", "A4 · Proof", (_proof(docs, sides),)),
        ),
        front_behind="a-sides",
    )


def _broken(docs: Documents, side: Place) -> list[str]:
    return [*map(str, docs.at(*side, "limits_broken")), *map(str, docs.at(*side, "terms_broken"))]


def _seal(docs: Documents, sides: Sequence[Place]) -> tuple[tuple[Inline, ...], ...]:
    broken = [name_of(docs, side) for side in sides if _broken(docs, side)]
    if broken:
        verdict = f"Certified figures; {len(broken)} of {len(sides)} sides break limits or terms"
    else:
        verdict = f"Certified: all {len(sides)} sides keep every limit"
    return (
        (verdict,),
        ("each is recomputed from its inputs, without the solver, and has its own bound",),
    )


def _lead(docs: Documents, sides: Sequence[Place]) -> tuple[Inline, ...]:
    first, *others = sides
    parts: list[Inline] = [
        Strong(name_of(docs, first)),
        " is worth ",
        Strong(docs.money(*first, "value")),
        f" {docs.currency} with ",
        docs.money(*first, "offered"),
        " offered to ",
        docs.count(*first, "funded"),
        " borrowers. ",
    ]
    for side in others[:3]:
        less = docs.number((*side, "less_than_first"))
        word = " less" if less >= 0 else " more"
        broken = _broken(docs, side)
        parts += [
            Strong(name_of(docs, side)),
            " is worth ",
            Strong(docs.money(*side, "value")),
            ", ",
            docs.money(*side, "less_than_first", absolute=True),
            f"{word}{f', and {breaks(broken)}' if broken else ''}. ",
        ]
    return tuple(parts)


def _segments(docs: Documents, sides: Sequence[Place]) -> tuple[Block, ...]:
    """Offered by each value of the column, a column a side."""
    names = list(dict.fromkeys(str(name) for side in sides for name in docs.at(*side, "segments")))
    shown, across = names[:12], sides[:6]
    places = [
        (*side, "segments", name, "offered")
        for side in across for name in shown if name in docs.at(*side, "segments")
    ]  # fmt: skip
    unit = docs.column(places)

    def cell(side: Place, name: str) -> Cell:
        if name not in docs.at(*side, "segments"):
            return None
        return docs.bare((*side, "segments", name, "offered"), unit)

    rows = tuple(Row((name or "(none)", *(cell(side, name) for side in across))) for name in shown)
    columns = (Column("", "text"), *(Column(name_of(docs, side)) for side in across))
    hidden = len(names) - len(shown)
    more = f"and {hidden} more values, in the annex" if hidden else ""
    total = Row(("all", *(docs.bare((*side, "offered"), unit) for side in across)))
    return (Table(columns, rows, f"Offered, {unit.suffix} {docs.currency}", total, more),)


def _all_segments(docs: Documents, sides: Sequence[Place]) -> Sequence[Block]:
    columns = (
        Column("Side", "text"), Column(str(docs.at("compare", "by")), "text"), Column("Funded"),
        Column("Offered"), Column("Rate"), Column("PD"), Column("Expected loss"), Column("Value"),
    )  # fmt: skip
    segments = [(side, place) for side in sides for place in docs.places(*side, "segments")]
    rows = [
        Row(
            (
                name_of(docs, side),
                str(place[-1]) or "(none)",
                docs.count(*place, "funded"),
                docs.exact(*place, "offered"),
                docs.percent((*place, "mean_rate")),
                docs.percent((*place, "mean_pd")),
                docs.exact(*place, "expected_loss"),
                docs.exact(*place, "value"),
            )
        )
        for side, place in segments[:400]
    ]
    more = f"and {len(segments) - 400:,} more" if len(segments) > 400 else ""
    return (Table(columns, tuple(rows), f"By {docs.at('compare', 'by')}, {docs.currency}", more=more),)


def _steps(docs: Documents, pairs: Sequence[Place]) -> tuple[Block, ...]:
    """The way from the first scenario to each other, one change at a time."""
    steps = [(pair, step) for pair in pairs for step in docs.places(*pair, "steps")]
    if not steps:
        return (words("The sides differ in their strategy alone: the difference of the values is its cost."),)
    columns = (
        Column("Side", "text"),
        Column("Change, on top of those above", "text"),
        Column("adds"),
        Column("at most, by prices"),
        Column("", "text"),
    )
    rows = [
        Row(
            (
                str(docs.at(*pair, "after")),
                str(docs.at(*step, "changes")),
                *(
                    docs.exact(*step, key) if docs.at(*step, key) is not None else "not known"
                    for key in ("gain", "most")
                ),
                str(docs.at(*step, "problem")),
            )
        )
        for pair, step in steps[:_LISTED]
    ]
    more = f"and {len(steps) - _LISTED} more" if len(steps) > _LISTED else ""
    return (Table(columns, tuple(rows), docs.currency, more=more),)


def _listed(docs: Documents, pair: Place) -> Table:
    columns = (
        Column("Borrower", "text"), Column("Grade", "text"), Column("PD"), Column("Change", "text"),
        Column("Offered before"), Column("after"), Column("Rate before"), Column("after"), Column("Gain"),
    )  # fmt: skip
    rows = [
        Row((str(docs.at(*place, "borrower_id")), str(docs.at(*place, "grade")), docs.percent((*place, "pd")),
             str(docs.at(*place, "change")), docs.exact(*place, "amount_before"),
             docs.exact(*place, "amount_after"), docs.percent((*place, "rate_before")),
             docs.percent((*place, "rate_after")), docs.exact(*place, "gain")))
        for place in docs.places(*pair, "swaps", "borrowers")
    ]  # fmt: skip
    totals = docs.at(*pair, "swaps", "totals")
    hidden = sum(total["borrowers"] for total in totals) - len(rows)
    more = f"and {hidden:,} further borrowers" if hidden > 0 else ""
    title = f"From {docs.at(*pair, 'before')} to {docs.at(*pair, 'after')}, {docs.currency}"
    return Table(columns, tuple(rows), title, more=more)


def _differences(docs: Documents, pairs: Sequence[Place]) -> Sequence[Block]:
    rows = [
        Row(
            (
                str(docs.at(*pair, "after")),
                str(difference["key"]),
                _value_in_words(difference["before"]),
                _value_in_words(difference["after"]),
            )
        )
        for pair in pairs
        for difference in docs.at(*pair, "scenario")
    ]
    columns = (
        Column("Side", "text"),
        Column("Key", "text"),
        Column("Before", "text"),
        Column("After", "text"),
    )
    more = f"and {len(rows) - _LISTED} more" if len(rows) > _LISTED else ""
    return (Table(columns, tuple(rows[:_LISTED]), "Scenarios", more=more), *_borrowers(docs, pairs))


def _value_in_words(value: Any) -> str:
    text = as_written(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _borrowers(docs: Documents, pairs: Sequence[Place]) -> Sequence[Block]:
    points: list[tuple[Inline, ...]] = []
    for pair in pairs:
        change = docs.at(*pair, "borrowers")
        if change["added"] or change["dropped"] or change["columns"]:
            points.append(
                (f"{docs.at(*pair, 'after')}: ", docs.count(*pair, "borrowers", "added"), " borrowers "
                                                                                          "added, ",
                 docs.count(*pair, "borrowers", "dropped"), f" dropped, {len(change['columns'])} columns "
                                                            f"changed")
            )  # fmt: skip
    return (Listing(tuple(points)),) if points else (words("The borrowers are the same."),)


def _foot(docs: Documents, sides: Sequence[Place]) -> tuple[tuple[Inline, ...], ...]:
    digests = [f"{docs.at(*side, 'name')} {str(docs.at('runs', side[-1], 'digest'))[:16]}" for side in sides]
    return ((Strong("Proof."), f" Digests of scenario and inputs: {', '.join(digests)}. Annex A4."),)


def _proof(docs: Documents, sides: Sequence[Place]) -> Table:
    columns = (
        Column("Side", "text"), Column("Value"), Column("Bound"), Column("Status", "text"),
        Column("Digest of scenario and inputs", "text"),
    )  # fmt: skip
    rows = [
        Row((str(docs.at(*side, "name")), docs.exact(*side, "value"), docs.exact(*side, "bound"),
             str(docs.at(*side, "status")).replace("_", " "), str(docs.at("runs", side[-1], "digest"))))
        for side in sides
    ]  # fmt: skip
    return Table(columns, tuple(rows), docs.currency)
