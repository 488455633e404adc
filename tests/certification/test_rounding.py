"""Errors of sums: what is stated of them, both sides of every edge."""

from __future__ import annotations

import math

import pytest

from allocator.certification.rounding import DEEPEST, HUGE, UNIT, Rounded, depth


def test_what_is_stated_lies_twice_the_error_beside() -> None:
    known = Rounded(100.0, 0.25)
    assert (known.above, known.below) == (100.5, 99.5)
    assert known.most == math.nextafter(100.25, math.inf)
    assert known.least == math.nextafter(99.75, -math.inf)


@pytest.mark.parametrize(
    "number",
    [
        Rounded(math.inf, 0.0),
        Rounded(-math.inf, 0.0),
        Rounded(math.nan, 0.0),
        Rounded(1.0, math.inf),
        Rounded(1.0, math.nan),
        Rounded(1.0, math.nextafter(HUGE, math.inf)),
    ],
)
def test_of_what_is_not_finite_nothing_is_known(number: Rounded) -> None:
    assert not number.known
    assert (number.above, number.most) == (math.inf, math.inf)
    assert (number.below, number.least) == (-math.inf, -math.inf)
    assert not number.reproduces(1.0)


def test_an_error_as_large_as_may_be_is_known() -> None:
    assert Rounded(1.0, HUGE).known


@pytest.mark.parametrize(
    ("number", "stated", "is_it"),
    [
        (Rounded(0.0, 0.25), 1.0 + 1e-9, True),
        (Rounded(1e6, 0.0), 1e6 + 0.9e-3, True),
        (Rounded(1e6, 0.0), 1e6 + 1.1e-3, False),
        (Rounded(-1e6, 0.0), -1e6 - 0.9e-3, True),
        (Rounded(-1e6, 0.0), -1e6 - 1.1e-3, False),
        (Rounded(0.0, 0.0), 0.9e-9, True),
        (Rounded(0.0, 0.0), 1.1e-9, False),
        (Rounded(0.0, 1.0), 4.0, True),
        (Rounded(0.0, 1.0), 4.1, False),
    ],
)
def test_a_figure_is_reproduced_up_to_1e_9_and_four_errors(
    number: Rounded, stated: float, is_it: bool
) -> None:
    assert number.reproduces(stated) is is_it


def test_a_sum_adds_errors_and_its_own() -> None:
    total = Rounded.sum_of([Rounded(3.0, 0.5), Rounded(-1.0, 0.25)])
    assert total.value == 2.0
    assert total.error == 0.75 + 2 * UNIT * 4.0


def test_a_sum_is_as_deep_as_its_terms_up_to_a_point() -> None:
    assert [depth(1), depth(DEEPEST), depth(DEEPEST + 1), depth(10**9)] == [1, 64, 64, 64]
