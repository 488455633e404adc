"""Variables with what was learnt of them as JSON values, and back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from allocator.scoring.bins import Bins
from allocator.scoring.documents import ColumnShape, variable_of
from allocator.scoring.preparation import LearntColumn, Preparation
from allocator.scoring.reading import DerivedColumn
from allocator.scoring.rules import IndicatorRule
from allocator.scoring.steps import Steps
from allocator.scoring.variables import Binning, Variable


def column_documents(preparation: Preparation) -> list[dict[str, Any]]:
    entries = []
    for column in preparation.columns:
        entry = without_defaults(column.variable)
        if column.variable.bins is not None and column.bins is not None:
            entry["bins"] = without_defaults(column.variable.bins)
            entry["binned"] = without_defaults(column.bins)
        if column.variable.bins is not None and column.variable.kind == "category":
            entry |= {"rare": list(column.rare)} if column.rare else {}
        elif column.variable.kind == "category":
            entry |= {"levels": list(column.levels)} | ({"rare": list(column.rare)} if column.rare else {})
        else:
            ends = {"low": column.low, "high": column.high}
            entry |= {name: None if math.isinf(end) else end for name, end in ends.items()}
            entry |= {"fill": column.fill, "centre": column.centre, "scale": column.scale}
            entry |= {"flags": list(column.flags)} if column.flags else {}
        entries.append(entry)
    return entries


def preparation_of(shapes: Sequence[ColumnShape]) -> Preparation:
    columns = (
        LearntColumn(
            variable_of(shape),
            -math.inf if shape.low is None else shape.low,
            math.inf if shape.high is None else shape.high,
            shape.fill,
            shape.centre,
            shape.scale,
            shape.flags,
            shape.levels,
            shape.rare,
            None if shape.binned is None else Bins(**dict(shape.binned)),
        )
        for shape in shapes
    )
    return Preparation(tuple(columns))


def derived_documents(derived: Sequence[DerivedColumn]) -> list[dict[str, Any]]:
    return [
        {"name": derivation.name, "column": derivation.column, derivation.test: derivation.value}
        for derivation in derived
    ]


def without_defaults(record: Variable | Binning | Bins | IndicatorRule | Steps) -> dict[str, Any]:
    """The fields of a declaration that say more than its default."""
    defaults = {field_.name: field_.default for field_ in fields(record)}
    return {name: value for name, default in defaults.items() if (value := getattr(record, name)) != default}
