"""The page that everything hangs from: the stages of a run, in order.

  Scenario ─ read_inputs ► Inputs ─ prepare ► Case ─ decide ► Solution ─ judge ► Outcome ─ present ► Run

Each stage is a function from frozen records to a frozen record; this module alone knows their order. What
asks again and again (a frontier, a stress, a comparison) calls the same stages on variants of a scenario.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from time import perf_counter
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from allocator.borrowers import read_inputs
from allocator.certification import certify
from allocator.certification.members import lent_to
from allocator.certification.worst import values_in
from allocator.engine.allowance import Allowance, within
from allocator.engine.conflict import out_of_reach
from allocator.engine.floors import lift
from allocator.engine.kernel.columns import Columns
from allocator.engine.optimise import optimise
from allocator.engine.price_lists import optimise_lists
from allocator.engine.prices import CONFLICT_UP_TO
from allocator.engine.reasons import reasons
from allocator.engine.worst import Weights, WorstSearch
from allocator.errors import CertificateError, Fault, InfeasibleError, InputError
from allocator.intake import require_unchanged, watched
from allocator.limits import compile_limits
from allocator.limits.measures import with_requirements
from allocator.limits.notes import beyond_reach, slips, too_few_groups
from allocator.limits.shares import only_an_empty_book
from allocator.limits.spellings import spellings
from allocator.portfolio import formulas, held_to
from allocator.pricing.offers import price_offers
from allocator.pricing.segments import unknown_values
from allocator.records.case import Case, Inputs
from allocator.records.columns import VALUE
from allocator.records.cuts import Cut
from allocator.records.filters import left_out, weighted
from allocator.records.ledger import Ledger
from allocator.records.limits import Limits, conditional, in_force
from allocator.records.outcome import Outcome
from allocator.records.portfolio import Floats, Portfolio
from allocator.records.progress import Progress
from allocator.records.run import Certificate, Decisions, Run
from allocator.records.scenario import Limit, Policy, Scenario
from allocator.records.solution import Solution
from allocator.records.strategy import SolverSettings
from allocator.scenario.demand import with_budget_in_money
from allocator.strategies import follow
from allocator.strategies.convex import best_with_cuts
from allocator.strategies.optimal import best_under
from allocator.summary import summarise

_CONDITIONS_UP_TO = 100_000
"""Borrowers up to which limits that hang on a condition are proved: a tree reads every offer as one table."""


class Clock:
    """Seconds a stage, in the order of the stages."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = self._first = perf_counter()

    def lap(self, stage: str) -> None:
        """Books the time since the last lap to `stage`."""
        now = perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._last
        self.seconds["total"] = now - self._first
        self._last = now


def allocate(
    scenario: Scenario, progress: Progress = lambda _: None, start: Mapping[str, float] | None = None
) -> Run:
    """The run of `allocate_with_outcome`, for who asks no more of it."""
    return allocate_with_outcome(scenario, progress, start)[0]


_Unfit: TypeAlias = Callable[[Scenario, Case, InfeasibleError, Progress], InfeasibleError]
"""What is asked where nothing fits a case: the error with more to say."""


@watched()
def allocate_with_outcome(
    scenario: Scenario,
    progress: Progress = lambda _: None,
    start: Mapping[str, float] | None = None,
    unfit: _Unfit = lambda _scenario, _case, error, _progress: error,
) -> tuple[Run, Outcome]:
    """The best allocation of the scenario's budget over its borrowers, with its certificate.

    `start` are prices by limit name, those of a former or neighbouring run, that a large book begins from.
    `unfit` is asked where nothing fits, with the case that has the time left.
    Raises InputError for faults of the borrowers or the churn curve, InfeasibleError where no
    allocation meets every limit, NoAllocationError where none was found in time, CertificateError
    where the result does not pass its own recheck. A file that changes meanwhile is bad input.
    """
    clock = Clock()
    progress("reading the borrowers")
    inputs = read_inputs(scenario)
    clock.lap("load")
    case = prepare(scenario, inputs)
    clock.lap("reduce")
    allowance = Allowance(case.scenario.solver)
    try:
        _require_reach(case)
        solution = decide(case, progress, start)
    except InfeasibleError as error:
        solver = allowance.rest()
        rest = replace(case, scenario=replace(case.scenario, solver=solver))
        raise unfit(scenario, rest, error, progress) from error
    clock.lap("solve")
    progress("rechecking the allocation from its inputs")
    outcome = judge(case, solution)
    clock.lap("certify")
    require_unchanged()
    return present(case, solution, outcome, clock.seconds), outcome


