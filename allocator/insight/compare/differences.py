"""What differs in the inputs: the resolved scenarios key by key, the borrowers column by column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from allocator.records.portfolio import Booleans, ChurnTable, Floats, Integers, Portfolio, Text

_NUMBERS = (
    "pd",
    "lgd",
    "term_years",
    "min_amount",
    "max_amount",
    "relationship_value",
    "exposure",
    "min_rate",
    "max_rate",
    "rate",
    "fixed_amount",
    "fixed_rate",
)

_TERMS = (
    *("stress", "stresses", "former", "policy.budget.basis", "policy.currency", "policy.term_years"),
    *("policy.funding_rate", "policy.churn_cost_rate", "policy.decline_churn", "policy.idle_rate"),
    *("policy.processing_cost", "policy.capital"),
)
"""Keys of what offers are valued by; with borrowers and churn curve all of it."""


@dataclass(frozen=True)
class Difference:
    """A key of the scenario file that two scenarios do not share."""

    key: str
    before: Any
    """The value before; None where the key is not there."""
    after: Any


@dataclass(frozen=True)
class ColumnChange:
    """A column in which borrowers of both portfolios differ."""

    column: str
    borrowers: int
    before: float | None
    """Sum over the borrowers who differ, values not given left out; None for texts."""
    after: float | None


@dataclass(frozen=True)
class BorrowerChanges:
    """How one portfolio and its churn curve differ from another."""

    added: int
    dropped: int
    added_requests: float
    """Sum of the requests of those added; a request without an end is left out."""
    dropped_requests: float
    columns: tuple[ColumnChange, ...]
    churn: float
    """Largest change of churn at any rate and grade of both curves; NaN where their rates differ."""

    @property
    def terms(self) -> tuple[str, ...]:
        """What differs, in a word each."""
        people = ("the borrowers",) if self.added or self.dropped or self.columns else ()
        return people if self.churn == 0 else (*people, "the churn curve")

    def __bool__(self) -> bool:
        return bool(self.added or self.dropped or self.columns or self.churn != 0)


@dataclass(frozen=True)
class Matching:
    """Positions of the borrowers whom two portfolios share, and of those who are in one alone."""

    before: Integers
    """(common,) positions in the first."""
    after: Integers
    """(common,) positions in the second."""
    dropped: Integers
    """Positions in the first of who is not in the second."""
    added: Integers


def match(before: Portfolio, after: Portfolio) -> Matching:
    """Borrowers by identifier."""
    everybody, nobody = np.arange(len(before)), np.zeros(0, dtype=np.int64)
    if np.array_equal(before.borrower_id, after.borrower_id):
        return Matching(everybody, everybody, nobody, nobody)
    place = pd.Index(before.borrower_id).get_indexer(pd.Index(after.borrower_id))
    common = np.flatnonzero(place >= 0)
    dropped = np.setdiff1d(everybody, place[common], assume_unique=True)
    return Matching(place[common], common, dropped, np.flatnonzero(place < 0))


def scenario_differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Keys of two resolved documents with other values, in the order of the files; limits by their names.

    A limit that only one of them has is one difference. The name of a scenario is none, nor is what it may
    only be asked about.
    """
    aside = ("name",) if names_stresses(before) or names_stresses(after) else ("name", "stresses")
    ours, theirs = (dict(_leaves("", document)) for document in (before, after))
    entries = {key for side in (ours, theirs) for key, value in side.items() if isinstance(value, Mapping)}
    alone = {key for key in entries if key not in ours or key not in theirs}
    return tuple(
        Difference(key, ours.get(key), theirs.get(key))
        for key in dict.fromkeys([*ours, *theirs])
        if ours.get(key) != theirs.get(key)
        and key.partition(".")[0] not in aside
        and not _said_already(key, entries, alone)
    )


def alone_in_strategy(differences: Iterable[Difference]) -> bool:
    """Whether nothing but the strategy differs."""
    return all(difference.key.startswith("strategy") for difference in differences)


