"""Both ends of the versions that pyproject.toml allows."""

from __future__ import annotations

import re

from tests.bounds import ROOT, TOOLS, requirements, tools


def test_the_oldest_end_pins_every_library_at_its_lower_bound() -> None:
    oldest, newest = requirements("oldest"), requirements("newest")
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in oldest)
    assert [line.replace("==", ">=") for line in oldest] == [line.partition(",")[0] for line in newest]


def test_both_ends_cover_the_extras() -> None:
    newest = [re.split("[>=<]", line)[0] for line in requirements("newest")]
    assert {"numpy", "python-calamine", "sqlalchemy", "typst", "statsmodels"} <= set(newest)


def test_the_tests_have_their_tools() -> None:
    assert sorted(line.partition("==")[0] for line in tools()) == sorted(TOOLS)


def test_what_make_runs_is_there() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    found = re.search(r"^VERSIONED := (.+)$", text, re.MULTILINE)
    assert found is not None
    assert all((ROOT / path).exists() for path in found[1].split())
