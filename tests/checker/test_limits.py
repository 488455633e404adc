"""Limits as rows: whom each counts, what it is a share of, its bound and how it is used."""

from __future__ import annotations

import math
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from allocator import checker
from allocator.checker import Facts, Wrong
from tests.checker.people import borrowers, policy, rows

TAIL = Facts(sectors=None)


def limit(**entry: Any) -> dict[str, Any]:
    return {"name": "l", "measure": "offered", **entry}


def read(entry: dict[str, Any], *stress: dict[str, Any]) -> Any:
    return checker.limit_of(entry, [*stress], TAIL)


def test_a_stress_moves_the_bounds_of_limits() -> None:
    """All upper bounds, and those that are named: 10 x 3 x 5 x 7; a floor only by its name."""
    stress = {"limits": {"all": 3, "where": [{"name": "l", "factor": 5}, {"name": "m", "factor": 11}]}}
    again = {"limits": {"where": [{"name": "l", "factor": 7}]}}
    assert read(limit(at_most=10), stress, again).bound == 1050.0
    assert read(limit(at_least=10), stress).bound == 50.0
    assert read(limit(exactly=10), stress).bound == 50.0


@pytest.mark.parametrize(
    "entry",
    [
        {}, {"at_most": 1, "at_least": 0}, {"at_most": 1, "measure": "colour"}, {"at_most": "1"},
        {"at_most": 1, "other": 1}, {"at_most": 1, "of": "nothing"}, {"at_most": 1, "enforce": "mild"},
        {"at_most": 1, "of": {"measure": "interest"}}, {"at_most": 1, "of": {"which": "offered"}},
        {"at_most": 1, "enforce": {"soft": -1}}, {"at_most": 1, "enforce": {"soft": 1.1e9}},
        {"at_most": 1, "enforce": {"hard": 1}}, {"exactly": 1, "enforce": {"soft": 1}},
        {"at_most": 1, "if_lent_to": {"s": "x"}, "enforce": "report"},
        {"at_most": 1, "if_lent_to": {"s": "x"}, "under": ["bad"]},
    ],
)  # fmt: skip
def test_an_entry_that_is_no_limit_is_refused(entry: dict[str, Any]) -> None:
    with pytest.raises(Wrong):
        read(limit(**entry))


@pytest.mark.parametrize(
    ("enforce", "penalty"),
    [("hard", math.inf), (None, math.inf), ("report", 0.0), ({"soft": 0}, 0.0), ({"soft": 1e9}, 1e9)],
)
def test_what_an_excess_costs(enforce: Any, penalty: float) -> None:
    assert read(limit(at_most=1, enforce=enforce)).penalty == penalty
    assert read(limit(exactly=1, enforce={"soft": 0})).penalty == 0.0
    assert read(limit(at_most=1, if_lent_to={"s": "x"})).given == {"s": "x"}


def test_whose_share_a_limit_is() -> None:
    assert checker.share_of({"of": "total"}) == {"of": "offered", "base": None}
    assert checker.share_of({"of": "drawn"}) == {"of": "drawn", "base": None}
    assert checker.share_of({"of": {"measure": "loans", "where": {"s": "x"}}}) == {
        "of": "loans",
        "base": {"s": "x"},
    }
    assert checker.share_of({"of": {"where": {"s": "x"}}}) == {"of": "offered", "base": {"s": "x"}}


def test_each_value_has_a_row_of_its_own_within_the_filter_by_the_weight() -> None:
    figures = {"kg": [2, 3, 5, 7, 11], "exposure": [1, 0, 10, 100, 1000]}
    people = borrowers(5, figures, s=["y", "x", "y", "", "z"], in_=["1", "1", "1", "1", "0"])
    [budget, made] = rows(policy(limit(each="s", weight="kg", where={"in_": "1"}, at_most=13)), people)
    assert (made.names, made.row.tolist()) == (["l[x]", "l[y]"], [1, 0, 1, -1, -1])
    assert made.weight.tolist() == [2, 3, 5, 0, 0]
    assert (made.bounds, made.whole, made.lent) == ([13.0, 13.0], [13, 13], [0.0, 52.0])
    assert (made.plain, made.exposed, made.of, made.among) == (False, True, "", False)
    assert (budget.names, budget.row.tolist(), budget.lent) == (["budget"], [0] * 5, [0.0])
    assert (budget.bounds, budget.plain, budget.exposed, budget.sense) == ([1000.0], True, False, "at_most")


