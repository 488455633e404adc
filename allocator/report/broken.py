"""What an allocation breaks, where a strategy's does, and what part of the bound it is worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from allocator.records.outcome import Outcome
from allocator.report.limits import own_first
from allocator.report.money import percent
from allocator.report.plain import listed

_MOST = 5


def share_of(summary: Mapping[str, Any]) -> str:
    """The objective as a part of the bound; blank where that is not above 0, or something is broken."""
    kept = summary["bound"] > 0 and not any(broken_of(summary))
    return percent(summary["objective"] / summary["bound"]) if kept else ""


def broken_of(summary: Mapping[str, Any]) -> tuple[Sequence[str], Mapping[str, int]]:
    """The limits and the terms that a run's summary says are broken; an optimal run's has no such key."""
    return summary.get("limits_broken", []), summary.get("terms_broken", {})


def broken_lines(limits: Sequence[str], terms: Mapping[str, int]) -> Iterator[str]:
    """One line for the limits that are broken, one for each term with how many decisions break it."""
    if limits:
        yield f"limits broken: {listed(own_first(limits), _MOST)}"
    for what, count in terms.items():
        yield f"{count:,} x {what}"


def standing_lines(run: Outcome) -> Iterator[str]:
    """What must be known of a run before its figures are read: a line each, none for a plain optimum."""
    if not run.optimal:
        yield f"decided by the strategy {run.scenario.strategy.name}"
    yield from broken_lines(run.certificate.limits_broken, run.terms_broken)
    stress = run.scenario.stress
    if stress.mean:
        named = f" ({', '.join(stress.worst)})" if stress.worst else ""
        yield f"over the scenario's stresses{named}: PD and loss are their means, by weight"
    elif stress:
        yield "under the scenario's stress: PD, LGD, requests, churn and funding are the stressed ones"


def standing_figures(run: Outcome) -> dict[str, Any]:
    """What a run is, as plain values."""
    return {
        "name": run.name,
        "currency": run.currency,
        "strategy": run.scenario.strategy.name,
        "stressed": bool(run.scenario.stress),
        "value": run.value,
        "bound": run.certificate.bound,
        "limits_broken": run.certificate.limits_broken,
        "terms_broken": dict(run.terms_broken),
    }
