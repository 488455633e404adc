"""Reasons for declining, rules of thumb, limits on a condition and how a search ended, by hand."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from allocator import checker
from allocator.checker import NEVER, STEPPED, Facts, Wrong
from tests.checker.test_proof import limit, run


def reasons(made: Facts, stated: list[str], prices: dict[str, float] | None = None, rule: str = "optimal",
            lent: list[float] | None = None, **scenario: Any) -> list[bool]:  # fmt: skip
    """Of whom a reason is contradicted."""
    own = np.array(lent or [0.0] * len(stated))
    made = made.but(rule=rule, decided={"reason": np.array(stated, dtype=object)}, scenario=scenario)
    made.uses = [SimpleNamespace(name=name) for rows in made.rows for name in rows.names]
    every = {use.name: 0.0 for use in made.uses} | (prices or {})
    return checker.contradicted(made, own == 0, every).tolist()


ROOM = "crowded out by the budget"


def test_a_reason_of_prices_needs_a_value_and_a_price() -> None:
    """The best is worth 1/8 a unit: a price of 1/8 and more crowds out, a lower one does not."""
    made = run()
    assert reasons(made, [ROOM, ROOM], {"budget": 0.125}) == [False, False]
    assert reasons(made, [ROOM, ROOM], {"budget": 0.1}) == [True, True]
    assert reasons(made, [ROOM, ROOM]) == [True, True]
    assert reasons(made, [STEPPED, NEVER], {"budget": 0.1}) == [False, True]
    assert reasons(made, [STEPPED, "", "other"][:2], {"budget": 0.25}) == [True, True]
    poor = run(numbers={"pd": [1.0, 1.0]})
    assert reasons(poor, [NEVER, ROOM], {"budget": 0.125}) == [False, True]


@pytest.mark.parametrize(("part", "wrong"), [(0.9, False), (1.1, True)])
def test_reasons_have_a_tolerance_of_the_largest_loan(part: float, wrong: bool) -> None:
    """Worth 5 at 40: a price that leaves 0.9e-9 of 40 crowds out, or takes as much and is no step."""
    near = part * 1e-9
    assert reasons(run(), [ROOM] * 2, {"budget": 0.125 - near}) == [wrong] * 2
    assert reasons(run(), [STEPPED] * 2, {"budget": 0.125 + 4 * near}) == [wrong] * 2, "10 x 4 of the least"


def test_a_limit_crowds_out_whom_it_counts() -> None:
    made = run(limit(where={"s": "x"}, at_most=0))
    own = "crowded out by limit l"
    assert reasons(made, [own, own], {"l": 0.125}) == [False, True]
    share = run(limit(where={"s": "x"}, at_least=0.5, of="total"))
    assert reasons(share, [own, own], {"l": -0.25}) == [True, False], (
        "who is not counted pays for those who are"
    )
    missing = run(numbers={"max_amount": [5.0, 40.0]})
    assert reasons(missing, ["request below the smallest loan", ROOM], {"budget": 0.125}) == [False, False]
    assert reasons(missing, ["excluded", "excluded"], {"budget": 0.125}) == [True, True]


ASIDE = "left out, so that limit l need not hold"


def test_a_group_is_left_out_where_none_of_it_is_lent() -> None:
    made = run(limit(at_most=10, if_lent_to={"s": "x"}))
    assert reasons(made, [ASIDE, ASIDE]) == [False, True]
    assert reasons(made, [ASIDE, ASIDE], {"budget": 0.25}) == [True, True]
    assert reasons(made, [ASIDE, ""], lent=[0.0, 10.0]) == [False, False]
    assert reasons(made, ["", ASIDE], lent=[10.0, 0.0]) == [False, True]
    assert reasons(made, [STEPPED, STEPPED]) == [True, False], "of the group something would be earned"
    all_of = run(limit(at_most=10, if_lent_to={"s": ["x", "y"]}))
    assert reasons(all_of, ["", ASIDE], lent=[10.0, 0.0]) == [False, True]
    assert reasons(all_of, [ASIDE, ASIDE]) == [False, False]


@pytest.mark.parametrize(
    ("rule", "reason", "wrong"),
    [
        ("greedy", NEVER, False), ("greedy", "passed over: it would not earn its cost", False),
        ("greedy", "no room left in the budget at its turn", False), ("greedy", STEPPED, True),
        ("greedy", "no room left in limit l at its turn", False), ("greedy", ASIDE, True),
        ("greedy", ROOM, True),
        ("greedy", "no room left in limit m at its turn", True), ("greedy", "no line for this grade", True),
        ("ahp_lines", "no line for this grade", False), ("ahp_lines", NEVER, False),
        ("ahp_lines", "no rate of the strategy's band may be offered", False),
        ("ahp_lines", "no room left in limit A line at its turn", False),
        ("ahp_lines", "no room left in limit B line at its turn", True),
        ("min_loss", "not needed for the wanted income at the least loss", False), ("min_loss", NEVER, True),
        ("file", "not in book.csv", False), ("file", "not in other.csv", True), ("file", NEVER, True),
    ],
)  # fmt: skip
def test_each_rule_has_its_own_reasons(rule: str, reason: str, wrong: bool) -> None:
    made = run(limit(at_most=100))
    assert reasons(made, [reason, reason], rule=rule, strategy={"file": "/x/book.csv"}) == [wrong, wrong]


def test_a_line_that_is_a_limit_already_is_of_the_strategy() -> None:
    made = run(limit(name="A line", at_most=100))
    said = [
        "no room left in limit A line of the strategy at its turn",
        "no room left in limit A line at its turn",
    ]
    assert reasons(made, said, rule="ahp_lines") == [False, False]


def test_a_rule_leaves_a_group_out() -> None:
    made = run(limit(at_most=10, if_lent_to={"s": "x"}))
    assert reasons(made, [ASIDE, ASIDE], rule="greedy") == [False, True]
    assert reasons(made, [ASIDE, ""], rule="greedy", lent=[0.0, 1.0]) == [False, False]


def test_what_a_point_of_a_share_adds() -> None:
    """Price x bound / share / 100, rows of a limit together; half of an index; cuts by their parent."""
    share = Facts(entry="l", parent=None, of="total", measure="drawn", bound=0.5)
    made = Facts(policy=Facts(limits=[share]), rows=[None, Facts(names=["l[a]", "l[b]"])])
    stated = [
        {"name": "budget", "price": 9.0, "bound": 1.0}, {"name": "l[a]", "price": 2.0, "bound": 100.0},
        {"name": "l[b]", "price": 0.5, "bound": 300.0},
    ]  # fmt: skip
    assert checker.per_point(made, stated) == {"l": 2 * 100 / 0.5 / 100 + 0.5 * 300 / 0.5 / 100}
    index = Facts(bound=0.25, measure="hhi")
    cut = Facts(entry="l", parent=index, of="budget", measure="offered", bound=0.5)
    made.policy.limits = [cut]
    assert checker.per_point(made, stated) == {"l": 350 / 0.5 / 100}
    for own in ({"of": ""}, {"bound": 0.0}):
        made.policy.limits = [share.but(**own)]
        assert checker.per_point(made, stated) == {}
    made.policy.limits = [share]
    assert checker.per_point(made, [{**one, "price": 0.0} for one in stated]) == {}


def summary_of(made: Facts, **stated: Any) -> list[str]:
    usual = {
        "status": "optimal", "stop": "gap", "proof": "prices", "method": "exact", "bound": 10.0, "gap": 0.0,
        "objective": 10.0, "certified_bound": 10.0, "certified_gap": 0.0, "peak_memory_mb": 1.0, "notes": [],
        "seconds": {}, "versions": {}, "limits": [], **stated,
    }  # fmt: skip
    bound = usual["certified_bound"]
    told = {"value": 10.0, "bound": bound, "gap": usual["certified_gap"], "limits": []}
    told |= {"lists": {}} if made.listed else {}
    return [fault for fault in checker.summary_faults(made, told, usual) if "summary" in fault]


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> Facts:
    monkeypatch.setattr(checker, "expected_summary", lambda run, told: {"offered": 1.0})
    monkeypatch.setattr(checker, "unlike", lambda *own: iter(()))
    return Facts(broken=[], terms={}, rule="optimal", scenario={}, listed=False)


def test_how_a_search_ended(ended: Facts) -> None:
    assert summary_of(ended) == []
    assert summary_of(ended, stop="time_limit") == summary_of(ended, stop="exhausted") == []
    assert summary_of(ended, stop="memory")
    assert summary_of(ended.but(scenario={"solver": {"memory": 1}}), stop="memory") == []
    wide = {"bound": 10.0 + 2e-8, "certified_bound": 10.0 + 2e-8}
    gap = 2e-8 / (10 + 2e-8)
    wide |= {"gap": gap, "certified_gap": gap, "status": "feasible"}
    assert summary_of(ended, **wide, stop="time_limit") == []
    assert summary_of(ended, **{**wide, "status": "optimal"}, stop="time_limit")
    near = summary_of(ended, **wide)
    assert near == [], "a gap of 2e-9 is as wide as asked with its tolerance"
    wider = {name: own * 1.01 if "gap" in name else own for name, own in wide.items()}
    del wider["gap"], wider["certified_gap"]
    off = 2.1e-8
    wider = {
        "bound": 10 + off,
        "certified_bound": 10 + off,
        "gap": off / (10 + off),
        "certified_gap": off / (10 + off),
    }
    assert summary_of(ended, **wider, status="feasible")
    assert summary_of(ended.but(rule="greedy"), **wider, status="feasible") == []
    asked = ended.but(scenario={"solver": {"gap": 1e-8}})
    assert summary_of(asked, **wider) == []


def test_what_a_method_and_a_proof_can_be(ended: Facts) -> None:
    assert summary_of(ended, method="reduced") == []
    assert summary_of(ended, method="auto")
    fixed = ended.but(scenario={"solver": {"method": "reduced"}})
    assert summary_of(fixed, method="reduced") == []
    assert summary_of(fixed, method="exact")
    assert summary_of(ended, proof="solver") == []
    assert summary_of(ended, proof="tree")
    assert summary_of(ended.but(listed=True), proof="tree") == []
    above = {"certified_bound": 20.0, "certified_gap": 0.5}
    assert summary_of(ended, **above, proof="solver") == []
    assert summary_of(ended, **above), "the solver alone proved 10"
    assert summary_of(ended, certified_bound=20.0, certified_gap=0.5, bound=20.0, gap=0.5, status="feasible",
                      stop="time_limit", proof="prices") == []  # fmt: skip
    assert summary_of(ended, certified_bound=20.0, certified_gap=0.5, bound=20.0, gap=0.5, status="feasible",
                      stop="time_limit", proof="solver")  # fmt: skip


def test_a_run_that_breaks_something_may_lie_above_its_bound(ended: Facts) -> None:
    broken = ended.but(broken=["l"], rule="greedy")
    told = {"certified_bound": 8.0, "bound": 8.0, "gap": 0.0, "certified_gap": 0.0, "status": "breaks_limits"}
    assert summary_of(broken, **told) == []
    assert summary_of(broken, **{**told, "status": "optimal"})
    assert summary_of(broken, **{**told, "bound": 7.9})
    assert summary_of(broken, **{**told, "bound": 7.0}, proof="solver") == []
    assert summary_of(ended, **{**told, "status": "optimal"})


def test_documents_are_alike_in_kind_and_to_their_rounding() -> None:
    def unlike(stated: Any, computed: Any, place: str = "p", worth: float = 0.0) -> int:
        return len([*checker.unlike(stated, computed, place, worth)])

    assert unlike({"a": 1, "b": "x"}, {"a": 1, "b": "x"}) == 0
    assert unlike({"a": 1}, {"b": 1}) == 2
    assert unlike([1.0, 2.0], [1.0, 2.5]) == 1
    assert unlike([1.0], [1.0, 2.0]) == 1
    assert (unlike(1, 1.0), unlike(True, 1.0), unlike(1.0, 1), unlike(True, 1), unlike("1", 1.0)) == (
        0,
        1,
        1,
        1,
        1,
    )
    assert (unlike(5 + 4.9e-9, 5.0), unlike(5 - 5.1e-9, 5.0)) == (0, 1)
    assert (unlike(0.9e-9, 0.0), unlike(1.1e-9, 0.0), unlike(math.nan, 0.0)) == (0, 1, 1)
    assert (unlike(0.9, 0.0, worth=1e14), unlike(1.1, 0.0, worth=1e14)) == (0, 1)
    assert unlike(0.9, 0.0, "summary mean_rate", 1e14) == unlike(0.9, 0.0, "by_grade A raroc", 1e14) == 1


def test_the_dearest_price_of_any_proof_is_what_an_excess_is_worth() -> None:
    uses = [Facts(name="a", excess=2.0, penalty=math.inf), Facts(name="b", excess=8.0, penalty=1.0)]
    made = Facts(uses=uses)
    tree = {"nodes": [{"prices": {"a": -3.0}}, {"borrower": "x"}, {"prices": {"a": 1.0}}]}
    assert checker.worth_of_excess(made, {}, {"a": 0.5, "b": 9.0}) == 1.0
    assert checker.worth_of_excess(made, {"tree": tree}, {"a": 0.5}) == 6.0
    lists = {"prices": [{"a": 4.0}], "nodes": [{"tree": {"nodes": [{"prices": {"a": 5.0}}]}}, {"prices": 0}]}
    assert checker.worth_of_excess(made, {"lists": lists}, {"a": 0.5}) == 10.0


def test_a_row_counted_in_cents_where_all_are() -> None:
    """Half a cent anywhere, or two weights, and a row has its tolerance."""
    row = Facts(weight=np.ones(2), of="", basis="offered", moved=False, among=False)
    row = row.but(measure="offered", exposed=True, stated=5)
    own = np.arange(2)

    def beyond(offered: list[float], exposure: list[float], **more: Any) -> Any:
        bases, book = {"offered": np.array(offered), "loans": np.ones(2)}, Facts(exposure=np.array(exposure))
        return checker.beyond(row.but(**more), own, book, bases)

    assert beyond([3.0, 1.0], [0.25, 1.0]) == checker.Fraction(1, 4)
    assert beyond([3.0, 1.0], [0.25, 1.0], exposed=False) == -1
    assert beyond([3.005, 1.0], [0.25, 1.0]) is None
    assert beyond([3.0, 1.0], [0.255, 1.0]) is None
    for more in ({"weight": np.array([1.0, 2.0])}, {"weight": np.zeros(2)}, {"among": True}, {"moved": True},
                 {"of": "drawn"}, {"of": "loans"}, {"basis": "drawn"}):  # fmt: skip
        assert beyond([3.0, 1.0], [0.0, 0.0], **more) is None
    assert beyond([3.0, 1.0], [0.5, 0.5], weight=np.full(2, -0.5)) == -2.5 - 5
    assert beyond([3.0, 1.0], [0.5, 0.5], of="offered", stated=checker.Fraction(1, 2)) == checker.Fraction(
        5, 2
    )
    assert beyond([3.0, 1.0], [0.001, 0.0], basis="loans", measure="loans", stated=1) == 1
    with pytest.raises(Wrong):
        checker.need(False, "")