def test_a_row_of_two_names_and_a_weight_that_is_missing_are_refused() -> None:
    people = borrowers(2, {"kg": [1.0, math.nan]}, s=["x", "y"])
    with pytest.raises(Wrong, match="one name"):
        rows(policy(limit(at_most=1), limit(at_most=2)), people)
    with pytest.raises(Wrong, match="weight is missing"):
        rows(policy(limit(weight="kg", at_most=1)), people)
    assert rows(policy(limit(weight="kg", where={"s": "x"}, at_most=1)), people)[1].weight.tolist() == [1, 0]


def test_shares_of_amounts_of_the_policy_are_amounts() -> None:
    people = borrowers(2, {"exposure": [30, 50]})
    made = rows(policy(limit(at_most=0.25, of="budget"), limit(name="m", at_least=0.5, of="own_funds"),
                       limit(name="n", at_most=0.5, of="total"), own_funds=600), people)  # fmt: skip
    assert [own.bounds for own in made] == [[1000.0], [250.0], [300.0], [0.5]]
    assert [own.of for own in made] == ["", "", "", "offered"]
    assert made[1].whole == [250]
    assert made[3].base.tolist() == [True, True]


def test_weights_of_measures() -> None:
    """PD 1/4, LGD 1/2: of a unit drawn 1/8 is lost, of interest 3/4 is paid."""
    people = borrowers(1)
    for measure, basis, weight in (
        ("offered", "offered", 1.0), ("drawn", "drawn", 1.0), ("expected_loss", "drawn", 0.125),
        ("interest", "interest", 0.75), ("gross_interest", "interest", 1.0), ("loans", "loans", 1.0),
    ):  # fmt: skip
        [_, made] = rows(policy(limit(measure=measure, at_most=1)), people)
        assert (made.basis, made.weight.tolist()) == (basis, [weight])
        assert made.exposed == (measure in ("offered", "drawn", "expected_loss"))


def former_book(n: int = 3) -> tuple[Any, Facts]:
    """0 had 100 and 1 had 40 before, 2 nothing; on the books are 10, 0 and 1."""
    people = borrowers(n, {"exposure": [10, 0, 1]})
    return people, Facts(
        pd=people.numbers["pd"], lgd=people.numbers["lgd"], term=people.numbers["term_years"],
        worth=np.array([8.0, 0, 0]), exposure=np.array([10.0, 0, 1]), served=np.array([True, True, False]),
        then=np.array([100.0, 40, 0]), rises=np.array([True, False, True]),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("measure", "used", "lent", "weight"),
    [
        ("offered", 151.0, 11.0, [1, 1, 1]), ("loans", 2.0, 0.0, [1, 1, 1]),
        ("clients_changed", 2.0, 2.0, [-1, -1, 1]), ("money_moved", 140.0, 140.0, [1, -1, 1]),
    ],
)  # fmt: skip
def test_a_share_of_the_former_run(measure: str, used: float, lent: float, weight: list[float]) -> None:
    people, book = former_book()
    rules = policy(limit(measure=measure, at_most=0.5, of="former"))
    rules.way = "no_cut"
    [_, made] = checker.rows_of(rules, people, book)
    assert (made.bounds, made.whole) == ([used / 2], [Fraction(used) / 2])
    assert (made.lent, made.weight.tolist(), made.moved) == ([lent], weight, measure == "money_moved")
    assert made.of == ""
    if measure == "money_moved":
        assert [(b, own.tolist()) for b, own in made.further] == [("loans", [-200, 0, 0])]


def test_what_was_moved_needs_a_way_and_no_weight() -> None:
    people, book = former_book()
    rules = policy(limit(measure="money_moved", at_most=1))
    with pytest.raises(Wrong, match="which way"):
        checker.rows_of(rules, people, book)
    with pytest.raises(Wrong, match="of the former run"):
        checker.rows_of(policy(limit(measure="drawn", at_most=1, of="former")), people, book)


