"""Words fold where they may; nothing of them is lost."""

from __future__ import annotations

import pytest

from allocator.report.drawing.lettering import folded, width_of


@pytest.mark.parametrize(
    "text", ["a few short words", "onewordthatiswiderthanthepage" * 3, "a_b.c-d" * 20, "方" * 60]
)
@pytest.mark.parametrize("width", [60.0, 200.0])
def test_every_line_fits_and_all_is_there(text: str, width: float) -> None:
    lines = folded(text, width)
    assert all(width_of(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_it_folds_between_words() -> None:
    assert folded("breaks loss rate and average PD", 100) == ["breaks loss rate", "and average PD"]
    assert folded("", 50) == [""]


def test_a_long_word_breaks_after_its_own_dashes() -> None:
    assert folded("north-east-and-south-west", 80)[0].endswith("-")
