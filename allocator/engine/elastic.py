"""By how little bounds have to move so that a book of any size fits: an elastic LP by column generation.

Only the m rows and the loosened bounds stand in the LP, beside mixtures of answers that groups of
borrowers gave to prices (Dantzig and Wolfe, 1960): worth nothing, an offer is made where the rows pay for it.
What a group answered stays an answer whatever limits are asked about next, so that all questions of one
book share one pool.

A bound that is a share of what is lent multiplies what is lent. There Newton's method for ratios finds the
least bound (Dinkelbach, 1967): each step prices what is lent at the bound reached so far.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from scipy import sparse

from allocator.engine.farkas import without_values
from allocator.engine.kernel.columns import Answers, Columns
from allocator.engine.kernel.passes import Pass, prepare
from allocator.engine.program import Program, row_bounds, side_by_side, stack
from allocator.engine.solving import LiveProgram, SolverError
from allocator.records.limits import BASES, Bounds
from allocator.records.portfolio import Booleans, Floats, Integers

_GROUPS = 200
"""Groups of borrowers; in a book of no more each is one borrower."""
_ROUNDS = 200
_RATIO_STEPS = 12
_SAME = 1e-9
"""Relative; a break below this is rounding."""
_ROUNDING = 1e-14
"""Of the terms of a sum, what it may be off by: a sum below this is 0, and no unit of its row."""
_LEAST_NORM = 1e-14
"""A row all of whose figures are smaller is measured in its own units: it holds next to nothing."""
_CLOSE = 1e-3
"""Of the moves found, what they may be above the least."""


@dataclass(frozen=True)
class _Answers:
    """P answers of groups: what they use of the m rows, and of the two references."""

    group: Integers
    """(P,)"""
    use: sparse.csr_array
    """(P, m)"""
    reference: Floats
    """(P, references) what each makes of it: money offered, drawn, and that, or loans, to single groups."""

    def joined(self, more: _Answers) -> _Answers:
        return _Answers(
            np.concatenate([self.group, more.group]),
            sparse.csr_array(sparse.vstack([self.use, more.use])),
            np.vstack([self.reference, more.reference]),
        )


@dataclass(frozen=True)
class _Question:
    """Which rows must hold, which bounds may move, and where a step of the ratios stands."""

    active: Booleans
    """(m,)"""
    loose: Integers
    """Places of the bounds."""
    moved: Floats
    """(E,) how far each bound has moved in the step before."""
    lent: Floats
    """(references,) each of them there, without what was lent before."""
    priced: bool
    """Whether moves cost, and every row holds; else breaks cost and moves are free."""


@dataclass
class Elastic:
    """A book ready to be asked which of its limits can hold together, and by how little they must move."""

    columns: Columns
    bounds: Bounds
    threads: int
    _book: Pass = field(init=False)
    _pool: _Answers = field(init=False)
    _group: Integers = field(init=False)
    _pairs: tuple[Integers, Integers] = field(init=False)

    def __post_init__(self) -> None:
        free = without_values(self.columns)
        self._book = prepare(free, self.threads)
        self._group = _groups(free)
        distinct, pair = np.unique(
            self._group * free.limits.cells + self.columns.limits.cell, return_inverse=True
        )
        self._pairs = distinct, pair
        no_offers = np.where(free.offers.must & (free.offers.menu >= 0), 0, -1).astype(np.int32)
        held = Answers(no_offers, np.where(no_offers >= 0, free.offers.low, 0.0))
        self._pool = self._uses(held, np.arange(self.groups))

    @property
    def groups(self) -> int:
        return int(self._group.max(initial=-1)) + 1

    @property
    def rows(self) -> int:
        return len(self.columns.limits)

    def support(self, rows: Iterable[int]) -> frozenset[int] | None:
        """Rows among `rows` whose prices prove that they cannot hold together; None where they can."""
        active = np.zeros(self.rows, dtype=bool)
        active[list(rows)] = True
        nowhere = np.zeros(len(self.bounds.names))
        question = _Question(
            active, np.zeros(0, dtype=np.int64), nowhere, np.zeros(len(self._references)), priced=False
        )
        _, prices, broken = self._ask(question)
        if broken <= _SAME:
            return None
        size = np.abs(prices) * self._norm()
        return frozenset(np.flatnonzero(active & (size > 1e-7 * size.max(initial=0.0))).tolist())

    def least_moves(self, loose: Iterable[int]) -> Floats | None:
        """(E,) by how much the bounds `loose` must move, the sum relative to their sizes least.

        None where no move of them makes the relaxation feasible.
        """
        places = np.array(sorted(loose), dtype=np.int64)
        everything = np.ones(self.rows, dtype=bool)
        moved = np.zeros(len(self.bounds.names))
        question = _Question(everything, places, moved, self._sizes, priced=False)
        point, _, broken = self._ask(question)
        if broken > _SAME:
            return None
        for _ in range(_RATIO_STEPS):
            lent = self._lent(point)
            question = replace(question, moved=moved, lent=lent, priced=True)
            point, _, _ = self._ask(question)
            before, moved = moved, self._needed(question, point)
            if np.isnan(moved).any():
                return None
            if np.sum(np.abs(moved - before) / self.bounds.size) <= _CLOSE * np.sum(
                np.abs(moved) / self.bounds.size
            ):
                break
        moved[np.abs(moved) <= _SAME * self.bounds.size] = 0.0
        reached = self.bounds.written + moved
        inside = (reached >= self.bounds.low - _SAME) & (reached <= self.bounds.high + _SAME)
        return moved if bool(np.all(inside[places])) else None

    @property
    def _budget(self) -> float:
        return max(abs(self.columns.limits.rows[0].size), self.columns.money_unit)

    @cached_property
    def _sizes(self) -> Floats:
        """(references,) what each may come to: the budget, or a loan to everybody."""
        loans = float(len(self.columns))
        return np.array([loans if basis == "loans" else self._budget for basis, _ in self._references])

    def _lent(self, point: Floats) -> Floats:
        return np.maximum(self._pool.reference.T @ point[: len(self._pool.group)], 1e-6 * self._sizes)

    def _needed(self, question: _Question, point: Floats) -> Floats:
        """(E,) the moves at `point`; of shares of what is lent as the point itself needs them.

        NaN where it breaks a share of a part that nothing is lent to: no share of nothing is more.
        """
        bounds, count, loose = self.bounds, len(self._pool.group), question.loose
        moves = point[count : count + 2 * len(loose)].reshape(2, -1)
        needed = np.zeros(len(bounds.names))
        needed[loose] = moves[0] - moves[1]
        share = self._share
        use = self._pool.use.T @ point[:count]
        lent = self._pool.reference.T @ point[:count]
        for e in loose:
            rows = np.flatnonzero((bounds.entry == e) & (share >= 0))
            if not len(rows):
                continue
            whole = lent[share[rows]] + self._before[rows]
            least = _SAME * self._sizes[share[rows]]
            excess = use[rows] - self.columns.limits.rhs[rows]
            broken = excess * np.where(excess > 0.0, bounds.up[e], -1.0 * bounds.down[e])
            if np.any((broken > _SAME * self._norm()[rows]) & (whole <= least)):
                needed[e] = np.nan
                continue
            over = excess / np.maximum(whole, least)
            needed[e] = float(np.max(over)) if bounds.up[e] else float(np.min(over))
            needed[e] = max(needed[e], 0.0) if not bounds.down[e] else needed[e]
            needed[e] = min(needed[e], 0.0) if not bounds.up[e] else needed[e]
            written = bounds.written[e]
            needed[e] = np.clip(written + needed[e], bounds.low[e], bounds.high[e]) - written
        return needed

    @cached_property
    def _share(self) -> Integers:
        """(m,) which reference a row's bound is a share of, -1: none."""
        place = {(basis, id(base)): i for i, (basis, base) in enumerate(self._references)}
        rows = self.columns.limits.rows
        return np.array([place[r.reference, id(r.base)] if r.reference else -1 for r in rows])

    @cached_property
    def _references(self) -> list[tuple[str, Booleans | None]]:
        """What shares may be of: a basis, and the cells that count; None: all of them."""
        distinct: dict[tuple[str, int], tuple[str, Booleans | None]] = {
            (basis, id(None)): (basis, None) for basis in BASES[:2]
        }
        for row in self.columns.limits.rows:
            if row.reference:
                distinct.setdefault((row.reference, id(row.base)), (row.reference, row.base))
        return list(distinct.values())

    @cached_property
    def _before(self) -> Floats:
        """(m,) what was lent before of a row's reference."""
        return np.array([row.lent for row in self.columns.limits.rows])

    def _norm(self) -> Floats:
        """(m,) what one unit of each row of the program is."""
        largest = abs(self._pool.use).max(axis=0).toarray().ravel()
        norm = np.maximum(np.abs(self.columns.limits.rhs), largest)
        return np.where(norm > _LEAST_NORM, norm, 1.0)

    def _ask(self, question: _Question) -> tuple[Floats, Floats, float]:
        """The point over answers, moves and breaks; the rows' prices (m,); and what is broken in all.

        Answers that join while it is looked for stand last in the program, first in the point again.
        """
        book, norm = self._at(question), self._norm()
        known = len(self._pool.group)
        live = LiveProgram(self._program(question, norm), primal=True)
        for _ in range(_ROUNDS):
            answer = live.solve(np.inf)
            if answer.point is None or len(answer.row_prices) != self.rows + self.groups:
                raise SolverError(f"the elastic program ended with status {answer.stop}")
            point, prices = answer.point, answer.row_prices[: self.rows] / norm
            broken = -answer.value
            if not question.priced and broken <= _SAME:
                break
            response = book.respond(prices)
            best = np.bincount(self._group, response.reduced, minlength=self.groups)
            better = best - answer.row_prices[self.rows :]
            gain = float(np.sum(np.maximum(better, 0.0)))
            if gain <= _CLOSE * broken or (not question.priced and broken - gain > max(0.5 * broken, 1e-7)):
                break
            more = self._uses(response, np.flatnonzero(better > _CLOSE * broken / self.groups / 2.0))
            self._pool = self._pool.joined(more)
            live.add(0, np.zeros(len(more.group)), self._columns(question, norm, more))
        joined = len(self._pool.group) - known
        point = self._in_order(point, known, joined)
        return point, prices, 0.0 if broken <= _SAME else broken

    @staticmethod
    def _in_order(point: Floats, known: int, joined: int) -> Floats:
        """The point with the answers that joined beside those known before."""
        others = len(point) - joined
        return np.concatenate([point[:known], point[others:], point[known:others]])

    def _columns(self, question: _Question, norm: Floats, answers: _Answers) -> sparse.csc_array:
        """What the answers' mixtures use of the program's rows."""
        share, count = self._share, len(answers.group)
        step = np.where(share >= 0, question.moved[self.bounds.entry], 0.0)
        charged = answers.use - sparse.csr_array(answers.reference[:, np.maximum(share, 0)] * step)
        member = sparse.csc_array(
            (np.ones(count), (answers.group, np.arange(count))), shape=(self.groups, count)
        )
        return stack(sparse.diags_array(1.0 / norm, format="csc") @ charged.T, member)

    def _at(self, question: _Question) -> Pass:
        """The book with every share of what is lent as far as it has moved."""
        share, limits = self._share, self._book.columns.limits
        step = np.where(share >= 0, question.moved[self.bounds.entry], 0.0)
        rows = np.flatnonzero(step)
        if not len(rows):
            return self._book
        channel = {BASES[c.basis]: h for h, c in enumerate(limits.channels) if c.weight is None}
        single = sparse.lil_array(limits.matrix.shape)
        common = sparse.lil_array(limits.everywhere.shape)
        for j in rows.tolist():
            basis, base = self._references[share[j]]
            if base is None:
                common[j, channel[basis]] = -step[j]
            else:
                single[[j], np.flatnonzero(base) * len(limits.channels) + channel[basis]] = -step[j]
        moved = replace(
            limits,
            matrix=sparse.csr_array(limits.matrix + single),
            everywhere=sparse.csr_array(limits.everywhere + common),
        )
        return replace(self._book, columns=replace(self._book.columns, limits=moved))

    def _program(self, question: _Question, norm: Floats) -> Program:
        """max - what moves cost (or what is broken), over mixtures of the answers known."""
        loose, count, rows = question.loose, len(self._pool.group), self.rows
        moves, rhs = self._loosened(question)
        scaled = sparse.diags_array(1.0 / norm, format="csc") @ moves
        breaks = sparse.eye_array(rows, format="csc")
        no_group = sparse.csc_array((self.groups, 2 * len(loose) + 2 * rows))
        others = stack(side_by_side(-scaled, scaled, breaks, -breaks), no_group)
        cost = np.zeros(count + no_group.shape[1])
        upper = np.full(len(cost), np.inf)
        if question.priced:
            cost[count : count + 2 * len(loose)] = np.tile(-1.0 / self.bounds.size[loose], 2)
            upper[len(cost) - 2 * rows :] = 0.0
        else:
            cost[len(cost) - 2 * rows :] = -1.0
        ways = np.concatenate([self.bounds.up[loose], self.bounds.down[loose]])
        upper[count : count + 2 * len(loose)][~ways] = 0.0
        low, high = row_bounds(self.columns.limits.senses, rhs / norm)
        active = question.active & ~np.isfinite(self.columns.limits.penalties)
        return Program(
            cost=cost,
            matrix=side_by_side(self._columns(question, norm, self._pool), others),
            row_lower=np.concatenate([np.where(active, low, -np.inf), np.ones(self.groups)]),
            row_upper=np.concatenate([np.where(active, high, np.inf), np.ones(self.groups)]),
            column_lower=np.zeros(len(cost)),
            column_upper=upper,
            integer=np.zeros(len(cost), dtype=bool),
        )

    def _loosened(self, question: _Question) -> tuple[sparse.csc_array, Floats]:
        """(m, loose) what each row allows more a unit of each move; and (m,) right-hand sides to that.

        Of a share q of what is lent R the product q R about the step before: q R' + q' R - q' R'.
        """
        share, entry = self._share, self.bounds.entry
        step = np.where(share >= 0, question.moved[entry], 0.0)
        whole = np.where(share >= 0, question.lent[share] + self._before, 0.0)
        by_share = sparse.coo_array((whole, (np.arange(self.rows), entry)), shape=self.bounds.moves.shape)
        moves = sparse.csc_array(self.bounds.moves + sparse.csr_array(by_share))[:, question.loose]
        return sparse.csc_array(moves), self.columns.limits.rhs + step * (self._before - whole)

    def _uses(self, answers: Answers, groups: Integers) -> _Answers:
        """What the answers of `groups` use together."""
        columns, (distinct, pair) = self._book.columns, self._pairs
        limits, channels = columns.limits, len(columns.limits.channels)
        sums = np.array(
            [np.bincount(pair, used, minlength=len(distinct)) for used in columns.by_channel(*_both(answers))]
        ).T
        owner, cell = distinct // limits.cells, distinct % limits.cells
        place = (cell[:, None] * channels + np.arange(channels)).ravel()
        spread = sparse.csr_array(
            (sums.ravel(), (np.repeat(owner, channels), place)),
            shape=(self.groups, limits.cells * channels),
        )
        in_all = np.array([np.bincount(owner, sums[:, h], minlength=self.groups) for h in range(channels)])
        use = spread @ limits.matrix.T + sparse.csr_array((limits.everywhere @ in_all).T)
        everywhere = sparse.csr_array((abs(limits.everywhere) @ abs(in_all)).T)
        use = use.multiply(abs(use) > _ROUNDING * (abs(spread) @ abs(limits.matrix).T + everywhere))
        lent = {
            "offered": answers.amount,
            "drawn": columns.take_up(answers.option) * answers.amount,
            "loans": np.where(answers.option >= 0, 1.0, 0.0),
        }
        references = [
            np.bincount(
                self._group,
                lent[basis] if base is None else np.where(base[limits.cell], lent[basis], 0.0),
                minlength=self.groups,
            )
            for basis, base in self._references
        ]
        return _Answers(
            groups, sparse.csr_array(use)[groups], np.array(references, dtype=np.float64).T[groups]
        )


def _both(answers: Answers) -> tuple[np.ndarray, Floats]:
    return answers.option, answers.amount


def _groups(columns: Columns) -> Integers:
    """(n,) the group of each borrower: alike in what they count in and in their rates."""
    n = len(columns)
    if n <= _GROUPS:
        return np.arange(n)
    order = np.lexsort((columns.offers.menu, columns.limits.cell))
    group = np.empty(n, dtype=np.int64)
    group[order] = np.arange(n) * _GROUPS // n
    return group
