"""Nothing is read, prepared, judged or summed twice in any command; calls are counted as they are made."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from shutil import copytree
from types import CodeType, FrameType
from typing import Any

import pytest

from allocator.borrowers import read_inputs
from allocator.pipeline import prepare
from allocator.records.ledger import account_of
from tests.cli.conftest import Allocator
from tests.conftest import ROOT

YEARS = str(ROOT / "scenarios" / "sme-720-years.yaml")
BY_YEAR = ("--outcome", "default", "--period", "year", "--strategies", "optimal,equal")
GROUND = {"records", "errors", "cli"}


def of_reading(given: dict[str, Any]) -> Any:
    return given["scenario"].document


def of_preparing(given: dict[str, Any]) -> Any:
    scenario, inputs = given["scenario"], given["inputs"]
    return scenario.policy, scenario.response, scenario.strategy, id(inputs.portfolio), id(inputs.churn)


def of_judging(given: dict[str, Any]) -> Any:
    read, decisions = given["read"], given["decisions"]
    decided = decisions.amount.tobytes(), decisions.rate.tobytes()
    return *of_preparing(vars(read)), decided, sorted(given["prices"].items())


def of_summing(given: dict[str, Any]) -> Any:
    return id(given["ledger"])


_JUDGED = import_module("allocator.certification.certify")._judged
WATCHED: dict[CodeType, tuple[str, Callable[[dict[str, Any]], Any]]] = {
    read_inputs.__wrapped__.__code__: ("read", of_reading),  # type: ignore[attr-defined]
    prepare.__code__: ("prepared", of_preparing),
    _JUDGED.__code__: ("judged", of_judging),
    account_of.__code__: ("summed", of_summing),
}


class Calls:
    """What a command did, and which functions below it each module of commands asked."""

    def __init__(self) -> None:
        self.made: list[tuple[str, Any]] = []
        self.asked: defaultdict[str, set[str]] = defaultdict(set)
        self._kept: list[Any] = []

    def see(self, frame: FrameType, event: str, argument: Any) -> None:
        if event != "call":
            return
        watched = WATCHED.get(frame.f_code)
        if watched is not None:
            self._kept.append(dict(frame.f_locals))  # so that no id is used again
            self.made.append((watched[0], watched[1](frame.f_locals)))
        caller, called = frame.f_back, str(frame.f_globals.get("__name__"))
        asking = "" if caller is None else str(caller.f_globals.get("__name__"))
        if asking.startswith("allocator.cli."):
            parts, function = called.split("."), frame.f_code.co_name
            below = parts[0] == "allocator" and len(parts) > 1 and parts[1] not in GROUND
            if below and function != "__init__" and not function.startswith("<"):
                self.asked[asking.removeprefix("allocator.cli.")].add(f"{called}.{function}")

    @property
    def counts(self) -> dict[str, int]:
        return dict(Counter(kind for kind, _ in self.made))


@contextmanager
def counted() -> Iterator[Calls]:
    calls = Calls()
    sys.setprofile(calls.see)
    try:
        yield calls
    finally:
        sys.setprofile(None)


ONCE = {"read": 1, "prepared": 1, "judged": 1, "summed": 1}
RECHECKED = {"read": 1, "judged": 1, "summed": 1}


@pytest.fixture
def runs(case: Path, solved: Path) -> Path:
    """The case with two runs of it in folders, and another scenario."""
    copytree(solved / "run", case / "old")
    copytree(solved / "ruled", case / "ruled")
    (case / "new.yaml").write_text("schema: 1\nextends: scenario.yaml\npolicy: {funding_rate: 1%}\n")
    return case


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("solve", "scenario.yaml", "--out", "again"), ONCE),
        (("verify", "old"), RECHECKED),
        (("explain", "old"), ONCE),
        (("explain", "ruled", "--by", "sector"), ONCE),
        (("explain", "old", "F03"), ONCE),
        (("simulate", "old", "--years", "100"), RECHECKED),
        (("simulate", "scenario.yaml", "--years", "100"), ONCE),
        (("compare", "old", "ruled"), {name: 2 * count for name, count in RECHECKED.items()}),
        (("compare", "old", "ruled", "--years", "100"), {name: 2 * n for name, n in RECHECKED.items()}),
        (
            ("compare", "scenario.yaml", "--strategies", "optimal,equal,greedy"),
            {"read": 1, "prepared": 1, "judged": 3, "summed": 3},
        ),
    ],
    ids=" ".join,
)
def test_a_command_does_everything_once(
    runs: Path, allocator: Allocator, arguments: tuple[str, ...], expected: dict[str, int]
) -> None:
    with counted() as calls:
        assert allocator(*arguments).status == 0
    assert calls.counts == expected


@pytest.mark.parametrize(
    ("arguments", "question"),
    [
        (("explain", "old", "--exact"), "explain.book.explain_book"),
        (("explain", "old", "F03"), "explain.explanation.explain_borrower"),
        (("levers", "old", "--quick"), "whatif.levers.price_levers"),
        (("levers", "ruled", "--quick"), "whatif.levers.price_levers"),
        (("frontier", "scenario.yaml", "--limit", "budget", "--points", "4"), "whatif.spans.follow"),
        (("stress", "scenario.yaml"), "whatif.stress.stress_test"),
        (("stress", "scenario.yaml", "--reverse", "value=0"), "whatif.reverse.reverse_stress"),
        (
            ("stress", "scenario.yaml", "--set", "stresses={bad: {pd: {all: 4}}}", "--worst-of", "base,bad"),
            "whatif.worst.best_in_the_worst",
        ),
        (("simulate", "old", "--years", "100"), "simulate.simulate.simulate"),
        (("distil", "old", "--rules", "3"), "distil.distil.distil"),
        (
            ("backtest", YEARS, *BY_YEAR),
            "backtest.backtest.backtest",
        ),
        (("compare", "old", "new.yaml"), "compare.compare.compare"),
        (("compare", "old", "new.yaml", "--prices-only"), "compare.compare.compare"),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, tuple) else "",
)
def test_one_question_is_asked_and_nothing_is_done_twice(
    runs: Path, allocator: Allocator, arguments: tuple[str, ...], question: str
) -> None:
    with counted() as calls:
        assert allocator(*arguments).status == 0
    again = [kind for place, (kind, key) in enumerate(calls.made) if (kind, key) in calls.made[:place]]
    assert again == []
    command = arguments[0]
    asked = {name for name in calls.asked[command] if name.startswith("allocator.insight.")}
    told = {"compare.sides.read_sides", "backtest.options.check_options", "whatif.spans.check_options"}
    asked -= {f"allocator.insight.{name}" for name in told}
    assert asked == {f"allocator.insight.{question}"}
    views = [name for name in calls.asked[command] if name.startswith("allocator.report.")]
    assert len(views) == 1


def test_compare_asks_the_rooms_below_it_five_times(runs: Path, allocator: Allocator) -> None:
    with counted() as calls:
        assert allocator("compare", "old", "new.yaml").status == 0
    asked = {name for name in calls.asked["compare"] if not name.startswith("allocator.borrowers")}
    assert sorted(asked) == [
        "allocator.insight.compare.compare.compare",
        "allocator.insight.compare.sides.read_sides",
        "allocator.report.comparison.comparison_view",
        "allocator.scenario.loading.load_scenario",
        "allocator.store.reading.read_run",
    ]
