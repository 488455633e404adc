"""A backtest on tested page: strategies by what was foreseen and what happened, in all and by period."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType

from allocator.insight.backtest.backtest import Backtest, PeriodResult, gain
from allocator.report.money import percent, unit_for
from allocator.report.named import figures_of, named_table
from allocator.report.pictures.backtest import backtest_chart
from allocator.report.plain import Text, listed, more
from allocator.report.view import View

MOST = 30
"""Periods shown."""
_SUMS = ("offered", "foreseen", "happened", "loss_foreseen", "loss_happened")


def backtest_view(backtest: Backtest, notes: Sequence[str] = ()) -> View:
    """The backtest of a scenario."""
    return View(
        page=lambda: _page(backtest, notes),
        document=lambda: {**_document(backtest), "notes": list(notes)},
        chart=lambda: backtest_chart(backtest, tuple(notes)),
    )


def _page(backtest: Backtest, notes: Sequence[str] = ()) -> RenderableType:
    """Totals of every strategy, the first's paired differences, and what happened by period."""
    name, currency = backtest.scenario.name, backtest.scenario.policy.currency
    totals = _totals(backtest)
    unit = unit_for({key: [row[key] for row in totals] for key in _SUMS}, currency, 62)
    headings = ("funded", "bad", "offered", "foreseen", "happened", "loss foreseen", "happened")
    rows = [
        (
            f"{row['funded']:,}",
            percent(row["funded_defaults"] / row["funded"]) if row["funded"] else "",
            *(unit.write(row[key]) for key in _SUMS),
        )
        for row in totals
    ]
    columns = figures_of(headings, rows)
    table = named_table("strategy", [row["strategy"] for row in totals], columns)
    periods = len(backtest.hindsight)
    title = f"{name}: {periods} periods decided by what was known, scored by what happened"
    words = f"Amounts in {unit}; bad: funded borrowers who defaulted; what is foreseen is the value"
    broke = [Text(_broke(row)) for row in totals if row["broke_limits_in"]]
    parts: list[RenderableType] = [
        Text(title, style="bold"),
        Text(words),
        "",
        table,
        *broke,
        *_gains(backtest, currency),
    ]
    parts += ["", Text(f"What happened by period, {unit}", style="bold"), _by_period(backtest, unit.write)]
    parts += [Text(f"{line}; --json has all") for line in more(periods - MOST)]
    return Group(*parts, *_left_out(backtest), *map(Text, notes))


def _broke(row: dict[str, Any]) -> str:
    """Where a strategy's value counts for less: it was not kept to the limits."""
    return f"{row['strategy']} breaks limits in {listed(row['broke_limits_in'], MOST)}"


def _left_out(backtest: Backtest) -> list[RenderableType]:
    """Periods that could not be decided, and how many borrowers no strategy could decide."""
    lines: list[RenderableType] = []
    for why in dict.fromkeys(backtest.skipped.values()):
        skipped = [period for period, reason in backtest.skipped.items() if reason == why]
        lines.append(Text(f"not decided, {why}: {listed(skipped, MOST)}"))
    counts = {"without a period": backtest.no_period, "of whose PD too little was known": backtest.no_pd}
    left_out = ", ".join(f"{count:,} {why}" for why, count in counts.items() if count)
    return [*lines, Text(f"borrowers left out: {left_out}")] if left_out else lines


def _gains(backtest: Backtest, currency: str) -> list[RenderableType]:
    first, *others = backtest.strategies
    lines: list[RenderableType] = []
    for other in others:
        mean, error = gain(backtest, other)
        more = "more" if mean >= 0 else "less"
        words = f"{first} earned {abs(mean):,.0f} {currency} {more} than {other}"
        lines.append(f"{words} (paired difference, standard error {error:,.0f})")
    return lines


def _by_period(backtest: Backtest, write: Any) -> RenderableType:
    rows = {
        strategy: {tested.period: tested for tested in backtest.of(strategy)}
        for strategy in backtest.strategies
    }
    periods, cells = list(backtest.hindsight)[:MOST], []
    for period in periods:
        own = [rows[strategy][period] for strategy in backtest.strategies]
        best = backtest.hindsight[period]
        happened = (write(tested.happened) for tested in own)
        bad = percent(own[0].defaults / own[0].borrowers)
        cells.append((f"{own[0].borrowers:,}", bad, *happened, "" if best is None else write(best)))
    headings = ("firms", "bad", *backtest.strategies, "hindsight")
    columns = figures_of(headings, cells)
    return named_table("period", periods, columns)


def _totals(backtest: Backtest) -> list[dict[str, Any]]:
    """One row per strategy: sums over its periods, and the periods in which it broke a limit."""
    return [_total(strategy, backtest.of(strategy)) for strategy in backtest.strategies]


def _total(strategy: str, own: Sequence[PeriodResult]) -> dict[str, Any]:
    keys = ("borrowers", "defaults", "funded", "funded_defaults", *_SUMS)
    sums = {key: sum(getattr(tested, key) for tested in own) for key in keys}
    broke = [tested.period for tested in own if tested.status == "breaks_limits"]
    return {"strategy": strategy, **sums, "broke_limits_in": broke}


def _document(backtest: Backtest) -> dict[str, Any]:
    """Everything as data."""
    first, *others = backtest.strategies or [""]
    periods = [
        {key: value for key, value in vars(tested).items() if key != "happened_each"}
        for tested in backtest.tested
    ]
    return {
        "totals": _totals(backtest),
        "gains": {
            other: dict(zip(("mean", "error"), gain(backtest, other), strict=True)) for other in others
        },
        "first": first,
        "periods": periods,
        "hindsight": backtest.hindsight,
        "skipped": backtest.skipped,
        "left_out": {"no_period": backtest.no_period, "no_pd": backtest.no_pd},
    }
