"""`allocator report`: every figure is what the commands say, the page stands alone, and what is refused."""

from __future__ import annotations

import csv
import json
import re
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cached_property
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from allocator.cli.main import main
from tests.browser import printed_words, seen_by, tool, words_of
from tests.cli.conftest import BORROWERS, Allocator, write_case
from tests.report.page import Page, expected, reads_as


@dataclass(frozen=True)
class Reported:
    """A small run with its report, a quick report of it, and what this says as JSON."""

    folder: Path
    html: str
    quick: str
    told: dict[str, Any]

    @cached_property
    def page(self) -> Page:
        return Page.of(self.html)


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Reported:
    folder = tmp_path_factory.mktemp("reported")
    write_case(folder)
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as said:
        patch.chdir(folder)
        assert main(["solve", "scenario.yaml", "--out", "run", "--report"]) == 0
        said.truncate(0)
        said.seek(0)
        assert main(["report", "run", "--quick", "--out", "quick.html", "--json"]) == 0
    html, quick = ((folder / name).read_text("utf-8") for name in ("run/report.html", "quick.html"))
    return Reported(folder, html, quick, json.loads(said.getvalue()))


@pytest.fixture
def there(reported: Reported, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the run, as the working directory."""
    monkeypatch.chdir(reported.folder)
    return reported.folder


def documents(there: Path, allocator: Allocator) -> dict[str, Any]:
    """What each command says, asked by itself."""
    scenario = "run/scenario.yaml"
    commands = {
        "explain": ("explain", "run", "--exact"),
        "simulate": ("simulate", "run"),
        "stress": ("stress", scenario),
        "compare": ("compare", scenario),
        "frontier": ("frontier", scenario, "--limit", "budget", "--points", "9"),
        "levers": ("levers", "run", "--first", "6"),
        "distil": ("distil", "run", "--quick"),
    }
    found = {name: allocator(*arguments, "--json").json for name, arguments in commands.items()}
    for name in ("summary", "certificate"):
        found[name] = json.loads((there / "run" / f"{name}.json").read_text())
    return found


def test_every_figure_is_what_the_commands_say(reported: Reported, there: Path, allocator: Allocator) -> None:
    said = documents(there, allocator)
    said["composition"] = reported.told["composition"]
    figures = reported.page.figures
    assert len(figures) > 400
    sources = {figure.of.split("/")[1] for figure in figures}
    assert sources == {*said}
    wrong = [figure for figure in figures if figure.value != expected(said, figure)]
    assert wrong == []
    assert [figure for figure in figures if not reads_as(figure)] == []


def test_the_composition_is_that_of_the_allocation(reported: Reported) -> None:
    """What no command says, from the files that the run lies in and was made of."""
    found = reported.told["composition"]
    with (reported.folder / "run" / "allocation.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    head = rows[0]
    offered = {row[0]: float(row[head.index("amount")]) for row in rows[1:]}
    why = {row[0]: row[head.index("reason")] for row in rows[1:]}
    borrowers = {line.split(",")[0]: line.split(",") for line in BORROWERS.splitlines()[1:]}
    sectors: dict[str, float] = {}
    for name, amount in offered.items():
        sectors[borrowers[name][5]] = sectors.get(borrowers[name][5], 0.0) + amount
    assert found["by"] == ["sector"]
    assert {one["name"]: one["offered"] for one in found["segments"][0]} == sectors
    whole = sum(offered.values())
    mean = sum(amount * float(borrowers[name][2]) for name, amount in offered.items()) / whole
    assert found["mean_pd"][""] == pytest.approx(mean, rel=1e-12)
    funded = {band["high"]: band["funded"] for band in found["bands"]}
    assert funded[0.01] == sum(0.005 <= float(borrowers[n][2]) < 0.01 for n, x in offered.items() if x)
    assert {one["reason"]: one["borrowers"] for one in found["refusals"]} == {
        reason: list(why.values()).count(reason) for reason in why.values() if reason
    }
    summary, certificate = (
        json.loads((reported.folder / "run" / f"{name}.json").read_text())
        for name in ("summary", "certificate")
    )
    weighted = sum(grade["mean_rate"] * grade["offered"] for grade in summary["by_grade"].values())
    assert found["mean_rate"] == pytest.approx(weighted / whole, rel=1e-12)
    prices = certificate["prices"]  # the line of A is 63 % of the budget, so that its bound grows with it
    assert found["one_more"] == pytest.approx(prices["budget"] + 0.63 * prices["A line"], rel=1e-12)
    assert found["largest"][0]["amount"] == max(offered.values())
    asked = {one["reason"]: one["requested"] for one in found["refusals"]}
    assert sum(asked.values()) == sum(float(borrowers[n][4]) for n, reason in why.items() if reason)
    assert found["curve"][0] == [0.0, 0.0]
    assert found["curve"][-1] == [1.0, 1.0]


def test_the_page_stands_alone(reported: Reported) -> None:
    page, html = reported.page, reported.html
    assert html.startswith('<!doctype html>\n<html lang="en">')
    assert "<title>small: allocation of a credit budget, for decision</title>" in html
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert not [found for found in page.attributes if found[1] == "src" or found[1].startswith("on")]
    assert "url(" not in html
    assert "://" not in html
    assert all(link.startswith("#") for link in page.links)
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)
    assert len(set(page.ids)) == len(page.ids)
    assert len(html.encode()) < 300_000


def test_what_is_asked_first_stands_first(reported: Reported) -> None:
    text = re.sub(r"\s+", " ", "".join(reported.page.text).partition("1 · Where")[0])
    first = ("Certified: the best there is", "Lend ", "What binds: ", "of budget earns ", "get no offer: ")
    for told in (*first, "One year in a hundred nets less than ", "Asked of the committee", "Under "):
        assert told in text
    summary = json.loads((reported.folder / "run" / "summary.json").read_text())
    whole = "".join(reported.page.text)
    assert f"solved {summary['solved_at'][:10]}" in text
    for told in (summary["solved_at"], summary["digest"], "allocator verify run", "numpy "):
        assert told in whole
    certificate = json.loads((reported.folder / "run" / "certificate.json").read_text())
    assert all(value in whole for value in certificate["inputs"].values())


def test_every_picture_says_what_it_shows(reported: Reported) -> None:
    pictures = [name for tag, name, _ in reported.page.attributes if tag == "svg"]
    assert pictures.count("aria-label") == 3
    assert pictures.count("aria-label") + pictures.count("aria-hidden") == reported.page.tags.count("svg")


def test_the_same_run_makes_the_same_page(reported: Reported, there: Path, allocator: Allocator) -> None:
    assert allocator("report", "run", "--quick", "--out", "copy.html").status == 0
    assert (there / "copy.html").read_text("utf-8") == reported.quick
    assert allocator("verify", "run").status == 0


def test_markdown_has_the_same_figures(reported: Reported, there: Path, allocator: Allocator) -> None:
    outcome = allocator("report", "run", "--quick", "--out", "report.md")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out == "small: Certified: the best there is\nReport written to report.md\n"
    text = (there / "report.md").read_text()
    assert text.startswith("# small: allocation of a credit budget, for decision\n")
    assert all(figure.text in text for figure in Page.of(reported.quick).figures)
    assert "<" not in text.replace("\\<", "")


def test_a_comparison_is_reported(there: Path, allocator: Allocator) -> None:
    changed = (there / "scenario.yaml").read_text().replace("3_000_000", "2_000_000")
    (there / "less.yaml").write_text(changed)
    outcome = allocator("report", "run", "less.yaml", "--out", "sides.html")
    assert (outcome.status, outcome.err) == (0, "")
    page = Page.of((there / "sides.html").read_text("utf-8"))
    said = {"compare": allocator("compare", "run", "less.yaml", "--json").json}
    assert len(page.figures) > 50
    assert [figure for figure in page.figures if figure.value != expected(said, figure)] == []
    assert [figure for figure in page.figures if not reads_as(figure)] == []
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)
    assert "policy.budget" in "".join(page.text)


HOSTILE = "<script>alert(1)</script>&\"'\u202e\x1b[31m" + "x" * 300


@pytest.fixture
def crowded(case: Path, allocator: Allocator) -> Path:
    """A run of forty sectors with long names, markup and controls in identifiers, sectors and limits."""
    lines = ["borrower_id,grade,pd,lgd,max_amount,sector"]
    lines += [
        f'"{HOSTILE.replace(chr(34), chr(34) * 2)}{at}",A,0.0{at % 9 + 1},0.45,'
        f"{200000 + 10000 * at},"
        '"<b>sector</b> '
        f'number {at} with a name that is long, and with a comma"'
        for at in range(40)
    ]
    (case / "borrowers.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    scenario = (case / "scenario.yaml").read_text().replace("loss rate", "<i>loss</i> & more")
    (case / "scenario.yaml").write_text(scenario)
    assert allocator("solve", "scenario.yaml", "--out", "run").status == 0
    for name in ("run/report.html", "report.md"):
        assert allocator("report", "run", "--quick", "--out", name).status == 0
    return case


def test_hostile_names_are_text(crowded: Path) -> None:
    for name in ("run/report.html", "report.md"):
        text = (crowded / name).read_text("utf-8")
        if name.endswith(".md"):  # in a block of code nothing is markup
            text = re.sub(r"(?m)^    .*", "", text).replace("\\<", "")
        assert "<script" not in text
        assert "<b>sector" not in text
        assert "<i>" not in text
        assert "\x1b" not in text
        assert "\u202e" not in text
    page = Page.of((crowded / "run" / "report.html").read_text("utf-8"))
    assert any("<script>alert(1)</script>" in part for part in page.text)
    assert any("\\u202e\\x1b[31m" in part for part in page.text)
    assert any("28 more" in part for part in page.text)


def test_a_run_that_breaks_limits_says_so(broken: Path, allocator: Allocator) -> None:
    outcome = allocator("report", "theirs", "--quick")
    assert (outcome.status, outcome.err) == (0, "")
    text = "".join(Page.of((broken / "report.html").read_text("utf-8")).text)
    assert "Breaks limits or terms: not to be approved as it is" in text
    assert "Do not approve this allocation as it is" in text
    assert "book.csv, this run" in text
    assert "(broken)" in text


def test_of_a_huge_book_little_is_solved_and_the_page_says_so(
    reported: Reported, there: Path, allocator: Allocator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("allocator.insight.dossier.HUGE", 5)
    told = allocator("report", "run", "--out", "huge.html", "--json").json
    page = Page.of((there / "huge.html").read_text("utf-8"))
    text = "".join(page.text)
    tried = "no other budget, no dropped limit and no simple rule was tried; 500 years were simulated"
    assert f"Made quickly: {tried}; the most important changes were priced" in text
    assert "None was tried on a book of this size." in text
    assert not {"compare", "frontier"} & told.keys()
    assert [figure for figure in page.figures if figure.value != expected(told, figure)] == []
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)


def test_a_run_that_lends_nothing_is_reported(case: Path, allocator: Allocator) -> None:
    nothing = ("--set", "policy.funding_rate=90%")
    assert allocator("solve", "scenario.yaml", "--out", "run", *nothing).status == 0
    assert allocator("report", "run", "--quick").status == 0
    text = "".join(Page.of((case / "run" / "report.html").read_text("utf-8")).text)
    assert "Lend nothing" in text


REFUSED = {
    "no run": (("nowhere",), "nowhere there is no such folder"),
    "a file": (("scenario.yaml",), "scenario.yaml is a file, not a run's folder"),
    "a folder that is no run": (("empty",), "summary.json is missing"),
    "another format": (("run", "--out", "page.docx"), "no format for the ending .docx"),
    "no folder": (("run", "--out", "nowhere/page.html"), "its folder does not exist"),
    "a file that is there": (("run", "--out", "there.html"), "a file of this name is there"),
    "nothing named": ((), "missing argument"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_reported_is_refused(there: Path, allocator: Allocator, name: str) -> None:
    (there / "empty").mkdir(exist_ok=True)
    (there / "there.html").write_text("mine")
    before = sorted(path.name for path in there.iterdir())
    arguments, told = REFUSED[name]
    outcome = allocator("report", *arguments)
    assert outcome.status == 2
    assert told in outcome.told.lower()
    assert outcome.out == ""
    assert sorted(path.name for path in there.iterdir()) == before
    assert (there / "there.html").read_text() == "mine"


def test_an_altered_run_is_no_page(case: Path, run: Path, allocator: Allocator) -> None:
    path = case / "run" / "allocation.csv"
    lines = path.read_text().splitlines()
    first = next(at for at, line in enumerate(lines) if line.startswith("F01"))
    lines[first] = re.sub(r",\d+\.0,", ",110000.0,", lines[first], count=1)
    path.write_text("\n".join(lines) + "\n")
    outcome = allocator("report", "run")
    assert outcome.status == 5
    assert not (case / "run" / "report.html").exists()


@pytest.mark.full
@pytest.mark.parametrize("width", [390, 1280])
def test_a_browser_shows_everything_inside_the_window(
    crowded: Path, reported: Reported, tmp_path: Path, width: int
) -> None:
    """The page of a small run and one of forty sectors: nothing sticks out, is asked for or goes wrong."""
    pages = [reported.html, (crowded / "run" / "report.html").read_text("utf-8")]
    assert seen_by(tmp_path, pages, [width]) == [f"{width}: 0 outside, no faults"] * 2


@pytest.mark.full
def test_on_paper_no_figure_is_cut_off(crowded: Path, tmp_path: Path) -> None:
    path = crowded / "run" / "report.html"
    words = printed_words(tmp_path, path)
    assert max(right for right, _ in words) <= 595.5  # of A4, in points
    printed = {word.strip(".,;:()") for _, word in words}
    figures = {word for figure in Page.of(path.read_text("utf-8")).figures for word in figure.text.split()}
    assert figures - printed == set()


@pytest.mark.full
def test_the_pdf_has_every_figure_of_the_page(
    reported: Reported, there: Path, allocator: Allocator, tmp_path: Path
) -> None:
    assert allocator("report", "run", "--quick", "--out", tmp_path / "report.pdf").status == 0
    words = words_of(tool("pdftotext", package="poppler-utils"), tmp_path / "report.pdf")
    assert max(right for right, _ in words) <= 595.5
    printed = {word.strip(".,;:()") for _, word in words}
    figures = {word for figure in Page.of(reported.quick).figures for word in figure.text.split()}
    assert figures - printed == set()
