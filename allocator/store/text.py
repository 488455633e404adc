"""JSON as runs and commands write it: plain, stable, readable by any parser."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from allocator.records.plain import plain


def to_json(document: Mapping[str, Any], *, indent: int | None = 2, ascii_only: bool = False) -> str:
    """`document` as JSON text that ends with a newline; numbers keep all their digits.

    NumPy scalars and arrays become numbers and lists, and an infinite or missing number becomes
    null, which is all that JSON has for it.
    """
    return json.dumps(plain(document), indent=indent, ensure_ascii=ascii_only, allow_nan=False) + "\n"
