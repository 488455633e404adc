"""Bad input from end to end: the exit status, the place, the remedy; no traceback, no half a run."""

from __future__ import annotations

import contextlib
import gzip
import os
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Allocator

Change = Callable[[Path], object]


def edit(file: str, old: str, new: str) -> Change:
    """Replace `old`, which must be there, by `new` in `file`."""

    def apply(case: Path) -> None:
        text = (case / file).read_text()
        assert old in text
        (case / file).write_text(text.replace(old, new, 1))

    return apply


def content(file: str, data: bytes) -> Change:
    return lambda case: (case / file).write_bytes(data)


def remove(file: str) -> Change:
    return lambda case: (case / file).unlink()


def many(*changes: Change) -> Change:
    return lambda case: [change(case) for change in changes]


def encoded(file: str, encoding: str) -> Change:
    """`file` with a name that ASCII lacks, in another encoding than UTF-8."""

    def apply(case: Path) -> None:
        text = (case / file).read_text().replace("F01", "Fé1")
        (case / file).write_bytes(text.encode(encoding))

    return apply


def each_line(file: str, change: Callable[[str], str]) -> Change:
    def apply(case: Path) -> None:
        lines = (case / file).read_text().splitlines()
        (case / file).write_text("\n".join(map(change, lines)) + "\n")

    return apply


def query(url: str, text: str) -> Change:
    return edit("scenario.yaml", "borrowers.csv", f'{{sql: "{url}", query: "{text}"}}')


def database(case: Path) -> None:
    with contextlib.closing(sqlite3.connect(case / "books.db")) as connection:
        connection.execute("create table borrowers (borrower_id text)")


ROW = "F01,A,0.005,0.45,500000,retail"


def borrower(line: str) -> Change:
    """The first borrower's line replaced."""
    return edit("borrowers.csv", ROW, line)


