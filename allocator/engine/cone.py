"""The relaxation under limits on the Herfindahl index, closed in a space with a column a group.

||X|| <= r T, with r the root of h, says  sum_g y_g <= r T  of columns  y_g >= X_g^2 / (r T),  whose tangent
at X_g = b r T is  y_g >= 2 b X_g - b^2 r T: in one dimension a few tangents are close, where tangents of the
cone itself take hundreds (Vielma, Dunning, Huchette and Lubin, 2017). The prices of a group's tangents weigh
their b; these means, scaled to length 1, are the direction of one cut of the cone that proves as much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import Protocol

import numpy as np
from scipy import sparse

from allocator.engine.kernel.columns import Columns
from allocator.engine.options import Options
from allocator.engine.prices import whole_relaxation
from allocator.engine.program import Effort, Program, ProgramAnswer, side_by_side
from allocator.engine.relaxation import Relaxation
from allocator.engine.solving import solve
from allocator.records.portfolio import Codes, Floats, Integers

_FIRST = 9
"""Tangents of each group to begin with, evenly spread."""
_ROUNDS = 40
_SEARCHES = ((0.3, 3e-3), (0.3, 1e-3), (0.4, 1e-4))
"""Parts of the time that searches for whole offers get, and the relative gap at which each may stop."""
_OUTWARD = 1e-8
"""What a solver's bound is rounded outwards by, relatively."""
_CLOSE, _CLOSE_ENOUGH = 1e-7, 1e-4
"""Part of r T by which all groups' tangents together may lie below the squares; of whole offers."""


class Cone(Protocol):
    """One limit on the index: whom it counts together, and up to what."""

    @property
    def bound(self) -> float:
        """h"""

    @property
    def codes(self) -> Codes:
        """(n,) group of each borrower."""

    @property
    def lent(self) -> Floats:
        """(G,) what each has already."""

    @property
    def whole(self) -> float | None:
        """What shares are of; None: everything offered, what is lent already included."""


@dataclass(frozen=True)
class ConicPoint:
    """The best point of the relaxation, and what proves it."""

    share: Floats
    """(n,) how much of an offer each borrower gets; 1 is a whole one."""
    option: Codes
    """(n,) the option that most of it is; -1: none."""
    amount: Floats
    """(n,)"""
    directions: tuple[Floats | None, ...]
    """Of each cone (G,), of length 1; None where it binds nothing. None at all where offers are whole."""
    bound: float
    """No point is worth more, in money."""


def best_in_cones(columns: Columns, cones: Sequence[Cone]) -> ConicPoint | None:
    """The best point of the relaxation within `cones`, to many digits.

    Where there is none, the directions of the point nearest to the cones say why, with no options; None where
    the other limits cannot be met either, or the solver does not end.
    """
    return best_and_whole(columns, cones, 0.0)[0]


def best_and_whole(
    columns: Columns, cones: Sequence[Cone], seconds: float
) -> tuple[ConicPoint | None, ConicPoint | None]:
    """`best_in_cones`, and the best point found in some seconds where offers are made or not, None: none."""
    relaxation, options = whole_relaxation(columns)
    lifted = _Lifted.of(relaxation, options, cones)
    answer = lifted.solve(elastic=False)
    if answer.stop == "infeasible":
        answer = lifted.solve(elastic=True)
    if answer.stop != "optimal" or answer.point is None:
        return None, None
    best = lifted.read(columns, options, relaxation, answer)
    if seconds <= 0.0 or lifted.elastic:
        return best, None
    answer = lifted.solve_whole(seconds, max(abs(answer.value), 1e-9))
    return best, None if answer.point is None else lifted.read(columns, options, relaxation, answer)


