"""What the commands say of a run: the documents that a report reads its figures from."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from allocator.insight.composition import DeclineReason
from allocator.insight.dossier import Dossier, net_by_bin
from allocator.report.committee.figure import Documents
from allocator.report.comparison import comparison_view
from allocator.report.explain import book_view
from allocator.report.frontier import frontier_view
from allocator.report.levers import levers_view
from allocator.report.limits import prices_of_cuts, reason_of
from allocator.report.rules import rules_view
from allocator.report.simulation import simulation_view
from allocator.report.stress import stress_view

SWAPPED = 10
"""Borrowers listed of those whom another strategy decides otherwise."""
_BINS = 36


def documents_of(dossier: Dossier) -> Documents:
    """By name: summary and certificate as the run's folder has them, and what each command prints as JSON."""
    run, stored = dossier.run, dossier.stored
    views = {
        "explain": book_view(dossier.book),
        "simulate": simulation_view(dossier.years),
        "stress": stress_view(dossier.stress),
        "levers": levers_view(dossier.levers),
    }
    if dossier.comparison is not None:
        views["compare"] = comparison_view(dossier.comparison, SWAPPED, dossier.notes)
    if dossier.budgets is not None:
        views["frontier"] = frontier_view(dossier.budgets)
    if dossier.rules is not None:
        views["distil"] = rules_view(dossier.rules)
    return Documents(
        {
            "summary": stored.summary,
            "certificate": stored.certificate,
            **{name: view.document() for name, view in views.items()},
            "composition": _composition_document(dossier),
        },
        run.currency,
    )


def _composition_document(dossier: Dossier) -> Mapping[str, Any]:
    """What the report alone says: who is offered what, in which segments, and who is left out."""
    composition, limits = dossier.composition, dossier.stored.summary["limits"]
    rows = {limit["name"] for limit in limits}
    return {
        "mean_rate": dossier.run.account.mean_rate,
        "one_more": dossier.one_more,
        "prices": prices_of_cuts(limits),
        "by": list(composition.by),
        "segments": [
            [{"name": account.name, **account.figures} for account in own] for own in composition.segments
        ],
        "crossed": [list(row) for row in composition.crossed],
        "mean_pd": dict(composition.mean_pd),
        "bands": [asdict(band) for band in composition.bands],
        "largest": [asdict(account) for account in composition.largest],
        "declined": [asdict(account) for account in composition.declined],
        "refusals": [asdict(account) for account in _by_limit(composition.refusals, rows)],
        "curve": [list(point) for point in composition.curve],
        "years": net_by_bin(dossier.years, _BINS),
    }


def _by_limit(refusals: Sequence[DeclineReason], rows: Container[str]) -> list[DeclineReason]:
    """The reasons, those of the cuts of one limit as one; `rows` are the names of all rows of limits."""
    told: dict[str, DeclineReason] = {}
    for refusal in refusals:
        name = reason_of(refusal.reason, rows)
        known = told.get(name, replace(refusal, borrowers=0, requested=0.0, beside=0))
        told[name] = replace(
            refusal, reason=name, borrowers=known.borrowers + refusal.borrowers,
            requested=known.requested + refusal.requested, beside=known.beside + refusal.beside,
            grades=tuple(sorted({*known.grades, *refusal.grades})),
        )  # fmt: skip
    return list(told.values())
