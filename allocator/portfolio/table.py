"""Whole tables, for what must see every column of a source before it is a portfolio: scoring."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from allocator.errors import Fault
from allocator.records.scenario import PortfolioSource
from allocator.tables import fetch_whole
from allocator.tables.conversion import figures_or_text, to_strings
from allocator.tables.findings import quoted, raise_faults


def with_numeric_columns(
    table: pa.Table, decimal: str, levels: Collection[str] = (), thousands: str = ""
) -> pd.DataFrame:
    """`table` as statistics want it: a column of texts that are all numbers is one of numbers.

    Those of `levels` stay as they stand: what a cell says is never for another row to decide.
    """
    columns = {
        name: table[name] if name in levels else figures_or_text(table[name], decimal, thousands)
        for name in table.column_names
    }
    return pd.DataFrame({name: column.to_pandas() for name, column in columns.items()}, copy=False)


def with_columns(table: pa.Table, columns: pd.DataFrame) -> pa.Table:
    """`table` with each of `columns` added, or put in the place of the one of that name."""
    for name in columns.columns:
        values = pa.array(columns[name], from_pandas=True)
        if name in table.column_names:
            table = table.set_column(table.column_names.index(name), name, values)
        else:
            table = table.append_column(name, values)
    return table


def with_facts(table: pa.Table, key: str, facts: PortfolioSource, facts_key: str) -> pa.Table:
    """`table` with the columns of `facts`, whose row of each is that with the same key.

    Raises InputError with every fault: no such column, a key that stands twice there, a row of `table`
    without one, a column that both have.
    """
    other = fetch_whole(facts).table
    if facts_key not in other.column_names:
        fault = Fault(
            "the column is missing", "name whom each row is about", file=facts.label, field=facts_key
        )
        raise_faults(facts.label, [fault], ())
    keys, wanted = to_strings(other[facts_key]), to_strings(table[key])
    counts = pc.value_counts(keys.drop_null())
    twice = [entry["values"] for entry in counts.to_pylist() if entry["counts"] > 1]
    rows = pc.index_in(wanted, value_set=keys)
    lacking = wanted.filter(pc.is_null(rows)).to_pylist()
    named = {
        "stands in more than one row": (twice, "keep one of them"),
        "has no row": (lacking, "add one: every firm scored has one"),
    }
    faults = [
        Fault(f"{quoted(value)} {problem}{_more(values)}", remedy, file=facts.label, field=facts_key)
        for problem, (values, remedy) in named.items()
        for value in values[:1]
    ]
    faults += [
        Fault("the scored firms have this column too", "rename or drop it", file=facts.label, field=name)
        for name in other.column_names
        if name in table.column_names
    ]
    raise_faults(facts.label, faults, ())
    for name in other.column_names:
        if name != facts_key:
            table = table.append_column(name, other[name].take(rows))
    return table


def _more(values: list[str]) -> str:
    return f", as do {len(values) - 1} more" if len(values) > 1 else ""
