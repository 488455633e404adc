"""The limits of a run as a table: the binding ones and the nearest ones first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType

from allocator.records.scenario import Limit
from allocator.report.money import Unit, percent, small
from allocator.report.plain import Entry, Text, more, plain_table
from allocator.report.room import WIDTH, room

_SIGNS = {"at_most": "\u2264", "at_least": "\u2265", "exactly": "="}
"""What says the sense on a narrow page."""
MOST = 25
"""Limits shown; `each` can make hundreds."""


def limits_table(uses: Sequence[Mapping[str, Any]], policy: Sequence[Limit], unit: Unit) -> RenderableType:
    """Use, bound, slack and shadow price of each limit; `uses` as summary.json lists them, the budget first.

    A limit relative to what is lent shows its use and its bound as shares, and its slack as money.
    """
    shares = {limit.name: limit for limit in policy if limit.of in ("total", "drawn")}
    title = f"Limits, amounts in {unit}; shadow price: what one more {unit.currency} of bound adds"
    table = plain_table(("limit", 34), "used", "bound", "slack", "shadow price", ("", 10))
    ordered = _nearest_first(uses)
    shown, hidden = limits_shown(ordered, [use["name"] for use in ordered], "limits with more slack")
    for use in shown:
        share = shares.get(use["name"].partition("[")[0]) or shares.get(use["name"])
        table.add_row(*_cells(use, share, unit))
    return Group(Text(title, style="bold"), table, *hidden)


def limits_shown(
    limits: Sequence[Entry], names: Sequence[str], what: str, most: int = MOST
) -> tuple[list[Entry], list[str]]:
    """The `limits` that a table of `most` rows shows, in their order, and a line on how many more there are.

    A limit that stands for itself is never left out for rows that an `each` has made of another.
    """
    own = {number for number, name in enumerate(names) if not of_each(name)}
    others = [number for number in range(len(names)) if number not in own]
    places = sorted(own | set(others[: max(most - len(own), 0)]))
    return [limits[number] for number in places], more(len(names) - len(places), what)


def own_first(names: Iterable[str]) -> list[str]:
    """`names` of limits, those before the rows of an `each`."""
    return sorted(names, key=of_each)


def of_each(name: str) -> bool:
    """Whether a row was made by an `each`: no name that a limit is given has brackets."""
    return name.endswith("]")


def _nearest_first(uses: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The budget, then the binding limits, then the others by their slack as a share of the bound."""
    budget, *others = uses

    def distance(use: Mapping[str, Any]) -> tuple[bool, float]:
        return not use["binding"], use["slack"] / max(abs(use["bound"]), abs(budget["bound"]) / 1000, 1e-300)

    return [budget, *sorted(others, key=distance)]


def _cells(use: Mapping[str, Any], share: Limit | None, unit: Unit) -> list[RenderableType]:
    write = (lambda count: f"{count:,.10g}") if use["measure"] == "loans" else unit.write
    sense = use["sense"].replace("_", " ") if room() == WIDTH else _SIGNS[use["sense"]]
    used, bound = write(use["used"]), f"{sense} {write(use['bound'])}"
    if share is not None:
        # The stated bound is share x reference; where either is 0 there is no share to state.
        used = percent(use["used"] / use["bound"] * share.bound) if use["bound"] else ""
        bound = f"{sense} {percent(share.bound)} of {share.of}"
    price = small(use["price"]) if use["price"] else ""
    state = "broken" if use["broken"] else "binding" if use["binding"] else ""
    return [Text(use["name"]), used, bound, write(use["slack"]), price, state]
