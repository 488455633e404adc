"""The borrowers as a run keeps them: which sources need it, and that nothing is lost."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from allocator.portfolio import load_portfolio, portfolio_as_csv, stands_as_it_is
from allocator.records.scenario import PortfolioSource
from tests.builders import portfolio

PLAIN = PortfolioSource("csv", Path("b.csv"))


@pytest.mark.parametrize(
    ("source", "written", "plain"),
    [
        (PLAIN, "b.csv", True),
        (PLAIN, {"csv": "b.csv", "sep": ";", "decimal": ","}, True),
        (PLAIN, {"csv": "b.csv", "skip": 0, "encoding": "utf-8"}, True),
        (PLAIN, {"csv": "b.csv", "skip": 2}, False),
        (PLAIN, {"csv": "b.csv", "encoding": "gbk"}, False),
        (PLAIN, {"csv": "b.csv", "thousands": ","}, False),
        (PortfolioSource("csv", Path("b.csv.gz")), "b.csv.gz", False),
        (PortfolioSource("csv", Path("b.csv"), scorecard=Path("s.json")), "b.csv", False),
        (PortfolioSource("parquet", Path("b.parquet")), "b.parquet", True),
        (PortfolioSource("parquet", Path(__file__).parent), {"parquet": "b"}, False),
        (PortfolioSource("xlsx", Path("b.xlsx")), "b.xlsx", False),
        (PortfolioSource("sql", url="sqlite:///b.db", query="select 1"), {"sql": "x", "query": "y"}, False),
    ],
)
def test_which_sources_a_checker_reads_itself(source: PortfolioSource, written: object, plain: bool) -> None:
    assert stands_as_it_is(source, written) is plain


def test_a_copy_reads_back_as_the_same_borrowers(tmp_path: Path) -> None:
    book = portfolio(
        ["A", "B ", 'C "x", y'],
        pd=[0.1, 1 / 3, 5e-324],
        max_amount=[1e13, np.inf, 0.07],
        min_rate=[np.nan, 0.05, np.nan],
        fixed_amount=[np.nan, np.nan, 12.34],
        fixed_rate=[np.nan, np.nan, 0.0725],
        exclude=[True, False, False],
        texts={"sector": ["001", None, "two\r\nlines"], "code": ["1", "2", "3"]},
        numbers={"turnover": [1.5, np.nan, -2e-7], "code": [1.0, 2.0, 3.0]},
    )
    raw = portfolio_as_csv(book, ["sector", "code"], ["turnover", "code", "pd"])
    header, *rows = csv.reader(io.StringIO(raw.decode(), newline=""))
    assert header[-3:] == ["sector", "number code", "turnover"]
    assert len(rows) == 3
    (tmp_path / "copy.csv").write_bytes(raw)
    again = load_portfolio(
        PortfolioSource("csv", tmp_path / "copy.csv"),
        frozenset({"sector", "code"}),
        frozenset({"turnover", "number code"}),
    )
    for name in ("pd", "lgd", "term", "max_amount", "min_rate", "fixed_amount", "fixed_rate", "exclude"):
        assert np.array_equal(getattr(again, name), getattr(book, name), equal_nan=name != "exclude")
    assert again.grade.values == book.grade.values
    assert again.texts["sector"].values == book.texts["sector"].values
    assert np.array_equal(again.numbers["turnover"], book.numbers["turnover"], equal_nan=True)
    assert np.array_equal(again.numbers["number code"], book.numbers["code"])