CASES: dict[str, tuple[Change, str]] = {
    # the scenario as a file
    "scenario missing": (remove("scenario.yaml"), "scenario.yaml the file does not exist -> check the path"),
    "scenario empty": (
        content("scenario.yaml", b""),
        "the file is empty -> write a scenario, starting with `schema: 1`",
    ),
    "scenario binary": (
        content("scenario.yaml", bytes(range(256))),
        "the file is binary, expected YAML text -> name the scenario's YAML file",
    ),
    "scenario a folder": (
        many(remove("scenario.yaml"), lambda case: (case / "scenario.yaml").mkdir()),
        "this is a folder, expected a scenario file -> name a YAML file in it",
    ),
    "scenario not YAML": (
        edit("scenario.yaml", "{amount: 3_000_000}", "{amount: [3"),
        "line 9 no valid YAML: expected ',' or ']'",
    ),
    "a list for a scenario": (content("scenario.yaml", b"- 1\n- 2\n"), "expected a mapping, found a list"),
    "cycle in extends": (
        many(
            edit("scenario.yaml", "schema: 1", "schema: 1\nextends: base.yaml"),
            content("base.yaml", b"extends: scenario.yaml\n"),
        ),
        "base.yaml, line 1, extends the files extend one another",
    ),
    "parent missing": (
        edit("scenario.yaml", "schema: 1", "schema: 1\nextends: base.yaml"),
        "line 2, extends base.yaml does not exist -> check the path",
    ),
    "unset variable": (
        edit("scenario.yaml", "churn.csv", "${NO_SUCH_PLACE}/churn.csv"),
        "line 6, response.churn environment variable NO_SUCH_PLACE is not set",
    ),
    # the scenario's keys and values
    "unknown key": (
        edit("scenario.yaml", "budget:", "bugdet:"),
        "line 8, policy.bugdet unknown key 'bugdet' -> did you mean budget?",
    ),
    "key twice": (
        edit("scenario.yaml", "name: small", "name: small\nname: large"),
        "line 3 key 'name' is written twice, first on line 2 -> keep one",
    ),
    "wrong type": (
        edit("scenario.yaml", "{amount: 3_000_000}", "[3_000_000]"),
        "line 8, policy.budget expected a mapping, found a list",
    ),
    "text for a number": (
        edit("scenario.yaml", "3_000_000", "three million"),
        "line 8, policy.budget.amount 'three million' is not an amount",
    ),
    "negative budget": (edit("scenario.yaml", "3_000_000", "-3"), "policy.budget.amount -3 is negative"),
    "NaN budget": (
        edit("scenario.yaml", "3_000_000", ".nan"),
        "line 8, policy.budget.amount '.nan' is not an amount",
    ),
    "infinite budget": (
        edit("scenario.yaml", "3_000_000", ".inf"),
        "line 8, policy.budget.amount '.inf' is not an amount",
    ),
    "smallest loan above the largest": (
        edit("scenario.yaml", "min: 100_000", "min: 2_000_000"),
        "policy.ticket.max the largest loan 1,000,000 is below",
    ),
    "no smallest loan": (
        edit("scenario.yaml", "min: 100_000", "min: -1"),
        "line 9, policy.ticket.min -1 is negative, expected 0 or more",
    ),
    "630 instead of 63%": (
        edit("scenario.yaml", "63%", "630"),
        "policy.limits[A line].at_most 630 would be 63,000 %, expected 0% to 100% -> write a percentage such "
        "as 63% or a fraction such as 0.63",
    ),
    "band upside down": (
        edit("scenario.yaml", "[4%, 11%]", "[11%, 4%]"),
        "line 10, policy.rates.A the lowest rate 11% is above the highest 4%",
    ),
    "unknown measure": (
        edit("scenario.yaml", "measure: expected_loss", "measure: expected_los"),
        "did you mean expected_loss?",
    ),
    "limit name twice": (
        edit("scenario.yaml", "name: sectors", "name: A line"),
        "line 13, policy.limits[A line].name two limits are named 'A line'",
    ),
    "budget as a limit's name": (
        edit("scenario.yaml", "name: sectors", "name: budget"),
        "the name 'budget' is the budget's own -> give the limit another name",
    ),
    "unknown column in a limit": (
        edit("scenario.yaml", "each: sector", "each: branch"),
        "borrowers.csv, branch no column branch; there are borrower_id, grade",
    ),
    "wrong schema": (edit("scenario.yaml", "schema: 1", "schema: 9"), "schema '9' is not known, expected 1"),
    # the borrowers as a file
    "borrowers missing": (
        remove("borrowers.csv"),
        "line 4, portfolio.source borrowers.csv does not exist -> check the path",
    ),
    "borrowers empty": (
        content("borrowers.csv", b""),
        "borrowers.csv an empty file -> give a header and one row per borrower",
    ),
    "no borrower": (
        content("borrowers.csv", b"borrower_id,grade,pd,lgd,max_amount,sector\n"),
        "borrowers.csv no rows under the header -> give one row per borrower",
    ),
    "borrowers binary": (
        content("borrowers.csv", os.urandom(64) + b"\x00\xff\xfe"),
        "borrowers.csv a binary file, not delimited text -> name a CSV file",
    ),
    "borrowers zipped": (
        content("borrowers.csv", gzip.compress(b"borrower_id,grade\n")[:-9]),
        "borrowers.csv a gzip archive cut short -> copy or pack it again",
    ),
    "wrong encoding": (
        encoded("borrowers.csv", "latin-1"),
        "borrowers.csv, line 2 not UTF-8 -> save the file in UTF-8",
    ),
    "wrong delimiter": (
        each_line("borrowers.csv", lambda line: line.replace(",", ";")),
        '"," does not separate the header, ";" may -> write source: {csv: borrowers.csv, sep: ";"}',
    ),
    "not Parquet": (
        many(
            edit("scenario.yaml", "borrowers.csv", "borrowers.parquet"),
            content("borrowers.parquet", b"PAR1 and no more"),
        ),
        "borrowers.parquet not a whole Parquet file",
    ),
    "not Excel": (
        many(
            edit("scenario.yaml", "borrowers.csv", "borrowers.xlsx"),
            content("borrowers.xlsx", b"PK\x03\x04 and no more"),
        ),
        "borrowers.xlsx not a whole Excel workbook",
    ),
    "SQL that fails": (
        many(database, query("sqlite:///books.db", "select * from nowhere")),
        "no such table: nowhere",
    ),
    "no database": (query("sqlite:///none.db", "select 1"), "none.db -> mend the address under sql"),
    "no such driver": (
        query("oracel://x", "select 1"),
        "SQL query no driver for oracel -> name a database",
    ),
    # the borrowers' columns and cells
    "header twice": (
        edit("borrowers.csv", ROW, "borrower_id,grade,pd,lgd,max_amount,sector\n" + ROW),
        "row 1, borrower_id the header again -> remove this row",
    ),
    "column twice": (
        edit("borrowers.csv", "lgd,max_amount", "lgd,lgd"),
        "borrowers.csv, lgd 2 columns have this name -> rename or drop all but one",
    ),
    "missing column": (
        edit("borrowers.csv", "grade,", "rating,"),
        "grade no column grade; there are borrower_id, rating, pd",
    ),
    "too few cells": (borrower("F01,A,0.005"), "row 1 3 cells under a header of 6 -> put cells that hold"),
    "too many cells": (borrower(ROW + ",1,2"), "row 1 8 cells under a header of 6 -> put cells that hold"),
    "duplicate identifier": (
        borrower("F02,A,0.005,0.45,500000,retail"),
        'row 2, borrower_id "F02" is the identifier of row 1 too -> keep one row per borrower',
    ),
    "empty identifier": (borrower(",A,0.005,0.45,500000,retail"), "row 1, borrower_id an empty cell"),
    "empty grade": (borrower("F01,,0.005,0.45,500000,retail"), "row 1, grade an empty cell"),
    "text in numbers": (
        borrower("F01,A,low,0.45,500000,retail"),
        'row 1, pd "low" is not a number -> write a plain number',
    ),
    "comma decimals": (
        borrower('F01,A,"0,005",0.45,500000,retail'),
        'row 1, pd "0,005" has a decimal comma -> write a point for it',
    ),
    "NaN": (
        borrower("F01,A,nan,0.45,500000,retail"),
        "row 1, pd nan is not a finite number -> write a finite number",
    ),
    "infinity": (
        borrower("F01,A,0.005,0.45,inf,retail"),
        "row 1, max_amount inf is not a finite number -> write a finite number",
    ),
    "negative amount": (
        borrower("F01,A,0.005,0.45,-500000,retail"),
        "row 1, max_amount -500000 is below 0 -> write a number of at least 0",
    ),
    "empty pd": (
        borrower("F01,A,,0.45,500000,retail"),
        "row 1, pd an empty cell -> give every borrower a value",
    ),
    "pd of 120 %": (
        borrower("F01,A,1.2,0.45,500000,retail"),
        "row 1, pd 1.2 is above 1 -> write a fraction from 0 to 1, 5% as 0.05",
    ),
    "lgd in percent": (
        borrower("F01,A,0.005,45,500000,retail"),
        "row 1, lgd 45 is above 1 -> write a fraction from 0 to 1",
    ),
    "thousands separated": (borrower('F01,A,0.005,0.45,"500,000",retail'), 'row 1, max_amount "500,000"'),
    "min above max": (
        many(
            edit("borrowers.csv", "max_amount,sector", "max_amount,min_amount"),
            borrower("F01,A,0.005,0.45,500000,950000"),
            each_line("borrowers.csv", lambda line: re.sub(r"(retail|food|steel)$", "1", line)),
            edit("scenario.yaml", "each: sector", "each: grade"),
        ),
        "row 1, min_amount 950000 is above the request of 500000 -> lower min_amount",
    ),
    "missing value in a limit": (
        borrower("F01,A,0.005,0.45,500000,"),
        "sector limit 'sectors' counts each sector, which is missing in 1 row",
    ),
    # the churn curve
    "curve missing": (
        remove("churn.csv"),
        "line 6, response.churn churn.csv does not exist -> check the path",
    ),
    "curve empty": (content("churn.csv", b""), "churn.csv an empty file -> give a header and rows under it"),
    "curve in another encoding": (
        content("churn.csv", "rate,é\n0.1,0.2\n".encode("latin-1")),
        "churn.csv, line 1 not UTF-8 -> save the file in UTF-8",
    ),
    "curve in percent": (
        edit("churn.csv", "0.04,0,0", "4,0,0"),
        "churn.csv, row 1, rate 4 is outside [0, 1]",
    ),
    "curve with a hole": (edit("churn.csv", "0.08,0.5,", "0.08,,"), "row 3, A an empty cell"),
    "curve disordered": (edit("churn.csv", "0.08,", "0.041,"), "row 3, rate 0.041 after 0.0465"),
    "band whose grade has no churn": (
        edit("scenario.yaml", "B: [11%, 15%]", "B: [11%, 15%], C: [13%, 15%]"),
        "policy.rates.C no churn column for grade C; there are A, B",
    ),
    "band without a rate": (
        edit("scenario.yaml", "A: [4%, 11%]", "A: [4.1%, 4.2%]"),
        "policy.rates.A none of the curve's rates lies from 4.1% to 4.2%",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_named_and_nothing_is_written(case: Path, allocator: Allocator, name: str) -> None:
    change, told = CASES[name]
    change(case)
    before = sorted(case.rglob("*"))
    outcome = allocator("solve", "scenario.yaml", "--out", "run")
    assert outcome.status == 2, outcome.err
    assert outcome.out == ""
    assert told in outcome.told
    assert "-> " in outcome.err, "no remedy"
    assert "Traceback" not in outcome.err
    assert sorted(case.rglob("*")) == before


@pytest.mark.parametrize("name", CASES)
def test_check_finds_what_solve_would_refuse(case: Path, allocator: Allocator, name: str) -> None:
    change, _ = CASES[name]
    change(case)
    outcome = allocator("check", "scenario.yaml", "--json")
    assert outcome.status == 2, outcome.err
    error = outcome.json["error"]
    assert error["code"] == "bad_input"
    assert error["faults"]
    for fault in error["faults"]:
        assert set(fault) == {"file", "line", "row", "cell", "field", "problem", "remedy"}
        assert fault["problem"]
        assert fault["remedy"]


def test_check_tells_the_faults_of_all_inputs_at_once(case: Path, allocator: Allocator) -> None:
    many(borrower("F01,A,1.2,0.45,-5,retail"), edit("churn.csv", "0.04,0,0", "4,0,0"))(case)
    faults = allocator("check", "scenario.yaml", "--json").json["error"]["faults"]
    assert [(Path(fault["file"]).name, fault["row"], fault["field"]) for fault in faults] == [
        ("borrowers.csv", 1, "pd"),
        ("borrowers.csv", 1, "max_amount"),
        ("churn.csv", 1, "rate"),
    ]


@pytest.mark.parametrize(
    ("sets", "told"),
    [
        ("policy.budget.amount", "--set"),
        ("policy.budget.amount=", "policy.budget.amount"),
        ("policy.limits[no such].at_most=1%", "no such"),
        ("policy.bugdet.amount=1", "did you mean budget?"),
        ("solver.method=quick", "solver.method"),
    ],
)
def test_a_bad_override_is_named(case: Path, allocator: Allocator, sets: str, told: str) -> None:
    outcome = allocator("solve", "scenario.yaml", "--out", "run", "--set", sets)
    assert outcome.status == 2
    assert told in outcome.told
    assert not (case / "run").exists()


@pytest.mark.parametrize("out", ["borrowers", "borrowers.csv/run", "full", "x" * 300, "/proc/run"])
def test_a_bad_output_folder_is_refused_before_solving(
    case: Path, allocator: Allocator, monkeypatch: pytest.MonkeyPatch, out: str
) -> None:
    (case / "borrowers").write_text("a file")
    (case / "full").mkdir()
    (case / "full" / "letter.txt").write_text("not a run")
    monkeypatch.setattr("allocator.pipeline.allocate", lambda *_: pytest.fail("solved before it looked"))
    outcome = allocator("solve", "scenario.yaml", "--out", out, "--force")
    assert outcome.status == 2
    assert outcome.told.startswith("error: output: 1 fault")
    assert "-> name a folder that" in outcome.told
    assert (case / "full" / "letter.txt").read_text() == "not a run"
