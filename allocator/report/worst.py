"""What decisions are worth in each of several stresses whose least value counts, and its bound."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from rich.console import Group, RenderableType

from allocator.records.outcome import Outcome
from allocator.report.money import gap, percent
from allocator.report.named import Figures, named_table
from allocator.report.plain import STOPPED_NOTE, Text
from allocator.report.view import View


def worst_view(outcome: Outcome) -> View:
    """The floor under several stresses."""
    return View(partial(_page, outcome), partial(_document, outcome))


def worst_table(each: Mapping[str, Mapping[str, float]]) -> RenderableType:
    """Stress -> its weight and value, as summary.json has them, as a table."""
    columns = [
        Figures("value", [f"{own['value']:,.2f}" for own in each.values()]),
        Figures("weight", [percent(own["weight"]) if own["weight"] else "" for own in each.values()]),
    ]
    note = "weight: of the mean over the stresses whose certified bound it is"
    return Group(named_table("stress", list(each), columns), Text(note))


def _page(outcome: Outcome) -> RenderableType:
    names, currency = outcome.scenario.stress.worst, outcome.currency
    title = f"{outcome.name}: worth {outcome.value:,.2f} {currency} in the worst of {', '.join(names)}"
    told = f"no allocation is worth more than {outcome.bound:,.2f} in the worst, gap {gap(outcome.gap)}"
    funded = f"{outcome.account.funded:,} of {len(outcome.inputs.portfolio):,} borrowers funded"
    late = [Text(STOPPED_NOTE)] if outcome.stopped else []
    key = f'--set "stress.worst_of=[{", ".join(names)}]"'
    own: list[RenderableType] = [Text(""), Text(f"As a run of its own: allocator solve FILE --out DIR {key}")]
    table = worst_table(outcome.certificate.in_each)
    return Group(Text(title, style="bold"), Text(told), Text(funded), "", table, *late, *own)


def _document(outcome: Outcome) -> Mapping[str, Any]:
    return {
        "name": outcome.name,
        "currency": outcome.currency,
        "worst": outcome.value,
        "bound": outcome.bound,
        "gap": outcome.gap,
        "funded": outcome.account.funded,
        "stresses": [{"name": name, **own} for name, own in outcome.certificate.in_each.items()],
    }
