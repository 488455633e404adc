"""What is compared: a run read back, a scenario solved now, or a strategy on a scenario."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from allocator.borrowers import NO_MORE, FurtherColumns, read_inputs
from allocator.errors import concerning
from allocator.insight.variants import optimally
from allocator.pipeline import decide, judge, prepare
from allocator.records.case import Case
from allocator.records.outcome import Outcome
from allocator.records.progress import Progress
from allocator.records.run import StoredRun
from allocator.records.scenario import Scenario
from allocator.scenario.demand import with_budget_in_money
from allocator.verification import recheck_run


def read_sides(
    subjects: Iterable[tuple[str, StoredRun | Scenario]], progress: Progress, further: FurtherColumns
) -> list[Outcome]:
    """The outcomes of stored runs and of scenarios, by name; raises as the two functions below."""
    sides = []
    for name, subject in subjects:
        if isinstance(subject, Scenario):
            sides.append(scenario_side(subject, name, progress, further))
        else:
            progress(f"rechecking {name}")
            sides.append(run_side(subject, name, further))
    return sides


def run_side(stored: StoredRun, name: str, further: FurtherColumns = NO_MORE) -> Outcome:
    """A stored run that passes its recheck; its portfolio has the `further` columns too.

    Raises InputError where an input is missing, CertificateError where the run does not pass, with its name.
    """
    with concerning(name):
        return replace(recheck_run(stored, further), name=name)


def scenario_side(
    scenario: Scenario, name: str, progress: Progress = lambda _: None, further: FurtherColumns = NO_MORE
) -> Outcome:
    """A scenario solved now, by its own strategy. Raises what `allocate` raises, with the name."""
    with concerning(name):
        progress(f"reading the borrowers of {name}")
        case = prepare(scenario, read_inputs(scenario, further))
        progress(f"solving {name}")
        return replace(judge(case, decide(case, progress)), name=name)


def strategy_sides(
    scenarios: Sequence[Scenario], progress: Progress = lambda _: None, further: FurtherColumns = NO_MORE
) -> list[Outcome]:
    """The same scenario under the strategy of each of `scenarios`, named by it; solved for the optimum once.

    A strategy that reads a file has its inputs read again with it. Raises what `allocate` raises.
    """
    progress("reading the borrowers")
    first = scenarios[0]
    plain = prepare(first, read_inputs(first, further))
    return strategy_outcomes(plain, scenarios, progress, further)


def strategy_outcomes(
    plain: Case,
    scenarios: Sequence[Scenario],
    progress: Progress = lambda _: None,
    further: FurtherColumns = NO_MORE,
) -> list[Outcome]:
    """One outcome per strategy of `scenarios`, all of the case `plain`; the optimum is solved once."""
    progress("solving for the optimum")
    optimum = decide(optimally(plain), progress)
    sides = []
    for scenario in scenarios:
        scenario, name = with_budget_in_money(scenario, plain.inputs.portfolio), scenario.strategy.name
        case = replace(plain, scenario=scenario)
        with concerning(name):
            if scenario.strategy.files():
                case = prepare(scenario, read_inputs(scenario, further))
            outcome = judge(case, decide(case, progress, optimum=optimum))
        sides.append(replace(outcome, name=name))
    return sides
