"""Python cells of worksheets and queries as Arrow arrays, and cells as text."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from allocator.tables.conversion import cell_text, to_array

ARRAYS = {
    "whole": ([1, None, 3], pa.int64(), [1, None, 3]),
    "mixed numbers": ([1, 2.5, ""], pa.float64(), [1.0, 2.5, None]),
    "whole and decimal": ([1, Decimal("2.5")], pa.decimal128(2, 1), [Decimal("1.0"), Decimal("2.5")]),
    "beyond 64 bits": ([2**70, 1], pa.string(), ["1180591620717411303424", "1"]),
    "decimal that is none": ([Decimal("NaN"), Decimal(1)], pa.string(), ["NaN", "1"]),
    "number and text": ([1.0, "x", True], pa.string(), ["1", "x", "true"]),
    "a type of one database": ([complex(1, 2), None], pa.string(), ["(1+2j)", None]),
    "nothing": (["", None], pa.null(), [None, None]),
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_to_array(kind: str) -> None:
    cells, held, expected = ARRAYS[kind]
    array = to_array(cells)
    assert array.to_pylist() == expected
    assert array.type == held


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, None),
        ("", None),
        (" ", " "),
        ("NA", "NA"),
        (True, "true"),
        (7, "7"),
        (7.0, "7"),
        (-0.5, "-0.5"),
        (float(2**53), "9007199254740992"),
        (1e22, "1e+22"),
        (float("inf"), "inf"),
        (float("nan"), None),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 3, 4), "2026-01-02T03:04:00"),
    ],
)
def test_cell_text(cell: object, text: str | None) -> None:
    assert cell_text(cell) == text
