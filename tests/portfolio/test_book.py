"""A book of offers that somebody else made: read by identifier, every fault at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allocator.errors import InputError
from allocator.portfolio import off_curve, read_book
from allocator.records.run import Decisions
from allocator.records.scenario import PortfolioSource
from tests.builders import churn_table, portfolio

FIRMS = portfolio(["A", "B", "C", "A"])


def read(folder: Path, text: str) -> Decisions:
    path = folder / "book.csv"
    path.write_text(text)
    return read_book(PortfolioSource("csv", path), FIRMS)


def faults(folder: Path, text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        read(folder, text)
    return [str(fault).replace(f"{folder}/", "") for fault in caught.value.faults]


def test_who_is_not_named_is_refused_and_the_order_of_rows_is_free(tmp_path: Path) -> None:
    book = read(tmp_path, "amount,note,borrower_id,rate\n200000,x,b003,0.08\n,y,b001,\n0,z,b002,0.05\n")
    assert book.amount.tolist() == [0.0, 0.0, 0.0, 200_000.0]
    assert book.rate.tolist() == [0.0, 0.0, 0.0, 0.08]


@pytest.mark.parametrize("kind", ["parquet", "xlsx"])
def test_other_formats_say_the_same(tmp_path: Path, kind: str) -> None:
    frame = pd.DataFrame(
        {"borrower_id": ["b001", "b003"], "amount": [150_000, 200_000], "rate": [0.05, 0.08]}
    )
    path = tmp_path / f"book.{kind}"
    if kind == "parquet":
        frame.to_parquet(path)
    else:
        frame.to_excel(path, index=False, engine="xlsxwriter")
    book = read_book(PortfolioSource(kind, path), FIRMS)  # type: ignore[arg-type]
    assert book.amount.tolist() == [0.0, 150_000.0, 0.0, 200_000.0]
    assert book.rate.tolist() == [0.0, 0.05, 0.0, 0.08]


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    rows = ["b000,100000,0.05", "b000,100000,0.05", "nobody,100000,0.05", ",100000,0.05", "b001,-5,0.05",
            "b003,200000,", "b002,100000,5"]  # fmt: skip
    assert faults(tmp_path, "borrower_id,amount,rate\n" + "\n".join(rows) + "\n") == [
        'book.csv, row 2, borrower_id: "b000" is the identifier of row 1 too; keep one row per borrower',
        'book.csv, row 3, borrower_id: "nobody" is no borrower of the portfolio; '
        "remove the row, or add the borrower",
        "book.csv, row 4, borrower_id: an empty cell; name the borrower, or remove the row",
        "book.csv, row 5, amount: -5 is negative; write 0 for no offer",
        "book.csv, row 6, rate: an empty cell beside an amount; write the rate",
        "book.csv, row 7, rate: 5 lies outside 0 to 1; write a fraction, 5% as 0.05",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("borrower_id,amount\nb000,1\n", "book.csv, rate: the column is missing; "),
        ("borrower_id,amount,rate\nb000,much,0.05\n", 'book.csv, row 1, amount: "much" is not a number; '),
        ("borrower_id,amount,rate,rate\nb000,1e5,0.5,1\n", "book.csv, rate: 2 columns have this name; "),
        ("borrower_id,amount,rate\nb000,inf,0.05\n", "book.csv, row 1, amount: inf is not a finite number; "),
    ],
)
def test_one_fault(tmp_path: Path, text: str, told: str) -> None:
    (only,) = faults(tmp_path, text)
    assert only.startswith(told)


def test_columns_may_have_other_names(tmp_path: Path) -> None:
    path = tmp_path / "book.csv"
    path.write_text("id,lent,borrower_id,price\nb003,200000,x,0.08\n")
    names = {"borrower_id": "id", "amount": "lent", "rate": "price"}
    book = read_book(PortfolioSource("csv", path, columns=names), FIRMS)
    assert book.amount.tolist() == [0.0, 0.0, 0.0, 200_000.0]
    with pytest.raises(InputError, match="no column lend; there are id, lent, borrower_id, price"):
        read_book(PortfolioSource("csv", path, columns={**names, "amount": "lend"}), FIRMS)


def test_what_is_taken_for_granted_of_a_book_is_said() -> None:
    table = churn_table([0.04, 0.12], A=[0.0, 0.5], B=[0.0, 0.5], C=[0.0, 0.0])
    made = Decisions(np.array([1e5, 0.0, 1e5, 1e5]), np.array([0.05, 0.0, 0.2, 0.12]))
    assert list(off_curve(made, "b.csv", FIRMS, table, {"A", "B"})) == [
        "b.csv: 1 offers to grade C, which has no churn curve: everybody is taken to accept",
        "b.csv: 1 offers at rates outside the churn curve, 0.04 to 0.12: churn is taken as at its ends",
    ]
    kept = Decisions(np.array([1e5, 0.0, 0.0, 0.0]), np.array([0.05, 0.0, 0.0, 0.0]))
    assert list(off_curve(kept, "b.csv", FIRMS, table, {"A", "B"})) == []
