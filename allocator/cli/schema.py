"""`allocator schema`: the scenario format as a JSON Schema."""

from __future__ import annotations

from allocator.cli.options import AsJson
from allocator.cli.output import print_json

EXAMPLE = "Example: allocator schema > scenario.schema.json"


def schema(as_json: AsJson = False) -> None:
    """Print the JSON Schema of scenario files, for editors that complete and check them."""
    from allocator.scenario import json_schema

    print_json(json_schema())
