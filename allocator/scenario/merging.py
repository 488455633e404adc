"""A file and the files that it extends, merged into one tree."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from allocator.errors import Fault
from allocator.records.document import Place
from allocator.records.frames import Frame
from allocator.records.misfits import describe
from allocator.records.nodes import LIMITS, Location, Node, entry_name
from allocator.scenario.paths import expand, unset_variable_faults
from allocator.scenario.places import KINDS, REQUIRED
from allocator.scenario.reading import read_file

WORKBOOK = ".xlsx"
"""How a scenario's file ends that is no text."""


@dataclass
class MergedChain:
    """What reading a chain of files gathers."""

    faults: list[Fault] = field(default_factory=list)
    complete: bool = True
    """False where a file could not be read, so that what is missing may stand in it."""
    frames: dict[Place, Frame] = field(default_factory=dict)
    """What of a workbook stands for files."""


def read_chain(path: Path, label: str, merged: MergedChain) -> Node | None:
    """The tree of the file at `path` over those it extends; None where it cannot be read."""
    return _chain(path, label, (), merged)


def resolve_extends(tree: Node, merged: MergedChain, chain: Sequence[tuple[Path, str]] = ()) -> Node:
    """`tree` over the file that its key `extends` names, and without that key.

    `chain` holds the files (and their labels) that lead to this one, itself included.
    """
    own = replace(tree, value={key: node for key, node in tree.entries.items() if key != "extends"})
    _check_file(own, merged.faults)
    written = tree.child("extends")
    if written is None or written.value is None:
        return own
    parent = _parent(tree, written, chain, merged)
    if parent is None:
        merged.complete = False
        return own
    # A name belongs to the file that gives it: an heir is another scenario.
    inherited = {key: node for key, node in parent.entries.items() if key != "name"}
    return merge(replace(parent, value=inherited), own)


def merge(under: Node, over: Node, place: Location = ()) -> Node:
    """`over` laid on `under`: mappings merge deeply, `policy.limits` by name, all else replaces.

    null takes an optional key back, an empty list of limits all of them; a mapping of another kind (a parquet
    source over a csv one) replaces the whole.
    """
    if isinstance(under.value, Mapping) and isinstance(over.value, Mapping):
        if over.value.keys() & KINDS.get(place, frozenset()) - under.value.keys():
            return over
        entries = dict(under.value)
        for key, node in over.value.items():
            if node.value is None and key in entries and (*place, key) not in REQUIRED:
                del entries[key]
            else:
                entries[key] = merge(entries[key], node, (*place, key)) if key in entries else node
        # What has no line, as --set, adds to a mapping that stands where it stood.
        return replace(under if over.origin.line is None else over, value=entries)
    if place == LIMITS and isinstance(under.value, tuple) and over.items:
        return replace(over, value=_merge_limits(under.items, over.items))
    return over


def _merge_limits(under: Sequence[Node], over: Sequence[Node]) -> tuple[Node, ...]:
    """Limits of the same name merge where the first one stands; new ones follow."""
    result = list(under)
    places = {entry_name(entry): place for place, entry in enumerate(under)}
    for entry in over:
        place = places.get(entry_name(entry)) if entry_name(entry) is not None else None
        if place is None:
            result.append(entry)
        else:
            result[place] = merge(result[place], entry, LIMITS)
    return tuple(result)


def _chain(path: Path, label: str, above: tuple[tuple[Path, str], ...], merged: MergedChain) -> Node | None:
    tree = _read(path, label, merged)
    if tree is None:
        merged.complete = False
        return None
    return resolve_extends(tree, merged, (*above, (path.resolve(), label)))


def _read(path: Path, label: str, merged: MergedChain) -> Node | None:
    """The tree of a YAML file, or of a workbook, whose frames are gathered."""
    if path.suffix.lower() != WORKBOOK or path.is_dir():
        return read_file(path, label, merged.faults)
    from allocator.scenario.workbook import read_workbook  # and with it what reads tables

    tree, frames = read_workbook(path, label, merged.faults)
    merged.frames |= frames
    return tree


def _parent(tree: Node, written: Node, chain: Sequence[tuple[Path, str]], merged: MergedChain) -> Node | None:
    """The tree of the file that `written`, the value of `extends`, names."""
    place: Location = ("extends",)
    if not isinstance(written.value, str):
        merged.faults.append(
            tree.fault(place, "expected the path of a scenario file", "write one path as text")
        )
        return None
    name, missing = expand(written.value)
    if missing:
        merged.faults += unset_variable_faults(tree, place, missing)
        return None
    path = written.origin.folder / name
    beside = os.path.dirname(chain[-1][1]) if chain else ""
    label = os.path.normpath(os.path.join(beside, name))
    if not os.path.exists(path):
        remedy = f"check the path, which starts from {written.origin.folder}"
        merged.faults.append(tree.fault(place, f"{written.value} does not exist", remedy))
        return None
    if path.resolve() in [known for known, _ in chain]:
        shown = " -> ".join([*(earlier for _, earlier in chain), label])
        merged.faults.append(tree.fault(place, f"the files extend one another: {shown}", "break the circle"))
        return None
    return _chain(path, label, tuple(chain), merged)


def _check_file(own: Node, faults: list[Fault]) -> None:
    """What must hold in each file by itself, as merging would hide it."""
    schema = own.child("schema")
    if schema is not None and str(schema.value) != "1":
        faults.append(
            own.fault(
                ("schema",), f"schema {describe(schema.value)} is not known, expected 1", "write `schema: 1`"
            )
        )
    limits = own.find(LIMITS)
    names = [entry_name(entry) for entry in limits.items] if limits is not None else []
    for place, name in enumerate(names):
        if name is not None and name in names[:place]:
            location = (*LIMITS, place, "name")
            faults.append(
                own.fault(location, f"two limits are named {name!r}", "give each limit its own name")
            )
