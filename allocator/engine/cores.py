"""The core: the alternatives that the prices leave in play, as data for the formulation.

An alternative (an option, or no offer) that loses more than D = bound - value at the prices behind
the bound is in no better allocation than the one at hand: reduced-cost fixing (Dembo and Hammer,
1980). So the core at `theta` keeps what loses at most theta, freezes every borrower with one
alternative left at its best response, and is complete once theta >= D.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from allocator.engine.amounts import FrozenOffers, best_amounts, chosen_of, meets_rows
from allocator.engine.kernel.columns import Answers, BestResponses, Columns
from allocator.engine.kernel.passes import Pass
from allocator.engine.narrowing import rows_moved
from allocator.engine.options import Options, Uses, by_band, options_of, undominated, uses_of
from allocator.engine.program import Core, Effort, Ended, LimitRows, TranslatedProgram, measure_of, relief_of
from allocator.engine.solving import solve
from allocator.records.lots import CENT, lots_to_money
from allocator.records.portfolio import Booleans, Codes, Floats, Integers

_CENTS_UP_TO = 200
"""Offers up to which a core may count in cents."""
_CENTS_NODES = 5_000
"""For counting in cents: a knapsack of millions of them may never end."""
_COUNTED_UP_TO = 1e6
"""Lots of a loan that the solver may count: its tolerance is far below one of them."""
_COUNTED_AT_MOST = 1e8
"""Lots of a loan beyond which the solver's tolerance is no longer far below one of them."""
COUNTED_BORROWERS = 200
"""Borrowers up to which the last lot is worth a search: in larger books it is no part of the value."""
COUNTED_NODES = 2_000
"""Nodes of the search for the last lot."""
_HELPERS = 3
"""Offers that may join those chosen, where these leave no amounts in whole lots."""
_STRIDE = 64
_ROUNDING = 1e-12
"""A loss this near `theta`, in the largest loan, is not above it: two passes may round it apart."""


@dataclass(frozen=True)
class PricedPoint:
    """Prices, what they certify, and a point of the relaxation to freeze most borrowers at."""

    prices: Floats
    """(m,)"""
    response: BestResponses
    """Every borrower's best response to them."""
    bound: float
    """U(prices), in money."""
    option: Codes
    """(n,) the relaxation's answers, those of `open` set aside."""
    amount: Floats
    open: Integers
    """Borrowers whom the relaxation splits between answers, and equal ones beside them."""

    def over(self, rows: Integers) -> PricedPoint:
        """The prices of `rows` alone."""
        return self if len(rows) == len(self.prices) else replace(self, prices=self.prices[rows])


@dataclass(frozen=True)
class OptionsInPlay:
    """The options in play of some borrowers at given prices."""

    options: Options
    uses: Uses
    loss: Floats
    """(N,) the regret of each option."""
    declining_loss: Floats
    """(nb,) the regret of no offer; inf where an offer must be made."""
    rows: Integers
    """The limits, ascending, that `uses` is about; the others hold or not whatever these borrowers get."""
    theta: float
    """Options that lose more are left out."""
    covers: float
    """Every alternative of any borrower that loses less is in play."""


def in_play(
    columns: Columns,
    priced: PricedPoint,
    size: int,
    distance: float,
    *,
    amounts: int | None = None,
    every_amount: bool = False,
    least: float = 0.0,
) -> OptionsInPlay:
    """The `size` borrowers with the smallest margins within `distance`, and those whom the relaxation splits.

    With `every_amount` all with room for their amount join whatever their margin, so that amounts never
    freeze where that could cost the optimum; else the `amounts` (`size` unless said) cheapest to move. What
    is in play may lose `least` even where more borrowers than `size` lose less, as borrowers alike do. The
    core covers nothing where somebody frozen has such room, or is not at a best response.
    """
    response = priced.response
    ranked = smallest_margins(response.margin, size + 1)
    next_margin = float(response.margin[ranked[size]]) if size < len(ranked) else np.inf
    theta = min(distance, max(next_margin, least))
    chosen = np.zeros(len(columns), dtype=bool)
    chosen[ranked[:size]] = response.margin[ranked[:size]] <= theta
    chosen[priced.open] = True
    room = (response.option >= 0) & (columns.offers.low < columns.offers.high)
    count = size if amounts is None else amounts
    chosen[room if every_amount else _cheapest_to_move(columns, priced, room & ~chosen, count)] = True
    astray = (priced.option != response.option) | (priced.amount != response.amount)
    play = restrict(columns, priced, np.flatnonzero(chosen), theta)
    return replace(play, covers=0.0 if np.any((room | astray) & ~chosen) else min(theta, next_margin))


