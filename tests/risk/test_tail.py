"""Tail losses: the means of a known distribution, three readings of the same bits, simulated years."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from scipy import special

from allocator import checker
from allocator.certification import capital as certified
from allocator.certification.capital import weights_by
from allocator.records.portfolio import Floats, Portfolio
from allocator.records.risk import CapitalRule, TailRule
from allocator.risk import arithmetic
from allocator.risk.tail import tail_loss_of
from allocator.testing import plain
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.risk.test_capital import random_book

GOLDEN = {0.95: 0.089442, 0.99: 0.135971, 0.999: 0.209404}
"""Confidence -> mean default rate in the tail, at a PD of 2 % and a correlation of 15 % (Vasicek)."""
RULES = [
    TailRule(),
    TailRule(0.99999, 0.5),
    TailRule(0.5, 0.0),
    TailRule(0.99, None),
    TailRule(0.95, None, CapitalRule(asset_class="sme")),
    TailRule(0.999, None, CapitalRule(asset_class="retail", pd_floor=0.01)),
    TailRule(0.99, None, CapitalRule(asset_class_by="kind")),
]


def read_by_the_checker(rule: TailRule, book: Portfolio) -> Floats:
    kinds = book.texts["kind"]
    cells = {"kind": [kinds.values[code] for code in kinds.codes]}
    borrowers = checker.Borrowers({"borrower_id": book.borrower_id.tolist(), **cells}, ".", {})
    borrowers.numbers = {"pd": book.pd, "lgd": book.lgd, "term_years": book.term, **book.numbers}
    correlation = "irb" if rule.correlation is None else rule.correlation
    written = {"tail": {"confidence": rule.confidence, "correlation": correlation}}
    capital = checker.capital_rule({"capital": vars(rule.capital)})
    tail = checker.tail_rule(written)
    return checker.by_class(lambda own: checker.tail_losses_of(tail, own, borrowers), capital, borrowers)


@pytest.mark.parametrize("confidence", GOLDEN)
def test_tail_means_are_those_of_the_vasicek_distribution(confidence: float) -> None:
    found = tail_loss_of(TailRule(confidence, 0.15), portfolio(["A"], pd=0.02, lgd=1.0))
    assert found[0] == pytest.approx(GOLDEN[confidence], abs=1e-6)


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_three_readings_have_the_same_bits(rule: TailRule) -> None:
    book = random_book(2_000, seed=3)
    ours = tail_loss_of(rule, book)
    assert np.array_equal(ours, weights_by(rule, book))
    assert np.array_equal(ours, read_by_the_checker(rule, book))
    assert np.all(ours >= np.round(book.pd * book.lgd, 8) - 1e-8)
    assert np.all(ours <= book.lgd)
    if rule.correlation is not None:
        rules = policy(1e6, limit("t", "tail_loss", "at_most", 1.0, rule=rule))
        case = Case(book, churn_table([0.1], A=[0.0]), rules)
        assert [plain.tail_loss(case, i) for i in range(20)] == pytest.approx(ours[:20].tolist(), abs=1e-8)


@pytest.mark.parametrize("rule", RULES[1:5:3], ids=str)
def test_decimals_say_what_doubles_say(rule: TailRule, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every tail loss decided by decimals, as if doubles were unsure of each."""
    book = random_book(40, seed=4).take(slice(5, None))
    expected = tail_loss_of(rule, book)
    monkeypatch.setattr(arithmetic, "_UNSURE", 1.0)
    monkeypatch.setattr(certified, "_NEAR_HALF", 1.0)
    assert np.array_equal(tail_loss_of(rule, book), expected)
    assert np.array_equal(weights_by(rule, book), expected)


def test_simulated_years_lose_as_much() -> None:
    """A granular book's loss is its conditional mean: a million years of the factor, the worst 1 %."""
    draw = np.random.default_rng(7)
    book = portfolio(["A"] * 12, pd=draw.uniform(0.001, 0.1, 12).tolist(), lgd=draw.random(12).tolist())
    rule = TailRule(0.99, 0.15)
    factor = draw.standard_normal(1_000_000)
    bad = factor[factor <= np.quantile(factor, 0.015)]
    losses = np.zeros(len(bad))
    for pd, lgd in zip(book.pd, book.lgd, strict=True):
        losses += lgd * special.ndtr((NormalDist().inv_cdf(pd) - 0.15**0.5 * bad) / 0.85**0.5)
    worst = np.sort(losses)[-10_000:]
    # The error of a tail mean: that of the mean beyond the quantile, and of the quantile itself.
    var = np.var(worst) + 0.99 * (worst.mean() - worst[0]) ** 2
    assert abs(worst.mean() - tail_loss_of(rule, book).sum()) <= 3 * np.sqrt(var / 10_000)


def test_a_borrower_who_never_or_surely_defaults() -> None:
    book = portfolio(["A"] * 2, pd=[0.0, 1.0], lgd=0.45)
    assert tail_loss_of(TailRule(), book).tolist() == [0.0, 0.45]
    assert tail_loss_of(TailRule(0.9, 0.0), portfolio(["A"], pd=0.3, lgd=0.5)).tolist() == [0.15]
