"""Every table that people hand over, read by one reader a format; faults by row, in words.

A reader opens a source, tells its columns, and fetches some as Arrow arrays.
"""

from __future__ import annotations

from pathlib import Path

from allocator.records.scenario import PortfolioSource
from allocator.tables.opened import Opened, refuse

KINDS = {".csv": "csv", ".csv.gz": "csv", ".parquet": "parquet", ".xlsx": "xlsx"}


def open_source(source: PortfolioSource) -> Opened:
    """Open `source` with the reader of its kind, which alone is imported.

    Raises InputError where the source is missing, damaged or not what it says it is.
    """
    match source.kind:
        case "csv":
            from allocator.tables.csv import open_csv as opener
        case "parquet":
            from allocator.tables.parquet import open_parquet as opener
        case "xlsx":
            from allocator.tables.xlsx import open_xlsx as opener
        case "sql":
            from allocator.tables.sql import open_sql as opener
        case "invoices":
            raise refuse(source, "invoices are no table of borrowers", "score the firms first")
    return opener(source)


def source_of(path: Path) -> PortfolioSource:
    """The source that a path alone names: by its ending, in any case."""
    name = path.name.lower()
    if name.endswith(".parquet"):
        return PortfolioSource("parquet", path)
    return PortfolioSource("xlsx" if name.endswith(".xlsx") else "csv", path)
