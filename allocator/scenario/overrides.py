"""--set KEY=VALUE: single values laid over a scenario from the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from allocator.errors import Fault
from allocator.scenario.merging import merge
from allocator.scenario.nodes import LIMITS, Node, Origin, limit_name
from allocator.scenario.reading import parse

PLACE = "--set"


def override(tree: Node, sets: Sequence[str], faults: list[Fault]) -> Node:
    """`tree` with each of `sets`, in order, laid over it; one that cannot be is added to `faults`.

    A relative path in a value starts from the working directory, as everywhere on a command line.
    """
    origin = Origin(PLACE, None, Path.cwd())
    for text in sets:
        key, mark, written = _split(text)
        key = key.strip()
        if not mark or not key:
            remedy = "write key=value, as policy.budget.amount=5e7"
            faults.append(Fault(f"{text!r} is no key and value", remedy, file=PLACE))
            continue
        own: list[Fault] = []
        value = parse(written, origin, own)
        steps = _steps(key)
        own += _refusals(tree, steps)
        faults += [replace(fault, field=key) for fault in own]
        if value is not None and not own:
            tree = merge(tree, _overlay(steps, value, origin))
    return tree


def _split(text: str) -> tuple[str, str, str]:
    """`text` at its first = outside square brackets: a limit's name may hold one."""
    depth = 0
    for place, sign in enumerate(text):
        depth += (sign == "[") - (sign == "]")
        if sign == "=" and depth == 0:
            return text[:place], "=", text[place + 1 :]
    return text, "", ""


def _steps(key: str) -> tuple[str, ...]:
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


def _refusals(tree: Node, steps: tuple[str, ...]) -> list[Fault]:
    """Why the key of `steps` cannot be set, where that is no matter of the schema."""
    if steps[0] == "extends":
        return [Fault("a file's parent cannot be set here", "write `extends` in the file", PLACE)]
    if "" in steps:
        return [Fault("a part of the key is empty", "write keys with one dot between them", PLACE)]
    if steps[:2] != LIMITS or len(steps) == 2:
        return []
    if len(steps) == 3 or steps[3] == "name":
        remedy = "write one of its other keys, as policy.limits[NAME].at_most"
        return [Fault("a limit is set key by key, its name aside", remedy, PLACE)]
    limits = tree.find(LIMITS)
    names = [name for name in map(limit_name, limits.items if limits is not None else ()) if name is not None]
    if steps[2] in names:
        return []
    near = get_close_matches(steps[2], names, n=1)
    known = f"the limits are {', '.join(names)}" if names else "the scenario has no limits"
    remedy = f"did you mean policy.limits[{near[0]}]?" if near else known
    return [Fault(f"no limit is named {steps[2]!r}", remedy, PLACE)]


def _overlay(steps: tuple[str, ...], value: Node, origin: Origin) -> Node:
    """The tree that holds nothing but `value` at `steps`."""
    if steps[:2] == LIMITS and len(steps) > 2:
        entry = {"name": Node(steps[2], origin), **_nest(steps[3:], value, origin).entries}
        return _nest(LIMITS, Node((Node(entry, origin),), origin), origin)
    return _nest(steps, value, origin)


def _nest(steps: Sequence[object], value: Node, origin: Origin) -> Node:
    for step in reversed(steps):
        value = Node({str(step): value}, origin)
    return value
