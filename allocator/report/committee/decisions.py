"""Who gets the money and at what risk; who is left out, and why."""

from __future__ import annotations

import re
from collections.abc import Sequence

from allocator.records.reasons import BY_THE_STEP, NO_GRADE
from allocator.report.committee.blocks import (
    Bar,
    Block,
    Cell,
    Column,
    Inline,
    Row,
    Section,
    Stretch,
    Table,
    note,
    typed,
    words,
)
from allocator.report.committee.figure import Documents, Place
from allocator.report.drawing.units import headed
from allocator.report.limits import limit_in_words, reason_of

_MOST = 12
"""Grades, and reasons, that are shown."""
_SAID = {BY_THE_STEP: "no longer fits as a whole loan"}
"""Reasons in other words than the allocation's."""
_FEW = 2
"""Grades without rates that are named."""
_ROW = re.compile(r"(?<=limit )[^\[]*\[.*\]")


def decisions_section(docs: Documents) -> Section:
    """By grade, and by PD."""
    return Section(
        "borrowers",
        "2 · Who gets the money, and at what risk?",
        (_by_grade(docs), _by_pd(docs)),
        "a-borrowers",
        "half tall",
    )


def _by_grade(docs: Documents) -> Table:
    grades = [*docs.places("summary", "by_grade")]
    shown = sorted(grades, key=lambda place: -docs.number((*place, "offered")))[:_MOST]
    shown = [place for place in grades if place in shown]
    offered, value = (docs.column([(*place, what) for place in grades]) for what in ("offered", "value"))
    columns = (
        Column("Grade", "text"), Column("Asked"), Column("Funded"), Column(headed("Offered", offered)),
        Column(headed("Drawn", offered)), Column("Rate"), Column("PD"), Column("Loss of drawn"),
        Column(headed("Value", value)),
    )  # fmt: skip

    def row(place: Place, name: str, rate: Place, pd: Place, worth: Place) -> Row:
        counts = (docs.count(*place, "borrowers"), docs.count(*place, "funded"))
        if not docs.number((*place, "offered")):
            return Row((name, *counts, *[None] * 6))
        return Row(
            (name, *counts, docs.bare((*place, "offered"), offered), docs.bare((*place, "drawn"), offered),
             docs.percent(rate), docs.percent(pd),
             docs.percent((*place, "expected_loss"), (*place, "drawn")), docs.bare(worth, value))
        )  # fmt: skip

    rows = [
        row(place, str(place[-1]), (*place, "mean_rate"), ("composition", "mean_pd", place[-1]),
            (*place, "value"))
        for place in shown
    ]  # fmt: skip
    means: tuple[Place, Place] = ("composition", "mean_rate"), ("composition", "mean_pd", "")
    total = row(("summary",), "All", *means, ("summary", "objective"))
    hidden = len(grades) - len(shown)
    more = f"{hidden} further grades are in the total." if hidden else ""
    return Table(columns, tuple(rows), "", total, more)


def _by_pd(docs: Documents) -> Table:
    bands = [*docs.places("composition", "bands")]
    most = max((docs.number((*band, what)) for band in bands for what in ("funded", "declined")), default=0)
    rows = []
    for place in bands:
        low, high = docs.at(*place, "low"), docs.at(*place, "high")
        funded, declined = (docs.number((*place, what)) / (most or 1) for what in ("funded", "declined"))
        name = f"below {high:.1%}" if low == 0 else f"{low:.1%} to {high:.1%}"
        name = f"{low:.0%} and above" if high == 1.0 else name
        bar = Bar(((Stretch(0.0, funded),), (Stretch(0.0, declined, "pale"),)))
        rows.append(
            Row((name.replace(".0%", "%"), docs.count(*place, "funded"), bar, docs.count(*place, "declined")))
        )
    columns = (
        Column("PD", "text"), Column("Funded (dark)"), Column("", "bar"), Column("Declined (light)")
    )  # fmt: skip
    return Table(columns, tuple(rows), "Borrowers by probability of default")


