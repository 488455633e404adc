"""Workbooks of runs with limits of every kind, all shipped ones too: a spreadsheet computes them again."""

from __future__ import annotations

import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from allocator.cli.main import main
from allocator.insight import dossier
from allocator.records.workbook import column_letters
from tests.cases import BORROWERS, CHURN, RICH
from tests.forgery.runs import CONDITIONAL, solved
from tests.report.office import Sheets, converted, read, recalculated, without_values
from tests.report.test_workbook import differences
from tests.scenarios.test_shipped import FILES, INFEASIBLE

LONG = "a name that is rather long, longer than any sheet may be called, and says so at length"
MORE = f"""\
    - {{name: "=SUM(A1)", measure: offered, top: 2, by: sector, at_most: 90%, of: total}}
    - {{name: "+1", measure: drawn, top: 3, at_most: 900_000}}
    - name: "-3 'names' \\"quoted\\""
      measure: expected_loss
      top: 1
      by: sector
      where: {{pd: {{above: 0.4%}}}}
      at_most: 60%
      of: drawn
    - {{name: "@x", measure: hhi, by: sector, at_most: 45%, of: total}}
    - {{name: "{LONG}", measure: hhi, by: borrower_id, at_most: 30%, of: budget}}
    - {{name: soft book, measure: loans, at_least: 15, enforce: {{soft: 10}}}}
    - {{name: soft value, measure: value, at_least: 290_000, under: [severe], enforce: {{soft: 0.01}}}}
    - {{name: weighted value, measure: value, weight: turn, where: {{sector: "@home's"}}, at_most: 700_000}}
    - {{name: by PD, measure: value, weight: pd, under: [severe], each: sector, at_most: 90_000}}
    - {{name: told, measure: offered, where: {{grade: A}}, at_least: 99%, of: total, enforce: report}}
    - {{name: moved, measure: money_moved, at_most: 300%, of: former}}
    - {{name: served, measure: offered, weight: turn, each: sector, at_most: 99900%, of: former}}
    - {{name: changed, measure: clients_changed, at_most: 300%, of: former}}
    - {{name: counted, measure: loans, at_most: 300%, of: former}}
    - {{name: none of it, measure: drawn, where: {{grade: C}}, at_most: 0%, of: total}}
    - {{name: capital, measure: capital, at_most: 900_000}}
    - {{name: tail, measure: tail_loss, at_most: 2.3%, of: drawn}}
"""
TERMS = """\
  changes: {amounts: no_cut}
  capital: {asset_class: retail, cost: 5%}
  tail: {confidence: 95%, correlation: 20%, sectors: {column: sector, between: 5%, nodes: 24}}
"""
STRESS = "stresses: {severe: {pd: {all: 2, where: [{grade: A, factor: 1.5}]}, lgd: {all: 1.3}}}\n"
FORMER = """\
borrower_id,amount,rate
F01,300000,0.05
F02,200000,0.06
F03,0,0
F04,200000,0.07
F11,450000,0.09
F99,100000,0.05
"""
EVERY = (
    RICH.replace("policy:\n", f"former: former.csv\n{STRESS}policy:\n{TERMS}")
    .replace("at_most: 45%", "at_most: 95%")
    .replace("at_least: 8", "at_least: 4")
    .replace("solver:", f"{MORE}solver:")
)
SECTORS = {"retail": '"say ""hi"", =now()"', "food": "=1+1", "steel": "@home's", "NO": f"-2 {'x' * 260}"}
FEW = """\
    - {name: top, measure: offered, top: 10, at_most: 2_000_000}
    - {name: index, measure: hhi, by: sector, at_most: 60%, of: total}
    - {name: worth, measure: value, where: {grade: A}, at_least: 0}
"""
WIDE = RICH.partition("    - {name: A line")[0].replace("drawn", "offered") + FEW
NOBODY = WIDE.replace("{amount: 2_500_000", "{amount: 50_000")
"""A budget that no loan fits."""
ONE = WIDE.replace("at_most: 60%", "at_most: 100%")


def case(folder: Path, scenario: str, borrowers: str) -> Path:
    """The run of a scenario over borrowers whose sectors have names that are no plain words."""
    folder.mkdir()
    for name, other in SECTORS.items():
        borrowers = borrowers.replace(name, other)
    head, *rows = borrowers.splitlines()
    lines = [f"{head},turn", *(f"{row},{7 + place}" for place, row in enumerate(rows))]
    (folder / "borrowers.csv").write_text("\n".join(lines) + "\n")
    (folder / "churn.csv").write_text(CHURN)
    (folder / "former.csv").write_text(FORMER)
    (folder / "scenario.yaml").write_text(scenario)
    assert main(["solve", str(folder / "scenario.yaml"), "--out", str(folder / "run")]) == 0
    return folder / "run"


def book(run: Path, path: Path) -> Path:
    """The run's workbook, with as few answers of other commands as a huge book's has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dossier, "HUGE", 0)
        assert main(["report", str(run), "--quick", "--xlsx", str(path)]) == 0
    return path


def halved(path: Path, out: Path) -> Path:
    """The workbook, no formula's value in it, with half the amount in the first row of its loans."""
    place = read(path)["Loans"][0].index("Amount") + 1
    cell = re.compile(rf'(<c r="{column_letters(place)}2"[^>]*><v>)([^<]+)'.encode())
    bare = without_values(path, out.with_name("whole.xlsx"))
    with zipfile.ZipFile(bare) as held, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as other:
        for name in held.namelist():
            data = held.read(name)
            if name.endswith("sheet2.xml"):
                data, found = cell.subn(lambda hit: hit[1] + repr(float(hit[2]) / 2).encode(), data)
                assert found == 1
            other.writestr(name, data)
    return out


