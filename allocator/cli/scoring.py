"""`allocator score` and `allocator fit`: what is known about firms, to grade, PD and LGD."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from allocator.cli.misuse import misused
from allocator.cli.options import AsJson, Verbose
from allocator.cli.output import progress
from allocator.cli.shell import show
from allocator.errors import Fault, InputError, gathering
from allocator.records.sources import InvoiceFiles

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import RenderableType

    from allocator.scoring.invoices import Duplicates, InvoiceNotes
    from allocator.scoring.levels import UnseenLevel
    from allocator.scoring.reading import ImputedVariable

EXAMPLE = (
    "Example: allocator score --purchases in.parquet --sales out.parquet "
    "--scorecard models/grades/cumcm-2020-v1.json --out borrowers.csv"
)
SCENARIO = (".yaml", ".yml")
LGD = 0.5
"""Loss given default where neither scorecard nor borrowers nor --lgd give one."""
SHOWN, SHOWN_COLUMNS = 10, 10
"""Rows, and columns after the first, printed where no file is written."""
_BEFORE = "grade_before"
"""Column of the grades that --was names."""


def score(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE", help="Borrowers (csv, parquet, xlsx), or a scenario with a scorecard."
        ),
    ] = None,
    scorecard: Annotated[Path | None, typer.Option(metavar="JSON", help="A file that fit wrote.")] = None,
    purchases: Annotated[Path | None, typer.Option(metavar="FILE", help="Invoices: purchases.")] = None,
    sales: Annotated[Path | None, typer.Option(metavar="FILE", help="Invoices: sales.")] = None,
    workbook: Annotated[
        Path | None, typer.Option(metavar="XLSX", help="Invoices: an official workbook.")
    ] = None,
    firms: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The firms to score, by enterprise_id.")
    ] = None,
    lgd: Annotated[
        float | None,
        typer.Option(
            help="Loss given default, where neither borrowers nor scorecard give one. If not given: 0.5.",
            min=0,
            max=1,
        ),
    ] = None,
    drop_duplicates: Annotated[
        bool, typer.Option(help="Drop repeated invoices; else they are counted.")
    ] = False,
    intervals: Annotated[bool, typer.Option(help="Add 95 % intervals of a logit's PD.")] = False,
    reasons: Annotated[
        int,
        typer.Option(help="Add, by name, this many of the variables that raise a logit's PD most.", min=0),
    ] = 0,
    indicators: Annotated[
        bool,
        typer.Option("--indicators", help="Add what invoices say of each firm, as yearly profit."),
    ] = False,
    was: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN", help="Earlier grades, a column of FILE: show how borrowers moved from them."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the borrowers (csv, parquet, xlsx).")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file of --out.")] = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Put grade, PD and LGD on borrowers by a fitted scorecard."""
    from allocator.store.file import require_file
    from allocator.store.tables import FORMATS, write_frame

    wrong = misused()
    with progress(verbose) as tell:
        tell("scoring")
        if out is not None:
            with gathering(wrong):
                require_file(out, FORMATS, force=force)
        duplicates: Duplicates = "drop" if drop_duplicates else "keep"
        files = InvoiceFiles(purchases, sales, workbook, firms, duplicates=duplicates)
        wrong += _combination_faults(file, files, was, intervals, reasons)
        wrong += [_NO_INDICATORS] if file is not None and indicators else []
        if scorecard is None and (file is None or file.suffix not in SCENARIO):
            wrong.append(_NO_SCORECARD)
        if file is None:
            scored = _from_invoices(files, scorecard, lgd, indicators, wrong)
        elif file.suffix in SCENARIO:
            scored = _from_scenario(file, scorecard, lgd, intervals, wrong)
        else:
            scored = _from_table(file, scorecard, lgd, intervals, was, reasons, wrong)
        frame = scored.frame
        if out is not None:
            text = out.suffix.lower() == ".csv"
            write_frame(frame.assign(**scored.written) if text else frame, out, force=force)
    from allocator.report.frame import frame_table
    from allocator.report.view import View

    summary, tables = _summary(scored, out), []
    if scored.moved is not None:
        summary["moved"] = scored.moved.to_dict(orient="index")
        tables = [frame_table(f"From {was} (rows) to grade (columns)", scored.moved)]
    show(View(page=lambda: (*_page(scored, summary), *tables), document=lambda: summary), as_json)


@dataclass(frozen=True)
class _Scored:
    """The borrowers with their scores, and what is to be said of them."""

    frame: pd.DataFrame
    notes: tuple[InvoiceNotes, ...] = ()
    imputed: tuple[ImputedVariable, ...] = ()
    unseen: tuple[UnseenLevel, ...] = ()
    before_stress: bool = False
    """Whether the scenario has a stress, which solve applies to these borrowers."""
    moved: pd.DataFrame | None = None
    """How grades before moved to those of the scorecard."""
    written: Mapping[str, pd.Series] = field(default_factory=dict)
    """Columns of a csv file that the scorecard leaves alone, as the file has them: 01234, 2020-01-01."""


