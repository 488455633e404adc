"""The certificate: bound, value and every limit, recomputed from the inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from allocator.certification.bands import Grid
from allocator.certification.capital import with_requirements
from allocator.certification.cases import Table, coarsest_lots, steps_of, table_of
from allocator.certification.concentration import convex_uses, with_cuts
from allocator.certification.decisions import WrongDecisions, judge_decisions
from allocator.certification.limits import Block, blocks_of
from allocator.certification.list_bounds import RoundedProver
from allocator.certification.members import lent_to
from allocator.certification.parts import PART, recompute
from allocator.certification.price_lists import Segments, list_faults, posted_faults, stated_lists
from allocator.certification.rounding import DEEPEST, UNIT, UNKNOWN, Rounded
from allocator.certification.terms import Tariffs, allowed_terms, tariffs_of
from allocator.certification.tree import lots_of, stated_tree, tree_faults
from allocator.certification.uses import limit_uses
from allocator.certification.worst import least_of, worths_of
from allocator.errors import CertificateError, Fault
from allocator.records.case import Inputs
from allocator.records.limits import conditional, entry_of, in_force
from allocator.records.outcome import Outcome
from allocator.records.portfolio import Portfolio
from allocator.records.run import Certificate, Decisions, LimitUse
from allocator.records.scenario import Policy, Scenario

_ADDED = float(PART + 4 * DEEPEST)
"""Additions on the longest path to what of the budget is used, where that is drawn."""


@dataclass(frozen=True)
class ProvedFigures:
    """What decisions and prices come to, with what rounding leaves open."""

    prices: Rounded
    """U at the prices, where that bounds every allocation."""
    tree: float
    """The bound of a sound proof tree, or of a sound proof over price lists; inf without one."""
    value: Rounded
    alone: Rounded = UNKNOWN
    """U at the prices, under the posted list and with the conditional limits in force."""

    def is_bound(self, stated: float) -> bool:
        """Whether `stated` is a bound that is proved, and not far above it."""
        if self.tree <= self.prices.most:
            return stated == self.tree
        return stated >= self.prices.most and self.prices.reproduces(stated)

    def is_price_bound(self, stated: float) -> bool:
        """Whether `stated` is what the prices prove alone, and not far above it."""
        return stated >= self.alone.most and self.alone.reproduces(stated)

    def is_value(self, stated: float) -> bool:
        """Whether the decisions are worth `stated`, and not much more."""
        return stated <= self.value.least and self.value.reproduces(stated)


def recheck(
    scenario: Scenario,
    inputs: Inputs,
    decisions: Decisions,
    prices: Mapping[str, float],
    tree: Mapping[str, Any] | None = None,
) -> Outcome:
    """Judges `decisions` (n,), `prices` (one per row name) and a proof tree by the inputs alone.

    The certificate's bound is the tightest of what the prices and a sound tree prove. Rates are held to their
    bands, not to one a grade: no price list is given. Prices, which may be those of other decisions,
    count as 0 for limits on a condition that need not hold.
    """
    policy = in_force(scenario.policy, lent_to(scenario.policy, inputs.portfolio, decisions.amount))
    aside = {limit.name for limit in conditional(policy) if not limit.penalty}
    prices = {name: 0.0 if entry_of(name) in aside else price for name, price in prices.items()}
    return recheck_with_proof(scenario, inputs, decisions, prices, tree)[0]


def recheck_with_proof(
    scenario: Scenario,
    inputs: Inputs,
    decisions: Decisions,
    prices: Mapping[str, float],
    tree: Mapping[str, Any] | None = None,
    lists: Mapping[str, Any] | None = None,
) -> tuple[Outcome, ProvedFigures]:
    """`recheck`, with what a stated bound and a stated value are held against.

    With `lists`, a proof over price lists, decisions are held to the posted one.
    """
    read = _ReadInputs.of(scenario, inputs, decisions)
    unsound = [] if tree is None else tree_faults(tree, *read.cases(tree))
    if lists is not None:
        unsound += list_faults(lists, *read.lists())
    return _judged(read, decisions, prices, _Proof(tree, lists), unsound)


@dataclass(frozen=True)
class _ReadInputs:
    """The inputs, with what of decisions only says which conditional limits are in force."""

    scenario: Scenario
    inputs: Inputs
    policy: Policy
    """With what the policy's convex limits imply as limits of their own."""
    portfolio: Portfolio
    """With the columns that these weigh by."""
    known: Tariffs
    blocks: tuple[Block, ...]

    @classmethod
    def of(cls, scenario: Scenario, inputs: Inputs, decisions: Decisions) -> _ReadInputs:
        known = tariffs_of(inputs.churn, scenario.response, scenario.policy)
        if scenario.policy.capital.cost is not None:
            inputs = replace(inputs, portfolio=with_requirements(scenario.policy, inputs.portfolio))
        policy, portfolio = with_cuts(scenario.policy, inputs.portfolio)
        policy = in_force(policy, lent_to(policy, portfolio, decisions.amount))
        return cls(scenario, inputs, policy, portfolio, known, blocks_of(policy, portfolio))

    def cases(
        self, tree: Mapping[str, Any]
    ) -> tuple[Table, dict[str, float], dict[str, int], float | Grid | None]:
        """What a tree is walked with: offers, rows that may be rounded, and where each borrower stands."""
        policy, portfolio = self.policy, self.portfolio
        terms = allowed_terms(portfolio, self.known, policy)
        cases = table_of(portfolio, policy, terms, self.blocks, lots_of(tree))
        coarsest = coarsest_lots(portfolio, policy, terms, self.blocks)
        ids = portfolio.borrower_id[cases.member].tolist()
        position = {borrower: row for row, borrower in enumerate(ids)}
        return cases, coarsest, position, steps_of(portfolio, policy, cases.member)

    @cached_property
    def segments(self) -> Segments:
        """What price lists choose from."""
        return Segments.of(self.inputs.portfolio, self.known, self.scenario.policy)

    def lists(self) -> tuple[Segments, list[str], RoundedProver]:
        """What a proof over price lists is walked with."""
        rows = [name for block in self.blocks for name in block.names]
        prover = RoundedProver(self.scenario, self.inputs, self.known, self.segments, self.blocks)
        return self.segments, rows, prover

    def held_to(self, lists: Mapping[str, Any] | None) -> Tariffs:
        """The rates that decisions may have: with a price list, those it posts."""
        if lists is None:
            return self.known
        return self.known.leaving({name: np.array([rate]) for name, rate in lists["posted"].items()})


