"""What is asked: a scenario from a file, a mapping or another one, with frames and settings laid over it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeAlias

from allocator.api.words import public_function
from allocator.errors import Fault, InputError
from allocator.insight.whatif.stress import BUILT_IN
from allocator.records import scenario as records
from allocator.records.document import BOOK, CHURN, SOURCE, Place, value_at
from allocator.records.frames import File, Frame
from allocator.records.stress import Stress
from allocator.scenario import load_document, loading
from allocator.scenario.loading import Changes
from allocator.scenario.overrides import Setting, settings_of
from allocator.tables.frames import document_of, frame_of, is_columns, is_frame

PLACE = "sets"
"""What faults call settings from Python."""

Document: TypeAlias = str | os.PathLike[str] | Mapping[str, Any]
"""A JSON file's path, or its content as a mapping."""
Source = str | os.PathLike[str] | Mapping[str, Any] | records.Scenario
"""A scenario file's path, its content as a mapping, or a Scenario."""
Table: TypeAlias = Any
"""A DataFrame of pandas or polars, any table with `__arrow_c_stream__`, columns by name; or a file's path."""
Sets = Mapping[str, Any] | str | Sequence[str | Mapping[str, Any]] | None
"""Settings laid over a scenario: {"policy.budget.amount": 5e7}, nested, as --set has them, or a list."""
_ORDER = ("borrowers", "churn", "book")


class Scenario(records.Scenario):
    """One complete case: read, checked, frozen. Amounts are in currency units, rates and shares fractions.

    Made by `load_scenario`; `with_` makes another of it.

    >>> from allocator import load_scenario
    >>> scenario = load_scenario("scenarios/sme-302.yaml")
    >>> scenario
    Scenario('sme-302': budget 100,000,000 CNY, 0 further limits, strategy optimal)
    >>> scenario.with_({"policy.budget.amount": 6e7}).policy.budget.amount
    60000000.0
    """

    @public_function
    def with_(
        self,
        sets: Sets = None,
        *,
        borrowers: Table = None,
        churn: Table = None,
        strategy: Any = None,
        stress: str | Mapping[str, Any] | None = None,
    ) -> Scenario:
        """Another scenario: this one with settings, tables, a strategy or a stress laid over it.

        The arguments are those of `load_scenario`, and so are the errors.

        >>> from allocator import load_scenario
        >>> scenario = load_scenario("scenarios/sme-302-limits.yaml")
        >>> scenario.with_({"policy": {"limits": {"loss rate": {"at_most": "0.5%"}}}}).strategy.rule
        'optimal'
        """
        return scenario_of(self, Overlay(borrowers, churn, strategy, sets, stress))

    def __repr__(self) -> str:
        policy = self.policy
        share = "" if policy.budget.of is None else f" of {policy.budget.of}"
        amount = f"{policy.budget.amount:,.10g}{share or ' ' + policy.currency}"
        return (
            f"Scenario({self.name!r}: budget {amount}, {len(policy.limits)} further limits, "
            f"strategy {self.strategy.name})"
        )

    @classmethod
    def of(cls, scenario: records.Scenario) -> Scenario:
        """The same scenario with what only Python has."""
        if isinstance(scenario, cls):
            return scenario
        return cls(**{field.name: getattr(scenario, field.name) for field in fields(records.Scenario)})


