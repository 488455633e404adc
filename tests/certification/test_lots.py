"""Whole lots and sums of cents, both sides of every edge, up to the largest amounts."""

from __future__ import annotations

import math
import warnings
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.certification.lots import CENT, Lot, WholeSums, decimal, whole_cents


def test_a_number_stands_for_the_shortest_decimal_that_reads_as_it() -> None:
    assert decimal(0.63) == Fraction(63, 100)
    assert decimal(1e-5) == Fraction(1, 100_000)
    assert decimal(1e8) == 100_000_000
    assert decimal(np.float64(0.1)) == Fraction(1, 10)


@pytest.mark.parametrize(
    ("step", "amount"),
    [
        (None, 0.01),
        (None, 0.29),
        (None, 79_999_999.99),
        (None, 9_999_999_999_999.99),
        (0.05, 0.15),
        (0.05, 123_456_789_012.35),
        (1234.56, 3 * 1234.56),
        (1.0, 1e13),
        (100_000.0, 300_000.0),
        (1e6, 1e13),
        (1e-3, 1e12),
        (0.001875, 0.001875 * 2**31),
        (7e-9, 7e6),
    ],
)
def test_a_whole_number_of_lots_is_one_at_every_size_and_its_neighbours_are_not(
    step: float | None, amount: float
) -> None:
    lot = Lot.of(step)
    beside = [math.nextafter(amount, side) for side in (0.0, math.inf)]
    assert lot.whole(np.array([amount, *beside])).tolist() == [True, False, False]


def test_lots_beyond_whole_doubles_are_counted_too() -> None:
    """Lots of 1.9 last bits: of two neighbours both may be the number nearest to some whole lots."""
    lot, amount = Lot.of(0.001875), 5_629_499_534_213.121
    beside = [math.nextafter(amount, side) for side in (0.0, math.inf)]
    assert lot.counts(np.array([amount]))[0] == 3_002_399_751_580_331
    assert lot.whole(np.array([amount, *beside])).tolist() == [True, False, True]


def test_what_is_no_number_is_no_lot() -> None:
    assert CENT.whole(np.array([np.nan, np.inf, -np.inf, 0.0, -0.01])).tolist() == [False] * 3 + [True] * 2


def test_a_count_too_large_is_infinite_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert CENT.counts(np.array([1e308]))[0] == np.inf
        assert Lot.of(0.001875).counts(np.array([1e308]))[0] == np.inf
        assert Lot.of(1e10).amounts(np.array([1e305, -1e305])).tolist() == [np.inf, -np.inf]
        assert not np.any(Lot.of(1e10).whole(np.array([np.inf, 1.5])))


def test_amounts_are_the_nearest_numbers_to_whole_lots() -> None:
    """Of lots that are no binary fraction, and beyond what binary64 counts."""
    assert Lot.of(0.1).amounts(np.array([3.0]))[0] == 0.3 != 3 * 0.1
    assert CENT.amounts(np.array([29.0]))[0] == 0.29
    count = 41_457_623_211_326
    huge = Lot.of(0.123456789).amounts(np.array([float(count)]))[0]
    assert huge == count * 123_456_789 / 10**9 != count * 123_456_789.0 / 1e9
    finest = Lot(1, 10**17).amounts(np.array([7.0]))[0]
    assert finest == 7e-17


@pytest.mark.parametrize(
    ("step", "amount", "up", "down"),
    [
        (None, 0.29, 29, 29),
        (None, math.nextafter(0.29, 1), 30, 29),
        (None, math.nextafter(0.29, 0), 29, 28),
        (100.0, 250.0, 3, 2),
        (100.0, 349.0, 4, 3),
        (100.0, 301.0, 4, 3),
        (0.1, 0.3, 3, 3),
    ],
)
def test_amounts_are_rounded_up_and_down_to_lots(
    step: float | None, amount: float, up: int, down: int
) -> None:
    lot = Lot.of(step)
    asked, least, most = np.array([amount]), *lot.amounts(np.array([up, down], dtype=float))
    assert (lot.up(asked)[0], lot.down(asked)[0]) == (least, most)


def test_a_room_is_cut_or_filled_to_whole_lots() -> None:
    lot = Lot.of(100.0)
    assert lot.inside(Fraction(299), at_most=True) == 200.0
    assert lot.inside(Fraction(300), at_most=True) == 300.0
    assert lot.inside(Fraction(201), at_most=False) == 300.0
    assert lot.inside(Fraction(200), at_most=False) == 200.0
    half = Lot.of(0.5)
    assert half.inside(Fraction(7, 4), at_most=True) == 1.5
    assert half.inside(Fraction(7, 4), at_most=False) == 2.0
    assert Lot(1, 1).inside(Fraction(29_999_999, 10_000_000), at_most=True) == 2.0


@given(st.lists(st.tuples(st.integers(-1, 2), st.integers(0, 2**53 - 1)), max_size=30))
def test_sums_of_cents_are_exact(members: list[tuple[int, int]]) -> None:
    codes = np.array([row for row, _ in members], dtype=np.int32)
    counts = np.array([count for _, count in members], dtype=float)
    tally = WholeSums.of(codes, counts, 3) + WholeSums.of(codes, counts, 3)
    for row in range(3):
        assert tally.exact(row) == 2 * sum(count for at, count in members if at == row)


def test_small_sums_need_no_high_part() -> None:
    tally = WholeSums.of(np.zeros(2, dtype=np.int32), np.array([2.0**52, 2.0**52]), 1)
    assert (tally.high[0], tally.low[0]) == (0, 2**53)
    split = WholeSums.of(np.zeros(2, dtype=np.int32), np.array([2.0**52, 2.0**52 + 1]), 1)
    assert split.exact(0) == 2**53 + 1
    assert split.high[0] == 2**27
    for part in (tally, split, WholeSums.none(1)):
        assert (part.high.dtype, part.low.dtype) == (np.int64, np.int64)


def test_cents_of_amounts_and_which_have_none() -> None:
    counts, off = whole_cents(np.array([0.29, 0.295, np.nan, 1e13, 2.0**53 / 100, np.inf]))
    assert off.tolist() == [False, True, True, False, True, True]
    assert counts.tolist() == [29.0, 0.0, 0.0, 1e15, 0.0, 0.0]
