"""The optimum of a book, where limits may hang on a condition."""

from __future__ import annotations

from allocator.engine.conditions import optimise_under_conditions
from allocator.engine.optimise import optimise
from allocator.limits import compile_limits
from allocator.records.filters import meets
from allocator.records.limits import Limits, conditional, in_force
from allocator.records.offers import OfferBook
from allocator.records.portfolio import Portfolio
from allocator.records.progress import Progress
from allocator.records.scenario import Policy
from allocator.records.solution import Solution
from allocator.records.strategy import SolverSettings


def best_under(
    policy: Policy, portfolio: Portfolio, offers: OfferBook, settings: SolverSettings, progress: Progress
) -> Solution:
    """The best of the offers under the policy's limits, none on the Herfindahl index.

    Raises what `optimise` raises.
    """
    hanging = conditional(policy)
    if not hanging:
        return optimise(offers, compile_limits(policy, portfolio), settings, progress)

    def compiled(held: frozenset[str]) -> Limits:
        return compile_limits(in_force(policy, held), portfolio)

    groups = {limit.name: meets(limit.if_lent_to, portfolio) for limit in hanging}
    return optimise_under_conditions(offers, compiled, groups, settings, progress)
