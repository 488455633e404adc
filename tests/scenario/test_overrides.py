"""--set lays single values over a scenario."""

from __future__ import annotations

from pathlib import Path

import pytest

from allocator.errors import InputError
from allocator.scenario import load_scenario
from allocator.scenario.loading import Changes
from allocator.scenario.overrides import Setting, settings_of
from tests.scenario.conftest import BASE, Faults, Write


def test_values_are_yaml_and_the_last_word_holds(write: Write, base: str) -> None:
    sets = (
        "policy.limits[A line].at_most=10%",
        "policy.rates.A=[4%, 10%]",
        "policy.rates.NO=[1%, 2%]",
        "policy.funding_rate = 1%",
        "policy.funding_rate=2%",
        "solver={threads: 1, seed: 7}",
        "name=other",
    )
    scenario = load_scenario(write("case.yaml", base), sets)

    assert scenario.policy.limits[0].bound == 0.1
    assert scenario.policy.rates == {"A": (0.04, 0.1), "B": (0.11, 0.135), "NO": (0.01, 0.02)}
    assert scenario.policy.funding_rate == 0.02
    assert (scenario.solver.threads, scenario.solver.seed) == (1, 7)
    assert scenario.name == "other"


def test_a_limit_may_have_dots_and_signs_in_its_name(write: Write, base: str) -> None:
    path = write("case.yaml", base.replace("name: A line", "name: a=b.c 2.5%"))

    assert load_scenario(path, ["policy.limits[a=b.c 2.5%].at_most=0.2"]).policy.limits[0].bound == 0.2


def test_a_grade_with_a_dot_goes_in_brackets(write: Write, base: str) -> None:
    scenario = load_scenario(write("case.yaml", base), ["policy.rates[A.1]=[1%, 2%]"])

    assert scenario.policy.rates["A.1"] == (0.01, 0.02)


def test_a_bound_is_exchanged_by_null(write: Write, base: str) -> None:
    sets = ["policy.limits[A line].at_most=null", "policy.limits[A line].at_least=5%"]

    limit = load_scenario(write("case.yaml", base), sets).policy.limits[0]

    assert (limit.sense, limit.bound) == ("at_least", 0.05)


