"""The shares of rules whose rates are settled: refined inside the limits, rounded, stretched to the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from allocator.engine.kernel.columns import Columns
from allocator.insight.distil.pruning import refined_shares
from allocator.insight.distil.totals import NodeTotals, totals_of
from allocator.records.portfolio import Floats, Integers

_REACHES = (0.1, 0.02, 0.02, 0.02, 0.02, 0.02, 0.05, 0.1)
"""How far shares may move in each refinement."""
NEAR = 0.02
"""Reach at which a refinement may be the last."""
POINTS = 21
LEAST = 0.01
"""Smallest share that a rule may end at."""
DIGITS = 6
"""Decimals of a share."""
_EXACT_DIGITS = 15
"""Where a limit must be met to the cent."""


@dataclass(frozen=True)
class DraftRule:
    """A rule whose share is not settled yet."""

    members: Integers
    rate: float
    share: float

    def totals(self, columns: Columns, shares: Sequence[float]) -> NodeTotals:
        return totals_of(columns, self.members, shares, np.array([self.rate]))


def settled_drafts(columns: Columns, drafts: list[DraftRule], left: Floats) -> list[DraftRule]:
    """Shares inside the limits, rounded: refined again with less room where rounding breaks one."""
    room = left
    for reach in _REACHES:
        drafts = [
            replace(draft, share=float(np.floor(draft.share * 10**DIGITS) / 10**DIGITS))
            for draft in _refined_drafts(columns, drafts, room, reach)
        ]
        over = violations(columns, left - use_of(columns, drafts))
        if reach <= NEAR and not np.any(over):
            break
        room = room - 1.5 * over
    return drafts


def _refined_drafts(columns: Columns, drafts: list[DraftRule], left: Floats, reach: float) -> list[DraftRule]:
    """Drafts with the best shares within `reach` of theirs; as they are where none keeps the limits."""
    steps = reach * np.linspace(-1, 1, POINTS)
    shares = [np.unique(np.clip(draft.share + steps, LEAST, 1.0)) for draft in drafts]
    totals = [draft.totals(columns, own.tolist()) for draft, own in zip(drafts, shares, strict=True)]
    best = refined_shares(columns, totals, shares, left)
    if best is None:
        return drafts
    return [replace(draft, share=float(share)) for draft, share in zip(drafts, best, strict=True)]


def use_of(columns: Columns, drafts: Sequence[DraftRule]) -> Floats:
    """(m,) what all drafts use."""
    used = (draft.totals(columns, (draft.share,)).use[0, 0] for draft in drafts)
    return sum(used, np.zeros(len(columns.limits)))


def violations(columns: Columns, left: Floats) -> Floats:
    """(m,) by how much each limit is broken where `left` remains of it; below 0 where a floor is missed."""
    floors = np.array([sense == "at_least" for sense in columns.limits.senses])
    over = np.where(floors, -np.maximum(left, 0.0), np.maximum(-left, 0.0))
    return np.where(np.abs(over) > 1e-10 * columns.scale, over, 0.0)


def stretched_drafts(columns: Columns, drafts: list[DraftRule], left: Floats) -> list[DraftRule]:
    """Each share raised as far as the limits let it and it earns more.

    Where a limit must be met exactly shares have all digits and are raised whatever they earn.
    """
    exact = "exactly" in columns.limits.senses
    digits = _EXACT_DIGITS if exact else DIGITS
    left = left - use_of(columns, drafts)
    stretched_drafts = []
    for draft in drafts:
        first = best = draft.totals(columns, (draft.share,))
        before = violations(columns, left)
        low, high = draft.share, 1.0
        while (middle := round((low + high) / 2, digits)) not in (low, high):
            now = draft.totals(columns, (middle,))
            worth = exact or now.value[0, 0] > best.value[0, 0]
            after = violations(columns, left - (now.use[0, 0] - first.use[0, 0]))
            if worth and np.all(np.abs(after) <= np.abs(before)):
                low, best = middle, now
            else:
                high = middle
        stretched_drafts.append(replace(draft, share=low))
        left = left - (best.use[0, 0] - first.use[0, 0])
    return stretched_drafts
