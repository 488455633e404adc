"""How near they came whom prices crowd out: what their best offer earns, and what limits charge it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from allocator.insight.explain.offers import offers_to
from allocator.insight.explain.position import Position
from allocator.records.limits import entry_of
from allocator.records.portfolio import Booleans
from allocator.records.reasons import crowded_out


@dataclass(frozen=True)
class Shortfall:
    """The best offer before limits of somebody crowded out, all a unit of what it lends."""

    earns: float
    """Its value."""
    needed: float
    """What the limits charge it: the sum of `charges`, no less than it earns."""
    charges: Mapping[str, float]
    """Limit -> its charge, largest first; the cuts of one limit are summed, limits that charge nothing left
    out."""


def shortfall_of(position: Position, i: int) -> Shortfall | None:
    """What borrower `i` lacks; None for who is not crowded out by the price of a limit."""
    if position.reasons[i] not in _entries(position):
        return None
    offers = offers_to(position, i)
    k = int(np.argmax(offers.ledger.value))
    amount = float(offers.amount[k])
    charges: dict[str, float] = {}
    for name, charge in offers.charges.items():
        head = name.partition("[")[0]
        limit = head if head in position.prices else name
        charges[limit] = charges.get(limit, 0.0) + float(charge[k]) / amount
    order = sorted((name for name in charges if charges[name]), key=lambda name: -charges[name])
    earns = float(offers.ledger.value[k]) / amount
    return Shortfall(earns, sum(charges.values()), {name: charges[name] for name in order})


def beyond_one_limit(position: Position) -> Booleans:
    """(n,) who would be worth what the limit charges that crowds them out: other limits' prices decide too.

    Of a limit with several rows it is what all of them charge.
    """
    why, columns = position.reasons, position.columns
    out = np.zeros(len(why), dtype=bool)
    codes, reasons = pd.factorize(why)
    entries = _entries(position)
    free = position.responses.respond(np.zeros(len(columns.limits)))
    for entry in {entries[reason] for reason in reasons if reason in entries}:
        named = [code for code, reason in enumerate(reasons) if entries.get(reason) == entry]
        i = np.flatnonzero(np.isin(codes, named))
        own = [price if entry_of(row.name) == entry else 0.0
               for row, price in zip(columns.limits.rows, position.row_prices, strict=True)]  # fmt: skip
        few = columns.subset(i)
        used = few.by_channel(free.option[i], free.amount[i])
        table = few.limits.charges(np.array(own))
        charge = sum(table[few.limits.cell, h] * use for h, use in enumerate(used))
        out[i] = free.reduced[i] > charge
    return out


def _entries(position: Position) -> dict[str, str]:
    """Reason -> the entry whose price it names; none where a strategy gave the reasons."""
    if position.run.why is not None:
        return {}
    return {crowded_out(row.name): entry_of(row.name) for row in position.case.limits.rows}
