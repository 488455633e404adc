"""Keeps imports from pulling in packages that a linear program does not need.

Pyomo imports scipy.stats, scipy.integrate and scipy.spatial as soon as it first touches SciPy, and SciPy all
that NumPy names, compiler front end and tests included: 1.2 of the 2.5 seconds that a small run would take.
While they look, empty stand-ins hold these places; afterwards they are gone, and whoever imports these
packages gets the real ones.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType

UNNEEDED_BY_PYOMO = ("scipy.stats", "scipy.integrate", "scipy.spatial")
UNNEEDED_BY_SCIPY = ("numpy.f2py", "numpy.testing")


@contextmanager
def without(names: tuple[str, ...]) -> Iterator[None]:
    """For the time of a `with` block, those of the packages not imported yet are empty stand-ins."""
    absent = {name: ModuleType(name) for name in names if name not in sys.modules}
    for name, stand_in in absent.items():
        package, _, own = name.rpartition(".")
        setattr(import_module(package), own, stand_in)
        sys.modules[name] = stand_in
    try:
        yield
    finally:
        for name in absent:
            package, _, own = name.rpartition(".")
            del sys.modules[name]
            vars(sys.modules[package]).pop(own, None)
