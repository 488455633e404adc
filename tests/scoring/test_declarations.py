"""Declarations of variables and rules, and derived columns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from allocator.errors import InputError
from allocator.scoring.declarations import derive, read_rules, read_variables
from allocator.scoring.preparation import Variable
from allocator.scoring.rules import Rule


def write(path: Path, **document: Any) -> Path:
    path.write_text(json.dumps(document))
    return path


def test_variables_and_rules_are_read(tmp_path: Path) -> None:
    path = write(
        tmp_path / "d.json",
        variables=[{"name": "x", "group": "g", "sign": -1, "transform": "log", "cut": None}, {"name": "y"}],
        rules=[{"name": "age", "layer": "owner", "kind": "interval", "interval": [31, 45], "cut": [0, 1]}],
    )
    assert read_variables(path) == (Variable("x", "number", "g", -1, "log", None), Variable("y"))
    assert read_rules(path) == (Rule("age", "interval", "owner", (31.0, 45.0), None, (0.0, 1.0)),)


def test_derived_columns_keep_missing_cells_missing(tmp_path: Path) -> None:
    tests = [
        {"name": "is_x", "column": "k", "is": "x"},
        {"name": "not_x", "column": "k", "not": "x"},
        {"name": "big", "column": "n", "above": 2},
    ]
    frame = pd.DataFrame({"k": ["x", "y", None], "n": [1.0, np.nan, 3.0]})
    found = derive(frame, write(tmp_path / "d.json", derived=tests))
    np.testing.assert_array_equal(found["is_x"], [1, 0, np.nan])
    np.testing.assert_array_equal(found["not_x"], [0, 1, np.nan])
    np.testing.assert_array_equal(found["big"], [0, np.nan, 1])


def test_faults_of_variables_come_together(tmp_path: Path) -> None:
    path = write(
        tmp_path / "d.json",
        variables=[
            {"name": "x", "sign": 2, "kind": "text"},
            {"group": "g"},
            {"name": "x", "transfrom": "log", "cut": "no"},
        ],
    )
    with pytest.raises(InputError) as caught:
        read_variables(path)
    problems = [fault.problem for fault in caught.value.faults]
    assert "'text' is not one of number, category" in problems
    assert "2 is not one of -1, 0, 1" in problems
    assert "has no name" in problems
    assert "x stands twice" in problems
    assert "x has the unknown key 'transfrom'" in problems
    assert "'no' is no pair of numbers" in problems


def test_faults_of_rules_and_derived_columns(tmp_path: Path) -> None:
    path = write(tmp_path / "d.json", rules=[{"name": "x", "kind": "upwards"}], derived=[{"name": "a"}])
    with pytest.raises(InputError, match=r"rules\[0\]: 'upwards' is no kind of rule"):
        read_rules(path)
    with pytest.raises(
        InputError, match=r"derived\[0\]: is incomplete; give name, column and one of is, not, above"
    ):
        derive(pd.DataFrame({"k": [1]}), path)
    with pytest.raises(InputError, match="the data lack k"):
        derive(pd.DataFrame(), write(tmp_path / "e.json", derived=[{"name": "a", "column": "k", "is": 1}]))
    with pytest.raises(InputError, match="has no list variables"):
        read_variables(path)
