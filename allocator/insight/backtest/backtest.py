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
from allocator.errors import Fault, InfeasibleError, InputError, NoAllocationError, row_count
from allocator.insight.backtest.periods import Timeline
from allocator.insight.compare.sides import case_sides
from allocator.insight.variants import answer
from allocator.pipeline import prepare
from allocator.records.case import Case, Inputs
from allocator.records.ledger import account_of
from allocator.records.outcome import Outcome
from allocator.records.portfolio import Booleans, Floats, Portfolio
from allocator.records.progress import Progress
from allocator.records.scenario import Scenario


@dataclass(frozen=True)
class Observed:
    """What happened, arrays of shape (n,) in portfolio order."""

    defaulted: Booleans
    lost: Floats
    """Of what was drawn, the fraction lost where it defaulted; NaN: as the portfolio's LGD says."""

    def happened(self, portfolio: Portfolio) -> Portfolio:
        """The portfolio with what happened in the place of PD and LGD."""
        lgd = np.where(np.isnan(self.lost), portfolio.lgd, self.lost)
        return replace(portfolio, pd=self.defaulted.astype(np.float64), lgd=lgd)


def observed_in(
    portfolio: Portfolio, outcome: str, owed: str | None = None, lost: str | None = None
) -> Observed:
    """What number columns of the portfolio say: `outcome` 1 or 0, and money `lost` of money `owed`.

    A loss above what was owed counts as all of it. Raises InputError with every fault: an outcome that is
    neither, a default without its money.
    """
    values = portfolio.number(outcome)
    faults = _first(portfolio, ~np.isin(values, (0.0, 1.0)), outcome, "is no outcome", "write 1 or 0")
    share = np.full(len(portfolio), np.nan)
    if owed is not None and lost is not None:
        money, gone = portfolio.number(owed), portfolio.number(lost)
        bad = values == 1.0
        faults += _first(portfolio, bad & ~(money > 0), owed, "is no money lent", "give an amount above 0")
        faults += _first(
            portfolio, bad & ~(gone >= 0), lost, "is no money lost", "give an amount, 0 for none"
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(bad, np.clip(gone / money, 0.0, 1.0), 0.0)
    if faults:
        raise InputError.of(faults, portfolio.source)
    return Observed(values == 1.0, share)


def _first(portfolio: Portfolio, wrong: Booleans, column: str, what: str, remedy: str) -> list[Fault]:
    rows = np.flatnonzero(wrong)
    if not len(rows):
        return []
    at = rows[np.argmin(portfolio.row[rows])]
    problem = f"{portfolio.number(column)[at]:g} {what} ({row_count(len(rows))})"
    return [Fault(problem, remedy, file=portfolio.source, row=int(portfolio.row[at]), field=column)]


@dataclass(frozen=True)
class Tested:
    """One strategy in one period; amounts in currency units."""

    period: str
    strategy: str
    borrowers: int
    defaults: int
    """Of all borrowers of the period."""
    funded: int
    funded_defaults: int
    offered: float
    foreseen: float
    """Value as it was decided by: the objective."""
    happened: float
    """The same ledger with what happened."""
    loss_foreseen: float
    loss_happened: float
    status: str
    happened_each: Floats
    """(borrowers,) what each borrower's line came to."""


@dataclass(frozen=True)
class Backtest:
    """Every strategy in every period that could be decided, in the order given."""

    tested: tuple[Tested, ...]
    hindsight: dict[str, float | None]
    """Period -> value of the best allocation had what happened been known; None where there is none."""
    skipped: dict[str, str]
    """Period -> why it was not decided."""
    no_period: int = 0
    """Borrowers left out as no period is given."""
    no_pd: int = 0
    """Of the others, borrowers left out as nothing was known of their PD."""

    def of(self, strategy: str) -> list[Tested]:
        return [one for one in self.tested if one.strategy == strategy]

    @property
    def strategies(self) -> list[str]:
        return list(dict.fromkeys(one.strategy for one in self.tested))


@dataclass(frozen=True)
class Gain:
    """What the first strategy earned more than another over all periods, by what happened."""

    mean: float
    error: float
    """Standard error over borrowers, each a draw: sqrt(n) times the deviation of their differences."""


def backtest(
    scenarios: Sequence[Scenario],
    inputs: Inputs,
    time: Timeline,
    observed: Observed,
    budget_share: float | None = None,
    progress: Progress = lambda _: None,
) -> Backtest:
    """The same scenario under the strategy of each of `scenarios`, period by period.

    Borrowers whose PD is NaN (too little was known) are left out and counted, and so are borrowers without
    a period. Each period has the scenario's budget, or `budget_share` of what its borrowers ask for. Raises
    InputError as pricing and the strategies do and for a file's book; a period without an allocation is
    skipped and said.
    """
    if any(scenario.strategy.book is not None for scenario in scenarios):
        problem = "a file's book is of today's borrowers, not of those of each period"
        raise InputError.of([Fault(problem, "name rules", field="--strategies")], "backtest")
    tested: list[Tested] = []
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
        happened = Observed(observed.defaulted[rows], observed.lost[rows]).happened(now.portfolio)
        try:
            sides = case_sides(prepare(own[0], now), own, progress)
        except (InfeasibleError, NoAllocationError) as error:
            skipped[name] = error.message
            continue
        tested += [_tested(name, side, happened) for side in sides]
        hindsight[name] = _hindsight(own[0], replace(now, portfolio=happened))
    dated = time.when >= 0
    return Backtest(
        tuple(tested),
        hindsight,
        skipped,
        no_period=int(np.count_nonzero(~dated)),
        no_pd=int(np.count_nonzero(dated & ~known)),
    )


def gain(found: Backtest, over: str) -> Gain:
    """What the first strategy earned more than `over`."""
    first = np.concatenate([one.happened_each for one in found.of(found.strategies[0])])
    other = np.concatenate([one.happened_each for one in found.of(over)])
    less = first - other
    n = len(less)
    error = float(np.sqrt(n) * np.std(less, ddof=1)) if n > 1 else 0.0
    totals = [sum(one.happened for one in found.of(name)) for name in (found.strategies[0], over)]
    return Gain(totals[0] - totals[1], error)


def _with_budget(scenario: Scenario, portfolio: Portfolio, share: float | None) -> Scenario:
    if share is None:
        return scenario
    policy = scenario.policy
    asked = float(np.sum(np.minimum(portfolio.max_amount, policy.ticket.max)))
    amount = float(np.floor(share * asked * 100.0) / 100.0)
    return replace(scenario, policy=policy.with_budget(amount))


def _tested(period: str, side: Outcome, happened: Portfolio) -> Tested:
    ledger, policy = side.ledger, side.scenario.policy
    real = ledger_of(happened, policy, ledger.amount, ledger.rate, ledger.take_up)
    foreseen, found = side.account, account_of(real)
    bad = happened.pd > 0
    return Tested(
        period=period,
        strategy=side.name,
        borrowers=len(happened),
        defaults=int(np.count_nonzero(bad)),
        funded=foreseen.funded,
        funded_defaults=int(np.count_nonzero(bad & (ledger.amount > 0))),
        offered=foreseen.offered,
        foreseen=side.value,
        happened=side.value + (found.value - foreseen.value),  # income of idle money is in both
        loss_foreseen=foreseen.lines["expected_loss"],
        loss_happened=found.lines["expected_loss"],
        status=side.status,
        happened_each=real.value,
    )


def _hindsight(scenario: Scenario, inputs: Inputs) -> float | None:
    case: Case = prepare(scenario, inputs)
    try:
        return answer(case).value
    except (InfeasibleError, NoAllocationError):
        return None
