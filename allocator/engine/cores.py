"""The core: the alternatives that the prices leave in play, as data for the formulation.

An alternative (an option, or refusal) that loses more than D = bound - value at the prices behind
the bound is in no better allocation than the one at hand: reduced-cost fixing (Dembo and Hammer,
1980). So the core at `theta` keeps what loses at most theta, freezes every borrower with one
alternative left at its best answer, and is complete once theta >= D.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import sparse

from allocator.engine.amounts import Chosen, best_amounts
from allocator.engine.formulation import Core, Translated, formulate, translate
from allocator.engine.kernel.columns import Columns, Response
from allocator.engine.options import Options, Uses, options_of, undominated, uses_of
from allocator.engine.program import Effort
from allocator.engine.solving import solve
from allocator.records.portfolio import Codes, Floats, Integers


@dataclass(frozen=True)
class Play:
    """The options in play of some borrowers at given prices."""

    options: Options
    uses: Uses
    loss: Floats
    """(N,) what each option loses against its borrower's best answer."""
    refusal_loss: Floats
    """(nb,) what refusal loses; inf where an offer must be made."""


def in_play(columns: Columns, response: Response, prices: Floats, theta: float) -> Play:
    """Everything within `theta` of a borrower's best answer, for borrowers with more than one alternative.

    A borrower whose one alternative is an offer with room for its amount stays, so that amounts
    never freeze where that could cost the optimum.
    """
    offers = columns.offers
    room = (response.option >= 0) & (offers.low < offers.high)
    borrowers = np.flatnonzero((offers.menu >= 0) & ((response.margin <= theta) | room))
    return restrict(columns, response, prices, borrowers, theta)


def restrict(columns: Columns, response: Response, prices: Floats, borrowers: Integers, theta: float) -> Play:
    """The options of `borrowers` within `theta`, dominated ones dropped."""
    options = options_of(columns, borrowers)
    options = options.keep(undominated(columns, options))
    uses = uses_of(columns, options)
    loss = response.reduced[options.position] - reduced_values(columns, options, uses, prices)
    near = loss <= theta
    refusal = np.where(columns.offers.must[borrowers], np.inf, response.reduced[borrowers])
    return Play(options.keep(near), uses.keep(near), loss[near], refusal)


def reduced_values(columns: Columns, options: Options, uses: Uses, prices: Floats) -> Floats:
    """(N,) the better end of each option at `prices`."""
    per_unit = options.margin - prices @ uses.unit
    per_loan = options.fixed - prices @ uses.loan
    position = options.position
    low, high = columns.offers.low[position], columns.offers.high[position]
    return np.maximum(per_unit * low, per_unit * high) + per_loan


def build_core(columns: Columns, play: Play, frozen_use: Floats, theta: float) -> Core:
    """The formulation's data for `play`, with the limits that the frozen borrowers leave."""
    offers, limits = columns.offers, columns.limits
    whole = offers.step is not None
    unit = offers.step if offers.step is not None else columns.money_unit
    scale = limits.scale
    borrowers = play.options.borrowers
    use_unit = sparse.csr_array(play.uses.unit * (unit / scale)[:, None])
    use_loan = sparse.csr_array(play.uses.loan / scale[:, None])
    use_unit.eliminate_zeros()
    use_loan.eliminate_zeros()
    return Core(
        owner=play.options.owner,
        margin=play.options.margin,
        fixed=play.options.fixed / unit,
        low=_in_units(offers.low[borrowers], unit, whole),
        high=_in_units(offers.high[borrowers], unit, whole),
        must=offers.must[borrowers] | (play.refusal_loss > theta),
        whole=whole,
        use_unit=use_unit,
        use_loan=use_loan,
        senses=limits.senses,
        rhs=(limits.rhs - frozen_use) / scale,
        idle_value=limits.idle_rate,
        idle_use=unit / float(scale[0]),
        idle_room=(limits.idle_room if limits.idle_rate > 0 else 0.0) / unit,
        unit=unit,
    )