def _require_reach(case: Case) -> None:
    """Raises InfeasibleError where a limit of a large book, which takes long to price, asks for too much."""
    if len(case.offers) <= CONFLICT_UP_TO:
        return
    policy, limits = case.scenario.policy, case.limits
    if conditional(policy):  # one that asks for too much leaves its group without offers
        limits = compile_limits(in_force(policy, frozenset()), case.inputs.portfolio)
    short = beyond_reach(case.offers, limits)
    if short:
        raise out_of_reach(limits, short)


def prepare(scenario: Scenario, inputs: Inputs) -> Case:
    """The offers priced and the limits compiled; again for each variant of a scenario on the same inputs.

    The case's scenario states its budget as money.
    """
    portfolio = with_requirements(scenario.policy, held_to(inputs.portfolio, scenario.policy))
    inputs = replace(inputs, portfolio=portfolio)
    scenario = with_budget_in_money(scenario, inputs.portfolio)
    offers = price_offers(inputs.portfolio, inputs.churn, scenario.response, scenario.policy)
    return Case(scenario, inputs, offers, compile_limits(scenario.policy, inputs.portfolio))


def decide(
    case: Case,
    progress: Progress = lambda _: None,
    start: Mapping[str, float] | None = None,
    optimum: Solution | None = None,
) -> Solution:
    """The answer of the scenario's strategy to the case, with the prices and the bound of the optimum.

    The engine begins from the prices `start` of another run where they are given; `optimum` is its answer
    to the same case where that is known already.
    """
    if optimum is None:
        with within(case.scenario.solver.time_limit):
            search = _in_the_worst if case.scenario.stress.worst else _optimum
            optimum = search(case, progress, start)
    return follow(as_solved(case, optimum), optimum, progress)


def _in_the_worst(case: Case, progress: Progress, start: Mapping[str, float] | None) -> Solution:
    """The most in the worst of several stresses, with the weights of the mean that bounds it."""
    near = start

    def solve(weights: Weights, floor: float | None, settings: SolverSettings) -> Solution:
        nonlocal near
        world = at_weights(case, weights, floor)
        world = replace(world, scenario=replace(world.scenario, solver=settings))
        answer = _optimum(world, progress, near)
        rows = with_cuts(world, answer.cuts, answer.limits).limits.rows
        near = dict(zip((row.name for row in rows), answer.prices.tolist(), strict=True))
        return answer

    def values(weights: Weights, answer: Solution) -> Floats:
        decisions = Decisions(answer.amount, answer.rate)
        lent = np.array(values_in(case.scenario, case.inputs, decisions))
        return np.asarray(lent + (answer.value - np.dot(weights, lent)))

    def lifted(
        weights: Weights, proof: Solution, best: Solution, known: float, settings: SolverSettings
    ) -> tuple[Solution | None, float]:
        return _lifted(case, weights, proof, best, known, settings)

    own = tuple(case.scenario.stress.weights.values())
    best = WorstSearch(solve, lifted, values, case.scenario.solver, progress).run(own)
    return replace(best, limits=None)  # it may have floors beside the rows that the prices are of


def _lifted(
    case: Case, weights: Weights, proof: Solution, best: Solution, known: float, settings: SolverSettings
) -> tuple[Solution | None, float]:
    """An allocation of a small book that is worth the most in the worst, and a bound on it by the solver."""
    policy, offers = case.scenario.policy, case.offers
    if policy.convex or conditional(policy) or offers.posted is not None:
        return None, np.inf
    floor = min(values_in(case.scenario, case.inputs, Decisions(best.amount, best.rate)))
    world = at_weights(case, weights, floor)
    columns = Columns(world.offers, world.limits)
    floors = np.arange(len(proof.prices), len(world.limits.rows))
    prices = np.append(proof.prices, np.zeros(len(floors)))
    lifted = lift(columns, floors, prices, known, settings)
    if lifted is None or lifted.best is None:
        return None, np.inf if lifted is None else lifted.bound
    own = lifted.best
    rate = columns.rate(own.option)
    return replace(proof, amount=own.amount, rate=rate, value=own.value), lifted.bound


