"""Content hashes: of bytes, or of what a query gives."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from allocator.errors import InputError
from allocator.intake import content_hash
from allocator.portfolio import fingerprint
from allocator.records.scenario import PortfolioSource
from tests.portfolio.sources import as_sql, csv_text

BOOK = {"borrower_id": ["E1", "E2"], "pd": [0.1, None]}


def test_a_file_is_hashed_byte_by_byte(tmp_path: Path) -> None:
    source = csv_text("borrower_id\nE1\n", tmp_path)
    assert source.path is not None
    expected = hashlib.sha256(b"borrower_id\nE1\n").hexdigest()
    assert fingerprint(source) == content_hash(source.path) == f"sha256:{expected}"


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


def test_a_folder_of_parts_has_the_hash_of_its_parts(tmp_path: Path) -> None:
    """Another name, another content or another part is another hash; other files do not count."""
    part = pa.table({"borrower_id": ["a"], "grade": ["A"], "pd": [0.1], "lgd": [0.5]})
    parquet.write_table(part, tmp_path / "1.parquet")
    source = PortfolioSource("parquet", tmp_path)
    one = fingerprint(source)
    (tmp_path / "_SUCCESS").touch()
    assert fingerprint(source) == one
    parquet.write_table(part, tmp_path / "2.parquet")
    two = fingerprint(source)
    (tmp_path / "2.parquet").rename(tmp_path / "3.parquet")
    assert len({one, two, fingerprint(source)}) == 3
