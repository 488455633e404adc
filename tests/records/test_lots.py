"""Whole lots of amounts, in money: each the double nearest to its decimal."""

from __future__ import annotations

import numpy as np
import pytest

from allocator.records.lots import CENT, down_to_lots


@pytest.mark.parametrize(
    ("amount", "lot", "expected"),
    [
        (0.285, CENT, 0.28),
        (0.29, CENT, 0.29),
        (0.1 + 0.2, 0.1, 0.3),
        (0.7, 0.1, 0.7),
        (19_999.9, 10_000.0, 10_000.0),
        (19_999.999999999, 10_000.0, 20_000.0),
        (1.25, 0.5, 1.0),
        (0.0, CENT, 0.0),
    ],
)
def test_an_amount_goes_down_to_its_whole_lots_but_for_rounding(
    amount: float, lot: float, expected: float
) -> None:
    assert float(down_to_lots(amount, lot)) == expected
    assert down_to_lots(np.array([amount]), lot).tolist() == [expected]


def test_what_may_be_missing_of_a_lot_can_be_said() -> None:
    assert down_to_lots(9_999.9, 10_000.0, 1e-3) == 10_000.0
    assert down_to_lots(9_999.9, 10_000.0) == 0.0
