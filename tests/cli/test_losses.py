"""An LGD by commands: fitted, scored with, judged, and what is refused."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Allocator
from tests.scoring.test_lgd import loans


def test_the_commands_say_what_they_need(tmp_path: Path, allocator: Allocator) -> None:
    money = ("--owed", "owed", "--lost", "lost")
    data = tmp_path / "loans.csv"
    loans().to_csv(data, index=False)
    made = allocator("fit", "lgd", data, "--default", "bad", *money, "--by", "sector", "--out", tmp_path)
    assert made.status == 0
    card = tmp_path / "lgd-v1.json"
    assert "mean LGD" in allocator("score", data, "--scorecard", card).out
    judged = allocator("validate", data, "--scorecard", card, "--outcome", "bad", *money)
    assert "green  lost less foreseen" in judged.out
    without = allocator("validate", data, "--scorecard", card, "--outcome", "bad")
    assert (without.status, "the card gives an LGD and no PD" in without.err) == (2, True)
    half = allocator("validate", data, "--scorecard", card, "--outcome", "bad", "--owed", "owed")
    assert (half.status, "an LGD needs both columns" in half.err) == (2, True)
    card.write_text(card.read_text().replace('"mean":', '"average":'))
    broken = allocator("score", data, "--scorecard", card)
    assert broken.status == 2
    assert broken.err.count("key is missing") == broken.err.count("unknown key") == 3
