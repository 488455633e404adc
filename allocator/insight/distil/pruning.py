"""Which nodes of a tree become rules, and which rate and share each gets: a small program over their totals.

A node may be a rule if none above or below it is one, so the program prunes the tree, and at most a given
number of nodes are rules; the limits are rows over what the nodes' answers use. An answer is a rate at one
of a few shares; a rule has one rate and any mixture of its shares, since amounts are linear in the share
but for the smallest loans. What that leaves out the shares' refinement puts right (`refined_shares`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from allocator.engine.kernel.columns import Columns
from allocator.engine.program import Effort, Program, measure_of, row_bounds, stack
from allocator.engine.solving import SolverError, solve
from allocator.insight.distil.totals import NodeTotals
from allocator.records.portfolio import Booleans, Floats, Integers

CLOSE = 1e-3
"""Relative gap at which the choice ends: rules themselves cost far more."""
BRANCHES, FEW_BRANCHES = 100, 20
"""Nodes that the choice may branch into; few where it is to be quick."""
_PENALTY = 3.0
"""What breaking a limit by its largest use costs, in largest values, while prices are looked for."""
BROKEN = 1e-9
"""Part of its largest use by which a limit must be exceeded to count as broken."""
KEPT = 3
"""Rates a node that are chosen from: those that lose least at the prices found in fractions."""


@dataclass(frozen=True)
class NodeAnswers:
    """One column an answer of a node."""

    node: Integers
    rate: Integers
    """Index into the rates."""
    share: Floats
    value: Floats
    use: Floats
    """(m, C)"""

    def __len__(self) -> int:
        return len(self.node)

    def keep(self, mask: Booleans) -> NodeAnswers:
        return NodeAnswers(
            self.node[mask], self.rate[mask], self.share[mask], self.value[mask], self.use[:, mask]
        )


def answers_of(columns: Columns, totals: Sequence[NodeTotals], shares: Sequence[float]) -> NodeAnswers:
    """Every share and rate of every node that somebody takes; unspent money that earns is lost by lending."""
    idle = columns.limits.idle_rate if columns.limits.idle_room > 0 else 0.0
    parts: list[tuple[np.ndarray, ...]] = []
    for node, total in enumerate(totals):
        s, r = np.nonzero(np.any(total.use != 0, axis=2) | (total.value != 0))
        use = total.use[s, r].T
        parts.append((np.full(len(s), node), r, np.array(shares)[s], total.value[s, r] - idle * use[0], use))
    return NodeAnswers(*(np.concatenate(part, axis=-1) for part in zip(*parts, strict=True)))


@dataclass(frozen=True)
class Pruning:
    """The choice among a tree's nodes; `value` and `prices` are those of the choice in fractions."""

    columns: Columns
    answers: NodeAnswers
    paths: Floats
    """(leaves, nodes) 1 where the node is the leaf or above it."""
    left: Floats
    """(m,) what pinned offers leave of the limits."""
    most: int
    value: float
    """-inf where no nodes keep the limits."""
    prices: Floats
    """(m,) of the limits among the nodes."""

    def choices(self, branches: int) -> list[tuple[int, int, float]] | None:
        """The best nodes found, each with the index of its rate and its share; None where none keeps the
        limits.
        """
        few = _few_rates(self.answers, self.prices)
        pairs, owner = np.unique(np.array([few.node, few.rate]), axis=1, return_inverse=True)
        program = _program(self, few, np.asarray(owner).ravel(), pairs[0])
        chosen = solve(program, Effort(CLOSE * abs(self.value) / _unit(few), nodes=branches))
        if chosen.point is None:
            return None
        weight = chosen.point[: len(few)]
        taken = np.flatnonzero(chosen.point[len(few) :] > 0.5)
        share = np.bincount(owner, weight * few.share, minlength=pairs.shape[1])
        return [(int(pairs[0, k]), int(pairs[1, k]), float(share[k])) for k in taken]


def prune(columns: Columns, answers: NodeAnswers, paths: Floats, left: Floats, most: int) -> Pruning:
    """The choice of at most `most` nodes, in fractions.

    `paths` (leaves, nodes) marks the nodes above each leaf and itself, `left` (m,) is what pinned offers
    leave of the limits.
    """
    pruning = Pruning(columns, answers, paths, left, most, -np.inf, np.zeros(len(left)))
    relaxed = solve(_elastic(_program(pruning, answers), len(left)), Effort())
    if relaxed.point is None:
        return pruning
    unit, measure = _unit(answers), measure_of(columns.limits, columns.money_unit, answers.use)
    prices = relaxed.row_prices[: len(left)] * unit / measure
    broken = float(np.max(relaxed.point[len(answers) :])) > BROKEN
    return replace(pruning, value=-np.inf if broken else relaxed.value * unit, prices=prices)


