"""Periods in the order of time, and those whose order nobody could tell."""

from __future__ import annotations

import numpy as np
import pytest

from allocator.errors import InputError
from allocator.insight.backtest.periods import Timeline, in_rows, timeline
from allocator.records.portfolio import Portfolio
from tests.builders import portfolio

DEFAULTED = np.array([True, True, False])


def book(period: list[str | None], known: list[str | None] | None = None) -> Portfolio:
    columns = {"period": period} | ({} if known is None else {"known": known})
    return portfolio(["A"] * len(period), texts=columns)


def told(period: list[str | None], known: list[str | None]) -> str:
    """The fault of columns that cannot be ordered."""
    with pytest.raises(InputError) as caught:
        timeline(book(period, known), "period", "known", DEFAULTED)
    return str(caught.value)


@pytest.mark.parametrize(
    ("written", "ordered"),
    [
        (["10", "9", "-1"], ["-1", "9", "10"]),
        (["2.5", "1e1", "+3"], ["2.5", "+3", "1e1"]),
        (["2019-10", "2019-9", "2018-12"], ["2018-12", "2019-9", "2019-10"]),
        (["2020-01-02", "2019-12-31"], ["2019-12-31", "2020-01-02"]),
        (["2020-Q1", "2019-Q4"], ["2019-Q4", "2020-Q1"]),
        (["2020-01-02T09:00:00", "2020-01-02T08:30:00"], ["2020-01-02T08:30:00", "2020-01-02T09:00:00"]),
    ],
)
def test_periods_come_in_the_order_of_time(written: list[str | None], ordered: list[str]) -> None:
    found = timeline(book(written), "period")
    assert list(found.names) == ordered
    assert found.known is None
    assert [found.names[code] for code in found.when] == written


def test_one_number_written_twice_is_one_period() -> None:
    found = timeline(book(["2019.0", "2019", None]), "period")
    assert (found.names, found.when.tolist()) == (("2019",), [0, 0, -1])


def test_both_columns_lie_on_one_line_and_performing_loans_have_no_default() -> None:
    found = timeline(book(["9", "11", "9"], ["10", None, "2"]), "period", "known", DEFAULTED)
    assert found.names == ("2", "9", "10", "11")
    assert found.when.tolist() == [1, 3, 1]
    assert found.known is not None
    assert found.known.tolist() == [2, -1, -1]


@pytest.mark.parametrize("word", ["3/4/2006", "01.02.2006", "31-12-2006", "Q1 2019", "May", "inf"])
def test_an_order_that_cannot_be_told_is_a_fault(word: str) -> None:
    said = told(["2006-03-04", word, word], [None, None, None])
    assert f"row 2, period: {word!r} does not begin with its year (2 rows); write numbers such" in said


def test_one_column_of_two_forms_is_a_fault() -> None:
    problem = "row 3, period: '2019-Q1' is not of the form of '2019-03-01' in period (1 row); write all"
    assert problem in told(["2019-03-01", "2020-03-01", "2019-Q1"], [None] * 3)


@pytest.mark.parametrize("known", ["2006-03", "2006-03-01T00:00:00", "2006"])
def test_two_columns_of_two_forms_are_a_fault(known: str) -> None:
    problem = f"row 2, known: {known!r} is not of the form of '2005-01-31' in period (2 rows); write all"
    assert problem in told(["2005-01-31", "2005-02-28", "2005-03-31"], [None, known, known])


def test_every_fault_is_told() -> None:
    said = told(["2005-01-31", "x", "y"], ["z", "2005-01", None])
    assert "row 2, period: 'x' does not begin" in said
    assert "row 1, known: 'z' does not begin" in said


def test_a_default_known_before_its_decision_is_a_fault() -> None:
    problem = "row 2, known: '9' lies before the borrower's own period (1 row); no default is known before"
    assert problem in told(["10", "10", "10"], ["10", "9", "1"])


def test_nobody_s_period_is_a_fault() -> None:
    assert "period: no borrower has one; say when each was decided" in told([None] * 3, ["1", None, None])


def test_periods_in_the_order_of_the_source() -> None:
    one = book(["1", "2", None])
    turned = one.take(np.array([2, 0, 1]))
    when, known = in_rows(Timeline(("1", "2"), timeline(turned, "period").when), turned)
    np.testing.assert_array_equal(when, [0, 1, np.nan])
    assert known is None
