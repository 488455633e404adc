"""What is wrong with a command line: every option at once, and before the faults of the files it names."""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from typer.core import TyperCommand
from typer.exceptions import TyperException

from allocator.errors import Fault, InputError

_EXPECTED = {
    "a valid number": "a number",
    "a valid integer": "a whole number",
    "greater": "a number greater",
    "less": "a number less",
    "": "",
}
"""What a value of an option should be, as the library that reads it says, and as we do; in this order."""
_misused: ContextVar[tuple[Fault, ...]] = ContextVar("misused", default=())


class Command(TyperCommand):
    """A command that names every option that is misused, not the first alone."""

    reads_on = False
    """Whether its function is called though values were, and begins its own faults with `misused`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The arguments left over, as the library has them. Raises InputError: every fault of the options."""
        _misused.set(())
        try:
            return super().parse_args(ctx, [*args])
        except TyperException:
            known, unknown = self._known(ctx, args)
            values = [*self._unread(ctx, known, excess=not unknown)]
        faults = [*map(misuse, unknown), *(fault for fault, _ in values)]
        if unknown or not self.reads_on or not all(mended for _, mended in values):
            raise InputError.of(faults, "command line")
        _misused.set(tuple(faults))
        return []

    def _known(self, ctx: Any, args: list[str]) -> tuple[list[str], list[TyperException]]:
        """The arguments without the options that there are not, or that lack their value, and why not."""
        known, errors = [*args], []
        while True:
            try:
                self.make_parser(ctx).parse_args([*known])
            except TyperException as error:
                errors.append(error)
                named = [part.partition("=")[0] for part in known]
                option = getattr(error, "option_name", None)
                if option not in named:
                    return [], errors
                del known[named.index(option)]
            else:
                return known, errors

    def _unread(self, ctx: Any, args: list[str], *, excess: bool) -> Iterator[tuple[Fault, bool]]:
        """Why values cannot be read, and whether the parameter has one if not given; last the `excess`."""
        given, rest, _ = self.make_parser(ctx).parse_args([*args])
        for parameter in self.get_params(ctx):
            try:
                if parameter.expose_value:
                    parameter.handle_parse_result(ctx, given, rest)
            except TyperException as error:
                if not parameter.required:
                    parameter.handle_parse_result(ctx, {}, rest)
                yield misuse(error), not parameter.required
        if rest and excess:
            yield _fault(f"got unexpected extra argument(s) ({' '.join(rest)})", ctx.command_path), False


class ReadingCommand(Command):
    """One whose function adds what is wrong with its files to what `misused` says of its options."""

    reads_on = True


def misused() -> list[Fault]:
    """What is wrong with the values of options: a function of a ReadingCommand raises them with its own."""
    return [*_misused.get()]


def misuse(error: TyperException) -> Fault:
    """What is wrong with the command line, and where help is."""
    context = getattr(error, "ctx", None)
    message = error.format_message().rstrip(".").partition(", unable to parse")[0]
    for theirs, ours in _EXPECTED.items():
        message = message.replace(f"Input should be {theirs}", f"expected {ours}")
    message = message.replace("Value error, ", "")
    command = "allocator" if context is None else context.command_path
    return _fault(message[:1].lower() + message[1:], command)


def _fault(problem: str, command: str) -> Fault:
    return Fault(problem, f"`{command} --help` lists what may be given")
