"""Prices first, then a growing core: the engine's one path for books of every size.

The prices give an upper bound on any allocation. The core around them goes through the Pyomo
formulation to HiGHS; what comes back is a feasible allocation, and the distance to the bound says
which alternatives may still matter. The core grows until the gap asked for is met, nothing outside
it can matter, or the time is up.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import numpy as np

from allocator.engine.conflict import explain_conflict
from allocator.engine.cores import Outcome, Start, in_play, solve_core
from allocator.engine.greedy import fill
from allocator.engine.kernel.columns import Columns
from allocator.engine.prices import Prices, find_prices
from allocator.engine.program import Effort
from allocator.engine.search import Search, candidate
from allocator.errors import InfeasibleError, NoAllocationError
from allocator.records.limits import Limits
from allocator.records.offers import OfferBook
from allocator.records.scenario import SolverSettings
from allocator.records.solution import Solution, Stop

Progress = Callable[[str], None]

FIRST_CORE = 150
"""Borrowers with an open choice in the first core; each further one has four times as many."""


def optimise(
    offers: OfferBook, limits: Limits, settings: SolverSettings, progress: Progress = lambda _: None
) -> Solution:
    """The best allocation found within the settings, with prices and the tightest bound proved.

    Raises InfeasibleError where no allocation meets all limits, NoAllocationError where the time limit
    passed before one was found.
    """
    columns = Columns(offers, limits)
    search = Search(columns, settings)
    search.offer(candidate(columns, *fill(columns)))
    prices = find_prices(columns, progress)
    priced = perf_counter()
    search.tighten(prices.bound, "prices")
    stop = _grow_core(search, prices, progress)
    if search.best is None:
        raise NoAllocationError(
            f"no allocation was found within {settings.time_limit:g} seconds; raise solver.time_limit"
        )
    return Solution(
        option=search.best.option,
        amount=search.best.amount,
        prices=prices.prices,
        value=search.best.value,
        bound=search.bound,
        proof=search.proof,
        stop=stop,
        method="exact",
        log="\n".join(search.log),
        seconds={"price": priced - search.started, "solve": perf_counter() - priced},
    )


def _grow_core(search: Search, prices: Prices, progress: Progress) -> Stop:
    """Solves larger and larger cores; says why it ended."""
    margins = np.sort(prices.response.margin[search.columns.offers.menu >= 0])
    size = FIRST_CORE
    while not search.done:
        if search.left <= 0:
            return "time_limit"
        distance = _distance(search, prices)
        theta = min(margins[size], distance) if size < len(margins) else distance
        outcome = _solve(search, prices, theta, progress)
        if theta >= _distance(search, prices):
            return _conclude(search, outcome)
        size *= 4
    return "gap"


def _distance(search: Search, prices: Prices) -> float:
    """What an alternative may lose and still matter: bound - value, plus the bound's rounding error."""
    if search.best is None:
        return np.inf
    return prices.bound - search.best.value + 1e-12 * abs(prices.bound)


def _solve(search: Search, prices: Prices, theta: float, progress: Progress) -> Outcome:
    columns = search.columns
    play = in_play(columns, prices.response, prices.prices, theta)
    progress(f"solving a core of {len(play.options):,} offers to {len(play.options.borrowers):,} borrowers")
    effort = Effort(search.settings.gap / 2, search.left, search.settings.seed)
    start = None if search.best is None else Start(search.best.option, search.best.amount)
    outcome = solve_core(columns, prices.response, play, theta, effort, start)
    search.log.append(outcome.log)
    if outcome.option is not None and outcome.amount is not None:
        search.offer(candidate(columns, outcome.option, outcome.amount))
    return outcome


def _conclude(search: Search, outcome: Outcome) -> Stop:
    """What the outcome of a core outside which nothing matters says of the whole book."""
    if outcome.stop == "infeasible" and search.best is None:
        raise _integer_conflict(search, outcome)
    search.tighten(outcome.bound, "solver")
    if search.done:
        return "gap"
    return "time_limit" if outcome.stop == "time_limit" else "exhausted"


def _integer_conflict(search: Search, outcome: Outcome) -> InfeasibleError:
    """Fractions of offers would meet every limit, whole offers do not."""
    if outcome.translated is None:
        return InfeasibleError("no allocation exists: a limit cannot be met by any offer")
    return explain_conflict(search.columns, outcome.translated.program, outcome.translated.limit)
