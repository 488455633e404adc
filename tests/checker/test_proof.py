"""Bounds by prices, trees and price lists, of offers that are written down and not computed."""

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
from tests.checker.test_offers import menus

U = 2.0**-53


def limit(**entry: Any) -> dict[str, Any]:
    return {"name": "l", "measure": "offered", **entry}


def charged(prices: dict[str, float], *limits: dict[str, Any], rounded: Any = None, **own: Any) -> Facts:
    people = borrowers(2, {"exposure": [10.0, 30.0], "kg": [2.0, 4.0]}, s=["x", "y"])
    rules = policy(*limits, **own)
    run = Facts(book=Facts(ids=["0", "1"], exposure=people.numbers["exposure"]), policy=rules)
    run.rows = rows(rules, people)
    return checker.charges_of(run, prices, rounded or {})


def test_prices_charge_what_a_row_counts() -> None:
    """b'lambda: 0.5 x 1,000, 3 x 8 less what x and y have on the books, 2 x 10 + 4 x 30 at 3."""
    found = charged({"budget": 0.5, "l": 3.0}, limit(measure="drawn", weight="kg", at_most=8))
    assert found.charge["offered"].tolist() == found.terms["offered"].tolist() == [0.5, 0.5]
    assert found.charge["drawn"].tolist() == [6.0, 12.0]
    assert (found.constant, found.constant_terms) == (500 + 24 - 420, 500 + 24 + 420)
    assert [found.charge[name].tolist() for name in ("interest", "loans", "booked")] == [[0.0, 0.0]] * 3


@pytest.mark.parametrize(
    ("entry", "price", "counted"),
    [
        ({"at_most": 8}, -1.0, 0.0), ({"at_least": 8}, 1.0, 0.0), ({"at_least": 8}, -1.0, -1.0),
        ({"exactly": 8}, -1.0, -1.0), ({"exactly": 8}, 1.0, 1.0), ({"at_most": 8}, 1e300, 1e300),
        ({"at_most": 8, "enforce": {"soft": 0.25}}, 1.0, 0.25),
        ({"at_most": 8, "enforce": "report"}, 1.0, 0.0),
        ({"at_least": 8, "enforce": {"soft": 0.25}}, -1.0, -0.25),
    ],
)  # fmt: skip
def test_a_price_counts_within_its_sign_and_penalty(
    entry: dict[str, Any], price: float, counted: float
) -> None:
    found = charged({"l": price}, limit(measure="loans", **entry))
    assert found.charge["loans"].tolist() == [counted] * 2
    assert found.terms["loans"].tolist() == [abs(counted)] * 2
    assert found.constant == 8 * counted


def test_a_share_is_charged_to_all_of_whom_it_is_one() -> None:
    """x at most 1/4 of all, at 4: x pays 4 - 1, y -1; on the books x has 10 of 40: 4 x (10 - 10)."""
    found = charged({"l": 4.0}, limit(where={"s": "x"}, at_most=0.25, of="total"))
    assert found.charge["offered"].tolist() == [3.0, -1.0]
    assert found.terms["offered"].tolist() == [5.0, 1.0]
    assert (found.constant, found.constant_terms) == (4 * 0.25 * 40 - 4 * 10, 80.0)
    among = limit(
        where={"s": "x"}, at_most=0.25, of={"measure": "loans", "where": {"s": "y"}}, measure="loans"
    )
    found = charged({"l": 4.0}, among)
    assert found.charge["loans"].tolist() == [4.0, -1.0]
    assert found.constant == 0


