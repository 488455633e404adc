"""Allocates a credit budget over many small firms, with a proof that anyone can recheck.

    from allocator import allocate, explain, verify

    run = allocate("scenarios/sme-302.yaml", borrowers=frame, sets={"policy.budget.amount": 6e7})
    run.table, run.prices, run.plot(), run.save("runs/mine")
    explain(run, "B000002"), verify("runs/mine")

Each name is imported when it is first used, so that `import allocator` costs nothing: docs/python.md.
"""

from __future__ import annotations as _annotations

import importlib as _importlib
import typing as _typing

if _typing.TYPE_CHECKING:
    from allocator.api.about_runs import distil, explain, levers, simulate
    from allocator.api.about_scenarios import alternatives, formulation, frontier, stress
    from allocator.api.about_strategies import backtest, compare
    from allocator.api.estimators import LogitScorecard
    from allocator.api.inputs import check, synth
    from allocator.api.reporting import write_report
    from allocator.api.results import Result
    from allocator.api.runs import Run, allocate, load_run, verify
    from allocator.api.scenarios import Scenario, load_scenario
    from allocator.api.scorecards import export_scorecard, recalibrate, validate
    from allocator.api.scoring import (
        Fitted,
        fit_ahp,
        fit_churn,
        fit_grade,
        fit_lgd,
        fit_logit,
        fit_rating,
        score,
    )
    from allocator.errors import (
        AllocatorError,
        CertificateError,
        Fault,
        InfeasibleError,
        InputError,
        NoAllocationError,
        OutputError,
    )

    __version__: str

_NAMES = {
    "allocator.errors": (
        "AllocatorError",
        "CertificateError",
        "Fault",
        "InfeasibleError",
        "InputError",
        "NoAllocationError",
        "OutputError",
    ),
    "allocator.api.about_runs": ("distil", "explain", "levers", "simulate"),
    "allocator.api.about_scenarios": ("alternatives", "formulation", "frontier", "stress"),
    "allocator.api.about_strategies": ("backtest", "compare"),
    "allocator.api.estimators": ("LogitScorecard",),
    "allocator.api.inputs": ("check", "synth"),
    "allocator.api.reporting": ("write_report",),
    "allocator.api.results": ("Result",),
    "allocator.api.runs": ("Run", "allocate", "load_run", "verify"),
    "allocator.api.scenarios": ("Scenario", "load_scenario"),
    "allocator.api.scorecards": ("export_scorecard", "recalibrate", "validate"),
    "allocator.api.scoring": (
        "Fitted",
        "fit_ahp",
        "fit_churn",
        "fit_grade",
        "fit_lgd",
        "fit_logit",
        "fit_rating",
        "score",
    ),
}
_HOMES = {name: home for home, names in _NAMES.items() for name in names}

__all__ = [
    "AllocatorError",
    "CertificateError",
    "Fault",
    "Fitted",
    "InfeasibleError",
    "InputError",
    "LogitScorecard",
    "NoAllocationError",
    "OutputError",
    "Result",
    "Run",
    "Scenario",
    "__version__",
    "allocate",
    "alternatives",
    "backtest",
    "check",
    "compare",
    "distil",
    "explain",
    "export_scorecard",
    "fit_ahp",
    "fit_churn",
    "fit_grade",
    "fit_lgd",
    "fit_logit",
    "fit_rating",
    "formulation",
    "frontier",
    "levers",
    "load_run",
    "load_scenario",
    "recalibrate",
    "score",
    "simulate",
    "stress",
    "synth",
    "validate",
    "verify",
    "write_report",
]


def __getattr__(name: str) -> _typing.Any:
    if name == "__version__":
        from importlib.metadata import version

        value: _typing.Any = version("allocator")
    elif name in _HOMES:
        value = getattr(_importlib.import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
