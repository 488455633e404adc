"""Comparisons on differences that are known: inputs, swaps, segments, and what each change costs."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from allocator.errors import CertificateError, InfeasibleError
from allocator.insight.compare import Comparison, Pair, compare, run_side, scenario_side, strategy_sides
from allocator.insight.compare.chance import chances
from allocator.insight.compare.differences import (
    BorrowerChanges,
    Difference,
    borrower_changes,
    match,
    scenario_differences,
    terms_of,
)
from allocator.insight.compare.segments import by_column, mean_pd, whole_of
from allocator.insight.compare.steps import bound_at, steps
from allocator.insight.compare.swaps import swaps
from allocator.pipeline import allocate, decide, judge
from allocator.records.outcome import Outcome
from allocator.records.portfolio import Portfolio
from allocator.records.strategy import Strategy
from allocator.scenario import dump_scenario, load_scenario
from allocator.store import read_run, write_run
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.cases import write_rich
from tests.stages import prepared

SHIPPED = Path(__file__).resolve().parents[3] / "scenarios"
TABLE = churn_table([0.04, 0.08], A=[0.0, 0.3], B=[0.0, 0.25])
RATES = {"A": (0.04, 0.08), "B": (0.04, 0.08)}


def side(case: Case, name: str = "it", rule: str = "optimal") -> Outcome:
    ready = prepared(case)
    ready = replace(ready, scenario=replace(ready.scenario, strategy=Strategy(rule)))  # type: ignore[arg-type]
    return replace(judge(ready, decide(ready)), name=name)


def renamed(book: Portfolio, *ids: str) -> Portfolio:
    """The same borrowers under other identifiers, which ascend."""
    return replace(book, borrower_id=np.array(ids, dtype=object))


def test_keys_are_compared_and_limits_by_their_names() -> None:
    limits = [{"name": "a", "at_most": 1, "measure": "offered"}, {"name": "b", "at_most": 2}]
    before = {"name": "x", "policy": {"budget": {"amount": 5}, "limits": limits}, "stresses": {"m": 1}}
    after = {
        "name": "y",
        "policy": {
            "budget": {"amount": 6},
            "limits": [{"name": "c", "at_most": 3}, {**limits[0], "at_most": 4}],
        },
        "stress": {"pd": {"all": 2}},
    }
    found = {one.key: (one.before, one.after) for one in scenario_differences(before, after)}
    assert found == {
        "policy.budget.amount": (5, 6),
        "policy.limits[a].at_most": (1, 4),
        "policy.limits[b]": ({"at_most": 2}, None),
        "policy.limits[c]": (None, {"at_most": 3}),
        "stress.pd.all": (None, 2),
    }
    assert scenario_differences(before, before) == ()


@pytest.mark.parametrize(
    ("key", "term"),
    [
        ("stress.pd.all", ("stress",)),
        ("stresses.mild", ("stresses",)),
        ("former", ("former",)),
        ("policy.budget.basis", ("policy.budget.basis",)),
        ("policy.capital.cost", ("policy.capital",)),
        ("policy.budget.amount", ()),
        ("policy.limits[stress].at_most", ()),
        ("policy.rates.A", ()),
        ("strategy", ()),
    ],
)
def test_terms_are_what_offers_are_valued_by(key: str, term: tuple[str, ...]) -> None:
    assert terms_of([Difference(key, 1, 2)] * 2) == term


def test_sides_on_other_terms_are_named_beside_the_ranking() -> None:
    same = BorrowerChanges(0, 0, 0.0, 0.0, (), 0.0)
    first, ruled = SimpleNamespace(name="first"), Difference("strategy", "optimal", "equal")
    dearer, roomier = Difference("policy.funding_rate", 0, 0.01), Difference("policy.budget.amount", 1, 2)

    def terms(**sides: tuple[Difference | None, BorrowerChanges]) -> tuple[str, ...]:
        pairs = tuple(
            Pair(first, SimpleNamespace(name=name), (one,) if one else (), who, None, ())  # type: ignore[arg-type]
            for name, (one, who) in sides.items()
        )
        return Comparison((first,), (), "grade", (), pairs).terms  # type: ignore[arg-type]

    assert terms(a=(dearer, same), b=(roomier, same), c=(dearer, same)) == (
        "Valued on other terms than first: a, c (policy.funding_rate).",
    )
    assert terms(a=(dearer, replace(same, added=1)), b=(None, replace(same, churn=math.nan))) == (
        "Valued on other terms than first: a (policy.funding_rate, the borrowers); b (the churn curve).",
    )
    assert terms(a=(roomier, same), b=(ruled, replace(same, churn=math.nan))) == ()


def test_borrowers_are_matched_by_identifier_and_columns_counted() -> None:
    before = portfolio(["A", "A", "B"], pd=[0.01, 0.02, 0.03], max_amount=[1e5, 2e5, np.inf], exposure=0.0)
    after = renamed(
        portfolio(["A", "B", "B"], pd=[0.02, 0.05, 0.03], max_amount=[2e5, np.inf, 4e5]),
        "b001",
        "b002",
        "c000",
    )
    table = churn_table([0.04, 0.08], A=[0.0, 0.35], B=[0.0, 0.25])
    found = borrower_changes(before, after, (TABLE, table), match(before, after))
    assert (found.added, found.dropped, found.added_requests, found.dropped_requests) == (1, 1, 4e5, 1e5)
    assert [(c.column, c.borrowers, c.before, c.after) for c in found.columns] == [("pd", 1, 0.03, 0.05)]
    assert found.churn == pytest.approx(0.05)
    assert bool(found)
    assert not borrower_changes(before, before, (TABLE, TABLE), match(before, before))
    other = churn_table([0.04, 0.09], A=[0.0, 0.3], B=[0.0, 0.25])
    assert np.isnan(borrower_changes(before, before, (TABLE, other), match(before, before)).churn)


def test_texts_and_flags_that_change_are_counted() -> None:
    before = portfolio(["A", "A"], exclude=[True, False], texts={"sector": ["food", "steel"]})
    after = portfolio(["B", "A"], exclude=[False, False], texts={"sector": ["food", None]})
    found = borrower_changes(before, after, (TABLE, TABLE), match(before, after))
    assert [(c.column, c.borrowers, c.before, c.after) for c in found.columns] == [
        ("grade", 1, None, None),
        ("sector", 1, None, None),
        ("exclude", 1, 1.0, 0.0),
    ]


def test_who_enters_leaves_and_changes() -> None:
    """In order of PD the budget holds b000 and half of b001; by interest alone A and B swap."""
    book = portfolio(["A", "A", "A"], pd=[0.01, 0.02, 0.03], max_amount=400_000.0)
    before = side(Case(book, TABLE, policy(600_000.0, rates=RATES)))
    other = renamed(book, "b000", "b001", "b003")
    after = side(Case(replace(other, pd=np.array([0.03, 0.02, 0.01])), TABLE, policy(700_000.0, rates=RATES)))
    found = swaps(before, after, match(before.inputs.portfolio, after.inputs.portfolio))
    assert found.table[["borrower_id", "change", "amount_before", "amount_after"]].values.tolist() == [
        ["b000", "leaves", 400_000.0, 0.0],
        ["b003", "enters", 0.0, 400_000.0],
        ["b001", "other amount", 200_000.0, 300_000.0],
    ]
    assert found.table["pd"].tolist() == [0.03, 0.01, 0.02]
    assert found.same.borrowers == 0
    totals = {total.kind: total for total in found.totals}
    assert (totals["enters"].borrowers, totals["leaves"].amount_before) == (1, 400_000.0)
    assert totals["other amount"].mean_pd == pytest.approx(0.02)
    assert sum(total.gain for total in found.totals) == pytest.approx(after.value - before.value)
    again = swaps(before, before, match(before.inputs.portfolio, before.inputs.portfolio))
    assert (len(again.table), again.same.borrowers, again.same.gain) == (0, 2, 0.0)


def test_gains_add_up_with_those_of_the_same_offer_and_of_idle_money() -> None:
    book = portfolio(["A", "A", "B"], pd=[0.01, 0.02, 0.03], max_amount=400_000.0)
    riskier = replace(book, pd=np.array([0.02, 0.02, 0.03]))
    before = side(Case(book, TABLE, policy(1.5e6, rates=RATES, idle_rate=0.01)))
    tighter = policy(1.4e6, limit("B", "offered", "at_most", 2e5, where={"grade": ["B"]}), rates=RATES)
    after = side(Case(riskier, TABLE, replace(tighter, idle_rate=0.02)))
    found = swaps(before, after, match(book, riskier))
    assert found.same.borrowers == 2
    assert found.same.gain < 0
    assert found.idle == pytest.approx((0.01 * 300_000, 0.02 * 400_000))
    gains = [total.gain for total in (*found.totals, found.same)]
    difference = after.value - before.value
    assert sum(gains) + found.idle[1] - found.idle[0] == pytest.approx(difference, rel=1e-12)
    assert found.whole.gain == difference
    assert (found.whole.borrowers, found.whole.amount_before, found.whole.amount_after) == (3, 1.2e6, 1e6)


def test_an_error_says_which_side_it_is_about() -> None:
    scenario = load_scenario(SHIPPED / "sme-302.yaml", ["policy.budget={amount: 1e12, spend: exactly}"])
    with pytest.raises(InfeasibleError, match=r"^the new one: no allocation exists: 'budget' cannot be met"):
        scenario_side(scenario, "the new one")


def test_a_rate_that_changes_is_told_apart() -> None:
    book = portfolio(["A", "B"], pd=0.01, max_amount=[400_000.0, 300_000.0])
    before = side(Case(book, TABLE, policy(1e6, rates=RATES)))
    after = side(Case(book, TABLE, policy(550_000.0, rates={"A": (0.04, 0.08), "B": (0.04, 0.06)})))
    found = swaps(before, after, match(book, book))
    changes = dict(zip(found.table["borrower_id"], found.table["change"], strict=True))
    assert changes == {"b001": "other amount and rate"}


def test_figures_add_up_over_segments() -> None:
    found = side(
        Case(
            portfolio(["A", "B", "D"], pd=[0.01, 0.02, 0.5], max_amount=4e5), TABLE, policy(6e5, rates=RATES)
        )
    )
    whole, parts = whole_of(found), by_column(found, "grade")
    assert list(parts) == ["A", "B", "D"]
    for name in ("borrowers", "funded", "offered", "interest", "expected_loss", "value"):
        assert sum(part.figures[name] for part in parts.values()) == pytest.approx(whole.figures[name])
    weighted = sum(mean_pd(part) * part.offered for part in parts.values())
    assert mean_pd(whole) == pytest.approx(weighted / whole.offered)
    assert (parts["D"].funded, parts["D"].mean_rate) == (0, 0.0)


def test_one_change_after_the_other_adds_up_and_prices_bound_each() -> None:
    limits, plain = (scenario_side(load_scenario(SHIPPED / f"{name}.yaml"), name) for name in
                     ("sme-302-limits", "sme-302"))  # fmt: skip
    found = steps(limits, plain)
    assert [step.changes for step in found] == [
        "policy.funding_rate",
        "policy.rates",
        "policy.limits[sectors]",
        "policy.limits[regions]",
        "policy.limits[loss rate]",
        "policy.limits[average PD]",
    ]
    gains = [step.gain for step in found if step.gain is not None]
    assert len(gains) == len(found)
    assert sum(gains) == pytest.approx(plain.value - limits.value, abs=1e-6)
    for step in found:
        assert step.gain is not None and step.most is not None  # noqa: PT018
        assert step.gain <= step.most + 1e-6
    fast = steps(limits, plain, exact=False)
    assert [step.changes for step in fast] == [step.changes for step in found]
    assert {step.gain for step in fast} == {None}
    assert fast[0].most == found[0].most


def test_an_infeasible_case_between_two_that_are_not(tmp_path: Path) -> None:
    path = write_rich(tmp_path)
    text = path.read_text()
    (tmp_path / "after.yaml").write_text(
        text.replace("name: rich", "name: after")
        .replace("at_least: 8}", "at_least: 12}")
        .replace("ticket: {min: 100_000", "ticket: {min: 50_000")
    )
    path.write_text(
        text.replace("at_least: 8}", "at_least: 8}\n    - {name: few, measure: loans, at_most: 9}")
    )
    before, after = (
        scenario_side(load_scenario(tmp_path / one), one) for one in ("scenario.yaml", "after.yaml")
    )
    found = {step.changes: step for step in steps(before, after)}
    assert list(found) == ["policy.ticket", "policy.limits[book]", "policy.limits[few]"]
    assert found["policy.ticket"].gain is not None
    broken = found["policy.limits[book]"]
    assert broken.gain is None
    assert broken.most is not None
    assert "cannot all be met together" in broken.problem
    last = found["policy.limits[few]"]
    assert (last.most, last.gain, last.problem) == (None, None, "")


def test_the_bound_at_other_prices_holds_and_at_its_own_is_tight() -> None:
    book = portfolio(["A"] * 5, pd=[0.01, 0.02, 0.03, 0.01, 0.02], max_amount=400_000.0)
    case = Case(book, TABLE, policy(1e6, limit("loss", "expected_loss", "at_most", 5e3), rates=RATES))
    found = side(case)
    assert bound_at(found.scenario, found.inputs, found.prices) == pytest.approx(found.bound, rel=1e-12)
    for prices in ({}, {"budget": 1.0}, {"budget": -1.0, "loss": 0.3, "gone": 2.0}):
        assert bound_at(found.scenario, found.inputs, prices) >= found.value - 1e-6


def test_strategies_share_one_bound_and_inputs() -> None:
    file = SHIPPED / "sme-302.yaml"
    names = ("optimal", "equal", "by_score")
    sides = strategy_sides([load_scenario(file, [f"strategy={name}"]) for name in names])
    comparison = compare(sides)
    assert [one.name for one in comparison.sides] == list(names)
    assert {one.bound for one in sides} == {sides[0].bound}
    assert all(one.share is not None and 0.5 < one.share <= 1.0 for one in sides)
    for pair in comparison.pairs:
        assert [one.key for one in pair.scenario] == ["strategy"]
        assert not pair.borrowers
        assert pair.steps == ()
        assert sum(total.gain for total in pair.swaps.totals) == pytest.approx(
            pair.after.value - pair.before.value
        )


def test_a_run_beside_another(tmp_path: Path) -> None:
    path = write_rich(tmp_path)
    for name, sets in (("one", ()), ("two", ("policy.budget.amount=2_000_000",))):
        scenario, out = load_scenario(path, sets), tmp_path / name
        write_run(allocate(scenario), out, scenario_text=dump_scenario(scenario, out), force=False)
    one, two = (run_side(read_run(tmp_path / name), name) for name in ("one", "two"))
    (pair,) = compare([one, two]).pairs
    assert [(d.key, d.before, d.after) for d in pair.scenario] == [
        ("policy.budget.amount", 2_500_000, 2_000_000)
    ]
    (step,) = pair.steps
    assert step.gain == pytest.approx(two.value - one.value)
    assert step.most is not None
    assert step.most >= step.gain - 1e-6
    (tmp_path / "borrowers.csv").write_text(
        (tmp_path / "borrowers.csv").read_text().replace("0.008", "0.009")
    )
    with pytest.raises(CertificateError, match="does not pass its recheck"):
        run_side(read_run(tmp_path / "one"), "one")


def test_years_in_common_make_a_difference_sure() -> None:
    file = SHIPPED / "sme-302.yaml"
    sides = strategy_sides([load_scenario(file, [f"strategy={name}"]) for name in ("optimal", "equal")])
    first, other = chances(sides, 2_000, seed=3)
    assert (first.less, first.less_error, first.behind) == (0.0, 0.0, 0.0)
    for found, own in ((first, sides[0]), (other, sides[1])):
        assert abs(found.mean - own.value) <= 4 * found.sd / 2_000**0.5
        assert found.worst < found.mean - 2 * found.sd
    assert other.less == pytest.approx(first.mean - other.mean)
    assert abs(other.less - (sides[0].value - sides[1].value)) <= 4 * other.less_error
    apart = (first.sd**2 + other.sd**2) ** 0.5 / 2_000**0.5
    assert other.less_error < apart / 1.3
    assert 0.5 < other.behind < 1.0
    assert chances(sides, 2_000, seed=3) == (first, other)
    assert compare(sides, years=2_000, seed=3).chances == (first, other)


def test_each_side_is_simulated_under_its_own_policy_and_by_its_own_figures() -> None:
    book = portfolio(["A"] * 4, pd=[0.01, 0.02, 0.03, 0.04], max_amount=400_000.0, relationship_value=9e3)
    cheap = side(Case(book, TABLE, policy(1e6, rates=RATES)))
    dear = side(Case(book, TABLE, policy(1e6, rates=RATES, funding_rate=0.02)))
    others = side(Case(renamed(book, "a", "b", "c", "d"), TABLE, policy(1e6, rates=RATES)))
    long = side(Case(replace(book, term=3.0 * book.term), TABLE, policy(1e6, rates=RATES)))
    twice = replace(book, relationship_value=2 * book.relationship_value)
    loved = side(Case(twice, TABLE, policy(1e6, rates=RATES)))
    sides = [cheap, dear, others, long, loved]
    first, second, *_ = found = chances(sides, 4_000, seed=5)
    for chance, own in zip(found, sides, strict=True):
        assert abs(chance.mean - own.value) <= 4 * chance.sd / 4_000**0.5
    assert first.less == 0.0
    assert second.less == pytest.approx(cheap.value - dear.value, rel=0.2)
    nobody = 0.3**3  # takes an offer: then both net nothing
    assert second.behind == pytest.approx(1.0 - nobody, abs=0.02)


def test_a_change_of_the_term_is_a_step_of_its_own(tmp_path: Path) -> None:
    """The term fills the borrowers when they are read: no step may take those of another."""
    path = SHIPPED / "sme-302.yaml"
    sets = ("policy.budget.amount=90_000_000", "policy.term_years=2")
    before = scenario_side(load_scenario(path), "before")
    after = scenario_side(load_scenario(path, sets), "after")
    between = scenario_side(load_scenario(path, sets[:1]), "between")
    gains = {step.changes: step.gain for step in steps(before, after)}
    assert gains["policy.budget"] == pytest.approx(between.value - before.value, rel=1e-9)
    assert gains["policy.term_years"] == pytest.approx(after.value - between.value, rel=1e-9)


TWO = """\
schema: 1
portfolio: {source: two.csv}
response: {churn: none}
policy:
  budget: {amount: 20}
  ticket: {min: 1, max: 9, step: 1}
  rates: {A: [5%, 5%]}
  rate_grid: {step: 1%}
