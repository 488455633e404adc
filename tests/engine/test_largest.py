"""Limits on what the largest come to: optimal against brute force, the same by both methods."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from allocator.errors import InfeasibleError, InputError
from allocator.records.scenario import Limit
from allocator.records.ticket import OwnSteps, Ticket
from allocator.testing.books import random_case
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.engine.test_methods import methods_agree
from tests.stages import solve

TABLE = churn_table([0.05, 0.1], A=[0.0, 0.5])


def largest_limit(
    bound: float, top: int, of: str | None = None, measure: str = "offered", by: str = "borrower_id"
) -> Limit:
    return replace(limit("largest", measure, "at_most", bound, of=of), by=by, top=top)


@pytest.mark.parametrize("measure", ["offered", "drawn", "expected_loss"])
@pytest.mark.parametrize("seed", range(4))
def test_whole_loans_against_brute_force(measure: str, seed: int) -> None:
    """Five borrowers in three sectors, loans of one size: every subset and rate is tried."""
    draw = np.random.default_rng(seed)
    sectors = [str(name) for name in draw.choice(["a", "b", "c"], 5)]
    lent = [float(x) for x in draw.choice([0.0, 50.0], 5)]
    pd = draw.uniform(0.005, 0.04, 5).round(3).tolist()
    by, top = (("sector", 2), ("sector", 1), ("borrower_id", 3), ("borrower_id", 2))[seed]
    unit = {"offered": [1.0] * 5, "drawn": [1.0] * 5, "expected_loss": [p * 0.5 for p in pd]}[measure]
    bound, of = (280.0 * float(np.mean(unit)), None) if seed % 2 else (0.6 * float(np.mean(unit)), "total")
    rule = largest_limit(bound, top, of, measure, by)
    case = Case(
        portfolio(["A"] * 5, pd=pd, lgd=0.5, max_amount=100.0, exposure=lent, texts={"sector": sectors}),
        TABLE,
        policy(400.0, rule, ticket=(100.0, 100.0), rates={"A": (0.0, 1.0)}),
    )
    values = []
    for taken in product((None, (0.05, 1.0), (0.1, 0.5)), repeat=5):
        made = [(i, offer) for i, offer in enumerate(taken) if offer]
        used = [50.0 * (x > 0) for x in lent]
        for i, offer in made:
            used[i] += 100.0 * (1.0 if measure == "offered" else offer[1])
        groups = sectors if by == "sector" else list("01234")
        sums = [
            sum(u * x for g, u, x in zip(groups, unit, used, strict=True) if g == one) for one in {*groups}
        ]
        total = sum(lent) + 100.0 * len(made)
        if len(made) > 4 or sum(sorted(sums)[-top:]) > bound * (total if of else 1.0) * (1 + 1e-10):
            continue
        values.append(sum(100 * a * (r * (1 - pd[i]) - pd[i] * 0.5) for i, (r, a) in made))
    if not values:
        with pytest.raises(InfeasibleError):
            solve(case)
        return
    solved = solve(case)
    assert solved.value == pytest.approx(max(values), rel=1e-9)
    assert solved.outcome.certificate.gap <= 1e-8


def book_of(n: int, seed: int = 7, step: float | None = None) -> Case:
    draw = np.random.default_rng(seed)
    book = portfolio(
        ["A"] * n, pd=draw.uniform(0.0, 0.03, n).tolist(), max_amount=draw.uniform(1e5, 5e5, n).tolist(),
        texts={"sector": [str(s) for s in draw.choice(list("abcdef"), n)]},
    )  # fmt: skip
    terms = policy(0.6 * 3e5 * n, ticket=(10_000.0, 5e5), rates={"A": (0.0, 1.0)}, step=step)
    return Case(book, TABLE, terms)


def test_a_tighter_bound_costs_what_the_cuts_are_priced_at() -> None:
    """A finite difference has the sum of the cuts' prices; the ten are those that come to most."""
    case, solved = book_of(60), {}
    for bound in (2.99e6, 3e6, 3.01e6):
        solved[bound] = solve(case.under(limits=(largest_limit(bound, 10),)))
    certificate = solved[3e6].outcome.certificate
    assert certificate.gap <= 1e-7
    price = sum(use.price for use in certificate.limits if use.name.startswith("largest["))
    assert price == pytest.approx((solved[3.01e6].value - solved[2.99e6].value) / 2e4, rel=0.05)
    use = {use.name: use for use in certificate.limits}["largest"]
    assert use.used == pytest.approx(np.sort(solved[3e6].decisions.amount)[-10:].sum(), rel=1e-12)
    assert not use.broken
    assert use.price == 0.0


