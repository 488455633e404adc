"""One reader a format: each opens a source, tells its columns, and fetches some as Arrow arrays."""

from __future__ import annotations

from allocator.portfolio.readers.opened import Opened, refuse
from allocator.records.scenario import PortfolioSource


def open_source(source: PortfolioSource) -> Opened:
    """Open `source` with the reader of its kind, which alone is imported.

    Raises InputError where the source is missing, damaged or not what it says it is.
    """
    match source.kind:
        case "csv":
            from allocator.portfolio.readers.csv import open_csv as opener
        case "parquet":
            from allocator.portfolio.readers.parquet import open_parquet as opener
        case "xlsx":
            from allocator.portfolio.readers.xlsx import open_xlsx as opener
        case "sql":
            from allocator.portfolio.readers.sql import open_sql as opener
        case "invoices":
            raise refuse(source, "invoices are no table of borrowers", "score the firms first")
    return opener(source)
