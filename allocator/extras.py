"""Parts of the package that its light install leaves out, what each is for, and what brings it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec

from allocator.errors import Fault, InputError


@dataclass(frozen=True)
class Extra:
    """One of the `optional-dependencies` of pyproject.toml that somebody who uses the package may want."""

    task: str
    """What needs it, as a sentence about it begins."""
    libraries: Mapping[str, str]
    """Module -> the distribution that holds it."""


EXTRAS: Mapping[str, Extra] = {
    "excel": Extra("Excel workbooks", {"python_calamine": "python-calamine", "xlsxwriter": "xlsxwriter"}),
    "sql": Extra("databases", {"sqlalchemy": "sqlalchemy"}),
    "postgresql": Extra("PostgreSQL databases", {"sqlalchemy": "sqlalchemy", "psycopg": "psycopg"}),
    "pdf": Extra("PDF and PNG files", {"typst": "typst"}),
    "sklearn": Extra("estimators of scikit-learn", {"sklearn": "scikit-learn"}),
    "scoring": Extra("fits by maximum likelihood", {"statsmodels": "statsmodels"}),
}


def require(extra: str) -> None:
    """Raise InputError where a library of `extra` is not installed; nothing is imported."""
    wanted = EXTRAS[extra]
    missing = [name for module, name in wanted.libraries.items() if find_spec(module) is None]
    if missing:
        problem = f"{wanted.task} need {' and '.join(missing)}, not installed here"
        raise InputError.of([Fault(problem, f'pip install "allocator[{extra}]"')], "installation")
