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
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

import numpy as np
import pandas as pd

from allocator.errors import Fault, InputError
from allocator.records.frames import File
from allocator.records.misfits import describe, meant
from allocator.records.nodes import Location, Node
from allocator.records.portfolio import Floats
from allocator.scoring.document_faults import sound_part
from allocator.scoring.documents import content_of, origin_of
from allocator.scoring.json_tree import read_json
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


def judgement(name: str, items: Sequence[str], rows: Sequence[Sequence[object]]) -> Judgement:
    """Check one matrix; entries are numbers or fractions as text, `1/4`.

    Raises InputError: not square, not positive, diagonal not 1, not reciprocal; every fault at once.
    """
    values, faults = _matrix(name, items, rows)
    if faults:
        raise InputError.of([fault for _, fault in faults], "Judgements")
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
    faults = [fault for _, fault in _criterion_faults(criteria.items, list(alternatives))]
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
    faults: list[Fault] = []
    content = content_of(path, faults, "name a file like models/ahp/enterprise-credit.json")
    tree = None if content is None else read_json(content, origin_of(path), faults)
    if tree is None:
        raise InputError.of(faults, "AHP")
    sound_part(tree, JudgementsShape, faults)
    judged: dict[str, Judgement] = {}
    misplaced: list[tuple[Location, Fault]] = []
    for name, (items_at, rows_at) in _blocks(tree).items():
        items, rows = _texts(tree.find(items_at)), _rows(tree.find(rows_at))
        if items is not None and rows is not None:
            values, wrong = _matrix(name, items, rows)
            misplaced += [((*rows_at, *place), fault) for place, fault in wrong]
            judged[name] = Judgement(name, tuple(items), values)
    criteria, below = _texts(tree.find(("criteria", "items"))), tree.find(("alternatives", "rows"))
    if criteria is not None and below is not None and below.entries:
        wrong = _criterion_faults(criteria, list(below.entries))
        misplaced += [(("alternatives", "rows", *place), fault) for place, fault in wrong]
    faults += [_with_line(tree, place, fault) for place, fault in misplaced]
    if faults:
        raise InputError.of(faults, "AHP")
    with faults_located_in(path):
        return compose(judged.pop("criteria"), judged, method)


def _blocks(tree: Node) -> dict[str, tuple[Location, Location]]:
    """Judgement -> where its items and its rows stand in a file."""
    below = tree.find(("alternatives", "rows"))
    names = [] if below is None else list(below.entries)
    rest = {name: (("alternatives", "items"), ("alternatives", "rows", name)) for name in names}
    return {"criteria": (("criteria", "items"), ("criteria", "rows")), **rest}


def _texts(node: Node | None) -> list[str] | None:
    """The texts of a list; None where it is none."""
    values = [item.value for item in node.items] if node is not None else []
    texts = [value for value in values if isinstance(value, str)]
    return texts if texts and len(texts) == len(values) else None


def _rows(node: Node | None) -> list[list[object]] | None:
    """The lists of a list; None where it is none."""
    lists = [] if node is None else [row for row in node.items if isinstance(row.value, tuple)]
    return [row.plain() for row in lists] if node is not None and len(lists) == len(node.items) > 0 else None


def _with_line(tree: Node, place: Location, fault: Fault) -> Fault:
    """`fault` with the file and the line of the last node towards `place`."""
    *_, last = tree.path_to(place)
    return replace(fault, file=last.origin.file, line=last.origin.line)


def _matrix(
    name: str, items: Sequence[str], rows: Sequence[Sequence[object]]
) -> tuple[Floats, list[tuple[Location, Fault]]]:
    """The matrix (n, n) of n items, NaN where an entry is none, and its faults with their place in `rows`."""
    faults: list[tuple[Location, Fault]] = []
    n = len(items)
    if len(set(items)) < n or n == 0:
        problem = "needs at least one item and no item twice"
        faults.append(((), Fault(problem, "name each item once", field=name)))
    uneven: list[Location] = [(i,) for i, row in enumerate(rows) if len(row) != n]
    if uneven or len(rows) != n:
        remedy = f"give {n} rows of {n} numbers, one an item"
        faults.append(((uneven or [()])[0], Fault(f"is not {n} x {n}", remedy, field=name)))
    values = np.full((n, n), np.nan)
    for i, row in enumerate(rows[:n]):
        for j, entry in enumerate(row[:n]):
            values[i, j] = _entry(entry)
            if np.isnan(values[i, j]):
                problem = f"{describe(entry)} is no judgement"
                remedy = f"write a number from 1/{LARGEST} to {LARGEST} or a fraction, 1/4"
                faults.append(((i, j), Fault(problem, remedy, field=f"{name}[{items[i]}, {items[j]}]")))
    return values, faults + _reciprocity_faults(values, items, name)


def _entry(entry: object) -> float:
    """A judgement as it is written; NaN where it is none."""
    if isinstance(entry, bool) or not isinstance(entry, int | float | str):
        return math.nan
    try:
        value = float(Fraction(entry))
    except (ValueError, ZeroDivisionError, OverflowError):
        return math.nan
    return value if 1 / LARGEST <= value <= LARGEST else math.nan


def _reciprocity_faults(values: Floats, items: Sequence[str], name: str) -> list[tuple[Location, Fault]]:
    faults: list[tuple[Location, Fault]] = []
    for i in range(len(items)):
        for j in range(i, len(items)):
            if abs(values[i, j] * values[j, i] - 1) > _RECIPROCAL_TOLERANCE:
                problem = f"is not reciprocal: {values[i, j]:g} one way and {values[j, i]:g} the other"
                remedy = f"write 1/{values[i, j]:g} the other way" if i != j else "the diagonal is 1"
                faults.append(((i, j), Fault(problem, remedy, field=f"{name}[{items[i]}, {items[j]}]")))
    return faults


def _criterion_faults(criteria: Sequence[str], judged: Sequence[str]) -> list[tuple[Location, Fault]]:
    """Criteria without a judgement, and judgements of what is no criterion, each with its place."""
    faults: list[tuple[Location, Fault]] = []
    for name in criteria:
        if name not in judged:
            problem = f"has no judgement for the criterion {name}"
            faults.append(((), Fault(problem, "give one matrix a criterion", field=name)))
    for name in judged:
        if name not in criteria:
            remedy = meant(name, criteria) or f"the criteria are {', '.join(criteria)}"
            faults.append(((name,), Fault("is no criterion", remedy, field=name)))
    return faults