@public_function
def load_scenario(
    source: Source,
    sets: Sets = None,
    *,
    borrowers: Table = None,
    churn: Table = None,
    strategy: Any = None,
    stress: str | Mapping[str, Any] | None = None,
) -> Scenario:
    """The scenario in a YAML file, in a mapping with its keys, or another one, with changes laid over it.

    source     path of a file; or a mapping, whose relative paths start from the working directory and whose
               `schema` may be left out; or a Scenario. Frames may stand in a mapping where paths do.
    sets       as --set on the command line: {"policy.budget.amount": 5e7}, nested mappings (limits by name),
               "policy.budget.amount=5e7", or a list of these, later ones over earlier
    borrowers  (n rows) in the place of portfolio.source: a DataFrame of pandas or polars, anything with
               `__arrow_c_stream__`, or a path. Columns and units are those of docs/portfolio.md
    churn      (K rows) in the place of response.churn: `rate` and a column of fractions for each grade
    strategy   a rule's name, a mapping as the key `strategy` takes, or a book: amounts and rates by
               borrower_id as a frame
    stress     a name of the scenario's `stresses`, "mild" or "severe", or a mapping as the key `stress`

    A frame is an input as a file is: hashed, kept with a saved run, rechecked. Raises InputError with every
    fault of the file or mapping, of those that it extends, and of what is laid over it.

    >>> from allocator import load_scenario
    >>> load_scenario("scenarios/sme-302.yaml", "policy.budget.amount=6e7", strategy="equal")
    Scenario('sme-302': budget 60,000,000 CNY, 0 further limits, strategy equal)
    """
    return scenario_of(source, Overlay(borrowers, churn, strategy, sets, stress))


@dataclass(frozen=True)
class Overlay:
    """What a caller lays over a scenario."""

    borrowers: Table = None
    churn: Table = None
    strategy: Any = None
    sets: Sets = None
    stress: str | Mapping[str, Any] | None = None
    more: Sequence[Setting] = field(default=())
    """Settings that come last."""
    book: str = "strategy"
    """What a frame of offers is called."""

    @property
    def is_empty(self) -> bool:
        """Whether the scenario stays as it is."""
        given = (self.borrowers, self.churn, self.strategy, self.sets, self.stress)
        return all(value is None for value in given) and not self.more


def scenario_of(source: Source, over: Overlay) -> Scenario:
    """`load_scenario`, of what is laid over as one record."""
    if isinstance(source, records.Scenario):
        return Scenario.of(source if over.is_empty else _over_scenario(source, over))
    held: dict[Place, Frame] = {}
    if isinstance(source, Mapping):
        plain = {"schema": 1, **source}
        held = {
            place: frame_of(value, title)
            for place, title in zip((SOURCE, CHURN, BOOK), _ORDER, strict=True)
            if is_frame(value := value_at(source, place))
        }
        known = plain.get("stresses")
        changes = _changes(over, held, known if isinstance(known, Mapping) else {})
        try:
            return Scenario.of(load_document(plain, Path.cwd(), changes=changes))
        except RecursionError:
            remedy = "give a mapping that does not hold itself"
            fault = Fault("is nested without end", remedy, field="scenario")
            raise InputError.of([fault], "scenario") from None
    if not isinstance(given := _anything(source), str | os.PathLike):
        problem = f"{type(given).__name__} is no scenario"
        remedy = "give the path of a YAML file, a mapping with its keys, or a Scenario"
        remedy += "; a frame is given as borrowers" if is_frame(given) else ""
        raise InputError.of([Fault(problem, remedy, field="scenario")], "scenario")
    if set(os.fspath(given)) & {"\n", "\0"}:
        remedy = "save it as a file, or give a mapping"
        fault = Fault("a text of several lines is no path", remedy, field="scenario")
        raise InputError.of([fault], "scenario")
    path = Path(given)
    stresses: Mapping[str, Any] = {}
    if isinstance(over.stress, str):
        stresses = loading.load_scenario(path).document.get("stresses", {})
    return Scenario.of(loading.load_scenario(path, changes=_changes(over, held, stresses)))


def file_of(table: Table, title: str) -> File:
    """A path, or a frame as the file that it stands for."""
    return Path(table) if isinstance(table, str | os.PathLike) else frame_of(table, title)


def document_file(given: Document, title: str) -> File:
    """A path, or a document as the file that it stands for."""
    return document_of(given, title) if isinstance(given, Mapping) else Path(given)


