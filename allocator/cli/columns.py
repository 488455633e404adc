"""Columns of the borrowers that options name, beside those that a scenario reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from allocator.borrowers import FurtherColumns


def further_columns(texts: Iterable[str], numbers: Iterable[str], option: str) -> FurtherColumns:
    """`FurtherColumns.named`, loaded when it is asked for."""
    from allocator.borrowers import FurtherColumns

    return FurtherColumns.named(texts, numbers, option)