def test_idle_money_is_worth_its_rate_unless_the_budget_is_dearer() -> None:
    """1,000 at 1/8: less the price of 1/16, the rest of the room."""
    assert charged({"budget": 0.0625}, idle_rate=0.125).constant == 62.5 + 1000 * 0.0625
    assert charged({"budget": 0.25}, idle_rate=0.125).constant == 250.0
    assert charged({"budget": -0.25}, idle_rate=0.125).constant == 125.0
    some = charged({"budget": 0.0625}, rounded={"budget": 900.0}, idle_rate=0.125)
    assert some.constant == 0.0625 * 900 + 0.125 * 100 + 900 * 0.0625
    assert charged({"budget": 0.0625}, rounded={"budget": 1100.0}, idle_rate=0.125).constant == 68.75 + 62.5
    exactly = charged({"budget": -0.25}, budget={"amount": 1000, "spend": "exactly"}, idle_rate=0.125)
    assert (exactly.constant, exactly.charge["offered"][0]) == (-250.0, -0.25)


def test_a_rounded_row_has_its_room_alone() -> None:
    found = charged({"l": 2.0}, limit(at_most=57), rounded={"l": 15.0})
    assert (found.constant, charged({"l": 2.0}, limit(at_most=57)).constant) == (30.0, 114 - 80)


def offers(n: int = 1, **own: Any) -> Facts:
    """Each two offers: worth 0.5 and 0.25 a unit and -3 and 5 once, from 10 to 100."""
    made = Facts(
        who=np.arange(n), rate=np.tile([0.25, 0.5], (n, 1)), accept=np.tile([1.0, 0.5], (n, 1)),
        gross=np.tile([0.25, 0.5], (n, 1)), held=np.ones((n, 2), dtype=bool), no_offer=np.ones(n, dtype=bool),
        unit=np.tile([0.5, 0.25], (n, 1)), unit_terms=np.tile([0.75, 0.5], (n, 1)),
        once=np.tile([-3.0, 5.0], (n, 1)), once_terms=np.tile([3.0, 7.0], (n, 1)), low=np.full(n, 10.0),
        high=np.full(n, 100.0), met=frozenset(),
    )  # fmt: skip
    return made.but(**own)


def charges(n: int = 1, constant: float = 0.0, **own: float) -> Facts:
    bases = ("offered", "drawn", "interest", "loans", "booked")
    of = {basis: np.full(n, own.get(basis, 0.0)) for basis in bases}
    return Facts(
        charge=of, terms={b: abs(v) for b, v in of.items()}, constant=constant, constant_terms=abs(constant)
    )


def test_the_better_end_of_each_offer() -> None:
    best, error = checker.answers(offers(), charges(), 32)
    assert best.tolist() == [[47.0, 30.0]]
    assert error.tolist() == [[32 * U * 78.0, 32 * U * 57.0]]
    dear = charges(offered=0.125, drawn=0.25, interest=0.5, loans=2.0, booked=4.0)
    best, error = checker.answers(offers(), dear, 32)
    assert best.tolist() == [[0.0 - 3 - 2 - 4, -0.25 * 10 + 5 - 2 - 2]]
    assert error.tolist() == [[32 * U * (1.25 * 100 + 3 + 2 + 4), 32 * U * (1.0 * 100 + 7 + 2 + 2)]]


def test_a_bound_adds_best_responses_and_errors() -> None:
    found = checker.values_of([offers(2)], charges(2, constant=6.0), 32)
    assert found.bound == 100.0
    assert found.upper == pytest.approx(100 + 32 * U * (6 + 2 * 78), abs=2e-14)
    assert found.upper > 100 + 32 * U * (6 + 2 * 78) - 1e-13
    assert found.least.tolist() == [47.0 - 32 * U * 78] * 2
    assert found.option.tolist() == [[47 + 32 * U * 78, 30 + 32 * U * 57]] * 2
    parts = checker.values_of([offers(), offers(held=np.array([[False, True]]))], charges(), 32)
    assert parts.bound == 77.0


def test_who_need_not_be_served_is_worth_0_at_least() -> None:
    bad = charges(offered=9.0)
    assert checker.values_of([offers()], bad, 32).bound == 0.0
    assert checker.values_of([offers(no_offer=np.array([False]))], bad, 32).bound == -82.5
    none = offers(held=np.zeros((1, 2), dtype=bool), no_offer=np.array([False]))
    assert checker.values_of([none], charges(), 32).upper == -math.inf
    closed = offers(low=np.array([101.0]))
    assert checker.values_of([closed], charges(), 32).bound == 0.0
    assert checker.values_of([offers(low=np.array([100.0]))], charges(), 32).bound == 47.0


