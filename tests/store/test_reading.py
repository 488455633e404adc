"""A stored run: what was written is what is read, and what is wrong is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.errors import CertificateError, InputError
from allocator.records.run import Run
from allocator.store import folder, read_run, write_run
from allocator.store.folder import PARQUET_FROM
from tests.store.runs import SCENARIO_TEXT, made_run
from tests.strategies import random_cases


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    return write_run(made_run(), tmp_path / "run", scenario_text=SCENARIO_TEXT, force=False)


def test_a_run_reads_back(stored: Path) -> None:
    run, read = made_run(), read_run(stored)
    assert read.folder == stored
    assert read.scenario_path == stored / "scenario.yaml"
    seconds = read.summary["seconds"]
    assert read.summary == {**json.loads(json.dumps(dict(run.summary))), "seconds": seconds}
    assert seconds["total"] == seconds["write"] > 0
    assert read.certificate["prices"] == run.prices
    assert list(read.allocation.columns) == list(run.allocation.columns)


def rewritten(run: Run, tmp_path: Path, **columns: list[Any]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The allocation with `columns` replaced, as it was and as it reads back."""
    allocation = run.allocation.assign(**columns)
    changed = Run(run.scenario, allocation, run.certificate, run.summary, run.status)
    write_run(changed, tmp_path / "run", scenario_text=SCENARIO_TEXT, force=True)
    return allocation, read_run(tmp_path / "run").allocation


@random_cases(25, full=250)
@given(
    numbers=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=8, max_size=8),
    texts=st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=8, max_size=8
    ),
)
@pytest.mark.parametrize("parquet_from", [8, PARQUET_FROM])
def test_every_number_and_text_reads_back_exactly(
    tmp_path: Path, numbers: list[float], texts: list[str], parquet_from: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folder, "PARQUET_FROM", parquet_from)
        written, read = rewritten(made_run(), tmp_path, value=numbers, borrower_id=texts)
    assert read["value"].to_numpy().tobytes() == written["value"].to_numpy(dtype=float).tobytes()
    assert list(read["borrower_id"]) == texts


@pytest.mark.parametrize("parquet_from", [8, PARQUET_FROM])
def test_texts_that_look_like_something_else_stay_texts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parquet_from: int
) -> None:
    monkeypatch.setattr(folder, "PARQUET_FROM", parquet_from)
    texts = ["NA", "001", "", "null", "1e5", " x ", "a,b", "True"]
    _, read = rewritten(made_run(), tmp_path, borrower_id=texts, grade=pd.Categorical([*texts[:7], None]))
    assert list(read["borrower_id"]) == texts
    assert list(read["grade"]) == [*texts[:7], ""]
    assert read["amount"].dtype == np.float64


def test_what_is_no_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere: there is no such folder; name a folder that solve wrote"):
        read_run(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"file: is a file, not a run's folder"):
        read_run(tmp_path / "file")


def test_every_missing_file_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_run(tmp_path)
    assert [fault.problem for fault in caught.value.faults] == ["is missing"] * 5
    assert [Path(str(fault.file)).name for fault in caught.value.faults] == [
        "summary.json",
        "certificate.json",
        "scenario.yaml",
        "scenario.json",
        "allocation.csv",
    ]


def text(change: Callable[[str], str]) -> Callable[[Path], None]:
    def apply(path: Path) -> None:
        path.write_text(change(path.read_text()), newline="")

    return apply


def entry(key: str, value: Any) -> Callable[[Path], None]:
    def apply(path: Path) -> None:
        document = json.loads(path.read_text())
        document[key] = value
        path.write_text(json.dumps(document))

    return apply


def without(key: str) -> Callable[[Path], None]:
    def apply(path: Path) -> None:
        document = json.loads(path.read_text())
        del document[key]
        path.write_text(json.dumps(document))

    return apply


