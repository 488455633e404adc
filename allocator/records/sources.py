"""Kinds of tables that people hand over: their names, how their files end, what a scenario says of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from allocator.records.frames import File


@dataclass(frozen=True)
class TableKind:
    """A kind of table; `tables/NAME.py` opens it, by its function `open_NAME`."""

    name: str
    """The key under `portfolio.source`."""
    endings: tuple[str, ...] = ()
    """Endings of such files, in small letters; none where it is no file."""
    about: str = ""
    """A sentence for docs/scenario.md, of a kind that is told nothing but its path."""
    path: str = "Path of the file."
    """What that path is."""
    folder: bool = False
    """Whether a folder of such files, its parts, may stand for one."""
    extra: str | None = None
    """The part of the package that it needs, where a light install is without it (`allocator.extras`)."""


TABLE_KINDS = (
    TableKind("csv", (".csv", ".csv.gz")),
    TableKind(
        "parquet",
        (".parquet",),
        "A Parquet file with one row per borrower, or a folder of such files: parts, which may lie in\n"
        "folders named column=value.",
        "Path of the file or folder.",
        folder=True,
    ),
    TableKind("xlsx", (".xlsx",), extra="excel"),
    TableKind("sql", extra="sql"),
)

ENDINGS = tuple(ending for kind in TABLE_KINDS for ending in kind.endings)
"""Every ending by which a file is known."""


def kind_of(path: str) -> TableKind:
    """The kind that a path tells by its ending, in any case: delimited text where that is none."""
    return next((kind for kind in TABLE_KINDS if path.lower().endswith(kind.endings)), TABLE_KINDS[0])


@dataclass(frozen=True)
class InvoiceFiles:
    """Invoices of the firms to be scored: two files, or one workbook with both directions."""

    purchases: File | None = None
    sales: File | None = None
    workbook: Path | None = None
    firms: File | None = None
    """Table of the firms to score; None: all that the invoices, or the workbook, name."""
    facts: File | None = None
    """Table of further columns of every firm scored, by enterprise_id."""
    duplicates: Literal["keep", "drop"] = "keep"

    def files(self) -> dict[str, File]:
        """What is read, by key of the scenario file."""
        named = ("purchases", "sales", "workbook", "firms", "facts")
        return {key: path for key in named if (path := getattr(self, key)) is not None}
