"""Rules on paper and in a database decide what they decide here."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allocator.borrowers import read_inputs
from allocator.insight.distil import DistilledRules, distil
from allocator.pipeline import decide, judge, prepare
from allocator.records.case import Case
from allocator.records.conditions import Condition
from allocator.records.filters import meets
from allocator.report.conditions import in_words
from allocator.report.rules import rules_frame, rules_sql, rules_text
from allocator.scenario import load_scenario
from tests.conftest import ROOT

NAMES = ("sme-302", "sme-302-steps")


@cache
def found(name: str) -> tuple[Case, DistilledRules]:
    scenario = load_scenario(ROOT / "scenarios" / f"{name}.yaml")
    case = prepare(scenario, read_inputs(scenario))
    return case, distil(judge(case, decide(case)), 5)


@pytest.mark.parametrize("name", ["sme-302", pytest.param("sme-302-steps", marks=pytest.mark.full)])
def test_the_query_decides_as_the_rules_do(name: str) -> None:
    case, distilled = found(name)
    agrees(case, distilled, pd.read_csv(ROOT / "scenarios" / "data" / "sme-302.csv"))


def test_the_query_leaves_pinned_offers_to_stand(tmp_path: Path) -> None:
    frame = pd.read_csv(ROOT / "scenarios" / "data" / "sme-302.csv").assign(fixed_amount=np.nan)
    frame["fixed_rate"] = np.nan
    frame.loc[frame.index[frame["grade"] == "A"][:6], ["fixed_amount", "fixed_rate"]] = (250_000.0, 0.085)
    frame.to_csv(tmp_path / "borrowers.csv", index=False)
    source = f"portfolio.source={json.dumps({'csv': str(tmp_path / 'borrowers.csv')})}"
    scenario = load_scenario(ROOT / "scenarios" / "sme-302.yaml", [source])
    case = prepare(scenario, read_inputs(scenario))
    distilled = distil(judge(case, decide(case)), 5)
    assert np.count_nonzero(case.offers.must & (distilled.outcome.ledger.amount > 0)) == 6
    agrees(case, distilled, frame)


def agrees(case: Case, distilled: DistilledRules, borrowers: pd.DataFrame) -> None:
    """The query over `borrowers` gives what the rules decide of all who are not pinned."""
    with sqlite3.connect(":memory:") as connection:
        connection.create_function("FLOOR", 1, np.floor)
        connection.create_function("CEIL", 1, np.ceil)
        borrowers.to_sql("borrowers", connection, index=False)
        rows = connection.execute(rules_sql(distilled)).fetchall()
    ledger = distilled.outcome.ledger
    taken = np.flatnonzero((ledger.amount > 0) & ~case.offers.must)
    expected = [
        (case.inputs.portfolio.borrower_id[i], int(distilled.rule[i]) + 1, ledger.rate[i], ledger.amount[i])
        for i in taken
    ]
    assert rows == expected


@pytest.mark.parametrize("name", NAMES)
def test_the_table_adds_up_to_the_run(name: str) -> None:
    _, distilled = found(name)
    frame = rules_frame(distilled)
    assert frame["value"].sum() == pytest.approx(distilled.outcome.certificate.value, rel=1e-12)
    assert frame["firms"].sum() == np.count_nonzero(distilled.outcome.ledger.amount)


def test_words() -> None:
    where = (Condition("grade", ("A", "B")), Condition("pd", above=0.0124, at_most=0.0414))
    assert in_words(where, {}) == "grade A or B and PD above 1.24% up to 4.14%"
    assert in_words((), {}) == "everyone"
    assert in_words([Condition("max_amount", above=250_000.0)], {}) == "request above 250,000"


def test_of_many_values_those_left_out_are_named() -> None:
    seas = {"region": ("east", "north", "south", "up", "west")}
    assert in_words([Condition("region", ("east", "north", "south", "up"))], seas) == "region other than west"
    assert in_words([Condition("region", ("east", "north"))], seas) == "region east or north"


def test_the_list_ends_with_the_refusal_of_everybody_else() -> None:
    _, distilled = found("sme-302")
    rules, terms = rules_text(distilled).split("\n\nTerms of every offer:\n")
    lines = rules.splitlines()
    assert len(lines) == len(distilled.rules) + 1
    assert lines[-1] == f"{len(lines)}. otherwise: decline"
    assert terms.startswith("- loans of 100,000 to 1,000,000, inside their own ")
    assert ", rounded down to cents; a share below the smallest loan is that loan" in terms


def test_a_rule_names_the_grades_that_may_be_offered_its_rate() -> None:
    """Read as it stands, a rule lends to nobody whom the policy's bands leave out."""
    case, distilled = found("sme-302")
    portfolio, bands = case.inputs.portfolio, case.scenario.policy.rates
    for rule in distilled.rules:
        grades = np.array(portfolio.grade.values)[portfolio.grade.codes[meets(rule.where, portfolio)]]
        for grade in np.unique(grades):
            low, high = bands[grade]
            assert low <= rule.rate <= high


def test_a_query_without_rules_finds_nobody() -> None:
    _, distilled = found("sme-302")
    with sqlite3.connect(":memory:") as connection:
        connection.create_function("FLOOR", 1, np.floor)
        connection.create_function("CEIL", 1, np.ceil)
        pd.read_csv(ROOT / "scenarios" / "data" / "sme-302.csv").to_sql("borrowers", connection, index=False)
        assert connection.execute(rules_sql(replace(distilled, rules=()))).fetchall() == []


def test_a_query_says_what_the_source_called_its_columns() -> None:
    case, distilled = found("sme-302")
    source = replace(case.scenario.portfolio, columns={"pd": "PD12"}, defaults={"lgd": 0.45})
    text = rules_sql(
        replace(distilled, case=replace(case, scenario=replace(case.scenario, portfolio=source)))
    )
    assert text.startswith(
        "-- Columns have the portfolio's names; in the source of the run\n"
        "-- pd was PD12\n-- lgd was 0.45 where there was none\n"
    )
