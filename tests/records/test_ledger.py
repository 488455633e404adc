"""The lines of the ledger are those that are declared, and its sums are those of its columns, to the bit."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from allocator.records.ledger import COMPUTED, LINES, ON_CAPITAL, Ledger, account_of, accounts_by
from allocator.records.portfolio import Booleans, Text

N = 5_000
DRAW = np.random.default_rng(0)
LEDGER = Ledger(*(DRAW.uniform(-1e6, 1e6, N) * (DRAW.random(N) < 0.7) for _ in fields(Ledger)))
LEDGER = replace(LEDGER, capital_years=np.abs(LEDGER.drawn))
MORE = {"pd": DRAW.random(N)}
COLUMN = Text(DRAW.integers(-1, 4, N).astype(np.int32), ("A", "B", "C", "D", "nobody"))


def by_hand(member: Booleans | slice) -> dict[str, Any]:
    amount, rate = LEDGER.amount[member], LEDGER.rate[member]
    sums = {line.name: float(np.sum(getattr(LEDGER, line.name)[member])) for line in LINES}
    return {
        "borrowers": len(amount),
        "funded": int(np.count_nonzero(amount)),
        "offered": float(np.sum(amount)),
        "drawn": float(np.sum(LEDGER.drawn[member])),
        "mean_rate": float(np.sum(amount * rate)) / float(np.sum(amount)),
        **sums,
        "value": float(np.sum(LEDGER.value[member])),
        "capital_years": (tied_up := float(np.sum(LEDGER.capital_years[member]))),
        "raroc": (float(np.sum(LEDGER.value[member])) + sums["capital_cost"]) / tied_up,
    }


def test_nothing_is_said_of_capital_that_costs_nothing() -> None:
    columns = {f.name: getattr(LEDGER, f.name) for f in fields(Ledger) if f.name not in ON_CAPITAL}
    plain = Ledger(**columns)
    assert plain.computed == COMPUTED
    assert account_of(plain).figures == {
        name: figure for name, figure in by_hand(slice(None)).items() if name not in ON_CAPITAL
    }
    assert plain.take(slice(3)).capital_cost is None
    assert not np.any(plain.raroc)


def test_every_line_is_a_column_of_the_ledger() -> None:
    assert {line.name for line in LINES} < {column.name for column in fields(Ledger)}
    assert [line.name for line in LINES if line.sign > 0] == ["interest"]
    assert ("take_up", *(line.name for line in LINES[:-1]), "value") == COMPUTED
    assert (*COMPUTED, *ON_CAPITAL) == LEDGER.computed
    assert len({line.heading for line in LINES}) == len(LINES)


def test_the_whole_is_the_sum_of_its_columns() -> None:
    found = account_of(LEDGER, MORE)
    assert found.figures == by_hand(slice(None))
    assert found.further == {"pd": float(np.sum(MORE["pd"]))}


@pytest.mark.parametrize("among", [None, DRAW.random(N) < 0.1], ids=["all", "some"])
def test_each_value_of_a_column_has_its_own_account(among: Booleans | None) -> None:
    some = np.ones(N, dtype=bool) if among is None else among
    found = accounts_by(LEDGER, COLUMN, MORE, among=among, unnamed="(none)")
    assert [account.name for account in found] == ["A", "B", "C", "D", "(none)"]
    for account, code in zip(found, (0, 1, 2, 3, -1), strict=True):
        member = some & (COLUMN.codes == code)
        assert account.figures == by_hand(member)
        assert account.further == {"pd": float(np.sum(MORE["pd"][member]))}


def test_nobody_has_no_account() -> None:
    assert accounts_by(LEDGER, COLUMN, among=np.zeros(N, dtype=bool)) == []
    assert account_of(Ledger(*(np.zeros(3) for _ in fields(Ledger)))).mean_rate == 0.0
