"""A source with its columns matched: what the conversions read from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from allocator.errors import Fault
from allocator.portfolio.columns import match_columns
from allocator.records.columns import NUMBERS
from allocator.records.portfolio import Booleans
from allocator.records.scenario import PortfolioSource
from allocator.tables import open_source
from allocator.tables.conversion import type_fault
from allocator.tables.findings import Finding, Rows, quoted, raise_faults
from allocator.tables.margins import TOTAL_WORDS
from allocator.tables.opened import FetchedColumns, OpenedSource, repeated_names

_SUBTOTAL = r"(?i)^\s*(sub-?\s?total|grand total)\b"
"""How a total begins that stands between the rows, whatever it is of."""


@dataclass(frozen=True)
class Sheet:
    """n rows of the columns that the source has and that can be read as what they are for."""

    source: PortfolioSource
    cells: dict[str, pa.ChunkedArray]
    """Canonical or further column -> (n,) cells."""
    names: dict[str, str]
    """Canonical or further column -> the source's name of it, which messages use."""
    rows: Rows
    faults: tuple[Fault, ...]
    """Columns that are missing or hold the wrong thing."""
    findings: tuple[Finding, ...]
    """Rows that are none."""

    def __len__(self) -> int:
        return len(self.rows.number)

    def own_name(self, column: str) -> str:
        """What the source calls `column`."""
        return self.names.get(column, column)


def open_sheet(
    source: PortfolioSource, texts: frozenset[str], numbers: frozenset[str], table: pa.Table | None = None
) -> Sheet:
    """Open `source`, or take `table` in its place, and fetch the columns wanted.

    Those are the canonical ones, and what limits read as `texts` and `numbers`. Raises InputError where
    the source cannot be read, heads two columns alike or has no rows; the faults of single columns and
    rows are handed on, so that they are told with all others.
    """
    opened = open_source(source) if table is None else OpenedSource.of(table)
    raise_faults(source.label, repeated_names(opened.names, source), ())
    matched = match_columns(opened.names, source, texts | numbers)
    if not matched.names:
        raise_faults(source.label, _other_sheets(source), ())
    coded = {matched.names[column] for column in {"grade", *texts} & matched.names.keys()}
    fetched = opened.fetch(matched.source_names, coded - {matched.names.get("borrower_id", "")})
    if not len(fetched.number) and not fetched.findings:
        empty = Fault("no rows under the header", "give one row per borrower", file=source.label)
        raise_faults(source.label, [*matched.faults, empty], ())
    cells = {column: fetched.table[theirs] for column, theirs in matched.names.items()}
    mistyped = _type_faults(cells, matched.names, source, texts, numbers)
    header, totals = (_where_named(fetched, matched.names, test) for test in (_is_header, _is_total))
    rows = Rows(source.label, fetched.number, header | totals, fetched.letters)
    unmarked = Rows.of(source.label, fetched.number, fetched.letters)
    column = matched.names.get("borrower_id", "")
    again = unmarked.find(header, column, lambda i: "the header again", "remove this row")
    again += unmarked.find(
        totals,
        column,
        lambda i: f"a total, not a row of the table: {quoted(fetched.table[column][i].as_py())}",
        "remove it",
    )
    return Sheet(
        source=source,
        cells={column: held for column, held in cells.items() if column not in mistyped},
        names=matched.names,
        rows=rows,
        faults=(*matched.faults, *mistyped.values()),
        findings=(*fetched.findings, *again),
    )


def _other_sheets(source: PortfolioSource) -> list[Fault]:
    """The fault of a workbook whose first sheet has no column of a table, where there are other sheets."""
    if source.kind != "xlsx" or source.sheet is not None or source.table is not None or source.path is None:
        return []
    from allocator.tables.xlsx import sheet_names  # a light install reads no workbooks

    first, *others = map(quoted, sheet_names(source))
    if not others:
        return []
    verb, named = ("is", others[0]) if len(others) == 1 else ("are", "NAME")
    problem = f"no column that borrowers need is in the sheet {first}; there {verb} also {', '.join(others)}"
    return [Fault(problem, f"write source: {{xlsx: {source.path.name}, sheet: {named}}}", file=source.label)]


def _type_faults(
    cells: dict[str, pa.ChunkedArray],
    names: dict[str, str],
    source: PortfolioSource,
    texts: frozenset[str],
    numbers: frozenset[str],
) -> dict[str, Fault]:
    """The fault of each typed column that cannot be what it is for."""
    figures = {column.name for column in NUMBERS} | numbers
    faults: dict[str, Fault] = {}
    for column, held in cells.items():
        kinds = {"number": column in figures, "flag": column == "exclude", "text": column in texts}
        kinds["text"] |= not any(kinds.values())
        for kind, used in kinds.items():
            fault = type_fault(names[column], kind, held.type, source) if used else None
            if fault is not None:
                faults[column] = fault
    return faults


def _where_named(
    fetched: FetchedColumns, names: dict[str, str], test: Callable[[pa.ChunkedArray, str], pa.ChunkedArray]
) -> Booleans:
    """(n,) rows whose borrower_id, where that is a column of texts, passes `test`, given its heading too."""
    column = names.get("borrower_id")
    if column is not None and column in fetched.table.column_names:
        cells = fetched.table[column]
        if pa.types.is_string(cells.type):
            return np.asarray(pc.fill_null(test(cells, column), False).to_numpy())
    return np.zeros(len(fetched.number), dtype=bool)


def _is_total(cells: pa.ChunkedArray, _: str) -> pa.ChunkedArray:
    """Where a word for a total stands in the place of a borrower."""
    words = {form for word in TOTAL_WORDS for form in (word, word.capitalize(), word.title(), word.upper())}
    return pc.or_(pc.is_in(cells, pa.array(sorted(words))), pc.match_substring_regex(cells, _SUBTOTAL))


def _is_header(cells: pa.ChunkedArray, heading: str) -> pa.ChunkedArray:
    """Where the header is repeated, as files joined end to end have it."""
    return pc.equal(cells, heading)
