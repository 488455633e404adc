"""Settings are told as a scenario file has them: YAML reads them back."""

from __future__ import annotations

import io
from typing import Any

import pytest
from ruamel.yaml import YAML

from allocator.report.settings import as_written


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, "not set"),
        (True, "true"),
        (0.18, "0.18"),
        (5_000_000, "5000000"),
        ([0.04, 0.11], "[0.04, 0.11]"),
        ("optimal", "optimal"),
        (
            {"measure": "offered", "each": "region", "at_most": 0.18, "enforce": "hard"},
            "{measure: offered, each: region, at_most: 0.18}",
        ),
        (
            {"where": {"grade": ["A", "on"], "x: y": [None, "1"]}},
            '{where: {grade: [A, "on"], "x: y": [null, "1"]}}',
        ),
        ({"soft": {"path": 'a "b" \\ c'}}, '{soft: {path: "a \\"b\\" \\\\ c"}}'),
    ],
)
def test_a_setting_is_written_as_in_a_file(value: Any, written: str) -> None:
    assert as_written(value) == written
    if value is not None:
        read = YAML(typ="safe").load(io.StringIO(written))
        assert read == ({key: own for key, own in value.items() if key != "enforce"}
                        if isinstance(value, dict) else value)  # fmt: skip
