"""Rows that may be rounded to whole lots, and the bound that a table of cases proves, by hand."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from allocator.certification.bound import best_reduced_values, error_of, upper_bound
from allocator.certification.cases import ChoiceSets, Table, coarsest_lots, table_of
from allocator.certification.limits import blocks_of, charges_of
from allocator.certification.rounding import UNIT
from allocator.certification.terms import SAME_RATE, terms_of
from tests.builders import Case, churn_table, limit, policy, portfolio

TABLE = churn_table([0.04, 0.08], A=[0.0, 0.5], B=[0.0, 0.5])


def table(case: Case, lots: dict[str, float] | None = None) -> Table:
    terms = terms_of(case.portfolio, case.table, case.scenario.response, case.policy)
    return table_of(case.portfolio, case.policy, terms, blocks_of(case.policy, case.portfolio), lots or {})


def lots(entry: Any, step: float | None = 100_000.0, budget: float = 1e6, **columns: Any) -> dict[str, float]:
    """What rows may be rounded to, the budget's own apart."""
    book = portfolio(["A", "A", "B"], **columns)
    rest = {"ticket": (1e5, 1e6), "step": step}
    case = Case(book, TABLE, policy(budget, entry, **rest))
    terms = terms_of(book, TABLE, case.scenario.response, case.policy)
    found = coarsest_lots(book, case.policy, terms, blocks_of(case.policy, book))
    found.pop("budget", None)
    return found


def pinned(amount: float, grade: str = "A") -> dict[str, Any]:
    at = {"A": 0, "B": 2}[grade]
    amounts, rates = [np.nan] * 3, [np.nan] * 3
    amounts[at], rates[at] = amount, 0.04
    return {"fixed_amount": amounts, "fixed_rate": rates}


SIZE = 349_999.0
CAP = limit("l", "offered", "at_most", SIZE)


@pytest.mark.parametrize(
    ("entry", "more", "expected"),
    [
        (CAP, {}, {"l": 300_000.0}),
        (limit("l", "offered", "at_most", 300_000.0), {}, {"l": 300_000.0}),
        (limit("l", "offered", "at_least", 300_001.0), {}, {"l": 400_000.0}),
        (limit("l", "offered", "at_least", 300_000.0), {}, {"l": 300_000.0}),
        (limit("l", "offered", "exactly", 300_000.0), {}, {}),
        (CAP, {"step": None}, {}),
        (CAP, pinned(200_000.0), {"l": 300_000.0}),
        (CAP, pinned(150_000.0), {}),
        (CAP, {**pinned(150_000.0), "exclude": [True, False, False]}, {"l": 300_000.0}),
        (limit("l", "offered", "at_most", SIZE, where={"grade": ["B"]}), pinned(150_000.0), {"l": 300_000.0}),
        (limit("l", "offered", "at_most", SIZE, each="grade"), pinned(150_000.0, "B"), {"l[A]": 300_000.0}),
        (CAP, {"exposure": 20_000.0}, {"l": 200_000.0}),
        (CAP, {"exposure": [49_999.0, 0.0, 0.0]}, {"l": 300_000.0}),
        (CAP, {"exposure": [49_999.01, 0.0, 0.0]}, {"l": 200_000.0}),
        (CAP, {"exposure": 1 / 3}, {}),
        (limit("l", "offered", "at_most", 0.35, of="budget"), {}, {"l": 300_000.0}),
        (limit("l", "offered", "at_most", 0.35, of="total"), {}, {}),
        (limit("l", "drawn", "at_most", SIZE), {}, {}),
        (limit("l", "offered", "at_most", SIZE, weight="w"), {"numbers": {"w": [0.5] * 3}}, {}),
        (limit("l", "offered", "at_most", SIZE, weight="w"), {"numbers": {"w": [1.0] * 3}}, {"l": 300_000.0}),
        (limit("l", "loans", "at_most", 2.5), {}, {"l": 2.0}),
        (limit("l", "loans", "at_most", 2.9999999999), {}, {"l": 2.0}),
        (limit("l", "loans", "at_least", 1.0000000001), {}, {"l": 2.0}),
        (limit("l", "loans", "at_most", 2.5), {"step": None, **pinned(150_000.0)}, {"l": 2.0}),
        (limit("l", "loans", "at_most", 2.5), pinned(150_000.5), {"l": 2.0}),
        (limit("l", "loans", "at_most", 1.5, weight="w"), {"numbers": {"w": [0.5] * 3}}, {}),
        (limit("l", "loans", "at_most", 1.5, weight="w"), {"numbers": {"w": [1.0, 1.0, 0.5]}}, {}),
        (
            limit("l", "loans", "at_most", 1.5, weight="w", where={"grade": ["A"]}),
            {"numbers": {"w": [1.0, 1.0, 0.5]}},
            {"l": 1.0},
        ),
    ],
)  # fmt: skip
def test_rows_are_rounded_where_every_use_is_whole_lots(
    entry: Any, more: dict[str, Any], expected: dict[str, float]
) -> None:
    assert lots(entry, **more) == expected


