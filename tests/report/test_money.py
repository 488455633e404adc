"""Amounts in words and units."""

from __future__ import annotations

import pytest

from allocator.report.money import Unit, figure, gap, part_of_all, percent, relative, small, unit_for, visible


@pytest.mark.parametrize(
    ("size", "amount", "written"),
    [
        (1, 1_234_567.4, "1,234,567"),
        (1, -0.4, "0"),
        (1_000, -1_234_567, "-1,235"),
        (1_000_000, 100e6, "100"),
        (1, 0.0, "0"),
    ],
)
def test_amounts_are_rounded_to_whole_units(size: int, amount: float, written: str) -> None:
    assert Unit(size, "CNY").write(amount) == written


@pytest.mark.parametrize(
    ("largest", "width", "unit"),
    [
        (999.0, 20, "CNY"),
        (100e6, 26, "CNY"),
        (100e6, 18, "thousand CNY"),
        (100e6, 14, "million CNY"),
        (5e12, 14, "billion CNY"),
        (5e18, 3, "trillion CNY"),
    ],
)
def test_the_unit_is_the_smallest_that_fits(largest: float, width: int, unit: str) -> None:
    assert str(unit_for({"a": [largest, 1.0], "b": [largest]}, "CNY", width)) == unit


@pytest.mark.parametrize(
    ("part", "written"),
    [
        (0.0, "0"),
        (5.002e-10, "5e-10"),
        (8.9e-5, "9e-05"),
        (1e-4, "0.01%"),
        (0.5, "50.00%"),
        (-0.02, "-2.00%"),
    ],
)
def test_a_gap_has_one_style(part: float, written: str) -> None:
    assert gap(part) == written


def test_a_heading_counts_as_width() -> None:
    assert str(unit_for({"offered": [10_000_000.0]}, "CNY", 9)) == "thousand CNY"


def test_where_headings_alone_are_too_wide_no_amount_is_written_smaller_than_need_be() -> None:
    assert str(unit_for({"offered": [10_000.0]}, "CNY", 8)) == "CNY"
    assert str(unit_for({"offered": [10_000_000_000.0]}, "CNY", 8)) == "million CNY"
    assert str(unit_for({"offered": [10_000_000_000.0], "loss": [400_000.0]}, "CNY", 8)) == "thousand CNY"


def test_an_amount_that_would_be_nothing_brings_decimals_as_far_as_they_fit() -> None:
    assert unit_for({"a": [100e6, 31_000.0]}, "CNY", 8) == Unit(1_000_000, "CNY", 2)
    assert unit_for({"a": [100e6, 4.0]}, "CNY", 8) == Unit(1_000_000, "CNY", 2)
    assert unit_for({"a": [100e6, 900_000.0]}, "CNY", 8) == Unit(1_000_000, "CNY")
    assert unit_for({"a": [100e6, 0.0]}, "CNY", 8) == Unit(1_000_000, "CNY")
    assert Unit(1_000_000, "CNY", 2).write(-4_000.0) == "0.00"
    assert Unit(1_000_000, "CNY", 2).write(1_234_567_890.0) == "1,234.57"


def test_a_figure_is_as_long_as_it_tells() -> None:
    figures = (0.0, 0.0123456, -0.5, 59.4, 60.0, 999.96, 1234.5, 1.4e11, 1.33333344e13)
    written = ["0", "0.01235", "-0.5", "59.4", "60", "1000", "1,234", "140,000,000,000", "1.33333e+13"]
    assert [figure(one) for one in figures] == written


def test_rates_and_small_numbers() -> None:
    assert percent(0.0465) == "4.65%"
    assert (small(0.0), small(1.23456e-7), small(0.02209)) == ("0", "1.235e-07", "0.02209")
    assert (small(1.216e-13), small(1.5e-11)) == ("1e-13", "1.5e-11")


def test_no_minus_stands_before_nothing() -> None:
    assert percent(-1e-9) == "0.00%"
    assert percent(-0.012) == "-1.20%"


def test_a_share_of_next_to_nothing_is_not_told() -> None:
    assert [relative(1.0, whole) for whole in (4.0, -4.0, 0.1, 0.01, 0.0)] == [
        "25.00%", "25.00%", "1000.00%", "", ""
    ]  # fmt: skip


def test_a_share_of_a_book_is_told_however_small() -> None:
    assert [*map(part_of_all, (0.0, 9.1e-6, 4.9e-5, 0.0129))] == ["0.00%", "0.00091%", "0.0049%", "1.29%"]


def test_what_is_visible_is_a_cent_or_more_either_way() -> None:
    assert [visible(amount) for amount in (-0.01, -0.0049, 0.0, 0.0049, 0.005)] == [
        True,
        False,
        False,
        False,
        True,
    ]
