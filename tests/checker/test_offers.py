"""What may be offered to whom, and what it earns: lots, menus, books and ledgers by hand."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from allocator import checker
from allocator.checker import Facts, Wrong
from tests.checker.people import borrowers, policy

CENTS = Fraction(1, 100)


def snapped(values: list[float], lot: Any, up: bool) -> list[float]:
    return [float(x) for x in checker.snapped(np.array(values), lot, up=up)]


@pytest.mark.parametrize(
    ("lot", "value", "down", "up"),
    [
        (CENTS, 0.29, 0.29, 0.29), (CENTS, 0.295, 0.29, 0.3), (CENTS, 1e15 + 0.125, 1e15 + 0.12, 1e15 + 0.13),
        (Fraction(50), 149.99, 100.0, 150.0), (Fraction(50), 150.0, 150.0, 150.0),
        (Fraction(5, 2), 7.4, 5.0, 7.5), (Fraction(1, 8), 0.3, 0.25, 0.375),
        (Fraction(1, 1000), 0.0075, 0.007, 0.008),
    ],
)  # fmt: skip
def test_amounts_in_whole_lots(lot: Fraction, value: float, down: float, up: float) -> None:
    assert snapped([value], lot, False) == [down]
    assert snapped([value], lot, True) == [up]


def piece(*parts: tuple[float, float, float]) -> list[tuple[Any, ...]]:
    return [tuple(np.array([x]) for x in part) for part in parts]


STEPS = piece((1, 9_999, 1_000), (10_000, 49_999, 5_000), (50_000, 100_000, 20_000))
"""Cents: steps of 10 below 100, of 50 below 500 and of 200 to 1,000."""


@pytest.mark.parametrize(
    ("value", "down", "up"),
    [(5.0, -math.inf, 10.0), (10.0, 10.0, 10.0), (95.0, 90.0, 100.0), (120.0, 100.0, 150.0),
     (450.0, 450.0, 450.0), (451.0, 450.0, 600.0), (599.99, 450.0, 600.0), (601.0, 600.0, 800.0),
     (1000.0, 1000.0, 1000.0),
     (1000.01, 1000.0, math.inf), (0.0, -math.inf, 10.0)],
)  # fmt: skip
def test_amounts_in_steps_by_size(value: float, down: float, up: float) -> None:
    assert snapped([value], STEPS, False) == [down]
    assert snapped([value], STEPS, True) == [up]


def test_steps_by_size_end_a_cent_below_the_next() -> None:
    sizes = {"by_size": [{"below": 100, "step": 10}, {"below": 500, "step": 50}, {"step": 200}]}
    rules = policy(ticket={"min": 1, "max": 1000, "step": sizes})
    found = checker.lot_of(borrowers(1), rules)
    assert [tuple(float(x[0]) for x in part) for part in found] == [
        (1, 9_999, 1_000), (10_000, 49_999, 5_000), (50_000, 100_000, 20_000)
    ]  # fmt: skip
    assert checker.grain_of(found) == 10
    small = checker.lot_of(borrowers(1), policy(ticket={"min": 1, "max": 300, "step": sizes}))
    assert [float(part[1][0]) for part in small] == [9_999, 30_000, 30_000]
    assert checker.grain_of(small) == 10


def test_a_step_may_be_the_borrowers_own() -> None:
    people = borrowers(3, {"own": [25.0, 0.5, math.nan]})
    found = checker.lot_of(people, policy(ticket={"min": 1, "max": 1000, "step": {"column": "own"}}))
    assert [own.tolist() for own in found[0]] == [[1, 1, 1], [100_000, 100_000, 0], [2_500, 50, 1]]
    assert checker.grain_of(found) == Fraction(1, 2)
    assert checker.snapped(np.full(3, 70.3), found).tolist() == [50.0, 70.0, -math.inf]


def test_a_menu_is_of_amounts_or_of_shares_of_what_is_asked() -> None:
    people = borrowers(2, {"max_amount": [400.0, 90.01]})
    plain = checker.lot_of(people, policy(ticket={"min": 1, "max": 300, "menu": {"amounts": [50, 120, 301]}}))
    assert checker.snapped(np.array([119.0, 500.0]), plain).tolist() == [50.0, 120.0]
    assert checker.snapped(np.array([51.0, 121.0]), plain, up=True).tolist() == [120.0, math.inf]
    shares = {"min": 1, "max": 300, "menu": {"of": "requests", "amounts": [0.25, 0.5, 1]}}
    people.numbers |= {"former_amount": np.array([80.0, 0.0])}
    checker.hold_to({"amounts": "no_rise"}, people)
    assert people.numbers["max_amount"].tolist() == [80.0, 90.01], "shares are of what was asked before"
    found = checker.lot_of(people, policy(ticket=shares))
    assert [part[2].tolist() for part in found] == [[10_000, 2_250], [20_000, 4_500], [40_000, 9_001]]
    assert [part[1].tolist() for part in found] == [[10_000, 2_250], [20_000, 4_500], [30_000, 9_001]]
    assert checker.snapped(np.array([300.0, 90.01]), found).tolist() == [200.0, 90.01]
    assert checker.grain_of(found) == CENTS


def test_without_a_step_amounts_go_by_cents() -> None:
    assert checker.lot_of(borrowers(1), policy()) == CENTS
    assert checker.lot_of(borrowers(1), policy(ticket={"min": 1, "max": 9, "step": 0.1})) == Fraction(1, 10)
    assert checker.grain_of(Fraction(5)) == 5


def menus(rates: list[float], walk: list[float]) -> tuple[dict[str, Facts], dict[str, Facts]]:
    """Menu and curve of grade A."""
    curve = Facts(rates=rates, churn=[Fraction(w) for w in walk])
    return {"A": checker.menu_of(rates, curve)}, {"A": curve}


RATES = ([0.125, 0.25, 0.5], [0.0, 0.25, 0.5])


def book(numbers: dict[str, list[float]] | None = None, n: int = 1, **own: Any) -> Facts:
    rules = policy(**{"rates": {"A": [0.125, 0.5]}, **own})
    texts = {"exclude": own.pop("exclude")} if "exclude" in own else {}
    return checker.book_of(borrowers(n, numbers, **texts), rules, menus(*RATES)[0], None)


WHY = checker.NO_OFFER


@pytest.mark.parametrize(
    ("numbers", "why", "low", "high"),
    [
        ({}, "", 1.0, 400.0),
        ({"max_amount": [600.0], "min_amount": [7.001]}, "", 7.01, 500.0),
        ({"rate": [0.2]}, "", 1.0, 400.0), ({"rate": [0.5 + 0.9e-12]}, "", 1.0, 400.0),
        ({"rate": [0.5 + 1.1e-12]}, WHY[2], 1.0, 400.0), ({"rate": [0.125 - 1.1e-12]}, WHY[2], 1.0, 400.0),
        ({"rate": [0.125 - 0.9e-12]}, "", 1.0, 400.0),
        ({"min_rate": [0.5 + 1.1e-12]}, WHY[5], 1.0, 400.0), ({"min_rate": [0.5 + 0.9e-12]}, "", 1.0, 400.0),
        ({"max_rate": [0.125 - 1.1e-12]}, WHY[6], 1.0, 400.0),
        ({"max_rate": [0.125 - 0.9e-12]}, "", 1.0, 400.0),
        ({"min_rate": [0.3], "max_rate": [0.4]}, WHY[6], 1.0, 400.0),
        ({"max_amount": [0.995]}, WHY[7], 1.0, 0.0), ({"max_amount": [1.0]}, "", 1.0, 1.0),
        ({"min_amount": [500.01], "max_amount": [900.0]}, WHY[8], 1.0, 0.0),
        ({"min_amount": [500.0], "max_amount": [900.0]}, "", 500.0, 500.0),
        ({"min_amount": [6.001], "max_amount": [6.009]}, WHY[9], 1.0, 0.0),
        ({"fixed_amount": [700.0], "fixed_rate": [0.7], "max_rate": [0.1]}, "", 700.0, 700.0),
        ({"rate": [0.2], "min_rate": [0.9]}, "", 1.0, 400.0),
    ],
)  # fmt: skip
def test_who_may_be_offered_what(numbers: dict[str, list[float]], why: str, low: float, high: float) -> None:
    found = book(numbers)
    assert (found.why[0], found.low[0], found.high[0]) == (why, low, high)
    assert found.lendable[0] == (why in ("", WHY[2], WHY[5], WHY[6]))
    assert found.pinned[0] == ("fixed_amount" in numbers)
    assert found.single[0] == bool({"fixed_amount", "rate"} & numbers.keys())


def test_steps_and_the_smallest_loan() -> None:
    found = book({"max_amount": [144.0]}, ticket={"min": 55, "max": 500, "step": 25})
    assert (found.low[0], found.high[0], found.lot) == (75.0, 125.0, 25)
    found = book({"max_amount": [144.0]}, ticket={"min": 0, "max": 500, "step": 25})
    assert (found.low[0], found.high[0]) == (25.0, 125.0)
    assert (book(ticket={"min": 0, "max": 500}).low[0]) == 0.01


def test_the_excluded_and_those_of_another_grade_are_declined_first() -> None:
    people = borrowers(4, {"fixed_amount": [5, math.nan, math.nan, 5]}, grade=["A", "A", "B", "B"],
                       exclude=["TRUE", "no", "", "1"])  # fmt: skip
    rules = policy(rates={"A": [0.125, 0.5]})
    found = checker.book_of(people, rules, menus(*RATES)[0], None)
    assert found.why.tolist() == [WHY[0], "", WHY[1], WHY[0]]
    assert found.lendable.tolist() == [False, True, False, False]
    for said, out in ((True, True), (False, False), ("true", False)):
        alone = borrowers(1)
        alone.defaults["exclude"] = said
        assert (checker.book_of(alone, rules, menus(*RATES)[0], None).why[0] == WHY[0]) is out


def test_posted_rates_close_what_no_list_posts() -> None:
    people = borrowers(3, {"rate": [math.nan, 0.25, math.nan]}, grade=["A", "A", "A"])
    of = np.array(["x", "x", "y"], dtype=object)
    segments = Facts(of=of, posted={"x": np.array([0.3]), "y": np.array([0.25 + 0.9e-12])})
    found = checker.book_of(people, policy(rates={"A": [0.125, 0.5]}), menus(*RATES)[0], segments)
    assert found.why.tolist() == [WHY[3], "", ""]


def test_what_was_offered_before_keeps_rates_near() -> None:
    numbers = {"former_amount": [50.0, 0.0], "former_rate": [0.3, math.nan], "min_rate": [0.29, 0.6]}
    numbers["max_rate"] = [0.31, math.nan]
    found = book(numbers, n=2, changes={"rate_moved": {"at_most": 0.01}, "amounts": "no_cut"})
    assert found.why.tolist() == [WHY[4], WHY[5]]
    assert (found.served.tolist(), found.then.tolist(), found.rises.tolist()) == (
        [True, False],
        [50, 0],
        [True, True],
    )
    numbers |= {"fixed_amount": [49.0, math.nan], "fixed_rate": [0.3, math.nan]}
    assert book(numbers, n=2).rises.tolist() == [False, True]
    numbers["fixed_amount"] = [50.0, math.nan]
    assert book(numbers, n=2).rises.tolist() == [True, True]


def run(numbers: dict[str, list[float]] | None = None, n: int = 1, **own: Any) -> Facts:
    rules = policy(**{"rates": {"A": [0.125, 0.5]}, **own})
    listed, curves = menus(*RATES)
    people = borrowers(n, numbers)
    figures = checker.book_of(people, rules, listed, None)
    checker.measure_risk(figures, rules, people)
    return Facts(policy=rules, book=figures, menus=listed, curves=curves, left=None, segments=None)


COSTS = {"funding_rate": 0.0625, "churn_cost_rate": 0.5, "processing_cost": 8, "decline_churn": 0.25}


def test_offers_are_worth_what_they_earn_less_what_they_cost() -> None:
    """Over 2 years, PD 1/4, LGD 1/2, worth 16: at 25 % three quarters accept."""
    made = run({"term_years": [2.0], "relationship_value": [16.0]}, **COSTS)
    found = checker.offers_to(np.array([0]), made)
    assert found.rate.tolist() == [[0.125, 0.25, 0.5]]
    assert found.accept.tolist() == [[1.0, 0.75, 0.5]]
    assert found.gross.tolist() == [[0.25, 0.375, 0.5]]
    earned, lost = [0.1875, 0.28125, 0.375], [0.125, 0.09375, 0.0625]
    spent = [0.125, 0.09375 + 0.125, 0.0625 + 0.25]
    assert found.unit.tolist() == [[e - f - s for e, f, s in zip(earned, lost, spent, strict=True)]]
    assert found.unit_terms.tolist() == [[e + f + s for e, f, s in zip(earned, lost, spent, strict=True)]]
    assert found.once.tolist() == [[4 - 8, 4 - (4 + 6), 4 - (8 + 4)]]
    assert found.once_terms.tolist() == [[4 + 8, 4 + 10, 4 + 12]]
    assert (found.low.tolist(), found.high.tolist(), found.no_offer.tolist()) == ([1.0], [400.0], [True])


def test_offers_are_open_between_ends_that_are_met_to_a_millionth_of_a_millionth() -> None:
    near, far = 0.9e-12, 1.1e-12
    numbers = {
        "min_rate": [0.25 + near, 0.25 + far, math.nan, math.nan],
        "max_rate": [math.nan, math.nan, 0.25 - near, 0.25 - far],
    }
    found = checker.offers_to(np.arange(4), run(numbers, n=4))
    assert found.held.tolist() == [
        [False, True, True],
        [False, False, True],
        [True, True, False],
        [True, False, False],
    ]


def test_who_has_one_rate_has_one_offer() -> None:
    numbers = {"fixed_amount": [70, math.nan], "fixed_rate": [0.375, math.nan], "rate": [math.nan, 0.1875]}
    found = checker.offers_to(np.arange(2), run(numbers, n=2))
    assert found.rate[:, 0].tolist() == [0.375, 0.1875]
    assert found.accept[:, 0].tolist() == [1 - 0.375, 1 - 0.125]
    assert found.held.tolist() == [[True, False, False]] * 2
    assert found.no_offer.tolist() == [False, True]


def test_a_ledger_adds_up() -> None:
    made = run({"term_years": [2.0] * 3, "relationship_value": [16.0] * 3}, n=3, **COSTS)
    lines, allowed = checker.ledger_of(
        made, np.array([100.0, 0.0, 100.0]), np.array([0.25, 0.0, 0.25 + 1.1e-12])
    )
    assert allowed.tolist() == [True, False, False]
    one = {name: float(own[0]) for name, own in lines.items()}
    assert one == {
        "amount": 100.0, "rate": 0.25, "take_up": 0.75, "drawn": 75.0, "gross": 37.5, "loans": 1.0,
        "interest": 28.125, "expected_loss": 9.375, "funding_cost": 9.375, "churn_cost": 12.5,
        "processing_cost": 6.0, "relationship_cost": 0.0, "value": 28.125 - 9.375 - 9.375 - 12.5 - 6,
    }  # fmt: skip
    assert [float(own[1]) for own in lines.values()] == [0.0] * len(lines)
    lines, allowed = checker.ledger_of(made, np.array([1.0, 0, 0]), np.array([0.5 + 0.9e-12, 0.0, 0.0]))
    assert (allowed.tolist(), lines["take_up"][0]) == ([True, False, False], 0.5)
    assert lines["relationship_cost"][0] == (0.5 - 0.25) * 16


def test_capital_is_a_cost_of_what_is_drawn() -> None:
    made = run({"term_years": [2.0]}, capital={"cost": 0.5})
    made.book.tied_up = np.array([0.25])
    lines, _ = checker.ledger_of(made, np.array([100.0]), np.array([0.25]))
    assert (lines["capital_years"][0], lines["capital_cost"][0]) == (37.5, 18.75)
    assert lines["value"][0] == 28.125 - 9.375 - 18.75
    assert lines["raroc"][0] == 0.5
    found = checker.offers_to(np.array([0]), made)
    assert found.unit[0].tolist() == [
        0.1875 - 0.125 - 0.25,
        0.28125 - 0.09375 - 0.1875,
        0.375 - 0.0625 - 0.125,
    ]
    lines, _ = checker.ledger_of(made, np.array([0.0]), np.array([0.0]))
    assert lines["raroc"][0] == 0.0


def broken(
    amounts: list[float], numbers: dict[str, list[float]] | None = None, rate: float = 0.25
) -> set[str]:
    made = run(numbers, n=len(amounts))
    _, allowed = checker.ledger_of(made, np.array(amounts), np.full(len(amounts), rate))
    return {*checker.broken_terms(made, np.array(amounts), allowed)}


def test_terms_that_are_broken() -> None:
    pin = {"fixed_amount": [50.0], "fixed_rate": [0.25]}
    assert broken([400.0]) == broken([1.0]) == broken([0.0]) == broken([50.0], pin) == set()
    assert broken([400.01]) == broken([0.99]) == {"amount outside the borrower's smallest and largest loan"}
    assert broken([50.001]) == {"amount that is no multiple of 0.01"}
    assert broken([50.0], rate=0.3) == {"rate that may not be offered"}
    assert broken([0.0], pin) == {"pinned offer not made"}
    assert broken([51.0], pin) == {"amount outside the borrower's smallest and largest loan"}
    assert broken([50.0], pin, rate=0.3) == {"rate that may not be offered"}
    assert broken([50.001], {"fixed_amount": [50.001], "fixed_rate": [0.25]}) == set()
    assert broken([1.0], {"max_amount": [0.5]}) == {"amount to a borrower who may not be offered anything"}


def test_churn_is_linear_between_rates_and_menus_hold_the_band() -> None:
    curve = Facts(rates=[0.1, 0.2, 0.3, 0.4], churn=[Fraction(k, 8) for k in range(4)])
    rules = policy(rates={"A": [0.2 + 0.9e-12, 0.4 - 0.9e-12]})
    assert checker.menus_of(rules, {"A": curve})["A"].rate.tolist() == [0.2, 0.3, 0.4]
    rules = policy(rates={"A": [0.2 + 1.1e-12, 0.4 - 1.1e-12]})
    assert checker.menus_of(rules, {"A": curve})["A"].rate.tolist() == [0.3]
    grid = policy(rates={"A": [0.1, 0.35]}, rate_grid={"step": 0.125})
    found = checker.menus_of(grid, {"A": curve})["A"]
    assert found.rate.tolist() == [0.1, 0.225, 0.35]
    assert found.walk.tolist() == pytest.approx([0.0, 1.25 / 8, 2.5 / 8])
    grid = policy(rates={"A": [0.1, 0.375]}, rate_grid={"step": 0.125})
    assert checker.menus_of(grid, {"A": curve})["A"].rate.tolist() == [0.1, 0.225, 0.35, 0.375]
    alone = policy(rates={"A": [0.1, 0.35]}, rate_grid="contract")
    assert checker.menus_of(alone, {"A": curve})["A"].rate.tolist() == []
    with pytest.raises(Wrong, match="no such column"):
        checker.menus_of(rules, {"B": curve})
