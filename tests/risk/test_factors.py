"""Tail losses where sectors have factors: special cases, simulated years, three readings of the same bits."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import pytest
from scipy import special

from allocator import checker
from allocator.certification import capital as certified_arithmetic
from allocator.certification import factors as certified
from allocator.certification.factors import worst_mean
from allocator.errors import InputError
from allocator.limits import compile_limits, missing
from allocator.limits.concentration import losses_of
from allocator.records.portfolio import Floats, Portfolio
from allocator.records.price_lists import Posting
from allocator.records.risk import Sectors, TailRule
from allocator.risk import arithmetic, factors
from allocator.risk.tail import tail_loss_of
from tests.builders import limit, policy, portfolio
from tests.risk.factor_limits import tail_limit

NORMAL = NormalDist()


def book_of(n: int, sectors: Sequence[str], seed: int) -> Portfolio:
    draw = np.random.default_rng(seed)
    return portfolio(
        ["A"] * n, pd=draw.uniform(0.0, 0.1, n).tolist(), lgd=draw.random(n).tolist(),
        texts={"sector": [str(name) for name in draw.choice(list(sectors), n)]},
    )  # fmt: skip


def rule_of(confidence: float, within: float, between: float, nodes: int = 256) -> TailRule:
    return TailRule(confidence, within, sectors=Sectors("sector", between, nodes))


@pytest.mark.parametrize(("nodes", "error"), [(256, 0.012), (1024, 0.004)])
@pytest.mark.parametrize("confidence", [0.95, 0.99, 0.999])
@pytest.mark.parametrize("names", ["a", "abc"])
def test_one_factor_is_a_special_case(names: str, confidence: float, nodes: int, error: float) -> None:
    """One sector, or sectors that move together: the mean of the Vasicek distribution."""
    rule = rule_of(confidence, 0.15, 0.15 if len(names) > 1 else 0.05, nodes)
    book = book_of(40, names, seed=2)
    drawn = np.linspace(1e4, 1e6, 40)
    found = worst_mean(tail_limit(1.0, rule), book, drawn)
    assert found == pytest.approx(tail_loss_of(TailRule(confidence, 0.15), book) @ drawn, rel=error)


@pytest.mark.parametrize(("names", "seed"), [("abc", 1), ("abcdefgh", 2)])
def test_simulated_years_lose_as_much(names: str, seed: int) -> None:
    """A million years of all factors, the worst hundredth: three standard errors, and 1% of nodes."""
    rule, n = rule_of(0.99, 0.2, 0.08), len(names)
    draw = np.random.default_rng(seed)
    book = portfolio(
        ["A"] * n, pd=draw.uniform(0.005, 0.05, n).tolist(), lgd=0.5, texts={"sector": list(names)}
    )
    drawn = draw.uniform(1.0, 3.0, n)
    common, lost = draw.standard_normal(1_000_000), np.zeros(1_000_000)
    for pd, money in zip(book.pd, drawn, strict=True):
        moved = 0.08**0.5 * common + 0.12**0.5 * draw.standard_normal(1_000_000)
        lost += money * 0.5 * special.ndtr((NORMAL.inv_cdf(pd) - moved) / 0.8**0.5)
    worst = np.partition(lost, -10_000)[-10_000:]
    # The error of a tail mean: that of the mean beyond the quantile, and of the quantile itself.
    error = np.sqrt((np.var(worst) + 0.99 * (worst.mean() - worst.min()) ** 2) / 10_000)
    found = worst_mean(tail_limit(1.0, rule), book, drawn)
    assert abs(found - worst.mean()) <= 3 * error + 0.01 * found


RULES = [rule_of(0.99, 0.2, 0.08, 32), rule_of(0.99999, 0.5, 0.0, 17), rule_of(0.5, 0.15, 0.15, 16)]


def read_by_the_checker(rule: TailRule, book: Portfolio) -> checker.Factors:
    sectors = book.texts["sector"]
    cells = {"sector": [sectors.values[code] for code in sectors.codes]}
    borrowers = checker.Borrowers({"borrower_id": book.borrower_id.tolist(), **cells}, ".", {})
    borrowers.numbers = {"pd": book.pd, "lgd": book.lgd}
    assert rule.sectors is not None
    told = {"confidence": rule.confidence, "correlation": rule.correlation, "sectors": vars(rule.sectors)}
    return checker.Factors(checker.tail_rule({"tail": told}), borrowers)


def all_losses(rule: TailRule, book: Portfolio) -> list[Floats]:
    assert rule.sectors is not None
    return [*factors.losses(rule, book, range(rule.sectors.nodes))]


@pytest.mark.parametrize("rule", RULES, ids=str)
@pytest.mark.parametrize("names", ["a", "ab", "abcdefghijklmnopqrst"])
def test_three_readings_have_the_same_bits(rule: TailRule, names: str) -> None:
    book = book_of(300, names, seed=5)
    ours, own = all_losses(rule, book), tail_limit(1.0, rule)
    alone = read_by_the_checker(rule, book)
    assert rule.sectors is not None
    for year, losses in certified._losses(own, book, range(1, rule.sectors.nodes + 1)):
        assert np.array_equal(losses, ours[year - 1])
        assert np.array_equal(alone.losses(year), losses)
    caps = certified._caps(rule, rule.sectors)
    assert factors.most_weights(rule, rule.sectors).tolist() == list(caps) == alone.caps
    assert sum(caps) >= 10**7
    kept, most = losses_of(own, book)
    assert np.array_equal(kept, np.array(ours))
    assert most.tolist() == list(caps)
    drawn = np.linspace(0.0, 1e6, 300)
    assert alone.worst(drawn) == pytest.approx(worst_mean(own, book, drawn), rel=1e-14)


def test_decimals_say_what_doubles_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every movement and loss decided by decimals, as if doubles were unsure of each."""
    rule, book = rule_of(0.99, 0.2, 0.08, 16), book_of(4, "abc", seed=4)
    expected = all_losses(rule, book)
    monkeypatch.setattr(arithmetic, "_UNSURE", 1.0)
    monkeypatch.setattr(certified_arithmetic, "_NEAR_HALF", 1.0)
    factors._moves.cache_clear()
    certified._movements.cache_clear()
    assert np.array_equal(all_losses(rule, book), expected)
    again = [losses for _, losses in certified._losses(tail_limit(1.0, rule), book, range(1, 17))]
    assert np.array_equal(again, expected)


