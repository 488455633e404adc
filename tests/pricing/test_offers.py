"""The offer book: what may be offered to whom, at what worth, and why some get nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from allocator.engine.kernel.columns import Columns
from allocator.errors import InputError
from allocator.limits import compile_limits
from allocator.pricing.offers import own_rates, price_offers
from allocator.records.curves import Response
from allocator.records.offers import OfferBook
from allocator.records.portfolio import Portfolio
from allocator.testing import plain as naive
from tests.builders import Case, churn_table, policy, portfolio
from tests.strategies import cases, random_cases

TABLE = churn_table([0.04, 0.08, 0.12], A=[0.0, 0.3, 0.8], B=[0.1, 0.25, 0.6])


def offers_of(book: Portfolio, **terms: Any) -> OfferBook:
    return price_offers(book, TABLE, Response(Path("churn.csv")), policy(1e6, **terms))


def reasons(offers: OfferBook) -> list[str]:
    names = [*offers.no_offer.values, ""]
    return [names[code] for code in offers.no_offer.codes]


@random_cases(40, full=400)
@given(cases())
def test_every_offer_is_worth_what_the_formulation_says(case: Case) -> None:
    """Each alternative of each borrower, one by one, by the plain rules."""
    offers = price_offers(case.portfolio, case.table, case.scenario.response, case.policy)
    columns = Columns(offers, compile_limits(case.policy, case.portfolio))
    for i in range(len(offers)):
        found = naive.alternatives(case, i)
        assert (offers.menu[i] >= 0) == any(found)
        for offer in filter(None, found):
            menu = offers.menus[offers.menu[i]]
            k = int(np.argmin(np.abs(menu.rates - offer.rate)))
            assert menu.rates[k] == pytest.approx(offer.rate, abs=1e-12)
            assert menu.take_up[k] == pytest.approx(offer.take_up, abs=1e-12)
            assert offers.low[i] <= offer.amount <= offers.high[i]
            option, amount = np.full(len(offers), -1, dtype=np.int32), np.zeros(len(offers))
            option[i], amount[i] = k, offer.amount
            assert columns.values(option, amount)[i] == pytest.approx(naive.worth(case, i, offer), abs=1e-9)


def test_a_contract_has_one_rate_and_a_highest_rate_cuts_the_menu() -> None:
    book = portfolio(
        ["A", "A", "A", "A", "B"],
        rate=[0.1, np.nan, 0.16, np.nan, 0.06],
        max_rate=[np.nan, 0.08, np.nan, 0.03, np.nan],
    )
    offers = offers_of(book)

    rates = [offers.menus[k].rates.tolist() if k >= 0 else [] for k in offers.menu.tolist()]
    assert rates == [[0.1], [0.04, 0.08], [], [], [0.06]]
    assert offers.menus[offers.menu[0]].take_up == pytest.approx([0.45])
    assert not offers.must.any()
    assert reasons(offers) == [
        *("", "", "contract rate outside the band of the grade"),
        *("no rate at or below the borrower's maximum", ""),
    ]


def test_contracts_beside_open_rates_are_told() -> None:
    book = portfolio(["A", "A", "A"], rate=[0.1, np.nan, np.nan])

    assert own_rates(book, policy(1e6)) == (
        "1 loan has a contract rate (column rate) and may be offered no other",
    )
    assert own_rates(book, policy(1e6, by_contract=True)) == ()
    assert own_rates(book.take(np.array([1, 2])), policy(1e6)) == ()


def test_by_contract_every_loan_needs_a_rate() -> None:
    book = portfolio(["A", "A", "A"], rate=[0.1, np.nan, np.nan], exclude=[False, False, True])

    with pytest.raises(InputError) as caught:
        offers_of(book, by_contract=True)

    (fault,) = caught.value.faults
    assert fault.field == "rate"
    assert (fault.problem, fault.row) == ("no contract rate", 2)
    assert offers_of(book.take(np.array([0])), by_contract=True).menus[0].rates.tolist() == [0.1]


def test_a_contract_beyond_the_curve_is_a_fault() -> None:
    with pytest.raises(InputError, match=r"0\.13 lies outside the churn curve, 0\.04 to 0\.12"):
        offers_of(portfolio(["A"], rate=0.13), rates={"A": (0.04, 0.2)})


def test_the_first_reason_that_applies_is_named() -> None:
    book = portfolio(
        ["A", "D", "A", "A", "A", "A", "A"],
        exclude=[True, True, False, False, False, False, False],
        min_rate=[np.nan, np.nan, 0.13, np.nan, np.nan, np.nan, np.nan],
        min_amount=[0, 0, 0, 0, 300_000, 130_000, 0],
        max_amount=[np.inf, np.inf, np.inf, 60_000, 400_000, 140_000, 200_000],
    )
    offers = offers_of(book, ticket=(100_000.0, 200_000.0), step=50_000.0)
    assert reasons(offers) == [
        "excluded",
        "excluded",
        "no rate at or above the borrower's minimum",
        "request below the smallest loan",
        "smallest loan wanted above the largest ticket",
        "no multiple of the step fits",
        "",
    ]
    assert offers.menu.tolist() == [-1] * 6 + [offers.menu[6]]
    assert list(offers.no_offer.values) == sorted(offers.no_offer.values)


def test_a_grade_without_a_band_is_refused_for_that() -> None:
    assert reasons(offers_of(portfolio(["A", "D"]))) == ["", "no rates for this grade"]


@pytest.mark.parametrize(
    ("ticket", "step", "wanted", "ends"),
    [
        ((100_000.0, 250_000.0), 100_000.0, (0.0, np.inf), (100_000.0, 200_000.0)),
        ((1.0, 10.0), 0.3, (0.0, np.inf), (1.2, 9.9)),
        ((0.05, 1.0), 0.01, (0.07, 0.57), (0.07, 0.57)),
        ((100.0, 1e9), None, (100.004, 123_456_789.999), (100.01, 123_456_789.99)),
        ((100_000.0, 1e6), 50_000.0, (100_000.04, 199_999.96), (150_000.0, 150_000.0)),
    ],
)
def test_amounts_lie_inside_what_is_wanted_and_allowed(
    ticket: tuple[float, float], step: float | None, wanted: tuple[float, float], ends: tuple[float, float]
) -> None:
    """Multiples of the step, else of the cent: rounded inwards, and never by more than division's error."""
    book = portfolio(["A"], min_amount=wanted[0], max_amount=wanted[1])
    offers = offers_of(book, ticket=ticket, step=step)
    assert (offers.low[0], offers.high[0]) == pytest.approx(ends, rel=1e-15)
    assert offers.step == (None if step == 0.01 else step)


