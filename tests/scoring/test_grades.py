"""Grades of unrated firms: the published ranges, and what each way is worth out of fold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from allocator.errors import InputError
from allocator.scoring.grades import (
    PUBLISHED_RANGES,
    by_void_ranges,
    fit_grades,
    grade_codes,
    inside_ranges,
    out_of_fold_grades,
    void_range_table,
)

PDS = np.array([0.01, 0.03, 0.06, 0.9])
FREQUENCY = np.array([0.2, 0.3, 0.3, 0.2])
Firms = tuple[pd.DataFrame, pd.DataFrame]


def test_a_void_share_in_one_range_only_is_certain() -> None:
    p = by_void_ranges(np.array([0.032, 0.3, 0.001, 0.9, np.nan]), PUBLISHED_RANGES, FREQUENCY)
    np.testing.assert_allclose(p[0], [1, 0, 0, 0])
    np.testing.assert_allclose(p[1], [0, 0, 0, 1])
    np.testing.assert_allclose(p[2:], np.tile(FREQUENCY, (3, 1)))


def test_overlapping_ranges_share_by_density() -> None:
    p = by_void_ranges(np.array([0.06]), PUBLISHED_RANGES, FREQUENCY)[0]
    raw = FREQUENCY / np.array([0.050, 0.095, 0.160, 0.307])
    np.testing.assert_allclose(p, raw / raw.sum())


def test_forty_two_of_the_unrated_firms_lie_in_no_range(contest) -> None:  # type: ignore[no-untyped-def]
    from allocator.scoring.indicators import firm_indicators
    from allocator.scoring.invoices import read_invoices

    files = (contest / "invoices_in_302.parquet", contest / "invoices_out_302.parquet")
    void = firm_indicators(read_invoices(*files))["void_share"].to_numpy()
    assert int((~inside_ranges(void, PUBLISHED_RANGES).any(axis=1)).sum()) == 42


def test_observed_ranges_stand_beside_the_published(firms: Firms) -> None:
    known, indicators = firms
    table = void_range_table(indicators["void_share"], known["rating"])
    assert table["n"].tolist() == [27, 38, 34, 24]
    assert table["in_none"].tolist() == [3, 3, 7, 8]
    assert table.loc["A", ["published_low", "published_high"]].tolist() == [0.03, 0.08]
    assert table.loc["A", "high"] == pytest.approx(0.125536, abs=1e-6)


def test_the_ordinal_logit_beats_the_ranges_out_of_fold(firms: Firms) -> None:
    known, indicators = firms
    ordinal = out_of_fold_grades(indicators, known["rating"], repeats=2)
    ranges = out_of_fold_grades(indicators, known["rating"], method="void_ranges", repeats=2)
    assert ordinal.baseline == pytest.approx(38 / 123)
    assert ordinal.accuracy > 0.45
    assert ordinal.within_one > 0.9
    assert ranges.accuracy < ordinal.baseline
    assert ordinal.log_loss < ranges.log_loss - 0.5
    assert ordinal.confusion.to_numpy().sum() == pytest.approx(123)


def test_every_firm_gets_probabilities_and_a_mixed_pd(firms: Firms) -> None:
    known, indicators = firms
    for method in ("ordinal", "void_ranges"):
        card = fit_grades(indicators, known["rating"], PDS, method=method)  # type: ignore[arg-type]
        scored = card.apply(indicators)
        p = scored[["p_A", "p_B", "p_C", "p_D"]].to_numpy()
        np.testing.assert_allclose(p.sum(axis=1), 1)
        np.testing.assert_allclose(scored["pd"], p @ PDS)
        assert (scored["grade"].cat.codes == p.argmax(axis=1)).all()


def test_a_worse_firm_gets_a_worse_grade(firms: Firms) -> None:
    known, indicators = firms
    card = fit_grades(indicators, known["rating"], PDS)
    firm = indicators.loc[["E2"]]
    worse = firm.assign(out_void_ratio=0.5, out_amount=firm["out_amount"] / 1000, out_active_months=3)
    assert card.apply(worse)["pd"].iloc[0] > card.apply(firm)["pd"].iloc[0]


def test_unknown_grades_and_missing_indicators(firms: Firms) -> None:
    known, indicators = firms
    with pytest.raises(InputError, match="row 2, rating: 'E' is no grade"):
        grade_codes(pd.Series(["A", "E"]))
    kept = (known["rating"] != "D").to_numpy()
    with pytest.raises(InputError, match="no firm has the grade D"):
        fit_grades(indicators[kept], known["rating"][kept], PDS)
    card = fit_grades(indicators, known["rating"], PDS, method="void_ranges")
    with pytest.raises(InputError, match="void_share: the column is missing"):
        card.apply(indicators.drop(columns="void_share"))
