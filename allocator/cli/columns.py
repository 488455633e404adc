"""Columns of the borrowers that options name, beside those that a scenario reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from allocator.errors import Fault, InputError

if TYPE_CHECKING:
    from allocator.borrowers import FurtherColumns


def further_columns(texts: Iterable[str], numbers: Iterable[str], option: str) -> FurtherColumns:
    """What must be read for `texts` and `numbers`; what every portfolio has is left out.

    Raises InputError, in terms of `option`, for a text that is a canonical column of numbers.
    """
    from allocator.borrowers import FurtherColumns
    from allocator.records.columns import CANONICAL, NUMBERS

    no_texts = {column.name for column in NUMBERS} | {"exclude"}
    faults = [
        Fault(f"{name} is no column of texts", "name one, as grade or sector", field=option)
        for name in sorted(no_texts & set(texts))
    ]
    if faults:
        raise InputError.of(faults, "command line")
    return FurtherColumns(frozenset(texts) - set(CANONICAL), frozenset(numbers) - set(CANONICAL))
