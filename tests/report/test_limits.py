"""Rows of limits as people read them: cuts as the limit that they are of."""

from __future__ import annotations

from typing import Any

import pytest

from allocator.report.limits import (
    cut_in_words,
    limit_in_words,
    of_cuts,
    own_first,
    prices_of_cuts,
    reason_of,
    reasons_of,
    without_cuts,
)

ROWS = ("budget", "tail loss", "tail loss[5]", "tail loss[12]", "regions[1]", "loss [1]", "loss")
"""`regions` is an `each`, and has no row of its own; `loss [1]` is under a stress that is named 1."""


def use(name: str, price: float = 0.0, measure: str = "offered") -> dict[str, Any]:
    return {"name": name, "price": price, "measure": measure}


def test_a_cut_is_told_from_a_row_of_an_each_and_from_one_under_a_stress() -> None:
    told = [cut_in_words(name, ROWS) for name in ROWS]
    assert told == [*ROWS[:2], "tail loss, cut 5", "tail loss, cut 12", *ROWS[4:]]
    assert limit_in_words("tail loss[5]", ROWS) == "tail loss, cut 5"
    assert limit_in_words("regions[1]", ROWS) == "regions: 1"
    assert of_cuts(ROWS[1:5], ROWS) == ["tail loss", "regions[1]"]
    assert own_first(["regions[1]", "tail loss[5]", "tail loss"]) == ["tail loss", "regions[1]"]


def test_a_convex_limit_has_the_price_that_its_cuts_add_up_to() -> None:
    uses = [use("budget", 0.1), use("tail", 0.0), use("tail[1]", 0.5), use("tail[3]", 0.25)]
    assert prices_of_cuts(uses) == {"tail": 0.75}
    assert without_cuts(uses) == [use("budget", 0.1), use("tail", 0.75)]


def test_an_index_keeps_no_price_since_a_unit_of_it_is_none_of_its_cuts() -> None:
    uses = [use("sectors", 0.0, "hhi"), use("sectors[11]", 0.0118)]
    assert prices_of_cuts(uses) == {}
    assert without_cuts(uses) == uses[:1]


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("crowded out by limit tail loss[5]", "crowded out by limit tail loss"),
        ("crowded out by limit regions[1]", "crowded out by limit regions[1]"),
        ("crowded out by the budget", "crowded out by the budget"),
        ("no room left in limit tail loss[5] at its turn", "no room left in limit tail loss[5] at its turn"),
    ],
)
def test_a_reason_names_the_limit_of_a_cut(reason: str, told: str) -> None:
    assert reason_of(reason, ROWS) == told


def test_reasons_of_the_cuts_of_one_limit_are_counted_together() -> None:
    counts = {f"crowded out by limit tail loss[{cut}]": cut for cut in (5, 12)}
    assert reasons_of({**counts, "excluded": 2}, ROWS) == {
        "crowded out by limit tail loss": 17, "excluded": 2,
    }  # fmt: skip
