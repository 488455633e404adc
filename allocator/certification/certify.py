"""The certificate: bound, value and every limit, recomputed from the inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np

from allocator.certification.bound import idle_worth
from allocator.certification.cases import coarsest_lots, table_of
from allocator.certification.decisions import judge_decisions
from allocator.certification.economics import Ledger
from allocator.certification.limits import Block, blocks_of
from allocator.certification.parts import ledger_in_parts, recompute
from allocator.certification.terms import Tariffs, allowed_terms, tariffs_of
from allocator.certification.tree import lots_of, tree_faults
from allocator.certification.uses import limit_uses
from allocator.errors import CertificateError, Fault
from allocator.records.portfolio import ChurnTable, Portfolio
from allocator.records.run import Certificate, Decisions
from allocator.records.scenario import Policy, Scenario, Sense

TOLERANCE = 1e-9
"""How far a value may lie above its bound, relative to the bound."""


@dataclass(frozen=True)
class Finding:
    """What the recomputation says of a set of decisions."""

    certificate: Certificate
    broken: tuple[Fault, ...]
    """Decisions that the terms do not allow, and limits that do not hold."""
    terms_broken: Mapping[str, int]
    """Term -> how many decisions break it."""
    faults: tuple[Fault, ...]
    """What no decisions may be: not finite, or proved by an unsound tree."""
    written: Callable[[], Ledger] = field(repr=False, compare=False)

    @cached_property
    def ledger(self) -> Ledger:
        """One line a borrower, written when it is first asked for: nothing is judged by it."""
        return self.written()


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
    known = tariffs_of(table, scenario.response, policy)
    blocks = blocks_of(policy, portfolio)
    senses = {name: block.sense for block in blocks for name in block.names}
    _check_prices(senses, prices)
    held = {name: float(prices[name]) for name in senses}
    found = recompute(portfolio, policy, known, blocks, decisions, held, scenario.solver.threads)
    uses = limit_uses(blocks, found.totals, held)
    unspent = uses[0].bound - uses[0].used if policy.budget.spend == "at_most" else 0.0
    bound = found.constant + found.best + idle_worth(policy, held)
    unsound = [] if tree is None else _tree_faults(portfolio, policy, known, blocks, tree)
    certificate = Certificate(
        prices=held,
        bound=bound if tree is None or unsound else min(bound, float(tree["bound"])),
        value=found.value + policy.idle_rate * unspent,
        limits=uses,
        inputs=dict(inputs),
        tree=tree,
    )
    wrong = None if found.allowed else judge_decisions(portfolio, policy, known, decisions)
    broken = [] if wrong is None else [*wrong.broken]
    broken += [
        Fault(
            f"uses {use.used:,.2f} against {use.sense.replace('_', ' ')} {use.bound:,.2f}",
            "the allocation breaks this limit",
            field=f"limit {use.name}",
        )
        for use in uses
        if use.broken
    ]
    counts = {} if wrong is None else wrong.counts
    faults = unsound if wrong is None else [*unsound, *wrong.impossible]
    written = partial(ledger_in_parts, portfolio, policy, known, decisions, scenario.solver.threads)
    return Finding(certificate, tuple(broken), counts, tuple(faults), written)


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
    known: Tariffs,
    blocks: tuple[Block, ...],
    tree: Mapping[str, Any],
) -> list[Fault]:
    terms = allowed_terms(portfolio, known, policy)
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


def unallowed(scenario: Scenario, finding: Finding) -> tuple[Fault, ...]:
    """What is broken, where the scenario's strategy may not break anything."""
    return finding.broken if scenario.strategy.rule == "optimal" else ()
