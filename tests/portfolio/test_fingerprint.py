"""Content hashes: of bytes, or of what a query gives."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from allocator.errors import InputError
from allocator.portfolio import fingerprint, fingerprint_file
from allocator.records.scenario import PortfolioSource
from tests.portfolio.sources import as_sql, csv_text

BOOK = {"borrower_id": ["E1", "E2"], "pd": [0.1, None]}


def test_a_file_is_hashed_byte_by_byte(tmp_path: Path) -> None:
    source = csv_text("borrower_id\nE1\n", tmp_path)
    assert source.path is not None
    expected = hashlib.sha256(b"borrower_id\nE1\n").hexdigest()
    assert fingerprint(source) == fingerprint_file(source.path) == f"sha256:{expected}"


def test_a_missing_file_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        fingerprint(PortfolioSource("parquet", tmp_path / "none.parquet"))


def test_a_query_is_hashed_by_its_rows_in_any_order(tmp_path: Path) -> None:
    source = as_sql(BOOK, tmp_path)
    first = fingerprint(source)
    assert len(first) == len("sha256:") + 64
    backwards = PortfolioSource("sql", url=source.url, query=f"{source.query} ORDER BY borrower_id DESC")
    assert fingerprint(backwards) == first


@pytest.mark.parametrize(
    "other",
    [
        {**BOOK, "pd": [0.1, 0.0]},
        {**BOOK, "pd": [None, 0.1]},
        {"borrower": ["E1", "E2"], "pd": [0.1, None]},
        {"borrower_id": ["E1"], "pd": [0.1]},
    ],
)
def test_another_result_has_another_hash(other: dict[str, list[object]], tmp_path: Path) -> None:
    first = fingerprint(as_sql(BOOK, tmp_path))
    assert fingerprint(as_sql(other, tmp_path)) != first
