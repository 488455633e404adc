"""Small inputs that a command once read wrongly, silently or unhelpfully: what it now says of them."""

from __future__ import annotations

import hashlib
import re
import shutil
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allocator import checker
from allocator.cli.main import main
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.stages import solve

CASES = Path(__file__).parent / "cases"
GRADES = Path(__file__).parents[2] / "models" / "grades" / "cumcm-2020-v1.json"
Command = Callable[..., tuple[int, str]]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run the command in a copy of a case; its exit code and all that it said, with single blanks."""

    def run(case: str, *arguments: str) -> tuple[int, str]:
        folder = tmp_path / case
        if not folder.exists():
            shutil.copytree(CASES / case, folder)
        monkeypatch.chdir(folder)
        capsys.readouterr()
        status = main(list(arguments))
        return status, re.sub(r"\s+", " ", "".join(capsys.readouterr()))

    return run


REFUSED = [
    ("excel-total-row", "scenario.yaml", ("requests.xlsx, Portfolio!A43 a total, not a row of the table",)),
    (
        "xlsx-formula-not-calculated",
        "s.yaml",
        (
            "2 faults",
            'Loans!D3, max_amount "=200000*2" was never calculated',
            'Loans!D4, max_amount "=500000/2"',
        ),
    ),
    ("xlsx-x-prefix-error", "s.yaml", ('borrowers.xlsx, Loans!D3, max_amount "#N/A" is not a number',)),
    ("xlsx-hostile", "far.yaml", ("a range that ends at XFD1048576", "delete what stands far away")),
    ("xlsx-hostile", "xxe.yaml", ("its part xl/workbook.xml declares entities",)),
    (
        "csv-400-comma-000",
        "s.yaml",
        ("2 faults", 'row 1, max_amount "400,000" has a thousands separator', "write 400000, or thousands:"),
    ),
    ("csv-title-and-footer", "s.yaml", ("borrowers.csv, line 1 a title", "skip: 1}")),
    ("csv-title-and-footer", "skipped.yaml", ("row 4 a total", "row 5 a total", "policy code 2: 0")),
]


@pytest.mark.parametrize("name", ["check", "solve"])
@pytest.mark.parametrize(("case", "scenario", "told"), REFUSED, ids=lambda value: str(value)[:40])
def test_a_table_is_refused_with_place_and_remedy(
    command: Command, name: str, case: str, scenario: str, told: tuple[str, ...]
) -> None:
    status, said = command(case, name, scenario)
    assert status == 2
    for words in told:
        assert words in said
    assert "->" in said


READ = [
    ("xlsx-part-names", "s.yaml", 950_000),
    ("xlsx-hidden-first-sheet", "s.yaml", 950_000),
    ("sql-colon-literal", "s.yaml", 950_000),
    ("parquet-hive", "s.yaml", 1_000_000),
    ("parquet-parts-order", "s.yaml", 950_000),
    ("csv-sep-line", "s.yaml", 1_000_000),
]


@pytest.mark.parametrize(("case", "scenario", "offered"), READ)
def test_a_table_is_read(command: Command, case: str, scenario: str, offered: int) -> None:
    status, said = command(case, "solve", scenario, "--out", "run")
    assert status == 0, said
    assert f" {offered:,}.00 CNY offered" in said
    assert checker.check("run") == []


def test_a_table_of_a_database_is_never_dropped(command: Command, tmp_path: Path) -> None:
    for name in ("check", "solve"):
        status, said = command("sql-drop", name, "scenario.yaml")
        assert (status, "begins with DROP, not with SELECT or WITH" in said) == (2, True)
    kept, now = (hashlib.sha256((at / "sql-drop/t.db").read_bytes()).digest() for at in (CASES, tmp_path))
    assert now == kept
    assert not list((tmp_path / "sql-drop").glob("t.db-*"))


def test_a_database_is_the_one_beside_its_scenario(command: Command, tmp_path: Path) -> None:
    away = "../sql-relative/s.yaml"
    command("sql-relative", "check", "s.yaml")
    (tmp_path / "sql-drop").mkdir()
    (tmp_path / "sql-drop" / "loans.db").write_bytes(b"another file")
    names = "{borrower_id: BORROWER_ID, grade: GRADE, pd: PD, max_amount: MAX_AMOUNT}"
    status, said = command("sql-drop", "solve", away, "--set", f"portfolio.columns={names}", "--out", "run")
    assert status == 0, said
    assert "of 60 borrowers funded" in said


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ("each-20pct-of-4", "only a book without any loan keeps limit 'div': its 4 shares add up to 80 %"),
        (
            "each-at-least-30pct",
            "only a book without any loan keeps limit 'div': its 4 shares add up to 120 %",
        ),
        ("csv-blank-in-grade", "by blanks"),
    ],
)
def test_what_hardly_is_meant_is_noted(command: Command, case: str, told: str) -> None:
    for arguments in (("check", "s.yaml"), ("solve", "s.yaml", "--out", "run")):
        status, said = command(case, *arguments)
        assert status == 0
        assert told in said


@pytest.mark.parametrize("case", ["each-20pct-of-4", "each-at-least-30pct"])
def test_a_book_that_can_lend_nothing_is_proved_to(command: Command, case: str) -> None:
    status, said = command(case, "solve", "s.yaml", "--out", "run")
    assert status == 0
    assert "optimal, bound proved by prices" in said
    assert "objective 0.00 CNY, bound 0.00, gap 0 " in said
    status, said = command(case, "verify", "run", "--exact")
    assert status == 0, said
    assert checker.check("run") == []


@pytest.mark.parametrize("case", ["ban-a-sector", "yaml-leading-zero-where"])
def test_whoever_is_banned_is_told_the_ban(command: Command, case: str) -> None:
    status, said = command(case, "solve", "s.yaml", "--out", "run")
    assert status == 0
    assert "lost within the gap" not in said
    book = pd.read_csv("run/allocation.csv", dtype=str)
    limit, banned = {
        "ban-a-sector": ("no arms", 20),
        "yaml-leading-zero-where": ("z", 1),
    }[case]
    refused = book[book["reason"].notna()]
    assert set(refused["reason"]) == {f"crowded out by limit {limit}"}
    assert len(refused) == banned
    for name in refused["borrower_id"][:3]:
        status, said = command(case, "explain", "run", name)
        assert status == 0
        assert limit in said
        assert "e-1" not in said


def test_a_blank_moves_no_other_row(command: Command) -> None:
    case = "blank-changes-other-rows"
    for variables in ("v", "v2"):
        fitted = command(case, "fit", "logit", "train.csv", "--variables", f"{variables}.json",
                         "--outcome", "bad", "--out", variables)  # fmt: skip
        assert fitted[0] == 0
        found = []
        for table in ("new", "new_blank"):
            out = f"{variables}-{table}.csv"
            scored = command(
                case, "score", f"{table}.csv", "--scorecard", f"{variables}/logit-v1.json", "--out", out
            )
            assert scored[0] == 0
            found.append(pd.read_csv(out)["pd"])
        assert found[0].tolist() == found[1][:3].tolist()
        assert "imputed by" in scored[1]


FITS = [
    ("score-unseen-category", 0, ("job=Mgr: none of its 131 rows defaulted", "job=Self: all of its 39 rows")),
    ("logit-perfect-separation", 0, ("warning: s: it tells every default from the rest",)),
    ("fit-collinear", 2, ("d.csv, x3 is a combination of x1", "leave one of them out")),
    ("fit-sentinel-999", 0, ("warning: x1: -999999 in 121 rows", 'declare "special": [-999999]')),
]


@pytest.mark.parametrize(("case", "expected", "told"), FITS)
def test_a_fit_names_the_variable_that_no_fit_should_take(
    command: Command, case: str, expected: int, told: tuple[str, ...]
) -> None:
    status, said = command(
        case, "fit", "logit", "d.csv", "--variables", "v.json", "--outcome", "y", "--out", "m"
    )
    assert status == expected
    for words in told:
        assert words in said


def test_levels_that_a_fit_never_saw_are_named(command: Command) -> None:
    case = "score-unseen-category"
    command(case, "fit", "logit", "d.csv", "--variables", "v.json", "--outcome", "y", "--out", "m")
    status, said = command(case, "score", "n.csv", "--scorecard", "m/logit-v1.json")
    assert status == 0
    for level, row in {"office": 2, "Self ": 3, "NewJob": 4, "NA": 6}.items():
        assert f"job '{level}' was not seen at fit: row {row} counted as 'Office'" in said
    assert "empty cells of job: 1" in said


def test_invoices_in_gbk_are_told_as_no_utf_8(command: Command) -> None:
    status, said = command("invoices-gbk", "score", "--purchases", "pur.csv", "--sales", "sales.csv",
                           "--scorecard", str(GRADES))  # fmt: skip
    assert status == 2
    for name in ("pur", "sales"):
        assert f"{name}.csv, line 1 not UTF-8 -> save the file in UTF-8 " in said
    assert "encoding" not in said


def test_control_characters_are_shown_as_escapes(command: Command) -> None:
    for arguments in (("solve", "scenario.yaml", "--out", "run"), ("explain", "run", "--by", "sector")):
        status, said = command("terminal-escape", *arguments)
        assert status == 0
        assert "\\x1b[31mred\\x1b[0m" in said
        assert not set("\x1b\x07\x9b") & set(said)


def test_the_better_book_of_dependent_shares_stands(command: Command) -> None:
    """Offers made by hand that keep shares of 63, 23 and 14 %, judged as a strategy and rechecked."""
    case = "lends-nothing"
    status, said = command(
        case, "solve", "scenario.yaml", "--set", "strategy={file: better.csv}", "--out", "run"
    )
    assert status == 0, said
    assert "objective 2,470,546.23 CNY" in said
    status, said = command(case, "verify", "run")
    assert status == 0, said


@pytest.mark.parametrize("case", ["small-weight-1e-09", "vnd-loans-limit", "lends-nothing"])
def test_what_is_solved_is_verified(command: Command, case: str) -> None:
    assert command(case, "solve", "scenario.yaml", "--out", "own")[0] == 0
    status, said = command(case, "verify", "own", "--exact")
    assert status == 0, said
    assert "largest violation 0" in said


def test_a_limit_for_each_of_thousands_of_groups_is_priced_in_modest_memory(tmp_path: Path) -> None:
    """5,000 borrowers in 5,000 groups: borrowers plus values, where their product is 25 million numbers."""
    random = np.random.default_rng(5)
    count = 5_000
    book = portfolio(
        ["A"] * count,
        pd=random.uniform(0.0, 0.1, count),
        max_amount=np.round(random.uniform(20_000.0, 1e6, count)),
        texts={"group": [f"s{i}" for i in range(count)]},
    )
    each = limit("s", "offered", "at_most", 500_000.0, each="group")
    terms = policy(2.5e8, each, rates={"A": (0.05, 0.12)}, ticket=(10_000.0, 1e6))
    case = Case(book, churn_table([0.05, 0.08, 0.12], A=[0.1, 0.4, 0.8]), terms)
    tracemalloc.start()
    solved = solve(case)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert solved.decisions.amount.max() <= 500_000.0
    assert peak < 100e6
