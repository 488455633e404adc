"""A scorecard's reliability is drawn bin by bin."""

from __future__ import annotations

import pandas as pd

from allocator.report.drawing.paper import svg_of
from allocator.report.pictures.reliability import reliability_chart
from tests.report.drawing.sheet import faults_of, words_of


def test_every_bin_is_drawn_with_its_interval() -> None:
    table = pd.DataFrame(
        {"predicted": [0.1, 0.4], "observed": [0.1, 0.7], "low": [0.0, 0.5], "high": [0.2, 0.9]}
    )
    svg = svg_of(reliability_chart(table, "PD scorecard"))
    assert svg.count("<circle") == 2
    assert svg.count("<path") == 3
    told = [words.said for words in words_of(svg)]
    assert "PD scorecard: out-of-fold reliability" in told
    assert "In 1 of 2 bins the predicted PD lies in the interval of what was observed." in told
    assert {"20%", "60%", "predicted PD", "observed default rate"} <= {*told}
    assert faults_of(svg) == []