def test_a_path_starts_from_the_working_directory(
    write: Write, base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("elsewhere/mine.csv", "")
    monkeypatch.chdir(tmp_path / "elsewhere")

    scenario = load_scenario(write("case.yaml", base), ["response.churn=mine.csv"])

    assert scenario.response.churn == tmp_path / "elsewhere" / "mine.csv"


def test_sections_keep_the_lines_of_their_file(faults: Faults) -> None:
    text = BASE.replace("{amount: 1_000_000}", "{}")

    assert faults(text, ["policy.budget.spend=exactly"]) == [
        "case.yaml, line 7, policy.budget.amount: the key is missing; add `amount: 100_000_000`"
    ]


REFUSED = {
    "policy.funding_rat=1%": (
        "--set, policy.funding_rat: unknown key 'funding_rat'; did you mean funding_rate?"
    ),
    "polcy.funding_rate=1%": "--set, polcy: unknown key 'polcy'; did you mean policy?",
    "policy.limits[A lin].at_most=1%": (
        "--set, policy.limits[A lin].at_most: no limit is named 'A lin'; did you mean policy.limits[A line]?"
    ),
    "policy.limits[size].at_most=1": (
        "--set, policy.limits[size].at_most: no limit is named 'size'; the limits are A line"
    ),
    "policy.limits[A line].at_mots=1%": (
        "--set, policy.limits[A line].at_mots: unknown key 'at_mots'; did you mean at_most?"
    ),
    "policy.limits[A line].name=B line": (
        "--set, policy.limits[A line].name: a limit is set key by key, its name aside; "
        "write one of its other keys, as policy.limits[NAME].at_most"
    ),
    "policy.limits[A line]={at_most: 1%}": (
        "--set, policy.limits[A line]: a limit is set key by key, its name aside; "
        "write one of its other keys, as policy.limits[NAME].at_most"
    ),
    "policy.limits[A line].at_most=630": (
        "--set, policy.limits[A line].at_most: 630 would be 63,000 %, expected 0% to 100%; "
        "write a percentage such as 63% or a fraction such as 0.63"
    ),
    "policy.budget.amount": (
        "--set: 'policy.budget.amount' is no key and value; write key=value, as policy.budget.amount=5e7"
    ),
    "=5": "--set: '=5' is no key and value; write key=value, as policy.budget.amount=5e7",
    "policy..budget=5": (
        "--set, policy..budget: a part of the key is empty; write keys with one dot between them"
    ),
    "extends=x.yaml": "--set, extends: a file's parent cannot be set here; write `extends` in the file",
    "policy.rates.A=[4%": (
        "--set, policy.rates.A: no valid YAML: expected ',' or ']', but got '<stream end>'; "
        "check indentation, brackets, quotes and colons"
    ),
    "policy.budget.amount=": (
        "--set, policy.budget.amount: nothing is not an amount such as 100_000_000; "
        "write an amount such as 100_000_000"
    ),
}


@pytest.mark.parametrize("setting", REFUSED)
def test_what_cannot_be_set_is_told(setting: str, faults: Faults) -> None:
    assert faults(BASE, [setting]) == [REFUSED[setting]]


def test_every_setting_is_told_together_with_the_file(faults: Faults) -> None:
    told = faults(BASE.replace("lgd: 50%", "lgd: 2"), list(REFUSED))

    assert set(REFUSED.values()) <= set(told)
    assert any(one.startswith("case.yaml, line 4, portfolio.defaults.lgd: 2 would be 200 %") for one in told)


@pytest.mark.parametrize(
    "sets",
    [
        {"policy": {"budget": {"amount": 5e7}, "limits": {"A line": {"at_most": "10%"}}}},
        {"policy.budget.amount": 50_000_000, "policy.limits[A line].at_most": 0.1},
        {"policy": {"budget.amount": 5e7, "limits": [{"name": "A line", "at_most": 0.1}]}},
        ["policy.budget.amount=5e7", "policy.limits[A line].at_most=10%"],
        ["policy.budget.amount=5e7", {"policy.limits[A line]": {"at_most": 0.1}}],
        ({"policy.budget": {"amount": 5e7}}, "policy.limits[A line].at_most=10%"),
    ],
)
def test_python_may_nest_dot_write_and_list_them(write: Write, base: str, sets: object) -> None:
    scenario = load_scenario(write("case.yaml", base), changes=Changes(settings_of(sets)))

    assert scenario.policy.budget.amount == 5e7
    assert [(limit.name, limit.measure, limit.bound) for limit in scenario.policy.limits] == [
        ("A line", "offered", 0.1)
    ]


def test_python_may_give_one_text_or_none(write: Write, base: str) -> None:
    path = write("case.yaml", base)

    assert load_scenario(path, changes=Changes(settings_of("name=other"))).name == "other"
    assert load_scenario(path, changes=Changes(settings_of(None))).name == "case"


def test_a_setting_from_python_that_cannot_be_says_where_and_what_to_write(write: Write, base: str) -> None:
    sets = {"policy": {"limits": {"B line": {"at_most": 0.1}}, "budget": {"amount": "much"}}, "extends": "x"}
    with pytest.raises(InputError) as caught:
        load_scenario(write("case.yaml", base), changes=Changes(settings_of(sets), place="sets"))
    assert [str(fault) for fault in caught.value.faults] == [
        "sets, policy.limits[B line].at_most: no limit is named 'B line'; "
        "did you mean policy.limits[A line]?",
        "sets, extends: a file's parent cannot be set here; write `extends` in the file",
        "sets, policy.budget.amount: 'much' is not an amount such as 100_000_000; "
        "write an amount such as 100_000_000",
    ]


@pytest.mark.parametrize("sets", [42, {"a", "b"}, [1]])
def test_what_sets_nothing_is_refused(sets: object) -> None:
    with pytest.raises(InputError, match=r'sets: .*; write \{"policy.budget.amount": 5e7\}, or "policy'):
        settings_of(sets)


NOTHING = "changes nothing, it stands so without it"


def test_what_is_set_and_changes_nothing_is_said(write: Write, base: str) -> None:
    path = write("case.yaml", base)
    sets = [
        "policy.budget.amount=1_000_000",
        "policy.limits=[{name: A line, measure: offered}]",
        "stress=null",
        "policy.funding_rate=3%",
        "policy.funding_rate=3%",
        "policy.limits[A line].at_most=62%",
    ]
    scenario = load_scenario(path, sets)
    assert scenario.notes == tuple(
        f"--set, {key}: {NOTHING}"
        for key in ("policy.budget.amount", "policy.limits", "stress", "policy.funding_rate")
    )
    assert scenario == load_scenario(path, sets[3:])
    assert load_scenario(path).notes == ()


def test_the_last_limit_that_goes_is_no_change_of_nothing(write: Write, base: str) -> None:
    path = write("case.yaml", base)
    assert load_scenario(path, ["policy.limits=[]"]).notes == ()
    assert load_scenario(path, ["policy.limits=[]", "policy.limits=[]"]).notes == (
        f"--set, policy.limits: {NOTHING}",
    )


def test_an_argument_that_changes_nothing_needs_no_word(write: Write, base: str) -> None:
    path = write("case.yaml", base + "strategy: greedy\n")
    given = Setting(("strategy",), "greedy", "strategy")
    assert load_scenario(path, changes=Changes([given])).notes == ()
    told = load_scenario(path, changes=Changes([Setting(("strategy",), "greedy")], place="sets")).notes
    assert told == (f"sets, strategy: {NOTHING}",)
