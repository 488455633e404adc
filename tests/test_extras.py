"""What a light install lacks is said in one line before anything is done; what it has needs none of it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allocator.cli.main import main
from allocator.errors import InputError
from allocator.extras import EXTRAS, require
from allocator.records.scenario import PortfolioSource
from allocator.scoring.logit import fit_logit
from allocator.store.file import require_file
from allocator.tables import open_source
from tests.cli.conftest import BORROWERS, CHURN, SCENARIO

ROOT = Path(__file__).resolve().parents[1]
CARD = ROOT / "models" / "grades" / "cumcm-2020-v1.json"
HIDDEN = {"excel": "python_calamine", "sql": "sqlalchemy", "pdf": "typst", "scoring": "statsmodels"}
LACKING: dict[str, tuple[list[str], tuple[str, str]]] = {
    "a workbook read": (
        ["check", "scenario.yaml", "--set", "portfolio.source=book.xlsx"],
        ("Excel workbooks need python-calamine", "excel"),
    ),
    "a workbook of invoices": (
        ["score", "--workbook", "book.xlsx", "--scorecard", str(CARD)],
        ("Excel workbooks need python-calamine", "excel"),
    ),
    "a workbook written": (
        ["synth", "--borrowers", "10", "--out", "made.xlsx"],
        ("Excel workbooks need python-calamine", "excel"),
    ),
    "a database": (
        ["solve", "scenario.yaml", "--set", "portfolio.source={sql: 'sqlite:///b.db', query: SELECT 1}",
         "--out", "run"],
        ("databases need sqlalchemy", "sql"),
    ),
    "a picture": (
        ["frontier", "scenario.yaml", "--limit", "budget", "--plot", "made.pdf"],
        ("PDF and PNG files need typst", "pdf"),
    ),
    "a churn curve": (
        ["fit", "churn", "rates.csv", "--out", "made"],
        ("fits by maximum likelihood need statsmodels", "scoring"),
    ),
}  # fmt: skip
"""Command of somebody whose install is light, what it says is needed, and the extra that brings it."""
X, Y = np.array([[0.1], [0.9], [0.4], [0.6], [0.5], [0.2]]), np.array([0.0, 1, 0, 1, 0, 1])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small case and some files, where the commands run without the libraries of any extra."""
    for name, text in (("scenario.yaml", SCENARIO), ("borrowers.csv", BORROWERS), ("churn.csv", CHURN)):
        (tmp_path / name).write_text(text)
    (tmp_path / "book.xlsx").write_bytes(b"")
    rates = pd.DataFrame({"rate": [0.04, 0.08, 0.12], "A": [0.1, 0.4, 0.7]})
    rates.to_csv(tmp_path / "rates.csv", index=False)
    for module in HIDDEN.values():
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("case", LACKING)
@pytest.mark.parametrize("as_json", [False, True])
def test_what_is_lacking_is_said_in_one_line(
    case: str, as_json: bool, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command, (need, extra) = LACKING[case]
    problem, remedy = f"{need}, not installed here", f'pip install "allocator[{extra}]"'
    before = sorted(folder.iterdir())
    assert main([*command, *(["--json"] if as_json else [])]) == 2
    out, err = capsys.readouterr()
    if as_json:
        error = json.loads(out)["error"]
        assert error["code"] == "bad_input"
        assert [(fault["problem"], fault["remedy"]) for fault in error["faults"]] == [(problem, remedy)]
    else:
        assert (out, err.splitlines()[-2:]) == ("", [f"    {problem}", f"    -> {remedy}"])
    assert sorted(folder.iterdir()) == before


def test_from_python_it_is_an_error_of_the_same_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "statsmodels", None)
    for fit in (lambda: fit_logit(X, Y, ["x"], penalty="none"), lambda: require("scoring")):
        with pytest.raises(InputError, match=r"fits .* need statsmodels, not .*\[scoring\]"):
            fit()
    assert fit_logit(X, Y, ["x"], penalty="flic").n == len(Y)


def test_pages_and_drawings_need_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    for name in ("report.html", "value.svg"):
        require_file(tmp_path / name, (".html", ".svg"))
    with pytest.raises(InputError, match=r"PDF and PNG files need typst, not .*\[pdf\]"):
        require_file(tmp_path / "value.pdf", (".pdf",))


def test_a_database_lacks_its_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    source = PortfolioSource("sql", url="postgresql+psycopg://u:p@localhost/d", query="SELECT 1")
    with pytest.raises(InputError, match=r"need psycopg, not .*\[postgresql\]"):
        open_source(source)


def test_every_extra_is_one_that_the_package_offers() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    offered = project["optional-dependencies"]
    base = {name_of(line) for line in project["dependencies"]}
    for name, extra in EXTRAS.items():
        assert {name_of(line) for line in offered[name]} == set(extra.libraries.values())
        assert not base & set(extra.libraries.values())
    assert offered["all"] == [f"allocator[{','.join(sorted(EXTRAS.keys() - {'postgresql'}))}]"]


def name_of(requirement: str) -> str:
    return re.split(r"[\[<>=]", requirement)[0]


LIGHT = """\
import sys
from pathlib import Path


class Without:
    def __init__(self, finder):
        self.finder = finder

    def __getattr__(self, name):
        return getattr(self.finder, name)

    def find_spec(self, name, path=None, target=None):
        hidden = name.partition(".")[0] in {hidden}
        return None if hidden else self.finder.find_spec(name, path, target)


sys.meta_path[:] = map(Without, sys.meta_path)
import pandas as pd
from allocator.cli.main import main

pd.read_csv("borrowers.csv").to_parquet("borrowers.parquet")
for source in ("borrowers.csv", "borrowers.parquet"):
    named = ["scenario.yaml", "--set", f"portfolio.source={{source}}"]
    run = source.partition(".")[2]
    for command in (
        ["check", *named],
        ["solve", *named, "--out", run],
        ["verify", run],
    ):
        assert main(command) == 0, command
"""


def test_what_a_light_install_does_needs_no_extra(tmp_path: Path) -> None:
    for name, text in (("scenario.yaml", SCENARIO), ("borrowers.csv", BORROWERS), ("churn.csv", CHURN)):
        (tmp_path / name).write_text(text)
    hidden = sorted({module for extra in EXTRAS.values() for module in extra.libraries})
    done = subprocess.run(
        [sys.executable, "-c", LIGHT.format(hidden=hidden)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
