"""Limits on the Herfindahl index: optimal against brute force and a conic program, kept to the last cent."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from scipy.optimize import minimize

from allocator.errors import InfeasibleError
from allocator.records.scenario import Limit
from allocator.testing.books import random_case
from tests.builders import SETTINGS, Case, churn_table, limit, policy, portfolio
from tests.engine.test_methods import METHODS, methods_agree
from tests.stages import Solved, solve

TABLE = churn_table([0.05, 0.1], A=[0.0, 0.5])


def index_limit(bound: float, of: str = "total", by: str = "sector") -> Limit:
    return replace(limit("sectors", "hhi", "at_most", bound, of=of), by=by)


def index_of(
    solved: Solved, sectors: list[str], exposure: list[float], whole: float | None = None
) -> Fraction:
    held: dict[str, Fraction] = {}
    for sector, own, amount in zip(sectors, exposure, solved.decisions.amount.tolist(), strict=True):
        held[sector] = held.get(sector, Fraction(0)) + Fraction(repr(own)) + Fraction(repr(amount))
    total = sum(held.values(), Fraction(0)) if whole is None else Fraction(repr(whole))
    return sum((own * own for own in held.values()), Fraction(0)) / total**2


@pytest.mark.parametrize("seed", range(6))
def test_whole_loans_against_brute_force(seed: int) -> None:
    """Five borrowers in three sectors, loans of one size: every subset and rate is tried."""
    rng = np.random.default_rng(seed)
    sectors = [str(name) for name in rng.choice(["a", "b", "c"], 5)]
    lent = [float(x) for x in rng.choice([0.0, 50.0], 5)]
    bound, of = float(rng.choice([0.4, 0.5, 0.7])), str(rng.choice(["total", "budget"]))
    pd = rng.uniform(0.0, 0.04, 5).round(3).tolist()
    case = Case(
        portfolio(["A"] * 5, pd=pd, max_amount=100.0, exposure=lent, texts={"sector": sectors}),
        TABLE,
        policy(400.0, index_limit(bound, of), ticket=(100.0, 100.0), rates={"A": (0.0, 1.0)}),
    )
    values = []
    for taken in product((False, True), repeat=5):
        sums = [
            sum(e + 100 * t for s, e, t in zip(sectors, lent, taken, strict=True) if s == g) for g in "abc"
        ]
        whole = 400.0 if of == "budget" else sum(sums)
        if 100 * sum(taken) > 400 or sum(x * x for x in sums) > bound * whole**2:
            continue
        worth = [max(take * (r * (1 - p) - p * 0.5) for r, take in ((0.05, 1.0), (0.1, 0.5))) for p in pd]
        values.append(sum(100 * w for w, t in zip(worth, taken, strict=True) if t))
    if not values:
        with pytest.raises(InfeasibleError):
            solve(case)
        return
    solved = solve(case)
    assert solved.value == pytest.approx(max(values), rel=1e-9)
    assert solved.outcome.certificate.gap <= 1e-9


@pytest.mark.full
@pytest.mark.parametrize(("bound", "of"), [(0.3, "total"), (0.27, "total"), (0.2, "budget")])
def test_amounts_against_another_solver(bound: float, of: str) -> None:
    """Four sectors of different margins, one borrower each: the conic program by SLSQP."""
    margins, lent = np.array([0.05, 0.045, 0.04, 0.03]), np.array([0.0, 1_000.0, 0.0, 2_000.0])
    sectors = ["a", "b", "c", "d"]
    case = Case(
        portfolio(
            ["A"] * 4, pd=0.0, max_amount=90_000.0, rate=margins.tolist(), exposure=lent.tolist(),
            texts={"sector": sectors},
        ),
        churn_table([0.0, 1.0], A=[0.0, 0.0]),
        policy(100_000.0, index_limit(bound, of), ticket=(0.01, 90_000.0), rates={"A": (0.0, 1.0)}),
    )  # fmt: skip
    solved = solve(case)

    def room(x: np.ndarray) -> float:
        held = x + lent / 1e5
        return float(bound * (1.0 if of == "budget" else np.sum(held)) ** 2 - held @ held)

    found = minimize(
        lambda x: -margins @ x, np.full(4, 0.2), method="SLSQP", bounds=[(0.0, 0.9)] * 4,
        constraints=[{"type": "ineq", "fun": room}, {"type": "ineq", "fun": lambda x: 1.0 - np.sum(x)}],
        options={"ftol": 1e-14, "maxiter": 500},
    )  # fmt: skip
    assert solved.value == pytest.approx(-found.fun * 1e5, rel=1e-6)
    assert solved.outcome.certificate.gap <= 1e-8
    whole = 100_000.0 if of == "budget" else None
    assert index_of(solved, sectors, lent.tolist(), whole) <= Fraction(repr(bound))
    use = {use.name: use for use in solved.outcome.certificate.limits}["sectors"]
    assert use.used == float(index_of(solved, sectors, lent.tolist(), whole))
    assert not use.broken
    assert use.price == 0.0


def test_the_price_of_a_point_is_the_slope_of_the_value() -> None:
    """A finite difference has the sum of the cuts' prices, halved by the root."""
    rng = np.random.default_rng(7)
    n = 60
    sectors = [str(s) for s in rng.choice(list("abcde"), n, p=[0.4, 0.3, 0.1, 0.1, 0.1])]
    book = portfolio(
        ["A"] * n, pd=rng.uniform(0.0, 0.03, n).tolist(), max_amount=rng.uniform(1e5, 5e5, n).tolist(),
        texts={"sector": sectors},
    )  # fmt: skip
    terms = policy(8e6, index_limit(0.24), ticket=(1_000.0, 5e5), rates={"A": (0.0, 1.0)})
    values = {}
    for bound in (0.239, 0.24, 0.241):
        values[bound] = solve(Case(book, TABLE, terms.with_bound("sectors", bound)))
    middle = values[0.24]
    assert middle.outcome.certificate.gap <= 1e-8
    uses = [use for use in middle.outcome.certificate.limits if use.name.startswith("sectors[")]
    slope = sum(use.price * use.bound for use in uses) / (2 * 0.24)
    assert slope == pytest.approx((values[0.241].value - values[0.239].value) / 0.002, rel=0.05)


