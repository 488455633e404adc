"""A run's decisions beside everybody's best response to its prices, made ready for questions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from allocator.certification.bound import best_reduced_values, idle_worth
from allocator.certification.economics import Bases
from allocator.certification.limits import Block, Charges, blocks_of, charges_of
from allocator.certification.terms import Terms, terms_of
from allocator.engine.kernel.columns import Columns
from allocator.engine.kernel.passes import Pass
from allocator.engine.kernel.passes import prepare as prepare_pass
from allocator.engine.reasons import reasons
from allocator.pipeline import prepare
from allocator.records.case import Case
from allocator.records.filters import left_out
from allocator.records.outcome import Outcome
from allocator.records.portfolio import Floats


@dataclass(frozen=True)
class Position:
    """What a run's inputs alone say of its decisions; arrays of shape (n,).

    What needs the engine's view of the book is made when it is first asked for.
    """

    run: Outcome
    terms: Terms
    blocks: tuple[Block, ...]
    charges: Charges
    bases: Bases
    chosen: Floats
    """Reduced value of what was decided: 0 where declined."""
    best: Floats
    """Reduced value of the best response to the prices."""

    @property
    def prices(self) -> Mapping[str, float]:
        """Limit -> shadow price."""
        return self.run.prices

    @property
    def row_prices(self) -> Floats:
        """(m,) the prices in the order of the engine's rows; limits that are only reported have none."""
        return np.array([self.prices[row.name] for row in self.case.limits.rows])

    @property
    def bound(self) -> float:
        """U(prices)."""
        worth = idle_worth(self.run.scenario.policy, self.prices)
        return self.charges.constant + float(np.sum(self.best)) + worth

    @cached_property
    def case(self) -> Case:
        """The run's scenario and inputs, priced."""
        return prepare(self.run.scenario, self.run.inputs)

    @cached_property
    def free_case(self) -> Case:
        """The same, not held to the price list that the run posts: for whoever solves again."""
        scenario = self.run.scenario
        if scenario.policy.posted is None:
            return self.case
        return prepare(replace(scenario, policy=replace(scenario.policy, posted=None)), self.run.inputs)

    @cached_property
    def columns(self) -> Columns:
        return Columns(self.case.offers, self.case.limits)

    @cached_property
    def responses(self) -> Pass:
        """Answers any prices with everybody's best response."""
        return prepare_pass(self.columns, self.case.scenario.solver.threads)

    @cached_property
    def reasons(self) -> np.ndarray:
        """(n,) why each borrower is declined, "" for who is not: as the strategy says, else as prices do."""
        if self.run.why is not None:
            return self.run.why
        made, policy = self.run.decisions.amount > 0, self.case.scenario.policy
        aside = left_out(policy, self.run.inputs.portfolio, made)
        return reasons(self.columns, ~made, self.row_prices, self.case.scenario.solver.threads, aside)


def position_of(run: Outcome) -> Position:
    """The decisions of `run` and the best responses to its prices, from the inputs alone: no solver.

    Where a price list is posted, those are responses at its rates.
    """
    run = replace(run, scenario=run.held)
    policy, portfolio = run.scenario.policy, run.inputs.portfolio
    terms = terms_of(portfolio, run.inputs.churn, run.scenario.response, policy)
    blocks = blocks_of(policy, portfolio)
    charges = charges_of(blocks, run.prices)
    bases = Bases.of(run.ledger)
    charged = sum(charges.per_basis[basis] * getattr(bases, basis) for basis in charges.per_basis)
    return Position(
        run=run,
        terms=terms,
        blocks=blocks,
        charges=charges,
        bases=bases,
        chosen=np.asarray(run.ledger.value - charged),
        best=best_reduced_values(portfolio, policy, terms, charges),
    )
