"""`allocator simulate`: the years that an allocation may have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from allocator.cli.columns import further_columns
from allocator.cli.options import AsJson, Force, Plot, Verbose
from allocator.cli.runs import rechecked
from allocator.cli.shell import answer
from allocator.errors import Fault, InputError
from allocator.records.progress import Progress

if TYPE_CHECKING:
    from allocator.borrowers import FurtherColumns
    from allocator.insight.simulate.record import Method
    from allocator.records.outcome import Outcome
    from allocator.report.view import View

_BETWEEN = "50%"
EXAMPLE = "Example: allocator simulate runs/sme --by sector --lgd-spread 20% --years 20000 --plot years.svg"


def simulate(
    path: Annotated[Path, typer.Argument(metavar="DIR", help="A run, or a scenario to be solved first.")],
    years: Annotated[int, typer.Option(metavar="N", help="How many years.", min=100, max=1_000_000)] = 10_000,
    seed: Annotated[int, typer.Option(metavar="S", help="The same seed gives the same years.", min=0)] = 0,
    by: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Give each value of this column a factor of its own.")
    ] = None,
    rho: Annotated[str, typer.Option(metavar="SHARE", help="Asset correlation in a sector.")] = "15%",
    between: Annotated[
        str | None,
        typer.Option(metavar="SHARE", help=f"Correlation of two sectors' factors; with --by: {_BETWEEN}."),
    ] = None,
    lgd_spread: Annotated[
        str, typer.Option(metavar="SHARE", help="Variance of the LGD as a share of its maximum L (1 - L).")
    ] = "0%",
    method: Annotated[
        str | None, typer.Option(metavar="each|binned", help="How years are drawn; by size if not given.")
    ] = None,
    plot: Plot = None,
    force: Force = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Simulate defaults, take-up and recovery: the distribution of income, loss and net, and its tails."""
    from allocator.insight.simulate.record import Risk

    if between is not None and by is None:
        fault = Fault("says nothing without --by", "give --by COLUMN too", field="--between")
        raise InputError.of([fault], "simulate")
    shares = _shares(
        {"--rho": rho, "--between": _BETWEEN if between is None else between, "--lgd-spread": lgd_spread}
    )
    risk = Risk(shares[0], by, shares[1], shares[2])
    chosen = _method(method)
    further = further_columns(() if by is None else (by,), (), "--by")

    def ask(tell: Progress) -> View:
        run = _solved_run(path, further, tell) if path.is_file() else rechecked(path, tell, further)
        from allocator.insight.simulate.simulate import simulate as simulated
        from allocator.report.simulation import simulation_view

        return simulation_view(simulated(run, risk, years=years, seed=seed, method=chosen, progress=tell))

    answer(ask, plot=plot, force=force, as_json=as_json, verbose=verbose)


def _solved_run(file: Path, further: FurtherColumns, tell: Progress) -> Outcome:
    """A scenario's decisions once it is solved."""
    from allocator.borrowers import read_inputs
    from allocator.scenario import load_scenario

    scenario = load_scenario(file)
    tell("reading the borrowers")
    inputs = read_inputs(scenario, further)
    tell("starting the engine")
    from allocator.pipeline import decide, judge, prepare

    case = prepare(scenario, inputs)
    return judge(case, decide(case, tell))


def _shares(written: dict[str, str]) -> list[float]:
    """The fractions that the options state; raises InputError with every one that states none."""
    from pydantic_core import PydanticCustomError

    from allocator.records.misfits import findings_of
    from allocator.scenario.quantities import fraction

    faults, shares = [], []
    for option, text in written.items():
        try:
            shares.append(fraction(text))
        except PydanticCustomError as error:
            faults += [
                Fault(finding.problem, finding.remedy, field=option) for finding in findings_of(error.context)
            ]
    if faults:
        raise InputError.of(faults, "simulate")
    return shares


def _method(text: str | None) -> Method | None:
    known: dict[str | None, Method | None] = {None: None, "each": "each", "binned": "binned"}
    if text in known:
        return known[text]
    fault = Fault(f"{text!r} is no method", "write each or binned", field="--method")
    raise InputError.of([fault], "simulate")
