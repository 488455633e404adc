"""Everything that a committee asks about one run, answered: what the report of a run is made from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import partial
from threading import Event
from typing import Any, Literal

import numpy as np

from allocator.borrowers import NO_MORE, FurtherColumns, stress_of
from allocator.errors import InfeasibleError
from allocator.insight.compare.compare import Comparison, compare
from allocator.insight.compare.sides import strategy_outcomes
from allocator.insight.composition import Composition, compose
from allocator.insight.distil import DistilledRules, distil
from allocator.insight.explain.book import BookExplanation, explain_position
from allocator.insight.explain.position import Position, position_of
from allocator.insight.simulate.simulate import Simulation, simulate
from allocator.insight.variants import in_brief
from allocator.insight.whatif.frontier import Frontier, frontier
from allocator.insight.whatif.levers import Levers, price_levers
from allocator.insight.whatif.stress import Base, StressTest, chosen_stresses, try_stresses
from allocator.insight.whatif.tracks import track_of
from allocator.records.case import Case
from allocator.records.cuts import on_what
from allocator.records.limits import conditional
from allocator.records.outcome import Outcome
from allocator.records.progress import Progress
from allocator.records.run import StoredRun
from allocator.records.scenario import BUDGET, Policy, Scenario
from allocator.verification import recheck_run

LARGE, HUGE = 20_000, 500_000
"""Borrowers from which less is solved, and from which as little as answers."""
_LEVER = 0.01
"""The part of itself by which each lever moves."""
_POINT_GAP = 1e-6
"""Gap at which a budget's allocation is good enough."""
FIRST_LEVERS = 6
"""Levers that are solved again: none of the others may add more than these do at most."""
_FEW_LEVERS = frozenset({"budget", "funding rate", "churn of every grade", "PD of every grade"})


@dataclass(frozen=True)
class ReportEffort:
    """How much is solved for a report."""

    budgets: int
    """Budgets at which the best allocation is sought; 0: none beside the run's own."""
    years: int
    costs: bool
    """Whether the book is solved without each limit."""
    rules: bool
    """Whether simple rules decide it too."""
    distilled: bool
    """Whether rules are sought that stand in for the run."""
    stress_gap: float
    """Gap at which an allocation under a stress is good enough, where the scenario asks for less."""
    levers: Literal["solved", "priced", "few"]
    """The first solved again; each by the run's prices alone; the most important by the prices alone."""
    beside: bool = False
    """Whether stresses are tried in a thread beside the other questions."""

    @classmethod
    def of(cls, borrowers: int, *, quick: bool, threads: int = 1) -> ReportEffort:
        """Less for a large book, or where it is to be quick."""
        if borrowers >= HUGE:
            few, beside = {"costs": False, "rules": False, "distilled": False}, threads > 1
            return cls(0, 500, **few, stress_gap=1e-4, levers="few", beside=beside)
        if quick or borrowers >= LARGE:
            return cls(3, 2_000, costs=True, rules=True, distilled=False, stress_gap=0.0, levers="priced")
        return cls(9, 10_000, costs=True, rules=True, distilled=True, stress_gap=0.0, levers="solved")


@dataclass(frozen=True)
class Dossier:
    """A run with the answers; each as its own command gives it."""

    stored: StoredRun
    run: Outcome
    position: Position
    """The run beside everybody's best response to its prices."""
    effort: ReportEffort
    composition: Composition
    book: BookExplanation
    years: Simulation
    stress: StressTest
    comparison: Comparison | None
    """The run beside simple rules; None where no rules were tried."""
    one_more: float
    """What one more unit of budget brings at the run's prices, limits that are shares of it growing too."""
    budgets: Frontier | None
    """The frontier of the budget; None where none was solved, or there is no budget to be moved."""
    levers: Levers
    rules: DistilledRules | None
    """Rules that stand in for the run; None where none were sought, or none keep the limits."""
    notes: Sequence[str] = ()
    """What was left out of the comparison."""


