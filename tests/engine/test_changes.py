"""Limits on clients changed and on money moved: against brute force, and both methods on random books."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.errors import InfeasibleError
from allocator.portfolio import held_to
from allocator.records.former import MONEY_MOVED, Changes, Direction
from allocator.testing import plain
from allocator.testing.books import random_case
from allocator.testing.measures import check_limit
from tests.builders import Case, limit
from tests.engine.brute_force import best_value, solved_to
from tests.engine.test_methods import methods_agree
from tests.engine.test_soft import PRICES
from tests.stages import solve
from tests.strategies import cases, limits_around, random_cases

WAYS: tuple[Direction, ...] = ("no_cut", "no_rise", "same")


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


def one_way(case: Case, way: Direction) -> Case:
    """`case` whose amounts keep to one side of the former ones."""
    changes = Changes(amounts=way)
    numbers = {**case.portfolio.numbers, "former_rate": np.full(len(case.portfolio), np.nan)}
    case = case.under(changes=changes)
    return replace(case, portfolio=held_to(replace(case.portfolio, numbers=numbers), case.policy))


@random_cases(25, full=1_000)
@given(cases(limits=1), st.sampled_from(WAYS), st.sampled_from((np.inf, np.inf, *PRICES)), st.data())
def test_the_optimum_of_brute_force(case: Case, way: Direction, price: float, data: Any) -> None:
    case = one_way(case, way)
    sample = [data.draw(st.sampled_from(plain.alternatives(case, i))) for i in range(len(case.portfolio))]
    entry = data.draw(limits_around(case, sample, "moved", (MONEY_MOVED,)))
    penalty = np.inf if entry.sense == "exactly" else price
    entry = replace(entry, rule=case.policy.changes, penalty=penalty)
    case = case.under(limits=(*case.policy.limits, entry))
    check_limit(case.under(limits=case.policy.enforced), seed=0)  # at a price of 0 it is only reported
    solved = solved_to(case, best_value(case))
    for use in () if solved is None else solved.outcome.certificate.limits:
        assert use.violation == 0.0


def with_money_moved(seed: int, method: str, largest: int) -> Case:
    """A random book of which about half was served, of whom no amount crosses the former one."""
    case, draw = random_case(seed, method, largest), np.random.default_rng(20_000 + seed)
    n = len(case.portfolio)
    former = np.where(draw.random(n) < 0.5, draw.choice([100_000.0, 150_000.0, 222_222.22], n), 0.0)
    numbers = {**case.portfolio.numbers, "former_amount": former}
    case = one_way(replace(case, portfolio=replace(case.portfolio, numbers=numbers)), WAYS[seed % 3])
    price = float(draw.choice([np.inf, 0.002, 0.02]))
    most = float(draw.choice([0.1, 0.3, 0.6])) * float(np.sum(former))
    moved = [
        limit("turnover", MONEY_MOVED, "at_most", most, rule=case.policy.changes, penalty=price),
        limit("by sector", MONEY_MOVED, "at_most", most / 3, each="sector", rule=case.policy.changes),
        limit("of total", MONEY_MOVED, "at_most", 0.5, of="total", rule=case.policy.changes),
    ]
    chosen = [moved[int(k)] for k in draw.permutation(3)[: int(draw.integers(1, 4))]]
    return case.under(limits=(*case.policy.limits[:2], *chosen))


def methods_agree_on_money_moved(seed: int, largest: int) -> None:
    methods_agree(lambda method: with_money_moved(seed, method, largest))


@pytest.mark.parametrize("seed", [0, 2, 3, 4, 5, 7])
def test_reduced_and_exact_agree_on_money_moved(seed: int) -> None:
    methods_agree_on_money_moved(seed, largest=100)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(200))
def test_reduced_and_exact_agree_on_money_moved_of_all(seed: int) -> None:
    methods_agree_on_money_moved(seed, largest=1_000)
