"""Rechecking a stored run: from its folder and its inputs alone, with no solver."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from allocator.borrowers import NO_MORE, FurtherColumns, content_hashes, read_inputs
from allocator.certification.certify import (
    ProvedFigures,
    breach_faults,
    impossible_bound_faults,
    recheck_with_proof,
)
from allocator.certification.exact import MOST_BORROWERS, ExactCase, exact_faults
from allocator.certification.exact_lists import exact_list_faults
from allocator.certification.reasons import contradicted_reasons
from allocator.certification.worst import as_certified
from allocator.errors import CertificateError, Fault, InputError
from allocator.intake import one_reading, require_unchanged, watched
from allocator.plugins import absent_plugin_faults
from allocator.records.case import Inputs
from allocator.records.cuts import HHI
from allocator.records.document import same_document, seen_from, value_at
from allocator.records.ledger import Ledger
from allocator.records.outcome import Outcome
from allocator.records.portfolio import Portfolio, Text
from allocator.records.run import Certificate, Decisions, StoredRun, relative_gap
from allocator.records.scenario import Scenario
from allocator.scenario import load_scenario
from allocator.scenario.places import paths_of
from allocator.summary import digest, figures

_OF_A_LIMIT = ("name", "measure", "sense", "used", "bound", "price", "violation")
_OF_THE_MAKING = ("schema", "notes", "seconds", "versions", "peak_memory_mb")
"""Keys of a summary that nothing can recompute, and that no run lacks."""
_STATED_TO = 1e-12
"""How far a stated gap may stand from what the stated bound and value give."""
_NO_MONEY = (" price", " mean_rate", " raroc", " certified_gap", " violation")


def verify_run(stored: StoredRun, *, exact: bool = False) -> Certificate:
    """Rechecks a stored run as `recheck_run` does and returns its certificate.

    With `exact` bound, tree, value and limits are confirmed in rational numbers too: InputError where the
    run has too many borrowers for that, CertificateError where one is not so.
    """
    if exact and len(stored.allocation) > MOST_BORROWERS:
        problem = f"has {len(stored.allocation):,} borrowers, and rational numbers do for {MOST_BORROWERS:,}"
        raise InputError.of([Fault(problem, "verify it without --exact", file=str(stored.folder))], "run")
    outcome = recheck_run(stored)
    certificate = outcome.certificate
    if exact:
        faults = _faults_in_rationals(outcome, stored.certificate)
        if faults:
            raise CertificateError("the run does not pass its recheck in rational numbers", faults)
    return certificate


@watched()
def recheck_run(stored: StoredRun, further: FurtherColumns = NO_MORE) -> Outcome:
    """A stored run with everything recomputed from its folder and the inputs alone.

    Its portfolio has the `further` columns too.
    Raises CertificateError with every disagreement found, InputError where an input is missing.
    """
    scenario, claimed = _scenario_of(stored), stored.certificate
    scenario = as_certified(scenario, claimed)
    inputs = _inputs(scenario, stored, further)
    faults = _two_scenarios_fault(stored, scenario) + _changed_input_faults(claimed["inputs"], inputs.hashes)
    faults += _changed_copy_fault(stored, inputs.copy)
    portfolio = inputs.portfolio
    allocation = in_input_order(stored.allocation, portfolio, ordered=scenario.portfolio.kind != "sql")
    rank = np.argsort(np.argsort(portfolio.row, kind="stable"))
    decisions = Decisions(
        allocation["amount"].to_numpy(float)[rank], allocation["rate"].to_numpy(float)[rank]
    )
    proofs = claimed.get("tree"), claimed.get("lists")
    outcome, proved = recheck_with_proof(scenario, inputs, decisions, claimed["prices"], *proofs)
    faults += _misplaced_proof_faults(scenario, claimed)
    faults += [*outcome.faults, *breach_faults(outcome)]
    faults += _disagreement_faults(stored, outcome, proved)
    why = allocation["reason"].to_numpy(object)[rank]
    stated, refused = _encoded(why), decisions.amount == 0
    unfounded = contradicted_reasons(outcome.held, outcome.inputs, refused, claimed["prices"], stated)
    faults += _altered_row_faults(allocation, portfolio, outcome.ledger, unfounded)
    faults += impossible_bound_faults(outcome)
    require_unchanged()
    if faults:
        raise CertificateError("the run does not pass its recheck", faults)
    return _as_searched(outcome, stored.summary, why)


def _misplaced_proof_faults(scenario: Scenario, claimed: Mapping[str, Any]) -> Iterator[Fault]:
    """A price list where none is posted, none where one must be, and a tree beside one."""
    posted = scenario.policy.posting is not None
    if posted != ("lists" in claimed) or (posted and "tree" in claimed):
        problem = "has a price list, where none is posted"
        problem = "has no price list, or a tree beside it" if posted else problem
        yield Fault(problem, "solve again", field="certificate")


def _as_searched(outcome: Outcome, summary: Mapping[str, Any], why: np.ndarray) -> Outcome:
    """The outcome with what a run that passed says of the search, and of whom its strategy declines."""
    trusted = summary["proof"] == "solver"
    bound = summary["bound"] if trusted else np.inf
    return replace(outcome, solver_bound=bound, stop=summary["stop"], why=None if outcome.optimal else why)


def _scenario_of(stored: StoredRun) -> Scenario:
    """The run's scenario. Raises InputError where an input is missing, or a package that the run was made
    with, CertificateError for other faults.
    """
    lacking = list(absent_plugin_faults(stored.certificate.get("plugins", {})))
    if lacking:
        raise InputError.of(lacking, str(stored.folder))
    try:
        scenario = load_scenario(stored.scenario_path)
    except InputError as error:
        if _input_absent(stored):
            raise
        raise CertificateError("the run's scenario is not as the run wrote it", error.faults) from error
    return scenario


def _two_scenarios_fault(stored: StoredRun, scenario: Scenario) -> list[Fault]:
    """The fault of a scenario.json that does not say what scenario.yaml does."""
    if stored.document is None or same_document(
        seen_from(scenario.document, scenario.paths, stored.folder), stored.document
    ):
        return []
    return [Fault("does not say what scenario.yaml says", "solve again", file="scenario.json")]


def _input_absent(stored: StoredRun) -> bool:
    """Whether an input that scenario.json names is not there; without it, it may be so."""
    if stored.document is None:
        return True
    named = (value_at(stored.document, place) for place in paths_of(stored.document))
    return any(not (stored.folder / os.path.expandvars(path)).exists() for path in named)


@one_reading()
def _inputs(scenario: Scenario, stored: StoredRun, further: FurtherColumns) -> Inputs:
    """The run's inputs. What the run's own scenario makes unreadable is a fault of the run."""
    try:
        return read_inputs(scenario, further)
    except InputError as error:
        faults = _changed_input_faults(stored.certificate["inputs"], content_hashes(scenario))
        if not faults and (_input_absent(stored) or scenario.portfolio.kind == "sql" or further != NO_MORE):
            raise
        # An input that was altered until it cannot be read was altered, or what the scenario says of it was.
        raise CertificateError("the run does not pass its recheck", faults or error.faults) from error


def in_input_order(allocation: pd.DataFrame, portfolio: Portfolio, *, ordered: bool) -> pd.DataFrame:
    """The rows of an allocation file as the portfolio's source has its borrowers now, index as in the file.

    A file's order is part of it (`ordered`); a database may hand over its rows in another order than
    before, so that the borrowers' names decide. Raises CertificateError where the rows do not fit.
    """
    expected = portfolio.borrower_id[np.argsort(portfolio.row, kind="stable")].astype(object)
    identifiers = allocation["borrower_id"].to_numpy(dtype=object)  # fixed-width texts would lose a last NUL
    if np.array_equal(identifiers, expected):
        return allocation
    known, listed = (np.argsort(names, kind="stable") for names in (expected, identifiers))
    if not ordered and np.array_equal(identifiers[listed], expected[known]):
        return allocation.iloc[listed[np.argsort(known)]]
    same = min(len(identifiers), len(expected))
    differs = np.append(np.flatnonzero(identifiers[:same] != expected[:same]), same)
    fault = Fault(
        "does not list the portfolio's borrowers" + (" in their order" if ordered else ""),
        "restore the file: it has one row per borrower",
        file="allocation",
        row=int(differs[0]) + 1 if ordered else None,
    )
    raise CertificateError("the allocation does not fit the portfolio", [fault])


def _changed_input_faults(claimed: Mapping[str, str], present: Mapping[str, str]) -> list[Fault]:
    return [
        Fault("has changed since the run", "restore it or solve again", field=name)
        for name in {**present, **claimed}
        if claimed.get(name) != present.get(name)
    ]


def _changed_copy_fault(stored: StoredRun, copy: bytes | None) -> list[Fault]:
    """The fault of a copy of the borrowers that is not what their source gives."""
    path = stored.folder / "borrowers.csv"
    if copy is None:
        return []
    if not path.is_file():
        raise InputError.of([Fault("is missing", "restore it or solve again", file=str(path))], str(path))
    if path.read_bytes() == copy:
        return []
    return [Fault("is not what the source of the borrowers gives", "solve again", file=str(path))]


def _disagreement_faults(stored: StoredRun, outcome: Outcome, proved: ProvedFigures) -> Iterator[Fault]:
    """Figures of the certificate and the summary that the recheck does not reproduce."""
    recomputed, claims = outcome.certificate, stored.certificate
    for key in _OF_THE_MAKING:
        if stored.summary.get(key) is None:
            yield Fault("is missing", "solve again", field=f"summary {key}")
    money = max(abs(recomputed.bound), outcome.account.offered, 1.0)
    if not _confirmed_exactly(stored, outcome, proved):
        yield from _unproved_faults(claims, recomputed, proved)
    limits = [{key: getattr(use, key) for key in _OF_A_LIMIT} | use.enforcement for use in recomputed.limits]
    yield from _difference_faults(claims["limits"], limits, money, "certificate limits")
    for use in claims["limits"]:
        if use["price"] != claims["prices"].get(use["name"]):
            problem = f"says {use['price']!r}, the prices give {claims['prices'].get(use['name'])!r}"
            yield Fault(problem, "solve again", field=f"certificate limits {use['name']} price")
    stated = {
        "objective": claims["value"],
        "certified_bound": claims["bound"],
        "certified_gap": claims["gap"],
    }
    for key, value in stated.items():
        if stored.summary[key] != value:
            problem = f"says {stored.summary[key]!r}, the certificate gives {value!r}"
            yield Fault(problem, "solve again", field=f"summary {key}")
    repeated = figures(outcome)
    summary = {
        "name": outcome.name,
        "currency": outcome.currency,
        **repeated,
        "digest": digest(outcome.scenario, recomputed),
    }
    summary = {key: value for key, value in summary.items() if key not in {*stated, "per_point"}}
    if "per_point" in stored.summary:  # which older runs do not say
        summary["per_point"] = repeated.get("per_point", {})
    yield from _difference_faults(_those(summary, stored.summary), summary, money, "summary")
    for place, document in (("certificate", claims), ("summary", stored.summary)):
        if document.get("plugins", {}) != outcome.scenario.plugins:
            yield Fault("are not what the scenario names", "solve again", field=f"{place} plugins")
    yield from _unlike_certificate_faults(stored.summary.get("limits"), claims["limits"])
    yield from _unfounded_faults(stored, outcome)
    yield from _impossible_word_faults(stored, outcome.scenario, recomputed)


def _unlike_certificate_faults(listed: Any, limits: list[Any]) -> Iterator[Fault]:
    """Where the summary's lines of limits are not, to the last digit, what the certificate has."""
    for line, limit in zip(listed if isinstance(listed, list) else [], limits, strict=False):
        if isinstance(line, dict) and any(line.get(key) != limit[key] for key in ("used", "bound", "price")):
            problem = "says other figures than the certificate"
            yield Fault(problem, "solve again", field=f"summary limits {limit['name']}")