def test_value_counts_every_cost_by_its_basis() -> None:
    """Of a unit drawn: 1/8 lost, funding 3 % over 1 year, kappa where it walks; worth 8 lost where booked."""
    _, book = former_book()
    rules = policy(limit(measure="value", at_least=1), funding_rate=0.03, churn_cost_rate=0.02,
                   processing_cost=5, decline_churn=0.25)  # fmt: skip
    found = [(b, np.broadcast_to(own, 3).tolist()) for b, own in checker.beside(rules.limits[0], rules, book)]
    assert found == [
        ("drawn", [-0.125] * 3), ("drawn", [-0.03] * 3), ("drawn", [0.02] * 3), ("offered", [-0.02] * 3),
        ("booked", [8, 0, 0]), ("booked", [-5] * 3), ("loans", [-6, 0, 0]),
    ]  # fmt: skip


def used(made: Facts, offered: list[float], exposure: list[float] | None = None, drawn: float = 0.5) -> Any:
    amounts = np.array(offered)
    bases = {
        "offered": amounts,
        "drawn": amounts * drawn,
        "loans": (amounts > 0) * 1.0,
        "interest": amounts * 0.1,
    }
    book = SimpleNamespace(exposure=np.array(exposure or [0.0] * len(offered)), then=np.zeros(len(offered)))
    return checker.uses_of([made], book, bases)


def test_a_use_adds_what_is_lent_and_a_share_counts_it_too() -> None:
    people = borrowers(3, {"exposure": [10, 20, 0]}, s=["x", "y", "x"])
    [_, made] = rows(policy(limit(where={"s": "x"}, at_most=0.5, of="total")), people)
    [use] = used(made, [100, 50, 20], [10, 20, 0])
    assert (use.used, use.bound, use.excess, use.broken) == (130.0, 100.0, 30.0, True)
    assert use.size == 120 + 10 + 100
    [use] = used(made, [80, 90.0, 0], [10, 20, 0])
    assert (use.used, use.bound, use.broken) == (90.0, 100.0, False)
    [use] = used(made, [90, 80, 0], [10, 20, 0])
    assert (use.used, use.bound, use.broken, use.excess) == (100.0, 100.0, False, 0.0)
    [use] = used(made, [90.02, 80, 0], [10, 20, 0])
    assert (use.broken, use.excess) == (True, pytest.approx(0.01, abs=1e-12))


def test_a_share_of_some_has_a_tolerance_of_its_own() -> None:
    """Of whom only y is counted: 50 % of 200 drawn at half; 1e-9 of 50."""
    people = borrowers(2, s=["x", "y"])
    [_, made] = rows(
        policy(limit(where={"s": "x"}, at_most=0.5, of={"measure": "drawn", "where": {"s": "y"}})), people
    )
    assert (made.among, made.base.tolist(), made.of) == (True, [False, True], "drawn")
    for extra, broken in ((0.9e-9, False), (1.1e-9, True)):
        [use] = used(made, [50 * (1 + extra), 200.0])
        assert (use.bound, use.broken) == (50.0, broken)


@pytest.mark.parametrize(
    ("sense", "sign"), [("at_most", 1), ("at_least", -1), ("exactly", 1), ("exactly", -1)]
)
def test_tolerances_are_those_of_the_larger_of_bound_and_term(sense: str, sign: int) -> None:
    people = borrowers(2)
    [_, made] = rows(policy(limit(measure="interest", weight=None, **{sense: 30})), people)
    for part, broken in ((0.9, False), (1.1, True)):
        [use] = used(made, [400.0, sign * part * 30e-9 / 0.075])
        assert (use.used, use.scale) == (pytest.approx(30.0), 30.0)
        assert use.broken is broken
        assert use.excess == pytest.approx(part * 30e-9, rel=1e-4)
    [use] = used(made, [4e6, 0.0])
    assert use.scale == pytest.approx(3e5)


def test_loans_of_several_weights_are_counted_to_half_the_finest() -> None:
    """Above 1.5e9 loans' weights of 1: one more of weight 1 is told though 1e-9 of the bound is larger."""
    people = borrowers(3, {"kg": [3e9, 1.0, 0.0]})
    [_, made] = rows(policy(limit(measure="loans", weight="kg", at_most=3e9)), people)
    assert used(made, [5.0, 0.0, 0.0])[0].broken is False
    assert used(made, [5.0, 5.0, 5.0])[0].broken is True
    people.numbers["kg"] = np.array([3e9, 5.0, 1.0])
    made.weight, made.bounds = people.numbers["kg"], [3e9 + 4.6]
    assert used(made, [5.0, 5.0, 0.0])[0].broken is False, "0.4 lies below half of 1"
    made.bounds = [3e9 + 4.4]
    assert used(made, [5.0, 5.0, 0.0])[0].broken is True


