"""Limits on net value: both methods agree on random books, and a floor costs what it says."""

from __future__ import annotations

import pytest

from allocator.records.columns import VALUE
from allocator.testing.books import random_case
from tests.engine.test_methods import SHARE, check_verdicts, judge


def agree(seed: int, largest: int = 2_000) -> None:
    methods = ("exact", "reduced")
    check_verdicts(*(judge(random_case(seed, method, largest, (VALUE,))) for method in methods))


@pytest.mark.parametrize("seed", SHARE)
def test_exact_is_reduced(seed: int) -> None:
    agree(seed, 200)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(200))
def test_exact_is_reduced_of_all(seed: int) -> None:
    agree(seed)
