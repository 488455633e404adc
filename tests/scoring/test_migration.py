"""Rating migration tables."""

from __future__ import annotations

import pandas as pd
import pytest

from allocator.errors import InputError
from allocator.scoring.migration import migration


def test_moves_are_counted_by_row() -> None:
    before = pd.Series({"a": "A", "b": "A", "c": "B", "d": "B", "e": "C"})
    after = pd.Series({"a": "A", "b": "B", "c": "A", "d": "C", "f": "C"})
    table = migration(before, after, ["A", "B", "C"])
    assert table.loc["A", ["A", "B", "C", "n"]].tolist() == [1, 1, 0, 2]
    assert table.loc["A", ["stayed", "up", "down"]].tolist() == [0.5, 0.0, 0.5]
    assert table.loc["B", ["stayed", "up", "down"]].tolist() == [0.0, 0.5, 0.5]
    assert table.loc["C", "n"] == 0


def test_unknown_classes_and_no_firm_in_common() -> None:
    with pytest.raises(InputError) as caught:
        migration(pd.Series({"a": "A"}), pd.Series({"b": "X"}), ["A"])
    assert [fault.problem for fault in caught.value.faults] == ["'X' is no class", "no firm is rated twice"]
