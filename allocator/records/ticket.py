"""The amounts that a loan may have."""

from __future__ import annotations

from dataclasses import dataclass

from allocator.records.percentages import as_percentage


@dataclass(frozen=True)
class OwnSteps:
    """A step a borrower."""

    column: str

    def __str__(self) -> str:
        return f"multiples of the borrower's {self.column}"


@dataclass(frozen=True)
class SizedSteps:
    """A step by the size of the loan."""

    steps: tuple[tuple[float, float], ...]
    """Where each step ends, what is below that has it, and the step; ascending, the last ends at infinity."""

    def __str__(self) -> str:
        *below, (_, last) = self.steps
        told = [f"multiples of {step:,.10g} below {end:,.10g}" for end, step in below]
        return ", ".join([*told, f"multiples of {last:,.10g}{' beyond' if below else ''}"])


@dataclass(frozen=True)
class Choices:
    """A few amounts, and no others."""

    amounts: tuple[float, ...]
    """Ascending: money, or fractions of the borrower's request."""
    of_request: bool = False

    def __str__(self) -> str:
        told = [as_percentage(part, 10) if self.of_request else f"{part:,.10g}" for part in self.amounts]
        listed = " or ".join([*([", ".join(told[:-1])] if told[:-1] else []), told[-1]])
        return f"{listed} of the request" if self.of_request else listed


@dataclass(frozen=True)
class Ticket:
    """Smallest and largest loan, and the step that amounts are multiples of (None: the cent)."""

    min: float
    max: float
    step: float | None = None
    grid: OwnSteps | SizedSteps | Choices | None = None
    """What amounts go by where that is not one step for all."""
