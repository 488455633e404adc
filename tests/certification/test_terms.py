"""What may be offered to whom, read a second time: the same as pricing says, by other code."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.certification.terms import take_up_of, terms_of
from allocator.pricing.offers import price_offers
from allocator.testing import plain as naive
from tests.builders import Case, churn_table, policy, portfolio
from tests.strategies import cases, random_cases


@random_cases(60, full=600)
@given(cases())
def test_both_rooms_offer_the_same(case: Case) -> None:
    offers = price_offers(case.portfolio, case.table, case.scenario.response, case.policy)
    terms = terms_of(case.portfolio, case.table, case.scenario.response, case.policy)
    for i, menu_at in enumerate(offers.menu):
        if menu_at < 0:
            continue
        assert terms.lendable[i]
        assert (terms.low[i], terms.high[i]) == (offers.low[i], offers.high[i])
        menu = offers.menus[menu_at]
        for rate, expected in zip(menu.rates, menu.take_up, strict=True):
            asked = np.full(len(offers), np.nan)
            asked[i] = rate
            take_up, allowed = take_up_of(case.portfolio, terms, asked)
            assert allowed.all()
            assert take_up[i] == pytest.approx(expected, abs=1e-12)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_smoothing_is_isotonic_regression(churn: list[float]) -> None:
    table = churn_table(np.linspace(0.04, 0.15, len(churn)), A=churn)
    case = Case(portfolio(["A"]), table, policy(1e6, rates={"A": (0.04, 0.15)}), smoothing="isotonic")
    terms = terms_of(case.portfolio, table, case.scenario.response, case.policy)
    np.testing.assert_allclose(terms.curve["A"], naive.pooled(tuple(churn)), atol=1e-12)
    assert np.all(np.diff(terms.curve["A"]) >= 0)


@pytest.mark.parametrize(
    ("band", "step", "rates"),
    [
        ((0.05, 0.11), None, [0.08]),
        ((0.04, 0.12), None, [0.04, 0.08, 0.12]),
        ((0.04, 0.06), 0.01, [0.04, 0.05, 0.06]),
        ((0.05, 0.0775), 0.01, [0.05, 0.06, 0.07, 0.0775]),
        ((0.06, 0.06), 0.01, [0.06]),
    ],
)
def test_a_band_s_rates_include_both_ends(
    band: tuple[float, float], step: float | None, rates: list[float]
) -> None:
    table = churn_table([0.04, 0.08, 0.12], A=[0.0, 0.4, 0.8])
    case = Case(portfolio(["A"]), table, policy(1e6, rates={"A": band}, rate_step=step))
    tariff = terms_of(case.portfolio, table, case.scenario.response, case.policy).tariffs["A"]
    assert tariff.rates.tolist() == pytest.approx(rates, abs=1e-15)
    assert tariff.take_up.tolist() == pytest.approx([1 - 10 * (r - 0.04) for r in rates], abs=1e-12)


def test_a_rate_must_be_one_of_the_menu_not_near_one() -> None:
    table = churn_table([0.04, 0.08, 0.12], A=[0.0, 0.4, 0.8])
    book = portfolio(["A"] * 6, min_rate=[np.nan, np.nan, np.nan, 0.05, 0.04, np.nan])
    case = Case(book, table, policy(1e6, rates={"A": (0.04, 0.12)}))
    terms = terms_of(book, table, case.scenario.response, case.policy)
    rates = np.array([0.04, 0.04 + 1e-9, 0.5, 0.04, 0.04, np.nan])
    take_up, allowed = take_up_of(book, terms, rates)
    assert allowed.tolist() == [True, False, False, False, True, True]
    assert take_up[[0, 5]].tolist() == [1.0, 0.0]


def test_the_nearest_rate_of_the_menu_is_offered_to_within_its_last_trillionth() -> None:
    """Exactly 1e-12 off is the same rate, for the menu and for who asks for a least rate; of a grade whose
    band holds none of the table's rates none is."""
    table = churn_table([0.0, 0.08, 0.12], A=[0.25, 0.5, 0.75], B=[0.25, 0.5, 0.75])
    book = portfolio(list("AAAAAB"), min_rate=[np.nan, np.nan, 1e-12, 2e-12, np.nan, np.nan])
    rules = policy(1e6, rates={"A": (0.0, 0.08), "B": (0.01, 0.07)})
    terms = terms_of(book, table, Case(book, table, rules).scenario.response, rules)
    rates = np.array([1e-12, 1.5e-12, 0.0, 0.0, 0.12, 0.04])
    take_up, allowed = take_up_of(book, terms, rates)
    assert allowed.tolist() == [True, False, True, False, False, False]
    assert take_up[[0, 2, 3, 4, 5]].tolist() == [0.75, 0.75, 0.75, 0.25, 1 - 0.375]


def test_who_may_be_offered_what() -> None:
    """Amounts in whole steps within the ticket and the borrower's own; a pin is taken as it stands."""
    book = portfolio(
        list("AAAACA"),
        min_amount=[0.0, 110.0, 90.0, 0.0, 0.0, 0.0],
        max_amount=[1e9, 190.0, 99.0, 1e9, 1e9, 1e9],
        exclude=[False, False, False, True, False, True],
        fixed_amount=[np.nan, np.nan, np.nan, np.nan, np.nan, 7.0],
        fixed_rate=[np.nan, np.nan, np.nan, np.nan, np.nan, 0.5],
    )
    table = churn_table([0.04], A=[0.0], C=[0.0])
    rules = policy(1e6, rates={"A": (0.04, 0.04)}, ticket=(60.0, 500.0), step=50.0)
    terms = terms_of(book, table, Case(book, table, rules).scenario.response, rules)
    assert terms.lendable.tolist() == [True, True, False, False, False, False]
    assert terms.low.tolist() == [100.0, 150.0, 100.0, 100.0, 100.0, 7.0]
    assert terms.high.tolist() == [500.0, 150.0, 50.0, 500.0, 500.0, 7.0]
    assert terms.pinned.tolist() == [False] * 5 + [True]
    pinned = terms_of(
        replace(book, exclude=np.zeros(6, dtype=bool)),
        table,
        Case(book, table, rules).scenario.response,
        rules,
    )
    assert pinned.lendable.tolist() == [True, True, False, True, False, True]
    assert take_up_of(book, pinned, np.array([0.04, 0.05, 0.04, np.nan, 0.04, 0.5]))[1].tolist() == [
        True, False, True, True, False, True,
    ]  # fmt: skip
