"""A budget that is a share of what the borrowers ask for, in money."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np

from allocator.errors import Fault, InputError, in_rows
from allocator.records.lots import CENT
from allocator.records.portfolio import Portfolio
from allocator.records.scenario import Scenario
from allocator.scenario.loading import Changes, load_document


def with_budget_in_money(scenario: Scenario, portfolio: Portfolio) -> Scenario:
    """`scenario` with its budget as money: the share of the sum of all requests, rounded down to the lot.

    One that states money already comes back as it is. `portfolio` stands under the scenario's stress. Raises
    InputError where a borrower has no request.
    """
    budget = scenario.policy.budget
    if budget.of is None:
        return scenario
    unknown = np.flatnonzero(~np.isfinite(portfolio.asked))
    if len(unknown):
        rows = np.sort(portfolio.row[unknown]).tolist()
        fault = Fault(
            f"no request is given, of which the budget is to be a share{in_rows(rows)}",
            "give every borrower a max_amount, or write the budget as money",
            file=portfolio.source,
            row=rows[0],
            field="max_amount",
        )
        raise InputError.of([fault], scenario.name)
    document = scenario.document
    share = Fraction(repr(scenario.written.budget.amount))
    lot = Fraction(repr(float(scenario.policy.ticket.step or CENT)))
    asked = Fraction(repr(math.fsum(portfolio.asked)))
    stated = {key: entry for key, entry in document["policy"]["budget"].items() if key != "of"}
    stated["amount"] = float(share * asked // lot * lot)
    policy = {**document["policy"], "budget": stated}
    stating = load_document(
        {**document, "policy": policy}, "/", scenario.name, Changes(frames=scenario.frames)
    )
    return replace(
        scenario,
        policy=replace(scenario.policy, budget=stating.policy.budget),
        written=stating.written,
        document=stating.document,
    )
