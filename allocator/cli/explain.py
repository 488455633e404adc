"""`allocator explain`: why a run, or one borrower's decision, came out as it did."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from allocator.cli.columns import further_columns
from allocator.cli.options import AsJson, Force, Plot, RunFolder, Verbose
from allocator.cli.output import print_json, print_page, progress
from allocator.errors import Fault, InputError

if TYPE_CHECKING:
    from allocator.borrowers import Columns
    from allocator.insight.book import BookView
    from allocator.insight.explanation import Explanation
    from allocator.records.conditions import Condition
    from allocator.records.outcome import Outcome

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
            "--where", metavar="FILTER", help='Whom the ledger is of, as "sector: retail" in a limit.'
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
    from allocator.store import read_run

    conditions = () if where is None else read_filter(where, "--where")
    if plot is not None:
        _require_picture(plot, force)
    with progress(verbose) as tell:
        tell("reading the run")
        stored = read_run(folder)
        from allocator.insight.explanation import explain_borrower, reader_of, stated_reasons
        from allocator.insight.ledger import position_of
        from allocator.pipeline import prepare
        from allocator.verification import recheck_run

        tell("recomputing it from its inputs")
        run = recheck_run(stored, _columns(by, conditions))
        position = position_of(run)
        case = prepare(run.scenario, run.inputs)
        reader = reader_of(
            position, case, None if run.optimal else stated_reasons(stored, run.inputs.portfolio)
        )
        if borrower is not None:
            found = explain_borrower(reader, borrower)
        else:
            from allocator.insight.book import costs_of_limits, explain_book
            from allocator.records.filters import meets

            among = meets(conditions, run.inputs.portfolio) if where is not None else None
            if among is not None and not among.any():
                raise _nobody(str(where))
            tell("finding how far each price stands")
            view = explain_book(reader, by, run.inputs.portfolio.text(by), among)
            if exact:
                view = replace(view, costs=tuple(costs_of_limits(reader, case, tell)))
    if borrower is not None:
        _show_borrower(found, run, plot, as_json)
    else:
        _show_book(view, run, where, plot, as_json)


def _require_one_question(borrower: str | None, by: str, where: str | None, exact: bool) -> None:
    given = [("--by", by != "grade"), ("--where", where is not None), ("--exact", exact)]
    faults = [
        Fault("asks about the book, BORROWER about one borrower", "leave one of the two out", field=option)
        for option, said in given
        if said and borrower is not None
    ]
    if faults:
        raise InputError.of(faults, "command line")


def _require_picture(plot: Path, force: bool) -> None:
    from allocator.report.charts import ENDINGS
    from allocator.store.file import require_file

    require_file(plot, ENDINGS, force=force)


def _columns(by: str, conditions: tuple[Condition, ...]) -> Columns:
    """What the ledger and its filter read beside the columns of the limits."""
    texts = [by, *(condition.column for condition in conditions if not condition.is_range)]
    return further_columns(texts, [c.column for c in conditions if c.is_range], "--by")


def _nobody(where: str) -> InputError:
    fault = Fault(f"no borrower passes {where}", "see what the column holds: --by COLUMN", field="--where")
    return InputError.of([fault], "command line")


def _show_borrower(found: Explanation, run: Outcome, plot: Path | None, as_json: bool) -> None:
    from allocator.report.borrower import borrower_chart, borrower_page
    from allocator.report.charts import chart_text
    from allocator.store.file import write_file

    if plot is not None:
        write_file(plot, chart_text(borrower_chart(found, run), plot))
    if as_json:
        said = {"as_prices_say": found.as_prices_say, "tied": found.tied}
        own = {**asdict(found), "account": found.account.figures, **said}
        print_json({"currency": run.currency, **own})
    else:
        print_page(borrower_page(found, run))


def _show_book(view: BookView, run: Outcome, where: str | None, plot: Path | None, as_json: bool) -> None:
    from allocator.report.broken import standing_figures
    from allocator.report.charts import chart_text
    from allocator.report.explain import book_chart, book_page
    from allocator.store.file import write_file

    if plot is not None:
        write_file(plot, chart_text(book_chart(view, run, where), plot))
    if as_json:
        print_json({**standing_figures(run), "where": where, **_document(view)})
    else:
        print_page(book_page(view, run, where))


def _document(view: BookView) -> dict[str, Any]:
    ledger = view.ledger
    limits = [
        {**asdict(limit.use), "charge": limit.line.charge, "unused": limit.line.unused,
         "range": None if limit.range is None else asdict(limit.range)}
        for limit in view.limits
    ]  # fmt: skip
    return {
        "value": ledger.value,
        "value_of_lines": ledger.value_of_lines,
        "bound_at_prices": ledger.bound,
        "gap_of_lines": ledger.gap_of_lines,
        "certified_bound": ledger.certified_bound,
        "tree": ledger.tree,
        "idle_income": ledger.idle_income,
        "book": ledger.account.figures | {"lost": ledger.account.lost},
        "by": view.by,
        "segments": [segment.figures | {"lost": segment.lost} for segment in view.segments],
        "limits": limits,
        "costs": [
            {"limit": cost.name, "low": cost.low, "high": cost.high, "solved": cost.solved}
            for cost in view.costs
        ],
        "refusals": view.refusals,
    }


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(epilog=EXAMPLE, short_help="Explain a run, or one borrower's decision.")(explain)
