"""Simulated years against the certificate, against counting, and one method against the other."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom, ks_2samp

from allocator.borrowers import FurtherColumns as Further
from allocator.borrowers import read_inputs
from allocator.certification import recheck
from allocator.errors import InputError
from allocator.insight.simulate import Risk, Years, binned, draw_years
from allocator.insight.simulate.measures import distribution
from allocator.pipeline import decide, judge, prepare
from allocator.records.outcome import Outcome
from allocator.records.run import Decisions
from allocator.scenario import load_scenario
from tests.builders import Case, churn_table, policy, portfolio
from tests.cases import write_rich

SHIPPED = Path(__file__).resolve().parents[3] / "scenarios" / "sme-302-limits.yaml"
SECTORS = Risk(by="sector", lgd_spread=0.3)
METHODS = ("each", "binned")


def decided(path: Path) -> Outcome:
    scenario = load_scenario(path)
    inputs = read_inputs(scenario, Further(frozenset({"sector"})))
    case = prepare(scenario, inputs)
    return judge(case, decide(case))


@pytest.fixture(scope="module")
def shipped() -> Outcome:
    return decided(SHIPPED)


def judged(case: Case, amount: float, rate: float = 0.1) -> Outcome:
    """The same offer to everybody."""
    n = len(case.portfolio)
    decisions = Decisions(np.full(n, amount), np.full(n, rate))
    return recheck(case.scenario, case.inputs, decisions, {"budget": 0.0})


def book(n: int, take_up: float = 1.0, **columns: object) -> Case:
    """n borrowers of grade A who take an offer at 10 % with the given probability."""
    table = churn_table([0.05, 0.1], A=[0.0, 1 - take_up])
    return Case(portfolio(["A"] * n, **columns), table, policy(1e12, rates={"A": (0.05, 0.1)}))  # type: ignore[arg-type]


def years(outcome: Outcome, risk: Risk, **options: object) -> Years:
    return draw_years({"it": outcome}, risk, **options)["it"]  # type: ignore[arg-type]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("risk", [Risk(), SECTORS], ids=["one factor", "sectors"])
def test_means_are_what_the_certificate_expects(shipped, method, risk) -> None:
    found = draw_years({"it": shipped}, risk, years=20_000, seed=4, method=method)["it"]
    assert found.expected["net"] == shipped.certificate.value
    for name in ("interest", "loss", "drawn", "net"):
        row = distribution(getattr(found, name))
        assert abs(row.mean - found.expected[name]) <= 3 * row.standard_error, name


@pytest.mark.parametrize("method", METHODS)
def test_every_cost_is_in_the_net(tmp_path: Path, method) -> None:
    """Terms of two years, churn, processing, relationships, idle budget on money drawn, a pinned offer."""
    outcome = decided(write_rich(tmp_path))
    found = draw_years({"it": outcome}, Risk(), years=40_000, seed=2, method=method)["it"]
    for name in ("interest", "loss", "drawn", "net"):
        row = distribution(getattr(found, name))
        assert abs(row.mean - found.expected[name]) <= 3 * row.standard_error, name


@pytest.mark.parametrize("most", [5_000, 20], ids=["bins", "pool"])
def test_binned_years_are_distributed_as_those_of_each_borrower(shipped, monkeypatch, most) -> None:
    monkeypatch.setattr(binned, "EXACT_BINS", most)
    one, other = (
        draw_years({"it": shipped}, SECTORS, years=10_000, seed=seed, method=method)["it"]
        for seed, method in ((1, "each"), (2, "binned"))
    )
    assert (other.pooled > 0) == (most == 20)
    assert other.normal_error < 0.1
    for name in ("interest", "loss", "drawn", "net"):
        assert ks_2samp(getattr(one, name), getattr(other, name)).pvalue > 0.01, name
    for segment in range(one.by_segment.shape[1]):
        assert ks_2samp(one.by_segment[:, segment], other.by_segment[:, segment]).pvalue > 0.001


@pytest.mark.parametrize("method", METHODS)
def test_defaults_of_strangers_are_binomial(method) -> None:
    case = book(20, take_up=0.6, pd=0.3, lgd=1.0)
    found = years(judged(case, 1e5), Risk(rho=0.0), years=20_000, method=method)
    lost = np.bincount(np.round(found.loss / 1e5).astype(int), minlength=21) / 20_000
    np.testing.assert_allclose(lost, binom.pmf(np.arange(21), 20, 0.6 * 0.3), atol=0.011)
    drawn = np.bincount(np.round(found.drawn / 1e5).astype(int), minlength=21) / 20_000
    np.testing.assert_allclose(drawn, binom.pmf(np.arange(21), 20, 0.6), atol=0.011)


@pytest.mark.parametrize("method", METHODS)
def test_the_likely_and_the_certain_default_as_they_should(method) -> None:
    case = book(5, pd=[0.0, 0.35, 0.8, 0.999, 1.0], lgd=1.0, texts={"one": list("abcde")})
    outcome = judged(case, 1e5)
    risk = Risk(by="one", rho=0.4, between=1.0)
    found = draw_years({"it": outcome}, risk, years=20_000, method=method)
    share = (found["it"].by_segment > 0).mean(axis=0)
    np.testing.assert_allclose(share, case.portfolio.pd, atol=0.011)
    both = (found["it"].by_segment[:, 1:3] > 0).all(axis=1).mean()
    assert both == pytest.approx(0.324, abs=0.012)  # N2(G(0.35), G(0.8); 0.4)


@pytest.mark.parametrize("method", METHODS)
def test_a_large_pool_loses_as_its_factor_says(method) -> None:
    n = 2_000 if method == "each" else 20_000
    case = book(n, pd=0.02, lgd=1.0)
    found = years(judged(case, 1e5), Risk(rho=0.15), years=4_000, seed=6, method=method)
    rate = distribution(found.loss / (1e5 * n))
    known = {0.95: (0.062192, 0.089442), 0.99: (0.105587, 0.135971), 0.999: (0.176329, 0.209404)}
    for tail in rate.tails:
        var, cvar = known[tail.level]
        assert tail.var.low * 0.97 <= var
        assert not tail.var.high * 1.03 < var
        assert not cvar < tail.cvar.low * 0.97  # not known where few years lie beyond
        assert not cvar > tail.cvar.high * 1.03
    np.testing.assert_allclose(found.loss, found.systematic, atol=6 * np.sqrt(n * 0.25) * 1e5)


def test_the_luck_of_single_firms_thickens_the_tail_of_small_books() -> None:
    more = {}
    for n in (50, 302, 3_000):
        case = book(n, pd=0.02, lgd=0.45)
        found = years(judged(case, 1e5), Risk(rho=0.15), years=20_000, seed=3)
        tails = [distribution(part, (0.99,)).tails[0].cvar.value for part in (found.loss, found.systematic)]
        more[n] = tails[0] / tails[1] - 1
    assert more[50] == pytest.approx(0.32, abs=0.08)
    assert more[302] == pytest.approx(0.06, abs=0.03)
    assert more[3_000] == pytest.approx(0.007, abs=0.01)


@pytest.mark.parametrize("method", METHODS)
def test_recovery_spreads_around_its_mean(method) -> None:
    case = book(1, pd=1.0, lgd=0.4)
    found = years(judged(case, 1e5), Risk(lgd_spread=0.25), years=20_000, method=method)
    loss = found.loss / 1e5
    assert loss.mean() == pytest.approx(0.4, abs=0.006)
    assert loss.var() == pytest.approx(0.25 * 0.4 * 0.6, rel=0.04)


def same(one: dict[str, Years], other: dict[str, Years], name: str = "it") -> bool:
    a, b = one[name], other[name]
    return all(np.array_equal(getattr(a, f.name), getattr(b, f.name)) for f in fields(Years)[:6])


@pytest.mark.parametrize("method", METHODS)
def test_the_same_bits_for_any_number_of_threads_and_others_for_another_seed(shipped, monkeypatch, method):
    monkeypatch.setattr(binned, "_EVENTS", 500)  # many blocks

    def run(seed: int, threads: int) -> dict[str, Years]:
        return draw_years({"it": shipped}, SECTORS, years=4_000, seed=seed, threads=threads, method=method)

    assert same(run(1, 1), run(1, 3))
    assert not same(run(1, 1), run(2, 1))


def test_two_allocations_meet_the_same_years(shipped) -> None:
    less = replace(shipped.ledger, amount=shipped.ledger.amount / 2)
    other = replace(shipped, ledger=less)
    both = draw_years({"a": shipped, "b": other}, SECTORS, years=2_000, method="each")
    alone = draw_years({"b": other}, SECTORS, years=2_000, method="each")
    assert same(both, alone, "b")
    np.testing.assert_allclose(both["b"].loss, both["a"].loss / 2)
    together = draw_years({"a": shipped, "b": other}, SECTORS, years=2_000, method="binned")
    np.testing.assert_allclose(together["b"].loss, together["a"].loss / 2)


def test_no_offers_no_losses(shipped) -> None:
    case = book(3, take_up=0.5)
    found = years(judged(case, 0.0), Risk(), years=200, method="binned")
    assert not found.loss.any()
    assert not found.net.any()


def test_what_cannot_be_simulated_is_told_at_once() -> None:
    case = book(2, texts={"sector": ["a", None]})
    outcome = {"it": judged(case, 1e5)}
    with pytest.raises(InputError) as caught:
        draw_years(outcome, Risk(1.0, "sector", 1.5, -0.1), years=10, seed=-1)
    assert [fault.problem for fault in caught.value.faults] == [
        "1 is out of range",
        "1.5 is out of range",
        "-0.1 is out of range",
        "10 years say little",
        "-1 is below 0",
        "sector is missing in 1 row",
    ]
    with pytest.raises(InputError, match="the portfolio has no text column region"):
        draw_years(outcome, Risk(by="region"))
    many = book(1_001, texts={"sector": [f"s{i}" for i in range(1_001)]})
    with pytest.raises(InputError, match="sector has 1,001 values, each with a factor of its own"):
        draw_years({"it": judged(many, 1e5)}, Risk(by="sector"))
