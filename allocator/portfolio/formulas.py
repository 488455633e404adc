"""Texts that a spreadsheet would run as formulas where a file of text is opened in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from allocator.records.portfolio import Portfolio
from allocator.tables.findings import quoted

STARTS = ("\t", "\r", "+", "-", "=", "@")
"""What such a text begins with."""
_NUMBER = re.compile(r"[+-]?[0-9.,]*%?")
"""What begins so and is a number, or a sign alone."""
_LOOKED_AT = 10_000


def formulas(portfolio: Portfolio) -> tuple[str, ...]:
    """A note for each column of texts with some: outputs have them as they stand."""
    columns: dict[str, Sequence[str]] = {"borrower_id": [*_formula_like(portfolio.borrower_id)]}
    columns |= {"grade": portfolio.grade.values}
    columns |= {name: text.values for name, text in portfolio.texts.items()}
    return tuple(note for name, texts in columns.items() for note in _notes(name, texts))


def _formula_like(names: np.ndarray) -> Iterator[str]:
    """Those of the ascending `names` that begin as formulas do."""
    for start in STARTS:
        low, high = np.searchsorted(names, np.array([start, chr(ord(start) + 1)], dtype=object))
        yield from names[low:high].tolist()


def _notes(name: str, texts: Sequence[str]) -> Iterator[str]:
    formulas = [text for text in texts if text.startswith(STARTS)]
    if len(formulas) <= _LOOKED_AT:
        formulas = [text for text in formulas if not _NUMBER.fullmatch(text)]
    if formulas:
        count = "1 text begins" if len(formulas) == 1 else f"{len(formulas):,} texts begin"
        first = "" if len(formulas) == 1 else ", the first"
        yield (
            f"{name}: {count} as formulas do{first} {quoted(formulas[0])}: text in the workbook of a run "
            f"(--xlsx), but a spreadsheet that opens allocation.csv computes it"
        )
