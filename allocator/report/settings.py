"""Settings as they would be written in a scenario file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_PLAIN = re.compile(r"[^\W\d][\w ./%-]*(?<! )")
"""Text that YAML reads as itself inside brackets too."""
_RESERVED = frozenset({"true", "false", "null", "yes", "no", "on", "off"})


def as_written(value: Any) -> str:
    """`value` as YAML on one line: `{measure: loans, at_least: 100}`; `not set` for None.

    What a limit is unless it says otherwise, hard, is left out.
    """
    return "not set" if value is None else _flow(value)


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        told = (own for own in value.items() if own != ("enforce", "hard"))
        return f"{{{', '.join(f'{_flow(key)}: {_flow(entry)}' for key, entry in told)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) and value.lower() not in _RESERVED
        return value if plain else '"{}"'.format(value.replace("\\", "\\\\").replace('"', '\\"'))
    return str(value)