def test_an_excess_that_need_not_be_kept_is_paid_or_told() -> None:
    people = borrowers(2)
    for enforce, paid, missed in (({"soft": 7}, 350.0, 50.0), ("report", 0.0, 50.0), ("hard", 0.0, 0.0)):
        [_, made] = rows(policy(limit(at_most=100, enforce=enforce)), people)
        [use] = used(made, [100.0, 50.0])
        assert (use.paid, use.missed, use.excess) == (paid, missed, 50.0)
        assert use.broken is (enforce == "hard")
        assert use.doubt == (2 * checker.U * 50 * 7 if paid else 0.0)
    [_, made] = rows(policy(limit(measure="drawn", at_most=70, enforce={"soft": 2})), people)
    [use] = used(made, [100.0, 50.0])
    assert (use.paid, use.doubt) == (10.0, 2 * 6 * checker.U * (75 + 70))
    [use] = used(made, [100.0, 30.0])
    assert (use.paid, use.missed, use.doubt) == (0.0, 0.0, 0.0)


def test_the_largest_groups_are_those_that_use_most() -> None:
    money, groups = np.array([5.0, 1, 7, 2, 4]), np.array(["b", "a", "c", "b", "a"], dtype=object)
    assert [checker.largest(k, money, groups) for k in (1, 2, 3, 4)] == [7.0, 14.0, 19.0, 19.0]


def test_an_index_counts_what_is_lent_in_exact_shares() -> None:
    """x holds 0.1 + 0.2 and y 0.1 of 0.4: 9/16 + 1/16, of a budget of 0.8 a quarter of it."""
    lines = {"amount": np.array([0.1, 0.0, 0.1])}
    run = Facts(lines=lines, book=Facts(exposure=np.array([0.0, 0.2, 0.0])), policy=Facts(budget=0.8))
    people = borrowers(3, s=["x", "x", "y"])
    assert checker.index_of(Facts(by="s", whole="offered"), run, people) == Fraction(5, 8)
    assert checker.index_of(Facts(by="s", whole="budget"), run, people) == Fraction(5, 32)
    run.lines["amount"], run.book.exposure = np.zeros(3), np.zeros(3)
    assert checker.index_of(Facts(by="s", whole="offered"), run, people) == 0


HHI = {"measure": "hhi", "by": "s", "of": "budget", "at_most": 0.25}
TOP = {"measure": "offered", "by": "s", "top": 2, "of": "budget", "at_most": 0.5}


def cut(entry: dict[str, Any], stated: dict[str, Any], **texts: list[str]) -> list[Facts]:
    people = borrowers(3, **({"s": ["x", "x", "y"]} | texts))
    rules = policy(limit(**entry))
    made = checker.cuts_among(rules, people, stated)
    for own in made[1:]:
        own.column = people.numbers[own.weight].tolist()
    return made


def test_a_cut_of_an_index_weighs_each_by_the_share_of_its_group() -> None:
    """Shares of length 1, at most the root of the bound."""
    parent, own = cut(HHI, {"l[1]": {"x": 0.6, "y": 0.75}})
    assert (parent.of, parent.whole) == ("", "budget")
    assert (own.name, own.measure, own.column, own.by) == ("l[1]", "offered", [0.6, 0.6, 0.75], None)
    assert 0.5 <= own.bound < 0.5 + 1e-15
    assert (own.of, own.parent.entry) == ("budget", "l")
    root = cut({**HHI, "at_most": 0.1}, {"l[7]": {}})[1].bound
    assert Fraction(root) ** 2 >= Fraction(0.1) > Fraction(math.nextafter(root, 0)) ** 2 - Fraction(1, 10**16)


def test_a_cut_of_the_largest_weighs_groups_up_to_their_number() -> None:
    _, own = cut(TOP, {"l[1]": {"x": 1, "y": 0.5}})
    assert (own.column, own.bound, own.measure, own.of) == ([1, 1, 0.5], 0.5, "offered", "budget")
    assert cut({**TOP, "top": 1}, {"l[1]": {"x": 0.5, "y": 0.5}})[1].column == [0.5, 0.5, 0.5]
    person = cut({k: v for k, v in TOP.items() if k != "by"}, {"l[1]": {"b0": 1}})[1]
    assert person.column == [1, 0, 0]