def at_weights(case: Case, weights: Weights, floor: float | None = None) -> Case:
    """The case in the mean of its stresses at these weights; with a `floor` on what it is worth in each."""
    stress = case.scenario.stress
    if not weights or (floor is None and weights == tuple(stress.weights.values())):
        return case
    scenario = replace(case.scenario, stress=stress.weighted(weights))
    if floor is not None:
        taken = {limit.name for limit in scenario.policy.limits}
        names = (f"worst in {name}" + " sought" * (f"worst in {name}" in taken) for name in stress.worst)
        each = zip(names, (own for _, own in stress.mean), strict=True)
        floors = (Limit(name, VALUE, "at_least", floor, stress=own) for name, own in each)
        policy = replace(scenario.policy, limits=(*scenario.policy.limits, *floors))
        scenario = replace(scenario, policy=policy)
    portfolio = weighted(scenario.stress, case.inputs.portfolio)
    return prepare(scenario, replace(case.inputs, portfolio=portfolio))


def as_solved(case: Case, solution: Solution) -> Case:
    """The case with the weights and the cuts that the prices of `solution` are of."""
    return with_cuts(at_weights(case, solution.weights), solution.cuts, solution.limits)


def _optimum(case: Case, progress: Progress, start: Mapping[str, float] | None) -> Solution:
    policy, rows = case.scenario.policy, case.limits.rows
    if policy.convex:
        return best_with_cuts(case, progress, start)
    if conditional(policy):
        return _under_conditions(case, progress)
    prices = None if start is None else np.array([start.get(row.name, 0.0) for row in rows])
    search = optimise if case.offers.posted is None else optimise_lists
    return search(case.offers, case.limits, case.scenario.solver, progress, prices)


def _under_conditions(case: Case, progress: Progress) -> Solution:
    """The optimum under limits that must hold only if something is lent to a group."""
    policy, portfolio = case.scenario.policy, case.inputs.portfolio
    if len(portfolio) > _CONDITIONS_UP_TO:
        problem = f"{len(portfolio):,} borrowers, of whom a limit on a condition is not yet proved"
        remedy = f"leave if_lent_to out, or decide for {_CONDITIONS_UP_TO:,} borrowers at most"
        raise InputError.of([Fault(problem, remedy, field="policy.limits")], "scenario")
    return best_under(policy, portfolio, case.offers, case.scenario.solver, progress)


def with_cuts(case: Case, cuts: tuple[Cut, ...], limits: Limits | None = None) -> Case:
    """The case with the rows that `cuts` are, which `limits` has if they are compiled."""
    policy = case.scenario.policy
    if cuts == policy.cuts:
        return case
    scenario = replace(case.scenario, policy=replace(policy, cuts=cuts))
    if limits is None:
        limits = compile_limits(scenario.policy, case.inputs.portfolio)
    return replace(case, scenario=scenario, limits=limits)


def judge(case: Case, solution: Solution) -> Outcome:
    """The solution recomputed from the inputs; raises CertificateError where it does not pass."""
    case, decisions = as_solved(case, solution), Decisions(solution.amount, solution.rate)
    names = [row.name for row in case.limits.rows]
    prices = dict(zip(names, solution.prices.tolist(), strict=True))
    portfolio, policy = case.inputs.portfolio, case.scenario.policy
    if conditional(policy):  # what a rule's book need not keep has no price
        force = in_force(policy, lent_to(policy, portfolio, solution.amount))
        kept = {row.name for row in compile_limits(force, portfolio).rows}
        prices = {name: price if name in kept else 0.0 for name, price in prices.items()}
    tree = None if solution.tree is None else _named_tree(solution.tree, portfolio)
    lists = None if solution.lists is None else _named_lists(solution.lists, portfolio)
    outcome = certify(case.scenario, case.inputs, decisions, prices, tree, lists)
    _check_value(solution.value, outcome.certificate)
    return outcome.searched(solution)


