"""What is compared: a run read back, a scenario solved now, or a strategy on a scenario."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from allocator.borrowers import NO_MORE, Columns, read_inputs
from allocator.certification.certify import Finding
from allocator.errors import concerning
from allocator.insight.variants import optimally
from allocator.pipeline import decide, judge, prepare
from allocator.records.case import Case
from allocator.records.ledger import Ledger
from allocator.records.run import Status, StoredRun, relative_gap
from allocator.records.scenario import Scenario
from allocator.records.solution import Solution
from allocator.scenario.demand import in_money
from allocator.summary import proved_bound, status
from allocator.verification import recheck_run

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Side:
    """Decisions on a case, judged from its inputs."""

    name: str
    case: Case
    finding: Finding
    bound: float
    """The tightest proved on any allocation that keeps the limits of its case."""
    status: Status
    stopped: bool
    """Whether the clock ended the search that its decisions, or the bound, come from."""

    @property
    def value(self) -> float:
        return self.finding.certificate.value

    @property
    def share(self) -> float | None:
        """Value as a part of the bound; None where that is not above 0, or limits or terms are broken."""
        return self.value / self.bound if self.bound > 0 and not self.finding.broken else None

    @property
    def ledger(self) -> Ledger:
        """One line a borrower, in portfolio order."""
        return self.finding.ledger

    @property
    def idle(self) -> float:
        """What the budget left unspent earns, a part of the value."""
        policy, spent = self.case.scenario.policy, self.finding.certificate.limits[0]
        return policy.idle_rate * policy.unspent(spent.used)

    @property
    def prices(self) -> Mapping[str, float]:
        return self.finding.certificate.prices


def run_side(stored: StoredRun, name: str, further: Columns = NO_MORE) -> Side:
    """A stored run that passes its recheck; its portfolio has the `further` columns too.

    Raises InputError where an input is missing, CertificateError where the run does not pass, with its name.
    """
    with concerning(name):
        run = recheck_run(stored, further)
        case = prepare(run.scenario, run.inputs)
    summary = stored.summary
    stopped = summary["stop"] == "time_limit"
    return Side(name, case, run.finding, float(summary["bound"]), summary["status"], stopped)


def scenario_side(
    scenario: Scenario, name: str, progress: Progress = lambda _: None, further: Columns = NO_MORE
) -> Side:
    """A scenario solved now, by its own strategy. Raises what `allocate` raises, with the name."""
    with concerning(name):
        progress(f"reading the borrowers of {name}")
        case = prepare(scenario, read_inputs(scenario, further))
        progress(f"solving {name}")
        return judged(case, decide(case, progress), name)


def strategy_sides(
    scenarios: Sequence[Scenario], progress: Progress = lambda _: None, further: Columns = NO_MORE
) -> list[Side]:
    """The same scenario under the strategy of each of `scenarios`, named by it; solved for the optimum once.

    A strategy that reads a file has its inputs read again with it. Raises what `allocate` raises.
    """
    progress("reading the borrowers")
    first = scenarios[0]
    plain = prepare(first, read_inputs(first, further))
    return case_sides(plain, scenarios, progress, further)


def case_sides(
    plain: Case,
    scenarios: Sequence[Scenario],
    progress: Progress = lambda _: None,
    further: Columns = NO_MORE,
) -> list[Side]:
    """`strategy_sides` of a case that is prepared."""
    progress("solving for the optimum")
    optimum = decide(optimally(plain), progress)
    sides = []
    for scenario in scenarios:
        scenario, name = in_money(scenario, plain.inputs.portfolio), scenario.strategy.name
        case = replace(plain, scenario=scenario)
        with concerning(name):
            if scenario.strategy.files():
                case = prepare(scenario, read_inputs(scenario, further))
            sides.append(judged(case, decide(case, progress, optimum=optimum), name))
    return sides


def judged(case: Case, solution: Solution, name: str) -> Side:
    """The side of a solution. Raises CertificateError where it does not pass its recheck."""
    finding = judge(case, solution)
    certificate = finding.certificate
    bound, _ = proved_bound(solution, finding)
    gap = relative_gap(bound, certificate.value)
    return Side(name, case, finding, bound, status(case.scenario, finding, gap), solution.stopped)
