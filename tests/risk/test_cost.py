"""A cost of capital from end to end: every allocation tried, both methods, the same book with dearer funding,
runs rechecked, runs forged."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from allocator import checker
from allocator.cli.main import main
from allocator.errors import InputError
from allocator.limits.measures import with_requirements
from allocator.records.columns import VALUE
from allocator.records.risk import CapitalRule
from allocator.risk.capital import capital_of
from allocator.testing.books import MEASURES, random_case
from tests.builders import Case, policy, portfolio
from tests.cases import RICH
from tests.engine.brute_force import best_value, solved_to
from tests.engine.test_methods import check_verdicts, judge
from tests.forgery.alterations import cell, moving
from tests.forgery.runs import Files, decide, funded, solved
from tests.stages import solve
from tests.strategies import cases, random_cases

RULES = (
    CapitalRule(cost=0.12),
    CapitalRule(asset_class="retail", supporting_factor=True, cost=1.0),
    CapitalRule(approach="standardised", cost=0.5),
    CapitalRule(cost=0.0),
)


@st.composite
def cases_with_cost(draw: DrawFn) -> Case:
    return draw(cases(limits=1)).under(capital=draw(st.sampled_from(RULES)))


@random_cases(15, full=500)
@given(cases_with_cost())
def test_the_optimum_and_the_verdict_of_brute_force(case: Case) -> None:
    solved_to(case, best_value(case))


def check_agreement(seed: int, largest: int) -> None:
    rule = RULES[seed % 3]
    measures = (*MEASURES, VALUE) if seed % 2 else (VALUE,)
    books = (random_case(seed, method, largest, measures) for method in ("exact", "reduced"))
    check_verdicts(*(judge(book.under(capital=rule)) for book in books))


@pytest.mark.parametrize("seed", range(5))
def test_reduced_and_exact_agree(seed: int) -> None:
    check_agreement(seed, 150)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(200))
def test_reduced_and_exact_agree_everywhere(seed: int) -> None:
    check_agreement(seed, 2_000)


@pytest.mark.parametrize("rule", RULES[:3], ids=["corporate", "retail", "standardised"])
def test_a_book_whose_losses_are_dearer_by_as_much_has_the_same_optimum(rule: CapitalRule) -> None:
    """Per unit drawn cost x K x T more of funding, put as so much more of LGD: p L' = p L + cost K T."""
    case = random_case(5, "reduced", 120)
    p = case.portfolio
    charged = case.under(capital=rule)
    dearer = p.lgd + (rule.cost or 0.0) * capital_of(rule, p) * p.term / np.maximum(p.pd, 1e-12)
    funded_so = replace(case.under(limits=()), portfolio=replace(p, lgd=dearer))
    ours, theirs = solve(charged.under(limits=())), solve(funded_so)
    assert ours.value == pytest.approx(theirs.value, rel=1e-9)
    assert ours.value < solve(case.under(limits=())).value
    np.testing.assert_array_equal(ours.solution.amount, theirs.solution.amount)


COSTLY = RICH.replace("name: rich", "name: costly").replace(
    "  limits:\n",
    "  capital: {asset_class_by: segment, turnover: carbon, turnover_unit: 0.0001, cost: 9%}\n  limits:\n"
    "    - {name: earned, measure: value, at_least: 240_000, under: [severe]}\n"
    "    - {name: earned by B, measure: value, where: {grade: B}, at_most: 9%, of: drawn}\n",
)
COSTLY += "stresses: {severe: {pd: {all: 3}, lgd: {all: 1.2}}}\n"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return solved(tmp_path_factory.mktemp("cost") / "case", COSTLY, segment=("sme", "corporate", "retail"))


def test_a_run_is_confirmed_by_all_three(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(run), "--exact"]) == 0
    assert checker.main([str(run)]) == 0
    summary, book = Files(run).json("summary.json"), [*csv.DictReader((run / "allocation.csv").open())]
    for name in ("capital_cost", "capital_years"):
        assert summary[name] == pytest.approx(sum(float(row[name]) for row in book))
        assert summary[name] == pytest.approx(sum(one[name] for one in summary["by_grade"].values()))
    assert summary["capital_cost"] == pytest.approx(0.09 * summary["capital_years"])
    worth = sum(float(row["value"]) for row in book)
    earned = {entry["name"]: entry for entry in summary["limits"]}
    assert earned["earned"]["used"] == pytest.approx(worth)
    assert earned["earned by B"]["price"] > 0.0
    assert summary["raroc"] == pytest.approx((worth + summary["capital_cost"]) / summary["capital_years"])
    for row in book:
        lines = {name: float(cell) for name, cell in row.items() if name.endswith("_cost")}
        costs = sum(lines.values()) + float(row["expected_loss"])
        assert float(row["value"]) == pytest.approx(float(row["interest"]) - costs, abs=1e-6)
        if float(row["amount"]):
            earned = float(row["value"]) + float(row["capital_cost"])
            assert float(row["raroc"]) == pytest.approx(earned / float(row["capital_years"]))
        else:
            assert row["raroc"] == row["capital_cost"] == "0.0"


