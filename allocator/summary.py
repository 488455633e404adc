"""A run in figures: what summary.json says, all of it from the recomputed ledger."""

from __future__ import annotations

import hashlib
import json
import platform
import resource
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from allocator.certification.certify import Finding
from allocator.records.document import CHURN, NO_CHURN, SOURCE, Place, value_at
from allocator.records.ledger import account_of, accounts_by
from allocator.records.portfolio import Portfolio
from allocator.records.run import Certificate, LimitUse, Status, relative_gap
from allocator.records.scenario import Scenario
from allocator.records.solution import Solution

SOLVER_TOLERANCE = 1e-12
"""Relative to it, what the solver's own bound is rounded outwards by: HiGHS works in doubles."""
_READ_BY = ("sep", "decimal", "thousands", "skip", "encoding", "sheet", "header", "duplicates")
"""What of a source says how its contents are to be understood."""
_LIBRARIES = ("allocator", "highspy", "numpy", "pandas", "pyarrow", "pyomo", "scipy")


def summarise(
    scenario: Scenario,
    portfolio: Portfolio,
    solution: Solution,
    finding: Finding,
    seconds: Mapping[str, float],
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """The figures of a run; amounts in currency units, rates and gaps as fractions.

    The bound is on allocations that keep every limit and term: one that does not may be worth more.
    """
    certificate = finding.certificate
    bound, proof = proved_bound(solution, finding)
    gap = relative_gap(bound, certificate.value)
    return {
        "schema": 1,
        "name": scenario.name,
        "status": status(scenario, finding, gap),
        "stop": solution.stop,
        "proof": proof,
        "currency": scenario.policy.currency,
        "objective": certificate.value,
        "bound": bound,
        "gap": gap,
        **figures(scenario, portfolio, finding),
        "notes": list(notes),
        "seconds": dict(seconds),
        "method": solution.method,
        "peak_memory_mb": _peak_memory_mb(),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}},
        "digest": digest(scenario, certificate),
    }


def proved_bound(solution: Solution, finding: Finding) -> tuple[float, str]:
    """The tightest bound that is known, and what it rests on: the solver's own where that lies below the
    certified one, rounded outwards by the tolerance that it is trusted to.
    """
    certificate = finding.certificate
    bound, proof = certificate.bound, "prices" if certificate.tree is None else "tree"
    if solution.proof == "solver":
        own = solution.bound + SOLVER_TOLERANCE * max(abs(solution.bound), 1.0)
        bound, proof = (own, "solver") if own < bound else (bound, proof)
    return (bound if finding.broken else max(bound, certificate.value)), proof


def status(scenario: Scenario, finding: Finding, gap: float) -> Status:
    """What came out: a strategy's allocation may break limits or terms, and then says so."""
    if finding.broken:
        return "breaks_limits"
    return "optimal" if gap <= scenario.solver.gap else "feasible"


def figures(scenario: Scenario, portfolio: Portfolio, finding: Finding) -> dict[str, Any]:
    """What the inputs, the decisions and the prices alone give: a recheck repeats it."""
    policy, ledger, certificate = scenario.policy, finding.ledger, finding.certificate
    unspent = policy.unspent(certificate.limits[0].used)
    whole = account_of(ledger)
    return {
        "strategy": scenario.strategy.name,
        "limits_broken": certificate.limits_broken,
        "terms_broken": dict(finding.terms_broken),
        "certified_bound": certificate.bound,
        "certified_gap": certificate.gap,
        "offered": whole.offered,
        "drawn": whole.drawn,
        **whole.lines,
        "idle_income": policy.idle_rate * unspent,
        "budget_unspent": unspent,
        "refusal_constant": 0.0 - policy.decline_churn * float(np.sum(portfolio.relationship_value)),
        "borrowers": len(portfolio),
        "funded": whole.funded,
        "by_grade": {grade.name: grade.figures for grade in accounts_by(ledger, portfolio.grade)},
        "limits": [_limit(use) for use in certificate.limits],
    }


def _limit(use: LimitUse) -> dict[str, Any]:
    return {
        "name": use.name,
        "measure": use.measure,
        "sense": use.sense,
        "used": use.used,
        "bound": use.bound,
        "slack": use.slack,
        "price": use.price,
        "binding": use.binding,
        "broken": use.broken,
    }


def digest(scenario: Scenario, certificate: Certificate) -> str:
    """Hash of the resolved scenario, its paths aside, and the contents of its inputs."""
    return digest_of(scenario.document, scenario.paths, certificate.inputs)


def digest_of(document: Mapping[str, Any], paths: Iterable[Place], inputs: Mapping[str, str]) -> str:
    """The digest of a resolved scenario's document, with paths at `paths`, and the hashes of its inputs."""
    source, nobody_walks = document["portfolio"]["source"], value_at(document, CHURN) == NO_CHURN
    for place in (("stresses",), SOURCE, *paths, *([CHURN] if nobody_walks else [])):
        document = _without(document, place)
    parts = [document, _reading(source), dict(inputs)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def _without(document: Mapping[str, Any], place: Sequence[str]) -> dict[str, Any]:
    """`document` without what stands at `place`, where something does."""
    key, *below = place
    kept = dict(document)
    if not below:
        kept.pop(key, None)
    elif isinstance(kept.get(key), Mapping):
        kept[key] = _without(kept[key], below)
    return kept


def _reading(source: Any) -> dict[str, Any]:
    options = {**source, **source.get("invoices", {})} if isinstance(source, Mapping) else {}
    return {key: options[key] for key in _READ_BY if key in options}


def _peak_memory_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024 if platform.system() == "Linux" else peak / 1024**2
