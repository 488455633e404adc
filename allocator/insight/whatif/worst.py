"""The allocation that is worth the most in the worst of several stresses (`stress.worst_of`)."""

from __future__ import annotations

from collections.abc import Sequence

from allocator.borrowers import read_inputs
from allocator.insight.variants import answer
from allocator.pipeline import prepare
from allocator.records.outcome import Outcome
from allocator.records.progress import Progress
from allocator.records.scenario import Scenario
from allocator.scenario import load_document
from allocator.scenario.loading import Changes


def worst_of(scenario: Scenario, names: Sequence[str], progress: Progress = lambda _: None) -> Outcome:
    """The best allocation in the worst of the stresses `names`, base among them or not.

    Raises InputError for names, stresses and scenarios that have none; else as `allocate` does.
    """
    document = scenario.document
    stress = {**document.get("stress", {}), "worst_of": [*names]}
    frames = Changes(frames=scenario.frames)
    asked = load_document({**document, "stress": stress}, "/", scenario.name, frames)
    return best_in_the_worst(asked, progress)


def best_in_the_worst(scenario: Scenario, progress: Progress = lambda _: None) -> Outcome:
    """The optimum of a scenario that says `stress.worst_of`. Raises as `allocate` does."""
    progress("reading the borrowers")
    return answer(prepare(scenario, read_inputs(scenario)), progress=progress)
