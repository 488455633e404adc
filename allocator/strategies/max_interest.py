"""The most interest, ignoring risk."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from allocator.engine.filling import fill
from allocator.engine.greedy import best_wishes, by_worth
from allocator.records.case import Case
from allocator.records.offers import OfferBook
from allocator.records.progress import Progress
from allocator.records.solution import Solution
from allocator.strategies.plan import Plan, filled, ready


def max_interest(case: Case, optimum: Solution, progress: Progress) -> Plan:
    """Everybody's rate of most gross interest a r T, the most interest per unit of money first.

    Ties stand in the order of borrower_id: who ignores risk cannot tell them apart.
    """
    wish, interest = best_wishes(ready(case, _at_gross_interest(case.offers)))
    book = ready(case)
    return filled(fill(book, wish, by_worth(book, wish, interest), paying=False), case.offers)


def _at_gross_interest(offers: OfferBook) -> OfferBook:
    """The offers as one sees them who looks at gross interest alone."""
    zeros = np.zeros(len(offers))
    return replace(
        offers,
        income=offers.term,
        cost=zeros,
        relationship=zeros,
        churn_cost=0.0,
        decline_churn=0.0,
        processing_cost=0.0,
    )
