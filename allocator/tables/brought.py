"""Files that another package reads: we read their bytes, once, and it makes a table of them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from allocator.errors import InputError
from allocator.records.plugins import Plugin
from allocator.records.scenario import PortfolioSource
from allocator.tables.opened import OpenedSource, content, existing_file, refuse, repeated_names


def open_brought(source: PortfolioSource, plugin: Plugin) -> OpenedSource:
    """The table that the package makes of the file; it never sees more of the file than its bytes."""
    held = content(source, existing_file(source)).to_pybytes()
    with plugin.blamed():
        try:
            made = plugin.thing.read(held)
        except ValueError as error:
            remedy = f"save it again, or ask the makers of {plugin.package}"
            raise refuse(source, f"{plugin.origin} cannot read it: {error}", remedy) from error
        table = table_of(made)
    if faults := repeated_names(table.column_names, source):
        raise InputError.of(faults, source.label)
    return OpenedSource.of(table)


def table_of(made: Any) -> pa.Table:
    """What a package handed over, as a table. Raises TypeError for what is none."""
    if isinstance(made, pa.Table):
        return made
    if not hasattr(made, "__arrow_c_stream__"):
        raise TypeError(f"a {type(made).__name__} where a table was expected")
    return pa.table(made)
