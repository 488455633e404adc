"""Whole tables: texts that are numbers, columns put in, facts joined."""

from __future__ import annotations

import decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from allocator.errors import InputError
from allocator.portfolio import load_portfolio, with_columns, with_facts, with_numeric_columns
from allocator.records.scenario import PortfolioSource
from allocator.tables import fetch_whole
from tests.portfolio.sources import FORMATS, csv_text


def test_a_table_of_text_is_text_as_it_stands(tmp_path: Path) -> None:
    table = fetch_whole(csv_text("id,n\n007,1.50\nNA,\n", tmp_path)).table
    assert table.to_pydict() == {"id": ["007", "NA"], "n": ["1.50", None]}


def test_uneven_rows_and_two_columns_of_a_name_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="row 2: 3 cells under a header of 2"):
        fetch_whole(csv_text("id,n\n1,2\n1,2,3\n", tmp_path))
    with pytest.raises(InputError, match="n: 2 columns have this name"):
        fetch_whole(csv_text("n,n\n1,2\n", tmp_path))


def test_columns_of_numbers_are_numbers_and_no_others() -> None:
    table = pa.table(
        {
            "whole": ["1", "", None],
            "half": ["0,5", " 2 ", "-1e3"],
            "mixed": ["1", "x", ""],
            "grouped": ["1.000,5", "1", "1"],
            "typed": [1.5, None, 2.5],
            "exact": [decimal.Decimal("0.1"), None, None],
        }
    )
    frame = with_numeric_columns(table, ",")
    numbers = [name for name, column in frame.items() if column.dtype.kind in "iuf"]
    assert numbers == ["whole", "half", "typed", "exact"]
    assert frame["half"].tolist() == [0.5, 2, -1000]
    assert frame["mixed"].tolist()[:2] == ["1", "x"]
    assert with_numeric_columns(pa.table({"n": ["1", "02"]}), ".")["n"].tolist() == [1, 2]


def test_columns_take_the_place_of_those_of_the_same_name() -> None:
    table = pa.table({"id": ["a", "b"], "pd": ["x", "y"], "rest": [1, 2]})
    columns = pd.DataFrame({"pd": [0.1, 0.2], "grade": pd.Categorical(["A", "B"])})
    found = with_columns(table, columns)
    assert found.column_names == ["id", "pd", "rest", "grade"]
    assert found["pd"].to_pylist() == [0.1, 0.2]
    assert found["grade"].to_pylist() == ["A", "B"]


@pytest.mark.parametrize("kind", FORMATS)
def test_facts_of_every_format_are_joined_in_the_order_of_the_table(kind: str, tmp_path: Path) -> None:
    facts = FORMATS[kind]({"key": ["c", "a", "b"], "sector": ["01", "x", None]}, tmp_path)
    found = with_facts(pa.table({"id": ["a", "b", "c"]}), "id", facts, "key")
    assert found.column_names == ["id", "sector"]
    assert found["sector"].to_pylist() == ["x", None, "01"]


def test_whole_numbers_are_keys_too(tmp_path: Path) -> None:
    facts = FORMATS["parquet"]({"key": [2, 1], "size": [20.0, 10.0]}, tmp_path)
    assert with_facts(pa.table({"id": ["1", "2"]}), "id", facts, "key")["size"].to_pylist() == [10.0, 20.0]


def test_all_that_keeps_facts_from_being_joined_comes_at_once(tmp_path: Path) -> None:
    facts = csv_text("key,size,id\na,1,1\na,2,1\nb,3,1\nb,4,1\n", tmp_path)
    with pytest.raises(InputError) as caught:
        with_facts(pa.table({"id": ["a", "z", "y"], "size": [1, 2, 3]}), "id", facts, "key")
    assert [(fault.field, fault.problem) for fault in caught.value.faults] == [
        ("key", '"a" stands in more than one row, as do 1 more'),
        ("key", '"z" has no row, as do 1 more'),
        ("size", "the scored firms have this column too"),
        ("id", "the scored firms have this column too"),
    ]


def test_a_table_in_memory_is_read_in_place_of_the_source() -> None:
    table = pa.table({"borrower_id": ["b", "a"], "grade": ["A", "B"], "pd": [0.1, 0.2], "lgd": [0.5, 0.5]})
    book = load_portfolio(PortfolioSource("csv", Path("nowhere.csv")), table=table)
    assert (book.source, book.borrower_id.tolist(), book.pd.tolist()) == (
        "nowhere.csv",
        ["a", "b"],
        [0.2, 0.1],
    )
    with pytest.raises(InputError, match=r"nowhere.csv, row 2, pd: 2 is above 1"):
        load_portfolio(
            PortfolioSource("csv", Path("nowhere.csv")),
            table=table.set_column(2, "pd", pa.array([0.1, 2.0])),
        )
