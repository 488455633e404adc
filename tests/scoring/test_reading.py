"""Tables, their columns, and columns derived from others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allocator.errors import Fault, InputError
from allocator.scoring.reading import (
    DerivedColumn,
    derive,
    faults_located_in,
    numbers,
    read_table,
    weighted_sum,
)


def test_derived_columns_keep_missing_cells_missing() -> None:
    derived = [
        DerivedColumn("is_x", "k", "is", "x"),
        DerivedColumn("not_x", "k", "not", "x"),
        DerivedColumn("big", "n", "above", 2),
    ]
    found = derive(pd.DataFrame({"k": ["x", "y", None], "n": [1.0, np.nan, 3.0]}), derived)
    np.testing.assert_array_equal(found["is_x"], [1, 0, np.nan])
    np.testing.assert_array_equal(found["not_x"], [0, 1, np.nan])
    np.testing.assert_array_equal(found["big"], [0, np.nan, 1])


def test_a_derived_column_that_is_there_needs_no_source() -> None:
    derived = [DerivedColumn("big", "n", "above", 2)]
    assert derive(pd.DataFrame({"big": [1.0]}), derived)["big"].tolist() == [1.0]
    with pytest.raises(InputError, match="n: the column is missing, big is derived from it"):
        derive(pd.DataFrame({"m": [1.0]}), derived)


@pytest.mark.parametrize(
    ("cells", "text"),
    [
        ([1.0, "n/a"], "row 2, x: 'n/a' is no number; write plain numbers"),
        ([1.0, "n/a", "12"], "row 2, x: 'n/a' is no number; write plain numbers"),
        (pd.to_datetime(["2019-03-01", None]), "x: holds dates, not numbers; write plain numbers"),
        (pd.to_timedelta([1, 2], "D"), "x: holds dates, not numbers; write plain numbers"),
        ([1.0, np.inf], "row 2, x: is infinite"),
    ],
)
def test_cells_that_are_no_numbers(cells: object, text: str) -> None:
    faults: list[Fault] = []
    assert numbers(pd.DataFrame({"x": cells}), "x", faults, "write plain numbers") is None
    assert text in str(faults[0])


def test_texts_that_are_numbers_are_the_same_to_the_last_bit() -> None:
    figures = [0.1 + 0.2, 1e-300, 123456789.123456789, -7.0, np.nan]
    cells = [*map(repr, figures[:-1]), None]
    for given in (pd.Series(cells), pd.Series(cells, dtype="string"), pd.Series([*cells[:3], -7, None])):
        found = numbers(given.to_frame("x"), "x", [], "")
        np.testing.assert_array_equal(found, figures)


def test_tables_of_each_kind(tmp_path: Path) -> None:
    frame = pd.DataFrame({"borrower_id": ["001", "NA"], "x": [1.5, 2.5]})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    frame.to_excel(tmp_path / "a.xlsx", index=False)
    for name in ("a.csv", "a.parquet", "a.xlsx"):
        read = read_table(tmp_path / name)
        assert read["x"].tolist() == [1.5, 2.5]
        assert read["borrower_id"].tolist() == ["001", "NA"]


def test_whole_numbers_with_an_empty_cell_and_dates(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("n,day\n1,2019-03-01\n,\n3,2019-03-02\n")
    read = read_table(tmp_path / "a.csv")
    np.testing.assert_array_equal(read["n"], [1, np.nan, 3])
    assert read["day"].dtype.kind == "M"


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("none.csv", None, "the file does not exist"),
        ("a.txt", b"x", "neither csv, parquet nor xlsx"),
        ("a.parquet", b"\xff\x00broken", "not a whole Parquet file"),
        ("a.xlsx", b"\xff\x00broken", "not a whole Excel workbook"),
        ("a.csv", b"", "an empty file"),
        ("a.csv", b"x,y\n1,2\n1,2,3\n", "row 2: 3 cells under a header of 2"),
        ("a.csv", "x\né\n".encode("latin1"), "line 2: not UTF-8; save the file in UTF-8"),
        ("a.csv", b"x,y,x\n1,2,3\n", "x: 2 columns have this name"),
        ("a.csv", b"x,y\n", "holds no row"),
    ],
)
def test_tables_that_cannot_be_read(name: str, content: bytes | None, text: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=text):
        read_table(tmp_path / name)


def test_faults_get_the_file_that_they_lack() -> None:
    faults = [Fault("p", "r"), Fault("p", "r", "mine.json")]
    with pytest.raises(InputError) as caught, faults_located_in(Path("data.csv")):
        raise InputError.of(faults, "x")
    assert [fault.file for fault in caught.value.faults] == ["data.csv", "mine.json"]


def test_a_weighted_sum_has_the_same_bits_whoever_stands_beside() -> None:
    generator = np.random.default_rng(0)
    matrix, weights = generator.normal(size=(1003, 17)), generator.normal(size=17)
    whole = weighted_sum(matrix, weights)
    np.testing.assert_allclose(whole, matrix @ weights)
    for rows in (slice(0, 7), slice(500, None), slice(None, None, -1)):
        np.testing.assert_array_equal(weighted_sum(matrix[rows], weights), whole[rows])