def test_fewer_groups_than_the_bound_wants_leave_an_empty_book() -> None:
    case = Case(
        portfolio(["A"] * 2, max_amount=100.0, texts={"sector": ["a", "b"]}),
        TABLE,
        policy(200.0, index_limit(0.4), ticket=(1.0, 100.0), rates={"A": (0.0, 1.0)}),
    )
    solved = solve(case)
    assert solved.decisions.amount.tolist() == [0.0, 0.0]
    assert solved.outcome.certificate.gap <= 1e-8


def agree(seed: int, largest: int) -> None:
    """The methods agree on value and bounds, under a cap on the index of the grades."""

    def capped(method: str) -> Case:
        case = random_case(seed, method, largest)
        even = 1.0 / max(len(set(case.portfolio.grade.codes.tolist())), 1)
        cap = index_limit(min(1.4 * even, 1.0), "budget" if seed % 3 == 0 else "total", by="grade")
        return case.under(limits=(*case.policy.limits, replace(cap, name="index")))

    methods_agree(capped)


@pytest.mark.parametrize("seed", [4, 11])
def test_exact_is_reduced(seed: int) -> None:
    agree(seed, 40)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(200))
def test_exact_is_reduced_of_all(seed: int) -> None:
    agree(seed, 300)


def names_case(firms: int, bound: float) -> Case:
    """As many names as firms, whose requests are about as large as an even book wants."""
    rng = np.random.default_rng(3)
    book = portfolio(
        ["A"] * firms, pd=rng.uniform(0.0, 0.03, firms).round(4).tolist(),
        max_amount=rng.uniform(1e5, 5e5, firms).round().tolist(),
        texts={"name": [f"F{i}" for i in range(firms)]},
    )  # fmt: skip
    terms = policy(2e5 * firms, index_limit(bound, by="name"), ticket=(1_000.0, 5e5), rates={"A": (0.0, 1.0)})
    return Case(book, TABLE, terms)


def test_names_by_the_hundred_are_answered_with_a_small_gap() -> None:
    firms = 105
    solved = solve(names_case(firms, 1.15 / firms))
    assert index_of(solved, [f"F{i}" for i in range(firms)], [0.0] * firms) <= Fraction(repr(1.15 / firms))
    assert solved.outcome.certificate.gap <= 1e-3


@pytest.mark.parametrize("method", METHODS)
def test_a_bound_that_was_tightened_makes_nothing_infeasible(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All money must be spent, so that both are lent to, exactly as concentrated as they may be."""
    monkeypatch.setattr("allocator.engine.concentration._HAIR", 1e-3)
    case = Case(
        portfolio(["A"] * 2, max_amount=100.0, texts={"sector": ["a", "b"]}),
        TABLE,
        policy(200.0, index_limit(0.5), ticket=(100.0, 100.0), rates={"A": (0.0, 1.0)}, spend="exactly"),
        settings=replace(SETTINGS, method=method),
    )
    assert solve(case).decisions.amount.tolist() == [100.0, 100.0]


@pytest.mark.parametrize("method", METHODS)
def test_a_score_of_names_is_spread_as_far_as_its_bound(method: str) -> None:
    case = names_case(20, 1.15 / 20)
    solved = solve(replace(case, settings=replace(SETTINGS, method=method, gap=1e-6)))
    assert index_of(solved, [f"F{i}" for i in range(20)], [0.0] * 20) <= Fraction(repr(1.15 / 20))
    assert solved.outcome.certificate.gap <= 1e-6


def test_names_that_no_book_spreads_so_far_leave_it_empty() -> None:
    solved = solve(names_case(105, 0.9 / 105))
    assert not np.any(solved.decisions.amount)