def test_the_order_of_rows_changes_nothing() -> None:
    rule, book = RULES[0], book_of(50, "cab", seed=6)
    drawn = np.random.default_rng(6).uniform(0.0, 1e6, 50)
    turned = np.arange(50)[::-1]
    before = worst_mean(tail_limit(1.0, rule), book, drawn)
    assert worst_mean(tail_limit(1.0, rule), book.take(turned), drawn[turned]) == pytest.approx(before, 1e-12)


def test_rules_of_their_own_have_weights_of_their_own() -> None:
    """One factor beside several, and two correlations: a row each, whatever the measure is called."""
    book = book_of(20, "ab", seed=1)
    one, other = TailRule(0.99, 0.15), TailRule(0.99, 0.4)
    limits = (limit("one", "tail_loss", "at_most", 1.0, rule=one), tail_limit(1.0, RULES[0]))
    rows = compile_limits(policy(1e6, *limits, limit("other", "tail_loss", "at_most", 1.0, rule=other)), book)
    weights = [channel.weight for channel in rows.channels if channel.weight is not None]
    assert [float(np.sum(own)) for own in weights] == pytest.approx(
        [tail_loss_of(one, book).sum(), 0.0, tail_loss_of(other, book).sum()]
    )


def faults_of(book: Portfolio, rule: TailRule) -> list[str]:
    with pytest.raises(InputError) as error:
        compile_limits(policy(1e6, tail_limit(1e5, rule)), book)
    return [str(fault) for fault in error.value.faults]


def test_more_sectors_than_points_fill_evenly_are_named() -> None:
    book = portfolio(["A"] * 21, texts={"sector": [f"s{i}" for i in range(21)]})
    assert faults_of(book, RULES[0]) == [
        "borrowers.csv, sector: limit 'tail' has a factor for each of 21 values of sector; "
        "name a column of 20 values at most"
    ]


def test_a_sector_that_is_missing_is_named() -> None:
    book = portfolio(["A"] * 3, texts={"sector": ["a", None, "b"]})
    (fault,) = faults_of(book, RULES[0])
    assert "row 2, sector: limit 'tail'" in fault
    assert "missing in 1 row; fill the column" in fault


def test_more_losses_than_are_kept_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    book = book_of(100, "ab", seed=1)
    monkeypatch.setattr(missing, "MOST_LOSSES", 2_500)
    assert faults_of(book, RULES[0]) == [
        "policy.tail.sectors.nodes: limit 'tail' needs the losses of 100 borrowers in 32 years; "
        "write policy.tail.sectors.nodes: 25, or leave policy.tail.sectors out"
    ]
    monkeypatch.setattr(missing, "MOST_LOSSES", 1_500)
    assert faults_of(book, RULES[0])[0].endswith(
        "decide for fewer borrowers, or leave policy.tail.sectors out"
    )


def test_a_price_list_is_refused() -> None:
    rules = policy(1e6, tail_limit(1e5, RULES[0]), limit("book", "loans", "at_most", 9), posting=Posting())
    with pytest.raises(InputError) as error:
        compile_limits(rules, book_of(5, "ab", seed=1))
    assert [str(fault) for fault in error.value.faults] == [
        "limits.tail: a limit on the tail loss of several sectors does not yet go with a price list; "
        "write pricing: individual, or leave policy.tail.sectors out"
    ]
