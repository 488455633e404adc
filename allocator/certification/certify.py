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
from allocator.records.portfolio import Booleans, ChurnTable, Floats, Portfolio
from allocator.records.run import Certificate, Decisions
from allocator.records.scenario import Policy, Scenario, Sense

TOLERANCE = 1e-9
"""How far a value may lie above its bound, relative to the bound."""
_MOST = 20
"""Faults named one by one."""


@dataclass(frozen=True)
class Finding:
    """What the recomputation says of a set of decisions."""

    certificate: Certificate
    ledger: Ledger
    broken: tuple[Fault, ...]
    """Decisions that the terms do not allow, and limits that do not hold."""
    terms_broken: Mapping[str, int]
    """Term -> how many decisions break it."""
    faults: tuple[Fault, ...]
    """What no decisions may be: not finite, or proved by an unsound tree."""


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
    kinds = _broken_terms(policy.ticket.step, terms, decisions, allowed)
    broken = [fault for kind in kinds for fault in _faults_of(kind, portfolio, terms)]
    broken += [
        Fault(
            f"uses {use.used:,.2f} against {use.sense.replace('_', ' ')} {use.bound:,.2f}",
            "the allocation breaks this limit",
            field=f"limit {use.name}",
        )
        for use in uses
        if use.broken
    ]
    counts = {kind.what: int(np.count_nonzero(kind.broken)) for kind in kinds}
    counts = {what: count for what, count in counts.items() if count}
    faults = unsound + _faults_of(_no_amounts(decisions), portfolio, terms)
    return Finding(certificate, ledger, tuple(broken), counts, tuple(faults))


def certify(
    scenario: Scenario,
    portfolio: Portfolio,
    table: ChurnTable,
    decisions: Decisions,
    prices: Mapping[str, float],
    inputs: Mapping[str, str],
    tree: Mapping[str, Any] | None = None,
) -> Finding:
    """`recheck` for decisions that must hold: raises CertificateError where one does not.

    Those of a strategy other than the optimal may break limits and terms: then the finding says so.
    """
    finding = recheck(scenario, portfolio, table, decisions, prices, inputs, tree)
    faults = [*finding.faults, *unallowed(scenario, finding)]
    certificate = finding.certificate
    if certificate.gap < -TOLERANCE and not finding.broken:
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


@dataclass(frozen=True)
class _Kind:
    """One way in which a decision may be wrong."""

    broken: Booleans
    """(n,)"""
    what: str
    values: Floats
    """(n,) what to show of each."""


def unallowed(scenario: Scenario, finding: Finding) -> tuple[Fault, ...]:
    """What is broken, where the scenario's strategy may not break anything."""
    return finding.broken if scenario.strategy.rule == "optimal" else ()


def _no_amounts(decisions: Decisions) -> _Kind:
    amount = decisions.amount
    return _Kind(~np.isfinite(amount) | (amount < 0), "amount", amount)


def _broken_terms(step: float | None, terms: Terms, decisions: Decisions, allowed: Booleans) -> list[_Kind]:
    """Amounts and rates that the terms do not allow."""
    amount = decisions.amount
    offered = amount > 0
    lot = 0.01 if step is None else step
    count = amount / lot
    off = np.abs(count - np.round(count)) > 1e-9 * np.maximum(np.abs(count), 1.0)
    outside = (amount < terms.low) | (amount > terms.high)
    lendable = offered & terms.lendable
    return [
        _Kind(offered & ~terms.lendable, "amount to a borrower who may not be offered anything", amount),
        _Kind(lendable & outside, "amount outside the borrower's smallest and largest loan", amount),
        _Kind(offered & off & ~terms.pinned, f"amount that is no multiple of {lot:g}", amount),
        _Kind(lendable & ~allowed, "rate that may not be offered", decisions.rate),
        _Kind(terms.pinned & terms.lendable & ~offered, "pinned offer not made", amount),
    ]


def _faults_of(kind: _Kind, portfolio: Portfolio, terms: Terms) -> list[Fault]:
    """The first decisions of a kind, one fault each, and a count of the others."""
    rows = np.flatnonzero(kind.broken)
    faults = [
        Fault(
            f"{kind.what}: {kind.values[i]:,.12g}",
            f"allowed are {terms.low[i]:,.2f} to {terms.high[i]:,.2f} at the rates of the grade's band",
            row=int(portfolio.row[i]),
            field=str(portfolio.borrower_id[i]),
        )
        for i in rows[:_MOST]
    ]
    if len(rows) > _MOST:
        faults.append(Fault(f"{kind.what}: {len(rows) - _MOST} more", "mend these too"))
    return faults
