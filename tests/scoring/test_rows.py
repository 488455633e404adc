"""Faults of scoring name rows as the file counts them, whatever stands above or between."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from allocator.borrowers import scored_table
from allocator.errors import Fault, InputError
from allocator.records.scenario import PortfolioSource
from allocator.scoring.fitting_firms import churn_from_file
from allocator.scoring.levels import level_faults, levels_of
from allocator.scoring.reading import faults_located_in, numbers, outcomes, read_table
from allocator.scoring.rows import row_of, rows_of
from allocator.scoring.shock import read_stress
from tests.tables.workbooks import HEADER, one_sheet, row, rows

RATING = Path(__file__).parents[2] / "models" / "ratings" / "small-enterprise-published.json"


@pytest.fixture
def gaps(tmp_path: Path) -> Path:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n\n3,x\n\n\n5,y\n")
    return tmp_path / "t.csv"


def test_blank_lines_count(gaps: Path) -> None:
    table, faults = read_table(gaps), list[Fault]()
    assert numbers(table, "b", faults, "write one") is None
    told = [(fault.row, fault.problem) for fault in faults]
    assert told == [(3, "'x' is no number"), (6, "'y' is no number")]
    further = level_faults("b", levels_of(table["b"]), ["2"], "is none", "mend")
    assert [fault.row for fault in further] == [3, 6]
    assert row_of(table.assign(c=1)["c"], 2) == 6


def test_a_workbook_counts_as_the_spreadsheet_does(tmp_path: Path) -> None:
    book = tmp_path / "t.xlsx"
    book.write_bytes(one_sheet(rows(row(7, ("E9", "A", "x", 0.5, 1)))))
    table, faults = read_table(book), list[Fault]()
    assert list(table.columns) == list(HEADER)
    assert numbers(table, "pd", faults, "write one") is None
    assert [fault.row for fault in faults] == [7]
    with pytest.raises(InputError) as caught, faults_located_in(book, table):
        raise InputError.of(faults, "Table")
    [fault] = caught.value.faults
    assert fault.place == f"{book}, Loans!C7, pd"
    with pytest.raises(InputError, match=r"Loans!C2, pd: '0\.01' is no outcome"):
        outcomes(table, "pd", book)


def test_a_table_without_gaps_needs_nothing_and_rows_that_are_gone_are_not_guessed(gaps: Path) -> None:
    plain = gaps.with_name("plain.csv")
    plain.write_text("a,b\n1,2\n3,x\n")
    assert rows_of(read_table(plain)) is None
    assert row_of(read_table(plain), 1) == 2
    assert rows_of(read_table(gaps).iloc[1:]) is None
    assert rows_of(pd.Series([1.0])) is None


def test_factors_below_blank_lines(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("sector,pd\nfood,1.5\n\nfood,x\n")
    with pytest.raises(InputError) as caught:
        read_stress(tmp_path / "f.csv", "sector")
    assert [(fault.row, fault.field) for fault in caught.value.faults] == [(3, "sector"), (3, "pd")]


def test_a_workbook_of_factors_names_cells_and_says_what_its_csv_says(tmp_path: Path) -> None:
    book, table = tmp_path / "f.xlsx", pd.DataFrame({"sector": ["food", "steel"], "pd": [1.5, 2]})
    table.to_excel(book, sheet_name="Factors", index=False)
    table.to_csv(tmp_path / "f.csv", index=False)
    assert read_stress(book, "sector") == read_stress(tmp_path / "f.csv", "sector")
    table.assign(pd=[1.5, -2], sector="food").to_excel(book, sheet_name="Factors", index=False)
    assert places(lambda: read_stress(book, "sector")) == ["Factors!A3, sector", "Factors!B3, pd"]
    pd.DataFrame({"sector": ["food"], "growth": [-3]}).to_excel(book, sheet_name="Factors", index=False)
    assert places(lambda: read_stress(book, "sector")) == ["Factors!B2, growth"]


def test_a_workbook_of_offers_names_cells(tmp_path: Path) -> None:
    book = tmp_path / "c.xlsx"
    offers = pd.DataFrame({"rate": [0.05, 7.0, 0.06], "grade": ["A", None, "A"], "left": [0, 1, 2]})
    offers.to_excel(book, sheet_name="Offers", index=False)
    assert places(lambda: churn_from_file(book)) == [
        "Offers!A3, rate", "Offers!C4, left", "Offers!B3, grade"
    ]  # fmt: skip


def places(read: Callable[[], object]) -> list[str]:
    """Where the faults stand in a file that cannot be read."""
    with pytest.raises(InputError) as caught:
        read()
    return [fault.place.split(".xlsx, ")[1] for fault in caught.value.faults]


def test_a_scenario_with_a_scorecard_says_the_same(tmp_path: Path) -> None:
    names = [f"indicator_{k:02d}" for k in range(1, 19)]
    lines = [",".join(["borrower_id", "grade", *names]), "", "a,A" + ",x" * len(names)]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError) as caught:
        scored_table(PortfolioSource("csv", tmp_path / "t.csv"), RATING)
    assert {(fault.field, fault.row) for fault in caught.value.faults} >= {(name, 2) for name in names[:3]}