def test_a_budget_is_rounded_too() -> None:
    book = portfolio(["A", "A"])
    for spend, step, expected in (
        ("at_most", 100_000.0, {"budget": 700_000.0}),
        ("at_most", None, {}),
        ("exactly", 100_000.0, {}),
    ):
        case = Case(book, TABLE, policy(799_999.99, spend=spend, step=step))
        terms = terms_of(book, TABLE, case.scenario.response, case.policy)
        assert coarsest_lots(book, case.policy, terms, blocks_of(case.policy, book)) == expected


BOOK = portfolio(["A", "B"], pd=0.0, lgd=0.0, max_amount=[200_000.0, 300_000.0])


def test_a_table_proves_what_prices_prove() -> None:
    """8,000 and 12,000 without prices; at 1 % a unit of 750,000, 6,000 and 9,000 are left."""
    own = table(Case(BOOK, TABLE, policy(750_000.0)))
    free = own.values({}, own.everything)
    assert free.bound.value == pytest.approx(20_000.0)
    assert free.best.tolist() == pytest.approx([8_000.0, 12_000.0])
    assert free.option.tolist() == [pytest.approx([8_000.0, 8_000.0]), pytest.approx([12_000.0, 12_000.0])]
    assert not free.empty
    priced = own.values({"budget": 0.01}, own.everything)
    assert priced.bound.value == pytest.approx(7_500 + 15_000)
    assert 0 < priced.bound.error < 1e-9
    assert own.values({"budget": -0.01}, own.everything).bound.value == free.bound.value


def test_lots_take_what_cannot_be_used_off_the_bound() -> None:
    case = Case(BOOK, TABLE, policy(750_000.0, idle_rate=0.002, step=100_000.0))
    whole = table(case, {"budget": 700_000.0})
    bound = whole.values({"budget": 0.01}, whole.everything).bound.value
    assert bound == pytest.approx(7_000 + 15_000 + 0.002 * 50_000)
    below = whole.values({"budget": 0.001}, whole.everything).bound.value
    assert below == pytest.approx(700 + 19_500 + 0.002 * 50_000 + 700_000 * 0.001)
    case = Case(BOOK, TABLE, policy(1e6, limit("few", "loans", "at_most", 1.5)))
    one = table(case, {"few": 1.0})
    assert one.values({"few": 9_000.0}, one.everything).bound.value == pytest.approx(9_000 + 3_000)


def test_what_is_excluded_is_out() -> None:
    own = table(Case(BOOK, TABLE, policy(750_000.0)))
    sets = own.everything
    fewer = ChoiceSets(
        np.array([[False, False], [True, True]]), sets.no_offer, sets.low, np.array([2e5, 1e5])
    )
    values = own.values({}, fewer)
    assert values.bound.value == pytest.approx(4_000.0)
    assert values.option[0].tolist() == [-np.inf] * 2
    nothing = own.values({}, ChoiceSets(fewer.options, np.array([False, True]), sets.low, sets.high))
    assert nothing.empty


def test_a_choice_is_out_below_a_cut_only_if_it_loses_more_for_certain() -> None:
    """A refusal of the first loses 8,000, of the second 12,000."""
    own = table(Case(BOOK, churn_table([0.04, 0.08], A=[0.0, 0.75], B=[0.0, 0.75]), policy(750_000.0)))
    values = own.values({}, own.everything)
    assert values.best.tolist() == pytest.approx([8_000.0, 12_000.0])
    assert values.option[:, 1].tolist() == pytest.approx([4_000.0, 6_000.0])
    error = float(values.errors[0])
    lost = values.best[0] - values.option[0, 1]
    assert values.beyond(lost - 3 * error)[0].tolist() == [[False, True], [False, True]]
    assert values.beyond(lost - error)[0].tolist() == [[False, False], [False, True]]
    assert values.beyond(7_999.0)[1].tolist() == [True, True]
    assert values.beyond(8_000.0)[1].tolist() == [False, True]
    assert values.beyond(-1.0)[0].all()


def test_prices_too_large_exclude_nothing_and_prove_nothing() -> None:
    own = table(Case(BOOK, TABLE, policy(750_000.0)))
    values = own.values({"budget": 1e306}, own.everything)
    assert not values.bound.known
    assert not values.beyond(0.0)[0].any()
    assert not values.beyond(0.0)[1].any()


FULL = portfolio(
    ["A", "B", "A", "B", "A", "C", "B"],
    pd=[0.0, 0.02, 0.01, 0.03, 0.005, 0.01, 0.02],
    lgd=0.5,
    term=[1.0, 2.0, 0.5, 3.0, 1.0, 1.0, 2.0],
    max_amount=[2e5, 3e5, 1e5, 5e5, 3e5, 2e5, 4e5],
    min_rate=[np.nan, 0.08, 0.06, np.nan, 0.09, np.nan, np.nan],
    relationship_value=[0.0, 900.0, -300.0, 500.0, 0.0, 0.0, 700.0],
    fixed_amount=[np.nan] * 6 + [150_000.0],
    fixed_rate=[np.nan] * 6 + [0.07],
    exposure=[0.0, 5e4, 0.0, 1e4, 0.0, 0.0, 0.0],
    texts={"sector": list("sstttss")},
)
COSTS: dict[str, Any] = {
    "funding_rate": 0.01,
    "churn_cost_rate": 0.002,
    "decline_churn": 0.3,
    "processing_cost": 120.0,
    "idle_rate": 0.001,
}


