"""Fits of the credit strategy study: grades from invoices, AHP weights, and churn curves."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from allocator.errors import Fault
from allocator.intake import content_hash, one_reading
from allocator.records.frames import File
from allocator.records.portfolio import ChurnTable
from allocator.records.sources import InvoiceFiles
from allocator.scoring import validation
from allocator.scoring.ahp import Method, read_hierarchy, sensitivity
from allocator.scoring.churn import churn_frame, fit_churn
from allocator.scoring.correlation import by_grade, rating_correlations, starred_table, unknown_faults
from allocator.scoring.fitted import Card, markdown, to_document
from allocator.scoring.fitting import Fit
from allocator.scoring.frequencies import pd_by_grade
from allocator.scoring.grades import (
    GRADES,
    PUBLISHED_RANGES,
    VARIABLES,
    VOID_SHARE,
    GradeTrial,
    check_ratings,
    fit_grades,
    inside_ranges,
    out_of_fold_grades,
    void_range_table,
)
from allocator.scoring.grades import Method as GradeMethod
from allocator.scoring.indicators import never_known
from allocator.scoring.invoices import InvoiceNotes
from allocator.scoring.reading import faults_located_in, imputed_figures, imputed_lines, read_table
from allocator.scoring.score import imputed_cells, rated_firms

STUDIED = (VOID_SHARE, "void_share_count", *(variable.name for variable in VARIABLES))
"""Indicators beside whose correlation with the rating a fit of grades is shown."""
METHODS = {
    "ordinal": "proportional-odds logit on six indicators",
    "void_ranges": "published ranges of the void share, by Bayes' rule",
}


@one_reading()
def grade_from_files(
    files: InvoiceFiles,
    *,
    method: GradeMethod = "ordinal",
    shrinkage: float = 0.5,
    folds: int = 10,
    seed: int = 0,
    earlier: Sequence[Fault] = (),
) -> Fit:
    """A grade scorecard from rated firms' invoices.

    Raises InputError with the faults of the files, and the `earlier` ones of the order.
    """
    known, indicators, notes = rated_firms(files, partial(check_ratings, folds=folds), earlier)
    pds = pd_by_grade(known["rating"], known["default"], GRADES, shrinkage)
    card = fit_grades(indicators, known["rating"], pds["pd"].to_numpy(), method=method)
    trial = out_of_fold_grades(indicators, known["rating"], method=method, folds=folds, seed=seed)
    mixed, defaults = trial.probabilities.to_numpy() @ pds["pd"].to_numpy(), known["default"].to_numpy(float)
    void = indicators[VOID_SHARE]
    outside, imputed = _in_no_range(void), imputed_cells(indicators, card)
    figures: dict[str, Any] = {
        "method": method,
        **{name: getattr(trial, name) for name in ("accuracy", "baseline", "within_one", "log_loss")},
        "default_auc": vars(validation.auc(defaults, mixed)),
        "default_log_loss": validation.log_loss(defaults, mixed),
        "in_no_range": outside,
        **imputed_figures(imputed),
    }
    tables = {
        "Confusion out of fold (rows: true grade)": trial.confusion,
        "PD by grade": pds,
        "Rating against indicators": starred_table(rating_correlations(known["rating"], indicators, STUDIED)),
        "Void share by grade beside the published ranges": void_range_table(void, known["rating"]),
        "Invoices": _notes_table(notes),
    }
    paths = files.files().values()
    described = Card(
        title=f"Grades of {len(known)} firms from invoices, method {method}",
        purpose="a probability of each grade, the most probable grade and a PD for a firm without a rating",
        data=", ".join(path.name for path in paths),
        method=METHODS[method],
        limits="few firms; one bank's grades of one year; grade D and default nearly coincide",
        metrics={
            **_accuracy(trial, folds),
            "default: AUC out of fold": str(validation.auc(defaults, mixed)),
            "default: log loss": f"{validation.log_loss(defaults, mixed):.3f}",
            "void share in no grade's range": f"{len(outside)} firms: {' '.join(outside)}",
            **imputed_lines(imputed),
        },
        training={path.name: content_hash(path) for path in paths},
        sections=[(name, markdown(table)) for name, table in tables.items()],
    )
    return Fit(to_document(card), described, figures, tables)


def _accuracy(trial: GradeTrial, folds: int) -> dict[str, str]:
    """What a card says of how well grades are found again."""
    return {
        f"accuracy out of fold ({folds} folds, 5 repeats)": f"{trial.accuracy:.3f}",
        "accuracy of naming all the commonest": f"{trial.baseline:.3f}",
        "at most one grade off": f"{trial.within_one:.3f}",
        "log loss": f"{trial.log_loss:.3f}",
    }


def _in_no_range(void: pd.Series) -> list[str]:
    """The firms whose void share lies in no grade's published range."""
    inside = np.asarray(inside_ranges(void.to_numpy(float), PUBLISHED_RANGES).any(axis=1))
    return void.index[np.flatnonzero(~inside)].tolist()


