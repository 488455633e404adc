"""When an allocation keeps a limit: whole rows to the cent, the others by their own scale, on both sides."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from allocator.certification import recheck
from allocator.certification.economics import BASES, Bases
from allocator.certification.limits import blocks_of
from allocator.certification.uses import Totals
from allocator.records.run import Decisions, LimitUse
from tests.builders import Case, churn_table, limit, policy, portfolio

TABLE = churn_table([0.04, 0.1], A=[0.0, 0.5], B=[0.25, 0.5])
"""At 4 % all of A draw what they are offered, and three quarters of B."""


def use_of(
    amounts: list[float], entry: Any = None, budget: float = 1e9, grade: str = "", **columns: Any
) -> LimitUse:
    """The use of `entry` (of the budget without one) where everybody is offered `amounts` at 4 %."""
    book = portfolio(list(grade or "A" * len(amounts)), **columns)
    rest = {"ticket": (0.01, 1e14)}
    case = Case(book, TABLE, policy(budget, *([] if entry is None else [entry]), **rest))
    offered = np.array(amounts)
    decisions = Decisions(offered, np.where(offered > 0, 0.04, 0.0))
    prices = {"budget": 0.0} | ({} if entry is None else {entry.name: 0.0})
    return recheck(case.scenario, case.inputs, decisions, prices).certificate.limits[-1]


@pytest.mark.parametrize("budget", [0.03, 1e4, 1e8, 1e13])
def test_a_budget_is_kept_to_the_cent_at_every_size(budget: float) -> None:
    rest = float(f"{budget - 0.01:.2f}")
    kept, broken = use_of([0.01, rest], budget=budget), use_of([0.02, rest], budget=budget)
    assert (kept.violation, kept.excess, kept.used, kept.broken) == (0.0, 0.0, budget, False)
    assert broken.broken
    assert broken.excess == 0.01
    assert broken.violation == 0.01 / max(budget, 0.02)


def test_amounts_off_the_cent_have_the_rows_tolerance() -> None:
    """Half a unit in 1e9 is within 1e-9 of it, and more than 1 is not."""
    assert not use_of([1e9 - 0.25, 0.755], budget=1e9).broken
    assert use_of([1e9 - 0.25, 0.755], budget=1e9).excess == pytest.approx(0.505, abs=1e-6)
    assert use_of([1e9 - 0.25, 1.755], budget=1e9).broken


@pytest.mark.parametrize(
    ("sense", "share", "kept"),
    [
        ("at_most", 0.63, True),
        ("at_most", math.nextafter(0.63, 0), False),
        ("at_least", 0.63, True),
        ("at_least", math.nextafter(0.63, 1), False),
        ("exactly", 0.63, True),
        ("exactly", math.nextafter(0.63, 1), False),
        ("exactly", math.nextafter(0.63, 0), False),
    ],
)
@pytest.mark.parametrize("of", ["total", "budget"])
def test_a_share_is_kept_as_the_decimal_that_it_is(of: str, sense: Any, share: float, kept: bool) -> None:
    entry = limit("share", "offered", sense, share, of=of, where={"grade": ["A"]})
    for unit in (1.0, 0.01, 1e9):
        use = use_of([63 * unit, 37 * unit], entry, budget=100 * unit, grade="AB")
        assert use.broken is not kept
        assert (use.excess == 0) == (use.violation == 0) == kept


def test_a_count_of_loans_is_exact_beside_any_budget() -> None:
    entry = limit("few", "loans", "at_most", 2.0)
    assert not use_of([1e9, 1e9, 0.0], entry, budget=1e14).broken
    three = use_of([1e9, 1e9, 1e9], entry, budget=1e14)
    assert (three.used, three.bound, three.excess, three.violation) == (3.0, 2.0, 1.0, 0.5)
    assert use_of([1e9, 0.0, 0.0], limit("many", "loans", "at_least", 2.0), budget=1e14).broken
    assert use_of([1e9, 1e9, 0.0], limit("half", "loans", "at_most", 1.9999999999), budget=1e14).broken


@pytest.mark.parametrize("unit", [1e-12, 1.0, 1e9])
def test_verdicts_do_not_change_with_the_unit_of_a_weight(unit: float) -> None:
    """3 and 5 units of weight a loan: 8 are used; a bound of 8 is kept, and one just below is not."""
    for measure, amounts in (("loans", [1e5, 2e5]), ("offered", [1e5, 1e5])):
        weights = {"w": [3 * unit, 5 * unit]}
        full = 8 * unit * (1.0 if measure == "loans" else 1e5)
        for factor, broken in ((1.0, False), (1 - 0.9e-9, False), (1 - 1.1e-9, True), (0.9, True)):
            entry = limit("w", measure, "at_most", full * factor, weight="w")
            assert use_of(amounts, entry, budget=1e14, numbers=weights).broken is broken, factor


def test_no_tolerance_is_worth_one_more_loan() -> None:
    """Beside a weight of 1e12 the loan of 1 counts; to half its weight there is room for rounding."""
    weights = {"w": [1e12, 1.0]}
    for bound, broken in ((1e12 + 1, False), (1e12 + 0.5, False), (1e12 + 0.375, True), (1e12, True)):
        entry = limit("w", "loans", "at_most", bound, weight="w")
        assert use_of([1e5, 1e5], entry, numbers=weights).broken is broken


def test_a_tolerance_leaves_room_for_the_rounding_of_its_row() -> None:
    """Where the smallest weight is below what doubles of the row's size can say."""
    weights = {"w": [1.0, 1e-17]}
    for bound, broken in ((1 - 4e-16, False), (1 - 5e-16, True)):
        entry = limit("w", "loans", "at_most", bound, weight="w")
        assert use_of([1e5, 1e5], entry, numbers=weights).broken is broken


