"""What an allocation is worth in a worse world: as it stands, decided anew, and the difference.

A world is a scenario and its inputs under one stress. The base allocation is *frozen* into it: every
offer stands at its rate, and where the customer now asks for less it shrinks to that. It is judged by
the certificate's own economics, and so is the allocation *re-optimised* for that world, which under
another strategy than the optimal is what that decides there. The bound of the world's optimum
holds for both, so each has its gap; where nothing meets the limits there is neither. *Hindsight* is
what knowing the world beforehand would have gained: re-optimised less frozen. A frozen allocation that
breaks limits is not feasible there, and may be worth more than any that keeps to them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from allocator.borrowers import FurtherColumns, notes_on, read_inputs, stress_of, stressed
from allocator.certification import recheck
from allocator.certification.terms import SAME_RATE, terms_of
from allocator.errors import Fault, InfeasibleError, InputError, NoAllocationError
from allocator.insight.variants import optimally
from allocator.pipeline import decide, judge, prepare, remarks, with_cuts
from allocator.records.case import Case
from allocator.records.filters import alone
from allocator.records.frames import File
from allocator.records.ledger import Account
from allocator.records.outcome import Outcome
from allocator.records.progress import Progress
from allocator.records.run import Decisions, LimitUse, relative_gap
from allocator.records.scenario import Scenario
from allocator.records.stress import BASE, FundingShock, Shock, Stress, StressSource

BUILT_IN: Mapping[str, StressSource] = {
    "mild": StressSource(
        Stress(
            pd=Shock(1.5),
            lgd=Shock(1.1),
            amount=Shock(0.95),
            churn=Shock(1.1),
            funding=FundingShock(add=0.005),
        )
    ),
    "severe": StressSource(
        Stress(
            pd=Shock(2.5),
            lgd=Shock(1.25),
            amount=Shock(0.8),
            churn=Shock(1.25),
            funding=FundingShock(add=0.015),
        )
    ),
}
"""What is tried where a scenario names no stresses: round figures of the order that supervisors' adverse
scenarios have, assumptions and no estimates."""
AMOUNTS = ("offered", "drawn", "interest", "expected_loss", "funding_cost")
"""Figures of an account that a stress is told by."""


@dataclass(frozen=True)
class StressVerdict:
    """An allocation judged in one world; amounts in currency units."""

    value: float
    bound: float | None
    """The tightest proved on any allocation that keeps to the limits of this world; None: not asked for, or
    none was found."""
    account: Account
    limits: tuple[LimitUse, ...]
    stopped: bool = False
    """Whether the clock ended the search that the allocation, or its bound, comes from."""

    @property
    def gap(self) -> float | None:
        """Relative to the bound; below 0 only where limits are broken."""
        return None if self.bound is None else relative_gap(self.bound, self.value)

    @property
    def loss_rate(self) -> float:
        """Expected loss a unit drawn; 0 where nothing is."""
        account = self.account
        return account.lines["expected_loss"] / account.drawn if account.drawn else 0.0

    @property
    def figures(self) -> dict[str, Any]:
        """Every figure by its name; the bound may be None."""
        own = self.account.figures
        sums = {name: own[name] for name in (*AMOUNTS, "funded")}
        return {"value": self.value, "bound": self.bound, **sums, "loss_rate": self.loss_rate}

    @property
    def broken(self) -> tuple[LimitUse, ...]:
        """Limits that do not hold."""
        return tuple(use for use in self.limits if use.broken)


@dataclass(frozen=True)
class DemandCut:
    """The part of the frozen offers that the customers of a world no longer ask for."""

    smaller: int
    """Offers that shrink to the request."""
    dropped: int
    """Offers whose request falls below the smallest loan."""
    amount: float
    """Money no longer offered."""


@dataclass(frozen=True)
class Moved:
    """How far the re-optimised allocation lies from the base one."""

    come: int
    """Clients who get an offer and had none."""
    gone: int
    money: float
    """What amounts lie above or below those of the base, in all."""
    rates: int
    """Clients of both whose rate is another."""
    rate: float
    """By how much these rates differ on average."""

    @classmethod
    def between(cls, base: Decisions, anew: Decisions) -> Moved:
        had, has = base.amount > 0, anew.amount > 0
        apart = np.abs(anew.rate - base.rate)[had & has]
        moved = apart[apart > SAME_RATE]
        return cls(
            come=int(np.count_nonzero(has & ~had)),
            gone=int(np.count_nonzero(had & ~has)),
            money=float(np.sum(np.abs(anew.amount - base.amount))),
            rates=len(moved),
            rate=float(np.mean(moved)) if len(moved) else 0.0,
        )


@dataclass(frozen=True)
class StressTrial:
    """One stress tried."""

    name: str
    stress: Stress
    frozen: StressVerdict
    cut: DemandCut
    reoptimised: StressVerdict | None
    """None where no allocation meets the limits of this world, or the strategy finds none."""
    failure: str
    """Why nothing is re-optimised."""
    stopped: bool = False
    """Whether the clock ended a search of this world."""
    moved: Moved | None = None
    """None where nothing is re-optimised, and of the base itself."""

    @property
    def hindsight(self) -> float | None:
        """What knowing the world beforehand would have gained."""
        return None if self.reoptimised is None else self.reoptimised.value - self.frozen.value


@dataclass(frozen=True)
class Reoptimised:
    """What the strategy decides in a world that it knows."""

    outcome: Outcome | None
    """None where the strategy can decide nothing."""
    failure: str
    """Why the strategy can decide nothing."""
    prices: Mapping[str, float] | None
    """Shadow prices of the world's optimum; None where no allocation was found."""
    bound: float | None
    """The bound that the search for the optimum proved; None where no allocation was found."""
    stopped: bool
    """Whether the clock ended a search."""

    @property
    def verdict(self) -> StressVerdict | None:
        return None if self.outcome is None else _verdict_of(self.outcome, self.outcome.bound)


