"""The grade of an unrated firm, as a probability of each grade, learnt from rated firms.

Two ways, both giving probabilities and never one interval's verdict:

    void_ranges   a range of the void share for each grade (credit strategy study). The ranges
                  overlap, so Bayes' rule with a uniform density on each range and the observed
                  frequency of the grades. A firm in no range keeps the frequencies and is counted
    ordinal       a proportional-odds logit on indicators of size, activity, void share and stability

Which is the default was measured: docs/decisions/grade-inference.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from allocator.errors import Fault, InputError, gathering
from allocator.records.portfolio import Floats, Integers
from allocator.scoring.folds import stratified_folds
from allocator.scoring.levels import level_faults, levels_of
from allocator.scoring.ordinal import OrdinalFit, empty_grades, fit_ordinal
from allocator.scoring.preparation import Preparation
from allocator.scoring.preparing import prepared
from allocator.scoring.reading import weighted_sum
from allocator.scoring.variables import Variable

GRADES = ("A", "B", "C", "D")
VOID_SHARE = "void_share"
PUBLISHED_RANGES: Mapping[str, tuple[float, float]] = {
    "A": (0.030, 0.080),
    "B": (0.035, 0.130),
    "C": (0.040, 0.200),
    "D": (0.050, 0.357),
}
"""Void share by grade as the credit strategy study, section 4, reads it off its figures."""

VARIABLES = (
    Variable("out_amount", group="strength", sign=-1, transform="log", missing="median"),
    Variable("out_active_months", group="strength", sign=-1, missing="median"),
    Variable("profit_stability", group="strength", sign=-1, missing="median"),
    Variable("out_void_ratio", group="reputation", sign=1, missing="median"),
    Variable("out_counterparty_hhi", group="supply and demand", sign=1, missing="median"),
    Variable("out_monthly_cv", group="supply and demand", sign=1, missing="median"),
)
"""Indicators of the ordinal logit, by the factors of the credit strategy study."""
STRENGTH = 2.0
"""Ridge penalty of the ordinal logit on standardised columns."""

Method = Literal["ordinal", "void_ranges"]


@dataclass(frozen=True)
class GradeScorecard:
    """How to grade a firm, and the PD of each grade."""

    method: Method
    grades: tuple[str, ...]
    frequency: Floats
    """(grades,) share of each grade among the rated firms."""
    pd_by_grade: Floats
    """(grades,) probability of default within a year's loan."""
    preparation: Preparation | None = None
    fit: OrdinalFit | None = None
    ranges: Mapping[str, tuple[float, float]] | None = None

    def probabilities(self, indicators: pd.DataFrame) -> Floats:
        """(n, grades), rows sum to 1. Raises InputError for a missing or infinite indicator."""
        if self.preparation is not None and self.fit is not None:
            return self.fit.probabilities(self.preparation.matrix(indicators))
        if self.ranges is None:
            raise AssertionError("a grade scorecard has a fit or ranges")
        if VOID_SHARE not in indicators.columns:
            fault = Fault("the column is missing", "compute the indicators from invoices", field=VOID_SHARE)
            raise InputError.of([fault], "Grades")
        return by_void_ranges(indicators[VOID_SHARE].to_numpy(float), self.ranges, self.frequency)

    def apply(self, indicators: pd.DataFrame) -> pd.DataFrame:
        """`p_A` .. `p_D`, `grade` (the most probable), `pd` (sum of p_g x pd_g), on the index given."""
        p = self.probabilities(indicators)
        columns = {f"p_{grade}": p[:, i] for i, grade in enumerate(self.grades)}
        best = pd.Categorical.from_codes(p.argmax(axis=1), pd.Index(self.grades))
        default = weighted_sum(p, self.pd_by_grade)
        return pd.DataFrame({"grade": best, "pd": default, **columns}, index=indicators.index)


@dataclass(frozen=True)
class GradeTrial:
    """Out-of-fold judgement of a way to grade, on the rated firms."""

    probabilities: pd.DataFrame
    """(n, grades) each firm by a scorecard that has not seen it; means over the repeats."""
    accuracy: float
    """Share of firms whose most probable grade is theirs, mean over the repeats."""
    within_one: float
    """Share that is at most one grade off."""
    log_loss: float
    confusion: pd.DataFrame
    """Rows: the true grade; columns: the inferred one; mean counts over the repeats."""
    baseline: float
    """Accuracy of naming everybody the commonest grade."""


def fit_grades(
    indicators: pd.DataFrame,
    rating: pd.Series,
    pd_by_grade: Floats,
    *,
    method: Method = "ordinal",
    variables: Sequence[Variable] = VARIABLES,
    ranges: Mapping[str, tuple[float, float]] = PUBLISHED_RANGES,
    strength: float = STRENGTH,
) -> GradeScorecard:
    """Learn to grade from rated firms: frames share their index.

    Raises InputError: an unknown grade, a grade without firms, faults of the indicators.
    """
    codes = grade_codes(rating)
    frequency = np.bincount(codes, minlength=len(GRADES)) / max(len(codes), 1)
    if method == "void_ranges":
        return GradeScorecard(method, GRADES, frequency, pd_by_grade, ranges=dict(ranges))
    made = prepared(indicators, variables)
    preparation = made.preparation
    fit = fit_ordinal(made.matrix, codes, preparation.names, GRADES, strength)
    return GradeScorecard(method, GRADES, frequency, pd_by_grade, preparation, fit)


