"""The shell of every command that answers a question: it plots, writes and prints what the answer shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from allocator.cli.output import print_json, print_line, print_page, progress

if TYPE_CHECKING:
    from allocator.records.progress import Progress
    from allocator.report.view import View


def answer(
    ask: Callable[[Progress], View],
    *,
    as_json: bool,
    verbose: bool,
    plot: Path | None = None,
    out: Sequence[Path] = (),
    endings: Sequence[str] | None = None,
    force: bool = False,
    checked: bool = False,
) -> None:
    """Print the view that `ask` comes to, once it is drawn to `plot` and its files are written, all or none.

    Nothing is asked before it is sure that `plot` and `out`, whose names have one of the `endings`, those of
    tables if not given, can be written: InputError says why not. Where this is `checked` `ask` does so, with
    all else that is wrong.
    """
    with progress(verbose) as tell:
        if not checked:
            require_files(plot, out, endings, force=force)
        view = ask(tell)
        write_what(view, plot, tell)
    show(view, as_json)


def show(view: View, as_json: bool) -> None:
    """Print the view, for people or as one JSON object."""
    if as_json:
        print_json(view.document())
        return
    page = view.page()
    for part in page if isinstance(page, tuple) else ():
        if isinstance(part, str):
            print_line(part)
        else:
            print_page(part)
    if not isinstance(page, tuple):
        print_page(page)


def require_files(
    plot: Path | None, out: Sequence[Path] = (), endings: Sequence[str] | None = None, *, force: bool
) -> None:
    """Raise InputError where `plot`, or one of `out`, could not be written later."""
    if plot is None and not out:
        return
    from allocator.report.drawing.files import ENDINGS
    from allocator.store.file import require_file
    from allocator.store.tables import FORMATS

    if plot is not None:
        require_file(plot, ENDINGS, force=force)
    for path in out:
        require_file(path, FORMATS if endings is None else endings, force=force)


def write_what(view: View, plot: Path | None, tell: Progress) -> None:
    """Write the files of the view, and its picture to `plot` if given: all or none."""
    contents = dict(view.files)
    if plot is not None and view.chart is not None:
        from allocator.report.drawing.files import picture_content

        tell("drawing")
        contents[plot] = picture_content(view.chart(), plot)
    if contents:
        from allocator.store.file import write_files
        from allocator.store.tables import content_of

        tell("writing")
        write_files({path: content_of(whole, path) for path, whole in contents.items()})
