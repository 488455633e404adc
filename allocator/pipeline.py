"""The page that everything hangs from: the stages of a run, in order.

    scenario -> portfolio -> offers -> limits -> solution -> decisions -> certificate

Each stage is a function from frozen records to a frozen record; this module alone knows their order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd

from allocator.borrowers import content_hashes, read_borrowers
from allocator.certification import Ledger, certify
from allocator.certification.economics import COLUMNS
from allocator.engine.kernel.columns import Columns
from allocator.engine.optimise import optimise
from allocator.engine.reasons import reasons
from allocator.errors import CertificateError, Fault
from allocator.limits import compile_limits
from allocator.pricing.offers import price_offers
from allocator.records.portfolio import Portfolio
from allocator.records.run import Certificate, Decisions, Run
from allocator.records.scenario import Scenario
from allocator.summary import summarise

Progress = Callable[[str], None]


class Clock:
    """Seconds a stage, in the order of the stages."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = self._first = perf_counter()

    def lap(self, stage: str) -> None:
        """Books the time since the last lap to `stage`."""
        now = perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._last
        self.seconds["total"] = now - self._first
        self._last = now


def allocate(scenario: Scenario, progress: Progress = lambda _: None) -> Run:
    """The best allocation of the scenario's budget over its borrowers, with its certificate.

    Raises InputError for faults of the borrowers or the churn curve, InfeasibleError where no
    allocation meets every limit, NoAllocationError where none was found in time, CertificateError
    where the result does not pass its own recheck.
    """
    clock = Clock()
    policy = scenario.policy
    progress("reading the borrowers")
    portfolio, table = read_borrowers(scenario)
    inputs = content_hashes(scenario)
    clock.lap("load")
    offers = price_offers(portfolio, table, scenario.response, policy)
    limits = compile_limits(policy, portfolio)
    clock.lap("reduce")
    solution = optimise(offers, limits, scenario.solver, progress)
    columns = Columns(offers, limits)
    decisions = Decisions(solution.amount, columns.rate(solution.option))
    clock.lap("solve")
    progress("rechecking the allocation from its inputs")
    names = [row.name for row in limits.rows]
    prices = dict(zip(names, solution.prices.tolist(), strict=True))
    tree = named_tree(solution.tree, portfolio) if solution.tree is not None else None
    finding = certify(scenario, portfolio, table, decisions, prices, inputs, tree)
    _check_value(solution.value, finding.certificate)
    clock.lap("certify")
    why = reasons(columns, solution, scenario.solver.threads)
    allocation = _allocation(portfolio, finding.ledger, why)
    seconds = {**clock.seconds, "price": solution.seconds["price"], "solve": solution.seconds["solve"]}
    summary = summarise(scenario, portfolio, solution, finding.ledger, finding.certificate, seconds)
    return Run(scenario, allocation, finding.certificate, summary, summary["status"], solution.log)


def named_tree(tree: Mapping[str, Any], portfolio: Portfolio) -> dict[str, Any]:
    """The engine's proof tree with the borrowers' own identifiers instead of their positions."""
    nodes = [
        {**node, "borrower": str(portfolio.borrower_id[node["borrower"]])} if "borrower" in node else node
        for node in tree["nodes"]
    ]
    return {**tree, "nodes": nodes}


def _check_value(value: float, certificate: Certificate) -> None:
    """The engine and the recheck compute the value by different code; they must agree."""
    if abs(value - certificate.value) > 1e-9 * max(abs(value), 1.0):
        fault = Fault(
            f"the engine counts {value!r}, the recheck {certificate.value!r}",
            "report the scenario: one of the two is wrong",
            field="objective",
        )
        raise CertificateError("engine and recheck disagree", [fault])


def _allocation(portfolio: Portfolio, ledger: Ledger, why: np.ndarray) -> pd.DataFrame:
    """One row a borrower, in input order."""
    order = np.argsort(portfolio.row, kind="stable")
    grades = pd.Categorical.from_codes(
        portfolio.grade.codes[order], pd.Index(portfolio.grade.values, dtype=str)
    )
    figures = {name: getattr(ledger, name)[order] for name in ("amount", "rate", *COLUMNS)}
    return pd.DataFrame(
        {
            "borrower_id": portfolio.borrower_id[order],
            "grade": grades,
            **figures,
            "reason": pd.Categorical(why[order]),
        }
    )
