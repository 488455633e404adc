"""A workbook as it is written: text stays text, formulas carry their values, names lead to cells."""

from __future__ import annotations

import math
import re
import zipfile
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from allocator.errors import InputError
from allocator.records.workbook import Cell, Choice, Column, Sheet, Table, Workbook, cell_name, column_letters
from allocator.store.file import write_files
from allocator.store.workbook import LONGEST_TEXT, workbook_content

ODD = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "007", "1e5", "TRUE", "<r>x</r>", "<r><t>x</t></r>", "a\x01b",
       "_x0041_", "  x  ", "a\nb", "' quoted", '"', "&amp;", "\u202eabc", "a" * 300, "{=1}"]  # fmt: skip


def written(path: Path, *sheets: Sheet) -> Path:
    write_files({path: workbook_content(Workbook(sheets))})
    return path


def cells(path: Path, sheet: str) -> list[list[object]]:
    return CalamineWorkbook.from_path(path).get_sheet_by_name(sheet).to_python()


def xml(path: Path, part: str) -> str:
    with zipfile.ZipFile(path) as book:
        return book.read(part).decode()


def test_texts_stay_what_they_are(tmp_path: Path) -> None:
    path = written(tmp_path / "a.xlsx", Sheet("S", (Table((Column("x", "=head", "text", ODD),)),)))
    assert [row[0] for row in cells(path, "S")] == ["=head", *ODD]
    formulas = re.findall(r"<f>(.*?)</f>", xml(path, "xl/worksheets/sheet1.xml"))
    assert len(formulas) == 2
    assert all(formula.startswith('"&lt;r&gt;') for formula in formulas)
    assert "quotePrefix" in xml(path, "xl/styles.xml")


def test_long_texts_are_cut_and_what_is_no_number_leaves_the_cell_empty(tmp_path: Path) -> None:
    long = "=" + "x" * LONGEST_TEXT
    values = [long, "<r>" + "y" * 300 + "</r>", math.nan, math.inf, None, "", True, 2.5]
    path = written(tmp_path / "a.xlsx", Sheet("S", tuple((Cell("k"), Cell(value)) for value in values)))
    told = [row[1] for row in cells(path, "S")]
    assert told[0] == long[: LONGEST_TEXT - 1] + "…"
    assert told[1] == " <r>" + "y" * 300 + "</r>"
    assert told[2:] == ["", "", "", "", True, 2.5]


def test_formulas_have_their_values_and_names_lead_to_cells(tmp_path: Path) -> None:
    table = Table(
        (Column("a", "A", "money", [1.0, 2.0]), Column("b", "B", "money", [2.0, 4.0], "=2*[a]"),
         Column("c", "C", "text", ["x", "y"], ['=IF([b]>1,"x","")', None])), "one",
    )  # fmt: skip
    first = Sheet("Of it", ((Cell("sum"), Cell(6.0, "money", "=SUM(one_b)", "total")),))
    path = written(tmp_path / "a.xlsx", first, Sheet("It's", (table,)))
    assert cells(path, "It's") == [["A", "B", "C"], [1.0, 2.0, "x"], [2.0, 4.0, "y"]]
    assert cells(path, "Of it") == [["sum", 6.0]]
    sheet, book = xml(path, "xl/worksheets/sheet2.xml"), xml(path, "xl/workbook.xml")
    assert re.findall(r"<f>(.*?)</f>", sheet) == ["2*$A2", 'IF($B2&gt;1,"x","")', "2*$A3"]
    assert "'It''s'!$B$2:$B$3" in book
    assert "'Of it'!$B$1<" in book
    assert "ySplit" in sheet


def test_choices_are_checked_where_they_are_typed(tmp_path: Path) -> None:
    columns = (
        Column("a", "a", "text", ["x"], choice=Choice(("x", "y"), says="x or y")),
        Column("b", "b", "share", [0.5], choice=Choice(low=0.0, high=1.0)),
        Column("c", "c", "text", [""], choice=[Choice(source="=Other!$A$1:$A$5", strict=False)]),
    )
    path = written(tmp_path / "a.xlsx", Sheet("S", (Table(columns, spare=10),)), Sheet("Other", ()))
    sheet = xml(path, "xl/worksheets/sheet1.xml")
    assert 'sqref="A2:A12"' in sheet
    assert 'sqref="B2:B12"' in sheet
    assert 'sqref="C2"' in sheet
    assert "Other!$A$1:$A$5" in sheet


def test_more_rows_than_a_sheet_holds_are_refused_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("allocator.store.workbook.SHEET_ROWS", 3)
    table = Table((Column("a", "A", "count", [1, 2, 3]),))
    with pytest.raises(InputError, match="split the table into 2 of at most 2 rows"):
        written(tmp_path / "a.xlsx", Sheet("S", (table,)))
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("name", "told"),
    [("S", "S!AB7"), ("My sheet", "'My sheet'!AB7"), ("It's", "'It''s'!AB7"), ("资", "'资'!AB7")],
)
def test_cells_are_named_as_formulas_name_them(name: str, told: str) -> None:
    assert cell_name(name, 7, 28) == told
    assert [column_letters(number) for number in (1, 26, 27, 703)] == ["A", "Z", "AA", "AAA"]
