"""Texts that a spreadsheet would compute are noted; numbers with a sign are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from allocator.portfolio import formulas, load_portfolio
from allocator.records.scenario import PortfolioSource

HEAD = "borrower_id,grade,pd,lgd,sector\n"


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["E1", "E2"], None),
        (["-5", "+7", "E-1"], None),
        (["=1+1", "E2"], 'borrower_id: 1 text begins as formulas do "=1+1"'),
        (
            ["@SUM(A1)", "-2+3", "+cmd|'/C calc'!A0"],
            'borrower_id: 3 texts begin as formulas do, the first "+cmd',
        ),
        (["\tx", "E2"], "borrower_id: 1 text begins"),
    ],
)
def test_identifiers(names: list[str], told: str | None, tmp_path: Path) -> None:
    path = tmp_path / "book.csv"
    path.write_text(HEAD + "".join(f"{name},A,0.01,0.4,food\n" for name in names))
    notes = formulas(load_portfolio(PortfolioSource("csv", path)))
    assert len(notes) == (told is not None)
    assert told is None or notes[0].startswith(told)


def test_grades_and_columns_that_limits_read(tmp_path: Path) -> None:
    path = tmp_path / "book.csv"
    path.write_text(HEAD + "E1,=A,0.01,0.4,@home\n")
    notes = formulas(load_portfolio(PortfolioSource("csv", path), frozenset({"sector"})))
    assert [note.partition(":")[0] for note in notes] == ["grade", "sector"]
    assert "--xlsx" in notes[0]
