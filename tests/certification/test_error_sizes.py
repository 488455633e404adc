"""What rounding may have done to a bound, in closed form: magnitudes before they cancel, by operations."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest

from allocator.certification.bound import (
    Magnitudes,
    OfferMagnitudes,
    best_reduced_values,
    error_of,
    idle_worth,
    sum_of_best,
    upper_bound,
    whole_bound,
)
from allocator.certification.limits import Sizes, blocks_of, charges_of
from allocator.certification.rounding import HUGE, UNIT, Rounded
from allocator.certification.terms import terms_of
from tests.builders import Case, churn_table, limit, policy, portfolio

TABLE = churn_table([0.125, 0.25], A=[0.0, 0.5])
RULES = policy(
    1_024.0,
    rates={"A": (0.125, 0.25)},
    ticket=(16.0, 256.0),
    funding_rate=-0.5,
    churn_cost_rate=-0.125,
    decline_churn=0.5,
    processing_cost=-32.0,
    idle_rate=0.25,
)
BOOK = portfolio(["A", "A"], pd=0.25, lgd=0.5, term=2.0, relationship_value=[-64.0, 8.0])


def sizes(book: object = BOOK, decided: object = None) -> OfferMagnitudes:
    case = Case(book, TABLE, RULES)  # type: ignore[arg-type]
    terms = terms_of(case.portfolio, TABLE, case.scenario.response, RULES)
    return Magnitudes.of(case.portfolio, RULES, terms, decided).take(slice(None))  # type: ignore[arg-type]


def test_magnitudes_of_an_offer() -> None:
    """At the highest rate of 1/4: 1/2 a unit gross, and 5/8 of it + 1/8 + 1 + 1/4 before anything cancels."""
    own = sizes()
    assert own.gross.tolist() == [0.5, 0.5]
    assert own.per_unit.tolist() == [0.5 * 1.25 + 0.125 + 1.0 + 0.25] * 2
    assert own.fixed.tolist() == [2.5 * 64 + 32, 2.5 * 8 + 32]
    assert own.errors(np.array([256.0, 16.0])).tolist() == pytest.approx(
        [26 * 1.001 * UNIT * (512.0 + 192.0), 26 * 1.001 * UNIT * (32.0 + 52.0)], rel=1e-12, abs=0
    )
    assert own.take(np.array([1])).fixed.tolist() == [52.0]


def test_pinned_and_decided_rates_count_too() -> None:
    pinned = portfolio(["A"], term=2.0, fixed_amount=20.0, fixed_rate=0.5)
    assert sizes(pinned).gross.tolist() == [1.0]
    assert sizes(decided=np.array([0.75, np.nan])).gross.tolist() == [1.5, 1.5]


def test_charges_add_their_magnitudes_and_operations() -> None:
    charges: dict[str, Sizes] = {"offered": 1.0, "drawn": np.array([2.0, 0.5]), "interest": 4.0}
    charges |= {"loans": 1.0, "booked": 2.0}
    charged = sizes().charged(np.array([8.0, 16.0]), charges, 7)
    assert charged.tolist() == pytest.approx(
        [33 * 1.001 * UNIT * (8 * 7.0 + 192 + 3), 33 * 1.001 * UNIT * (16 * 5.5 + 52 + 3)], rel=1e-12, abs=0
    )
    assert error_of(10, 4.0) == pytest.approx(40.04 * UNIT, rel=1e-12, abs=0)


def test_a_sum_leaves_out_whoever_is_refused_for_certain() -> None:
    best, errors = np.array([-5.0, 3.0, -1.0, -2.0, -7.0]), np.array([1.0, 0.5, 1.0, 0.25, 2e250])
    total = sum_of_best(best, errors, np.array([True, True, True, False, False]))
    assert total.value == 3.0 - 2.0 - 7.0
    assert total.error == 0.5 + 1.0 + 0.25 + 2e250
    some = sum_of_best(best[:4], errors[:4], np.array([True, True, True, False]))
    assert (some.value, some.error) == (1.0, 1.75 + 4 * UNIT * 5.0)
    lost = np.array([-1e300])
    assert sum_of_best(lost, np.array([HUGE]), np.array([True])).error == 0.0
    assert sum_of_best(lost, np.array([2 * HUGE]), np.array([True])).error == 2 * HUGE


@pytest.mark.parametrize(
    ("price", "worth", "size"), [(0.125, 128.0, 0.375), (-0.125, 256.0, 0.375), (0.5, 0.0, 0.75)]
)
def test_idle_money_has_an_error_of_its_own(price: float, worth: float, size: float) -> None:
    prices = {"budget": price}
    charges = charges_of(blocks_of(RULES, BOOK), {"budget": 0.0})
    assert idle_worth(RULES, prices) == worth
    total = whole_bound(RULES, charges, Rounded(0.0, 0.0), prices)
    assert (charges.constant, total.value) == (0.0, worth)
    assert total.error == pytest.approx(26 * UNIT * 1_024 * size + 3 * UNIT * worth, rel=1e-12, abs=0)


def test_idle_money_has_two_operations_more_a_limit() -> None:
    rules = replace(
        RULES, limits=(limit("a", "offered", "at_most", 1.0), limit("b", "loans", "at_most", 1.0))
    )
    charges = charges_of(blocks_of(rules, BOOK), {})
    total = whole_bound(rules, charges, Rounded(0.0, 0.0), {"budget": 0.125})
    assert total.error == pytest.approx(30 * UNIT * 1_024 * 0.375 + 3 * UNIT * 128, rel=1e-12, abs=0)


def test_the_constant_has_its_operations() -> None:
    """A price of 1/8 on 1,024: 5 + 2 + 1 for a charge, and 128 for a right-hand side."""
    charges = charges_of(blocks_of(RULES, BOOK), {"budget": 0.125})
    assert (charges.constant, charges.constant_size) == (128.0, 128.0)
    assert (charges.operations, charges.constant_operations) == (8, 136)
    total = whole_bound(RULES, charges, Rounded(16.0, 2.0**-40), {"budget": 0.125})
    assert total.value == 128.0 + 16.0 + 128.0
    error = 2.0**-40 + 136 * 1.001 * UNIT * 128 + 26 * UNIT * 1_024 * 0.375 + 3 * UNIT * 272
    assert total.error == pytest.approx(error, rel=1e-12, abs=0)


def test_best_values_are_at_least_a_refusals_unless_pinned() -> None:
    """100 at a pinned rate whose losses exceed it; a free borrower at half a unit of worth; and a bad one."""
    book = portfolio(
        ["A"] * 4,
        pd=[0.5, 0.0, 0.5, 0.0],
        lgd=1.0,
        fixed_amount=[64.0, np.nan, np.nan, np.nan],
        fixed_rate=[0.125, np.nan, np.nan, np.nan],
        exclude=[False, False, False, True],
    )
    rules = policy(1_024.0, rates={"A": (0.125, 0.25)}, ticket=(16.0, 256.0))
    case = Case(book, TABLE, rules)
    terms = terms_of(book, TABLE, case.scenario.response, rules)
    charges = charges_of(blocks_of(rules, book), {"budget": 0.0})
    found = best_reduced_values(book, rules, terms, charges)
    assert found.tolist() == [64 * (0.125 * 0.5 - 0.5), 256 * 0.125, 0.0, 0.0]


def test_prices_too_large_give_no_warning() -> None:
    entry = limit("l", "offered", "at_most", 1.0, weight="w")
    book = portfolio(["A"], numbers={"w": [1e300]})
    rules = policy(1e6, entry, rates={"A": (0.125, 0.25)})
    case = Case(book, TABLE, rules)
    terms = terms_of(book, TABLE, case.scenario.response, rules)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for price in (1e300, -1e300):
            prices = {"budget": 1e308, "l": price}
            assert upper_bound(book, rules, terms, blocks_of(rules, book), prices) == np.inf


@pytest.mark.parametrize(("pd", "kept"), [(0.5, 64.0), (0.125, 1.0)])
def test_the_lower_end_counts_where_it_may_be_the_better_one(pd: float, kept: float) -> None:
    """A pinned offer has one end; a smallest loan is made for the relationship, worth half of `kept`."""
    book = portfolio(["A"], pd=pd, lgd=1.0, relationship_value=kept, max_amount=256.0)
    rules = policy(1_024.0, rates={"A": (0.125, 0.125)}, ticket=(16.0, 256.0), decline_churn=0.5)
    case = Case(book, TABLE, rules)
    terms = terms_of(book, TABLE, case.scenario.response, rules)
    charges = charges_of(blocks_of(rules, book), {"budget": 0.0})
    found = best_reduced_values(book, rules, terms, charges)
    assert found.tolist() == [16 * (0.125 * (1 - pd) - pd) + kept / 2]


def test_the_largest_sizes_are_no_less_than_anybodys() -> None:
    """So whoever they leave declined for certain is so by his own sizes, and adds nothing to the error."""
    book = portfolio(
        ["A"] * 3,
        pd=[0.5, 0.0, 0.25],
        lgd=[0.0, 1.0, 0.5],
        term=[1.0, 4.0, 2.0],
        relationship_value=[-64.0, 8.0, 0.0],
        numbers={"w": [-3.0, 2.0, 0.0]},
    )
    entries = (
        limit("l", "drawn", "at_most", 0.5, of="drawn", weight="w"),
        limit("m", "loans", "at_least", 1.0),
    )
    rules = replace(RULES, limits=entries)
    terms = terms_of(book, TABLE, Case(book, TABLE, rules).scenario.response, rules)
    magnitudes = Magnitudes.of(book, rules, terms)
    charges = charges_of(blocks_of(rules, book), {"budget": 0.5, "l": 2.0, "m": -3.0})
    largest = magnitudes.largest().charged(np.array([256.0]), charges.largest(), charges.operations)
    own = magnitudes.take(slice(None)).charged(
        np.array([256.0, 16.0, 64.0]), charges.sizes(), charges.operations
    )
    assert charges.largest() == {"offered": 0.5, "drawn": 7.0, "interest": 0.0, "loans": 3.0, "booked": 0.0}
    assert np.all(largest >= own)
    some = np.array([2, 0])
    assert np.array_equal(charges.sizes(some)["drawn"], np.asarray(charges.sizes()["drawn"])[some])
