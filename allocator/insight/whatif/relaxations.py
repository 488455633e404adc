"""What it would take where nothing fits: other bounds, the least change first, each solved and certified."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from math import floor, inf, log10
from pathlib import Path

import numpy as np

from allocator.engine.allowance import seconds_left, within
from allocator.engine.conflict import IndivisibleError, with_conflicts
from allocator.engine.diagnosis import Diagnosis, diagnose
from allocator.engine.elastic import Elastic
from allocator.engine.kernel.columns import Columns
from allocator.engine.solving import OutOfTimeError
from allocator.errors import InfeasibleError, InputError, NewBound, NoAllocationError, Relaxation
from allocator.insight.variants import answer, optimally, with_policy
from allocator.limits.bounds import bounds_of
from allocator.pipeline import allocate_with_outcome
from allocator.records.case import Case
from allocator.records.limits import Bounds, conditional, entry_of
from allocator.records.outcome import Outcome
from allocator.records.portfolio import Floats
from allocator.records.progress import Progress
from allocator.records.run import Run
from allocator.records.scenario import COUNTED, Policy, Scenario
from allocator.records.solution import CUT_SHORT
from allocator.scenario.loading import Changes, load_document
from allocator.scenario.overrides import Setting, steps_of

SHOWN = 3
"""Relaxations that are solved and shown."""
LARGE = 20_000
"""Borrowers beyond which a relaxation is tried a few times only."""
_FINE = Decimal("0.005")
"""A bound is rounded outwards by about this part of its change."""
_CENT = Decimal("0.01")
_WIDER = (1.0, 1.003, 1.01, 1.03, 1.1, 1.3, 2.0, 5.0, 10.0)
"""What the least change of the relaxation is multiplied by until whole offers fit."""
_SMALL = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.03, 0.1, 0.3, 1.0)
"""Changes, relative to a bound, that are tried where the relaxation needs none."""
_STEP = 2
"""Places in such a list that are passed over first where its narrowest does not fit; then twice as many."""
_HALVINGS = 5
_ANY = 1e9
"""Gap at which any allocation will do."""
_DIAGNOSIS, _TRY = 0.5, 0.25
"""Parts of the time left that the search for conflicts may take, and a try of bounds."""
_WORTH_MORE = 0.99
"""What a change of more bounds than a cure needs has to be of that cure's, to be worth its words."""


def explain(scenario: Scenario, case: Case, error: InfeasibleError, progress: Progress) -> InfeasibleError:
    """`error`, which says that nothing fits `case`, with every conflict and with what it would take."""
    by_list_alone = case.offers.posted is not None and not error.conflict
    hanging = bool(conditional(case.scenario.policy))  # no bound says whether a limit must hold
    if isinstance(error, IndivisibleError) or by_list_alone or hanging:
        return error
    case = optimally(case)
    rows = [row.name for row in case.limits.rows]
    if not set(error.conflict) <= set(rows):
        return error
    progress("looking for what it would take")
    bounds = bounds_of(case.scenario.policy, case.limits)
    with within(case.scenario.solver.time_limit):
        elastic = Elastic(Columns(case.offers, case.limits), bounds, case.scenario.solver.threads)
        with within(_DIAGNOSIS * max(seconds_left(), 0.0)):
            diagnosis = diagnose(elastic, [rows.index(name) for name in error.conflict])
        solved, stopped = _found(case, elastic, diagnosis, error, progress)
    stopped |= diagnosis.stopped
    conflicts = [[rows[j] for j in conflict] for conflict in diagnosis.conflicts]
    alone = [rows[j] for j in sorted(set().union(*diagnosis.conflicts)) if diagnosis.ends(bounds.entry[j])]
    share = scenario.written.budget.of is not None
    return with_conflicts(error, conflicts, alone, _ranked(case, bounds, solved, share), stopped=stopped)


def _found(
    case: Case, elastic: Elastic, diagnosis: Diagnosis, error: InfeasibleError, progress: Progress
) -> tuple[list[tuple[Floats, Outcome]], bool]:
    """Bounds (E,) under which something fits, with the best of it; and whether the clock ended the search.

    Each candidate has its part of the time left, the first ones first.
    """
    solved: list[tuple[Floats, Outcome]] = []
    known: set[tuple[float, ...]] = set()
    stopped = False
    try:
        for moves in _candidates(elastic, diagnosis, error):
            if len(solved) >= SHOWN:
                break
            if seconds_left() <= 0:
                return solved, True
            progress("solving under other bounds")
            tries = _Tries(case, elastic.bounds, moves)
            with within(seconds_left() / (SHOWN - len(solved))):
                reached = tries.least()
            stopped |= tries.stopped
            if reached is not None and tuple(reached[0]) not in known:
                known.add(tuple(reached[0]))
                solved.append(reached)
    except OutOfTimeError:
        return solved, True
    return solved, stopped


