"""The best in the worst of several stresses, against every allocation of tiny books; its bound by a mean."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from allocator.errors import InputError
from allocator.insight.whatif.worst import WorstOf, _Search, _Worlds, worst_of
from allocator.pipeline import allocate, prepare
from allocator.records.stress import Shock, Stress
from allocator.scenario import load_scenario
from allocator.testing import plain
from tests.builders import Case, churn_table, limit, policy, portfolio

TABLE = churn_table([0.05, 0.1], A=[0.1, 0.4], B=[0.0, 0.5])
SHIPPED = Path(__file__).resolve().parents[3] / "scenarios" / "sme-302-weighted.yaml"
STRESSES = """\
stresses:
  trade: {pd: {where: [{sector: [retail, wholesale], factor: 5}]}}
  industry: {pd: {where: [{sector: [manufacturing, construction], factor: 3}]}, lgd: {all: 1.2}}
  dear: {funding: {add: 1%}}
"""
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
    return Case(book, TABLE, policy(400e3, cap, step=100e3, rates=dict.fromkeys("AB", (0.05, 0.1))))


def found_of(case: Case, *stresses: Stress) -> WorstOf:
    names = tuple(f"stress {k}" for k in range(len(stresses)))
    return _Search(_Worlds(prepare(case.scenario, case.inputs), names, stresses), lambda _: None).run()


def by_trying(case: Case, *stresses: Stress) -> float:
    """The largest least value over all allocations that keep the limits as the book stands."""
    best, worlds = -np.inf, [plain.seen_by(case, stress) for stress in stresses]
    rows = plain.rows(case)
    for offers in product(*(plain.alternatives(case, i) for i in range(len(case.portfolio)))):
        chosen = list(offers)
        sides = (
            (row, plain.left_side(case, row, chosen), plain.right_side(case, row, chosen)) for row in rows
        )
        if all(plain.holds(case, *side) for side in sides):
            worths = (sum(plain.worth(world, i, one) for i, one in enumerate(chosen)) for world in worlds)
            best = max(best, min(worths))
    return best


@pytest.mark.parametrize("seed", range(12))
def test_no_allocation_of_a_tiny_book_is_worth_more_in_the_worst(seed: int) -> None:
    case = tiny(seed)
    for stresses in ((Stress(), BAD), (BAD, WORSE), (Stress(), BAD, WORSE)):
        best, found = by_trying(case, *stresses), found_of(case, *stresses)
        assert found.floor <= best + 1e-6
        assert best <= found.bound + 1e-6
        assert sum(found.weights) == pytest.approx(1.0, abs=1e-12)


def test_bound_and_weights_are_those_of_the_mean_over_the_stresses(tmp_path: Path) -> None:
    path = tmp_path / "two.yaml"
    path.write_text(f"schema: 1\nextends: {SHIPPED.parent / 'sme-302.yaml'}\n{STRESSES}")
    found = worst_of(load_scenario(path), ["trade", "industry"])
    assert found.floor == min(found.values) <= found.bound
    assert found.gap < 1e-4
    mean = ", ".join(f"{name}: {weight!r}" for name, weight in zip(found.names, found.weights, strict=True))
    again = allocate(load_scenario(path, [f"stress={{mean_of: {{{mean}}}}}"]))
    assert again.certificate.bound == pytest.approx(found.bound, rel=1e-9)
    floor = f"[{{name: worst, measure: value, at_least: {found.floor - 0.01!r}, under: [trade, industry]}}]"
    held = allocate(load_scenario(path, [f"policy.limits={floor}"]))
    assert held.certificate.value >= found.floor - 0.01


@pytest.mark.parametrize(
    ("sets", "names", "told"),
    [
        (["stress=null"], ["trade", "storm"], "no stress is named 'storm'"),
        (["stress=null"], ["trade"], "expected two or more, each once"),
        (["stress=null"], ["trade", "trade"], "expected two or more, each once"),
        ([], ["trade", "industry"], "the scenario is a mean over stresses already"),
        (
            ["stress=null", "stresses.dear={funding: {add: 1%}}"],
            ["base", "dear"],
            "dear has factors of more than",
        ),
        (["stress=null", "policy.capital.cost=10%"], ["base", "trade"], "what capital costs is no mean"),
    ],
)
def test_what_has_no_worst_of_several_is_told(sets: list[str], names: list[str], told: str) -> None:
    with pytest.raises(InputError) as caught:
        worst_of(load_scenario(SHIPPED, sets), names)
    assert told in str(caught.value)
