"""A backtest: what each strategy would have earned, added up period by period."""

from __future__ import annotations

from itertools import accumulate

from allocator.insight.backtest.backtest import Backtest
from allocator.report.colours import Shade
from allocator.report.drawing.chart import Axis, Chart, Curve, Plot
from allocator.report.drawing.units import short

_LOOKS: tuple[tuple[Shade, str], ...] = (
    ("deep", "line"), ("third", "dashed"), ("rest", "dotted"), ("third", "line"), ("first", "dashed"),
    ("rest", "line"),
)  # fmt: skip
"""Told apart by dashes too."""


def backtest_chart(backtest: Backtest, notes: tuple[str, ...]) -> Chart:
    """A curve a strategy."""
    periods = tuple(backtest.hindsight)
    curves, ends = [], []
    for i, strategy in enumerate(backtest.strategies):
        own = {tested.period: tested.happened for tested in backtest.of(strategy)}
        sums = accumulate(own.get(period, 0.0) for period in periods)
        points = tuple((float(place), total) for place, total in enumerate(sums))
        shade, look = _LOOKS[i % len(_LOOKS)]
        curves.append(Curve(strategy, points, shade, look))  # type: ignore[arg-type]
        ends.append(f"{strategy} {short(points[-1][1]) if points else '0'}")
    currency = backtest.scenario.policy.currency
    panel = Plot(
        "What happened, added up",
        Axis("period", words=periods),
        Axis("value", "money", currency),
        tuple(curves),
    )
    answer = f"After {len(periods)} periods, {currency}: {', '.join(ends)}."
    return Chart(
        f"{backtest.scenario.name}: decided by what was known, scored by what happened",
        answer,
        (panel,),
        notes,
    )
