"""The core in loss form: what an allocation gives up of the bound that the prices prove.

At prices lambda the bound U is what everybody's best response and the limits' right-hand sides are worth
together, so that an allocation is worth U less its losses: the regret of each borrower's decision, of each
limit its slack times its price, and of a soft one its excess times the rest of its penalty
(docs/formulation.md, section 3). The program that minimises them,
over the alternatives that lose at most D and in units of D, is the same one in other numbers: the solver
sees figures near 1 where the formulation would ask it for a billionth of a book.

An alternative's amount leaves the end at which it is best by at most (D - its regret) / |its reduced value a
unit|, a slack is at most D over its price, a soft excess D over the rest of its penalty. So without an
allocation that loses at most D the program has none, or an optimum above D.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from allocator.engine.amounts import FrozenOffers, best_amounts, chosen_of, meets_rows
from allocator.engine.cores import CoreAnswer, OptionsInPlay, PricedPoint
from allocator.engine.kernel.columns import Answers, Columns
from allocator.engine.kernel.passes import Pass
from allocator.engine.options import Options
from allocator.engine.program import Effort, Program, side_by_side
from allocator.engine.solving import solve
from allocator.records.lots import lots_to_money
from allocator.records.portfolio import Booleans, Floats, Integers

_DUST = 1e-300
_WIDEST = 1e-9
"""A dear row's unit is no smaller than this part of its largest use: the solver refuses larger figures."""
_SAME_LOT = 1e-6


@dataclass(frozen=True)
class Alternatives:
    """The N options in play, each at the end where it is best; arrays of shape (N,)."""

    end: Floats
    """The amount at that end."""
    moved: Floats
    """What a unit of the move away from it changes the amount by: the whole range, or a step."""
    moves: Floats
    """Most units that the amount may move."""
    regret: Floats
    lost: Floats
    """What a unit of the move loses."""
    is_best: Booleans
    """Whether it is its borrower's best response, which the others are told apart from."""


def alternatives(columns: Columns, priced: PricedPoint, play: OptionsInPlay) -> Alternatives:
    """The options of `play` with the ranges that a loss of at most its threshold leaves."""
    options, offers, response = play.options, columns.offers, priced.response
    slope = options.margin - priced.prices @ play.uses.unit
    low, high = options.low, options.high
    regret = np.clip(play.loss, 0.0, play.theta)
    room = np.minimum(high - low, (play.theta - regret) / np.maximum(np.abs(slope), _DUST))
    sign = np.where(slope >= 0.0, -1.0, 1.0)
    if offers.step is None:
        moved, moves = sign * room, (room > 0.0).astype(np.float64)
    else:
        moved, moves = sign * options.lot, np.floor(room / options.lot + _SAME_LOT)
    return Alternatives(
        end=np.where(slope >= 0.0, high, low),
        moved=moved,
        moves=moves,
        regret=regret,
        lost=np.abs(slope * moved),
        is_best=_is_best(options, regret, response.option >= 0),
    )


def _is_best(options: Options, regret: Floats, offered: Booleans) -> Booleans:
    """(N,) the option with the least regret of each borrower whose best response is an offer.

    Of equal options only one is in play, not always the one that the response has.
    """
    order = np.lexsort((regret, options.owner))
    owners, place = np.unique(options.owner[order], return_index=True)
    first = np.zeros(len(options), dtype=bool)
    first[order[place[offered[options.borrowers[owners]]]]] = True
    return first


