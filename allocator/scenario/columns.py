"""Columns that `portfolio.columns` and `portfolio.defaults` may name.

They are the canonical ones and those that a limit or the stress uses; any other key is a slip that
would be passed over in silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from pydantic_core import PydanticCustomError

from allocator.errors import Fault
from allocator.records.columns import COLUMNS
from allocator.records.misfits import findings_of
from allocator.records.nodes import LIMITS, Location, Node
from allocator.scenario.limit_schema import RANGE_ENDS
from allocator.scenario.quantities import quantity
from allocator.scenario.stress_schema import FACTOR, INDUSTRY
from allocator.scenario.stressing import LIMITS_FIGURE, stress_nodes

_NAMES = {"columns": [c.name for c in COLUMNS], "defaults": [c.name for c in COLUMNS[1:]]}
_LATER = ("group",)


def column_faults(tree: Node) -> Iterator[Fault]:
    """What is wrong with the columns that `tree` names; whatever else is wrong with it."""
    used = dict(
        [
            *(used_column for _, stress in stress_nodes(tree) for used_column in _used_by_stress(stress)),
            *_used(tree),
            *_used_by_capital(tree),
        ]
    )
    for section, canonical in _NAMES.items():
        place: Location = ("portfolio", section)
        node = tree.find(place)
        for key, value in (node.entries if node is not None else {}).items():
            if key in _LATER:
                remedy = "leave it out; limits read the source's columns by their own names"
                yield tree.fault((*place, key), f"{key} is not yet supported", remedy)
            elif key not in canonical and key not in used:
                yield tree.fault((*place, key), *_stray(key, [*canonical, *used]))
            elif section == "defaults" and key not in canonical and used[key]:
                yield from _number_faults(tree, (*place, key), value)


def _used(tree: Node) -> Iterator[tuple[str, bool]]:
    """Columns that the ticket and the limits name, and whether they read them as numbers."""
    step = tree.find(("policy", "ticket", "step", "column"))
    if step is not None and isinstance(step.value, str):
        yield step.value, True
    keep = tree.find(("policy", "changes", "keep", "where"))
    for name, test in (keep.entries if keep is not None else {}).items():
        yield name, bool(test.entries.keys() & RANGE_ENDS)
    limits = tree.find(LIMITS)
    for entry in limits.items if limits is not None else ():
        for key in ("each", "by", "weight"):
            column = entry.child(key)
            if column is not None and isinstance(column.value, str):
                yield column.value, key == "weight"
        where = entry.child("where")
        for name, test in (where.entries if where is not None else {}).items():
            yield name, bool(test.entries.keys() & RANGE_ENDS)


def _used_by_capital(tree: Node) -> Iterator[tuple[str, bool]]:
    """The columns of sectors and of classes, and that of numbers which capital of small firms reads."""
    sector = tree.find(("policy", "tail", "sectors", "column"))
    if sector is not None and isinstance(sector.value, str):
        yield sector.value, False
    rule = tree.find(("policy", "capital"))
    known = {key: node.value for key, node in rule.entries.items()} if rule is not None else {}
    column = known.get("asset_class_by")
    if isinstance(column, str):
        yield column, False
    if known.get("asset_class") == "sme" or column is not None:
        yield str(known.get("turnover", "turnover")), True


def _used_by_stress(stress: Node) -> Iterator[tuple[str, bool]]:
    """Columns that a stress names, and whether it reads them as numbers."""
    for figure, shock in stress.entries.items():
        cases = None if figure == LIMITS_FIGURE else shock.child("where")
        for case in cases.items if cases is not None else ():
            for name, test in case.entries.items():
                if name != FACTOR:
                    yield name, bool(test.entries.keys() & RANGE_ENDS)
    if stress.child("file") is not None:
        column = stress.child("column")
        yield (column.value if column is not None and isinstance(column.value, str) else INDUSTRY), False


def _stray(key: str, known: list[str]) -> tuple[str, str]:
    """Problem and remedy of a key that names no column of use."""
    near = get_close_matches(key, known, n=1)
    remedy = f"did you mean {near[0]}?" if near else f"the keys here are {', '.join(known)}"
    return f"unknown key {key!r}, which no limit or stress uses either", remedy


def _number_faults(tree: Node, place: Location, value: Node) -> Iterator[Fault]:
    """Why the default of a column that a limit reads as numbers is none."""
    try:
        quantity(value.plain())
    except PydanticCustomError as error:
        for finding in findings_of(error.context):
            yield tree.fault(place, finding.problem, finding.remedy)