def test_what_cannot_be_computed_is_no_bound() -> None:
    for constant in (math.nan, math.inf):
        assert checker.values_of([offers()], charges(constant=constant), 32).upper == math.inf
    broken = offers(unit=np.array([[math.nan, 0.25]]))
    assert checker.values_of([broken], charges(), 32).upper == math.inf
    assert checker.values_of([broken.but(held=np.array([[False, True]]))], charges(), 32).bound == 30.0
    huge = offers(unit=np.array([[1e307, 0.0]]))
    with np.errstate(over="ignore"):
        assert checker.values_of([huge], charges(), 32).upper == math.inf


@pytest.mark.parametrize(
    ("stated", "holds"),
    [
        (99.999, False),
        (100.0, False),
        (100.5, True),
        (100 + 64 * 0.5 + 9e-8, True),
        (100 + 64 * 0.5 + 2e-7, False),
    ],
)
def test_a_stated_bound_covers_errors_and_little_more(stated: float, holds: bool) -> None:
    ours = Facts(bound=100.0, upper=100.5)
    assert (checker.misstated(stated, ours) == "") is holds
    assert (checker.misstated(132.0 + 9.9e-4, ours, beside=1e6) == "") is True
    if holds:
        assert checker.bounded({"bound": stated}, ours, 1.0) == 132.0
    else:
        with pytest.raises(Wrong):
            checker.bounded({"bound": stated}, ours, 1.0)


def test_nothing_states_0() -> None:
    nothing = Facts(bound=-math.inf, upper=-math.inf)
    assert checker.bounded({"bound": 0}, nothing, 5.0) == -math.inf
    with pytest.raises(Wrong, match="of nothing"):
        checker.bounded({"bound": 1.0}, nothing, 5.0)
    assert checker.misstated(9e-10, Facts(bound=0.0, upper=0.0)) == ""
    assert checker.misstated(1.1e-9, Facts(bound=0.0, upper=0.0))


# --- Trees ----------------------------------------------------------------------------------------
def run(
    *limits: dict[str, Any], step: float | None = 10, n: int = 2, numbers: Any = None, **own: Any
) -> Facts:
    """Borrowers b0 and b1 of up to 40 at 12.5 %, 25 % (a quarter walks) or 50 % (half does)."""
    ticket = {"min": 10, "max": 500} | ({} if step is None else {"step": step})
    rules = policy(
        *limits, **{"ticket": ticket, "rates": {"A": [0.125, 0.5]}, "budget": {"amount": 60}, **own}
    )
    people = borrowers(n, {"max_amount": [40.0] * n, **(numbers or {})}, s=["x", "y"][:n])
    listed, curves = menus([0.125, 0.25, 0.5], [0.0, 0.25, 0.5])
    figures = checker.book_of(people, rules, listed, None)
    checker.measure_risk(figures, rules, people)
    made = Facts(policy=rules, book=figures, menus=listed, curves=curves, left=None, segments=None)
    made.rows = checker.rows_of(rules, people, figures)
    made.operations = 26 + 2 * len(limits)
    made.conditional = {own.limit: own.given for own in made.rows if own.given is not None}
    return made


def leaf(bound: float, prices: dict[str, float] | None = None, **own: Any) -> dict[str, Any]:
    return {"prices": prices or {}, "bound": bound, **own}


def tree(made: Facts, *nodes: Any, bound: float, lots: dict[str, float] | None = None) -> Any:
    return checker.Tree(made, {"bound": bound, "lots": lots or {}, "nodes": [*nodes]})


EACH = 40 * (0.1875 - 0.0625)
"""The best offer to either: half take 50 % of 3/4, and lose 1/16, on 40."""
ROOM = 1e-10


