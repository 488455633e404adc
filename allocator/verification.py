"""Rechecking a stored run: from its folder and its inputs alone, with no solver."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from allocator.certification import Ledger, recheck
from allocator.certification.economics import COLUMNS
from allocator.errors import CertificateError, Fault
from allocator.portfolio import fingerprint, load_portfolio
from allocator.pricing.churn import read_churn_table
from allocator.records.portfolio import Portfolio
from allocator.records.run import Certificate, Decisions, StoredRun
from allocator.records.scenario import Scenario
from allocator.scenario import load_scenario


def verify_run(stored: StoredRun) -> Certificate:
    """Rechecks a stored run from its folder and the inputs alone, and returns its certificate.

    Raises CertificateError with every disagreement found, InputError where an input is missing.
    """
    scenario = load_scenario(stored.scenario_path)
    policy = scenario.policy
    portfolio = load_portfolio(scenario.portfolio, policy.text_columns(), policy.number_columns())
    table = read_churn_table(scenario.response.churn)
    claimed = stored.certificate
    faults = _changed_inputs(claimed["inputs"], content_hashes(scenario))
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


def content_hashes(scenario: Scenario) -> dict[str, str]:
    """Content hash of each input."""
    churn = hashlib.sha256(scenario.response.churn.read_bytes()).hexdigest()
    return {"portfolio": fingerprint(scenario.portfolio), "churn": f"sha256:{churn}"}


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
