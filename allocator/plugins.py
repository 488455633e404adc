"""Which measures, strategies and sources of other packages are installed, and what is wrong with one.

A package names them under the entry points `allocator.measures`, `allocator.strategies` and
`allocator.sources` (docs/extending.md). Their names are read from its metadata; its code is imported when a
scenario names one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from allocator.errors import Fault, InputError
from allocator.records.plugins import Kind, Plugin, PluginMeasure, PluginSource

__all__ = ["Plugin", "PluginMeasure", "PluginSource", "absent_plugin_faults", "names_of", "plugin_of"]

GROUPS: Mapping[Kind, str] = {
    "measure": "allocator.measures",
    "strategy": "allocator.strategies",
    "source": "allocator.sources",
}
_NAME = re.compile("[a-z][a-z0-9_]*")


@cache
def _found(kind: Kind) -> tuple[EntryPoint, ...]:
    """The entry points of a kind, ascending by name, then by package."""
    points = [point for point in entry_points(group=GROUPS[kind]) if point.dist is not None]
    return tuple(sorted(points, key=lambda point: (point.name, _origin(point))))


def names_of(kind: Kind) -> tuple[str, ...]:
    """Names that scenario files may use for what other packages bring: small letters, digits and _."""
    return tuple(dict.fromkeys(point.name for point in _found(kind) if _NAME.fullmatch(point.name)))


def plugin_of(kind: Kind, name: str, ours: Collection[str]) -> Plugin | None:
    """What another package brings under `name`, imported; None where that is one of `ours` alone.

    Raises InputError where two bring it, or one that is ours, or where it cannot be imported or is nothing
    that a package may bring.
    """
    points = [point for point in _found(kind) if point.name == name]
    if not points:
        return None
    if name in ours or len(points) > 1:
        who = [f"the package {_origin(point)}" for point in points]
        whose = " and ".join([*(["the allocator itself"] if name in ours else []), *who])
        fault = Fault(f"the name of {kind} {name} is taken twice: by {whose}", "uninstall all but one")
        raise InputError.of([fault], who[0].removeprefix("the package "))
    (point,) = points
    package, _, version = _origin(point).rpartition(" ")
    plugin = Plugin(kind, name, package, version, None)
    with plugin.blamed():
        plugin = Plugin(kind, name, package, version, point.load())
    expected = {"measure": PluginMeasure, "source": PluginSource}.get(kind)
    if not (callable(plugin.thing) if expected is None else isinstance(plugin.thing, expected)):
        wanted = "a function" if expected is None else f"a {expected.__name__}"
        problem = f"is a {type(plugin.thing).__name__}, expected {wanted}"
        raise InputError.of([plugin.fault(problem, "tell the makers of the package")], package)
    return plugin


def absent_plugin_faults(stated: Mapping[str, str]) -> Iterable[Fault]:
    """The faults of plug-ins that a run was made with, by `Plugin.key`, and that are not installed here."""
    here = {f"{kind} {point.name}": _origin(point) for kind in GROUPS for point in _found(kind)}
    for key, origin in stated.items():
        if here.get(key) != origin:
            package, _, version = origin.rpartition(" ")
            elsewhere = f"; here it is of {here[key]}" if key in here else ""
            problem = (
                f"the run was made with {key} of the package {origin}, which is not installed{elsewhere}"
            )
            yield Fault(problem, f'pip install "{package}=={version}"')


def _origin(point: EntryPoint) -> str:
    """The package of an entry point and its version: `acme-lending 1.0`."""
    assert point.dist is not None
    return f"{point.dist.name} {point.dist.version}"
