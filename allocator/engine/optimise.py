"""Prices first, then a growing core: the engine's one path for books of every size.

The prices give an upper bound on any allocation. The core around them goes through the Pyomo
formulation to HiGHS; what comes back is a feasible allocation, and the distance to the bound says
which alternatives may still matter: the core grows until the gap asked for is met, nothing outside it
can matter, or the time is up. In a small book a proof tree closes the gap that prices leave: a short one
before the core is solved to the end, and where that was not enough a long one from the optimum.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from allocator.engine.allowance import now, within
from allocator.engine.blends import unmet
from allocator.engine.closing import close, distance
from allocator.engine.conflict import (
    NOTHING_FITS,
    cents_conflict,
    explain_conflict,
    lots_conflict,
    whole_conflict,
)
from allocator.engine.cores import (
    COUNTED_BORROWERS,
    COUNTED_NODES,
    CoreAnswer,
    OptionsInPlay,
    PricedPoint,
    count_core,
    in_play,
    may_count,
    solve_core,
    whole_program,
)
from allocator.engine.emptiness import prove_empty
from allocator.engine.finish import Parts
from allocator.engine.firm import firm_prices
from allocator.engine.greedy import greedy
from allocator.engine.kernel.columns import Columns
from allocator.engine.kernel.curvature import DENSE_UP_TO
from allocator.engine.kernel.passes import prepare
from allocator.engine.pairs import fill_by_pairs
from allocator.engine.prices import (
    WHOLE_OFFERS,
    WHOLE_UP_TO,
    descended_prices,
    fits_one_table,
    prices_if_worth,
    relaxation_prices,
)
from allocator.engine.program import LimitRows, nodes_of
from allocator.engine.proof import LEAVES, cut_fits, fits, price, prove
from allocator.engine.repair import no_offers, repaired
from allocator.engine.restricted import in_whole_lots
from allocator.engine.search import Search, candidate
from allocator.engine.tidying import tidy
from allocator.errors import InfeasibleError, NoAllocationError
from allocator.records.limits import Limits
from allocator.records.offers import OfferBook
from allocator.records.portfolio import Floats
from allocator.records.progress import Progress
from allocator.records.solution import CUT_SHORT, Solution, Stop
from allocator.records.strategy import SolverSettings

_FIRST_CORE = 150
"""Borrowers with an open choice in the first core; each further one has four times as many."""
_FIXING_UP_TO = 5_000
"""Borrowers up to which a core may hold every open amount, so that fixing can prove it complete."""
_GREEDY_UP_TO = 20_000
"""Borrowers; beyond, the first core answers before a loop over borrowers would."""
_WALKED_UP_TO = 4_000_000
"""Coefficients of rows that count everybody, a cell and row each, up to which that loop is quick."""
_POOR = 1e-3
"""Gap of a first allocation beyond which another way to one is tried."""
_ROUGHLY = 0.03
"""Gap, a borrower, at which the core ends that a proof tree starts from: the tree does the rest faster."""
_FIRST_LEAVES = 100
"""Leaves of the tree that is tried before the optimum is known: what closes early needs no more."""
_CENT_LEAVES = 200
"""Leaves of a tree that splits cents: a gap of cents closes early or hardly ever."""
NODES = 3_000_000
"""Nodes of a core's tree search, times its offers: work, unlike seconds, is the same on a busy machine."""
_PROVING = 4.0
"""Times the nodes, for a core that can prove the optimum."""
_PRICED = 1e-3
"""Gap that prices are found for where a larger one is asked for: an allocation is made from them."""
_ASKING = 0.25
"""Times the nodes, for one that is only asked whether there is an allocation."""
_LATE = 1.0
"""Seconds beyond the time limit that a first allocation is worth."""
_MANY_LIMITS = 100
"""Limits beyond which a core in loss form holds too many offers for its solver to end."""
_LARGEST_CORE = 10_000
"""Borrowers beyond which a core is no longer worth its build."""
_LARGEST_PROGRAM = 60_000
"""Offers beyond which it is not either: 567,781 took a minute and 4 GB to build, and brought nothing."""


def optimise(
    offers: OfferBook,
    limits: Limits,
    settings: SolverSettings,
    progress: Progress = lambda _: None,
    start: Floats | None = None,
    enough: float = -np.inf,
) -> Solution:
    """The best allocation found within the settings, with prices and the tightest bound proved.

    `start` are prices (m,) of a former or neighbouring run: a large book begins from them. A bound down at
    `enough` ends the search too.
    Raises InfeasibleError where no allocation meets all limits, NoAllocationError where the time limit
    passed before one was found.
    """
    # Matrices of a row per limit are too small for BLAS's own threads: twenty times slower with them.
    with threadpool_limits(1, user_api="blas"), within(settings.time_limit):
        return _optimise(Columns(offers, limits), settings, progress, start, enough)


