"""Analytic hierarchy process: weights from pairwise judgements, and how far to trust them.

After tables 1 and 2 of the credit strategy study. A judgement matrix J is positive and reciprocal,
J_ji = 1 / J_ij; its weights are its principal eigenvector (Saaty 1980); with the largest
eigenvalue lambda_max

    CI = (lambda_max - n) / (n - 1),   CR = CI / RI(n)

where RI(n) is the mean CI of random matrices. CR above 0.1 says: judge again.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
import pandas as pd

from allocator.errors import Fault, InputError
from allocator.records.frames import File
from allocator.records.portfolio import Floats
from allocator.scoring.documents import read_document
from allocator.scoring.judgements import JudgementsShape
from allocator.scoring.reading import faults_located_in

_RANDOM_INDEX = (0.0, 0.0, 0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49)
"""RI for n = 1 .. 10 (Saaty 1980)."""
_CONSISTENT = 0.1
_RECIPROCAL_TOLERANCE = 1e-6
LARGEST = 1000
"""Saaty's scale ends at 9; a judgement beyond this is a slip of the pen."""

Method = Literal["eigenvector", "geometric_mean"]


@dataclass(frozen=True)
class Judgement:
    """A checked judgement matrix: `values` (n, n) compares `items` with one another."""

    name: str
    items: tuple[str, ...]
    values: Floats


@dataclass(frozen=True)
class Weights:
    """Weights of one judgement, summing to 1, with its consistency."""

    judgement: Judgement
    weights: Floats
    """(n,)"""
    lambda_max: float
    consistency_index: float
    consistency_ratio: float

    @property
    def warning(self) -> str | None:
        """What to say where the judgements contradict one another, else None."""
        if self.consistency_ratio <= _CONSISTENT:
            return None
        return (
            f"{self.judgement.name}: consistency ratio {self.consistency_ratio:.3f} is above {_CONSISTENT}: "
            "the judgements contradict one another; look first at the top of the sensitivity table"
        )


@dataclass(frozen=True)
class Hierarchy:
    """Criteria, the alternatives under each criterion, and the weights composed from both."""

    criteria: Weights
    alternatives: tuple[Weights, ...]
    """One a criterion, in the order of `criteria.judgement.items`."""
    composed: Floats
    """(alternatives,) sum over criteria of criterion weight x alternative weight."""

    @property
    def warnings(self) -> tuple[str, ...]:
        warnings = (weights.warning for weights in (self.criteria, *self.alternatives))
        return tuple(warning for warning in warnings if warning is not None)

    def table(self) -> pd.DataFrame:
        """Alternatives by row: their weight under each criterion and, last, `composed`."""
        columns = dict(
            zip(self.criteria.judgement.items, (w.weights for w in self.alternatives), strict=True)
        )
        items = self.alternatives[0].judgement.items
        return pd.DataFrame(columns | {"composed": self.composed}, index=pd.Index(items, name="alternative"))


def judgement(name: str, items: Sequence[str], rows: Sequence[Sequence[float | str]]) -> Judgement:
    """Check one matrix; entries are numbers or fractions as text, `1/4`.

    Raises InputError: not square, not positive, diagonal not 1, not reciprocal; every fault at once.
    """
    faults: list[Fault] = []
    n = len(items)
    if len(set(items)) < n or n == 0:
        faults.append(Fault("needs at least one item and no item twice", "name each item once", field=name))
    if len(rows) != n or any(len(row) != n for row in rows):
        faults.append(Fault(f"is not {n} x {n}", f"give {n} rows of {n} numbers, one an item", field=name))
        raise InputError.of(faults, "Judgements")
    values = np.ones((n, n))
    for i, row in enumerate(rows):
        for j, entry in enumerate(row):
            values[i, j] = _entry(entry, f"{name}[{items[i]}, {items[j]}]", faults)
    if not faults:
        faults += _reciprocity_faults(values, items, name)
    if faults:
        raise InputError.of(faults, "Judgements")
    return Judgement(name, tuple(items), values)


def weigh(judged: Judgement, method: Method = "eigenvector") -> Weights:
    """Weights of one judgement; lambda_max is read off the weights that are returned."""
    n = len(judged.items)
    if method == "geometric_mean":
        raw = np.exp(np.log(judged.values).mean(axis=1))
    else:
        values, vectors = np.linalg.eig(judged.values)
        raw = np.abs(np.real(vectors[:, int(np.argmax(np.real(values)))]))
    weights = raw / raw.sum()
    lambda_max = float(np.mean(judged.values @ weights / weights))
    index = max(0.0, (lambda_max - n) / (n - 1)) if n > 1 else 0.0
    random = _RANDOM_INDEX[min(n, len(_RANDOM_INDEX)) - 1]
    return Weights(judged, weights, lambda_max, index, index / random if random > 0 else 0.0)


