"""Folds of a validation: rows that a fit has not seen, and what is wrong with any of the fits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np

from allocator.errors import Fault, InputError, row_count
from allocator.records.portfolio import Integers

Made = TypeVar("Made")


def stratified_folds(labels: np.ndarray, folds: int, seed: int = 0) -> Integers:
    """(n,) fold of each row, 0 .. folds - 1, every label spread evenly.

    Raises InputError where a label has fewer rows than there are folds.
    """
    generator = np.random.default_rng(seed)
    out = np.empty(len(labels), dtype=np.int64)
    faults = []
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        if len(rows) < folds:
            have = f"{row_count(len(rows))} {'has' if len(rows) == 1 else 'have'} {label}"
            faults.append(Fault(f"{have}, {folds} folds need as many", "use fewer", field="--folds"))
        out[generator.permutation(rows)] = (np.arange(len(rows)) + generator.integers(folds)) % folds
    if faults:
        raise InputError.of(faults, "Folds")
    return out


def each_fold(folds: int, fit: Callable[[int], Made]) -> list[Made]:
    """What `fit` makes of each fold, 0 .. folds - 1, whose rows are held out.

    Raises InputError with the faults of all of them, each once.
    """
    made: list[Made] = []
    by_fault: dict[Fault, list[str]] = {}
    for k in range(folds):
        try:
            made.append(fit(k))
        except InputError as error:
            for fault in error.faults:
                by_fault.setdefault(fault, []).append(str(k + 1))
    faults = []
    for fault, where in by_fault.items():
        named = f"fold{'s' if len(where) > 1 else ''} {', '.join(where)}"
        problem = f"{fault.problem}, in the rows without {named} of the validation"
        faults.append(replace(fault, problem=problem))
    if faults:
        raise InputError.of(faults, "Validation")
    return made