def allocate_or_explain(
    scenario: Scenario,
    relax: int | None = None,
    progress: Progress = lambda _: None,
    start: Mapping[str, float] | None = None,
) -> tuple[Run, Outcome]:
    """The pipeline's run; where nothing fits, under the relaxation number `relax`, counted from 1, if given.

    A run under other bounds says so in its notes. Raises what the pipeline raises, InfeasibleError with all
    that is to be said of it.
    """
    try:
        return allocate_with_outcome(scenario, progress, start, explain)
    except InfeasibleError as error:
        if relax is None or not 1 <= relax <= len(error.relaxations):
            raise
        relaxation = error.relaxations[relax - 1]
    run, outcome = allocate_with_outcome(with_relaxation(scenario, relaxation), progress, start)
    notes = [f"nothing fits the scenario as it was given; relaxed: {relaxation}", *run.summary["notes"]]
    return replace(run, summary={**run.summary, "notes": notes}), outcome


def with_relaxation(scenario: Scenario, relaxation: Relaxation) -> Scenario:
    """`scenario` with the bounds of `relaxation`, in its document too."""
    settings = [Setting(steps_of(key), value) for key, value in relaxation.sets.items()]
    changes = Changes(settings, scenario.frames, "--relax")
    changed = load_document(scenario.document, Path.cwd(), scenario.name, changes)
    return replace(changed, path=scenario.path)


def _candidates(
    elastic: Elastic, diagnosis: Diagnosis, error: InfeasibleError
) -> Iterator[tuple[Floats, ...]]:
    """Moves of the bounds (E,), the least sum first, each as the steps to try one after the other."""
    bounds = elastic.bounds
    each = (elastic.least_moves(cure) for cure in diagnosis.cures)
    least = [moves for moves in each if moves is not None and np.any(moves)]
    if diagnosis.conflicts and len(diagnosis.cures) != 1:
        everyone = {int(bounds.entry[j]) for rows in diagnosis.conflicts for j in rows}
        mixed, reached = (
            elastic.least_moves(everyone),
            min((_change(bounds, move) for move in least), default=inf),
        )
        if mixed is not None and _change(bounds, mixed) < _WORTH_MORE * reached:
            least.append(mixed)
    least.sort(key=lambda moves: (round(_change(bounds, moves), 9), int(np.count_nonzero(moves))))
    for moves in least:
        yield tuple(moves * factor for factor in _WIDER)
    if diagnosis.conflicts:
        return
    entries = {entry_of(name) for name in error.conflict}
    for e, name in enumerate(bounds.names):
        for way, allowed in ((1.0, bounds.up[e]), (-1.0, bounds.down[e])):
            if name in entries and allowed:
                move = np.zeros(len(bounds.names))
                move[e] = way * bounds.size[e]
                yield tuple(move * part for part in _SMALL)


def _change(bounds: Bounds, moves: Floats) -> float:
    return float(np.sum(np.abs(moves) / bounds.size))