@dataclass(frozen=True)
class Base:
    """The unstressed world with its allocation, which every stress starts from."""

    case: Case
    outcome: Outcome

    @cached_property
    def verdict(self) -> StressVerdict:
        return _verdict_of(self.outcome, self.outcome.bound)

    def under(self, name: str, stress: Stress, source: StressSource | None = None) -> Case:
        """This world under `stress`, the one of that name or a part of it; `source` is what it comes from.

        Raises InputError for faults of the stress. A limit that is to hold in the stress of that name holds
        in this world once, and not with the stress on top of itself.
        Where the borrowers stand for a mean over stresses, they are seen in this one alone.
        """
        scenario, inputs = self.case.scenario, self.case.inputs
        own = alone(inputs.portfolio)
        portfolio, churn = stressed(own, inputs.churn, stress, source or StressSource(stress))
        policy = scenario.policy.stressed(stress, name)
        alone_in_it = replace(scenario, policy=policy, stress=replace(scenario.stress, mean=(), worst=()))
        return prepare(alone_in_it, replace(inputs, portfolio=portfolio, churn=churn))

    def frozen(self, world: Case, anew: Reoptimised | None = None) -> tuple[StressVerdict, DemandCut]:
        """The base allocation in `world`, with the bound of its optimum where `anew` has one."""
        decisions, cut = _frozen_into(world, self.outcome.decisions)
        if anew is None or anew.prices is None or anew.bound is None:
            return _verdict_of(_judged_at(world, decisions, self.outcome.prices), None), cut
        outcome = _judged_at(world, decisions, anew.prices)
        verdict = _verdict_of(outcome, min(anew.bound, outcome.certificate.bound))
        return replace(verdict, stopped=anew.stopped), cut


def _frozen_into(world: Case, decisions: Decisions) -> tuple[Decisions, DemandCut]:
    """The offers of another world as they stand in this one, no larger than asked for."""
    scenario, inputs = world.scenario, world.inputs
    terms = terms_of(inputs.portfolio, inputs.churn, scenario.response, scenario.policy)
    wanted = np.where(terms.pinned, decisions.amount, np.minimum(decisions.amount, terms.high))
    kept = np.where(terms.lendable & (wanted >= terms.low), wanted, 0.0)
    offered, lost = decisions.amount > 0, decisions.amount - kept
    cut = DemandCut(
        smaller=int(np.count_nonzero((lost > 0) & (kept > 0))),
        dropped=int(np.count_nonzero(offered & (kept == 0))),
        amount=float(np.sum(lost)),
    )
    return Decisions(kept, np.where(kept > 0, decisions.rate, 0.0)), cut


def _judged_at(world: Case, decisions: Decisions, prices: Mapping[str, float]) -> Outcome:
    """The decisions by this world's economics, and the bound that `prices` prove here."""
    named = {row.name: prices.get(row.name, 0.0) for row in world.limits.rows}
    return recheck(world.scenario, world.inputs, decisions, named)


@dataclass(frozen=True)
class StressTest:
    """A scenario's allocation under one stress after the other, the base first."""

    scenario: Scenario
    trials: tuple[StressTrial, ...]
    notes: tuple[str, ...]
    """Parts of the scenario and of the stresses that are about nobody, in words."""


