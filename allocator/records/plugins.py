"""What other packages bring: measures, strategies and sources, under names of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from allocator.errors import AllocatorError, Fault, InputError

Kind = Literal["measure", "source", "strategy"]
MEASURED = ("offered", "drawn", "interest")
"""What a measure of another package may add up: x, a x and a r T x of docs/formulation.md, section 2."""


@dataclass(frozen=True)
class PluginMeasure:
    """A measure: over the offers made, a weight of each borrower times a basis."""

    basis: str
    """One of MEASURED: money offered, money expected to be drawn, contractual interest."""
    columns: tuple[str, ...] = ()
    """Columns of numbers, canonical or the portfolio's own, that the weight is computed from."""
    weight: Callable[..., Any] | None = None
    """From one array (n,) a column, in the order of `columns`, to the weights (n,); each borrower's weight
    follows from his own numbers alone. None: 1."""
    counts_exposure: bool = False
    """Whether what is already lent counts, as fully drawn."""

    def __post_init__(self) -> None:
        if self.basis not in MEASURED:
            raise ValueError(f"no basis {self.basis!r}, expected one of {', '.join(MEASURED)}")


@dataclass(frozen=True)
class PluginSource:
    """A kind of file that borrowers come from; a scenario names it by its key, as `source: {NAME: file}`."""

    read: Callable[[bytes], Any]
    """From the file's bytes to a table with named columns: a PyArrow table, or whatever hands one over by
    the Arrow PyCapsule interface. Raises ValueError, saying why, for bytes that are no such file."""


@dataclass(frozen=True)
class Plugin:
    """One thing that another package brings."""

    kind: Kind
    name: str
    """As scenario files have it."""
    package: str
    version: str
    thing: Any = field(repr=False, compare=False)
    """A PluginMeasure, a PluginSource, or a rule as allocator.strategies has them."""

    @property
    def key(self) -> str:
        """Its name in a certificate: `measure npl`."""
        return f"{self.kind} {self.name}"

    @property
    def origin(self) -> str:
        """Whom it is of: `acme-lending 1.0`."""
        return f"{self.package} {self.version}"

    def fault(self, problem: str, remedy: str) -> Fault:
        return Fault(f"{self.key} of the package {self.origin} {problem}", remedy)

    @contextmanager
    def blamed(self) -> Iterator[None]:
        """Have what its code raises within be bad input that names the package."""
        try:
            yield
        except AllocatorError:
            raise
        except Exception as error:  # nobody knows what other people's code may raise
            what = f"failed: {type(error).__name__}: {error}"
            remedy = "tell the makers of the package, or do without it"
            raise InputError.of([self.fault(what, remedy)], self.package) from error
