"""From a run to rules: a tree at its prices, pruned to rules inside the limits, then prices again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from allocator.certification import recheck
from allocator.certification.certify import Finding
from allocator.engine.kernel.columns import Columns
from allocator.engine.search import TOLERANCE
from allocator.errors import InfeasibleError
from allocator.insight.distillation.pruning import Pruning, answers_of, prune
from allocator.insight.distillation.rules import SAME_RATE, Rule, follow, rule_of
from allocator.insight.distillation.shares import Draft, settled, stretched, use_of, violations
from allocator.insight.distillation.totals import Totals, totals_of
from allocator.insight.distillation.tree import Feature, Node, features_of, grow
from allocator.records.case import Case
from allocator.records.conditions import Condition
from allocator.records.portfolio import Floats, Integers
from allocator.records.run import Certificate

SAMPLE = 15_000
"""Borrowers that a tree is grown from; the answers of its leaves are chosen over everybody."""
ROUNDS = 8
"""Trees grown, each at prices nearer to those that the last one's rules would pay."""
SWINGS = (0.8, 1.25)
"""Factors of all prices that a tree is grown for too."""
CHEAPER = (0.5, 0.0)
"""Factors of the budget's price alone: few rules often cannot spend it inside the other limits."""
DEAREST = 4
"""Limits that are made dearer, each alone, for the tree to be grown for."""
DEARER = (0.2, 0.6)
"""Of the budget's price: by how much, at least; a price that is higher is doubled."""
STAY = 0.8
"""How much of the old prices stays: whole steps swing to and fro."""
MOST_RATES = 40
PRUNED = 2
"""Trees that are pruned, of those grown."""
LEAVES = 64
"""Of the tree that is then pruned to the rules wanted."""
SHARES = (1.0, 0.5, 0.2)
"""Of the largest loans, tried for every node: a rule has any mixture, since amounts are linear in it but for
the smallest loans."""
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Distilled:
    """Rules, and what everybody's following them comes to."""

    rules: tuple[Rule, ...]
    rule: Integers
    """(n,) index of the rule that decided each borrower; -1: none did, as of a pinned offer."""
    finding: Finding
    """The rules' decisions rechecked as any run's are: value, bound, every limit."""
    run_value: float
    """Of the run that the rules stand in for."""
    bound: float
    """No allocation inside the limits is worth more: the run's, or what the rules' recheck proves."""
    values: Mapping[str, tuple[str, ...]]
    """Column of texts -> every value that a borrower has, for who tells rules in words."""

    @property
    def regret(self) -> float:
        """What following the rules loses against the run, in currency units."""
        return self.run_value - self.finding.certificate.value


def distil(case: Case, run: Certificate, most: int = 12, progress: Progress = lambda _: None) -> Distilled:
    """At most `most` rules whose decisions keep every limit, worth as much as was found.

    `run` is the certificate of a run of the same case: its prices, value and bound. Raises
    InfeasibleError where no rules that were tried keep the limits.
    """
    columns = Columns(case.offers, case.limits)
    free = np.flatnonzero((columns.offers.menu >= 0) & ~columns.offers.must)
    if not len(free):
        return _followed(case, run, ())
    sample, rates = _sample(free), _rates(columns)
    left = case.limits.rhs - columns.pinned_use()
    few = _Few(columns.subset(sample), features_of(case.inputs.portfolio, sample), rates,
               left * (len(sample) / len(free)))  # fmt: skip
    at = np.array([run.prices[row.name] for row in case.limits.rows])
    drafts = []
    for turn in range(1, ROUNDS + 1):
        progress(f"growing a tree, {turn} of {ROUNDS}")
        drafts.append(few.tree(at, most))
        at = STAY * at + (1 - STAY) * drafts[-1].pruning.prices
    drafts.sort(key=lambda tree: -tree.pruning.value)
    trees = (_over_everybody(tree.nodes, case, columns, free, rates, left, most) for tree in drafts)
    found = _best_rules(columns, trees, rates, most, progress)
    return _followed(case, run, tuple(_to_grades(rule, case) for rule in found))