def _confirmed_exactly(stored: StoredRun, outcome: Outcome, proved: ProvedFigures) -> bool:
    """Whether what a run without scenario.json states holds in rational numbers.

    When such runs were written, bounds were not rounded outwards, nor values inwards: they were sums in
    doubles. The bound must hold as it is stated, and the value up to its own last digit.
    """
    claims, recomputed = stored.certificate, outcome.certificate
    near = proved.prices.reproduces(claims["bound"]) and proved.value.reproduces(claims["value"])
    if stored.document is not None or not near or recomputed.tree or len(stored.allocation) > MOST_BORROWERS:
        return False
    stated = {**claims, "value": float(np.nextafter(claims["value"], -np.inf))}
    return not _faults_in_rationals(outcome, stated)


def _faults_in_rationals(outcome: Outcome, stated: Mapping[str, Any]) -> list[Fault]:
    """What of a `stated` certificate does not hold in rational numbers."""
    case = ExactCase.of(outcome.scenario, outcome.inputs.portfolio, outcome.inputs.churn)
    not_kept = [use.name for use in outcome.certificate.limits if use.broken or use.missed]
    lists = stated.get("lists")
    unsound = [] if lists is None else exact_list_faults(case, lists)
    return [*unsound, *exact_faults(case, outcome.decisions, not_kept, stated)]


