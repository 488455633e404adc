"""`--strategies`: one scenario under the strategy of each name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from allocator.errors import Fault, InputError

if TYPE_CHECKING:
    from allocator.records.scenario import Scenario

DEFAULT = "optimal,ahp_lines,equal,by_score,greedy"
_BOOKS = (".csv", ".csv.gz", ".parquet", ".xlsx")


def under_each(file: Path, strategies: str | None, sets: list[str]) -> tuple[list[Scenario], tuple[str, ...]]:
    """The scenario under each of the strategies named; None: the default ones that its grades allow.

    With it what was left out of the default ones, a line each. Raises InputError with the faults of all.
    """
    from allocator.scenario import load_scenario
    from allocator.scenario.loading import Changes
    from allocator.scenario.overrides import PLACE, Setting

    scenarios: list[Scenario] = []
    faults: list[Fault] = []
    for name in map(str.strip, (strategies or DEFAULT).split(",")):
        named = {"file": name} if name.lower().endswith(_BOOKS) else name
        try:
            setting = Setting(("strategy",), named, PLACE)
            scenarios.append(load_scenario(file, changes=Changes([*sets, setting])))
        except InputError as error:
            faults += error.faults
    names = [scenario.strategy.name for scenario in scenarios]
    faults += [
        Fault(f"{name} stands twice", "name it once", field="--strategies")
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]
    if faults:
        raise InputError.of(list(dict.fromkeys(faults)), str(file))
    if strategies is not None:
        return scenarios, ()
    from allocator.strategies import with_lines

    return with_lines(scenarios)