def _followed(case: Case, run: Certificate, rules: tuple[Rule, ...]) -> Distilled:
    """What everybody's following the rules comes to."""
    portfolio, inputs = case.inputs.portfolio, case.inputs
    decisions = follow(rules, portfolio, case.offers)
    finding = recheck(case.scenario, portfolio, inputs.churn, decisions, run.prices, inputs.hashes)
    values = {name: portfolio.text(name).values for name in ("grade", *portfolio.texts)}
    bound = min(run.bound, finding.certificate.bound)
    by = np.where(case.offers.must, -1, rule_of(rules, portfolio))
    return Distilled(rules, by, finding, run.value, bound, values)


def _to_grades(rule: Rule, case: Case) -> Rule:
    """The rule with the grades that may be offered its rate, where not all may: it says so itself."""
    bands, grades = case.scenario.policy.rates, case.inputs.portfolio.grade.values
    named = next((test.values for test in rule.where if test.column == "grade"), grades)
    open_to = tuple(grade for grade in named if grade in bands and _holds(bands[grade], rule.rate))
    if set(open_to) == set(named):
        return rule
    others = (test for test in rule.where if test.column != "grade")
    return Rule((Condition("grade", open_to), *others), rule.rate, rule.share)


def _holds(band: tuple[float, float], rate: float) -> bool:
    return band[0] - SAME_RATE <= rate <= band[1] + SAME_RATE


@dataclass(frozen=True)
class _Tree:
    """A tree over some borrowers, with the choice among its nodes."""

    nodes: Sequence[Node]
    paths: Floats
    """(leaves, nodes)"""
    members: Sequence[Integers]
    """Of each leaf: free borrowers who can be offered something."""
    left: Floats
    """(m,) what pinned offers leave of the limits."""
    pruning: Pruning

    @classmethod
    def over(
        cls,
        nodes: Sequence[Node],
        columns: Columns,
        members: Sequence[Integers],
        rates: Floats,
        left: Floats,
        most: int,
    ) -> _Tree:
        """`nodes` with what their members, one array a leaf, are worth and use."""
        paths = _paths(nodes)
        totals = _node_totals(paths, [totals_of(columns, own, SHARES, rates) for own in members])
        answers = answers_of(columns, totals, SHARES)
        return cls(nodes, paths, members, left, prune(columns, answers, paths, left, most))


@dataclass(frozen=True)
class _Few:
    """The sample that trees are grown from, with its part of the limits."""

    columns: Columns
    features: Sequence[Feature]
    rates: Floats
    left: Floats

    def tree(self, prices: Floats, most: int) -> _Tree:
        """A tree grown for `prices` and others around them."""
        rewards = [_rewards(self.columns, self.rates, around) for around in _around(prices)]
        nodes = grow(self.features, np.stack(rewards, axis=1), LEAVES)
        members = [nodes[leaf].members for leaf in _leaves(nodes)]
        return _Tree.over(nodes, self.columns, members, self.rates, self.left, most)


def _over_everybody(
    nodes: Sequence[Node],
    case: Case,
    columns: Columns,
    free: Integers,
    rates: Floats,
    left: Floats,
    most: int,
) -> _Tree:
    """A tree grown from the sample, over all whom its nodes are about."""
    leaves = _leaves(nodes)
    leaf_of = rule_of([Rule(nodes[leaf].where, 0.0, 1.0) for leaf in leaves], case.inputs.portfolio)[free]
    members = [free[leaf_of == leaf] for leaf in range(len(leaves))]
    return _Tree.over(nodes, columns, members, rates, left, most)


def _best_rules(
    columns: Columns, trees: Iterable[_Tree], rates: Floats, most: int, progress: Progress
) -> tuple[Rule, ...]:
    """The best rules of the first trees that can be pruned inside the limits."""
    found: list[tuple[float, tuple[Rule, ...]]] = []
    for tree in trees:
        progress(f"pruning a tree to {most} rules")
        rules = _rules(columns, tree, rates)
        found += [] if rules is None else [rules]
        if len(found) == PRUNED:
            break
    if not found:
        raise InfeasibleError(
            f"no {most} rules were found that keep every limit: allow more of them, looser limits, "
            "or ranges instead of limits that must be met exactly"
        )
    return max(found, key=lambda rules: rules[0])[1]