def dossier_of(
    stored: StoredRun,
    rules: Sequence[Scenario],
    progress: Progress = lambda _: None,
    *,
    notes: Sequence[str] = (),
    quick: bool = False,
    further: FurtherColumns = NO_MORE,
) -> Dossier:
    """The run in `stored`, rechecked, with every answer; `rules` are its scenario under other strategies.

    Its borrowers have the `further` columns too.

    Raises CertificateError where the run does not pass its recheck, else as the insights do.
    """
    columns = _stress_columns(rules[0]).and_more(further)
    progress("recomputing it from its inputs")
    run = recheck_run(stored, columns)
    threads = run.scenario.solver.threads
    effort = ReportEffort.of(len(run.inputs.portfolio), quick=quick, threads=threads)
    position = position_of(run)
    case, track = position.free_case, track_of(position.case, (BUDGET,))
    unruled = beyond_rules(run.scenario.policy)
    with _beside(effort.beside, progress, partial(_stress, case, run, effort)) as stress:
        progress("explaining the limits")
        return Dossier(
            stored=stored,
            run=run,
            position=position,
            effort=effort,
            composition=compose(position, _segment_columns(run.scenario)),
            book=explain_position(position, exact=effort.costs, briefly=True, progress=progress),
            years=simulate(run, years=effort.years, progress=progress),
            comparison=_comparison(case, rules, progress) if effort.rules and len(rules) > 1 else None,
            one_more=track.slopes(track.now, run)[0],
            budgets=_budgets(in_brief(case), effort, progress),
            levers=_levers(run, case, effort, progress),
            rules=None if unruled or not effort.distilled else _rules(run, progress),
            stress=stress(),
            notes=(*notes, *unruled) if effort.distilled else notes,
        )


def beyond_rules(policy: Policy) -> list[str]:
    """Why no rules are sought, in words: amounts, and the first limit of each kind, that they cannot keep."""
    beyond = ["amounts by several steps, or a menu"] if policy.ticket.grid is not None else []
    beyond += [f"limit {limit.name}, on {on_what(limit.measure, limit.top)}" for limit in policy.convex[:1]]
    beyond += [f"limit {limit.name}, on a condition" for limit in conditional(policy)[:1]]
    return [f"rules cannot yet be held to {what}: none were sought" for what in beyond]


class _LeftError(Exception):
    """Nobody waits for the answer any more."""


@contextmanager
def _beside(
    apart: bool, progress: Progress, question: Callable[[Progress], StressTest]
) -> Iterator[Callable[[], StressTest]]:
    """What gives the answer to `question`: asked when it is wanted, or from now on in a thread (`apart`).

    Where the block is left by an error the thread ends at its next word of progress.
    """
    if not apart:
        yield partial(question, progress)
        return
    left = Event()

    def told(words: str) -> None:
        if left.is_set():
            raise _LeftError
        progress(words)

    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(copy_context().run, question, told)
        try:
            yield asked.result
        except BaseException:
            left.set()
            raise


def _comparison(case: Case, rules: Sequence[Scenario], progress: Progress) -> Comparison:
    return compare(strategy_outcomes(case, rules, progress), progress=progress, exact=False)


def _levers(run: Outcome, case: Case, effort: ReportEffort, progress: Progress) -> Levers:
    among = _FEW_LEVERS if effort.levers == "few" else None
    quick = effort.levers != "solved"
    first = None if quick else FIRST_LEVERS
    return price_levers(run, _LEVER, quick=quick, first=first, among=among, case=case, progress=progress)


def _rules(run: Outcome, progress: Progress) -> DistilledRules | None:
    try:
        return distil(run, progress=progress, quick=True)
    except InfeasibleError:
        return None


def _stress(case: Case, run: Outcome, effort: ReportEffort, progress: Progress) -> StressTest:
    base = Base(_with_gap(case, effort.stress_gap), run)
    return StressTest(run.scenario, try_stresses(base, chosen_stresses(run.scenario), progress), ())


def _with_gap(case: Case, least: float) -> Case:
    """The case solved to a gap of `least`, or its own if that is larger."""
    solver = replace(case.scenario.solver, gap=max(least, case.scenario.solver.gap))
    return replace(case, scenario=replace(case.scenario, solver=solver))


def _segment_columns(scenario: Scenario) -> tuple[str, ...]:
    """The columns that the report sums by: those that limits are set for each value of, two at most."""
    each = dict.fromkeys(limit.each for limit in scenario.policy.limits if limit.each not in (None, "grade"))
    return tuple(column for column in each if column is not None and column != "borrower_id")[:2]


def _stress_columns(scenario: Scenario) -> FurtherColumns:
    return FurtherColumns.of(stress_of(source) for source in chosen_stresses(scenario).values())


def _budgets(case: Case, effort: ReportEffort, progress: Progress) -> Frontier | None:
    amount = case.scenario.policy.budget.amount
    if not amount > 0 or not effort.budgets:
        return None
    return frontier(_with_gap(case, _POINT_GAP), [BUDGET], points=effort.budgets, progress=progress)


def net_by_bin(simulation: Simulation, bins: int) -> Mapping[str, Any]:
    """How many years end with a net in each of `bins` even stretches, edges in currency units."""
    counts, edges = np.histogram(simulation.years.net, bins)
    return {"edges": edges.tolist(), "years": counts.tolist()}
