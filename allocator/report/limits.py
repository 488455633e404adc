"""The limits of a run as a table: the binding ones and the nearest ones first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType

from allocator.records.scenario import Limit
from allocator.report.money import Unit, percent, small
from allocator.report.plain import Text, plain_table

MOST = 25
"""Limits shown; `each` can make hundreds."""


def limits_table(uses: Sequence[Mapping[str, Any]], policy: Sequence[Limit], unit: Unit) -> RenderableType:
    """Use, bound, what is left and price of each limit; `uses` as summary.json lists them, the budget first.

    A limit relative to what is lent shows its use and its bound as shares, and what is left as money.
    """
    shares = {limit.name: limit for limit in policy if limit.of in ("total", "drawn")}
    title = f"Limits, amounts in {unit}; price: what one more {unit.currency} of room is worth"
    table = plain_table()
    table.add_column("limit", overflow="fold", max_width=34)
    for heading in ("used", "bound", "left", "price"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("")
    ordered = _nearest_first(uses)
    for use in ordered[:MOST]:
        share = shares.get(use["name"].partition("[")[0]) or shares.get(use["name"])
        table.add_row(*_cells(use, share, unit))
    more = [f"and {len(ordered) - MOST} more limits with more room left"] if len(ordered) > MOST else []
    return Group(Text(title, style="bold"), table, *more)


def _nearest_first(uses: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The budget, then the binding limits, then the others by the share of their bound that is left."""
    budget, *others = uses

    def distance(use: Mapping[str, Any]) -> tuple[bool, float]:
        return not use["binding"], use["slack"] / max(abs(use["bound"]), abs(budget["bound"]) / 1000, 1e-300)

    return [budget, *sorted(others, key=distance)]


def _cells(use: Mapping[str, Any], share: Limit | None, unit: Unit) -> list[RenderableType]:
    write = (lambda count: f"{count:,.10g}") if use["measure"] == "loans" else unit.write
    sense = use["sense"].replace("_", " ")
    used, bound = write(use["used"]), f"{sense} {write(use['bound'])}"
    if share is not None:
        # The stated bound is share x reference; where either is 0 there is no share to state.
        used = percent(use["used"] / use["bound"] * share.bound) if use["bound"] else ""
        bound = f"{sense} {percent(share.bound)} of {share.of}"
    price = small(use["price"]) if use["price"] else ""
    state = "broken" if use["broken"] else "binding" if use["binding"] else ""
    return [Text(use["name"]), used, bound, write(use["slack"]), price, state]