@dataclass(frozen=True)
class _LossProgram:
    """The program, to be minimised as the negative of a maximum, and what its columns stand for."""

    program: Program
    taken: Integers
    """The options that its first columns take, whole."""
    declined: Integers
    """The borrowers of the play whom the next ones decline."""
    moved: Integers
    """The options whose amounts the next ones move."""
    slack: Integers
    """The limits whose slack the last ones are."""
    side: Floats
    """1 where that is added to what is used, -1 where it is taken off."""
    limits: int
    """The limits' rows, which come first."""
    soft: Integers
    """The soft limits, whose excess stands in the very last columns."""
    relief: Floats
    """What a unit of it adds to their rows."""

    def decisions(self, point: Floats, play: OptionsInPlay, base: Integers) -> Integers:
        """The options taken at `point`; a borrower's is `base` (nb,) (-1: none) unless it says else."""
        line = base.copy()
        take, decline = np.split(point[: len(self.taken) + len(self.declined)] > 0.5, [len(self.taken)])
        line[self.declined[decline]] = -1
        line[play.options.owner[self.taken[take]]] = self.taken[take]
        return np.sort(line[line >= 0])

    def point(
        self, play: OptionsInPlay, options: Alternatives, base: Integers, start: Answers
    ) -> Floats | None:
        """The columns at `start`; None where it decides what is no alternative here."""
        position, owner = play.options.position, play.options.owner
        own, amount = play.options, start.amount[position]
        here = np.flatnonzero(
            (start.option[position] == own.option) & (amount >= own.low) & (amount <= own.high)
        )
        line = np.full(len(base), -1)
        line[owner[here]] = here
        offered = start.option[play.options.borrowers] >= 0
        declines = (line < 0) & (base >= 0)
        if np.any(offered & (line < 0)) or np.any(declines & ~np.isin(np.arange(len(base)), self.declined)):
            return None
        lines = line[line >= 0]
        moves = (start.amount[position[lines]] - options.end[lines]) / np.where(
            options.moved[lines] == 0.0, 1.0, options.moved[lines]
        )
        if np.any((moves < -_SAME_LOT) | (moves > options.moves[lines] + _SAME_LOT)):
            return None
        move = np.zeros(len(owner))
        move[lines] = np.clip(moves, 0.0, options.moves[lines])
        takes = np.isin(self.taken, lines).astype(np.float64)
        decided = np.concatenate([takes, declines[self.declined].astype(np.float64), move[self.moved]])
        used = self.program.matrix[: self.limits, : len(decided)] @ decided
        upper, lower = self.program.row_upper[: self.limits], self.program.row_lower[: self.limits]
        room = np.where(np.isfinite(upper), upper, lower) - used
        excess = np.maximum(self.relief * room[self.soft], 0.0)
        room[self.soft] -= self.relief * excess
        return np.concatenate([decided, self.side * room[self.slack], excess])

    def amounts(self, point: Floats, options: Alternatives) -> Floats:
        """(N,) the amount of every option, were it taken."""
        amount = options.end.copy()
        begin = len(self.taken) + len(self.declined)
        moves = np.round(point[begin : begin + len(self.moved)])
        amount[self.moved] += moves * options.moved[self.moved]
        return amount


def loss_program(
    columns: Columns, priced: PricedPoint, play: OptionsInPlay, options: Alternatives, room: Floats
) -> _LossProgram:
    """The losses of `play`, whose first responses leave `room` (m,) of every limit's right-hand side."""
    owner, theta = play.options.owner, play.theta
    base = first_lines(play, options)
    at_end = play.uses.unit * options.end + play.uses.loan
    at_base = np.where(base >= 0, at_end[:, base], 0.0)
    taken = np.flatnonzero(~options.is_best)
    declined = np.flatnonzero((play.declining_loss <= theta) & (base >= 0))
    moved = np.flatnonzero(options.moves > 0)
    use = np.hstack(
        [
            at_end[:, taken] - at_base[:, owner[taken]],
            -at_base[:, declined],
            play.uses.unit[:, moved] * options.moved[moved],
        ]
    )
    cost = np.concatenate([options.regret[taken], play.declining_loss[declined], options.lost[moved]])
    rows = _limit_rows(columns, priced, use, room, theta)
    choices = np.concatenate([owner[taken], declined])
    links = _links(choices, taken, moved, owner, options, base, rows.slacks)
    count = len(choices) + len(moved) + rows.slacks
    integer = np.zeros(count, dtype=bool)
    integer[: len(choices) + (len(moved) if columns.offers.step is not None else 0)] = True
    program = Program(
        cost=-np.concatenate([cost / theta, rows.slack_cost]),
        matrix=sparse.csc_array(sparse.vstack([rows.matrix, links.matrix])),
        row_lower=np.concatenate([rows.lower, links.lower]),
        row_upper=np.concatenate([rows.upper, links.upper]),
        column_lower=np.concatenate([np.zeros(len(choices) + len(moved)), rows.slack_lower]),
        column_upper=np.concatenate([np.ones(len(choices)), options.moves[moved], rows.slack_upper]),
        integer=integer,
        offset=-rows.constant,
    )
    soft, relief = columns.limits.soft, columns.limits.relief[columns.limits.soft]
    return _LossProgram(program, taken, declined, moved, rows.slack, rows.side, len(room), soft, relief)


