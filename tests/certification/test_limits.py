"""The policy's rows read again, by hand: who is in which, what is lent already, and what prices charge."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from allocator.certification.limits import Block, blocks_of, charges_of
from allocator.certification.rounding import DEEPEST
from allocator.certification.sums import sums_by_code
from tests.builders import limit, policy, portfolio

SECTORS = ["steel", "food", None, "wood", "food"]
"""Codes 1, 0, none, 2, 0."""


def block(entry: Any, budget: float = 1_000.0, **columns: Any) -> Block:
    columns = {"texts": {"sector": SECTORS}} | columns
    return blocks_of(policy(budget, entry), portfolio(list("ABABA"), **columns))[1]


def test_the_budget_is_one_row_of_new_offers() -> None:
    book = portfolio(list("ABA"), exposure=[1e6, 0.0, 5.0])
    first = blocks_of(policy(1_024.0, spend="exactly"), book)[0]
    assert (first.names, first.measure, first.sense, first.basis) == (
        ("budget",), "offered", "exactly", "offered",
    )  # fmt: skip
    assert (first.weight, first.codes.tolist()) == (None, [0, 0, 0])
    assert (first.lent.tolist(), first.lent_size.tolist(), first.lent_operations) == ([0.0], [0.0], 0)
    assert (first.constant, first.share, first.reference, first.reference_lent) == (1_024.0, 0.0, "", 0.0)
    assert (first.finest.tolist(), first.room.tolist()) == ([math.inf], [1_024.0])
    assert first.exact is not None
    assert (first.exact.bound, first.exact.unit.tolist(), first.exact.room(0)) == (1_024, [1.0], 1_024)


@pytest.mark.parametrize(
    ("entry", "constant", "share", "reference", "reference_lent"),
    [
        (limit("l", "offered", "at_most", 7.0), 7.0, 0.0, "", 0.0),
        (limit("l", "offered", "at_most", 0.25, of="budget"), 250.0, 0.0, "", 0.0),
        (limit("l", "offered", "at_most", 0.25, of="total"), 0.0, 0.25, "offered", 60.0),
        (limit("l", "drawn", "at_most", 0.25, of="drawn"), 0.0, 0.25, "drawn", 60.0),
        (limit("l", "interest", "at_most", 0.25, of="drawn"), 0.0, 0.25, "drawn", 0.0),
    ],
)
def test_the_right_hand_side_is_a_figure_or_a_share(
    entry: Any, constant: float, share: float, reference: str, reference_lent: float
) -> None:
    own = block(entry, exposure=[10.0, 20.0, 30.0, 0.0, 0.0])
    assert (own.constant, own.share, own.reference) == (constant, share, reference)
    assert own.reference_lent == reference_lent


def test_each_counts_the_values_left_by_a_filter() -> None:
    """b000 is filtered out, and with it the only steel; b002 has no sector at all."""
    entry = limit(
        "l", "offered", "at_most", 7.0, each="sector", where={"borrower_id": ["b001", "b002", "b003"]}
    )
    own = block(entry, exposure=[1.0, 2.0, 4.0, 8.0, 16.0])
    assert own.names == ("l[food]", "l[wood]")
    assert own.codes.tolist() == [-1, 0, -1, 1, -1]
    assert (own.lent.tolist(), own.lent_size.tolist()) == ([2.0, 8.0], [2.0, 8.0])
    assert own.finest.tolist() == [math.inf] * 2
    assert own.exact is not None
    assert [own.exact.lent.exact(row) for row in (0, 1)] == [200, 800]
    everyone = block(limit("l", "offered", "at_most", 7.0, each="sector"))
    assert everyone.names == ("l[food]", "l[steel]", "l[wood]")
    assert everyone.codes.tolist() == [1, 0, -1, 2, 0]


def test_a_filter_keeps_the_ends_that_its_range_names() -> None:
    """Of 1 to 5 above 1 and at most 4; at least 2 and below 4."""
    numbers = {"x": [1.0, 2.0, 3.0, 4.0, 5.0]}
    for ends, inside in (
        ({"above": 1.0, "at_most": 4.0}, [-1, 0, 0, 0, -1]),
        ({"at_least": 2.0, "below": 4.0}, [-1, 0, 0, -1, -1]),
    ):
        own = block(limit("l", "loans", "at_most", 7.0, where={"x": ends}), numbers=numbers)
        assert own.codes.tolist() == inside
    both = limit("l", "loans", "at_most", 7.0, where={"x": {"above": 1.0}, "grade": ["A"]})
    assert block(both, numbers=numbers).codes.tolist() == [-1, -1, 0, -1, 0]


def test_what_loans_weigh_at_the_least() -> None:
    numbers = {"w": [0.5, -0.25, 3.0, 0.0, 2.0]}
    each = limit("l", "loans", "at_most", 7.0, each="sector", weight="w")
    assert block(each, numbers=numbers).finest.tolist() == [0.25, 0.5, math.inf]
    assert block(limit("l", "loans", "at_most", 7.0)).finest.tolist() == [1.0]
    assert block(limit("l", "offered", "at_most", 7.0, weight="w"), numbers=numbers).finest.tolist() == [
        math.inf
    ]


def test_a_weight_counts_for_what_is_lent_too() -> None:
    own = block(
        limit("l", "offered", "at_most", 7.0, weight="w"),
        exposure=[1.0, 2.0, 4.0, 8.0, 16.0],
        numbers={"w": [1.0, -2.0, 0.5, 0.0, 0.25]},
    )
    assert (own.lent.tolist(), own.lent_size.tolist(), own.room.tolist()) == ([3.0], [11.0], [4.0])


@pytest.mark.parametrize(("borrowers", "operations"), [(3, 2), (16_383, 2), (16_384, 4), (40_000, 6)])
def test_the_operations_of_what_is_lent(borrowers: int, operations: int) -> None:
    """Those of a pairwise sum, and two a chunk that `sums_by_code` adds."""
    book = portfolio(["A"] * borrowers, exposure=1.0)
    rules = policy(1e9, limit("l", "offered", "at_most", 1e9), limit("n", "loans", "at_most", 5.0))
    _, lent, counted = blocks_of(rules, book)
    assert lent.lent.tolist() == [borrowers]
    assert (lent.lent_operations, counted.lent_operations) == (DEEPEST + operations, 0)
    charges = charges_of((lent, counted), {})
    assert charges.constant_operations == charges.operations + 3 * DEEPEST + operations


def test_the_lent_sum_is_that_of_its_parts_to_the_last_bits() -> None:
    """A tenth added one by one is off by thousands of the last bits; 2^20 beside 2^-20 loses nothing."""
    amounts, codes = np.full(30_000, 0.1), np.zeros(30_000, dtype=np.int32)
    codes[::3] = 2
    codes[1] = -1
    found = sums_by_code(codes, amounts, 4)
    assert found.tolist() == [pytest.approx(1_999.9, rel=4e-16), 0.0, pytest.approx(1_000.0, rel=4e-16), 0.0]
    mixed = np.array([2.0**20, 2.0**-20, -(2.0**20), 2.0**-17 + 2.0**-33])
    assert sums_by_code(np.zeros(4, dtype=np.int32), mixed, 1).tolist() == [2.0**-20 + 2.0**-17 + 2.0**-33]


@pytest.mark.parametrize(
    ("sense", "allowed"),
    [("at_most", [2.0, 0.0, 0.0]), ("at_least", [0.0, -3.0, 0.0]), ("exactly", [2.0, -3.0, 0.0])],
)
def test_a_price_has_the_sign_that_its_row_can_have(sense: Any, allowed: list[float]) -> None:
    own = block(limit("l", "offered", sense, 7.0, each="sector"))
    assert own.allowed({"l[food]": 2.0, "l[steel]": -3.0, "other": 5.0}).tolist() == allowed


def test_prices_charge_a_row_s_members_and_a_reference_everybody() -> None:
    """2 a unit of food and 0.5 of steel, a quarter of each to everybody; 60 are lent, 20 of them food."""
    own = block(
        limit("l", "offered", "exactly", 0.25, of="total", each="sector"),
        exposure=[10.0, 20.0, 30.0, 0.0, 0.0],
    )
    charges = charges_of((own,), {"l[food]": 2.0, "l[steel]": -0.5})
    assert charges.per_basis["offered"].tolist() == [-0.875, 1.625, -0.375, -0.375, 1.625]
    assert np.asarray(charges.sizes()["offered"]).tolist() == [1.125, 2.625, 0.625, 0.625, 2.625]
    assert charges.constant == 2 * (15 - 20) - 0.5 * (15 - 10)
    assert charges.constant_size == 2 * (15 + 20) + 0.5 * (15 + 10)
    none = charges_of((own,), {"l[food]": 0.0})
    assert (none.constant, none.constant_size, none.sizes()["offered"]) == (0.0, 0.0, 0.0)


def test_magnitudes_of_several_limits_add_up() -> None:
    """What a limit charges and another pays back cancels in the charge, not in what it may be wrong by."""
    rules = policy(1e6, limit("l", "offered", "at_most", 5.0), limit("m", "offered", "at_least", 7.0))
    charges = charges_of(blocks_of(rules, portfolio(["A"])), {"budget": 1.0, "l": 2.0, "m": -3.0})
    assert charges.per_basis["offered"].tolist() == [0.0]
    assert charges.sizes()["offered"] == 6.0
    assert (charges.constant, charges.constant_size) == (1e6 + 10 - 21, 1e6 + 10 + 21)
    assert charges.operations == 5 + 2 * 3 + 1


def test_a_figure_is_charged_as_it_stands() -> None:
    own = block(
        limit("l", "drawn", "at_least", -7.0, weight="w"), exposure=3.0, numbers={"w": [1.0, 2, 4, 0, -1]}
    )
    charges = charges_of((own,), {"l": -2.0})
    assert charges.per_basis["drawn"].tolist() == [-2.0, -4.0, -8.0, 0.0, 2.0]
    assert np.asarray(charges.sizes()["drawn"]).tolist() == [2.0, 4.0, 8.0, 0.0, 2.0]
    assert (charges.constant, charges.constant_size) == (-2 * (-7 - 18.0), 2 * (7 + 24.0))


def test_rows_in_whole_numbers() -> None:
    """Cents of what is lent, the weight that members share, and none where they share none or 0."""
    numbers = {"w": [0.5, 3.0, 1.0, 0.0, 3.0]}
    cents = [10.5, 20.25, 30.0, 0.0, 0.07]
    own = block(
        limit("l", "offered", "at_most", 0.3, of="total", each="sector", weight="w"),
        exposure=cents,
        numbers=numbers,
    )
    assert own.exact is not None
    assert own.exact.unit.tolist() == [3.0, 0.5, pytest.approx(math.nan, nan_ok=True)]
    assert own.exact.per_unit == 100
    assert [own.exact.lent.exact(row) for row in range(3)] == [2_032, 1_050, 0]
    assert (own.exact.reference_lent.exact(0), len(own.exact.reference_lent.low)) == (6_082, 1)
    assert own.exact.bound == Fraction(3, 10)
    loans = block(limit("l", "loans", "at_least", 2.0), exposure=cents).exact
    assert loans is not None
    assert (loans.per_unit, loans.unit.tolist(), loans.lent.exact(0), loans.room(0)) == (1, [1.0], 0, 2)
    room = block(limit("l", "offered", "at_least", 0.5, of="budget"), exposure=cents).exact
    assert room is not None
    assert room.room(0) == 500 - Fraction(6_082, 100)
    assert block(limit("l", "drawn", "at_most", 2.0)).exact is None
    assert block(limit("l", "offered", "at_most", 0.5, of="drawn")).exact is None


def test_what_is_lent_off_the_cent_leaves_its_own_row_or_all_shares_without_whole_numbers() -> None:
    lent = [10.001, 20.0, 30.0, 0.0, 0.0]
    money = block(limit("l", "offered", "at_most", 9.0, each="sector"), exposure=lent).exact
    share = block(limit("l", "offered", "at_most", 0.3, of="total", each="sector"), exposure=lent).exact
    assert money is not None
    assert share is not None
    assert np.isnan(money.unit).tolist() == [False, True, False]
    assert np.isnan(share.unit).tolist() == [True, True, True]
