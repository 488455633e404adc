"""A scorecard's reliability: the default rate that was observed over the one that was predicted."""

from __future__ import annotations

import pandas as pd

from allocator.report.drawing.chart import Axis, Chart, Curve, Plot


def reliability_chart(table: pd.DataFrame, name: str) -> Chart:
    """`table` as scoring.validation.reliability gives it: predicted, observed, low, high by bin."""
    bins = [
        *zip(*(table[key].astype(float) for key in ("predicted", "observed", "low", "high")), strict=True)
    ]
    top = max((max(row) for row in bins), default=1.0)
    intervals = [Curve("", ((row[0], row[2]), (row[0], row[3])), "third") for row in bins]
    within = sum(row[2] <= row[0] <= row[3] for row in bins)
    panel = Plot(
        "Observed default rate by predicted PD, with intervals of 95%", Axis("predicted PD", "percent"),
        Axis("observed default rate", "percent"),
        (Curve("as predicted", ((0.0, 0.0), (top, top)), "rest", "dashed"), *intervals,
         Curve("", tuple((row[0], row[1]) for row in bins), "deep", "points")),
    )  # fmt: skip
    answer = f"In {within} of {len(bins)} bins the predicted PD lies in the interval of what was observed."
    return Chart(f"{name}: out-of-fold reliability", answer, (panel,))
