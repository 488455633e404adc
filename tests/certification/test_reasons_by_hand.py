"""Reasons for declining by hand: which word stands in whose place, and where a worth of either sign may."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from allocator.certification.limits import blocks_of
from allocator.certification.reasons import _WeighedOffers, contradicted_reasons
from allocator.records import reasons as words
from allocator.records.strategy import Strategy
from tests.builders import Case, churn_table, limit, policy, portfolio, text

TABLE = churn_table([0.04, 0.08], A=[0.0, 0.5], B=[0.0, 0.5])
MAY = "an offer that may be made"


def told(case: Case, said: list[str], strategy: Strategy, declined: Any = True, **prices: float) -> list[str]:
    scenario = replace(case.scenario, strategy=strategy)
    out = np.broadcast_to(np.asarray(declined, dtype=bool), len(said))
    return contradicted_reasons(scenario, case.inputs, out, prices, text(said)).tolist()


def test_a_file_s_own_word_is_all_that_may_be_said_of_who_is_not_in_it() -> None:
    case = Case(portfolio(["A"] * 4), TABLE, policy(1e6))
    book = Strategy("file", book=Path("book.csv"))
    said = [words.not_in("book.csv"), words.EXCLUDED, words.EXCLUDED, "not in book"]
    declined = [True, True, False, True]
    assert told(case, said, book, declined) == ["", "not in book.csv", "", "not in book.csv"]
    assert told(case, ["another"] * 4, book) == ["not in book.csv"] * 4


IMPOSSIBLE: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({}, MAY),
    "excluded": ({"exclude": True}, words.EXCLUDED),
    "excluded first": ({"exclude": True, "max_amount": 1.0, "min_rate": 0.5}, words.EXCLUDED),
    "no rate before the amounts": ({"min_rate": 0.5, "max_amount": 1.0}, words.NO_RATE),
    "at the highest rate": ({"min_rate": 0.08 + 1e-13}, MAY),
    "above the highest rate": ({"min_rate": 0.08 + 3e-12}, words.NO_RATE),
    "at the lowest rate": ({"max_rate": 0.04 - 1e-13}, MAY),
    "below the lowest rate": ({"max_rate": 0.04 - 3e-12}, words.NO_LOWER),
    "between two rates": ({"min_rate": 0.05, "max_rate": 0.07}, words.NO_LOWER),
    "a contract between two rates": ({"rate": 0.05}, MAY),
    "a contract outside the band": ({"rate": 0.16, "max_amount": 1.0}, words.OFF_CONTRACT),
    "at the smallest loan": ({"max_amount": 100_000.0}, MAY),
    "below the smallest loan": ({"max_amount": 99_999.99}, words.TOO_SMALL),
    "at his own smallest": ({"min_amount": 200_000.0, "max_amount": 200_000.0}, MAY),
    "below his own smallest": ({"min_amount": 200_000.0, "max_amount": 150_000.0}, words.TOO_SMALL),
    "at the largest ticket": ({"min_amount": 1e6}, MAY),
    "above the largest ticket": ({"min_amount": 1e6 + 50_000.0}, words.TOO_LARGE),
    "between two steps": ({"min_amount": 110_000.0, "max_amount": 140_000.0}, words.NO_STEP),
    "pinned": ({"fixed_amount": 1.0, "fixed_rate": 0.5, "min_rate": 0.5, "max_amount": 1.0}, MAY),
}


@pytest.mark.parametrize("rule", ["optimal", "by_score"])
@pytest.mark.parametrize("kind", IMPOSSIBLE)
def test_the_first_word_that_applies_is_the_one(kind: str, rule: Any) -> None:
    """Whoever is said to be declined for each word in turn is told the right one, and for that nothing."""
    columns, right = IMPOSSIBLE[kind]
    said = list(words.NO_OFFER)
    case = Case(portfolio(["A"] * len(said), **columns), TABLE, policy(1e7, step=50_000.0))
    expected = ["" if word == right else right for word in said]
    assert told(case, said, Strategy(rule), budget=0.0) == expected


def test_a_grade_without_a_band_has_no_rates() -> None:
    case = Case(portfolio(["D", "B"]), TABLE, policy(1e7, rates={"A": (0.04, 0.08), "B": (0.05, 0.07)}))
    assert told(case, [words.NO_GRADE, words.NO_RATE], Strategy("greedy")) == ["", ""]
    assert told(case, [words.NO_RATE, words.NEVER], Strategy("greedy")) == [words.NO_GRADE, words.NO_RATE]


SECTORS = limit("s", "offered", "at_most", 5e5, each="sector")
NAMED = limit("A line", "offered", "at_most", 5e5)
OWN = {
    "by_score": [words.NEVER, words.PASSED_OVER, words.no_room("budget"), words.no_room("s[food]")],
    "min_loss": [words.NOT_NEEDED],
    "ahp_lines": [
        words.NEVER, words.no_room("s[food]"), words.no_room("A line"),
        words.no_room("A line of the strategy"),
        words.no_room("B line"), words.NO_LINE, words.OUTSIDE_BAND,
    ],
}  # fmt: skip
FOREIGN = {
    "by_score": [words.NOT_NEEDED, words.NO_LINE, words.no_room("B line"), words.crowded_out("budget")],
    "min_loss": [words.NEVER, words.PASSED_OVER, words.no_room("budget")],
    "ahp_lines": [words.NOT_NEEDED, words.no_room("B line of the strategy"), words.crowded_out("budget")],
}


@pytest.mark.parametrize("rule", OWN)
def test_each_rule_has_its_own_words(rule: Any) -> None:
    own, foreign = OWN[rule], FOREIGN[rule]
    said = [*own, *foreign, words.NO_LINE]
    book = portfolio((["A", "B"] * 6)[: len(said)], texts={"sector": ["food"] * len(said)})
    case = Case(book, TABLE, policy(1e7, SECTORS, NAMED))
    declined = [True] * (len(said) - 1) + [False]
    expected = [""] * len(own) + [f"another reason by {rule}"] * len(foreign) + [""]
    assert told(case, said, Strategy(rule), declined) == expected


def weighed(word: str, free: float, priced: float, **prices: float) -> list[str]:
    """What speaks against `word` for one of food and one of steel whose offers are worth so much."""
    book = portfolio(["A", "A"], texts={"sector": ["food", "steel"]})
    share = limit("part", "offered", "at_most", 0.5, of="total", where={"sector": ["food"]})
    blocks = blocks_of(policy(1e7, SECTORS, share), book)
    held = dict.fromkeys(("budget", "s[food]", "s[steel]", "part"), 1.0) | prices
    own = _WeighedOffers(np.arange(2), np.full(2, free), np.full(2, priced), np.full(2, 0.25), blocks, held)
    return own.contradicted(text([word, word]), {}).tolist()


def test_a_worth_within_its_rounding_may_have_either_sign() -> None:
    earns, never = "an offer that earns its cost", "no offer that earns its cost"
    assert weighed(words.NEVER, 0.25, 0.0) == ["", ""]
    assert weighed(words.NEVER, 0.26, -9.0) == [earns, earns]
    assert weighed(words.BY_THE_STEP, 0.0, -0.25) == ["", ""]
    assert weighed(words.BY_THE_STEP, 0.0, -0.26) == [f"{never} at these prices"] * 2
    assert weighed(words.BY_THE_STEP, -9.0, 0.26) == ["", ""]
    assert weighed(words.crowded_out("budget"), -0.25, 0.25) == ["", ""]
    assert weighed(words.crowded_out("budget"), -0.26, 0.0) == [never, never]
    assert weighed(words.crowded_out("budget"), 0.0, 0.26) == [f"{earns} at these prices"] * 2
    assert weighed(words.crowded_out("budget"), 0.0, 0.0, budget=0.0) == ["a limit without a price"] * 2


def test_a_limit_crowds_out_whom_it_counts_or_whose_money_it_is_a_share_of() -> None:
    beside = "a limit that does not count the borrower"
    assert weighed(words.crowded_out("s[food]"), 1.0, -1.0) == ["", beside]
    assert weighed(words.crowded_out("s[steel]"), 1.0, -1.0) == [beside, ""]
    assert weighed(words.crowded_out("part"), 1.0, -1.0) == ["", ""]
    assert weighed(words.crowded_out("s"), 1.0, -1.0) == ["another reason"] * 2
    assert weighed(words.no_room("budget"), 1.0, -1.0) == ["another reason"] * 2


def test_offers_are_weighed_at_the_prices_of_all_limits() -> None:
    """A and B are worth 4 % alone; a price of 5 % on the budget sinks both, one on steel B alone."""
    book = portfolio(
        ["A", "B", "A"], pd=[0.0, 0.0, 0.9], lgd=1.0, texts={"sector": ["food", "steel", "food"]}
    )
    case = Case(book, TABLE, policy(1e7, SECTORS))
    free, steel = {"budget": 0.0, "s[food]": 0.0, "s[steel]": 0.0}, {"s[steel]": 0.05}
    said = [words.crowded_out("budget"), words.crowded_out("s[steel]"), words.NEVER]
    assert told(case, said, Strategy(), **free) == ["a limit without a price"] * 2 + [""]
    assert told(case, said, Strategy(), **{**free, "budget": 0.05}) == ["", "a limit without a price", ""]
    sunk = ["an offer that earns its cost at these prices", "", ""]
    assert told(case, said, Strategy(), **{**free, "budget": 0.01, **steel}) == sunk
    by_step = [words.BY_THE_STEP] * 3
    none = "no offer that earns its cost at these prices"
    assert told(case, by_step, Strategy(), **{**free, **steel}) == ["", none, none]
    assert told(case, by_step, Strategy(), [False, True, True], **{**free, **steel}) == ["", none, none]
    assert told(case, [words.NEVER] * 3, Strategy(), [True, False, True], **free)[1:] == ["", ""]


def test_who_is_excluded_has_no_other_reason() -> None:
    case = Case(portfolio(["A"] * 2, exclude=[True, False], pd=0.9, lgd=1.0), TABLE, policy(1e7))
    assert told(case, [words.NEVER] * 2, Strategy(), budget=0.0) == [words.EXCLUDED, ""]
    assert told(case, [words.NEVER] * 2, Strategy("greedy")) == [words.EXCLUDED, ""]
