"""What every family of limits must pass: three readings of a row that share no code agree.

The engine's reading (compiled rows through `Columns.usage`), the certificate's (`blocks_of`,
`limit_uses`) and the plain one (tests/naive.py).
"""

from __future__ import annotations

import numpy as np

from allocator.certification.economics import Bases, ledger_of
from allocator.certification.limits import blocks_of
from allocator.certification.uses import Totals, limit_uses
from allocator.engine.kernel.columns import Columns
from allocator.records.portfolio import Codes, Floats
from tests import naive
from tests.builders import Case
from tests.stages import columns_of

CLOSE = {"rtol": 1e-12, "atol": 1e-6}
"""A millionth of a unit of money, in rows that sum hundreds of thousands."""


def check_limit(case: Case, seed: int) -> None:
    """Every row of `case`, at decisions and prices drawn from `seed`."""
    random = np.random.default_rng(seed)
    offers = [
        pool[random.integers(len(pool))]
        for pool in (naive.alternatives(case, i) for i in range(len(case.portfolio)))
    ]
    rows = naive.rows(case)
    left = np.array([naive.left_side(case, row, offers) for row in rows])
    right = np.array([naive.right_side(case, row, offers) for row in rows])
    columns = columns_of(case)
    _check_engine(columns, rows, *_decided(columns, offers), left, right)
    _check_certificate(case, rows, offers, left, right)
    _check_prices(case, columns, random.normal(size=len(rows)))


def _decided(columns: Columns, offers: list[naive.Offer | None]) -> tuple[Codes, Floats]:
    """The offers as the engine writes them: an index into the menu, and an amount."""
    option = np.full(len(offers), -1, dtype=np.int32)
    for i, offer in enumerate(offers):
        if offer is not None:
            menu = columns.offers.menus[columns.offers.menu[i]]
            option[i] = int(np.argmin(np.abs(menu.rates - offer.rate)))
    return option, np.array([0.0 if offer is None else offer.amount for offer in offers])


def _check_engine(
    columns: Columns, rows: list[naive.Row], option: Codes, amount: Floats, left: Floats, right: Floats
) -> None:
    limits = columns.limits
    assert [row.name for row in limits.rows] == [row.name for row in rows]
    assert list(limits.senses) == [row.sense for row in rows]
    np.testing.assert_allclose(columns.usage(option, amount) - limits.rhs, left - right, **CLOSE)


def _check_certificate(
    case: Case, rows: list[naive.Row], offers: list[naive.Offer | None], left: Floats, right: Floats
) -> None:
    p, policy = case.portfolio, case.policy
    amount, rate, take_up = (
        np.array([0.0 if offer is None else getattr(offer, name) for offer in offers])
        for name in ("amount", "rate", "take_up")
    )
    ledger = ledger_of(p, policy, amount, rate, take_up)
    worths = [naive.worth(case, i, offer) for i, offer in enumerate(offers)]
    np.testing.assert_allclose(ledger.value, worths, rtol=1e-12, atol=1e-9)
    prices = {row.name: 0.0 for row in rows}
    blocks = blocks_of(policy, p)
    uses = limit_uses(blocks, Totals.of(blocks, Bases.of(ledger)), prices)
    assert [(use.name, use.sense) for use in uses] == [(row.name, row.sense) for row in rows]
    np.testing.assert_allclose([use.used for use in uses], left, **CLOSE)
    np.testing.assert_allclose([use.bound for use in uses], right, **CLOSE)
    for use, row in zip(uses, rows, strict=True):
        assert use.broken != naive.holds(case, row, use.used, use.bound)


def _check_prices(case: Case, columns: Columns, prices: Floats) -> None:
    """At any prices both rooms charge each borrower the same for each basis, and sum the same constant."""
    charged = columns.price_by_basis(prices)
    per_basis = {name: np.zeros(len(columns)) for name in ("offered", "drawn", "interest", "loans")}
    sizes = dict.fromkeys(per_basis, 0.0)
    constant, at = 0.0, 0
    for block in blocks_of(case.policy, case.portfolio):
        own, magnitudes = block.price_offers(prices[at : at + len(block.names)], per_basis, sizes)
        constant += own
        assert magnitudes >= abs(own)
        at += len(block.names)
    np.testing.assert_allclose(charged, np.array(list(per_basis.values())), rtol=1e-12, atol=1e-12)
    for name, charge in per_basis.items():
        assert np.all(np.abs(charge) <= sizes[name])
    np.testing.assert_allclose(columns.limits.rhs @ prices, constant, **CLOSE)