def declined_section(docs: Documents) -> Section:
    """The reasons, the commonest first."""
    return Section("declined", "3 · Who is left out, and why?", _left_out(docs), "a-borrowers")


def _left_out(docs: Documents) -> tuple[Block, ...]:
    refusals = [*docs.places("composition", "refusals")]
    if not refusals:
        return (note("Nobody is declined."),)
    most = max(docs.number((*place, "borrowers")) for place in refusals)
    unit = docs.column([(*place, "requested") for place in refusals])
    rows = [
        Row((reason_of_many(docs, place), docs.count(*place, "borrowers"),
             Bar(((Stretch(0.0, docs.number((*place, "borrowers")) / most, "pale"),),)),
             docs.bare((*place, "requested"), unit)))
        for place in refusals[:_MOST]
    ]  # fmt: skip
    hidden = len(refusals) - len(rows)
    columns = (
        Column("Reason", "text"), Column("Borrowers"), Column("", "bar"), Column(headed("Asked for", unit))
    )  # fmt: skip
    table = Table(columns, tuple(rows), more=f"and {hidden} further reasons" if hidden else "")
    return (table, words("Declined by grade: ", *left_out_by_grade(docs), "."), *_beside(docs, refusals))


def _beside(docs: Documents, refusals: Sequence[Place]) -> Sequence[Block]:
    """How many other limits' prices keep out too, and where to see it."""
    told = [place for place in refusals[:_MOST] if docs.number((*place, "beside"))]
    if not told:
        return ()
    parts: list[Inline] = []
    for i, place in enumerate(told):
        reason = reason_in_words(docs, place)
        parts += ["; " * bool(i), docs.count(*place, "beside"), " of the ", docs.count(*place, "borrowers"),
                  f" {reason}"]  # fmt: skip
    return (note("The reason names the limit that charges most. By another limit's price too, since they "
                 "earn what that one charges: ", *parts, ". A2 has what the largest earn and what was "
                 "needed."),)  # fmt: skip


def reason_of_many(docs: Documents, place: Place) -> str:
    """The reason at `place` in words that go with a count."""
    reason, grades = docs.at(*place, "reason"), list(map(str, docs.at(*place, "grades")))
    if reason == BY_THE_STEP:
        return "that no longer fit as whole loans"
    if reason == NO_GRADE and len(grades) <= _FEW:
        plural = "s" * (len(grades) > 1)
        return f"of grade{plural} {' and '.join(grades)}, for which the policy sets no rates"
    return reason_in_words(docs, place)


def reason_in_words(docs: Documents, place: Place) -> str:
    """Why somebody gets no offer, for who does not know the program: rows of limits in words."""
    reason = reason_of(docs.at(*place, "reason"), docs.rows)
    return _ROW.sub(lambda match: limit_in_words(match[0]), _SAID.get(reason, reason))


def left_out_by_grade(docs: Documents) -> Sequence[Inline]:
    """How many of each grade get no offer."""

    def left(place: Place) -> int:
        return int(docs.number((*place, "borrowers")) - docs.number((*place, "funded")))

    grades = [place for place in docs.places("summary", "by_grade") if left(place)]
    parts: list[Inline] = []
    for i, place in enumerate(grades[:_MOST]):
        asked = docs.count(*place, "borrowers")
        part: tuple[Inline, ...] = (f"{left(place):,} of ", asked)
        if not docs.number((*place, "funded")):
            part = ("all ", asked)
        parts += [f"{', ' if i else ''}{place[-1]} ", *part]
    hidden = len(grades) - _MOST
    return [*parts, *([f", and of {hidden} further grades"] if hidden > 0 else [])]


