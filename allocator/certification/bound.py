"""U(lambda): an upper bound on the value of any allocation, from prices alone (formulation.md, section 4).

For any prices of the right signs
    U = b'lambda + sum_i max(0, max_k max(V_ik(l_i), V_ik(u_i))) + B max(0, idle - lambda_budget)
because an allocation that meets the limits loses nothing when they are priced instead of enforced,
and no borrower can do better than his best reduced value. One pass, no solver.
"""

from __future__ import annotations

import numpy as np

from allocator.certification.limits import Block
from allocator.certification.terms import SAME_RATE, Terms
from allocator.records.portfolio import Floats, Integers, Portfolio
from allocator.records.scenario import Policy

_CHUNK = 8_192
"""Borrowers at a time, in a fixed order: the same bits whatever the machine."""


def upper_bound(
    portfolio: Portfolio, policy: Policy, terms: Terms, blocks: tuple[Block, ...], prices: dict[str, float]
) -> float:
    """U at `prices`, one a row name. Prices of a forbidden sign count as 0."""
    n = len(portfolio)
    per_basis = {basis: np.zeros(n) for basis in ("offered", "drawn", "interest", "loans")}
    constant = 0.0
    for block in blocks:
        own = np.array([prices[name] for name in block.names])
        own = np.maximum(own, 0.0) if block.sense == "at_most" else own
        own = np.minimum(own, 0.0) if block.sense == "at_least" else own
        constant += block.price_offers(own, per_basis)
    best = _best_reduced_values(portfolio, policy, terms, per_basis)
    unspent = policy.budget.amount if policy.budget.spend == "at_most" else 0.0
    idle = unspent * max(0.0, policy.idle_rate - max(prices["budget"], 0.0))
    return constant + float(np.sum(best)) + idle


def _best_reduced_values(
    portfolio: Portfolio, policy: Policy, terms: Terms, per_basis: dict[str, Floats]
) -> Floats:
    """(n,) each borrower's best reduced value: at least 0 unless the offer is pinned."""
    best = np.zeros(len(portfolio))
    for grade, tariff in terms.tariffs.items():
        member = (portfolio.grade.codes == portfolio.grade.code_of(grade)) & terms.lendable
        free = np.flatnonzero(member & ~terms.pinned)
        for start in range(0, len(free), _CHUNK):
            i = free[start : start + _CHUNK]
            least = np.nan_to_num(portfolio.min_rate[i], nan=0.0)
            top = np.zeros(len(i))
            for rate, take_up in zip(tariff.rates, tariff.take_up, strict=True):
                value = _better_end(portfolio, policy, terms, per_basis, i, rate, take_up)
                np.maximum(top, np.where(rate + SAME_RATE >= least, value, 0.0), out=top)
            best[i] = top
        i = np.flatnonzero(member & terms.pinned)
        if len(i):
            take_up = 1.0 - np.interp(portfolio.fixed_rate[i], terms.table_rates, terms.curve[grade])
            best[i] = _better_end(portfolio, policy, terms, per_basis, i, portfolio.fixed_rate[i], take_up)
    return best


def _better_end(
    portfolio: Portfolio,
    policy: Policy,
    terms: Terms,
    per_basis: dict[str, Floats],
    i: Integers,
    rate: float | Floats,
    take_up: float | Floats,
) -> Floats:
    """max(V(l), V(u)) for borrowers `i` at one rate, the limits priced."""
    pd, term = portfolio.pd[i], portfolio.term[i]
    drawn = (
        rate * term * (1.0 - pd)
        - pd * portfolio.lgd[i]
        - policy.funding_rate * term
        - per_basis["drawn"][i]
        - rate * term * per_basis["interest"][i]
    )
    walks = 1.0 - take_up
    per_unit = take_up * drawn - walks * policy.churn_cost_rate - per_basis["offered"][i]
    per_loan = (
        (policy.decline_churn - walks) * portfolio.relationship_value[i]
        - take_up * policy.processing_cost
        - per_basis["loans"][i]
    )
    return np.maximum(per_unit * terms.low[i], per_unit * terms.high[i]) + per_loan
