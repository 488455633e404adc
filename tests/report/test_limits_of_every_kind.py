"""A page of a book with capital, tail loss, a soft limit, a Herfindahl index and a former run, read back."""

from __future__ import annotations

import csv
import json
import re
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from typing import Any

import pytest

from allocator.cli.main import main
from tests.cli.conftest import BORROWERS, SCENARIO, write_case
from tests.report.page import Page, Read, expected, reads_as

FORMER = """\
borrower_id,amount,rate
F01,400000,0.0465
F03,500000,0.0465
F05,300000,0.11
F07,600000,0.11
"""
MORE = """\
  changes: {amounts: no_cut}
  capital: {asset_class: retail}
  tail: {confidence: 99%, correlation: 15%}
  limits:
    - {name: capital, measure: capital, at_most: 120_000}
    - {name: tail, measure: tail_loss, at_most: 3%, of: drawn}
    - {name: spread, measure: hhi, by: sector, at_most: 40%, of: total}
    - {name: moved, measure: money_moved, at_most: 500_000, enforce: {soft: 0.002}}
"""
KINDS = ("capital", "tail", "spread", "moved")
ASKED = {
    "explain": ("explain", "run", "--exact"),
    "simulate": ("simulate", "run", "--years", "2000"),
    "levers": ("levers", "run", "--quick"),
}
"""What is asked by itself; what the others say is taken from what the page is made of."""


@dataclass(frozen=True)
class ReadBack:
    """A page's figures, what the run's files and commands say by themselves, and the page of solve."""

    figures: list[Read]
    said: dict[str, Any]
    solved: str
    offers: dict[str, float]
    limits: dict[str, tuple[int, dict[str, Any]]]
    """The summary's limits with their places, by name."""

    def of(self, pointer: str) -> list[Read]:
        return [figure for figure in self.figures if figure.of == pointer and not figure.per]


def _said(*arguments: str) -> str:
    with redirect_stdout(StringIO()) as said:
        assert main([*arguments]) == 0
    return said.getvalue()


def _json(*arguments: str) -> Any:
    return json.loads(_said(*arguments, "--json"))


def _rows(text: str) -> list[dict[str, str]]:
    return [*csv.DictReader(StringIO(text))]


@pytest.fixture(scope="module")
def back(tmp_path_factory: pytest.TempPathFactory) -> ReadBack:
    folder = tmp_path_factory.mktemp("every-kind")
    write_case(folder)
    scenario = SCENARIO.replace("name: small\n", "name: small\nformer: former.csv\n")
    (folder / "scenario.yaml").write_text(scenario.replace("  limits:\n", MORE))
    (folder / "former.csv").write_text(FORMER)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        solved = _said("solve", "scenario.yaml", "--out", "run")
        told = _json("report", "run", "--quick", "--out", "page.html")
        said = {**told, **{name: _json(*arguments) for name, arguments in ASKED.items()}}
    del said["report"]
    for name in ("summary", "certificate"):
        said[name] = json.loads((folder / "run" / f"{name}.json").read_text())
    limits = {limit["name"]: (place, limit) for place, limit in enumerate(said["summary"]["limits"])}
    figures = Page.of((folder / "page.html").read_text("utf-8")).figures
    rows = _rows((folder / "run" / "allocation.csv").read_text())
    offers = {row["borrower_id"]: float(row["amount"]) for row in rows}
    return ReadBack(figures, said, solved, offers, limits)


def test_every_figure_is_that_of_its_document_to_the_last_digit(back: ReadBack) -> None:
    assert {figure.of.split("/")[1] for figure in back.figures} == {*back.said}
    assert [figure for figure in back.figures if figure.value != expected(back.said, figure)] == []
    assert [figure for figure in back.figures if not reads_as(figure)] == []


def test_each_limit_stands_on_the_page_to_the_cent_as_the_certificate_has_it(back: ReadBack) -> None:
    certified = {limit["name"]: limit for limit in back.said["certificate"]["limits"]}
    assert [*certified] == [*back.limits]
    for name, (place, limit) in back.limits.items():
        for key in ("used", "bound", "price"):
            assert limit[key] == certified[name][key], (name, key)
        assert limit["slack"] == limit["bound"] - limit["used"]
        for key in ("used", "bound", "slack"):
            exact = (
                f"{100 * abs(limit[key]):.2f}%" if limit["measure"] == "hhi" else f"{abs(limit[key]):,.2f}"
            )
            texts = [figure.text.lstrip("\u2212") for figure in back.of(f"/summary/limits/{place}/{key}")]
            assert exact in texts, (name, key)


def test_what_limits_use_follows_from_the_offers(back: ReadBack) -> None:
    offers = back.offers
    former = {row["borrower_id"]: float(row["amount"]) for row in _rows(FORMER)}
    moved = sum(abs(amount - former.get(name, 0.0)) for name, amount in offers.items())
    sectors: dict[str, float] = {}
    for row in _rows(BORROWERS):
        sectors[row["sector"]] = sectors.get(row["sector"], 0.0) + offers[row["borrower_id"]]
    whole = sum(offers.values())
    index = sum((amount / whole) ** 2 for amount in sectors.values())
    assert back.limits["moved"][1]["used"] == pytest.approx(moved, rel=1e-12)
    assert back.limits["spread"][1]["used"] == pytest.approx(index, rel=1e-12)


def test_the_soft_limit_is_paid_for_once(back: ReadBack) -> None:
    summary, (_, moved) = back.said["summary"], back.limits["moved"]
    assert moved["missed"] == moved["used"] - moved["bound"] > 0
    assert summary["limit_penalty"] == moved["penalty"] == pytest.approx(0.002 * moved["missed"], rel=1e-12)
    earned = summary["interest"] - summary["expected_loss"] - summary["limit_penalty"]
    assert summary["objective"] == pytest.approx(earned, rel=1e-12)
    assert summary["objective"] == back.said["certificate"]["value"]
    assert f"{summary['limit_penalty']:,.2f}" in [figure.text for figure in back.of("/summary/limit_penalty")]


@pytest.mark.parametrize("name", KINDS)
def test_the_page_of_solve_has_the_same_figures(back: ReadBack, name: str) -> None:
    limit = back.limits[name][1]
    found = re.search(rf"^{name} +(\S+) +at most (\S+)( of drawn)? +(\S+)", back.solved, re.MULTILINE)
    assert found, back.solved
    whole = back.said["summary"]["drawn"] if found[3] else 1.0
    printed = zip(("used", "bound", "slack"), (found[1], found[2], found[4]), strict=True)
    for key, text in printed:
        value = limit[key] / (1.0 if key == "slack" else whole)
        assert reads_as(Read(text, value, key, ""), 1.0), (key, text, value)
        assert text.startswith("-") == (value < 0)


def test_a_convex_limit_has_no_range_of_its_own(back: ReadBack) -> None:
    ranges = {limit["name"]: limit["range"] for limit in back.said["explain"]["limits"]}
    assert ranges["spread"] is None
    assert all(ranges[name] is not None for name in ("capital", "tail", "budget"))
