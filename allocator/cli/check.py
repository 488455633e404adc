"""`allocator check`: everything that solve would refuse, found before it solves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from allocator.cli.options import AsJson, ScenarioFile, Sets, Verbose
from allocator.cli.shell import answer
from allocator.errors import Fault, InputError
from allocator.records.progress import Progress

if TYPE_CHECKING:
    from allocator.records.limits import Limits
    from allocator.records.offers import OfferBook
    from allocator.records.portfolio import ChurnTable, Portfolio
    from allocator.records.scenario import Policy, Scenario
    from allocator.records.stress import Stress, StressSource
    from allocator.report.check import Examination
    from allocator.report.view import View

    NamedStress: TypeAlias = tuple[str, StressSource, Stress]

EXAMPLE = "Example: allocator check sme.yaml --set policy.budget.amount=50_000_000"


def check(file: ScenarioFile, sets: Sets, as_json: AsJson = False, verbose: Verbose = False) -> None:
    """Read a scenario with all that it names, report every fault, and say what it comes to."""

    def ask(tell: Progress) -> View:
        examination = _examine(file, sets, tell)
        from allocator.report.check import check_page
        from allocator.report.view import View

        return View(page=lambda: check_page(examination), document=examination.figures)

    answer(ask, as_json=as_json, verbose=verbose)


def _examine(file: Path, sets: list[str], tell: Progress) -> Examination:
    """Run the stages before the engine. Raises InputError with the faults of all of them together."""
    tell("reading the scenario")
    from allocator.borrowers import FurtherColumns, examine
    from allocator.limits import compile_limits
    from allocator.pricing.churn import sanity
    from allocator.pricing.offers import price_offers
    from allocator.report.check import Examination
    from allocator.scenario import load_scenario
    from allocator.scenario.demand import with_budget_in_money

    faults: list[Fault] = []
    scenario = load_scenario(file, sets)
    stresses = _stresses_of(scenario, faults)
    tell("reading the borrowers")
    examined = examine(scenario, FurtherColumns.of(stress for _, _, stress in stresses))
    faults += examined.faults
    portfolio, table, notes = examined.portfolio, examined.churn, list(examined.notes)
    offers: Any = None
    limits: Any = None
    if portfolio is not None:
        tell("compiling the limits")
        scenario = _gather(faults, with_budget_in_money, scenario, portfolio) or scenario
        limits = _gather(faults, compile_limits, scenario.policy, portfolio)
        if table is not None:
            offers = _gather(faults, price_offers, portfolio, table, scenario.response, scenario.policy)
            notes += _notes_on_stresses(stresses, portfolio, table, faults)
    if faults or portfolio is None or table is None:
        raise InputError.of(faults, str(file))
    policy = scenario.policy
    notes += _notes_on_policy(policy, portfolio, offers, limits)
    curves = sanity(table, policy.rates, policy.rate_step)
    return Examination(scenario, portfolio, offers, limits, curves, tuple(notes))


def _stresses_of(scenario: Scenario, faults: list[Fault]) -> list[NamedStress]:
    """Name, source and factors of each stress that can be read; `faults` grow by those of the others."""
    from allocator.borrowers import stress_of

    named = [(name, source, _gather(faults, stress_of, source)) for name, source in scenario.stresses.items()]
    return [(name, source, stress) for name, source, stress in named if stress is not None]


def _notes_on_stresses(
    stresses: list[NamedStress], portfolio: Portfolio, table: ChurnTable, faults: list[Fault]
) -> Iterator[str]:
    """What stands out in the stresses that fit the borrowers; `faults` grow by those of the others."""
    from allocator.borrowers import notes_on, stressed

    for name, source, stress in stresses:
        if _gather(faults, stressed, portfolio, table, stress, source) is not None:
            yield from (f"stresses.{name}: {note}" for note in notes_on(portfolio, source))


def _notes_on_policy(
    policy: Policy, portfolio: Portfolio, offers: OfferBook, limits: Limits
) -> Iterator[str]:
    """What stands out in the policy and its limits."""
    from allocator.limits.notes import hopeless, slips
    from allocator.limits.spellings import spellings
    from allocator.portfolio import formulas
    from allocator.pricing.offers import outside_terms

    yield from (*formulas(portfolio), *spellings(portfolio, policy), *limits.notes)
    yield from outside_terms(portfolio, policy)
    yield from (*slips(policy, offers, limits), *hopeless(policy, portfolio, offers, limits))


def _gather(faults: list[Fault], stage: Callable[..., Any], *given: Any) -> Any:
    """What `stage` returns, or None where it raises InputError, whose faults are added to `faults`."""
    try:
        return stage(*given)
    except InputError as error:
        faults.extend(error.faults)
        return None