@dataclass
class _Lifted:
    """The relaxation's program, and behind its columns of each cone y, X (G each), T, and an excess."""

    base: Program
    cones: Sequence[Cone]
    unit: float
    blocks: list[sparse.csr_array]
    """Of each cone (1 + G, columns of the base) what T and X_g are counted of, in units of money."""
    tangents: list[tuple[Integers, Floats]]
    """Of each cone, the group and b of each tangent."""
    people: int
    """Borrowers, whose one decision the base's last rows say."""
    elastic: bool = False

    @classmethod
    def of(cls, relaxation: Relaxation, options: Options, cones: Sequence[Cone]) -> _Lifted:
        count = len(relaxation.line)
        who = options.position[relaxation.line]
        blocks, tangents = [], []
        for cone in cones:
            groups = len(cone.lent)
            amount = relaxation.amount / relaxation.unit
            place = np.arange(count)
            rows = np.concatenate([np.zeros(count, dtype=int), 1 + cone.codes[who]])
            entries = (np.concatenate([amount, amount]), (rows, np.concatenate([place, place])))
            blocks.append(sparse.csr_array(entries, shape=(1 + groups, len(relaxation.program.cost))))
            b = np.tile(np.linspace(0.0, 1.0, _FIRST)[1:], groups)
            tangents.append((np.repeat(np.arange(groups), _FIRST - 1), b))
        return cls(relaxation.program, cones, relaxation.unit, blocks, tangents, len(options.borrowers))

    def solve(self, *, elastic: bool) -> ProgramAnswer:
        """The optimum, with tangents where a point needs them; `elastic`: the least excess of the cones."""
        self.elastic = elastic
        for _ in range(_ROUNDS):
            answer = solve(self._program(), Effort())
            if answer.stop != "optimal" or answer.point is None:
                return answer
            before = self.tangents.copy()
            if not self._add_tangents(answer.point, _CLOSE):
                return answer
        self.tangents = before
        return answer

    def solve_whole(self, seconds: float, worth: float) -> ProgramAnswer:
        """A good point whose offers are whole, or mixtures of a borrower's whole ones.

        Tangents join at the points of shorter searches.
        """
        answers = []
        for part, gap in _SEARCHES:
            effort = Effort(distance=gap * worth, time_limit=part * seconds, feasibility=1e-7)
            answers.append(solve(self._whole_program(), effort))
            point = answers[-1].point
            if point is None or not self._add_tangents(point, _CLOSE_ENOUGH):
                break
        return replace(answers[-1], bound=min(answer.bound for answer in answers))

    def _whole_program(self) -> Program:
        """The program with a last column a borrower, 1 where an offer is made."""
        program, rows, people = self._program(), len(self.base.row_upper), self.people
        first = rows - people
        entries = (-np.ones(people), (np.arange(first, rows), np.arange(people)))
        made = sparse.csc_array(entries, shape=(program.matrix.shape[0], people))
        most, least = program.row_upper.copy(), program.row_lower.copy()
        must = least[first:rows] > 0.0
        most[first:rows] = least[first:rows] = 0.0
        return Program(
            cost=np.append(program.cost, np.zeros(people)),
            matrix=side_by_side(program.matrix, made),
            row_lower=least,
            row_upper=most,
            column_lower=np.append(program.column_lower, must.astype(float)),
            column_upper=np.append(program.column_upper, np.ones(people)),
            integer=np.append(program.integer, np.ones(people, dtype=bool)),
        )

    def _add_tangents(self, point: Floats, close: float) -> bool:
        """Tangents at a point's own shares, of those whose y lies below its square."""
        added, start = False, len(self.base.cost)
        for number, cone in enumerate(self.cones):
            groups = len(cone.lent)
            y, x = point[start : start + groups], point[start + groups : start + 2 * groups]
            total = point[start + 2 * groups]
            start += 2 * groups + 2
            allowed = sqrt(cone.bound) * total
            if allowed <= 0.0:
                continue
            short = x * x / allowed - y
            groups_short = np.flatnonzero(short > close * allowed / groups)
            if len(groups_short) and float(np.sum(short[groups_short])) > close * allowed:
                known, b = self.tangents[number]
                self.tangents[number] = (
                    np.append(known, groups_short),
                    np.append(b, x[groups_short] / allowed),
                )
                added = True
        return added

    def _program(self) -> Program:
        base = self.base
        blocks: list[list[sparse.sparray | None]] = [[base.matrix, *([None] * len(self.cones))]]
        lower, upper = [base.row_lower], [base.row_upper]
        cost, least, most = [base.cost], [base.column_lower], [base.column_upper]
        for number, cone in enumerate(self.cones):
            own, row_lower, row_upper = self._rows(number)
            groups = len(cone.lent)
            zeros = sparse.csr_array((own.shape[0] - 1 - groups, len(base.cost)))
            counted = sparse.vstack([self.blocks[number], zeros])
            line: list[sparse.sparray | None] = [-counted, *([None] * len(self.cones))]
            line[1 + number] = own
            blocks.append(line)
            lower.append(row_lower)
            upper.append(row_upper)
            whole = -np.inf if cone.whole is None else cone.whole / self.unit
            cost.append(np.append(np.zeros(2 * groups + 1), -1.0 if self.elastic else 0.0))
            least.append(np.concatenate([np.zeros(groups), np.full(groups, -np.inf), [whole], [0.0]]))
            excess = np.inf if self.elastic else 0.0
            most.append(np.concatenate([np.full(2 * groups, np.inf), [abs(whole)], [excess]]))
        if self.elastic:
            cost[0] = np.zeros(len(base.cost))
        count = sum(map(len, cost))
        return Program(
            cost=np.concatenate(cost),
            matrix=sparse.csc_array(sparse.block_array(blocks)),
            row_lower=np.concatenate(lower),
            row_upper=np.concatenate(upper),
            column_lower=np.concatenate(least),
            column_upper=np.concatenate(most),
            integer=np.zeros(count, dtype=bool),
        )

    def _rows(self, number: int) -> tuple[sparse.csr_array, Floats, Floats]:
        """Of one cone's columns: T and X as they are counted, the tangents, and the sum of y."""
        cone = self.cones[number]
        groups, root = len(cone.lent), sqrt(cone.bound)
        group, b = self.tangents[number]
        total, each = 2 * groups, np.arange(groups)
        lines = np.arange(len(b))
        definition = sparse.csr_array(
            (np.ones(1 + groups), (np.arange(1 + groups), np.append(total, groups + each))),
            shape=(1 + groups, 2 * groups + 2),
        )
        tangents = sparse.csr_array(
            (
                np.concatenate([np.ones(len(b)), -2.0 * b, b * b * root]),
                (np.tile(lines, 3), np.concatenate([group, groups + group, np.full(len(b), total)])),
            ),
            shape=(len(b), 2 * groups + 2),
        )
        last = sparse.csr_array(np.concatenate([np.ones(groups), np.zeros(groups), [-root, -1.0]])[None, :])
        lent = np.append(np.sum(cone.lent), cone.lent) / self.unit
        lower = np.concatenate([lent, np.zeros(len(b)), [-np.inf]])
        upper = np.concatenate([lent, np.full(len(b), np.inf), [0.0]])
        if cone.whole is not None:  # then T is given, and no sum
            lower[0], upper[0] = -np.inf, np.inf
        return sparse.csr_array(sparse.vstack([definition, tangents, last])), lower, upper

    def read(
        self, columns: Columns, options: Options, relaxation: Relaxation, answer: ProgramAnswer
    ) -> ConicPoint:
        """The point by borrower, and the directions that the prices give."""
        assert answer.point is not None
        weight = np.clip(answer.point[: len(relaxation.line)], 0.0, 1.0)
        who = options.position[relaxation.line]
        n = len(columns)
        share = np.asarray(np.bincount(who, weight, minlength=n), dtype=np.float64)
        amount = np.asarray(np.bincount(who, weight * relaxation.amount, minlength=n), dtype=np.float64)
        by_line = np.bincount(relaxation.line, weight, minlength=len(options))
        order = np.argsort(by_line, kind="stable")
        option = np.full(n, -1, dtype=np.int32)
        option[options.position[order]] = options.option[order]
        option[share <= 0.0] = -1
        if self.elastic:
            option[:] = -1
        directions = []
        row, prices = len(self.base.row_lower), np.abs(answer.row_prices)
        for number, cone in enumerate(self.cones if len(prices) else ()):
            group, b = self.tangents[number]
            row += 1 + len(cone.lent)
            mean = np.bincount(group, prices[row : row + len(b)] * b, minlength=len(cone.lent))
            row += len(b) + 1
            length = float(np.linalg.norm(mean))
            directions.append(mean / length if length > 0.0 else None)
        bound = answer.bound * relaxation.unit
        return ConicPoint(share, option, amount, tuple(directions), bound + _OUTWARD * abs(bound))
