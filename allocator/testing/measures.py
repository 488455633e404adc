"""What every measure must pass: three readings of a row that share no code agree.

The engine's reading (compiled rows through `Columns.usage`), the certificate's (`blocks_of`,
`limit_uses`) and the plain one (`allocator.testing.plain`), which looks at one borrower at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from allocator.certification.economics import BASES, Bases, ledger_of
from allocator.certification.limits import blocks_of
from allocator.certification.uses import Totals, limit_uses
from allocator.engine.kernel.columns import Columns
from allocator.records.columns import NUMBERS
from allocator.records.conditions import Condition
from allocator.records.plugins import Plugin, PluginMeasure
from allocator.records.portfolio import Codes, Floats, Portfolio
from allocator.records.scenario import Group, Reference
from allocator.records.weights import weights_of
from allocator.testing import limit_rows, plain
from allocator.testing.cases import Case, churn_table, limit, policy, portfolio
from allocator.testing.requiring import require
from allocator.testing.stages import columns_of

_MONEY = 1e-6
"""A millionth of a unit of money, in rows that sum hundreds of thousands."""
TABLE = churn_table([0.04, 0.08, 0.12], A=[0.0, 0.3, 0.8], B=[0.1, 0.25, 0.6])
BOOK = portfolio(
    ["A", "B", "A", "D", "B", "B", "A", "A"],
    pd=[0.01, 0.2, 0.03, 0.5, 0.0, 0.07, 0.02, 0.11],
    lgd=[0.5, 0.4, 1.0, 0.9, 0.3, 0.0, 0.45, 0.6],
    term=[1.0, 2.0, 0.5, 1.0, 1.0, 3.0, 1.0, 0.25],
    max_amount=[2e6, 3e5, 4e5, 1e6, 2e5, 9e5, 7e5, 5e5],
    exposure=[0.0, 70_000.0, 0.0, 50_000.0, 0.0, 0.0, 250_000.0, 10_000.0],
    exclude=[False] * 6 + [True, False],
    relationship_value=[0.0, 9_000.0] * 4,
    fixed_amount=[np.nan] * 7 + [123_456.78],
    fixed_rate=[np.nan] * 7 + [0.07],
    texts={"sector": ["retail", "NO", "food", "food", "retail", "retail", "NO", "food"]},
    numbers={
        "score": [1.0, -2.0, 0.0, 3.0, 0.5, 7.0, 1.5, -0.25],
        "former_amount": [0.0, 5e4, 1e6, 2e5, 0.0, 0.0, 0.0, 9e4],
    },
)
"""Eight borrowers who differ in all that a limit may look at."""
WHERE: list[dict[str, Any]] = [
    {},
    {"grade": ["B"]},
    {"sector": ["retail", "NO"], "pd": {"above": 0.0, "at_most": 0.1}},
    {"borrower_id": ["b001", "b003", "b007"]},
    {"sector": ["steel"]},
]
GROUP = Group("drawn", (Condition("sector", ("retail", "steel")),))
_SENSES = ("at_most", "at_least", "exactly", "at_most", "at_least")


def check_measure(measure: PluginMeasure, numbers: Mapping[str, Sequence[float]] | None = None) -> None:
    """Every limit by `measure`, of each sense, share, filter and weight, reads alike in three rooms.

    `numbers` are the columns of the measure's own, with eight values each, where it reads some that are not
    canonical; without them they are drawn from 0 to 1. Raises AssertionError, or InputError where the
    measure's code fails.
    """
    plugin = Plugin("measure", "under_test", "the package under test", "0", measure)
    draw = np.random.default_rng(0)
    canonical = {column.name for column in NUMBERS} | BOOK.numbers.keys()
    own = {name: draw.random(len(BOOK)) for name in measure.columns if name not in canonical}
    own |= {name: np.array(values, dtype=float) for name, values in (numbers or {}).items()}
    book = replace(BOOK, numbers={**BOOK.numbers, **own})
    weights_of(plugin, book)
    references: tuple[Reference | Group | None, ...] = (None, "budget", "total", "drawn", GROUP)
    for of, each, weight in product(references, (None, "sector", "grade"), (None, "score")):
        check_limit(case_of("under_test", of, each, weight, plugin, book), seed=len(str(of)))


def case_of(
    measure: str,
    of: Reference | Group | None,
    each: str | None,
    weight: str | None,
    plugin: Plugin | None = None,
    book: Portfolio = BOOK,
) -> Case:
    """The eight borrowers under limits by `measure`, one of each sense and filter."""
    limits = [
        limit(
            f"{sense} {k}", measure, sense, 0.21, of=of, each=each, weight=weight, where=where, plugin=plugin
        )
        for k, (where, sense) in enumerate(zip(WHERE, _SENSES, strict=True))
    ]
    return Case(
        book,
        TABLE,
        policy(1e6, *limits, rates=dict.fromkeys("AB", (0.04, 0.12)), own_funds=7e5, step=50_000.0),
    )


def check_limit(case: Case, seed: int) -> None:
    """Every row of `case`, at decisions and prices drawn from `seed`."""
    random = np.random.default_rng(seed)
    offers = [
        pool[random.integers(len(pool))]
        for pool in (plain.alternatives(case, i) for i in range(len(case.portfolio)))
    ]
    rows = limit_rows.rows(case)
    left = np.array([limit_rows.left_side(case, row, offers) for row in rows])
    right = np.array([limit_rows.right_side(case, row, offers) for row in rows])
    columns = columns_of(case)
    _check_engine(columns, rows, *_decided(columns, offers), left, right)
    _check_certificate(case, rows, offers, left, right)
    _check_prices(case, columns, random.normal(size=len(rows)))


def _decided(columns: Columns, offers: list[plain.Offer | None]) -> tuple[Codes, Floats]:
    """The offers as the engine writes them: an index into the menu, and an amount."""
    option = np.full(len(offers), -1, dtype=np.int32)
    for i, offer in enumerate(offers):
        if offer is not None:
            menu = columns.offers.menus[columns.offers.menu[i]]
            option[i] = int(np.argmin(np.abs(menu.rates - offer.rate)))
    return option, np.array([0.0 if offer is None else offer.amount for offer in offers])


def _check_engine(
    columns: Columns, rows: list[limit_rows.Row], option: Codes, amount: Floats, left: Floats, right: Floats
) -> None:
    limits = columns.limits
    require([row.name for row in limits.rows] == [row.name for row in rows], "the engine has other rows")
    require(list(limits.senses) == [row.sense for row in rows], "the engine has rows of other senses")
    used = columns.usage(option, amount) - limits.rhs
    _require_close(used, left - right, "what offers use of the engine's rows", size=_MONEY)


def _check_certificate(
    case: Case, rows: list[limit_rows.Row], offers: list[plain.Offer | None], left: Floats, right: Floats
) -> None:
    p, policy = case.portfolio, case.policy
    amount, rate, take_up = (
        np.array([0.0 if offer is None else getattr(offer, name) for offer in offers])
        for name in ("amount", "rate", "take_up")
    )
    ledger = ledger_of(p, policy, amount, rate, take_up)
    worths = [plain.worth(case, i, offer) for i, offer in enumerate(offers)]
    _require_close(ledger.value, worths, "the value of offers", size=1e-9)
    prices = {row.name: 0.0 for row in rows}
    blocks = blocks_of(policy, p)
    uses = limit_uses(blocks, Totals.of(blocks, Bases.of(ledger)), prices)
    same = [(use.name, use.sense) for use in uses] == [(row.name, row.sense) for row in rows]
    require(same, "the certificate has other rows")
    _require_close([use.used for use in uses], left, "what offers use of the certificate's rows", size=_MONEY)
    _require_close([use.bound for use in uses], right, "the right-hand sides of its rows", size=_MONEY)
    for use, row in zip(uses, rows, strict=True):
        kept = limit_rows.holds(case, row, use.used, use.bound)
        require((use.broken or use.missed > 0) != kept, f"the certificate misjudges limit {row.name}: {use}")


def _check_prices(case: Case, columns: Columns, prices: Floats) -> None:
    """At any prices both rooms charge each borrower the same for each basis, and sum the same constant."""
    charged = columns.price_by_basis(prices)
    per_basis = {name: np.zeros(len(columns)) for name in BASES}
    sizes: dict[str, float | Floats] = dict.fromkeys(per_basis, 0.0)
    constant, start = 0.0, 0
    for block in blocks_of(case.policy, case.portfolio):
        mine = prices[start : start + len(block.names)]
        own, magnitudes = block.price_offers(mine, per_basis)
        block.add_sizes(mine, sizes, None)
        constant += own
        require(magnitudes >= abs(own), f"a constant {own} of the magnitudes {magnitudes}")
        start += len(block.names)
    _require_close(charged, list(per_basis.values()), "what prices charge a unit of each basis", size=1e-12)
    for name, charge in per_basis.items():
        require(np.all(np.abs(charge) <= sizes[name]), f"a charge on {name} above its magnitudes")
    _require_close(columns.limits.rhs @ prices, constant, "what limits are worth at prices", size=_MONEY)


def _require_close(ours: Any, plainly: Any, what: str, size: float) -> None:
    """Raise AssertionError unless they differ by a rounding, or by less than `size`."""
    mine, other = np.asarray(ours, dtype=float), np.asarray(plainly, dtype=float)
    near = np.abs(mine - other) <= size + 1e-12 * np.abs(other)
    require(np.all(near), f"{what}: {mine[~near].tolist()}, by the plain rules {other[~near].tolist()}")