def first_lines(play: OptionsInPlay, options: Alternatives) -> Integers:
    """(nb,) the line of each borrower's best response; -1 where that is no offer."""
    base = np.full(len(play.options.borrowers), -1)
    first = np.flatnonzero(options.is_best)
    base[play.options.owner[first]] = first
    return base


@dataclass(frozen=True)
class _LimitRows:
    """The limits with their slacks, and with what soft ones are missed by.

    In units in which a slack that loses D is 1.
    """

    matrix: sparse.csc_array
    lower: Floats
    upper: Floats
    slack: Integers
    side: Floats
    slack_cost: Floats
    slack_lower: Floats
    slack_upper: Floats
    constant: float
    """Loss whatever is decided, in units of D: of a budget that would rather stay idle."""

    @property
    def slacks(self) -> int:
        return len(self.slack_cost)


def _limit_rows(columns: Columns, priced: PricedPoint, use: Floats, room: Floats, theta: float) -> _LimitRows:
    limits = columns.limits
    price = priced.prices.copy()
    if limits.idle_room > 0.0:
        price[0] -= limits.idle_rate
    worth = np.abs(price)
    senses = np.array(limits.senses)
    largest = np.max(np.abs(use), axis=1, initial=0.0)
    most = np.where(worth > 0.0, theta / np.maximum(worth, _DUST), np.inf)
    within = np.clip(most, _WIDEST * largest, largest)
    unit = np.where(largest > 0.0, within, np.where(np.isfinite(most), most, 1.0))
    slack = np.flatnonzero((worth > 0.0) & (senses != "exactly"))
    lower = np.where(senses == "at_most", -np.inf, room / unit)
    upper = np.where(senses == "at_least", np.inf, room / unit)
    lower[slack] = upper[slack] = (room / unit)[slack]
    side = np.where(senses[slack] == "at_least", -1.0, 1.0)
    slacks = sparse.csc_array((side, (slack, np.arange(len(slack)))), shape=(len(room), len(slack)))
    soft = limits.soft
    missed = np.zeros((len(room), len(soft)))
    missed[soft, np.arange(len(soft))] = limits.relief[soft]
    more = np.maximum(limits.penalties[soft] - worth[soft], 0.0) * unit[soft] / theta
    wanted = price[slack] * side < 0.0  # idle money that earns more than its price: no slack is what loses
    whole = np.where(wanted, limits.idle_room / unit[slack], 0.0)
    reach = (most / unit)[slack]
    return _LimitRows(
        matrix=side_by_side(use / unit[:, None], slacks, missed),
        lower=lower,
        upper=upper,
        slack=slack,
        side=side,
        slack_cost=np.append(price[slack] * side * unit[slack] / theta, more),
        slack_lower=np.append(np.where(wanted, np.maximum(whole - reach, 0.0), 0.0), np.zeros(len(soft))),
        slack_upper=np.append(np.where(wanted, whole, reach), 1.0 / np.maximum(more, _DUST)),
        constant=float(np.sum(np.where(wanted, worth[slack] * unit[slack] / theta * whole, 0.0))),
    )


@dataclass(frozen=True)
class _Links:
    """One decision a borrower, and amounts that move only where their option is taken."""

    matrix: sparse.csc_array
    lower: Floats
    upper: Floats


