"""`allocator check`: everything that solve would refuse, found before it solves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allocator.cli.options import AsJson, ScenarioFile, Sets, Verbose
from allocator.cli.shell import answer
from allocator.errors import Fault, InputError
from allocator.records.progress import Progress

if TYPE_CHECKING:
    from allocator.report.check import Examination
    from allocator.report.view import View

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
    from allocator.borrowers import FurtherColumns, examine, notes_on, stress_of, stressed
    from allocator.limits import compile_limits
    from allocator.limits.notes import hopeless, slips
    from allocator.limits.spellings import spellings
    from allocator.pricing.churn import sanity
    from allocator.pricing.offers import outside_terms, price_offers
    from allocator.report.check import Examination
    from allocator.scenario import load_scenario
    from allocator.scenario.demand import with_budget_in_money

    scenario = load_scenario(file, sets)
    policy = scenario.policy
    faults: list[Fault] = []
    named = [(name, source, _gather(faults, stress_of, source)) for name, source in scenario.stresses.items()]
    stresses = [(name, source, stress) for name, source, stress in named if stress is not None]
    tell("reading the borrowers")
    examined = examine(scenario, FurtherColumns.of(stress for _, _, stress in stresses))
    portfolio, table = examined.portfolio, examined.churn
    faults += examined.faults
    notes = list(examined.notes)
    if portfolio is not None:
        scenario = _gather(faults, with_budget_in_money, scenario, portfolio) or scenario
        policy = scenario.policy
    offers: Any = None
    limits: Any = None
    if portfolio is not None:
        tell("compiling the limits")
        limits = _gather(faults, compile_limits, policy, portfolio)
        if table is not None:
            offers = _gather(faults, price_offers, portfolio, table, scenario.response, policy)
            for name, source, stress in stresses:
                if _gather(faults, stressed, portfolio, table, stress, source) is not None:
                    notes += [f"stresses.{name}: {note}" for note in notes_on(portfolio, source)]
    if faults or portfolio is None or table is None:
        raise InputError.of(faults, str(file))
    notes += [*spellings(portfolio, policy), *limits.notes, *outside_terms(portfolio, policy)]
    notes += [*slips(policy, offers, limits), *hopeless(policy, portfolio, offers, limits)]
    return Examination(
        scenario, portfolio, offers, limits, sanity(table, policy.rates, policy.rate_step), tuple(notes)
    )


def _gather(faults: list[Fault], stage: Callable[..., Any], *given: Any) -> Any:
    """What `stage` returns, or None where it raises InputError, whose faults are added to `faults`."""
    try:
        return stage(*given)
    except InputError as error:
        faults.extend(error.faults)
        return None
