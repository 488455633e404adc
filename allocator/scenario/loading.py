"""From a scenario file, or a mapping in Python, to a checked scenario; and back to a file."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from allocator.errors import Fault, InputError
from allocator.records.document import Place, seen_from
from allocator.records.frames import Frame
from allocator.records.nodes import Node, Origin, from_plain
from allocator.records.scenario import Scenario
from allocator.scenario.building import build
from allocator.scenario.columns import column_faults
from allocator.scenario.faults import faults_of
from allocator.scenario.merging import MergedChain, merge, read_chain, resolve_extends
from allocator.scenario.overrides import PLACE, Sets, overlay, override
from allocator.scenario.paths import anchor
from allocator.scenario.schema import ScenarioFile
from allocator.scenario.stressing import limit_faults, named_faults

# Words, paths and ${VARIABLES}; what of them YAML would not read as text its writer puts in quotes.
_SIMPLE = re.compile(r"(?:[\w./$][\w ./${}-]*)?[\w./}]")


@dataclass(frozen=True)
class Changes:
    """What is laid over a scenario before it is checked."""

    sets: Sets = ()
    frames: Mapping[Place, Frame] = field(default_factory=dict)
    """Tables in memory, in the place of files."""
    place: str = PLACE
    """What faults call the sets."""


def load_scenario(path: str | Path, sets: Sequence[str] = (), changes: Changes | None = None) -> Scenario:
    """The scenario in the YAML file at `path`, merged with those that it extends.

    `sets` are overrides as the command line has them, as policy.budget.amount=5e7; `changes` stand for them
    and more. Raises InputError with every fault of the file, its parents and the overrides.
    """
    path = Path(path)
    merged = MergedChain()
    tree = read_chain(path, str(path), merged)
    if tree is None:
        raise InputError.of(merged.faults, str(path))
    return _check(
        tree, merged, changes or Changes(sets), subject=str(path), name=path.stem, path=path.absolute()
    )


def load_document(
    document: Mapping[str, Any],
    folder: str | Path,
    name: str = "scenario",
    changes: Changes | None = None,
) -> Scenario:
    """The scenario that `document`, a file's content as mappings, states.

    Relative paths start from `folder`; `name` is for a document that gives none. Raises InputError
    with every fault.
    """
    merged = MergedChain()
    tree = from_plain(document, Origin(None, None, Path(folder)))
    tree = resolve_extends(tree, merged)
    subject = "scenario" if name == "scenario" else f"scenario {name}"
    return _check(tree, merged, changes or Changes(), subject=subject, name=name, path=None)


def dump_scenario(scenario: Scenario, folder: str | Path) -> str:
    """The resolved scenario as YAML text for a file in `folder`.

    Paths are relative to `folder`, ${VARIABLES} stand as they were typed, and load_scenario reads an
    equal scenario from it.
    """
    text = io.StringIO()
    yaml = YAML()
    yaml.width = 100
    yaml.dump(_laid_out(seen_from(scenario.document, scenario.paths, Path(folder))), text)
    return text.getvalue()


def _laid_out(value: Any) -> Any:
    """`value` with lists of numbers or words on one line, as people write bands: [0.04, 0.11].

    All but simple texts stand in double quotes: left to itself the YAML writer folds U+0085 into a
    blank, and leaves a leading question mark, which makes a mapping of a list's item.
    """
    if isinstance(value, dict):
        return {_laid_out(key): _laid_out(entry) for key, entry in value.items()}
    if isinstance(value, str):
        return value if _SIMPLE.fullmatch(value) else DoubleQuotedScalarString(value)
    if not isinstance(value, list):
        return value
    laid_out = CommentedSeq(_laid_out(item) for item in value)
    if not any(isinstance(item, dict | list) for item in value):
        laid_out.fa.set_flow_style()
    return laid_out


def _check(
    tree: Node, merged: MergedChain, changes: Changes, subject: str, name: str, path: Path | None
) -> Scenario:
    """The scenario that a merged tree states; raises InputError with every fault gathered so far."""
    faults = merged.faults
    notes: list[str] = []
    tree = override(tree, changes.sets, faults, notes, changes.place)
    for place, frame in changes.frames.items():
        tree = merge(tree, overlay(place, Node(frame.name, tree.origin), tree.origin))
    frames = {**_standing(tree, merged.frames), **changes.frames}
    if "name" not in tree.entries:
        tree = replace(tree, value={**tree.entries, "name": Node(name, tree.origin)})
    tree, absent = anchor(tree, frames)
    faults += [*absent, *column_faults(tree), *limit_faults(tree), *named_faults(tree)]
    try:
        typed = ScenarioFile.model_validate(tree.plain())
    except ValidationError as error:
        faults += faults_of(error, tree, complete=merged.complete)
        raise InputError.of(_in_order(faults), subject) from None
    if faults:
        raise InputError.of(_in_order(faults), subject)
    return replace(build(typed, path, frames), notes=tuple(notes))


def _standing(tree: Node, frames: Mapping[Place, Frame]) -> dict[Place, Frame]:
    """Those of a workbook's `frames` that nothing was laid over."""
    named = {place: tree.find(place) for place in frames}
    return {
        place: frames[place]
        for place, node in named.items()
        if node is not None and node.value == frames[place].name
    }


def _in_order(faults: Sequence[Fault]) -> list[Fault]:
    """Each fault once: files as they were first met, lines ascending."""
    unique = list(dict.fromkeys(faults))
    files = list(dict.fromkeys(fault.file for fault in unique))
    return sorted(unique, key=lambda fault: (files.index(fault.file), fault.line or 0))
