"""One portfolio in every format that a source can have."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import xlsxwriter
from pyarrow import parquet

from allocator.records.scenario import PortfolioSource

Columns = dict[str, list[Any]]
"""Name -> cells; None is an empty cell."""


def csv_text(text: str, folder: Path, **how: Any) -> PortfolioSource:
    """A CSV source with exactly this text."""
    path = folder / "borrowers.csv"
    path.write_text(text, encoding="utf-8")
    return PortfolioSource("csv", path, **how)


def as_csv(columns: Columns, folder: Path, **how: Any) -> PortfolioSource:
    path = folder / "borrowers.csv"
    words = {
        name: [str(cell).lower() if isinstance(cell, bool) else cell for cell in cells]
        for name, cells in columns.items()
    }
    frame = pd.DataFrame(words, dtype=object)
    frame.to_csv(path, index=False)
    return PortfolioSource("csv", path, **how)


def as_parquet(columns: Columns, folder: Path, **how: Any) -> PortfolioSource:
    path = folder / "borrowers.parquet"
    parquet.write_table(pa.table(columns), path)
    return PortfolioSource("parquet", path, **how)


def as_xlsx(columns: Columns, folder: Path, **how: Any) -> PortfolioSource:
    path = folder / "borrowers.xlsx"
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False}) as workbook:
        sheet = workbook.add_worksheet()
        for place, (name, cells) in enumerate(columns.items()):
            sheet.write_string(0, place, name)
            for row, cell in enumerate(cells, start=1):
                if isinstance(cell, str):
                    sheet.write_string(row, place, cell)
                elif cell is not None:
                    sheet.write(row, place, cell)
    return PortfolioSource("xlsx", path, **how)


def as_sql(columns: Columns, folder: Path, **how: Any) -> PortfolioSource:
    path = folder / "borrowers.db"
    path.unlink(missing_ok=True)
    names = ", ".join(f'"{name}"' for name in columns)
    marks = ", ".join("?" for _ in columns)
    with sqlite3.connect(path) as connection:
        connection.execute(f"CREATE TABLE book ({names})")
        connection.executemany(f"INSERT INTO book VALUES ({marks})", zip(*columns.values(), strict=True))
    connection.close()
    return PortfolioSource("sql", url=f"sqlite:///{path}", query=f"SELECT {names} FROM book", **how)


FORMATS = {"csv": as_csv, "parquet": as_parquet, "xlsx": as_xlsx, "sql": as_sql}
