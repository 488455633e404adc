"""Borrowers from a CSV, Parquet or Excel file or a database: read, checked, every fault at once."""

from allocator.portfolio.book import off_curve, read_book
from allocator.portfolio.copying import portfolio_as_csv, stands_as_it_is
from allocator.portfolio.fingerprint import fingerprint
from allocator.portfolio.former import held_to, with_former
from allocator.portfolio.formulas import formulas
from allocator.portfolio.loading import load_portfolio
from allocator.portfolio.table import with_columns, with_facts, with_numeric_columns

__all__ = [
    "fingerprint",
    "formulas",
    "held_to",
    "load_portfolio",
    "off_curve",
    "portfolio_as_csv",
    "read_book",
    "stands_as_it_is",
    "with_columns",
    "with_facts",
    "with_former",
    "with_numeric_columns",
]
