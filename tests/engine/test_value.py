"""Limits on net value: both methods agree on random books, and a floor costs what it says."""

from __future__ import annotations

import pytest

from allocator.records.columns import VALUE
from allocator.testing.books import random_case
from tests.engine.test_methods import SHARE, methods_agree


def agree(seed: int, largest: int = 2_000) -> None:
    methods_agree(lambda method: random_case(seed, method, largest, (VALUE,)))


@pytest.mark.parametrize("seed", SHARE)
def test_exact_is_reduced(seed: int) -> None:
    agree(seed, 200)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(200))
def test_exact_is_reduced_of_all(seed: int) -> None:
    agree(seed)
