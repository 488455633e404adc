"""Nothing that stands in a file reaches a terminal unseen: pages, lines, progress and messages alike."""

from __future__ import annotations

import io
import re
import sys
import unicodedata
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Group
from rich.table import Table
from rich.text import Text

from allocator.cli.output import print_page
from allocator.report.visible import visible
from tests.cli.conftest import Allocator
from tests.strategies import random_cases

HOSTILE = (
    "\x1b[31mred\x1b[0m",
    "\x1b]0;pwn\x07t",
    "b\x1b[2Jc",
    "\x9b31m",
    "a\u202eb",
    "x\x7fy",
    "two\nlines",
)
"""Colours, titles, erasing, an 8-bit CSI, a turned text, DEL, a forged line."""
STYLES = re.compile(r"\x1b\[[0-9;]*m")
SCENARIO = """\
schema: 1
name: hostile
portfolio: {source: "ids\\u202e.csv"}
response: {churn: churn.csv}
policy:
  budget: {amount: 1_000_000}
  ticket: {min: 10_000, max: 1_000_000}
  rates: {A: [5%, 12%], "\\e[31mB": [5%, 12%]}
  limits: [{name: sec, measure: offered, each: "\\esector", at_most: 450_000}]
"""


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose identifiers, values, grades, columns and file names steer terminals."""
    grades = ("\x1b[31mB", "A")
    rows = "".join(
        f'"{name}","{grades[at % 2]}",0.0{at + 1},0.4,{200_000 + 10_000 * at},"{name}"\n'
        for at, name in enumerate(HOSTILE)
    )
    (tmp_path / "ids\u202e.csv").write_text(f'borrower_id,grade,pd,lgd,max_amount,"\x1bsector"\n{rows}')
    (tmp_path / "churn.csv").write_text("rate,A,\x1b[31mB\n0.05,0.1,0.1\n0.08,0.4,0.3\n0.12,0.8,0.6\n")
    (tmp_path / "scenario.yaml").write_text(SCENARIO)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("ending", ["svg", "html"])
def test_pictures_show_escapes_too(hostile: Path, allocator: Allocator, ending: str) -> None:
    scenario = hostile / "scenario.yaml"
    text = scenario.read_text().replace("name: sec,", "name: $x$y$,")
    scenario.write_text(text)
    told = allocator("compare", scenario, "--by", "\x1bsector", "--strategies", "optimal,greedy",
                     "--plot", f"x.{ending}")  # fmt: skip
    assert told.status == 0, told.err
    drawn = (hostile / f"x.{ending}").read_text("utf-8")
    if ending == "svg":
        ElementTree.fromstring(drawn)
    assert not any(name in drawn for name in HOSTILE)


def unseen(text: str) -> list[str]:
    return [sign for sign in text if not (sign.isprintable() or sign == "\n")]


COMMANDS = (
    "check scenario.yaml",
    "verify run",
    "explain run",
    "explain run --by \x1bsector",
    "explain run b\x1b[2Jc",
    "explain run \x1bnobody",
    "compare scenario.yaml --by \x1bsector --strategies optimal,greedy",
    "levers run --quick",
    "frontier scenario.yaml --limit sec --points 2",
    "frontier scenario.yaml --limit \x1bnone",
    "stress scenario.yaml --verbose",
    "simulate run --years 200 --by \x1bsector",
    "distil run --rules 3",
    "check \x1bnowhere.yaml",
    "check scenario.yaml --set policy.\x1bbudget=3",
)


def test_every_command_shows_what_cannot_be_seen_as_escapes(hostile: Path, allocator: Allocator) -> None:
    solved = allocator("solve", "scenario.yaml", "--out", "run")
    assert (solved.status, unseen(solved.out + solved.err)) == (0, [])
    for command in COMMANDS:
        outcome = allocator(*command.split(" "))
        assert unseen(outcome.out + outcome.err) == [], command
    assert r"\x1b]0;pwn\x07t" in allocator("explain", "run", "--by", "\x1bsector").out
    # Files are data: they hold the identifiers as they are.
    assert "\x1b[31mred\x1b[0m" in (hostile / "run" / "allocation.csv").read_text("utf-8")


@random_cases(few=60, full=600)
@given(st.text(max_size=8), st.booleans())
def test_whatever_a_page_holds_only_its_own_styles_reach_the_terminal(text: str, terminal: bool) -> None:
    table = Table(text)
    table.add_column(Text(text), Text(text))
    table.add_row(text, Text(text, style="red"))
    written = io.StringIO()
    written.isatty = lambda: terminal  # type: ignore[method-assign]
    before, sys.stdout = sys.stdout, written
    try:
        print_page(Group(text, Text(text, style="bold"), table))
    finally:
        sys.stdout = before
    shown = STYLES.sub("", written.getvalue())
    assert [
        sign for sign in unseen(shown) if unicodedata.category(sign) != "Zs" and sign not in "\u200c\u200d"
    ] == []


@pytest.mark.parametrize("text", ["Ångström AG", "深圳市  \u3000有限公司", "می\u200cخواهم", "\xa0"])
def test_names_in_any_script_stay_as_they_are(text: str) -> None:
    assert visible(text) == text


@given(st.text())
@random_cases(few=100, full=1000)
def test_what_is_shown_is_shown_once(text: str) -> None:
    shown = visible(text)
    assert visible(shown) == shown
    assert (shown == text) == all(sign == visible(sign) for sign in text)
