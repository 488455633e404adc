"""The former run beside the borrowers: who was served, declined, or is new, and what was offered."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from allocator.errors import InputError
from allocator.portfolio import held_to, with_former
from allocator.records.conditions import Condition
from allocator.records.former import Changes, Direction, FormerRun
from allocator.records.portfolio import Portfolio
from tests.builders import policy, portfolio

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


def held(changes: Changes, **columns: object) -> Portfolio:
    """Three served at 7 % with 200,000 and one who is new, under `changes`."""
    former = {"former_amount": [2e5, 2e5, 2e5, 0.0], "former_rate": [0.07, 0.07, 0.07, np.nan]}
    return held_to(portfolio(["A", "A", "B", "A"], numbers=former, **columns), policy(1e6, changes=changes))  # type: ignore[arg-type]


def test_rates_lie_near_the_former_one_and_inside_those_of_ones_own() -> None:
    least, most = [np.nan, 0.065, 0.01, 0.05], [np.nan, 0.2, 0.075, 0.1]
    own = held(Changes(rate_moved=0.01), min_rate=least, max_rate=most)
    assert own.min_rate.tolist() == pytest.approx([0.06, 0.065, 0.06, 0.05])
    assert own.max_rate.tolist() == pytest.approx([0.08, 0.08, 0.075, 0.1])


@pytest.mark.parametrize(
    ("amounts", "low", "high"),
    [
        ("no_cut", [2e5, 3e5, 2e5, 0.0], [np.inf, 9e5, 1e5, 5e5]),
        ("no_rise", [0.0, 3e5, 0.0, 0.0], [2e5, 2e5, 1e5, 5e5]),
        ("same", [2e5, 3e5, 2e5, 0.0], [2e5, 2e5, 1e5, 5e5]),
    ],
)
def test_amounts_go_where_they_may(amounts: Direction, low: list[float], high: list[float]) -> None:
    own = held(Changes(amounts=amounts), min_amount=[0.0, 3e5, 0.0, 0.0], max_amount=[np.inf, 9e5, 1e5, 5e5])
    assert (own.min_amount.tolist(), own.max_amount.tolist()) == (low, high)


def test_who_is_kept_has_the_former_offer_pinned() -> None:
    keep = Changes(keep=(Condition("grade", ("A",)),))
    own = held(keep, fixed_amount=[np.nan, 5e4, np.nan, np.nan], fixed_rate=[np.nan, 0.1, np.nan, np.nan])
    np.testing.assert_array_equal(own.fixed_amount, [2e5, 5e4, np.nan, np.nan])
    np.testing.assert_array_equal(own.fixed_rate, [0.07, 0.1, np.nan, np.nan])
    again = held_to(own, policy(1e6, changes=keep))
    np.testing.assert_array_equal(again.fixed_amount, own.fixed_amount)


def test_who_is_kept_may_be_lent_to() -> None:
    with pytest.raises(InputError) as caught:
        held(Changes(keep=()), exclude=[False, True, False, False])
    assert [str(fault) for fault in caught.value.faults] == [
        "borrowers.csv, row 2, policy.changes.keep: a borrower whose former offer is kept, and who is "
        "excluded; narrow changes.keep, as {where: {grade: A}}"
    ]