def _combination_faults(
    file: Path | None, files: InvoiceFiles, was: str | None, intervals: bool, reasons: int
) -> list[Fault]:
    faults = []
    if file is None and intervals:
        faults.append(_NO_INTERVALS)
    if file is not None and (files.files() or files.duplicates == "drop"):
        faults.append(Fault("a file and invoices are given", "give one of them", field="FILE"))
    if reasons and (file is None or file.suffix in SCENARIO):
        faults.append(Fault("needs a table of borrowers", "name one as FILE", field="--reasons"))
    if was is not None and (file is None or file.suffix in SCENARIO):
        faults.append(Fault("needs a table of borrowers", "name one as FILE", field="--was"))
    return faults


_NO_SCORECARD = Fault("is missing", "give a file that fit wrote", field="--scorecard")
_NO_INDICATORS = Fault(
    "are of firms with invoices", "name their purchases and sales in the place of FILE", field="--indicators"
)
_NO_INTERVALS = Fault("grades of invoices have no intervals", "leave it out", field="--intervals")


def _with_lgd(frame: pd.DataFrame, own: Any, lgd: float | None) -> pd.DataFrame:
    """`frame` with an LGD: its scorecard's, else its own, else that of --lgd. Raises InputError for two."""
    known = "lgd" in frame.columns
    if lgd is not None and (known or own is not None):
        fault = Fault("the scorecard or the borrowers give one", "leave it out", field="--lgd")
        raise InputError.of([fault], "score")
    if known:
        return frame
    return frame.assign(lgd=own if own is not None else LGD if lgd is None else lgd)


def _from_table(
    file: Path,
    scorecard: Path | None,
    lgd: float | None,
    intervals: bool,
    was: str | None,
    reasons: int,
    faults: list[Fault],
) -> _Scored:
    """The table scored. Raises InputError with `faults` and those of the scorecard and the table."""
    from allocator.records.misfits import meant
    from allocator.scoring.appraisal import card_and_table
    from allocator.scoring.reading import faults_located_in
    from allocator.scoring.score import imputed_cells, score_frame, unseen_levels

    fitted, table, _ = card_and_table(scorecard, file, None, faults)
    if was is not None and was not in table.columns:
        remedy = meant(was, table.columns) or "name the grades before"
        faults.append(Fault(f"lacks the column {was}", remedy, str(file), field="--was"))
    scored, moved = None, None
    with gathering(faults), faults_located_in(file, table):
        if fitted is not None:
            scored = score_frame(table, fitted, intervals=intervals, reasons=reasons)
    with gathering(faults):
        _with_lgd(table if scored is None else scored, None, lgd)
    with gathering(faults), faults_located_in(file, table):
        if scored is not None and was in table.columns:
            scored = scored.assign(**{_BEFORE: table[was]})
            moved = _grade_migration(scored)
    if fitted is None or scored is None or faults:
        raise InputError.of(faults, "score")
    with faults_located_in(file, table):
        imputed = imputed_cells(table, fitted)
        unseen = unseen_levels(table, fitted, scored)
    written = _left_alone(file, table, scored)
    return _Scored(_with_lgd(scored, None, lgd), imputed=imputed, unseen=unseen, moved=moved, written=written)


def _left_alone(file: Path, table: pd.DataFrame, scored: pd.DataFrame) -> dict[str, pd.Series]:
    """The columns of a csv file that stand in `scored` as they stood in `table`, as text."""
    from allocator.tables import fetch_whole, source_of

    if not file.name.lower().endswith((".csv", ".csv.gz")):
        return {}
    text = fetch_whole(source_of(file)).table.to_pandas()
    kept = [name for name in text.columns if name in scored.columns and scored[name].equals(table[name])]
    return {name: text[name] for name in kept} if len(text) == len(scored) else {}


def _from_scenario(
    file: Path, scorecard: Path | None, lgd: float | None, intervals: bool, faults: list[Fault]
) -> _Scored:
    """The scenario's borrowers, by the scorecard named here, else by its own.

    Raises InputError with `faults` and those of the scenario, the scorecard and the borrowers.
    """
    from allocator.borrowers import scored_table
    from allocator.scenario import load_scenario
    from allocator.scoring.fitted import read_fitted

    scenario, frame, scored = None, None, None
    with gathering(faults):
        scenario = load_scenario(file)
    chosen = scorecard or (None if scenario is None else scenario.portfolio.scorecard)
    if scenario is None:
        with gathering(faults):
            _ = None if chosen is None else read_fitted(chosen)
        raise InputError.of(faults, "score")
    source = scenario.portfolio
    if chosen is None:
        faults.append(_NO_SCORECARD)
    if intervals and source.invoices is not None:
        faults.append(_NO_INTERVALS)
    with gathering(faults):
        if chosen is not None:
            scored = scored_table(source, chosen, intervals=intervals and source.invoices is None)
            frame = scored.table.to_pandas()
            theirs = source.columns.get("lgd", "lgd")
            own = frame[theirs] if theirs in frame.columns else source.defaults.get("lgd")
            frame = _with_lgd(frame, own, lgd)
    if faults or scored is None or frame is None:
        raise InputError.of(faults, "score")
    return _Scored(frame, scored.notes, scored.imputed, scored.unseen, bool(scenario.stress))