def _optimise(
    columns: Columns,
    settings: SolverSettings,
    progress: Progress,
    start: Floats | None,
    enough: float,
) -> Solution:
    named = not settings.asks_whether
    _check_lots(columns, named=named)
    _check_whole(columns, large=True, named=named)
    reduced = settings.method == "reduced" or (settings.method == "auto" and not fits_one_table(columns))
    written = columns.limits.rhs
    if reduced and cut_fits(columns):
        columns = in_whole_lots(columns)
    book, given = prepare(columns, settings.threads), None if written is columns.limits.rhs else written
    search = Search(book, settings, reduced, from_neighbour=start is not None, given=given, enough=enough)
    if reduced:
        tolerance, left = min(settings.gap, _PRICED) / 10, lambda: search.seconds_left
        priced, parts = descended_prices(book, tolerance, start, left, progress, named=named)
    else:
        priced, parts = relaxation_prices(columns, progress, named=named), Parts.none()
    _check_whole(columns, large=False, named=named)
    at_price = now()
    price(search, priced)
    _have_something(search, priced, parts)
    prove_empty(search)
    stop = _grow_core(search, priced, progress)
    stop = _last_lots(search, priced, progress) or stop
    tidy(search)
    prices = firm_prices(search, priced, partial(prices_if_worth, columns))
    del priced  # of a large book that is gigabytes
    if search.best is None:
        raise _none_found(search)
    return Solution(
        amount=search.best.amount,
        rate=columns.rate(search.best.option),
        prices=prices,
        value=search.best.value,
        bound=search.bound,
        proof=search.proof,
        tree=search.tree,
        stop=stop,
        method="reduced" if reduced else "exact",
        log="\n".join(search.log),
        seconds={"price": at_price - search.allowance.started, "solve": now() - at_price},
    )


def _check_lots(columns: Columns, *, named: bool) -> None:
    """Raises InfeasibleError where a limit must be met exactly that no number of whole lots meets."""
    missed = columns.equalities.missed
    if missed is not None:
        raise lots_conflict(columns, missed, _small_program(columns) if named else None)
    beside = unmet(columns)
    if beside:
        raise cents_conflict(columns, beside, _small_program(columns) if named else None)


def _small_program(columns: Columns) -> LimitRows | None:
    """The program with whole offers, where the book is small enough to ask it what a conflict is."""
    most = len(columns) * max((len(menu.rates) for menu in columns.offers.menus), default=0)
    return whole_program(columns) if most <= WHOLE_OFFERS else None


def _check_whole(columns: Columns, *, large: bool, named: bool) -> None:
    """Raises InfeasibleError where whole rows cannot hold together, by however little.

    Of small books the relaxation, which knows the other rows too, is asked first: what it names says more.
    """
    conflict = columns.equalities.conflict
    if conflict is not None and large == (len(columns) > WHOLE_UP_TO):
        raise whole_conflict(columns, conflict, _small_program(columns) if named else None)


def _have_something(search: Search, priced: PricedPoint, parts: Parts) -> None:
    """An allocation in hand before a solver runs, a little late if need be."""
    search.offer(candidate(search.book, priced.option, priced.amount))
    if len(parts.borrower):
        search.offer(candidate(search.book, *parts.into(priced.option, priced.amount)))
    until = min(search.left, 0.0) - _LATE
    if not search.done:
        allocation = repaired(search.book, priced, lambda: search.left < until)
        search.offer(None if allocation is None else candidate(search.book, *allocation))
    if search.gap > _POOR and _walkable(search.book.columns):
        filled = greedy(search.book)
        search.offer(candidate(search.book, filled.option, filled.amount))
    if search.best is None:
        search.offer(candidate(search.book, *no_offers(search.book.columns)))


def _walkable(columns: Columns) -> bool:
    """Whether a walk over the borrowers, each with all rows that count him, is quick."""
    everywhere = columns.limits.everywhere.nnz * columns.limits.cells
    return len(columns) <= _GREEDY_UP_TO and everywhere <= _WALKED_UP_TO


def _none_found(search: Search) -> NoAllocationError:
    if search.left <= 0:
        return search.allowance.ran_out("no allocation", search.cut_short)
    lots = "cents" if search.book.columns.offers.step is None else "steps"
    return NoAllocationError(
        f"no allocation in whole {lots} was found, nor that there is none; "
        "widen a limit that must be met exactly, or its tickets"
    )


def _grow_core(search: Search, priced: PricedPoint, progress: Progress) -> Stop:
    """Solves larger and larger cores, in a small book between two proof trees; says why it ended.

    What was priced as one table goes through the formulation, what was not through its loss form.
    """
    trees = fits(search)
    asking = search.settings.asks_whether
    proving = _ASKING if asking else _PROVING
    if trees and not search.done and search.left > 0:
        if search.reduced:
            close(search, priced, 0.5, progress, first=True)
        else:
            play = in_play(search.book.columns, priced, _FIRST_CORE, distance(search, priced))
            _solve(search, priced, play, 0.5, progress, roughly=True)
        proved = prove(search, priced, _FIRST_LEAVES, progress)
        if proved or (search.settings.briefly and search.best is not None):
            return "exhausted"
    stop: Stop = "exhausted"
    if search.reduced:
        stop = close(search, priced, proving if trees else 1.0, progress)
    if not search.reduced or (stop == "exhausted" and not search.done and _coarse(search)):
        stop = _cores(search, priced, proving if trees or asking else np.inf, progress)
    if search.best is None and not asking and stop not in CUT_SHORT and trees:
        stop = _cores(search, priced, np.inf, progress)
    if trees and prove(search, priced, LEAVES, progress):
        return "exhausted"
    return "gap" if search.done else stop


