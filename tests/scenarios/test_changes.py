"""Changes from a former run, from the file to the recheck: a folder of a run, and tables of any format."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from allocator import checker
from allocator.cli.main import main
from allocator.errors import InputError
from allocator.scenario import load_scenario
from tests.forgery.runs import CHANGED, FORMER, write_case

LOOSE = [f"policy.limits[{name}].at_most={most}" for name, most in
         (("changes", 9), ("lost", 9), ("money to others", "100%"), ("A moved", 5e6))]  # fmt: skip
SERVED = "borrower_id,amount,rate\nF01,500000,0.05\nF02,400000,0.06\nF04,2e5,0.07\n"


def solved(folder: Path, *more: str) -> dict[str, object]:
    """The summary of a run that holds by every judge, the scenario laid over by `more`."""
    sets = [argument for entry in more for argument in ("--set", entry)]
    assert main(["solve", str(folder / "scenario.yaml"), "--out", str(folder / "run"), "--force", *sets]) == 0
    assert main(["verify", str(folder / "run"), "--exact"]) == 0
    assert checker.main([str(folder / "run")]) == 0
    summary: dict[str, object] = json.loads((folder / "run" / "summary.json").read_text())
    return summary


def test_a_run_is_counted_from_its_own_folder_and_from_tables_of_it(tmp_path: Path) -> None:
    folder = tmp_path / "case"
    write_case(folder, CHANGED)
    first = solved(folder)
    used = {limit["name"]: limit["used"] for limit in first["limits"]}  # type: ignore[attr-defined]
    assert (used["changes"], used["lost"], used["A moved"]) == (3, 1, pytest.approx(223_456.78))

    offers = pd.read_csv(folder / "former.csv")
    offers.to_excel(folder / "former.xlsx", index=False)
    named = offers.rename(columns={"borrower_id": "firm", "amount": "lent", "rate": "at"})
    named.to_parquet(folder / "named.parquet", index=False)
    (folder / "past").mkdir()
    offers.to_csv(folder / "past" / "allocation.csv", index=False)
    columns = "{file: named.parquet, columns: {borrower_id: firm, amount: lent, rate: at}}"
    for text in ("former.xlsx", columns, "past"):
        other = CHANGED.replace("former: former.csv", f"former: {text}")
        (folder / "scenario.yaml").write_text(other)
        again = solved(folder)
        assert again["objective"] == first["objective"]
        assert again["limits"] == first["limits"]


def test_who_may_not_change_does_not(tmp_path: Path) -> None:
    folder = tmp_path / "case"
    write_case(folder, CHANGED)
    (folder / "former.csv").write_text(FORMER.replace("F11,450000,0.09\n", ""))
    summary = solved(folder, "policy.limits[changes].at_most=1")
    limits = {limit["name"]: limit for limit in summary["limits"]}  # type: ignore[attr-defined]
    assert limits["changes"]["used"] == 1  # the pinned offer is new
    rows = pd.read_csv(folder / "run" / "allocation.csv").set_index("borrower_id")
    assert rows.index[rows["amount"] > 0].tolist() == ["F01", "F02", "F04", "F12"]


def test_offers_to_former_clients_change_as_the_policy_allows(tmp_path: Path) -> None:
    """F01 is kept; F02 asks for less than before; no rate is as near to that of F04 as asked for."""
    folder = tmp_path / "case"
    write_case(folder, CHANGED)
    (folder / "former.csv").write_text(SERVED)
    solved(
        folder,
        *LOOSE,
        "policy.changes={rate_moved: {at_most: 0.5%}, amounts: no_cut, keep: {where: {borrower_id: F01}}}",
    )
    rows = pd.read_csv(folder / "run" / "allocation.csv").set_index("borrower_id")
    assert rows.loc["F01", ["amount", "rate"]].tolist() == [500_000.0, 0.05]
    assert rows.loc["F02", "reason"] == "request below the smallest loan"
    assert rows.loc["F04", "reason"] == "no rate within what it may move from the former one"

    more = "policy.changes={rate_moved: {at_most: 1%}, amounts: same}"
    solved(folder, *LOOSE, "policy.budget.amount=4e6", more)
    rows = pd.read_csv(folder / "run" / "allocation.csv").set_index("borrower_id")
    assert rows.loc["F04", ["amount", "rate"]].tolist() in ([200_000.0, 0.06], [200_000.0, 0.08])


@pytest.mark.parametrize(
    ("former", "told"),
    [
        (None, "case/scenario.yaml, line 10, policy.limits[changes].measure: there is no former run that "
         "clients could change from; add `former: FOLDER`, a run's, or a file of its offers"),
        ("nowhere", "case/scenario.yaml, line 5, former: nowhere does not exist"),
        ("empty", "case/scenario.yaml, line 5, former: empty holds no allocation; name the folder of a run, "
         "or a file of offers"),
    ],
)  # fmt: skip
def test_a_former_run_that_is_none_is_told(former: str | None, told: str, tmp_path: Path) -> None:
    folder = tmp_path / "case"
    write_case(folder, CHANGED)
    (folder / "empty").mkdir()
    line = "" if former is None else f"former: {former}\n"
    (folder / "scenario.yaml").write_text(CHANGED.replace("former: former.csv\n", line))
    with pytest.raises(InputError) as caught:
        load_scenario(folder / "scenario.yaml")
    assert str(caught.value.faults[0]).replace(f"{tmp_path}/", "").startswith(told)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("  changes: {amounts: no_rise}\n", "",
         "line 14, policy.limits[turnover].measure: money moved bends at each former amount: amounts must "
         "keep to one side of it; write changes: {amounts: no_cut} (who gets a loan again gets no less), "
         "no_rise or same"),
        ("at_most: 230_000", "at_most: 230_000, weight: pd",
         "line 15, policy.limits[A moved].weight: money moved has no weights; leave weight out, or narrow it "
         "with where"),
        ("{amounts: no_rise}", "{amounts: no_rise, money_moved: {at_most: 5}}",
         "line 18, policy.changes.money_moved: money_moved is a measure of limits; write it under limits, as "
         "{name: turnover, measure: money_moved, at_most: 4_000_000}"),
    ],
)  # fmt: skip
def test_what_money_moved_needs_is_told(before: str, after: str, told: str, tmp_path: Path) -> None:
    folder = tmp_path / "case"
    write_case(folder, CHANGED)
    (folder / "scenario.yaml").write_text(CHANGED.replace(before, after))
    with pytest.raises(InputError) as caught:
        load_scenario(folder / "scenario.yaml")
    assert str(caught.value.faults[0]).replace(f"{tmp_path}/", "").startswith(f"case/scenario.yaml, {told}")
