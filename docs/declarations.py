"""docs/declarations.md from the JSON Schema of what a fit reads: a table of keys for each section."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from allocator.scoring.declarations import json_schema

_INTRODUCTION = """\
# A file of declarations

Written from its JSON Schema (`allocator schema --of declarations`) by `docs/declarations.py`; not edited
by hand.

What an analyst declares before `fit logit`, `fit rating` or `fit lgd`, as one JSON file:
[a walk](scorecard.md#declare), [what becomes of empty cells and codes](scoring.md#statements). A key without
a default must be there, unknown ones are faults, and every fault is reported at once, with
those of the table, each with its key path and line.
"""
_TITLES = {
    "VariableShape": "variables: of a logit or an LGD",
    "BinningShape": "variables[].bins",
    "DerivedShape": "derived: columns made from others",
    "RuleShape": "rules: of a rating",
    "LeakShape": "leaks: known only after the decision",
}


def declarations_page() -> str:
    """The page."""
    schema = json_schema()
    parts = [_INTRODUCTION, *_table("The file", schema)]
    for name, title in _TITLES.items():
        parts += _table(title, schema["$defs"][name])
    return "\n".join(parts)


def _table(title: str, section: Mapping[str, Any]) -> Iterator[str]:
    yield f"## {title}\n"
    yield "| key | holds | default | |\n| --- | --- | --- | --- |"
    for key, field in section["properties"].items():
        needed = key in section.get("required", ())
        text = field.get("description", "").replace("|", "\\|")
        default = "" if needed else f"`{_shown(field.get('default'))}`"
        yield f"| `{key}` | {_kind(field)} | {default} | {text} |"
    yield ""


def _shown(value: object) -> str:
    return json.dumps(value)


def _kind(field: Mapping[str, Any]) -> str:
    """What a value may be, in words."""
    if "anyOf" in field:
        return " or ".join(_kind(form) for form in field["anyOf"])
    if "enum" in field or "const" in field:
        return ", ".join(
            f"`{json.dumps(choice).strip(chr(34))}`" for choice in field.get("enum", [field.get("const")])
        )
    if "$ref" in field:
        return f"a mapping: {_TITLES[field['$ref'].rpartition('/')[2]].partition(':')[0]}"
    kind = str(field.get("type"))
    if kind == "array":
        inner = field.get("items") or (field.get("prefixItems") or [{}])[0]
        return f"a list of: {_kind(inner)}"
    words = {"object": "a mapping", "string": "text", "integer": "a whole number", "null": "null"}
    return words.get(kind, f"a {kind}")