def terms_of(differences: Iterable[Difference]) -> tuple[str, ...]:
    """The keys, without what is below them, that change what offers are worth or what is counted."""
    terms = (
        term for difference in differences for term in _TERMS if f"{difference.key}.".startswith(f"{term}.")
    )
    return tuple(dict.fromkeys(terms))


def _said_already(key: str, entries: set[str], alone: set[str]) -> bool:
    """Whether a limit's difference is told as a whole, or by its keys, elsewhere."""
    within = key.rpartition("].")[0] + "]"
    return key in entries - alone or within in alone


def names_stresses(document: Mapping[str, Any]) -> bool:
    """Whether the value depends on named stresses: by a mean, by their worst, or by a limit under one."""
    limits = document.get("policy", {}).get("limits") or []
    of_several = (document.get("stress") or {}).keys() & {"mean_of", "worst_of"}
    return bool(of_several) or any(limit.get("under") for limit in limits)


def _leaves(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Keys with their values, a limit under its name as a whole and by its own keys."""
    if isinstance(value, Mapping):
        for name, entry in value.items():
            yield from _leaves(f"{key}.{name}" if key else str(name), entry)
    elif key == "policy.limits":
        for limit in value:
            rest = {name: entry for name, entry in limit.items() if name != "name"}
            yield f"{key}[{limit['name']}]", rest
            yield from _leaves(f"{key}[{limit['name']}]", rest)
    else:
        yield key, value


def borrower_changes(
    before: Portfolio, after: Portfolio, churn: tuple[ChurnTable, ChurnTable], matching: Matching
) -> BorrowerChanges:
    """What the second portfolio, and the second of `churn`, have that the first have otherwise."""
    return BorrowerChanges(
        added=len(matching.added),
        dropped=len(matching.dropped),
        added_requests=_finite_sum(after.max_amount[matching.added]),
        dropped_requests=_finite_sum(before.max_amount[matching.dropped]),
        columns=tuple(_column_changes(before, after, matching)),
        churn=_largest_change(*churn),
    )


def _column_changes(before: Portfolio, after: Portfolio, matching: Matching) -> Iterator[ColumnChange]:
    texts = {"grade": (before.grade, after.grade)}
    texts |= {name: (before.texts[name], after.texts[name]) for name in before.texts if name in after.texts}
    for name, (ours, theirs) in texts.items():
        changed = _words(ours)[matching.before] != _words(theirs)[matching.after]
        if np.any(changed):
            yield ColumnChange(name, int(np.count_nonzero(changed)), None, None)
    excluded = before.exclude[matching.before], after.exclude[matching.after]
    if np.any(excluded[0] != excluded[1]):
        yield _numbers("exclude", excluded[0].astype(float), excluded[1].astype(float))
    for name in (*_NUMBERS, *sorted(set(before.numbers) & set(after.numbers) - set(_NUMBERS))):
        ours_at, theirs_at = before.number(name)[matching.before], after.number(name)[matching.after]
        if np.any(_differs(ours_at, theirs_at)):
            yield _numbers(name, ours_at, theirs_at)


def _numbers(name: str, before: Floats, after: Floats) -> ColumnChange:
    changed = _differs(before, after)
    sums = _finite_sum(before[changed]), _finite_sum(after[changed])
    return ColumnChange(name, int(np.count_nonzero(changed)), *sums)


def _differs(before: Floats, after: Floats) -> Booleans:
    return np.asarray((before != after) & ~(np.isnan(before) & np.isnan(after)))


def _words(text: Text) -> np.ndarray:
    return np.array([*text.values, ""], dtype=object)[text.codes]


def _finite_sum(values: Floats) -> float:
    return float(np.sum(values[np.isfinite(values)]))


def _largest_change(before: ChurnTable, after: ChurnTable) -> float:
    if before.churn.keys() != after.churn.keys() or not np.array_equal(before.rates, after.rates):
        return float("nan")
    gaps = [np.max(np.abs(before.churn[grade] - after.churn[grade]), initial=0.0) for grade in before.churn]
    return float(max(gaps, default=0.0))
