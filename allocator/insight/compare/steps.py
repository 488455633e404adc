"""What each difference costs: the way from one scenario to another, one change at a time.

The prices of the case before a change prove a bound on the case after it, by one pass and no solver; so
bound - value is the most that the change can gain. Solving the case after it says how much it does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from allocator.borrowers import read_inputs
from allocator.certification import recheck
from allocator.certification.limits import blocks_of
from allocator.errors import InfeasibleError, InputError, NoAllocationError
from allocator.insight.compare.differences import names_stresses
from allocator.pipeline import decide, judge, prepare
from allocator.records.case import Case, Inputs
from allocator.records.document import BOOK, CHURN, NO_CHURN, SOURCE, value_at
from allocator.records.filters import weighted
from allocator.records.frames import Frame
from allocator.records.outcome import Outcome
from allocator.records.progress import Progress
from allocator.records.run import Decisions
from allocator.records.scenario import Scenario
from allocator.scenario import load_document
from allocator.scenario.loading import Changes

Document = Mapping[str, Any]

_READ = ("portfolio", "response", "former", "stress", "strategy")
"""Sections that decide what is read; changes of one go together."""
_NOT_STEPS = ("schema", "name", "solver")
"""Sections that change no allocation's value; nor do stresses that no mean and no limit names."""
_NOT_READ = ("name", "at_most", "at_least", "exactly", "enforce")
"""Keys of a limit that name no column."""


@dataclass(frozen=True)
class Step:
    """One change on the way from a first scenario to a second."""

    changes: str
    """The keys changed."""
    most: float | None
    """The most that the change can add to the value; None where the prices before it prove nothing."""
    gain: float | None
    """What it adds, exactly; None where the case after it was not solved, or has no allocation."""
    problem: str = ""
    """Why the case after the change has no allocation."""
    stopped: bool = False
    """Whether the clock ended a search that `gain` comes from."""


def steps(
    before: Outcome, after: Outcome, progress: Progress = lambda _: None, *, exact: bool = True
) -> tuple[Step, ...]:
    """The changes from `before` to `after` in the order of the file, each on top of those before it.

    Their gains add up to the difference of the values where every case between has an allocation. Without
    `exact` nothing is solved, and every `most` is by the prices of `before`.
    """
    own, wanted = before.scenario.document, after.scenario.document
    read = {_key(own): before.inputs, _key(wanted): after.inputs}
    frames = {frame.name: frame for side in (before, after) for frame in side.scenario.frames.values()}
    groups = list(_groups(own, wanted))
    last: Outcome | None = before
    taken, pending = [], ""
    for number, (key, document) in enumerate(_cumulative(own, wanted, groups)):
        name = f"{pending}, {key}" if pending else key
        at_end = number == len(groups) - 1
        progress(f"changing {name}")
        try:
            changed = after if at_end else _prepared(document, read, frames)
        except InputError:  # alone it makes no scenario: together with the next
            pending = name
            continue
        pending = ""
        bound = np.inf if last is None else bound_at(changed.scenario, changed.inputs, last.prices)
        most = bound - last.value if last is not None and np.isfinite(bound) else None
        if not exact:
            taken.append(Step(name, most, None))
            continue
        now, problem = (changed, "") if isinstance(changed, Outcome) else _solved(changed, last, progress)
        gain = now.value - last.value if now is not None and last is not None else None
        stopped = any(side is not None and side.stopped for side in (last, now))
        taken.append(Step(name, most, gain, problem, stopped))
        last = now
    return tuple(taken)


def _prepared(document: Document, read: dict[str, Inputs], frames: Mapping[str, Frame]) -> Case:
    """The case between the two that `document` states, which may name `frames` of theirs."""
    named = {place: value_at(document, place) for place in (SOURCE, CHURN, BOOK)}
    held = {place: frames[name] for place, name in named.items() if isinstance(name, str) and name in frames}
    scenario = load_document(document, "/", "between", Changes(frames=held))
    return prepare(scenario, _inputs(scenario, read))


