"""What an analyst declares in a JSON file before a fit: variables of a logit, rules of a rating.

    {"variables": [{"name": "cash_ratio", "group": "finance", "sign": -1, "transform": "log"}]}
    {"rules": [{"name": "quick_ratio", "layer": "solvency", "kind": "interval", "interval": [1, 2]}],
     "derived": [{"name": "out_of_state", "column": "BankState", "not": "CA"}]}

`derived` columns are 1 or 0: equal to ("is"), other than ("not") or more than ("above") a value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from allocator.errors import Fault, InputError
from allocator.scoring.fitted import read_document
from allocator.scoring.preparation import Variable
from allocator.scoring.rules import KINDS, Rule

VARIABLE_KEYS = {"name", "group", "sign", "kind", "transform", "cut", "named", "note"}
RULE_KEYS = {"name", "layer", "kind", "interval", "scores", "cut", "note"}
TESTS = ("is", "not", "above")


def read_variables(path: Path) -> tuple[Variable, ...]:
    """Variables of a file. Raises InputError with every fault."""
    entries, faults = _entries(path, "variables", VARIABLE_KEYS)
    variables = []
    for place, entry in entries:
        kind, transform, sign = (
            entry.get("kind", "number"),
            entry.get("transform", "none"),
            entry.get("sign", 0),
        )
        for value, allowed in (
            (kind, ("number", "category")),
            (transform, ("none", "log")),
            (sign, (-1, 0, 1)),
        ):
            if value not in allowed:
                known = ", ".join(str(one) for one in allowed)
                faults.append(
                    Fault(f"{value!r} is not one of {known}", "use one of these", str(path), field=place)
                )
        cut = _pair(entry.get("cut", (0.01, 0.99)), place, str(path), faults)
        variables.append(Variable(entry["name"], kind, entry.get("group", ""), sign, transform, cut))
    if faults:
        raise InputError.of(faults, "Variables")
    return tuple(variables)


def read_rules(path: Path) -> tuple[Rule, ...]:
    """Rules of a file. Raises InputError with every fault; `rules.learn` checks them against data."""
    entries, faults = _entries(path, "rules", RULE_KEYS)
    rules = []
    for place, entry in entries:
        if entry.get("kind") not in KINDS:
            problem = f"{entry.get('kind')!r} is no kind of rule"
            faults.append(Fault(problem, f"the kinds are {', '.join(KINDS)}", str(path), field=place))
        interval = _pair(entry.get("interval"), place, str(path), faults)
        cut = _pair(entry.get("cut", (0.01, 0.99)), place, str(path), faults)
        scores = entry.get("scores")
        rules.append(
            Rule(
                entry["name"],
                entry.get("kind", "positive"),
                entry.get("layer", ""),
                interval,
                scores,
                cut or (0, 1),
            )
        )
    if faults:
        raise InputError.of(faults, "Rules")
    return tuple(rules)


def derive(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """`frame` with the derived columns of a file; a missing cell stays missing. Raises InputError."""
    faults: list[Fault] = []
    columns: dict[str, pd.Series] = {}
    for i, entry in enumerate(read_document(path).get("derived", [])):
        place = f"derived[{i}]"
        tests = [test for test in TESTS if test in entry]
        if "name" not in entry or "column" not in entry or len(tests) != 1:
            remedy = f"give name, column and one of {', '.join(TESTS)}"
            faults.append(Fault("is incomplete", remedy, str(path), field=place))
        elif entry["column"] not in frame.columns:
            faults.append(Fault(f"the data lack {entry['column']}", "add the column", str(path), field=place))
        else:
            columns[entry["name"]] = _tested(frame[entry["column"]], tests[0], entry[tests[0]])
    if faults:
        raise InputError.of(faults, "Derived columns")
    return frame.assign(**columns)


def _tested(values: pd.Series, test: str, against: Any) -> pd.Series:
    if test == "above":
        met = pd.to_numeric(values, errors="coerce") > against
    else:
        met = (values.astype(str) == str(against)) == (test == "is")
    return pd.Series(np.where(values.isna(), np.nan, met.astype(float)), index=values.index)


def _entries(
    path: Path, key: str, allowed: set[str]
) -> tuple[Sequence[tuple[str, Mapping[str, Any]]], list[Fault]]:
    """The named entries of a list in the file, each with its place, and faults found so far."""
    document = read_document(path)
    listed = document.get(key)
    if not isinstance(listed, list) or not listed:
        fault = Fault(f"has no list {key}", "compare it with a shipped one in models", str(path), field=key)
        raise InputError.of([fault], key.capitalize())
    faults, entries, seen = [], [], set()
    for i, entry in enumerate(listed):
        place = f"{key}[{i}]"
        name = entry.get("name") if isinstance(entry, dict) else None
        if not name:
            faults.append(Fault("has no name", "name the column that it reads", str(path), field=place))
            continue
        if name in seen:
            faults.append(Fault(f"{name} stands twice", "declare a column once", str(path), field=place))
        seen.add(name)
        faults += [
            Fault(
                f"{name} has the unknown key {unknown!r}",
                f"the keys are {', '.join(sorted(allowed))}",
                str(path),
            )
            for unknown in sorted(set(entry) - allowed)
        ]
        entries.append((place, entry))
    return entries, faults


def _pair(value: Any, place: str, file: str, faults: list[Fault]) -> tuple[float, float] | None:
    if value is None:
        return None
    try:
        low, high = (float(one) for one in value)
    except (TypeError, ValueError):
        faults.append(Fault(f"{value!r} is no pair of numbers", "write [low, high]", file, field=place))
        return None
    return low, high
