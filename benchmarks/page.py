"""docs/benchmarks.md and its plot, made from benchmarks/results alone: the same JSON, the same page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from textwrap import fill
from typing import Any

from benchmarks.markdown import gap, ratio, seconds, state, table
from benchmarks.measure import ROOT, results
from benchmarks.mmkp import EXACT
from benchmarks.registry import CASES
from benchmarks.trees import trees

PAGE = ROOT / "docs" / "benchmarks.md"
PLOT = ROOT / "docs" / "benchmarks.svg"

Result = Mapping[str, Any]
Results = Mapping[str, Result]

_PHASES = ("price", "newton", "finish", "core", "certify")
_PRICING = ("price", "prepare")
"""Pricing the offers and compiling the limits; laying the columns out for the passes."""
_STAGES = ("load", "reduce", "price", "solve", "certify", "write")
_PLAINER = {
    "convergenceCriteriaSatisfied": "optimal",
    "maxTimeLimit": "time limit",
    "Optimal": "optimal",
    "time_limit": "time limit",
    "Time limit reached": "time limit",
}
"""How solvers and their wrappers say one thing."""
_WIDTH = 98
_KNAPSACKS = """\
`solve_knapsack` ([how](decisions/general-core.md)) on published multiple-choice
multidimensional knapsacks, {limit:.0f} seconds of one core each. Values are recomputed from the files in
decimals, price bounds in fractions. hh (Hiremath and Hill) and khan (Khan and others, 2002) have
proved values; for a (Khan's I07 to I13), b and c (Hifi and others; irregular classes) and d the best
values known to their source are published. Reached counts values at least as good as published (hh: as
proved, two published ones being too low), optimal the optima proved; the gap is (bound - value) / bound."""
_INSTANCES = """\
Those without a proved value: n classes, m capacities; more is value less published, ! marks a
published value that lies percents below the LP bound; core s are the seconds of processor time that a
busy machine left of the limit."""
_INTRO = """\
# Benchmarks

Made by `python -m benchmarks page` from the JSON in `benchmarks/results`; a test holds the two
together. `make bench` measures again in a quarter of an hour, `make bench-full` everything.

A figure is the median of several runs in a process of its own, caches warm. It covers everything
between loaded columns and a certified allocation: pricing the offers, compiling the limits, their
prices, the core, and the recheck by `certification/`, which uses no solver and whose bound and
value make the gap. Books are invented from a seed (`benchmarks/registry.py`): 29 rates, 24 limits
unless said otherwise, amounts of 100,000 to 1,000,000 or nothing, about 30 % of the borrowers
funded. A machine with a load above 1 before a measurement counts as busy, and its load is stated.
"""


def write_page() -> None:
    """Write the page, and the plot beside it."""
    from benchmarks.plot import growth_plot

    found = results()
    PAGE.write_text(page_of(found), "utf-8")
    growth_plot(central(found), [race for race in races(found) if race["case"] == "central"], PLOT)


def page_of(found: Results) -> str:
    """The page as text."""
    sections = [_INTRO, *(section(found) for section in SECTIONS)]
    return "\n".join(section for section in sections if section)


def cases(found: Results) -> list[Result]:
    """The results of one case at one size each, in the registry's order, small before large."""
    picked = [result for result in found.values() if "case" in result and "failed" not in result["case"]]
    order = list(CASES)
    return sorted(picked, key=lambda result: (order.index(result["case"]["case"]), result["case"]["size"]))


def central(found: Results) -> list[Result]:
    """The central case's results, small before large."""
    return [result for result in cases(found) if result["case"]["case"] == "central"]


def races(found: Results) -> list[Result]:
    """The races that the engine finished, small before large."""
    picked = [result["race"] for result in found.values() if "race" in result]
    picked = [race for race in picked if "failed" not in race["engine"]]
    return sorted(picked, key=lambda race: (race["size"], race["case"]))


def _machines(found: Results) -> str:
    """Where the figures were measured, every machine with its days and versions."""
    days: dict[str, set[str]] = {}
    for result in found.values():
        machine = result["machine"]
        where = f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']:.0f} GB"
        versions = ", ".join(f"{name} {number}" for name, number in sorted(machine["versions"].items()))
        days.setdefault(f"{where}, {machine['system']}; {versions}", set()).add(result["day"])
    lines = [
        fill(f"- {where}: {', '.join(sorted(when))}.", _WIDTH, subsequent_indent="  ")
        for where, when in sorted(days.items())
    ]
    return "\n".join(["## Measured on", "", *lines, ""])


def _growth(found: Results) -> str:
    """The central case from hundreds of borrowers to the largest book."""
    rows = []
    for result in central(found):
        case = result["case"]
        took = case["seconds"]
        pricing = sum(took[phase] for phase in _PRICING)
        rows.append(
            [
                f"{case['size']:,}",
                seconds(took["total"]),
                seconds(pricing),
                *(seconds(took.get(phase)) for phase in _PHASES[1:]),
                gap(case["certified_gap"]),
                f"{case['peak_memory_mb'] / 1000:.1f}",
                state(case["load"]),
            ]
        )
    head = ("borrowers", "seconds", *_PHASES, "gap", "GB", "machine")
    text = """\
## Growth

The central case, seconds a phase. Up to 2,000 borrowers one linear program prices the limits;
beyond, dual passes do. Up to 10,000 a proof tree may follow. Memory is the process's peak, the book
included.
"""
    return "\n".join([text, table(head, rows), "![Seconds against borrowers](benchmarks.svg)", ""])


def _shapes(found: Results) -> str:
    """Every case at one million borrowers, and at 30,000."""
    by_case: dict[str, dict[int, Result]] = {}
    for result in cases(found):
        by_case.setdefault(result["case"]["case"], {})[result["case"]["size"]] = result["case"]
    rows = []
    for name, by_size in by_case.items():
        if 1_000_000 not in by_size:
            continue
        large, small = by_size[1_000_000], by_size.get(30_000)
        rows.append(
            [
                f"{name}: {CASES[name].stresses}",
                f"{large['limits']}",
                f"{large['binding']}",
                seconds(None if small is None else small["seconds"]["total"]),
                seconds(large["seconds"]["total"]),
                gap(large["certified_gap"]),
                state(large["load"]),
            ]
        )
    head = ("case", "limits", "priced", "30,000", "1,000,000", "gap", "machine")
    text = """\
## Shapes

Seconds at 30,000 and at 1,000,000 borrowers; gap, and limits with a price other than 0, of the
larger book.
"""
    return "\n".join([text, table(head, rows)]) if rows else ""


def _middle(found: Results) -> str:
    """Books whose proofs are hard, at every size that was measured."""
    rows = [_hard(result["case"]) for result in cases(found) if CASES[result["case"]["case"]].hard]
    head = ("case", "borrowers", "limits", "priced", "seconds", "core s", "gap", "proof", "ended", "machine")
    text = """\
## The middle

Books under 26 limits of which most bind, with steps of 10,000 or 50,000, with a cost of 1,500 a
loan, or under 176 limits more: integrality shows, and the book is too large for a solver. A gap of
1e-9 is asked for within 60 seconds; core s are the seconds of processor time that a busy machine
left of them. [What helped and what did not](decisions/hard-books.md).
"""
    return "\n".join([text, table(head, rows)]) if rows else ""


def _hard(case: Result) -> list[str]:
    return [
        case["case"],
        f"{case['size']:,}",
        str(case["limits"]),
        str(case["binding"]),
        seconds(case["seconds"]["total"]),
        seconds(case["cpu_seconds"]),
        gap(case["certified_gap"]),
        case["proof"],
        _PLAINER.get(case["stop"], case["stop"]),
        state(case["load"]),
    ]


def _failures(found: Results) -> str:
    """What did not end, told and not dropped."""
    of_cases = [result["case"] for result in found.values() if "failed" in result.get("case", {})]
    lines = [f"- {case['case']}, {case['size']:,} borrowers: {case['failed']}." for case in of_cases]
    return "\n".join(["## What failed", "", *lines, ""]) if lines else ""


def _limits(found: Results) -> str:
    """What 200 limits cost against 24."""
    by_size: dict[int, dict[str, Result]] = {}
    for result in cases(found):
        by_size.setdefault(result["case"]["size"], {})[result["case"]["case"]] = result["case"]
    rows = []
    for size, both in sorted(by_size.items()):
        if not {"central", "many-limits"} <= both.keys():
            continue
        few, many = both["central"], both["many-limits"]
        cost = many["seconds"]["total"] / few["seconds"]["total"]
        gaps = [gap(case["certified_gap"]) for case in (few, many)]
        times = [seconds(case["seconds"]["total"]) for case in (few, many)]
        rows.append([f"{size:,}", *times, ratio(cost), *gaps, state(many["load"])])
    head = ("borrowers", "24 limits", "200 limits", "times", "gap of 24", "gap of 200", "machine")
    return "\n".join(["## 200 limits against 24", "", table(head, rows)]) if rows else ""


def _commands(found: Results) -> str:
    """The whole command, file to file."""
    commands = [result["command"] for result in found.values() if "command" in result]
    rows = []
    for command in sorted(commands, key=lambda command: command["size"]):
        if "failed" in command:
            continue
        took = command["seconds"]
        rows.append(
            [
                f"{command['size']:,}",
                seconds(took["wall"]),
                *(seconds(took[stage]) for stage in _STAGES),
                gap(command["certified_gap"]),
                f"{command['peak_memory_mb'] / 1000:.2f}",
                state(max(command["loads"])),
            ]
        )
    head = ("borrowers", "wall", *_STAGES, "gap", "GB", "machine")
    text = """\
## The whole command

`allocator solve` from a Parquet file to a written run with a Parquet allocation, Python's start
included; seconds, and peak memory.
"""
    return "\n".join([text, table(head, rows)]) if rows else ""


def _races(found: Results) -> str:
    """The engine and its peers on one problem, in one run."""
    text = """\
## Against peers

The same problem in the same run, columns to certificate; peers are asked for a gap of 1e-6,
the gap shown is what each proves. Every value is recomputed by the certification room and stated
relative to the engine's; "times" is a peer's time over the engine's. One binary a borrower is a
fair shortcut only where no limit depends on the rate.
"""
    run = races(found)
    parts = [text] if run else []
    head = ("peer", "seconds", "times", "value", "gap", "how it ended")
    for race in run:
        parts.append(f"### {race['case']}, {race['size']:,} borrowers, {race['seconds']:,.0f} s a peer\n")
        parts.append(f"The engine is asked for {race['gap']:.0e}.\n")
        parts.append(table(head, _race_rows(race)))
        out = [(peer["what"], peer.get("left_out", peer.get("failed"))) for peer in race["peers"]]
        parts += [fill(f"- {what}: {why}.", _WIDTH, subsequent_indent="  ") for what, why in out if why]
        parts += [""] if any(why for _, why in out) else []
    return "\n".join(parts)


def _race_rows(race: Mapping[str, Any]) -> list[list[str]]:
    engine = race["engine"]
    total = engine["seconds"]["total"]
    rows = [["allocator", seconds(total), "1", "1", gap(engine["certified_gap"]), state(engine["load"])]]
    for peer in race["peers"]:
        if "left_out" in peer or "failed" in peer:
            continue
        took = peer["seconds"]["total"]
        value = _value(peer["value"], engine["value"]) if peer["funded"] else "none"
        ended = _PLAINER.get(peer["status"], peer["status"])
        rows.append([peer["what"], seconds(took), ratio(took / total), value, gap(peer["gap"]), ended])
    return rows


def _value(value: float, engine: float) -> str:
    """1 with the distance to it."""
    off = value / engine - 1.0
    return "1" if off == 0 else f"1 {'+' if off > 0 else '-'} {abs(off):.0e}"


def _knapsacks(found: Results) -> str:
    """Public multiple-choice knapsacks: families in a table, then each instance without a proved value."""
    if "mmkp" not in found:
        return ""
    record = found["mmkp"]["mmkp"]
    done = [result for result in record["instances"] if "failed" not in result]
    families: dict[str, list[Result]] = {}
    for result in done:
        families.setdefault(result["family"], []).append(result)
    text = fill(_KNAPSACKS.format(limit=record["limit"]), _WIDTH)
    head = ("family", "instances", "reached", "above", "optimal", "largest gap", "median s", "longest s")
    names = ("instance", "n", "m", "published", "value", "more", "bound", "gap", "core s", "machine")
    return "\n".join(
        [
            f"## Public knapsacks\n\n{text}\n",
            table(head, [_family(name, results) for name, results in families.items()]),
            fill(_INSTANCES, _WIDTH) + "\n",
            table(names, [_instance(result) for result in done if result["family"] not in EXACT]),
        ]
    )


def _family(name: str, results: Sequence[Result]) -> list[str]:
    took = [result["seconds"] for result in results]
    return [
        name,
        str(len(results)),
        str(sum(result["value"] >= result["target"] for result in results)),
        str(sum(result["value"] > result["published"] for result in results)),
        str(sum(result["stop"] == "optimal" for result in results)),
        percent(max(share(result) for result in results)),
        seconds(median(took)),
        seconds(max(took)),
    ]


def _instance(result: Result) -> list[str]:
    return [
        result["instance"].removeprefix("mmkp_"),
        str(result["classes"]),
        str(result["capacities"]),
        f"{result['published']:,.0f}{' !' if result['weak'] else ''}",
        f"{result['value']:,.0f}",
        f"{result['value'] - result['published']:+,.0f}",
        f"{result['bound']:,.0f}",
        percent(share(result)),
        f"{result['cpu_seconds']:.0f}",
        state(result["load"]),
    ]


def share(result: Result) -> float:
    """(bound - value) / bound."""
    return float((result["bound"] - result["value"]) / result["bound"])


def percent(value: float) -> str:
    return "0" if value <= 1e-12 else f"{value:.3%}"


SECTIONS: tuple[Callable[[Results], str], ...] = (
    _machines,
    _growth,
    _shapes,
    _limits,
    _middle,
    _commands,
    _races,
    _knapsacks,
    trees,
    _failures,
)
"""In the page's order; a section without results is an empty text and left out."""
