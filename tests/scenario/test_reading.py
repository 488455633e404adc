"""Files that are no scenario, or no YAML, say so and where."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from allocator.errors import Fault, InputError
from allocator.records.nodes import Origin
from allocator.scenario import load_scenario
from allocator.scenario.reading import LARGEST, parse
from tests.scenario.conftest import BASE, Faults

HERE = Origin("case.yaml", 1, Path())

NO_SCENARIO = {
    "empty": (b"", "case.yaml: the file is empty; write a scenario, starting with `schema: 1`"),
    "only a comment": (
        b"# schema: 1\n",
        "case.yaml: the file is empty; write a scenario, starting with `schema: 1`",
    ),
    "UTF-16": (BASE.encode("utf-16"), "case.yaml: the file is UTF-16 text, expected UTF-8; save it as UTF-8"),
    "UTF-16 without its mark": (
        BASE.encode("utf-16-le"),
        "case.yaml: the file is binary, expected YAML text; name the scenario's YAML file",
    ),
    "binary": (
        b"PK\x03\x04\x14\x00\x06\x00",
        "case.yaml: the file is binary, expected YAML text; name the scenario's YAML file",
    ),
    "Latin-1": (
        BASE.replace("A line", "Größe").encode("latin-1"),
        "case.yaml, line 11: byte 0xF6 is not UTF-8 text; save the file as UTF-8",
    ),
    "control character": (
        b"schema: 1\nname: a\x07b\n",
        "case.yaml: the text holds a control character; remove it",
    ),
    "a table": (
        b"borrower_id,grade\nx,A\n",
        "case.yaml, line 1: expected a mapping, found one text; start the file with `schema: 1`",
    ),
    "a list": (
        b"- schema\n",
        "case.yaml, line 1: expected a mapping, found a list; start the file with `schema: 1`",
    ),
    "tab": (
        b"schema: 1\nresponse:\n\tchurn: churn.csv\n",
        "case.yaml, line 3: a tab indents the line, which YAML does not allow; indent by spaces",
    ),
    "bracket left open": (
        b"schema: 1\nresponse: {churn: churn.csv\n",
        "case.yaml, line 2: no valid YAML: expected ',' or '}', but got '<stream end>'; "
        "check indentation, brackets, quotes and colons",
    ),
    "variable in braces": (
        b"schema: 1\nresponse: {churn: ${DATA}/churn.csv}\n",
        "case.yaml, line 2: no valid YAML: expected ',' or '}', but got '{'; "
        "put ${...} in quotes where it stands inside braces or brackets",
    ),
    "second document": (
        b"schema: 1\n---\nschema: 1\n",
        "case.yaml, line 2: a second document starts here, expected one; remove the line of three dashes",
    ),
    "unknown alias": (
        b"schema: 1\npolicy: *base\n",
        "case.yaml, line 2: no valid YAML: found undefined alias 'base'; "
        "check indentation, brackets, quotes and colons",
    ),
    "brackets without end": (
        b"[" * 5000,
        "case.yaml: values are nested too deeply; check for brackets that are never closed",
    ),
    "indentation without end": (
        "\n".join(" " * depth + "a:" for depth in range(1000)).encode(),
        "case.yaml: values are nested too deeply; indent less",
    ),
    "too large": (
        b"#" * (LARGEST + 1),
        "case.yaml: 2,000,001 bytes are too many for a scenario; name the scenario, not the portfolio",
    ),
}


@pytest.mark.parametrize("kind", NO_SCENARIO)
def test_a_file_that_is_no_scenario_is_told_alone(kind: str, faults: Faults) -> None:
    content, expected = NO_SCENARIO[kind]

    assert faults(content) == [expected]


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the file does not exist; check the path"):
        load_scenario(tmp_path / "nowhere.yaml")
    with pytest.raises(
        InputError, match="this is a folder, expected a scenario file; name a YAML file in it"
    ):
        load_scenario(tmp_path)
    with pytest.raises(InputError, match="the file cannot be read"):
        load_scenario(tmp_path / ("long" * 100))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission(write, base) -> None:
    path = write("case.yaml", base)
    path.chmod(0)

    with pytest.raises(InputError, match=r"cannot be read \(Permission denied\); check path and permissions"):
        load_scenario(path)


def test_a_key_written_twice_names_both_lines(faults: Faults) -> None:
    text = BASE.replace("  ticket:", "  budget: {amount: 5}\n  ticket:")

    assert faults(text) == [
        "case.yaml, line 8: key 'budget' is written twice, first on line 7; keep one of the two"
    ]


def test_faults_of_shape_and_of_meaning_come_together(faults: Faults) -> None:
    text = (
        BASE.replace("lgd: 50%", "lgd: 50%, lgd: 5%")
        .replace("63%", "630")
        .replace("name: A line", "? [a]\n : b")
    )

    told = faults(text)

    assert [one.split(":")[0] for one in told][:2] == ["case.yaml, line 4", "case.yaml, line 11"]
    assert "a key is a list or a mapping, expected text; write a text for the key" in told[1]
    assert any("630 would be" in one for one in told)


def test_a_byte_order_mark_and_windows_line_ends_are_fine(write, base) -> None:
    path = write("case.yaml", "")
    path.write_bytes(b"\xef\xbb\xbf" + base.replace("\n", "\r\n").encode())

    assert load_scenario(path).policy.budget.amount == 1e6


def test_only_yaml_1_2_constants_are_no_text() -> None:
    text = "[NO, on, yes, 001, 1e8, 100_000_000, 2020-01-01, true, ~, null, '', 'true', \"~\", 0x10]"
    faults: list[Fault] = []

    for directive in ("", "%YAML 1.1\n---\n"):
        tree = parse(directive + text, HERE, faults)
        assert tree is not None
        assert tree.plain() == [
            *("NO", "on", "yes", "001", "1e8", "100_000_000", "2020-01-01"),
            *(True, None, None, "", "true", "~", "0x10"),
        ]
    assert faults == []


def test_aliases_share_values_but_not_without_end() -> None:
    faults: list[Fault] = []
    bands = parse("a: &band [4%, 11%]\nb: *band", HERE, faults)
    assert bands is not None
    assert bands.plain() == {"a": ["4%", "11%"], "b": ["4%", "11%"]}
    assert faults == []

    parse("a: &loop [*loop]", HERE, faults)
    assert str(faults.pop()) == "case.yaml, line 1: an alias names what it stands in; write the value out"

    levels = [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]
    parse("\n".join(["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]", *levels]), HERE, faults)
    assert [one.problem for one in faults] == ["more than 100,000 values"]


def test_deep_indentation_is_told_where_it_gets_too_deep() -> None:
    faults: list[Fault] = []

    tree = parse("\n".join(" " * depth + "a:" for depth in range(150)), HERE, faults)

    assert tree is not None
    assert [str(one) for one in faults] == ["case.yaml, line 101: values are nested too deeply; indent less"]


def test_tags_are_refused_as_they_are_written() -> None:
    faults: list[Fault] = []

    tree = parse("a: !!binary aGk=\nb: !secret x\nc: !!str 5", HERE, faults)

    assert tree is not None
    assert tree.plain() == {"a": None, "b": None, "c": "5"}
    assert [str(one) for one in faults] == [
        "case.yaml, line 1: the tag !!binary is not known; remove it",
        "case.yaml, line 2: the tag !secret is not known; remove it",
    ]


@pytest.mark.parametrize("written", ["60,000,000", "60,000", "1,234,567.89"])
def test_a_number_that_its_commas_cut_in_braces_is_told_as_one(
    faults: Faults, base: str, written: str
) -> None:
    text = base.replace("budget: {amount: 1_000_000}", f"budget: {{amount: {written}, spend: exactly}}")
    plain = written.replace(",", "_")
    place = "case.yaml, line 7, policy.budget.amount"
    assert faults(text) == [f"{place}: '{written}' has thousands separators; write {plain}"]
