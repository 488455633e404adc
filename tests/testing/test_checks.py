"""The checks of allocator.testing: what is ours passes them, and what breaks a rule is told which."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from allocator.errors import InputError
from allocator.plugins import PluginMeasure, PluginSource, plugin_of
from allocator.records.scenario import PortfolioSource
from allocator.strategies import Plan, options_of, served
from allocator.testing import check_measure, check_source, check_strategy
from allocator.testing.sources import check_same_borrowers
from tests.test_outside import Install, install  # noqa: F401

BORROWERS = {
    "borrower_id": ["F3", "F1", "F2"],
    "grade": ["A", "B", "A"],
    "pd": [0.01, 0.02, 0.005],
    "lgd": [0.45, 0.4, 0.9],
    "max_amount": [500_000.0, None, 200_000.0],
    "sector": ["retail", "food", "retail"],
    "score": [1.5, -2.0, 0.25],
}


def written(kind: str, folder: Path) -> PortfolioSource:
    """The borrowers as a source of our own."""
    frame, path = pd.DataFrame(BORROWERS), folder / f"borrowers.{kind}"
    if kind == "sql":
        with sqlite3.connect(path) as database:
            frame.to_sql("borrowers", database, index=False)
        return PortfolioSource("sql", url=f"sqlite:///{path}", query="SELECT * FROM borrowers")
    if kind == "xlsx":
        frame.to_excel(path, index=False, engine="xlsxwriter")
    else:
        {"csv": frame.to_csv, "parquet": frame.to_parquet}[kind](path, index=False)
    return PortfolioSource(kind, path)


@pytest.mark.parametrize("kind", ["csv", "parquet", "xlsx", "sql"])
def test_every_source_of_ours_reads_the_same_borrowers(kind: str, tmp_path: Path) -> None:
    check_same_borrowers(written(kind, tmp_path), BORROWERS)


def test_what_another_package_brings_passes(install: Install) -> None:  # noqa: F811
    install()
    things = [("measure", "doubtful"), ("strategy", "smallest_first"), ("source", "jsonl")]
    measure, strategy, source = (plugin_of(kind, name, ()).thing for kind, name in things)
    check_measure(measure)
    check_strategy(strategy, seeds=(1, 2), largest=80)
    rows = [dict(zip(BORROWERS, cells, strict=True)) for cells in zip(*BORROWERS.values(), strict=True)]
    check_source(source, "\n".join(map(json.dumps, rows)).encode(), BORROWERS)


@pytest.mark.parametrize("basis", ["drawn", "interest"])
def test_a_weight_that_looks_at_others_is_found(basis: str) -> None:
    check_measure(PluginMeasure(basis, ("scope3",), np.sqrt))
    with pytest.raises(AssertionError, match=r"what offers use of the engine's rows: .*, by the plain rules"):
        check_measure(PluginMeasure(basis, ("pd",), lambda pd: pd / (1 + pd.max())))


def everything(case, optimum, progress):
    """To everybody all that he asks for, at the first rate, whatever the limits."""
    offers = case.offers
    rate = np.array([*(menu.rates[0] for menu in offers.menus), 0.0])[offers.menu]
    amount = np.where(offers.menu >= 0, offers.high, 0.0)
    why = np.where(amount > 0, "", "no luck").astype(object)
    return Plan(offers, options_of(offers, amount, rate), amount, why)


def unsaid(case, optimum, progress):
    """What is ours, with a reason that nobody can recheck."""
    plan = served(case, np.arange(len(case.offers)))
    return Plan(plan.offers, plan.option, plan.amount, np.where(plan.why != "", "no luck", "").astype(object))


def wavering() -> Callable[..., Plan]:
    draw = np.random.default_rng(0)

    def decide(case, optimum, progress):
        return served(case, draw.permutation(len(case.offers)))

    return decide


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (everything, "which nothing but its own offers breaks"),
        (unsaid, "is told 'no luck', where the inputs give"),
        (wavering(), "gets other decisions the second time"),
    ],
)
def test_a_strategy_that_breaks_a_rule_is_told_which(rule: Callable[..., Plan], says: str) -> None:
    with pytest.raises(AssertionError, match=says):
        check_strategy(rule, largest=80)


@pytest.mark.parametrize(
    ("read", "says"),
    [
        (lambda content: pa.table({"borrower_id": ["F1"]}), r"its columns are \('borrower_id',\), expected"),
        (lambda content: pa.table({**BORROWERS, "pd": [0.01, 0.02, 1 / content[0]]}), "read once, pd is"),
    ],
)
def test_a_source_that_reads_other_borrowers_is_found(read: Callable[[bytes], pa.Table], says: str) -> None:
    with pytest.raises(AssertionError, match=says):
        check_source(PluginSource(read), b"content", BORROWERS)


def test_a_source_that_fails_otherwise_than_by_a_valueerror_is_found() -> None:
    def read(content: bytes) -> pa.Table:
        if content != b"content":
            raise KeyError("content")
        return pa.table(BORROWERS)

    with pytest.raises(AssertionError, match=r"of no bytes it does not raise ValueError: (.|\n)*KeyError"):
        check_source(PluginSource(read), b"content", BORROWERS)


def test_code_that_fails_is_no_failed_check() -> None:
    with pytest.raises(InputError, match="the package under test 0 failed: ZeroDivisionError"):
        check_measure(PluginMeasure("drawn", ("pd",), lambda pd: 1 // 0))