def _unproved_faults(
    stated: Mapping[str, Any], recomputed: Certificate, proved: ProvedFigures
) -> Iterator[Fault]:
    """A stated bound that the prices or the tree do not prove, a stated value that the decisions lack."""
    tests = {"bound": proved.is_bound, "price_bound": proved.is_price_bound, "value": proved.is_value}
    for key, holds in tests.items():
        if key in stated and not holds(stated[key]):
            problem = f"says {stated[key]!r}, the inputs give {getattr(recomputed, key)!r}"
            yield Fault(problem, "solve again", field=f"certificate {key}")


def _those(recomputed: Mapping[str, Any], stated: Mapping[str, Any]) -> dict[str, Any]:
    """What is stated of the keys of `recomputed`: a document may state more."""
    return {key: stated[key] for key in recomputed if key in stated}


def _difference_faults(
    stated: Any, recomputed: Any, money: float, place: str, least: float = 1.0
) -> Iterator[Fault]:
    """Where `stated` is not `recomputed`, key by key, and what only `stated` has.

    Figures below `least` are held to a part of that.
    """
    if isinstance(recomputed, dict) and isinstance(stated, dict):
        if recomputed.get("measure") == HHI:  # an index is no money
            money, least = 0.0, recomputed["bound"]
        for key, value in recomputed.items():
            yield from _difference_faults(stated.get(key), value, money, f"{place} {key}", least)
        for key in stated.keys() - recomputed.keys():
            yield Fault("is nothing that the inputs give", "solve again", field=f"{place} {key}")
    elif isinstance(recomputed, list) and isinstance(stated, list) and len(stated) == len(recomputed):
        for k, value in enumerate(recomputed):
            yield from _difference_faults(stated[k], value, money, f"{place}[{k}]", least)
    elif not _same_figure(stated, recomputed, money, place, least):
        yield Fault(f"says {stated!r}, the inputs give {recomputed!r}", "solve again", field=place)


