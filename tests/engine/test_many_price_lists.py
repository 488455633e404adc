"""Price lists of books too large to try every allocation: every list bounded, and both methods."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allocator.pipeline import allocate
from allocator.records.price_lists import Posting
from allocator.scenario import load_scenario
from allocator.testing.books import random_case
from tests.engine.test_methods import check_verdicts, judge

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"
SHARE = (2, 5, 8, 100, 103)
"""Seeds of the cases that every test run looks at; `make check-full` looks at all."""


FIRMS = pd.read_csv(SCENARIOS / "data" / "sme-302.csv")
CHURN = pd.read_csv(SCENARIOS.parent / "models" / "churn" / "cumcm-2020.csv")


def sums_by_list(price: float) -> np.ndarray:
    """(29, 29, 29) the sums of best reduced values under every list of A, B and C, from the files alone."""
    firms, churn = FIRMS, CHURN
    rate, sums = churn["rate"].to_numpy(), []
    for grade in "ABC":
        own = firms[firms["grade"] == grade]
        take_up = 1.0 - churn[grade].to_numpy()
        margin = take_up * (np.outer(1 - own["pd"], rate) - (own["pd"] * own["lgd"]).to_numpy()[:, None])
        best = np.maximum(margin - price, 0.0) * own["max_amount"].to_numpy()[:, None]
        sums.append(best.sum(axis=0))
    return sums[0][:, None, None] + sums[1][None, :, None] + sums[2][None, None, :]


@pytest.mark.parametrize("pricing", ["per_grade", "monotone"])
def test_no_other_of_24_389_lists_is_better(pricing: str) -> None:
    """At the best of many prices of the budget each list is bounded below the value, but the best."""
    path = SCENARIOS / "sme-302-whole-table.yaml"
    run = allocate(load_scenario(path, sets=[f"policy.pricing={pricing}"]))
    budget, around = 100e6, run.prices["budget"]
    bounds = np.full((29, 29, 29), np.inf)
    for price in (*np.linspace(0.0, 0.06, 121), around):
        bounds = np.minimum(bounds, price * budget + sums_by_list(float(price)))
    assert bounds.size == 24_389
    value = run.certificate.value
    assert run.status == "optimal"
    assert float(np.max(bounds)) == pytest.approx(value, rel=1e-9)
    assert np.count_nonzero(bounds >= value * (1 - 1e-9)) == 1
    best = np.unravel_index(int(np.argmax(bounds)), bounds.shape)
    assert run.certificate.posted == dict(zip("ABC", CHURN["rate"].to_numpy()[list(best)], strict=True))


POSTINGS = (
    Posting(),
    Posting(rising=True),
    Posting(by_grade=False, column="sector"),
    Posting(rising=True, column="region", groups={"east": "far", "west": "far"}),
)
"""Who may share a rate."""


def check_agreement(seed: int, largest: int) -> None:
    posting = POSTINGS[seed % len(POSTINGS)]
    cases = (random_case(seed, method, largest).under(posting=posting) for method in ("exact", "reduced"))
    check_verdicts(*map(judge, cases))


@pytest.mark.parametrize("seed", SHARE)
def test_reduced_and_exact_agree_on_price_lists(seed: int) -> None:
    check_agreement(seed, largest=60)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(200))
def test_reduced_and_exact_agree_on_price_lists_everywhere(seed: int) -> None:
    check_agreement(seed, largest=1_000)
