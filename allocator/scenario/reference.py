"""The scenario format described from its schema: for editors as JSON schema, for people as a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from allocator.scenario.schema import ScenarioFile
from allocator.scenario.typed import field_texts

_DIALECT = "https://json-schema.org/draft/2020-12/schema"

EXAMPLE = """\
schema: 1
name: sme-100m
portfolio:
  source: borrowers.csv
  columns: {borrower_id: enterprise_id, grade: rating}
  defaults: {lgd: 0.5}
  pd_by_grade: {A: 0.5%, B: 2%, C: 5%}
response: {churn: churn.csv, smoothing: isotonic}
policy:
  budget: {amount: 100_000_000}
  ticket: {min: 100_000, max: 1_000_000, step: 10_000}
  rates: {A: [4%, 11%], B: [11%, 13.5%], C: [13.5%, 15%]}
  rate_grid: {step: 0.25%}
  limits:
    - {name: A line, measure: offered, where: {grade: A}, at_most: 63%, of: budget}
    - {name: sectors, measure: offered, each: sector, at_most: 20%, of: total}
    - {name: risky trade, measure: drawn, where: {sector: [retail, food], pd: {above: 4%}}, at_most: 4e6}
    - {name: average PD, measure: drawn, weight: pd, at_most: 3%, of: drawn}
    - {name: book size, measure: loans, at_least: 100}
solver: {time_limit: 60}
"""
"""A whole scenario, as docs/scenario.md shows it."""

_INTRODUCTION = f"""\
# The scenario file

Written from the JSON schema (`allocator schema`) by `allocator.scenario.reference`; not edited by hand.

A scenario is one YAML 1.2 file:

```yaml
{EXAMPLE}```

Shares, rates and probabilities are written 63% or 0.63, amounts 100_000_000 or 1e8. Paths start from
the folder of the file that writes them and may hold `${{ENVIRONMENT}}` variables; a relative folder in
one that a path begins with, as `${{DATA}}/firms.csv`, starts from the working directory. A database's URL
may hold variables too, which keeps its password out of every file. Unknown keys are faults, and every
fault is reported at once, with its line.

`extends: base.yaml` lays a file over another one: mappings merge deeply, lists replace, but
`policy.limits` merge by name; null takes an optional key of the file below back, an empty list of
limits all of them; a source or a strategy of another kind replaces the whole; a name is not inherited. On
the command line `--set "policy.limits[A line].at_most=10%"` lays a single value over the file; a path in
it starts from the working directory, and one that changes nothing is told in a note. The tables below say
what must stand in the merged file; measures, strategies and sources of [other packages](extending.md) that
are installed stand beside ours.
"""


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a merged scenario file, with a description and a unit for each key."""
    schema = ScenarioFile.model_json_schema(by_alias=True)
    schema["required"].remove("name")  # the file's own name stands in for it
    schema["properties"]["extends"] = {
        "type": "string",
        "description": "Path of the scenario file that this one is laid over.",
        "unit": "path",
    }
    texts = field_texts()
    for name, section in ((ScenarioFile.__name__, schema), *schema["$defs"].items()):
        section.pop("title", None)
        for key, field in section["properties"].items():
            if "description" not in field and key in texts.get(name, {}):
                field["description"] = texts[name][key]
            _complete(field, schema["$defs"])
    return {"$schema": _DIALECT, "title": "Scenario file", **schema}


def reference_page() -> str:
    """docs/scenario.md: an example, then a table of keys for each section, in the order of the file."""
    schema = json_schema()
    parts = [_INTRODUCTION, *_table("The file", schema)]
    places: dict[str, list[str]] = {}
    for path, name in _sections("", schema, schema["$defs"]):
        places.setdefault(name, []).append(path)
    for name, paths in places.items():
        known = _words(name) in paths[0].replace("_", " ")
        shown = ", ".join(f"`{path}`" for path in paths)
        parts += _table(shown if known else f"{shown}: {_words(name)}", schema["$defs"][name])
    return "\n".join(parts)


def _complete(field: dict[str, Any], sections: Mapping[str, Any]) -> None:
    """Give `field` its description and unit at the top, and drop what would only repeat them."""
    if "description" not in field:
        field["description"] = next(sections[name]["description"] for name in _named(field))
    if "unit" not in field:
        inner = [field, *field.get("anyOf", ()), *field.get("oneOf", ())]
        closed = any("enum" in form or "const" in form for form in inner)
        listed = [form for form in inner if form.get("type") == "array"]
        kind = (
            "choice"
            if closed
            else "list"
            if listed and not any("$ref" in form for form in inner)
            else "mapping"
        )
        field["unit"] = next((form["unit"] for form in inner if "unit" in form), kind)
    for key in ("title", "examples"):
        field.pop(key, None)
    if isinstance(field.get("default"), dict | list):
        del field["default"]


def _sections(
    path: str, section: Mapping[str, Any], sections: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """Path and name of each section below `section`, depth first."""
    for key, field in section["properties"].items():
        below = f"{path}.{key}" if path else key
        below += ".NAME" if "$ref" in str(field.get("additionalProperties", "")) else ""
        for name in _named(field):
            yield below, name
            yield from _sections(below, sections[name], sections)


def _named(value: Any) -> Iterator[str]:
    """The sections that a piece of schema refers to."""
    if isinstance(value, Mapping):
        if "$ref" in value:
            yield str(value["$ref"]).rsplit("/", 1)[-1]
        for entry in value.values():
            yield from _named(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _named(entry)


def _words(name: str) -> str:
    """CsvSource as `csv source`, LimitEntry as `limit`."""
    words = "".join(f" {sign.lower()}" if sign.isupper() else sign for sign in name.removesuffix("Entry"))
    return words.strip()


def _table(heading: str, section: Mapping[str, Any]) -> list[str]:
    """A heading, the section's sentence and one row per key."""
    rows = ["| key | unit | if absent | meaning |", "| --- | --- | --- | --- |"]
    required = section.get("required", [])
    for key, field in section["properties"].items():
        absent = "required" if key in required else _absent(field)
        meaning = " ".join(str(field.get("description", "")).split())
        rows.append(f"| `{key}` | {_unit(field)} | {absent} | {meaning} |")
    return [f"## {heading}\n", f"{section.get('description', '')}\n", *rows, ""]


def _absent(field: Mapping[str, Any]) -> str:
    default = field.get("default")
    return "" if default is None else f"`{default}`"


def _forms(field: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The field and all forms of it, forms of forms too."""
    yield field
    for form in (*field.get("anyOf", ()), *field.get("oneOf", ())):
        yield from _forms(form)


def _unit(field: Mapping[str, Any]) -> str:
    """The unit, or the values where those are counted."""
    forms = list(_forms(field))
    values = [
        value for form in forms for value in form.get("enum", [form["const"]] if "const" in form else [])
    ]
    if not values:
        return str(field["unit"])
    listed = ", ".join(f"`{value}`" for value in values)
    return f"{listed} or a mapping" if any("$ref" in form for form in forms) else listed