def test_a_leaf_proves_what_its_prices_do() -> None:
    """Without prices both get all; at 1/8 the budget has 7.5 and nobody anything."""
    assert [*tree(run(), leaf(2 * EACH + ROOM), bound=2 * EACH + ROOM).faults()] == []
    assert [*tree(run(), leaf(7.5 + ROOM, {"budget": 0.125}), bound=7.5 + ROOM).faults()] == []
    low = [*tree(run(), leaf(7.5 - ROOM, {"budget": 0.125}), bound=7.5).faults()]
    assert "states" in low[0]
    over = [*tree(run(), leaf(7.5 + ROOM, {"budget": 0.125}), bound=7.5 - ROOM).faults()]
    assert over == [f"tree: states {7.5 - ROOM!r}, its leaves prove {over[0].split()[-1]}"]
    far = [*tree(run(), leaf(7.5 + ROOM, {"budget": 0.125}), bound=7.5 + 2e-8).faults()]
    assert len(far) == 1
    assert [*tree(run(), leaf(7.5 + ROOM, {"budget": 0.125}), bound=7.5 + 7e-9).faults()] == []


def split_amounts(amount: Any, who: Any = "b0") -> dict[str, Any]:
    return {"borrower": who, "amounts": amount, "children": [1, 2]}


def halves(amount: Any, left: float, right: float, made: Facts | None = None) -> list[str]:
    """Faults of a tree that splits b0 at an amount, with unpriced leaves."""
    nodes = (split_amounts(amount), leaf(left + ROOM), leaf(right + ROOM))
    return [*tree(made or run(), *nodes, bound=max(left, right) + ROOM).faults()]


def test_a_split_of_amounts_leaves_the_next_lot_above() -> None:
    """Up to 20 b0 is worth half of the best; above nothing is lost; above 40 nothing is left."""
    assert halves(20, 1.5 * EACH, 2 * EACH) == []
    assert halves(40, 2 * EACH, 0.0 - ROOM) == []
    assert halves(20, 1.4 * EACH, 2 * EACH)
    assert halves(25, 1.5 * EACH, 2 * EACH)[0].endswith("splits at 25.0, which is no amount")
    pinned = run(numbers={"fixed_amount": [20, math.nan], "fixed_rate": [0.5, math.nan]})
    assert halves(20, 1.5 * EACH, 2 * EACH, pinned)[0].endswith("splits the amount of a pinned offer")
    by_size = {"by_size": [{"below": 20, "step": 5}, {"step": 20}]}
    sized = run(step=None, ticket={"min": 10, "max": 500, "step": by_size})
    assert halves(15, EACH * (1 + 15 / 40), 2 * EACH, sized) == []
    assert halves(30, EACH * (1 + 15 / 40), 2 * EACH, sized)[0].endswith("splits at 30.0, which is no amount")


def test_above_a_split_an_offer_is_made() -> None:
    """Where every offer loses, the upper side loses with its least amount."""
    poor = run(numbers={"pd": [1.0, 0.25]})
    loss = 20 * -0.25
    assert halves(10, EACH, EACH + loss, poor) == []


def split_rates(one: list[Any], other: list[Any]) -> dict[str, Any]:
    return {"borrower": "b0", "split": [one, other], "children": [1, 2]}


ALL = [0.125, 0.25, 0.5]


@pytest.mark.parametrize(
    ("one", "other", "left", "right", "said"),
    [
        ([0.5], [0.125, 0.25, "none"], 2 * EACH, EACH + 40 * 0.75 * 0.0625, ""),
        ([*ALL], ["none"], 2 * EACH, EACH, ""), (["none", *ALL], [], 2 * EACH, 0.0 - ROOM, ""),
        ([0.5 + 0.9e-12], [0.125, 0.25, "none"], 2 * EACH, EACH + 40 * 0.75 * 0.0625, ""),
        ([0.5 + 1.1e-12], [0.125, 0.25, "none"], 0, 0, "lists a rate that the borrower may not be offered"),
        ([0.5], [0.125, "none"], 0, 0, "does not cover what is left to the borrower"),
        ([0.5], [0.125, 0.25], 0, 0, "does not cover what is left to the borrower"),
    ],
)  # fmt: skip
def test_a_split_of_rates_covers_what_is_left(
    one: Any, other: Any, left: float, right: float, said: str
) -> None:
    nodes = (split_rates(one, other), leaf(left + ROOM), leaf(right + ROOM))
    found = [*tree(run(), *nodes, bound=max(left, right) + ROOM).faults()]
    assert (found == []) if not said else found[0].endswith(said)


