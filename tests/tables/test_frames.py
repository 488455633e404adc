"""Frames become files: the same rows the same bytes, whoever holds them."""

from __future__ import annotations

import datetime
import decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from allocator.errors import InputError
from allocator.records.frames import Frame
from allocator.tables import open_source, source_of
from allocator.tables.frames import PARQUET_FROM, frame_of, is_frame

COLUMNS = {
    "borrower_id": ["a", "b,c", 'd"e', "001"],
    "pd": [0.1, 1 / 3, 1.0, 1e-9],
    "count": [1, 2, 3, 4],
    "flag": [True, False, True, False],
    "sector": ["x", None, "", "x"],
}


def text_of(frame: Frame) -> str:
    return bytes(frame.content).decode()


def test_pandas_polars_and_arrow_are_the_same_file() -> None:
    held = [
        pd.DataFrame(COLUMNS),
        pl.DataFrame(COLUMNS),
        pa.table(COLUMNS),
        pa.RecordBatch.from_pydict(COLUMNS),
    ]
    found = {frame_of(one, "borrowers") for one in held}
    assert len(found) == 1
    (frame,) = found
    assert (frame.name, str(frame)) == (f"frame-borrowers-{frame.hash[7:15]}.csv", "frame of borrowers")
    assert text_of(frame).splitlines()[1:3] == ['"a",0.1,1,true,"x"', '"b,c",0.3333333333333333,2,false,']


def test_how_a_column_is_stored_says_nothing() -> None:
    frame = pd.DataFrame({"n": [1, 2, 3], "t": ["x", "y", "x"]})
    others = [
        frame.astype({"n": float}),
        frame.astype({"n": "Int8", "t": "category"}),
        frame.astype({"n": np.uint16, "t": object}),
        pl.DataFrame({"n": [1, 2, 3], "t": ["x", "y", "x"]}, schema={"n": pl.Float64, "t": pl.Categorical}),
    ]
    assert {frame_of(one, "f").hash for one in others} == {frame_of(frame, "f").hash}


def test_a_missing_value_is_an_empty_cell() -> None:
    held = [
        pd.DataFrame({"n": [1, np.nan, 3], "t": ["x", None, np.nan]}),
        pl.DataFrame({"n": [1, None, 3], "t": ["x", None, None]}),
    ]
    assert {text_of(frame_of(one, "f")) for one in held} == {'"n","t"\n1,"x"\n,\n3,\n'}


def test_numbers_keep_every_digit() -> None:
    values = [0.1 + 0.2, 1e300, -0.0, 5e-324, 2.0**60]
    frame = frame_of(pd.DataFrame({"v": values}), "f")
    written = [float(text) for text in text_of(frame).splitlines()[1:]]
    assert list(map(repr, written)) == list(map(repr, values))


def test_dates_decimals_and_mixed_cells_are_texts() -> None:
    frame = pd.DataFrame(
        {
            "day": [datetime.date(2020, 1, 2)],
            "time": pd.to_datetime(["2020-01-02 03:04:05"]),
            "exact": [decimal.Decimal("1.50")],
        }
    )
    assert text_of(frame_of(frame, "f")).splitlines()[1] == '"2020-01-02","2020-01-02T03:04:05","1.50"'
    mixed = frame_of(pd.DataFrame({"pd": [0.1, "x", None]}), "f")
    assert text_of(mixed) == '"pd"\n"0.1"\n"x"\n\n'


def test_named_levels_of_an_index_are_columns_too() -> None:
    frame = pd.DataFrame({"pd": [0.1]}, index=pd.Index(["b1"], name="borrower_id"))
    assert text_of(frame_of(frame, "f")) == '"borrower_id","pd"\n"b1",0.1\n'
    assert text_of(frame_of(frame.rename_axis(None), "f")) == '"pd"\n0.1\n'


def test_many_rows_are_kept_as_parquet() -> None:
    ids = [f"{number:06}" for number in range(PARQUET_FROM)]
    frame = frame_of(pd.DataFrame({"borrower_id": ids, "pd": 0.5}), "borrowers")
    assert frame.ending == ".parquet"
    assert frame == frame_of(pl.DataFrame({"borrower_id": ids, "pd": [0.5] * len(ids)}), "borrowers")
    opened = open_source(source_of(frame))
    assert opened.names == ("borrower_id", "pd")
    assert opened.fetch(["pd"]).table.num_rows == PARQUET_FROM


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (42, "borrowers: int is no table; give a DataFrame of pandas or polars, or any table with"),
        (pl.LazyFrame({"a": [1]}), "borrowers: polars.LazyFrame is no table; call its .collect() first"),
        (pl.Series("a", [1]), "borrowers: polars.Series is no table of columns; give a DataFrame"),
        (
            pl.DataFrame({"a": [[1]], "b": [b"x"]}),
            "frame of borrowers, b: holds binary_view, not numbers, texts or truths; drop the column,",
        ),
        (pd.DataFrame({"a": [object()]}), "frame of borrowers, a: holds"),
        (
            pd.DataFrame({"a": ["\ud800"]}, dtype=object),
            "frame of borrowers, a: holds what Arrow cannot hold",
        ),
    ],
)
def test_what_is_no_table_is_refused(data: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        frame_of(data, "borrowers")
    assert message in str(caught.value)


def test_what_is_a_frame_is_told_from_paths_and_mappings() -> None:
    assert all(map(is_frame, (pd.DataFrame(), pl.DataFrame(), pa.table({}))))
    assert not any(map(is_frame, ("a.csv", {"a": 1}, None, pd.Series([1]), pl.Series([1]))))