def _coarse(search: Search) -> bool:
    """Whether whole pieces, or very many limits, keep bound and value apart: there both forms find what one
    does not."""
    columns = search.book.columns
    return search.best is None or columns.offers.step is not None or len(columns.limits) > _MANY_LIMITS


def _last_lots(search: Search, priced: PricedPoint, progress: Progress) -> Stop | None:
    """Looks for the last lots of a small book's amounts, and proves them; None where nothing changed.

    A tree that splits cents says what can be rechecked, so it comes first; the solver finds what it missed.
    """
    if search.best is None or len(search.book.columns) > COUNTED_BORROWERS:
        return None
    fill_by_pairs(search, priced)
    prove(search, priced, _CENT_LEAVES, progress, cents=True)
    before = search.best.value
    _count_lots(search, priced, progress)
    if search.best.value > before:
        prove(search, priced, _CENT_LEAVES, progress, cents=True)
    return "gap" if search.done else None


def _count_lots(search: Search, priced: PricedPoint, progress: Progress) -> None:
    """Has the solver count a small book's amounts in lots."""
    if search.best is None or search.done or search.left <= 0 or not may_count(search.book.columns):
        return
    lost = distance(search, priced)
    play = in_play(search.book.columns, priced, len(search.book.columns), lost, every_amount=True)
    if play.covers < lost:
        return
    progress("counting amounts in lots")
    enough = search.settings.gap / 2 * max(abs(priced.bound), 1.0)
    effort = search.effort(enough, COUNTED_NODES)
    outcome = count_core(search.book, priced, play, effort, search.best)
    search.keep(outcome)
    if outcome.stop in ("optimal", "node_limit", "time_limit", "other") and np.isfinite(outcome.bound):
        search.tighten(outcome.bound, "solver")


def _cores(search: Search, priced: PricedPoint, proving: float, progress: Progress) -> Stop:
    """Solves larger and larger cores; one that can prove the optimum gets `proving` times the work."""
    columns, size = search.book.columns, _FIRST_CORE
    every_amount = len(columns) <= _FIXING_UP_TO and len(columns.limits) <= DENSE_UP_TO
    while not search.done:
        if search.left <= 0:
            return search.cut_short
        play = in_play(columns, priced, size, distance(search, priced), every_amount=every_amount)
        if len(play.options) > _LARGEST_PROGRAM and search.best is not None:
            return "exhausted"
        covered = play.covers >= distance(search, priced)
        outcome = _solve(search, priced, play, proving if covered else 1.0, progress)
        if play.covers >= distance(search, priced):
            stop = _conclude(search, outcome)
            if covered or outcome.stop != "node_limit":
                return stop
            continue
        if size >= min(len(columns), _LARGEST_CORE):
            return "exhausted"
        size *= 4
    return "gap"


def _solve(
    search: Search,
    priced: PricedPoint,
    play: OptionsInPlay,
    work: float,
    progress: Progress,
    roughly: bool = False,
) -> CoreAnswer:
    """Solves the core in the time left and in `work` times as many nodes as a core of its size may have."""
    progress(f"solving a core of {len(play.options):,} offers to {len(play.options.borrowers):,} borrowers")
    gap = max(search.settings.gap / 2, _ROUGHLY / len(search.book.columns) if roughly else 0.0)
    nodes = None if work == np.inf else nodes_of(work * NODES, len(play.options))
    effort = search.effort(gap * max(abs(priced.bound), 1.0), nodes)
    outcome = solve_core(search.book, priced, play, effort, search.best)
    search.keep(outcome)
    return outcome


def _conclude(search: Search, outcome: CoreAnswer) -> Stop:
    """What the outcome of a core outside which nothing matters says of the whole book."""
    if outcome.stop == "infeasible" and search.best is None:
        raise _integer_conflict(search, outcome)
    search.tighten(outcome.bound, "solver")
    if search.done:
        return "gap"
    return search.cut_short if outcome.stop == "time_limit" else "exhausted"


def _integer_conflict(search: Search, outcome: CoreAnswer) -> InfeasibleError:
    """Fractions of offers, or of cents, would meet every limit; whole ones do not."""
    columns = search.book.columns
    if search.settings.asks_whether:
        return InfeasibleError(NOTHING_FITS)
    if outcome.rows is not None:
        return explain_conflict(columns, outcome.rows)
    rows = columns.limits.rows
    exact = [j for j, row in enumerate(rows) if row.sense == "exactly"]
    whole = None if exact else _small_program(columns)
    if whole is not None:
        return explain_conflict(columns, whole)
    return cents_conflict(columns, exact or list(range(len(rows))))