@dataclass(frozen=True)
class _Proof:
    """What is stated beside prices."""

    tree: Mapping[str, Any] | None = None
    lists: Mapping[str, Any] | None = None

    def posts(self, segments: Segments) -> bool:
        """Whether it posts a rate of each segment, whatever it proves, and whether rates fall or not."""
        alone = replace(segments, chains=())
        return not any(posted_faults((self.lists or {}).get("posted"), alone))

    @property
    def bound(self) -> float:
        """What it states; inf where nothing stands beside the prices."""
        stated = [float(own["bound"]) for own in (self.tree, self.lists) if own is not None]
        return min(stated, default=np.inf)

    @property
    def by_nodes(self) -> bool:
        """Whether anything stands beside the prices."""
        return self.tree is not None or self.lists is not None


def _judged(
    read: _ReadInputs,
    decisions: Decisions,
    prices: Mapping[str, float],
    proof: _Proof,
    unsound: list[Fault],
) -> tuple[Outcome, ProvedFigures]:
    """The outcome, with what is wrong with the proof known already."""
    scenario, policy, portfolio, blocks = read.scenario, read.policy, read.portfolio, read.blocks
    lists = proof.lists if proof.lists is not None and proof.posts(read.segments) else None
    known = read.held_to(lists)
    rows = {name: block for block in blocks for name in block.names}
    _check_prices(rows, prices)
    held = {name: float(prices.get(name, 0.0)) for name in rows}
    recomputed = recompute(portfolio, policy, known, blocks, decisions, held)
    uses = limit_uses(blocks, recomputed.totals, held)
    uses = convex_uses(uses, scenario.policy, portfolio, decisions.amount, recomputed.ledger.drawn)
    beside = [_earned_idle(policy, uses[0]), *(_penalty(use) for use in uses if use.soft)]
    mean = Rounded.sum_of([recomputed.value, *beside])
    worths = worths_of(scenario.stress, portfolio, policy, known, decisions) if scenario.stress.worst else []
    each = [Rounded.sum_of([own, *beside]) for own in worths]
    value = least_of(each) if each else mean
    by_tree = np.inf if unsound else proof.bound
    # Held to one list, or one way to keep conditional limits, the prices prove nothing of the others.
    alone = proof.lists is None and not conditional(policy)
    by_prices = recomputed.bound if alone else UNKNOWN
    certificate = Certificate(
        prices=held,
        bound=min(by_prices.above, by_tree),
        value=value.below,
        limits=uses,
        inputs=dict(read.inputs.hashes),
        price_bound=recomputed.bound.above if proof.by_nodes else None,
        tree=proof.tree,
        lists=lists,
        plugins=scenario.plugins,
        cuts=scenario.policy.cuts,
        weights=scenario.stress.weights,
        values={name: own.below for name, own in zip(scenario.stress.worst, each, strict=True)},
        above_worst=mean.value - value.value,
    )
    wrong = WrongDecisions() if recomputed.allowed else judge_decisions(portfolio, policy, known, decisions)
    broken = (*wrong.broken, *map(_limit_fault, (use for use in uses if use.broken)))
    faults = (*unsound, *wrong.impossible)
    own = read.inputs, decisions, certificate
    outcome = Outcome(scenario.name, scenario, *own, broken, wrong.counts, faults, recomputed.ledger)
    return outcome, ProvedFigures(by_prices, by_tree, value, recomputed.bound)


