"""From a run to rules: a tree at its prices, pruned to rules inside the limits, then prices again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from allocator.certification import recheck
from allocator.engine.kernel.columns import Columns
from allocator.engine.verdicts import TOLERANCE
from allocator.errors import Fault, InfeasibleError, InputError
from allocator.insight.distil.candidates import CandidateTree, Sample, over_everybody, sample_of
from allocator.insight.distil.pruning import BRANCHES, FEW_BRANCHES
from allocator.insight.distil.rules import Rule, follow, rule_of
from allocator.insight.distil.shares import DraftRule, settled_drafts, stretched_drafts, use_of, violations
from allocator.insight.distil.tree import features_of
from allocator.pipeline import prepare
from allocator.records.case import Case
from allocator.records.conditions import Condition
from allocator.records.cuts import on_what
from allocator.records.limits import conditional
from allocator.records.outcome import Outcome
from allocator.records.portfolio import Floats, Integers
from allocator.records.progress import Progress

ROUNDS = 8
"""Trees grown, each at prices nearer to those that the last one's rules would pay."""
_STAY = 0.8
"""How much of the old prices stays: whole steps swing to and fro."""
MOST_RATES = 40
PRUNED, QUICK = 2, 1
"""Trees that are pruned, of those grown; and where it is to be quick."""


@dataclass(frozen=True)
class DistilledRules:
    """Rules, and what everybody's following them comes to."""

    run: Outcome
    """What the rules stand in for."""
    case: Case
    rules: tuple[Rule, ...]
    outcome: Outcome
    """The rules' decisions rechecked as any run's are: value, bound, every limit."""

    @property
    def rule(self) -> Integers:
        """(n,) index of the rule that decided each borrower; -1: none did, as of a pinned offer."""
        return np.where(self.case.offers.must, -1, rule_of(self.rules, self.case.inputs.portfolio))

    @property
    def bound(self) -> float:
        """No allocation inside the limits is worth more: the run's, or what the rules' recheck proves."""
        return min(self.run.certificate.bound, self.outcome.certificate.bound)

    @property
    def regret(self) -> float:
        """What following the rules loses against the run, in currency units."""
        return self.run.value - self.outcome.value


def _require_rows(run: Outcome) -> None:
    """Raises InputError for a convex limit, a condition or several steps: rules are not held to them."""
    if run.scenario.policy.ticket.grid is not None:
        problem = "amounts go by several steps, or a menu, which rules cannot yet be held to"
        remedy = "distil a run whose policy.ticket.step is one amount"
        raise InputError.of([Fault(problem, remedy, field="policy.ticket")], "rules")
    hanging = [limit.name for limit in conditional(run.scenario.policy)]
    if hanging:
        problem = f"limit {hanging[0]!r} hangs on a condition, which rules cannot yet be held to"
        remedy = "distil a run whose limits hold whatever is offered"
        raise InputError.of([Fault(problem, remedy, field="policy.limits")], "rules")
    named = run.scenario.policy.convex
    if named:
        what = on_what(named[0].measure, named[0].top)
        problem = f"limit {named[0].name!r} is on {what}, which rules cannot yet be held to"
        remedy = "distil a run with caps on its groups instead, as each: sector, at_most: 20%, of: total"
        if named[0].measure == "tail_loss":
            remedy = "distil a run without policy.tail.sectors"
        raise InputError.of([Fault(problem, remedy, field="policy.limits")], "rules")


def distil(
    run: Outcome, most: int = 12, progress: Progress = lambda _: None, *, quick: bool = False
) -> DistilledRules:
    """At most `most` rules that stand in for `run`: they keep every limit and are worth as much as was found.

    With `quick` they come of one tree, pruned with less work.

    Raises InfeasibleError where no rules that were tried keep the limits, InputError for a limit on the
    Herfindahl index.
    """
    _require_rows(run)
    case = prepare(run.held, run.inputs)
    columns = Columns(case.offers, case.limits)
    free = np.flatnonzero((columns.offers.menu >= 0) & ~columns.offers.must)
    if not len(free):
        return _followed(run, case, ())
    sample, rates = sample_of(free), _rates(columns)
    left = case.limits.rhs - columns.pinned_use()
    few = Sample(columns.subset(sample), features_of(case.inputs.portfolio, sample), rates,
               left * (len(sample) / len(free)))  # fmt: skip
    prices = np.array([run.prices[row.name] for row in case.limits.rows])
    grown = []
    for turn in range(1, ROUNDS + 1):
        progress(f"growing a tree, {turn} of {ROUNDS}")
        grown.append(few.tree(prices, most))
        prices = _STAY * prices + (1 - _STAY) * grown[-1].pruning.prices
    grown.sort(key=lambda tree: -tree.pruning.value)
    trees = (
        over_everybody(tree.nodes, case.inputs.portfolio, columns, free, rates, left, most) for tree in grown
    )
    rules = _best_rules(columns, trees, rates, most, progress, quick)
    return _followed(run, case, tuple(_to_grades(rule, case) for rule in rules))


