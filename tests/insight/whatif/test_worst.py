"""The best in the worst of several stresses, against every allocation of tiny books; its bound by a mean."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from allocator.certification.exact import ExactCase, exact_faults
from allocator.certification.worst import weight_faults
from allocator.engine import floors
from allocator.errors import InputError
from allocator.insight.whatif.worst import worst_of
from allocator.pipeline import allocate, as_solved, decide, judge, prepare
from allocator.records.filters import weighted
from allocator.records.outcome import Outcome
from allocator.records.stress import Shock, Stress, StressSource, whole_weights
from allocator.records.ticket import Ticket
from allocator.scenario import load_scenario
from allocator.store import certificate_to_json
from allocator.testing import limit_rows, plain
from tests.builders import Case, churn_table, limit, policy, portfolio

TABLE = churn_table([0.05, 0.1], A=[0.1, 0.4], B=[0.0, 0.5])
SHIPPED = Path(__file__).resolve().parents[3] / "scenarios" / "sme-302-weighted.yaml"
BAD, WORSE = Stress(pd=Shock(3.0)), Stress(pd=Shock(1.5), lgd=Shock(2.0))


def tiny(seed: int) -> Case:
    """Four borrowers whose amounts are of two steps or one, a budget that three of them fill."""
    draw = np.random.default_rng(seed)
    book = portfolio(
        draw.choice(["A", "B"], 4).tolist(),
        pd=draw.uniform(0.0, 0.06, 4).tolist(),
        lgd=draw.uniform(0.1, 0.5, 4).tolist(),
        max_amount=[200e3, 100e3, 200e3, 100e3],
    )
    cap = limit("loss", "expected_loss", "at_most", float(draw.uniform(2e3, 2e4)))
    rates = dict.fromkeys("AB", (0.05, 0.1))
    return Case(book, TABLE, policy(400e3, cap, step=100e3, rates=rates, idle_rate=0.001 * (seed % 2)))


def found_of(case: Case, *stresses: Stress) -> Outcome:
    """The most of the case in the worst of `stresses`, confirmed in rational numbers."""
    names = tuple(f"stress {k}" for k in range(len(stresses)))
    weights = whole_weights([1.0] * len(stresses))
    source = StressSource(mean=tuple(zip(weights, stresses, strict=True)), worst=names)
    held = case.policy.apart
    scenario = replace(case.scenario, stress=source, policy=held, written=held)
    inputs = replace(case.inputs, portfolio=weighted(source, case.portfolio))
    ready = prepare(scenario, inputs)
    solution = decide(ready)
    outcome = judge(ready, solution)
    ready = as_solved(ready, solution)
    exact = ExactCase.of(ready.scenario, ready.inputs.portfolio, ready.inputs.churn)
    stated = certificate_to_json(outcome.certificate)
    assert not [*exact_faults(exact, outcome.decisions, [], stated)]
    assert not weight_faults(source, stated["weights"])
    return outcome


def by_trying(case: Case, *stresses: Stress) -> float:
    """The largest least value over all allocations that keep the limits as the book stands."""
    best, worlds = -np.inf, [limit_rows.seen_by(case, stress) for stress in stresses]
    rows, policy = limit_rows.rows(case), case.policy
    for offers in product(*(plain.alternatives(case, i) for i in range(len(case.portfolio)))):
        chosen = list(offers)
        if all(limit_rows.kept(case, row, chosen) for row in rows):
            worths = [sum(plain.worth(world, i, one) for i, one in enumerate(chosen)) for world in worlds]
            idle = policy.budget.amount - sum(one.amount for one in chosen if one is not None)
            best = max(best, min(worths) + policy.idle_rate * idle)
    return best


@pytest.mark.parametrize("seed", range(12))
def test_no_allocation_of_a_tiny_book_is_worth_more_in_the_worst(seed: int) -> None:
    case = tiny(seed)
    for stresses in ((Stress(), BAD), (BAD, WORSE), (Stress(), BAD, WORSE)):
        best, found = by_trying(case, *stresses), found_of(case, *stresses)
        certificate = found.certificate
        assert found.value == pytest.approx(best, rel=1e-9, abs=1e-6)
        assert best <= certificate.bound + 1e-6
        assert sum(certificate.weights.values()) == 1.0
        assert certificate.value == pytest.approx(min(certificate.values.values()), rel=1e-12)
        mean = sum(certificate.weights[name] * own for name, own in certificate.values.items())
        assert certificate.above_worst == pytest.approx(mean - certificate.value, abs=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_a_book_too_large_for_the_solver_is_raised_by_halves(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(floors, "_BORROWERS", 0)
    case = replace(tiny(seed), policy=replace(tiny(seed).policy, ticket=Ticket(0.0, 200e3)))
    stresses = Stress(), BAD, WORSE
    found, steps = found_of(case, *stresses), by_trying(tiny(seed), *stresses)
    assert found.value >= steps * (1 - 1e-4)
    assert found.value <= found.certificate.bound * (1 + 1e-12)


@pytest.mark.parametrize("seed", range(12))
def test_both_methods_find_the_same(seed: int) -> None:
    case = tiny(seed)
    settings = (replace(case.settings, method=method) for method in ("exact", "reduced"))
    one, other = (found_of(replace(case, settings=own), Stress(), BAD, WORSE) for own in settings)
    assert one.value == pytest.approx(other.value, rel=1e-9)
    assert max(one.gap, other.gap) <= 1e-9


@pytest.mark.parametrize("seed", range(4))
def test_the_worst_of_several_is_no_better_than_each_and_of_one_is_that(seed: int) -> None:
    case = replace(tiny(seed), policy=replace(tiny(seed).policy, limits=()))
    alone = {stress: found_of(case, stress) for stress in (Stress(), BAD, WORSE)}
    for stress, own in alone.items():
        there = replace(case, portfolio=limit_rows.seen_by(case, stress).portfolio)
        ready = prepare(there.scenario, there.inputs)
        assert own.value == pytest.approx(judge(ready, decide(ready)).value, rel=1e-9)
        assert own.certificate.weights == {"stress 0": 1.0}
    together = found_of(case, *alone)
    assert together.value <= min(own.value for own in alone.values()) + 1e-6


def test_weights_are_whole_to_the_last_bit() -> None:
    draw = np.random.default_rng(3)
    for count in (1, 2, 3, 7, 10):
        weights = whole_weights(draw.dirichlet(np.full(count, 0.3)).tolist())
        assert sum(weights) == sum(reversed(weights)) == 1.0
        assert min(weights) >= 0.0


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("worst") / "two.yaml"
    path.write_text(
        f"schema: 1\nextends: {SHIPPED.parent / 'sme-302.yaml'}\n"
        "policy: {budget: {amount: 20_000_000}, ticket: {step: 100_000}}\n"
        "stresses:\n"
        "  trade: {pd: {where: [{sector: [retail, wholesale], factor: 5}]}}\n"
        "  industry: {pd: {where: [{sector: [manufacturing, construction], factor: 3}]}, lgd: {all: 1.2}}\n"
    )
    return path


def test_bound_and_weights_are_those_of_the_mean_over_the_stresses(two: Path) -> None:
    found = worst_of(load_scenario(two), ["trade", "industry"])
    weights = found.certificate.weights
    assert found.value <= found.bound <= found.certificate.bound
    assert found.gap < 1e-4
    mean = ", ".join(f"{name}: {weight!r}" for name, weight in weights.items() if weight)
    again = allocate(load_scenario(two, [f"stress={{mean_of: {{{mean}}}}}"]))
    assert again.certificate.bound == pytest.approx(found.certificate.bound, rel=1e-7)
    floor = f"[{{name: worst, measure: value, at_least: {found.value - 0.01!r}, under: [trade, industry]}}]"
    held = allocate(load_scenario(two, [f"policy.limits={floor}"]))
    assert held.certificate.value >= found.value - 0.01


@pytest.mark.parametrize(
    ("sets", "names", "told"),
    [
        (["stress=null"], ["trade", "storm"], "no stress is named 'storm'"),
        (["stress=null"], ["trade", "trade"], "trade is named twice"),
        ([], ["trade", "industry"], "mean_of and worst_of do not go together"),
        (["stress=null", "stresses.dear={funding: {add: 1%}}"], ["base", "dear"], "dear changes funding"),
        (["stress=null", "policy.capital.cost=10%"], ["base", "trade"], "what capital costs is no mean"),
    ],
)
def test_what_has_no_worst_of_several_is_told(sets: list[str], names: list[str], told: str) -> None:
    with pytest.raises(InputError) as caught:
        worst_of(load_scenario(SHIPPED, sets), names)
    assert told in str(caught.value)