def check_ratings(rating: pd.Series, folds: int) -> None:
    """Raise InputError for an unknown grade, one without firms, or with fewer than there are folds."""
    codes = grade_codes(rating)
    faults = empty_grades(np.bincount(codes, minlength=len(GRADES)), GRADES)
    with gathering(faults):
        stratified_folds(np.array(GRADES, dtype=object)[codes], folds)
    if faults:
        raise InputError.of(faults, "Ratings")


def grade_codes(rating: pd.Series) -> Integers:
    """(n,) index into GRADES. Raises InputError for an unknown grade."""
    codes = pd.Index(GRADES).get_indexer(pd.Index(rating.astype(object)))
    levels = levels_of(rating)
    faults = level_faults("rating", levels, GRADES, "is no grade", "the grades are A, B, C, D", empty=True)
    if faults:
        raise InputError.of(faults, "Ratings")
    return codes.astype(np.int64)


def by_void_ranges(void: Floats, ranges: Mapping[str, tuple[float, float]], frequency: Floats) -> Floats:
    """(n, grades): frequency / width inside a grade's range, 0 outside, normalised; in none: frequency."""
    inside = inside_ranges(void, ranges)
    density = np.array([1 / (high - low) for low, high in ranges.values()])
    weight = inside * density * frequency
    whole = weight.sum(axis=1, keepdims=True)
    return np.where(whole > 0, weight / np.where(whole > 0, whole, 1.0), frequency)


def inside_ranges(void: Floats, ranges: Mapping[str, tuple[float, float]]) -> np.ndarray:
    """(n, grades) True where the void share lies in the grade's range, ends included; NaN lies in none."""
    return np.column_stack([(void >= low) & (void <= high) for low, high in ranges.values()])


def void_range_table(
    void: pd.Series, rating: pd.Series, ranges: Mapping[str, tuple[float, float]] = PUBLISHED_RANGES
) -> pd.DataFrame:
    """Observed void shares by grade beside the published range.

    One row per grade: n, low and high (observed ends), p05, median, p95, published_low, published_high,
    inside (firms of the grade in its published range), in_none (firms of the grade in no
    grade's range at all).
    """
    rows = {}
    for i, (grade, (low, high)) in enumerate(ranges.items()):
        values = void[(rating == grade).to_numpy()].to_numpy(float)
        values = values[~np.isnan(values)]
        inside = inside_ranges(values, ranges)
        p05, median, p95 = np.quantile(values, [0.05, 0.5, 0.95]) if len(values) else (np.nan,) * 3
        rows[grade] = {
            "n": len(values),
            "low": values.min(initial=np.inf),
            "p05": p05,
            "median": median,
            "p95": p95,
            "high": values.max(initial=-np.inf),
            "published_low": low,
            "published_high": high,
            "inside": int(inside[:, i].sum()),
            "in_none": int((~inside.any(axis=1)).sum()),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("grade")


def out_of_fold_grades(
    indicators: pd.DataFrame,
    rating: pd.Series,
    *,
    method: Method = "ordinal",
    variables: Sequence[Variable] = VARIABLES,
    strength: float = STRENGTH,
    folds: int = 10,
    repeats: int = 5,
    seed: int = 0,
) -> GradeTrial:
    """Grade every rated firm by scorecards fitted without it.

    Raises InputError as fit_grades does, and where a grade has fewer firms than there are folds.
    """
    codes = grade_codes(rating)
    n, zeros = len(codes), np.zeros(len(GRADES))
    mean = np.zeros((n, len(GRADES)))
    confusion = np.zeros((len(GRADES), len(GRADES)))
    losses = []
    for repeat in range(repeats):
        fold = stratified_folds(codes, folds, seed + repeat)
        p = np.zeros_like(mean)
        for k in range(folds):
            seen, held = fold != k, fold == k
            card = fit_grades(
                indicators[seen], rating[seen], zeros, method=method, variables=variables, strength=strength
            )
            p[held] = card.probabilities(indicators[held])
        np.add.at(confusion, (codes, p.argmax(axis=1)), 1.0)
        losses.append(-np.log(np.maximum(p[np.arange(n), codes], 1e-3)).mean())
        mean += p / repeats
    confusion /= repeats
    off = np.abs(np.subtract.outer(np.arange(len(GRADES)), np.arange(len(GRADES))))
    return GradeTrial(
        probabilities=pd.DataFrame(mean, index=indicators.index, columns=list(GRADES)),
        accuracy=float(np.trace(confusion) / n),
        within_one=float(confusion[off <= 1].sum() / n),
        log_loss=float(np.mean(losses)),
        confusion=pd.DataFrame(confusion, index=pd.Index(GRADES, name="grade"), columns=list(GRADES)),
        baseline=float(np.bincount(codes).max() / n),
    )
