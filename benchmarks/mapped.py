"""A book larger than memory would like: columns on disk, mapped; what is the same for all takes no room.

The central case again, drawn in parts from seeds of their own. Identifiers are left out: borrowers stand
in their order.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from allocator.records.portfolio import Portfolio, Text
from benchmarks.books import Book, borrowers, churn_table
from benchmarks.registry import CASES, LENT, policy, usual_caps

_PART = 1_000_000
"""Borrowers drawn at a time."""
_FIGURES = ("pd", "lgd", "max_amount", "k")
_WORDS = ("grade", "sector", "region")


def draw(folder: Path, size: int) -> None:
    """Write the columns of `size` borrowers to `folder`: float64 and one byte a code."""
    files = {name: (folder / name).open("wb") for name in (*_FIGURES, *_WORDS)}
    for part, begin in enumerate(range(0, size, _PART)):
        own = borrowers(min(_PART, size - begin), 1_000 * CASES["central"].seed + part)
        for name, column in _columns(own):
            column.tofile(files[name])
    for file in files.values():
        file.close()


def _columns(own: Portfolio) -> Iterator[tuple[str, np.ndarray]]:
    for name in _FIGURES:
        yield name, own.number(name)
    for name in _WORDS:
        yield name, own.text(name).codes.astype(np.int8)


def mapped_book(folder: Path, size: int) -> Book:
    """The book of what `draw` wrote; nothing of it is in memory until it is read."""
    of_one = borrowers(1, 0)
    column = {name: np.memmap(folder / name, np.float64, "r", shape=(size,)) for name in _FIGURES}
    code = {name: np.memmap(folder / name, np.int8, "r", shape=(size,)) for name in _WORDS}
    text: dict[str, Any] = {name: Text(codes, _values(of_one, name)) for name, codes in code.items()}
    same = {
        name: np.broadcast_to(array, size)
        for name, array in vars(of_one).items()
        if isinstance(array, np.ndarray) and name not in _FIGURES
    }
    own = Portfolio(
        source="mapped",
        **same,
        grade=text.pop("grade"),
        pd=column["pd"],
        lgd=column["lgd"],
        max_amount=column["max_amount"],
        texts=text,
        numbers={"k": column["k"]},
    )
    return Book(own, churn_table(), policy(size, usual_caps(LENT * size)))


def _values(of_one: Portfolio, name: str) -> tuple[str, ...]:
    return of_one.text(name).values


def release(book: Book) -> None:
    """Give back the memory that reading the mapped columns took: the files keep them."""
    own = book.portfolio
    words = [own.grade.codes, *(text.codes for text in own.texts.values())]
    for column in (own.pd, own.lgd, own.max_amount, own.numbers["k"], *words):
        held: Any = column
        held._mmap.madvise(mmap.MADV_DONTNEED)
