"""A small case in a folder of its own, and the command run inside or beside the test's process."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from allocator.cli.main import main

SCENARIO = """\
schema: 1
name: small
portfolio:
  source: borrowers.csv
response:
  churn: churn.csv
policy:
  budget: {amount: 3_000_000}
  ticket: {min: 100_000, max: 1_000_000, step: 10_000}
  rates: {A: [4%, 11%], B: [11%, 15%]}
  limits:
    - {name: A line, measure: offered, where: {grade: A}, at_most: 63%, of: budget}
    - {name: sectors, measure: offered, each: sector, at_most: 60%, of: total}
    - {name: loss rate, measure: expected_loss, at_most: 3%, of: drawn}
solver: {time_limit: 20}
"""
BORROWERS = """\
borrower_id,grade,pd,lgd,max_amount,sector
F01,A,0.005,0.45,500000,retail
F02,A,0.008,0.45,300000,food
F03,A,0.004,0.45,900000,steel
F04,A,0.010,0.45,700000,retail
F05,B,0.020,0.45,400000,food
F06,B,0.030,0.45,600000,steel
F07,B,0.025,0.45,800000,retail
F08,B,0.900,0.90,200000,food
F09,C,0.050,0.45,300000,food
F10,A,0.006,0.45,50000,steel
"""
CHURN = """\
rate,A,B
0.04,0,0
0.0465,0.1357,0.1350
0.08,0.5,0.45
0.11,0.7,0.65
0.13,0.8,0.75
0.15,0.9,0.85
"""

RUN = "import sys; from allocator.cli.main import main; sys.exit(main())"
"""What the installed command does."""


def write_case(folder: Path) -> None:
    """The three files of a small case that solves."""
    (folder / "scenario.yaml").write_text(SCENARIO)
    (folder / "borrowers.csv").write_text(BORROWERS)
    (folder / "churn.csv").write_text(CHURN)


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a small case that solves, and the working directory of the test."""
    write_case(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def solved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder `run` of the small case and `ruled` of the rule `equal`, solved once."""
    folder = tmp_path_factory.mktemp("solved")
    write_case(folder)
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()):
        patch.chdir(folder)
        assert main(["solve", "scenario.yaml", "--out", "run"]) == 0
        assert main(["solve", "scenario.yaml", "--set", "strategy=equal", "--out", "ruled"]) == 0
    return folder


@pytest.fixture
def run(case: Path, solved: Path) -> Path:
    """The run of the small case in its folder, for the test alone."""
    return copytree(solved / "run", case / "run")


@dataclass(frozen=True)
class Outcome:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON object on standard output."""
        return json.loads(self.out, parse_constant=pytest.fail)

    @property
    def told(self) -> str:
        """What was said on standard error, with single blanks for line breaks."""
        return re.sub(r"\s+", " ", self.err)


Allocator = Callable[..., Outcome]


@pytest.fixture
def allocator(capsys: pytest.CaptureFixture[str]) -> Allocator:
    """Run the command in this process."""

    def run(*arguments: str | Path) -> Outcome:
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        return Outcome(status, *capsys.readouterr())

    return run


@pytest.fixture
def broken(case: Path, allocator: Allocator) -> Path:
    """The folder `theirs` of a book of another team's, which breaks the budget and four bands."""
    rows = "".join(f"F0{at},500000,0.08\n" for at in (1, 2, 3, 4, 5, 6, 7, 8))
    (case / "book.csv").write_text(f"borrower_id,amount,rate\n{rows}")
    solved = allocator("solve", "scenario.yaml", "--set", "strategy={file: book.csv}", "--out", "theirs")
    assert solved.status == 0, solved.err
    return case / "theirs"


def start(*arguments: str | Path, **options: Any) -> subprocess.Popen[str]:
    """Start the command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", RUN, *map(str, arguments)],
        stdout=options.pop("stdout", subprocess.PIPE),
        stderr=options.pop("stderr", subprocess.PIPE),
        text=True,
        env={**os.environ, **options.pop("env", {})},
        **options,
    )


def finish(process: subprocess.Popen[str], seconds: float = 60) -> Outcome:
    out, err = process.communicate(timeout=seconds)
    return Outcome(process.returncode, out or "", err or "")
