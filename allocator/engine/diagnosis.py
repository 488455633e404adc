"""Every conflict among limits that matters, and the smallest sets of bounds that end them all.

Conflicts and what ends them determine one another (Reiter, 1987): a set of bounds that has one of each
conflict either ends all of them, or what is left without it holds a conflict not known yet. A deletion
filter (Chinneck and Dravnieks, 1991) thins each to rows of which none can be left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from allocator.engine.elastic import Elastic
from allocator.engine.solving import OutOfTimeError

_MOST_CONFLICTS = 8
_MOST_CURES = 24
"""Sets that are looked at, small ones first."""


@dataclass(frozen=True)
class Diagnosis:
    """What cannot hold in the relaxation; empty where only whole offers, or whole lots, do not fit."""

    conflicts: tuple[tuple[int, ...], ...]
    """Rows of each, ascending: they cannot hold together, and without any one of them they can."""
    cures: tuple[frozenset[int], ...]
    """Smallest sets of bounds, by place, without whose rows the rest can hold; small ones first."""

    stopped: bool = False
    """Whether the clock ended the search: there may be more."""

    def ends(self, entry: int) -> bool:
        """Whether the rest can hold without the rows of this bound alone."""
        return frozenset({int(entry)}) in self.cures


def diagnose(elastic: Elastic, suspects: Sequence[int] = ()) -> Diagnosis:
    """The conflicts among the limits of `elastic`, one among `suspects` (rows) first, and what ends them."""
    conflicts: list[tuple[int, ...]] = []
    cures: set[frozenset[int]] = set()
    stopped = False
    try:
        _fill(elastic, suspects, conflicts, cures)
    except OutOfTimeError:
        stopped = True
    ends = [cure for cure in cures if cure] if conflicts else []
    ends = sorted(ends, key=lambda cure: (len(cure), sorted(cure)))
    return Diagnosis(tuple(conflicts), tuple(ends), stopped)


def _fill(
    elastic: Elastic,
    suspects: Sequence[int],
    conflicts: list[tuple[int, ...]],
    cures: set[frozenset[int]],
) -> None:
    entry = elastic.bounds.entry
    first = elastic.support(suspects)
    if first is not None:
        conflicts.append(_irreducible(elastic, first))
    while len(conflicts) < _MOST_CONFLICTS:
        of_entries = [frozenset(int(entry[j]) for j in rows) for rows in conflicts]
        support = None
        for cure in _hitting_sets(of_entries)[:_MOST_CURES]:
            if cure not in cures:
                support = elastic.support(j for j in range(elastic.rows) if int(entry[j]) not in cure)
                if support is not None:
                    break
                cures.add(cure)
        if support is None:
            break
        conflicts.append(_irreducible(elastic, support))


def _irreducible(elastic: Elastic, rows: frozenset[int]) -> tuple[int, ...]:
    """Rows among `rows`, which cannot hold together, of which each is needed for that."""
    needed: set[int] = set()
    left = set(rows)
    while open_rows := sorted(left - needed):
        without = elastic.support(left - {open_rows[0]})
        if without is None:
            needed.add(open_rows[0])
        else:
            left = set(without)
    return tuple(sorted(left))


def _hitting_sets(sets: Sequence[frozenset[int]]) -> list[frozenset[int]]:
    """The smallest sets that have an element of each of `sets`, by size: of none, the empty one."""
    hitting = [frozenset[int]()]
    for members in sets:
        hit = [known for known in hitting if known & members]
        wider = [known | {element} for known in hitting if not known & members for element in members]
        hitting = _minimal([*hit, *wider])
    return hitting


def _minimal(sets: Iterable[frozenset[int]]) -> list[frozenset[int]]:
    kept: list[frozenset[int]] = []
    for members in sorted(set(sets), key=lambda element: (len(element), sorted(element))):
        if not any(smaller <= members for smaller in kept):
            kept.append(members)
    return kept
