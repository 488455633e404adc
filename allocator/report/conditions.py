"""Whom a rule or a stress is about, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from allocator.records.conditions import Condition
from allocator.records.percentages import as_percentage

FEW = 3
"""Values that are named one by one, even where those left out are fewer."""
_PERCENTAGES = ("pd", "lgd")
_NAMES = {"pd": "PD", "lgd": "LGD", "max_amount": "request"}
_WORDS = {"above": "above", "at_least": "at least", "below": "below", "at_most": "up to"}


def in_words(where: Iterable[Condition], values: Mapping[str, tuple[str, ...]]) -> str:
    """`grade A or B and PD above 1.2% up to 2.24%`; of many `values` of a column those left out are named."""
    return " and ".join(_test_in_words(condition, values) for condition in where) or "everyone"


def as_told(where: Iterable[Mapping[str, Any]]) -> list[Condition]:
    """Conditions as JSON has them."""
    return [Condition(**{**entry, "values": tuple(entry.get("values", ()))}) for entry in where]


def in_brief(who: str, told: Iterable[Condition], room: int) -> str:
    """`who` in at most about `room` letters; of a longer one many values are counted, `sector one of 23`."""
    if len(who) <= room:
        return who
    counted = [
        f"{_called(condition.column)} one of {len(condition.values)}"
        if len(condition.values) > FEW
        else in_words([condition], {})
        for condition in told
    ]
    return " and ".join(counted)


def _test_in_words(condition: Condition, values: Mapping[str, tuple[str, ...]]) -> str:
    if not condition.is_range:
        others = [value for value in values.get(condition.column, ()) if value not in condition.values]
        if 0 < len(others) < len(condition.values) and len(condition.values) > FEW:
            return f"{_called(condition.column)} other than {' or '.join(others)}"
        return f"{_called(condition.column)} {' or '.join(condition.values)}"
    ends = [f"{_WORDS[key]} {_number(condition.column, end)}" for key, end in condition.ends.items()]
    return f"{_called(condition.column)} {' '.join(ends)}"


def _called(column: str) -> str:
    """What a column is called among people."""
    return _NAMES.get(column, column)


def _number(column: str, edge: float) -> str:
    return as_percentage(edge) if column in _PERCENTAGES else f"{edge:,.12g}"
