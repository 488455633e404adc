"""The certificate: bound, value and every limit, recomputed from the inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from allocator.certification.bound import upper_bound
from allocator.certification.cases import coarsest_lots, table_of
from allocator.certification.economics import Bases, Ledger, ledger_of
from allocator.certification.limits import Block, blocks_of, limit_uses
from allocator.certification.terms import Terms, take_up_of, terms_of
from allocator.certification.tree import lots_of, tree_faults
from allocator.errors import CertificateError, Fault
from allocator.records.portfolio import ChurnTable, Floats, Portfolio
from allocator.records.run import Certificate, Decisions
from allocator.records.scenario import Policy, Scenario, Sense

TOLERANCE = 1e-9
"""Largest violation of a row, relative to its scale."""
_MOST = 20
"""Faults named one by one."""


@dataclass(frozen=True)
class Finding:
    """What the recomputation says of a set of decisions."""

    certificate: Certificate
    ledger: Ledger
    faults: tuple[Fault, ...]
    """Empty where every decision is allowed and every limit holds."""


def recheck(
    scenario: Scenario,
    portfolio: Portfolio,
    table: ChurnTable,
    decisions: Decisions,
    prices: Mapping[str, float],
    inputs: Mapping[str, str],
    tree: Mapping[str, Any] | None = None,
) -> Finding:
    """Judges `decisions` (n,), `prices` (one a row name) and a proof tree by the inputs alone.

    The certificate's bound is the tightest of what the prices and a sound tree prove.
    """
    policy = scenario.policy
    terms = terms_of(portfolio, table, scenario.response, policy)
    blocks = blocks_of(policy, portfolio)
    senses = {name: block.sense for block in blocks for name in block.names}
    _check_prices(senses, prices)
    held = {name: float(prices[name]) for name in senses}
    offered = np.where(decisions.amount > 0, decisions.rate, np.nan)
    take_up, allowed = take_up_of(portfolio, terms, offered)
    ledger = ledger_of(portfolio, policy, decisions.amount, decisions.rate, take_up)
    uses = limit_uses(blocks, Bases.of(ledger), held, policy.budget.amount)
    unspent = uses[0].bound - uses[0].used if policy.budget.spend == "at_most" else 0.0
    bound = upper_bound(portfolio, policy, terms, blocks, held)
    unsound = [] if tree is None else _tree_faults(portfolio, policy, terms, blocks, tree)
    certificate = Certificate(
        prices=held,
        bound=bound if tree is None or unsound else min(bound, float(tree["bound"])),
        value=float(np.sum(ledger.value)) + policy.idle_rate * unspent,
        limits=uses,
        inputs=dict(inputs),
        tree=tree,
    )
    faults = unsound + _decision_faults(portfolio, policy.ticket.step, terms, decisions, allowed)
    faults += [
        Fault(
            f"uses {use.used:,.2f} against {use.sense.replace('_', ' ')} {use.bound:,.2f}",
            "the allocation breaks this limit",
            field=f"limit {use.name}",
        )
        for use in uses
        if use.violation > TOLERANCE
    ]
    return Finding(certificate, ledger, tuple(faults))


def certify(
    scenario: Scenario,
    portfolio: Portfolio,
    table: ChurnTable,
    decisions: Decisions,
    prices: Mapping[str, float],
    inputs: Mapping[str, str],
    tree: Mapping[str, Any] | None = None,
) -> Finding:
    """`recheck` for decisions that must hold: raises CertificateError where one does not."""
    finding = recheck(scenario, portfolio, table, decisions, prices, inputs, tree)
    faults = list(finding.faults)
    certificate = finding.certificate
    if certificate.gap < -TOLERANCE:
        faults.append(
            Fault(
                f"value {certificate.value!r} lies above bound {certificate.bound!r}",
                "one of them is wrong",
                field="bound",
            )
        )
    if faults:
        raise CertificateError("the allocation does not pass its own recheck", faults)
    return finding


def _tree_faults(
    portfolio: Portfolio,
    policy: Policy,
    terms: Terms,
    blocks: tuple[Block, ...],
    tree: Mapping[str, Any],
) -> list[Fault]:
    cases = table_of(portfolio, policy, terms, blocks, lots_of(tree))
    coarsest = coarsest_lots(portfolio, policy, terms, blocks)
    ids = portfolio.borrower_id[cases.member].tolist()
    position = {borrower: row for row, borrower in enumerate(ids)}
    return tree_faults(tree, cases, coarsest, position, policy.ticket.step)


def _check_prices(senses: Mapping[str, Sense], prices: Mapping[str, float]) -> None:
    """One finite price a limit: at least 0 where it is at_most, at most 0 where it is at_least."""
    missing = [name for name in senses if name not in prices]
    faults = [Fault("has no price", "price every limit", field=f"limit {name}") for name in missing]
    for name, price in prices.items():
        sense = senses.get(name)
        if sense is None:
            faults.append(Fault("is no limit of the policy", "drop its price", field=name))
        elif not np.isfinite(price):
            faults.append(
                Fault(f"has the price {price}", "a price is a finite number", field=f"limit {name}")
            )
        elif (sense == "at_most" and price < 0) or (sense == "at_least" and price > 0):
            problem = f"has the price {price:g}, which a limit {sense.replace('_', ' ')} cannot have"
            faults.append(Fault(problem, "solve again", field=f"limit {name}"))
    if faults:
        raise CertificateError("the prices do not fit the policy", faults)


def _decision_faults(
    portfolio: Portfolio, step: float | None, terms: Terms, decisions: Decisions, allowed: np.ndarray
) -> list[Fault]:
    """Amounts and rates that the terms do not allow, the first of each kind and a count."""
    amount = decisions.amount
    offered = amount != 0
    lot = 0.01 if step is None else step
    count = amount / lot
    off = np.abs(count - np.round(count)) > 1e-9 * np.maximum(np.abs(count), 1.0)
    outside = (amount < terms.low) | (amount > terms.high)
    kinds: list[tuple[np.ndarray, str, Floats]] = [
        (~np.isfinite(amount), "amount", amount),
        (offered & ~terms.lendable, "amount to a borrower who may not be offered anything", amount),
        (
            offered & terms.lendable & outside,
            "amount outside the borrower's smallest and largest loan",
            amount,
        ),
        (offered & off & ~terms.pinned, f"amount that is no multiple of {lot:g}", amount),
        (offered & terms.lendable & ~allowed, "rate that may not be offered", decisions.rate),
        (terms.pinned & terms.lendable & ~offered, "pinned offer not made", amount),
    ]
    faults: list[Fault] = []
    for broken, what, values in kinds:
        rows = np.flatnonzero(broken)
        faults += [
            Fault(
                f"{what}: {values[i]:,.12g}",
                f"allowed are {terms.low[i]:,.2f} to {terms.high[i]:,.2f} at the rates of the grade's band",
                row=int(portfolio.row[i]),
                field=str(portfolio.borrower_id[i]),
            )
            for i in rows[:_MOST]
        ]
        if len(rows) > _MOST:
            faults.append(Fault(f"{what}: {len(rows) - _MOST} more", "mend these too"))
    return faults
