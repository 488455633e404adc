"""`allocator fit lgd`: loss given default by segment, or by a regression."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from allocator.cli.options import AsJson, Verbose
from allocator.cli.output import progress


def lgd(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="csv, parquet or xlsx, one row per loan.")],
    default: Annotated[str, typer.Option(metavar="COLUMN", help="1 for a default, 0 for none.")],
    owed: Annotated[str, typer.Option(metavar="COLUMN", help="Money owed at default.")],
    lost: Annotated[str, typer.Option(metavar="COLUMN", help="Money not paid back.")],
    by: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Segments, each with its mean LGD.")
    ] = None,
    declared: Annotated[
        Path | None,
        typer.Option("--variables", metavar="JSON", help="Or a fractional logit of declared variables."),
    ] = None,
    without: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Rows where it is not empty are left out and counted."),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="How much each row counts, above 0; its scale is free."),
    ] = None,
    name: Annotated[
        str, typer.Option(metavar="NAME", help="Files are NAME-v1.json, NAME-v1.md; then v2.")
    ] = "lgd",
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the file and its card go.")] = Path(
        "models/lgd"
    ),
    folds: Annotated[int, typer.Option(help="Folds of the validation.", min=2)] = 5,
    seed: Annotated[int, typer.Option(help="Seed of the folds.", min=0)] = 0,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Loss given default, learnt from defaulted loans: means of segments, or a fractional logit."""
    from allocator.cli.finishing import finish, target_faults

    with progress(verbose) as tell:
        tell("fitting and validating an LGD")
        from allocator.scoring.fitting_lgd import lgd_from_files

        wrong = target_faults(out, name)
        fit = lgd_from_files(
            data, default, owed, lost, by=by, declared=declared, without=without, weights=weights,
            folds=folds, seed=seed, earlier=wrong,
        )  # fmt: skip
    finish(fit, out, name, as_json)
