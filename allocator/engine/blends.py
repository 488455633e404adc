"""Rows to be met exactly by cents of two kinds, and never met.

A row on what is drawn, where every offer there is has one of two take-ups, is used by s1 lots of one kind and
s2 of the other. There are few enough of the second to try them all: for each the first is the nearest whole
number or none. What equal rows say of the total, that it is one of every so many lots, must hold beside it.
So it is seen that no amounts meet the row within its tolerance, which a solver with tolerances of its own
cannot say.
"""

from __future__ import annotations

from math import gcd

import numpy as np

from allocator.engine.kernel.columns import Columns
from allocator.engine.options import options_of, uses_of
from allocator.engine.verdicts import TOLERANCE, largest_uses
from allocator.records.lots import CENT, money_to_lots
from allocator.records.portfolio import Booleans, Floats, Integers

_BORROWERS = 200
"""Up to which such a row is looked at: in larger books some amounts meet nearly everything."""
_LOTS = 3_000_000
"""Of the kind that is tried."""
_WHOLE = 2.0**53
_PLACES = 10
"""Decimal places up to which uses are looked at as decimals."""
_ROUNDING = 1e-12
"""By which part a computed use may be off its decimal."""


def unmet(columns: Columns) -> list[int]:
    """A row that no amounts meet exactly, and the equal whole rows beside which it is not met; or nothing."""
    limits, whole = columns.limits, columns.whole
    exact = [j for j, row in enumerate(limits.rows) if row.sense == "exactly" and not row.share]
    rows = [j for j in exact if j not in whole.place]
    if not rows or len(columns) > _BORROWERS:
        return []
    free = np.flatnonzero((columns.offers.menu >= 0) & ~columns.offers.must)
    options = options_of(columns, free)
    uses, pinned = uses_of(columns, options), columns.pinned_use()
    lot = columns.offers.step or CENT
    for j in rows:
        kinds = np.unique(uses.unit[j])
        if not len(kinds) or np.any(uses.loan[j]):
            continue
        right, allowed = float(limits.rhs[j] - pinned[j]), _tolerance(columns, j, kinds)
        if _off_grid(kinds * lot, right, allowed):
            return [j]
        if len(kinds) > 2 or 0.0 in kinds:
            continue
        most = [_most_lots(columns, options.position[uses.unit[j] == kind], lot) for kind in kinds]
        sums = _sums(kinds * lot, most, right, allowed)
        if sums is None or np.any(_on_lattice(columns, sums)):
            continue
        beside = [whole.row[r] for r in sorted(columns.equal) if not whole.on_loans[r]]
        return [j, *(beside if len(sums) else [])]
    return []


def _off_grid(per_lot: Floats, right: float, allowed: float) -> bool:
    """Whether no whole numbers of lots come near `right`: all of `per_lot` are multiples of one decimal.

    They have one sign, so that what each may be off its decimal adds up to no more than that part of the row.
    """
    if float(np.min(per_lot)) < 0.0 < float(np.max(per_lot)):
        return False
    for scale in 10.0 ** np.arange(_PLACES):
        whole = np.rint(per_lot * scale)
        if np.max(np.abs(whole)) > _WHOLE:
            break
        if np.all(np.abs(whole - per_lot * scale) <= _ROUNDING * np.abs(whole)):
            grid = gcd(*whole.astype(np.int64).tolist()) / float(scale)
            off = abs(right - grid * round(right / grid)) if grid else abs(right)
            return off > allowed + _ROUNDING * abs(right)
    return False


def _most_lots(columns: Columns, position: Integers, lot: float) -> int:
    """Lots that the borrowers at `position` may get together."""
    return int(np.sum(money_to_lots(columns.offers.high[np.unique(position)], lot)))


def _tolerance(columns: Columns, row: int, kinds: Floats) -> float:
    """What the row may be missed by at most."""
    offers = columns.offers
    must = offers.must & (offers.menu >= 0)
    pins = largest_uses(columns, np.where(must, 0, -1), np.where(must, offers.low, 0.0), np.array([row]))
    largest = float(np.max(np.abs(kinds))) * columns.money_unit
    return 1.01 * TOLERANCE * max(float(columns.limits.sizes[row]), largest, float(pins[0]))


def _sums(per_lot: Floats, most: list[int], right: float, allowed: float) -> Floats | None:
    """(found,) lots of both kinds together that meet the row; None where they cannot all be tried."""
    fewer, other = (0, -1) if most[0] <= most[-1] else (-1, 0)
    if most[fewer] > _LOTS or allowed >= abs(float(per_lot[other])) / 2:
        return None
    second = np.arange(most[fewer] + 1.0) if len(per_lot) > 1 else np.zeros(1)
    left = right - per_lot[fewer] * second
    first = np.rint(left / per_lot[other])
    kept = (np.abs(left - per_lot[other] * first) <= allowed) & (first >= 0) & (first <= most[other])
    return np.asarray((first + second)[kept])


def _on_lattice(columns: Columns, lots: Floats) -> Booleans:
    """(found,) whether so many lots of new offers are a total that the equal rows allow."""
    total = columns.equalities.total
    if total is None:
        return np.ones(len(lots), dtype=bool)
    first, every = total
    return np.array([(int(count) * columns.whole.lot - first) % every == 0 for count in lots], dtype=bool)
