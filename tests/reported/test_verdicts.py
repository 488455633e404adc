"""Small inputs that were once answered wrongly: their values, and the kinds that they stand for."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from allocator import Run, allocate, load_scenario
from allocator.errors import InfeasibleError

CASES = Path(__file__).parent / "cases"
EXACT = sorted((CASES / "exact-spend-feasible-refused").glob("*.yaml"))


@cache
def solved(path: str) -> Run:
    return allocate(load_scenario(CASES / path))


def refusals(run: Run) -> dict[str, int]:
    found: dict[str, int] = run.summary["refused"]
    return found


def test_shares_that_add_up_to_all_of_the_total_lend() -> None:
    run = solved("lends-nothing/scenario.yaml")
    assert run.certificate.value == pytest.approx(2_470_546.23, abs=0.05)
    assert not any(use.broken for use in run.certificate.limits)
    assert max(abs(price) for price in run.certificate.prices.values()) < 1.0


def test_a_number_of_loans_is_kept_beside_a_budget_of_1e14() -> None:
    run = solved("vnd-loans-limit/scenario.yaml")
    assert run.status == "optimal"
    assert run.summary["funded"] == 7
    assert run.certificate.value <= run.certificate.bound


def test_a_weight_of_a_billionth_is_kept() -> None:
    run = solved("small-weight-1e-09/scenario.yaml")
    assert run.status == "optimal"
    carbon = next(use for use in run.certificate.limits if use.name == "carbon")
    assert carbon.used <= 0.0245 * (1 + 1e-9)
    assert run.certificate.value == pytest.approx(3_012_337.387, rel=1e-9)


@pytest.mark.parametrize("path", EXACT, ids=lambda path: path.stem)
def test_equalities_of_tens_of_millions_of_lots_are_met(path: Path) -> None:
    run = solved(f"{path.parent.name}/{path.name}")
    assert run.status in ("optimal", "feasible")
    spent = run.allocation["amount"].sum()
    least = {"range": 30_769_872.0}.get(path.stem.split("-")[0])
    assert spent >= least if least else spent == 30_769_872.0
    if path.stem != "byfile":
        assert run.status == "optimal"


def test_half_of_the_total_exactly() -> None:
    run = solved("exact-half-of-total-recheck/s.yaml")
    assert run.status == "optimal"
    assert run.certificate.value == pytest.approx(5_023_331.11, abs=0.005)


def test_loans_of_a_trillion_are_answered_without_a_step() -> None:
    run = solved("loans-of-1e12/s.yaml")
    assert run.status == "optimal"
    assert run.allocation["amount"].sum() == 3_768_900_062_650.0


def test_a_budget_that_fixed_requests_miss_by_parity_is_infeasible_at_once() -> None:
    with pytest.raises(InfeasibleError, match=r"fixed requests.*multiple of 2\.00") as caught:
        solved("exact-spend-parity/s.yaml")
    assert caught.value.conflict == ("budget",)


def test_an_interest_to_be_met_exactly_is_met() -> None:
    run = solved("none-found/scenario.yaml")
    assert run.status in ("optimal", "feasible")
    exact = next(use for use in run.certificate.limits if use.sense == "exactly")
    assert abs(exact.used - exact.bound) <= 1e-9 * exact.bound


def test_whoever_is_banned_is_refused_for_the_ban() -> None:
    run = solved("ban-a-sector/s.yaml")
    banned = run.allocation["reason"].astype(str) != ""
    assert np.count_nonzero(banned) == 20
    assert set(run.allocation["reason"][banned].astype(str)) == {"crowded out by limit no arms"}
