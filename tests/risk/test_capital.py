"""Capital requirements: published risk weights, and three readings that share no code and no bit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from allocator import checker
from allocator.certification.capital import weights_by
from allocator.records.portfolio import Floats, Portfolio
from allocator.records.risk import CapitalRule
from allocator.risk import arithmetic
from allocator.risk.capital import capital_of
from allocator.testing import plain
from tests.builders import Case, churn_table, limit, policy, portfolio

PDS = [0.0005, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2]
GOLDEN = {
    "corporate": [19.65, 69.61, 92.32, 114.85, 149.85, 193.09, 238.23],
    "sme": [15.40, 54.91, 72.39, 88.55, 112.26, 146.51, 188.42],
    "retail": [6.63, 32.36, 45.77, 57.99, 66.42, 75.54, 100.28],
}
"""Class -> risk weights in % at LGD 45 %, maturity 2.5 years and, of small firms, sales of 5 million EUR."""
RULES = [
    CapitalRule(asset_class=asset_class, maturity=maturity, supporting_factor=small, lgd_floor=floor)
    for asset_class in ("corporate", "sme", "retail")
    for maturity, small, floor in ((2.5, False, 0.0), (5.0, True, 0.35))
]
RULES += [
    CapitalRule(asset_class_by="kind", supporting_factor=True),
    CapitalRule("standardised", asset_class_by="kind"),
]


def read_by_the_checker(rule: CapitalRule, book: Portfolio) -> Floats:
    written = {**vars(rule), "asset_class": str(rule.asset_class)}
    kinds = book.texts.get("kind")
    cells = {} if kinds is None else {"kind": [kinds.values[code] for code in kinds.codes]}
    borrowers = checker.Borrowers({"borrower_id": book.borrower_id.tolist(), **cells}, ".", {})
    own = {"pd": book.pd, "lgd": book.lgd, "term_years": book.term}
    borrowers.numbers = own | dict(book.numbers)
    stated = checker.capital_rule({"capital": written})
    return checker.by_class(lambda one: checker.requirements_of(one, borrowers), stated, borrowers)


def random_book(n: int, seed: int = 0) -> Portfolio:
    draw = np.random.default_rng(seed)
    pd = np.concatenate([[0.0, 1.0, 0.5, 1e-12, 1 - 1e-12], draw.random(n - 5) ** draw.integers(1, 6, n - 5)])
    return portfolio(
        ["A"] * n,
        pd=pd.tolist(),
        lgd=draw.choice([0.0, 0.45, 0.3717, 1.0], n).tolist(),
        term=draw.choice([1.0, 1 / 3, 2.5, 10.0], n).tolist(),
        numbers={"turnover": draw.uniform(-1.0, 60.0, n).tolist()},
        texts={"kind": draw.choice(["corporate", "sme", "retail"], n).tolist()},
    )


@pytest.mark.parametrize("asset_class", GOLDEN)
def test_risk_weights_are_the_published_ones(asset_class: Any) -> None:
    book = portfolio(["A"] * len(PDS), pd=PDS, lgd=0.45, numbers={"turnover": [5.0] * len(PDS)})
    weights = 1_250.0 * capital_of(CapitalRule(asset_class=asset_class), book)
    assert np.round(weights, 2).tolist() == GOLDEN[asset_class]


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_three_readings_have_the_same_bits(rule: CapitalRule) -> None:
    book = random_book(3_000)
    ours = capital_of(rule, book)
    assert np.array_equal(ours, weights_by(rule, book))
    assert np.array_equal(ours, read_by_the_checker(rule, book))
    assert np.all((ours >= 0) & (ours <= 1))
    rules = policy(1e6, limit("c", "capital", "at_most", 1.0, rule=rule))
    case = Case(book, churn_table([0.1], A=[0.0]), rules)
    assert [plain.requirement(case, i) for i in range(40)] == pytest.approx(ours[:40].tolist(), abs=1e-8)


@pytest.mark.parametrize("rule", RULES[:4:3], ids=str)
def test_decimals_say_what_doubles_say(rule: CapitalRule, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every requirement decided by decimals, as if doubles were unsure of each."""
    book = random_book(120, seed=1)
    expected = capital_of(rule, book)
    monkeypatch.setattr(arithmetic, "_UNSURE", 1.0)
    monkeypatch.setattr("allocator.certification.capital._NEAR_HALF", 1.0)
    assert np.array_equal(capital_of(rule, book), expected)
    assert np.array_equal(weights_by(rule, book), expected)


def test_a_half_is_decided_by_decimals(monkeypatch: pytest.MonkeyPatch) -> None:
    """An LGD at which the requirement lies within 1e-17 of a half of the last place, below or above it."""
    rule, book = CapitalRule(asset_class="retail"), portfolio(["A"], pd=0.02, lgd=1.0)
    with arithmetic.localcontext(prec=60):
        whole = arithmetic.Decimal(float(capital_of(rule, book)[0]))
        lgd = float(arithmetic.Decimal("0.040000005") / whole)
    near = [np.nextafter(lgd, side) for side in (0.0, 1.0)] + [lgd + k * 1e-16 for k in range(-40, 40)]
    tied = portfolio(["A"] * len(near), pd=0.02, lgd=near)
    ours = capital_of(rule, tied)
    assert np.array_equal(ours, weights_by(rule, tied))
    assert np.array_equal(ours, read_by_the_checker(rule, tied))


def test_a_year_of_a_longer_term_has_a_smaller_pd() -> None:
    """10 % over three years are 1 - 0.9^(1/3) = 3.451 % a year."""
    long = portfolio(["A"], pd=0.1, lgd=0.45, term=3.0)
    short = portfolio(["A"], pd=1 - 0.9 ** (1 / 3), lgd=0.45)
    assert capital_of(CapitalRule(), long) == capital_of(CapitalRule(), short)


def test_floors_hold_from_below() -> None:
    book = portfolio(["A"] * 3, pd=[0.0, 0.0005, 0.001], lgd=[0.1, 0.45, 0.45])
    floored = capital_of(CapitalRule(lgd_floor=0.45), book)
    assert floored[0] == floored[1] < floored[2]


def test_standard_weights_and_the_supporting_factor() -> None:
    book = portfolio(["A"], pd=0.3, lgd=0.9)
    rules = [CapitalRule("standardised", name) for name in ("corporate", "sme", "retail")]
    assert [capital_of(rule, book)[0] for rule in rules] == [0.08, 0.068, 0.06]
    supported = [replace(rule, supporting_factor=True) for rule in rules]
    assert [capital_of(rule, book)[0] for rule in supported] == [0.08, 0.0518092, 0.045714]
    for rule in (*rules, *supported):
        assert weights_by(rule, book) == read_by_the_checker(rule, book) == capital_of(rule, book)


def test_sales_count_in_millions_from_5_to_50() -> None:
    rule = CapitalRule(asset_class="sme", turnover_unit=7.8e6)
    book = portfolio(["A"] * 4, numbers={"turnover": [1.0, 39e6, 390e6, 9e9]})
    small, same, large, beyond = capital_of(rule, book)
    assert small == same < large == beyond == capital_of(CapitalRule(), book)[0]
