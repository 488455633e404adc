"""`allocator schema`: the scenario format for editors."""

from __future__ import annotations

import pytest

from allocator.scenario import json_schema
from tests.cli.conftest import Allocator


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_the_schema_is_printed(allocator: Allocator, arguments: list[str]) -> None:
    outcome = allocator("schema", *arguments)
    assert outcome.status == 0
    assert outcome.json == json_schema()
    assert outcome.out.isascii()
