"""Limits on the tail loss of several sectors: optimal against brute force, the same by both methods."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from allocator.errors import InfeasibleError
from allocator.records.risk import Sectors, TailRule
from allocator.testing.books import random_case
from tests.builders import Case, churn_table, policy, portfolio
from tests.engine.test_methods import methods_agree
from tests.risk.factor_limits import mean_of_the_worst, tail_limit
from tests.stages import solve

TABLE = churn_table([0.05, 0.1], A=[0.0, 0.5])
RULE = TailRule(0.95, 0.2, sectors=Sectors("sector", 0.05, 32))


@pytest.mark.parametrize("seed", range(6))
def test_whole_loans_against_brute_force(seed: int) -> None:
    """Five borrowers in three sectors, loans of one size: every subset and rate is tried."""
    draw = np.random.default_rng(seed)
    sectors = [str(name) for name in draw.choice(["a", "b", "c"], 5)]
    lent = [float(x) for x in draw.choice([0.0, 50.0], 5)]
    pd = draw.uniform(0.0, 0.04, 5).round(3).tolist()
    lgd = draw.uniform(0.3, 0.9, 5).round(2).tolist()
    bound, of = (
        ((12.3, 8.9, 6.1)[seed // 2], None) if seed % 2 else ((0.057, 0.041, 0.03)[seed // 2], "drawn")
    )
    case = Case(
        portfolio(["A"] * 5, pd=pd, lgd=lgd, max_amount=100.0, exposure=lent, texts={"sector": sectors}),
        TABLE,
        policy(400.0, tail_limit(bound, RULE, of), ticket=(100.0, 100.0), rates={"A": (0.0, 1.0)}),
    )
    values = []
    for taken in product((None, (0.05, 1.0), (0.1, 0.5)), repeat=5):
        drawn = [e + (100 * offer[1] if offer else 0.0) for e, offer in zip(lent, taken, strict=True)]
        allowed = bound * (sum(drawn) if of else 1.0)
        made = [(i, offer) for i, offer in enumerate(taken) if offer]
        if len(made) > 4 or mean_of_the_worst(RULE, pd, lgd, sectors, drawn) > allowed * (1 + 1e-7):
            continue
        values.append(sum(100 * a * (r * (1 - pd[i]) - pd[i] * lgd[i]) for i, (r, a) in made))
    if not values:
        with pytest.raises(InfeasibleError):
            solve(case)
        return
    solved = solve(case)
    assert solved.value == pytest.approx(max(values), rel=1e-9)
    assert solved.outcome.certificate.gap <= 1e-8


def test_a_tighter_bound_costs_what_the_cuts_are_priced_at() -> None:
    """A finite difference has the sum of the cuts' prices."""
    draw = np.random.default_rng(7)
    book = portfolio(
        ["A"] * 60, pd=draw.uniform(0.0, 0.03, 60).tolist(), max_amount=draw.uniform(1e5, 5e5, 60).tolist(),
        texts={"sector": [str(s) for s in draw.choice(list("abc"), 60)]},
    )  # fmt: skip
    terms = policy(8e6, tail_limit(4e5, RULE), ticket=(1_000.0, 5e5), rates={"A": (0.0, 1.0)})
    solved = {b: solve(Case(book, TABLE, terms.with_bound("tail", b))) for b in (3.98e5, 4e5, 4.02e5)}
    certificate = solved[4e5].outcome.certificate
    assert certificate.gap <= 1e-8
    price = sum(use.price for use in certificate.limits if use.name.startswith("tail["))
    assert price == pytest.approx((solved[4.02e5].value - solved[3.98e5].value) / 4e3, rel=0.05)
    use = {use.name: use for use in certificate.limits}["tail"]
    drawn = solved[4e5].outcome.ledger.drawn.tolist()
    names = [book.texts["sector"].values[code] for code in book.texts["sector"].codes]
    assert use.used == pytest.approx(mean_of_the_worst(RULE, book.pd, book.lgd, names, drawn), rel=1e-6)
    assert not use.broken
    assert use.price == 0.0


def agree(seed: int, largest: int) -> None:
    """The methods agree on value and bounds, under a cap that about half of the book would exceed."""

    def capped(method: str) -> Case:
        case = random_case(seed, method, largest)
        book = case.portfolio
        sectors = book.texts["sector"]
        texts = [sectors.values[code] if code >= 0 else "" for code in sectors.codes]
        share = mean_of_the_worst(RULE, book.pd, book.lgd, texts, [1.0] * len(book)) / max(len(book), 1)
        cap = tail_limit((0.8 + 0.1 * (seed % 4)) * share, RULE, "total" if seed % 3 == 0 else "drawn")
        patient = replace(case, settings=replace(case.settings, time_limit=300.0))
        return patient.under(limits=(*case.policy.limits, cap))

    methods_agree(capped)


@pytest.mark.parametrize("seed", [4, 11])
def test_exact_is_reduced(seed: int) -> None:
    agree(seed, 40)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(200))
def test_exact_is_reduced_of_all(seed: int) -> None:
    agree(seed, 300)
