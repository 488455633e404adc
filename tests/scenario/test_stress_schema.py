"""The stress of a scenario: what may be typed, what it comes to, and how slips are told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from allocator.records.conditions import Condition
from allocator.records.run import Certificate
from allocator.records.stress import FundingShock, LimitShock, Shock, Stress, StressCase, StressSource
from allocator.scenario import dump_scenario, load_scenario
from allocator.summary import digest
from tests.scenario.conftest import BASE, Faults, Write

WHOLE = """\
stress:
  pd: {all: 120%, where: [{sector: [retail, "NO"], pd: {above: 5%}, factor: 1.4}, {grade: A, factor: 0}]}
  churn: {where: [{grade: [A, B], factor: 1.1}]}
  file: shock.csv
  column: trade
"""


def test_a_stress_becomes_a_record_and_comes_back_from_a_run(write: Write, base: str, tmp_path: Path) -> None:
    write("shock.csv", "")
    scenario = load_scenario(write("case.yaml", base + WHOLE))

    assert scenario.stress == StressSource(
        Stress(
            pd=Shock(
                1.2,
                (
                    StressCase((Condition("sector", ("retail", "NO")), Condition("pd", above=0.05)), 1.4),
                    StressCase((Condition("grade", ("A",)),), 0.0),
                ),
            ),
            churn=Shock(1.0, (StressCase((Condition("grade", ("A", "B")),), 1.1),)),
        ),
        tmp_path / "shock.csv",
        "trade",
    )
    text = dump_scenario(scenario, tmp_path / "runs" / "one")
    assert "file: ../../shock.csv\n" in text
    again = load_scenario(write("runs/one/scenario.yaml", text))
    assert (again.stress, again.document["stress"]) == (scenario.stress, scenario.document["stress"])


def test_a_mean_over_stresses_is_told_by_name_and_weight(write: Write, base: str, tmp_path: Path) -> None:
    named = "stresses: {bad: {pd: {all: 2}}}\n"
    scenario = load_scenario(
        write("case.yaml", f"{base}{named}stress: {{mean_of: {{base: 60%, bad: 0.4}}}}\n")
    )
    assert scenario.stress.mean == ((0.6, Stress()), (0.4, Stress(pd=Shock(2.0))))
    assert scenario.stress
    assert scenario.stress.factors == Stress()
    again = load_scenario(write("runs/one/scenario.yaml", dump_scenario(scenario, tmp_path / "runs" / "one")))
    assert again.stress == scenario.stress


@pytest.mark.parametrize(
    ("stress", "problem"),
    [
        ("stress: {mean_of: {base: 60%, bad: 30%}}", "the weights are 0.9 together, expected 1"),
        (
            "stress: {mean_of: {base: 0.6, bad: 0.39999999}}",
            "the weights are 0.99999999 together, expected 1",
        ),
        ("stress: {mean_of: {base: 60%, bat: 40%}}", "no stress is named 'bat'"),
        ("stress: {mean_of: {base: 60%, dear: 40%}}", "the stress dear changes funding"),
        ("stress: {mean_of: {base: 1, bad: -60%}}", "-60% is negative"),
        ("  two: {mean_of: {base: 100%}}", "a mean is no named stress"),
    ],
)
def test_slips_of_a_mean_are_told(stress: str, problem: str, base: str, faults: Faults) -> None:
    named = "stresses:\n  bad: {pd: {all: 2}}\n  dear: {funding: {add: 1%}}\n"
    assert any(problem in fault for fault in faults(f"{base}{named}{stress}\n"))


def test_the_worst_of_several_stresses_is_told_by_name(write: Write, base: str, tmp_path: Path) -> None:
    named = "stresses: {bad: {pd: {all: 2}}}\n"
    scenario = load_scenario(write("case.yaml", f"{base}{named}stress: {{worst_of: [base, bad]}}\n"))
    assert scenario.stress.worst == ("base", "bad")
    assert scenario.stress.mean == ((0.5, Stress()), (0.5, Stress(pd=Shock(2.0))))
    assert scenario.stress.weights == {"base": 0.5, "bad": 0.5}
    assert scenario.stress.weighted((0.25, 0.75)).weights == {"base": 0.25, "bad": 0.75}
    assert all(limit.stress == Stress() for limit in scenario.policy.limits)
    again = load_scenario(write("runs/one/scenario.yaml", dump_scenario(scenario, tmp_path / "runs" / "one")))
    assert again.stress == scenario.stress
    under = write("child.yaml", "schema: 1\nextends: case.yaml\nstress: {worst_of: [bad]}\n")
    assert load_scenario(under).stress.worst == ("bad",)


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ("stress: {worst_of: []}", "no stress is named"),
        ("stress: {worst_of: [base, bad, base]}", "base is named twice"),
        ("stress: {worst_of: [base, bat]}", "no stress is named 'bat'"),
        (
            "stress: {worst_of: [base, dear]}",
            "the stress dear changes funding, and the worst of several is of",
        ),
        ("stress: {worst_of: [base], mean_of: {base: 100%}}", "mean_of and worst_of do not go together"),
        ("stress: {worst_of: base}", "expected a list"),
        (
            f"stress: {{worst_of: [{', '.join(f's{k}' for k in range(11))}]}}",
            "11 stresses, expected 10 at most",
        ),
        ("  two: {worst_of: [base]}", "the worst of several is no named stress"),
    ],
)
def test_slips_of_the_worst_are_told(more: str, problem: str, base: str, faults: Faults) -> None:
    named = "stresses:\n  bad: {pd: {all: 2}}\n  dear: {funding: {add: 1%}}\n"
    assert any(problem in fault for fault in faults(f"{base}{named}{more}\n"))


@pytest.mark.parametrize(
    ("policy", "problem"),
    [
        ("  capital: {cost: 10%}\n", "policy.capital.cost: what capital costs is no mean over stresses"),
        ("  pricing: per_grade\n", "policy.pricing: a posted price list does not yet go with"),
        (
            "  tail: {confidence: 95%, correlation: 10%, sectors: {column: sector, between: 5%}}\n",
            "policy.tail.sectors: the tail loss of several sectors does not yet go with",
        ),
    ],
)
def test_what_does_not_go_with_the_worst_is_told(
    policy: str, problem: str, base: str, faults: Faults
) -> None:
    text = base.replace("  limits:\n", f"{policy}  limits:\n")
    told = faults(f"{text}stress: {{worst_of: [base]}}\n")
    assert any(problem in fault for fault in told), told
    top = base.replace(
        "  limits:\n", "  limits:\n    - {name: ten, measure: offered, top: 10, at_most: 50%, of: total}\n"
    )
    assert any(
        "of the largest" in fault or "largest groups" in fault
        for fault in faults(f"{top}stress: {{worst_of: [base]}}\n")
    )


def test_the_policy_is_what_a_stress_leaves_of_it(write: Write, base: str, tmp_path: Path) -> None:
    stress = """\
