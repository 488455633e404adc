"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ScenarioFile = Annotated[Path, typer.Argument(metavar="FILE", help="The scenario, a YAML file.")]
RunFolder = Annotated[Path, typer.Argument(metavar="DIR", help="A folder that solve wrote.")]
Sets = Annotated[
    list[str],
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Lay a value over the scenario's; may be repeated.",
        default_factory=list,
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Say on standard error what is being done.")]
Force = Annotated[bool, typer.Option("--force", help="Replace files that are there.")]
Plot = Annotated[Path | None, typer.Option("--plot", metavar="FILE", help="Draw it: a .html or .svg file.")]
