"""What a limit that counts groups together cannot say: one on the Herfindahl index, or on the largest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from allocator.records.cuts import HHI, beside_a_list, on_what
from allocator.records.misfits import Misfit

EXPOSURES = ("offered", "drawn", "expected_loss")
"""What the largest groups may be counted by."""
_NOT_INDEX = ("weight", "where", "each", "at_least", "exactly", "under", "if_lent_to")
_NOT_LARGEST = ("weight", "each", "at_least", "exactly", "under", "if_lent_to")


class Entry(Protocol):
    """A limit as it is typed."""

    measure: str
    of: Any
    by: str | None
    top: int | None
    at_most: float | None
    enforce: Any


def grouped_misfits(entry: Entry) -> list[Misfit]:
    """What does not go with how a limit counts groups together, or with counting none."""
    if entry.top is not None:
        return largest_misfits(entry)
    return index_misfits(entry) if entry.measure == HHI else ungrouped_misfits(entry)


def ungrouped_misfits(entry: Entry) -> list[Misfit]:
    """Why a limit that counts no groups together has a column of them."""
    if entry.by is None:
        return []
    problem = f"by groups a Herfindahl index, or the largest, the measure is {entry.measure}"
    return [Misfit(problem, "write measure: hhi, or top: 10, or leave `by` out", ("by",))]


def index_misfits(entry: Entry) -> list[Misfit]:
    """What does not go with a limit on the Herfindahl index."""
    wrong = [*_beside(entry, _NOT_INDEX, "a Herfindahl index")]
    if entry.by is None:
        wrong.append(Misfit("a Herfindahl index of which groups is not said", "add `by: sector`"))
    if entry.of not in ("total", "budget"):
        problem = "the shares of a Herfindahl index are those of everything offered, or of the budget"
        wrong.append(Misfit(problem, "write `of: total` or `of: budget`", ("of",) if entry.of else ()))
    wrong += _soft(entry, "a Herfindahl index")
    if entry.at_most == 0:
        wrong.append(Misfit("no groups have a Herfindahl index of 0", "write at_most: 15%", ("at_most",)))
    return wrong


def largest_misfits(entry: Entry) -> list[Misfit]:
    """What does not go with a limit on the largest."""
    wrong = [*_beside(entry, _NOT_LARGEST, "the largest")]
    if entry.measure not in EXPOSURES:
        problem = f"the largest are counted by {', '.join(EXPOSURES[:-1])} or {EXPOSURES[-1]}"
        remedy = "write measure: offered, or leave top out"
        wrong.append(Misfit(f"{problem}, not by {entry.measure}", remedy, ("measure",)))
    if entry.of == "former":
        problem = "a share of what the former run's offers come to is not yet one of the largest"
        wrong.append(Misfit(problem, "write another `of`, as total", ("of",)))
    wrong += _soft(entry, "the largest")
    if entry.at_most == 0:
        wrong.append(Misfit("the largest loans come to more than 0", "write at_most: 15%", ("at_most",)))
    return wrong


def listed_misfits(limits: Iterable[Entry], convex: tuple[str | None, ...]) -> list[Misfit]:
    """Which limits no row says, those by the measures `convex` among them, beside a price list."""
    return [
        Misfit(*beside_a_list(limit.measure, limit.top), (place, "top" if limit.top else "measure"))
        for place, limit in enumerate(limits)
        if limit.top or limit.measure in convex
    ]


def kinds_by_cuts(limits: Iterable[Entry], convex: tuple[str | None, ...]) -> list[str]:
    """What limits that no row says are on, in words, each once."""
    told = (on_what(own.measure, own.top) for own in limits if own.top or own.measure in convex)
    return list(dict.fromkeys(told))


def _beside(entry: Entry, keys: Iterable[str], what: str) -> Iterable[Misfit]:
    for key in keys:
        if getattr(entry, key) is not None:
            yield Misfit(f"{key} says nothing of {what}", f"leave {key} out", (key,))


def _soft(entry: Entry, what: str) -> list[Misfit]:
    if entry.enforce == "hard":
        return []
    problem = f"a limit that is soft or only reported is not yet one on {what}"
    return [Misfit(problem, "leave enforce out", ("enforce",))]
