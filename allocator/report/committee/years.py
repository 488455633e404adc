"""How bad a year can be: simulated years, their tails, and what was assumed of defaults."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from allocator.records.percentages import as_percentage
from allocator.report.committee.blocks import (
    Column,
    Inline,
    Picture,
    Row,
    Section,
    Strong,
    Table,
    note,
    typed,
    words,
)
from allocator.report.committee.figure import Documents, Place
from allocator.report.drawing.chart import Axis, Mark
from allocator.report.drawing.usual import histogram


def years_section(docs: Documents) -> Section:
    """A histogram of the net of a year."""
    years = docs.at("composition", "years")
    marks = [Mark(docs.number(place), f"{label} {docs.money(*place).text}") for label, place in _marks(docs)]
    across = Axis("net of one year", "money", docs.currency)
    told = "; ".join(mark.label for mark in marks)
    picture = Picture(
        histogram(years["edges"], years["years"], marks, across),
        f"Histogram of simulated years by net: {told}",
        f"{docs.at('simulate', 'years'):,} simulated years of this allocation; asset correlation "
        f"{as_percentage(docs.at('simulate', 'risk', 'rho'))}, assumed and not estimated.",
    )
    label = words(
        "One year in a hundred nets less than ",
        Strong(docs.money(*quantile(docs, 0.01))),
        ", one in twenty less than ",
        docs.money(*quantile(docs, 0.05)),
        "; ",
        *losing(docs),
        " (95% sure: ",
        docs.percent(("simulate", "below_zero", "low")),
        " to ",
        docs.percent(("simulate", "below_zero", "high")),
        ").",
    )
    return Section("years", "7 · How bad can a year be?", (picture, label), "a-years")


def losing(docs: Documents) -> tuple[Inline, ...]:
    """How many of the simulated years lose money."""
    years = docs.count("simulate", "years")
    if not docs.number(("simulate", "below_zero", "value")):
        return ("none of ", years, " simulated years loses money")
    return (docs.percent(("simulate", "below_zero", "value")), " of ", years, " simulated years lose money")


def quantile(docs: Documents, level: float) -> Place:
    """Where the net that a share `level` of the years does not exceed stands."""
    quantiles = docs.at("simulate", "net", "quantiles")
    key: Any = next(key for key in quantiles if float(key) == level)
    return ("simulate", "net", "quantiles", key)


def _marks(docs: Documents) -> Sequence[tuple[str, Place]]:
    return (
        ("1 in 100 below", quantile(docs, 0.01)),
        ("1 in 20 below", quantile(docs, 0.05)),
        ("mean", ("simulate", "net", "mean")),
    )


def years_annex(docs: Documents) -> Section:
    """Distributions and tails with their intervals."""
    risk = docs.at("simulate", "risk")
    formula = words(
        "A borrower defaults where sqrt(rho) Z + sqrt(1 - rho) e falls below the quantile of its PD: Z is "
        f"the year's factor, e its own, rho {as_percentage(risk['rho'])}. Take-up is drawn by borrower. "
        "Net is interest less losses and all costs. VaR is the loss that a share of the years does not "
        "exceed, CVaR the mean of the years beyond; beside each its 95% interval; levels "
        "for which the years are too few are left out. Correlation and factors are "
        "assumed: nothing here estimates them."
    )  # fmt: skip
    return Section(
        "a-years", "A6 · Years",
        (formula, _distributions(docs), _tails(docs),
         note(*typed(f"From `allocator simulate DIR --years {docs.at('simulate', 'years')}`, seed "
                     f"{docs.at('simulate', 'seed')}, method {docs.at('simulate', 'method')}."))),
    )  # fmt: skip


def _distributions(docs: Documents) -> Table:
    """A row each of interest, loss and net: their expectation and how they spread over the years."""
    levels = [*docs.at("simulate", "net", "quantiles")]
    columns = (
        Column("A year's", "text"), Column("Expected"), Column("Mean"), Column("Deviation"),
        *(Column(_percentile(float(level))) for level in levels),
    )  # fmt: skip
    rows = [
        Row((name, docs.exact("simulate", "expected", name), docs.exact("simulate", name, "mean"),
             docs.exact("simulate", name, "sd"),
             *(docs.exact("simulate", name, "quantiles", level) for level in levels)))
        for name in ("interest", "loss", "net")
    ]  # fmt: skip
    return Table(columns, tuple(rows), f"Over the years, {docs.currency}")


def _percentile(level: float) -> str:
    """`1st percentile` of 0.01."""
    number = f"{100 * level:g}"
    tens, ending = number[-2:-1] == "1", {"1": "st", "2": "nd", "3": "rd"}.get(number[-1], "th")
    return f"{number}{'th' if tens else ending} percentile"


def _tails(docs: Documents) -> Table:
    """A row per level: VaR and CVaR of the loss, with their intervals."""
    tails = [
        Row((f"{docs.at(*tail, 'level'):.1%}",
             *(docs.exact(*tail, risk, end) for risk in ("var", "cvar") for end in ("value", "low", "high"))))
        for tail in docs.places("simulate", "loss", "tails")
        if docs.at(*tail, "cvar", "high") is not None
    ]  # fmt: skip
    heads = (
        Column("Loss at level", "text"), Column("VaR"), Column("95% interval, from"), Column("to"),
        Column("CVaR"), Column("95% interval, from"), Column("to"),
    )  # fmt: skip
    return Table(heads, tuple(tails), f"Loss of the worst years, {docs.currency}")
