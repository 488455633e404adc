"""Reverse stress: found to 0.1 %, confirmed by solving either side as scenarios of their own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from allocator.errors import InputError
from allocator.insight.whatif.reverse import (
    PRECISION,
    Crossing,
    ScalePoint,
    Target,
    find_crossing,
    kinds_of,
    target_of,
)
from allocator.insight.whatif.stress import read_base
from allocator.pipeline import allocate
from allocator.records.stress import LimitShock, Shock, Stress
from allocator.scenario import load_scenario
from tests.insight.whatif.test_stress import CASE, base_of

SHIPPED = Path(__file__).resolve().parents[3] / "scenarios" / "sme-302.yaml"
ALONG = Stress(pd=Shock(2.5), amount=Shock(0.8))


def solved_at(scale: float) -> float:
    """Value of the shipped scenario with the stress written into it."""
    there = ALONG.scaled(scale)
    return allocate(
        load_scenario(SHIPPED, [f"stress.pd.all={there.pd.all!r}", f"stress.amount.all={there.amount.all!r}"])
    ).certificate.value


def test_both_kinds_are_found_and_confirmed_on_either_side() -> None:
    base = read_base(load_scenario(SHIPPED), {})
    frozen, anew = (
        find_crossing(base, ALONG, target_of("value=1_000_000"), kind) for kind in ("frozen", "reoptimised")
    )
    for crossing in (frozen, anew):
        before, after = crossing.before, crossing.after
        assert before is not None
        assert after is not None
        assert 0 < after.scale - before.scale <= PRECISION * after.scale
        assert before.quantity > 1e6 >= after.quantity
        assert crossing.monotone
    assert anew.before is not None
    assert anew.after is not None
    assert solved_at(anew.before.scale) > 1e6 > solved_at(anew.after.scale)
    assert anew.proved
    assert anew.after.scale > (frozen.scale or 0.0)  # deciding anew holds out longer
    assert not frozen.proved


def test_a_figure_that_rises_to_its_line() -> None:
    crossing = find_crossing(base_of(CASE), Stress(pd=Shock(2.0)), target_of("loss_rate=5%"), "frozen")
    start = base_of(CASE).verdict.loss_rate
    # the loss rate of a frozen allocation is proportional to PD, so s = line / start - 1
    assert crossing.scale == pytest.approx(0.05 / start - 1, rel=PRECISION)


def test_the_use_of_a_limit() -> None:
    crossing = find_crossing(
        base_of(CASE),
        Stress(limits=LimitShock(named=(("budget", 0.5),))),
        target_of("limits[budget]=125%"),
        "frozen",
    )
    used = base_of(CASE).verdict.account.offered
    assert crossing.scale == pytest.approx((1 - used / 1.25e6) / 0.5, rel=PRECISION)


def test_a_line_that_is_never_reached() -> None:
    crossing = find_crossing(base_of(CASE), Stress(pd=Shock(1.1)), target_of("value=-1e9"), "frozen")
    assert (crossing.scale, crossing.before, crossing.after) == (None, None, None)
    assert crossing.points[-1].scale == 16.0


def test_a_bound_belongs_to_the_stressed_case() -> None:
    base = base_of(CASE)
    target = target_of("bound=30_000")
    assert kinds_of(target) == ("reoptimised",)
    assert kinds_of(target_of("value=0")) == ("frozen", "reoptimised")
    with pytest.raises(InputError, match="not to an allocation; ask for it re-opt"):
        find_crossing(base, ALONG, target, "frozen")
    bound = find_crossing(base, ALONG, target, "reoptimised")
    value = find_crossing(base, ALONG, target_of("value=30_000"), "reoptimised")
    assert bound.scale == pytest.approx(value.scale, rel=PRECISION)
    frozen = find_crossing(base, ALONG, target_of("value=0"), "frozen")
    assert {point.outcome.bound for point in frozen.points[1:] if point.outcome} == {None}


def test_a_scale_from_which_nothing_is_feasible_counts_as_crossed() -> None:
    case = CASE.under(budget=replace(CASE.policy.budget, spend="exactly"))
    crossing = find_crossing(base_of(case), Stress(amount=Shock(0.5)), target_of("value=0"), "reoptimised")
    assert crossing.after is not None
    assert crossing.after.outcome is None
    assert "'budget' cannot be met" in crossing.after.failure
    # requests of 1.32 million shrink by half the scale; the 120,000 one falls below the ticket at a third
    assert crossing.scale == pytest.approx(1 / 3, rel=PRECISION)


def test_a_way_that_turns_is_said_to_turn() -> None:
    points = tuple(ScalePoint(s, q, None) for s, q in [(0.0, 1.0), (1.0, 3.0), (2.0, 2.0)])
    assert not Crossing("frozen", Target("value", 5.0), None, None, points).monotone
    assert Crossing("frozen", Target("value", 5.0), None, None, points[:2]).monotone


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("value", "'value' states no line; write QUANTITY=THRESHOLD"),
        ("value=much", "'value=much' states no line"),
        ("value=inf", "'value=inf' states no line"),
        ("valu=0", "'valu' is no quantity; did you mean value?"),
        ("profit=0", "'profit' is no quantity; the quantities are value, bound"),
    ],
)
def test_what_states_no_line(text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        target_of(text)


def test_a_limit_that_there_is_not() -> None:
    with pytest.raises(InputError, match=r"no limit is named 'budgt'; did you mean limits\[budget\]\?"):
        find_crossing(base_of(CASE), ALONG, target_of("limits[budgt]=1"), "frozen")
