"""Proof trees: the shipped scenarios, and random books on which one vector of prices leaves a gap."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from textwrap import fill
from time import process_time
from typing import Any

from allocator.engine.proof import LEAVES
from allocator.errors import AllocatorError
from allocator.pipeline import allocate, decide, judge, prepare
from allocator.records.case import Inputs
from allocator.records.run import Certificate
from allocator.records.strategy import SolverSettings
from allocator.scenario import load_scenario
from benchmarks.hard_books import hard_book
from benchmarks.markdown import gap, seconds, table
from benchmarks.measure import ROOT, child

BOOKS = 50
GAP = 1e-7
"""Relative, certified: what a tree is asked for."""
ROOT_GAP = 1e-6
"""Books whose best prices leave no more than this prove nothing of trees and are passed over."""
SECONDS = 60.0
"""Of processor time, for a whole run; a busy machine takes up to WALL of them."""
WALL = 180.0
SCENARIOS = ROOT / "scenarios"
_WIDTH = 98
_TEXT = """\
Random books of 100 to 1,000 firms (`benchmarks/hard_books.py`, seeds in turn from 0), the first {books}
whose best single prices leave a gap above {root:.0e}. Asked for were a certified gap of {asked:.0e} within
{limit:.0f} seconds of processor time and {leaves:,} leaves: {closed} of {books} closed. Root is the gap that
the prices leave, gap what NumPy rechecks from the tree. {passed} books were passed over ({easy} closed
at the root, {impossible} have no allocation but an empty one or none at all)."""


def measure_tree(seed: int) -> dict[str, Any]:
    """What one run on the book of `seed` proves, by its root's prices and by its tree."""
    book = hard_book(seed)
    own = {"seed": seed, "firms": len(book.portfolio), "step": book.policy.ticket.step}
    case = prepare(
        book.scenario(SolverSettings(gap=GAP, time_limit=WALL)), Inputs(book.portfolio, book.table, {})
    )
    started = process_time()
    try:
        solution = decide(case)
    except AllocatorError as error:
        return {**own, "impossible": type(error).__name__}
    certificate = judge(case, solution).certificate
    took = process_time() - started
    by_prices = judge(case, replace(solution, tree=None)).certificate.bound
    value = certificate.value
    return {
        **own,
        "limits": len(certificate.limits),
        "value": value,
        "root_gap": (by_prices - value) / max(abs(by_prices), 1.0),
        **_proved(certificate),
        "cpu_seconds": took,
    }


def measure_scenario(name: str) -> dict[str, Any]:
    """What a shipped scenario's run proves."""
    started = process_time()
    try:
        run = allocate(load_scenario(SCENARIOS / f"{name}.yaml"))
    except AllocatorError as error:
        return {"scenario": name, "impossible": type(error).__name__}
    took = process_time() - started
    return {
        "scenario": name,
        "firms": run.summary["borrowers"],
        **_proved(run.certificate),
        "cpu_seconds": took,
    }


def _proved(certificate: Certificate) -> dict[str, Any]:
    nodes = [] if certificate.tree is None else certificate.tree["nodes"]
    leaves = sum("borrower" not in node and "keeps" not in node for node in nodes)
    return {"certified_gap": certificate.gap, "nodes": len(nodes), "leaves": max(leaves, 1)}


def measured(tell: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    """The record, grown by one run after another, each a process of its own."""
    record: dict[str, Any] = {"scenarios": [], "books": [], "easy": [], "impossible": []}
    record |= {"asked": GAP, "root": ROOT_GAP, "limit": SECONDS, "leaves": LEAVES}
    for path in sorted(SCENARIOS.glob("*.yaml")):
        found = child(["-m", "benchmarks.worker", "scenario", path.stem], 600.0)
        record["scenarios"] += [] if "impossible" in found else [found]
    seed = 0
    while len(record["books"]) < BOOKS:
        tell(f"proof tree of book {seed}")
        found = child(["-m", "benchmarks.worker", "tree", str(seed)], 4 * WALL)
        if "failed" in found:
            record["books"].append({"seed": seed, **found})
        elif "impossible" in found or found["value"] == 0.0:
            record["impossible"].append(seed)
        elif found["root_gap"] <= ROOT_GAP:
            record["easy"].append(seed)
        else:
            record["books"].append(found)
        seed += 1
        yield record


def closed(book: Mapping[str, Any]) -> bool:
    """Whether a book's proof is as tight, small and quick as asked."""
    return (
        "failed" not in book
        and book["certified_gap"] <= GAP
        and book["leaves"] < LEAVES
        and book["cpu_seconds"] <= SECONDS
    )


def trees(found: Mapping[str, Mapping[str, Any]]) -> str:
    """The section of the page; empty without results."""
    if "proof-trees" not in found:
        return ""
    record = found["proof-trees"]["trees"]
    books = record["books"]
    easy, impossible = len(record["easy"]), len(record["impossible"])
    text = _TEXT.format(
        **{key: record[key] for key in ("asked", "root", "limit", "leaves")},
        books=len(books),
        closed=sum(closed(book) for book in books),
        passed=easy + impossible,
        easy=easy,
        impossible=impossible,
    )
    head = ("book", "firms", "limits", "step", "root", "gap", "leaves", "core s", "closed")
    shipped = ("scenario", "firms", "gap", "leaves", "core s")
    return "\n".join(
        [
            f"## Proof trees\n\n{fill(' '.join(text.split()), _WIDTH)}\n",
            table(head, [_book(book) for book in books]),
            "The shipped scenarios, solved as they stand:\n",
            table(shipped, [_scenario(one) for one in record["scenarios"]]),
        ]
    )


def _book(book: Mapping[str, Any]) -> list[str]:
    if "failed" in book:
        return [str(book["seed"]), *[""] * 7, "failed"]
    return [
        str(book["seed"]),
        f"{book['firms']:,}",
        str(book["limits"]),
        "" if book["step"] is None else f"{book['step']:,.0f}",
        gap(book["root_gap"]),
        gap(book["certified_gap"]),
        f"{book['leaves']:,}",
        seconds(book["cpu_seconds"]),
        "yes" if closed(book) else "no",
    ]


def _scenario(one: Mapping[str, Any]) -> list[str]:
    return [
        one["scenario"],
        f"{one['firms']:,}",
        gap(one["certified_gap"]),
        f"{one['leaves']:,}",
        seconds(one["cpu_seconds"]),
    ]
