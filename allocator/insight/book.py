"""Why a run came out as it did: the ledger, what each limit costs, how firm its price is, who was refused."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from allocator.errors import InfeasibleError, NoAllocationError
from allocator.insight.explanation import Reader, prices_of
from allocator.insight.ledger import (
    BookLedger,
    LimitLine,
    PricedAccount,
    book_ledger,
    priced_accounts,
    whole_account,
)
from allocator.insight.ranges import TIGHT, Range, range_along, ties_of
from allocator.insight.variants import Best, Worth, answer, best_of, without
from allocator.records.case import Case
from allocator.records.portfolio import Booleans, Text
from allocator.records.progress import Progress
from allocator.records.run import LimitUse
from allocator.records.scenario import BUDGET


@dataclass(frozen=True)
class LimitView:
    """One row of the limits."""

    use: LimitUse
    line: LimitLine
    range: Range | None
    """Moves of the right-hand side over which the price stays tight; None: not known."""


@dataclass(frozen=True)
class BookView:
    """A run explained."""

    ledger: BookLedger
    by: str
    segments: tuple[PricedAccount, ...]
    whole: PricedAccount
    """Of all segments."""
    limits: tuple[LimitView, ...]
    costs: tuple[Worth, ...]
    """One an entry of the policy, the budget first; none unless asked for."""
    refusals: dict[str, int]
    """Reason -> borrowers, the commonest first."""


def explain_book(reader: Reader, by: str, segments: Text, among: Booleans | None = None) -> BookView:
    """The ledger by the column `segments`, which is called `by`, of the borrowers `among` if given."""
    position = reader.position
    ledger = book_ledger(position)
    whole = ledger.account if among is None else whole_account(position, among)
    ranges = price_ranges(reader)
    uses = position.run.certificate.limits
    refused = Counter(str(reason) for reason in reader.reasons if reason)
    return BookView(
        ledger=ledger,
        by=by,
        segments=tuple(priced_accounts(position, segments, among)),
        whole=whole,
        limits=tuple(map(LimitView, uses, ledger.limits, ranges)),
        costs=(),
        refusals=dict(sorted(refused.items(), key=lambda entry: (-entry[1], entry[0]))),
    )


def price_ranges(reader: Reader) -> list[Range | None]:
    """For each row how far its right-hand side may move, all others as they are."""
    prices = prices_of(reader.position)
    delta = TIGHT * max(abs(reader.position.bound), 1.0)
    ties = ties_of(reader.book, prices, delta)
    each = np.eye(len(prices))
    return [range_along(reader.columns, ties, prices, each[j], delta) for j in range(len(prices))]


def costs_of_limits(reader: Reader, case: Case, progress: Progress) -> list[Worth]:
    """What each entry of the policy costs, by solving again without it, from the run's prices.

    An entry without a price costs no more than the gap: the same prices bound the case without it. What the
    best value is with every entry, a run that breaks limits does not show (`best_of`). The budget is left
    out where idle money earns, since its worth then is no matter of lending alone.
    """
    position = reader.position
    policy, best = position.run.scenario.policy, best_of(position.run, case, progress)
    names = [limit.name for limit in policy.limits]
    names = names if policy.idle_rate else [BUDGET, *names]
    blocks = {
        block.names[0].partition("[")[0] if at else BUDGET: block for at, block in enumerate(position.blocks)
    }
    costs = []
    for name in names:
        known, solved = Best(-np.inf, best.bound), False
        if np.any(blocks[name].allowed(position.prices)):
            progress(f"solving without {name}")
            try:
                found = answer(without(case, name), position.prices, progress).certificate
            except (InfeasibleError, NoAllocationError):  # out of time: an allocation exists, the run's own
                known = Best(-np.inf, np.inf)
            else:
                known, solved = Best(found.value, found.bound), True
        costs.append(best.less_than(known, name, "without", loosens=True, solved=solved))
    return costs