def test_the_order_of_borrowers_decides_nothing() -> None:
    case = book_of(40).under(limits=(largest_limit(1.5e6, 5),))
    first, again = solve(case), solve(case)
    assert first.decisions.amount.tolist() == again.decisions.amount.tolist()
    assert first.outcome.certificate.cuts == again.outcome.certificate.cuts


def test_amounts_in_steps_are_proved_to_what_the_step_leaves() -> None:
    solved = solve(book_of(30, step=10_000.0).under(limits=(largest_limit(1.25e6, 5),)))
    assert np.all(solved.decisions.amount % 10_000.0 == 0)
    assert np.sort(solved.decisions.amount)[-5:].sum() <= 1.25e6
    assert solved.outcome.certificate.gap <= 1e-3


@pytest.mark.parametrize("step", [None, 10_000.0])
def test_who_is_offered_nothing_keeps_every_limit(step: float | None) -> None:
    """No offer pays, or none may be made: a book without any loan is the best there is."""
    rule, case = largest_limit(1.5e6, 5), book_of(5, step=step)
    for barred in ({"pd": np.full(5, 0.9)}, {"exclude": np.ones(5, dtype=bool)}):
        none = replace(case.portfolio, **barred)
        solved = solve(replace(case, portfolio=none).under(limits=(rule,)))
        assert solved.decisions.amount.tolist() == [0.0] * 5
        assert solved.outcome.certificate.gap == pytest.approx(0.0, abs=1e-9)


def test_a_tree_rounds_no_cut_that_is_left_out() -> None:
    """A cut without a price is no row of the certificate, nor is its bound in whole steps one of a tree."""
    book = portfolio(
        ["A", "B", "B", "B"], pd=[0.1, 0.02, 0.02, 0.01], lgd=[0.4, 0.6, 0.2, 0.2],
        relationship_value=[3.0, 3.0, 0.0, 0.0], min_amount=[150.0, 0.0, 0.0, 0.0],
        max_amount=[400.0, 500.0, 400.0, 400.0], exposure=[120.0, 0.0, 50.0, 0.0],
        texts={"region": ["s", "s", "n", "s"]}, numbers={"own": [100.0, 200.0, 50.0, 150.0]},
    )  # fmt: skip
    curve = churn_table([0.04, 0.06, 0.08, 0.12], A=[0.0, 0.1, 0.25, 0.4], B=[0.0, 0.05, 0.2, 0.5])
    regions = limit("regions", "offered", "at_most", 0.5475, of="total", each="region")
    index = replace(limit("index", "hhi", "at_most", 0.5, of="budget"), by="region")
    bands = {"A": (0.04, 0.08), "B": (0.04, 0.08)}
    wider = replace(regions, name="wider", bound=0.8)
    rules = policy(500.0, regions, wider, largest_limit(250.0, 7), index, rates=bands, funding_rate=0.01)
    case = Case(book, curve, replace(rules, ticket=Ticket(0.01, 450.0, None, OwnSteps("own"))))
    assert solve(case).value == pytest.approx(2.576, rel=1e-6)


def test_single_names_of_a_large_book_are_refused_and_sectors_are_not() -> None:
    case = book_of(2_001)
    with pytest.raises(InputError, match="is on the largest of 2,001 groups of 2,001 borrowers"):
        solve(case.under(limits=(largest_limit(3e6, 10),)))
    solved = solve(case.under(limits=(largest_limit(0.52, 3, "total", by="sector"),)))
    assert solved.outcome.certificate.gap <= 1e-8
    used = {use.name: use for use in solved.outcome.certificate.limits}["largest"]
    assert used.used == pytest.approx(0.52 * solved.decisions.amount.sum(), rel=1e-6)


def agree(seed: int, most: int) -> None:
    """The methods agree on value and bounds, under a cap that about half of the books would exceed."""

    def capped(method: str) -> Case:
        case = random_case(seed, method, most)
        by, top = (("borrower_id", 5), ("sector", 2), ("region", 1))[seed % 3]
        measure = ("offered", "drawn", "offered", "expected_loss")[seed % 4]
        rate = float(np.mean(case.portfolio.pd * case.portfolio.lgd)) if measure == "expected_loss" else 1.0
        share = (8.0 / len(case.portfolio) if by == "borrower_id" else 0.55 - 0.1 * (seed % 2)) * rate
        cap = largest_limit(share, top, "total" if seed % 5 else "drawn", measure, by)
        patient = replace(case, settings=replace(case.settings, time_limit=60.0))
        return patient.under(limits=(*case.policy.limits, cap))

    methods_agree(capped)


@pytest.mark.parametrize("seed", [4])
def test_exact_is_reduced(seed: int) -> None:
    agree(seed, 60)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(200))
def test_exact_is_reduced_of_all(seed: int) -> None:
    agree(seed, 200)