@dataclass(frozen=True)
class Opened:
    runs: dict[str, Path]
    made: dict[str, Sheets]
    again: dict[str, Sheets]
    """As LibreOffice computes them from data and formulas alone."""


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    """Every book, recalculated by one start of LibreOffice."""
    folder = tmp_path_factory.mktemp("every-limit")
    unpinned = BORROWERS.replace("123456.78,0.0725", ",")
    first = "\n".join(unpinned.splitlines()[:2])
    runs = {
        "every": case(folder / "every", EVERY, BORROWERS),
        "nobody": case(folder / "nobody", NOBODY, unpinned),
        "one": case(folder / "one", ONE, first),
        "conditional": solved(folder / "conditional", CONDITIONAL),
    }
    paths = {name: book(run, folder / f"{name}.xlsx") for name, run in runs.items()}
    (folder / "bare").mkdir()
    bare = [without_values(path, folder / "bare" / path.name) for path in paths.values()]
    bare.append(halved(paths["every"], folder / "bare" / "halved.xlsx"))
    again = {path.stem: read(path) for path in converted(bare, folder)}
    return Opened(runs, {name: read(path) for name, path in paths.items()}, again)


@pytest.mark.parametrize("name", ["every", "nobody", "one", "conditional"])
def test_a_spreadsheet_computes_limits_of_every_kind_again(opened: Opened, name: str) -> None:
    assert differences(opened.made[name], opened.again[name]) == []
    reads_as_certified(opened.again[name], opened.runs[name])


def reads_as_certified(sheets: Sheets, run: Path) -> None:
    """Value, the certified bound, use and bound of every limit are those of the certificate, to the cent."""
    certificate: dict[str, Any] = json.loads((run / "certificate.json").read_text())
    figures = {str(row[0]): row[1] for row in sheets["Summary"] if row[0]}
    assert figures["Value of the allocation"] == pytest.approx(certificate["value"], abs=0.005)
    assert figures["No allocation is worth more than"] == pytest.approx(certificate["bound"], abs=0.005)
    assert figures["Limits that are broken"] == 0
    header, *rows = sheets["Limits"]
    for heading, key in (("Used", "used"), ("Bound", "bound")):
        found = [row[header.index(heading)] for row in rows]
        assert found == pytest.approx([one[key] for one in certificate["limits"]], abs=0.005)


def test_what_an_amount_uses_follows_it(opened: Opened) -> None:
    sheets = opened.again["halved"]
    loans, declined, groups = (rows_of(sheets[name]) for name in ("Loans", "Declined", "Groups"))
    limits = {row["Limit"]: row for row in rows_of(sheets["Limits"])}
    drawn = sorted((row["Drawn"] + (row.get("Already lent") or 0) for row in loans), reverse=True)
    assert limits["+1"]["Used"] == pytest.approx(sum(drawn[:3]))
    everybody = [(row["Amount"], row["former_amount"]) for row in loans]
    everybody += [(0.0, row["former_amount"]) for row in declined]
    assert limits["moved"]["Used"] == pytest.approx(sum(abs(now - then) for now, then in everybody))
    lent: dict[str, float] = {}
    for row in (*loans, *declined):
        own = row.get("Amount", 0.0) + (row.get("Already lent") or 0)
        lent[row["sector"]] = lent.get(row["sector"], 0.0) + own
    whole = sum(lent.values())
    assert limits["@x"]["Used"] == pytest.approx(sum(own**2 for own in lent.values()) / whole**2)
    assert {row["Group"]: row["Used"] for row in groups if row["Limit"] == "@x"} == pytest.approx(
        {name: own for name, own in lent.items() if own}
    )


def rows_of(sheet: list[list[object]]) -> list[dict[str, Any]]:
    """The rows of a sheet by heading."""
    return [dict(zip(map(str, sheet[0]), row, strict=False)) for row in sheet[1:]]


def test_what_no_single_row_says_is_said_in_words(opened: Opened) -> None:
    words = [str(row[0]) for row in opened.made["every"]["Summary"] if row]
    assert any(line.startswith("tail is the mean loss of the worst years") for line in words)
    held = {row["Limit"]: row["Holds"] for row in rows_of(opened.made["every"]["Limits"])}
    assert (held["soft book"], held["told"], held["moved"]) == ("missed", "missed", "yes")
    held = {row["Limit"]: row["Holds"] for row in rows_of(opened.made["conditional"]["Limits"])}
    assert "not in force" in held.values()
    assert {row[0] for row in opened.made["one"]["Groups"][1:]} == {"top", "index"}
    assert {row["Group"] for row in rows_of(opened.made["every"]["Groups"])} >= {'say "hi", =now()', "=1+1"}


@pytest.mark.parametrize(
    "file",
    [
        path if path.stem == "sme-302-steady" else pytest.param(path, marks=pytest.mark.full)
        for path in (*FILES, *sorted((FILES[0].parent / "textbooks").glob("*.yaml")))
        if path.stem != INFEASIBLE
    ],
    ids=lambda path: path.stem,
)
def test_every_shipped_scenario_has_its_workbook(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    if file.stem.startswith("contest-"):
        monkeypatch.setenv("ALLOCATOR_DATA", str(request.getfixturevalue("data").resolve()))
    assert main(["solve", str(file), "--out", str(tmp_path / "run")]) == 0
    path = book(tmp_path / "run", tmp_path / "run.xlsx")
    again = recalculated(path, tmp_path)
    assert differences(read(path), again) == []
    reads_as_certified(again, tmp_path / "run")