def _same_figure(stated: Any, recomputed: Any, money: float, place: str, least: float) -> bool:
    """Sums of money may differ by the rounding of a sum that large, where they cancel to little."""
    if place.endswith((" violation", " missed")) and bool(stated) != bool(recomputed):
        return False
    if type(recomputed) is not float or not isinstance(stated, int | float) or isinstance(stated, bool):
        return type(stated) is type(recomputed) and bool(stated == recomputed)
    return abs(stated - recomputed) <= 1e-9 * max(abs(recomputed), least) + (
        0.0 if place.endswith(_NO_MONEY) else 1e-14 * money
    )


def _unfounded_faults(stored: StoredRun, outcome: Outcome) -> Iterator[Fault]:
    """What the solver's bound cannot be, whatever the solver did, and what the status may not hide."""
    summary, certified, value = stored.summary, stored.certificate["bound"], stored.certificate["value"]
    bound, gap = summary["bound"], summary["gap"]
    least = value
    if outcome.broken:  # worth what it may be: only the solver's own bound may lie below the certified one
        least = -np.inf if summary.get("proof") == "solver" else certified
    if not least <= bound <= max(least, certified):
        problem = f"says {bound!r}, outside {least!r} (the least it can be) to {certified!r} (certified)"
        yield Fault(problem, "solve again", field="summary bound")
    if not abs(gap - relative_gap(bound, value)) <= _STATED_TO:
        yield Fault(f"says {gap!r}, not what bound and objective give", "solve again", field="summary gap")
    expected = outcome.status_at(gap)
    if summary["status"] != expected:
        problem = f"says {summary['status']!r} at a gap of {gap!r}, where it is {expected!r}"
        yield Fault(problem, "solve again", field="summary status")


