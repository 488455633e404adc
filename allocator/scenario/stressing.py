"""The stresses of a scenario as they are written, and the limits that they name."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from allocator.errors import Fault
from allocator.records.nodes import LIMITS, Location, Node, entry_name
from allocator.records.scenario import BUDGET, LARGEST_AMOUNT, LARGEST_FACTOR, Policy
from allocator.records.stress import BASE, SHOCKED, Stress

MEAN: Location = ("stress", "mean_of")
WORST: Location = ("stress", "worst_of")
_NOT_IN_THE_WORST: dict[tuple[str, ...], str] = {
    ("capital", "cost"): "what capital costs is no mean over stresses: it is no sum of losses",
    (
        "tail",
        "sectors",
    ): "the tail loss of several sectors does not yet go with a worst of several",
    ("pricing",): "a posted price list does not yet go with the worst of several stresses",
}
LIMITS_FIGURE = "limits"
"""The figure of a stress whose cases name limits, not columns."""


def large_factor_faults(policy: Policy, stress: Stress, place: str) -> Iterator[Fault]:
    """Factors of the stress at `place` on funding and limits that together come to too much."""
    shock = stress.limits
    factors = {f"limits, {name}": shock.of(name) for name, _ in shock.named}
    factors |= {f"limits, {limit.name}": shock.all * shock.of(limit.name) for limit in policy.limits}
    for figure, factor in {"funding": stress.funding.all, **factors}.items():
        if factor > LARGEST_FACTOR:
            problem = f"the factors together come to {factor:g}, expected at most {LARGEST_FACTOR:g}"
            yield Fault(problem, "write smaller factors", field=f"{place}.{figure}")
    budget = policy.budget.amount * shock.of(BUDGET)
    if budget > LARGEST_AMOUNT:
        problem = f"the budget comes to {budget:g}, expected at most {LARGEST_AMOUNT:g}"
        yield Fault(problem, "write a smaller factor", field=f"{place}.limits, {BUDGET}")


def named_faults(tree: Node) -> Iterator[Fault]:
    """Limits in stresses, and a mean over some, that are not there or change more than PD and LGD."""
    written = tree.find(LIMITS)
    for index in range(len(written.items) if written is not None else 0):
        under = tree.find((*LIMITS, index, "under"))
        names = [node.value for node in under.items] if under is not None else []
        for place, name in enumerate(names):
            yield from _name_faults(tree, (*LIMITS, index, "under", place), name, "a row carries")
    mean = tree.find(MEAN)
    for name in mean.entries if mean is not None else ():
        yield from _name_faults(tree, (*MEAN, name), name, "a mean is of")
    worst = tree.find(WORST)
    for place, node in enumerate(worst.items if worst is not None else ()):
        yield from _name_faults(tree, (*WORST, place), node.value, "the worst of several is of")
    if worst is not None and worst.value is not None:
        yield from _unfit_for_the_worst(tree)


def _unfit_for_the_worst(tree: Node) -> Iterator[Fault]:
    """What of a policy has no mean over stresses, or is not yet decided by the worst of several."""
    for location, problem in _NOT_IN_THE_WORST.items():
        node = tree.find(("policy", *location))
        if node is not None and node.value not in (None, "individual"):
            remedy = f"leave policy.{'.'.join(location)} out, or stress.worst_of"
            yield tree.fault(("policy", *location), problem, remedy)
    written = tree.find(LIMITS)
    for index, limit in enumerate(written.items if written is not None else ()):
        if limit.find(("top",)) is not None:
            problem = "a limit on the largest groups does not yet go with the worst of several stresses"
            remedy = "leave top out, or stress.worst_of"
            yield tree.fault((*LIMITS, index, "top"), problem, remedy)


def _name_faults(tree: Node, location: Location, name: object, carries: str) -> Iterator[Fault]:
    """What is wrong with the stress that `location` names."""
    known = {place[1]: node for place, node in stress_nodes(tree) if len(place) > 1}
    if not isinstance(name, str) or name == BASE:
        return
    if name not in known:
        near = get_close_matches(name, map(str, known), n=1)
        remedy = f"did you mean {near[0]}?" if near else f"write it under stresses, as {{{name}: "
        remedy += "" if near else "{pd: {all: 1.5}}}"
        yield tree.fault(location, f"no stress is named {name!r}", remedy)
        return
    more = [key for key in known[name].entries if key not in (*SHOCKED, "column")]
    if more:
        problem = f"the stress {name} changes {', '.join(more)}, and {carries} PD and LGD only"
        yield tree.fault(location, problem, "name a stress of pd and lgd alone")


def stress_nodes(tree: Node) -> Iterator[tuple[Location, Node]]:
    """Every stress of a scenario as it is written, with its place."""
    places: list[Location] = [("stress",)]
    stresses = tree.find(("stresses",))
    places += [("stresses", name) for name in (stresses.entries if stresses is not None else {})]
    for place in places:
        node = tree.find(place)
        if node is not None:
            yield place, node


def limit_faults(tree: Node) -> Iterator[Fault]:
    """Cases of stresses that name a limit which the scenario does not have."""
    written = tree.find(LIMITS)
    entries = written.items if written is not None else ()
    known = [BUDGET, *(name for entry in entries if (name := entry_name(entry)) is not None)]
    for place, _ in stress_nodes(tree):
        location = (*place, LIMITS_FIGURE, "where")
        cases = tree.find(location)
        for index, case in enumerate(cases.items if cases is not None else ()):
            name = entry_name(case)
            if name is not None and name not in known:
                near = get_close_matches(name, known, n=1)
                remedy = f"did you mean {near[0]}?" if near else f"the limits are {', '.join(known)}"
                yield tree.fault((*location, index, "name"), f"no limit is named {name!r}", remedy)
