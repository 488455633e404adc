"""Limits on capital from end to end: every allocation tried, both methods, runs rechecked, runs forged."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from allocator import checker
from allocator.cli.main import main
from allocator.errors import InputError
from allocator.limits import compile_limits
from allocator.records.risk import CapitalRule, TailRule
from allocator.risk.capital import capital_of
from allocator.risk.tail import tail_loss_of
from allocator.testing import plain
from allocator.testing.books import random_case
from tests.builders import Case, limit, policy, portfolio
from tests.cases import RICH
from tests.engine.brute_force import best_value, solved_to
from tests.engine.test_methods import methods_agree
from tests.forgery.runs import Files, solved
from tests.strategies import cases, limits_around, random_cases

RETAIL = CapitalRule(asset_class="retail", supporting_factor=True)
IRB = TailRule(0.99, None, RETAIL)


@st.composite
def cases_with_risk(draw: DrawFn) -> Case:
    case = draw(cases(limits=1))
    sample = [draw(st.sampled_from(plain.alternatives(case, i))) for i in range(len(case.portfolio))]
    risk = draw(limits_around(case, sample, "risk", ("capital", "tail_loss")))
    return case.under(limits=(*case.policy.limits, risk))


@random_cases(15, full=500)
@given(cases_with_risk())
def test_the_optimum_and_the_verdict_of_brute_force(case: Case) -> None:
    solved_to(case, best_value(case))


def with_risk(seed: int, method: str, largest: int) -> Case:
    """A random book with a capital and a tail that about half of its borrowers would exceed on their own."""
    case = random_case(seed, method, largest)
    draw = np.random.default_rng(seed)
    room, p = draw.choice([0.9, 1.0, 1.1], 2), case.portfolio
    capital, tail = (
        limit(f"{name} rule", name, "at_most", float(np.median(weights) * size), of="drawn", rule=rule)
        for name, weights, size, rule in (
            ("capital", capital_of(RETAIL, p), room[0], RETAIL),
            ("tail_loss", tail_loss_of(IRB, p), room[1], IRB),
        )
    )
    return case.under(limits=(*case.policy.limits, capital, tail))


def check_agreement(seed: int, largest: int) -> None:
    methods_agree(lambda method: with_risk(seed, method, largest))


@pytest.mark.parametrize("seed", range(6))
def test_reduced_and_exact_agree(seed: int) -> None:
    check_agreement(seed, 200)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(200))
def test_reduced_and_exact_agree_everywhere(seed: int) -> None:
    check_agreement(seed, 2_000)


CAPITAL = RICH.replace("name: rich", "name: capital").replace(
    "  limits:\n",
    "  capital: {asset_class_by: segment, turnover: carbon, turnover_unit: 0.0001, maturity: 3}\n"
    "  tail: {confidence: 99%, correlation: irb}\n"
    "  limits:\n"
    "    - {name: capital, measure: capital, at_most: 90_000}\n"
    "    - {name: sector capital, measure: capital, each: sector, at_most: 9%, of: drawn}\n"
    "    - {name: tail, measure: tail_loss, at_most: 6%, of: drawn}\n",
)
"""Classes by a column, sales of 3 to 17 millions, and a capital that binds."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return solved(
        tmp_path_factory.mktemp("capital") / "case", CAPITAL, segment=("sme", "corporate", "retail")
    )


def test_a_run_is_confirmed_by_all_three(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert Files(run).json("certificate.json")["prices"]["capital"] > 0
    assert main(["verify", str(run), "--exact"]) == 0
    assert checker.main([str(run)]) == 0


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("maturity: 3", "maturity: 3.1"),
        ("corporate\n    asset_class_by: segment", "sme\n    asset_class_by: null"),
        ("supporting_factor: false", "supporting_factor: true"),
        ("pd_floor: 0.0005", "pd_floor: 0.02"),
        ("lgd_floor: 0", "lgd_floor: 0.46"),
        ("turnover_unit: 0.0001", "turnover_unit: 0.0002"),
        ("confidence: 0.99", "confidence: 0.991"),
        ("correlation: irb", "correlation: 0.2"),
    ],
)
def test_another_rule_is_another_run(
    before: str, after: str, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(run.parent, tmp_path / "case")
    files = Files(tmp_path / "case" / "run")
    files.scenario(before, after)
    assert main(["verify", str(files.run)]) == 5
    assert main(["verify", str(files.run), "--exact"]) == 5
    assert checker.main([str(files.run)]) == 5


def test_classes_that_are_none_are_named_and_only_small_firms_need_sales() -> None:
    """Of a class that is not known, or not given, by row."""
    kinds = {"kind": ["sme", None, "Retail", "corporate"]}
    book = portfolio(["A"] * 4, texts=kinds, numbers={"turnover": [np.nan] * 4})
    rule: Any = CapitalRule(asset_class_by="kind")
    with pytest.raises(InputError) as error:
        compile_limits(policy(1e6, limit("cap", "capital", "at_most", 1e5, rule=rule)), book)
    assert [str(fault) for fault in error.value.faults] == [
        "borrowers.csv, row 1, turnover: limit 'cap' measures capital by turnover, which is missing in "
        "1 row; fill the column",
        "borrowers.csv, row 2, kind: limit 'cap' measures capital by kind, which is none of corporate, sme, "
        "retail in 2 rows; write one of them",
    ]


def test_sales_that_are_missing_or_negative_are_named() -> None:
    book = portfolio(["A"] * 4, numbers={"turnover": [1.0, np.nan, np.nan, -2.0]})
    rule: Any = CapitalRule(asset_class="sme")
    with pytest.raises(InputError) as error:
        compile_limits(policy(1e6, limit("cap", "capital", "at_most", 1e5, rule=rule)), book)
    assert [str(fault) for fault in error.value.faults] == [
        "borrowers.csv, row 2, turnover: limit 'cap' measures capital by turnover, which is missing in "
        "2 rows; fill the column",
        "borrowers.csv, row 4, turnover: limit 'cap' measures capital by turnover, which is negative in "
        "1 row; write 0 or more",
    ]
