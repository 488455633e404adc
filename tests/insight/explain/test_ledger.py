"""The ledger adds up to value and bound, for a borrower, a segment and the book."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given

from allocator.errors import InfeasibleError
from allocator.insight.explain.ledger import BookLedger, book_ledger, priced_accounts
from allocator.insight.explain.position import position_of
from allocator.records.ledger import Account, lines_among
from allocator.records.outcome import Outcome
from allocator.records.portfolio import Text
from allocator.records.strategy import SolverSettings
from benchmarks.registry import CASES
from tests.builders import Case
from tests.stages import solve
from tests.strategies import cases_in_cents, random_cases


def rechecked(case: Case) -> Outcome:
    return solve(case).outcome


def adds_up(ledger: BookLedger) -> None:
    scale = 1e-9 * max(abs(ledger.bound), ledger.account.account.offered, 1.0)
    priced, account = ledger.account, ledger.account.account
    assert ledger.value_of_lines == pytest.approx(ledger.value, abs=scale, rel=1e-9)
    assert ledger.gap_of_lines == pytest.approx(ledger.bound - ledger.value, abs=scale)
    assert priced.lost >= -scale
    assert min(line.unused for line in ledger.limits) >= -scale
    assert ledger.tree >= -scale
    assert costs(account) == pytest.approx(account.value, abs=scale)
    assert account.value - sum(priced.charges.values()) == pytest.approx(priced.chosen, abs=scale)


def costs(account: Account) -> float:
    return sum(line.sign * account.lines[line.name] for line in lines_among(account.lines))


@random_cases(12, full=25)
@given(cases_in_cents())
def test_the_ledger_of_any_book_adds_up(case: Case) -> None:
    try:
        run = rechecked(case)
    except InfeasibleError:
        assume(False)
        raise
    position = position_of(run)
    ledger = book_ledger(position)
    adds_up(ledger)
    scale = 1e-9 * max(abs(ledger.bound), ledger.account.account.offered, 1.0)
    assert np.all(position.best - position.chosen >= -scale)
    parts = priced_accounts(position, case.portfolio.text("sector"))
    for name, whole in ledger.account.figures.items():
        if isinstance(whole, int | float):
            assert sum(part.figures[name] for part in parts) == pytest.approx(whole, abs=scale)
    for limit, charge in ledger.account.charges.items():
        assert sum(part.charges[limit] for part in parts) == pytest.approx(charge, abs=scale)


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("central", 302),
        *(
            pytest.param(name, size, marks=pytest.mark.full)
            for name in ("costs", "floors")
            for size in (302, 1_000_000)
        ),
        pytest.param("central", 1_000_000, marks=pytest.mark.full),
    ],
)
def test_the_ledger_of_a_book_of_any_size_adds_up(name: str, size: int) -> None:
    book = CASES[name].book(size)
    case = Case(book.portfolio, book.table, book.policy, "isotonic", SolverSettings(gap=5e-3))
    adds_up(book_ledger(position_of(rechecked(case))))


def test_a_segment_can_be_any_column_among_some() -> None:
    book = CASES["central"].book(302)
    case = Case(book.portfolio, book.table, book.policy, "isotonic", SolverSettings())
    run = rechecked(case)
    position = position_of(run)
    few = case.portfolio.pd < 0.02
    codes = np.where(np.arange(302) < 10, -1, case.portfolio.texts["sector"].codes).astype(np.int32)
    parts = priced_accounts(position, Text(codes, case.portfolio.texts["sector"].values), few)
    assert parts[-1].account.name == "(none)"
    assert sum(part.account.borrowers for part in parts) == int(few.sum())
    assert sum(part.account.value for part in parts) == pytest.approx(run.ledger.value[few].sum())
