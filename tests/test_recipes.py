"""Where a new thing goes (docs/architecture.md): a measure, a strategy, a shock, a source, a formula of
churn and a command, each added to a copy of the package in the files that the page names, and in no other.

Each is made so that the package itself can say the same in another way: what they come to must agree.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.cli.conftest import BORROWERS, CHURN, SCENARIO
from tests.recipe import PACKAGE, Recipe, answers, changed_package

DEFAULTED = """\
def _defaulted(portfolio: Portfolio) -> MeasureTerms:
    return MeasureTerms("drawn", portfolio.pd, counts_exposure=True)


"""
MOST_VALUE = """\
from allocator.engine.greedy import greedy
from allocator.strategies.plan import filled, ready


def most_value(case, optimum, progress):
    return filled(greedy(ready(case)), case.offers)
"""
FEATHER = """\
import pyarrow as pa
from pyarrow import feather

from allocator.tables.opened import OpenedSource, content, existing_file


def open_feather(source):
    held = content(source, existing_file(source))
    return OpenedSource.of(feather.read_table(pa.BufferReader(held)))
"""
GREET = """\
from allocator.cli.output import print_line

EXAMPLE = "Example: allocator greet you"


def greet(name: str) -> None:
    '''Greets by name.'''
    print_line(f"Hello, {name}.")
"""


def above(anchor: str, text: str) -> dict[str, str]:
    """The change that puts `text` before the `anchor`."""
    return {anchor: text + anchor}


MEASURE: Recipe = {
    "records/scenario.py": above('"loans", "value"]', '    "defaulted",\n'),
    "limits/measures.py": above("def _loans(", DEFAULTED)
    | above('    "loans": _loans', '    "defaulted": _defaulted,\n'),
    "certification/measures.py": above(
        '    "loans": CountedMeasure(',
        '    "defaulted": CountedMeasure("drawn", exposed=True, weight=lambda of: of("pd")),\n',
    ),
    "checker.py": above(
        '    "loans": ("loans",', '    "defaulted": ("drawn", True, lambda book: book.pd),\n'
    ),
}
"""Money drawn that is expected to default: the same as money drawn, weighted by pd."""
STRATEGY: Recipe = {
    "records/strategy.py": above('"min_loss"]', '"most_value", '),
    "strategies/most_value.py": {"": MOST_VALUE},
    "strategies/following.py": above(
        "from allocator.strategies.plan", "from allocator.strategies.most_value import most_value\n"
    )
    | above('    "file": from_file', '    "most_value": most_value,\n'),
}
"""What greedy does, under another name."""
SHOCK: Recipe = {
    "records/stress.py": above(
        "    churn: Shock =",
        "    exposure: Shock = field(\n"
        '        default_factory=Shock, metadata={"label": "loans made", "subject": "borrowers"}\n'
        "    )\n",
    ),
    "scenario/stress_schema.py": above(
        "    churn: ChurnShockEntry |",
        '    exposure: ShockEntry | None = None\n    """On what is already lent."""\n',
    ),
    "scoring/shock.py": above(
        "        max_amount=_scaled_amounts(",
        "        exposure=portfolio.exposure * factors_of(stress.exposure, portfolio),\n",
    ),
    "checker.py": above("amount churn rates funding", "exposure ")
    | above('("amount", "max_amount"))', '("exposure",) * 2, '),
}
"""A factor on what is already lent: the same as borrowers who have so much more of it."""
SOURCE: Recipe = {
    "records/sources.py": above(
        '    TableKind("sql"',
        '    TableKind("feather", (".feather",), "A Feather file with one row per borrower."),\n',
    ),
    "tables/feather.py": {"": FEATHER},
}
"""Arrow's own files: the same borrowers as in a CSV file."""
COMMAND: Recipe = {
    "cli/greet.py": {"": GREET},
    "cli/main.py": above("    init,\n    levers,", "    greet,\n")
    | above("    (init.init,", '    (greet.greet, "Greet.", greet.EXAMPLE),\n'),
}
LINEAR = """\
def _linear(curve: Linear) -> Iterator[Decimal]:
    start, slope = Decimal(repr(curve.start)), Decimal(repr(curve.slope))
    for knot in range(KNOTS + 1):
        yield min(Decimal(1), max(Decimal(0), slope * (Decimal(knot) / KNOTS - start)))


"""
LINEAR_ENTRY = """\
class LinearEntry(Typed):
    start: Rate
    slope: Slope


class LinearCurves(Typed):
    linear: dict[Text, LinearEntry]


"""
LINEAR_CHECKED = """\
    "linear": (
        {"start": (0.0, 1.0), "slope": (math.ulp(0.0), 1e4)},
        lambda rate, start, slope: min(Decimal(1), max(Decimal(0), slope * (rate - start))),
    ),
"""
FORMULA: Recipe = {
    "records/curves.py": {
        "ParametricCurve: TypeAlias = Logistic\n": "@dataclass(frozen=True)\nclass Linear:\n"
        "    start: float\n    slope: float\n\n\nParametricCurve: TypeAlias = Logistic | Linear\n",
        '{"logistic": Logistic}': '{"logistic": Logistic, "linear": Linear}',
    },
    "scenario/schema.py": above("class ResponseEntry(", LINEAR_ENTRY)
    | above(
        '        told_by_keys("<file>", CurveEntry', '        | Annotated[LinearCurves, Tag("<linear>")],\n'
    )
    | {
        'Annotated[CurveEntry, Tag("<logistic>")],': 'Annotated[CurveEntry, Tag("<logistic>")]',
        '("<file>", CurveEntry)': '("<file>", LinearCurves, CurveEntry)',
    },
    "pricing/churn.py": above("_SAMPLED:", LINEAR)
    | {"{Logistic: _logistic}": "{Logistic: _logistic, Linear: _linear}"}
    | {"import Logistic, ParametricCurve": "import Linear, Logistic, ParametricCurve"},
    "checker.py": above('    "logistic": (', LINEAR_CHECKED),
}
"""Churn that grows evenly from a rate on: the same as a table of where it begins and where all walk away."""
RECIPES = {
    "a measure": MEASURE,
    "a strategy": STRATEGY,
    "a figure of a stress": SHOCK,
    "a source of borrowers": SOURCE,
    "a churn curve by parameters": FORMULA,
    "a command": COMMAND,
}
EXPOSED = BORROWERS.replace("sector\n", "sector,exposure\n").replace("retail\n", "retail,90000\n")
EXPOSED = re.sub(r"(food|steel)\n", r"\1,10000\n", EXPOSED)
NEW = {
    "measure": [],
    "strategy": ["strategy=most_value"],
    "shock": ["stress={exposure: {all: 2}}"],
    "source": ["portfolio.source=borrowers.feather"],
    "formula": [
        "policy.rate_grid={step: 1%}",
        "response.churn={linear: {A: {start: 2%, slope: 8}, B: {start: 5%, slope: 10}}}",
    ],
}
"""Run -> what it sets; the case itself has a limit by the new measure."""
KNOWN = {
    "measure": [],
    "strategy": ["strategy=greedy"],
    "shock": ["portfolio.source=doubled.csv"],
    "source": [],
    "formula": ["policy.rate_grid={step: 1%}", "response.churn=ramps.csv"],
}
"""The same said without the new things."""


