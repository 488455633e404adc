"""The most that several rows of a small book can rise alike: the program of section 3, with one column more.

    max  t + idle s - sum_j p_j t_j     s.t.  the rows of the program, floors f with - t:  used_f - t >= F_f

An allocation that lifts them above what is known is worth more than that in the mean too, so that what
loses more at the mean's prices than its bound lies above what is known is left out (engine/cores.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from allocator.engine.amounts import FrozenOffers, best_amounts, chosen_of, meets_rows
from allocator.engine.cores import OptionsInPlay, PricedPoint, build_core, restrict, taken_in, whole_lot
from allocator.engine.finish import at_prices
from allocator.engine.kernel.columns import Columns
from allocator.engine.kernel.passes import Pass, prepare
from allocator.engine.optimise import NODES
from allocator.engine.program import Core, Effort, Program, TranslatedProgram, nodes_of, side_by_side
from allocator.engine.search import Candidate, candidate
from allocator.engine.solving import solve
from allocator.records.lots import lots_to_money
from allocator.records.portfolio import Floats, Integers
from allocator.records.strategy import SolverSettings

_BORROWERS, _OFFERS = 1_000, 6_000
"""Of a small book, and offers in play up to which the solver may lift all floors at once."""
_ROUGHLY = 0.02
"""Part of what may be gained at which the first of two searches ends."""
_HAIRS = (1e-10, 1e-8, 1e-6, 1e-4)
"""Parts of a floor by which it is let down again until amounts in whole lots are found above it."""


@dataclass(frozen=True)
class Lifted:
    """How high the floors can be."""

    best: Candidate | None
    """An allocation that lifts them; None: none was found."""
    bound: float
    """No allocation lifts them higher, idle money's income included."""


def lift(
    columns: Columns, floors: Integers, prices: Floats, known: float, settings: SolverSettings
) -> Lifted | None:
    """The highest floors of the rows `floors`, of one right-hand side; None where the book is not small.

    `prices` (m,) are of the mean, and `known` is how high they can be, idle money's income included.
    """
    if len(columns) > _BORROWERS:
        return None
    book = prepare(columns, settings.threads)
    priced = at_prices(columns, prices, book.respond(prices))
    enough = settings.gap / 2 * max(abs(priced.bound), 1.0)
    highest = Lifted(None, np.inf)
    for part in (_ROUGHLY, 0.0):  # what is found roughly leaves less to the last search
        distance = max(part * (priced.bound - known), enough)
        play = _in_play(book, priced, known)
        if play is None:
            return replace(highest, bound=known)
        if len(play.options) > _OFFERS:
            return None
        lifted = _lifted(book, play, floors, distance, settings)
        if lifted is None:
            return None
        if lifted.best is not None and (own := _height(book, floors, lifted.best)) > known:
            highest, known = lifted, own
        highest = replace(highest, bound=max(lifted.bound, known))
        if highest.bound - known <= enough:
            break
    return highest


def _in_play(book: Pass, priced: PricedPoint, known: float) -> OptionsInPlay | None:
    """What an allocation that lifts the floors above `known` may hold; None where there is no such."""
    offers, theta = book.columns.offers, max(priced.bound - known, 0.0)
    everybody = np.flatnonzero((offers.menu >= 0) & ~offers.must)
    play = restrict(book.columns, priced, everybody, theta)
    some = np.isin(np.arange(len(everybody)), play.options.owner)
    if not some.any() or np.any(play.declining_loss[~some] > theta):
        return None
    return restrict(book.columns, priced, everybody[some], theta)


def _height(book: Pass, floors: Integers, candidate: Candidate) -> float:
    """How high an allocation lifts the floors, with what idle money earns and missed limits cost."""
    tally = book.tally(candidate.option, candidate.amount)
    return float(np.min(tally.usage[floors])) + candidate.value - tally.value


def _lifted(
    book: Pass, play: OptionsInPlay, floors: Integers, distance: float, settings: SolverSettings
) -> Lifted | None:
    columns = book.columns
    pinned = columns.offers.must & (columns.offers.menu >= 0)
    option = np.where(pinned, 0, -1).astype(np.int32)
    standing = FrozenOffers(option, np.where(pinned, columns.offers.low, 0.0), columns.pinned_use())
    core = build_core(columns, play, standing.usage, whole_lot(columns))
    from allocator.engine.formulation import in_arrays  # brings Pyomo, which large books may not need

    translated = in_arrays(core)
    if np.any(translated.limit[floors] < 0):
        return None
    floor = float(columns.limits.rhs[floors[0]])
    nodes = nodes_of(NODES, len(play.options))
    left = settings.time_limit
    effort = Effort(distance / core.unit, left, settings.seed, nodes=nodes, memory=settings.memory)
    answer = solve(_with_column(translated, core, floors), effort)
    bound = floor + answer.bound * core.unit
    if answer.point is None:
        return Lifted(None, bound)
    lines, high = taken_in(answer.point, translated), float(answer.point[-1]) * core.unit
    for hair in _HAIRS:
        raised = _raised(columns, floors, high - hair * max(abs(floor), 1.0))
        chosen = chosen_of(raised, play.options, play.uses, lines, standing)
        lots = np.round(answer.point[translated.amount[lines]])
        amounts = np.where(chosen.low == chosen.high, chosen.low, lots_to_money(lots, chosen.lot))
        settled = amounts if core.whole and meets_rows(chosen, amounts) else best_amounts(chosen)
        if settled is not None:
            option, amount = standing.option.copy(), standing.amount.copy()
            position = play.options.position[lines]
            option[position], amount[position] = play.options.option[lines], settled
            return Lifted(candidate(book, option, amount), bound)
    return Lifted(None, bound)


def _with_column(translated: TranslatedProgram, core: Core, floors: Integers) -> Program:
    """The program with the height of all floors as its last column, and as what there shall be most of."""
    program = translated.program
    cost = program.cost.copy()
    for places in (translated.take, translated.amount):
        cost[places[places >= 0]] = 0.0
    column = np.zeros((len(program.row_lower), 1))
    column[translated.limit[floors], 0] = -core.unit / core.measure[floors]
    return replace(
        program,
        cost=np.append(cost, 1.0),
        matrix=side_by_side(program.matrix, column),
        column_lower=np.append(program.column_lower, -np.inf),
        column_upper=np.append(program.column_upper, np.inf),
        integer=np.append(program.integer, False),
    )


def _raised(columns: Columns, floors: Integers, by: float) -> Columns:
    """The same book with its floors higher."""
    chosen = set(floors.tolist())
    rows = (
        replace(row, rhs=row.rhs + by) if j in chosen else row for j, row in enumerate(columns.limits.rows)
    )
    return replace(columns, limits=replace(columns.limits, rows=tuple(rows)))
