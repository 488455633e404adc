"""What all pages share: lists that are cut say so, columns stand side by side as far as they fit."""

from __future__ import annotations

import pytest

from allocator.report.plain import cut, listed, reasons_table, side_by_side
from allocator.report.room import WIDTH
from tests.report.test_table import printed


def test_a_list_that_is_cut_says_how_much_is_left_out() -> None:
    assert cut(["a", "b"], 2, "keys") == (["a", "b"], [])
    assert cut(["a", "b", "c"], 2, "keys") == (["a", "b"], ["and 1 more keys"])
    assert cut(list(range(1_235)), 1)[1] == ["and 1,234 more"]
    assert listed(["a", "b"], 2) == "a, b"
    assert listed(["a", "b", "c", "d"], 2) == "a, b and 2 more"


def test_the_commonest_reasons_stand_first_and_the_others_in_one_row() -> None:
    counts = {"rare": 1, "common": 1_000, "alike": 1, "often": 20}
    lines = [" ".join(line.split()) for line in printed(reasons_table(counts, most=2)).splitlines()]
    assert lines == ["1,000 common", "20 often", "2 for 2 further reasons"]
    assert "further" not in printed(reasons_table(counts))


@pytest.mark.parametrize(
    ("widths", "blocks"),
    [
        ([], [[]]),
        ([50, 50], [[0, 1]]),
        ([50, 51], [[0], [1]]),
        ([WIDTH + 1, 1, 99], [[0], [1, 2]]),
        ([40, 40, 40, 40, 40], [[0, 1], [2, 3], [4]]),
    ],
)
def test_columns_stand_side_by_side_as_far_as_they_fit(widths: list[int], blocks: list[list[int]]) -> None:
    assert list(side_by_side(widths, WIDTH)) == blocks
