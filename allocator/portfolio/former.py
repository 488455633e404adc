"""The former run laid beside the borrowers: what each was offered then, as columns of the portfolio."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from allocator.portfolio.book import read_former_offers
from allocator.records.former import (
    DECLINED,
    FORMER,
    FORMER_AMOUNT,
    FORMER_RATE,
    NEW,
    SERVED,
    STANDINGS,
    FormerRun,
)
from allocator.records.portfolio import Portfolio, Text
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
    said = f"former run: of {len(portfolio):,} borrowers {counts[0]}, {counts[1]}"
    said += f", {np.count_nonzero(~listed):,} new"
    gone = "1 borrower of it is" if unknown == 1 else f"{unknown:,} borrowers of it are"
    return after, (said + (f"; {gone} not in the portfolio now" if unknown else ""),)
