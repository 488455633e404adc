"""JSON as runs and commands write it: plain, stable, readable by any parser."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np


def to_json(document: Mapping[str, Any], *, indent: int | None = 2, ascii_only: bool = False) -> str:
    """`document` as JSON text that ends with a newline; numbers keep all their digits.

    NumPy scalars and arrays become numbers and lists, and an infinite or missing number becomes
    null, which is all that JSON has for it.
    """
    return json.dumps(_plain(document), indent=indent, ensure_ascii=ascii_only, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(entry) for entry in (sorted(value) if isinstance(value, set | frozenset) else value)]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)
