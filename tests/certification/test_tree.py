"""A proof tree proves what it says, or is refused: cover, bounds and claims, one by one."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from allocator.certification import recheck
from allocator.certification.certify import Finding
from allocator.errors import InfeasibleError, NoAllocationError
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
    tree = solved.finding.certificate.tree
    assert tree is not None
    return solved, json.loads(json.dumps(tree))


def judged(case: Case, solved: Solved, tree: Any) -> Finding:
    prices = price_map(solved.columns, solved.solution.prices)
    return recheck(case.scenario, case.portfolio, case.table, solved.decisions, prices, {}, tree)


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
            finding = judged(CASE, SOLVED, put(TREE, path, other))
            refused += bool(finding.faults)
            assert finding.certificate.bound >= BEST * (1 - 1e-9)
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
        "does not cover the refusal of borrower",
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
    finding = judged(CASE, SOLVED, tree)
    assert message in "\n".join(str(fault) for fault in finding.faults)
    assert finding.certificate.bound == judged(CASE, SOLVED, None).certificate.bound


@random_cases(60, full=600)
@given(cases())
def test_a_certificate_is_as_tight_as_brute_force(case: Case) -> None:
    """Where prices leave a gap, a tree closes it."""
    try:
        solved = solve(case)
    except (InfeasibleError, NoAllocationError):
        return
    best = best_value(case)
    assert best is not None
    scale = max(abs(best), 1.0)
    assert best - 1e-9 * scale <= solved.bound <= best + 1e-6 * scale


def test_amounts_are_split_only_where_there_is_a_step() -> None:
    free = CASE.under(ticket=type(CASE.policy.ticket)(100_000.0, 1e6, None))
    solved = solve(free)
    tree = {
        "bound": 1e9,
        "nodes": [
            {"borrower": "b000", "amounts": 200_000.0, "children": [1, 2]},
            {"prices": {}, "bound": np.inf},
            {"prices": {}, "bound": np.inf},
        ],
    }
    faults = judged(free, solved, tree).faults
    assert "splits amounts at 200000.0, which is no multiple of a step" in str(faults[0])