def stress_test(
    scenario: Scenario,
    only: Sequence[str] = (),
    shock: File | None = None,
    progress: Progress = lambda _: None,
) -> StressTest:
    """The scenario under the stresses of `chosen_stresses`. Raises as that and `read_base` do."""
    stresses = chosen_stresses(scenario, only, shock)
    base = read_base(scenario, stresses, progress)
    return StressTest(scenario, try_stresses(base, stresses, progress), notes_of(base, stresses))


def read_base(
    scenario: Scenario, stresses: Mapping[str, StressSource], progress: Progress = lambda _: None
) -> Base:
    """The scenario read with the columns that `stresses` need, and solved.

    Raises InputError for faults of the inputs and of factor files; else as `allocate` does.
    """
    columns = FurtherColumns.of(stress_of(source) for source in stresses.values())
    progress("reading the borrowers")
    case = prepare(scenario, read_inputs(scenario, columns))
    progress("deciding the base allocation")
    return Base(case, judge(case, decide(case, progress)))


def notes_of(base: Base, stresses: Mapping[str, StressSource]) -> tuple[str, ...]:
    """Parts of the scenario and of `stresses` that are about nobody, in words."""
    notes = [*remarks(base.case, lent=bool(np.any(base.outcome.decisions.amount)))]
    for name, source in stresses.items():
        notes += [f"stresses.{name}: {note}" for note in notes_on(base.case.inputs.portfolio, source)]
    return tuple(notes)


def try_stresses(
    base: Base, stresses: Mapping[str, StressSource], progress: Progress = lambda _: None
) -> tuple[StressTrial, ...]:
    """The base and every stress in turn: frozen, and re-optimised from the prices of the base.

    Raises InputError for faults of a stress.
    """
    own = base.verdict
    trials = [StressTrial(BASE, Stress(), own, DemandCut(0, 0, 0.0), own, "", own.stopped)]
    for name, source in stresses.items():
        progress(f"stress {name}")
        trials.append(_try(base, name, source, progress))
    return tuple(trials)


def chosen_stresses(
    scenario: Scenario, only: Sequence[str] = (), shock: File | None = None
) -> dict[str, StressSource]:
    """The scenario's stresses, else the built-in ones; those of `only`; with a factor file `shock` last.

    Raises InputError for a name of `only` that there is not, for a file of a name that is taken, and for
    faults of the file.
    """
    from allocator.scoring.shock import label_of

    named = dict(scenario.stresses or BUILT_IN)
    if shock is not None:
        if shock.stem in (BASE, *named):
            fault = Fault(f"a stress is named {shock.stem!r} already", "rename the file", field="--shock")
            raise InputError.of([fault], scenario.name)
        named[shock.stem] = StressSource(file=shock, column=label_of(shock))
    faults = [
        Fault(f"no stress is named {name!r}", f"the stresses are {', '.join([BASE, *named])}", field="--only")
        for name in only
        if name not in named and name != BASE
    ]
    if faults:
        raise InputError.of(faults, scenario.name)
    return {name: source for name, source in named.items() if not only or name in only}


def _try(base: Base, name: str, source: StressSource, progress: Progress) -> StressTrial:
    stress = stress_of(source)
    world = base.under(name, stress, source)
    anew = reoptimised(world, base.outcome.prices, progress)
    frozen, cut = base.frozen(world, anew)
    own = anew.outcome
    moved = None if own is None else Moved.between(base.outcome.decisions, own.decisions)
    return StressTrial(name, stress, frozen, cut, anew.verdict, anew.failure, anew.stopped, moved)


def reoptimised(world: Case, start: Mapping[str, float], progress: Progress = lambda _: None) -> Reoptimised:
    """What the strategy decides in `world`, the optimum sought from the prices `start`."""
    try:
        optimum = decide(optimally(world), progress, start)
    except (InfeasibleError, NoAllocationError) as error:
        return Reoptimised(None, error.message, None, None, isinstance(error, NoAllocationError))
    names = [row.name for row in with_cuts(world, optimum.cuts).limits.rows]
    prices = dict(zip(names, optimum.prices.tolist(), strict=True))
    try:
        outcome = judge(world, decide(world, progress, optimum=optimum))
    except (InfeasibleError, NoAllocationError) as error:
        return Reoptimised(None, error.message, prices, optimum.bound, isinstance(error, NoAllocationError))
    return Reoptimised(outcome, "", outcome.prices, outcome.bound, outcome.stopped)


def _verdict_of(outcome: Outcome, bound: float | None) -> StressVerdict:
    """An outcome in figures, beside what `bound` is known of its world."""
    return StressVerdict(outcome.value, bound, outcome.account, outcome.certificate.limits, outcome.stopped)
