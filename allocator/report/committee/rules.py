"""Whether it is better than simple rules: the same budget over the same borrowers by each of them."""

from __future__ import annotations

from collections.abc import Sequence

from allocator.report.colours import Tone
from allocator.report.committee.blocks import (
    Bar,
    Block,
    Cell,
    Column,
    Row,
    Section,
    Stretch,
    Strong,
    Table,
    note,
    typed,
    words,
)
from allocator.report.committee.figure import Documents, Place
from allocator.report.committee.stress import breaks
from allocator.report.drawing.units import headed
from allocator.report.limits import limit_in_words

NAMES = {
    "optimal": "the optimum",
    "ahp_lines": "lines by AHP weights",
    "equal": "equal amounts",
    "by_score": "best score first",
    "greedy": "best value first",
    "max_interest": "most interest",
    "min_loss": "least loss",
}


def rules_section(docs: Documents) -> Section:
    """A bar a strategy."""
    title = "8 · Is it better than simple rules?"
    if "compare" not in docs.parts:
        why = "None was tried on a book of this size."
        if "price_list" in docs.at("summary"):
            why = "None was tried: each chooses every borrower's rate by itself, and this policy posts rates."
        told = words(
            "No rule within the limits can be worth more than ", Strong(docs.money("certificate", "bound")),
            f": the bound is on all of them. {why}",
        )  # fmt: skip
        return Section("rules", title, (told,), "a-rules", "third")
    sides = [*docs.places("compare", "compared")]
    table = bars_of(docs, sides, _own_side(docs), ", this run")
    return Section("rules", title, (table,), "a-rules", "third")


def _own_side(docs: Documents) -> Place:
    """The run's own strategy among those compared."""
    sides = [*docs.places("compare", "compared")]
    own = [place for place in sides if docs.at(*place, "strategy") == docs.at("summary", "strategy")]
    return own[0] if own else sides[0]


def bars_of(docs: Documents, sides: Sequence[Place], own: Place, word: str = "") -> Table:
    """The value of each side, and how much less than the first; `own` is dark, with `word` behind its "
    "name."""
    unit = docs.column([(*side, "value") for side in sides])
    most = max((abs(docs.number((*side, "value"))) for side in sides), default=0.0) or 1.0
    rows = []
    for side in sides:
        broken = [*map(str, docs.at(*side, "limits_broken")), *map(str, docs.at(*side, "terms_broken"))]
        length = max(docs.number((*side, "value")), 0.0) / most
        less: Cell = docs.money(*side, "less_than_first") if side != sides[0] else None
        name = f"{name_of(docs, side)}{word if side == own else ''}"
        name += f" ({breaks(broken)})" if broken else ""
        bar = Bar(((Stretch(0.0, length, "deep" if side == own else "pale"),),))
        value = docs.bare((*side, "value"), unit)
        tone: Tone | None = "warn" if broken else None
        rows.append(Row((name, value, bar, less), strong=side == own, tone=tone))
    columns = (
        Column("Strategy" if word else "Side", "text"), Column(headed("Value", unit)), Column("", "bar"),
        Column("Less"),
    )  # fmt: skip
    return Table(columns, tuple(rows))


def name_of(docs: Documents, side: Place) -> str:
    name = str(docs.at(*side, "name"))
    return NAMES.get(name, name)


def rules_annex(docs: Documents) -> Section:
    """Results side by side, and who is swapped."""
    command = note(*typed("From `allocator compare DIR/scenario.yaml`."))
    if "compare" not in docs.parts:
        told = words(*typed("Not solved for this page: `allocator compare DIR/scenario.yaml` does."))
        return Section("a-rules", "A7 · Strategies", (told,))
    return Section(
        "a-rules", "A7 · Strategies",
        (words("The same budget, borrowers and limits under each strategy, each judged by the same "
               "certificate. "
               "Less: what the strategy forgoes against the first."),
         results(docs), *swaps(docs),
         *(note(line) for line in docs.at("compare", "notes")),
         command),
    )  # fmt: skip


def results(docs: Documents) -> Table:
    """Each side's figures to the cent."""
    columns = (
        Column("", "text"),
        Column("Value"),
        Column("less"),
        Column("Bound"),
        Column("Funded"),
        Column("Offered"),
        Column("Rate"),
        Column("PD"),
        Column("Expected loss"),
        Column("Limits broken", "text"),
    )
    rows = []
    for side in docs.places("compare", "compared"):
        limits = map(limit_in_words, map(str, docs.at(*side, "limits_broken")))
        broken = ", ".join([*limits, *docs.at(*side, "terms_broken")])
        rows.append(
            Row((name_of(docs, side), docs.exact(*side, "value"), docs.exact(*side, "less_than_first"),
                 docs.exact(*side, "bound"), docs.count(*side, "funded"), docs.exact(*side, "offered"),
                 docs.percent((*side, "mean_rate")), docs.percent((*side, "mean_pd")),
                 docs.exact(*side, "expected_loss"), broken or "none"))
        )  # fmt: skip
    return Table(columns, tuple(rows), f"Side by side, {docs.currency}")


def swaps(docs: Documents) -> tuple[Block, ...]:
    """Who enters, leaves or gets other terms between the first side and each other."""
    columns = (
        Column("Compared with the first", "text"), Column("Change", "text"), Column("Borrowers"),
        Column("Offered before"), Column("after"), Column("Value before"), Column("after"), Column("Gain"),
    )  # fmt: skip
    totals = [
        (NAMES.get(docs.at(*pair, "after"), docs.at(*pair, "after")), total)
        for pair in docs.places("compare", "pairs")
        for total in docs.places(*pair, "swaps", "totals")
        if docs.at(*total, "borrowers")
    ]
    figures = ("amount_before", "amount_after", "value_before", "value_after", "gain")
    rows = [
        Row((name, docs.at(*total, "kind"), docs.count(*total, "borrowers"),
             *(docs.exact(*total, figure) for figure in figures)))
        for name, total in totals
    ]  # fmt: skip
    return (Table(columns, tuple(rows), f"Who is swapped, {docs.currency}"),) if rows else ()
