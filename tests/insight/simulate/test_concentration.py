"""Concentration of known books."""

from __future__ import annotations

import numpy as np
import pytest

from allocator.insight.simulate.concentration import concentration


def test_equal_names_are_as_many_as_they_are() -> None:
    found = concentration(np.array([2.0, 2.0, 0.0, 2.0, 2.0]), (1, 2, 10))
    assert (found.names, found.effective, found.hhi) == (4, 4.0, 0.25)
    assert found.top == ((1, 0.25), (2, 0.5))


def test_one_large_name_weighs() -> None:
    found = concentration(np.array([9.0, 1.0]), (1,))
    assert found.hhi == pytest.approx(0.82)
    assert found.top == ((1, 0.9),)


def test_an_empty_book_has_no_names() -> None:
    empty = concentration(np.zeros(3))
    assert (empty.names, empty.hhi, empty.effective) == (0, 0.0, 0.0)