@pytest.mark.parametrize(
    ("node", "said"),
    [
        ({"borrower": "b9", "amounts": 20, "children": [1, 2]}, "who may get no offer"),
        ({"borrower": 0, "amounts": 20, "children": [1, 2]}, "who may get no offer"),
        ({"borrower": "b0", "amounts": 20, "children": [1]}, "2 nodes were expected"),
        ({"borrower": "b0", "amounts": 20, "children": [1, 1]}, "has two parents"),
        ({"borrower": "b0", "amounts": 20, "children": [0, 1]}, "2 nodes were expected"),
        ({"borrower": "b0", "amounts": 20, "children": [1, 3]}, "2 nodes were expected"),
        ({"borrower": "b0", "amounts": 20, "children": [1, True]}, "2 nodes were expected"),
        ({"borrower": "b0", "amounts": "20", "children": [1, 2]}, "is no number"),
        ({"borrower": "b0", "split": [[0.5]], "children": [1, 2]}, "has not two sides"),
        ({"borrower": "b0", "split": [[0.5], 1], "children": [1, 2]}, "has not two sides"),
        ({"borrower": "b0", "amounts": 20, "split": [], "children": [1, 2]}, "other keys"),
        ({"limit": "l", "children": [1, 2]}, "which is no limit on a condition"),
        ({"prices": {"nothing": 1.0}, "bound": 1.0}, "of no limit"),
        ({"prices": 1, "bound": 1.0}, "of no limit"),
        ({"bound": 1.0}, "has no prices"), (7, "is no object"),
        (leaf(2 * EACH + ROOM), "2 nodes hang on no branch"),
        ({**leaf(2 * EACH + ROOM), "children": [1]}, "0 nodes were expected"),
    ],
)  # fmt: skip
def test_a_node_that_is_none_is_named(node: Any, said: str) -> None:
    made = tree(run(), node, leaf(2 * EACH + ROOM), leaf(2 * EACH + ROOM), bound=2 * EACH + ROOM)
    assert any(said in fault for fault in made.faults())


def test_a_cut_keeps_what_loses_no_more() -> None:
    """At no price the best is EACH = 5; 25 % is worth 1.875 and loses 3.125, nothing at all loses 5."""
    both = 2 * EACH
    for keeps, again in ((3.0, both), (4.0, both)):
        nodes = (leaf(both + ROOM, keeps=keeps, children=[1]), leaf(again + ROOM))
        assert [*tree(run(), *nodes, bound=both + ROOM).faults()] == []
    dear = {"budget": 0.125}
    kept = (leaf(both + ROOM, keeps=4.9, children=[1]), leaf(7.5 + 2 * ROOM, dear))
    assert [*tree(run(), *kept, bound=7.5 + 2 * ROOM).faults()] == []
    cut = (leaf(both + ROOM, keeps=2.0, children=[1]), leaf(7.5 + 2 * ROOM, dear))
    assert len([*tree(run(), *cut, bound=7.5 + 2 * ROOM).faults()]) == 1, "8 are kept from sight"
    assert [*tree(run(), *cut, bound=both - 2 + 2 * ROOM).faults()] == []


