"""Two or more sides compared: each with the first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from allocator.insight.compare.chance import Chance, chances
from allocator.insight.compare.differences import (
    BorrowerChanges,
    Difference,
    alone_in_strategy,
    borrower_changes,
    match,
    scenario_differences,
    terms_of,
)
from allocator.insight.compare.segments import by_column, whole_of
from allocator.insight.compare.steps import Step, steps
from allocator.insight.compare.swaps import Swaps, swaps
from allocator.records.ledger import Account
from allocator.records.outcome import Outcome
from allocator.records.progress import Progress


@dataclass(frozen=True)
class Pair:
    """A side beside the first."""

    before: Outcome
    after: Outcome
    scenario: tuple[Difference, ...]
    borrowers: BorrowerChanges
    swaps: Swaps
    steps: tuple[Step, ...]
    """No steps where the strategies alone differ: the difference of the values is theirs."""

    @property
    def terms(self) -> tuple[str, ...]:
        """What offers are valued by that differs; strategies alone change none of it."""
        own = (*terms_of(self.scenario), *self.borrowers.terms)
        return () if self.scenario and alone_in_strategy(self.scenario) else own


@dataclass(frozen=True)
class Comparison:
    """Sides side by side; the first is what the others are compared with."""

    sides: tuple[Outcome, ...]
    accounts: tuple[Account, ...]
    """One a side."""
    by: str
    segments: tuple[dict[str, Account], ...]
    """One a side: value of the column `by` -> account."""
    pairs: tuple[Pair, ...]
    """One a further side."""
    chances: tuple[Chance, ...] = ()
    """One a side; none at all unless asked for."""
    years: int = 0
    """Simulated for `chances`."""

    @property
    def terms(self) -> tuple[str, ...]:
        """Who is valued on other terms than the first, in a line: such values rank nothing alone."""
        apart: dict[str, list[str]] = {}
        for pair in self.pairs:
            if told := ", ".join(pair.terms):
                apart.setdefault(told, []).append(pair.after.name)
        sentence = "; ".join(f"{', '.join(names)} ({told})" for told, names in apart.items())
        return (f"Valued on other terms than {self.sides[0].name}: {sentence}.",) if sentence else ()

    @property
    def notes(self) -> tuple[str, ...]:
        """Parts of the sides' scenarios that change nothing, each once."""
        return tuple(dict.fromkeys(note for side in self.sides for note in side.inputs.notes))


def compare(
    sides: Sequence[Outcome],
    by: str = "grade",
    progress: Progress = lambda _: None,
    *,
    exact: bool = True,
    years: int = 0,
    seed: int = 0,
) -> Comparison:
    """Every side with the first: inputs, results, swaps, the values of the column `by`, each change's cost.

    `exact` solves every case between two scenarios; without it the prices say what a change can gain at
    most. Of sides that differ in their strategy alone nothing is solved. `years` of the sides' net are
    simulated under common random numbers, from `seed`. A column other than grade must have been read
    with the sides.
    """
    first, *others = sides
    pairs = [_pair(first, other, progress, exact) for other in others]
    return Comparison(
        tuple(sides),
        tuple(map(whole_of, sides)),
        by,
        tuple(by_column(side, by) for side in sides),
        tuple(pairs),
        chances(sides, years, seed, progress) if years else (),
        years,
    )


def _pair(before: Outcome, after: Outcome, progress: Progress, exact: bool) -> Pair:
    progress(f"comparing {after.name} with {before.name}")
    ours, theirs = before.inputs, after.inputs
    matching = match(ours.portfolio, theirs.portfolio)
    changed = scenario_differences(before.scenario.document, after.scenario.document)
    return Pair(
        before,
        after,
        changed,
        borrower_changes(ours.portfolio, theirs.portfolio, (ours.churn, theirs.churn), matching),
        swaps(before, after, matching),
        () if alone_in_strategy(changed) else steps(before, after, progress, exact=exact),
    )
