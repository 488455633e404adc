"""The price of everything on one page: what each change would add, the largest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from allocator.insight.levers import Worth
from allocator.records.run import Certificate
from allocator.report.charts import Axis, Chart, Series
from allocator.report.money import percent, small
from allocator.report.plain import plain_table

_MOST = 40
_DRAWN = 12


def levers_page(found: Sequence[Worth], certificate: Certificate, name: str, currency: str) -> RenderableType:
    """The changes with the range in which what they add lies."""
    title = Text(f"{name}: what would raise its value of {certificate.value:,.2f} {currency}", style="bold")
    table = plain_table()
    table.add_column("change of", overflow="fold", max_width=27)
    table.add_column("from, to", overflow="fold", max_width=30)
    for heading in ("at least", "at most", "of value"):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in found[:_MOST]:
        share = percent(one.high / certificate.value) if certificate.value > 0 else ""
        table.add_row(Text(one.name), Text(one.change), _money(one.low), _money(one.high), share)
    more = [f"and {len(found) - _MOST} more changes worth less"] if len(found) > _MOST else []
    solved = all(one.solved for one in found)
    how = (
        "each solved again"
        if solved
        else "by the run's prices; at least: what the present allocation would add"
    )
    note = Text(f"{currency} added to the best value; {how}; the run's gap is {small(certificate.gap)}")
    return Group(title, "", table, *more, note)


def _money(amount: float) -> str:
    if not np.isfinite(amount):
        return "not known"
    return f"{amount if abs(amount) >= 0.005 else 0.0:,.2f}"


def levers_figures(
    found: Sequence[Worth], certificate: Certificate, name: str, currency: str
) -> dict[str, Any]:
    """The changes as plain values; null where a range has no end."""
    return {
        "name": name,
        "currency": currency,
        "value": certificate.value,
        "bound": certificate.bound,
        "levers": [vars(one) for one in found],
    }


def levers_chart(found: Sequence[Worth], name: str, currency: str) -> Chart:
    """The dearest levers as bars."""
    drawn = [one for one in found if np.isfinite(one.high)][:_DRAWN]
    words = [one.name for one in drawn]
    low = [max(one.low, 0.0) if np.isfinite(one.low) else 0.0 for one in drawn]
    series = (
        Series("at least", words, low, "bars"),
        Series("at most", words, [one.high for one in drawn], "bars"),
    )
    return Chart(f"{name}: what each change would add", Axis("change"), Axis(currency), series)