def decisions_annex(docs: Documents) -> Section:
    """The largest loans and the largest requests that are declined."""
    funded, declined = docs.number(("summary", "funded")), docs.number(("summary", "borrowers"))
    declined -= funded
    blocks: list[Block] = [
        words(
            "Rate: weighted by what is offered. PD: the probability of default over the term, weighted by "
            "what is offered. Loss of drawn: expected loss over the money expected to be drawn. "
            "Earns: the value of the best offer before limits, a unit of what it lends; needed: what the "
            "limits charge it, their shadow prices times what it uses of them. Nobody who is crowded out "
            "earns what is needed. "
            "Everybody's decision, with the reason of each decline, is in the run's allocation file; ",
            *typed("`allocator explain DIR BORROWER` shows what would turn one."),
        )
    ]
    if "price_list" in docs.at("summary"):
        blocks.append(_price_list(docs))
    largest, refused = ([*docs.places("composition", what)] for what in ("largest", "declined"))
    if largest:
        blocks.append(_loans(docs, largest, int(funded) - len(largest)))
    if refused:
        blocks.append(_requests(docs, refused, int(declined) - len(refused)))
    return Section("a-borrowers", "A2 · Borrowers", tuple(blocks))


def _price_list(docs: Documents) -> Table:
    """Every segment with the rate that is posted for it."""
    rows = [Row((str(place[-1]), docs.percent(place))) for place in docs.places("summary", "price_list")]
    return Table((Column("Segment", "text"), Column("Rate")), tuple(rows), "The rates that are posted")


def _listed_columns(docs: Documents) -> tuple[Column, ...]:
    segments = [
        Column(str(name).replace("_", " ").capitalize(), "text") for name in docs.at("composition", "by")
    ]
    return (Column("Borrower", "text"), Column("Grade", "text"), *segments, Column("PD"), Column("LGD"))


def _facts(docs: Documents, place: Place) -> tuple[Cell, ...]:
    segments = [str(segment) for segment in docs.at(*place, "segments")]
    return (docs.at(*place, "borrower_id"), docs.at(*place, "grade"), *segments,
            docs.percent((*place, "pd")), docs.percent((*place, "lgd")))  # fmt: skip


def _loans(docs: Documents, places: Sequence[Place], others: int) -> Table:
    columns = (
        *_listed_columns(docs), Column("Offered"), Column("Rate"), Column("Drawn"), Column("Expected loss"),
        Column("Value"),
    )  # fmt: skip
    rows = [
        Row(
            (
                *_facts(docs, place),
                docs.exact(*place, "amount"),
                docs.percent((*place, "rate")),
                docs.exact(*place, "drawn"),
                docs.exact(*place, "expected_loss"),
                docs.exact(*place, "value"),
            )
        )
        for place in places
    ]
    more = f"and {others:,} loans of the same size or smaller" if others > 0 else ""
    return Table(columns, tuple(rows), f"The largest loans, {docs.currency}", more=more)


def _requests(docs: Documents, places: Sequence[Place], others: int) -> Table:
    each = f" per {docs.currency}"
    columns = (
        *_listed_columns(docs), Column("Asked for"), Column(f"Earns{each}"), Column(f"Needed{each}"),
        Column("Why declined", "text"),
    )  # fmt: skip
    rows = [
        Row((*_facts(docs, place), docs.exact(*place, "request"), *_short(docs, place))) for place in places
    ]
    more = f"and {others:,} further borrowers who are declined" if others > 0 else ""
    return Table(columns, tuple(rows), f"The largest requests declined, {docs.currency}", more=more)


def _short(docs: Documents, place: Place) -> tuple[Cell, ...]:
    """What somebody earns, what is needed and its parts, where the price of a limit crowds them out."""
    why, short = reason_in_words(docs, place), (*place, "short")
    if docs.at(*short) is None:
        return (None, None, why)
    parts: list[Inline] = []
    for i, charge in enumerate(docs.places(*short, "charges")):
        parts += [
            " + " if i else ": ",
            f"{limit_in_words(str(charge[-1]), docs.rows)} ",
            docs.price(*charge),
        ]
    return (docs.price(*short, "earns"), docs.price(*short, "needed"), (why, *parts))
