"""The whole pipeline against the oracle: what differs, in words."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from allocator import load_scenario
from allocator.errors import AllocatorError
from allocator.pipeline import allocate
from allocator.records.run import Run
from tests.oracle.books import Book
from tests.oracle.feasibility import exceeded, faults, offers_of, value
from tests.oracle.program import Program
from tests.oracle.search import Answer, bound_with_tolerances, solve

CLOSE = Fraction(1, 10**9)


@dataclass(frozen=True)
class Difference:
    """`kind` is an error's code, or what is wrong: `broken` limits, a false `bound`, a value that is `less`
    or `more` than the oracle's, a `status` that is not optimal."""

    kind: str
    text: str


def compare(book: Book, folder: Path, nodes: int = 3_000) -> list[Difference]:
    """Where engine and oracle differ; nothing where they agree."""
    path = book.write(folder)
    program = Program(book)
    try:
        run = allocate(load_scenario(path))
    except AllocatorError as error:
        return _refused(error, solve(program, nodes))
    return _answered(program, run, solve(program, nodes), nodes)


def _refused(error: AllocatorError, known: Answer) -> list[Difference]:
    if error.code == "infeasible":
        if known.value is None:
            return []
        return [Difference("refused", f"an allocation is worth {float(known.value)!r}; {error}")]
    known_text = f"{known.verdict} {known.value if known.value is None else float(known.value)!r}"
    return [Difference(error.code, f"the oracle says {known_text}; {error}")]


def _answered(program: Program, run: Run, known: Answer, nodes: int) -> list[Difference]:
    table, found = run.allocation, []
    decisions = zip(table["amount"].tolist(), table["rate"].tolist(), strict=True)
    offers, unread = offers_of(program, decisions)
    wrong = unread or faults(program, offers)
    if wrong:
        found.append(Difference("broken", "; ".join(wrong)))
    worth, stated = value(program, offers), run.certificate.value
    close = CLOSE * max(1, abs(worth))
    if abs(worth - Fraction(stated)) > close:
        found.append(Difference("stated value", f"{stated!r} stated, {float(worth)!r} worth"))
    if run.summary["status"] != "optimal":
        found.append(Difference("status", f"{run.summary['status']}, gap {run.summary['gap']:.3g}"))
    if known.value is not None:
        found += _short(run, worth, known.value - _tolerated(program, run, known))
    if not wrong:
        found += _beyond(program, worth, known, close, nodes)
    return found


def _tolerated(program: Program, run: Run, known: Answer) -> Fraction:
    """What the oracle's use of the tolerance of rows in doubles is worth at the run's dearest prices."""
    tree = run.certificate.tree or {"nodes": []}
    every = [run.prices, *(node["prices"] for node in tree["nodes"] if "prices" in node)]
    over = {row.name: max(Fraction(0), exceeded(program, row, known.offers)) for row in program.rows}
    dearest = {name: max(abs(Fraction(prices.get(name, 0))) for prices in every) for name in over}
    return sum((dearest[name] * by for name, by in over.items() if by), Fraction(0))


def _short(run: Run, worth: Fraction, best: Fraction) -> list[Difference]:
    """Where the run's bound or value lies below what an allocation is worth."""
    found, bound, close = [], run.certificate.bound, CLOSE * max(1, abs(worth))
    if bound == -np.inf or Fraction(bound) < best:
        text = f"certified {bound!r}, an allocation is worth {float(best)!r}"
        found.append(Difference("bound", text))
    if worth < best - close:
        found.append(Difference("less", f"engine {float(worth)!r}, oracle {float(best)!r}"))
    return found


def _beyond(
    program: Program, worth: Fraction, known: Answer, close: Fraction, nodes: int
) -> list[Difference]:
    """What the engine has beyond the oracle, whose rows in doubles have no tolerance: within theirs?"""
    infeasible = known.verdict == "infeasible"
    if not infeasible and (known.bound == np.inf or worth <= Fraction(known.bound) + close):
        return []
    most = bound_with_tolerances(program, nodes)
    if most == np.inf or (most > -np.inf and worth <= Fraction(most) + close):
        return []
    found = "no allocation" if infeasible else f"at most {known.bound!r}"
    return [Difference("more", f"engine {float(worth)!r}, oracle {found}, {most!r} with tolerances")]