stress:
  funding: {all: 150%, add: 1%}
  limits: {all: 90%, where: [{name: A line, factor: 0.5}, {name: budget, factor: 0.8}]}
"""
    text = base.replace("  limits:\n", "  funding_rate: 2%\n  limits:\n")
    plain = load_scenario(write("plain.yaml", text)).policy
    scenario = load_scenario(write("case.yaml", text + stress))

    assert scenario.policy == replace(
        plain,
        funding_rate=0.02 * 1.5 + 0.01,
        budget=replace(plain.budget, amount=800_000.0),
        limits=(replace(plain.limits[0], bound=0.63 * 0.9 * 0.5),),
    )
    again = load_scenario(write("again.yaml", dump_scenario(scenario, tmp_path)))
    assert again.policy == scenario.policy
    assert again.written == scenario.written == plain


def test_factors_that_are_too_large_together_are_told(base: str, faults: Faults) -> None:
    cases = ", ".join(["{name: A line, factor: 1e6}"] * 60)
    assert faults(base + f"stress: {{funding: {{all: 2}}, limits: {{all: 0.5, where: [{cases}]}}}}\n") == [
        "stress.limits, A line: the factors together come to inf, expected at most 1e+06; "
        "write smaller factors"
    ]
    large = base.replace("amount: 1_000_000", "amount: 1e13")
    assert faults(large + "stress: {limits: {where: [{name: budget, factor: 11}]}}\n") == [
        "stress.limits, budget: the budget comes to 1.1e+14, expected at most 1e+14; write a smaller factor"
    ]


def test_all_tightens_caps_and_leaves_floors(write: Write, base: str) -> None:
    floor = "    - {name: book, measure: loans, at_least: 3}\n"
    scenario = load_scenario(write("case.yaml", base + floor + "stress: {limits: {all: 0.5}}\n"))
    assert [limit.bound for limit in scenario.policy.limits] == [0.315, 3.0]


def test_named_stresses_come_back_from_a_run_and_leave_its_digest_alone(
    write: Write, base: str, tmp_path: Path
) -> None:
    write("shock.csv", "")
    text = base + "stresses:\n  mild: {pd: {all: 1.5}}\n  q1: {file: shock.csv, column: trade}\n"
    scenario = load_scenario(write("case.yaml", text))

    assert scenario.stresses == {
        "mild": StressSource(Stress(pd=Shock(1.5))),
        "q1": StressSource(file=tmp_path / "shock.csv", column="trade"),
    }
    assert scenario.stress == StressSource()
    dumped = dump_scenario(scenario, tmp_path / "runs" / "one")
    assert "file: ../../shock.csv\n" in dumped
    assert load_scenario(write("runs/one/scenario.yaml", dumped)).stresses == scenario.stresses
    certificate = Certificate({}, 0.0, 0.0, (), {})
    alone = load_scenario(write("case.yaml", base))
    assert digest(scenario, certificate) == digest(alone, certificate)


def test_scaling_goes_along_a_stress() -> None:
    stress = Stress(
        pd=Shock(1.5, (StressCase((Condition("sector", ("retail",)),), 2.0),)),
        amount=Shock(0.8),
        funding=FundingShock(1.0, 0.01),
        limits=LimitShock(0.9, (("A line", 0.5),)),
    )
    assert stress.scaled(0) == Stress(
        pd=Shock(1.0, (StressCase((Condition("sector", ("retail",)),), 1.0),)),
        limits=LimitShock(1.0, (("A line", 1.0),)),
    )
    twice = stress.scaled(2)
    assert (twice.pd.all, twice.pd.cases[0].factor, twice.funding.add) == (2.0, 3.0, 0.02)
    assert twice.amount.all == pytest.approx(0.6)
    assert twice.limits == LimitShock(1 + 2 * (0.9 - 1), (("A line", 0.0),))
    assert stress.reach == pytest.approx(2.0)
    assert Stress(pd=Shock(2.0)).reach == float("inf")


def test_there_is_none_where_none_is_written(write: Write, base: str) -> None:
    scenario = load_scenario(write("case.yaml", base))

    assert scenario.stress == StressSource()
    assert "stress" not in scenario.document


def test_an_override_reaches_into_it(write: Write, base: str) -> None:
    path = write("case.yaml", base)

    assert load_scenario(path, ["stress.pd.all=150%"]).stress.factors.pd == Shock(1.5)
    assert load_scenario(write("shocked.yaml", base + WHOLE.replace("  file: shock.csv\n", "")), [
        "stress.lgd.all=2", "stress.column=sector"
    ]).stress.factors.lgd == Shock(2.0)  # fmt: skip


def test_columns_may_be_named_that_only_the_stress_reads(write: Write, base: str) -> None:
    write("shock.csv", "")
    columns = "  columns: {sector: industry_code, trade: branch}\n  defaults: {lgd: 50%, age: 3%}\n"
    stress = WHOLE.replace("pd: {above: 5%}", "age: {above: 5}")
    text = base.replace("  defaults: {lgd: 50%}\n", columns) + stress

    source = load_scenario(write("case.yaml", text)).portfolio

    assert source.columns == {"sector": "industry_code", "trade": "branch"}
    assert source.defaults["age"] == 0.03


@pytest.mark.parametrize(
    ("stress", "expected"),
    [
        ("stress: mild", "stress: expected a mapping, found 'mild'; write `key: value` lines below it"),
        ("stress: {pds: {all: 2}}", "stress.pds: unknown key 'pds'; did you mean pd?"),
        (
            "stress: {pd: 1.5}",
            "stress.pd: expected a mapping, found '1.5'; write `key: value` lines below it",
        ),
        (
            "stress: {pd: {all: -1}}",
            "stress.pd.all: -1 is negative, expected 0 or more; write a factor such as 1.4",
        ),
        (
            "stress: {limits: {all: 1e308}}",
            "stress.limits.all: 1e308 is too large a factor, expected at most 1e+06; "
            "write a factor such as 1.4",
        ),
        (
            "stress: {lgd: {all: much}}",
            "stress.lgd.all: 'much' is not a factor such as 1.4; write a factor such as 1.4",
        ),
        (
            "stress: {pd: {where: {sector: retail, factor: 2}}}",
            "stress.pd.where: expected a list, found a mapping; write `- item` lines below it",
        ),
        (
            "stress: {pd: {where: [{sector: retail}]}}",
            "stress.pd.where[#1].factor: the key is missing; add `factor: 1.4`",
        ),
        (
            "stress: {pd: {where: [{factor: 2}]}}",
            "stress.pd.where[#1]: the case says for nobody in particular; "
            "name a column, as sector: retail, or write the factor as `all`",
        ),
        (
            "stress: {pd: {where: [{grade: A, factor: 2}, {pd: high, factor: 2}]}}",
            "stress.pd.where[#2].pd: pd holds numbers, expected a range; write a range, as {above: 5%}",
        ),
        (
            "stress: {amount: {where: [{turnover: {above: 5, below: 2}, factor: 2}]}}",
            "stress.amount.where[#1].turnover: no number lies in the range; write the lower end first",
        ),
        (
            "stress: {churn: {where: [{sector: retail, factor: 2, grade: A}]}}",
            "stress.churn.where[#1].sector: unknown key 'sector'; did you mean factor?",
        ),
        (
            "stress: {churn: {where: [{grade: [], factor: 2}]}}",
            "stress.churn.where[#1].grade: the list is empty, so that nothing passes; "
            "write at least one value",
        ),
        (
            "stress: {rates: {all: 0}}",
            "stress.rates.all: '0' is not above 0; write a number above 0",
        ),
        (
            "stress: {funding: {add: 3}}",
            "stress.funding.add: 3 would be 300 %, expected 0% to 100%; write 3% or 0.03",
        ),
        (
            "stresses: {tight: {limits: {where: [{name: A lin, factor: 0.5}]}}}",
            "stresses.tight.limits.where[#1].name: no limit is named 'A lin'; did you mean A line?",
        ),
        (
            "stresses: {base: {pd: {all: 2}}, mild: {pd: {all: 1.5}}}",
            "stresses.base: base is the scenario as it stands; choose another name",
        ),
        (
            "stresses: {q1: {file: gone.csv}}",
            "stresses.q1.file: gone.csv does not exist; check the path, which starts from FOLDER",
        ),
        (
            "stress: {file: borrowers.txt}",
            "stress.file: borrowers.txt does not exist; check the path, which starts from FOLDER|"
            "stress.file: 'borrowers.txt' does not end in .csv; name such a file",
        ),
    ],
)
def test_a_slip_in_it_is_told(stress: str, expected: str, faults: Faults) -> None:
    assert faults(BASE + stress + "\n") == [f"case.yaml, line 12, {one}" for one in expected.split("|")]


LOSS = "measure: expected_loss, at_most: 2%, of: drawn"
STRESSES = "stresses: {severe: {pd: {all: 2}}, mild: {pd: {all: 1.1}}, dear: {funding: {all: 2}}}\n"


def held_under(limit: str, names: str) -> str:
    """A scenario of one limit and where it holds too."""
    before = "measure: offered, where: {grade: A}, at_most: 63%, of: budget"
    assert before in BASE
    return BASE.replace(before, f"{limit}, under: [{names}]") + STRESSES


@pytest.mark.parametrize(
    ("limit", "names", "place", "problem"),
    [
        (LOSS, "sever", "[#1]", "no stress is named 'sever'; did you mean severe?"),
        (
            LOSS,
            "severe, dear",
            "[#2]",
            "the stress dear changes funding, and a row carries PD and LGD only; "
            "name a stress of pd and lgd alone",
        ),
        (LOSS, "severe, severe", "", "severe is named twice; name each stress once"),
        (LOSS, "base", "", "base is the scenario as it stands, where every limit holds; leave it out"),
        (LOSS, "", "", "the list is empty, so that nothing passes; write at least one value"),
        (
            "measure: offered, at_most: 2, where: {grade: A}",
            "severe",
            "",
            "the limit reads neither PD nor LGD, which are all that a stress changes of it; leave under out",
        ),
    ],
)
def test_a_limit_holds_in_stresses_that_its_row_can_carry(
    limit: str, names: str, place: str, problem: str, faults: Faults
) -> None:
    place = f"policy.limits[A line].under{place}"
    assert faults(held_under(limit, names)) == [f"case.yaml, line 11, {place}: {problem}"]


def test_a_limit_stands_for_a_row_in_each_stress(write: Write) -> None:
    policy = load_scenario(write("case.yaml", held_under(LOSS, "severe, mild"))).policy
    rows = policy.in_stresses().limits
    assert [row.name for row in rows] == ["A line", "A line [severe]", "A line [mild]"]
    assert [row.stress and row.stress.pd.all for row in rows] == [None, 2.0, 1.1]
    assert policy.in_stresses().in_stresses().limits == rows
