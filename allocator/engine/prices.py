"""Prices for the limits, with the bound that they prove."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from allocator.engine.conflict import NOTHING_FITS, broken_limits, explain_conflict
from allocator.engine.cores import PricedPoint, whole_program
from allocator.engine.farkas import prove_impossible
from allocator.engine.finish import Parts, at_prices, finish
from allocator.engine.kernel import dense
from allocator.engine.kernel.columns import Columns
from allocator.engine.kernel.passes import Pass
from allocator.engine.newton import newton_prices
from allocator.engine.options import Options, options_of, undominated, uses_of
from allocator.engine.program import Effort, ProgramAnswer
from allocator.engine.relaxation import Relaxation, prices_of, relax
from allocator.engine.solving import OutOfTimeError, SolverError, solve
from allocator.errors import InfeasibleError
from allocator.records.portfolio import Floats
from allocator.records.progress import Progress

WHOLE_UP_TO = 2_000
"""Borrowers up to which the whole relaxation is one LP."""
_WHOLE_NUMBERS = 50_000_000
"""Coefficients, one per row and offer, up to which it is written out."""
WHOLE_OFFERS = 20_000
"""Extreme offers up to which a conflict is also looked at with whole offers."""
CONFLICT_UP_TO = 20_000
"""Borrowers up to which a conflict is found by that LP too."""
_CONFLICT_NUMBERS = 200_000_000
"""Coefficients up to which it is."""


def fits_one_table(columns: Columns) -> bool:
    """Whether the whole relaxation is small enough to be written out as one LP."""
    return len(columns) <= WHOLE_UP_TO and _coefficients(columns) <= _WHOLE_NUMBERS


def relaxation_prices(columns: Columns, progress: Progress, *, named: bool = True) -> PricedPoint:
    """The prices of the LP relaxation over every option; none, 0, where there was no time for it.

    Raises InfeasibleError, naming the conflict unless it is not to be `named`, where not even the relaxation
    has a point.
    """
    try:
        prices = prices_of(columns, *_relaxed(columns, progress, named=named))
    except OutOfTimeError:
        prices = np.zeros(len(columns.limits))
    return at_prices(columns, prices, dense.respond(columns, prices))


def _relaxed(columns: Columns, progress: Progress, *, named: bool = True) -> tuple[Relaxation, ProgramAnswer]:
    relaxation = _relaxation(columns, _options(columns))
    progress(f"pricing the limits over {len(relaxation.line):,} extreme offers")
    answer = solve(relaxation.program, Effort())
    if answer.stop == "infeasible" and not named:
        raise InfeasibleError(NOTHING_FITS)
    if answer.stop == "infeasible":
        small = len(relaxation.line) <= WHOLE_OFFERS
        raise explain_conflict(columns, relaxation.rows, whole_program(columns) if small else None)
    if answer.stop == "time_limit":
        raise OutOfTimeError
    if answer.stop != "optimal":
        raise SolverError(f"the LP relaxation ended with status {answer.stop}")
    return relaxation, answer


def relaxed_point(columns: Columns, progress: Progress) -> Floats:
    """(2, n) what each borrower is offered at a point of the LP relaxation that is best, and what is drawn.

    Raises InfeasibleError, naming the conflict, where there is none, OutOfTimeError without time for it.
    """
    relaxation, answer = _relaxed(columns, progress)
    options = _options(columns)
    position, take_up = (own[relaxation.line] for own in (options.position, options.take_up))
    assert answer.point is not None
    offered = answer.point[: len(relaxation.line)] * relaxation.amount
    of_each = (np.bincount(position, own, minlength=len(columns)) for own in (offered, offered * take_up))
    return np.vstack([*of_each])


def prices_if_worth(columns: Columns, more: Floats) -> Floats | None:
    """The relaxation's prices (m,) were a unit lent to each borrower worth `more` (n,) than it is.

    None where they are not found, or the book is too large for one LP.
    """
    if len(columns) > CONFLICT_UP_TO or _coefficients(columns) > _CONFLICT_NUMBERS:
        return None
    options = _options(columns)
    relaxation = _relaxation(columns, options)
    program, line = relaxation.program, relaxation.line
    cost = program.cost.copy()
    cost[: len(line)] += more[options.position[line]] * relaxation.amount / relaxation.unit
    answer = solve(replace(program, cost=cost), Effort())
    return prices_of(columns, relaxation, answer) if answer.stop == "optimal" else None


def whole_relaxation(columns: Columns, *, every: bool = False) -> tuple[Relaxation, Options]:
    """The relaxation over the options, at both ends, of a book that fits one table; and these.

    `every`: those too that no optimum under the columns' rows alone needs.
    """
    options = _every_option(columns) if every else _options(columns)
    return relax(columns, options, uses_of(columns, options), both_ends=True), options


def _every_option(columns: Columns) -> Options:
    return options_of(columns, np.flatnonzero(columns.offers.menu >= 0))


def _options(columns: Columns) -> Options:
    options = _every_option(columns)
    return options.keep(undominated(columns, options))


def _relaxation(columns: Columns, options: Options) -> Relaxation:
    return relax(columns, options, uses_of(columns, options))


def descended_prices(
    book: Pass,
    tolerance: float,
    start: Floats | None,
    left: Callable[[], float],
    progress: Progress,
    *,
    named: bool = True,
) -> tuple[PricedPoint, Parts]:
    """Prices of a large book: Newton on the dual, then the exact finish, while seconds are `left`.

    And what the relaxation gives those whom it splits.

    Raises InfeasibleError where the finish cannot meet every limit: unbounded prices end there.
    """
    prices = newton_prices(book.columns, book.threads, start, progress, left)
    progress("finishing the prices exactly")
    finished = finish(book, prices, tolerance, left)
    if np.isfinite(finished.gap):
        return finished.priced, finished.parts
    columns = book.columns
    if left() > 0 and len(columns) <= CONFLICT_UP_TO and _coefficients(columns) <= _CONFLICT_NUMBERS:
        return relaxation_prices(columns, progress, named=named), Parts.none()
    if prove_impossible(columns, finished.last):
        raise broken_limits(columns, finished.broken)
    return finished.priced, finished.parts


def _coefficients(columns: Columns) -> int:
    """One a row and offer."""
    widest = max((len(menu.rates) for menu in columns.offers.menus), default=0)
    return len(columns.limits) * len(columns) * widest
