"""From a source to a Portfolio: open, convert, check, order."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from allocator.errors import Fault
from allocator.portfolio.checks import default_faults, pair_findings, pd_from_grade, value_findings
from allocator.portfolio.order import ascending_positions, duplicates
from allocator.portfolio.sheet import Sheet, open_sheet
from allocator.records.columns import NUMBERS, Column
from allocator.records.portfolio import Booleans, Floats, Integers, Portfolio, Text
from allocator.records.scenario import PortfolioSource
from allocator.tables.conversion import Numbers, cell_text, to_flags, to_numbers, to_strings, to_text
from allocator.tables.findings import Finding, raise_faults


@dataclass
class Faults:
    """What the conversions of one source find wrong, gathered so that it is told at once."""

    columns: list[Fault]
    rows: list[Finding] = field(default_factory=list)


def load_portfolio(
    source: PortfolioSource,
    texts: frozenset[str] = frozenset(),
    numbers: frozenset[str] = frozenset(),
    table: pa.Table | None = None,
) -> Portfolio:
    """Read and check the borrowers of `source`; they come in ascending order of borrower_id.

    `texts` and `numbers` name the further columns that limits read; a column may be in both. With
    `table` its rows are read, and `source` says only where they came from and what they mean.
    A source without term_years takes `defaults["term_years"]`, where policy.term_years belongs,
    else 1 year. Raises InputError with every fault; of row faults the first 20 are listed.
    """
    sheet = open_sheet(source, texts, numbers, table)
    faults = Faults([*default_faults(source), *sheet.faults], [*sheet.findings])
    ids, order = _identifiers(sheet, faults)
    grade = _grade(sheet, faults)
    exclude = _exclude(sheet, faults)
    figures = _figures(sheet, grade, faults)
    words = {name: _text(name, sheet) for name in sorted(texts - {"grade"})}
    further = {name: _further_column(name, sheet, faults) for name in sorted(numbers - set(figures))}
    raise_faults(source.label, faults.columns, faults.rows)
    into_order = slice(None) if order is None else order
    figures = {name: column[into_order] for name, column in figures.items()}
    return Portfolio(
        source=source.label,
        borrower_id=ids.to_numpy(zero_copy_only=False)[into_order],
        row=sheet.rows.number[into_order],
        grade=Text(grade.codes[into_order], grade.values),
        pd=figures["pd"],
        lgd=figures["lgd"],
        term=figures["term_years"],
        min_amount=figures["min_amount"],
        max_amount=figures["max_amount"],
        relationship_value=figures["relationship_value"],
        exposure=figures["exposure"],
        exclude=exclude[into_order],
        min_rate=figures["min_rate"],
        max_rate=figures["max_rate"],
        rate=figures["rate"],
        fixed_amount=figures["fixed_amount"],
        fixed_rate=figures["fixed_rate"],
        texts={name: Text(column.codes[into_order], column.values) for name, column in words.items()},
        numbers={name: column[into_order] for name, column in further.items()},
    )


def _identifiers(sheet: Sheet, faults: Faults) -> tuple[pa.Array, Integers | None]:
    """Identifiers in the source's order, and the order that makes them ascend."""
    if "borrower_id" not in sheet.cells:
        return pa.nulls(len(sheet), pa.string()), None
    column = sheet.own_name("borrower_id")
    ids = to_strings(sheet.cells["borrower_id"])
    order = ascending_positions(ids)
    empty = ids.is_null().to_numpy(zero_copy_only=False)
    faults.rows += sheet.rows.find(
        empty, column, lambda i: "an empty cell", "give every borrower an identifier"
    )
    faults.rows += duplicates(ids, order, column, sheet.rows)
    return ids, order


def _grade(sheet: Sheet, faults: Faults) -> Text:
    """The grade of each borrower, none empty."""
    grade = _text("grade", sheet)
    if "grade" in sheet.cells:
        column = sheet.own_name("grade")
        faults.rows += sheet.rows.find(
            grade.codes < 0, column, lambda i: "an empty cell", "give every borrower a grade"
        )
    return grade


def _exclude(sheet: Sheet, faults: Faults) -> Booleans:
    """(n,) whether each borrower is excluded."""
    if "exclude" not in sheet.cells:
        return np.full(len(sheet), sheet.source.defaults.get("exclude", False) is True)
    excluded, findings = to_flags(sheet.cells["exclude"], sheet.own_name("exclude"), sheet.rows)
    faults.rows += findings
    return excluded


def _figures(sheet: Sheet, grade: Text, faults: Faults) -> dict[str, Floats]:
    """The canonical columns of numbers, checked each on its own and one against another."""
    read = {column.name: _numbers(column, sheet) for column in NUMBERS}
    figures = {name: column.values for name, column in read.items()}
    present = [column for column in NUMBERS if column.name in sheet.cells]
    for column in present:
        faults.rows += value_findings(column, sheet.own_name(column.name), read[column.name], sheet.rows)
    faults.rows += pair_findings(read, sheet.names, sheet.rows)
    if "pd" not in sheet.names and sheet.source.pd_by_grade:
        figures["pd"], missing = pd_from_grade(grade, sheet.source, sheet.rows)
        faults.columns += missing
    for column in present:
        if column.empty is not None:
            figures[column.name][read[column.name].missing] = column.empty
    return figures


def _numbers(column: Column, sheet: Sheet) -> Numbers:
    """The column as it stands in the source, else its default for everybody."""
    if column.name in sheet.cells:
        return to_numbers(sheet.cells[column.name], sheet.own_name(column.name), sheet.source, sheet.rows)
    default = sheet.source.defaults.get(column.name, column.absent)
    usual = float(default) if isinstance(default, int | float) else np.nan
    # Nobody has an empty cell in a column that is not there.
    return Numbers(np.full(len(sheet), usual), np.zeros(len(sheet), dtype=bool))


def _further_column(column: str, sheet: Sheet, faults: Faults) -> Floats:
    """A column that only limits read, as numbers: NaN where missing."""
    if column not in sheet.cells:
        default = sheet.source.defaults.get(column)
        return np.full(len(sheet), float(default) if isinstance(default, int | float) else np.nan)
    read = to_numbers(sheet.cells[column], sheet.own_name(column), sheet.source, sheet.rows)
    faults.rows += read.findings
    return read.values


def _text(column: str, sheet: Sheet) -> Text:
    """A column as text, else its default for everybody."""
    if column in sheet.cells:
        return to_text(sheet.cells[column])
    default = cell_text(sheet.source.defaults.get(column))
    code = -1 if default is None else 0
    return Text(np.full(len(sheet), code, dtype=np.int32), () if default is None else (default,))
