"""A scenario as a workbook: keys and values on one sheet, limits, rates, borrowers and churn on others.

It is read as the tree that a YAML file with the same content gives, so that every check is the same; a fault
names its cell.

Scenario    key | value                      policy.budget.amount | 100000000
Limits      a column a key of a limit, a row a limit
Rates       grade | from | to
Borrowers   portfolio.source, where Scenario names no other
Churn       response.churn, where Scenario names no other
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from allocator.errors import Fault, InputError
from allocator.records.document import CHURN, SOURCE, Place
from allocator.records.frames import Frame
from allocator.records.nodes import LIMITS, Location, Node, Origin
from allocator.scenario.places import REQUIRED
from allocator.scenario.reading import parse
from allocator.tables.conversion import cell_text
from allocator.tables.grids import frame_of_grid, grids_of, pending_faults

SCENARIO, LIMIT_SHEET, RATES, BORROWERS, CURVE = "Scenario", "Limits", "Rates", "Borrowers", "Churn"
RATE_COLUMNS = ("grade", "from", "to")
_WORDS = {"limit": "name", "for_each": "each", "grades": "grade", "lowest": "from", "highest": "to"}
"""Headings that people may write for a key."""
Sheet = Any


@dataclass(frozen=True)
class _Reading:
    """One workbook as it is read: its name in faults, its folder, the faults found."""

    path: Path
    label: str
    faults: list[Fault]

    def origin(self, cell: str | None = None) -> Origin:
        return Origin(self.label, None, self.path.resolve().parent, cell)

    def fault(self, cell: str | None, problem: str, remedy: str) -> None:
        self.faults.append(Fault(problem, remedy, file=self.label, cell=cell))

    def value(self, cell: object, origin: Origin) -> Node:
        """A cell's value; a text in braces or brackets is read as YAML, a number as its shortest decimal."""
        if isinstance(cell, bool):
            return Node(cell, origin)
        text = cell_text(cell)
        if text is not None and isinstance(cell, str) and text.strip()[:1] in ("{", "["):
            return parse(text.strip(), origin, self.faults) or Node(None, origin)
        return Node(None if text is None else text.strip(), origin)


def read_workbook(path: Path, label: str, faults: list[Fault]) -> tuple[Node | None, dict[Place, Frame]]:
    """The tree of the workbook at `path`, and the frames that stand in it for files; faults are added.

    No tree where the workbook cannot be read, or has no sheet of the scenario.
    """
    reading = _Reading(path, label, faults)
    try:
        grids = grids_of(path, (SCENARIO, LIMIT_SHEET, RATES, BORROWERS, CURVE))
    except InputError as error:
        faults += [replace(fault, file=label) for fault in error.faults]
        return None, {}
    if SCENARIO not in grids:
        remedy = "make one with `allocator init --xlsx FILE`, or name a scenario's YAML file"
        reading.fault(None, f"a workbook without a filled sheet {SCENARIO} is no scenario", remedy)
        return None, {}
    for name in (SCENARIO, LIMIT_SHEET, RATES, CURVE):
        if name in grids:
            faults += pending_faults(grids[name], label)
    tree = Node({"schema": Node("1", reading.origin())}, reading.origin())
    for part in (_keys(grids[SCENARIO], reading), _rates(grids.get(RATES), reading),
                 _limits(grids.get(LIMIT_SHEET), reading)):  # fmt: skip
        for steps, node in part:
            tree = _laid(tree, steps, node)
    frames: dict[Place, Frame] = {}
    if BORROWERS in grids and tree.find(SOURCE) is None:
        table = {
            "xlsx": Node(path.name, reading.origin()),
            "sheet": Node(grids[BORROWERS].sheet, reading.origin()),
        }
        tree = _laid(tree, SOURCE, Node(table, reading.origin()))
    if CURVE in grids and tree.find(CHURN) is None:
        frame = frame_of_grid(grids[CURVE], "churn", label)
        frames[CHURN] = frame
        tree = _laid(tree, CHURN, Node(frame.name, reading.origin()))
    return tree, frames


def _laid(tree: Node, steps: Location, node: Node) -> Node:
    """`tree` with `node` at `steps`; mappings above it are made where there are none."""
    if not steps:
        return node
    step = str(steps[0])
    below = tree.entries.get(step) or Node({}, node.origin)
    return replace(tree, value={**tree.entries, step: _laid(below, steps[1:], node)})


