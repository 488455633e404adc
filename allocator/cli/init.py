"""`allocator init`: the scenarios and curves that come with the package, to start from."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from allocator.cli.options import AsJson
from allocator.cli.shell import show
from allocator.errors import AllocatorError, Fault, InputError, OutputError

EXAMPLE = "Example: allocator init work && allocator solve work/scenarios/sme-302.yaml"
PARTS = ("scenarios", "models")


def init(
    folder: Annotated[Path | None, typer.Argument(metavar="[DIR]", help="A new or empty folder.")] = None,
    xlsx: Annotated[
        Path | None,
        typer.Option(metavar="FILE.xlsx", help="Write a workbook to be filled in, in place of the folder."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Copy into a folder that is not empty; replaces files.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Copy the scenarios that come with the package, and what they read, into a folder; or write a form.

    The form is a workbook with an example: sheets for the scenario, its limits, the borrowers and the churn
    curve. Filled in, it is a scenario like any other: allocator solve FILE.xlsx.
    """
    if (folder is None) == (xlsx is None):
        fault = Fault("a folder or a workbook", "name a folder, or --xlsx FILE, and not both", field="DIR")
        raise InputError.of([fault], "command line")
    if xlsx is not None:
        _write_form(xlsx, force, as_json)
    elif folder is not None:
        _copy_into(folder, force, as_json)


def _write_form(path: Path, force: bool, as_json: bool) -> None:
    """The workbook to be filled in, as `path`."""
    from allocator.report.view import View
    from allocator.scenario.form import form
    from allocator.store.file import require_file, write_files
    from allocator.store.workbook import workbook_content

    require_file(path, (".xlsx",), force=force)
    write_files({path: workbook_content(form())})
    page = (f"A scenario to be filled in is written to {path}; it can be solved as it stands:",
            f"  allocator solve {path}")  # fmt: skip
    show(View(page=lambda: page, document=lambda: {"workbook": str(path)}), as_json)


def _copy_into(folder: Path, force: bool, as_json: bool) -> None:
    """The scenarios that come with the package, and what they read."""
    from allocator.report.view import View

    source = shipped()
    empty = _require_room(folder, force)
    try:
        with _cleared_on_failure(folder, empty):
            for part in PARTS:
                _copy(source / part, folder / part)
    except OSError as error:
        fault = Fault(error.strerror or str(error), "make room or name another folder", file=str(folder))
        raise OutputError("the files could not all be copied", [fault]) from error
    scenarios = sorted(str(path) for path in (folder / "scenarios").glob("*.yaml"))
    copied = f"{len(scenarios)} scenarios and what they read copied to {folder}; now, for one,"
    page = (copied, f"  allocator solve {min(scenarios, key=len)}")
    show(View(page=lambda: page, document=lambda: {"folder": str(folder), "scenarios": scenarios}), as_json)


def shipped() -> Path:
    """Where the scenarios and models are: inside an installed package, beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    for place in (package / "shipped", package.parent):
        if all((place / part).is_dir() for part in PARTS):
            return place
    raise AllocatorError("the scenarios that come with the package are missing; install it again")


def _copy(source: Path, target: Path) -> None:
    """Every file below `source` to its place below `target`; unlike copytree it ends at the first error."""
    target.mkdir(exist_ok=True)
    for path in sorted(source.iterdir()):
        if path.is_dir():
            _copy(path, target / path.name)
        else:
            shutil.copy2(path, target / path.name)


@contextmanager
def _cleared_on_failure(folder: Path, empty: bool) -> Iterator[None]:
    """Leave a folder that was empty as empty where the block does not end well, interrupted included."""
    try:
        yield
    except BaseException:
        for part in PARTS if empty else ():
            shutil.rmtree(folder / part, ignore_errors=True)
        raise


def _require_room(folder: Path, force: bool) -> bool:
    """Whether `folder`, made where it is missing, is empty; raise InputError unless it can be filled."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        empty = not any(folder.iterdir())
        if not empty and not force:
            raise _refusal("is not empty", "name a new folder or give --force", folder)
    except OSError as error:
        reason = "is a file" if folder.is_file() else error.strerror or str(error)
        raise _refusal(reason, "name a folder that you may write to", folder) from error
    return empty


def _refusal(problem: str, remedy: str, folder: Path) -> InputError:
    return InputError.of([Fault(problem, remedy, file=str(folder))], "output")
