"""A backtest on one page: strategies by what was foreseen and what happened, in all and by period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType

from allocator.insight.backtest.backtest import Backtest, Tested, gain
from allocator.report.charts import Axis, Chart, Series
from allocator.report.money import percent, unit_for
from allocator.report.plain import Text, listed, more, plain_table
from allocator.report.view import View

MOST = 30
"""Periods shown."""
_SUMS = ("offered", "foreseen", "happened", "loss_foreseen", "loss_happened")


def backtest_view(name: str, found: Backtest, currency: str, notes: Sequence[str] = ()) -> View:
    """The backtest of the scenario `name`."""
    return View(
        page=lambda: _page(name, found, currency, notes),
        document=lambda: {**_document(found), "notes": list(notes)},
        chart=lambda: _chart(found, currency),
    )


def _page(name: str, found: Backtest, currency: str, notes: Sequence[str] = ()) -> RenderableType:
    """Totals of every strategy, the first's paired differences, and what happened by period."""
    totals = _totals(found)
    unit = unit_for({key: [row[key] for row in totals] for key in _SUMS}, currency, 62)
    table = plain_table()
    table.add_column("strategy")
    for heading in ("funded", "bad", "offered", "foreseen", "happened", "loss foreseen", "happened"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in totals:
        table.add_row(
            row["strategy"],
            f"{row['funded']:,}",
            percent(row["funded_defaults"] / row["funded"]) if row["funded"] else "",
            *(unit.write(row[key]) for key in _SUMS),
        )
    periods = len(found.hindsight)
    title = f"{name}: {periods} periods decided by what was known, scored by what happened"
    words = f"Amounts in {unit}; bad: funded borrowers who defaulted; what is foreseen is the value"
    broke = [Text(_broke(row)) for row in totals if row["broke_limits_in"]]
    parts: list[RenderableType] = [
        Text(title, style="bold"),
        Text(words),
        "",
        table,
        *broke,
        *_gains(found, currency),
    ]
    parts += ["", Text(f"What happened by period, {unit}", style="bold"), _by_period(found, unit.write)]
    parts += [Text(f"{line}; --json has all") for line in more(periods - MOST)]
    return Group(*parts, *_left_out(found), *map(Text, notes))


def _broke(row: dict[str, Any]) -> str:
    """Where a strategy's value counts for less: it was not kept to the limits."""
    return f"{row['strategy']} breaks limits in {listed(row['broke_limits_in'], MOST)}"


def _left_out(found: Backtest) -> list[RenderableType]:
    """Periods that could not be decided, and how many borrowers no strategy could decide."""
    lines: list[RenderableType] = []
    for why in dict.fromkeys(found.skipped.values()):
        skipped = [period for period, reason in found.skipped.items() if reason == why]
        lines.append(Text(f"not decided, {why}: {listed(skipped, MOST)}"))
    counts = {"without a period": found.no_period, "of whose PD too little was known": found.no_pd}
    told = [f"{count:,} {why}" for why, count in counts.items() if count]
    return [*lines, Text(f"borrowers left out: {', '.join(told)}")] if told else lines


def _gains(found: Backtest, currency: str) -> list[RenderableType]:
    first, *others = found.strategies
    lines: list[RenderableType] = []
    for other in others:
        less = gain(found, other)
        more = "more" if less.mean >= 0 else "less"
        words = f"{first} earned {abs(less.mean):,.0f} {currency} {more} than {other}"
        lines.append(f"{words} (paired difference, standard error {less.error:,.0f})")
    return lines


def _by_period(found: Backtest, write: Any) -> RenderableType:
    table = plain_table()
    table.add_column("period")
    table.add_column("firms", justify="right")
    table.add_column("bad", justify="right")
    for strategy in found.strategies:
        table.add_column(strategy, justify="right", no_wrap=True)
    table.add_column("hindsight", justify="right", no_wrap=True)
    rows = {strategy: {one.period: one for one in found.of(strategy)} for strategy in found.strategies}
    for period in list(found.hindsight)[:MOST]:
        own = [rows[strategy][period] for strategy in found.strategies]
        best = found.hindsight[period]
        table.add_row(
            period,
            f"{own[0].borrowers:,}",
            percent(own[0].defaults / own[0].borrowers),
            *(write(one.happened) for one in own),
            "" if best is None else write(best),
        )
    return table


def _totals(found: Backtest) -> list[dict[str, Any]]:
    """One row a strategy: sums over its periods, and the periods in which it broke a limit."""
    return [_total(strategy, found.of(strategy)) for strategy in found.strategies]


def _total(strategy: str, own: Sequence[Tested]) -> dict[str, Any]:
    keys = ("borrowers", "defaults", "funded", "funded_defaults", *_SUMS)
    sums = {key: sum(getattr(one, key) for one in own) for key in keys}
    broke = [one.period for one in own if one.status == "breaks_limits"]
    return {"strategy": strategy, **sums, "broke_limits_in": broke}


def _document(found: Backtest) -> dict[str, Any]:
    """Everything as data."""
    first, *others = found.strategies or [""]
    periods = [
        {key: value for key, value in asdict(one).items() if key != "happened_each"} for one in found.tested
    ]
    return {
        "totals": _totals(found),
        "gains": {other: asdict(gain(found, other)) for other in others},
        "first": first,
        "periods": periods,
        "hindsight": found.hindsight,
        "skipped": found.skipped,
        "left_out": {"no_period": found.no_period, "no_pd": found.no_pd},
    }


def _chart(found: Backtest, currency: str) -> Chart:
    """What happened, added up period by period."""
    series = []
    for strategy in found.strategies:
        total, sums = 0.0, []
        for one in found.of(strategy):
            total += one.happened
            sums.append(total)
        periods = [one.period for one in found.of(strategy)]
        series.append(Series(strategy, periods, sums))
    return Chart("What happened, added up", Axis("period"), Axis(f"value, {currency}"), tuple(series))
