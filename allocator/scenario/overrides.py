"""--set KEY=VALUE, or `sets` in Python: single values laid over a scenario."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from allocator.errors import Fault, InputError
from allocator.records.nodes import LIMITS, Node, Origin, entry_name, from_plain
from allocator.scenario.merging import merge
from allocator.scenario.reading import parse

PLACE = "--set"


@dataclass(frozen=True)
class Setting:
    """A value from Python for the key that `steps` lead to: policy, limits, A line, at_most."""

    steps: tuple[str, ...]
    value: Any
    given: str | None = None
    """The argument that it comes from, where that is none of the sets."""

    @property
    def key(self) -> str:
        """As it is typed: policy.limits[A line].at_most."""
        return "".join(f"[{step}]" if set(step) & set(".[]= ") else f".{step}" for step in self.steps)[1:]


Sets = Sequence[str | Setting]


def settings_of(sets: object) -> list[str | Setting]:
    """What a caller in Python gives as `sets`: a mapping, nested or with keys as typed; a text; a list.

    In a nested mapping limits may be a mapping by name. Raises InputError for anything else.
    """
    if sets is None:
        return []
    if isinstance(sets, str):
        return [sets]
    if isinstance(sets, Setting):
        return [sets]
    if isinstance(sets, Mapping):
        return [setting for key, value in sets.items() for setting in _nested(steps_of(str(key)), value)]
    if isinstance(sets, list | tuple):
        return [setting for entry in sets for setting in settings_of(entry)]
    problem = f"{type(sets).__name__} is neither a mapping nor a text, nor a list of these"
    remedy = 'write {"policy.budget.amount": 5e7}, or "policy.budget.amount=5e7"'
    raise InputError.of([Fault(problem, remedy, field="sets")], "sets")


def _nested(steps: tuple[str, ...], value: object) -> Iterator[Setting]:
    """Single settings, down to where a list of limits would stand: by name each is a setting of its own."""
    apart = steps == LIMITS[:1] or steps == LIMITS or (steps[:2] == LIMITS and len(steps) == 3)
    if apart and isinstance(value, Mapping):
        for key, entry in value.items():
            yield from _nested((*steps, *((str(key),) if steps == LIMITS else steps_of(str(key)))), entry)
    else:
        yield Setting(steps, value)


def override(tree: Node, sets: Sets, faults: list[Fault], notes: list[str], place: str = PLACE) -> Node:
    """`tree` with each of `sets`, in order, laid over it.

    One that cannot be is added to `faults`, one that leaves the tree as it was to `notes`. A relative path in
    a value starts from the working directory, as everywhere on a command line. `place` is what faults and
    notes call the sets.
    """
    origin = Origin(place, None, Path.cwd())
    for text in sets:
        if isinstance(text, Setting):
            refused = _unsettable_faults(tree, text.steps, place)
            faults += [replace(fault, field=text.key) for fault in refused]
            if not refused:
                own_origin = replace(origin, file=text.given or place)
                over = overlay(text.steps, from_plain(text.value, own_origin), own_origin)
                told = notes if text.given is None else []
                tree = _laid(tree, over, text.key, place, told)
            continue
        key, mark, written = _split(text)
        key = key.strip()
        if not mark or not key:
            remedy = "write key=value, as policy.budget.amount=5e7"
            faults.append(Fault(f"{text!r} is no key and value", remedy, file=place))
            continue
        own: list[Fault] = []
        value = parse(written, origin, own)
        steps = steps_of(key)
        own += _unsettable_faults(tree, steps, place)
        faults += [replace(fault, field=key) for fault in own]
        if value is not None and not own:
            tree = _laid(tree, overlay(steps, value, origin), key, place, notes)
    return tree


def _laid(tree: Node, over: Node, key: str, place: str, notes: list[str]) -> Node:
    """`over` laid on `tree`, and a note where that changes nothing."""
    laid = merge(tree, over)
    if _meant(laid) == _meant(tree):
        notes.append(f"{place}, {key}: changes nothing, it stands so without it")
    return laid


def _meant(node: Node) -> Any:
    """What a tree says as it is written, keys that hold nothing left out."""
    if isinstance(node.value, Mapping):
        return {key: _meant(own) for key, own in node.value.items() if own.value is not None}
    if isinstance(node.value, tuple):
        return [_meant(own) for own in node.value]
    return node.value


def _split(text: str) -> tuple[str, str, str]:
    """`text` at its first = outside square brackets: a limit's name may hold one."""
    depth = 0
    for place, sign in enumerate(text):
        depth += (sign == "[") - (sign == "]")
        if sign == "=" and depth == 0:
            return text[:place], "=", text[place + 1 :]
    return text, "", ""


def steps_of(key: str) -> tuple[str, ...]:
    """The keys of policy.limits[A line].at_most: policy, limits, A line, at_most."""
    steps = [""]
    inside = False
    for sign in key:
        if sign == "[" and not inside:
            inside = True
            steps.append("")
        elif sign == "]" and inside:
            inside = False
        elif sign == "." and not inside:
            steps.append("")
        else:
            steps[-1] += sign
    return tuple(steps)


def _unsettable_faults(tree: Node, steps: tuple[str, ...], place: str) -> list[Fault]:
    """Why the key of `steps` cannot be set, where that is no matter of the schema."""
    if steps[0] == "extends":
        return [Fault("a file's parent cannot be set here", "write `extends` in the file", place)]
    if "" in steps:
        return [Fault("a part of the key is empty", "write keys with one dot between them", place)]
    if steps[:2] != LIMITS or len(steps) == 2:
        return []
    if len(steps) == 3 or steps[3] == "name":
        remedy = "write one of its other keys, as policy.limits[NAME].at_most"
        return [Fault("a limit is set key by key, its name aside", remedy, place)]
    limits = tree.find(LIMITS)
    names = [name for name in map(entry_name, limits.items if limits is not None else ()) if name is not None]
    if steps[2] in names:
        return []
    near = get_close_matches(steps[2], names, n=1)
    known = f"the limits are {', '.join(names)}" if names else "the scenario has no limits"
    remedy = f"did you mean policy.limits[{near[0]}]?" if near else known
    return [Fault(f"no limit is named {steps[2]!r}", remedy, place)]


def overlay(steps: tuple[str, ...], value: Node, origin: Origin) -> Node:
    """The tree that holds nothing but `value` at `steps`."""
    if steps[:2] == LIMITS and len(steps) > 2:
        entry = {"name": Node(steps[2], origin), **_nest(steps[3:], value, origin).entries}
        return _nest(LIMITS, Node((Node(entry, origin),), origin), origin)
    return _nest(steps, value, origin)


def _nest(steps: Sequence[object], value: Node, origin: Origin) -> Node:
    for step in reversed(steps):
        value = Node({str(step): value}, origin)
    return value
