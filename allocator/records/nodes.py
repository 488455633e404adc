"""What was written: every value remembers the file, the line and the folder it comes from."""

from __future__ import annotations

import numbers
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from allocator.errors import Fault

Scalar = str | int | float | bool | None
Step = str | int
Location = tuple[Step, ...]
"""Keys of mappings and positions in lists (from 0), from the root down."""

LIMITS: Location = ("policy", "limits")
"""The one list whose entries have names: they merge and are addressed by name."""


@dataclass(frozen=True)
class Origin:
    """Where a value was written; `folder` is what a relative path in it starts from."""

    file: str | None
    """The file as people know it, `--set`, or None for a mapping built in Python."""
    line: int | None
    folder: Path
    cell: str | None = None
    """In a workbook: Scenario!B7."""


@dataclass(frozen=True)
class Node:
    """A value with its origin; numbers from YAML stay text until a field reads them as numbers.

    So a sector written 001 stays "001", and one place decides what a number is.
    """

    value: Scalar | Mapping[str, Node] | tuple[Node, ...]
    origin: Origin

    @property
    def entries(self) -> Mapping[str, Node]:
        """The entries of a mapping; none for anything else."""
        return self.value if isinstance(self.value, Mapping) else {}

    @property
    def items(self) -> tuple[Node, ...]:
        """The items of a list; none for anything else."""
        return self.value if isinstance(self.value, tuple) else ()

    def child(self, step: Step) -> Node | None:
        """The entry or item at `step`, if there is one."""
        if isinstance(step, str):
            return self.entries.get(step)
        return self.items[step] if step < len(self.items) else None

    def path_to(self, location: Location) -> Iterator[Node]:
        """The nodes from this one towards `location`, as far as they exist."""
        node = self
        yield node
        for step in location:
            below = node.child(step)
            if below is None:
                return
            node = below
            yield node

    def find(self, location: Location) -> Node | None:
        """The node at `location`, if there is one."""
        nodes = list(self.path_to(location))
        return nodes[-1] if len(nodes) > len(location) else None

    def plain(self) -> Any:
        """The value as nested dicts, lists and scalars."""
        if isinstance(self.value, Mapping):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, tuple):
            return [node.plain() for node in self.value]
        return self.value

    def put(self, location: Location, node: Node) -> Node:
        """This tree with `node` at `location`, whose parents are existing mappings."""
        if not location:
            return node
        step, rest = str(location[0]), location[1:]
        return replace(self, value={**self.entries, step: self.entries[step].put(rest, node)})

    def fault(self, location: Location, problem: str, remedy: str) -> Fault:
        """The fault at `location` of this tree: its line is that of the last node that exists there."""
        *_, last = self.path_to(location)
        field = self.spell(location) or None
        origin = last.origin
        return Fault(problem, remedy, file=origin.file, line=origin.line, field=field, cell=origin.cell)

    def spell(self, location: Location) -> str:
        """`location` as people write it: policy.limits[A line].at_most, policy.rates.A[#2]."""
        text = ""
        for depth, step in enumerate(location):
            if isinstance(step, str):
                text += f".{step}" if text else step
                continue
            name = self._name_at(location[:depth], step)
            text += f"[#{step + 1}]" if name is None else f"[{name}]"
        return text

    def _name_at(self, place: Location, step: int) -> str | None:
        """The name of item `step` of the list at `place`: of a limit, or of what a list at the top of a
        document holds, if no other there has it; None where it is told by its number."""
        held = self.find(place)
        names = [entry_name(item) for item in (held.items if held is not None else ())]
        name = names[step] if step < len(names) else None
        return name if place == LIMITS or (len(place) == 1 and name and names.count(name) == 1) else None


def entry_name(entry: Node | None) -> str | None:
    """The name of an entry of a list, where it has one."""
    name = None if entry is None else entry.child("name")
    return name.value if name is not None and isinstance(name.value, str) else None


def from_plain(value: object, origin: Origin) -> Node:
    """The tree of a value built in Python: mappings, lists, arrays, numbers, texts, paths.

    Anything else stays as its type's name in angle brackets, which no field accepts as a number.
    """
    if isinstance(value, Mapping):
        return Node({str(key): from_plain(entry, origin) for key, entry in value.items()}, origin)
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):  # without loading NumPy for it
        return from_plain(value.tolist(), origin)
    if isinstance(value, list | tuple):
        return Node(tuple(from_plain(item, origin) for item in value), origin)
    if value is None or isinstance(value, bool | str):
        return Node(value, origin)
    if isinstance(value, numbers.Integral):
        return Node(int(value), origin)
    if isinstance(value, numbers.Real | Decimal):
        return Node(float(value), origin)
    return Node(str(value) if isinstance(value, Path) else f"<{type(value).__name__}>", origin)