def test_weights_that_all_members_share_keep_a_row_whole() -> None:
    """0.1 x 30 cents is 3 cents, in decimals."""
    third = limit("w", "offered", "at_most", 0.03, weight="w", where={"grade": ["A"]})
    assert use_of([0.1, 0.2, 7.0], third, grade="AAB", numbers={"w": [0.1, 0.1, 3.0]}).violation == 0
    over = use_of([0.1, 0.21, 7.0], third, grade="AAB", numbers={"w": [0.1, 0.1, 3.0]})
    assert over.excess == pytest.approx(0.001, rel=1e-12)
    assert over.violation == pytest.approx(0.001 / 0.03, rel=1e-12)
    assert (over.used, over.bound, over.measure) == (pytest.approx(0.031), 0.03, "offered")
    part = limit("p", "offered", "at_most", 0.63, of="total", where={"grade": ["A"]})
    more = use_of([63.01, 37.0], part, grade="AB")
    assert (more.used, more.bound, more.excess) == (63.01, 63.0063, pytest.approx(0.0037, rel=1e-12))
    below = limit("w", "loans", "at_least", -1.0, weight="w")
    assert not use_of([5.0, 0.0], below, numbers={"w": [-1.0, -1.0]}).broken
    assert use_of([5.0, 5.0], below, numbers={"w": [-1.0, -1.0]}).excess == 1.0


def test_weights_of_nothing_leave_no_scale() -> None:
    """0 is at most 0, and never at least 1; against nothing at all a violation is 1."""
    kept = limit("w", "offered", "at_most", 0.0, weight="w")
    assert not use_of([5.0], kept, numbers={"w": [0.0]}).broken
    floor = limit("w", "offered", "at_least", 1.0, weight="w")
    assert use_of([5.0], floor, numbers={"w": [0.0]}).violation == 1.0
    lent = limit("lent", "offered", "at_most", 0.0)
    assert use_of([0.0], lent, exposure=0.01).violation == 1.0


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize(("factor", "broken"), [(1 + 0.9e-9, False), (1 + 1.1e-9, True)])
def test_rows_of_what_is_drawn_have_a_part_of_their_own_scale(
    unit: float, factor: float, broken: bool
) -> None:
    """B draws 75: at least 75 x (1 + 1e-9) is kept and no more, whatever the budget."""
    entry = limit("drawn", "drawn", "at_least", 75 * unit * factor)
    use = use_of([100 * unit], entry, budget=1e13, grade="B")
    assert use.broken is broken
    assert use.scale == 75 * unit * factor
    assert use.excess == pytest.approx(75 * unit * (factor - 1), rel=1e-4)


def test_the_scale_is_the_right_hand_side_or_the_largest_single_use() -> None:
    cap = limit("w", "drawn", "at_most", 10.0, weight="w")
    netted = use_of([100.0, 100.0, 7.0], cap, numbers={"w": [2.0, -1.99, 0.0]})
    assert netted.used == pytest.approx(1.0)
    assert netted.scale == 200.0
    share = limit("part", "drawn", "at_most", 0.9, of="drawn", where={"grade": ["B"]})
    assert use_of([100.0, 10.0], share, grade="AB").scale == pytest.approx(0.9 * 107.5)
    each = limit("each", "offered", "at_most", 50.0, each="sector")
    book = portfolio(["A"] * 3, texts={"sector": ["food", "steel", "steel"]})
    case = Case(book, TABLE, policy(1e9, each, ticket=(1.0, 1e9)))
    decisions = Decisions(np.array([60.0, 20.0, 30.0]), np.full(3, 0.04))
    prices = dict.fromkeys(("budget", "each[food]", "each[steel]"), 0.0)
    uses = recheck(case.scenario, case.inputs, decisions, prices).certificate.limits
    assert [(use.name, use.scale, use.violation) for use in uses] == [
        ("budget", 1e9, 0.0),
        ("each[food]", 60.0, 10.0 / 60.0),
        ("each[steel]", 50.0, 0.0),
    ]
    assert [use.binding for use in uses] == [False, False, True]


