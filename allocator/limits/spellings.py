"""Values that differ by blanks or capitals alone, and so count as different: rarely meant."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping

import numpy as np

from allocator.records.portfolio import Portfolio, Text
from allocator.records.scenario import Policy

_MOST_VALUES = 20_000
"""A column of more values than this names borrowers rather than groups of them."""
_MOST = 5
"""Notes a column."""


def spellings(portfolio: Portfolio, policy: Policy) -> tuple[str, ...]:
    """One note a set of such values: of the grades, with those of the policy, and of limits' columns."""
    asked: dict[str, set[str]] = {"grade": set(policy.rates)}
    for condition in (condition for limit in policy.limits for condition in limit.where):
        asked.setdefault(condition.column, set()).update(condition.values)
    columns: Mapping[str, Text] = {"grade": portfolio.grade, **portfolio.texts}
    return tuple(
        note
        for name, column in columns.items()
        if len(column.values) <= _MOST_VALUES
        for note in _notes(name, column, asked.get(name, set()))
    )


def _notes(name: str, column: Text, asked: set[str]) -> Iterator[str]:
    alike: dict[str, list[str]] = {}
    for value in sorted({*column.values, *asked}):
        alike.setdefault(_folded(value), []).append(value)
    groups = [values for values in alike.values() if len(values) > 1]
    counts: dict[str, int] = {}
    if groups:
        numbers = np.bincount(column.codes[column.codes >= 0], minlength=len(column.values))
        counts = dict(zip(column.values, numbers.tolist(), strict=True))
    for values in groups[:_MOST]:
        listed = ", ".join(f"{value!r} ({_borrowers(counts.get(value, 0))})" for value in values)
        yield f"column {name}: {listed} differ by blanks or capitals alone and are not the same"
    if len(groups) > _MOST:
        yield f"column {name}: {len(groups) - _MOST:,} more values differ so"


def _folded(value: str) -> str:
    return "".join(unicodedata.normalize("NFKC", value).casefold().split())


def _borrowers(count: int) -> str:
    return "the policy's" if not count else f"{count:,} borrower{'' if count == 1 else 's'}"
