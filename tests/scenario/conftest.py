"""A small whole scenario in a folder of its own, and ways to spoil it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from allocator.errors import InputError
from allocator.scenario import load_scenario

BASE = """\
schema: 1
portfolio:
  source: borrowers.csv
  defaults: {lgd: 50%}
response: {churn: churn.csv}
policy:
  budget: {amount: 1_000_000}
  ticket: {min: 10_000, max: 100_000}
  rates: {A: [4%, 11%], B: [11%, 13.5%]}
  limits:
    - {name: A line, measure: offered, where: {grade: A}, at_most: 63%, of: budget}
"""

Write = Callable[[str, str], Path]
Faults = Callable[..., list[str]]


@pytest.fixture
def base() -> str:
    """The text of a scenario without a fault."""
    return BASE


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a text to a file beside the portfolio and the churn curve that scenarios name."""
    for name in ("borrowers.csv", "churn.csv"):
        (tmp_path / name).touch()

    def to_file(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return to_file


@pytest.fixture
def faults(write: Write, tmp_path: Path) -> Faults:
    """The faults of a text as case.yaml, each as people read it, the folder shown as FOLDER."""

    def of(text: str | bytes, sets: Sequence[str] = ()) -> list[str]:
        path = write("case.yaml", "")
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(InputError) as caught:
            load_scenario(path, sets)
        return [
            str(one).replace(f"{tmp_path}/case", "case").replace(str(tmp_path), "FOLDER")
            for one in caught.value.faults
        ]

    return of
