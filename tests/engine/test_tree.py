"""A proof tree that is stopped proves what it has proved so far."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from allocator.engine.restricted import book_of
from allocator.engine.tree import Tree, TreeGoal, grow
from allocator.pipeline import decide, judge
from allocator.pipeline import prepare as prepare_book
from allocator.records.case import Inputs
from allocator.records.portfolio import Codes, Floats
from allocator.records.strategy import SolverSettings
from benchmarks.registry import CASES
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.stages import columns_of, solve

TABLE = churn_table([0.04, 0.07, 0.1], A=[0.0, 0.2, 0.55], B=[0.05, 0.25, 0.5])
CASE = Case(
    portfolio(
        ["A", "B", "A", "B", "A", "B"],
        pd=[0.01, 0.02, 0.015, 0.04, 0.03, 0.012],
        max_amount=[300_000, 400_000, 250_000, 350_000, 410_000, 180_000],
        relationship_value=[3_000.0, 0.0, 6_000.0, 2_000.0, 4_000.0, 1_000.0],
    ),
    TABLE,
    policy(
        740_000.0,
        limit("loss", "expected_loss", "at_most", 2_400.0),
        limit("few", "loans", "at_most", 3.0),
        processing_cost=700.0,
        step=50_000.0,
    ),
)


def grown(looks: int) -> Tree:
    """The tree of CASE, from no prices at all, when time is up at the clock's look number `looks`."""
    seen = 0

    def left() -> float:
        nonlocal seen
        seen += 1
        return 10.0 if seen <= looks else 0.0

    def offer(option: Codes, amount: Floats) -> float:
        return target

    target = solve(CASE).value
    columns = columns_of(CASE)
    goal = TreeGoal(target + 1e-7, 1_000, CASE.policy.ticket.step, offer, left)
    return grow(book_of(columns), np.zeros(len(columns.limits)), goal)


@pytest.mark.parametrize("looks", [0, 1, 2, 3, 5, 8, 13])
def test_a_stopped_tree_still_bounds_the_optimum(looks: int) -> None:
    tree = grown(looks)
    assert tree.ending == "time"
    assert tree.bound >= solve(CASE).value
    assert all((node.split is None) == (node.children == ()) for node in tree.nodes)


def test_a_tree_with_time_meets_the_optimum() -> None:
    tree = grown(10_000)
    assert tree.ending == "gap"
    assert tree.leaves > 2
    assert tree.bound == pytest.approx(solve(CASE).value, abs=1e-6)


def test_a_tree_over_what_a_cut_leaves_is_certified_as_it_was_grown() -> None:
    """Of a book priced by passes only the near options are in the table; the recheck reads all of them."""
    book = CASES["binding"].book(3_000)
    case = prepare_book(book.scenario(SolverSettings(threads=1)), Inputs(book.portfolio, book.table, {}))
    solution = decide(case)
    assert solution.proof == "tree"
    certificate = judge(case, solution).certificate
    assert certificate.tree is not None
    assert certificate.tree["nodes"][0]["keeps"] < solution.bound
    assert certificate.bound <= solution.bound * (1 + 1e-11)
    assert (certificate.bound - certificate.value) / certificate.bound <= 1e-9


def test_right_hand_sides_are_rounded_to_whole_steps_before_they_are_priced() -> None:
    """What is left of a cap beyond the last whole step earns nothing: a leaf with rounded rows proves it."""
    book = CASES["tight-steps"].book(300)
    settings = SolverSettings(method="reduced", gap=1e-4, threads=1, time_limit=600.0)
    case = prepare_book(book.scenario(settings), Inputs(book.portfolio, book.table, {}))
    solution = decide(case)
    certificate = judge(case, solution).certificate
    by_prices = judge(case, replace(solution, tree=None)).certificate.bound
    assert certificate.tree is not None
    assert all(room % 1e4 == 0.0 for room in certificate.tree["lots"].values())
    assert len(certificate.tree["lots"]) > 10
    assert certificate.value <= certificate.bound < by_prices


def test_a_share_of_nothing_is_not_rounded_to_lots() -> None:
    """A floor of 0 % of the total is still a share, whatever odd sum is already lent to those it counts."""
    floor = limit("floor", "offered", "at_least", 0.0, of="total", where={"grade": ["B"]})
    book = replace(CASE.portfolio, exposure=np.array([0.0, 3.5, 0.0, 0.0, 0.0, 0.0]))
    case = replace(CASE, portfolio=book).under(limits=(*CASE.policy.limits, floor))
    solved = prepare_book(case.scenario, case.inputs)
    certificate = judge(solved, decide(solved)).certificate
    assert certificate.tree is not None
    assert certificate.tree["lots"].keys() == {"budget"}