"""
CHANGED = "\n  limits: [{name: fresh, measure: clients_changed, at_most: 0}]\nformer: former.csv\n"


def test_a_former_run_is_one_change_with_the_limits_that_need_it(tmp_path: Path) -> None:
    """Alone it could not be taken away: the measures of limits come from it."""
    (tmp_path / "two.csv").write_text("borrower_id,grade,pd,lgd,max_amount\na,A,0.01,0.5,5\nb,A,0.01,0.5,2\n")
    (tmp_path / "former.csv").write_text("borrower_id,amount,rate\na,5,0.05\nb,0,\n")
    (tmp_path / "free.yaml").write_text(TWO)
    (tmp_path / "tied.yaml").write_text(TWO.rstrip() + CHANGED)
    tied, free = (scenario_side(load_scenario(tmp_path / f"{name}.yaml"), name) for name in ("tied", "free"))
    for before, after in ((tied, free), (free, tied)):
        (step,) = steps(before, after)
        assert set(step.changes.split(", ")) == {"former", "policy.limits[fresh]"}
        assert step.gain == pytest.approx(after.value - before.value)


def test_a_change_reads_the_columns_that_it_names() -> None:
    """No step may take the borrowers of another that reads fewer columns."""
    path = SHIPPED / "sme-302.yaml"
    posted = ("policy.budget.amount=90_000_000", "policy.pricing.per_segment=region", "policy.idle_rate=1%")
    plain, listed = (scenario_side(load_scenario(path, sets), "it") for sets in ((), posted))
    for before, after in ((plain, listed), (listed, plain)):
        taken = steps(before, after)
        assert {step.changes for step in taken} == {"policy.budget", "policy.pricing", "policy.idle_rate"}
        assert sum(step.gain or 0.0 for step in taken) == pytest.approx(after.value - before.value)


def test_a_stress_that_a_mean_weighs_is_a_change() -> None:
    path, key = SHIPPED / "sme-302-weighted.yaml", "stresses.industry.lgd.all"
    before, after = (scenario_side(load_scenario(path, (f"{key}={to}",)), "it") for to in (1.2, 1.5))
    assert [d.key for d in scenario_differences(before.scenario.document, after.scenario.document)] == [key]
    (step,) = steps(before, after)
    assert step.changes == "stresses"
    assert step.gain == pytest.approx(after.value - before.value)
