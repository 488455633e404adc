"""Indicators of a firm: golden features of the contest, small cases by hand, speed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
import pytest

from allocator.scoring.indicators import firm_indicators
from allocator.scoring.invoices import Invoices, invoices_from_frames, read_invoices


def book(
    rows: list[tuple[str, str, str, float, bool]], sales: list[tuple[str, str, str, float, bool]]
) -> Invoices:
    def table(entries: list[tuple[str, str, str, float, bool]]) -> pd.DataFrame:
        columns = ["enterprise_id", "date", "counterparty_id", "amount", "valid"]
        frame = pd.DataFrame(entries, columns=columns)
        return frame.assign(tax=0.0, total=frame["amount"])

    return invoices_from_frames(table(rows), table(sales))


SALES = [
    ("E1", "2018-01-01", "K1", 100.0, True),
    ("E1", "2018-01-20", "K2", 50.0, True),
    ("E1", "2018-12-01", "K1", -30.0, True),
    ("E1", "2019-12-31", "K2", 200.0, True),
    ("E1", "2019-12-31", "K2", 80.0, False),
]
PURCHASES = [("E1", "2018-05-01", "S1", 40.0, True), ("E1", "2019-02-01", "S1", 20.0, False)]


def test_one_firm_by_hand() -> None:
    row = firm_indicators(book(PURCHASES, SALES)).loc["E1"]
    assert (row["out_n_total"], row["out_n_valid"], row["out_n_void"], row["out_n_negative"]) == (5, 4, 1, 1)
    assert row["out_amount"] == 320.0
    assert row["out_monthly_mean"] == pytest.approx((150 - 30 + 200) / 3)
    assert row["out_monthly_std"] == pytest.approx(np.std([150, -30, 200], ddof=1))
    assert row["out_counterparty_hhi"] == pytest.approx((70**2 + 250**2) / 320**2)
    assert row["void_share"] == pytest.approx((80 + 20) / (460 + 60))
    assert row["void_share_count"] == pytest.approx(2 / 7)
    assert row["out_void_net_share"] == pytest.approx(80 / 400)


def test_balance_of_one_firm() -> None:
    sales = [*SALES, ("E2", "2018-01-01", "K", 1.0, True)]
    whole = book(
        [*PURCHASES, ("E2", "2018-01-01", "S", 5.0, True), ("E2", "2019-12-31", "S", 5.0, True)], sales
    )
    row = firm_indicators(whole).loc["E1"]
    assert row["balance"] == pytest.approx((320 - 40) / (320 + 40))
    assert row["gross_margin"] == pytest.approx((320 - 40) / 320)
    assert (row["profit_2018"], row["profit_2019"], row["loss_years"]) == (80.0, 200.0, 0)
    spread = np.std([80, 200], ddof=1)
    assert row["profit_stability"] == pytest.approx(140 / (140 + spread))
    assert row["sales_growth_2019"] == pytest.approx((200 - 120) / 120)
    assert row["sales_trend"] == pytest.approx((200 / 12 - 10) / (200 / 12 + 10))


def test_a_firm_without_invoices_has_counts_of_zero_and_nothing_else() -> None:
    row = firm_indicators(book(PURCHASES, SALES), ["E1", "E9"]).loc["E9"]
    assert row["out_n_total"] == 0
    assert np.isnan(row["void_share"])
    assert np.isnan(row["out_monthly_mean"])
    assert pd.isna(row["out_first"])


def test_order_of_rows_does_not_matter() -> None:
    straight = firm_indicators(book(PURCHASES, SALES), ["E1"])
    turned = firm_indicators(book(PURCHASES[::-1], SALES[::-1]), ["E1"])
    pd.testing.assert_frame_equal(straight, turned, check_exact=True)


def test_order_of_the_contest_s_rows_changes_no_bit(contest: Path) -> None:
    rows = [pd.read_parquet(contest / f"invoices_{way}_123.parquet") for way in ("in", "out")]
    firms = sorted(rows[0]["enterprise_id"].unique())
    straight = firm_indicators(invoices_from_frames(*rows), firms)
    mixed = [frame.sample(frac=1, random_state=3).reset_index(drop=True) for frame in rows]
    pd.testing.assert_frame_equal(
        firm_indicators(invoices_from_frames(*mixed), firms), straight, check_exact=True
    )


@pytest.mark.parametrize("part", ["123", "302"])
def test_features_of_the_contest_to_a_millionth(
    contest: Path, part: str, record_property: Callable[[str, object], None]
) -> None:
    golden = pd.read_csv(contest / f"features_{part}.csv", index_col="enterprise_id")
    started = perf_counter()
    invoices = read_invoices(
        contest / f"invoices_in_{part}.parquet", contest / f"invoices_out_{part}.parquet"
    )
    found = firm_indicators(invoices, golden.index.tolist())
    record_property("seconds", perf_counter() - started)
    compared = [column for column in golden.columns if column in found.columns]
    assert len(compared) == 46
    for column in compared:
        if column.endswith(("_first", "_last")):
            assert (found[column].dt.strftime("%Y-%m-%d") == golden[column]).all(), column
        else:
            ours, theirs = found[column].to_numpy(float), golden[column].to_numpy(float)
            np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-9, err_msg=column)


def test_notes_of_the_contest(contest: Path) -> None:
    duplicates = []
    for part in ("123", "302"):
        files = (contest / f"invoices_in_{part}.parquet", contest / f"invoices_out_{part}.parquet")
        notes = read_invoices(*files).notes
        duplicates += [note.duplicates for note in notes]
        assert all(note.partial_years == (2016, 2020) for note in notes)
    assert duplicates == [803, 4436, 4681, 1745]
