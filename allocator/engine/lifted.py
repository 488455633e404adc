"""The relaxation under limits on the n groups that use most, in columns of its own.

The n largest X_g come to at most b if and only if  n t + sum_g u_g <= b  for some  t, u_g >= 0  with
u_g >= X_g - t. The prices y_g of these last rows, over the price of the first one, are a direction s from 0
to 1 of sum n at most: the one cut  sum_g s_g X_g <= b  proves as much as all of them
(docs/formulation.md, section 2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from allocator.engine.convex import Largest
from allocator.engine.kernel.columns import Columns
from allocator.engine.options import Options
from allocator.engine.prices import whole_relaxation
from allocator.engine.program import Effort, Program, ProgramAnswer, side_by_side, stack
from allocator.engine.relaxation import Relaxation
from allocator.engine.solving import solve
from allocator.records.lots import lots_to_money
from allocator.records.portfolio import Codes, Floats, Integers

_OUTWARD = 1e-10
"""What a solver's bound is rounded outwards by, relatively."""
_ALIKE = 1e-12
"""Price, relative to the largest loan, below which a limit binds nothing."""


@dataclass(frozen=True)
class LargestPoint:
    """A point of the relaxation within the limits on the largest."""

    amount: Floats
    """(n,)"""
    directions: tuple[Floats | None, ...]
    """Of each limit (G,), of a sum of n at most; None where it binds nothing."""
    keeps: bool
    """Whether it keeps the limits; else it is the one nearest to them."""
    edges: tuple[float, ...]
    """Of each limit t, in money."""


