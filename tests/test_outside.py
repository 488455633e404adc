"""A package of somebody else (tests/outside), found by its entry points and used from a scenario file."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pandas as pd
import pytest

from allocator import plugins
from tests.cli.conftest import BORROWERS, CHURN, SCENARIO
from tests.recipe import SCRIPT
from tests.test_wheel import PIP, run

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "tests" / "outside"
LIMIT = "    - {name: doubt, measure: doubtful, at_most: 5%, of: drawn}\n"
ORIGIN = "acme-lending 1.0"


def installed(folder: Path, package: Path, name: str = "acme-lending", version: str = "1.0") -> Path:
    """A folder for the path of Python with the package and what an installer writes of its entry points."""
    for source in package.glob("*/*.py"):
        (folder / source.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copy(source, folder / source.parent.name)
    text = (package / "pyproject.toml").read_text()
    groups = re.findall(r'^\[project.entry-points."([\w.]+)"\]\n((?:\w.*\n)+)', text, re.MULTILINE)
    described = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    described.mkdir(parents=True)
    (described / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    points = (f"[{group}]\n{lines}" for group, lines in groups)
    (described / "entry_points.txt").write_text("\n".join(points).replace('"', ""))
    return folder


Install = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Puts the package, under a name and a version, where this process finds it."""

    def put(name: str = "acme-lending", version: str = "1.0") -> Path:
        site = installed(tmp_path / name, PACKAGE, name, version)
        monkeypatch.syspath_prepend(site)
        plugins._found.cache_clear()
        return site

    yield put
    plugins._found.cache_clear()
    for module in [name for name in sys.modules if name.partition(".")[0] == "acme"]:
        del sys.modules[module]


def answers(folder: Path, commands: Sequence[Sequence[str]], *path: Path) -> list[tuple[int, str]]:
    """Status and output of each command in `folder`, with further folders on the path of Python."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.replace("redirect_stdout(io.StringIO()) as out",
         "redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(out)"), json.dumps(commands)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (*path, ROOT))), "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=True,
    )  # fmt: skip
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the package is installed, built and put there by pip without any network."""
    folder = tmp_path_factory.mktemp("site")
    copied = shutil.copytree(PACKAGE, folder / "source")  # builders write beside what they build
    offline = ("--no-deps", "--no-index", "--no-build-isolation", "--no-compile")
    run(sys.executable, *PIP, "install", *offline, "--target", folder / "site", copied, folder=folder)
    return folder / "site"


def written(folder: Path) -> None:
    """The small case with a limit by the measure of the package, its borrowers also as lines of JSON."""
    folder.mkdir()
    (folder / "scenario.yaml").write_text(SCENARIO.replace("solver:", f"{LIMIT}solver:"))
    (folder / "borrowers.csv").write_text(BORROWERS)
    (folder / "churn.csv").write_text(CHURN)
    frame = pd.read_csv(folder / "borrowers.csv")
    (folder / "borrowers.jsonl").write_text(frame.to_json(orient="records", lines=True))
    doubt = (frame["pd"] * frame["lgd"]) ** 0.5
    frame.assign(doubt=doubt.where(frame["pd"] >= 0.01, 0.0)).to_csv(folder / "known.csv", index=False)
    known = LIMIT.replace("measure: doubtful", "measure: drawn, weight: doubt")
    (folder / "known.yaml").write_text(SCENARIO.replace("solver:", f"{known}solver:"))


