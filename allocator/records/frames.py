"""What is handed over in Python in the place of a file, as the file that it stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from allocator.errors import Fault


@dataclass(frozen=True)
class OnSheet:
    """Where the rows of a frame that was a sheet of a workbook stood."""

    file: str
    rows: tuple[int, ...]
    """The row of each, as the spreadsheet counts."""
    letters: Mapping[str, str]
    """Column -> where its cells are, but for the row: `Churn!B`."""

    def located(self, fault: Fault) -> Fault:
        """A fault of the frame as one of the sheet."""
        row = self.rows[fault.row - 1] if fault.row and fault.row <= len(self.rows) else None
        letters = self.letters.get(fault.field or "")
        cell = f"{letters}{row}" if letters and row else None
        return replace(fault, file=self.file, row=row, cell=cell)


@dataclass(frozen=True)
class Frame:
    """A data frame's rows as a CSV or Parquet file, or a mapping as JSON; equal where the bytes are."""

    title: str
    """What it holds, in words that may be a file's name: borrowers, churn, how a strategy is called."""
    ending: str
    """.csv, .parquet or .json."""
    hash: str
    """`sha256:` and 64 hexadecimal digits, of the bytes."""
    content: Any = field(repr=False, compare=False)
    """Arrow buffer."""
    sheet: OnSheet | None = field(default=None, repr=False, compare=False)

    @property
    def name(self) -> str:
        """The file's name in the folder of a run: other rows have another."""
        return f"frame-{self.title}-{self.hash[7:15]}{self.ending}"

    @property
    def stem(self) -> str:
        """What a path has before its ending: the title."""
        return self.title

    def __str__(self) -> str:
        return f"frame of {self.title}"


File = Path | Frame
"""Where a table or a document is: on the disk, or in memory."""