def bound_at(scenario: Scenario, inputs: Inputs, prices: Mapping[str, float]) -> float:
    """U(prices) of the scenario: an upper bound at any prices, clipped to what each limit may have.

    inf beside limits on a condition, of which prices prove nothing.
    """
    blocks = blocks_of(scenario.policy, inputs.portfolio)
    priced = [zip(block.names, block.allowed(prices).tolist(), strict=True) for block in blocks]
    held = {name: price for rows in priced for name, price in rows}
    zeros = np.zeros(len(inputs.portfolio))
    return recheck(scenario, inputs, Decisions(zeros, zeros), held).certificate.bound


def _solved(case: Case, last: Outcome | None, progress: Progress) -> tuple[Outcome | None, str]:
    """The outcome of a case between the two, or why it has none."""
    try:
        return judge(case, decide(case, progress, None if last is None else last.prices)), ""
    except (InfeasibleError, NoAllocationError, InputError) as error:
        return None, error.message


def _inputs(scenario: Scenario, read: dict[str, Inputs]) -> Inputs:
    """What the scenario reads, from `read` where it was read before."""
    key = _key(scenario.document)
    if key not in read:
        read[key] = read_inputs(scenario)
    inputs, stress = read[key], scenario.stress
    return replace(inputs, portfolio=weighted(stress, inputs.portfolio)) if stress.worst else inputs


def _key(document: Document) -> str:
    """What decides what is read: the sources, the term that fills them, and the columns that rules name."""
    policy = document["policy"]
    limits = policy.get("limits", [])
    asked = [{key: value for key, value in limit.items() if key not in _NOT_READ} for limit in limits]
    kept = [policy.get(key) for key in ("term_years", "capital", "tail", "pricing", "changes")]
    read = [*(document.get(name) for name in (*_READ, "stresses")), *kept, asked]
    # A book's grades without a band, and all where there is no curve, are read as never walking.
    read += [policy["rates"]] if isinstance(document.get("strategy"), Mapping) else []
    read += [policy["rates"]] if document["response"]["churn"] == NO_CHURN else []
    return json.dumps(read, sort_keys=True, default=str)


def _groups(before: Document, after: Document) -> Iterator[tuple[str, str | None]]:
    """Section and, inside the policy, key of what changes; limits by name as policy.limits[NAME]."""
    for section in dict.fromkeys([*before, *after]):
        if section in _NOT_STEPS or before.get(section) == after.get(section):
            continue
        if section == "stresses" and not (names_stresses(before) or names_stresses(after)):
            continue
        if section in (*_READ, "stresses"):
            yield section, None
            continue
        ours, theirs = before[section], after[section]
        for key in dict.fromkeys([*ours, *theirs]):
            if ours.get(key) == theirs.get(key):
                continue
            if key != "limits":
                yield section, key
                continue
            named = [{limit["name"]: limit for limit in part.get(key, [])} for part in (ours, theirs)]
            for name in dict.fromkeys([*named[0], *named[1]]):
                if named[0].get(name) != named[1].get(name):
                    yield section, f"limits[{name}]"


def _cumulative(
    before: Document, after: Document, groups: list[tuple[str, str | None]]
) -> Iterator[tuple[str, Document]]:
    """Each change's name, and the document with it and those before it."""
    document = dict(before)
    for section, key in groups:
        if key is None:
            document = _with_key_of(document, section, after)
            yield section, document
            continue
        policy = dict(document[section])
        if key.startswith("limits["):
            policy["limits"] = _limits(policy, after[section], key[len("limits[") : -1])
        else:
            policy = _with_key_of(policy, key, after[section])
        document = {**document, section: policy}
        yield f"{section}.{key}", document


def _with_key_of(document: Document, key: str, after: Document) -> dict[str, Any]:
    """`document` with `key` as `after` has it, or without it where that has none."""
    kept = {name: entry for name, entry in document.items() if name != key}
    return {**kept, key: after[key]} if key in after else kept


def _limits(policy: Document, after: Document, name: str) -> list[Any]:
    """The policy's limits with the one called `name` as `after` has it."""
    wanted = [limit for limit in after.get("limits", []) if limit["name"] == name]
    kept = policy.get("limits", [])
    position = next((place for place, limit in enumerate(kept) if limit["name"] == name), len(kept))
    return [*kept[:position], *wanted, *kept[position + 1 :]]
