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


def worst_view(found: Outcome) -> View:
    """The floor under several stresses."""
    return View(partial(_page, found), partial(_document, found))


def worst_table(each: Mapping[str, Mapping[str, float]]) -> RenderableType:
    """Stress -> its weight and value, as summary.json has them, as a table."""
    columns = [
        Figures("value", [f"{own['value']:,.2f}" for own in each.values()]),
        Figures("weight", [percent(own["weight"]) if own["weight"] else "" for own in each.values()]),
    ]
    note = "weight: of the mean over the stresses whose certified bound it is"
    return Group(named_table("stress", list(each), columns), Text(note))


def _page(found: Outcome) -> RenderableType:
    names, currency = found.scenario.stress.worst, found.currency
    title = f"{found.name}: worth {found.value:,.2f} {currency} in the worst of {', '.join(names)}"
    told = f"no allocation is worth more than {found.bound:,.2f} in the worst, gap {gap(found.gap)}"
    funded = f"{found.account.funded:,} of {len(found.inputs.portfolio):,} borrowers funded"
    late = [Text(STOPPED_NOTE)] if found.stopped else []
    key = f'--set "stress.worst_of=[{", ".join(names)}]"'
    own: list[RenderableType] = [Text(""), Text(f"As a run of its own: allocator solve FILE --out DIR {key}")]
    table = worst_table(found.certificate.in_each)
    return Group(Text(title, style="bold"), Text(told), Text(funded), "", table, *late, *own)


def _document(found: Outcome) -> Mapping[str, Any]:
    return {
        "name": found.name,
        "currency": found.currency,
        "worst": found.value,
        "bound": found.bound,
        "gap": found.gap,
        "funded": found.account.funded,
        "stresses": [{"name": name, **own} for name, own in found.certificate.in_each.items()],
    }
