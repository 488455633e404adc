"""`allocator explain`: why a run, or one borrower's decision, came out as it did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from allocator.cli.columns import further_columns
from allocator.cli.options import AsJson, Force, Plot, RunFolder, Verbose
from allocator.cli.runs import rechecked
from allocator.cli.shell import answer
from allocator.errors import Fault, InputError

if TYPE_CHECKING:
    from allocator.borrowers import FurtherColumns
    from allocator.records.conditions import Condition
    from allocator.records.progress import Progress
    from allocator.report.view import View

EXAMPLE = "Example: allocator explain runs/sme F0042"


def explain(
    folder: RunFolder,
    borrower: Annotated[
        str | None, typer.Argument(metavar="[BORROWER]", help="A borrower_id; the whole book if not given.")
    ] = None,
    by: Annotated[
        str, typer.Option("--by", metavar="COLUMN", help="Column of texts to sum the book's ledger by.")
    ] = "grade",
    where: Annotated[
        str | None,
        typer.Option(
            "--where",
            metavar="FILTER",
            help='Borrowers in the ledger, written as in a limit: "sector: retail".',
        ),
    ] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="Solve again without each limit: what it costs in full.")
    ] = False,
    plot: Plot = None,
    force: Force = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Explain a run, or with BORROWER one decision: ledger, shadow prices, reasons, flip points."""
    _require_one_question(borrower, by, where, exact)
    from allocator.scenario.filters import read_filter

    conditions = () if where is None else read_filter(where, "--where")
    further = _columns(by, conditions)

    def ask(tell: Progress) -> View:
        run = rechecked(folder, tell, further)
        if borrower is not None:
            from allocator.insight.explain.explanation import explain_borrower
            from allocator.report.borrower import borrower_view

            return borrower_view(explain_borrower(run, borrower))
        from allocator.insight.explain.book import explain_book
        from allocator.report.explain import book_view

        return book_view(explain_book(run, by, where, conditions, exact=exact, progress=tell))

    answer(ask, plot=plot, force=force, as_json=as_json, verbose=verbose)


def _require_one_question(borrower: str | None, by: str, where: str | None, exact: bool) -> None:
    given = [("--by", by != "grade"), ("--where", where is not None), ("--exact", exact)]
    faults = [
        Fault("asks about the book, BORROWER about one borrower", "leave one of the two out", field=option)
        for option, is_given in given
        if is_given and borrower is not None
    ]
    if faults:
        raise InputError.of(faults, "command line")


def _columns(by: str, conditions: tuple[Condition, ...]) -> FurtherColumns:
    """What the ledger and its filter read beside the columns of the limits."""
    texts = [by, *(condition.column for condition in conditions if not condition.is_range)]
    return further_columns(texts, [c.column for c in conditions if c.is_range], "--by")