def present(case: Case, solution: Solution, outcome: Outcome, seconds: Mapping[str, float]) -> Run:
    """The run as people get it: one row per borrower, and the summary."""
    case = as_solved(case, solution)
    portfolio, offers = case.inputs.portfolio, case.offers
    if outcome.certificate.posted is not None:
        scenario = outcome.held
        offers = price_offers(portfolio, case.inputs.churn, scenario.response, scenario.policy)
    columns = Columns(offers, case.limits)
    why = outcome.why
    aside = left_out(case.scenario.policy, portfolio, solution.amount > 0)
    if why is None:
        threads = case.scenario.solver.threads
        why = reasons(columns, solution.amount == 0, solution.prices, threads, aside)
    allocation = _allocation(portfolio, outcome.ledger, why)
    spent = {**seconds, "price": solution.seconds["price"], "solve": solution.seconds["solve"]}
    notes = (*remarks(case, lent=bool(np.any(solution.amount))), *_not_in_force(case.scenario.policy, aside))
    summary = summarise(outcome, solution.method, spent, notes)
    certificate, copy = outcome.certificate, case.inputs.copy
    return Run(case.scenario, allocation, certificate, summary, outcome.status, outcome.log, copy)


def remarks(case: Case, *, lent: bool) -> tuple[str, ...]:
    """What is valid and may not be meant so; where nothing is lent, limits that only an empty book keeps."""
    policy, portfolio, limits = case.scenario.policy, case.inputs.portfolio, case.limits
    brought = (f"{key} is of the package {origin}" for key, origin in case.scenario.plugins.items())
    notes = [*brought, *case.inputs.notes, *formulas(portfolio)]
    notes += [*spellings(portfolio, policy), *unknown_values(portfolio, policy)]
    notes += [*limits.notes, *slips(policy, case.offers, limits)]
    if not lent:
        notes += too_few_groups(policy, portfolio, case.offers)
        notes += only_an_empty_book(policy, portfolio, case.offers, limits)
    return tuple(notes)


def _not_in_force(policy: Policy, aside: Collection[str]) -> Iterator[str]:
    """Of each limit that need not hold, why."""
    for limit in conditional(policy):
        if limit.name in aside:
            group = ", ".join(map(str, limit.if_lent_to))
            yield f"limit {limit.name!r} need not hold: nothing is lent to {{{group}}}"


def _named_tree(tree: Mapping[str, Any], portfolio: Portfolio) -> dict[str, Any]:
    """The engine's proof tree with the borrowers' own identifiers instead of their positions."""
    nodes = [
        {**node, "borrower": str(portfolio.borrower_id[node["borrower"]])} if "borrower" in node else node
        for node in tree["nodes"]
    ]
    return {**tree, "nodes": nodes}


def _named_lists(lists: Mapping[str, Any], portfolio: Portfolio) -> dict[str, Any]:
    """The engine's proof over price lists with the borrowers' own identifiers in its trees."""
    nodes = [
        {**node, "tree": _named_tree(node["tree"], portfolio)} if "tree" in node else node
        for node in lists["nodes"]
    ]
    return {**lists, "nodes": nodes}


def _check_value(value: float, certificate: Certificate) -> None:
    """The engine and the recheck compute the value by different code; they must agree.

    The recheck rounds inwards by what its sums may be off: where the value is next to nothing, as on the edge
    that a reverse stress looks for, that is more than a part of it.
    """
    rounding = 1e-12 * abs(certificate.limits[0].used)
    value -= certificate.above_worst
    if abs(value - certificate.value) > 1e-9 * max(abs(value), 1.0) + rounding:
        fault = Fault(
            f"the engine counts {value!r}, the recheck {certificate.value!r}",
            "report the scenario: one of the two is wrong",
            field="objective",
        )
        raise CertificateError("engine and recheck disagree", [fault])


def _allocation(portfolio: Portfolio, ledger: Ledger, why: np.ndarray) -> pd.DataFrame:
    """One row per borrower, in input order."""
    stands = bool(np.all(portfolio.row[1:] > portfolio.row[:-1]))
    order = slice(None) if stands else np.argsort(portfolio.row, kind="stable")
    grades = pd.Categorical.from_codes(
        portfolio.grade.codes[order], pd.Index(portfolio.grade.values, dtype=str)
    )
    figures = {name: getattr(ledger, name)[order] for name in ("amount", "rate", *ledger.computed)}
    return pd.DataFrame(
        {
            "borrower_id": portfolio.borrower_id[order],
            "grade": grades,
            **figures,
            "reason": pd.Categorical(why[order]),
        }
    )