def _from_invoices(
    files: InvoiceFiles,
    scorecard: Path | None,
    lgd: float | None,
    indicators: bool,
    faults: list[Fault],
) -> _Scored:
    """The firms of invoices. Raises InputError with `faults` and those of the scorecard and the files."""
    from allocator.scoring.fitted import read_fitted
    from allocator.scoring.score import read_firms_of, score_firms

    fitted, scored = None, None
    with gathering(faults):
        fitted = None if scorecard is None else read_fitted(scorecard)
    if fitted is None:
        read_firms_of(files, faults, partly=True)
        raise InputError.of(faults, "score")
    with gathering(faults):
        scored = score_firms(files, fitted, lgd=LGD if lgd is None else lgd, indicators=indicators)
    if scored is None or faults:
        raise InputError.of(faults, "score")
    return _Scored(*scored)


def _grade_migration(frame: pd.DataFrame) -> pd.DataFrame:
    """How the grades before moved to those of the scorecard."""
    from allocator.scoring.validation import migration

    if "grade" not in frame.columns:
        fault = Fault("the scorecard gives no grades", "name one that does", field="--was")
        raise InputError.of([fault], "score")
    classes = [str(name) for name in frame["grade"].cat.categories]
    return migration(frame[_BEFORE].astype(object), frame["grade"].astype(object), classes)


def _summary(scored: _Scored, out: Path | None) -> dict[str, Any]:
    from allocator.scoring.levels import unseen_figures
    from allocator.scoring.reading import imputed_figures

    frame, notes = scored.frame, [vars(note) for note in scored.notes]
    summary: dict[str, Any] = {"borrowers": len(frame), "file": None if out is None else str(out)}
    if "grade" in frame.columns:
        counts = frame["grade"].astype(str).value_counts()
        summary["by_grade"] = {grade: int(counts.get(grade, 0)) for grade in _grades(frame["grade"])}
    if "pd" in frame.columns:
        summary["mean_pd"] = float(frame["pd"].mean())
    elif "lgd" in frame.columns:
        summary["mean_lgd"] = float(frame["lgd"].mean())
    if notes:
        summary["invoices"] = notes
        counts = frame.loc[frame["note"] != "", "note"].value_counts()
        summary["notes"] = {str(note): int(n) for note, n in counts.items()}
    if scored.before_stress:
        summary["stressed"] = False
    return summary | imputed_figures(scored.imputed) | unseen_figures(scored.unseen)


def _grades(grades: pd.Series) -> list[str]:
    """The grades, best first: in the scorecard's order, else numbers by size, and texts as AAA, AA, A, B."""
    if grades.dtype == "category":
        return [str(grade) for grade in grades.cat.categories]
    names = sorted({str(grade) for grade in grades.dropna()}, key=lambda name: (name[:1], -len(name), name))
    return sorted(names, key=float) if all(name.isdigit() for name in names) else names


def _page(scored: _Scored, summary: dict[str, Any]) -> Iterator[RenderableType]:
    """What came of it, line by line, and the first rows where no file is written."""
    from allocator.report.frame import frame_table
    from allocator.report.plain import Text
    from allocator.scoring.levels import unseen_lines

    frame = scored.frame
    for note in summary.get("invoices", []):
        yield Text(_note(note))
    if "by_grade" in summary:
        grades = ", ".join(f"{grade} {n:,}" for grade, n in summary["by_grade"].items())
        yield f"{summary['borrowers']:,} borrowers: {grades}"
    for note, count in summary.get("notes", {}).items():
        yield f"{count:,} of them: {note}"
    if "mean_pd" in summary:
        before = ", before the scenario's stress, which solve applies" if "stressed" in summary else ""
        yield f"mean PD {summary['mean_pd']:.2%}{before}"
    if "mean_lgd" in summary:
        yield f"mean LGD {summary['mean_lgd']:.2%}"
    for name, imputed in summary.get("filled", {}).items():
        yield f"empty cells of {name}: {imputed['cells']:,}, imputed by {imputed['by']}"
    yield from map(Text, unseen_lines(scored.unseen))
    if summary["file"] is not None:
        yield f"written to {summary['file']}"
        return
    names = list(frame.columns)
    shown = [names[0], *names[1:][-SHOWN_COLUMNS:]]
    few = frame[shown].head(SHOWN).set_index(names[0])
    yield frame_table(f"The first {len(few)} of {len(frame):,}", few)
    if len(frame) > SHOWN or len(names) > len(shown):
        yield "--out FILE writes them all"


def _note(note: dict[str, Any]) -> str:
    """What was found in one file of invoices, in a line."""
    years = ", ".join(str(year) for year in note["partial_years"]) or "none"
    repeated = f"{note['duplicates']:,} repeated rows {'dropped' if note['dropped'] else 'kept'}"
    return (
        f"{Path(note['file']).name}: {note['rows']:,} invoices, {note['void']:,} void, "
        f"{note['negative']:,} returns, {repeated}, {note['inconsistent']} whose total is not amount + tax; "
        f"partial years {years}"
    )