def test_every_borrowers_best_is_what_the_pass_over_offers_finds() -> None:
    """At prices of every basis, in whole numbers of nothing: by other code, borrower by borrower."""
    rules = policy(
        1e6,
        limit("o", "offered", "at_most", 0.4, of="total", each="sector"),
        limit("d", "expected_loss", "at_most", 0.02, of="drawn"),
        limit("i", "gross_interest", "at_least", 0.05, of="drawn"),
        limit("n", "loans", "at_most", 4.0),
        **COSTS,
    )
    case = Case(FULL, churn_table([0.04, 0.06, 0.08], A=[0.0, 0.1, 0.5], B=[0.05, 0.2, 0.4]), rules)
    own, terms = table(case), terms_of(FULL, case.table, case.scenario.response, rules)
    blocks = blocks_of(rules, FULL)
    assert own.member.tolist() == [0, 1, 2, 3, 6], "a rate below 9 % and a grade without a band: no offer"
    for prices in (
        {},
        {"budget": 0.01, "o[s]": 0.003, "o[t]": 0.001, "d": 0.4, "i": -0.6, "n": 250.0},
        {"budget": 0.03, "o[t]": 0.02, "i": -2.0},
        {"d": 3.0, "n": 4_000.0},
    ):
        named = dict.fromkeys((name for block in blocks for name in block.names), 0.0) | prices
        charges = charges_of(blocks, named)
        expected = best_reduced_values(FULL, rules, terms, charges)[own.member]
        values = own.values(prices, own.everything)
        assert values.best.tolist() == pytest.approx(expected.tolist(), rel=1e-12)
        total = upper_bound(FULL, rules, terms, blocks, named)
        assert values.bound.value == pytest.approx(total, rel=1e-11)
        assert values.bound.most >= values.bound.value >= values.bound.least


def test_the_least_rate_that_a_borrower_takes_is_one_that_it_takes() -> None:
    book = portfolio(["A", "A"], min_rate=[0.04, np.nextafter(0.08, 1) + SAME_RATE])
    own = table(Case(book, TABLE, policy(1e6, rates={"A": (0.04, 0.08)})))
    assert own.member.tolist() == [0]
    edge = portfolio(["A"], min_rate=0.04 + SAME_RATE)
    assert table(Case(edge, TABLE, policy(1e6))).rate[0].tolist() == [0.04, 0.08]


def test_errors_of_idle_money_and_of_rounded_rows_in_closed_form() -> None:
    cap = limit("cap", "offered", "at_most", 350_000.0)
    book = portfolio(["A", "B"], exposure=[20_000.0, 0.0])
    case = Case(book, TABLE, policy(750_000.0, cap, idle_rate=0.25, step=100_000.0))
    own, plain = table(case, {"budget": 700_000.0, "cap": 300_000.0}), table(case)
    idle = own._idle({"budget": 0.125})
    assert idle.value == 0.25 * 50_000 + 700_000 * 0.125
    assert idle.error == 28 * UNIT * (750_000 + 2 * 700_000) * (0.25 + 0.125)
    prices = {"budget": 0.125, "cap": 0.5}
    charges = charges_of(own.blocks, prices)
    whole = own._constant(charges, prices)
    assert whole.value == 0.125 * 700_000 + 0.5 * 300_000
    size = charges.constant_size + 0.125 * 1_450_000 + 0.5 * (300_000 + 350_000 + 20_000)
    assert whole.error == error_of(charges.constant_operations + 6, size)
    bare = plain._constant(charges, prices)
    assert bare.value == charges.constant == 0.125 * 750_000 + 0.5 * 330_000
    assert bare.error == error_of(charges.constant_operations + 4, charges.constant_size)


def test_a_refusal_that_loses_just_what_a_cut_keeps_stays() -> None:
    own = table(Case(BOOK, TABLE, policy(750_000.0)))
    values = own.values({}, own.everything)
    exact = replace(values, errors=np.zeros(2))
    assert exact.beyond(float(values.best[0]))[1].tolist() == [False, True]
    assert exact.beyond(0.0)[0].tolist() == [[False, False], [False, False]]


def test_a_table_of_prices_too_large_gives_no_warning() -> None:
    case = Case(BOOK, TABLE, policy(750_000.0, limit("l", "offered", "at_most", 1.0)))
    own = table(case)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values = own.values({"budget": 1e306, "l": 1.7e308}, own.everything)
        assert not values.bound.known
        assert not values.beyond(0.0)[0].any()


def test_a_policy_without_rates_has_an_empty_table() -> None:
    own = table(Case(BOOK, TABLE, policy(750_000.0, rates={})))
    assert (own.member.size, own.rate.shape[0]) == (0, 0)
    values = own.values({"budget": 0.5}, own.everything)
    assert (values.bound.value, values.empty) == (375_000.0, False)
