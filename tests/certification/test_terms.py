"""What may be offered to whom, read a second time: the same as pricing says, by other code."""

from __future__ import annotations

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
