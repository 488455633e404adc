"""Every table that people hand over, read by one reader per format; faults by row, in words.

A reader opens a source, tells its columns, and fetches some as Arrow arrays.
"""

from __future__ import annotations

from importlib import import_module

from allocator.extras import require
from allocator.records.frames import File
from allocator.records.scenario import PortfolioSource
from allocator.records.sources import TABLE_KINDS, kind_of
from allocator.tables.opened import Opened, refuse


def open_source(source: PortfolioSource) -> Opened:
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
    opened: Opened = getattr(reader, f"open_{source.kind}")(source)
    return opened


def source_of(path: File) -> PortfolioSource:
    """The source that a path or a frame alone names: by its ending, in any case."""
    return PortfolioSource(kind_of(path.name).name, path, bare=True)
