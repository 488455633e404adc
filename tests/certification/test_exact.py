"""Rational numbers confirm what doubles state, and find what they would have to hide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from allocator.certification import recheck
from allocator.certification.curves import isotonic
from allocator.certification.exact import ExactCase, exact_faults, nearest
from allocator.certification.rationals import Curve, Menu, offers_made
from allocator.errors import InfeasibleError, NoAllocationError
from allocator.records.run import Certificate, Decisions
from allocator.store import certificate_to_json
from allocator.testing import limit_rows
from allocator.testing import plain as naive
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.certification.test_tree import CASE, SOLVED
from tests.stages import Solved, solve
from tests.strategies import cases, random_cases


def faults(case: Case, certificate: Certificate, decisions: Decisions, **stated: Any) -> list[str]:
    """What rational numbers say against a certificate, with other figures `stated`."""
    exact = ExactCase.of(case.scenario, case.portfolio, case.table)
    document: Mapping[str, Any] = {**certificate_to_json(certificate), **stated}
    return [str(fault) for fault in exact_faults(exact, decisions, certificate.limits_broken, document)]


def of(solved: Solved, case: Case, **stated: Any) -> list[str]:
    return faults(case, solved.outcome.certificate, solved.decisions, **stated)


def test_a_tree_is_confirmed_and_a_lower_bound_is_not() -> None:
    certificate = SOLVED.outcome.certificate
    assert certificate.tree is not None
    assert of(SOLVED, CASE) == []
    lower = np.nextafter(certificate.value, 0.0)
    tree = {**certificate.tree, "bound": lower}
    told = "\n".join(of(SOLVED, CASE, bound=lower, tree=tree))
    assert "which is above the tree's bound" in told
    assert "certificate bound: is " in told


def test_a_tree_that_is_not_used_need_not_be_the_bound() -> None:
    """By prices alone: the bound is theirs, to the last number."""
    certificate = replace(SOLVED.outcome.certificate, tree=None)
    exact = ExactCase.of(CASE.scenario, CASE.portfolio, CASE.table)
    least = exact.bound(certificate.prices)
    assert faults(CASE, certificate, SOLVED.decisions, bound=least) == []
    [told] = faults(CASE, certificate, SOLVED.decisions, bound=float(np.nextafter(least, 0.0)))
    assert told.startswith("certificate bound: is ")


def test_what_prices_prove_beside_a_tree_is_confirmed_and_less_is_not() -> None:
    exact = ExactCase.of(CASE.scenario, CASE.portfolio, CASE.table)
    least = exact.bound(SOLVED.outcome.certificate.prices)
    assert of(SOLVED, CASE, price_bound=least) == []
    [told] = of(SOLVED, CASE, price_bound=float(np.nextafter(least, 0.0)))
    assert told.startswith("certificate price_bound: is ")


TABLE = churn_table([0.04, 0.07, 0.1], A=[0.1, 0.3, 0.2], B=[0.5, 0.125, 0.25])


def test_values_by_hand() -> None:
    """Isotonic: A is 1/10, 1/4, 1/4 and B 7/24 throughout; half of idle money counts."""
    book = portfolio(["A", "B", "A"], pd=[0.25, 0.5, 0.0], lgd=0.5, term=[1.0, 2.0, 1.0], max_amount=4e5)
    case = Case(book, TABLE, policy(1e6, idle_rate=0.5, processing_cost=64.0), smoothing="isotonic")
    decisions = Decisions(np.array([1e5, 2e5, 0.0]), np.array([0.07, 0.1, 0.0]))
    exact = ExactCase.of(case.scenario, case.portfolio, case.table)
    found = exact.value(list(offers_made(book, exact.terms, exact.curves, decisions.amount, decisions.rate)))
    a = 1 - (Fraction(0.3) + Fraction(0.2)) / 2
    b = 1 - Fraction(7, 24)
    first = a * (10**5 * (Fraction(0.07) * Fraction(3, 4) - Fraction(1, 8)) - 64)
    second = b * (2 * 10**5 * (Fraction(0.1) * 2 * Fraction(1, 2) - Fraction(1, 4)) - 64)
    assert found == first + second + Fraction(700_000, 2)


def test_a_value_is_confirmed_to_the_last_number() -> None:
    certificate = SOLVED.outcome.certificate
    assert of(SOLVED, CASE, value=certificate.value) == []
    [told] = of(SOLVED, CASE, value=certificate.value * (1 + 1e-13))
    assert told.startswith("certificate value: is ")


@pytest.mark.parametrize(
    "measure", ["offered", "drawn", "interest", "gross_interest", "expected_loss", "loans"]
)
@pytest.mark.parametrize("of_what", [None, "budget", "total", "drawn"])
def test_rows_of_every_family_are_confirmed(measure: Any, of_what: Any) -> None:
    """A bound of what is used, and a tenth below: the same rows are broken, told by name."""
    if measure == "loans" and of_what is not None:
        return
    book = portfolio(
        ["A", "B", "A"],
        pd=[0.25, 0.3, 0.01],
        max_amount=4e5,
        exposure=[5e4, 0.0, 7.5],
        texts={"sector": ["s", "s", "t"]},
        numbers={"w": [0.3, 1.5, 2.0]},
    )
    plain = Case(book, TABLE, policy(1e6), smoothing="isotonic")
    decisions = Decisions(np.array([1e5, 2e5, 1.5e5]), np.array([0.07, 0.1, 0.04]))
    offers = [
        naive.Offer(float(x), float(r), naive.take_up(plain, g, float(r)))
        for x, r, g in zip(decisions.amount, decisions.rate, "ABA", strict=True)
    ]
    for weight in (None, "w"):
        entry = limit("l", measure, "at_most", 1.0, of=of_what, each="sector", weight=weight)
        row = next(iter(limit_rows.rows_of(plain, entry)))
        used, per = limit_rows.left_side(plain, row, offers), limit_rows.right_side(plain, row, offers)
        for factor in (1 + 1e-12, 0.9):
            tight = replace(entry, bound=used / per * factor)
            case = plain.under(limits=(tight,))
            exact = ExactCase.of(case.scenario, book, TABLE)
            prices = dict.fromkeys(("budget", "l[s]", "l[t]"), 0.0)
            broken = recheck(case.scenario, case.inputs, decisions, prices).certificate.limits_broken
            assert ("l[s]" in broken) == (factor < 1)
            made = list(offers_made(book, exact.terms, exact.curves, decisions.amount, decisions.rate))
            assert list(exact.broken(made)) == broken


@pytest.mark.parametrize("budget", [300_000.0, 299_999.99])
def test_the_budget_is_of_new_offers_alone(budget: float) -> None:
    """What is lent already counts in limits, not in the budget."""
    book = portfolio(["A", "A"], max_amount=4e5, exposure=[5e4, 7.5])
    case = Case(book, TABLE, policy(budget))
    exact = ExactCase.of(case.scenario, book, TABLE)
    made = list(offers_made(book, exact.terms, exact.curves, np.array([1e5, 2e5]), np.array([0.07, 0.04])))
    assert list(exact.broken(made)) == ([] if budget == 300_000.0 else ["budget"])


def test_a_row_that_is_broken_after_all_is_told() -> None:
    certificate = SOLVED.outcome.certificate
    exact = ExactCase.of(CASE.scenario, CASE.portfolio, CASE.table)
    stated = certificate_to_json(certificate)
    told = [str(fault) for fault in exact_faults(exact, SOLVED.decisions, ["loss"], stated)]
    assert told == ["certificate limits: [] are broken in rational numbers, not ['loss']; solve again"]


def test_a_curve_between_and_beyond_its_rates() -> None:
    curve = Curve([Fraction(1, 4), Fraction(1, 2)], [Fraction(0), Fraction(1, 3)])
    assert [curve.take_up(rate) for rate in (0.1, 0.25, 0.375, 0.5, 0.9)] == [
        1,
        1,
        Fraction(5, 6),
        Fraction(2, 3),
        Fraction(2, 3),
    ]
    menu = Menu.of(curve, [0.25, 0.375])
    values = menu.values(Fraction(1, 2), Fraction(3), Fraction(-1, 8))
    assert values == [
        Fraction(1, 4) * Fraction(1, 2) + 3 - Fraction(1, 8),
        Fraction(5, 6) * (Fraction(3, 8) * Fraction(1, 2) + 3) - Fraction(1, 8),
    ]


def test_curves_are_pooled_in_rational_numbers() -> None:
    assert isotonic([0.5, 0.125, 0.25]) == [Fraction(7, 24)] * 3
    assert isotonic([0.375, 0.125, 0.25]) == [Fraction(1, 4)] * 3
    assert isotonic([0.1, 0.3, 0.3, 0.2]) == [Fraction(0.1), *[(2 * Fraction(0.3) + Fraction(0.2)) / 3] * 3]
    assert isotonic([0.0, 0.5, 1.0]) == [0, Fraction(1, 2), 1]


def test_a_number_too_large_is_infinite() -> None:
    assert nearest(Fraction(10) ** 400) == np.inf
    assert nearest(-(Fraction(10) ** 400)) == -np.inf
    assert nearest(Fraction(1, 3)) == 1 / 3


@random_cases(15, full=200)
@given(cases(borrowers=5, rates=3))
def test_certificates_of_any_case_are_confirmed(case: Case) -> None:
    try:
        solved = solve(case)
    except (InfeasibleError, NoAllocationError):
        return
    assert of(solved, case) == []