def compose(
    criteria: Judgement, alternatives: Mapping[str, Judgement], method: Method = "eigenvector"
) -> Hierarchy:
    """Weights of the alternatives over all criteria (the credit strategy study, the sums under table 2).

    Raises InputError where a criterion has no judgement, or judgements compare different alternatives.
    """
    missing = [name for name in criteria.items if name not in alternatives]
    faults = [
        Fault(f"has no judgement for the criterion {name}", "give one matrix a criterion", field=name)
        for name in missing
    ]
    faults += [
        Fault("is no criterion", f"the criteria are {', '.join(criteria.items)}", field=name)
        for name in alternatives
        if name not in criteria.items
    ]
    named = {name: alternatives[name].items for name in criteria.items if name in alternatives}
    if len(set(named.values())) > 1:
        faults.append(
            Fault("the judgements compare different alternatives", "use the same ones in the same order")
        )
    if faults:
        raise InputError.of(faults, "Judgements")
    top = weigh(criteria, method)
    below = tuple(weigh(alternatives[name], method) for name in criteria.items)
    return Hierarchy(top, below, top.weights @ np.array([weights.weights for weights in below]))


def sensitivity(hierarchy: Hierarchy, factor: float = 1.5) -> pd.DataFrame:
    """What each judgement is worth: the composed weights when it alone is `factor` times larger.

    One row a judgement above a diagonal: `judgement` (whose matrix), `item`, `against`, `value`, the
    weight of each alternative afterwards, `shift` (the largest change of one) and `consistency_ratio`;
    largest shift first.
    """
    if not (math.isfinite(factor) and factor > 0 and factor != 1):
        raise InputError.of(
            [Fault(f"a factor of {factor}", "use a positive factor other than 1")], "Sensitivity"
        )
    top, below = hierarchy.criteria, [alternative.weights for alternative in hierarchy.alternatives]
    names = hierarchy.alternatives[0].judgement.items
    rows = []
    for place, old in enumerate((top, *hierarchy.alternatives)):
        items = old.judgement.items
        for i, j in itertools.combinations(range(len(items)), 2):
            moved = weigh(_with_judgement_changed(old.judgement, i, j, factor))
            criteria = moved.weights if place == 0 else top.weights
            under = [*below[: place - 1], moved.weights, *below[place:]] if place else below
            composed = criteria @ np.array(under)
            rows.append(
                {"judgement": old.judgement.name, "item": items[i], "against": items[j]}
                | {"value": moved.judgement.values[i, j]}
                | dict(zip(names, composed.tolist(), strict=True))
                | {"shift": float(np.max(np.abs(composed - hierarchy.composed)))}
                | {"consistency_ratio": moved.consistency_ratio}
            )
    return pd.DataFrame(rows).sort_values("shift", ascending=False, kind="stable", ignore_index=True)


def _with_judgement_changed(judged: Judgement, i: int, j: int, factor: float) -> Judgement:
    """The judgement of item i against item j made `factor` times larger."""
    values = judged.values.copy()
    values[i, j] *= factor
    values[j, i] = 1 / values[i, j]
    return Judgement(judged.name, judged.items, values)


def read_hierarchy(path: File, method: Method = "eigenvector") -> Hierarchy:
    """Read a file of judgements (models/ahp/enterprise-credit.json) and compose it.

    Raises InputError with every fault of the file.
    """
    shape = read_document(path, JudgementsShape, "compare it with models/ahp/enterprise-credit.json")
    below = shape.alternatives
    blocks = [("criteria", shape.criteria.items, shape.criteria.rows)]
    blocks += [(criterion, below.items, rows) for criterion, rows in below.rows.items()]
    faults: list[Fault] = []
    judged: dict[str, Judgement] = {}
    for block, items, rows in blocks:
        try:
            judged[block] = judgement(block, items, rows)
        except InputError as error:
            faults += error.faults
    with faults_located_in(path):
        if faults:
            raise InputError.of(faults, "AHP")
        return compose(judged.pop("criteria"), judged, method)


def _entry(entry: float | str, place: str, faults: list[Fault]) -> float:
    try:
        value = float(Fraction(entry))
    except (ValueError, ZeroDivisionError, OverflowError):
        value = math.nan
    if 1 / LARGEST <= value <= LARGEST:
        return value
    faults.append(
        Fault(
            f"{entry!r} is no judgement",
            f"write a number from 1/{LARGEST} to {LARGEST} or a fraction, 1/4",
            field=place,
        )
    )
    return 1.0


def _reciprocity_faults(values: Floats, items: Sequence[str], name: str) -> list[Fault]:
    faults = []
    for i in range(len(items)):
        for j in range(i, len(items)):
            product = values[i, j] * values[j, i]
            if abs(product - 1) > _RECIPROCAL_TOLERANCE:
                faults.append(
                    Fault(
                        f"is not reciprocal: {values[i, j]:g} one way and {values[j, i]:g} the other",
                        f"write 1/{values[i, j]:g} the other way" if i != j else "the diagonal is 1",
                        field=f"{name}[{items[i]}, {items[j]}]",
                    )
                )
    return faults
