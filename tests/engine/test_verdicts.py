"""When the engine takes a limit for kept: whole rows to the cent, others by their own scale, both sides."""

from __future__ import annotations

import numpy as np
import pytest

from allocator.engine.verdicts import broken_rows
from allocator.records.scenario import Limit
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.stages import columns_of

TABLE = churn_table([0.05, 0.08], A=[0.1, 0.4], B=[0.1, 0.4])


def broken(amounts: list[float], entry: Limit, *, budget: float = 1e14, **columns: object) -> bool:
    """Whether `entry` is broken where everybody gets what `amounts` say at the first rate."""
    book = portfolio(["A", "B"] * (len(amounts) // 2) + ["A"] * (len(amounts) % 2), **columns)  # type: ignore[arg-type]
    case = Case(book, TABLE, policy(budget, entry, ticket=(0.01, 1e13)))
    found = columns_of(case)
    amount = np.array(amounts)
    option = np.where(amount > 0, 0, -1).astype(np.int32)
    return 1 in broken_rows(found, option, amount, found.usage(option, amount))


@pytest.mark.parametrize("money", [1.0, 1e4, 1e8, 1e11])
def test_a_cent_too_much_is_too_much_at_every_size(money: float) -> None:
    cap = limit("cap", "offered", "at_most", 30.0 * money)
    assert not broken([10.0 * money, 20.0 * money], cap)
    assert broken([10.0 * money, 20.0 * money + 0.01], cap)
    floor = limit("floor", "offered", "at_least", 30.0 * money)
    assert not broken([10.0 * money, 20.0 * money], floor)
    assert broken([10.0 * money, 20.0 * money - 0.01], floor)


@pytest.mark.parametrize("money", [1.0, 1e5, 1e10])
def test_a_share_of_the_total_is_a_decimal(money: float) -> None:
    share = limit("share", "offered", "at_most", 0.63, of="total", where={"grade": ["A"]})
    assert not broken([63.0 * money, 37.0 * money], share)
    assert broken([63.0 * money + 0.01, 37.0 * money], share)
    assert broken([63.0 * money, 37.0 * money - 0.01], share)


def test_no_tolerance_is_worth_one_more_loan() -> None:
    few = limit("few", "loans", "at_most", 2.0)
    assert not broken([1e9, 1e9, 0.0], few)
    assert broken([1e9, 1e9, 1e9], few)
    weights = {"w": [1e-9, 1.0, 1e9]}
    weighed = limit("few", "loans", "at_most", 1e9 + 1.0, weight="w")
    assert not broken([0.0, 1e5, 1e5], weighed, numbers=weights)
    assert broken(
        [1e5, 1e5, 1e5], limit("few", "loans", "at_most", 1e9 + 1.0 - 1e-6, weight="w"), numbers=weights
    )


@pytest.mark.parametrize("factor", [1e-12, 1e-9, 1.0, 1e9])
def test_the_unit_of_a_weight_decides_nothing(factor: float) -> None:
    weights = {"w": [2.0 * factor, 3.0 * factor]}
    for beyond, expected in ((0.0, False), (5e-10, False), (2e-9, True), (1e-6, True)):
        entry = limit("weighed", "drawn", "at_most", 0.9 * 5e5 * factor * (1.0 - beyond), weight="w")
        assert broken([1e5, 1e5], entry, numbers=weights) is expected, (factor, beyond)


def test_a_row_against_nothing_is_measured_by_its_largest_use() -> None:
    """A share of what is drawn has no figure on its right: what the offers use is its scale."""
    half = limit("half", "drawn", "at_most", 0.5, of="drawn", where={"grade": ["A"]})
    assert not broken([1e6, 1e6], half)
    assert not broken([1e6 + 1e-3, 1e6], half)
    assert broken([1e6 + 1.0, 1e6], half)


def test_one_weight_for_all_keeps_a_row_whole_and_several_do_not() -> None:
    cap = limit("cap", "offered", "at_most", 15e8, weight="w")
    assert not broken([1e9, 2e9], cap, numbers={"w": [0.5, 0.5]})
    assert broken([1e9, 2e9 + 0.01], cap, numbers={"w": [0.5, 0.5]})
    assert not broken([1e9, 2e9 + 0.01], cap, numbers={"w": [0.5000000001, 0.5]})
