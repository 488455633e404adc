"""Programs of textbooks, one file each: the published optimum, proved, rechecked and checked alone."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from allocator import checker
from allocator.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "scenarios" / "textbooks"
ROW = re.compile(r"^\| `([^`]+)` \|[^|]*\| ([0-9,.]+) \|", re.MULTILINE)
PUBLISHED = {
    name: float(value.replace(",", ""))
    for name, value in ROW.findall((ROOT / "docs" / "textbooks.md").read_text(encoding="utf-8"))
}
"""Scenario -> its published optimum."""
AMOUNTS = {
    "taha-bank": [0.0, 0.0, 7.2e6, 0.0, 4.8e6],
    "taha-bank-caps": [0.0, 2e6, 3e6, 3e6, 3e6],
    "adirondack": [4e5, 2.25e5, 3.75e5],
    "credit-union": [6.3e5, 1.7e5, 4.6e5, 1.4e5, 6e5],
    "welte": [2e4, 3e4, 0.0, 4e4, 1e4],
    "pfeiffer": [1.2e5, 3e4, 1.5e5],
    "city-trust": [7.5e5, 9.5e5, 1.5e6, 1.8e6],
    "bank-assets": [1.25e5] * 4,
    "retirement-bonds": [112_500.0, 75_000.0, 187_500.0, 187_500.0, 0.0, 187_500.0],
    "bond-quality": [2_181_818.18, 0.0, 7_363_636.37, 0.0, 454_545.45],
    "stockco": [0.0, 22.0, 12.0, 8.0],
    "california": [9.0, 5.0, 0.0, 0.0],
    "six-products": [25.2e6, 6e6, 24e6, 20e6, 5.37e6, 3.4e6],
}
PRICES = {
    "adirondack": {"budget": 0.08875, "home": -0.03125, "personal": 0.01875},
    "welte": {"budget": 0.069, "industry[oil]": 0.022, "bonds": -0.024, "Pacific Oil": 0.03},
    "taha-bank": {"budget": 0.08304, "farm and commercial": -0.0084},
}
"""Scenario -> its shadow prices that are not 0."""


def test_the_page_lists_every_file() -> None:
    assert sorted(PUBLISHED) == sorted(AMOUNTS) == sorted(path.stem for path in FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("name", AMOUNTS)
def test_a_textbook_has_the_optimum_that_it_prints(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"

    assert main(["solve", str(FOLDER / f"{name}.yaml"), "--out", str(run)]) == 0
    summary = json.loads((run / "summary.json").read_text())
    lines = (run / "allocation.csv").read_text().splitlines()[1:]
    assert summary["status"] == "optimal"
    assert summary["objective"] == pytest.approx(PUBLISHED[name], abs=0.005)
    assert [float(line.split(",")[2]) for line in lines] == AMOUNTS[name]
    prices = {limit["name"]: limit["price"] for limit in summary["limits"] if limit["price"]}
    if name in PRICES:
        assert prices == pytest.approx(PRICES[name], abs=1e-9)
    assert main(["verify", str(run), "--exact"]) == 0
    assert checker.main([str(run)]) == 0
