"""Amounts and rates as a file has them: another team's book, or last month's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from allocator.pricing.churn import smooth
from allocator.pricing.offers import price_offers
from allocator.records.case import Case
from allocator.records.portfolio import ChurnTable
from allocator.records.progress import Progress
from allocator.records.reasons import not_in
from allocator.records.solution import Solution
from allocator.strategies.plan import Plan


def from_file(case: Case, optimum: Solution, progress: Progress) -> Plan:
    """The file's offers, worth what they are worth; what they break is for the certificate to say.

    They are priced as pinned offers, whoever they are made to: between the curve's rates by interpolation,
    beyond its ends as at its ends.
    """
    inputs, scenario = case.inputs, case.scenario
    assert inputs.book is not None, "read with the inputs"
    amount, rate = inputs.book.amount, inputs.book.rate
    made = amount > 0
    churn = _level(smooth(inputs.churn, scenario.response.smoothing))
    curve = (float(churn.rates[0]), float(churn.rates[-1]))
    pinned = replace(
        inputs.portfolio,
        exclude=~made,
        fixed_amount=np.where(made, amount, np.nan),
        fixed_rate=np.where(made, rate, np.nan),
    )
    policy = replace(
        scenario.policy, rates=dict.fromkeys(churn.churn, curve), rate_step=None, by_contract=False
    )
    offers = price_offers(pinned, churn, replace(scenario.response, smoothing="none"), policy)
    why = np.where(made, "", not_in(scenario.strategy.name)).astype(object)
    return Plan(offers, np.where(made, 0, -1).astype(np.int32), amount, why)


def _level(table: ChurnTable) -> ChurnTable:
    """`table` continued to rates of -1 and 1 as at its ends: an offer may lie outside any grid."""
    inner = table.rates[(table.rates > -1) & (table.rates < 1)]
    rates = np.concatenate([[-1.0], inner, [1.0]])
    columns = {grade: np.interp(rates, table.rates, churn) for grade, churn in table.churn.items()}
    return replace(table, rates=rates, churn=columns)
