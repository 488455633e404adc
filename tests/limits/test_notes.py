"""Notes on limits that are valid and may not be meant so: never a false one, and each kind is told."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from allocator.limits import compile_limits
from allocator.limits.notes import hopeless, slips
from allocator.limits.spellings import spellings
from allocator.pricing.offers import price_offers
from allocator.records.conditions import Condition
from allocator.records.former import MONEY_MOVED, Changes
from allocator.records.scenario import Limit
from allocator.testing import limit_rows
from allocator.testing import plain as naive
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.strategies import cases, limits_around, random_cases

TABLE = churn_table([0.04, 0.06, 0.1], A=[0.0, 0.1, 0.6], B=[0.0, 0.08, 0.5], C=[0.0, 0.05, 0.4])
BANDS = dict.fromkeys("ABC", (0.04, 0.1))


def case_of(*limits: Limit, groups: int = 4, budget: float = 1e6, **book: Any) -> Case:
    """Twelve borrowers in `groups` sectors, of 100,000 to 300,000 each."""
    borrowers = portfolio(
        ["ABC"[i % 3] for i in range(12)],
        min_amount=100_000.0,
        max_amount=book.pop("max_amount", 300_000.0),
        texts={"sector": [f"s{i % groups}" for i in range(12)]},
        **book,
    )
    return Case(borrowers, TABLE, policy(budget, *limits, rates=BANDS))


def notes(case: Case) -> list[str]:
    offers = price_offers(case.portfolio, case.table, case.scenario.response, case.policy)
    limits = compile_limits(case.policy, case.portfolio)
    return [
        *slips(case.policy, offers, limits),
        *hopeless(case.policy, case.portfolio, offers, limits),
    ]


def sectors(sense: Any, bound: float, **rest: Any) -> Limit:
    return limit("div", "offered", sense, bound, **{"of": "total", "each": "sector", **rest})


ONLY_EMPTY = [
    ([sectors("at_most", 0.2)], {}, "limit 'div': its 4 shares add up to 80 % of what is lent"),
    ([sectors("at_least", 0.3)], {}, "limit 'div': its 4 shares add up to 120 % of what is lent"),
    (
        [limit("div", "drawn", "at_most", 0.2, of="drawn", each="sector")],
        {},
        "limit 'div': its 4 shares add up to 80 % of what is lent",
    ),
    # Nobody of the third and fourth sector can be lent to: two shares of 40 % are left.
    (
        [sectors("at_most", 0.4)],
        {"exclude": [i % 4 > 1 for i in range(12)]},
        "limit 'div': its 2 shares add up to 80 % of what is lent",
    ),
    (
        [sectors("at_least", 0.1)],
        {"exclude": [i % 4 == 3 for i in range(12)]},
        "limit 'div': nobody whom 'div[s3]' counts can be lent to",
    ),
    (
        [
            limit("low", "offered", "at_most", 0.3, of="total", where={"sector": ["s0", "s1"]}),
            limit("loss", "expected_loss", "at_most", 0.5, of="drawn"),
            limit("high", "offered", "at_most", 0.6, of="total", where={"sector": ["s2", "s3"]}),
        ],
        {},
        "limits 'low' and 'high' together: their 2 shares add up to 90 % of what is lent",
    ),
    (
        [
            limit("low", "offered", "exactly", 0.4, of="total", where={"sector": ["s0", "s1"]}),
            limit("high", "offered", "at_most", 0.59, of="total", where={"sector": ["s2", "s3"]}),
        ],
        {},
        "limits 'low' and 'high' together",
    ),
    # By less than what a solver tells apart.
    (
        [
            limit("third", "offered", "at_most", 0.333333333333, of="total", each="grade"),
            sectors("at_most", 0.3),
        ],
        {},
        "limit 'third': its 3 shares add up to 99.9999999999 % of what is lent",
    ),
    (
        [limit("third", "offered", "at_least", 0.333333333334, of="total", each="grade")],
        {},
        "limit 'third': its 3 shares add up to 100.0000000002 % of what is lent",
    ),
    (
        [
            limit("low", "offered", "at_most", 0.3, of="total", where={"sector": ["s0", "s1"]}),
            limit("top", "offered", "at_most", 0.699999999999999, of="total", where={"sector": ["s2", "s3"]}),
        ],
        {},
        "limits 'low' and 'top' together: their 2 shares add up to 99.9999999999999 % of what is lent",
    ),
    ([limit("loss", "expected_loss", "at_most", 0.001, of="drawn")], {"pd": 0.01}, "limit 'loss'"),
    ([limit("yield", "gross_interest", "at_least", 0.2, of="drawn")], {}, "limit 'yield'"),
    ([limit("risk", "offered", "at_least", 0.05, of="total", weight="pd")], {"pd": 0.01}, "limit 'risk'"),
]  # fmt: skip


@pytest.mark.parametrize(("limits", "book", "told"), ONLY_EMPTY)
def test_shares_that_only_an_empty_book_keeps(limits: list[Limit], book: dict[str, Any], told: str) -> None:
    assert notes(case_of(*limits, **book)) == [f"only a book without any loan keeps {told}"]


def test_with_what_is_already_lent_no_book_with_a_loan_in_it_keeps_them() -> None:
    # 1,000 are lent to s0 already, and the other three may have a fifth of the total each.
    [told] = notes(case_of(sectors("at_most", 0.2), exposure=[1_000.0] + [0.0] * 11))
    assert told.startswith("no book with a loan in it keeps limit 'div'")
    # Where much is lent to others, a loan to s1 has room beside it.
    assert notes(case_of(sectors("at_most", 0.5), exposure=[1e6] + [0.0] * 11)) == []


@pytest.mark.parametrize(
    "limits",
    [
        [limit("third", "offered", "at_most", 0.333333333334, of="total", each="grade")],
        [limit("third", "offered", "at_least", 0.333333333333, of="total", each="grade")],
        [limit("a", "offered", "at_most", 0.999999999999, of="total", where={"grade": ["A", "B"]})],
        [limit("most", "offered", "at_least", 0.6, of="total", where={"grade": [*g]}) for g in ("AB", "BC")],
        [limit("third", "offered", "at_most", 0.333333333333, of="total", each="grade", weight="w")],
    ],
)
def test_shares_a_hair_beside_all_of_it_that_a_book_keeps_are_not_told(limits: list[Limit]) -> None:
    assert notes(case_of(*limits, numbers={"w": [0.5] * 12})) == []


@random_cases(few=60, full=600)
@given(st.lists(st.integers(0, 100), min_size=1, max_size=6), st.sampled_from(("at_most", "at_least")))
def test_disjoint_shares_are_kept_by_some_book_just_where_they_leave_room_for_all_or_none_too_many(
    percent: list[int], sense: Any
) -> None:
    shares = [
        limit(f"l{k}", "offered", sense, value / 100, of="total", where={"sector": [f"s{k}"]})
        for k, value in enumerate(percent)
    ]
    whole = sum((Fraction(value, 100) for value in percent), Fraction(0))
    impossible = whole < 1 if sense == "at_most" else whole > 1
    found = [note for note in notes(case_of(*shares, groups=len(percent), max_amount=1e6)) if "book" in note]
    assert bool(found) == impossible


@random_cases(few=60, full=1500)
@given(st.data())
def test_what_some_book_keeps_is_never_said_to_be_kept_by_none(data: DataObject) -> None:
    case = data.draw(cases(limits=0))
    book = [data.draw(st.sampled_from(naive.alternatives(case, i))) for i in range(len(case.portfolio))]
    if not any(book):
        return
    drawn = [data.draw(limits_around(case, book, f"limit {k}")) for k in range(3)]
    kept = tuple(
        one for one in drawn if all(limit_rows.kept(case, row, book) for row in limit_rows.rows_of(case, one))
    )
    found = notes(case.under(limits=kept))
    assert not [note for note in found if "no allocation" in note or "book" in note]


SLIPS = [
    (limit("m", "offered", "at_most", 0.4), "limit 'm': at most 0.4 CNY is next to nothing; if a share is "),
    (limit("m", "drawn", "at_least", 1.0), "limit 'm': at least 1 CNY is next to nothing"),
    (
        limit("m", "offered", "at_most", 5e4, where={"sector": ["s1"]}),
        "limit 'm' leaves room for 50,000, and the least that one loan can use of it is 100,000",
    ),
    (
        limit("m", "offered", "at_most", 5e4, each="sector"),
        "limit 'm[s0]' and 3 more of its values leaves room for 50,000",
    ),
    (
        limit("m", "expected_loss", "at_most", 0.05, of="budget", where={"grade": ["A"]}),
        None,
    ),
    (limit("m", "loans", "at_least", 80.0), "limit 'm' asks for at least 80 loans, and 12 is the most that "),
    (limit("m", "loans", "exactly", 13.0), "limit 'm' asks for exactly 13 loans, and 12 is the most"),
    (
        limit("m", "loans", "at_least", 11.0),
        "limit 'm' asks for 11 loans, whose smallest sizes are together 1,100,000, more than the budget",
    ),
    (
        limit("m", "offered", "at_least", 1e6, where={"sector": ["s2"]}),
        "limit 'm' asks for at least 1,000,000, and 900,000 is the most that is possible",
    ),
    (limit("m", "offered", "at_most", 0.0, where={"sector": ["s2"]}), None),
    (limit("m", "loans", "at_most", 1.0), None),
    (limit("m", "loans", "at_least", 10.0), None),
]  # fmt: skip


@pytest.mark.parametrize(("one", "told"), SLIPS)
def test_bounds_that_are_hardly_meant_so(one: Limit, told: str | None) -> None:
    found = notes(case_of(one))
    assert found == [] if told is None else found[0].startswith(told), found


def test_what_a_limit_on_a_condition_rules_out_is_its_group() -> None:
    met = (Condition("sector", ("s1",)),)
    floor = limit("m", "offered", "at_least", 1e6, where={"sector": ["s2"]})
    few = limit("n", "offered", "at_most", 5e4, where={"sector": ["s1"]})
    [small, large] = notes(case_of(replace(floor, if_lent_to=met), replace(few, if_lent_to=met)))
    assert small.endswith("100,000: nothing can be lent under it where it must hold")
    assert large.endswith("possible: nothing can be lent to {sector: s1}")
    assert notes(case_of(replace(sectors("at_most", 0.2), if_lent_to=met))) == []


def test_a_budget_below_the_smallest_loan_and_a_line_filled_by_what_is_lent() -> None:
    [told] = notes(case_of(budget=50_000.0))
    assert told.startswith(
        "the budget leaves room for 50,000, and the least that one loan can use of it is 100,000"
    )
    over = notes(case_of(limit("m", "offered", "at_most", 1e5, where={"sector": ["s0"]}), exposure=2e5))
    assert over == ["limit 'm': what is already lent is more than it allows, so that no allocation keeps it"]


def test_values_that_differ_by_blanks_or_capitals_alone() -> None:
    book = portfolio(["A", "A ", " B", "b"], texts={"sector": ["food", "Food", "Ｆood", "steel"]})
    some = policy(1e6, limit("s", "offered", "at_most", 1e5, where={"sector": ["STEEL"]}), rates=BANDS)
    alone = "differ by blanks or capitals alone and are not the same"
    assert list(spellings(book, some)) == [
        f"column grade: ' B' (1 borrower), 'B' (the policy's), 'b' (1 borrower) {alone}",
        f"column grade: 'A' (1 borrower), 'A ' (1 borrower) {alone}",
        f"column sector: 'Food' (1 borrower), 'food' (1 borrower), 'Ｆood' (1 borrower) {alone}",
        f"column sector: 'STEEL' (the policy's), 'steel' (1 borrower) {alone}",
    ]
    assert spellings(portfolio(["A", "B"]), policy(1e6)) == ()


def test_notes_grow_with_borrowers_and_values_not_with_their_product() -> None:
    n = 8_000
    book = portfolio(["A"] * n, max_amount=3e5, texts={"town": [f"t{i // 2:06d}" for i in range(n)]})
    many = limit("towns", "offered", "at_most", 5e4, each="town")
    shares = limit("parts", "offered", "at_most", 0.01, of="total", each="town")
    case = Case(book, TABLE, policy(1e9, many, shares, rates=BANDS))
    [told] = notes(case)
    assert told.startswith("limit 'towns[t000000]' and 3,999 more of its values leaves room for 50,000")


@pytest.mark.parametrize("of", [None, "total"])
def test_money_moved_that_a_loan_takes_off_is_not_said_to_be_out_of_reach(of: Any) -> None:
    """A loan to the one client of last month moves less than none."""
    bound = 1.5e5 if of is None else 0.2
    moved = limit("moved", MONEY_MOVED, "at_most", bound, of=of, rule=Changes(amounts="no_cut"))
    assert notes(case_of(moved, numbers={"former_amount": [1e5] + [0.0] * 11})) == []
