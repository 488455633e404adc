"""Allocates a credit budget over many small firms, with a proof that anyone can recheck.

    from allocator import allocate, load_scenario

    run = allocate(load_scenario("scenarios/sme-302.yaml"))
    run.allocation, run.prices, run.certificate.gap

Each name is imported when it is first used, so that `import allocator` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from allocator.errors import (
        AllocatorError,
        CertificateError,
        Fault,
        InfeasibleError,
        InputError,
        NoAllocationError,
        OutputError,
    )
    from allocator.pipeline import allocate
    from allocator.records.run import Run
    from allocator.records.scenario import Scenario
    from allocator.scenario import load_scenario

    __version__: str

_HOMES = {
    "AllocatorError": "allocator.errors",
    "CertificateError": "allocator.errors",
    "Fault": "allocator.errors",
    "InfeasibleError": "allocator.errors",
    "InputError": "allocator.errors",
    "NoAllocationError": "allocator.errors",
    "OutputError": "allocator.errors",
    "Run": "allocator.records.run",
    "Scenario": "allocator.records.scenario",
    "allocate": "allocator.pipeline",
    "load_scenario": "allocator.scenario",
}

__all__ = [
    "AllocatorError",
    "CertificateError",
    "Fault",
    "InfeasibleError",
    "InputError",
    "NoAllocationError",
    "OutputError",
    "Run",
    "Scenario",
    "__version__",
    "allocate",
    "load_scenario",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("allocator")
    elif name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