def test_every_page_tells_the_same_return(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary, book = Files(run).json("summary.json"), [*csv.DictReader((run / "allocation.csv").open())]
    capsys.readouterr()
    assert main(["explain", str(run), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    figures = {"capital_cost", "capital_years", "raroc", "interest", "drawn"}
    assert {key: told["book"][key] for key in figures} == {key: summary[key] for key in figures}
    for segment in told["segments"]:
        own = summary["by_grade"][segment["name"]]
        assert {key: segment[key] for key in figures} == {key: own[key] for key in figures}
    best = max(book, key=lambda row: float(row["raroc"]))
    assert main(["explain", str(run), best["borrower_id"], "--json"]) == 0
    account = json.loads(capsys.readouterr().out)["account"]
    assert account["raroc"] == pytest.approx(float(best["raroc"]), rel=1e-12)
    assert main(["explain", str(run), best["borrower_id"]]) == 0
    assert f"RAROC, a year, before the cost of capital {float(best['raroc']):.2%}" in " ".join(
        capsys.readouterr().out.split()
    )


def test_a_cost_of_0_shows_the_return_and_changes_nothing(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario = str(run.parent / "scenario.yaml")
    for name, cost in (("free", "0%"), ("without", "null")):
        assert (
            main(["solve", scenario, "--set", f"policy.capital.cost={cost}", "--out", str(tmp_path / name)])
            == 0
        )
    free, without = (
        json.loads((tmp_path / name / "summary.json").read_text()) for name in ("free", "without")
    )
    assert free["objective"] == without["objective"] > Files(run).json("summary.json")["objective"]
    assert free["capital_cost"] == 0.0 < free["raroc"]
    assert not {"capital_cost", "capital_years", "raroc"} & without.keys()
    assert checker.main([str(tmp_path / "free")]) == checker.main([str(tmp_path / "without")]) == 0


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("cost: 0.09", "cost: 0.0901"),
        ("cost: 0.09", "cost: 0"),
        ("cost: 0.09", "cost: null"),
        ("pd_floor: 0.0005", "pd_floor: 0.02"),
        ("turnover_unit: 0.0001", "turnover_unit: 0.0002"),
    ],
)
def test_another_cost_is_another_run(
    before: str, after: str, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(run.parent, tmp_path / "case")
    files = Files(tmp_path / "case" / "run")
    files.scenario(before, after)
    refused(files.run)


def refused(run: Path) -> None:
    assert main(["verify", str(run)]) == 5
    assert main(["verify", str(run), "--exact"]) == 5
    assert checker.main([str(run)]) == 5


def without_columns(files: Files) -> None:
    def change(rows: list[list[str]]) -> None:
        kept = [
            at for at, name in enumerate(rows[0]) if name not in ("capital_cost", "capital_years", "raroc")
        ]
        rows[:] = [[row[at] for at in kept] for row in rows]

    files.rows(change)


@pytest.mark.parametrize(
    "change",
    [
        moving("summary.json", "raroc"),
        moving("summary.json", "capital_years"),
        moving("summary.json", "by_grade.A.capital_cost"),
        cell(2, "raroc", lambda text: str(float(text) + 1e-3)),
        cell(2, "capital_years", lambda text: str(float(text) + 1.0)),
        cell(2, "capital_cost", lambda text: str(float(text) - 1.0)),
        without_columns,
    ],
    ids=["raroc", "years", "grade", "raroc of a row", "years of a row", "cost of a row", "no columns"],
)
def test_an_altered_figure_of_capital_is_found(
    change: Any, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(run.parent, tmp_path / "case")
    files = Files(tmp_path / "case" / "run")
    change(files)
    refused(files.run)


def test_columns_of_capital_that_costs_nothing_are_found(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario = str(run.parent / "scenario.yaml")
    assert (
        main(["solve", scenario, "--set", "policy.capital=null", "--out", str(tmp_path / "case" / "run")])
        == 0
    )
    files = Files(tmp_path / "case" / "run")
    more = ("capital_cost", "capital_years", "raroc")
    files.rows(lambda rows: [row.extend(more if at == 0 else ("0.0",) * 3) for at, row in enumerate(rows)])
    refused(files.run)


def test_decisions_that_are_worth_less_are_not_the_optimum(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every figure follows the forged decisions, with the cost of their capital."""
    shutil.copytree(run.parent, tmp_path / "case")
    files = Files(tmp_path / "case" / "run")
    first = next(iter(funded(files)))
    decide(files, {first: 0.0})
    assert main(["verify", str(files.run)]) == 5
    assert checker.main([str(files.run)]) == 5


def test_what_the_cost_follows_from_is_asked_for() -> None:
    book = portfolio(["A"] * 3, numbers={"turnover": [1.0, np.nan, -2.0]})
    with pytest.raises(InputError) as error:
        with_requirements(replace(policy(1e6), capital=CapitalRule(asset_class="sme", cost=0.1)), book)
    assert [str(fault) for fault in error.value.faults] == [
        "borrowers.csv, row 2, turnover: policy.capital measures capital by turnover, which is missing in 1 "
        "row; fill the column",
        "borrowers.csv, row 3, turnover: policy.capital measures capital by turnover, which is negative in "
        "1 row; write 0 or more",
    ]


def test_borrowers_without_requirements_are_no_guess() -> None:
    with pytest.raises(ValueError, match="not been computed"):
        _ = portfolio(["A"]).tied_up