def _rules(columns: Columns, tree: _Tree, rates: Floats) -> tuple[float, tuple[Rule, ...]] | None:
    """The pruned tree, its shares refined, and its value; None where no pruning keeps the limits."""
    if np.isinf(tree.pruning.value):
        return None
    choices = tree.pruning.choices()
    if choices is None:
        return None
    drafts = []
    for pick in choices:
        leaves = np.flatnonzero(tree.paths[:, pick.node]).tolist()
        own = np.sort(np.concatenate([tree.members[leaf] for leaf in leaves]))
        drafts.append(Draft(own, float(rates[pick.rate]), pick.share))
    drafts = stretched(columns, settled(columns, drafts, tree.left), tree.left)
    left = tree.left - use_of(columns, drafts)
    exact = np.array([sense == "exactly" for sense in columns.limits.senses])
    if np.any(violations(columns, left)) or np.any(exact & (left > TOLERANCE * columns.limits.scale)):
        return None
    rules = tuple(
        Rule(tree.nodes[pick.node].where, draft.rate, draft.share)
        for pick, draft in zip(choices, drafts, strict=True)
    )
    return sum(float(draft.totals(columns, (draft.share,)).value[0, 0]) for draft in drafts), rules


def _leaves(nodes: Sequence[Node]) -> list[int]:
    parents = {node.parent for node in nodes}
    return [at for at in range(len(nodes)) if at not in parents]


def _paths(nodes: Sequence[Node]) -> Floats:
    """(leaves, nodes) 1 where the node is the leaf or above it."""
    leaves = _leaves(nodes)
    paths = np.zeros((len(leaves), len(nodes)))
    for row, leaf in enumerate(leaves):
        at: int | None = leaf
        while at is not None:
            paths[row, at] = 1.0
            at = nodes[at].parent
    return paths


def _node_totals(paths: Floats, of_leaves: Sequence[Totals]) -> list[Totals]:
    """Totals of every node: the sums of those of its leaves."""
    summed = []
    for column in paths.T:
        own = [of_leaves[leaf] for leaf in np.flatnonzero(column).tolist()]
        summed.append(reduce(lambda a, b: Totals(a.value + b.value, a.use + b.use), own))
    return summed


def _sample(free: Integers) -> Integers:
    """Of the borrowers who can be offered something, evenly many through the order of identifiers."""
    return free if len(free) <= SAMPLE else free[np.linspace(0, len(free) - 1, SAMPLE).astype(np.int64)]


def _rates(columns: Columns) -> Floats:
    """Rates that some menu holds; of very fine grids evenly many."""
    held = [menu.rates for menu in columns.offers.menus]
    rates = np.unique(np.concatenate(held)) if held else np.zeros(0)
    if len(rates) <= MOST_RATES:
        return rates
    return rates[np.unique(np.linspace(0, len(rates) - 1, MOST_RATES).astype(np.int64))]


def _around(prices: Floats) -> list[Floats]:
    """Vectors of prices near `prices` (m,), the budget's first: all lower or higher, the dearest dearer, and
    the budget cheaper."""
    dear = np.argsort(-np.abs(prices), kind="stable")
    alone = [row for row in dear[: DEAREST + 1].tolist() if row and prices[row]][:DEAREST]
    found = [prices, *(factor * prices for factor in SWINGS)]
    for factor in CHEAPER:
        found.append(prices.copy())
        found[-1][0] *= factor
    for row in alone:
        for share in DEARER:
            dearer = prices.copy()
            dearer[row] += np.sign(prices[row]) * max(abs(prices[row]), share * abs(prices[0]))
            found.append(dearer)
    return found


def _rewards(few: Columns, rates: Floats, prices: Floats) -> Floats:
    """(s, R) reduced value of the largest loan at each rate; 0, a refusal, where it may not be offered."""
    offers, per_basis = few.offers, few.price_by_basis(prices)
    slope_rate = offers.income - offers.term * per_basis[2]
    slope = offers.churn_cost - offers.cost - per_basis[1]
    flat = -offers.churn_cost - per_basis[0]
    fixed = (offers.decline_churn - 1.0) * offers.relationship - per_basis[3]
    drawn_fixed = offers.relationship - offers.processing_cost
    rewards = np.zeros((len(few), len(rates)))
    for at, menu in enumerate(offers.menus):
        own = np.flatnonzero(offers.menu == at)
        held = np.searchsorted(rates, menu.rates)
        for r, rate, take in zip(held, menu.rates, menu.take_up, strict=True):
            if r < len(rates) and rates[r] == rate:
                unit = take * (rate * slope_rate[own] + slope[own]) + flat[own]
                rewards[own, r] = unit * offers.high[own] + take * drawn_fixed[own] + fixed[own]
    return rewards
