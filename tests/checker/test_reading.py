"""Files read strictly, or as kindly as section 1 says; paths, hashes and digests."""

from __future__ import annotations

import gzip
import hashlib
import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from allocator import checker
from allocator.checker import Missing, Wrong

nan = math.nan

PACKED = gzip.compress(b"a\n1\n", mtime=0)


def document(folder: Path, text: str | bytes) -> Any:
    raw = text if isinstance(text, bytes) else text.encode()
    (folder / "d.json").write_bytes(raw)
    return checker.strict_json(str(folder / "d.json"))


def test_json_is_read_strictly(tmp_path: Path) -> None:
    assert document(tmp_path, '{"a": 1, "b": [2.5, {"c": "\\u00e9"}], "d": null}') == {
        "a": 1, "b": [2.5, {"c": "é"}], "d": None
    }  # fmt: skip
    assert document(tmp_path, '{"a": ' + "9" * 308 + "}")["a"] == int("9" * 308)
    minus = document(tmp_path, '{"a": -0}')["a"]
    assert (minus, type(minus), math.copysign(1, minus)) == (0.0, float, -1.0)
    with pytest.raises(Wrong, match="no JSON in UTF-8"):
        document(tmp_path, '{"a": 1')
    for text in (
        '{"a": 1, "a": 1}', '{"b": {"a": 1, "a": 2}}', '{"a": NaN}', '{"a": Infinity}', '{"a": -Infinity}',
        '{"a": 1e999}', '{"a": ' + "9" * 400 + "}", '{"a": ' + "9" * 6000 + "}", "[1]", "1", "", '{"a": 1',
        b'{"a": "\xff"}', "{" + '"a":{' * 100_000,
    ):  # fmt: skip
        with pytest.raises(Wrong):
            document(tmp_path, text)
    with pytest.raises(Missing):
        checker.strict_json(str(tmp_path / "none.json"))


def table(folder: Path, raw: bytes, lax: bool = True, separator: str = ",") -> Any:
    (folder / "t.csv").write_bytes(raw)
    return checker.table_of(str(folder / "t.csv"), separator, lax=lax)


@pytest.mark.parametrize(
    ("raw", "lax", "separator", "held"),
    [
        (b"a,b\n1,2\n", False, ",", {"a": ["1"], "b": ["2"]}), (b"a\n1\n\n\n", False, ",", {"a": ["1"]}),
        (b"a\n\n1\n", True, ",", {"a": ["1"]}), (b"a\n\n1\n", False, ",", None),
        (b"a,a\n1,2\n", False, ",", None),
        (b"", True, ",", None), (b"a,b\n1\n", True, ",", None), (b"a,b\n1,2,3\n", False, ",", None),
        (b"\xef\xbb\xbfa\n1\n", True, ",", {"a": ["1"]}),
        (b"\xef\xbb\xbfa\n1\n", False, ",", {"\ufeffa": ["1"]}),
        (b"a;b\n1;2\n", True, ";", {"a": ["1"], "b": ["2"]}), (b"a\n\xff\n", True, ",", None),
        (b"sep=;\na;b\n1;2\n", True, ";", {"a": ["1"], "b": ["2"]}), (b"sep=;\na;b\n1;2\n", True, ",", None),
        (b'"SEP=,"\r\na\r\n1\r\n', True, ",", {"a": ["1"]}), (b"sep=,\na\n1\n", False, ",", None),
        (PACKED, True, ",", {"a": ["1"]}), (PACKED, False, ",", None),
        (b'a\n"1"x\n', False, ",", None), (b'a\n"1"x\n', True, ",", {"a": ["1x"]}),
        (b'a,b\n"1,\n2",3\n', False, ",", {"a": ["1,\n2"], "b": ["3"]}),
    ],
)  # fmt: skip
def test_tables(raw: bytes, lax: bool, separator: str, held: Any, tmp_path: Path) -> None:
    if held is None:
        with pytest.raises(Wrong):
            table(tmp_path, raw, lax, separator)
    else:
        assert table(tmp_path, raw, lax, separator) == held