@pytest.mark.parametrize(("keeps", "floor"), [(4.9, -2 * 1.25), (5.1, 0.0)])
def test_a_cut_leaves_no_way_out_to_whom_it_costs_more(keeps: float, floor: float) -> None:
    """At a price of 1/4 the better end of 50 % is 10 x (1/8 - 1/4): who must be served then loses it."""
    both = 2 * EACH
    below = 15.0 + floor
    nodes = (leaf(both + ROOM, keeps=keeps, children=[1]), leaf(below + ROOM, {"budget": 0.25}))
    assert [*tree(run(), *nodes, bound=max(below, both - keeps) + 2 * ROOM).faults()] == []


@pytest.mark.parametrize(
    ("entry", "most"),
    [
        ({"at_most": 57}, 50.0), ({"at_least": 53}, 60.0), ({"at_most": 60}, 60.0),
        ({"measure": "loans", "at_most": 1.5}, 1.0), ({"measure": "loans", "at_least": 0.5}, 1.0),
        ({"at_most": 0.95, "of": "budget"}, 50.0),
    ],
)  # fmt: skip
def test_room_is_rounded_to_whole_lots(entry: dict[str, Any], most: float) -> None:
    sign = 1 if "at_most" in entry else -1
    made = run(limit(**entry))
    for off, holds in (
        (0.0, True),
        (3 * U * most, True),
        (5 * U * most, True),
        (-6 * U * most, False),
        (-1, False),
    ):
        room = most + sign * off
        if room == most and off:
            continue
        if holds:
            assert tree(made, leaf(1.0), bound=1.0, lots={"l": room}).lots == {"l": room}
        else:
            with pytest.raises(Wrong, match="beyond"):
                tree(made, leaf(1.0), bound=1.0, lots={"l": room})


@pytest.mark.parametrize(
    ("entry", "own"),
    [
        ({"exactly": 57}, {}), ({"measure": "drawn", "at_most": 57}, {}),
        ({"at_most": 57, "weight": "pd"}, {}),
        ({"measure": "loans", "weight": "pd", "at_most": 1.5}, {}), ({"at_most": 0.5, "of": "total"}, {}),
        ({"at_most": 57, "enforce": {"soft": 1}}, {}), ({"at_most": 57}, {"step": None}),
        ({"at_most": 57}, {"numbers": {"fixed_amount": [15, math.nan], "fixed_rate": [0.5, math.nan]}}),
    ],
)  # fmt: skip
def test_rows_that_go_by_no_whole_lots_are_not_rounded(entry: dict[str, Any], own: dict[str, Any]) -> None:
    with pytest.raises(Wrong, match="not used by whole lots"):
        tree(run(limit(**entry), **own), leaf(1.0), bound=1.0, lots={"l": 57.0})
    pins = {"fixed_amount": [20, math.nan], "fixed_rate": [0.5, math.nan]}
    assert tree(run(limit(at_most=57), numbers=pins), leaf(1.0), bound=1.0, lots={"l": 50.0}).lots
    with pytest.raises(Wrong, match="not used by whole lots"):
        tree(run(), leaf(1.0), bound=1.0, lots={"l": 57.0})


def test_what_is_lent_takes_room_before_lots_do() -> None:
    """Of 57 there are 8.50 on the books: 48.50 hold 40; half a cent on the books has a tolerance."""
    made = run(limit(at_most=57), numbers={"exposure": [8.5, 0.0]})
    assert tree(made, leaf(1.0), bound=1.0, lots={"l": 40.0}).lots == {"l": 40.0}
    with pytest.raises(Wrong, match="beyond"):
        tree(made, leaf(1.0), bound=1.0, lots={"l": 39.0})
    ragged = run(limit(at_most=50), numbers={"exposure": [9e-8, 0.0]})
    assert tree(ragged, leaf(1.0), bound=1.0, lots={"l": 50.0}).lots == {"l": 50.0}
    ragged = run(limit(at_most=50), numbers={"exposure": [1.1e-7, 0.0]})
    assert tree(ragged, leaf(1.0), bound=1.0, lots={"l": 40.0}).lots == {"l": 40.0}


