"""The former run laid beside the borrowers: what each was offered then, as columns of the portfolio."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from allocator.errors import Fault, InputError, in_rows
from allocator.portfolio.book import read_former_offers
from allocator.records.filters import meets
from allocator.records.former import (
    DECLINED,
    FORMER,
    FORMER_AMOUNT,
    FORMER_RATE,
    NEW,
    SERVED,
    STANDINGS,
    Changes,
    FormerRun,
)
from allocator.records.portfolio import Booleans, Portfolio, Text
from allocator.records.scenario import Policy
from allocator.tables import source_of


def with_former(portfolio: Portfolio, former: FormerRun) -> tuple[Portfolio, tuple[str, ...]]:
    """`portfolio` with the columns `former`, `former_amount` and `former_rate`; what is to be said of them.

    Raises InputError with every fault of the file.
    """
    source = replace(source_of(former.file), columns=former.columns)
    offers, listed, unknown = read_former_offers(source, portfolio)
    served = offers.amount > 0
    standing = np.select([served, listed], [STANDINGS.index(SERVED), STANDINGS.index(DECLINED)])
    codes = np.where(served | listed, standing, STANDINGS.index(NEW)).astype(np.int32)
    after = replace(
        portfolio,
        texts={**portfolio.texts, FORMER: Text(codes, STANDINGS)},
        numbers={
            **portfolio.numbers,
            FORMER_AMOUNT: offers.amount,
            FORMER_RATE: np.where(served, offers.rate, np.nan),
        },
    )
    counts = [f"{np.count_nonzero(served):,} served", f"{np.count_nonzero(listed & ~served):,} declined"]
    note = f"former run: of {len(portfolio):,} borrowers {counts[0]}, {counts[1]}"
    note += f", {np.count_nonzero(~listed):,} new"
    gone = "1 borrower of it is" if unknown == 1 else f"{unknown:,} borrowers of it are"
    return after, (note + (f"; {gone} not in the portfolio now" if unknown else ""),)


def held_to(portfolio: Portfolio, policy: Policy) -> Portfolio:
    """`portfolio` with the terms that the policy's changes leave to those who were served.

    Who is kept has the former offer pinned, unless another is; once more it changes nothing. Raises
    InputError where somebody to be kept may not be offered anything.
    """
    changes = policy.changes
    if changes == Changes():
        return portfolio
    then, rate = portfolio.number(FORMER_AMOUNT), portfolio.number(FORMER_RATE)
    served, own = then > 0, portfolio
    no_cut, no_rise = (changes.amounts in (way, "same") for way in ("no_cut", "no_rise"))
    if changes.rate_moved is not None:
        near = changes.rate_moved
        own = replace(own, min_rate=np.fmax(own.min_rate, rate - near))
        own = replace(own, max_rate=np.fmin(own.max_rate, rate + near))
    if no_cut:
        own = replace(own, min_amount=np.where(served, np.maximum(own.min_amount, then), own.min_amount))
    if no_rise:
        less = np.where(served, np.minimum(own.max_amount, then), own.max_amount)
        own = replace(own, max_amount=less, request=own.asked)
    if changes.keep is None:
        return own
    kept = served & np.isnan(portfolio.fixed_amount) & meets(changes.keep, portfolio)
    faults = list(_kept_faults(portfolio, kept, policy))
    if faults:
        raise InputError.of(faults, "former run")
    amount, own_rate = (np.where(kept, *pair) for pair in ((then, own.fixed_amount), (rate, own.fixed_rate)))
    return replace(own, fixed_amount=amount, fixed_rate=own_rate)


def _kept_faults(portfolio: Portfolio, kept: Booleans, policy: Policy) -> Iterator[Fault]:
    """Those who would be kept and may not be offered anything."""
    named = np.array([grade in policy.rates for grade in portfolio.grade.values] or [False])
    known = named[portfolio.grade.codes]
    for who, what in ((kept & portfolio.exclude, "excluded"), (kept & ~known, "of a grade without rates")):
        rows = np.sort(portfolio.row[who]).tolist()
        if rows:
            problem = f"a borrower whose former offer is kept, and who is {what}{in_rows(rows)}"
            remedy = "narrow changes.keep, as {where: {grade: A}}"
            yield Fault(problem, remedy, file=portfolio.source, row=rows[0], field="policy.changes.keep")
