"""`allocator check`: what a scenario and its inputs come to."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Allocator


def test_check_shows_borrowers_curves_and_limits(case: Path, allocator: Allocator) -> None:
    outcome = allocator("check", "scenario.yaml")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.startswith("small: no faults\nbudget 3,000,000.00 CNY offered, loans of 100,000.00 to")
    assert "Limits: 6 rows" in outcome.out
    assert "2 of 10 firms cannot be offered anything" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 100
    assert sorted(path.name for path in case.iterdir()) == ["borrowers.csv", "churn.csv", "scenario.yaml"]


def test_check_as_json(case: Path, allocator: Allocator) -> None:
    found = allocator("check", "scenario.yaml", "--json").json
    assert found["borrowers"] == 10
    assert found["offers_possible"] == 8
    assert found["by_grade"]["A"]["borrowers"] == 5
    assert found["by_grade"]["A"]["offers_possible"] == 4
    assert found["by_grade"]["A"]["requested"] == 2_450_000
    assert found["by_grade"]["B"]["largest_offers"] == 2_000_000
    assert found["by_grade"]["A"]["mean_pd"] == pytest.approx(0.0066)
    assert found["refusals"] == {"no rates for this grade": 1, "request below the smallest loan": 1}
    assert [curve["rates_in_band"] for curve in found["churn"]] == [4, 3]
    assert found["limits"] == [
        "budget", "A line", "sectors[food]", "sectors[retail]", "sectors[steel]", "loss rate"
    ]  # fmt: skip


def test_check_sums_demand_and_looks_for_the_best_rate_inside_each_band(
    case: Path, allocator: Allocator
) -> None:
    found = allocator("check", "scenario.yaml", "--json").json
    for key, total in found["total"].items():
        if key != "mean_pd":
            assert total == sum(grade[key] for grade in found["by_grade"].values())
    assert found["total"]["requested"] == 4_750_000
    assert found["total"]["mean_pd"] == pytest.approx(0.1058)
    # Of grade B the curve is best at 8 %, below its band of 11 to 15 %.
    assert [(one["grade"], one["best_rate"]) for one in found["churn"]] == [("A", 0.0465), ("B", 0.11)]
    page = allocator("check", "scenario.yaml").out
    [line] = [line for line in page.splitlines() if line.startswith("total")]
    assert line.split() == ["total", "10", "8", "4,750,000", "0", "4,400,000", "0", "10.58%"]


def test_a_limit_is_not_hidden_behind_an_each(case: Path, allocator: Allocator) -> None:
    rows = "".join(f"X{i:02d},A,0.005,0.45,500000,s{i:02d}\n" for i in range(40))
    with (case / "borrowers.csv").open("a") as file:
        file.write(rows)
    page = allocator("check", "scenario.yaml").out
    assert "loss rate" in page
    assert "A line" in page
    assert "and 21 more values of such limits" in page
    assert allocator("solve", "scenario.yaml", "--out", "run").status == 0
    assert "loss rate" in allocator("explain", "run").out


def test_a_limit_that_may_be_missed_is_marked(case: Path, allocator: Allocator) -> None:
    scenario, limits = case / "scenario.yaml", "  limits:\n"
    more = (
        "    - {name: wish, measure: loans, at_least: 3, enforce: {soft: 100}}\n"
        "    - {name: then, measure: loans, at_least: 2, if_lent_to: {grade: A}}\n"
    )
    scenario.write_text(scenario.read_text().replace(limits, limits + more))
    lines = allocator("check", "scenario.yaml").out.splitlines()
    assert [line.split()[2:] for line in lines if line.startswith(("wish", "then"))] == [
        ["at", "least", "3,", "soft"], ["at", "least", "2,", "on", "a", "condition"],
    ]  # fmt: skip


def test_check_tells_where_churn_falls(case: Path, allocator: Allocator) -> None:
    curve = case / "churn.csv"
    curve.write_text(curve.read_text().replace("0.13,0.8,", "0.13,0.6,"))
    assert allocator("check", "scenario.yaml", "--json").json["churn"][0]["falls_at"] == [0.13]
    assert "13.00%" in allocator("check", "scenario.yaml").out


def test_check_counts_borrowers_without_a_request(case: Path, allocator: Allocator) -> None:
    borrowers = case / "borrowers.csv"
    borrowers.write_text(borrowers.read_text().replace("0.45,500000,", "0.45,,"))
    grade = allocator("check", "scenario.yaml", "--json").json["by_grade"]["A"]
    assert (grade["requested"], grade["no_request_given"]) == (1_950_000, 1)


def test_check_takes_overrides(case: Path, allocator: Allocator) -> None:
    assert "budget 500.00 CNY" in allocator("check", "scenario.yaml", "--set", "policy.budget.amount=500").out


def test_a_filter_that_nobody_passes_is_noted(case: Path, allocator: Allocator) -> None:
    scenario = case / "scenario.yaml"
    text = scenario.read_text().replace("where: {grade: A}", "where: {grade: AA, pd: {above: 1%}}")
    scenario.write_text(
        text.replace("each: sector,", "each: sector, where: {sector: [steal, foot]},")
        + "stress: {pd: {where: [{sector: retial, factor: 2}, {sector: food, factor: 2}]}}\n"
        + "stresses: {mild: {churn: {where: [{grade: AA, factor: 1.1}]}}}\n"
    )
    notes = [
        "a case of stress.pd changes nothing: no borrower passes {sector: retial}",
        "stresses.mild: a case of stress.churn changes nothing: no borrower passes {grade: AA}",
        "limit 'A line' counts nobody: no borrower passes {grade: AA, pd: {above: 0.01}}",
        "limit 'sectors' counts nobody: no borrower passes {sector: [steal, foot]}",
    ]
    outcome = allocator("check", "scenario.yaml", "--json")
    assert (outcome.status, outcome.json["notes"]) == (0, notes)
    assert f"\n\nnote: {notes[0]}\nnote: {notes[1]}\n" in allocator("check", "scenario.yaml").out
    solved = allocator("solve", "scenario.yaml", "--out", "run")
    assert (solved.status, solved.err) == (0, "")
    assert f"\n\nnote: {notes[0]}\nnote: {notes[2]}\n" in solved.out
    assert allocator("verify", "run").status == 0


def test_pinned_offers_outside_the_terms_are_noted(case: Path, allocator: Allocator) -> None:
    lines = (case / "borrowers.csv").read_text().splitlines()
    pins = {
        "F01": ",700000,0.05,", "F02": ",50000,0.05,", "F05": ",200000,0.05,", "F07": ",200000,0.13,0.14",
        "F06": ",200000,0.13,0.13",
    }  # fmt: skip
    cells = [line + pins.get(line[:3], ",,,") for line in lines[1:]]
    (case / "borrowers.csv").write_text(
        "\n".join([f"{lines[0]},fixed_amount,fixed_rate,min_rate", *cells]) + "\n"
    )
    first, second, third = allocator("check", "scenario.yaml", "--json").json["notes"]
    assert first.startswith(
        "pinned amount outside the borrower's smallest and largest loan: F01 (row 1) and 1 more;"
    )
    assert second == "pinned rate outside the band of the grade: F05 (row 5); made as it is"
    assert third == "pinned rate below the borrower's minimum: F07 (row 7); made as it is"


def test_check_examines_the_stresses_that_solve_leaves_alone(case: Path, allocator: Allocator) -> None:
    with (case / "scenario.yaml").open("a") as scenario:
        scenario.write(
            "stresses:\n"
            "  branch: {pd: {where: [{branch: [north], factor: 2}]}}\n"
            "  certain: {file: factors.csv}\n"
        )
    (case / "factors.csv").write_text("sector,pd\nfood,minus one\n")
    outcome = allocator("check", "scenario.yaml")
    assert outcome.status == 2
    assert "no column branch" in outcome.err
    assert "factors.csv\n    lacks the column industry" in outcome.err


def test_the_smallest_loan_is_told_as_it_can_be_lent(case: Path, allocator: Allocator) -> None:
    told = allocator(
        "check", "scenario.yaml", "--set", "policy.ticket={min: 0.001, max: 500, step: null}"
    ).out
    assert "loans of 0.01 to 500.00" in told


def test_a_grade_without_a_band_has_no_best_rate_where_nobody_leaves(
    case: Path, allocator: Allocator
) -> None:
    settings = ("--set", "response.churn=none", "--set", "policy.rate_grid={step: 1%}")
    told = allocator("check", "scenario.yaml", *settings).out
    assert "100.00%" not in told[told.index("Churn curves") : told.index("Limits")]
