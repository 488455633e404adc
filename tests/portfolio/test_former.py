"""The former run beside the borrowers: who was served, declined, or is new, and what was offered."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from allocator.errors import InputError
from allocator.portfolio import with_former
from allocator.records.former import FormerRun
from tests.builders import portfolio

FIRMS = portfolio(["A", "B", "C", "A"])
OFFERS = "borrower_id,amount,rate,grade\nb003,200000,0.08,A\nb001,0,0,B\nb000,100000,-0.01,A\ngone,5,0.1,A\n"


def test_every_borrower_gains_three_columns(tmp_path: Path) -> None:
    (tmp_path / "allocation.csv").write_text(OFFERS)
    after, said = with_former(FIRMS, FormerRun(tmp_path / "allocation.csv"))
    former = after.texts["former"]
    assert [former.values[code] for code in former.codes] == ["served", "declined", "new", "served"]
    assert after.number("former_amount").tolist() == [100_000.0, 0.0, 0.0, 200_000.0]
    np.testing.assert_array_equal(after.number("former_rate"), [-0.01, np.nan, np.nan, 0.08])
    counts = "former run: of 4 borrowers 2 served, 1 declined, 1 new"
    assert said == (f"{counts}; 1 borrower of it is not in the portfolio now",)


def test_a_table_may_have_names_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "book.csv").write_text("firm,lent,at\nb002,5000,0.07\n")
    columns = {"borrower_id": "firm", "amount": "lent", "rate": "at"}
    after, said = with_former(FIRMS, FormerRun(tmp_path / "book.csv", columns))
    assert after.number("former_amount").tolist() == [0.0, 0.0, 5_000.0, 0.0]
    assert said == ("former run: of 4 borrowers 1 served, 0 declined, 3 new",)


def test_every_fault_of_its_table_is_told(tmp_path: Path) -> None:
    (tmp_path / "book.csv").write_text("borrower_id,amount,rate\nb000,1,2\nb000,-1,0\n,1,\n")
    with pytest.raises(InputError) as caught:
        with_former(FIRMS, FormerRun(tmp_path / "book.csv"))
    assert [str(fault).partition("; ")[0].replace(f"{tmp_path}/", "") for fault in caught.value.faults] == [
        "book.csv, row 1, rate: 2 lies outside -1 to 1",
        'book.csv, row 2, borrower_id: "b000" is the identifier of row 1 too',
        "book.csv, row 2, amount: -1 is negative",
        "book.csv, row 3, borrower_id: an empty cell",
        "book.csv, row 3, rate: an empty cell beside an amount",
    ]