def correlation_from_files(
    files: InvoiceFiles, columns: Sequence[str] | None = None, earlier: Sequence[Fault] = ()
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rating against indicators over rated firms (the credit strategy study, table 4), and these by grade.

    Raises InputError with the faults of the files, and the `earlier` ones of the order.
    """
    earlier = [*earlier, *unknown_faults(never_known(columns or ()))]
    known, indicators, _ = rated_firms(files, earlier=earlier)
    return rating_correlations(known["rating"], indicators, columns), by_grade(
        known["rating"], indicators, columns
    )


@one_reading()
def ahp_from_file(judgements: File, method: Method = "eigenvector") -> Fit:
    """Weights of the alternatives of a judgement file, with consistency and sensitivity."""
    hierarchy = read_hierarchy(judgements, method)
    every = (hierarchy.criteria, *hierarchy.alternatives)
    consistency = pd.DataFrame(
        {
            "lambda_max": [weights.lambda_max for weights in every],
            "ci": [weights.consistency_index for weights in every],
            "cr": [weights.consistency_ratio for weights in every],
        },
        index=pd.Index(["criteria", *hierarchy.criteria.judgement.items], name="judgement"),
    )
    items = hierarchy.alternatives[0].judgement.items
    weights = dict(zip(items, hierarchy.composed.tolist(), strict=True))
    tables = {
        "Weights": hierarchy.table(),
        "Consistency": consistency,
        "Weights when one judgement is half as large again": sensitivity(hierarchy).set_index("judgement"),
    }
    document = {
        "kind": "weights",
        "method": method,
        "weights": weights,
        "criteria": dict(
            zip(hierarchy.criteria.judgement.items, hierarchy.criteria.weights.tolist(), strict=True)
        ),
        "consistency": consistency["cr"].to_dict(),
        "warnings": list(hierarchy.warnings),
    }
    described = Card(
        title=f"AHP weights of {judgements.name}",
        purpose="shares of a budget or weights of criteria",
        data=judgements.name,
        method=f"{method.replace('_', ' ')} of each judgement matrix, composed",
        limits="judgement, not estimation; "
        + ("; ".join(hierarchy.warnings) or "all consistency ratios are at most 0.1"),
        metrics={name: f"{weight:.4f}" for name, weight in weights.items()},
        training={judgements.name: content_hash(judgements)},
        sections=[(name, markdown(table)) for name, table in tables.items()],
    )
    figures = {"weights": weights, "consistency": document["consistency"], "warnings": document["warnings"]}
    return Fit(document, described, figures, tables)


@one_reading()
def churn_from_file(data: File, shape: str = "isotonic") -> Fit:
    """A monotone churn curve from offers or shares; `.csv` beside the document is what scenarios name.

    `.low.csv` and `.high.csv` are the ends of its 95 % interval: what the curve's error may cost.
    """
    offers = read_table(data)
    with faults_located_in(data, offers):
        fit = fit_churn(offers, str(data))
        chosen = fit.isotonic if shape == "isotonic" else fit.logistic
    table = fit.table()
    plain = table.astype(object).where(table.notna(), None)
    filled = {grade: list(rates) for grade, rates in fit.unobserved.items()}
    document = {"kind": "churn", "shape": shape, "curves": plain.to_dict(orient="index"), "filled": filled}
    how = "between the rates around them" if shape == "isotonic" else "from the curve"
    empty = {
        f"empty shares filled {how}, {grade}": ", ".join(f"{rate:.4g}" for rate in rates)
        for grade, rates in filled.items()
    }
    ends = fit.interval(chosen)
    told = {} if ends is None else {"95 % interval": "of the logistic curve, in .low.csv and .high.csv"}
    described = Card(
        title=f"Churn curve, {shape}",
        purpose="share of customers who walk away, by rate and grade",
        data=data.name,
        method="isotonic regression" if shape == "isotonic" else "logit churn = a + b log(rate), binomial",
        limits="standard errors are robust ones from the scatter where the offers are not counted",
        metrics={f"falls removed, {grade}": str(n) for grade, n in table["falls"].items()} | empty | told,
        training={data.name: content_hash(data)},
        sections=[("Logistic fit", markdown(table))],
    )
    figures = {"curves": document["curves"], "filled": filled}
    return Fit(document, described, figures, {"Logistic fit": table}, _curve_files(chosen, ends))


def _curve_files(curve: ChurnTable, interval: tuple[ChurnTable, ChurnTable] | None) -> dict[str, str]:
    """The curve's file, and those of the ends of its interval, by suffix."""
    low, high = interval or (None, None)
    tables = {".csv": curve, ".low.csv": low, ".high.csv": high}
    return {
        suffix: churn_frame(table).to_csv(index=False)
        for suffix, table in tables.items()
        if table is not None
    }


def _notes_table(notes: tuple[InvoiceNotes, ...]) -> pd.DataFrame:
    """What invoice files held, one row per file."""
    rows = [
        {**vars(note), "file": Path(note.file).name, "partial_years": " ".join(map(str, note.partial_years))}
        for note in notes
    ]
    return pd.DataFrame(rows).set_index("file").T.rename_axis("invoices")
