"""One column's test, as limits and stresses use it to say whom they are about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Condition:
    """One column's test in a filter: one of `values` (as text), or a range of numbers."""

    column: str
    values: tuple[str, ...] = ()
    above: float | None = None
    at_least: float | None = None
    below: float | None = None
    at_most: float | None = None

    @property
    def is_range(self) -> bool:
        return not self.values

    @property
    def ends(self) -> dict[str, float]:
        """The ends of a range that are given, by key."""
        ends = {key: getattr(self, key) for key in ("above", "at_least", "below", "at_most")}
        return {key: end for key, end in ends.items() if end is not None}

    def __str__(self) -> str:
        """As a scenario file has it: `sector: [retail, food]`, `pd: {above: 0.05}`."""
        if not self.is_range:
            listed = ", ".join(self.values)
            return f"{self.column}: {listed if len(self.values) == 1 else f'[{listed}]'}"
        inside = ", ".join(f"{key}: {end:.12g}" for key, end in self.ends.items())
        return f"{self.column}: {{{inside}}}"


def nobody_passes(subject: str, where: Iterable[Condition]) -> str:
    """The note for a filter that leaves nobody."""
    return f"{subject}: no borrower passes {{{', '.join(map(str, where))}}}"
