"""Along which line a limit moves: bound -> case, and how the certified bound answers.

A limit in money, in loans or as a share of the budget moves right-hand sides alone: for fixed prices U is
linear in its bound, so that every price vector ever found bounds every point, by a line. A share of what is
lent moves coefficients: U is then convex in it, and is evaluated anew where it is wanted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from allocator.certification.bound import upper_bound
from allocator.certification.economics import Bases
from allocator.certification.limits import Block, blocks_of
from allocator.certification.terms import Terms, terms_of
from allocator.errors import Fault, InputError
from allocator.insight.variants import with_policy
from allocator.records.case import Case
from allocator.records.cuts import HHI
from allocator.records.limits import conditional, entry_of
from allocator.records.outcome import Outcome
from allocator.records.portfolio import Floats
from allocator.records.scenario import BUDGET, COUNTED


@dataclass(frozen=True)
class Track:
    """The limits that move, and the case that they move in."""

    case: Case
    names: tuple[str, ...]
    shares: tuple[bool, ...]
    """Which of the limits are shares of what is lent."""
    _directions: dict[tuple[int, tuple[float, ...]], Floats] = field(default_factory=dict, repr=False)
    """What `direction` found, by the axis and the other limits' bounds."""

    @cached_property
    def terms(self) -> Terms:
        """What may be offered to whom: no limit changes that."""
        scenario, inputs = self.case.scenario, self.case.inputs
        return terms_of(inputs.portfolio, inputs.churn, scenario.response, scenario.policy)

    @property
    def bends(self) -> tuple[bool, ...]:
        """Along which U at the prices of a point is no line: shares, and all where cuts differ by point.

        Under limits on a condition prices prove one case alone, and no line at all.
        """
        policy = self.case.scenario.policy
        return tuple(own or bool(policy.convex or conditional(policy)) for own in self.shares)

    @property
    def counted(self) -> tuple[bool, ...]:
        """Along which bounds are whole numbers: of loans, or of clients."""
        entries = map(self.case.scenario.policy.entry, self.names)
        return tuple(
            own is not None and own.measure in COUNTED and own.weight is None and own.of is None
            for own in entries
        )

    @property
    def now(self) -> tuple[float, ...]:
        """The bounds as the scenario states them."""
        return tuple(map(self.case.scenario.policy.bound_of, self.names))

    def case_with(self, bounds: tuple[float, ...]) -> Case:
        """The case with these bounds."""
        if bounds == self.now:
            return self.case
        policy = self.case.scenario.policy
        for name, bound in zip(self.names, bounds, strict=True):
            policy = policy.with_bound(name, bound)
        return with_policy(self.case, policy)

    def bound(self, bounds: tuple[float, ...], prices: Mapping[str, float]) -> float:
        """U(prices) where the limits have these bounds, by certification: from the inputs alone."""
        return self.bound_of(self.case_with(bounds), prices)

    def bound_of(self, case: Case, prices: Mapping[str, float]) -> float:
        """U(prices) of a case on the track; inf beside limits on a condition: a tree alone bounds those."""
        policy, portfolio = case.scenario.policy, case.inputs.portfolio
        if conditional(policy):
            return np.inf
        return upper_bound(portfolio, policy, self.terms, blocks_of(policy, portfolio), prices)

    def direction(self, axis: int, bounds: tuple[float, ...]) -> Floats:
        """(m,) change of the rows' right-hand sides a unit of one bound; only where it does not bend.

        They are linear in it, so that it is looked for once for all bounds of the one limit.
        """
        others = axis, bounds[:axis] + bounds[axis + 1 :]
        if others not in self._directions:
            self._directions[others] = self._direction(axis, bounds)
        return self._directions[others]

    def _direction(self, axis: int, bounds: tuple[float, ...]) -> Floats:
        step = max(abs(bounds[axis]), 1.0)
        further = tuple(bound + step * (number == axis) for number, bound in enumerate(bounds))
        moved = self.case_with(further).limits.rhs - self.case_with(bounds).limits.rhs
        return np.asarray(moved / step)

    def slopes(self, bounds: tuple[float, ...], outcome: Outcome) -> tuple[float, ...]:
        """dU/dbound at the outcome's prices, one per limit."""
        own = self._with_cuts(outcome) if self.case.scenario.policy.convex else self
        prices = np.array([outcome.prices[row.name] for row in own.case.limits.rows])
        return tuple(
            self._slope_of_share(name, outcome) if share else own._slope(axis, name, bounds, prices)
            for axis, (name, share) in enumerate(zip(self.names, self.shares, strict=True))
        )

    def _with_cuts(self, outcome: Outcome) -> Track:
        """The track with the rows that the outcome's prices are of."""
        policy = replace(self.case.scenario.policy, cuts=outcome.certificate.cuts)
        return replace(self, case=with_policy(self.case, policy), _directions={})

    def _slope(self, axis: int, name: str, bounds: tuple[float, ...], prices: Floats) -> float:
        policy = self.case.scenario.policy
        idle = max(0.0, policy.idle_yield - max(float(prices[0]), 0.0))
        return float(prices @ self.direction(axis, bounds)) + idle * (name == BUDGET)

    def _slope_of_share(self, name: str, outcome: Outcome) -> float:
        """A unit more of the share is as much more room as is lent: price times reference.

        The cuts of a Herfindahl index h allow sqrt(h) times as much: by 1 / (2 sqrt(h)) of it more a unit.
        """
        limit = outcome.scenario.policy.entry(name)
        if limit is not None and limit.measure == HHI:
            uses = [use for use in outcome.certificate.limits if entry_of(use.name) == name]
            return sum(use.price * use.bound for use in uses if use.name != name) / (2.0 * limit.bound)
        portfolio, policy = outcome.inputs.portfolio, outcome.scenario.policy
        blocks = [own for own in blocks_of(policy, portfolio) if entry_of(own.names[0]) == name]
        return sum(self._worth_of_share(block, outcome) for block in blocks)

    def _worth_of_share(self, block: Block, outcome: Outcome) -> float:
        lent = float(np.sum(block.referred(getattr(Bases.of(outcome.ledger), block.reference))))
        lent += block.reference_lent
        return lent * float(np.sum(block.allowed(outcome.prices)))


def track_of(case: Case, names: tuple[str, ...]) -> Track:
    """The limits `names` of the case's policy.

    Raises InputError where there is none of that name, or where it is only reported.
    """
    scenario = case.scenario
    limits = [scenario.policy.entry(name, "--limit") for name in names]
    reported = [limit.name for limit in limits if limit is not None and not limit.penalty]
    if reported:
        problem = f"limit {reported[0]!r} is only reported: nothing depends on its bound"
        fault = Fault(problem, "write `enforce: hard`, or name another limit", field="--limit")
        raise InputError.of([fault], "limits")
    shares = tuple(
        limit is not None and (limit.reference is not None or limit.measure == HHI) for limit in limits
    )
    return Track(case, names, shares)
