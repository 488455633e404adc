"""A run in figures: what summary.json says, all of it from the recomputed ledger."""

from __future__ import annotations

import hashlib
import json
import platform
import resource
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import numpy as np

from allocator.records.document import CHURN, NO_CHURN, SOURCE, Place, value_at
from allocator.records.ledger import accounts_by
from allocator.records.outcome import Outcome
from allocator.records.run import Certificate, LimitUse, per_point
from allocator.records.scenario import Scenario
from allocator.records.stress import BASE

_READ_BY = ("sep", "decimal", "thousands", "skip", "encoding", "sheet", "table", "header", "duplicates")
"""What of a source says how its contents are to be understood."""
_LIBRARIES = ("allocator", "highspy", "numpy", "pandas", "pyarrow", "pyomo", "scipy")


def summarise(
    outcome: Outcome, method: str, seconds: Mapping[str, float], notes: Sequence[str] = ()
) -> dict[str, Any]:
    """The figures of a run; amounts in currency units, rates and gaps as fractions.

    The bound is on allocations that keep every limit and term: one that does not may be worth more.
    """
    return {
        "schema": 1,
        "name": outcome.name,
        "status": outcome.status,
        "stop": outcome.stop,
        "proof": outcome.proof,
        "currency": outcome.currency,
        "objective": outcome.value,
        "bound": outcome.bound,
        "gap": outcome.gap,
        **figures(outcome),
        "notes": list(notes),
        "solved_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "seconds": dict(seconds),
        "method": method,
        "peak_memory_mb": _peak_memory_mb(),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}},
        "digest": digest(outcome.scenario, outcome.certificate),
    }


def figures(outcome: Outcome) -> dict[str, Any]:
    """What the inputs, the decisions and the prices alone give: a recheck repeats it."""
    policy, ledger, certificate = outcome.scenario.policy, outcome.ledger, outcome.certificate
    portfolio, whole = outcome.inputs.portfolio, outcome.account
    return {
        "strategy": outcome.scenario.strategy.name,
        "limits_broken": certificate.limits_broken,
        "terms_broken": dict(outcome.terms_broken),
        "certified_bound": certificate.bound,
        "certified_gap": certificate.gap,
        "offered": whole.offered,
        "drawn": whole.drawn,
        **whole.lines,
        **whole.on_capital,
        "idle_income": outcome.idle_income,
        "budget_unspent": outcome.unspent,
        **({"limit_penalty": outcome.limit_penalty} if any(use.soft for use in certificate.limits) else {}),
        **({"worst_of": certificate.in_each} if certificate.weights else {}),
        **({"above_worst": certificate.above_worst} if certificate.weights else {}),
        "refusal_constant": 0.0 - policy.decline_churn * float(np.sum(portfolio.relationship_value)),
        "borrowers": len(portfolio),
        "funded": whole.funded,
        "by_grade": {grade.name: grade.figures for grade in accounts_by(ledger, portfolio.grade)},
        "limits": [_limit(use) for use in certificate.limits],
        **({"price_list": dict(certificate.posted)} if certificate.posted is not None else {}),
        **({"per_point": points} if (points := _per_point(certificate, outcome.scenario)) else {}),
        **({"plugins": dict(certificate.plugins)} if certificate.plugins else {}),
    }


def _per_point(certificate: Certificate, scenario: Scenario) -> dict[str, float]:
    """What a percentage point more of each share adds."""
    rows = ((use.name, use.bound, use.price) for use in certificate.limits)
    return per_point(rows, scenario.policy.limits)


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
        **use.enforcement,
    }


def digest(scenario: Scenario, certificate: Certificate) -> str:
    """Hash of the resolved scenario, its paths aside, and the contents of its inputs."""
    return digest_of(scenario.document, scenario.paths, certificate.inputs)


def digest_of(document: Mapping[str, Any], paths: Iterable[Place], inputs: Mapping[str, str]) -> str:
    """The digest of a resolved scenario's document, with paths at `paths`, and the hashes of its inputs.

    Of the named stresses it has those that limits hold in, and that stress names: the others decide nothing.
    """
    source, nobody_walks = document["portfolio"]["source"], value_at(document, CHURN) == NO_CHURN
    asked = {
        name for limit in value_at(document, ("policy", "limits")) or () for name in limit.get("under", ())
    }
    asked |= {*(value_at(document, ("stress", "mean_of")) or ())} - {BASE}
    asked |= {*(value_at(document, ("stress", "worst_of")) or ())} - {BASE}
    if asked:
        named = {name: stress for name, stress in document["stresses"].items() if name in asked}
        document = {**document, "stresses": named}
    gone = [SOURCE, *paths, *([] if asked else [("stresses",)]), *([CHURN] if nobody_walks else [])]
    for place in gone:
        document = _without(document, place)
    parts: list[Any] = [document, _how_read(source), dict(inputs)]
    pricing = value_at(document, ("policy", "pricing"))
    if "monotone" in (
        pricing,
        value_at(document, ("policy", "pricing", "grades")),
    ):  # reads the order of the grades
        parts.append(list(document["policy"]["rates"]))
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


def _how_read(source: Any) -> dict[str, Any]:
    options = {**source, **source.get("invoices", {})} if isinstance(source, Mapping) else {}
    return {key: options[key] for key in _READ_BY if key in options}


def _peak_memory_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024 if platform.system() == "Linux" else peak / 1024**2
