"""Keeps Pyomo's import from pulling in SciPy packages that a linear program does not need.

Pyomo imports scipy.stats, scipy.integrate and scipy.spatial as soon as it first touches SciPy: 1.2 of
the 2.5 seconds that a small run would take. While it looks, empty stand-ins hold their places;
afterwards they are gone, and whoever imports these packages gets the real ones.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import scipy

_UNNEEDED = ("stats", "integrate", "spatial")


@contextmanager
def lean_scipy() -> Iterator[None]:
    """For the time of a `with` block, the unneeded packages not imported yet are empty stand-ins."""
    absent = [name for name in _UNNEEDED if f"scipy.{name}" not in sys.modules]
    for name in absent:
        sys.modules[f"scipy.{name}"] = ModuleType(f"scipy.{name}")
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[f"scipy.{name}"]
            vars(scipy).pop(name, None)
