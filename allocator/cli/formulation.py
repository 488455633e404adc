"""`allocator formulation`: the mathematics of one scenario, written from what the engine is given."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from allocator.cli.options import AsJson, Force, ScenarioFile, Sets, Verbose
from allocator.cli.shell import answer
from allocator.errors import Fault, InputError

if TYPE_CHECKING:
    from allocator.records.progress import Progress
    from allocator.report.view import View

EXAMPLE = "Example: allocator formulation sme.yaml --latex --out sme.tex"
ENDINGS = (".md", ".tex")


def formulation(
    file: ScenarioFile,
    sets: Sets,
    latex: Annotated[bool, typer.Option("--latex", help="Write LaTeX in the place of Markdown.")] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it to a file: .md, or .tex in LaTeX.")
    ] = None,
    force: Force = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Write a scenario's program as mathematics: sets, data, objective and every limit's row."""
    _require_one_language(latex, out)

    def ask(tell: Progress) -> View:
        tell("reading the scenario")
        from allocator.borrowers import read_inputs
        from allocator.insight.formulation import formulation_of
        from allocator.pipeline import prepare
        from allocator.report.formulation.view import formulation_view
        from allocator.scenario import load_scenario

        scenario = load_scenario(file, sets)
        tell("reading the borrowers")
        case = prepare(scenario, read_inputs(scenario))
        return formulation_view(formulation_of(case), "latex" if latex else "markdown", out)

    named = () if out is None else (out,)
    answer(ask, out=named, endings=ENDINGS, force=force, as_json=as_json, verbose=verbose)


def _require_one_language(latex: bool, out: Path | None) -> None:
    if latex and out is not None and out.suffix.lower() == ".md":
        fault = Fault("a .md file is Markdown", "let it end in .tex, or leave --latex out", file=str(out))
        raise InputError.of([fault], "output")
