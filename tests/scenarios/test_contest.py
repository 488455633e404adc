"""The contest's second and third question, as docs/scoring.md tells them: every figure of ours there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allocator.borrowers import scored_table
from allocator.cli.main import main
from allocator.insight.compare import strategy_sides
from allocator.insight.compare.segments import whole_of
from allocator.pipeline import allocate
from allocator.records.run import Run
from allocator.scenario import load_scenario

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "scoring.md").read_text(encoding="utf-8")
TOTALS = {
    "value": "objective",
    "firms funded": "funded",
    "expected to be drawn": "drawn",
    "interest": "interest",
    "expected loss": "expected_loss",
    "funding cost": "funding_cost",
}


@pytest.fixture(autouse=True)
def contest(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOCATOR_DATA", str(data.resolve()))


def run(name: str, *sets: str) -> Run:
    return allocate(load_scenario(ROOT / "scenarios" / f"{name}.yaml", sets))


def told(row: str, column: int) -> str:
    """A cell of the page's tables: column 0 is the first beside the row's name."""
    (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| {row} |")]
    return line.strip("| ").split(" | ")[column + 1].strip()


def test_the_first_question_keeps_the_ratings() -> None:
    found = run("contest-q1")
    sources = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")
    grades = found.summary["by_grade"]
    assert (grades["A"]["funded"], grades["B"]["funded"], found.summary["funded"]) == (27, 23, 50)
    assert f"{found.summary['funded']} firms, {found.certificate.value:,.0f}, certified" in sources
    assert f"the value is {found.certificate.value:,.0f}." in PAGE


def test_the_second_question_is_solved_and_proved(record_property: Callable[[str, object], None]) -> None:
    found = run("contest-q2")
    assert found.status == "optimal"
    assert abs(found.certificate.gap) <= 1e-9
    assert found.summary["offered"] == pytest.approx(100_000_000, abs=1e-3)
    record_property("seconds", found.summary["seconds"]["total"])
    assert {row: f"{found.summary[key]:,.0f}" for row, key in TOTALS.items()} == {
        row: told(row, 0) for row in TOTALS
    }
    assert found.summary["by_grade"]["D"]["funded"] == 0


def test_the_second_question_with_half_a_million_where_the_grade_is_a_guess(tmp_path: Path) -> None:
    source = load_scenario(ROOT / "scenarios" / "contest-q2.yaml").portfolio
    assert source.scorecard is not None
    firms = scored_table(source, source.scorecard).table.to_pandas()
    unsure = firms[["p_A", "p_B", "p_C", "p_D"]].max(axis=1) < 0.6
    assert f"({unsure.sum()} firms)" in PAGE
    request = np.where(unsure, 500_000, 1_000_000)
    facts = pd.DataFrame({"enterprise_id": firms["borrower_id"], "max_amount": request})
    facts.to_csv(tmp_path / "facts.csv", index=False)

    found = run("contest-q2", f"portfolio.source.invoices.facts={tmp_path / 'facts.csv'}")

    assert {row: f"{found.summary[key]:,.0f}" for row, key in TOTALS.items()} == {
        row: told(row, 1) for row in TOTALS
    }


@pytest.mark.parametrize(
    ("row", "override"),
    [
        ("value at LGD 0.3", "portfolio.defaults.lgd=0.3"),
        ("value at LGD 0.7", "portfolio.defaults.lgd=0.7"),
        ("value at funding 2 %", "policy.funding_rate=2%"),
        ("value at funding 4 %", "policy.funding_rate=4%"),
    ],
)
def test_the_second_question_s_sensitivities(row: str, override: str) -> None:
    assert f"{run('contest-q2', override).certificate.value:,.0f}" == told(row, 0)


def test_churn_as_tabled_is_worth_a_little_more() -> None:
    value = run("contest-q2", "response.smoothing=none").certificate.value
    assert f"With churn as tabled the value is {value:,.0f}." in PAGE


def test_the_source_s_lines_and_bands_cost_a_twelfth() -> None:
    best = run("contest-q2").certificate.value
    lines = run("contest-q2-lines").certificate.value
    assert f"is worth {lines:,.0f} at best: {1 - lines / best:.1%} less".replace("%", " %") in PAGE


def test_the_second_question_by_simple_rules() -> None:
    page = (ROOT / "docs" / "compare.md").read_text(encoding="utf-8")
    names = ("optimal", "ahp_lines", "equal", "by_score", "greedy")
    file = ROOT / "scenarios" / "contest-q2.yaml"
    first, *others = strategy_sides([load_scenario(file, [f"strategy={name}"]) for name in names])
    rows = [f"| optimal | {first.value:,.0f} | {first.share:.2%} | | | {whole_of(first).funded} |"]
    for side in others:
        gain = first.value - side.value
        cells = (f"{side.value:,.0f}", f"{side.share:.2%}", f"{gain:,.0f}", f"{gain / side.value:.2%}")
        rows.append(f"| {side.name} | {' | '.join(cells)} | {whole_of(side).funded} |")
    assert "\n".join(rows) in page
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    lines, equal = (f"{100 * (first.value / side.value - 1):.2f} % more than" for side in others[:2])
    assert f"{lines} lines by AHP weights, {equal} equal amounts" in readme


@pytest.mark.parametrize("severity", ["light", "medium", "severe"])
def test_the_third_question(severity: str, record_property: Callable[[str, object], None]) -> None:
    path = ROOT / "models" / "shocks" / f"covid-2020q1-{severity}.csv"
    found = run("contest-q3", f"stress.file={path}")
    assert abs(found.certificate.gap) <= 1e-9
    assert (f"{found.certificate.value:,.0f}", str(found.summary["funded"])) == (
        told(severity, 0),
        told(severity, 1),
    )
    record_property("seconds", found.summary["seconds"]["total"])


def test_without_the_data_the_variable_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("ALLOCATOR_DATA")
    assert main(["solve", str(ROOT / "scenarios" / "contest-q2.yaml")]) == 2
    problem = "environment variable ALLOCATOR_DATA is not set or empty"
    assert capsys.readouterr().err.count(problem) == 3
