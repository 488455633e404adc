"""Rows that may be rounded to whole lots, and the bound that a table of cases proves, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from allocator.certification.cases import Sets, Table, coarsest_lots, table_of
from allocator.certification.limits import blocks_of
from allocator.certification.terms import terms_of
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
    fewer = Sets(np.array([[False, False], [True, True]]), sets.refusal, sets.low, np.array([2e5, 1e5]))
    values = own.values({}, fewer)
    assert values.bound.value == pytest.approx(4_000.0)
    assert values.option[0].tolist() == [-np.inf] * 2
    nothing = own.values({}, Sets(fewer.options, np.array([False, True]), sets.low, sets.high))
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
