"""What is handed over in Python in the place of a file, as the file that it stands for."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


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

    @property
    def name(self) -> str:
        """The file's name in the folder of a run: other rows have another."""
        return f"frame-{self.title}-{self.hash[7:15]}{self.ending}"

    def __str__(self) -> str:
        return f"frame of {self.title}"


File = Path | Frame
"""Where a table or a document is: on the disk, or in memory."""
