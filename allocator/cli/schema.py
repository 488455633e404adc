"""`allocator schema`: the formats that people write as JSON Schemas."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from allocator.cli.options import AsJson
from allocator.cli.output import print_json

EXAMPLE = "Example: allocator schema > scenario.schema.json"


def schema(
    of: Annotated[
        Literal["scenario", "declarations"],
        typer.Option(help="Scenario files, or the variables and rules that a fit reads."),
    ] = "scenario",
    as_json: AsJson = False,
) -> None:
    """Print the JSON Schema of scenario files, for editors that complete and check them."""
    if of == "declarations":
        from allocator.scoring import declarations

        print_json(declarations.json_schema())
        return
    from allocator.scenario import json_schema

    print_json(json_schema())
