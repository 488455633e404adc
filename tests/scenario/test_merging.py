"""`extends`: what an heir takes, what it changes, and what can go wrong on the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from allocator.errors import InputError
from allocator.records.stress import StressSource
from allocator.scenario import load_document, load_scenario
from tests.scenario.conftest import Write


def told(path: Path) -> list[str]:
    with pytest.raises(InputError) as caught:
        load_scenario(path)
    return [str(one).replace(f"{path.parent}/", "") for one in caught.value.faults]


def test_mappings_merge_deeply_and_lists_replace(write: Write, base: str) -> None:
    write("base.yaml", base)
    heir = "extends: base.yaml\npolicy: {budget: {spend: exactly}, rates: {A: [5%, 6%], C: [7%, 8%]}}"

    scenario = load_scenario(write("heir.yaml", heir))

    assert scenario.policy.budget.amount == 1e6
    assert scenario.policy.budget.spend == "exactly"
    assert scenario.policy.rates == {"A": (0.05, 0.06), "B": (0.11, 0.135), "C": (0.07, 0.08)}


def test_null_takes_a_key_back(write: Write, base: str) -> None:
    more = "solver: {seed: 3, gap: 1%}\nstress: {pd: {all: 2}}\nstrategy: greedy\n"
    write("base.yaml", base + more)
    heir = """\
extends: base.yaml
solver: {seed: null}
stress: null
strategy:
policy: {rates: {B: null}, limits: [{name: A line, where: null}]}
portfolio: {defaults: {lgd: null}}
"""

    scenario = load_scenario(write("heir.yaml", heir))

    assert (scenario.solver.seed, scenario.solver.gap) == (0, 0.01)
    assert scenario.stress == StressSource()
    assert scenario.strategy.rule == "optimal"
    assert list(scenario.policy.rates) == ["A"]
    assert scenario.policy.limits[0].where == ()
    assert "lgd" not in scenario.portfolio.defaults
    assert load_scenario(write("heir.yaml", heir), ["solver.gap=null"]).solver.gap == 1e-9


def test_null_takes_no_key_that_must_stand(write: Write, base: str) -> None:
    write("base.yaml", base)
    heir = write("heir.yaml", "extends: base.yaml\npolicy:\n  budget: null\n")
    (fault,) = told(heir)
    assert fault.startswith("heir.yaml, line 3, policy.budget: expected a mapping, found nothing; write")


def test_a_source_or_a_strategy_of_another_kind_replaces_the_whole(write: Write, base: str) -> None:
    source = "source: {csv: borrowers.csv, sep: ;}"
    write("base.yaml", base.replace("source: borrowers.csv", source) + "strategy: {min_loss: {share: 90%}}\n")
    for name in ("more.csv", "b.parquet", "book.csv"):
        write(name, "")

    same = load_scenario(write("a.yaml", "extends: base.yaml\nportfolio: {source: {csv: more.csv}}"))
    other = load_scenario(
        write(
            "b.yaml",
            "extends: base.yaml\nportfolio: {source: {parquet: b.parquet}}\nstrategy: {file: book.csv}",
        )
    )

    assert (same.portfolio.kind, same.portfolio.separator) == ("csv", ";")
    assert (other.portfolio.kind, other.portfolio.separator) == ("parquet", ",")
    assert other.strategy.rule == "file"


def test_limits_merge_by_name_where_they_stand(write: Write, base: str) -> None:
    write("base.yaml", base + "    - {name: size, measure: loans, at_least: 10}\n")
    heir = """\
extends: base.yaml
policy:
  limits:
    - {name: losses, measure: expected_loss, at_most: 1%, of: drawn}
    - {name: A line, at_most: null, at_least: 5%, where: {sector: retail}}
