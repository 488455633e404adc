"""A margin in the place of a rate: negative rates, and limits on what offers earn, through every check."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from allocator import checker
from allocator.cli.main import main

SCENARIO = """\
schema: 1
name: margins
portfolio: {source: loans.csv, columns: {rate: margin}, defaults: {grade: loan, pd: 0, lgd: 1}}
response: {churn: none}
policy:
  budget: {amount: 1_000_000}
  ticket: {min: 0, max: 400_000}
  rates: {loan: [-100%, 100%]}
  rate_grid: contract
  limits:
    - {name: green, measure: offered, where: {sector: green}, at_least: 40%, of: total}
    - {name: green margin, measure: interest, where: {sector: green}, at_least: -3_000}
"""
LOANS = "borrower_id,margin,sector\na,0.03,steel\nb,0.02,food\nc,-0.01,green\nd,-0.02,green\ne,-0.03,steel\n"


@pytest.mark.parametrize("method", ["exact", "reduced"])
def test_loans_that_cost_are_made_where_a_limit_asks_for_them(method: str, tmp_path: Path) -> None:
    """300,000 of c cost the 3,000 allowed, so that 450,000 may be lent to a and b: 400,000 and 50,000."""
    (tmp_path / "loans.csv").write_text(LOANS)
    (tmp_path / "case.yaml").write_text(SCENARIO)
    run, by = tmp_path / "run", f"solver.method={method}"

    assert main(["solve", str(tmp_path / "case.yaml"), "--set", by, "--out", str(run)]) == 0
    summary = json.loads((run / "summary.json").read_text())
    assert summary["objective"] == pytest.approx(10_000.0, abs=0.01)
    amounts = [float(line.split(",")[2]) for line in (run / "allocation.csv").read_text().splitlines()[1:]]
    assert amounts == pytest.approx([400_000.0, 50_000.0, 300_000.0, 0.0, 0.0], abs=0.01)
    prices = {limit["name"]: limit["price"] for limit in summary["limits"]}
    assert prices == pytest.approx({"budget": 0.0, "green": -0.05, "green margin": -2.0}, abs=1e-9)
    assert main(["verify", str(run), "--exact"]) == 0
    assert checker.main([str(run)]) == 0
