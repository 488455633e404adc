"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from allocator.errors import Fault, InputError


def several(*names: str, metavar: str, help: str) -> Any:
    """An option that may be given again and again; its parameter is a list, empty where it is not given."""
    return typer.Option(*names, metavar=metavar, help=help, default_factory=list, show_default=False)


ScenarioFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="The scenario: a YAML file, or a workbook.")
]
RunFolder = Annotated[Path, typer.Argument(metavar="DIR", help="A folder that solve wrote.")]
Sets = Annotated[
    list[str],
    several("--set", metavar="KEY=VALUE", help="Lay a value over the scenario's; may be repeated."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Say on standard error what is being done.")]
Force = Annotated[bool, typer.Option("--force", help="Replace files that are there.")]
Columns = Annotated[
    str | None,
    typer.Option(metavar="NAME,...", help="Columns of the borrowers that --xlsx and --table show too."),
]
JoinedTable = Annotated[
    Path | None,
    typer.Option(
        "--table",
        metavar="FILE",
        help="Write every decision beside PD, LGD, request and the columns that limits read: "
        ".csv, .parquet or .xlsx.",
    ),
]
Plot = Annotated[
    Path | None, typer.Option("--plot", metavar="FILE", help="Draw it: a .html, .svg, .png or .pdf file.")
]


def require_names(strategies: str | None) -> None:
    """Raises InputError where the option is given and names nothing between its commas, or nothing at all."""
    if strategies is not None and not all(name.strip() for name in strategies.split(",")):
        remedy = "name strategies, as optimal,equal"
        raise InputError.of([Fault("a name is empty", remedy, field="--strategies")], "command line")