def _limit_fault(use: LimitUse) -> Fault:
    return Fault(
        f"uses {use.used:,.2f} against {use.sense.replace('_', ' ')} {use.bound:,.2f}",
        "the allocation breaks this limit",
        field=f"limit {use.name}",
    )


def _earned_idle(policy: Policy, budget: LimitUse) -> Rounded:
    """What money that is not spent earns."""
    if policy.budget.spend == "exactly":
        return Rounded(0.0, 0.0)
    unspent = budget.bound - budget.used
    size = abs(policy.idle_rate) * (abs(budget.bound) + abs(budget.used))
    summed = 4.0 if policy.budget.basis == "offered" else _ADDED
    return Rounded(policy.idle_rate * unspent, summed * UNIT * size)


def _penalty(use: LimitUse) -> Rounded:
    """What a soft limit that is missed takes off the value."""
    return Rounded(0.0 - use.penalty * use.excess, use.penalty * (use.doubt + UNIT * use.excess))


def certify(
    scenario: Scenario,
    inputs: Inputs,
    decisions: Decisions,
    prices: Mapping[str, float],
    tree: Mapping[str, Any] | None = None,
    lists: Mapping[str, Any] | None = None,
) -> Outcome:
    """`recheck` for decisions that must hold: raises CertificateError where one does not.

    Those of a strategy other than the optimal may break limits and terms: then the outcome says so. The tree,
    or the proof over price lists, gets the bounds that its prices prove, whatever it says.
    """
    read = _ReadInputs.of(scenario, inputs, decisions)
    unsound: list[Fault] = []
    if tree is not None:
        tree, unsound = stated_tree(tree, *read.cases(tree))
    if lists is not None:
        lists, unsound = stated_lists(lists, *read.lists())
    outcome, _ = _judged(read, decisions, prices, _Proof(tree, lists), unsound)
    faults = [*outcome.faults, *breach_faults(outcome), *impossible_bound_faults(outcome)]
    if faults:
        raise CertificateError("the allocation does not pass its own recheck", faults)
    return outcome


def impossible_bound_faults(outcome: Outcome) -> list[Fault]:
    """A bound that is none, or that lies below the value of decisions that break nothing.

    What rows are exceeded by within their tolerance may be worth its price, in a tree that of any node.
    """
    certificate = outcome.certificate
    if not np.all(np.isfinite([certificate.bound, certificate.price_bound or 0.0])):
        return [Fault("is not finite: the prices are too large to prove any", "solve again", field="bound")]
    prices = [certificate.prices, *([] if outcome.faults else certificate.further_prices())]
    hard = [use for use in certificate.limits if use.penalty == np.inf]
    dearest = {use.name: max(abs(own.get(use.name, 0.0)) for own in prices) for use in hard}
    worth = sum(dearest[use.name] * use.excess for use in hard)
    if outcome.broken or certificate.value <= certificate.bound + worth:
        return []
    problem = f"value {certificate.value!r} lies above bound {certificate.bound!r}"
    return [Fault(problem, "one of them is wrong", field="bound")]


def _check_prices(rows: Mapping[str, Block], prices: Mapping[str, float]) -> None:
    """One finite price a limit: at least 0 where it is at_most, at most 0 where it is at_least.

    A limit that is only reported has the price 0, said or not.
    """
    missing = [name for name, block in rows.items() if name not in prices and block.penalty]
    faults = [Fault("has no price", "price every limit", field=f"limit {name}") for name in missing]
    for name, price in prices.items():
        sense = rows[name].sense if name in rows else None
        if sense is None:
            faults.append(Fault("is no limit of the policy", "drop its price", field=name))
        elif not np.isfinite(price):
            faults.append(
                Fault(f"has the price {price}", "a price is a finite number", field=f"limit {name}")
            )
        elif (sense == "at_most" and price < 0) or (sense == "at_least" and price > 0):
            problem = f"has the price {price:g}, which a limit {sense.replace('_', ' ')} cannot have"
            faults.append(Fault(problem, "solve again", field=f"limit {name}"))
        elif abs(price) > rows[name].penalty:
            largest = rows[name].penalty
            than = f"above its penalty of {largest:g}" if largest else "which one only reported cannot have"
            problem = f"has the price {price:g}, {than}"
            faults.append(Fault(problem, "solve again", field=f"limit {name}"))
    if faults:
        raise CertificateError("the prices do not fit the policy", faults)


def breach_faults(outcome: Outcome) -> tuple[Fault, ...]:
    """What is broken, where the scenario's strategy may not break anything."""
    return outcome.broken if outcome.optimal else ()