@pytest.mark.parametrize(
    ("entry", "stated"),
    [
        (HHI, {"l[1]": {"x": 0.61, "y": 0.8}}),
        (HHI, {"l[1]": {"x": -0.1}}),
        (HHI, {"l[0]": {"x": 0.5}}),
        (HHI, {"l[01]": {"x": 0.5}}),
        (HHI, {"m[1]": {"x": 0.5}}),
        (TOP, {"l[1]": {"x": 1, "y": 1, "z": 0.1}}),
        (TOP, {"l[1]": {"x": 1.1}}),
        (TOP, {"l[1]": {"x": -0.5}}),
        ({**HHI, "at_most": 0}, {}),
        ({**HHI, "each": "s"}, {}),
        ({**HHI, "weight": "pd"}, {}),
        ({**HHI, "where": {"s": "x"}}, {}),
        ({**HHI, "of": "drawn"}, {}),
        ({**HHI, "of": {"measure": "offered", "where": {"s": "x"}}}, {}),
        ({**HHI, "of": "own_funds"}, {}),
        ({**HHI, "enforce": "report"}, {}),
        ({**HHI, "measure": "loans"}, {}),
        ({**HHI, "if_lent_to": {"s": "x"}}, {}),
        ({**TOP, "top": 0}, {}),
        ({**TOP, "top": -1}, {}),
        ({**TOP, "each": "s"}, {}),
        ({**TOP, "weight": "pd"}, {}),
        ({**TOP, "measure": "loans"}, {}),
        ({**TOP, "enforce": {"soft": 1}}, {}),
        ({**TOP, "if_lent_to": {"s": "x"}}, {}),
        ({**{k: v for k, v in TOP.items() if k != "at_most"}, "at_least": 0.5}, {}),
        (limit(at_most=1), {"l[1]": {}}),
    ],
)  # fmt: skip
def test_cuts_that_no_limit_implies_are_refused(entry: dict[str, Any], stated: dict[str, Any]) -> None:
    with pytest.raises(Wrong):
        cut(entry, stated)


def test_a_group_that_is_missing_is_refused() -> None:
    for entry in (HHI, TOP):
        with pytest.raises(Wrong, match="is missing"):
            cut(entry, {}, s=["x", "", "y"])
    assert len(cut({**TOP, "where": {"s": "x"}}, {})) == 1


@pytest.mark.parametrize(("top", "basis"), [(1, 70.0), (2, 110.0)])
@pytest.mark.parametrize(("part", "broken"), [(0.9, False), (1.1, True)])
def test_what_the_largest_use_counts_what_they_owe(top: int, basis: float, part: float, broken: bool) -> None:
    """x owes 30 + 40, y 35 + 5, and z, who is not counted, 500; a bound missed by 1e-9 of it stands."""
    people = borrowers(4, s=["x", "y", "z", "x"], in_=["1", "1", "0", "1"])
    run = Facts(
        lines={"amount": np.array([30.0, 35, 500, 0])},
        book=Facts(exposure=np.array([0.0, 5, 0, 40])),
        policy=None,
    )
    limit = Facts(measure="offered", by="s", where={"in_": "1"}, top=top)
    use = Facts(bound=basis / (1 + part * 1e-9))
    checker.put_convex(use, limit, run, people)
    assert (use.used, use.broken, use.scale) == (basis, broken, use.bound)
    assert use.excess == pytest.approx(part * 1e-9 * basis, rel=1e-4)


def test_an_index_is_decided_exactly() -> None:
    run = Facts(
        lines={"amount": np.array([100.0, 100.0])},
        book=Facts(exposure=np.zeros(2)),
        policy=Facts(budget=400.0),
    )
    limit = Facts(measure="hhi", by="s", whole="offered", top=None)
    for bound, broken in ((0.5, False), (math.nextafter(0.5, 0), True)):
        use = Facts(bound=bound)
        checker.put_convex(use, limit, run, borrowers(2, s=["x", "y"]))
        assert (use.used, use.broken, use.scale, use.excess > 0) == (0.5, broken, bound, broken)