def test_exposure_counts_in_cents_too() -> None:
    entry = limit("cap", "offered", "at_most", 100.0)
    assert not use_of([70.0], entry, exposure=30.0).broken
    over = use_of([70.0], entry, exposure=30.01)
    assert (over.used, over.excess) == (100.01, 0.01)
    off = use_of([70.0], entry, exposure=30.0 + 2e-8)
    assert not off.broken, "exposure off the cent: the row has its tolerance"
    assert off.excess > 0
    half = limit("half", "offered", "at_most", 0.5, of="total", where={"grade": ["A"]})
    assert not use_of([70.0, 60.0], half, grade="AB", exposure=[0.0, 10.0]).broken
    assert use_of([70.01, 60.0], half, grade="AB", exposure=[0.0, 10.0]).broken


def test_what_is_exposed_off_the_cent_leaves_other_rows_whole() -> None:
    each = limit("each", "offered", "at_most", 100.0, each="grade")
    book = portfolio(["A", "B"], exposure=[30.0 + 2e-8, 30.01])
    case = Case(book, TABLE, policy(1e9, each, ticket=(1.0, 1e9)))
    decisions = Decisions(np.array([70.0, 70.0]), np.full(2, 0.04))
    prices = dict.fromkeys(("budget", "each[A]", "each[B]"), 0.0)
    uses = recheck(case.scenario, case.inputs, decisions, prices).certificate.limits
    assert [use.broken for use in uses] == [False, False, True]


def test_binding_is_measured_by_the_rows_own_scale() -> None:
    for used, binding in ((50.0, True), (50.0 - 4e-8, True), (50.0 - 6e-8, False)):
        entry = limit("w", "drawn", "at_most", 50.0)
        assert use_of([used], entry, budget=1e13).binding is binding


def test_an_offer_off_the_cent_to_anybody_leaves_shares_of_the_total_their_tolerance() -> None:
    """63 is more than 63 % of 99.99999999 by 6e-9, a tenth of what the row allows."""
    entry = limit("share", "offered", "at_most", 0.63, of="total", where={"grade": ["A"]})
    use = use_of([63.0, 36.99999999], entry, grade="AB")
    assert not use.broken
    assert use.excess == pytest.approx(6.3e-9, rel=1e-3)
    assert use_of([63.0, 36.99999], entry, grade="AB").broken


def test_parts_add_up_to_the_whole() -> None:
    """Three parts of two rows each way: sums, largest uses, cents beyond 2^53 together, and what is off."""
    amounts = np.array([9e13, 9e13 - 0.25, 0.005, 0.015, 8e13, 7.5, 0.0, 3.0, 2.0])
    book = portfolio(list("ABABABABA"), texts={"sector": list("ssttsstts")})
    entries = (
        limit("a", "offered", "at_most", 0.5, of="total", each="grade"),
        limit("s", "offered", "at_most", 0.5, of="total", each="sector"),
        limit("n", "loans", "at_most", 5.0, each="sector"),
        limit("d", "drawn", "at_most", 5.0, each="sector"),
    )
    blocks = blocks_of(policy(1e14, *entries), book)
    bases = Bases(amounts, amounts / 2, amounts / 4, amounts > 0, amounts / amounts.max())
    whole = Totals.of(blocks, bases)
    cuts = [slice(0, 2), slice(2, 5), slice(5, 9)]
    parts = [
        Totals.of(
            tuple(block.part(np.arange(9)[cut]) for block in blocks),
            Bases(*(getattr(bases, basis)[cut] for basis in BASES)),
        )
        for cut in cuts
    ]
    summed = Totals.sum_of(parts)
    assert (summed.off, summed.bases) == (whole.off, pytest.approx(whole.bases)) == (2, whole.bases)
    assert summed.cents.exact(0) == whole.cents.exact(0) == 26_000_000_000_001_225
    for ours, theirs in zip(summed.rows, whole.rows, strict=True):
        assert ours.used.tolist() == pytest.approx(theirs.used.tolist())
        assert ours.largest.tolist() == theirs.largest.tolist()
        assert ours.off.tolist() == theirs.off.tolist()
        for row in range(len(ours.used)):
            assert ours.counted.exact(row) == theirs.counted.exact(row)
    assert [rows.off.tolist() for rows in summed.rows[1:3]] == [[1, 1], [0, 2]]
