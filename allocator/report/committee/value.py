"""Where the value comes from: a waterfall from interest to value, and the ledger to the cent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from allocator.records.ledger import lines_among
from allocator.report.colours import Tone
from allocator.report.committee.blocks import (
    Bar,
    Column,
    Inline,
    Row,
    Section,
    Stretch,
    Strong,
    Table,
    note,
    words,
)
from allocator.report.committee.figure import Documents, Place
from allocator.report.money import visible

_OF_CAPITAL = (
    " The cost of capital is taken off too: its rate, as A11 has it, on a x K T, the capital tied up over "
    "the term. What is left is the economic value added. RAROC is the value before that cost over the "
    "capital tied up."
)
_DRAWN: Place = ("summary", "drawn")


def value_section(docs: Documents) -> Section:
    """Interest, less each cost, is the value."""
    unit = docs.column([("summary", line.name) for line in lines_among(docs.at("summary"))])
    steps = [*_steps(docs)]
    top = max((max(step[2], step[3]) for step in steps), default=0.0) or 1.0
    low = min((min(step[2], step[3]) for step in steps), default=0.0)
    spread = top - min(low, 0.0)
    rows = []
    for label, place, start, end, tone, cost in steps:
        ends = sorted(((start - min(low, 0.0)) / spread, (end - min(low, 0.0)) / spread))
        bar = Bar(((Stretch(ends[0], ends[1], tone),),), mark=-min(low, 0.0) / spread)
        part = docs.percent(place, _DRAWN, negative=cost)
        rows.append(
            Row((label, docs.bare(place, unit, negative=cost), bar, part), strong=place[-1] == "objective")
        )
    heading = f"{unit.suffix} {docs.currency}".strip()
    columns = (Column("", "text"), Column(heading), Column("", "bar"), Column("Of money drawn"))
    return Section("value", "1 · Where does the value come from?", (Table(columns, tuple(rows)),), "a-value")


def _steps(docs: Documents) -> Iterator[tuple[str, Place, float, float, Tone, bool]]:
    """Label, place, from where to where, tone, and whether it is a cost; lines of nothing are left out."""
    level = 0.0
    for line in lines_among(docs.at("summary")):
        place: Place = ("summary", line.name)
        amount = line.sign * docs.number(place)
        if amount or line.name in ("interest", "expected_loss", "funding_cost"):
            tone: Tone = "deep" if line.sign > 0 else "warn" if line.name == "expected_loss" else "rest"
            yield line.label.capitalize(), place, level, level + amount, tone, line.sign < 0
        level += amount
    idle: Place = ("summary", "idle_income")
    if docs.number(idle):
        yield "Idle budget", idle, level, level + docs.number(idle), "pale", False
        level += docs.number(idle)
    missed: Place = ("summary", "limit_penalty")
    if docs.at("summary").get("limit_penalty"):
        yield "Missed soft limits", missed, level, level - docs.number(missed), "warn", True
        level -= docs.number(missed)
    above: Place = ("summary", "above_worst")
    if visible(docs.at("summary").get("above_worst", 0.0)):
        yield "Mean above worst", above, level, level - docs.number(above), "warn", True
    yield "Value", ("summary", "objective"), 0.0, docs.number(("summary", "objective")), "deep", False


def _missed(docs: Documents) -> Sequence[Inline]:
    """What is paid for soft limits, where some may be missed, and what of a mean the worst is below."""
    out: list[Inline] = []
    if "limit_penalty" in docs.at("summary"):
        out += [", less for soft limits that are missed ", docs.exact("summary", "limit_penalty")]
    if "above_worst" in docs.at("summary"):
        out += [", less what the mean is above the worst ", docs.exact("summary", "above_worst")]
    return out


def _raroc(docs: Documents, place: Place) -> Inline | None:
    return docs.percent((*place, "raroc")) if docs.number((*place, "offered")) else None


def value_annex(docs: Documents) -> Section:
    """The ledger by grade, every line to the cent."""
    summary = docs.at("summary")
    lines = [line for line in lines_among(summary) if docs.number(("summary", line.name))]
    on_capital = "raroc" in summary
    columns = (
        Column("Grade", "text"), Column("Offered"), Column("Drawn"), Column("Mean rate"),
        *(Column(line.label.capitalize()) for line in lines), Column("Value"),
        *((Column("RAROC"),) if on_capital else ()),
    )  # fmt: skip
    rows = [
        Row((str(place[-1]), docs.exact(*place, "offered"), docs.exact(*place, "drawn"),
             docs.percent((*place, "mean_rate"), decimals=4) if docs.number((*place, "offered")) else None,
             *(docs.exact(*place, line.name) for line in lines), docs.exact(*place, "value"),
             *((_raroc(docs, place),) if on_capital else ())))
        for place in docs.places("summary", "by_grade")
    ]  # fmt: skip
    whole: Place = ("explain", "book")
    total = Row(
        ("Sum of the lines", docs.exact("summary", "offered"), docs.exact("summary", "drawn"), None,
         *(docs.exact("summary", line.name) for line in lines), docs.exact(*whole, "value"),
         *((docs.percent(("summary", "raroc")),) if on_capital else ()))
    )  # fmt: skip
    formula = words(
        "For an offer of x at rate r that a share a of customers accepts, with probability of default p, "
        "loss given default L, term T and funding rate f: drawn = a x, interest = a x r T (1 - p), "
        "expected loss = a x p L, funding = a x f T, and value = interest - expected loss - funding - "
        "what churn, processing and lost relationships cost. Sums are over all borrowers in "
        "allocation.csv, which has each of these columns.",
        *((_OF_CAPITAL,) if on_capital else ()),
    )
    sums = words(
        "Value of the lines ", Strong(docs.exact(*whole, "value")), ", idle budget ",
        docs.exact("summary", "idle_income"), *_missed(docs),
        "; stated, rounded inwards by what the sums may be off: ",
        Strong(docs.exact("certificate", "value")), f" {docs.currency}.",
    )  # fmt: skip
    table = Table(columns, tuple(rows), f"The ledger by grade, {docs.currency}", total)
    return Section("a-value", "A1 · Value", (formula, table, sums, note("From summary.json of the run.")))
