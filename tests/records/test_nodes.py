"""Trees that remember where they were written."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np

from allocator.records.nodes import Node, Origin, from_plain

ORIGIN = Origin(None, None, Path("/here"))


def test_python_values_go_in_and_come_out() -> None:
    others = (np.int64(4), np.array([0.5]), Decimal("0.1"))
    value = {"a": [1, 2.5, None, True, "x"], 3: {"b": others}, "p": Path("x/y")}

    assert from_plain(value, ORIGIN).plain() == {
        "a": [1, 2.5, None, True, "x"],
        "3": {"b": [4, [0.5], 0.1]},
        "p": "x/y",
    }


def test_what_no_scenario_holds_shows_its_type() -> None:
    assert from_plain([{1, 2}, 1j, b"x"], ORIGIN).plain() == [
        "<set>",
        "<complex>",
        "<bytes>",
    ]


def test_a_location_is_spelled_as_people_write_it() -> None:
    limits = [{"name": "A line", "at_most": 1}, {"at_most": 2}]
    tree = from_plain({"policy": {"limits": limits, "rates": {"A": [1, 2]}}}, ORIGIN)

    assert tree.spell(("policy", "limits", 0, "at_most")) == "policy.limits[A line].at_most"
    assert tree.spell(("policy", "limits", 1, "at_most")) == "policy.limits[#2].at_most"
    assert tree.spell(("policy", "rates", "A", 1)) == "policy.rates.A[#2]"


def test_a_fault_stands_at_the_last_node_that_exists() -> None:
    inner = Node({"amount": Node("x", Origin("b.yaml", 9, Path("/b")))}, Origin("a.yaml", 7, Path("/a")))
    tree = Node({"budget": inner}, Origin("a.yaml", 1, Path("/a")))

    assert tree.fault(("budget", "amount"), "is x", "write 1").place == "b.yaml, line 9, budget.amount"
    assert tree.fault(("budget", "spend"), "is missing", "add it").place == "a.yaml, line 7, budget.spend"
    assert tree.find(("budget", "spend")) is None
    assert tree.find(("budget", "amount")) is inner.child("amount")