def _links(
    choices: Integers,
    taken: Integers,
    moved: Integers,
    owner: Integers,
    options: Alternatives,
    base: Integers,
    slacks: int,
) -> _Links:
    """Rows over the columns: `choices` (their borrowers), then `moved`, then slacks.

    The best response is what is left of 1: a row where a borrower has several alternatives, and one for
    each amount that may move. An amount of the best response moves by at most what the
    alternatives leave, one of an alternative by what is taken of it.
    """
    count = np.bincount(choices, minlength=len(base))
    several = np.flatnonzero(count > 1)
    place = np.full(len(base), -1)
    place[several] = np.arange(len(several))
    inside = np.flatnonzero(place[choices] >= 0)
    kept = options.is_best[moved]
    best, other = np.flatnonzero(kept & (count[owner[moved]] > 0)), np.flatnonzero(~kept)
    column = np.full(len(owner), -1)
    column[taken] = np.arange(len(taken))
    rows, columns, values = [place[choices[inside]]], [inside], [np.ones(len(inside))]
    row = len(several)
    row_of = np.full(len(base), -1)
    row_of[owner[moved[best]]] = np.arange(len(best))
    rivals = np.flatnonzero(row_of[choices] >= 0)
    most_moves = options.moves[moved]
    rows += [row + np.arange(len(best)), row + row_of[choices[rivals]]]
    columns += [len(choices) + best, rivals]
    values += [np.ones(len(best)), most_moves[best][row_of[choices[rivals]]]]
    upper = [np.ones(len(several)), most_moves[best]]
    row += len(best)
    rows += [row + np.arange(len(other)), row + np.arange(len(other))]
    columns += [len(choices) + other, column[moved[other]]]
    values += [np.ones(len(other)), -most_moves[other]]
    upper.append(np.zeros(len(other)))
    row += len(other)
    width = len(choices) + len(moved) + slacks
    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return _Links(sparse.csc_array(entries, shape=(row, width)), np.full(row, -np.inf), np.concatenate(upper))


def solve_losses(
    book: Pass, priced: PricedPoint, play: OptionsInPlay, effort: Effort, start: Answers | None
) -> CoreAnswer:
    """Solves `play` in loss form; everyone else keeps the relaxation's answer.

    `effort.distance` and `effort.target` are in money. The outcome's bound holds of the whole book where the
    play covers its threshold: an allocation either is in the core or takes something that loses more.
    """
    book, priced = book.over(play.rows), priced.over(play.rows)
    columns = book.columns
    option, amount = priced.option.copy(), priced.amount.copy()
    option[play.options.borrowers], amount[play.options.borrowers] = -1, 0.0
    standing = book.tally(option, amount)
    options = alternatives(columns, priced, play)
    base = first_lines(play, options)
    mine = base[base >= 0]
    used = standing.usage + play.uses.unit[:, mine] @ options.end[mine] + play.uses.loan[:, mine].sum(axis=1)
    losses = loss_program(columns, priced, play, options, columns.tight_rhs - used)
    first = None if start is None else losses.point(play, options, base, start)
    effort = replace(
        effort, distance=effort.distance / play.theta, target=(effort.target - priced.bound) / play.theta
    )
    answer = solve(losses.program, effort, start=first, keep_log=True)
    least = -1.0 if answer.stop == "infeasible" else max(answer.bound, -1.0)
    bound = priced.bound + least * play.theta
    if answer.point is None:
        return CoreAnswer(answer.stop, None, None, bound, answer.log, None)
    lines = losses.decisions(answer.point, play, base)
    chosen = chosen_of(columns, play.options, play.uses, lines, FrozenOffers(option, amount, standing.usage))
    amounts = None
    if columns.offers.step is not None:
        counted = losses.amounts(answer.point, options)[lines]
        lots = np.round(counted / chosen.lot)
        counted = np.where(chosen.low == chosen.high, chosen.low, lots_to_money(lots, chosen.lot))
        amounts = counted if meets_rows(chosen, counted) else None
    if amounts is None:
        amounts = best_amounts(chosen)
    if amounts is None:
        return CoreAnswer(answer.stop, None, None, bound, answer.log, None)
    position = play.options.position[lines]
    option[position], amount[position] = play.options.option[lines], amounts
    return CoreAnswer(answer.stop, option, amount, bound, answer.log, None)
