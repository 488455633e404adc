"""Memory in use, by the system's own count or by the most there ever was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from allocator.engine import memory


def test_what_is_taken_counts() -> None:
    before = memory.memory_in_use()
    taken = np.ones(8_000_000)
    assert memory.memory_in_use() > before + 0.9 * taken.nbytes


def test_where_the_system_does_not_tell_it_is_the_most_there_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "_PAGES", tmp_path / "none")
    assert memory.memory_in_use() > 0
