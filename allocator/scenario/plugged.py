"""What a scenario file names that other packages bring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import get_args

from allocator.errors import Fault, InputError
from allocator.plugins import plugin_of
from allocator.records.plugins import Kind, Plugin
from allocator.records.scenario import NamedMeasure
from allocator.scenario import source_schema, strategy_schema
from allocator.scenario.schema import ScenarioFile
from allocator.scenario.typed import Typed, keys_of

Plugins = Mapping[tuple[Kind, str], Plugin]
"""By kind and name."""
_OURS: Mapping[Kind, tuple[str, ...]] = {
    "measure": get_args(NamedMeasure),
    "strategy": strategy_schema.OURS,
    "source": source_schema.OURS,
}


def plugins_of(typed: ScenarioFile) -> Plugins:
    """What other packages bring of that. Raises InputError with the faults of all that cannot be used."""
    plugins: dict[tuple[Kind, str], Plugin] = {}
    faults: list[Fault] = []
    for kind, name in dict.fromkeys(_named(typed)):
        try:
            plugin = plugin_of(kind, name, _OURS[kind])
        except InputError as error:
            faults += error.faults
            continue
        if plugin is not None:
            plugins[kind, name] = plugin
    if faults:
        raise InputError.of(faults, typed.name)
    return plugins


def _named(typed: ScenarioFile) -> Iterator[tuple[Kind, str]]:
    """Each measure, strategy and source that the file names by a name alone, or by its key."""
    for limit in typed.policy.limits:
        yield "measure", limit.measure
    rule = typed.strategy
    yield "strategy", rule if isinstance(rule, str) else keys_of(type(rule))[0]
    if isinstance(typed.portfolio.source, Typed):
        yield "source", keys_of(type(typed.portfolio.source))[0]
