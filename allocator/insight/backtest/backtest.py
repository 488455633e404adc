"""A backtest: decide period by period with what was known, then score by what happened.

What happened takes the place of what was foreseen in the same ledger: PD becomes 1 or 0, LGD the part of
the money that was lost. Who takes an offer up was never observed, so take-up stays an expectation on both
sides: every borrower stands for the share of such borrowers who accept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from allocator.certification import ledger_of
from allocator.errors import Fault, InfeasibleError, InputError, NoAllocationError
from allocator.insight.backtest.history import History, read_history
from allocator.insight.backtest.periods import Timeline
from allocator.insight.compare.sides import strategy_outcomes
from allocator.insight.variants import answer
from allocator.pipeline import prepare
from allocator.records.case import Inputs
from allocator.records.ledger import account_of
from allocator.records.outcome import Outcome
from allocator.records.portfolio import Floats, Portfolio
from allocator.records.progress import Progress
from allocator.records.scenario import Scenario


@dataclass(frozen=True)
class PeriodResult:
    """One strategy in one period; amounts in currency units."""

    period: str
    strategy: str
    borrowers: int
    defaults: int
    """Borrowers of the period who defaulted, funded or not."""
    funded: int
    funded_defaults: int
    offered: float
    foreseen: float
    """The objective that the allocation was decided by."""
    happened: float
    """The objective with what happened in the place of PD and LGD."""
    loss_foreseen: float
    loss_happened: float
    status: str
    happened_each: Floats
    """(borrowers,) what each borrower's line came to."""


@dataclass(frozen=True)
class Backtest:
    """Every strategy in every period that could be decided, in the order given."""

    scenario: Scenario
    """Under the first strategy."""
    tested: tuple[PeriodResult, ...]
    hindsight: dict[str, float | None]
    """Period -> value of the best allocation had what happened been known; None where there is none."""
    skipped: dict[str, str]
    """Period -> why it was not decided."""
    no_period: int = 0
    """Borrowers left out as no period is given."""
    no_pd: int = 0
    """Borrowers with a period who are left out as too little was known of their PD."""

    def of(self, strategy: str) -> list[PeriodResult]:
        return [tested for tested in self.tested if tested.strategy == strategy]

    @property
    def strategies(self) -> list[str]:
        return list(dict.fromkeys(tested.strategy for tested in self.tested))


def backtest(
    scenarios: Sequence[Scenario],
    history: History,
    budget_share: float | None = None,
    progress: Progress = lambda _: None,
) -> Backtest:
    """The same scenario under the strategy of each of `scenarios`, decided and scored as `history` says.

    Raises as `read_history` and `score_periods` do, and InputError where no period could be decided.
    """
    progress("reading the borrowers")
    scored = score_periods(scenarios, *read_history(scenarios[0], history), budget_share, progress)
    if not scored.hindsight:
        remedy = "give earlier borrowers, or looser limits"
        faults = [Fault(why, remedy, field=period) for period, why in scored.skipped.items()]
        raise InputError.of(faults, "backtest: no period could be decided")
    return scored


def score_periods(
    scenarios: Sequence[Scenario],
    inputs: Inputs,
    time: Timeline,
    happened: Portfolio,
    budget_share: float | None = None,
    progress: Progress = lambda _: None,
) -> Backtest:
    """The same scenario under the strategy of each of `scenarios`, period by period.

    `happened` are the borrowers of the inputs with PD and LGD as it happened.
    Borrowers whose PD is NaN (too little was known) are left out and counted, and so are borrowers without
    a period. Each period has the scenario's budget, or `budget_share` of what its borrowers ask for. Raises
    InputError as pricing and the strategies do and for a file's book; a period without an allocation is
    skipped and said.
    """
    if any(scenario.strategy.book is not None for scenario in scenarios):
        problem = "a file's book is of today's borrowers, not of those of each period"
        raise InputError.of([Fault(problem, "name rules", field="--strategies")], "backtest")
    if any(scenario.policy.capital.cost is not None for scenario in scenarios):
        problem = "a cost of capital is not yet tested on a history, whose PDs are known to be 0 or 1"
        remedy = "leave it out: --set policy.capital.cost=null"
        raise InputError.of([Fault(problem, remedy, field="policy.capital.cost")], "backtest")
    tested: list[PeriodResult] = []
    hindsight: dict[str, float | None] = {}
    skipped: dict[str, str] = {}
    known = ~np.isnan(inputs.portfolio.pd)
    for code in np.unique(time.when[time.when >= 0]).tolist():
        name, rows = time.names[code], np.flatnonzero((time.when == code) & known)
        if not len(rows):
            skipped[name] = "too little was known of PD before it"
            continue
        progress(f"deciding {name}: {len(rows):,} borrowers")
        now = replace(inputs, portfolio=inputs.portfolio.take(rows))
        own = [_with_budget(scenario, now.portfolio, budget_share) for scenario in scenarios]
        real = happened.take(rows)
        try:
            sides = strategy_outcomes(prepare(own[0], now), own, progress)
        except (InfeasibleError, NoAllocationError) as error:
            skipped[name] = error.message
            continue
        tested += [_tested(name, side, real) for side in sides]
        hindsight[name] = _hindsight(own[0], replace(now, portfolio=real))
    dated = time.when >= 0
    return Backtest(
        scenarios[0],
        tuple(tested),
        hindsight,
        skipped,
        no_period=int(np.count_nonzero(~dated)),
        no_pd=int(np.count_nonzero(dated & ~known)),
    )


def gain(backtest: Backtest, over: str) -> tuple[float, float]:
    """What the first strategy earned more than `over` over all periods, by what happened; and its error.

    That is the standard error over borrowers, each a draw: sqrt(n) times the deviation of their differences.
    """
    sides = backtest.of(backtest.strategies[0]), backtest.of(over)
    first, other = (np.concatenate([tested.happened_each for tested in side]) for side in sides)
    n = len(first)
    error = float(np.sqrt(n) * np.std(first - other, ddof=1)) if n > 1 else 0.0
    totals = [sum(tested.happened for tested in side) for side in sides]
    return totals[0] - totals[1], error


def _with_budget(scenario: Scenario, portfolio: Portfolio, share: float | None) -> Scenario:
    if share is None:
        return scenario
    policy = scenario.policy
    asked = float(np.sum(np.minimum(portfolio.max_amount, policy.ticket.max)))
    amount = float(np.floor(share * asked * 100.0) / 100.0)
    return replace(scenario, policy=policy.with_budget(amount))


def _tested(period: str, side: Outcome, happened: Portfolio) -> PeriodResult:
    ledger, policy = side.ledger, side.scenario.policy
    real = ledger_of(happened, policy, ledger.amount, ledger.rate, ledger.take_up)
    foreseen, account = side.account, account_of(real)
    bad = happened.pd > 0
    return PeriodResult(
        period=period,
        strategy=side.name,
        borrowers=len(happened),
        defaults=int(np.count_nonzero(bad)),
        funded=foreseen.funded,
        funded_defaults=int(np.count_nonzero(bad & (ledger.amount > 0))),
        offered=foreseen.offered,
        foreseen=side.value,
        happened=side.value + (account.value - foreseen.value),  # income of idle money is in both
        loss_foreseen=foreseen.lines["expected_loss"],
        loss_happened=account.lines["expected_loss"],
        status=side.status,
        happened_each=real.value,
    )


def _hindsight(scenario: Scenario, inputs: Inputs) -> float | None:
    try:
        return answer(prepare(scenario, inputs)).value
    except (InfeasibleError, NoAllocationError):
        return None
