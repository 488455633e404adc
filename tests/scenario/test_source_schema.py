"""Invoices and scorecards as the source of borrowers: what may be typed, and how slips are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from allocator.records.sources import InvoiceFiles
from allocator.scenario import dump_scenario, load_scenario
from tests.scenario.conftest import BASE, Faults, Write

SOURCE = "  source: borrowers.csv\n"
FILES = ("in.csv", "out.parquet", "firms.csv", "facts.xlsx", "card.json", "book.xlsx")


@pytest.fixture(autouse=True)
def there(tmp_path: Path) -> None:
    for name in FILES:
        (tmp_path / name).touch()


def scored(source: str, more: str = "scorecard: card.json") -> str:
    return BASE.replace(SOURCE, f"  source: {source}\n  {more}\n")


def test_invoices_become_a_record_and_come_back_from_a_run(write: Write, tmp_path: Path) -> None:
    invoices = (
        "{purchases: in.csv, sales: out.parquet, firms: firms.csv, facts: facts.xlsx, duplicates: drop}"
    )
    scenario = load_scenario(write("case.yaml", scored(f"{{invoices: {invoices}}}")))

    source = scenario.portfolio
    assert (source.kind, source.path, source.scorecard) == ("invoices", None, tmp_path / "card.json")
    assert source.invoices == InvoiceFiles(
        *(tmp_path / name for name in FILES[:2]),
        None,
        tmp_path / "firms.csv",
        tmp_path / "facts.xlsx",
        "drop",
    )
    assert source.label == f"firms of {tmp_path}/out.parquet"
    text = dump_scenario(scenario, tmp_path / "runs" / "one")
    assert "scorecard: ../../card.json\n" in text
    assert load_scenario(write("runs/one/scenario.yaml", text)).portfolio == source


def test_a_workbook_holds_both_directions(write: Write, tmp_path: Path) -> None:
    source = load_scenario(write("case.yaml", scored("{invoices: {workbook: book.xlsx}}"))).portfolio

    assert source.invoices == InvoiceFiles(workbook=tmp_path / "book.xlsx")
    assert source.label == f"firms of {tmp_path}/book.xlsx"


def test_a_table_may_be_scored_too(write: Write, tmp_path: Path) -> None:
    source = load_scenario(write("case.yaml", scored("borrowers.csv"))).portfolio

    assert (source.kind, source.scorecard) == ("csv", tmp_path / "card.json")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            scored("{invoices: {workbook: book.xlsx}}", "pd_by_grade: {A: 1%}"),
            "portfolio: invoices say nothing of grade and PD by themselves; "
            "add `scorecard: FILE`, one that `allocator fit grade` wrote",
        ),
        (
            scored("borrowers.csv", "scorecard: card.json\n  pd_by_grade: {A: 1%}\n  columns: {pd: p}"),
            "portfolio.scorecard: columns.pd also says what PD is; "
            "keep the scorecard or columns.pd, not both|"
            "portfolio.scorecard: pd_by_grade also says what PD is; "
            "keep the scorecard or pd_by_grade, not both",
        ),
        (
            scored("borrowers.csv", "scorecard: cards.json"),
            "portfolio.scorecard: cards.json does not exist; check the path, which starts from FOLDER",
        ),
        (
            scored("{invoices: {purchases: in.csv}}"),
            "portfolio.source.invoices: no sales to judge the firms by; "
            "name the files of purchases and sales, or a workbook",
        ),
        (
            scored("{invoices: {}}"),
            "portfolio.source.invoices: no purchases and no sales to judge the firms by; "
            "name the files of purchases and sales, or a workbook",
        ),
        (
            scored("{invoices: {workbook: book.xlsx, sales: in.csv}}"),
            "portfolio.source.invoices.workbook: a workbook holds both directions, sales stand beside it; "
            "keep the workbook or the two files",
        ),
        (
            scored("{invoices: {purchases: facts.xlsx, sales: in.csv}}"),
            "portfolio.source.invoices.purchases: 'facts.xlsx' does not end in .parquet or .csv or .csv.gz; "
            "name such a file",
        ),
        (
            scored("{invoices: {purchases: in.csv, sales: in.csv, fact: facts.xlsx}}"),
            "portfolio.source.invoices.fact: unknown key 'fact'; did you mean facts?",
        ),
        (
            scored("{invoices: {workbook: book.xlsx, duplicates: count}}"),
            "portfolio.source.invoices.duplicates: expected one of keep, drop, found 'count'; "
            "write one of them",
        ),
        (
            scored("{invoices: in.csv}"),
            "portfolio.source.invoices: expected a mapping, found 'in.csv'; "
            "write `key: value` lines below it",
        ),
    ],
)
def test_a_slip_is_told(text: str, expected: str, faults: Faults) -> None:
    told = faults(text)
    assert [one.partition(", ")[2].partition(", ")[2] for one in told] == expected.split("|")
