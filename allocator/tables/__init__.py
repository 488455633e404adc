"""Every table that people hand over, read by one reader per format; faults by row, in words.

A reader opens a source, tells its columns, and fetches some as Arrow arrays.
"""

from __future__ import annotations

from collections.abc import Container
from importlib import import_module

from allocator.extras import require
from allocator.records.frames import File
from allocator.records.scenario import PortfolioSource
from allocator.records.sources import TABLE_KINDS, kind_of
from allocator.tables.findings import raise_faults
from allocator.tables.opened import FetchedColumns, OpenedSource, refuse, repeated_names


def open_source(source: PortfolioSource) -> OpenedSource:
    """Open `source` with the reader of its kind, which alone is imported.

    Raises InputError where the source is missing, damaged or not what it says it is, or its reader needs
    a part of the package that is not installed.
    """
    if source.kind == "invoices":
        raise refuse(source, "invoices are no table of borrowers", "score the firms first")
    if source.plugin is not None:
        from allocator.tables.brought import open_brought

        return open_brought(source, source.plugin)
    extra = next((kind.extra for kind in TABLE_KINDS if kind.name == source.kind), None)
    if extra is not None:
        require(extra)
    reader = import_module(f"allocator.tables.{source.kind}")
    opened: OpenedSource = getattr(reader, f"open_{source.kind}")(source)
    return opened


def fetch_whole(source: PortfolioSource, texts: Container[str] | None = None) -> FetchedColumns:
    """Every column of `source` that has a name; of delimited text those of `texts` as they stand, None: all.

    Raises InputError where the source cannot be read, heads two columns alike, or has uneven rows.
    """
    opened = open_source(source)
    raise_faults(source.label, repeated_names(opened.names, source), ())
    names = [name for name in opened.names if name]
    fetched = opened.fetch(names, (), [name for name in names if texts is not None and name not in texts])
    raise_faults(source.label, (), fetched.findings)
    return fetched


def source_of(path: File) -> PortfolioSource:
    """The source that a path or a frame alone names: by its ending, in any case."""
    return PortfolioSource(kind_of(path.name).name, path, bare=True)