def declarations(given: Document | Sequence[str | Mapping[str, Any]], key: str) -> File:
    """As `document_file`; a list is what stands under `key`, a name alone what is said of nothing else.

    A text without an ending is a name.
    """
    if isinstance(given, str) and not Path(given).suffix:
        given = [given]
    if isinstance(given, str | os.PathLike | Mapping):
        return document_file(given, key)
    return document_of(
        {key: [{"name": entry} if isinstance(entry, str) else dict(entry) for entry in given]}, key
    )


def _anything(given: object) -> object:
    """What a caller without types may hand over."""
    return given


def _over_scenario(source: records.Scenario, over: Overlay) -> records.Scenario:
    """Its resolved document with the changes; its frames stand where nothing takes their place."""
    changes = _changes(over, source.frames, source.document.get("stresses", {}))
    changed = load_document(source.document, Path.cwd(), source.name, changes)
    return replace(changed, path=source.path, notes=(*source.notes, *changed.notes))


def _changes(over: Overlay, held: Mapping[Place, Frame], stresses: Mapping[str, Any]) -> Changes:
    """What is laid over as settings, and as frames beside those `held` that stay."""
    frames = dict(held)
    sets: list[str | Setting] = settings_of(over.sets)
    named = ((SOURCE, "borrowers", over.borrowers), (CHURN, "churn", over.churn))
    for place, title, table in named:
        if table is not None:
            frames.pop(place, None)
            _lay(place, title, table, frames, sets)
    if over.strategy is not None:
        frames.pop(BOOK, None)
        if isinstance(over.strategy, str | Mapping):
            sets += _anew("strategy", _rule(over.strategy))
        else:
            _lay(BOOK, _file_name(over.book), over.strategy, frames, sets)
    if over.stress is not None:
        section = over.stress if isinstance(over.stress, Mapping) else _stress_named(over.stress, stresses)
        sets += _anew("stress", section)
    return Changes([*sets, *over.more], frames, PLACE)


def _anew(key: str, value: Any) -> list[str | Setting]:
    """A section of the scenario in the place of the one that it has."""
    return [Setting((key,), None), Setting((key,), value, "arguments")]


def _lay(
    place: Place, title: str, table: Table, frames: dict[Place, Frame], sets: list[str | Setting]
) -> None:
    """A table from memory among the frames; a path, or a mapping that describes a source, as a setting."""
    described = isinstance(table, Mapping) and not is_columns(table)
    if described or isinstance(table, str | os.PathLike):
        value = Path(table) if isinstance(table, os.PathLike) else table
        sets.append(Setting(place, value, title))
    else:
        frames[place] = frame_of(table, title)


def _rule(strategy: str | Mapping[str, Any]) -> Any:
    """As the key `strategy` takes it: a file of offers is named by its ending."""
    if isinstance(strategy, str) and strategy.lower().endswith((".csv", ".csv.gz", ".parquet", ".xlsx")):
        return {"file": strategy}
    return strategy


def _file_name(title: str) -> str:
    """A title as a file may be called."""
    return re.sub(r"[^\w.-]+", "-", title).strip(".-") or "strategy"


def _stress_named(name: str, stresses: Mapping[str, Any]) -> Mapping[str, Any]:
    """The stress called `name` as the key `stress` has it. Raises InputError where there is none."""
    if name in stresses:
        stress: Mapping[str, Any] = stresses[name]
        return stress
    if name in BUILT_IN:
        return _section(BUILT_IN[name].factors)
    known = ", ".join([*stresses, *(name for name in BUILT_IN if name not in stresses)])
    fault = Fault(f"no stress is named {name!r}", f"the stresses are {known}", field="stress")
    raise InputError.of([fault], "scenario")


def _section(factors: Stress) -> dict[str, Any]:
    """Factors of everybody as a scenario file writes them."""
    usual = Stress()
    changed = {name: getattr(factors, name) for name in Stress.figures()}
    return {
        name: {key: value for key, value in vars(shock).items() if key in ("all", "add")}
        for name, shock in changed.items()
        if shock != getattr(usual, name)
    }