@dataclass(frozen=True)
class Lifted:
    """The relaxation's program, and behind its columns of each limit t, u (G) and an excess."""

    columns: Columns
    groups: Sequence[Largest]
    relaxation: Relaxation
    options: Options

    @classmethod
    def of(cls, columns: Columns, groups: Sequence[Largest]) -> Lifted:
        drawn = any(own.row or own.reference for own in groups)
        return cls(columns, groups, *whole_relaxation(columns, every=drawn))

    def best(self) -> LargestPoint | None:
        """The best point; where there is none, the directions of the one nearest to the limits.

        None where the other limits cannot be met either.
        """
        for elastic in (False, True):
            answer = solve(self._program(elastic=elastic), Effort())
            if answer.stop == "optimal" and answer.point is not None:
                return self._read(answer, keeps=not elastic)
            if answer.stop != "infeasible":
                break
        return None

    def whole(self, effort: Effort) -> tuple[Codes | None, float]:
        """(n,) the option of each borrower (-1: none) at the best whole offers, and their bound in money.

        None: no point was found.
        """
        line = self.relaxation.line
        place = np.unique(line, return_inverse=True)[1]
        answer = solve(
            self._beside(np.ones(len(line)), place, np.zeros(len(line)), np.ones(len(line))), effort
        )
        bound = answer.bound * self.relaxation.unit
        bound += _OUTWARD * abs(bound)
        if answer.point is None:
            return None, bound
        taken = np.unique(line)[_last(answer.point, int(np.max(place, initial=-1)) + 1) > 0.5]
        option = np.full(len(self.columns), -1, dtype=np.int32)
        option[self.options.position[taken]] = self.options.option[taken]
        return option, bound

    def in_lots(self, lot: float, effort: Effort) -> Floats | None:
        """(n,) the best amounts in whole lots of one option each; None: none were found."""
        who, place = np.unique(self.options.position[self.relaxation.line], return_inverse=True)
        offers = self.columns.offers
        low, high = (np.round(end[who][place] / lot) for end in (offers.low, offers.high))
        answer = solve(self._beside(self.relaxation.amount / lot, place, low, high), effort)
        if answer.point is None:
            return None
        amount = np.zeros(len(offers))
        amount[who] = lots_to_money(np.round(_last(answer.point, len(who))), lot)
        return amount

    def _beside(self, count: Floats, place: Integers, low: Floats, high: Floats) -> Program:
        """The program with whole columns, the k-th the sum of `count` over the lines whose `place` is k.

        All arrays have an entry a line.
        """
        program, many = self._program(elastic=False), int(np.max(place, initial=-1)) + 1
        lines = np.arange(len(place))
        counted = sparse.csc_array((count, (place, lines)), shape=(many, program.matrix.shape[1]))
        empty = sparse.csc_array((program.matrix.shape[0], many))
        least, most = np.zeros(many), np.zeros(many)
        least[place], most[place] = low, high
        return Program(
            cost=np.append(program.cost, np.zeros(many)),
            matrix=stack(side_by_side(program.matrix, empty), side_by_side(counted, -sparse.eye_array(many))),
            row_lower=np.append(program.row_lower, np.zeros(many)),
            row_upper=np.append(program.row_upper, np.zeros(many)),
            column_lower=np.append(program.column_lower, least),
            column_upper=np.append(program.column_upper, most),
            integer=np.append(program.integer, np.ones(many, dtype=bool)),
        )

    def _read(self, answer: ProgramAnswer, *, keeps: bool) -> LargestPoint:
        assert answer.point is not None
        line, row = self.relaxation.line, len(self.relaxation.program.row_lower)
        part = answer.point[: len(line)] * self.relaxation.amount
        amount = np.bincount(self.options.position[line], part, minlength=len(self.columns))
        directions, edges, prices = [], list[float](), np.abs(answer.row_prices)
        column = len(self.relaxation.program.cost)
        for own in self.groups:
            edges.append(float(answer.point[column]) * self.relaxation.unit)
            column += len(own.labels) + 2
            price, last = prices[row + len(own.labels)], row + len(own.labels)
            directions.append(prices[row:last] / price if price > _ALIKE else None)
            row = last + 1
        return LargestPoint(amount.astype(np.float64), tuple(directions), keeps, tuple(edges))

    def _program(self, *, elastic: bool) -> Program:
        base, unit = self.relaxation.program, self.relaxation.unit
        beside, below, upper, cost, count = [], [], [base.row_upper], [base.cost * (not elastic)], 0
        for own in self.groups:
            used, allowed, room, lent = self._rows(own)
            groups, bound = len(own.labels), room / unit
            below.append(stack(used, -allowed))
            t, each = -np.ones((groups, 1)), -sparse.eye_array(groups)
            last = np.concatenate([[own.count], np.ones(groups), [-1.0]])[None, :]
            block = stack(side_by_side(t, each, np.zeros((groups, 1))), last)
            beside.append(block)
            upper.append(np.append(-lent / unit, bound))
            cost.append(np.append(np.zeros(groups + 1), -1.0 if elastic else 0.0))
            count += groups + 2
        empty = sparse.csc_array((base.matrix.shape[0], count))
        matrix = stack(
            side_by_side(base.matrix, empty), side_by_side(stack(*below), sparse.block_diag(beside))
        )
        most = np.full(count, np.inf)
        most[np.cumsum([len(own.labels) + 2 for own in self.groups]) - 1] = np.inf if elastic else 0.0
        return Program(
            cost=np.concatenate(cost),
            matrix=matrix,
            row_lower=np.append(base.row_lower, np.full(matrix.shape[0] - len(base.row_lower), -np.inf)),
            row_upper=np.concatenate(upper),
            column_lower=np.append(base.column_lower, np.zeros(count)),
            column_upper=np.append(base.column_upper, most),
            integer=np.append(base.integer, np.zeros(count, dtype=bool)),
        )

    def _rows(self, own: Largest) -> tuple[sparse.csc_array, sparse.csc_array, float, Floats]:
        """(G, columns) what each group uses; (1, columns) what that adds to the bound; the bound; and
        (G,) what each group uses already."""
        line, width = self.relaxation.line, len(self.relaxation.program.cost)
        who, take_up = self.options.position[line], self.options.take_up[line]
        on = self.relaxation.amount / self.relaxation.unit, self.relaxation.amount * take_up
        counts = on[0], on[1] / self.relaxation.unit
        inside = np.flatnonzero(own.codes[who] >= 0)
        entries = own.weight[who[inside]] * counts[own.row][inside], (own.codes[who[inside]], inside)
        used = sparse.csc_array(entries, shape=(len(own.labels), width))
        lent, allowed, room = own.sums(np.zeros((2, len(self.columns)))), np.zeros((1, width)), own.bound
        if own.reference is not None:
            counted = np.ones(len(self.columns), dtype=bool) if own.referred is None else own.referred
            allowed[0, : len(line)] = own.bound * counts[own.reference] * counted[who]
            room = own.bound * float(np.sum(own.exposure[counted]))
        return used, sparse.csc_array(allowed), room, lent


def _last(point: Floats, many: int) -> Floats:
    """The last `many` entries, none where that is 0."""
    return point[len(point) - many :]
