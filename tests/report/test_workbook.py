"""The workbook of a run: its figures are the run's, and a spreadsheet computes them again from its data."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import pandas as pd
import pytest

from allocator.cli.main import main
from allocator.records.workbook import column_letters
from allocator.report.workbook import book
from tests.cases import BORROWERS, CHURN, RICH
from tests.report.office import Sheets, converted, formulas, read, without_values

LIMITS = """\
    - name: large or risky
      measure: offered
      where: {sector: [retail, "=1+1"], pd: {above: 0.4%}}
      at_most: 2_000_000
    - {name: average PD, measure: drawn, weight: pd, at_most: 5%, of: drawn}
    - {name: weighted, measure: loans, weight: score, at_most: 60, }
    - {name: expected interest, measure: interest, at_least: 1_000}
    - {name: risk by score, measure: expected_loss, weight: score, each: region, at_most: 90_000_000}
"""
NASTY = {"F02": "=1+1", "F04": "<r>x</r>", "F05": "007", "F13": "-2+3", "F14": "@SUM(A1)"}
"""Borrower -> the name that it has here."""


@dataclass(frozen=True)
class Made:
    folder: Path
    path: Path
    sheets: Sheets
    summary: dict[str, object]

    def column(self, sheet: str, heading: str) -> list[object]:
        """The cells under a heading."""
        header, *rows = self.sheets[sheet]
        return [row[header.index(heading)] for row in rows]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Every shape of limit, every cost, exposure, a pinned offer, and names that look like formulas."""
    folder = tmp_path_factory.mktemp("rich")
    text = BORROWERS.replace("steel", "=1+1").replace("sector,", "sector,region,score,", 1)
    for name, other in NASTY.items():
        text = text.replace(f"{name},", f"{other},")
    head, *rows = text.splitlines()
    places = ("north", "<r>", "@home")
    lines = []
    for at, row in enumerate(rows):
        cells = row.split(",")
        named = ["=HYPERLINK(1)" if at % 2 else "Ann", "7" if at % 3 else "8.5"]
        lines.append(",".join([*cells[:5], places[at % 3], str(1 + at % 4), *cells[5:], *named]))
    (folder / "borrowers.csv").write_text("\n".join([f"{head},officer,branch", *lines]) + "\n")
    (folder / "churn.csv").write_text(CHURN)
    (folder / "scenario.yaml").write_text(RICH.replace("solver:", LIMITS + "solver:"))
    path = folder / "run.xlsx"
    assert (
        main(["solve", str(folder / "scenario.yaml"), "--out", str(folder / "run"), "--xlsx", str(path)]) == 0
    )
    return Made(folder, path, read(path), json.loads((folder / "run" / "summary.json").read_text()))


def test_its_figures_are_those_of_the_run(made: Made) -> None:
    certificate = json.loads((made.folder / "run" / "certificate.json").read_text())
    figures = {str(row[0]): row[1] for row in made.sheets["Summary"] if row[0]}
    assert figures["Value of the allocation"] == certificate["value"]
    assert figures["No allocation is worth more than"] == certificate["bound"]
    limits = made.summary["limits"]
    assert isinstance(limits, list)
    assert made.column("Limits", "Limit") == [one["name"] for one in limits]
    for heading, key in (("Used", "used"), ("Bound", "bound"), ("Slack", "slack"), ("Shadow price", "price")):
        assert made.column("Limits", heading) == [one[key] for one in limits]
    assert math.fsum(map(float, map(str, made.column("Loans", "Value")))) == pytest.approx(
        float(str(certificate["value"])) - float(str(made.summary["idle_income"])), abs=0.005
    )


def test_it_has_the_sheets_that_are_promised(made: Made) -> None:
    assert [*made.sheets] == [
        *("Summary", "Loans", "Declined", "Limits", "Grade", "Region", "Sector"),
        *("Alternatives", "Swaps", "Stress", "Years", "Budget", "Levers", "Proof"),
    ]
    assert formulas(made.path) > 500


def test_nothing_that_was_handed_over_is_a_formula(made: Made) -> None:
    names = [row[0] for sheet in ("Loans", "Declined") for row in made.sheets[sheet][1:]]
    assert {*NASTY.values()} <= {*names}
    assert "=1+1" in made.column("Sector", "sector")
    assert "@home" in made.column("Region", "region")
    assert len(names) == len(BORROWERS.splitlines()) - 1


@dataclass(frozen=True)
class Opened:
    """The workbook as a spreadsheet program saved it again."""

    as_it_is: Sheets
    recalculated: Sheets
    """From data and formulas alone."""