def _elastic(program: Program, limits: int) -> Program:
    """The program whose first rows may be broken at a price: what they cost then tells the next tree where to
    split, where this one's nodes cannot keep them."""
    rows = program.matrix.shape[0]
    slack = sparse.eye_array(rows, limits, format="csc")
    count = 2 * limits
    return Program(
        cost=np.concatenate([program.cost, np.full(count, -_PENALTY)]),
        matrix=sparse.csc_array(sparse.hstack([program.matrix, slack, -slack])),
        row_lower=program.row_lower,
        row_upper=program.row_upper,
        column_lower=np.concatenate([program.column_lower, np.zeros(count)]),
        column_upper=np.concatenate([program.column_upper, np.full(count, np.inf)]),
        integer=np.concatenate([program.integer, np.zeros(count, dtype=bool)]),
    )


def refined_shares(
    columns: Columns, totals: Sequence[NodeTotals], shares: Sequence[Floats], left: Floats
) -> Floats | None:
    """Shares (C,) of rules whose rates are settled, the best of the limits' room; None without any.

    `totals` has one rate per rule, at the rule's own `shares`, which lie close together.
    """
    if not totals:
        return None
    rule = np.repeat(np.arange(len(totals)), [len(own) for own in shares])
    use = np.concatenate([total.use[:, 0] for total in totals]).T
    idle = columns.limits.idle_rate if columns.limits.idle_room > 0 else 0.0
    value = np.concatenate([total.value[:, 0] for total in totals]) - idle * use[0]
    answers = NodeAnswers(rule, np.zeros_like(rule), np.concatenate(shares), value, use)
    every = Pruning(columns, answers, np.eye(len(totals)), left, len(totals), 0.0, np.zeros(len(left)))
    try:
        best = solve(_program(every, answers, all_of_them=True), Effort())
    except SolverError:  # floors that lie a rounding apart: the shares at hand serve as well
        return None
    if best.point is None:
        return None
    return np.asarray(np.bincount(rule, best.point * answers.share, minlength=len(totals)), dtype=np.float64)


def _unit(answers: NodeAnswers) -> float:
    return float(np.max(np.abs(answers.value), initial=0.0)) or 1.0


def _few_rates(answers: NodeAnswers, prices: Floats) -> NodeAnswers:
    """All shares of the rates of each node that lose least."""
    reduced = answers.value - prices @ answers.use
    pairs, owner = np.unique(np.array([answers.node, answers.rate]), axis=1, return_inverse=True)
    best = np.full(pairs.shape[1], -np.inf)
    np.maximum.at(best, np.asarray(owner).ravel(), reduced)
    kept = _first_of_each(pairs[0], best, KEPT)
    return answers.keep(kept[np.asarray(owner).ravel()])


def _first_of_each(group: Integers, worth: Floats, most: int) -> Booleans:
    """The `most` entries of each group with the largest worth, the first of equal ones."""
    order = np.lexsort((np.arange(len(worth)), -worth, group))
    rank = np.arange(len(order)) - np.searchsorted(group[order], group[order])
    kept = np.zeros(len(worth), dtype=bool)
    kept[order[rank < most]] = True
    return kept


def _program(
    pruning: Pruning,
    answers: NodeAnswers,
    pair: Integers | None = None,
    node_of_pair: Integers | None = None,
    *,
    all_of_them: bool = False,
) -> Program:
    """max value'w: the limits; one rule per path; at most `most` rules; with pairs, one rate per rule.

    Columns: the answers' weights w, then one switch y a pair of node and rate, with sum of its w = y.
    `all_of_them`: every node is a rule.
    """
    limits, paths = pruning.columns.limits, pruning.paths
    measure = measure_of(limits, pruning.columns.money_unit, answers.use)
    lower, upper = row_bounds(limits.senses, pruning.left / measure)
    count, width = len(paths), len(answers)
    exact = np.array([sense == "exactly" for sense in limits.senses])
    lower[exact] = -np.inf  # shares are stretched to the cent afterwards
    use = sparse.csc_array(answers.use / measure[:, None])
    node = answers.node if pair is None or node_of_pair is None else node_of_pair
    counted = sparse.csc_array(np.vstack([paths[:, node], np.ones((1, len(node)))]))
    least = np.append(np.full(count, 1.0 if all_of_them else -np.inf), -np.inf)
    blocks, row_lower = [use, counted], np.concatenate([lower, least])
    row_upper = np.concatenate([upper, np.ones(count), [pruning.most]])
    pairs = 0 if pair is None else len(node)
    if pair is not None:
        tie = sparse.csc_array((np.ones(width), (pair, np.arange(width))), shape=(pairs, width))
        blocks = [
            sparse.hstack([use, sparse.csc_array((len(limits), pairs))]),
            sparse.hstack([sparse.csc_array((count + 1, width)), counted]),
            sparse.hstack([tie, -sparse.eye_array(pairs, format="csc")]),
        ]
        row_lower, row_upper = (np.concatenate([side, np.zeros(pairs)]) for side in (row_lower, row_upper))
    return Program(
        cost=np.concatenate([answers.value / _unit(answers), np.zeros(pairs)]),
        matrix=stack(*blocks),
        row_lower=row_lower,
        row_upper=row_upper,
        column_lower=np.zeros(width + pairs),
        column_upper=np.ones(width + pairs),
        integer=np.arange(width + pairs) >= width,
    )