"""
    a_line, size, losses = load_scenario(write("heir.yaml", heir)).policy.limits

    assert (a_line.name, a_line.sense, a_line.bound) == ("A line", "at_least", 0.05)
    assert [(test.column, test.values) for test in a_line.where] == [
        ("grade", ("A",)),
        ("sector", ("retail",)),
    ]
    assert (size.name, losses.name) == ("size", "losses")


def test_chains_end_in_the_nearest_word_and_take_no_name(write: Write, base: str) -> None:
    write("deep/base.yaml", base.replace("schema: 1", "schema: 1\nname: base"))
    write("deep/borrowers.csv", "")
    write("deep/churn.csv", "")
    write("middle.yaml", "extends: deep/base.yaml\npolicy: {budget: {amount: 2e6}, funding_rate: 1%}")

    scenario = load_scenario(write("heir.yaml", "extends: middle.yaml\npolicy: {funding_rate: 2%}"))

    assert scenario.name == "heir"
    assert scenario.policy.budget.amount == 2e6
    assert scenario.policy.funding_rate == 0.02


def test_a_path_belongs_to_the_file_that_wrote_it(write: Write, base: str, tmp_path: Path) -> None:
    for name in ("deep/borrowers.csv", "deep/churn.csv", "other.csv"):
        write(name, "")
    write("deep/base.yaml", base)

    scenario = load_scenario(write("heir.yaml", "extends: deep/base.yaml\nresponse: {churn: other.csv}"))

    assert scenario.portfolio.path == tmp_path / "deep" / "borrowers.csv"
    assert scenario.response.churn == tmp_path / "other.csv"


def test_a_fault_names_the_file_that_wrote_the_value(write: Write, base: str) -> None:
    write("deep/base.yaml", base.replace("63%", "630").replace("lgd: 50%", "lgdd: 50%"))
    write("deep/borrowers.csv", "")
    write("deep/churn.csv", "")
    heir = write("heir.yaml", "extends: deep/base.yaml\npolicy:\n  budget: {amount: 5%}")

    assert [one.split(": ")[0] for one in told(heir)] == [
        "deep/base.yaml, line 4, portfolio.defaults.lgdd",
        "deep/base.yaml, line 11, policy.limits[A line].at_most",
        "heir.yaml, line 3, policy.budget.amount",
    ]


def test_a_circle_shows_its_way(write: Write) -> None:
    write("b.yaml", "schema: 1\nextends: c.yaml")
    write("c.yaml", "extends: ./a.yaml")

    faults = told(write("a.yaml", "extends: b.yaml"))

    assert faults == [
        "c.yaml, line 1, extends: the files extend one another: a.yaml -> b.yaml -> c.yaml -> a.yaml; "
        "break the circle"
    ]


def test_a_file_may_not_extend_itself(write: Write) -> None:
    assert told(write("a.yaml", "schema: 1\nextends: a.yaml")) == [
        "a.yaml, line 2, extends: the files extend one another: a.yaml -> a.yaml; break the circle"
    ]


def test_what_a_missing_parent_may_hold_is_not_missed(write: Write, tmp_path: Path) -> None:
    heir = write("heir.yaml", "schema: 1\nextends: nowhere.yaml\npolicy: {budget: {amount: -1}}")

    assert told(heir) == [
        f"heir.yaml, line 2, extends: nowhere.yaml does not exist; "
        f"check the path, which starts from {tmp_path}",
        "heir.yaml, line 3, policy.budget.amount: -1 is negative, expected 0 or more; "
        "write an amount such as 100_000_000",
    ]


def test_a_broken_parent_is_told_with_the_heir(write: Write) -> None:
    write("base.yaml", "schema: 1\npolicy: [")
    heir = write("heir.yaml", "schema: 1\nextends: base.yaml\nsolver: {seed: x}")

    assert [one.split(": ")[0] for one in told(heir)] == [
        "base.yaml, line 2",
        "heir.yaml, line 3, solver.seed",
    ]


@pytest.mark.parametrize("value", ["[base.yaml]", "{file: base.yaml}", "true"])
def test_extends_is_one_path(value: str, write: Write) -> None:
    assert told(write("heir.yaml", f"schema: 1\nextends: {value}")) == [
        "heir.yaml, line 2, extends: expected the path of a scenario file; write one path as text"
    ]


def test_extends_may_hold_variables(write: Write, base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write("base.yaml", base)
    heir = write("heir.yaml", "extends: ${PARENT}.yaml")

    monkeypatch.delenv("PARENT", raising=False)
    assert told(heir) == [
        "heir.yaml, line 1, extends: environment variable PARENT is not set or empty; "
        "set it before you start the command"
    ]
    monkeypatch.setenv("PARENT", "base")
    assert load_scenario(heir).policy.budget.amount == 1e6


def test_two_limits_of_one_name_in_a_file(write: Write, base: str) -> None:
    twice = base + "    - {name: A line, measure: loans, at_least: 10}\n"

    assert told(write("case.yaml", twice)) == [
        "case.yaml, line 12, policy.limits[A line].name: two limits are named 'A line'; "
        "give each limit its own name"
    ]


def test_a_parent_of_another_schema(write: Write, base: str) -> None:
    write("base.yaml", base.replace("schema: 1", "schema: 2"))

    assert told(write("heir.yaml", "schema: 1\nextends: base.yaml")) == [
        "base.yaml, line 1, schema: schema '2' is not known, expected 1; write `schema: 1`"
    ]


def test_a_document_may_extend_a_file(write: Write, base: str, tmp_path: Path) -> None:
    write("base.yaml", base)

    scenario = load_document({"extends": "base.yaml", "policy": {"funding_rate": 0.02}}, tmp_path, "mine")

    assert (scenario.name, scenario.path) == ("mine", None)
    assert scenario.policy.funding_rate == 0.02
    assert scenario.policy.budget.amount == 1e6


def test_an_empty_list_of_limits_takes_all_of_them_back(write: Write, base: str) -> None:
    path = write("base.yaml", base)
    heir = write("heir.yaml", "extends: base.yaml\npolicy: {limits: []}")
    assert load_scenario(path).policy.limits
    assert load_scenario(heir).policy.limits == ()
    assert load_scenario(path, ["policy.limits=[]"]).policy.limits == ()
