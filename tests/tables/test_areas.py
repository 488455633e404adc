"""Tables and named ranges of a workbook are read by their names."""

from __future__ import annotations

from pathlib import Path

import pytest
import xlsxwriter

from allocator.errors import InputError
from allocator.portfolio import load_portfolio
from allocator.records.scenario import PortfolioSource
from tests.tables.workbooks import HEADER, ROWS


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A sheet as treasury has it: a title, a table with a row of totals, another table beside it."""
    out = tmp_path / "loans.xlsx"
    with xlsxwriter.Workbook(out) as book:
        book.add_worksheet("Notes").write("A1", "see Loans of March")
        sheet = book.add_worksheet("Loans of March")
        sheet.write("B1", "Loans of March")
        columns = [{"header": name, "total_function": "sum"} for name in HEADER]
        columns[0] = {"header": HEADER[0], "total_string": "Total"}
        sheet.add_table(2, 1, 6, 5, {"name": "Firms", "data": ROWS, "columns": columns, "total_row": True})
        sheet.write("I3", "not of it")
        sheet.write_row("K3", HEADER)
        sheet.write_row("K4", ROWS[1])
        book.define_name("one", "='Loans of March'!$K$3:$O$4")
    return out


@pytest.mark.parametrize(
    ("name", "borrowers"), [("Firms", ["E1", "E2", "E3"]), ("firms", ["E1", "E2", "E3"]), ("one", ["E2"])]
)
def test_a_table_or_range_is_read_alone(path: Path, name: str, borrowers: list[str]) -> None:
    book = load_portfolio(PortfolioSource("xlsx", path, table=name))
    assert book.borrower_id.tolist() == borrowers
    assert book.max_amount[-1] == {"E3": 250_000, "E2": 400_000}[borrowers[-1]]


def test_one_that_is_not_there_is_told_with_those_that_are(path: Path) -> None:
    with pytest.raises(InputError, match='no table or range "Firm"; the nearest is "Firms"'):
        load_portfolio(PortfolioSource("xlsx", path, table="Firm"))


def test_faults_name_the_cells_of_the_table(tmp_path: Path) -> None:
    out = tmp_path / "loans.xlsx"
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet("Loans")
        rows = [(name, grade, "5%", lgd, amount) for name, grade, _, lgd, amount in ROWS]
        sheet.add_table(
            2, 1, 5, 5, {"name": "Firms", "data": rows, "columns": [{"header": one} for one in HEADER]}
        )
    with pytest.raises(InputError, match='Loans!D4, pd: "5%" has a percent sign'):
        load_portfolio(PortfolioSource("xlsx", out, table="Firms"))
