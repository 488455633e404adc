"""`allocator schema`: the scenario format for editors."""

from __future__ import annotations

from pathlib import Path

import pytest

from allocator.scenario import json_schema
from tests.cli.conftest import Allocator

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_the_schema_is_printed(allocator: Allocator, arguments: list[str]) -> None:
    outcome = allocator("schema", *arguments)
    assert outcome.status == 0
    assert outcome.json == json_schema()
    assert outcome.out.isascii()


def test_the_schema_of_declarations_describes_every_key(allocator: Allocator) -> None:
    schema = allocator("schema", "--of", "declarations").json
    sections = {"file": schema, **schema["$defs"]}
    for name, section in sections.items():
        for key, field in section["properties"].items():
            assert field.get("description"), (name, key)
    page = "".join((ROOT / "docs" / name).read_text() for name in ("scorecard.md", "scoring.md"))
    for name in ("VariableShape", "BinningShape"):
        for key in sections[name]["properties"]:
            assert f"`{key}`" in page or f"bins.{key}`" in page, key
