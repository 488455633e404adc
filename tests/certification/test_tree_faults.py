"""Every fault of a proof tree word for word, and what each kind of node leaves, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from allocator.certification.cases import coarsest_lots, table_of
from allocator.certification.limits import blocks_of
from allocator.certification.terms import terms_of
from allocator.certification.tree import lots_of, stated_tree, tree_faults
from tests.builders import Case, churn_table, limit, policy, portfolio

CASE = Case(
    portfolio(
        ["A", "A", "B", "D"],
        pd=0.0,
        lgd=0.0,
        max_amount=300_000.0,
        fixed_amount=[np.nan, np.nan, 150_000.0, np.nan],
        fixed_rate=[np.nan, np.nan, 0.04, np.nan],
    ),
    churn_table([0.04, 0.08], A=[0.0, 0.75], B=[0.0, 0.75]),
    policy(
        550_000.0, limit("few", "loans", "at_most", 2.5), limit("some", "loans", "at_least", 0.5), step=1e5
    ),
)
"""300,000 are worth 12,000 at 4 % and 6,000 at 8 % to each of A; the pinned offer is worth 6,000."""


def read(case: Case, tree: dict[str, Any]) -> tuple[Any, ...]:
    """What a tree is walked with."""
    terms = terms_of(case.portfolio, case.table, case.scenario.response, case.policy)
    blocks = blocks_of(case.policy, case.portfolio)
    table = table_of(case.portfolio, case.policy, terms, blocks, lots_of(tree))
    position = {name: row for row, name in enumerate(case.portfolio.borrower_id[table.member].tolist())}
    coarsest = coarsest_lots(case.portfolio, case.policy, terms, blocks)
    return table, coarsest, position, case.policy.ticket.step


def tree(*nodes: Any, **more: Any) -> dict[str, Any]:
    return {"bound": 1e9, "nodes": list(nodes), **more}


def told(document: dict[str, Any], case: Case = CASE) -> list[str]:
    """What is wrong with a tree, by its own bounds."""
    return [str(fault) for fault in tree_faults(document, *read(case, document))]


def bounds(*nodes: Any, case: Case = CASE, **more: Any) -> list[float]:
    """The bounds of a sound tree's leaves and cuts as they are stated, and the tree's own last."""
    document = tree(*nodes, **more)
    stated, faults = stated_tree(document, *read(case, document))
    assert faults == []
    assert told(stated, case) == []
    return [node["bound"] for node in stated["nodes"] if "bound" in node] + [stated["bound"]]


def leaf(bound: float = 0.0, **prices: float) -> dict[str, Any]:
    return {"prices": prices, "bound": bound}


def rates(*split: list[Any], children: Any = (1, 2), borrower: Any = "b000") -> dict[str, Any]:
    return {"borrower": borrower, "split": list(split), "children": list(children)}


def amounts(at: Any, borrower: Any = "b000") -> dict[str, Any]:
    return {"borrower": borrower, "amounts": at, "children": [1, 2]}


WHOLE = 30_000.0
"""What no price at all proves."""
FAULTY: dict[str, tuple[dict[str, Any], str]] = {
    "no bound": ({"nodes": [leaf()]}, "tree: has bound None where a finite number was expected"),
    "a bound that is none": (
        tree(leaf(), bound=True),
        "tree: has bound True where a finite number was expected",
    ),
    "an endless bound": (
        tree(leaf(), bound=np.inf),
        "tree: has bound inf where a finite number was expected",
    ),
    "no nodes": (tree(), "tree: holds no nodes"),
    "nodes by name": ({"bound": 1.0, "nodes": {"0": leaf()}}, "tree: holds no nodes"),
    "another key": (tree(leaf(), root=0), "tree: has the key 'root', which is none of bound, lots, nodes"),
    "lots as a list": (tree(leaf(), lots=["few"]), "tree: has lots that are no numbers by row"),
    "lots in words": (tree(leaf(), lots={"few": "2"}), "tree: has lots that are no numbers by row"),
    "lots that are true": (tree(leaf(), lots={"few": True}), "tree: has lots that are no numbers by row"),
    "lots of no row": (
        tree(leaf(), lots={"many": 2}),
        "tree: rounds limit 'many', which need not be used by whole lots",
    ),
    "lots below": (tree(leaf(), lots={"few": 1.75}), "tree: rounds limit 'few' to 1.75, beyond 2.0"),
    "lots above": (tree(leaf(), lots={"some": 1.25}), "tree: rounds limit 'some' to 1.25, beyond 1.0"),
    "no object": (tree([leaf()]), "tree.nodes[0]: is no object"),
    "a price and a borrower": (
        tree({**amounts(1e5), "prices": {}}),
        "tree.nodes[0]: has the key 'prices', which is none of amounts, borrower, children, split",
    ),
    "a leaf with a split": (
        tree({**leaf(), "split": []}),
        "tree.nodes[0]: has the key 'split', which is none of bound, children, keeps, prices",
    ),
    "two splits at once": (
        tree({**amounts(1e5), "split": [[], []]}),
        "tree.nodes[0]: splits options and amounts at once",
    ),
    "no prices": (tree({"bound": 1e9}), "tree.nodes[0]: is neither a split nor has prices"),
    "a list of prices": (
        tree({"bound": 1e9, "prices": [0.0]}),
        "tree.nodes[0]: is neither a split nor has prices",
    ),
    "a price of no row": (
        tree(leaf(many=1.0)),
        "tree.nodes[0]: prices 'many', which is no limit of the policy",
    ),
    "a price in words": (
        tree({"prices": {"few": "1"}, "bound": 1e9}),
        "tree.nodes[0]: has few '1' where a finite number was expected",
    ),
    "a node without a bound": (
        tree({"prices": {}}),
        "tree.nodes[0]: has bound None where a finite number was expected",
    ),
    "a cut without a distance": (
        tree({**leaf(1e5), "keeps": None, "children": [1]}, leaf()),
        "tree.nodes[0]: has keeps None where a finite number was expected",
    ),
    "nobody": (
        tree(rates([], [], borrower="b009"), leaf(), leaf()),
        "tree.nodes[0]: splits borrower 'b009', who may get no offer",
    ),
    "a borrower without a rate": (
        tree(rates([], [], borrower="b003"), leaf(), leaf()),
        "tree.nodes[0]: splits borrower 'b003', who may get no offer",
    ),
    "a borrower that is none": (
        tree(rates([], [], borrower=["b000"]), leaf(), leaf()),
        "tree.nodes[0]: splits borrower ['b000'], who may get no offer",
    ),
    "one side": (tree(rates([0.04, 0.08, "none"]), leaf(), leaf()), "tree.nodes[0]: has no two sides"),
    "three sides": (tree(rates([0.04], [0.08], ["none"]), leaf(), leaf()), "tree.nodes[0]: has no two sides"),
    "no side": (
        tree({"borrower": "b000", "children": [1, 2]}, leaf(), leaf()),
        "tree.nodes[0]: has no two sides",
    ),
    "sides in words": (
        tree(rates([0.04, 0.08], "none"), leaf(), leaf()),  # type: ignore[arg-type]
        "tree.nodes[0]: has no two sides",
    ),
    "another word": (
        tree(rates([0.04, "some"], [0.08, "none"]), leaf(), leaf()),
        "tree.nodes[0]: lists something that is neither a rate nor 'none'",
    ),
    "another rate": (
        tree(rates([0.04, 0.06], [0.08, "none"]), leaf(), leaf()),
        "tree.nodes[0]: lists a rate that the borrower may not be offered",
    ),
    "rates left out": (
        tree(rates(["none"], []), leaf(), leaf()),
        "tree.nodes[0]: does not cover rate 0.04, 0.08 of borrower b000",
    ),
    "a refusal left out": (
        tree(rates([0.04], [0.08]), leaf(), leaf()),
        "tree.nodes[0]: does not cover declining borrower b000",
    ),
    "amounts in words": (
        tree(amounts("1e5"), leaf(), leaf()),
        "tree.nodes[0]: has amounts '1e5' where a finite number was expected",
    ),
    "amounts off the step": (
        tree(amounts(150_000.0), leaf(), leaf()),
        "tree.nodes[0]: splits amounts at 150000.0, which is no multiple of a step",
    ),
    "amounts of a pinned offer": (
        tree(amounts(1e5, "b002"), leaf(), leaf()),
        "tree.nodes[0]: splits the amount of a pinned offer",
    ),
    "a leaf with a child": (
        tree({**leaf(3e4 + 1e-6), "children": [1]}, leaf()),
        "tree.nodes[0]: has the children [1] where 0 were expected",
    ),
    "a cut without a child": (
        tree({**leaf(3e4 + 1e-6), "keeps": 0.0}, leaf()),
        "tree.nodes[0]: has the children [] where 1 were expected",
    ),
    "children in words": (
        tree({**amounts(1e5), "children": "12"}, leaf(), leaf()),
        "tree.nodes[0]: has the children '12' where 2 were expected",
    ),
    "the root as a child": (
        tree(rates([0.04], [0.08, "none"], children=[1, 0]), leaf()),
        "tree.nodes[0]: has a child 0, which is no node",
    ),
    "a child beyond": (
        tree(rates([0.04], [0.08, "none"], children=[2, 1]), leaf()),
        "tree.nodes[0]: has a child 2, which is no node",
    ),
    "a child that is true": (
        tree(rates([0.04], [0.08, "none"], children=[True, 1]), leaf()),
        "tree.nodes[0]: has a child True, which is no node",
    ),
    "two parents": (
        tree(rates([0.04], [0.08, "none"], children=[1, 1]), leaf(2.4e4 + 1e-6)),
        "tree.nodes[1]: has two parents",
    ),
    "a branch in the air": (
        tree(leaf(3e4 + 1e-6), leaf(), leaf()),
        "tree.nodes: 2 nodes hang on no branch",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", FAULTY)
def test_a_fault_is_told_word_for_word(kind: str) -> None:
    document, fault = FAULTY[kind]
    assert told(document)[:1] == [f"{fault}; solve again"]
    assert len(told(document)) == 1


def test_every_broken_node_is_told_but_not_what_hangs_below_it() -> None:
    document = tree(
        rates([0.04], [0.08, "none"], children=[1, 3]),
        rates([0.04], [0.08], children=[2, 2], borrower="b001"),
        leaf(-1.0),
        {"prices": {}, "bound": None},
    )
    assert told(document) == [
        "tree.nodes[3]: has bound None where a finite number was expected; solve again",
        "tree.nodes[1]: does not cover declining borrower b001; solve again",
    ]


def test_prices_that_overflow_and_claims_below_what_is_proved() -> None:
    document = tree(leaf(few=1e307))
    _, [fault] = stated_tree(document, *read(CASE, document))
    assert str(fault) == "tree.nodes[0]: has prices so large that they prove nothing; solve again"
    [claimed] = told(tree(leaf(3e4 + 1e-6), bound=29_999.0))
    proves = claimed.removeprefix("tree.nodes[0]: proves ").partition(" only")[0]
    assert float(proves) == pytest.approx(WHOLE, rel=1e-12)
    assert claimed.endswith("only, which is above the tree's bound 29999.0; solve again")


def test_the_sides_of_a_split_leave_their_options() -> None:
    """At a price of 1 a unit nobody is lent to who need not be: 550,000 - 144,000 for the pinned offer."""
    dear = leaf(budget=1.0)
    none, some, _ = bounds(rates(["none"], [0.04, 0.08]), dear, dear)
    assert [none, some] == pytest.approx([406_000.0, 406_000.0 - 96_000.0])
    some, none, _ = bounds(rates([0.08], [0.04, "none"]), dear, dear)
    assert [some, none] == pytest.approx([406_000.0 - 98_000.0, 406_000.0])
    low, high, whole = bounds(rates([0.04 + 1e-13], [0.08, "none"]), leaf(), leaf())
    assert [low, high, whole] == pytest.approx([30_000.0, 24_000.0, 30_000.0])
    both, none, _ = bounds(rates([0.04, 0.08, "none"], []), leaf(), leaf())
    assert both == pytest.approx(30_000.0)
    assert none == 0.0, "no option is left: any bound holds"


def test_the_sides_of_an_amount_leave_their_amounts() -> None:
    """Up to 200,000 at 8,000, or nothing; 300,000 at 12,000, never nothing."""
    less, more, whole = bounds(amounts(200_000.0), leaf(), leaf())
    assert [less, more, whole] == pytest.approx([26_000.0, 30_000.0, 30_000.0])
    less, more, _ = bounds(amounts(200_000.0), leaf(budget=1.0), leaf(budget=1.0))
    assert [less, more] == pytest.approx([406_000.0, 406_000.0 - 288_000.0])
    again = [amounts(200_000.0), amounts(100_000.0) | {"children": [3, 4]}, leaf(), leaf(), leaf(budget=1.0)]
    over, least, rest, _ = bounds(*again)
    assert [over, least, rest] == pytest.approx([30_000.0, 22_000.0, 406_000.0 - 192_000.0])
    beyond, none, _ = bounds(amounts(300_000.0), leaf(), leaf())
    assert (beyond, none) == (pytest.approx(30_000.0), 0.0)
    none, all_of_it, _ = bounds(amounts(0.0), leaf(), leaf())
    assert [none, all_of_it] == pytest.approx([18_000.0, 30_000.0])


def test_a_cut_leaves_out_what_loses_more_than_it_keeps() -> None:
    """A refusal loses 12,000 of each, the rate of 8 % 6,000: at a distance of 7,000 refusals are out."""
    after = leaf(budget=1.0)
    first, second, whole = bounds({**leaf(), "keeps": 7_000.0, "children": [1]}, after)
    assert [first, second] == pytest.approx([30_000.0, 406_000.0 - 2 * 96_000.0])
    assert whole == pytest.approx(max(30_000.0 - 7_000.0, second))
    first, second, whole = bounds({**leaf(), "keeps": 1e7, "children": [1]}, leaf())
    assert [first, second, whole] == pytest.approx([30_000.0] * 3)
    _, second, _ = bounds({**leaf(), "keeps": 12_500.0, "children": [1]}, after)
    assert second == pytest.approx(406_000.0)
    _, second, _ = bounds({**leaf(), "keeps": 1_000.0, "children": [1]}, {**leaf(few=1e5)})
    assert second == pytest.approx(2.5e5 + 6_000.0 - 1e5 + 2 * (12_000.0 - 1e5))


def test_rounded_rows_prove_by_whole_lots() -> None:
    """A price of 12,000 a loan leaves nobody anything; two and a half are 30,000, two 24,000."""
    dear = leaf(few=12_000.0)
    assert bounds(dear)[0] == pytest.approx(30_000.0 - 6_000.0)
    assert bounds(dear, lots={"few": 2.0})[0] == pytest.approx(24_000.0 - 6_000.0)
    assert bounds(dear, lots={"few": 2.25})[0] == pytest.approx(27_000.0 - 6_000.0)
    assert bounds(leaf(some=-1_000.0), lots={"some": 1})[0] == pytest.approx(30_000.0 + 3_000.0 - 1_000.0)
    assert lots_of({"lots": {"few": 2, "some": 1.5, "words": "3", "yes": True}}) == {"few": 2, "some": 1.5}
    assert (lots_of({}), lots_of({"lots": [1.0]})) == ({}, {})


def test_without_a_step_the_other_side_begins_a_cent_above() -> None:
    case = CASE.under(ticket=type(CASE.policy.ticket)(1e5, 1e6, None), limits=())
    less, more, _ = bounds(amounts(200_000.01), leaf(), leaf(budget=1.0), case=case)
    assert less == pytest.approx(26_000.0004, rel=1e-12)
    assert more == pytest.approx(406_000.0 - 0.96 * 200_000.02, rel=1e-12)
    [fault] = told(tree(amounts(200_000.015), leaf(), leaf()), case)
    assert fault == "tree.nodes[0]: splits amounts at 200000.015, which is no multiple of a cent; solve again"
