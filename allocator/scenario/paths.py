"""Paths in a scenario: ${VARIABLES}, the folder that they start from, and whether the file is there."""

from __future__ import annotations

import os
import re
from collections.abc import Container
from dataclasses import replace
from pathlib import Path

from allocator.errors import Fault
from allocator.records.document import DATABASE_FILE, SOURCE, URL, in_address, split
from allocator.records.former import FORMER
from allocator.records.nodes import Location, Node
from allocator.records.sources import TABLE_KINDS, TableKind, kind_of
from allocator.scenario.places import paths_of

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_FOLDER = re.compile(r"\$\{[^}]*\}(?:/|$)")


def expand(text: str) -> tuple[str, tuple[str, ...]]:
    """`text` with its ${VARIABLES} filled in, and the variables that are not set or empty."""
    names = _VARIABLE.findall(text)
    missing = tuple(dict.fromkeys(name or "${}" for name in names if not os.environ.get(name)))
    return _VARIABLE.sub(lambda match: os.environ.get(match[1], ""), text), missing


def unset_variable_faults(tree: Node, location: Location, missing: tuple[str, ...]) -> list[Fault]:
    """The faults of variables that the text at `location` names and that are not set."""
    remedy = "set it before you start the command"
    problems = [f"environment variable {name} is not set or empty" for name in missing]
    return [tree.fault(location, problem, remedy) for problem in problems]


def anchor(tree: Node, held: Container[Location] = ()) -> tuple[Node, list[Fault]]:
    """`tree` with every path made absolute, its ${VARIABLES} kept, and what is wrong with them.

    A path starts from the folder of the file that wrote it, so nothing downstream needs to know
    which file that was; a SQLite database's does too. Only ${FOLDER}/x, its first part a whole variable,
    starts where the shell would have it start: a relative ${FOLDER} starts from the working directory.
    At the places `held` stand the names of frames, which no folder holds yet.
    """
    faults: list[Fault] = []
    for location in (*paths_of(tree.plain()), URL):
        node = tree.find(location)
        if location in held or node is None or not isinstance(node.value, str) or not node.value:
            continue
        text, missing = expand(node.value)
        faults += unset_variable_faults(tree, location, missing)
        if missing:
            continue
        if location == URL:
            address = _absolute_address(node.value, node.origin.folder.resolve())
            tree = tree.put(location, replace(node, value=address))
            continue
        folder = Path.cwd() if _FOLDER.match(node.value) else node.origin.folder
        faults += _missing_path_fault(tree, location, node, folder / text, folder)
        tree = tree.put(location, replace(node, value=absolute(node.value, folder.resolve())))
    return tree, faults


def offers_in(path: Path) -> Path:
    """The table of offers that `path` names: itself, or the allocation of the run whose folder it is."""
    if not os.path.isdir(path):
        return path
    kinds = (path / f"allocation{ending}" for ending in (".csv", ".parquet"))
    return next((table for table in kinds if os.path.isfile(table)), path / "allocation.csv")


def absolute(raw: str, folder: Path) -> str:
    """`raw`, its ${VARIABLES} kept, as an absolute path: as it is where a variable says where it starts."""
    head, tail = split(raw)
    if not head and (_FOLDER.match(raw) or os.path.isabs(expand(raw)[0])):
        return raw
    return os.path.join(os.path.normpath(folder / head), tail).rstrip("/")


def _absolute_address(raw: str, folder: Path) -> str:
    """A database's address; where it names a file, as SQLite's does, that as an absolute path."""
    match = DATABASE_FILE.fullmatch(raw)
    return raw if match is None else match[1] + absolute(match[2], in_address(folder)) + match[3]


def _missing_path_fault(tree: Node, location: Location, node: Node, path: Path, folder: Path) -> list[Fault]:
    """The fault of a path that names no file; shown as typed, as a variable may hold a secret.

    Some tables may come as a folder of parts; whether there are any is the reader's to see.
    """
    if location[0] == FORMER and os.path.isdir(path):
        if os.path.isfile(offers_in(path)):
            return []
        problem, remedy = f"{node.value} holds no allocation", "name the folder of a run, or a file of offers"
        return [tree.fault(location, problem, remedy)]
    kinds: dict[Location, TableKind] = {(*SOURCE, kind.name): kind for kind in TABLE_KINDS}
    kinds[SOURCE] = kind_of(path.name)
    parts = location in kinds and kinds[location].folder
    if os.path.isfile(path) or (parts and os.path.isdir(path)):
        return []
    state = "is a folder, expected a file" if os.path.isdir(path) else "does not exist"
    remedy = f"check the path, which starts from {folder}"
    return [tree.fault(location, f"{node.value} {state}", remedy)]
