"""Stresses, borrowers, the former run and curves, as sections 2 to 4 of the page read them."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from allocator import checker
from allocator.checker import Wrong
from tests.checker.people import borrowers, policy

nan = math.nan


def test_factors_of_everybody_multiply_and_cases_are_listed() -> None:
    stress = [{"pd": {"all": 2, "where": [{"s": "x", "factor": 3}]}}, {"pd": {"all": 5}}]
    assert checker.everyone(stress, "pd") == 10
    assert checker.everyone(stress, "lgd") == 1
    assert checker.cases(stress, "pd") == [({"s": "x"}, 3.0)]


def test_a_file_of_factors_is_a_stress(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("industry,pd,churn\nx,2,1.5\ny,3,9\n")
    written, listed = checker.stress_of(str(tmp_path), {"stress": {"file": "f.csv", "lgd": {"all": 2}}})
    assert written == {"file": "f.csv", "lgd": {"all": 2}}
    assert listed == {
        "pd": {"where": [{"industry": "x", "factor": 2.0}, {"industry": "y", "factor": 3.0}]},
        "churn": {"all": 1.5},
    }
    (tmp_path / "g.csv").write_text("sector,growth\nx,-0.1\n")
    _, grown = checker.stress_of(str(tmp_path), {"stress": {"file": "g.csv", "column": "sector"}})
    found = {name: own["where"][0]["factor"] for name, own in grown.items()}
    assert found == pytest.approx({"pd": math.exp(0.2), "lgd": math.exp(0.05), "amount": math.exp(-0.075)})
    _, by_industry = checker.stress_of(str(tmp_path), {"stress": {"file": "f.csv", "column": "sector"}})
    assert by_industry["pd"]["where"][0] == {"sector": "x", "factor": 2.0}
    for name in ("none", "bare"):
        (tmp_path / f"{name}.csv").write_text("industry,other\nx,1\n" if name == "bare" else "pd\n2\n")
        with pytest.raises(Wrong, match="no factors"):
            checker.stress_of(str(tmp_path), {"stress": {"file": f"{name}.csv"}})
    assert checker.stress_of(str(tmp_path), {}) == [{}]


def test_a_stress_moves_pd_lgd_and_requests() -> None:
    people = borrowers(3, {"pd": [0.25, 0.5, 0.75], "max_amount": [math.inf, 100, 100]}, s=["x", "y", "x"])
    where = [{"s": "x", "factor": 3}, {"pd": {"at_least": 0.5}, "factor": 0.5}]
    amount = {"where": [{"s": "x", "factor": 0}, {"s": ["y"], "factor": 0.5}]}
    with np.errstate(invalid="ignore"):
        checker.put_under([{"pd": {"where": where}, "lgd": {"all": 1.5}, "amount": amount}], people)
    assert people.numbers["pd"].tolist() == [0.75, 0.25, 1.0]
    assert people.numbers["lgd"].tolist() == [0.75] * 3
    assert people.numbers["max_amount"].tolist() == [0.0, 50.0, 0.0]


STRESSES = {"bad": {"pd": {"all": 2}, "lgd": {"all": 1.5}}, "none": {"pd": {"all": 0}}}


def put_mean(people: Any, mean: dict[str, float]) -> dict[str, Any]:
    scenario = {"stress": {"mean_of": mean}, "stresses": STRESSES}
    return checker.put_mean(scenario, checker.weights_of(scenario, {}), people)


def test_the_mean_of_stresses_keeps_the_mean_loss() -> None:
    """PD 1/4 and 1/2 at 3/4 and 1/4; losses 1/8 and 3/8; the LGD is that of the mean loss."""
    people = borrowers(1)
    mean = {"base": 0.75, "bad": 0.25}
    each = put_mean(people, mean)
    assert [(own["pd"][0], own["lgd"][0]) for own in each.values()] == [(0.25, 0.5), (0.5, 0.75)]
    assert people.numbers["pd"][0] == 0.3125
    assert people.numbers["lgd"][0] == pytest.approx((0.75 * 0.125 + 0.25 * 0.375) / 0.3125)
    assert (people.apart["pd"][0], people.apart["lgd"][0]) == (0.25, 0.5)
    under = checker.in_stress([{"pd": {"all": 2}}], people)
    assert (under.numbers["pd"][0], under.numbers["lgd"][0]) == (0.5, 0.5)
    assert people.numbers["pd"][0] == 0.3125
    sure = borrowers(1, {"pd": [0.0]})
    put_mean(sure, mean)
    assert (sure.numbers["pd"][0], sure.numbers["lgd"][0]) == (0.0, 0.75 * 0.5 + 0.25 * 0.75)
    for weights in ({"base": 0.75, "bad": 0.2501}, {"base": 1.5, "bad": -0.5}, {"base": 0.5, "other": 0.5}):
        with pytest.raises(Wrong):
            put_mean(borrowers(1), weights)
    put_mean(borrowers(1), {"base": 1 - 0.9e-9})


WORST = {"worst_of": ["base", "bad"]}


def test_the_worst_of_stresses_has_weights_that_are_1_to_the_last_bit() -> None:
    scenario = {"stress": WORST, "stresses": STRESSES}
    assert checker.weights_of(scenario, {"weights": {"base": 0.75, "bad": 0.25}}) == {
        "base": 0.75,
        "bad": 0.25,
    }
    assert checker.weights_of(scenario, {"weights": {"base": 1, "bad": 0}}) == {"base": 1.0, "bad": 0.0}
    for weights in (
        {"base": 0.1, "bad": 0.9}, {"base": 1.5, "bad": -0.5}, {"bad": 0.25, "base": 0.75}, {"base": 1.0},
        {"base": 0.75, "bad": math.nextafter(0.25, 1)},
    ):  # fmt: skip
        with pytest.raises(Wrong):
            checker.weights_of(scenario, {"weights": weights})
    right = {"weights": {"base": 0.75, "bad": 0.25}}
    for other in ({"policy": {"capital": {"cost": 0.1}}}, {"policy": {"tail": {"sectors": {}}}}):
        with pytest.raises(Wrong):
            checker.weights_of({**scenario, **other}, right)
    with pytest.raises(Wrong):
        checker.weights_of(scenario, {**right, "lists": {}})
    with pytest.raises(Wrong):
        checker.weights_of({"stress": {**WORST, "mean_of": {"base": 1}}}, right)
    for none in ({}, {"stress": {"mean_of": {"base": 1}}}):
        with pytest.raises(Wrong, match="of no worst"):
            checker.weights_of(none, right)
    for empty in ([], "base"):
        with pytest.raises(Wrong):
            checker.weights_of({"stress": {"worst_of": empty}}, {"weights": {}})


def test_the_worst_value_is_that_of_the_worst_stress() -> None:
    """Of 100 drawn 20 are earned before defaults: 0.9 x 20 - 0.1 x 50, and 0.8 x 20 - 0.2 x 60."""
    lines = {name: np.zeros(1) for name in checker.COSTS}
    lines |= {"gross": np.array([20.0]), "drawn": np.array([100.0]), "value": np.array([13.0])}
    worlds = {"base": {"pd": np.array([0.1]), "lgd": np.array([0.5])}}
    worlds["bad"] = {"pd": np.array([0.2]), "lgd": np.array([0.6])}
    use = checker.Facts(paid=2.0, size=0.0, doubt=0.0)
    made = checker.Facts(lines=lines, worlds=worlds, unspent=10.0, uses=[use], policy=checker.Facts(idle=0.5))
    assert checker.worths_of(made) == {"base": 18 - 5 + 5 - 2.0, "bad": 16 - 12 + 5 - 2.0}
    assert checker.worths_of(made.but(worlds={})) == {"": 13 + 5 - 2.0}
    told = checker.in_each(made, {"weights": {"base": 0.25, "bad": 0.75}})
    assert told["worst_of"] == {
        "base": {"weight": 0.25, "value": 16.0},
        "bad": {"weight": 0.75, "value": 7.0},
    }
    assert told["above_worst"] == 9.0
    assert checker.in_each(made.but(worlds={}), {}) == {}


def test_a_policy_after_the_stress() -> None:
    stress = {
        "funding": {"all": 2, "add": 0.01},
        "limits": {"all": 9, "where": [{"name": "budget", "factor": 0.5}, {"name": "other", "factor": 7}]},
    }
    made = policy(stress=stress, funding_rate=0.02, own_funds=50)
    assert (made.budget, made.amounts, made.funding) == (
        500.0, {"budget": 500.0, "former": 1.0, "own_funds": 50.0}, pytest.approx(0.05)
    )  # fmt: skip
    usual = policy()
    assert (usual.spend, usual.basis, usual.step, usual.rate_step) == ("at_most", "offered", None, None)
    assert (usual.funding, usual.kappa, usual.decline, usual.idle, usual.processing) == (0,) * 5
    assert (usual.smallest, usual.largest, usual.capital_cost, usual.by_contract) == (1.0, 500.0, None, False)
    assert (policy(rate_grid={"step": 0.01}).rate_step, policy(rate_grid="contract").by_contract) == (
        0.01,
        True,
    )
    assert policy(capital={"cost": 1}).capital_cost == 1
    wrong: list[dict[str, Any]] = [
        {"capital": {"cost": 1.1}}, {"capital": {"cost": -0.1}}, {"ticket": {"min": -1, "max": 5}},
        {"budget": {"amount": "1"}}, {"budget": {"amount": 1, "spend": "some"}},
        {"budget": {"amount": 1, "basis": "loans"}}, {"ticket": {"min": 1, "max": 5, "step": "5"}},
        {"limits": [{"name": "l", "measure": "drawn", "at_most": 1, "under": ["gone"]}]},
    ]  # fmt: skip
    for own in wrong:
        with pytest.raises(Wrong):
            policy(**own)


def test_limits_stand_behind_themselves_under_stresses() -> None:
    entry = {"name": "l", "measure": "expected_loss", "at_most": 1, "under": ["bad", "none"]}
    document = {"policy": {"limits": [entry]}, "stresses": STRESSES}
    found = [*checker.limits_of(document, [], checker.Facts(sectors=None))]
    assert [own.name for own in found] == ["l", "l [bad]", "l [none]"]
    assert [own.stress for own in found] == [None, [STRESSES["bad"]], [STRESSES["none"]]]
    assert [own.entry for own in found] == ["l"] * 3
    apart = [*checker.limits_of({**document, "stress": WORST}, [], checker.Facts(sectors=None))]
    assert apart[0].stress == []
    top = {**entry, "measure": "offered", "top": 2, "of": "budget"}
    with pytest.raises(Wrong, match="of the largest"):
        [
            *checker.limits_of(
                {**document, "stress": WORST, "policy": {"limits": [top]}}, [], checker.Facts(sectors=None)
            )
        ]
    with pytest.raises(Wrong, match="under bad"):
        [*checker.limits_of({**document, "policy": {"limits": [top]}}, [], checker.Facts(sectors=None))]


def test_filters_are_met_at_their_ends_and_by_none_that_is_missing() -> None:
    people = borrowers(4, {"k": [1, 2, 3, nan]}, s=["x", "", "y", 1.0])
    for test, who in (
        ({"above": 2}, [0, 0, 1, 0]), ({"at_least": 2}, [0, 1, 1, 0]), ({"below": 2}, [1, 0, 0, 0]),
        ({"at_most": 2}, [1, 1, 0, 0]), ({"above": 1, "below": 3}, [0, 1, 0, 0]),
    ):  # fmt: skip
        assert people.passes({"k": test}).astype(int).tolist() == who
    assert people.passes({"s": "x"}).tolist() == [True, False, False, False]
    assert people.passes({"s": ["x", "1"]}).tolist() == [True, False, False, True]
    assert people.passes({"s": ["x", "y"], "k": {"above": 1}}).tolist() == [False, False, True, False]
    assert people.passes({}).all()
    with pytest.raises(Wrong, match="is no test"):
        people.passes({"k": {"near": 2}})


@pytest.mark.parametrize(
    ("written", "number"),
    [(2.5, 2.5), ("1_000", 1000.0), ("5%", 0.05), (" 7 % ", 0.07), ("x", nan), (None, nan), ("%", nan)],
)
def test_defaults_of_further_columns(written: Any, number: float) -> None:
    assert checker.quantity(written) == pytest.approx(number, nan_ok=True)
    people = borrowers(2)
    people.defaults["kg"] = written
    assert people.number("kg").tolist() == pytest.approx([number] * 2, nan_ok=True)


def changed(changes: dict[str, Any], numbers: dict[str, list[float]]) -> dict[str, list[float]]:
    people = borrowers(2, numbers, s=["x", "y"])
    checker.hold_to(changes, people)
    return {name: own.tolist() for name, own in people.numbers.items()}


THEN = {"former_amount": [50.0, 0.0], "former_rate": [0.2, nan], "min_amount": [5.0, 5.0]}


def test_changes_hold_who_was_served_to_the_terms_of_then() -> None:
    near = changed(
        {"rate_moved": {"at_most": 0.05}}, {**THEN, "min_rate": [0.1, 0.1], "max_rate": [nan, nan]}
    )
    assert near["min_rate"] == [pytest.approx(0.15), 0.1]
    assert near["max_rate"] == pytest.approx([0.25, nan], nan_ok=True)
    for way, low, high in (("no_cut", 50, 400), ("no_rise", 5, 50), ("same", 50, 50)):
        found = changed({"amounts": way}, THEN)
        assert (found["min_amount"], found["max_amount"]) == ([low, 5], [high, 400])
    assert changed({"amounts": "same"}, {**THEN, "min_amount": [60.0, 5.0], "max_amount": [40.0, 9.0]})[
        "min_amount"
    ] == [60.0, 5.0]  # fmt: skip
    kept = changed({"keep": "all"}, THEN)
    assert kept["fixed_amount"] == pytest.approx([50.0, nan], nan_ok=True)
    assert kept["fixed_rate"] == pytest.approx([0.2, nan], nan_ok=True)
    none = changed({"keep": {"where": {"s": "y"}}}, THEN)
    assert none["fixed_amount"] == pytest.approx([nan, nan], nan_ok=True)
    pinned = changed({"keep": "all"}, {**THEN, "fixed_amount": [7.0, nan], "fixed_rate": [0.1, nan]})
    assert (pinned["fixed_amount"][0], pinned["fixed_rate"][0]) == (7.0, 0.1)
    with pytest.raises(Wrong):
        changed({"amounts": "more"}, THEN)
    with pytest.raises(Wrong):
        changed({"rate_moved": {"at_least": 1}}, THEN)


def table(folder: Path, text: str, name: str = "b.csv") -> str:
    (folder / name).write_text(text)
    return str(folder)


def read(folder: Path, text: str, **portfolio: Any) -> Any:
    own = {"source": "b.csv", **portfolio}
    return checker.borrowers_of(table(folder, text), {"portfolio": own, "policy": {"term_years": 3}})


HEAD = "borrower_id,grade,pd,lgd"


def test_borrowers_have_what_the_table_and_the_defaults_say(tmp_path: Path) -> None:
    people = read(tmp_path, f"{HEAD},max_amount,exposure,rate\na,A,0.1,0.5,,,\nb,B,0.2,0.4,7,8,0.3\n")
    own = {name: column.tolist() for name, column in people.numbers.items()}
    assert own["max_amount"] == [math.inf, 7.0]
    assert own["exposure"] == [0.0, 8.0]
    assert own["rate"] == pytest.approx([nan, 0.3], nan_ok=True)
    assert (own["term_years"], own["min_amount"], own["relationship_value"]) == (
        [3.0] * 2,
        [0.0] * 2,
        [0.0] * 2,
    )
    assert (people.text("grade").tolist(), people.n) == (["A", "B"], 2)
    renamed = read(tmp_path, "who,grade,pd,borrower_id\na,A,0.1,z\n", columns={"borrower_id": "who"},
                   defaults={"lgd": 0.45})  # fmt: skip
    assert (renamed.text("borrower_id").tolist(), renamed.numbers["lgd"].tolist()) == (["a"], [0.45])
    graded = read(tmp_path, "borrower_id,lgd\na,0.5\n", defaults={"grade": "A"}, pd_by_grade={"A": 0.07})
    assert graded.numbers["pd"].tolist() == [0.07]
    swiss = {"csv": "b.csv", "sep": ";", "decimal": ","}
    assert read(tmp_path, "borrower_id;grade;pd;lgd\na;A;0,1;0,5\n", source=swiss).numbers["pd"].tolist() == [
        0.1
    ]


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}\n", f"{HEAD}\na,A,0.1,0.5\na,A,0.1,0.5\n", f"{HEAD}\n,A,0.1,0.5\n", f"{HEAD}\na,,0.1,0.5\n",
        f"{HEAD}\na,A,,0.5\n", f"{HEAD}\na,A,0.1,\n", f"{HEAD}\na,A,x,0.5\n", "grade,pd,lgd\nA,0.1,0.5\n",
        "borrower_id,pd,lgd\na,0.1,0.5\n", "borrower_id,grade,lgd\na,A,0.5\n",
        f"{HEAD},term_years\na,A,0.1,0.5,\n",
        f"{HEAD}\na,A,1e999,0.5\n", f"{HEAD},max_amount\na,A,0.1,0.5,inf\n",
    ],
)  # fmt: skip
def test_borrowers_that_are_none_are_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(Wrong):
        read(tmp_path, text)


def test_the_former_run_says_who_was_served(tmp_path: Path) -> None:
    table(tmp_path, "borrower_id,amount,rate\na,50,0.2\nb,0,0\nd,,\ne,9,\n", "then.csv")
    scenario = {"portfolio": {"source": "b.csv"}, "former": "then.csv"}
    rows = "".join(f"{who},A,0.1,0.5\n" for who in "abcd")
    people = checker.borrowers_of(table(tmp_path, f"{HEAD}\n{rows}"), scenario)
    assert people.text("former").tolist() == ["served", "declined", "new", "declined"]
    assert people.numbers["former_amount"].tolist() == [50.0, 0.0, 0.0, 0.0]
    assert people.numbers["former_rate"].tolist() == pytest.approx([0.2, nan, nan, nan], nan_ok=True)
    assert checker.formerly_served(people).tolist() == [True, False, False, False]
    assert not checker.formerly_served(borrowers(1)).any()
    for text in ("borrower_id,amount\na,1\n", "borrower_id,amount,rate\na,1,0.1\na,1,0.1\n"):
        table(tmp_path, text, "then.csv")
        with pytest.raises(Wrong):
            checker.borrowers_of(str(tmp_path), scenario)


@pytest.mark.parametrize(
    ("portfolio", "former", "plain"),
    [
        ({"source": "b.csv"}, None, True), ({"source": "b.CSV"}, None, True),
        ({"source": "b.csv.gz"}, None, False),
        ({"source": {"csv": "b.csv", "skip": 0, "encoding": "utf-8"}}, None, True),
        ({"source": {"csv": "b.csv", "skip": 1}}, None, False),
        ({"source": {"csv": "b.csv", "encoding": "gbk"}}, None, False),
        ({"source": {"csv": "b.csv", "thousands": ","}}, None, False),
        ({"source": {"xlsx": "b.xlsx"}}, None, False),
        ({"source": "b.parquet"}, None, True), ({"source": "b.PARQUET"}, None, True),
        ({"source": {"parquet": "b.parquet", "other": 1}}, None, False),
        ({"source": "b.csv", "scorecard": "s.json"}, None, False), ({"source": "b.csv"}, "then.csv", True),
        ({"source": "b.csv"}, "then.xlsx", False),
        ({"source": "b.csv"}, {"file": "then.csv", "columns": {"amount": "x"}}, False),
    ],
)  # fmt: skip
def test_a_source_is_read_as_it_stands_or_from_the_copy(
    portfolio: dict[str, Any], former: Any, plain: bool
) -> None:
    scenario = {"portfolio": portfolio} | ({} if former is None else {"former": former})
    assert checker.is_plain("run", scenario) is plain


def test_sources_and_former_runs_have_paths(tmp_path: Path) -> None:
    assert checker.source_of({"portfolio": {"source": "x.txt"}}) == {"csv": "x.txt"}
    for wrong in ({}, {"portfolio": {"source": {}}}, {"portfolio": {"source": 1}}):
        with pytest.raises(Wrong):
            checker.source_of(wrong)
    assert checker.former_of(str(tmp_path), {}) == ""
    (tmp_path / "old").mkdir()
    assert checker.former_of(str(tmp_path), {"former": "old"}).endswith("allocation.parquet")
    (tmp_path / "old" / "allocation.csv").write_text("")
    assert checker.former_of(str(tmp_path), {"former": {"file": "old"}}).endswith("allocation.csv")
    assert checker.former_of(str(tmp_path), {"former": "f.csv"}) == str(tmp_path / "f.csv")


def curves(
    folder: Path, stress: list[Any], text: str = "rate,A,B\n0.1,0,0.5\n0.2,0.5,0.25\n0.4,0.5,1\n", **own: Any
) -> Any:
    table(folder, text, "c.csv")
    response = {"churn": "c.csv", **own.pop("response", {})}
    scenario = {"response": response, "policy": {"rates": {"A": [0.1, 0.4]}}, **own}
    return checker.curves_of(str(folder), scenario, stress, {"A", "B", "C"})


def test_curves_are_stressed_by_their_grade_and_then_smoothed(tmp_path: Path) -> None:
    found = curves(tmp_path, [{}])
    assert found["B"].churn == [Fraction(1, 2), Fraction(1, 4), 1]
    assert found.keys() == {"A", "B"}
    where = {"where": [{"grade": "B", "factor": 0.5}, {"grade": ["A", "C"], "factor": 1.5}]}
    found = curves(tmp_path, [{"churn": {"all": 2, **where}}])
    assert found["A"].churn == [0, 1, 1]
    assert found["B"].churn == [Fraction(1, 2), Fraction(1, 4), 1]
    moved = curves(tmp_path, [{"rates": {"where": [{"grade": "B", "factor": 2}]}}])
    assert moved["B"].churn == [0.5, 0.5, 0.25]
    assert moved["A"].churn == [0, 0.5, 0.5]
    smooth = curves(tmp_path, [{}], response={"smoothing": "isotonic"})
    assert smooth["B"].churn == [Fraction(3, 8), Fraction(3, 8), 1]
    assert curves(tmp_path, [{}], strategy={"file": "x"})["C"].churn == [0, 0]
    assert curves(tmp_path, [{}], response={"churn": "none"})["C"].churn == [0, 0]


@pytest.mark.parametrize(
    "text",
    ["rate,A\n0.2,0\n0.1,0.5\n", "rate,A\n0.1,0\n0.1,0.5\n", "A\n0\n", "rate,A\n0.1,0\n0.2,\n", "rate,A\n"],
)
def test_curves_that_are_none_are_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(Wrong):
        curves(tmp_path, [{}], text)


@pytest.mark.parametrize(
    ("curve", "holds"),
    [
        ({"midpoint": 0, "slope": 1e4}, True),
        ({"midpoint": 1, "slope": 1e-9}, True), ({"midpoint": -0.01, "slope": 40}, False),
        ({"midpoint": 1.01, "slope": 40}, False), ({"midpoint": 0.1, "slope": 0}, False),
        ({"midpoint": 0.1, "slope": 10001}, False), ({"midpoint": 0.1}, False),
        ({"midpoint": 0.1, "slope": 40, "other": 1}, False), ({"midpoint": "0.1", "slope": 40}, False),
    ],
)  # fmt: skip
def test_curves_by_parameters(curve: dict[str, Any], holds: bool) -> None:
    if not holds:
        with pytest.raises(Wrong):
            checker.curve_table({"logistic": {"A": curve}})
        return
    found = checker.curve_table({"logistic": {"A": curve}})
    assert found["rate"].shape == (10_001,)
    assert found["rate"][[0, 1, 1234, 10_000]].tolist() == [0.0, 0.0001, 0.1234, 1.0]
    for k in (0, 1, 1234, 10_000):
        exponent = -curve["slope"] * (k / 10_000 - curve["midpoint"])
        right = 1 / (1 + math.exp(exponent)) if exponent < 700 else 0.0
        assert found["A"][k] == pytest.approx(right, rel=1e-12, abs=1e-300)
    with pytest.raises(Wrong):
        checker.curve_table({"other": {"A": curve}})


def test_churn_beyond_the_table_is_level() -> None:
    curve = checker.Facts(rates=[0.25, 0.5], churn=[Fraction(1, 8), Fraction(1, 2)])
    assert checker.walk_at(curve, 0.25) == checker.walk_at(curve, 0.1) == Fraction(1, 8)
    assert checker.walk_at(curve, 0.5) == checker.walk_at(curve, 0.9) == Fraction(1, 2)
    assert checker.walk_at(curve, 0.375) == Fraction(5, 16)
    assert checker.walk_at(curve, 0.3125) == Fraction(1, 8) + Fraction(3, 32)
    made = checker.menu_of([0.375], curve)
    assert (made.accept.tolist(), made.walk.tolist()) == ([11 / 16], [5 / 16])
    assert np.array_equal(made.rate, [0.375])