def _keys(grid: Sheet, reading: _Reading) -> Iterator[tuple[Location, Node]]:
    """The keys of the sheet of the scenario with their values; a key without a value is left out."""
    table = _Table.of(grid, ("key", "value"), reading)
    if table is None:
        return
    met: dict[str, str] = {}
    for row, cells in table.rows():
        key, place = (cell_text(cells["key"]) or "").strip(), table.place(row, "value")
        if not key:
            if cells["value"] != "":
                reading.fault(place, "a value without a key", "write its key beside it, or delete it")
            continue
        if cells["value"] == "":
            steps = _steps(key)
            if steps in REQUIRED and steps not in (SOURCE, CHURN):
                yield steps, Node(None, reading.origin(place))
            continue
        if key in met:
            problem = f"key {key!r} is written twice, first beside {met[key]}"
            reading.fault(place, problem, "keep one of the two")
            continue
        met[key] = place
        if "" in _steps(key):
            remedy = "write keys with one dot between them"
            reading.fault(table.place(row, "key"), "a part of the key is empty", remedy)
            continue
        yield _steps(key), reading.value(cells["value"], reading.origin(place))


def _steps(key: str) -> tuple[str, ...]:
    """The keys of policy.budget.amount, from the root down."""
    return tuple(part.strip() for part in key.split("."))


def _rates(grid: Sheet | None, reading: _Reading) -> Iterator[tuple[Location, Node]]:
    """policy.rates from a row a grade."""
    table = _Table.of(grid, RATE_COLUMNS, reading)
    if table is None:
        return
    met: set[str] = set()
    for row, cells in table.rows():
        grade, place = cell_text(cells["grade"]), table.place(row, "grade")
        if grade is None:
            reading.fault(place, "a band without a grade", "write the grade, or delete the row")
        elif grade in met:
            reading.fault(place, f"grade {grade!r} has two bands", "keep one of the two")
        else:
            met.add(grade)
            ends = tuple(
                reading.value(cells[end], reading.origin(table.place(row, end))) for end in RATE_COLUMNS[1:]
            )
            yield ("policy", "rates", grade), Node(ends, reading.origin(place))


def _limits(grid: Sheet | None, reading: _Reading) -> Iterator[tuple[Location, Node]]:
    """policy.limits from a row a limit, its columns the keys."""
    table = _Table.of(grid, ("name",), reading)
    if table is None:
        return
    entries = []
    for row, cells in table.rows():
        entry = {}
        for key, cell in cells.items():
            origin = reading.origin(table.place(row, key))
            if cell == "":
                continue
            if key == "where" and isinstance(cell, str) and cell.strip()[:1] != "{":
                cell = f"{{{cell.strip()}}}"
            entry[key] = reading.value(cell, origin)
        if "name" not in entry:
            reading.fault(table.place(row, "name"), "a limit without a name", "name it, or delete the row")
            continue
        entries.append(Node(entry, reading.origin(table.place(row, "name"))))
    names = [node.entries["name"].value for node in entries]
    for i, node in enumerate(entries):
        if names[i] in names[:i]:
            reading.fault(
                node.origin.cell, f"two limits are named {names[i]!r}", "give each limit its own name"
            )
    if entries:
        yield LIMITS, Node(tuple(entries), entries[0].origin)


@dataclass(frozen=True)
class _Table:
    """Rows of a sheet below its header, by the keys that head them."""

    grid: Sheet
    head: int
    columns: dict[str, int]

    @classmethod
    def of(cls, grid: Sheet | None, needed: tuple[str, ...], reading: _Reading) -> _Table | None:
        """The table whose header, the first row with the first heading `needed`, has all; else a fault.

        None where there is no sheet.
        """
        if grid is None:
            return None
        heads = [[_heading(cell) for cell in row] for row in grid.rows]
        head = next((place for place, row in enumerate(heads) if needed[0] in row), None)
        if head is None:
            remedy = f"write a header with {', '.join(needed)}, as `allocator init --xlsx FILE` does"
            reading.fault(grid.place(0, 0), f"no row of the sheet is headed {needed[0]}", remedy)
            return None
        columns: dict[str, int] = {}
        for column, name in enumerate(heads[head]):
            if name in columns:
                reading.fault(
                    grid.place(head, column), f"two columns are headed {name}", "keep one of the two"
                )
            elif name:
                columns[name] = column
        for name in needed:
            if name not in columns:
                reading.fault(
                    grid.place(head, 0), f"no column is headed {name}", f"add one: {', '.join(needed)}"
                )
        return cls(grid, head, columns) if set(needed) <= columns.keys() else None

    def rows(self) -> Iterator[tuple[int, dict[str, object]]]:
        """The rows that are not blank under their headings: place in the grid, cells by key."""
        for place in range(self.head + 1, len(self.grid.rows)):
            cells = {key: self.grid.rows[place][column] for key, column in self.columns.items()}
            cells = {
                key: "" if isinstance(cell, str) and not cell.strip() else cell for key, cell in cells.items()
            }
            if any(cell != "" for cell in cells.values()):
                yield place, cells

    def place(self, row: int, key: str) -> str:
        return str(self.grid.place(row, self.columns[key]))


def _heading(cell: object) -> str:
    name = (cell_text(cell) or "").strip().lower().replace(" ", "_")
    return _WORDS.get(name, name)