def _in_units(amounts: Floats, unit: float, whole: bool) -> Floats:
    return np.round(amounts / unit) if whole else amounts / unit


@dataclass(frozen=True)
class Outcome:
    """What a core's solve says: a decision for the whole book, and a bound if nothing outside it matters."""

    stop: Literal["optimal", "infeasible", "unbounded", "time_limit", "other"]
    option: Codes | None
    """(n,) None: no feasible point came back."""
    amount: Floats | None
    bound: float
    """Best value of any allocation that differs from the frozen answers only inside the core."""
    log: str
    translated: Translated | None


def solve_core(
    columns: Columns, response: Response, play: Play, theta: float, effort: Effort, start: Start | None
) -> Outcome:
    """Solves `play` through the formulation; everyone else keeps the best answer at the prices."""
    option, amount = response.option.copy(), response.amount.copy()
    option[play.options.borrowers], amount[play.options.borrowers] = -1, 0.0
    frozen_use = columns.usage(option, amount)
    frozen_value = float(np.sum(columns.values(option, amount)))
    core = build_core(columns, play, frozen_use, theta)
    if not core.empty_rows_hold(1e-9):
        return Outcome("infeasible", None, None, -np.inf, "", None)
    translated = translate(formulate(core))
    offset = translated.program.offset + frozen_value / core.unit
    program = replace(translated.program, offset=offset)
    first = None if start is None else _start(play, start, translated, core)
    answer = solve(program, effort, start=first, keep_log=True)
    bound = answer.bound * core.unit
    if answer.point is None:
        return Outcome(answer.stop, None, None, bound, answer.log, translated)
    lines = _taken(answer.point, translated)
    amounts = _amounts_of(columns, play, lines, answer.point, translated, core, frozen_use)
    if amounts is None:
        return Outcome(answer.stop, None, None, bound, answer.log, translated)
    position = play.options.position[lines]
    option[position], amount[position] = play.options.option[lines], amounts
    return Outcome(answer.stop, option, amount, bound, answer.log, translated)


@dataclass(frozen=True)
class Start:
    """A feasible allocation to start from, arrays of shape (n,)."""

    option: Codes
    amount: Floats


def _start(play: Play, start: Start, translated: Translated, core: Core) -> Floats:
    """The start as a point of the program; what the core lacks of it is left out."""
    point = np.zeros(len(translated.program.cost))
    position = play.options.position
    chosen = start.option[position] == play.options.option
    takes = translated.take[chosen]
    point[takes[takes >= 0]] = 1.0
    columns = translated.amount[chosen]
    amounts = start.amount[position[chosen]] / core.unit
    point[columns[columns >= 0]] = amounts[columns >= 0]
    return point


def _taken(point: Floats, translated: Translated) -> Integers:
    """Options taken, at most one a borrower by the program's own row."""
    take = np.where(translated.take >= 0, point[translated.take], 0.0)
    return np.flatnonzero(take > 0.5)


def _amounts_of(
    columns: Columns,
    play: Play,
    lines: Integers,
    point: Floats,
    translated: Translated,
    core: Core,
    frozen_use: Floats,
) -> Floats | None:
    """Amounts of the options taken: whole steps as they are, else the best ones in whole cents."""
    offers, limits = columns.offers, columns.limits
    position = play.options.position[lines]
    if core.whole:
        steps = np.round(point[translated.amount[lines]])
        return np.where(offers.must[position], offers.low[position], steps * core.unit)
    chosen = Chosen(
        value=play.options.margin[lines],
        use=play.uses.unit[:, lines],
        low=offers.low[position],
        high=offers.high[position],
        senses=limits.senses,
        rhs=limits.rhs - frozen_use - play.uses.loan[:, lines].sum(axis=1),
        scale=limits.scale,
        idle_rate=limits.idle_rate,
        idle_room=limits.idle_room,
    )
    return best_amounts(chosen, core.unit)
