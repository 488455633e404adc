"""The optimum under limits that are kept by cuts: on an index, the largest, the worst years of sectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from allocator.engine.concentration import optimise_with_cuts
from allocator.engine.convex import Convex, Groups, Largest, Worst
from allocator.engine.prices import WHOLE_UP_TO
from allocator.errors import Fault, InputError
from allocator.limits import TermsByRule, compile_limits
from allocator.limits.concentration import largest_of, losses_of
from allocator.records.case import Case
from allocator.records.cuts import HHI, Cut
from allocator.records.filters import meets
from allocator.records.limits import Limits
from allocator.records.portfolio import Portfolio
from allocator.records.progress import Progress
from allocator.records.scenario import BUDGET, Limit, Policy
from allocator.records.solution import Solution

_GROUPS_UP_TO = 100
"""Groups of which the largest are limited, beyond WHOLE_UP_TO borrowers."""


def best_with_cuts(case: Case, progress: Progress, start: Mapping[str, float] | None) -> Solution:
    """The optimum under convex limits too, with the cuts that bound it."""
    policy, portfolio = case.scenario.policy, case.inputs.portfolio
    groups = [_groups(limit, policy, portfolio) for limit in policy.convex]
    _require_few(case, groups)
    known = {own.limit: own.weights for own in groups if isinstance(own, Worst)}
    by_rule: TermsByRule = {}

    def compiled(cuts: Sequence[Cut], hair: float) -> Limits:
        tight = replace(policy, cuts=tuple(cuts))
        for limit in policy.convex:
            tight = tight.with_bound(limit.name, limit.bound * (1.0 - 2.0 * hair))
        return compile_limits(tight, portfolio, known, by_rule)

    settings = case.scenario.solver
    solution = optimise_with_cuts(case.offers, compiled, groups, policy.cuts, settings, progress, start)
    return replace(solution, limits=compiled(solution.cuts, 0.0))


def _require_few(case: Case, groups: Sequence[Convex]) -> None:
    """Raises InputError for a limit on the largest of more groups than cuts end for, in a large book."""
    for own in groups if len(case.offers) > WHOLE_UP_TO else ():
        if isinstance(own, Largest) and len(own.labels) > _GROUPS_UP_TO:
            many = f"{len(own.labels):,} groups of {len(case.offers):,} borrowers"
            problem = f"limit {own.limit!r} is on the largest of {many}, which is not yet solved"
            remedy = f"cap each instead, or count by a column of {_GROUPS_UP_TO} values, as by: sector"
            raise InputError.of([Fault(problem, remedy, field="policy.limits")], "scenario")


def _groups(limit: Limit, policy: Policy, portfolio: Portfolio) -> Convex:
    if limit.measure != HHI:
        of = limit.reference
        row = None if of is None else ("offered", "drawn").index(of.basis)
        referred = meets(of.where, portfolio) if of is not None and of.where else None
        bound = limit.bound * policy.amount_of(limit)
        if limit.top is not None:
            own = largest_of(limit, portfolio)
            return Largest(limit.name, bound, limit.top, *own, portfolio.exposure, row, referred)
        return Worst(limit.name, bound, *losses_of(limit, portfolio), portfolio.exposure, row, referred)
    column = portfolio.text(limit.by or "")
    lent = np.bincount(column.codes, portfolio.exposure, minlength=len(column.values)).astype(np.float64)
    whole = policy.budget.amount if limit.of == BUDGET else None
    return Groups(limit.name, limit.bound, column.values, column.codes, lent, whole)
