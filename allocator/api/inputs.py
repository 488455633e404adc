"""What goes in: a scenario checked before it is solved, borrowers invented, the format of files."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa

from allocator.api.arguments import Seed, Within
from allocator.api.results import Result
from allocator.api.runs import Progress, Run, base_of, silent
from allocator.api.scenarios import Overlay, Sets, Source, Table
from allocator.api.words import public_function
from allocator.borrowers import FurtherColumns, examine, notes_on, stress_of, stressed
from allocator.errors import Fault, InputError
from allocator.limits import compile_limits
from allocator.limits.measures import with_requirements
from allocator.limits.notes import hopeless, slips
from allocator.limits.spellings import spellings
from allocator.portfolio import formulas
from allocator.portfolio.synthesis import parts
from allocator.pricing.churn import sanity
from allocator.pricing.offers import outside_terms, own_rates, price_offers
from allocator.pricing.segments import unknown_values
from allocator.records import scenario as records
from allocator.records.limits import Limits
from allocator.records.offers import OfferBook
from allocator.records.portfolio import ChurnTable, Portfolio
from allocator.records.stress import Stress, StressSource
from allocator.report.check import Examination, check_page
from allocator.report.view import View
from allocator.scenario.demand import with_budget_in_money

NamedStress: TypeAlias = tuple[str, StressSource, Stress]
_YEARS = re.compile(r"([0-9]{4})-([0-9]{4})")


@public_function
def check(
    scenario: Source | Run,
    *,
    borrowers: Table = None,
    churn: Table = None,
    sets: Sets = None,
    progress: Progress | None = None,
) -> Result[Examination]:
    """All that `allocate` would refuse, and what may not be meant so, without solving: `allocator check`.

    scenario  as `allocate` takes it, or a Run, whose scenario is taken
    borrowers, churn, sets    laid over the scenario, as `allocate` takes them

    The table has a row per grade: borrowers, offers_possible, requested, largest_offers (currency units),
    mean_pd (a fraction); `record.notes` says what is valid and looks like a slip. Raises InputError with
    every fault of the scenario, its stresses and its inputs together.

    >>> from allocator import check
    >>> found = check("scenarios/sme-302.yaml")
    >>> found.table[["grade", "borrowers"]].values.tolist()
    [['A', 66], ['B', 93], ['C', 84], ['D', 59]]
    """
    base = base_of(scenario, Overlay(borrowers, churn, None, sets))
    named = str(scenario) if isinstance(scenario, str | os.PathLike) else base.name
    record = examination_of(base, named, progress or silent)
    return Result(record, partial(examination_view, record), _by_grade)


def _by_grade(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"grade": grade, **figures} for grade, figures in document["by_grade"].items()]


def examination_view(examination: Examination) -> View:
    """What `allocator check` shows."""
    return View(page=lambda: check_page(examination), document=examination.figures)


def examination_of(scenario: records.Scenario, subject: str, tell: Progress) -> Examination:
    """The stages before the engine. Raises InputError, about `subject`, with the faults of all of them."""
    faults: list[Fault] = []
    stresses = _stresses_of(scenario, faults)
    tell("reading the borrowers")
    examined = examine(scenario, FurtherColumns.of(stress for _, _, stress in stresses))
    faults += examined.faults
    portfolio, table, notes = examined.portfolio, examined.churn, list(examined.notes)
    offers: Any = None
    limits: Any = None
    if portfolio is not None:
        tell("compiling the limits")
        scenario = _gather(faults, with_budget_in_money, scenario, portfolio) or scenario
        charged = _gather(faults, with_requirements, scenario.policy, portfolio)
        portfolio = charged or replace(portfolio, requirement=np.zeros(len(portfolio)))
        limits = _gather(faults, compile_limits, scenario.policy, portfolio)
        if table is not None:
            offers = _gather(faults, price_offers, portfolio, table, scenario.response, scenario.policy)
            notes += _notes_on_stresses(stresses, portfolio, table, faults)
    if faults or portfolio is None or table is None:
        raise InputError.of(faults, subject)
    policy = scenario.policy
    notes += _notes_on_policy(policy, portfolio, offers, limits)
    curves = sanity(table, {} if policy.by_contract else policy.rates, policy.rate_step)
    return Examination(scenario, portfolio, offers, limits, curves, tuple(notes))


def _stresses_of(scenario: records.Scenario, faults: list[Fault]) -> list[NamedStress]:
    """Name, source and factors of each stress that can be read; `faults` grow by those of the others."""
    named = [(name, source, _gather(faults, stress_of, source)) for name, source in scenario.stresses.items()]
    return [(name, source, stress) for name, source, stress in named if stress is not None]


def _notes_on_stresses(
    stresses: list[NamedStress], portfolio: Portfolio, table: ChurnTable, faults: list[Fault]
) -> Iterator[str]:
    """What stands out in the stresses that fit the borrowers; `faults` grow by those of the others."""
    for name, source, stress in stresses:
        if _gather(faults, stressed, portfolio, table, stress, source) is not None:
            yield from (f"stresses.{name}: {note}" for note in notes_on(portfolio, source))


def _notes_on_policy(
    policy: records.Policy, portfolio: Portfolio, offers: OfferBook, limits: Limits
) -> Iterator[str]:
    """What stands out in the policy and its limits."""
    yield from (*formulas(portfolio), *spellings(portfolio, policy), *limits.notes)
    yield from (*outside_terms(portfolio, policy), *own_rates(portfolio, policy))
    yield from unknown_values(portfolio, policy)
    yield from (*slips(policy, offers, limits), *hopeless(policy, portfolio, offers, limits))


def _gather(faults: list[Fault], stage: Callable[..., Any], *given: Any) -> Any:
    """What `stage` returns, or None where it raises InputError, whose faults are added to `faults`."""
    try:
        return stage(*given)
    except InputError as error:
        faults.extend(error.faults)
        return None


@public_function
def synth(
    borrowers: Annotated[int, Within(1, 10_000_000)] = 1_000, seed: Seed = 0, *, years: str | None = None
) -> pd.DataFrame:
    """Invented borrowers in the shape of real ones, for trying out and for tests: `allocator synth`.

    borrowers  how many; the same `seed` gives the same
    years      "2019-2024": also when each was decided, and what became of it

    The DataFrame has a row per borrower, as `allocate` takes it: borrower_id, grade, pd and lgd (fractions),
    max_amount (whole currency units), sector, region and others. Every distribution is assumed: the constants
    of allocator/portfolio/synthesis.py. Raises InputError for years that are none.

    >>> from allocator import synth
    >>> synth(1000, seed=1)["grade"].value_counts().to_dict()
    {'B': 309, 'C': 276, 'A': 220, 'D': 195}
    """
    span = None if years is None else _span(years)
    made: pd.DataFrame = pa.concat_tables(parts(borrowers, seed, span)).to_pandas()
    return made


def _span(written: str) -> range:
    """The years from the first to the last that are named."""
    span = _YEARS.fullmatch(written)
    if span is None:
        fault = Fault(f"{written!r} is no span of years", "write it as 2019-2024", field="years")
        raise InputError.of([fault], "synth")
    return range(int(span[1]), int(span[2]) + 1)
