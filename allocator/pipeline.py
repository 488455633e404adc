"""The page that everything hangs from: the stages of a run, in order.

    scenario -> portfolio -> offers -> limits -> solution -> decisions -> certificate

Each stage is a function from frozen records to a frozen record; this module alone knows their order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd

from allocator.certification import Ledger, certify, recheck
from allocator.certification.economics import COLUMNS
from allocator.engine.kernel.columns import Columns
from allocator.engine.optimise import optimise
from allocator.engine.reasons import reasons
from allocator.errors import CertificateError, Fault
from allocator.limits import compile_limits
from allocator.portfolio import fingerprint, load_portfolio
from allocator.pricing.churn import read_churn_table
from allocator.pricing.offers import price_offers
from allocator.records.portfolio import Portfolio
from allocator.records.run import Certificate, Decisions, Run, StoredRun
from allocator.records.scenario import Scenario
from allocator.scenario import load_scenario
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

    Raises InputError for faults of the portfolio or the churn curve, InfeasibleError where no
    allocation meets every limit, NoAllocationError where none was found in time, CertificateError
    where the result does not pass its own recheck.
    """
    clock = Clock()
    policy = scenario.policy
    progress("reading the portfolio")
    portfolio = load_portfolio(scenario.portfolio, policy.text_columns(), policy.number_columns())
    table = read_churn_table(scenario.response.churn)
    inputs = _inputs(scenario)
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
    finding = certify(scenario, portfolio, table, decisions, prices, inputs)
    _check_value(solution.value, finding.certificate)
    clock.lap("certify")
    allocation = _allocation(portfolio, finding.ledger, reasons(columns, solution))
    seconds = {**clock.seconds, "price": solution.seconds["price"], "solve": solution.seconds["solve"]}
    summary = summarise(scenario, portfolio, solution, finding.ledger, finding.certificate, seconds)
    return Run(scenario, allocation, finding.certificate, summary, summary["status"], solution.log)


def verify_run(stored: StoredRun) -> Certificate:
    """Rechecks a stored run from its folder and the inputs alone, and returns its certificate.

    Raises CertificateError with every disagreement found, InputError where an input is missing.
    """
    scenario = load_scenario(stored.scenario_path)
    policy = scenario.policy
    portfolio = load_portfolio(scenario.portfolio, policy.text_columns(), policy.number_columns())
    table = read_churn_table(scenario.response.churn)
    claimed = stored.certificate
    faults = _changed_inputs(claimed["inputs"], _inputs(scenario))
    rows = _rows_of(stored.allocation, portfolio)
    decisions = Decisions(
        stored.allocation["amount"].to_numpy(float)[rows], stored.allocation["rate"].to_numpy(float)[rows]
    )
    finding = recheck(scenario, portfolio, table, decisions, claimed["prices"], claimed["inputs"])
    faults += finding.faults
    faults += _disagreements(claimed, finding.certificate, stored.summary)
    faults += _altered_columns(stored.allocation, portfolio, finding.ledger)
    if faults:
        raise CertificateError("the run does not pass its recheck", faults)
    return finding.certificate


def _inputs(scenario: Scenario) -> dict[str, str]:
    """Content hash of each input."""
    churn = hashlib.sha256(scenario.response.churn.read_bytes()).hexdigest()
    return {"portfolio": fingerprint(scenario.portfolio), "churn": f"sha256:{churn}"}


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


def _rows_of(allocation: pd.DataFrame, portfolio: Portfolio) -> np.ndarray:
    """For each borrower of the portfolio its row in the allocation file.

    Raises CertificateError where the file does not list exactly the portfolio's borrowers in input order.
    """
    order = np.argsort(portfolio.row, kind="stable")
    expected = portfolio.borrower_id[order].astype(str)
    found = allocation["borrower_id"].to_numpy().astype(str)
    if len(found) != len(expected) or np.any(found != expected):
        at = int(np.argmax(found[: len(expected)] != expected[: len(found)])) + 1
        fault = Fault(
            "does not list the portfolio's borrowers in their order",
            "restore the file: it has one row a borrower",
            file="allocation",
            row=at,
        )
        raise CertificateError("the allocation does not fit the portfolio", [fault])
    rows = np.empty(len(order), dtype=np.int64)
    rows[order] = np.arange(len(order))
    return rows


def _changed_inputs(claimed: Mapping[str, str], found: Mapping[str, str]) -> list[Fault]:
    return [
        Fault("has changed since the run", "restore it or solve again", field=name)
        for name in found
        if claimed.get(name) != found[name]
    ]


def _disagreements(claimed: Mapping[str, Any], found: Certificate, summary: Mapping[str, Any]) -> list[Fault]:
    """Figures of the certificate and the summary that the recheck does not reproduce."""
    pairs: list[tuple[str, Any, float]] = [
        ("certificate bound", claimed["bound"], found.bound),
        ("certificate value", claimed["value"], found.value),
        ("summary objective", summary["objective"], found.value),
        ("summary certified_bound", summary["certified_bound"], found.bound),
    ]
    held = {use["name"]: use for use in claimed["limits"]}
    for use in found.limits:
        said = held.get(use.name, {"used": None, "bound": None})
        pairs += [
            (f"limit {use.name} used", said["used"], use.used),
            (f"limit {use.name} bound", said["bound"], use.bound),
        ]
    scale = max(abs(found.bound), 1.0)
    faults = [
        Fault(f"says {said!r}, the inputs give {is_!r}", "solve again", field=name)
        for name, said, is_ in pairs
        if not isinstance(said, int | float) or not abs(said - is_) <= 1e-9 * max(abs(is_), scale)
    ]
    if found.gap < -1e-9:
        faults.append(Fault("lies above the bound", "solve again", field="value"))
    return faults


def _altered_columns(allocation: pd.DataFrame, portfolio: Portfolio, ledger: Ledger) -> list[Fault]:
    """The first row of each computed column that the inputs do not reproduce."""
    order = np.argsort(portfolio.row, kind="stable")
    faults = []
    for name in COLUMNS:
        said, found = allocation[name].to_numpy(float), getattr(ledger, name)[order]
        off = np.flatnonzero(~(np.abs(said - found) <= 1e-9 * np.maximum(np.abs(found), 1.0)))
        if len(off):
            at = int(off[0])
            problem = f"says {said[at]:.12g}, the inputs give {found[at]:.12g} ({len(off)} rows differ)"
            faults.append(Fault(problem, "solve again", file="allocation", row=at + 1, field=name))
    return faults
