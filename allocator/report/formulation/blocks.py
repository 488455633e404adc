"""What the page of a program consists of, before it is written in one language or the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

_PLAIN_FROM, _PLAIN_BELOW = 1e-9, 1e15


class Math(str):
    """Mathematics as a terminal shows it, `Σ_{i∈S1,k} x_ik ≤ 40,000`: nothing that a file says is in it."""

    __slots__ = ()


Words = Sequence[str | Math]
"""A sentence, or a cell: words, and mathematics among them."""


@dataclass(frozen=True)
class Heading:
    text: str


@dataclass(frozen=True)
class Sentence:
    words: Words


@dataclass(frozen=True)
class Named:
    """What stands under a name that somebody has given."""

    name: str
    words: Words


@dataclass(frozen=True)
class Display:
    """Lines of mathematics by themselves."""

    lines: Sequence[Math]


@dataclass(frozen=True)
class Table:
    headings: Sequence[str]
    rows: Sequence[Sequence[Words]]


Block = Heading | Sentence | Named | Display | Table


@dataclass(frozen=True)
class Statement:
    title: str
    blocks: tuple[Block, ...]


def number(value: float) -> Math:
    """The shortest decimal that reads back as `value`, thousands set apart: nothing is rounded."""
    size = abs(value)
    if size and not _PLAIN_FROM <= size < _PLAIN_BELOW:
        return Math(repr(float(value)))
    written = format(Decimal(repr(float(value))), ",f")
    return Math(written.rstrip("0").rstrip(".") if "." in written else written)
