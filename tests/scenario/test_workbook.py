"""A scenario as a workbook: the same scenario as the file with the same content; faults name their cells."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from allocator.cli.main import main
from allocator.errors import InputError
from allocator.records.workbook import Table
from allocator.scenario import load_scenario
from allocator.scenario.form import form
from tests.cases import BORROWERS, CHURN, write_rich
from tests.report.office import saved
from tests.scenario.forms import Rows, typed, write_form

KEYS = [
    ["A scenario of treasury's"], [], ["Key", "Value", "Meaning"],
    ["name", "rich"], ["Portfolio"], ["portfolio.defaults.lgd", 0.45], ["portfolio.source", ""],
    ["response.smoothing", "isotonic"], ["policy.budget.amount", 2_500_000],
    ["policy.budget.spend", "at_most"],
    ["policy.budget.basis", "drawn", "what uses it"], ["policy.ticket.min", 100_000],
    ["policy.ticket.max", 600_000], ["policy.ticket.step", ""], ["policy.term_years", 2],
    ["policy.funding_rate", 0.02], ["policy.churn_cost_rate", "0.1%"], ["policy.decline_churn", 0.2],
    ["policy.idle_rate", "1%"], ["policy.processing_cost", 150], ["policy.rate_grid", "{step: 0.5%}"],
    ["solver.time_limit", 20],
]  # fmt: skip
RATES = [["Grade", "From", "To"], ["A", 0.04, 0.11], ["B", "6%", "15%"]]
LIMITS = [
    ["Limit", "measure", "where", "for each", "at most", "at least", "of"],
    ["A line", "offered", "grade: A", "", 0.45, "", "total"],
    ["sectors", "drawn", "", "sector", "40%", "", "budget"],
    ["loss rate", "expected_loss", "", "", 0.011, "", "drawn"],
    [],
    ["average rate", "gross_interest", "", "", "", "12%", "drawn"],
    ["book", "loans", "", "", "", 8, ""],
]
SHEETS: dict[str, Rows] = {
    "Scenario": KEYS, "Rates": RATES, "Limits": LIMITS,
    "Borrowers": typed(BORROWERS, ("borrower_id", "grade", "sector")), "Churn": typed(CHURN, ()),
}  # fmt: skip


def test_a_filled_form_gives_what_the_files_give_to_the_cent(tmp_path: Path) -> None:
    filled = write_form(tmp_path / "rich.xlsx", SHEETS)
    for path, out in ((write_rich(tmp_path), "file"), (filled, "form")):
        assert main(["solve", str(path), "--out", str(tmp_path / out)]) == 0
    file, form_ = tmp_path / "file", tmp_path / "form"
    assert (file / "allocation.csv").read_bytes() == (form_ / "allocation.csv").read_bytes()
    told = [json.loads((folder / "certificate.json").read_text()) for folder in (file, form_)]
    assert [one["value"] for one in told] == [told[0]["value"]] * 2
    assert [one["bound"] for one in told] == [told[0]["bound"]] * 2
    assert told[0]["prices"] == told[1]["prices"]
    assert main(["verify", str(form_)]) == 0


def test_the_form_that_init_writes_can_be_solved_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    assert main(["init", "--xlsx", str(path)]) == 0
    assert main(["check", str(path)]) == 0
    scenario = load_scenario(path)
    keys = form().sheets[0].parts[0]
    assert isinstance(keys, Table)
    assert all(keys.columns[3].values)
    assert scenario.policy.budget.amount == 1_000_000
    assert [limit.name for limit in scenario.policy.limits] == ["C line", "sectors", "loss rate", "book size"]
    assert (
        main(["solve", str(path), "--out", str(tmp_path / "run"), "--xlsx", str(tmp_path / "run.xlsx")]) == 0
    )


@pytest.mark.full
def test_a_form_that_a_spreadsheet_has_saved_is_the_same_scenario(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    assert main(["init", "--xlsx", str(path)]) == 0
    again = tmp_path / "again" / "book.xlsx"
    again.parent.mkdir()
    shutil.copy(saved(path, tmp_path), again)
    for book, out in ((path, "one"), (again, "two")):
        assert main(["solve", str(book), "--out", str(tmp_path / out)]) == 0
    one, two = ((tmp_path / out / "allocation.csv").read_bytes() for out in ("one", "two"))
    assert one == two


def test_init_wants_a_folder_or_a_workbook(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init"]) == 2
    assert main(["init", str(tmp_path / "new"), "--xlsx", str(tmp_path / "a.xlsx")]) == 2
    assert "name a folder, or --xlsx FILE, and not both" in capsys.readouterr().err
    assert main(["init", "--xlsx", str(tmp_path / "a.csv")]) == 2


def test_sets_and_heirs_lie_over_a_workbook(tmp_path: Path) -> None:
    path = write_form(tmp_path / "rich.xlsx", SHEETS)
    (tmp_path / "other.csv").write_text(CHURN)
    over = load_scenario(path, ["policy.limits[book].at_least=3", f"response.churn={tmp_path / 'other.csv'}"])
    assert [limit.bound for limit in over.policy.limits][-1] == 3
    assert over.frames == {}
    (tmp_path / "heir.yaml").write_text("extends: rich.xlsx\npolicy: {budget: {amount: 7}}\n")
    heir = load_scenario(tmp_path / "heir.yaml")
    assert (heir.name, heir.policy.budget.amount, len(heir.policy.limits)) == ("heir", 7.0, 5)
    assert heir.portfolio.sheet == "Borrowers"


def changed(sheet: str, row: int, column: int, value: object) -> dict[str, Rows]:
    """The sheets with another value in one cell, counted from 1."""
    rows = [list(cells) for cells in SHEETS[sheet]]
    cells = rows[row - 1]
    cells += [""] * (column - len(cells))
    cells[column - 1] = value
    return {**SHEETS, sheet: rows}


FAULTY: list[tuple[dict[str, Rows], str]] = [
    (changed("Scenario", 9, 2, "much"), "Scenario!B9, policy.budget.amount: 'much' is not an amount"),
    (changed("Scenario", 9, 2, ""), "Scenario!B9, policy.budget.amount: "),
    (changed("Scenario", 9, 2, "2,500,000"), "Scenario!B9, policy.budget.amount: "),
    (changed("Scenario", 10, 2, "at_mst"), "Scenario!B10, policy.budget.spend: "),
    (changed("Scenario", 12, 1, "policy.ticket.mni"), "Scenario!B12, policy.ticket.mni: unknown key 'mni'"),
    (changed("Scenario", 12, 1, "policy..min"), "Scenario!A12: a part of the key is empty"),
    (changed("Scenario", 12, 1, "policy.ticket.max"), "Scenario!B13: key 'policy.ticket.max' is written"),
    (changed("Scenario", 12, 1, ""), "Scenario!B12: a value without a key"),
    (changed("Scenario", 13, 2, 50_000), "Scenario!B13, policy.ticket.max: "),
    (changed("Scenario", 17, 2, 1.5), "Scenario!B17, policy.churn_cost_rate: "),
    (changed("Scenario", 21, 2, "{step: 0.5%"), "Scenario!B21: no valid YAML"),
    (changed("Scenario", 4, 2, "a/b"), "Scenario!B4, name: 'a/b' cannot name a folder"),
    (changed("Scenario", 3, 1, "Name of it"), "Scenario!A1: no row of the sheet is headed key"),
    (changed("Scenario", 3, 2, "Amount"), "Scenario!A3: no column is headed value"),
    ({**SHEETS, "Scenario": []}, "a workbook without a filled sheet Scenario"),
    (changed("Rates", 2, 3, 0.02), "Rates!A2, policy.rates.A: the lowest rate 4% is above"),
    (changed("Rates", 3, 1, "A"), "Rates!A3: grade 'A' has two bands"),
    (changed("Rates", 3, 1, ""), "Rates!A3: a band without a grade"),
    (changed("Rates", 3, 2, "six"), "Rates!B3, policy.rates.B[#1]: 'six' is not a percentage"),
    (changed("Limits", 2, 2, "offerd"), "Limits!B2, policy.limits[A line].measure: "),
    (changed("Limits", 2, 1, ""), "Limits!A2: a limit without a name"),
    (changed("Limits", 3, 1, "A line"), "Limits!A3: two limits are named 'A line'"),
    (changed("Limits", 2, 6, 0.1), "Limits!A2, policy.limits[A line]: expected one of at_most,"),
    (changed("Limits", 2, 3, "grade: [A"), "Limits!C2: no valid YAML"),
    (changed("Limits", 1, 7, "off"), "Limits!G2, policy.limits[A line].off: unknown key 'off'"),
    (changed("Borrowers", 4, 3, "low"), 'Borrowers!C4, pd: "low" is not a number'),
    (changed("Borrowers", 4, 3, 1.5), "Borrowers!C4, pd: "),
    (changed("Borrowers", 4, 1, "F01"), "Borrowers!A4, borrower_id: "),
    (changed("Borrowers", 3, 4, -5), "Borrowers!D3, max_amount: "),
    (changed("Borrowers", 1, 3, "PDs"), "pd: "),
    (changed("Churn", 3, 1, 0.01), "Churn!A3, rate: "),
    (changed("Churn", 3, 2, 1.2), "Churn!B3, A: "),
    (changed("Churn", 3, 2, "a fifth"), "Churn!B3, A: "),
]  # fmt: skip


@pytest.mark.parametrize(("sheets", "told"), FAULTY)
def test_a_fault_names_sheet_and_cell(
    sheets: dict[str, Rows], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_form(tmp_path / "rich.xlsx", sheets)
    assert main(["check", str(path), "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    lines = [
        f"{fault['cell'] or ''}{', ' if fault['cell'] and fault['field'] else ''}{fault['field'] or ''}: "
        f"{fault['problem']}".removeprefix(": ")
        for fault in error["faults"]
    ]
    assert any(line.startswith(told) for line in lines), lines
    assert all(Path(str(fault["file"])).name == "rich.xlsx" for fault in error["faults"])
    assert all(fault["remedy"] for fault in error["faults"])


def test_all_faults_of_a_workbook_are_told_at_once(tmp_path: Path) -> None:
    sheets = {**changed("Rates", 3, 2, "six"), "Limits": changed("Limits", 2, 2, "offerd")["Limits"]}
    with pytest.raises(InputError) as caught:
        load_scenario(write_form(tmp_path / "rich.xlsx", sheets))
    assert {fault.cell for fault in caught.value.faults} == {"Rates!B3", "Limits!B2"}


def test_what_is_no_workbook_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "rich.xlsx"
    with pytest.raises(InputError, match="no such file"):
        load_scenario(path)
    path.write_bytes(b"not one")
    with pytest.raises(InputError, match="not a whole Excel workbook"):
        load_scenario(path)