def test_a_limit_on_a_condition_splits_by_whether_its_group_is_lent() -> None:
    """None of x: EACH; some: the limit, priced at 1/8 with room of 10, leaves 1.25."""
    made = run(limit(at_most=10, if_lent_to={"s": "x"}))
    nodes = ({"limit": "l", "children": [1, 2]}, leaf(EACH + ROOM), leaf(1.25 + ROOM, {"l": 0.125}))
    assert [*tree(made, *nodes, bound=EACH + ROOM).faults()] == []
    free = leaf(EACH + ROOM, {"l": 0.125})  # below none of x the limit is not in force: its price is 0
    assert [*tree(made, nodes[0], free, nodes[2], bound=EACH + ROOM).faults()] == []
    assert [*tree(made, leaf(1.25 + ROOM, {"l": 0.125}), bound=1.25 + ROOM).faults()]


# --- Price lists ----------------------------------------------------------------------------------
def listed(across: str, grades: int = 2, posted: dict[str, float] | None = None) -> SimpleNamespace:
    """Segments by column s (x and y) of one or two grades with menus of 12.5 %, 25 % and 50 %."""
    one, _ = menus([0.125, 0.25, 0.5], [0.0, 0.25, 0.5])
    every = dict.fromkeys(("A", "B")[:grades], one["A"])
    people = borrowers(3, grade=["A", "B", "A"][:3], s=["x", "y", "z"])
    pricing: Any = {"per_segment": "s", "grades": across, "groups": {"w": ["y", "z"]}}
    document = {"policy": {"pricing": pricing}}
    own = ["w", "x"] if across == "together" else ["A / w", "A / x", "B / w", "B / x"]
    told = {"lists": {"posted": posted or dict.fromkeys(own, 0.25)}}
    return SimpleNamespace(made=checker.segments_of(every, document, told, people))


def test_segments_are_of_values_groups_and_grades() -> None:
    assert listed("together").made.of.tolist() == ["x", "w", "w"]
    apart = listed("apart").made
    assert apart.of.tolist() == ["A / x", "B / w", "A / w"]
    assert apart.chains == [["A / w"], ["B / w"], ["A / x"], ["B / x"]]
    assert listed("monotone").made.chains == [["A / w", "B / w"], ["A / x", "B / x"]]
    assert [rates.tolist() for rates in apart.rates.values()] == [[0.125, 0.25, 0.5]] * 4


@pytest.mark.parametrize(
    ("across", "change", "said"),
    [
        ("monotone", {"B / w": 0.125}, "falls"), ("apart", {"B / w": 0.125}, ""),
        ("apart", {"B / w": 0.2}, "may not"),
        ("monotone", {"B / w": 0.5}, ""), ("apart", {"B / w": 0.25 + 0.9e-12}, ""),
        ("apart", {"B / w": 0.25 + 1.1e-12}, "may not"), ("monotone", {"B / w": 0.25 - 0.9e-12}, ""),
        ("apart", {"C / w": 0.25}, "not one rate"),
    ],
)  # fmt: skip
def test_posted_rates_are_of_the_menu_and_do_not_fall(
    across: str, change: dict[str, float], said: str
) -> None:
    posted = dict.fromkeys(["A / w", "A / x", "B / w", "B / x"], 0.25) | change
    if not said:
        assert listed(across, posted=posted).made.posted["B / w"][0] == change["B / w"]
    else:
        with pytest.raises(Wrong, match=said):
            listed(across, posted=posted)


def test_lists_need_a_pricing_and_it_a_list() -> None:
    one, _ = menus([0.125, 0.25], [0.0, 0.25])
    people = borrowers(1)
    for pricing, told in (
        ("individual", {"lists": {}}),
        ("per_grade", {}),
        ("per_grade", {"lists": {}, "tree": {}}),
    ):
        with pytest.raises(Wrong):
            checker.segments_of(one, {"policy": {"pricing": pricing}}, told, people)
    assert checker.segments_of(one, {"policy": {}}, {}, people) is None
    told = {"lists": {"posted": {"A": 0.25}}}
    with pytest.raises(Wrong, match="of a rule"):
        checker.segments_of(one, {"policy": {"pricing": "per_grade"}, "strategy": "greedy"}, told, people)