def written(folder: Path, limit: str) -> None:
    """The small case with one more limit, its borrowers with exposure, in three files of their own."""
    folder.mkdir()
    line = f"    - {{name: defaults, {limit}}}\n"
    (folder / "scenario.yaml").write_text(SCENARIO.replace("solver:", f"{line}solver:"))
    (folder / "borrowers.csv").write_text(EXPOSED)
    doubled = pd.read_csv(folder / "borrowers.csv")
    doubled.to_feather(folder / "borrowers.feather")
    doubled.assign(exposure=doubled["exposure"] * 2).to_csv(folder / "doubled.csv", index=False)
    (folder / "churn.csv").write_text(CHURN)
    (folder / "ramps.csv").write_text("rate,A,B\n0.02,0,0\n0.05,0.24,0\n0.145,1,0.95\n0.15,1,1\n")


def solve(name: str, *sets: str) -> list[str]:
    return ["solve", "scenario.yaml", *(part for one in sets for part in ("--set", one)), "--out", name]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `new`, the runs of a package with all new things, and `known`, those of the package."""
    top = changed_package(tmp_path_factory.mktemp("recipes"), *RECIPES.values())
    more = "stresses={more: {exposure: {all: 2}}}"
    written(top / "new", "measure: defaulted, at_most: 32_000")
    commands = [command for name, sets in NEW.items() for command in (solve(name, *sets), ["verify", name])]
    commands += [["stress", "scenario.yaml", "--set", more], ["greet", "you"]]
    *_, stressed, greeting = answers(top, top / "new", commands)
    (top / "stressed").write_text(stressed)
    (top / "greeting").write_text(greeting)
    written(top / "known", "measure: drawn, weight: pd, at_most: 32_000")
    answers(PACKAGE.parent, top / "known", [solve(name, *sets) for name, sets in KNOWN.items()])
    return top


@pytest.mark.parametrize("run", NEW)
def test_a_new_thing_comes_to_what_can_be_said_without_it(run: str, runs: Path) -> None:
    ours, theirs = (json.loads((runs / kind / run / "summary.json").read_text()) for kind in ("new", "known"))
    for key in ("objective", "certified_bound", "offered", "drawn", "interest", "funded"):
        assert ours[key] == pytest.approx(theirs[key], rel=1e-12), key
    for one, other in zip(ours["limits"], theirs["limits"], strict=True):
        assert one["used"] == pytest.approx(other["used"], rel=1e-12)
    assert ours["limits"][-1]["measure"] == "defaulted"


@pytest.mark.parametrize("run", NEW)
def test_the_checker_follows(run: str, runs: Path) -> None:
    checker = runs / "allocator" / "checker.py"
    done = subprocess.run(
        [sys.executable, "-I", str(checker), str(runs / "new" / run)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_pages_call_the_figure_by_its_label_and_the_command_is_there(runs: Path) -> None:
    assert "loans made x 2" in (runs / "stressed").read_text()
    assert (runs / "greeting").read_text() == "Hello, you.\n"


@pytest.mark.parametrize("thing", RECIPES)
def test_the_page_names_every_file(thing: str) -> None:
    page = (PACKAGE.parent / "docs" / "architecture.md").read_text().partition("## Where a new thing goes")[2]
    [row] = [line for line in page.splitlines() if line.startswith(f"| {thing} |")]
    for name in RECIPES[thing]:
        folder, _, file = name.rpartition("/")
        assert f"`{name}`" in row or f"a file in `{folder}/`" in row, file
