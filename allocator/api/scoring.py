"""Scorecards, ratings, grades, weights and churn curves: fitted from tables, written as data, applied."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd

from allocator.api.arguments import Folds, Seed, Within
from allocator.api.results import Viewable
from allocator.api.scenarios import Document, Table, declarations, document_file, file_of
from allocator.api.words import public_function
from allocator.errors import Fault, InputError
from allocator.records.sources import InvoiceFiles
from allocator.report.drawing.paper import svg_of
from allocator.report.frame import frame_table
from allocator.report.pictures.reliability import reliability_chart
from allocator.report.plain import Text
from allocator.report.view import View
from allocator.scoring.ahp import Method as AhpMethod
from allocator.scoring.choice import How
from allocator.scoring.classes import CLASSES
from allocator.scoring.fitted import check_name, read_fitted, write_fitted
from allocator.scoring.fitting import Fit
from allocator.scoring.fitting_firms import ahp_from_file, churn_from_file, grade_from_files
from allocator.scoring.fitting_lgd import lgd_from_files
from allocator.scoring.fitting_logit import logit_from_files
from allocator.scoring.fitting_rating import RatingOrder, rating_from_files
from allocator.scoring.grades import Method as GradeMethod
from allocator.scoring.logit import Penalty
from allocator.scoring.order import Order, penalty_faults
from allocator.scoring.reading import TEXT, faults_located_in, read_table
from allocator.scoring.rejects import Inference, order_faults
from allocator.scoring.score import score_frame, text_columns
from allocator.scoring.scorecard import scale_of


def files_beside(fit: Fit, name: str) -> dict[str, str]:
    """Suffix -> text of what is written beside a fitted file and its card."""
    drawn = {} if fit.reliability is None else {".svg": svg_of(reliability_chart(fit.reliability, name))}
    return {**fit.extra, **drawn}


@dataclass(frozen=True, repr=False, eq=False)
class Fitted(Viewable):
    """What was fitted: a document that `score` applies, its validation, and a card. Frozen.

    `table` is the first of `tables`; `figures` and `tables` are what --json prints, `document` what a
    scenario's `portfolio.scorecard`, or `score`, reads. Of a churn curve `table` is the curve, as
    `allocate(churn=...)` takes it.

    >>> import pandas as pd
    >>> from allocator import fit_churn
    >>> offers = pd.DataFrame({"rate": [0.04, 0.08, 0.12], "A": [0.1, 0.3, 0.25]})
    >>> fit_churn(offers).table["A"].round(3).tolist()
    [0.1, 0.275, 0.275]
    """

    fit: Fit

    @property
    def view(self) -> View:
        fit, judged = self.fit, self.fit.reliability
        tables = [part for title, table in fit.tables.items() for part in (frame_table(title, table), "")]
        metrics = [Text(f"{label}: {value}") for label, value in fit.card.metrics.items()]
        warnings = [Text(f"warning: {warning}") for warning in fit.figures.get("warnings", ())]
        title = Text(fit.card.title)
        return View(
            page=lambda: (title, "", *tables, *metrics, *warnings),
            document=lambda: self.document,
            chart=None if judged is None else lambda: reliability_chart(judged, fit.card.title),
        )

    @property
    def document(self) -> dict[str, Any]:
        """The fit as a file holds it."""
        return {"schema": 1, "name": "fitted", "version": 1, **self.fit.document, **self.fit.card.told}

    @property
    def figures(self) -> dict[str, Any]:
        """Figures of the validation, as the command's --json has them."""
        return dict(self.fit.figures)

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Every table of the card, by title."""
        return {title: table.copy() for title, table in self.fit.tables.items()}

    @property
    def table(self) -> pd.DataFrame:
        curve = self.fit.extra.get(".csv")
        if curve is not None:
            return pd.read_csv(StringIO(curve))
        return next(iter(self.tables.values()))

    @public_function
    def save(self, folder: str | os.PathLike[str], name: str) -> Path:
        """Write NAME-v1.json, or the next version, with its card; return where the JSON file is.

        Raises InputError for a name that is none or a place that is a file, OutputError where writing fails.
        """
        check_name(name)
        if Path(folder).is_file():
            raise InputError.of([Fault(f"{folder} is a file", "name a folder", field="folder")], "fit")
        return write_fitted(
            Path(folder), name, self.fit.document, self.fit.card, files_beside(self.fit, name)
        )

    def __repr__(self) -> str:
        told = ", ".join(f"{label} {value}" for label, value in list(self.fit.card.metrics.items())[:2])
        return f"Fitted({self.fit.card.title}{': ' + told if told else ''})"


@public_function
def score(
    borrowers: Table,
    scorecard: Document | Fitted,
    *,
    lgd: Annotated[float, Within(0, 1)] | None = None,
    intervals: bool = False,
) -> pd.DataFrame:
    """The borrowers with PD, and grade and LGD where they are known, by a scorecard: `allocator score`.

    borrowers  (n rows) a DataFrame of pandas or polars, any table with `__arrow_c_stream__`, or a path
    scorecard  what `fit_logit` or `fit_rating` gave, the path of such a file, or its content
    lgd        loss given default, a fraction, where neither scorecard nor borrowers give one; else 0.5
    intervals  add pd_low and pd_high of a logit: 95 % by the covariance of its coefficients

    The DataFrame has the borrowers' columns, with pd, grade, lgd (fractions) in their place or at the end; it
    may be given to `allocate`. The formulas are those of docs/scoring.md. Raises InputError for columns that
    the scorecard needs and the table lacks, and for cells that it cannot read.

    >>> import pandas as pd
    >>> from allocator import fit_logit, score
    >>> firms = pd.DataFrame({"debt": range(60), "bad": [0, 0, 1] * 10 + [0, 1, 1] * 10})
    >>> list(score(firms, fit_logit(firms, ["debt"], "bad")).columns)
    ['debt', 'bad', 'pd', 'lgd']
    """
    document = scorecard.document if isinstance(scorecard, Fitted) else scorecard
    fitted = read_fitted(document_file(document, "scorecard"))
    file = file_of(borrowers, "borrowers")
    table = read_table(file, (*TEXT, *sorted(text_columns(fitted))))
    with faults_located_in(file, table):
        scored = score_frame(table, fitted, intervals=intervals)
    if "lgd" not in scored.columns:
        return scored.assign(lgd=0.5 if lgd is None else lgd)
    if lgd is not None:
        fault = Fault("the scorecard or the borrowers give one", "leave it out", field="lgd")
        raise InputError.of([fault], "score")
    return scored


@public_function
def fit_logit(
    data: Table,
    variables: Document | Sequence[str | Mapping[str, Any]],
    outcome: str,
    *,
    penalty: Penalty = "flic",
    strength: Annotated[float, Within(0)] | None = None,
    bounds: Mapping[str, float] | None = None,
    time: str | None = None,
    owed: str | None = None,
    lost: str | None = None,
    points: Mapping[str, float] | None = None,
    choose: How = "all",
    without: str | None = None,
    weights: str | None = None,
    rejects: str | None = None,
    reject_inference: Inference | None = None,
    reject_factor: float = 1.0,
    folds: Folds = 5,
    seed: Seed = 0,
) -> Fitted:
    """A PD scorecard from variables, with Wald tests and expected signs: `allocator fit logit`.

    data       (n rows) a DataFrame, or the path of a csv, parquet or xlsx file, one row per firm
    variables  names, or mappings as in docs/scoring.md, in a list; or a JSON file of them, or its content
    outcome    column that is 1 for a default, 0 for none
    penalty    "flic", "firth", "ridge" (of a `strength`) or "none"
    bounds     highest PD of each grade, best first, the last 1; time: column to judge the latest 30 % by too
    owed, lost columns of money lent and not paid back: with them an LGD
    points     scale of a score: pdo, base and odds, as {"pdo": 20, "base": 600, "odds": 50}
    choose     "all" variables, those that keep their "signs", or a "forward" path of them
    without    column that is not empty where a row has no outcome to learn from: left out and counted
    weights    column that says how much a row counts, above 0; its scale does not matter
    rejects    column that is 1 for declined applicants; reject_inference "fuzzy" or "parcelling" gives them
               outcomes, reject_factor times as bad as those of accepted ones alike
    folds, seed    of the validation

    Raises InputError with every fault of the data and the variables. The logit is Firth's (1993) with the
    intercept refitted, unless another is asked for: docs/scoring.md.

    >>> import numpy as np, pandas as pd
    >>> from allocator import fit_logit, score
    >>> debt = np.linspace(0, 1, 200)
    >>> firms = pd.DataFrame({"debt": debt, "bad": (np.arange(200) * 7 % 10 < 6 * debt).astype(int)})
    >>> card = fit_logit(firms, ["debt"], "bad")
    >>> bool(score(firms, card)["pd"].is_monotonic_increasing)
    True
    """
    faults = order_faults(reject_inference, rejects, reject_factor, choose, time)
    faults += penalty_faults(penalty, strength, "strength")
    if (owed is None) != (lost is None):
        faults += [Fault("an LGD needs both columns", "give owed and lost", field="owed, lost")]
    order = Order(
        outcome,
        penalty=penalty,
        strength=1.0 if strength is None else strength,
        bounds=bounds,
        folds=folds,
        time=time,
        money=None if owed is None or lost is None else (owed, lost),
        points=None if points is None else scale_of(points, "points"),
        choice=choose,
        without=without,
        weights=weights,
        rejects=rejects,
        inference=reject_inference,
        factor=reject_factor,
        seed=seed,
    )
    files = file_of(data, "data"), declarations(variables, "variables")
    return Fitted(logit_from_files(*files, order, faults))


@public_function
def fit_rating(
    data: Table,
    rules: Document | Sequence[Mapping[str, Any]],
    default: str,
    owed: str,
    lost: str,
    *,
    classes: Sequence[str] = CLASSES,
    smallest: Annotated[int, Within(1)] | None = None,
    folds: Folds = 5,
    repeats: Annotated[int, Within(1)] = 10,
    without: str | None = None,
    weights: str | None = None,
    seed: Seed = 0,
) -> Fitted:
    """Scores, classes of rising loss rate, PD and LGD: `allocator fit rating` (Meng and Chi).

    data        (n rows) a DataFrame, or the path of a csv, parquet or xlsx file, one row per loan
    rules       mappings as in docs/scoring.md in a list; or a JSON file of them, or its content
    default     column that is 1 for a default, 0 for none; owed, lost: columns of money
    classes     names, best first: as many classes
    smallest    fewest loans in a class; 1 % if not given
    without     column that says why a row is left out: where it is not empty
    weights     column that says how much a loan counts, above 0; its scale does not matter
    folds, repeats, seed    of the validation

    Raises InputError with every fault of the data and the rules. Source: docs/references.md, docs/scoring.md.

    >>> from allocator import InputError, fit_rating
    >>> try: fit_rating("nowhere.csv", [{"name": "a"}], "bad", "owed", "lost")
    ... except InputError as error: print(error.message)
    Training data: 2 faults
    """
    order = RatingOrder(
        default, owed, lost, classes, smallest, folds, repeats, without=without, weights=weights, seed=seed
    )
    return Fitted(rating_from_files(file_of(data, "data"), declarations(rules, "rules"), order))


@public_function
def fit_lgd(
    data: Table,
    default: str,
    owed: str,
    lost: str,
    *,
    by: str | None = None,
    variables: Document | Sequence[str | Mapping[str, Any]] | None = None,
    without: str | None = None,
    weights: str | None = None,
    folds: Folds = 5,
    seed: Seed = 0,
) -> Fitted:
    """Loss given default by segment or by a fractional logit: `allocator fit lgd`.

    data        (n rows) a DataFrame, or the path of a csv, parquet or xlsx file, one row per loan
    default     column that is 1 for a default, 0 for none; owed, lost: columns of money
    by          column of segments, each with its mean LGD; or
    variables   names, or mappings as in docs/scoring.md, in a list; or a JSON file of them, or its content
    without     column that says why a row is left out: where it is not empty
    weights     column that says how much a loan counts, above 0; its scale does not matter
    folds, seed    of the validation

    `score` with what it gives puts an LGD, a fraction, on borrowers. Raises InputError with every fault
    of the data and the variables. The regression is Papke and Wooldridge's (1996): docs/scoring.md.

    >>> import pandas as pd
    >>> from allocator import fit_lgd, score
    >>> loans = pd.DataFrame({"bad": 1, "owed": 100.0, "lost": [20.0, 60.0] * 40, "sector": ["a", "b"] * 40})
    >>> card = fit_lgd(loans, "bad", "owed", "lost", by="sector")
    >>> score(loans.head(2), card)["lgd"].round(6).tolist()
    [0.2, 0.6]
    """
    return Fitted(
        lgd_from_files(
            file_of(data, "data"),
            default,
            owed,
            lost,
            by=by,
            declared=None if variables is None else declarations(variables, "variables"),
            without=without,
            weights=weights,
            folds=folds,
            seed=seed,
        )
    )


@public_function
def fit_grade(
    purchases: Table = None,
    sales: Table = None,
    ratings: Table = None,
    *,
    workbook: str | os.PathLike[str] | None = None,
    method: GradeMethod = "ordinal",
    shrinkage: Annotated[float, Within(0)] = 0.5,
    duplicates: Literal["keep", "drop"] = "keep",
    folds: Folds = 10,
    seed: Seed = 0,
) -> Fitted:
    """Grades and a PD, learnt from rated firms' invoices: `allocator fit grade` (the credit strategy study).

    purchases, sales    (n rows) invoices as DataFrames or paths: docs/scoring.md says which columns
    ratings     enterprise_id, rating and default of the rated firms, as a DataFrame or a path
    workbook    in their place: an official workbook
    method      "ordinal", a proportional-odds logit, or "void_ranges"
    shrinkage   defaults added to each frequency
    duplicates  whether an invoice that stands twice counts twice
    folds, seed    of the validation

    Raises InputError with every fault of the files. Formulas and source: docs/scoring.md.

    >>> from allocator import InputError, fit_grade
    >>> try: fit_grade()
    ... except InputError as error: print(error.message)
    Rated firms: 2 faults
    """
    given = {"purchases": purchases, "sales": sales, "firms": ratings}
    files = {key: file_of(data, key) for key, data in given.items() if data is not None}
    book = None if workbook is None else Path(workbook)
    invoices = InvoiceFiles(**files, workbook=book, duplicates=duplicates)
    return Fitted(grade_from_files(invoices, method=method, shrinkage=shrinkage, folds=folds, seed=seed))


@public_function
def fit_ahp(judgements: Document, *, method: AhpMethod = "eigenvector") -> Fitted:
    """Weights from pairwise judgements, with their consistency: `allocator fit ahp`.

    judgements  a JSON file of judgement matrices, as in models/ahp, or its content
    method      "eigenvector" or "geometric_mean", of the weights

    Raises InputError with every fault of the matrices. Saaty's consistency ratio: docs/scoring.md.

    >>> from allocator import fit_ahp
    >>> fit_ahp("models/ahp/enterprise-credit.json").document["kind"]
    'weights'
    """
    return Fitted(ahp_from_file(document_file(judgements, "judgements"), method))


@public_function
def fit_churn(data: Table, *, shape: Literal["isotonic", "logistic"] = "isotonic") -> Fitted:
    """A churn curve that does not fall with the rate: `allocator fit churn`.

    data   (n rows) a DataFrame or a path: rate, grade, left (0 or 1); or rate and shares by grade
    shape  which curve `table` holds, and the .csv that `save` writes

    Rates are annual fractions, shares fractions. Raises InputError with every fault of the data. Isotonic
    regression and logits: docs/scoring.md.

    >>> from allocator import allocate, fit_churn
    >>> curve = fit_churn("models/churn/cumcm-2020.csv")
    >>> allocate("scenarios/sme-302.yaml", churn=curve.table).status
    'optimal'
    """
    return Fitted(churn_from_file(file_of(data, "data"), shape))
