"""Everything that a committee asks about one run, answered: what the report of a run is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from allocator.borrowers import FurtherColumns, stress_of
from allocator.insight.compare.compare import Comparison, compare
from allocator.insight.compare.sides import case_sides
from allocator.insight.composition import Composition, compose
from allocator.insight.explain.book import BookExplanation, explain_book
from allocator.insight.explain.explanation import Reader, read_reader
from allocator.insight.simulate.record import Risk, Simulation
from allocator.insight.simulate.simulate import simulate
from allocator.insight.simulate.summary import YearsSummary, summarise_years
from allocator.insight.whatif.frontier import Frontier, frontier
from allocator.insight.whatif.levers import Levers, price_levers
from allocator.insight.whatif.stress import Base, Trial, chosen, try_stresses
from allocator.insight.whatif.tracks import track_of
from allocator.records.outcome import Outcome
from allocator.records.progress import Progress
from allocator.records.run import StoredRun
from allocator.records.scenario import BUDGET, Scenario

LARGE = 20_000
"""Borrowers from which less is solved."""
BUDGETS, FEW_BUDGETS = 9, 3
"""Budgets at which the best allocation is sought."""
SPAN = (0.5, 1.5)
"""Of the budget, from where to where."""
LEVER = 0.01
"""Of itself, how far each thing moves."""
POINT_GAP = 1e-6
"""Gap at which a budget's allocation is good enough."""
YEARS, FEW_YEARS = 10_000, 2_000


@dataclass(frozen=True)
class Effort:
    """How much is solved for a report."""

    budgets: int
    years: int
    resolved: bool
    """Whether levers are solved again; else the run's prices alone say what they are worth."""

    @classmethod
    def of(cls, borrowers: int, *, quick: bool) -> Effort:
        """Less for a large book, or where it is to be quick."""
        if quick or borrowers >= LARGE:
            return cls(FEW_BUDGETS, FEW_YEARS, resolved=False)
        return cls(BUDGETS, YEARS, resolved=True)


@dataclass(frozen=True)
class Dossier:
    """A run with the answers; each as its own command gives it."""

    stored: StoredRun
    run: Outcome
    effort: Effort
    composition: Composition
    book: BookExplanation
    years: tuple[Simulation, YearsSummary]
    trials: tuple[Trial, ...]
    comparison: Comparison
    budgets: Frontier | None
    """None where there is no budget to be moved."""
    levers: Levers
    notes: Sequence[str] = ()
    """What was left out of the comparison."""


def dossier_of(
    stored: StoredRun,
    rules: Sequence[Scenario],
    progress: Progress = lambda _: None,
    *,
    notes: Sequence[str] = (),
    quick: bool = False,
) -> Dossier:
    """The run in `stored`, rechecked, with every answer; `rules` are its scenario under other strategies.

    Raises CertificateError where the run does not pass its recheck, else as the insights do.
    """
    columns = _stress_columns(rules[0])
    reader = read_reader(stored, columns, progress)
    run = reader.run
    effort = Effort.of(len(run.inputs.portfolio), quick=quick)
    progress("explaining the limits")
    book = explain_book(reader, "grade", exact=True, progress=progress)
    return Dossier(
        stored=stored,
        run=run,
        effort=effort,
        composition=compose(run, reader.reasons, segment_columns(run.scenario)),
        book=book,
        years=_years(run, effort, progress),
        trials=try_stresses(Base(reader.case, run), chosen(run.scenario), progress),
        comparison=compare(case_sides(reader.case, rules, progress), progress=progress, exact=False),
        budgets=_budgets(reader, effort, progress),
        levers=price_levers(run, reader.case, LEVER, not effort.resolved, progress),
        notes=notes,
    )


def segment_columns(scenario: Scenario) -> tuple[str, ...]:
    """The columns that the report sums by: those that limits are set for each value of, two at most."""
    each = dict.fromkeys(limit.each for limit in scenario.policy.limits if limit.each not in (None, "grade"))
    return tuple(column for column in each if column is not None and column != "borrower_id")[:2]


def _stress_columns(scenario: Scenario) -> FurtherColumns:
    return FurtherColumns.of(stress_of(source) for source in chosen(scenario).values())


def _years(run: Outcome, effort: Effort, progress: Progress) -> tuple[Simulation, YearsSummary]:
    threads = run.scenario.solver.threads
    drawn = simulate({run.name: run}, Risk(), years=effort.years, threads=threads, progress=progress)
    return drawn, summarise_years(drawn, run.name, run.ledger, run.inputs.portfolio.grade)


def _budgets(reader: Reader, effort: Effort, progress: Progress) -> Frontier | None:
    case = reader.case
    amount = case.scenario.policy.budget.amount
    if not amount > 0:
        return None
    solver = replace(case.scenario.solver, gap=max(POINT_GAP, case.scenario.solver.gap))
    track = track_of(replace(case, scenario=replace(case.scenario, solver=solver)), (BUDGET,))
    spans = [(SPAN[0] * amount, SPAN[1] * amount)]
    return frontier(track, spans, effort.budgets, progress)


def net_by_bin(simulation: Simulation, name: str, bins: int) -> Mapping[str, Any]:
    """How many years end with a net in each of `bins` even stretches, edges in currency units."""
    counts, edges = np.histogram(simulation.books[name].net, bins)
    return {"edges": edges.tolist(), "years": counts.tolist()}
