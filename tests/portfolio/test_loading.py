"""What a portfolio holds once it is read, whatever it was read from."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from allocator.portfolio import load_portfolio
from allocator.records.portfolio import Portfolio, Text
from allocator.records.scenario import PortfolioSource
from allocator.tables.margins import TOTAL
from tests.portfolio.sources import FORMATS, as_csv, as_parquet, csv_text
from tests.strategies import random_cases

THREE: dict[str, list[Any]] = {
    "borrower_id": ["E10", "E9", "E1"],
    "grade": ["B", "A", "NA"],
    "pd": [0.02, 0.01, 0.5],
    "lgd": [0.5, 0.45, 0.0],
    "max_amount": [500_000, None, 250_000.5],
    "sector": ["retail", None, "001"],
    "turnover": [5.5, None, 7.0],
    "exclude": [True, False, None],
    "fixed_amount": [None, 100_000, None],
    "fixed_rate": [None, 0.05, None],
}
TEXTS, NUMBERS = frozenset({"sector"}), frozenset({"turnover"})


def assert_same(one: Portfolio, other: Portfolio) -> None:
    """Every column equal, NaN to NaN; where they came from may differ."""
    for entry in fields(Portfolio):
        left, right = getattr(one, entry.name), getattr(other, entry.name)
        if entry.name in ("source", "row"):
            continue
        if isinstance(left, np.ndarray):
            assert left.dtype == right.dtype, entry.name
            np.testing.assert_array_equal(left, right, err_msg=entry.name)
        elif isinstance(left, Text):
            assert_same_text(left, right)
        elif left is None:
            assert right is None, entry.name
        else:
            assert left.keys() == right.keys()
            for name in left:
                if isinstance(left[name], Text):
                    assert_same_text(left[name], right[name])
                else:
                    np.testing.assert_array_equal(left[name], right[name], err_msg=name)


def assert_same_text(one: Text, other: Text) -> None:
    assert one.values == other.values
    assert one.codes.dtype == other.codes.dtype
    np.testing.assert_array_equal(one.codes, other.codes)


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_gives_every_column(kind: str, tmp_path: Path) -> None:
    book = load_portfolio(FORMATS[kind](THREE, tmp_path), TEXTS, NUMBERS)
    assert book.borrower_id.tolist() == ["E1", "E10", "E9"]
    first = 2 if kind == "xlsx" else 1  # a spreadsheet counts its header
    assert book.row.tolist() == [first + 2, first, first + 1]
    assert book.grade.values == ("A", "B", "NA")
    assert book.grade.codes.tolist() == [2, 1, 0]
    assert book.pd.tolist() == [0.5, 0.02, 0.01]
    assert book.lgd.tolist() == [0.0, 0.5, 0.45]
    assert book.term.tolist() == [1.0, 1.0, 1.0]
    assert book.min_amount.tolist() == [0.0, 0.0, 0.0]
    assert book.max_amount.tolist() == [250_000.5, 500_000.0, math.inf]
    assert book.exclude.tolist() == [False, True, False]
    np.testing.assert_array_equal(book.fixed_rate, [math.nan, math.nan, 0.05])
    np.testing.assert_array_equal(book.numbers["turnover"], [7.0, 5.5, math.nan])
    assert book.text("sector").values == ("001", "retail")
    assert book.text("sector").codes.tolist() == [0, 1, -1]


words = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=6)


def decimals(lowest: float, highest: float) -> st.SearchStrategy[float]:
    """Numbers of at most 15 digits, which is what a workbook keeps."""
    return st.floats(lowest, highest, allow_subnormal=False).map(lambda number: float(f"{number:.15g}"))


@random_cases(25, full=250)
@given(st.data())
def test_formats_agree(data: st.DataObject) -> None:
    names = words.filter(lambda word: word != "borrower_id" and not TOTAL.fullmatch(word))
    ids = data.draw(st.lists(names, min_size=1, unique=True))

    def column(cells: st.SearchStrategy[Any]) -> list[Any]:
        return data.draw(st.lists(cells, min_size=len(ids), max_size=len(ids)))

    columns = {
        "borrower_id": ids,
        "grade": column(words),
        "pd": column(decimals(0, 1)),
        "lgd": column(decimals(0, 1)),
        "max_amount": column(st.one_of(st.none(), decimals(0, 1e9))),
        "exclude": column(st.booleans()),
        "sector": column(st.one_of(st.none(), words)),
        "turnover": column(st.one_of(st.none(), decimals(-1e9, 1e9))),
    }
    with TemporaryDirectory() as folder:
        books = [load_portfolio(make(columns, Path(folder)), TEXTS, NUMBERS) for make in FORMATS.values()]
    assert books[0].borrower_id.tolist() == sorted(ids)
    for book in books[1:]:
        assert_same(books[0], book)


@random_cases(20, full=200)
@given(st.permutations(range(3)), st.permutations(list(THREE)))
def test_order_of_rows_and_columns_changes_nothing(rows: list[int], names: list[str]) -> None:
    shuffled = {name: [THREE[name][row] for row in rows] for name in names}
    with TemporaryDirectory() as folder:
        before = load_portfolio(as_csv(THREE, Path(folder)), TEXTS, NUMBERS)
        after = load_portfolio(as_csv(shuffled, Path(folder)), TEXTS, NUMBERS)
    assert [rows[row - 1] + 1 for row in after.row] == before.row.tolist()
    assert_same(before, replace(after, row=before.row))


def test_text_stays_as_written(tmp_path: Path) -> None:
    source = csv_text(
        "borrower_id,grade,pd,lgd,region\n001,NA,0.1,0.5,NO\n1,null,0.1,0.5,\n"
        " 1,nan,0.1,0.5,None\n1.0,-,0.1,0.5,\n",
        tmp_path,
    )
    book = load_portfolio(source, frozenset({"region"}))
    assert book.borrower_id.tolist() == [" 1", "001", "1", "1.0"]
    assert book.grade.values == ("-", "NA", "nan", "null")
    assert book.texts["region"].values == ("NO", "None")
    assert book.texts["region"].codes.tolist() == [1, 0, -1, -1]


def test_typed_numbers_as_text_have_no_decimals(tmp_path: Path) -> None:
    columns = {
        "borrower_id": [20.0, 3.0],
        "grade": [1, 2],
        "pd": [0.1, 0.1],
        "lgd": [0.5, 0.5],
        "flag": [True, None],
    }
    for make in (FORMATS["parquet"], FORMATS["xlsx"]):
        book = load_portfolio(make(columns, tmp_path), frozenset({"flag"}))
        assert book.borrower_id.tolist() == ["20", "3"]
        assert book.grade.values == ("1", "2")
        assert book.texts["flag"].values == ("true",)


def test_identifiers_ascend_by_code_point(tmp_path: Path) -> None:
    ids = ["é", "z", "Z", "😀", "豫", "\ufb01"]
    columns = {"borrower_id": ids, "grade": ["A"] * 6, "pd": [0.1] * 6, "lgd": [0.5] * 6}
    assert load_portfolio(as_csv(columns, tmp_path)).borrower_id.tolist() == sorted(ids)


def test_columns_are_renamed_and_defaults_fill_what_is_absent(tmp_path: Path) -> None:
    source = csv_text(
        "enterprise_id,rating,pd_mean,industry\nE1,A,0.01,food\n",
        tmp_path,
        columns={"borrower_id": "enterprise_id", "grade": "rating", "pd": "pd_mean", "sector": "industry"},
        defaults={"lgd": 0.4, "term_years": 3, "region": "east", "exclude": True, "turnover": 7},
    )
    book = load_portfolio(source, frozenset({"sector", "region"}), frozenset({"turnover"}))
    assert (book.lgd[0], book.term[0], book.exclude[0]) == (0.4, 3.0, True)
    assert book.number("turnover").tolist() == [7.0]
    assert book.texts["sector"].values == ("food",)
    assert book.texts["region"].values == ("east",)


def test_an_empty_cell_does_not_take_a_default(tmp_path: Path) -> None:
    source = csv_text(
        "borrower_id,grade,pd,lgd,relationship_value\nE1,A,0.01,0.5,\n",
        tmp_path,
        defaults={"relationship_value": 9.0},
    )
    assert load_portfolio(source).relationship_value.tolist() == [0.0]


def test_pd_comes_from_the_grade_where_there_is_no_column(tmp_path: Path) -> None:
    by_grade = {"A": 0.005, "B": 0.02}
    text = "borrower_id,grade,lgd\nE1,B,0.5\nE2,A,0.5\n"
    book = load_portfolio(csv_text(text, tmp_path, pd_by_grade=by_grade))
    assert book.pd.tolist() == [0.02, 0.005]
    own = "borrower_id,grade,pd,lgd\nE1,B,0.3,0.5\n"
    assert load_portfolio(csv_text(own, tmp_path, pd_by_grade=by_grade)).pd.tolist() == [0.3]


def test_a_column_may_be_read_as_text_and_as_numbers(tmp_path: Path) -> None:
    text = "borrower_id,grade,pd,lgd,score\nE1,A,0.10,0.5,070\nE2,A,0.2,0.5,80\n"
    wanted = frozenset({"score", "pd"})
    book = load_portfolio(csv_text(text, tmp_path), wanted, wanted)
    assert book.texts["score"].values == ("070", "80")
    assert book.texts["pd"].values == ("0.10", "0.2")
    assert book.number("score").tolist() == [70.0, 80.0]
    assert list(book.numbers) == ["score"]


def test_decimal_commas_and_semicolons(tmp_path: Path) -> None:
    text = "borrower_id;grade;pd;lgd;max_amount\nE1;A;0,05;,5;1e6\nE2;A;1;0; 2500,50 \n"
    book = load_portfolio(csv_text(text, tmp_path, separator=";", decimal=","))
    assert book.pd.tolist() == [0.05, 1.0]
    assert book.lgd.tolist() == [0.5, 0.0]
    assert book.max_amount.tolist() == [1e6, 2500.5]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_byte_order_mark_quotes_and_line_ends(end: str, tmp_path: Path) -> None:
    path = tmp_path / "borrowers.csv"
    lines = ["borrower_id,grade,pd,lgd,name", 'E1,A,0.1,0.5,"One, Two"', "", 'E2,"A",0.2,"0.5","a\nb"', ""]
    path.write_bytes(b"\xef\xbb\xbf" + end.join(lines).encode())
    book = load_portfolio(PortfolioSource("csv", path), frozenset({"name"}))
    assert book.row.tolist() == [1, 3]
    assert book.texts["name"].values == ("One, Two", "a\nb")


def test_categories_nobody_has_do_not_appear(tmp_path: Path) -> None:
    path = tmp_path / "borrowers.parquet"
    sectors = pa.DictionaryArray.from_arrays(pa.array([1, None, 1]), pa.array(["unused", "retail", ""]))
    ids = pa.array(["a", "b", "c"])
    table = pa.table({"borrower_id": ids, "grade": ids, "pd": [0.1] * 3, "lgd": [0.5] * 3, "sector": sectors})
    parquet.write_table(table, path)
    book = load_portfolio(PortfolioSource("parquet", path), frozenset({"sector"}))
    assert book.texts["sector"].values == ("retail",)
    assert book.texts["sector"].codes.tolist() == [0, -1, 0]


def three_with(name: str, cells: pa.Array, folder: Path) -> PortfolioSource:
    """Three borrowers in a Parquet file, with one more column."""
    path = folder / "borrowers.parquet"
    columns = {"borrower_id": ["a", "b", "c"], "grade": ["A"] * 3, "pd": [0.1] * 3, "lgd": [0.5] * 3}
    parquet.write_table(pa.table(columns).append_column(name, cells), path)
    return PortfolioSource("parquet", path)


TYPES = {
    "large text": (pa.large_string(), ["001", "", None], ["001"]),
    "text view": (pa.string_view(), ["001", "", None], ["001"]),
    "text dictionary": (pa.dictionary(pa.int8(), pa.large_string()), ["001", "", None], ["001"]),
    "whole": (pa.int16(), [1, 20, None], ["1", "20"]),
    "float": (pa.float64(), [2.0**53, 0.5, None], ["0.5", "9007199254740992"]),
    "decimal": (pa.decimal128(8, 2), [Decimal("1.50"), Decimal("2.00"), None], ["1.50", "2.00"]),
    "boolean": (pa.bool_(), [True, False, None], ["false", "true"]),
    "date": (pa.date32(), [date(2026, 1, 2), date(2026, 1, 3), None], ["2026-01-02", "2026-01-03"]),
    "nothing": (pa.null(), [None, None, None], []),
}


@pytest.mark.parametrize("kind", TYPES)
def test_typed_columns_as_text(kind: str, tmp_path: Path) -> None:
    held, cells, values = TYPES[kind]
    source = three_with("note", pa.array(cells, held), tmp_path)
    note = load_portfolio(source, frozenset({"note"})).texts["note"]
    assert list(note.values) == values
    assert note.codes[2] == -1


NUMBER_TYPES = {
    "text": (pa.large_string(), [" 1.5", "2", None]),
    "text view": (pa.string_view(), ["1.5", "2", ""]),
    "text dictionary": (pa.dictionary(pa.int8(), pa.string()), ["1.5", "2", None]),
    "float": (pa.float32(), [1.5, 2, None]),
    "decimal": (pa.decimal128(8, 2), [Decimal("1.5"), Decimal("2"), None]),
}


@pytest.mark.parametrize("kind", NUMBER_TYPES)
def test_typed_columns_as_numbers(kind: str, tmp_path: Path) -> None:
    held, cells = NUMBER_TYPES[kind]
    source = three_with("max_amount", pa.array(cells, held), tmp_path)
    assert load_portfolio(source).max_amount.tolist() == [1.5, 2.0, math.inf]


def test_many_row_groups_read_as_one(tmp_path: Path) -> None:
    n, path = 1_000, tmp_path / "borrowers.parquet"
    columns = {
        "borrower_id": [f"{i:04d}" for i in range(n)],
        "grade": ["CAB"[i // 400] for i in range(n)],
        "pd": [i / n for i in range(n)],
        "lgd": [0.5] * n,
    }
    parquet.write_table(pa.table(columns), path, row_group_size=7)
    book = load_portfolio(PortfolioSource("parquet", path))
    assert book.pd.tolist() == columns["pd"]
    assert [book.grade.values[code] for code in book.grade.codes] == columns["grade"]


def test_sql_joins_batches_of_different_types(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("allocator.tables.sql.BATCH", 2)
    columns = {
        "borrower_id": [3, 4, "x", 5.0],
        "grade": ["A"] * 4,
        "pd": [0, 1, 0.5, 0.25],
        "lgd": [0.5, 0.5, "0.5", 1],
        "exposure": [None, None, 4, 5],
    }
    book = load_portfolio(FORMATS["sql"](columns, tmp_path))
    assert book.borrower_id.tolist() == ["3", "4", "5", "x"]
    assert book.pd.tolist() == [0.0, 1.0, 0.25, 0.5]
    assert book.lgd.tolist() == [0.5, 0.5, 1.0, 0.5]
    assert book.exposure.tolist() == [0.0, 0.0, 5.0, 4.0]


def test_empty_rows_under_a_sheet_are_none(tmp_path: Path) -> None:
    columns = {name: [*cells, None, None] for name, cells in THREE.items()}
    assert len(load_portfolio(FORMATS["xlsx"]({**columns, "note": [""] * 5}, tmp_path))) == 3


def test_arrays_can_be_written_to(tmp_path: Path) -> None:
    """Read-only views of a file's buffers would keep the file in memory and compile kernels twice."""
    book = load_portfolio(as_parquet(THREE, tmp_path))
    assert all(column.flags.writeable for column in (book.pd, book.max_amount, book.term, book.fixed_rate))