def _impossible_word_faults(
    stored: StoredRun, scenario: Scenario, recomputed: Certificate
) -> Iterator[Fault]:
    """What the summary says of the search and no search under this scenario could have said."""
    summary, solver = stored.summary, scenario.solver
    recheckable = "tree" if recomputed.proved_by_nodes else "prices"
    proofs = {recheckable}
    if summary["bound"] < stored.certificate["bound"]:
        proofs = {"solver"}
    elif summary["bound"] == stored.certificate["value"]:  # lifted to it
        proofs = {recheckable, "solver"}
    stops = {"time_limit", "exhausted", "gap"} | ({"memory"} if np.isfinite(solver.memory) else set())
    if scenario.strategy.rule == "optimal" and summary["gap"] > solver.gap + 1e-9:
        stops.remove("gap")
    methods = {"exact", "reduced"} if solver.method == "auto" else {solver.method}
    for key, possible in (("proof", proofs), ("stop", stops), ("method", methods)):
        if summary.get(key) not in possible:
            problem = f"says {summary.get(key)!r}, where only {' or '.join(sorted(possible))} can be"
            yield Fault(problem, "solve again", field=f"summary {key}")


def _encoded(texts: np.ndarray) -> Text:
    codes, values = pd.factorize(texts, sort=True)
    return Text(codes.astype(np.int32), tuple(values))


def _altered_row_faults(
    allocation: pd.DataFrame, portfolio: Portfolio, ledger: Ledger, unfounded: np.ndarray
) -> Iterator[Fault]:
    """The first row of each column that the inputs do not reproduce."""
    order = np.argsort(portfolio.row, kind="stable")
    grades = np.array([*portfolio.grade.values, ""], dtype=object)[portfolio.grade.codes[order]]
    refused = allocation["amount"].to_numpy(float) == 0
    texts = {"grade": (allocation["grade"].to_numpy(dtype=object) != grades, grades)}
    given = allocation["reason"].to_numpy(dtype=object) != ""
    contradicted = unfounded[order]
    expected = np.where(refused, np.where(contradicted == "", "some reason", contradicted), "none")
    texts["reason"] = ((given != refused) | (contradicted != ""), expected)
    for name, (off, recomputed) in texts.items():
        yield from _first_difference(allocation[name], off, recomputed)
    if ("raroc" in allocation) == (ledger.capital_cost is None):  # the columns of capital stand together
        yield Fault("is not as policy.capital.cost has it", "solve again", file="allocation", field="raroc")
    for name in ("rate", *(name for name in ledger.computed if name in allocation)):
        stated, recomputed = allocation[name].to_numpy(float), getattr(ledger, name)[order]
        off = ~(np.abs(stated - recomputed) <= 1e-9 * np.maximum(np.abs(recomputed), 1.0))
        yield from _first_difference(allocation[name], off, recomputed)


def _first_difference(stated: pd.Series, off: np.ndarray, recomputed: np.ndarray) -> Iterator[Fault]:
    rows = np.flatnonzero(off)
    if len(rows):
        first = int(rows[0])
        more = f" ({len(rows):,} rows differ)" if len(rows) > 1 else ""
        problem = f"says {stated.iloc[first]}, the inputs give {recomputed[first]}{more}"
        row = int(stated.index[first]) + 1
        yield Fault(problem, "solve again", file="allocation", row=row, field=str(stated.name))
