"""The command `allocator`: its commands, and how each of them ends.

Nothing heavy is imported before a command runs, so that --help answers at once.
"""

from __future__ import annotations

import atexit
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from typer.exceptions import TyperException

import allocator
from allocator.cli import (
    alternatives,
    backtest,
    check,
    compare,
    distil,
    explain,
    fitting,
    formulation,
    frontier,
    init,
    levers,
    recalibrating,
    report,
    schema,
    scoring,
    simulate,
    solve,
    stress,
    synth,
    validating,
    verify,
)
from allocator.cli.failures import INTERRUPTED, TERMINATED, last_words, say, say_failure
from allocator.cli.misuse import Command, ReadingCommand, misuse
from allocator.cli.output import (
    ReaderLeftError,
    columns_of,
    has_printed,
    print_line,
    result_alone,
    stand_in_for_closed_streams,
)
from allocator.cli.signals import Terminated, ignore_signals, signals_raise
from allocator.errors import AllocatorError, InputError
from allocator.intake import watched
from allocator.placed import noting
from allocator.report.room import laid_out_in

app = typer.Typer(
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print_line(f"allocator {allocator.__version__}")
        raise typer.Exit


@app.callback()
def about(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and end.", is_eager=True, callback=_print_version),
    ] = False,
    debug: Annotated[
        bool,
        typer.Option(
            "--debug", help="Show the traceback of an unexpected error, or of one of another package."
        ),
    ] = False,
) -> None:
    """Allocate a credit budget over many borrowers, with a proof that anyone can recheck."""


COMMANDS = (
    (check.check, "Report every fault of a scenario and its inputs.", check.EXAMPLE),
    (solve.solve, "Allocate a scenario's budget and write the run.", solve.EXAMPLE),
    (verify.verify, "Recheck a run from its inputs alone.", verify.EXAMPLE),
    (report.report, "Write a run as a page for a committee.", report.EXAMPLE),
    (compare.compare, "Compare runs, scenarios or strategies.", compare.EXAMPLE),
    (explain.explain, "Explain a run, or one borrower's decision.", explain.EXAMPLE),
    (levers.levers, "Rank what would raise a run's value.", levers.EXAMPLE),
    (alternatives.alternatives, "What else could be had for a little of the value.", alternatives.EXAMPLE),
    (frontier.frontier, "Follow the value as a limit, or two, move.", frontier.EXAMPLE),
    (stress.stress, "Judge an allocation under stresses.", stress.EXAMPLE),
    (simulate.simulate, "Simulate possible years of an allocation.", simulate.EXAMPLE),
    (distil.distil, "Turn a run into a few rules that keep every limit.", distil.EXAMPLE),
    (backtest.backtest, "Score strategies by what happened.", backtest.EXAMPLE),
    (formulation.formulation, "Write a scenario's program as mathematics.", formulation.EXAMPLE),
    (scoring.score, "Put grade, PD and LGD on borrowers.", scoring.EXAMPLE),
    (validating.validate, "Judge a scorecard by what happened.", validating.EXAMPLE),
    (recalibrating.recalibrate, "Bring a scorecard to another level.", recalibrating.EXAMPLE),
    (synth.synth, "Write a portfolio of invented borrowers.", synth.EXAMPLE),
    (schema.schema, "Print the JSON Schema of scenario files.", schema.EXAMPLE),
    (init.init, "Copy the shipped scenarios into a folder.", init.EXAMPLE),
)
"""Each with what the list of commands says of it and an example, in the order of that list."""
READING = (scoring.score, validating.validate, recalibrating.recalibrate, backtest.backtest)
"""Those that tell what is wrong with options together with what is wrong with files."""
for command, summary, example in COMMANDS:
    kind = ReadingCommand if command in READING else Command
    app.command(epilog=example, short_help=summary, cls=kind)(command)
app.add_typer(
    fitting.app, name="fit", short_help="Fit scorecards, ratings, grades, weights and churn curves."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status (docs/commands.md).

    Without `arguments` those of the process are taken, which ends with that status.
    """
    ends = arguments is None
    given = sys.argv[1:] if arguments is None else list(arguments)
    stand_in_for_closed_streams()
    columns = columns_of(sys.stdout)
    with (
        laid_out_in(columns),
        signals_raise(lasting=ends),
        result_alone(lasting=ends),
        watched(),
        noting() as placed,
    ):
        status = _flushed(_heeding_signals(given, placed))
    if ends:
        _end(status)
    return status


def _end(status: int) -> NoReturn:
    """End the process without taking apart what it holds: of a million borrowers that takes half a second."""
    atexit._run_exitfuncs()
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)


def _heeding_signals(arguments: Sequence[str], placed: Sequence[Path]) -> int:
    """The command's status; of one that a signal ends, its last words say what stands."""
    as_json = "--json" in arguments
    try:
        status = _run(arguments, as_json, debug="--debug" in arguments)
        ignore_signals()  # what is done is done
    except (KeyboardInterrupt, typer.Abort):
        status = INTERRUPTED
    except Terminated:
        status = TERMINATED
    if status in (INTERRUPTED, TERMINATED):
        ignore_signals()
        code = "interrupted" if status == INTERRUPTED else "terminated"
        say(code, last_words(placed), as_json and not has_printed())
    return status


@cache
def _commands() -> Callable[..., int | None]:
    """Every command as it is read from its function, once for all that one process runs."""
    return typer.main.get_command(app)


def _run(arguments: Sequence[str], as_json: bool, debug: bool) -> int:
    try:
        status = _commands()(arguments, prog_name="allocator", standalone_mode=False) or 0
    except AllocatorError as error:
        if debug and error.__cause__ is not None:
            traceback.print_exc()
        say_failure(error, as_json)
        return error.exit_status
    except TyperException as error:
        say_failure(InputError.of([misuse(error)], "command line"), as_json)
        return InputError.exit_status
    except ReaderLeftError:
        return 1
    except typer.Abort:
        raise
    except Exception as error:  # the last resort: a message instead of a traceback
        if debug:
            traceback.print_exc()
        say("unexpected", f"{type(error).__name__}: {error}; this should not happen: "
            "`allocator --debug` and the same command shows where it did", as_json)  # fmt: skip
        return 1
    return status


def _flushed(status: int) -> int:
    """Write out what is still buffered; where that fails, have the interpreter not try again and complain."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return status or 1
    return status
