"""Borrowers scored: a frame or four files of invoices in, a borrowers frame out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from allocator.errors import Fault, InputError, gathering
from allocator.records.sources import InvoiceFiles
from allocator.scoring import declarations
from allocator.scoring.fitted import Fitted
from allocator.scoring.grades import GradeScorecard, grade_codes, inside_ranges
from allocator.scoring.indicators import firm_indicators
from allocator.scoring.invoices import InvoiceNotes, Invoices, read_invoices
from allocator.scoring.levels import UnseenLevel
from allocator.scoring.lgd import RegressionLgd, SegmentLgd
from allocator.scoring.rating import Rating
from allocator.scoring.reading import ImputedVariable, derive, read_table
from allocator.scoring.rules import codes_in, imputed
from allocator.scoring.scorecard import Scorecard
from allocator.scoring.terms import reasons_of
from allocator.scoring.workbook import read_firms, read_workbook

_UNGRADED = "ungraded"
"""Grade of a firm that nothing is known of; no policy has rates for it."""


def score_frame(
    frame: pd.DataFrame, fitted: Fitted, *, intervals: bool = False, reasons: int = 0
) -> pd.DataFrame:
    """`frame` with the columns of the scorecard put in: pd and, where it knows them, grade, lgd, score.

    A column that the frame has already is replaced; `intervals` adds pd_low and pd_high of a logit, `reasons`
    the names of as many variables that raise its PD most.
    Raises InputError: a variable missing, not numeric or infinite.
    """
    faults: list[Fault] = []
    scored = further = pd.DataFrame(index=frame.index)
    with gathering(faults):
        scored = scores(frame, fitted, intervals=intervals)
    with gathering(faults):
        further = _reasons(frame, fitted, reasons) if reasons else further
    if faults:
        raise InputError.of(list(dict.fromkeys(faults)), "Scores")
    scored = scored.join(further)
    return pd.concat([frame.drop(columns=[c for c in scored.columns if c in frame.columns]), scored], axis=1)


def scores(frame: pd.DataFrame, fitted: Fitted, *, intervals: bool = False) -> pd.DataFrame:
    """The columns that the scorecard gives, and no other, on the index of `frame`.

    Raises InputError as score_frame does.
    """
    if not isinstance(fitted, Scorecard):
        if intervals:
            fault = Fault("only a logit has intervals", "leave --intervals out", field="--intervals")
            raise InputError.of([fault], "Scores")
        if isinstance(fitted, SegmentLgd | RegressionLgd):
            return pd.DataFrame({"lgd": fitted.of(frame)}, index=frame.index)
        return fitted.apply(frame)
    return fitted.apply(frame, intervals=intervals)


def _reasons(frame: pd.DataFrame, fitted: Fitted, number: int) -> pd.DataFrame:
    if not isinstance(fitted, Scorecard):
        fault = Fault("only a logit has reasons", "leave --reasons out", field="--reasons")
        raise InputError.of([fault], "Scores")
    return reasons_of(fitted, frame, number)


def imputed_cells(frame: pd.DataFrame, fitted: Fitted) -> tuple[ImputedVariable, ...]:
    """The variables of the scorecard that some rows of `frame`, which it has scored, have no value of."""
    if isinstance(fitted, Rating):
        return imputed(derive(frame, fitted.derived), fitted.indicators)
    if isinstance(fitted, GradeScorecard):
        return () if fitted.preparation is None else fitted.preparation.imputed(frame)
    if isinstance(fitted, SegmentLgd | RegressionLgd):
        return fitted.imputed(frame)
    return fitted.preparation.imputed(derive(frame, fitted.derived))


def text_columns(fitted: Fitted) -> frozenset[str]:
    """Columns of a table of borrowers that the scorecard reads as levels and never as numbers."""
    if isinstance(fitted, GradeScorecard):
        return frozenset()
    if isinstance(fitted, Rating):
        return declarations.text_columns(
            (), [indicator.rule for indicator in fitted.indicators], fitted.derived
        )
    if isinstance(fitted, SegmentLgd):
        return frozenset([fitted.column])
    variables = [column.variable for column in fitted.preparation.columns]
    return declarations.text_columns(variables, (), fitted.derived)


def unseen_levels(frame: pd.DataFrame, fitted: Fitted, given: pd.DataFrame) -> tuple[UnseenLevel, ...]:
    """Levels, and codes in numbers, of `frame` that the fit did not see; `given` is of `scores`."""
    if isinstance(fitted, GradeScorecard):
        return ()
    if isinstance(fitted, SegmentLgd | RegressionLgd):
        return fitted.unseen(frame)
    pds = given["pd"].to_numpy(float)
    slips = [
        slip
        for derivation in fitted.derived
        if derivation.column in frame
        for slip in derivation.slips(frame[derivation.column])
    ]
    if isinstance(fitted, Rating):  # a text without a score is a fault
        return (*slips, *codes_in(derive(frame, fitted.derived), fitted.indicators, pds))
    return (*slips, *fitted.preparation.unseen(derive(frame, fitted.derived), pds))


def score_firms(
    files: InvoiceFiles, fitted: Fitted, *, lgd: float = 0.5, indicators: bool = False
) -> tuple[pd.DataFrame, tuple[InvoiceNotes, ...], tuple[ImputedVariable, ...]]:
    """The firms of `files` as `graded_borrowers` gives them, what the files held, what was imputed.

    Who is scored: those of `files.firms`, else those of the workbook's sheet of firms, else all that have
    invoices. A rating that these have is kept, and the scorecard fills in where there is none. `indicators`
    adds those of every firm. `files.facts` is not read here. Raises InputError: faults of the files, a
    scorecard that grades no invoices.
    """
    faults: list[Fault] = []
    if not isinstance(fitted, GradeScorecard):
        remedy = "name a file of `allocator fit grade`"
        faults.append(Fault("grades no invoices", remedy, field="scorecard"))
    invoices, listed = read_firms_of(files, faults, partly=True)
    if faults or invoices is None or not isinstance(fitted, GradeScorecard):
        raise InputError.of(faults, "Scores")
    names = None if listed is None else listed["enterprise_id"].tolist()
    firms, empty = graded_borrowers(invoices, fitted, names, lgd)
    if listed is not None and "rating" in listed.columns:
        firms = _as_rated(firms, listed["rating"].to_numpy(object), fitted)
    if indicators:
        further = firm_indicators(invoices, firms["borrower_id"].tolist()).drop(columns="void_share")
        firms = firms.join(further, on="borrower_id")
    return firms, invoices.notes, empty


def _as_rated(firms: pd.DataFrame, ratings: np.ndarray, scorecard: GradeScorecard) -> pd.DataFrame:
    """`firms` with the `ratings` (n,) that are known, "" where none is, in the place of inferred grades."""
    place = pd.Index(scorecard.grades).get_indexer(pd.Index(ratings))
    known = place >= 0
    out, rated = firms.copy(), place[known]
    out.loc[known, "grade"] = ratings[known]
    out.loc[known, "pd"] = scorecard.pd_by_grade[rated]
    names = [f"p_{grade}" for grade in scorecard.grades]
    out.loc[known, names] = np.eye(len(names))[rated]
    out.loc[known, "exclude"] = False
    out.loc[known, "note"] = "rated: its rating is kept"
    return out


def read_firms_of(
    files: InvoiceFiles, faults: list[Fault], *, partly: bool = False
) -> tuple[Invoices | None, pd.DataFrame | None]:
    """The invoices, and the firms that a table or the workbook lists, all rated or `partly`.

    What is wrong is added to `faults`.
    """
    invoices, listed = None, None
    with gathering(faults):
        if files.firms is not None:
            listed = read_firms(read_table(files.firms), str(files.firms), partly=partly)
    with gathering(faults):
        if files.workbook is not None and files.purchases is None and files.sales is None:
            book = read_workbook(files.workbook, duplicates=files.duplicates, partly=partly)
            return book.invoices, book.firms if files.firms is None else listed
        if files.workbook is not None:
            remedy = "name purchases and sales, or a workbook"
            faults.append(Fault("a workbook holds both directions already", remedy, field="invoices"))
        invoices = read_invoices(files.purchases, files.sales, duplicates=files.duplicates)
    return invoices, listed


def rated_firms(
    files: InvoiceFiles,
    check: Callable[[pd.Series], object] = grade_codes,
    earlier: Sequence[Fault] = (),
) -> tuple[pd.DataFrame, pd.DataFrame, tuple[InvoiceNotes, ...]]:
    """Rated firms (rating, default), their indicators on the same index, and what the files held.

    `files.firms`, else the workbook's sheet of firms, has their ratings. Raises InputError: faults of the
    files, a rated firm without a sales invoice, what `check` raises of the ratings, the `earlier` ones.
    """
    faults = [*earlier]
    invoices, listed = read_firms_of(files, faults)
    ratings = files.firms or files.workbook
    place = None if ratings is None else str(ratings)
    if ratings is None:
        remedy = "give a table of them, or an official workbook"
        faults.append(Fault("no rated firms are named", remedy, field="ratings"))
    faults += [
        Fault(f"lacks the column {name}", "rated firms have both", place)
        for name in ("rating", "default")
        if listed is not None and name not in listed.columns
    ]
    if listed is not None and "rating" in listed.columns:
        with gathering(faults):
            check(listed["rating"])
    if listed is None or invoices is None:
        raise InputError.of(faults, "Rated firms")
    known = listed.set_index("enterprise_id")
    indicators = firm_indicators(invoices, known.index.tolist())
    silent = indicators.index[(indicators["out_n_valid"] == 0).to_numpy()]
    if len(silent):
        shown = ", ".join(silent[:3]) + (f" and {len(silent) - 3} more" if len(silent) > 3 else "")
        problem = f"no valid sales invoice of the rated firm{'s' if len(silent) > 1 else ''} {shown}"
        remedy = "leave it out, or check the firms' names"
        faults.append(Fault(problem, remedy, place, field="enterprise_id"))
    if faults:
        raise InputError.of(faults, "Rated firms")
    return known, indicators, invoices.notes


def graded_borrowers(
    invoices: Invoices, scorecard: GradeScorecard, firms: Sequence[str] | None, lgd: float
) -> tuple[pd.DataFrame, tuple[ImputedVariable, ...]]:
    """Borrowers as a portfolio reads them, and what was imputed of the indicators of those that are graded.

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
    scored["grade"] = scored["grade"].cat.add_categories([_UNGRADED])
    scored = scored.reindex(indicators.index)
    probabilities = [f"p_{grade}" for grade in scorecard.grades]
    scored.loc[~speaks, "grade"] = _UNGRADED
    scored.loc[~speaks, "pd"] = float(scorecard.frequency @ scorecard.pd_by_grade)
    scored.loc[~speaks, probabilities] = scorecard.frequency
    scored["lgd"] = lgd
    scored["exclude"] = ~speaks
    scored["void_share"] = indicators["void_share"]
    scored["note"] = np.where(speaks, "", "no valid sales invoice: not graded")
    if scorecard.ranges is not None:
        inside = inside_ranges(scored["void_share"].to_numpy(float), scorecard.ranges).any(axis=1)
        scored.loc[speaks & ~inside, "note"] = "void share in no grade's range: the grades' frequencies"
    columns = ["grade", "pd", "lgd", "exclude", *probabilities, "void_share", "note"]
    borrowers = scored[columns].rename_axis("borrower_id").reset_index()
    return borrowers, imputed_cells(indicators[speaks], scorecard)
