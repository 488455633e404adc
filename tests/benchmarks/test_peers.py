"""Peers solve the engine's own problem: the same optimum, every limit kept, whatever a limit counts."""

from __future__ import annotations

import pytest

from allocator.records.strategy import SolverSettings
from benchmarks.peers import measure_peer, solver_of
from benchmarks.phases import run_phases
from benchmarks.registry import CASES

GAP = 1e-7
BORROWERS = 24


def optimum(case: str) -> float:
    return run_phases(CASES[case].book(BORROWERS), SolverSettings(gap=1e-8)).certificate.value


@pytest.mark.parametrize("case", ["central", "few"])
@pytest.mark.parametrize("peer", ["highs-offers", "scipy-milp", "pyomo-rules", "linopy", "cvxpy"])
def test_a_peer_comes_to_the_optimum_of_the_engine(peer: str, case: str) -> None:
    try:
        solver_of(peer)
    except ImportError:
        pytest.skip(f"the library of {peer} is not installed; `make bench` installs it")
    found = measure_peer(peer, case, BORROWERS, GAP, 60.0, threads=1)
    assert found["largest_violation"] <= 1e-9
    assert found["value"] == pytest.approx(optimum(case), rel=2 * GAP)
    assert found["bound"] >= found["value"] * (1.0 - GAP)


@pytest.mark.full
@pytest.mark.parametrize("peer", ["highs-offers", "pyomo-rules"])
def test_so_does_one_where_a_loan_costs_something(peer: str) -> None:
    test_a_peer_comes_to_the_optimum_of_the_engine(peer, "costs")


def test_a_dual_of_first_order_comes_near_the_optimum_and_bounds_it() -> None:
    found, value = measure_peer("ridge-dual", "central", BORROWERS, GAP, 60.0, threads=1), optimum("central")
    assert found["largest_violation"] <= 1e-9
    assert 0.8 * value <= found["value"] <= value * (1.0 + 1e-9)
    assert found["bound"] >= value


def test_a_binary_a_borrower_is_left_out_where_a_limit_depends_on_the_rate() -> None:
    assert (
        "depends on the rate"
        in measure_peer("highs-borrowers", "central", BORROWERS, GAP, 60.0, threads=1)["left_out"]
    )
    assert measure_peer("highs-borrowers", "few", BORROWERS, GAP, 60.0, threads=1)["value"] == pytest.approx(
        optimum("few"), rel=2 * GAP
    )
