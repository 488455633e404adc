"""A proof tree proves what it says, or is refused: cover, bounds and claims, one by one."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from allocator.certification import recheck
from allocator.certification.tree import stated_tree, tree_faults
from allocator.errors import InfeasibleError, NoAllocationError
from allocator.records.outcome import Outcome
from allocator.records.run import Decisions
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.engine.brute_force import best_value
from tests.stages import Solved, price_map, solve
from tests.strategies import cases, random_cases

TABLE = churn_table([0.04, 0.07, 0.1], A=[0.0, 0.2, 0.55], B=[0.05, 0.25, 0.5])
CASE = Case(
    portfolio(
        ["A", "B", "A", "B"],
        pd=[0.01, 0.02, 0.015, 0.04],
        max_amount=[300_000, 400_000, 250_000, 350_000],
        relationship_value=[3_000.0, 0.0, 6_000.0, 2_000.0],
    ),
    TABLE,
    policy(
        640_000.0,
        limit("loss", "expected_loss", "at_most", 2_100.0),
        limit("few", "loans", "at_most", 3.0),
        processing_cost=700.0,
        step=50_000.0,
    ),
)


def tree_of(case: Case) -> tuple[Solved, dict[str, Any]]:
    solved = solve(case)
    tree = solved.outcome.certificate.tree
    assert tree is not None
    return solved, json.loads(json.dumps(tree))


def judged(case: Case, solved: Solved, tree: Any) -> Outcome:
    prices = price_map(solved.columns, solved.solution.prices)
    return recheck(case.scenario, case.inputs, solved.decisions, prices, tree)


SOLVED, TREE = tree_of(CASE)
BEST = best_value(CASE) or 0.0


def test_it_closes_the_gap_that_prices_leave() -> None:
    by_prices = judged(CASE, SOLVED, None).certificate
    by_tree = judged(CASE, SOLVED, TREE).certificate
    assert by_prices.gap > 1e-3
    assert 0 <= by_tree.gap <= 1e-9
    assert by_tree.bound == pytest.approx(BEST, rel=1e-9)
    kinds = {kind for node in TREE["nodes"] for kind in ("borrower", "keeps") if kind in node}
    assert kinds == {"borrower", "keeps"}, "the cases below alter splits and cuts"


def leaves(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    items = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in items:
        if isinstance(value, dict | list):
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key), value


def put(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(document)
    at = changed
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return changed


def test_no_altered_number_makes_it_prove_what_is_not_so() -> None:
    """Each number in turn, up and down, large and small: the tree is refused, or what it proves is true."""
    refused = 0
    for path, value in leaves(TREE):
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        for other in (value * 0.5, value * 2 + 1, value - 1, value * (1 - 1e-6), 0.0, -value):
            outcome = judged(CASE, SOLVED, put(TREE, path, other))
            refused += bool(outcome.faults)
            assert outcome.certificate.bound >= BEST * (1 - 1e-9)
    assert refused > 50


@random_cases(100, full=1_000)
@given(st.data())
def test_no_tree_of_any_make_proves_less_than_the_optimum(data: st.DataObject) -> None:
    """Nodes dropped, swapped, repeated, emptied; splits without a side; children that point anywhere."""
    tree = copy.deepcopy(TREE)
    for _ in range(data.draw(st.integers(1, 3))):
        nodes = tree["nodes"]
        assume(nodes)
        node = data.draw(st.sampled_from(nodes))
        kind = data.draw(st.integers(0, 6))
        if kind == 0:
            nodes.remove(node)
        elif kind == 1:
            nodes.append(copy.deepcopy(node))
        elif kind == 2 and "children" in node:
            node["children"] = data.draw(st.lists(st.integers(-1, len(nodes)), max_size=3))
        elif kind == 3 and "split" in node:
            side = data.draw(st.sampled_from(node["split"]))
            side.pop() if side else side.append("none")
        elif kind == 4:
            node.pop(data.draw(st.sampled_from(sorted(node) or ["nothing"])), None)
        elif kind == 5:
            node["keeps"] = data.draw(st.sampled_from([0.0, 1.0, 1e9]))
        else:
            tree["bound"] = BEST - data.draw(st.sampled_from([1e-3, 1.0, 1e4]))
    assert judged(CASE, SOLVED, tree).certificate.bound >= BEST * (1 - 1e-9)


def _first(tree: dict[str, Any], key: str) -> dict[str, Any]:
    return next(node for node in tree["nodes"] if key in node)


ALTERED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a lower claim": (lambda t: t.update(bound=t["bound"] - 1.0), "which is above the tree's bound"),
    "no nodes": (lambda t: t.update(nodes=[]), "tree: holds no nodes"),
    "a borrower who is not there": (
        lambda t: _first(t, "borrower").update(borrower="nobody"),
        "splits borrower 'nobody', who may get no offer",
    ),
    "a side without its options": (
        lambda t: _first(t, "split").update(split=[[], ["none"]]),
        "does not cover rate",
    ),
    "no refusal on either side": (
        lambda t: _first(t, "split").update(split=[[0.04, 0.07, 0.1], []]),
        "does not cover declining borrower",
    ),
    "a rate of nobody's": (
        lambda t: _first(t, "split")["split"][0].append(0.05),
        "lists a rate that the borrower may not be offered",
    ),
    "children that are none": (
        lambda t: _first(t, "borrower").update(children=[1]),
        "has the children [1] where 2 were expected",
    ),
    "a child outside": (
        lambda t: _first(t, "keeps").update(children=[10_000]),
        "has a child 10000, which is no node",
    ),
    "a child twice": (
        lambda t: _first(t, "borrower").update(children=[_first(t, "borrower")["children"][0]] * 2),
        "has two parents",
    ),
    "a node too many": (
        lambda t: t["nodes"].append({"prices": {}, "bound": 0.0}),
        "1 nodes hang on no branch",
    ),
    "a price of no limit": (
        lambda t: _first(t, "prices")["prices"].update(many=1.0),
        "prices 'many', which is no limit of the policy",
    ),
    "a bound that is not proved": (
        lambda t: _first(t, "prices").update(bound=1.0),
        "states the bound 1.0, its prices prove",
    ),
    "a rounding too far": (
        lambda t: t["lots"].update({"few": 2.0}),
        "rounds limit 'few' to 2.0, beyond 3.0",
    ),
    "a rounding of what has no lots": (
        lambda t: t["lots"].update({"loss": 2_000.0}),
        "rounds limit 'loss', which need not be used by whole lots",
    ),
    "a node that is no object": (lambda t: t["nodes"].__setitem__(0, 7), "tree.nodes[0]: is no object"),
}


@pytest.mark.parametrize("name", ALTERED)
def test_what_is_wrong_with_a_tree_is_said(name: str) -> None:
    change, message = ALTERED[name]
    tree = copy.deepcopy(TREE)
    change(tree)
    outcome = judged(CASE, SOLVED, tree)
    assert message in "\n".join(str(fault) for fault in outcome.faults)
    assert outcome.certificate.bound == judged(CASE, SOLVED, None).certificate.bound


def a_billionth_looser(case: Case) -> Case:
    """What prices cannot tell from the case."""
    shift = {"at_most": 1.0 + 1e-9, "at_least": 1.0 - 1e-9, "exactly": 1.0}
    return case.under(
        limits=tuple(replace(one, bound=one.bound * shift[one.sense]) for one in case.policy.limits)
    )


@random_cases(60, full=600)
@given(cases())
def test_a_certificate_is_as_tight_as_brute_force(case: Case) -> None:
    """Where prices leave a gap, a tree closes it; but for a lot that breaks a limit by a rounding."""
    try:
        solved = solve(case)
    except (InfeasibleError, NoAllocationError):
        return
    best = best_value(case)
    assert best is not None
    scale = max(abs(best), 1.0)
    assert best - 1e-9 * scale <= solved.bound
    if solved.bound > best + 1e-6 * scale:
        best = best_value(a_billionth_looser(case))
        assert best is not None
        assert solved.bound <= best + 1e-6 * scale


WHOLE = Case(
    portfolio(
        ["A", "A", "B"],
        pd=0.0,
        lgd=0.0,
        max_amount=300_000.0,
        fixed_amount=[np.nan, np.nan, 150_000.0],
        fixed_rate=[np.nan, np.nan, 0.04],
    ),
    churn_table([0.04, 0.08], A=[0.0, 0.75], B=[0.0, 0.75]),
    policy(550_000.0, step=100_000.0),
)
"""300,000 at 4 % is worth 12,000 to each of A; the pinned offer 6,000, and leaves 400,000 of the budget: so
16,000 and 6,000 are the most."""


_READ = import_module("allocator.certification.certify")._ReadInputs


def read(case: Case) -> Any:
    """The case as it is rechecked, before anything is lent."""
    none = np.zeros(len(case.portfolio))
    return _READ.of(case.scenario, case.inputs, Decisions(none, none))


def leaf(**prices: float) -> dict[str, Any]:
    return {"prices": prices, "bound": 0.0}


def walked(case: Case, nodes: list[dict[str, Any]], **more: Any) -> tuple[dict[str, Any], list[str]]:
    """The tree of `nodes` as it is stated, and what is wrong with it."""
    tree = {"bound": 0.0, "nodes": nodes, **more}
    stated, faults = stated_tree(tree, *read(case).cases(tree))
    return stated, [str(fault) for fault in faults]


def test_a_leaf_is_stated_at_its_prices() -> None:
    stated, faults = walked(WHOLE, [leaf(budget=0.04)])
    assert faults == []
    assert stated["bound"] == pytest.approx(22_000.0, rel=1e-12)
    assert stated["bound"] > 22_000.0
    assert stated["nodes"][0]["bound"] <= stated["bound"]


def test_amounts_are_split_at_whole_steps_and_cover_all() -> None:
    split = {"borrower": "b000", "amounts": 100_000.0, "children": [1, 2]}
    stated, faults = walked(WHOLE, [split, leaf(), leaf()])
    assert faults == []
    assert [node["bound"] for node in stated["nodes"][1:]] == pytest.approx([22_000.0, 30_000.0])
    _, [told] = walked(WHOLE, [{**split, "amounts": 150_000.0}, leaf(), leaf()])
    assert "splits amounts at 150000.0, which is no multiple of a step" in told


def test_without_a_step_amounts_are_split_at_cents() -> None:
    """Of 300,000 at 4 % one side keeps 100,000.01 and less, the other 100,000.02 and more."""
    free = WHOLE.under(ticket=replace(WHOLE.policy.ticket, step=None))
    split = {"borrower": "b000", "amounts": 100_000.01, "children": [1, 2]}
    stated, faults = walked(free, [split, leaf(), leaf(budget=1.0)])
    assert faults == []
    assert stated["nodes"][1]["bound"] == pytest.approx(22_000.0004, rel=1e-12)
    assert stated["nodes"][2]["bound"] == pytest.approx(310_000.0 - 0.96 * 0.02, rel=1e-12)
    for between in (100_000.015, float(np.nextafter(100_000.01, 1e9)), 1e-300):
        _, [told] = walked(free, [{**split, "amounts": between}, leaf(), leaf()])
        assert f"amounts at {between!r}, which is no multiple of a cent" in told


def test_above_the_largest_amount_nothing_is_left() -> None:
    split = {"borrower": "b000", "amounts": 300_000.0, "children": [1, 2]}
    stated, faults = walked(WHOLE, [split, leaf(budget=0.04), leaf()])
    assert faults == []
    assert stated["bound"] == pytest.approx(22_000.0), "the empty side counts for nothing"
    assert judged_by(WHOLE, {**stated, "nodes": [*stated["nodes"][:2], {**leaf(), "bound": 0.0}]}) == []
    [told] = judged_by(WHOLE, {**stated, "nodes": [*stated["nodes"][:2], {**leaf(), "bound": 7.0}]})
    assert "states the bound 7.0 where nothing is left, which is 0" in told


def judged_by(case: Case, tree: dict[str, Any]) -> list[str]:
    return [str(fault) for fault in tree_faults(tree, *read(case).cases(tree))]


def test_a_pinned_offer_is_neither_refused_nor_made_smaller() -> None:
    amounts = {"borrower": "b002", "amounts": 100_000.0, "children": [1, 2]}
    _, [told] = walked(WHOLE, [amounts, leaf(), leaf()])
    assert "splits the amount of a pinned offer" in told
    options = {"borrower": "b002", "split": [[], ["none"]], "children": [1, 2]}
    _, [told] = walked(WHOLE, [options, leaf(), leaf()])
    assert "does not cover rate 0.04 of borrower b002" in told
    sides = {"borrower": "b002", "split": [[0.04], ["none"]], "children": [1, 2]}
    stated, faults = walked(WHOLE, [sides, leaf(budget=0.04), leaf()])
    assert faults == []
    assert stated["bound"] == pytest.approx(22_000.0), "refusing it is no side"


def test_a_step_is_no_lot_where_a_pinned_offer_is_off_it() -> None:
    """Rounded to 500,000 the budget would prove 20,000, below the 22,000 that can be had."""
    _, [told] = walked(WHOLE, [leaf(budget=0.04)], lots={"budget": 500_000.0})
    assert "rounds limit 'budget', which need not be used by whole lots" in told


@pytest.mark.parametrize(
    ("weight", "bound", "room", "told"),
    [
        (0.5, 1.5, 1.0, "rounds limit 'few', which need not be used by whole lots"),
        (1.0, 1.5, 1.0, None),
        (1.0, 1.5, 1.25, None),
        (1.0, 1.5, 0.999999, "rounds limit 'few' to 0.999999, beyond 1.0"),
        (1.0, 2.0, 1.0, "rounds limit 'few' to 1.0, beyond 2.0"),
        (1.0, 1.5, float("nan"), "rounds limit 'few' to nan, beyond 1.0"),
    ],
)
def test_counts_are_rounded_where_they_are_whole(
    weight: float, bound: float, room: float, told: str | None
) -> None:
    few = limit("few", "loans", "at_most", bound, weight="w")
    book = replace(WHOLE.portfolio, numbers={"w": np.full(3, weight)})
    case = replace(WHOLE, portfolio=book).under(limits=(few,))
    _, faults = walked(case, [leaf(few=9_000.0)], lots={"few": room})
    assert faults == ([] if told is None else [f"tree: {told}; solve again"])


def test_a_cut_counts_less_its_distance_and_leaves_what_loses_less() -> None:
    """At 3 % a unit 3,000 are left of each loan at 4 %: a refusal loses that, the rate of 8 % 6,000 more."""
    cut = {"prices": {"budget": 0.03}, "bound": 0.0, "keeps": 2_000.0, "children": [1]}
    stated, faults = walked(WHOLE, [cut, leaf(budget=0.04)])
    assert faults == []
    first, second = stated["nodes"]
    assert first["bound"] == pytest.approx(16_500 + 3_000 + 3_000 + 1_500)
    assert second["bound"] == pytest.approx(22_000.0)
    assert stated["bound"] == pytest.approx(22_000.0)
    wide, _ = walked(WHOLE, [{**cut, "keeps": 1_000.0}, leaf(budget=0.04)])
    assert wide["bound"] == pytest.approx(23_000.0)


@pytest.mark.parametrize("up", [True, False])
def test_a_nodes_bound_is_no_less_than_its_prices_prove_and_near_it(up: bool) -> None:
    stated, _ = walked(WHOLE, [leaf(budget=0.04)])
    own = stated["nodes"][0]["bound"]
    others = [own * (1 + 0.9e-9), own * (1 + 1.1e-9)] if up else [own, own * (1 - 1e-12)]
    told = [judged_by(WHOLE, {**stated, "nodes": [leaf(budget=0.04) | {"bound": b}]}) for b in others]
    assert told[0] == []
    assert "states the bound" in told[1][0]


def test_a_claim_is_no_less_than_what_is_proved() -> None:
    stated, _ = walked(WHOLE, [leaf(budget=0.04)])
    assert judged_by(WHOLE, stated) == []
    [told] = judged_by(WHOLE, {**stated, "bound": 22_000.0})
    assert "which is above the tree's bound 22000.0" in told


def test_prices_that_prove_nothing_are_said_to() -> None:
    _, [told] = walked(WHOLE, [leaf(budget=1e306)])
    assert "has prices so large that they prove nothing" in told
