"""The command `allocator`: its commands, and how each of them ends.

Nothing heavy is imported before a command runs, so that --help answers at once.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Annotated

import typer
from typer.exceptions import TyperException

import allocator
from allocator.cli import (
    backtest,
    check,
    compare,
    distil,
    explain,
    frontier,
    init,
    levers,
    schema,
    scoring,
    simulate,
    solve,
    stress,
    synth,
    verify,
)
from allocator.cli.failures import INTERRUPTED, TERMINATED, Terminated, say, say_failure
from allocator.cli.output import ReaderLeftError, print_line, stand_in_for_closed_streams
from allocator.errors import AllocatorError, Fault, InputError

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
        bool, typer.Option("--debug", help="Show the traceback of an unexpected error.")
    ] = False,
) -> None:
    """Allocate a credit budget over many small firms, with a proof that anyone can recheck."""


for command in (
    check,
    solve,
    verify,
    compare,
    explain,
    levers,
    frontier,
    stress,
    simulate,
    distil,
    backtest,
    scoring,
    synth,
    schema,
    init,
):
    command.register(app)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status (docs/commands.md)."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    stand_in_for_closed_streams()
    with _terminable():
        status = _run(arguments, as_json="--json" in arguments, debug="--debug" in arguments)
    return _flushed(status)


def _run(arguments: Sequence[str], as_json: bool, debug: bool) -> int:
    try:
        status = app(arguments, prog_name="allocator", standalone_mode=False) or 0
    except AllocatorError as error:
        say_failure(error, as_json)
        return error.exit_status
    except TyperException as error:
        say_failure(_misuse(error), as_json)
        return InputError.exit_status
    except ReaderLeftError:
        return 1
    except (KeyboardInterrupt, typer.Abort):
        status = INTERRUPTED
    except Terminated:
        status = TERMINATED
    except Exception as error:  # the last resort: a message instead of a traceback
        if debug:
            traceback.print_exc()
        say("unexpected", f"{type(error).__name__}: {error}; this should not happen: "
            "`allocator --debug` and the same command shows where it did", as_json)  # fmt: skip
        return 1
    if status in (INTERRUPTED, TERMINATED):
        say("interrupted" if status == INTERRUPTED else "terminated", "stopped; nothing was written", as_json)
    return status


def _misuse(error: TyperException) -> InputError:
    """What is wrong with the command line, and where help is."""
    context = getattr(error, "ctx", None)
    command = "allocator" if context is None else context.command_path
    message = error.format_message().rstrip(".")
    fault = Fault(message[:1].lower() + message[1:], f"`{command} --help` lists what may be given")
    return InputError.of([fault], "command line")


@contextmanager
def _terminable() -> Iterator[None]:
    """While a command runs, SIGTERM raises Terminated."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated


def _flushed(status: int) -> int:
    """Write out what is still buffered; where that fails, have the interpreter not try again and complain."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return status or 1
    return status
