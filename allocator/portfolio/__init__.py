"""Borrowers from a CSV, Parquet or Excel file or a database: read, checked, every fault at once."""

from allocator.portfolio.fingerprint import fingerprint, fingerprint_file
from allocator.portfolio.loading import load_portfolio

__all__ = ["fingerprint", "fingerprint_file", "load_portfolio"]
