"""Intervals hold the truth as often as docs/validation-figures.md says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from allocator.scoring import validation
from benchmarks.coverage import CELLS, PARTS, RESULTS, SCORES, drawn, holds, judged, lines, truths

PAGE = Path(__file__).resolve().parents[2] / "docs" / "validation-figures.md"


def test_the_page_has_the_table_that_was_measured() -> None:
    measured = json.loads(RESULTS.read_text(encoding="utf-8"))
    table = "\n".join(lines({name: measured[name] for name in (*SCORES, *PARTS)}))
    assert table in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("rate", [0.02, 0.12])
@pytest.mark.parametrize("name", SCORES)
def test_the_auc_interval_covers(name: str, rate: float) -> None:
    tables = [drawn(name, 500, rate, seed) for seed in range(100)]
    found = [holds(validation.auc(*table), truths(name, rate)["AUC"]) for table in tables]
    assert np.mean(found) >= 0.87


@pytest.mark.parametrize("name", ["normal, AUC 0.80, in weights", "five levels", "logit", "LGD"])
def test_a_few_tables_are_held(name: str) -> None:
    for figure, (share, number) in judged(name, 500, 0.12, 40).items():
        assert share >= 0.95 - 4 * (0.95 * 0.05 / number) ** 0.5, figure


@pytest.mark.full
@pytest.mark.parametrize(("n", "rate"), CELLS)
@pytest.mark.parametrize("name", [*SCORES, "logit", "LGD", "years"])
def test_intervals_keep_their_word(name: str, n: int, rate: float) -> None:
    """As the table of the page says, but for the chance of so few tables."""
    said = json.loads(RESULTS.read_text(encoding="utf-8"))[name][f"{n}, {rate}"]
    for figure, (share, _) in judged(name, n, rate, 200).items():
        assert share == pytest.approx(said[figure][0], abs=0.1), figure
