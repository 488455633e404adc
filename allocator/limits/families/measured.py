"""What a measure is, as far as a limit needs to know."""

from __future__ import annotations

from dataclasses import dataclass

from allocator.records.limits import BASES
from allocator.records.portfolio import Floats


@dataclass(frozen=True)
class Measured:
    """A measure adds up `weight` times the basis; money already lent adds `weight` times the exposure."""

    basis: str
    """One of records.limits.BASES."""
    weight: Floats | None
    """(n,) None: 1."""
    counts_exposure: bool
    """Whether what is already lent uses this measure too."""

    def __post_init__(self) -> None:
        if self.basis not in BASES:
            raise ValueError(f"no basis {self.basis!r}")