@pytest.fixture(scope="module")
def runs(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with runs of the package's measure, source and strategy, and of the same said without it."""
    folder = tmp_path_factory.mktemp("runs") / "here"
    written(folder)
    source = ["--set", "portfolio.source={jsonl: borrowers.jsonl}"]
    others = [*source, "--set", "strategy={smallest_first: {first: [B]}}", "--set", "policy.limits=null"]
    commands = [
        ["solve", "scenario.yaml", "--out", "measure"],
        ["solve", "scenario.yaml", *others, "--out", "others"],
        ["solve", "known.yaml", "--set", "portfolio.source=known.csv", "--out", "known"],
        ["verify", "measure", "--exact"],
        ["verify", "others"],
        ["schema"],
    ]
    found = answers(folder, commands, site)
    assert [status for status, _ in found] == [0] * len(commands), found
    (folder / "solved").write_text(found[0][1])
    (folder / "schema").write_text(found[-1][1])
    return folder


def summary(runs: Path, name: str) -> dict[str, object]:
    return dict(json.loads((runs / name / "summary.json").read_text()))


def test_its_measure_comes_to_what_a_column_of_weights_does(runs: Path) -> None:
    ours, theirs = summary(runs, "measure"), summary(runs, "known")
    for key in ("objective", "certified_bound", "drawn", "funded"):
        assert ours[key] == pytest.approx(theirs[key], rel=1e-12)
    assert ours["limits"][-1]["measure"] == "doubtful"  # type: ignore[index]


def test_a_run_says_what_it_was_made_with(runs: Path) -> None:
    expected = {"measure": ["measure doubtful"], "others": ["source jsonl", "strategy smallest_first"]}
    for name, keys in expected.items():
        certificate = json.loads((runs / name / "certificate.json").read_text())
        assert certificate["plugins"] == summary(runs, name)["plugins"] == dict.fromkeys(keys, ORIGIN)
    assert "plugins" not in summary(runs, "known")
    assert "measure doubtful is of the package acme-lending 1.0" in (runs / "solved").read_text()


def test_the_schema_lists_what_is_installed(runs: Path) -> None:
    known = json.loads((runs / "schema").read_text())["$defs"]
    assert known["LimitEntry"]["properties"]["measure"]["enum"][-1] == "doubtful"
    assert known["JsonlSource"]["properties"]["jsonl"]["unit"] == "path"
    assert known["SmallestFirstStrategy"]["required"] == ["smallest_first"]


def test_a_strategy_does_what_it_is_told(runs: Path) -> None:
    offers = pd.read_csv(runs / "others" / "allocation.csv", index_col="borrower_id")["amount"]
    assert offers[["F05", "F06", "F07"]].tolist() == [400_000.0, 600_000.0, 800_000.0]


def checked(run: Path) -> tuple[int, str]:
    checker = ROOT / "allocator" / "checker.py"
    done = subprocess.run(
        [sys.executable, "-I", str(checker), str(run)], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr


def test_the_checker_says_that_it_does_not_know_the_measure(runs: Path) -> None:
    status, said = checked(runs / "measure")
    assert status == 2
    assert "the measure doubtful is of the package acme-lending 1.0: this file checks offered, " in said
    assert checked(runs / "others") == (0, "")


def test_faults_name_the_package_or_the_file(runs: Path, site: Path) -> None:
    """Of runs that hide or invent what they were made with, and of a file that the package cannot read."""
    invented = {"plugins": {"measure doubtful": ORIGIN}}
    for name, stated in (("others", {}), ("known", invented)):
        forged = shutil.copytree(runs / name, runs / f"{name} forged")
        for file in ("certificate.json", "summary.json"):
            document = json.loads((forged / file).read_text())
            document.pop("plugins", None)
            (forged / file).write_text(json.dumps({**document, **stated}))
    assert checked(runs / "known forged")[0] == 5
    (runs / "broken.jsonl").write_text("{}\n[")
    unread = ["check", "scenario.yaml", "--set", "portfolio.source={jsonl: broken.jsonl}"]
    hidden, made_up, unreadable = answers(
        runs, [["verify", "others forged"], ["verify", "known forged"], unread], site
    )
    for status, said in (hidden, made_up):
        assert (status, "not what the scenario names" in said) == (5, True)
    assert (unreadable[0], "acme-lending 1.0 cannot read it: Expecting value" in unreadable[1]) == (2, True)


def test_verify_asks_for_the_package_that_a_run_was_made_with(runs: Path) -> None:
    [(status, said)] = answers(runs, [["verify", "measure"]])
    assert status == 2
    assert "measure doubtful of the package acme-lending 1.0, which is not installed\n" in said
    assert 'pip install "acme-lending==1.0"' in said