def test_a_rate_is_open_to_a_list_within_a_millionth_of_a_millionth() -> None:
    rate = np.array([[0.25, 0.25 + 0.9e-12, 0.25 - 0.9e-12, 0.25 + 1.1e-12, 0.25 - 1.1e-12, 0.9]] * 2)
    found = checker.open_to_list(rate, np.array(["x", "y"], dtype=object), {"x": np.array([0.1, 0.25])})
    assert found.tolist() == [[True, True, True, False, False, False], [False] * 6]


def lists(nodes: list[Any], bound: float, prices: Any = None, across: str = "per_grade") -> Any:
    made = run(n=2, step=None)
    pricing = {"policy": {"pricing": across}}
    told = {"lists": {"posted": {"A": 0.5}}}
    people = borrowers(2, {"max_amount": [40.0] * 2})
    made.segments = checker.segments_of(made.menus, pricing, told, people)
    made.left = made.segments.posted
    document = {"posted": {"A": 0.5}, "bound": bound, "prices": prices or [{}], "nodes": nodes}
    return checker.Lists(made, document)


def test_lists_prove_what_the_best_of_them_earns() -> None:
    """All pay 50 %: 2 x 5. Below 50 % the best is 25 %, worth 2 x 1.875."""
    assert [*lists([leaf_of(0, 2 * EACH)], 2 * EACH + ROOM).faults()] == []
    split = {"segment": "A", "split": [[0.5], [0.125, 0.25]], "children": [1, 2]}
    nodes = [split, leaf_of(0, 2 * EACH), leaf_of(0, 3.75)]
    assert [*lists(nodes, 2 * EACH + ROOM).faults()] == []
    assert [*lists([split, leaf_of(0, 2 * EACH), leaf_of(0, 3.7)], 2 * EACH + ROOM).faults()]
    gone = {"segment": "A", "split": [[0.5], [0.125]], "children": [1, 2]}
    assert "does not cover" in next(lists([gone, *nodes[1:]], 2 * EACH + ROOM).faults())
    strange = {"segment": "A", "split": [[0.5, 0.6], [0.125, 0.25]], "children": [1, 2]}
    assert "may not post" in next(lists([strange, *nodes[1:]], 2 * EACH + ROOM).faults())
    other = {"segment": "B", "split": [[0.5]], "children": [1]}
    assert "posts no rate" in next(lists([other, *nodes[1:]], 2 * EACH + ROOM).faults())
    unused = [*lists([leaf_of(0, 2 * EACH)], 2 * EACH + ROOM, [{}, {}]).faults()]
    assert unused == ["lists.prices: some prove no leaf"]
    assert "has the prices 1" in next(lists([leaf_of(1, 2 * EACH)], 2 * EACH + ROOM).faults())
    assert [*lists([leaf_of(0, 7.5)], 7.5 + ROOM, [{"budget": 0.125}]).faults()] == []
    assert "no limit" in next(lists([leaf_of(0, 7.5)], 7.5 + ROOM, [{"other": 0.125}]).faults())


def leaf_of(place: int, bound: float) -> dict[str, Any]:
    return {"prices": place, "bound": bound + ROOM}


def test_a_tree_may_prove_a_box_of_lists() -> None:
    split = {"segment": "A", "split": [[0.5], [0.125, 0.25]], "children": [1, 2]}
    own = {"bound": 3.75 + ROOM, "lots": {}, "nodes": [leaf(3.75 + ROOM)]}
    assert [*lists([split, leaf_of(0, 2 * EACH), {"tree": own}], 2 * EACH + ROOM).faults()] == []
    low = own | {"bound": 3.7}
    assert [*lists([split, leaf_of(0, 2 * EACH), {"tree": low}], 2 * EACH + ROOM).faults()]
    assert Fraction(3.75) == Fraction(15, 4)