def test_tables_of_parquet(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    columns = {"x": pa.array([1.5, 2.0]), "y": pa.array([1.5, None]), "s": ["a", None], "k": pa.array([1, 2])}
    parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
    found = checker.table_of(str(tmp_path / "t.parquet"))
    assert isinstance(found["x"], np.ndarray)
    assert found["x"].tolist() == [1.5, 2.0]
    assert (found["y"], found["s"], found["k"]) == ([1.5, None], ["a", None], [1, 2])
    twice = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    parquet.write_table(twice, tmp_path / "u.parquet")
    with pytest.raises(Wrong):
        checker.table_of(str(tmp_path / "u.parquet"))
    (tmp_path / "v.parquet").write_bytes(b"PAR1 and nothing")
    with pytest.raises(Wrong, match="no Parquet"):
        checker.table_of(str(tmp_path / "v.parquet"))


@pytest.mark.parametrize(
    ("cell", "text"),
    [("x", "x"), (None, ""), (nan, ""), (1.0, "1"), (1.5, "1.5"), (-3.0, "-3"), (2.0**53, "9007199254740992"),
     (2.0**54, "1.8014398509481984e+16"), (True, "true"), (False, "false"), (7, "7"),
     (np.datetime64("2020-01-02").astype(object), "2020-01-02")],
)  # fmt: skip
def test_cells_as_text(cell: Any, text: str) -> None:
    assert checker.as_text(cell) == text


@pytest.mark.parametrize(
    ("cell", "kind", "strict"),
    [
        ("1", 1.0, 1.0), ("-1.5e3", -1500.0, -1500.0), ("+1", 1.0, None), ("01", 1.0, None),
        (".5", 0.5, None),
        ("5.", 5.0, None), (" 5 ", 5.0, None), ("", nan, None), ("1_0", None, None), ("1,5", None, None),
        ("nan", None, None), ("inf", None, None), ("1e999", None, None), ("٣", None, None), (None, nan, None),
        (True, None, None), (2, 2.0, 2.0), (math.inf, None, None), ("0x1", None, None), ("1e5", 1e5, 1e5),
        ("2E3", 2000.0, 2000.0),
    ],
)  # fmt: skip
def test_cells_as_numbers(cell: Any, kind: float | None, strict: float | None) -> None:
    for mode, right in ((False, kind), (True, strict)):
        if right is None:
            with pytest.raises(Wrong):
                checker.as_numbers([cell], "here", strict=mode)
        else:
            assert checker.as_numbers([cell], "here", strict=mode).tolist() == pytest.approx(
                [right], nan_ok=True
            )


def test_numbers_with_another_mark_and_arrays() -> None:
    assert checker.as_numbers(["1,5", "2"], "here", ",").tolist() == [1.5, 2.0]
    with pytest.raises(Wrong):
        checker.as_numbers(["1.5"], "here", ",")
    assert checker.as_numbers(np.array([1.0, 2.0]), "here").tolist() == [1.0, 2.0]
    for bad in (nan, math.inf):
        with pytest.raises(Wrong, match="not finite"):
            checker.as_numbers(np.array([1.0, bad]), "here")


def test_columns_are_read_with_the_mark_of_their_file() -> None:
    held = checker.Borrowers({"borrower_id": ["E1", "E2"], "size": ["1,5", "2"]}, ",", {"region": "north"})
    assert held.number("size").tolist() == [1.5, 2.0]
    assert (held.text("region").tolist(), held.text("region").dtype) == (["north", "north"], object)


def test_places_of_a_document() -> None:
    held = {"a": {"b": {"c": 0}}, "n": None}
    assert checker.at(held, "a.b.c", 5) == 0
    assert (checker.at(held, "a.x.c", 5), checker.at(held, "n", 5), checker.at(held, "a.b.c.d", 5)) == (
        5,
        5,
        5,
    )
    assert checker.at(held, "") is held
    assert checker.number({"a": 2}, "a") == 2.0
    assert checker.number({}, "a", 3) == 3.0
    for wrong in (True, "1", None, [1]):
        with pytest.raises(Wrong):
            checker.number({"a": wrong}, "a")
    assert checker.word({"a": "x"}, "a", ["x", "y"]) == "x"
    assert checker.word({}, "a", ["x", "y"], "y") == "y"
    for wrong in ("z", 1, None):
        with pytest.raises(Wrong, match=r"a: .* is none of x, y"):
            checker.word({"a": wrong}, "a", ["x", "y"])
    assert checker.entries({"a": {"x": 1}}, "a", "x y") == {"x": 1}
    assert checker.entries({}, "a", "x") == {}
    for other in ({"z": 1}, [1], 1):
        with pytest.raises(Wrong):
            checker.entries({"a": other}, "a", "x y")


def test_paths_start_from_the_run_or_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_OF_TEST", "/data")
    monkeypatch.setenv("BESIDE_OF_TEST", "beside")
    monkeypatch.setenv("EMPTY_OF_TEST", "")
    assert checker.path_of("/run", "x.csv") == "/run/x.csv"
    assert checker.path_of("/run", "/x.csv") == "/x.csv"
    assert checker.path_of("/run", "${DATA_OF_TEST}/x.csv") == "/data/x.csv"
    assert checker.path_of("/run", "${BESIDE_OF_TEST}/x.csv") == "beside/x.csv"
    assert checker.path_of("/run", "a${DATA_OF_TEST}") == "/run/a/data"
    for name in ("EMPTY_OF_TEST", "NONE_OF_TEST"):
        with pytest.raises(Missing, match="is not set"):
            checker.path_of("/run", f"${{{name}}}/x")
    with pytest.raises(Wrong, match="is no path"):
        checker.path_of("/run", 1)


def sha(raw: bytes) -> str:
    return "sha256:" + hashlib.sha256(raw).hexdigest()


def test_a_folder_is_hashed_by_its_parquet_files(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / ".hidden").mkdir()
    for name in ("b.parquet", "a.PQ", "sub/c.parq", "_d.parquet", ".e.parquet", "f.csv", ".hidden/g.parquet"):
        (tmp_path / name).write_bytes(name.encode())
    listed = "".join(f"{name} {sha(name.encode())}\n" for name in ("a.PQ", "b.parquet", "sub/c.parq"))
    assert checker.hash_of(str(tmp_path)) == sha(listed.encode())
    assert checker.hash_of(str(tmp_path / "f.csv")) == sha(b"f.csv")


def digested(parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def test_a_digest_is_of_all_but_paths() -> None:
    source = {"csv": "x.csv", "sep": ";", "skip": 2}
    document = {
        "name": "n", "portfolio": {"source": source, "columns": {"a": "b"}, "scorecard": "s"}, "former": "f",
        "response": {"churn": "c", "smoothing": "none"}, "stress": {"file": "f", "column": "i"},
        "stresses": {"a": {"pd": {"all": 2.0}}, "b": {}},
        "policy": {"limits": [{"under": ["a"]}], "rates": {}},
    }  # fmt: skip
    kept: dict[str, Any] = {
        "name": "n", "portfolio": {"columns": {"a": "b"}}, "response": {"smoothing": "none"},
        "stress": {"column": "i"}, "stresses": {"a": {"pd": {"all": 2}}},
        "policy": {"limits": [{"under": ["a"]}], "rates": {}},
    }  # fmt: skip
    right = [kept, {"sep": ";", "skip": 2}, {"in": "h"}]
    assert checker.digest(document, {"in": "h"}) == digested(right)
    document["policy"] = kept["policy"] = {"limits": [], "rates": {"B": [1, 2], "A": [1, 2]}}
    del kept["stresses"]
    assert checker.digest(document, {"in": "h"}) == digested(right)
    for pricing in ("monotone", {"per_segment": "s", "grades": "monotone"}):
        document["policy"]["pricing"] = pricing
        assert checker.digest(document, {"in": "h"}) == digested([*right, ["B", "A"]])
    document["response"]["churn"] = kept["response"]["churn"] = {"logistic": {}}
    document["former"] = {"file": "f", "columns": {}}
    kept["former"] = {"columns": {}}
    document["stress"] = kept["stress"] = {"mean_of": {"b": 1}}
    kept["stresses"] = {"b": {}}
    assert checker.digest(document, {"in": "h"}) == digested([*right, ["B", "A"]])


def test_the_program_ends_as_it_finds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tests.checker.by_hand import written

    assert checker.main([]) == checker.main(["a", "b"]) == 2
    assert checker.main([str(tmp_path / "none")]) == 2
    capsys.readouterr()
    run = str(written(tmp_path))
    assert checker.main([run]) == 0
    assert capsys.readouterr().out == f"{run}: it holds\n"
    written(tmp_path, [("summary", "funded", 3)])
    assert checker.main([run]) == 5
    said = capsys.readouterr()
    assert said.out == f"{run}: 1 faults, it does not hold\n"
    assert said.err == "fault: summary funded: says 3, the inputs give 2\n"
    written(tmp_path, [("certificate", "limits", [1])])
    assert checker.main([run]) == 5
    assert sys.version_info >= (3, 11)


def test_brought_by_names_what_other_packages_bring() -> None:
    scenario = {"portfolio": {"source": {"lake": "x"}}, "strategy": "own", "policy": {"limits": []}}
    for held in ({}, {"strategy own": "p"}, {"source lake": "p", "strategy own": "p"}):
        assert checker.brought_by(scenario, held) == held
    with pytest.raises(Wrong):
        checker.brought_by(scenario, {"strategy other": "p"})
    scenario["policy"] = {"limits": [{"measure": "green"}]}
    with pytest.raises(Wrong):
        checker.brought_by(scenario, {})
    with pytest.raises(Missing, match="measure green is of the package p"):
        checker.brought_by(scenario, {"measure green": "p"})
    assert checker.rule_of(scenario, {}) == "own"
    assert checker.rule_of({}, {}) == "optimal"
    assert checker.rule_of({"strategy": {"min_loss": {}}}, {}) == "min_loss"
    assert checker.rule_of({"strategy": {"own": {}}}, {"strategy own": "p"}) == "own"
    with pytest.raises(Wrong):
        checker.rule_of({"strategy": {"own": {}}}, {})
