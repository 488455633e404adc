"""Borrowers scored: a frame or four files of invoices in, a borrowers frame out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from allocator.errors import Fault, InputError
from allocator.records.scenario import InvoiceFiles
from allocator.scoring.fitted import Fitted
from allocator.scoring.frequencies import pd_by_grade
from allocator.scoring.grades import GRADES, GradeScorecard, Method, fit_grades
from allocator.scoring.indicators import firm_indicators
from allocator.scoring.invoices import Duplicates, Invoices, Notes, read_invoices
from allocator.scoring.rating import Rating
from allocator.scoring.workbook import read_firms, read_workbook

UNGRADED = "ungraded"
"""Grade of a firm that nothing is known of; no policy has rates for it."""


@dataclass(frozen=True)
class InvoiceScores:
    """Ungraded firms, scored."""

    borrowers: pd.DataFrame
    """One row a firm, as `borrowers_from_invoices` gives it."""
    scorecard: GradeScorecard
    notes: tuple[Notes, ...]


def score_frame(frame: pd.DataFrame, fitted: Fitted, *, intervals: bool = False) -> pd.DataFrame:
    """`frame` with the columns of the scorecard put in: pd and, where it knows them, grade, lgd, score.

    A column that the frame has already is replaced; `intervals` adds pd_low and pd_high of a logit.
    Raises InputError: a variable missing, not numeric or infinite.
    """
    scored = scores(frame, fitted, intervals=intervals)
    return pd.concat([frame.drop(columns=[c for c in scored.columns if c in frame.columns]), scored], axis=1)


def scores(frame: pd.DataFrame, fitted: Fitted, *, intervals: bool = False) -> pd.DataFrame:
    """The columns that the scorecard gives, and no other, on the index of `frame`.

    Raises InputError as score_frame does.
    """
    if isinstance(fitted, Rating | GradeScorecard):
        return fitted.apply(frame)
    return fitted.apply(frame, intervals=intervals)


def score_firms(
    files: InvoiceFiles, fitted: Fitted, *, lgd: float = 0.5
) -> tuple[pd.DataFrame, tuple[Notes, ...]]:
    """The firms of `files` as borrowers_from_invoices gives them, and what the files held.

    Who is scored: those of `files.firms`, else those of the workbook's sheet of firms, else all that have
    invoices. `files.facts` is not read here. Raises InputError: faults of the files, a scorecard that
    grades no invoices.
    """
    if not isinstance(fitted, GradeScorecard):
        fault = Fault("grades no invoices", "name a file of `allocator fit grade`", field="scorecard")
        raise InputError.of([fault], "Scores")
    listed = None if files.firms is None else read_firms(read_table(files.firms), str(files.firms))
    if files.workbook is not None:
        book = read_workbook(files.workbook, duplicates=files.duplicates)
        invoices, listed = book.invoices, book.firms if listed is None else listed
    elif files.purchases is not None and files.sales is not None:
        invoices = read_invoices(files.purchases, files.sales, duplicates=files.duplicates)
    else:
        fault = Fault("one direction is missing", "name purchases and sales, or a workbook", field="invoices")
        raise InputError.of([fault], "Scores")
    names = None if listed is None else listed["enterprise_id"].tolist()
    return borrowers_from_invoices(invoices, fitted, firms=names, lgd=lgd), invoices.notes


def score_invoices(
    rated: tuple[Path, Path],
    ratings: Path,
    unrated: tuple[Path, Path],
    *,
    firms: Path | None = None,
    lgd: float = 0.5,
    method: Method = "ordinal",
    shrinkage: float = 0.5,
    duplicates: Duplicates = "keep",
) -> InvoiceScores:
    """From four files of invoices to borrowers: rated firms teach grades and PDs, the others get them.

    `rated` and `unrated` are (purchases, sales); `ratings` is a table enterprise_id, rating, default of
    the rated firms; `firms` one whose enterprise_id lists the unrated ones (None: all that have invoices).
    A firm's PD is the mean over its grade's probabilities. Raises InputError.
    """
    scorecard, notes = grades_from_invoices(
        rated, ratings, method=method, shrinkage=shrinkage, duplicates=duplicates
    )
    invoices = read_invoices(*unrated, duplicates=duplicates)
    names = None if firms is None else read_firms(read_table(firms), str(firms))["enterprise_id"].tolist()
    borrowers = borrowers_from_invoices(invoices, scorecard, firms=names, lgd=lgd)
    return InvoiceScores(borrowers, scorecard, (*notes, *invoices.notes))


def grades_from_invoices(
    rated: tuple[Path, Path],
    ratings: Path,
    *,
    method: Method = "ordinal",
    shrinkage: float = 0.5,
    duplicates: Duplicates = "keep",
) -> tuple[GradeScorecard, tuple[Notes, ...]]:
    """The grade scorecard that rated firms teach, and what their files held. Raises InputError."""
    known, indicators, notes = rated_firms(*rated, ratings, duplicates=duplicates)
    pds = pd_by_grade(known["rating"], known["default"], GRADES, shrinkage)["pd"].to_numpy()
    return fit_grades(indicators, known["rating"], pds, method=method), notes


def rated_firms(
    purchases: Path, sales: Path, ratings: Path, *, duplicates: Duplicates = "keep"
) -> tuple[pd.DataFrame, pd.DataFrame, tuple[Notes, ...]]:
    """Rated firms (rating, default), their indicators on the same index, and what the files held.

    Raises InputError: faults of the files, a rated firm without a sales invoice.
    """
    known = read_firms(read_table(ratings), str(ratings)).set_index("enterprise_id")
    missing = [name for name in ("rating", "default") if name not in known.columns]
    if missing:
        faults = [
            Fault(f"lacks the column {name}", "rated firms have both", str(ratings)) for name in missing
        ]
        raise InputError.of(faults, "Ratings")
    invoices = read_invoices(purchases, sales, duplicates=duplicates)
    indicators = firm_indicators(invoices, known.index.tolist())
    silent = indicators.index[(indicators["out_n_valid"] == 0).to_numpy()]
    if len(silent):
        faults = [
            Fault(f"the rated firm {name} has no valid sales invoice", "leave it out", str(ratings))
            for name in silent
        ]
        raise InputError.of(faults, "Ratings")
    return known, indicators, invoices.notes


def borrowers_from_invoices(
    invoices: Invoices, scorecard: GradeScorecard, *, firms: Sequence[str] | None = None, lgd: float = 0.5
) -> pd.DataFrame:
    """Borrowers as a portfolio reads them, by a scorecard fitted before.

    Columns: borrower_id, grade, pd, lgd, exclude, p_A .. p_D, void_share, note. A firm without a valid
    sales invoice has nothing to be graded by: it is UNGRADED and excluded, its PD is that of a firm of
    which nothing is known, and its note says so.
    Raises InputError: an LGD outside [0, 1], no firm with a sales invoice.
    """
    if not 0 <= lgd <= 1:
        raise InputError.of(
            [Fault(f"an LGD of {lgd:g}", "LGD is a fraction from 0 to 1", field="lgd")], "Scores"
        )
    indicators = firm_indicators(invoices, firms)
    speaks = (indicators["out_n_valid"] > 0).to_numpy()
    if not speaks.any():
        raise InputError.of([Fault("no firm has a valid sales invoice", "check the firms' names")], "Scores")
    scored = scorecard.apply(indicators[speaks])
    scored["grade"] = scored["grade"].cat.add_categories([UNGRADED])
    scored = scored.reindex(indicators.index)
    probabilities = [f"p_{grade}" for grade in scorecard.grades]
    scored.loc[~speaks, "grade"] = UNGRADED
    scored.loc[~speaks, "pd"] = float(scorecard.frequency @ scorecard.pd_by_grade)
    scored.loc[~speaks, probabilities] = scorecard.frequency
    scored["lgd"] = lgd
    scored["exclude"] = ~speaks
    scored["void_share"] = indicators["void_share"]
    scored["note"] = np.where(speaks, "", "no valid sales invoice: not graded")
    columns = ["grade", "pd", "lgd", "exclude", *probabilities, "void_share", "note"]
    return scored[columns].rename_axis("borrower_id").reset_index()


def read_table(path: Path) -> pd.DataFrame:
    """A csv, parquet or xlsx file (first sheet) as a frame; borrower_id, enterprise_id and grade stay text.

    Raises InputError: no such file, another ending, or unreadable.
    """
    from python_calamine import CalamineError

    if not path.is_file():
        raise InputError.of(
            [Fault("the file does not exist", "give a csv, parquet or xlsx file", str(path))], "Table"
        )
    text = dict.fromkeys(("borrower_id", "enterprise_id", "grade", "rating"), str)
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        if path.suffix == ".xlsx":
            return pd.read_excel(path, engine="calamine", dtype=text, keep_default_na=False, na_values=[""])
        if path.name.endswith((".csv", ".csv.gz")):
            return pd.read_csv(path, dtype=text, keep_default_na=False, na_values=[""], engine="pyarrow")
    except (ValueError, OSError, CalamineError) as error:
        fault = Fault(f"cannot be read ({error})", "save it again as csv, parquet or xlsx", str(path))
        raise InputError.of([fault], "Table") from error
    fault = Fault("is neither csv, parquet nor xlsx", "save it as one of these", str(path))
    raise InputError.of([fault], "Table")