@dataclass
class _Tries:
    """Ever wider moves of bounds, until something fits under them, which is then made the best of."""

    case: Case
    bounds: Bounds
    moves: tuple[Floats, ...]
    stopped: bool = False
    """Whether the clock ended a try."""

    def __post_init__(self) -> None:
        self.longest = _TRY * max(seconds_left(), 0.0)

    def least(self) -> tuple[Floats, Outcome] | None:
        """The bounds (E,) of the narrowest moves that fit, with the best allocation; None: none does."""
        fitting = self._narrowest()
        if fitting is None or len(self.case.offers) > LARGE:
            return fitting
        written, any_outcome = fitting
        best = self._solved(written, in_full=True)
        return written, any_outcome if best is None or best.value < any_outcome.value else best

    def _narrowest(self) -> tuple[Floats, Outcome] | None:
        """Ever wider steps, then what lies between: whoever fits a narrower bound fits a wider one."""
        large = len(self.case.offers) > LARGE
        ways = list(self._distinct(self.moves[::2][:3] if large else self.moves))
        failed, place, step = -1, 0, 1 if large else _STEP
        success: tuple[int, Outcome] | None = None
        while place < len(ways) and place > failed and (success is None or place < success[0]):
            outcome = self._solved(self._rounded(ways[place]), in_full=large)
            success, failed = (success, place) if outcome is None else ((place, outcome), failed)
            if success is None:
                place, step = min(place + step, max(len(ways) - 1, place + 1)), 1 if large else 2 * step
            else:
                place = (failed + success[0]) // 2
        if success is None:
            return None
        moves, outcome = ways[success[0]], success[1]
        if failed < 0 or large:
            return self._rounded(moves), outcome
        return self._between(ways[failed], moves, outcome)

    def _distinct(self, moves: tuple[Floats, ...]) -> Iterator[Floats]:
        """The moves that come to other bounds than those before."""
        before: Floats | None = None
        for move in moves:
            written = self._rounded(move)
            if before is None or not np.array_equal(written, before):
                yield move
            before = written

    def _between(self, failed: Floats, moves: Floats, outcome: Outcome) -> tuple[Floats, Outcome]:
        """Halves the way from moves that failed to moves that fit."""
        for _ in range(_HALVINGS):
            if np.max(np.abs(moves - failed)) <= float(_FINE) * np.max(np.abs(moves)):
                break
            middle = (failed + moves) / 2.0
            written = self._rounded(middle)
            same = np.array_equal(written, self._rounded(moves))
            between = None if same else self._solved(written, in_full=False)
            if between is None:
                failed = middle
            else:
                moves, outcome = middle, between
        return self._rounded(moves), outcome

    def _solved(self, written: Floats, *, in_full: bool) -> Outcome | None:
        """The best allocation under these bounds, or any; None where there is none, or no time for it."""
        if seconds_left() <= 0:
            self.stopped = True
            return None
        policy = self.case.scenario.policy
        for name, was, now in zip(self.bounds.names, self.bounds.written, written, strict=True):
            if now != was:
                policy = policy.with_bound(name, float(now))
        solver = self.case.scenario.solver
        solver = solver if in_full else replace(solver, asks_whether=True, gap=_ANY)
        scenario = replace(self.case.scenario, solver=solver)
        try:
            with within(inf if in_full else self.longest):
                outcome = answer(with_policy(replace(self.case, scenario=scenario), policy))
        except (InfeasibleError, InputError):
            return None
        except NoAllocationError as error:
            self.stopped |= error.stop in CUT_SHORT
            return None
        self.stopped |= in_full and outcome.stopped
        return None if outcome.broken else outcome

    def _rounded(self, moves: Floats) -> Floats:
        """The bounds moved so far, rounded outwards to as few figures as a hundredth of the move allows."""
        bounds, written = self.bounds, self.bounds.written.copy()
        for e in np.flatnonzero(moves):
            written[e] = _outwards(float(written[e]), float(moves[e]), self._unit(int(e)))
        return np.clip(written, bounds.low, bounds.high)

    def _unit(self, e: int) -> Decimal:
        """What a bound is a whole number of."""
        policy = self.case.scenario.policy
        limit = policy.enforced[e - 1] if e else None
        if limit is None:
            step = policy.ticket.step if policy.budget.spend == "exactly" else None
            return Decimal(repr(step)) if step is not None else _CENT
        if limit.of is not None or limit.weight is not None:
            return Decimal(0)
        return Decimal(1) if limit.measure in COUNTED else _CENT if limit.plugin is None else Decimal(0)


def _outwards(was: float, move: float, unit: Decimal) -> float:
    """`was` + `move`, rounded away from `was` to a power of ten, or a unit, that is small beside the move."""
    fine = Decimal(10) ** floor(log10(abs(move) * float(_FINE)))
    fine = max(fine, unit) if unit else fine
    if unit and fine % unit:
        fine = (fine / unit).to_integral_value(ROUND_FLOOR) * unit
    multiple = (Decimal(repr(was)) + Decimal(repr(move))) / fine
    slack = Decimal("1e-6")
    rounding, slack = (ROUND_CEILING, -slack) if move > 0 else (ROUND_FLOOR, slack)
    return float((multiple + slack).to_integral_value(rounding) * fine)


def _ranked(
    case: Case, bounds: Bounds, solved: list[tuple[Floats, Outcome]], share: bool
) -> list[Relaxation]:
    """The least change first, then the fewest bounds, then the most value."""
    most = max((outcome.value for _, outcome in solved), default=0.0)
    relaxations = [
        Relaxation(
            bounds=tuple(_new_bounds(case.scenario.policy, bounds, written)),
            change=_change(bounds, written - bounds.written),
            value=outcome.value,
            lost=most - outcome.value,
            gap=outcome.gap,
            sets=_sets(case.scenario, bounds, written, share),
        )
        for written, outcome in solved
    ]
    return sorted(
        relaxations,
        key=lambda relaxation: (round(relaxation.change, 6), len(relaxation.bounds), relaxation.lost),
    )


def _new_bounds(policy: Policy, bounds: Bounds, written: Floats) -> Iterator[NewBound]:
    for e in np.flatnonzero(written != bounds.written):
        share = bool(e > 0 and policy.enforced[e - 1].of is not None)
        yield NewBound(bounds.names[e], float(bounds.written[e]), float(written[e]), share)


def _sets(scenario: Scenario, bounds: Bounds, written: Floats, share: bool) -> dict[str, float | str | None]:
    """The bounds as the file has to write them, before what its stress does to them.

    `share`: it writes the budget as a share of all requests, which money then takes the place of.
    """
    sets: dict[str, float | str | None] = {}
    for e in np.flatnonzero(written != bounds.written):
        name = bounds.names[e]
        typed, held = scenario.written.bound_of(name), float(bounds.written[e])
        now = float(written[e]) if typed == held or typed == 0.0 else float(written[e]) / (held / typed)
        limit = scenario.policy.entry(name)
        if limit is None and share:
            sets["policy.budget.of"] = None
        sets["policy.budget.amount" if limit is None else f"policy.limits[{name}].{limit.sense}"] = now
    return sets
