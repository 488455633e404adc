"""The most value per unit of money first."""

from __future__ import annotations

from allocator.engine.greedy import greedy
from allocator.records.case import Case
from allocator.records.progress import Progress
from allocator.records.solution import Solution
from allocator.strategies.plan import Plan, filled, ready


def by_greed(case: Case, optimum: Solution, progress: Progress) -> Plan:
    """Everybody's best offer, in the order in which a unit of budget earns most: the engine's own start."""
    return filled(greedy(ready(case)), case.offers)
