"""Names fold where their words do, and their figures stay whole."""

from __future__ import annotations

import pytest

from allocator.report.named import Figures, folded, named_table
from allocator.report.plain import page_text
from allocator.report.room import laid_out_in

LONG = "sectors of the national classification[Manufacture of motor vehicles, trailers, medium-sized]"
NAMES = ["budget", "sectors[manufacturing]", LONG]
COLUMNS = [
    Figures("used", ["100,000,000", "16.75%", "32,000,000"]),
    Figures("bound", ["at most 100,000,000", "at most 20.00% of total", "at most 32,000,000"]),
    Figures("shadow price", ["0.01844", "", "0.003647"]),
    Figures("", ["binding", "", "binding"], "left"),
]


@pytest.mark.parametrize(
    ("name", "width", "lines"),
    [
        ("sectors[manufacturing]", 21, ["sectors[", "manufacturing]"]),
        ("sectors[professional services]", 21, ["sectors[professional", "services]"]),
        ("north-east", 7, ["north-", "east"]),
        ("xxxxxxxxxx", 4, ["xxxx", "xxxx", "xx"]),
        ("a short name", 30, ["a short name"]),
        ("", 5, [""]),
    ],
)
def test_a_name_folds_where_it_may(name: str, width: int, lines: list[str]) -> None:
    assert folded(name, width) == lines


@pytest.mark.parametrize("columns", [60, 80, 100])
def test_no_figure_is_cut_and_no_name_lost(columns: int) -> None:
    with laid_out_in(columns):
        page = page_text(named_table("limit", NAMES, COLUMNS))
    assert max(map(len, page.splitlines())) <= columns
    words = page.split()
    for figure in ("100,000,000", "16.75%", "32,000,000", "0.003647", "0.01844"):
        assert figure in words
    assert LONG in " ".join(words) or LONG in "".join(line.strip() for line in page.splitlines())


def test_only_a_name_that_is_too_long_stands_above_its_figures() -> None:
    with laid_out_in(80):
        lines = page_text(named_table("limit", NAMES, COLUMNS)).splitlines()
    assert [line.split()[:2] for line in lines if line.startswith("budget")] == [["budget", "100,000,000"]]
    assert any(line.startswith("sectors of the national classification[Manufacture") for line in lines)


def test_words_in_the_last_column_fold_where_that_keeps_all_columns_together() -> None:
    states = Figures("", ["binding", "missed, reported only", ""], "left")
    with laid_out_in(80):
        lines = page_text(named_table("limit", NAMES, [*COLUMNS[:-1], states])).splitlines()
    assert [line.split()[0] for line in lines].count("budget") == 1
    row = next(at for at, line in enumerate(lines) if line.startswith("sectors[") and "16.75%" in line)
    told = " ".join(line.split()[-1] for line in lines[row : row + 3])
    assert told == "missed, reported only"
