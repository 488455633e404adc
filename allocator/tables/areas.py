"""Tables and named ranges of a workbook: where their cells are."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from allocator.records.scenario import PortfolioSource
from allocator.tables.findings import quoted
from allocator.tables.opened import refuse
from allocator.tables.package import Package, Tab, Workbook
from allocator.tables.screening import Cell, column_number

_CORNERS = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7}):\$?([A-Za-z]{1,3})\$?([0-9]{1,7})")


@dataclass(frozen=True)
class Area:
    """Cells of a sheet from one corner to the other; the row of totals is none of them."""

    name: str
    tab: Tab
    first: Cell
    last: Cell


def area_of(package: Package, book: Workbook, name: str, source: PortfolioSource) -> Area:
    """The table or range called `name`, in any case. Raises InputError where there is none."""
    areas = [*_tables(package, book), *_ranges(book)]
    named = [area for area in areas if area.name.lower() == name.strip().lower()]
    if named:
        return named[0]
    names = [area.name for area in areas]
    near = get_close_matches(name, names, n=1)
    listed = f"the nearest is {quoted(near[0])}" if near else (
        f"there are {', '.join(map(quoted, names))}" if names else "it has none")  # fmt: skip
    raise refuse(source, f"no table or range {quoted(name)}; {listed}", "name one of them, or a sheet")


def _tables(package: Package, book: Workbook) -> Iterator[Area]:
    for tab in book.tabs:
        folder, file = posixpath.split(tab.part)
        if posixpath.join(folder, "_rels", f"{file}.rels") not in package:
            continue
        for kind, part in package.links(tab.part).values():
            if not kind.endswith("/table"):
                continue
            told = package.tree(part)
            corners = _corners(told.get("ref", ""))
            if corners is not None:
                first, (bottom, right) = corners
                bottom -= int(told.get("totalsRowCount", "0"))
                yield Area(told.get("displayName") or told.get("name") or "", tab, first, (bottom, right))


def _ranges(book: Workbook) -> Iterator[Area]:
    for name, place in book.ranges.items():
        sheet, _, cells = place.rpartition("!")
        sheet = sheet.strip("'").replace("''", "'")
        tab = next((tab for tab in book.tabs if tab.name == sheet), None)
        corners = _corners(cells)
        if tab is not None and corners is not None:
            yield Area(name, tab, *corners)


def _corners(text: str) -> tuple[Cell, Cell] | None:
    match = _CORNERS.fullmatch(text)
    if match is None:
        return None
    left, top, right, bottom = match.groups()
    return (int(top), column_number(left.encode())), (int(bottom), column_number(right.encode()))
