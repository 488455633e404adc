"""A case decided and judged: by the pipeline, or read back from a run's folder and judged again."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from allocator.errors import Fault
from allocator.records.case import Inputs
from allocator.records.ledger import Account, Ledger
from allocator.records.run import Certificate, Decisions, Status, relative_gap
from allocator.records.scenario import Scenario
from allocator.records.solution import CUT_SHORT, Proof, Solution, Stop

SOLVER_TOLERANCE = 1e-12
"""Relative to it, what the solver's own bound is rounded outwards by: HiGHS works in doubles."""


@dataclass(frozen=True)
class Outcome:
    """Decisions on a scenario's inputs, with what these inputs alone say of them; money in currency units."""

    name: str
    """The scenario's, unless whoever compares outcomes calls it otherwise."""
    scenario: Scenario
    inputs: Inputs
    decisions: Decisions
    certificate: Certificate
    broken: tuple[Fault, ...]
    """Decisions that the terms do not allow, and limits that do not hold."""
    terms_broken: Mapping[str, int]
    """Term -> how many decisions break it."""
    faults: tuple[Fault, ...]
    """What no decisions may be: not finite, or proved by an unsound tree."""
    ledger: Ledger = field(repr=False, compare=False)
    """One line per borrower in portfolio order."""
    solver_bound: float = math.inf
    """A bound that rests on the solver's word alone, rounded outwards; inf where it gave none."""
    stop: Stop = "exhausted"
    """Why the search for the decisions ended."""
    log: str = field(default="", repr=False)
    """The solver's own."""
    why: NDArray[np.object_] | None = field(default=None, repr=False, compare=False)
    """(n,) why the strategy declines each borrower, "" for who is not; None: the prices say it."""

    @property
    def account(self) -> Account:
        """What the ledger adds up to; its value is without what idle money earns, and missed limits cost."""
        return self.ledger.account

    @property
    def held(self) -> Scenario:
        """The scenario whose policy is held to the posted price list, where there is one."""
        posted = self.certificate.posted
        if posted is None:
            return self.scenario
        return replace(self.scenario, policy=replace(self.scenario.policy, posted=posted))

    @property
    def value(self) -> float:
        """The objective, what idle money earns included."""
        return self.certificate.value

    @property
    def prices(self) -> Mapping[str, float]:
        return self.certificate.prices

    @property
    def proof(self) -> Proof:
        """What `bound` rests on."""
        if self.solver_bound < self.certificate.bound:
            return "solver"
        return "tree" if self.certificate.proved_by_nodes else "prices"

    @property
    def bound(self) -> float:
        """The tightest that is known on allocations that keep every limit and term: the solver's own where
        that lies below the certified one. What breaks nothing is worth no more than it.
        """
        bound = min(self.solver_bound, self.certificate.bound)
        return bound if self.broken else max(bound, self.value)

    @property
    def gap(self) -> float:
        return relative_gap(self.bound, self.value)

    @property
    def status(self) -> Status:
        """What came out: a strategy's allocation may break limits or terms, and then says so."""
        return self.status_at(self.gap)

    def status_at(self, gap: float) -> Status:
        """The status if `gap` were what is left."""
        if self.broken:
            return "breaks_limits"
        return "optimal" if gap <= self.scenario.solver.gap else "feasible"

    @property
    def share(self) -> float | None:
        """Value as a part of the bound; None where that is not above 0, or limits or terms are broken."""
        return self.value / self.bound if self.bound > 0 and not self.broken else None

    @property
    def stopped(self) -> bool:
        """Whether the search that the decisions, or the bound, come from was cut short."""
        return self.stop in CUT_SHORT

    @property
    def optimal(self) -> bool:
        """Whether the strategy is the optimal one: no other may break anything."""
        return self.scenario.strategy.rule == "optimal"

    @property
    def currency(self) -> str:
        return self.scenario.policy.currency

    @property
    def unspent(self) -> float:
        """What of a budget that need not be spent is left."""
        return self.scenario.policy.unspent(self.certificate.limits[0].used)

    @property
    def idle_income(self) -> float:
        """What the budget left unspent earns, a part of the value."""
        return self.scenario.policy.idle_rate * self.unspent

    @property
    def limit_penalty(self) -> float:
        """What soft limits that are missed take off the value."""
        return self.certificate.penalty

    @property
    def above_worst(self) -> float:
        """What the mean over several stresses, which the ledger is of, lies above the value, the least."""
        return self.certificate.above_worst

    def searched(self, solution: Solution) -> Outcome:
        """This outcome with what the search that decided it says of itself."""
        own = solution.bound + SOLVER_TOLERANCE * max(abs(solution.bound), 1.0)
        bound = own if solution.proof == "solver" else math.inf
        told = replace(self, solver_bound=bound, stop=solution.stop, log=solution.log, why=solution.why)
        # Limits on an index are searched a hair tighter: what that costs may be more than the gap asked for.
        missed = bool(solution.cuts) and told.stop == "gap" and told.gap > self.scenario.solver.gap
        return replace(told, stop="exhausted") if missed else told
