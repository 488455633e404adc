"""What would raise the value most: everything that a lender might change, moved by a little."""

from __future__ import annotations

import re

from allocator.insight.dossier import FIRST_LEVERS
from allocator.report.committee.blocks import (
    Bar,
    Cell,
    Column,
    Row,
    Section,
    Stretch,
    Table,
    note,
    typed,
    words,
)
from allocator.report.committee.figure import Documents, Figure, Place
from allocator.report.drawing.units import headed, short
from allocator.report.money import visible

_AMOUNT = re.compile(r"\b\d{1,3}(,\d{3})+(?![\d.%])")
"""Money that is nothing."""


def levers_section(docs: Documents) -> Section:
    """A bar a lever, the largest first; what is not certain is light."""
    levers = [*docs.places("levers", "levers")]
    shown = [lever for lever in levers if visible(max(docs.at(*lever, "high") or 0.0, 0.0))][:FIRST_LEVERS]
    unit = docs.column(
        [(*lever, end) for lever in shown for end in ("low", "high") if docs.at(*lever, end) is not None]
    )
    most = max((docs.number((*lever, "high")) for lever in shown), default=0.0) or 1.0
    rows, alike = [], True
    for lever in shown:
        low, high = (docs.at(*lever, end) for end in ("low", "high"))
        sure = max(low or 0.0, 0.0)
        bar = Bar(((Stretch(0.0, sure / most), Stretch(sure / most, high / most, "pale")),))
        least: Cell = docs.bare((*lever, "low"), unit) if low is not None else None
        upper = docs.bare((*lever, "high"), unit)
        alike &= isinstance(least, Figure) and least.text == upper.text  # as printed
        rows.append(Row((_moved(docs, lever), least, bar, upper)))
    columns = [Column("Change", "text"), Column(headed("Adds" if alike else "Adds at least", unit)),
               Column("", "bar"), Column("at most")]  # fmt: skip
    if alike:  # where no lever is uncertain
        rows, columns = [Row(row.cells[:-1]) for row in rows], columns[:-1]
    hidden = len(levers) - len(shown)
    more = f"{hidden} further changes add less, or nothing." if hidden else ""
    blocks = (
        (Table(tuple(columns), tuple(rows), more=more),)
        if rows
        else (words("Nothing that was tried adds anything."),)
    )
    return Section("levers", "10 · What would raise it most?", blocks, "a-levers", "third")


def _moved(docs: Documents, lever: Place) -> str:
    """What is moved, and how: `churn of every grade down by 1% of itself`, `budget from 100 m to 101 m`."""
    name, change = str(docs.at(*lever, "name")), change_in_words(docs.at(*lever, "change"))
    return f"{name}{' from' if ' to ' in change else ''} {change}"


def change_in_words(change: str) -> str:
    """How a lever moves, amounts in thousands or millions."""
    ways = {"-": "down by ", "+": "up by "}
    if change.endswith("of itself") and change[0] in ways:
        return f"{ways[change[0]]}{change[1:]}"
    return _AMOUNT.sub(lambda match: short(float(match[0].replace(",", ""))), change)


def levers_annex(docs: Documents) -> Section:
    """Every lever with what it adds at least and at most."""
    rows = [
        Row((docs.at(*lever, "name"), docs.at(*lever, "change"), _end(docs, (*lever, "low")),
             _end(docs, (*lever, "high")),
             "solved again" if docs.at(*lever, "solved") else "by the run's prices alone"))
        for lever in docs.places("levers", "levers")
    ]  # fmt: skip
    columns = (
        Column("What", "text"), Column("Change", "text"), Column("Adds at least"), Column("at most"),
        Column("known by", "text"),
    )  # fmt: skip
    solved = [bool(docs.at(*lever, "solved")) for lever in docs.places("levers", "levers")]
    command = f"From `allocator levers DIR{'' if any(solved) else ' --quick'}`."
    if any(solved) and not all(solved):
        command = (
            f"From `allocator levers DIR --first {FIRST_LEVERS}`: {sum(solved)} were solved again, those "
            "that may add most; none of the others may add more than they do at most."
        )
    formula = words("Each thing is moved by 1% of itself in the lender's favour, all else as it is; what "
                    "it adds lies between the best value known with the change less the bound without it, "
                    "and the bound with it less the "
                    "value without it.")  # fmt: skip
    return Section("a-levers", "A9 · Levers",
                   (formula, Table(columns, tuple(rows), docs.currency), note(*typed(command))))  # fmt: skip


def _end(docs: Documents, place: Place) -> Cell:
    return docs.exact(*place) if docs.at(*place) is not None else "not known"
