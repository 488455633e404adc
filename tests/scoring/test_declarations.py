"""Declarations of variables, rules, derived columns and leaks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from allocator.errors import InputError
from allocator.scoring.declarations import LeakyVariable, read_declarations
from allocator.scoring.reading import DerivedColumn
from allocator.scoring.rules import IndicatorRule
from allocator.scoring.variables import Variable
from docs.build import DECLARATIONS
from docs.declarations import declarations_page


def write(path: Path, **document: Any) -> Path:
    path.write_text(json.dumps(document))
    return path


def test_everything_is_read(tmp_path: Path) -> None:
    path = write(
        tmp_path / "d.json",
        variables=[{"name": "x", "group": "g", "sign": -1, "transform": "log", "cut": None}, {"name": "y"}],
        rules=[{"name": "age", "layer": "owner", "kind": "interval", "interval": [31, 45], "cut": [0, 1]}],
        derived=[
            {"name": "a", "column": "k", "is": "x"},
            {"name": "b", "column": "k", "not": 2},
            {"name": "c", "column": "k", "above": 0},
        ],
        leaks=[{"name": "late", "why": "after the decision", "variable": {"name": "late"}}],
    )
    found = read_declarations(path, "rules")
    assert found.variables == (Variable("x", "number", "g", -1, "log", None), Variable("y"))
    assert found.rules == (IndicatorRule("age", "interval", "owner", (31.0, 45.0), None, (0.0, 1.0)),)
    assert found.derived == (
        DerivedColumn("a", "k", "is", "x"),
        DerivedColumn("b", "k", "not", 2),
        DerivedColumn("c", "k", "above", 0),
    )
    assert found.leaks == (LeakyVariable("late", "after the decision", Variable("late")),)


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "d.json"
    path.write_text('{"variables": [{"name": "x"}]}', encoding="utf-8-sig")
    assert read_declarations(path, "variables", ["bad"]).variables == (Variable("x"),)


def test_faults_come_together_with_their_places(tmp_path: Path) -> None:
    path = write(
        tmp_path / "d.json",
        variables=[
            {"name": "x", "sign": 2, "kind": "text"},
            {"group": "g"},
            {"name": 3, "transfrom": "log", "cut": "no"},
            {"name": "y", "cut": [0.9, 0.1]},
            {"name": "z", "cut": [1, 99]},
        ],
        rules=[
            {"name": "r", "kind": "upwards"},
            {"name": "r", "kind": "interval"},
            {"name": "q", "kind": "qualitative"},
            {"name": "s", "kind": "qualitative", "scores": {"good": 2}},
        ],
        derived=[{"name": "a"}],
        extra=1,
    )
    with pytest.raises(InputError) as caught:
        read_declarations(path, "variables")
    told = {fault.field: f"{fault.problem}; {fault.remedy}" for fault in caught.value.faults}
    assert told == {
        "variables[x].sign": "expected one of -1, 0, 1, found 2; write one of them",
        "variables[x].kind": "expected one of number, category, found 'text'; write one of them",
        "variables[#2].name": 'the key is missing; add "name": text',
        "variables[#3].name": "expected text, found 3; write one text, in double quotes",
        "variables[#3].cut": "expected a list of 2, each a number from 0 to 1, found 'no'; "
        "write it in square brackets: [..., ...]",
        "variables[#3].transfrom": "unknown key 'transfrom'; did you mean transform?",
        "variables[y].cut": "[0.9, 0.1] does not rise; write [0.1, 0.9]",
        "variables[z].cut[#2]": "expected a number from 0 to 1, found 99; write it so",
        "rules[#1].kind": "expected one of positive, negative, interval, qualitative, found 'upwards'; "
        "write one of them",
        "rules[#2]": 'needs an interval; add "interval": [low, high], the safest values',
        "rules[#2].name": "r is declared twice, first as rules[#1]; keep one of the two",
        "rules[q]": 'needs a table of scores; add "scores": {"text": 0.5}, each from 0 to 1',
        "rules[s].scores.good": "expected a number from 0 to 1, found 2; write it so",
        "derived[a].column": 'the key is missing; add "column": text',
        "extra": "unknown key 'extra'; the keys here are schema, name, version, source, training, kind, "
        "derived, variables, rules, leaks",
    }
    assert {fault.file for fault in caught.value.faults} == {str(path)}


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"rules": [{"name": "x", "kind": "positive"}]}, "has no variables"),
        ({"variables": [{"name": "x"}, {"name": "x"}]}, "x is declared twice"),
        (
            {"variables": [{"name": "x"}], "derived": [{"name": "a", "column": "x"}]},
            "has no test; give",
        ),
        (
            {"variables": [{"name": "x", "cut": [float("nan"), 1]}]},
            "line 1: is not JSON: NaN is",
        ),
    ],
)
def test_what_is_no_declaration(document: dict[str, Any], text: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=text):
        read_declarations(write(tmp_path / "d.json", **document), "variables")


def test_what_tells_the_outcome_may_not_be_read(tmp_path: Path) -> None:
    path = write(
        tmp_path / "d.json",
        variables=[{"name": "bad"}, {"name": "old"}, {"name": "x"}],
        rules=[{"name": "Term", "kind": "positive"}],
        derived=[{"name": "old", "column": "Term", "above": 240}],
        leaks=[{"name": "Term", "why": "it is cut at charge-off"}],
    )
    with pytest.raises(InputError) as caught:
        read_declarations(path, "variables", ["bad"])
    assert [(fault.field, fault.problem) for fault in caught.value.faults] == [
        ("variables[bad]", "bad would tell the outcome: it is what the fit is to foretell"),
        ("variables[old]", "old would tell the outcome: it is cut at charge-off"),
        ("rules[Term]", "Term would tell the outcome: it is cut at charge-off"),
    ]


def test_the_page_of_declarations_is_written_from_the_schema() -> None:
    page = DECLARATIONS.read_text(encoding="utf-8")
    assert page == declarations_page(), "run `make docs`"
    assert "| `cut` | a list of: a number or null | `[0.01, 0.99]` |" in page
