"""Why a run came out as it did: the ledger, what each limit costs, who was declined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from allocator.errors import Fault, InfeasibleError, InputError, NoAllocationError
from allocator.insight.composition import declined_by_reason
from allocator.insight.explain.ledger import (
    BookLedger,
    PricedAccount,
    book_ledger,
    priced_accounts,
    whole_account,
)
from allocator.insight.explain.position import Position, position_of
from allocator.insight.explain.ranges import TIGHT, PriceRange, range_along, ties_of
from allocator.insight.variants import AddedValue, BestKnown, answer, best_of, in_brief, without_limit
from allocator.records.conditions import Condition
from allocator.records.filters import meets
from allocator.records.limits import conditional, entry_of
from allocator.records.outcome import Outcome
from allocator.records.portfolio import Booleans, Portfolio
from allocator.records.progress import Progress
from allocator.records.scenario import BUDGET

_ANY = PriceRange(-np.inf, np.inf, 0.0)
"""Of a limit that is only reported: nothing depends on its bound."""


@dataclass(frozen=True)
class BookExplanation:
    """A run explained."""

    run: Outcome
    ledger: BookLedger
    by: str
    where: str | None
    """Whom the segments are of, as a filter is written; None: everybody."""
    segments: tuple[PricedAccount, ...]
    whole: PricedAccount
    """The account of all segments together."""
    costs: tuple[AddedValue, ...]
    """One an entry of the policy, the budget first; none unless asked for."""
    refusals: dict[str, int]
    """Reason -> borrowers, the commonest first."""


def explain_book(
    run: Outcome,
    by: str = "grade",
    where: str | None = None,
    conditions: Sequence[Condition] = (),
    *,
    exact: bool = False,
    progress: Progress = lambda _: None,
) -> BookExplanation:
    """The ledger by the column of texts `by`, of those who meet the `conditions`, as written in `where`.

    With `exact` each entry of the policy costs what solving without it gains. Raises InputError where nobody
    meets the conditions.
    """
    return explain_position(position_of(run), by, where, conditions, exact=exact, progress=progress)


def explain_position(
    position: Position,
    by: str = "grade",
    where: str | None = None,
    conditions: Sequence[Condition] = (),
    *,
    exact: bool = False,
    briefly: bool = False,
    progress: Progress = lambda _: None,
) -> BookExplanation:
    """`explain_book` of a run made ready for questions; what it solves `briefly` ends with a first tree."""
    run, portfolio = position.run, position.run.inputs.portfolio
    among = None if where is None else _selected_borrowers(portfolio, where, conditions)
    ledger = book_ledger(position)
    whole = ledger.account if among is None else whole_account(position, among)
    progress("finding how far each price stands")
    ranges = price_ranges(position)
    ranged = (replace(line, range=ranges.get(line.use.name, _ANY)) for line in ledger.limits)
    return BookExplanation(
        run=run,
        ledger=replace(ledger, limits=tuple(ranged)),
        by=by,
        where=where,
        segments=tuple(priced_accounts(position, portfolio.text(by), among)),
        whole=whole,
        costs=tuple(_costs_of_limits(position, briefly, progress)) if exact else (),
        refusals={group.reason: group.borrowers for group in declined_by_reason(position.reasons, portfolio)},
    )


def _selected_borrowers(portfolio: Portfolio, where: str, conditions: Sequence[Condition]) -> Booleans:
    among = meets(conditions, portfolio)
    if not among.any():
        remedy = "see what the column holds: --by COLUMN"
        raise InputError.of([Fault(f"no borrower passes {where}", remedy, field="--where")], "command line")
    return among


def price_ranges(position: Position) -> dict[str, PriceRange | None]:
    """Row -> how far its right-hand side may move, all others as they are; limits only reported have none.

    None of a convex limit's own row, which counts nobody: it moves with all its cuts.
    """
    prices = position.row_prices
    delta = TIGHT * max(abs(position.bound), 1.0)
    ties = ties_of(position.responses, prices, delta)
    each, convex = np.eye(len(prices)), {limit.name for limit in position.run.scenario.policy.convex}
    return {
        row.name: None if row.name in convex else range_along(position.columns, ties, prices, each[j], delta)
        for j, row in enumerate(position.case.limits.rows)
    }


def _costs_of_limits(position: Position, briefly: bool, progress: Progress) -> list[AddedValue]:
    """What each entry of the policy costs, by solving again without it, from the run's prices.

    An entry without a price, in any leaf of a tree too, costs no more than the gap: the same proof holds
    without it, unless the entry hangs on a condition, which the tree splits by, or a price list is posted,
    since prices say nothing of other lists. What the best value is with every entry, a run that breaks
    limits does not show (`best_of`). The budget is left out where idle money earns, since its worth then
    is no matter of lending alone.
    """
    run, case = position.run, in_brief(position.free_case) if briefly else position.free_case
    policy, best = run.scenario.policy, best_of(run, case, progress)
    names = [limit.name for limit in policy.enforced]
    names = names if policy.idle_rate else [BUDGET, *names]
    priced = {
        entry_of(block.names[0]) if number else BUDGET
        for number, block in enumerate(position.blocks)
        if np.any(block.allowed(position.prices))
    }
    leaves = run.certificate.further_prices()
    priced |= {entry_of(name) for prices in leaves for name, price in prices.items() if price}
    priced |= {limit.name for limit in conditional(policy)}
    costs = []
    for number, name in enumerate(names, start=1):
        known, solved = BestKnown(-np.inf, best.bound), False
        if run.certificate.posted is not None or name in priced:
            progress(f"solving without {name}, {number} of {len(names)}")
            try:
                alone = answer(without_limit(case, name), run.prices, progress).certificate
            except (InfeasibleError, NoAllocationError):  # out of time: an allocation exists, the run's own
                known = BestKnown(-np.inf, np.inf)
            else:
                known, solved = BestKnown(alone.value, alone.bound), True
        costs.append(best.less_than(known, name, "without", loosens=True, solved=solved))
    return costs