def binary(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00\x80" * 100)


def as_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


BROKEN = [
    ("summary.json", text(lambda s: ""), "line 1: is not JSON: expecting value; restore the file"),
    ("summary.json", text(lambda s: s[: len(s) // 2]), r"line \d+: is not JSON"),
    ("summary.json", text(lambda s: "[1, 2]"), "holds no JSON object"),
    ("summary.json", text(lambda s: "[" * 100_000), "is nested too deeply"),
    ("summary.json", binary, "is not UTF-8 text"),
    ("summary.json", as_folder, "cannot be read: Is a directory"),
    ("summary.json", entry("objective", "large"), "objective: is missing or no number"),
    ("summary.json", entry("borrowers", True), "borrowers: is missing or no number"),
    ("summary.json", entry("bound", 10**400), "bound: is missing or no number"),
    ("summary.json", without("certified_bound"), "certified_bound: is missing or no number"),
    ("summary.json", entry("status", 1), "status: is missing or no text"),
    ("summary.json", entry("gap", float("nan")), "is not JSON: it knows no number NaN"),
    ("certificate.json", text(lambda s: "null"), "holds no JSON object"),
    ("certificate.json", entry("schema", 2), "schema: is 2 where 1 was expected"),
    ("certificate.json", without("prices"), "prices: is missing"),
    ("certificate.json", entry("prices", {"budget": "0.1"}), "prices.budget: is '0.1' where a finite number"),
    ("certificate.json", entry("prices", [1.0]), "prices: is a list where an object was expected"),
    ("certificate.json", entry("bound", 10**400), "bound: is "),
    ("certificate.json", entry("bound", None), "bound: is None where a finite number was expected"),
    ("certificate.json", entry("limits", {}), "limits: is an object where a list was expected"),
    ("certificate.json", entry("limits", [7]), r"limits\[0\]: holds a number where an object was expected"),
    ("certificate.json", entry("limits", [{"name": 1}]), r"limits\[0\].name: is 1 where text was expected"),
    (
        "certificate.json",
        entry("limits", [{"sense": "near"}]),
        "sense: is 'near' where one of at_most, at_le",
    ),
    ("certificate.json", entry("limits", [{"sense": []}]), "sense: is a list where one of at_most"),
    ("certificate.json", entry("limits", [{"colour": 1}]), r"limits\[0\].colour: is not a key of a limit"),
    ("certificate.json", entry("inputs", {"churn": "md5"}), "inputs.churn: is 'md5' where a content hash"),
    ("certificate.json", entry("tree", []), "tree: is a list where an object was expected"),
    ("certificate.json", entry("bounds", 1), "bounds: is not a key of a certificate"),
    ("certificate.json", entry("gap", -0.0), "gap: is -0, which no run writes"),
    ("certificate.json", text(lambda s: s.replace("{", '{"gap": 0, ', 1)), "has the key 'gap' twice"),
    ("certificate.json", text(lambda s: s.replace("0.01", "1e400", 1)), "1e400, which is beyond a double"),
    ("certificate.json", text(lambda s: s.replace("0.01", "9" * 5000, 1)), "whole number of 5000 digits"),
    ("certificate.json", text(lambda s: "\ufeff" + s), "is not JSON: unexpected utf-8 bom"),
    ("summary.json", entry("profit", 1), "profit: is not a key of a summary"),
    ("summary.json", entry("certified_gap", -0.0), "certified_gap: is -0, which no run writes"),
    ("scenario.json", text(lambda s: s[:-3]), "is not JSON"),
    ("scenario.yaml", Path.unlink, "scenario.yaml: is missing"),
    ("allocation.csv", Path.unlink, "allocation.csv: is missing"),
    ("allocation.csv", as_folder, "allocation.csv: cannot be read: Is a directory"),
    ("allocation.csv", text(lambda s: ""), "allocation.csv, borrower_id: the column is missing"),
    ("allocation.csv", binary, "allocation.csv: is not UTF-8 text"),
    (
        "allocation.csv",
        text(lambda s: s.replace("amount", "sum", 1)),
        "amount: the column is missing; restore",
    ),
    ("allocation.csv", text(lambda s: s.replace("reason", "reason,Amount", 1)), "row 1: has 13 cells under"),
    ("allocation.csv", text(lambda s: "\ufeff" + s), "borrower_id: the column is missing"),
    ("allocation.csv", text(lambda s: s.replace("0.0465", "4_65e-4", 1)), "'4_65e-4' is no finite number"),
    ("allocation.csv", text(lambda s: s.replace("0.0465", " 0.0465", 1)), "' 0.0465' is no finite number"),
    ("allocation.csv", text(lambda s: s.replace("0.0465", "٠.0465", 1)), "'٠.0465' is no finite number"),
    ("allocation.csv", text(lambda s: s.replace("0.0465", ".0465", 1)), "'.0465' is no finite number"),
    ("allocation.csv", text(lambda s: s.replace("0.0465", "-0.0", 1)), "row 1, rate: '-0.0' is -0"),
    ("allocation.csv", text(lambda s: s.replace("0.0465", '0.0"465', 1)), r"""'0.0"465' is no finite"""),
    ("allocation.csv", text(lambda s: s.replace("0.0465", '"0.0465"x', 1)), "expected after"),
    ("allocation.csv", text(lambda s: s.replace("take_up", "rate", 1)), "rate: stands twice in the header"),
    ("allocation.csv", text(lambda s: s.replace("0.0465", "4.65%", 1)), "row 1, rate: '4.65%' is no finite"),
    (
        "allocation.csv",
        text(lambda s: s.replace("0.0465", "inf")),
        "'inf' is no finite number, and in 5 more",
    ),
    ("allocation.csv", text(lambda s: s.replace("0.0465", "")), "row 1, rate: '' is no finite number"),
    (
        "allocation.csv",
        text(lambda s: s + "a,b" + ",1" * 30),
        "row 9: has 32 cells under a header of 13",
    ),
]


@pytest.mark.parametrize(("file", "change", "message"), BROKEN)
def test_a_broken_file_is_named_with_its_fault(
    stored: Path, file: str, change: Callable[[Path], None], message: str
) -> None:
    """Who alters a file exits 5, as an altered figure does; what is gone or shut cannot be judged at all."""
    change(stored / file)
    gone = change in (Path.unlink, as_folder)
    with pytest.raises(InputError if gone else CertificateError, match=message) as caught:
        read_run(stored)
    assert all(fault.remedy for fault in caught.value.faults)


def test_faults_of_several_files_are_told_at_once(stored: Path) -> None:
    (stored / "summary.json").write_text("{")
    (stored / "certificate.json").write_text("{")
    (stored / "allocation.csv").unlink()
    with pytest.raises(InputError, match="3 faults"):
        read_run(stored)


def test_altered_files_alone_are_told_together(stored: Path) -> None:
    (stored / "summary.json").write_text("{")
    entry("bound", None)(stored / "certificate.json")
    with pytest.raises(CertificateError, match="run: 2 faults") as caught:
        read_run(stored)
    assert [Path(str(fault.file)).name for fault in caught.value.faults] == [
        "summary.json",
        "certificate.json",
    ]


def test_a_broken_parquet_file_is_named(stored: Path) -> None:
    (stored / "allocation.csv").unlink()
    (stored / "allocation.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(CertificateError, match=r"allocation.parquet: cannot be read"):
        read_run(stored)


def test_two_allocations_are_one_too_many(stored: Path) -> None:
    (stored / "allocation.parquet").touch()
    with pytest.raises(CertificateError, match=r"holds both allocation.csv and allocation.parquet"):
        read_run(stored)


def harmless(before: str, after: str) -> Callable[[Path], None]:
    return text(lambda s: s.replace(before, after))


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("allocation.csv", harmless("\n", "\r\n")),
        ("allocation.csv", text(lambda s: s + "\n\n")),
        ("allocation.csv", harmless("0.0465", "4.65e-2")),
        ("allocation.csv", harmless("0.0465", '"0.046500000000000000"')),
        ("certificate.json", harmless("\n", " \r\n\t")),
        ("summary.json", text(lambda s: json.dumps(dict(reversed(json.loads(s).items()))))),
    ],
)
def test_what_says_the_same_reads_the_same(stored: Path, file: str, change: Callable[[Path], None]) -> None:
    before = read_run(stored)
    change(stored / file)
    after = read_run(stored)
    assert after.allocation.equals(before.allocation)
    assert (after.certificate, after.summary) == (before.certificate, before.summary)


@pytest.mark.parametrize(("field", "value"), [("gap", 0.0), ("largest_violation", 0.5), ("bound", 1e9)])
def test_a_certificate_that_contradicts_itself_fails(stored: Path, field: str, value: float) -> None:
    entry(field, value)(stored / "certificate.json")
    with pytest.raises(CertificateError, match=r"certificate.json contradicts itself"):
        read_run(stored)
