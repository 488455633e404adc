"""What is best in the worst of several stresses: the floor, its bound, and how both are run by themselves."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

from rich.console import Group, RenderableType

from allocator.insight.whatif.worst import WorstOf
from allocator.records.stress import BASE
from allocator.report.money import percent, small
from allocator.report.named import Figures, named_table
from allocator.report.plain import STOPPED_NOTE, Text
from allocator.report.view import View


def worst_view(found: WorstOf) -> View:
    """The floor under several stresses."""
    return View(partial(_page, found), partial(_document, found))


def _page(found: WorstOf) -> RenderableType:
    scenario, outcome = found.scenario, found.outcome
    currency = scenario.policy.currency
    title = f"{scenario.name}: worth {found.floor:,.2f} {currency} in the worst of {', '.join(found.names)}"
    told = f"no allocation is worth more than {found.bound:,.2f} in the worst, gap {small(found.gap)}"
    funded = f"{outcome.account.funded:,} of {len(outcome.inputs.portfolio):,} borrowers funded"
    columns = [
        Figures("value", [f"{value:,.2f}" for value in found.values]),
        Figures("weight", [percent(weight) if weight else "" for weight in found.weights]),
    ]
    note = "weight: of the mean over the stresses whose certified bound it is"
    table = named_table("stress", list(found.names), columns)
    late = [Text(STOPPED_NOTE)] if outcome.stopped else []
    parts = [Text(title, style="bold"), Text(told), Text(funded), "", table, Text(note), *late]
    return Group(*parts, *map(Text, _settings(found)))


def _settings(found: WorstOf) -> list[str]:
    """How a run of its own has the floor, where a limit may say it: it holds without any stress too."""
    floor = math.floor(100 * found.floor) / 100
    under = [name for name in found.names if name != BASE]
    if found.in_base < floor:
        return []
    entry = f"{{name: worst, measure: value, at_least: {floor:.15g}, under: [{', '.join(under)}]}}"
    return ["", "As a run of its own: allocator solve FILE --out DIR --set", f'  "policy.limits=[{entry}]"']


def _document(found: WorstOf) -> Mapping[str, Any]:
    each = zip(found.names, found.values, found.weights, strict=True)
    return {
        "name": found.scenario.name,
        "currency": found.scenario.policy.currency,
        "worst": found.floor,
        "bound": found.bound,
        "gap": found.gap,
        "funded": found.outcome.account.funded,
        "stresses": [{"name": name, "value": value, "weight": weight} for name, value, weight in each],
    }
