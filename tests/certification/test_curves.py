"""Curves as they are, and smoothed."""

from __future__ import annotations

import numpy as np

from allocator.certification.curves import smoothed


def test_a_curve_is_smoothed_only_where_that_is_asked_for() -> None:
    churn = np.array([0.5, 0.25, 0.75])
    assert smoothed(churn, "none").tolist() == [0.5, 0.25, 0.75]
    assert smoothed(churn, "isotonic").tolist() == [0.375, 0.375, 0.75]
