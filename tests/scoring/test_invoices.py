"""Invoices: three layouts read alike, quirks counted, faults told together."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from allocator.errors import InputError
from allocator.scoring.invoices import CHINESE, invoices_from_frames, read_invoices

ROWS = {
    "enterprise_id": ["E1", "E1", "E1", "E2", "E2"],
    "invoice_no": [1, 1, 2, 3, 4],
    "date": ["2018-01-05", "2018-01-05", "2019-07-01", "2018-02-28", "2019-12-31"],
    "counterparty_id": ["S1", "S1", "S2", "S1", "S1"],
    "amount": [100.0, 100.0, -20.0, 50.0, 10.0],
    "tax": [13.0, 13.0, -2.6, 6.5, 1.3],
    "total": [113.0, 113.0, -22.6, 56.5, 99.0],
    "valid": [True, True, True, False, True],
}


def frame(**changed: list[object]) -> pd.DataFrame:
    return pd.DataFrame({**ROWS, **changed})


def test_quirks_are_counted_and_kept_by_default() -> None:
    notes, _ = invoices_from_frames(frame(), frame()).notes
    assert (notes.rows, notes.duplicates, notes.dropped) == (5, 1, 0)
    assert (notes.void, notes.negative, notes.inconsistent) == (1, 1, 1)
    assert (notes.first, notes.last, notes.partial_years) == ("2018-01-05", "2019-12-31", ())


def test_duplicates_are_dropped_when_asked() -> None:
    book = invoices_from_frames(frame(), frame(), duplicates="drop")
    assert len(book.purchases) == 4
    assert book.notes[0].dropped == 1


def test_a_year_that_the_file_does_not_cover_is_partial() -> None:
    late = frame(date=["2017-10-05", "2017-10-05", "2018-07-01", "2018-02-28", "2019-06-30"])
    book = invoices_from_frames(late, frame())
    assert book.notes[0].partial_years == (2017, 2019)
    assert book.whole_years == (2018,)


def test_csv_parquet_and_chinese_headers_read_alike(tmp_path: Path) -> None:
    chinese = {english: name for name, english in CHINESE.items() if name != "购方单位代号"}
    status = frame(valid=["有效发票", "有效发票", " 有效发票", "作废发票", "有效发票"])
    status.rename(columns=chinese).to_csv(tmp_path / "in.csv", index=False)
    frame().to_parquet(tmp_path / "in.parquet")
    from_csv = read_invoices(tmp_path / "in.csv", tmp_path / "in.csv").purchases
    from_parquet = read_invoices(tmp_path / "in.parquet", tmp_path / "in.parquet").purchases
    pd.testing.assert_frame_equal(from_csv, from_parquet, check_dtype=False, check_categorical=False)


def test_identifiers_keep_their_zeros(tmp_path: Path) -> None:
    frame(enterprise_id=["001", "001", "NA", "NA", "NA"]).to_csv(tmp_path / "in.csv", index=False)
    book = read_invoices(tmp_path / "in.csv", tmp_path / "in.csv")
    assert set(book.purchases["enterprise_id"].cat.categories) == {"001", "NA"}


def test_slashed_dates_are_read() -> None:
    slashed = frame(date=["2018/1/5", "2018/1/5", "2019/7/1", "2018/2/28", "2019/12/31"])
    read = invoices_from_frames(slashed, frame())
    pd.testing.assert_series_equal(read.purchases["date"], read.sales["date"])


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"date": ["soon", *ROWS["date"][1:]]}, r"row 1, date: 'soon' is no date; write dates as 2019-03-01"),
        ({"date": [43105, 43105, 43647, 43159, 43830]}, r"43105 is no date \(and 4 more rows\)"),
        (
            {"date": ["9999-01-01", *ROWS["date"][1:]]},
            r"row 1, date: '9999-01-01' is no date; .* of 1950 to 2100",
        ),
        ({"amount": [1e300, 1, 1, 1, 1]}, r"row 1, amount: 1e\+300 is no amount; .* up to 1e\+15"),
        ({"amount": ["1,000", 1, 1, 1, 1]}, r"row 1, amount: '1,000' is no amount"),
        ({"tax": [1.0, float("inf"), 1.0, 1.0, 1.0]}, r"row 2, tax: inf is no amount"),
        ({"total": [1.0, 1.0, None, 1.0, 1.0]}, r"row 3, total: is no amount"),
        (
            {"valid": ["paid", "true", "true", "true", "true"]},
            r"'paid' is no invoice status; write true or false",
        ),
        ({"enterprise_id": ["E1", None, "E1", "E2", "E2"]}, r"row 2, enterprise_id: is empty"),
    ],
)
def test_each_bad_cell_is_a_fault(changed: dict[str, list[object]], text: str) -> None:
    with pytest.raises(InputError, match=text):
        invoices_from_frames(frame(**changed), frame())


def test_faults_of_both_files_come_together() -> None:
    bad = frame(date=["soon", *ROWS["date"][1:]])
    with pytest.raises(InputError) as caught:
        invoices_from_frames(bad, frame().drop(columns=["valid", "tax"]))
    assert [fault.problem for fault in caught.value.faults] == [
        "'soon' is no date",
        "lacks the columns tax, valid",
    ]


def test_files_that_are_not_there_or_not_readable(tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("x")
    with pytest.raises(InputError, match="neither csv, parquet nor xlsx") as caught:
        read_invoices(tmp_path / "in.txt", tmp_path / "none.csv")
    assert caught.value.faults[1].problem == "the file does not exist"


def test_a_broken_file_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "in.parquet").write_bytes(b"broken")
    (tmp_path / "in.csv").write_bytes(b"")
    with pytest.raises(InputError) as caught:
        read_invoices(tmp_path / "in.parquet", tmp_path / "in.csv")
    said = str(caught.value)
    assert "not a whole Parquet file" in said
    assert "an empty file" in said


def test_an_empty_file_is_a_fault() -> None:
    with pytest.raises(InputError, match="holds no invoice"):
        invoices_from_frames(frame().head(0), frame())
