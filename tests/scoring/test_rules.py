"""Indicator rules of Meng and Chi: equations 1 to 3 at their corners, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.errors import InputError
from allocator.scoring.rules import IndicatorRule, LearntRule, learn, standardise

WHOLE = (0.0, 1.0)


def scores(rule: IndicatorRule, values: list[object]) -> list[float]:
    frame = pd.DataFrame({rule.name: values})
    return standardise(frame, learn(frame, [rule]))[:, 0].tolist()


def test_positive_and_negative() -> None:
    assert scores(IndicatorRule("v", "positive", cut=WHOLE), [2.0, 4.0, 6.0]) == [0.0, 0.5, 1.0]
    assert scores(IndicatorRule("v", "negative", cut=WHOLE), [2.0, 4.0, 6.0]) == [1.0, 0.5, 0.0]


def test_the_interval_of_an_owners_age() -> None:
    """D = max(31 - 20, 65 - 45) = 20."""
    found = scores(
        IndicatorRule("age", "interval", interval=(31, 45), cut=WHOLE), [20.0, 31.0, 40.0, 45.0, 55.0, 65.0]
    )
    np.testing.assert_allclose(found, [1 - 11 / 20, 1, 1, 1, 0.5, 0])


def test_a_table_of_scores() -> None:
    rule = IndicatorRule("q", "qualitative", scores={"good": 1.0, "fair": 0.4, "": 0.2})
    assert scores(rule, ["good", "fair", None]) == [1.0, 0.4, 0.2]
    numbers = IndicatorRule("q", "qualitative", scores={"0": 0.0, "1": 1.0})
    assert scores(numbers, [0, 1, 1]) == [0.0, 1.0, 1.0]
    assert scores(numbers, [0.0, 1.0, np.nan]) == [0.0, 1.0, 0.0]


def test_outliers_are_cut_and_missing_cells_filled_and_both_counted() -> None:
    frame = pd.DataFrame({"v": [*np.arange(99.0), 1e9, np.nan]})
    (one,) = learn(frame, [IndicatorRule("v", "positive", cut=(0.0, 0.98))])
    assert (one.cut, one.missing) == (2, 1)
    x = standardise(frame, [one])[:, 0]
    assert x[98] == x[99] == 1.0
    assert x[100] == pytest.approx(49.5 / one.high)


@given(
    st.sampled_from(["positive", "negative", "interval"]),
    st.floats(-5, 5),
    st.floats(0.1, 5),
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20),
)
def test_scores_stay_between_0_and_1(kind: str, low: float, width: float, values: list[float]) -> None:
    one = LearntRule(
        IndicatorRule("v", kind, interval=(low, low + width / 2)), low=low, high=low + width, fill=low
    )  # type: ignore[arg-type]
    found = one.score(np.array(values))
    assert ((found >= 0) & (found <= 1)).all()


@pytest.mark.parametrize(
    ("rule", "values", "text"),
    [
        (IndicatorRule("v", "positive"), [3.0, 3.0], "v: is constant: it tells no firm from another"),
        (IndicatorRule("v", "positive"), [None, None], "v: has no value at all"),
        (IndicatorRule("v", "positive"), [1.0, np.inf], "row 2, v: is infinite"),
        (
            IndicatorRule("v", "positive"),
            ["a", "b"],
            "v: 'a' is no number; write numbers, or a qualitative rule",
        ),
        (
            IndicatorRule("v", "interval", interval=(0, 9), cut=WHOLE),
            [1.0, 2.0],
            r"every value lies in the interval \[0, 9\]",
        ),
        (IndicatorRule("w", "positive"), [1.0, 2.0], "w: the column is missing"),
    ],
)
def test_what_no_rule_can_read(rule: IndicatorRule, values: list[object], text: str) -> None:
    with pytest.raises(InputError, match=text):
        learn(pd.DataFrame({"v": values}), [rule])


def test_a_text_without_a_score() -> None:
    rule = IndicatorRule("q", "qualitative", scores={"good": 1.0, "bad": 0.0})
    told = "row 2, q: 'ugly' has no score; add it to the table, which has good, bad"
    with pytest.raises(InputError, match=told):
        scores(rule, ["good", "ugly"])
    with pytest.raises(InputError) as caught:
        scores(rule, ["good", *["Good "] * 3, *"abcdefg"])
    told = "q: 'Good ' has no score: it differs from 'good' by blanks and capitals, in 3 rows: 2, 3, 4"
    assert [str(fault).split(";")[0] for fault in caught.value.faults] == [
        f"row 2, {told}",
        *(f"row {row}, q: {name!r} has no score" for row, name in zip((5, 6, 7, 8), "abcd", strict=True)),
        "row 9, q: 3 further values like it, in 3 rows: 9, 10, 11",
    ]


def test_levels_and_scores_of_every_type_are_one() -> None:
    rule = IndicatorRule("q", "qualitative", scores={"1": 1.0, "2": 0.0})
    for cells in ([1, 2], [1.0, 2.0], ["1", "2.0"], ["1.0", 2]):
        assert scores(rule, list(cells)) == [1.0, 0.0]


def test_all_faults_at_once() -> None:
    frame = pd.DataFrame({"v": [1.0, 1.0], "w": [1.0, np.inf]})
    with pytest.raises(InputError) as caught:
        learn(
            frame,
            [IndicatorRule("v", "positive"), IndicatorRule("w", "positive"), IndicatorRule("x", "positive")],
        )
    assert [fault.field for fault in caught.value.faults] == ["v", "w", "x"]
