"""Near-optimal allocations: what each has of what it seeks, what it costs, and what no allocation reaches."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType

from allocator.insight.whatif.alternatives import Alternative, Alternatives
from allocator.report.money import percent
from allocator.report.named import Figures, named_table
from allocator.report.plain import Text, notes_of
from allocator.report.view import View

if TYPE_CHECKING:
    import pandas as pd


def alternatives_view(record: Alternatives, out: Path | None = None) -> View:
    """The alternatives of a scenario; in the file `out`, if given, what each offers every borrower."""
    files = {} if out is None else {out: _offers(record)}
    return View(partial(_page, record), partial(_document, record), files=files)


def _offers(record: Alternatives) -> pd.DataFrame:
    """A row per borrower: amount and rate of the optimum and of each alternative, 0 for no offer."""
    import pandas as pd

    columns: dict[str, Any] = {"borrower_id": record.optimum.inputs.portfolio.borrower_id}
    named = [("optimum", record.optimum), *((way.aim.name, way.outcome) for way in record.alternatives)]
    for name, outcome in named:
        columns[f"{name}: amount"] = outcome.decisions.amount
        columns[f"{name}: rate"] = outcome.decisions.rate
    return pd.DataFrame(columns)


def _page(record: Alternatives) -> RenderableType:
    optimum, ways = record.optimum, record.alternatives
    title = f"{optimum.name}: alternatives worth at least {record.floor:,.2f} {optimum.currency}, "
    title += f"{percent(record.within)} less than the optimum"
    columns = [
        Figures("optimum", [_figure(way.optimum) for way in ways]),
        Figures("found", [_figure(way.reached) for way in ways]),
        Figures("no allocation has", [_beyond(way) for way in ways]),
        Figures("value", [f"{way.outcome.value:,.2f}" for way in ways]),
        Figures("funded", [f"{way.outcome.account.funded:,}" for way in ways]),
    ]
    table = named_table("with", [way.aim.name for way in ways], columns)
    lines = [f"  {_setting(way)}" for way in ways if way.reached != way.optimum]
    told = ["", Text("As runs of their own: allocator solve FILE --out DIR --set ...", style="bold")]
    late = (
        [Text("the clock ended a search: longer ones may find more")] if any(w.stopped for w in ways) else []
    )
    named = [*(told if lines else ()), *map(Text, lines), *notes_of(optimum.scenario.notes)]
    return Group(Text(title, style="bold"), "", table, *late, *named)


def _figure(amount: float) -> str:
    return f"{amount:,.10g}" if float(amount).is_integer() else f"{amount:,.2f}"


def _beyond(way: Alternative) -> str:
    """What is proved to be out of reach: less than the least, more than the most."""
    word = "less" if way.aim.sense == "at_most" else "more"
    return f"{word} than {_figure(way.reach)}"


def _setting(way: Alternative) -> str:
    """The limit that the alternative keeps, to the cent, as --set takes it."""
    round_off = math.ceil if way.aim.sense == "at_most" else math.floor
    bound = round_off(100 * way.reached) / 100
    entry = f"{{name: {way.aim.name}, measure: {way.aim.measure}, {way.aim.sense}: {bound:.15g}}}"
    return f'"policy.limits=[{entry}]"'


def _document(record: Alternatives) -> Mapping[str, Any]:
    return {
        "name": record.optimum.name,
        "currency": record.optimum.currency,
        "value": record.optimum.value,
        "within": record.within,
        "floor": record.floor,
        "alternatives": [
            {
                "aim": way.aim.name,
                "measure": way.aim.measure,
                "sense": way.aim.sense,
                "optimum": way.optimum,
                "found": way.reached,
                "reach": way.reach,
                "proved": way.proved,
                "value": way.outcome.value,
                "bound": way.outcome.certificate.bound,
                "funded": way.outcome.account.funded,
                "stopped": way.stopped,
            }
            for way in record.alternatives
        ],
        "notes": record.optimum.scenario.notes,
    }
