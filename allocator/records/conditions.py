"""One column's test, as limits and stresses use it to say whom they are about."""

from __future__ import annotations

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