@pytest.fixture(scope="module")
def opened(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Opened:
    folder = tmp_path_factory.mktemp("opened")
    bare = without_values(made.path, folder / "bare.xlsx")
    as_it_is, again = converted([made.path, bare], folder)
    return Opened(read(as_it_is), read(again))


def test_a_spreadsheet_opens_it_without_repair(made: Made, opened: Opened) -> None:
    assert differences(made.sheets, opened.as_it_is) == []


def test_a_spreadsheet_computes_the_same_from_data_and_formulas(made: Made, opened: Opened) -> None:
    """Value, bound, every limit's use and bound above all, to the cent; and every other cell."""
    assert differences(made.sheets, opened.recalculated) == []
    figures = {str(row[0]): row[1] for row in opened.recalculated["Summary"] if row[0]}
    certificate = json.loads((made.folder / "run" / "certificate.json").read_text())
    assert _cents(figures["Value of the allocation"]) == _cents(certificate["value"])
    assert _cents(figures["No allocation is worth more than"]) == _cents(certificate["bound"])
    header, *rows = opened.recalculated["Limits"]
    limits = made.summary["limits"]
    assert isinstance(limits, list)
    for heading, key in (("Used", "used"), ("Bound", "bound")):
        assert [_cents(row[header.index(heading)]) for row in rows] == [_cents(one[key]) for one in limits]


def test_of_many_borrowers_the_largest_are_listed(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(book, "EVERYBODY", 10)
    monkeypatch.setattr(book, "LARGEST", 3)
    path = tmp_path / "few.xlsx"
    assert main(["report", str(made.folder / "run"), "--quick", "--xlsx", str(path)]) == 0
    sheets = read(path)
    assert [len(sheets[name]) for name in ("Loans", "Declined")] == [4, 4]
    assert any("3 largest of" in str(row[0]) for row in sheets["Summary"] if row)
    figures = {str(row[0]): row[1] for row in sheets["Summary"] if row[0]}
    assert figures["Offered"] == made.summary["offered"]


def test_every_decision_stands_beside_what_is_asked_about_the_borrower(made: Made, tmp_path: Path) -> None:
    run, path = made.folder / "run", tmp_path / "all.csv"
    assert main(["report", str(run), "--table", str(path), "--columns", "min_rate,score,borrower"]) == 2
    assert main(["report", str(run), "--table", str(path), "--columns", "score"]) == 0
    joined = pd.read_csv(path, dtype={"borrower_id": str})
    told = pd.read_csv(run / "allocation.csv", dtype={"borrower_id": str})
    assert joined["borrower_id"].tolist() == told["borrower_id"].tolist()
    for name in told.columns:
        assert joined[name].fillna("").tolist() == told[name].fillna("").tolist()
    further = {"pd", "lgd", "max_amount", "sector", "region", "score", "exposure", "drawn"}
    assert further <= set(joined.columns)
    assert joined.loc[0, ["pd", "lgd", "max_amount", "sector"]].tolist() == [0.005, 0.45, 500_000, "retail"]


def test_columns_that_are_named_stand_on_the_sheets(made: Made, tmp_path: Path) -> None:
    path, run = tmp_path / "more.xlsx", str(made.folder / "run")
    assert main(["report", run, "--quick", "--xlsx", str(path), "--columns", "officer,branch"]) == 0
    header, *rows = read(path)["Loans"]
    officers = {row[header.index("officer")] for row in rows}
    branches = {row[header.index("branch")] for row in rows}
    assert officers <= {"=HYPERLINK(1)", "Ann"}
    assert branches <= {7.0, 8.5}
    assert "Branch" not in read(path)


def test_a_workbook_is_of_one_run(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    run = str(made.folder / "run")
    assert main(["report", run, run, "--xlsx", "both.xlsx"]) == 2
    assert "a workbook is of one run" in capsys.readouterr().err
    assert main(["report", run, "--xlsx", "run.csv"]) == 2
    assert "let it end in .xlsx" in capsys.readouterr().err


def test_the_same_run_makes_the_same_bytes(made: Made, tmp_path: Path) -> None:
    paths = [tmp_path / "a.xlsx", tmp_path / "b.xlsx"]
    for path in paths:
        assert main(["report", str(made.folder / "run"), "--quick", "--xlsx", str(path)]) == 0
    assert paths[0].read_bytes() == paths[1].read_bytes()


def differences(left: Sheets, right: Sheets) -> list[str]:
    """The cells that differ, figures by a cent or more than their last digits; empty ones may be left out."""
    assert [*left] == [*right]
    return [
        f"{sheet}!{column_letters(column)}{row}: {one!r}, {other!r}"
        for sheet in left
        for row, (ours, theirs) in enumerate(zip_longest(left[sheet], right[sheet], fillvalue=[]), start=1)
        for column, (one, other) in enumerate(zip_longest(ours, theirs, fillvalue=""), start=1)
        if one != other and not _same(one, other)
    ]


def _cents(figure: object) -> int:
    return round(100 * float(str(figure)))


def _same(one: object, other: object) -> bool:
    numbers = isinstance(one, int | float) and isinstance(other, int | float)
    return numbers and abs(float(str(one)) - float(str(other))) <= max(1e-9 * abs(float(str(one))), 1e-5)