def _followed(run: Outcome, case: Case, rules: tuple[Rule, ...]) -> DistilledRules:
    """What everybody's following the rules comes to."""
    decisions = follow(rules, case.inputs.portfolio, case.offers)
    return DistilledRules(run, case, rules, recheck(case.scenario, case.inputs, decisions, run.prices))


def _to_grades(rule: Rule, case: Case) -> Rule:
    """The rule with the grades that may be offered its rate, where not all may: it says so itself."""
    bands, grades = case.scenario.policy.rates, case.inputs.portfolio.grade.values
    named = next((test.values for test in rule.where if test.column == "grade"), grades)
    open_to = tuple(grade for grade in named if grade in rule.grades(bands))
    if set(open_to) == set(named):
        return rule
    others = (test for test in rule.where if test.column != "grade")
    return Rule((Condition("grade", open_to), *others), rule.rate, rule.share)


def _best_rules(
    columns: Columns,
    trees: Iterable[CandidateTree],
    rates: Floats,
    most: int,
    progress: Progress,
    quick: bool,
) -> tuple[Rule, ...]:
    """The best rules of the first trees that can be pruned inside the limits."""
    pruned: list[tuple[float, tuple[Rule, ...]]] = []
    for tree in trees:
        progress(f"pruning a tree to {most} rules")
        rules = _rules(columns, tree, rates, FEW_BRANCHES if quick else BRANCHES)
        pruned += [] if rules is None else [rules]
        if len(pruned) == (QUICK if quick else PRUNED):
            break
    if not pruned:
        raise InfeasibleError(
            f"no {most} rules were found that keep every limit: allow more of them, looser limits, "
            "or ranges instead of limits that must be met exactly"
        )
    return max(pruned, key=lambda rules: rules[0])[1]


def _rules(
    columns: Columns, tree: CandidateTree, rates: Floats, branches: int
) -> tuple[float, tuple[Rule, ...]] | None:
    """The pruned tree, its shares refined, and its value; None where no pruning keeps the limits."""
    if np.isinf(tree.pruning.value):
        return None
    choices = tree.pruning.choices(branches)
    if choices is None:
        return None
    drafts = []
    for node, rate, share in choices:
        leaves = np.flatnonzero(tree.pruning.paths[:, node]).tolist()
        members = np.sort(np.concatenate([tree.members[leaf] for leaf in leaves]))
        drafts.append(DraftRule(members, float(rates[rate]), share))
    left = tree.pruning.left
    drafts = stretched_drafts(columns, settled_drafts(columns, drafts, left), left)
    left = left - use_of(columns, drafts)
    exact = np.array([sense == "exactly" for sense in columns.limits.senses])
    if np.any(violations(columns, left)) or np.any(exact & (left > TOLERANCE * columns.scale)):
        return None
    rules = tuple(
        Rule(tree.nodes[node].where, draft.rate, draft.share)
        for (node, _, _), draft in zip(choices, drafts, strict=True)
    )
    return sum(float(draft.totals(columns, (draft.share,)).value[0, 0]) for draft in drafts), rules


def _rates(columns: Columns) -> Floats:
    """Rates that some menu holds; of very fine grids evenly many."""
    held = [menu.rates for menu in columns.offers.menus]
    rates = np.unique(np.concatenate(held)) if held else np.zeros(0)
    if len(rates) <= MOST_RATES:
        return rates
    return rates[np.unique(np.linspace(0, len(rates) - 1, MOST_RATES).astype(np.int64))]