def _cheapest_to_move(columns: Columns, priced: PricedPoint, candidates: Booleans, count: int) -> Integers:
    """The `count` candidates whose amounts lose least a unit of money when they leave their end.

    They bring an amount into the core and no choice, to fill what whole offers leave of the limits. The
    end's loss is at least the margin, so that those with small margins are looked at.
    """
    near = smallest_margins(np.where(candidates, priced.response.margin, np.inf), 8 * count)
    few, option = columns.subset(near), priced.response.option[near]
    per_basis = few.price_by_basis(priced.prices)
    take_up, rate, offers = few.take_up(option), few.rate(option), few.offers
    margin, _ = offers.worth(rate, take_up)
    charged = per_basis[0] + take_up * (per_basis[1] + rate * offers.term * per_basis[2])
    return near[smallest_margins(np.abs(margin - charged), count)]


def smallest_margins(margin: Floats, count: int) -> Integers:
    """Positions of the `count` smallest finite margins in ascending order, ties by position."""
    near = np.flatnonzero(margin <= _edge(margin, count)) if count < len(margin) else np.arange(len(margin))
    near = near[np.isfinite(margin[near])]
    return near[np.argsort(margin[near], kind="stable")][:count]


def _edge(margin: Floats, count: int) -> float:
    """The margin of rank `count`, found among those below the same rank of every 64th, doubled."""
    sampled = margin[::_STRIDE]
    rank = 2 * (count // _STRIDE) + _STRIDE
    if rank < len(sampled):
        few = margin[margin <= np.partition(sampled, rank)[rank]]
        if count < len(few):
            return float(np.partition(few, count)[count])
    return float(np.partition(margin, count)[count])


def restrict(columns: Columns, priced: PricedPoint, borrowers: Integers, theta: float) -> OptionsInPlay:
    """The options of `borrowers` within `theta`, dominated ones dropped."""
    response = priced.response
    rows = rows_moved(columns, borrowers, priced.option, priced.amount)
    narrow = columns.over(rows)
    options = options_of(columns, borrowers)
    options = by_band(columns, options.keep(undominated(narrow, options)))
    loss = response.reduced[options.position] - reduced_values(columns, options, priced.prices)
    near = loss <= theta + _ROUNDING * columns.money_unit
    options = options.keep(near)
    no_offer = np.where(columns.offers.must[borrowers], np.inf, response.reduced[borrowers])
    return OptionsInPlay(options, uses_of(narrow, options), loss[near], no_offer, rows, theta, theta)


def reduced_values(columns: Columns, options: Options, prices: Floats) -> Floats:
    """(N,) the better end of each option at `prices`."""
    charge = columns.subset(options.borrowers).price_by_basis(prices)[:, options.owner]
    term = columns.offers.term[options.position]
    per_unit = options.margin - charge[0] - options.take_up * (charge[1] + options.rate * term * charge[2])
    ends = per_unit * options.low, per_unit * options.high
    return np.asarray(np.maximum(*ends) + options.fixed - charge[3] - options.take_up * charge[4])


def build_core(columns: Columns, play: OptionsInPlay, frozen_use: Floats, lot: float | None) -> Core:
    """The formulation's data for `play`, with the limits that the frozen borrowers leave.

    Money is counted in `lot`, amounts in their options' own; None: amounts are of any size.
    """
    offers, limits = columns.offers, columns.limits
    whole = lot is not None
    unit = columns.money_unit if lot is None else lot
    borrowers, options = play.options.borrowers, play.options
    counted = options.lot if whole else unit
    measure = measure_of(limits, columns.money_unit, play.uses.unit * options.high, play.uses.loan)
    use_unit = sparse.csr_array(play.uses.unit * (unit / measure)[:, None] * (counted / unit))
    use_loan = sparse.csr_array(play.uses.loan / measure[:, None])
    use_unit.eliminate_zeros()
    use_loan.eliminate_zeros()
    return Core(
        owner=play.options.owner,
        margin=options.margin * (counted / unit),
        fixed=options.fixed / unit,
        low=_in_units(options.low, counted, whole),
        high=_in_units(options.high, counted, whole),
        must=offers.must[borrowers] | (play.declining_loss > play.theta + _ROUNDING * columns.money_unit),
        whole=whole,
        use_unit=use_unit,
        use_loan=use_loan,
        senses=limits.senses,
        rhs=(columns.tight_rhs - frozen_use) / measure,
        idle_value=limits.idle_rate,
        idle_use=unit / float(measure[0]),
        idle_room=(limits.idle_room if limits.idle_rate > 0 else 0.0) / unit,
        unit=unit,
        measure=measure,
        soft=limits.soft,
        relief=limits.relief[limits.soft],
        penalty=relief_of(limits, measure, unit)[1],
    )


def whole_lot(columns: Columns) -> float | None:
    """The step, where the solver may count in it; None: amounts are found first and put into lots then."""
    step, lots = columns.offers.step, columns.offers.lots(np.arange(len(columns)))
    return step if np.max(columns.offers.high / lots, initial=0.0) <= _COUNTED_UP_TO else None


def whole_program(columns: Columns) -> LimitRows:
    """The program with every borrower and every option that an optimum may need.

    Pinned offers are no choice, and perhaps no whole lots: what they use is taken off.
    """
    everybody = np.flatnonzero((columns.offers.menu >= 0) & ~columns.offers.must)
    options = options_of(columns, everybody)
    options = by_band(columns, options.keep(undominated(columns, options)))
    no_charges = np.zeros(len(options)), np.zeros(len(everybody))
    rows = np.arange(len(columns.limits))
    play = OptionsInPlay(options, uses_of(columns, options), *no_charges, rows, theta=np.inf, covers=np.inf)
    core = build_core(columns, play, columns.pinned_use(), whole_lot(columns))
    from allocator.engine.formulation import in_arrays  # brings Pyomo, which large books may not need

    translated = in_arrays(core)
    return LimitRows(translated.program, translated.limit, core.measure)


def _in_units(amounts: Floats, unit: Floats | float, whole: bool) -> Floats:
    return np.round(amounts / unit) if whole else amounts / unit


@dataclass(frozen=True)
class CoreAnswer:
    """What a core's solve says: a decision for the whole book, and a bound if nothing outside it matters."""

    stop: Ended
    option: Codes | None
    """(n,) None: no feasible point came back."""
    amount: Floats | None
    bound: float
    """Best value of any allocation that differs from the frozen answers only inside the core."""
    log: str
    rows: LimitRows | None
    """The program, for questions about why it is infeasible; None where only whole cents made it so."""


def may_count(columns: Columns) -> bool:
    """Whether the solver may look for the last lot in a book whose amounts it did not count before."""
    lot = columns.offers.step or CENT
    few = 0 < len(columns) <= COUNTED_BORROWERS and columns.money_unit / lot <= _COUNTED_AT_MOST
    return few and whole_lot(columns) is None


def count_core(
    book: Pass, priced: PricedPoint, play: OptionsInPlay, effort: Effort, start: Answers | None
) -> CoreAnswer:
    """Solves `play` with amounts counted in lots from the outset."""
    return _solved(book, priced, play, book.columns.offers.step or CENT, effort, start)


def solve_core(
    book: Pass, priced: PricedPoint, play: OptionsInPlay, effort: Effort, start: Answers | None
) -> CoreAnswer:
    """Solves `play` through the formulation; everyone else keeps the relaxation's answer.

    Amounts of any size are found first and then settled in cents. Where limits must be met exactly the offers
    chosen may leave no such amounts, though others would: a small core then counts in cents throughout.
    """
    limits = len(book.columns.limits)
    book, priced = book.over(play.rows), priced.over(play.rows)
    outcome = _in_lots(book, priced, play, effort, start)
    rows = None if outcome.rows is None else outcome.rows.among(play.rows, limits)
    return replace(outcome, rows=rows)


def _in_lots(
    book: Pass, priced: PricedPoint, play: OptionsInPlay, effort: Effort, start: Answers | None
) -> CoreAnswer:
    lot = whole_lot(book.columns)
    outcome = _solved(book, priced, play, lot, effort, start)
    unsettled = lot is None and outcome.stop == "optimal" and outcome.option is None
    if unsettled and len(play.options) <= _CENTS_UP_TO:
        coarser = replace(effort, nodes=_CENTS_NODES)
        # No start: with one HiGHS may learn hundreds of thousands of conflicts about cents in one node.
        counted = _solved(book, priced, play, book.columns.offers.step or CENT, coarser, None)
        sure = book.columns.money_unit / (book.columns.offers.step or CENT) <= _COUNTED_AT_MOST
        stop = "other" if counted.stop == "infeasible" and not sure else counted.stop
        return replace(counted, stop=stop, rows=None)
    return outcome


def _solved(
    book: Pass,
    priced: PricedPoint,
    play: OptionsInPlay,
    lot: float | None,
    effort: Effort,
    start: Answers | None,
) -> CoreAnswer:
    option, amount = priced.option.copy(), priced.amount.copy()
    option[play.options.borrowers], amount[play.options.borrowers] = -1, 0.0
    columns, frozen = book.columns, book.tally(option, amount)
    core = build_core(columns, play, frozen.usage, lot)
    if not core.empty_rows_hold(1e-9):
        return CoreAnswer("infeasible", None, None, -np.inf, "", None)
    from allocator.engine.formulation import in_arrays  # brings Pyomo, which large books may not need

    translated = in_arrays(core)
    rows = LimitRows(translated.program, translated.limit, core.measure)
    first = None if start is None else _start(play, start, translated, core)
    effort = replace(effort, distance=effort.distance / core.unit)
    answer = solve(translated.program, effort, start=first, keep_log=True)
    bound = answer.bound * core.unit + frozen.value
    if answer.point is None:
        return CoreAnswer(answer.stop, None, None, bound, answer.log, rows)
    lines = taken_in(answer.point, translated)
    fixed = FrozenOffers(option, amount, frozen.usage)
    amounts = _amounts_of(columns, play, lines, answer.point, translated, core, fixed)
    if amounts is None:
        lines, amounts = _with_small_loans(columns, play, lines, fixed)
    if amounts is None:
        return CoreAnswer(answer.stop, None, None, bound, answer.log, rows)
    position = play.options.position[lines]
    option[position], amount[position] = play.options.option[lines], amounts
    return CoreAnswer(answer.stop, option, amount, bound, answer.log, rows)


def _start(play: OptionsInPlay, start: Answers, translated: TranslatedProgram, core: Core) -> Floats:
    """The start as a point of the program; what the core lacks of it is left out."""
    point = np.zeros(len(translated.program.cost))
    options, amount = play.options, start.amount[play.options.position]
    chosen = (
        (start.option[options.position] == options.option)
        & (amount >= options.low)
        & (amount <= options.high)
    )
    takes = translated.take[chosen]
    point[takes[takes >= 0]] = 1.0
    columns = translated.amount[chosen]
    amounts = (amount / (options.lot if core.whole else core.unit))[chosen]
    point[columns[columns >= 0]] = amounts[columns >= 0]
    rows = translated.limit[core.soft]
    short = core.rhs[core.soft] - (translated.program.matrix @ point)[rows]
    point[translated.excess] = np.maximum(core.relief * short, 0.0)
    return point


def taken_in(point: Floats, translated: TranslatedProgram) -> Integers:
    """Options taken, at most one per borrower by the program's own row."""
    take = np.where(translated.take >= 0, point[translated.take], 0.0)
    return np.flatnonzero(take > 0.5)


def _with_small_loans(
    columns: Columns, play: OptionsInPlay, lines: Integers, frozen: FrozenOffers
) -> tuple[Integers, Floats | None]:
    """The options taken with a few small loans beside them, whose amounts fill what a lot cannot.

    One offer meets an exact interest, or a sum on a lattice, by chance; with two or three there is a way.
    """
    options, uses = play.options, play.uses
    exact = [j for j, sense in enumerate(columns.limits.senses) if sense == "exactly"]
    exact += [columns.whole.row[r] for r in columns.equal]
    able = (options.low < options.high) & np.any(uses.unit[exact] != 0.0, axis=0)
    able &= ~np.isin(options.owner, options.owner[lines])
    near = np.flatnonzero(able)
    near = near[np.argsort(-(options.margin * options.low + options.fixed)[near], kind="stable")]
    _, first = np.unique(options.owner[near], return_index=True)
    helpers = near[np.sort(first)]
    for count in range(1, min(len(helpers), _HELPERS) + 1):
        more = np.sort(np.concatenate([lines, helpers[:count]]))
        amounts = best_amounts(chosen_of(columns, options, uses, more, frozen))
        if amounts is not None:
            return more, amounts
    return lines, None


def _amounts_of(
    columns: Columns,
    play: OptionsInPlay,
    lines: Integers,
    point: Floats,
    translated: TranslatedProgram,
    core: Core,
    frozen: FrozenOffers,
) -> Floats | None:
    """Amounts of the options taken: whole lots as they are where they hold, else the best ones there are."""
    chosen = chosen_of(columns, play.options, play.uses, lines, frozen)
    if core.whole:
        lots = np.round(point[translated.amount[lines]])
        amounts = np.where(chosen.low == chosen.high, chosen.low, lots_to_money(lots, chosen.lot))
        if meets_rows(chosen, amounts):
            return amounts
    return best_amounts(chosen)
