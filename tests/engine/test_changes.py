"""Limits on clients changed: both methods agree on random books with a former run, counts kept exactly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from allocator.errors import InfeasibleError
from allocator.testing.books import random_case
from tests.builders import Case, limit
from tests.stages import solve


def with_former_run(seed: int, method: str, largest: int) -> Case:
    """A random book of which about half was served, with limits on who comes and who goes."""
    case, draw = random_case(seed, method, largest), np.random.default_rng(10_000 + seed)
    n = len(case.portfolio)
    served = draw.random(n) < draw.choice([0.2, 0.5, 0.8])
    former = np.where(served, 150_000.0, 0.0)
    book = replace(case.portfolio, numbers={**case.portfolio.numbers, "former_amount": former})
    limits = [
        limit("changes", "clients_changed", "at_most", float(draw.integers(n // 10, n // 2 + 1))),
        limit("by sector", "clients_changed", "at_most", float(n // 8), each="sector"),
        limit("score moved", "clients_changed", "at_least", float(n // 20), weight="k"),
        limit(
            "come", "clients_changed", "at_least", float(n // 30), where={"former_amount": {"at_most": 0.0}}
        ),
        limit("lost", "clients_changed", "at_most", float(n // 10), where={"former_amount": {"above": 0.0}}),
    ]
    chosen = [limits[int(k)] for k in draw.permutation(len(limits))[: int(draw.integers(1, 4))]]
    return replace(case, portfolio=book).under(limits=(*case.policy.limits[:2], *chosen))


def check_agreement(seed: int, largest: int) -> None:
    found = []
    for method in ("exact", "reduced"):
        case = with_former_run(seed, method, largest)
        try:
            found.append(solve(case))
        except InfeasibleError:
            found.append(None)
    exact, reduced = found
    assert (exact is None) == (reduced is None)
    if exact is None or reduced is None:
        return
    served = case.portfolio.numbers["former_amount"] > 0
    size = max(abs(exact.value), 1.0)
    for one, other in ((exact, reduced), (reduced, exact)):
        assert one.bound >= other.value - 1e-8 * size
        assert one.outcome.certificate.largest_violation == 0
        use = next((use for use in one.outcome.certificate.limits if use.name == "changes"), None)
        if use is not None:
            assert use.used == np.count_nonzero(served != (one.outcome.decisions.amount > 0)) <= use.bound


@pytest.mark.parametrize("seed", range(15))
def test_reduced_and_exact_agree(seed: int) -> None:
    check_agreement(seed, largest=120)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(200))
def test_reduced_and_exact_agree_on_two_hundred(seed: int) -> None:
    check_agreement(seed, largest=1_000)