def test_a_pinned_offer_stays_as_it_is() -> None:
    """Its amount need not fit the ticket or the step, nor its rate the band; its churn is interpolated."""
    book = portfolio(["A", "A"], fixed_amount=[70_000.5, np.nan], fixed_rate=[0.05, np.nan])
    offers = offers_of(book, step=50_000.0, rates={"A": (0.08, 0.12)})
    pinned, free = (offers.menus[m] for m in offers.menu)
    assert (pinned.rates.tolist(), pinned.take_up.tolist()) == ([0.05], [pytest.approx(0.925)])
    assert free.rates.tolist() == [0.08, 0.12]
    assert offers.low[0] == offers.high[0] == 70_000.5
    assert offers.must.tolist() == [True, False]


def test_borrowers_share_a_menu_unless_their_own_minimum_cuts_it() -> None:
    offers = offers_of(portfolio(["A", "B", "A", "A"], min_rate=[np.nan, np.nan, 0.08, 0.05]))
    assert [offers.menus[m].rates.tolist() for m in offers.menu] == [
        [0.04, 0.08, 0.12], [0.04, 0.08, 0.12], [0.08, 0.12], [0.08, 0.12],
    ]  # fmt: skip
    assert offers.menu[2] == offers.menu[3]
    assert len(offers.menus) == 3


def test_refusing_everybody_costs_the_relationships_that_are_lost() -> None:
    book = portfolio(["A", "D"], relationship_value=[1_000.0, 500.0])
    assert offers_of(book, decline_churn=0.2).refusal_constant == pytest.approx(-300.0)
    assert offers_of(book).refusal_constant == 0.0


def test_pinned_offers_of_one_cause_are_one_fault() -> None:
    many = 1_058
    book = portfolio(["A", "D"] * many, fixed_amount=2e5, fixed_rate=[0.05, 0.05] * many)
    with pytest.raises(InputError) as caught:
        offers_of(book, rates={"A": (0.04, 0.1)})
    [fault] = caught.value.faults
    assert fault.row == 2
    assert fault.problem == (
        "a pinned offer for grade D, which policy.rates does not name, in 1,058 rows: 2, 4, 6, 8, 10, ..."
    )


def test_every_pinned_offer_that_cannot_be_made_is_named() -> None:
    book = portfolio(
        ["A", "D", "A"],
        fixed_amount=[100.0, 200.0, 300.0],
        fixed_rate=[0.2, 0.08, 0.08],
        exclude=[False, False, True],
    )
    with pytest.raises(InputError) as caught:
        offers_of(book)
    assert str(caught.value) == (
        "pinned offers: 3 faults\n"
        "  borrowers.csv, row 1, fixed_rate: 0.2 lies outside the churn curve, 0.04 to 0.12; "
        "pin a rate that the curve covers, as a fraction\n"
        "  borrowers.csv, row 2, fixed_rate: a pinned offer for grade D, which policy.rates does not name; "
        "give the grade a band or clear the fixed amount and rate\n"
        "  borrowers.csv, row 3, fixed_amount: a pinned offer for an excluded borrower; "
        "clear exclude or the fixed amount and rate"
    )


def test_every_band_that_the_curve_does_not_fit_is_named() -> None:
    bands = {"A": (0.05, 0.06), "B": (0.04, 0.12), "C": (0.04, 0.12)}
    with pytest.raises(InputError) as caught:
        offers_of(portfolio(["A"]), rates=bands)
    message = str(caught.value)
    assert message.startswith("rates and churn curve: 2 faults\n")
    assert "policy.rates.A: none of the curve's rates lies from 5% to 6%" in message
    assert "policy.rates.C: no churn column for grade C; there are A, B" in message
