"""`allocator check`: everything that solve would refuse, found before it solves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allocator.cli.options import AsJson, ScenarioFile, Sets, Verbose
from allocator.cli.shell import answer
from allocator.records.progress import Progress

if TYPE_CHECKING:
    from allocator.report.view import View

EXAMPLE = "Example: allocator check sme.yaml --set policy.budget.amount=50_000_000"


def check(file: ScenarioFile, sets: Sets, as_json: AsJson = False, verbose: Verbose = False) -> None:
    """Read a scenario with all that it names, report every fault, and say what it comes to."""

    def ask(tell: Progress) -> View:
        tell("reading the scenario")
        from allocator.api.inputs import examination_of, examination_view
        from allocator.scenario import load_scenario

        return examination_view(examination_of(load_scenario(file, sets), str(file), tell))

    answer(ask, as_json=as_json, verbose=verbose)
