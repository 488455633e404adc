"""Segments: who shares a posted rate, and what is wrong with a column of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from allocator.errors import InputError
from allocator.pricing.offers import price_offers
from allocator.pricing.segments import unknown_values
from allocator.records.curves import Response
from allocator.records.offers import PostedSegments
from allocator.records.portfolio import Portfolio
from allocator.records.price_lists import Posting
from allocator.records.reasons import NOT_POSTED
from tests.builders import churn_table, policy, portfolio

TABLE = churn_table([0.04, 0.08, 0.12], A=[0.0, 0.3, 0.8], B=[0.1, 0.25, 0.6])
RATES = {"A": (0.04, 0.08), "B": (0.08, 0.12)}
BOOK = portfolio(["A", "B", "A"], texts={"sector": ["food", "steel", "retail"]})


def segments(posting: Posting, book: Portfolio = BOOK) -> PostedSegments:
    offers = price_offers(book, TABLE, Response(Path("churn.csv")), policy(1e6, rates=RATES, posting=posting))
    assert offers.posted is not None
    return offers.posted


def test_a_value_posts_the_rates_of_every_grade() -> None:
    shared = segments(Posting(by_grade=False, column="sector", groups={"food": "shops", "retail": "shops"}))
    assert shared.names == ("shops", "steel")
    assert [rates.tolist() for rates in shared.rates] == [[0.04, 0.08, 0.12]] * 2
    assert shared.chains == ((0,), (1,))


def test_a_grade_and_a_value_post_the_rates_of_the_grade() -> None:
    apart = segments(Posting(rising=True, column="sector", groups={"food": "shops", "retail": "shops"}))
    assert apart.names == ("A / shops", "B / shops", "A / steel", "B / steel")
    assert [rates.tolist() for rates in apart.rates] == [[0.04, 0.08], [0.08, 0.12]] * 2
    assert apart.chains == ((0, 1), (2, 3))


def test_a_rate_that_the_grade_may_not_post_is_told() -> None:
    posting = Posting(by_grade=False, column="sector")
    held = policy(1e6, rates=RATES, posting=posting, posted={"food": 0.12, "steel": 0.12, "retail": 0.04})
    offers = price_offers(BOOK, TABLE, Response(Path("churn.csv")), held)
    names = [*offers.no_offer.values, ""]
    assert [names[code] for code in offers.no_offer.codes] == [NOT_POSTED, "", ""]


def test_what_is_no_column_of_segments() -> None:
    lacking = portfolio(["A", "B"], texts={"sector": ["food", None]})
    blanks = portfolio(["A", "B"], texts={"sector": ["food", "  "]})
    many = portfolio(["A"] * 201, texts={"sector": [f"s{k}" for k in range(201)]})
    same = portfolio(["A", "A / x"], texts={"sector": ["x / y", "y"]})
    rates = {"A": (0.04, 0.08), "A / x": (0.04, 0.08)}
    cases = [
        (lacking, RATES, "pricing posts a rate for each sector, which is blank"),
        (blanks, RATES, "pricing posts a rate for each sector, which is blank"),
        (many, {"A": (0.04, 0.08)}, "a price list of 201 segments, expected 200 at most"),
        (same, rates, "two grades and values of sector have the same name, 'A / x / y'"),
    ]
    table = churn_table([0.04, 0.08], **{"A": [0.0, 0.3], "A / x": [0.0, 0.3], "B": [0.0, 0.3]})
    for book, bands, message in cases:
        asked = policy(1e6, rates=bands, posting=Posting(column="sector"))
        with pytest.raises(InputError, match=message):
            price_offers(book, table, Response(Path("churn.csv")), asked)


def test_a_group_by_the_name_of_a_value_that_it_does_not_list() -> None:
    book = portfolio(["A", "B"], texts={"sector": ["food", "steel"]})
    table = churn_table([0.04, 0.08], A=[0.0, 0.3], B=[0.0, 0.3])
    held = policy(1e6, rates=RATES, posting=Posting(column="sector", groups={"steel": "food"}))
    with pytest.raises(InputError, match="the group 'food' has the name of a value of sector"):
        price_offers(book, table, Response(Path("churn.csv")), held)


def test_values_of_nobody_are_noted() -> None:
    asked = policy(1e6, posting=Posting(column="sector", groups={"food": "a", "coal": "a"}))
    assert unknown_values(BOOK, asked) == (
        "pricing puts together values of sector that no borrower has: 'coal'",
    )
