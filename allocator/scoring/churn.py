"""Churn curves that do not fall with the rate: isotonic, and logistic with standard errors.

From observed answers (one row an offer: rate, grade, left 0/1) or a table of shares (rate, then one
column per grade). Isotonic: the nearest non-decreasing curve, weighted by the offers behind each share.
Logistic: logit churn = a + b log(rate), b >= 0; its standard errors are those of the
binomial where the offers are counted, else robust ones from the scatter about the curve.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import optimize, special

from allocator.errors import Fault, InputError
from allocator.extras import require
from allocator.records.misfits import meant
from allocator.records.portfolio import ChurnTable, Floats
from allocator.scoring.levels import Levels, cell_faults, fault_in_rows, levels_of, twin_faults
from allocator.scoring.logit import NORMAL_95
from allocator.scoring.rows import rows_in_file, rows_of

_FEWEST_RATES = 3
FIGURES = ("intercept", "slope", "intercept_se", "slope_se", "rms_error")
_WITHOUT = "use the isotonic curve, or give more offers"
_FLATTEST_TAIL = 30.0
"""Log-odds between the lowest and the highest rate beyond which a curve is a step, not a slope."""


@dataclass(frozen=True)
class LogisticCurve:
    """logit churn = intercept + slope log(rate) for one grade."""

    grade: str
    intercept: float
    slope: float
    covariance: Floats
    """(2, 2)"""
    error: float
    """Root mean square distance to the shares it was fitted to."""

    def churn(self, rates: Floats) -> Floats:
        """(K,) fractions at annual rates (K,) above 0."""
        return np.asarray(special.expit(self.intercept + self.slope * np.log(rates)))

    def interval(self, rates: Floats, about: Floats) -> tuple[Floats, Floats]:
        """Churn `about` (K,) at `rates` (K,), half a 95 % interval of this curve less and more.

        The half width is one of log-odds, so both stay between 0 and 1; neither falls with the rate.
        """
        design = np.column_stack([np.ones(len(rates)), np.log(rates)])
        half = NORMAL_95 * np.sqrt(((design @ self.covariance) * design).sum(axis=1))
        low, high = special.expit(special.logit(about) - half), special.expit(special.logit(about) + half)
        return np.minimum.accumulate(low[::-1])[::-1], np.maximum.accumulate(high)


@dataclass(frozen=True)
class ChurnFit:
    """Both fits of every grade, over the same rates."""

    isotonic: ChurnTable
    curves: Mapping[str, LogisticCurve | None]
    """Grade -> its logistic curve; None where the answers are all alike or change at once."""
    falls: pd.Series
    """Grade -> number of falls of the observed shares with the rate."""
    unobserved: Mapping[str, tuple[float, ...]]
    """Grade -> rates at which nothing was observed: its curve is read from those around them."""

    @property
    def logistic(self) -> ChurnTable:
        """The logistic curves at the observed rates. Raises InputError where a grade has none."""
        faults = [
            Fault(
                "has no logistic curve: its answers are all alike, or change at once", _WITHOUT, field=grade
            )
            for grade, curve in self.curves.items()
            if curve is None
        ]
        if faults:
            raise InputError.of(faults, "Churn")
        rates = self.isotonic.rates
        curves = {grade: curve.churn(rates) for grade, curve in self.curves.items() if curve is not None}
        return ChurnTable(self.isotonic.source, rates, curves)

    def interval(self, of: ChurnTable) -> tuple[ChurnTable, ChurnTable] | None:
        """Ends of the 95 % interval about `of`, a curve of the fit; None: a grade has no logistic one."""
        ends = {
            grade: curve.interval(of.rates, of.churn[grade])
            for grade, curve in self.curves.items()
            if curve is not None
        }
        if len(ends) < len(self.curves):
            return None
        low, high = ({grade: end[i] for grade, end in ends.items()} for i in (0, 1))
        return replace(of, churn=low), replace(of, churn=high)

    def table(self) -> pd.DataFrame:
        """One row per grade: intercept, slope, their standard errors, error (NaN without a curve), falls."""
        rows = {}
        for grade, curve in self.curves.items():
            row = np.full(5, np.nan)
            if curve is not None:
                errors = np.sqrt(np.diag(curve.covariance))
                row = np.array([curve.intercept, curve.slope, *errors, curve.error])
            rows[grade] = dict(zip(FIGURES, row.tolist(), strict=True)) | {"falls": int(self.falls[grade])}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("grade")


def fit_churn(frame: pd.DataFrame, source: str = "churn data") -> ChurnFit:
    """Fit from offers (rate, grade, left) or shares (rate, one column per grade).

    Raises InputError with every fault: rates not above 0, shares outside [0, 1], too few rates.
    """
    shares, offers = _shares(frame, source)
    rates = shares.index.to_numpy(float)
    isotonic, curves, unobserved = {}, {}, {}
    for grade in shares.columns:
        known = shares[grade].notna().to_numpy()
        y, weight = shares[grade].to_numpy(float)[known], offers[grade].to_numpy(float)[known]
        monotone = np.asarray(optimize.isotonic_regression(y, weights=weight).x)
        isotonic[str(grade)] = np.interp(rates, rates[known], monotone)
        curves[str(grade)] = _logistic(str(grade), rates[known], y, weight)
        if not known.all():
            unobserved[str(grade)] = tuple(rates[~known].tolist())
    falls = (shares.diff() < 0).sum()
    return ChurnFit(ChurnTable(source, rates, isotonic), curves, falls, unobserved)


def churn_frame(table: ChurnTable) -> pd.DataFrame:
    """The table as its file has it: rate, then one column per grade."""
    return pd.DataFrame({"rate": table.rates, **dict(table.churn)})


def _shares(frame: pd.DataFrame, source: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Shares and offers behind them, rates by grades; offers are 1 where they are not counted."""
    by_offer = bool({"grade", "left"} & set(frame.columns))
    faults = _shape_faults(frame, by_offer, source)
    given = ["left"] if by_offer else [str(name) for name in frame.columns if name != "rate"]
    for name in ("rate", *given):
        faults += _cell_faults(frame[name], by_offer, source) if name in frame.columns else []
    if by_offer:
        labels = levels_of(frame["grade"]) if "grade" in frame.columns else None
        faults += [] if labels is None else _grade_faults(labels, source)
        names = [] if labels is None else labels.names
        codes = np.empty(0) if labels is None else labels.codes
        rows = {name: (codes == i) | (codes < 0) for i, name in enumerate(names)}
    else:
        faults += twin_faults(None, given, source)
        rows = {name: frame[name].notna().to_numpy() for name in given}
    if "rate" in frame.columns:
        faults += _rate_faults(pd.to_numeric(frame["rate"], errors="coerce"), rows, by_offer, source)
    if faults:
        raise InputError.of(faults, "Churn")
    if not by_offer:
        shares = frame.set_index("rate").sort_index().astype(float)
        return shares, pd.DataFrame(1.0, index=shares.index, columns=shares.columns)
    named = levels_of(frame["grade"])
    long = frame.assign(grade=np.array(named.names, dtype=object)[named.codes])
    grouped = long.groupby(["rate", "grade"])["left"]
    return grouped.mean().unstack(), grouped.size().unstack().fillna(0)


def _shape_faults(frame: pd.DataFrame, by_offer: bool, source: str) -> list[Fault]:
    """Columns that are missing."""
    needed = ("rate", "grade", "left") if by_offer else ("rate",)
    remedy = "give rate, grade and left, or rate and one column per grade"
    faults = [
        Fault(f"lacks the column {name}", meant(name, map(str, frame.columns)) or remedy, source)
        for name in needed
        if name not in frame.columns
    ]
    if set(frame.columns) <= {"rate"}:
        faults.append(Fault("has no column of churn", "add one column per grade", source))
    return faults


def _grade_faults(labels: Levels, source: str) -> list[Fault]:
    """Offers without a grade, and grades that differ by capitals or blanks alone."""
    blank = np.flatnonzero(labels.codes < 0)
    where = rows_in_file(labels.places, blank.tolist())
    empty = [fault_in_rows("is empty", where, "every offer has a grade", source, "grade")] if where else []
    return empty + twin_faults("grade", labels.names, source)


def _rate_faults(
    rates: pd.Series, rows: Mapping[str, np.ndarray], by_offer: bool, source: str
) -> list[Fault]:
    """Grades, whose `rows` (n,) are marked, with too few rates; of shares, a rate that stands twice.

    A cell that is no rate counts as one more, an offer without a grade as one of each: what they should be is
    not known.
    """
    known = rates.notna().to_numpy()
    faults = [
        Fault(f"fewer than {_FEWEST_RATES} rates", "a curve needs more", source, field=grade)
        for grade, mine in rows.items()
        if rates[mine & known].nunique() + (mine & ~known).sum() < _FEWEST_RATES
    ]
    if not by_offer and rates[known].duplicated().any():
        faults.append(Fault("a rate stands twice", "one row per rate", source, field="rate"))
    return faults


def _cell_faults(cells: pd.Series, by_offer: bool, source: str) -> list[Fault]:
    """The cells of a column of rates, answers or shares that are none."""
    values = pd.to_numeric(cells, errors="coerce")
    if cells.name == "rate":
        inside, what = (values > 0) & (values < 1), "rates are fractions between 0 and 1"
    elif by_offer:
        inside, what = values.isin([0, 1]), "write 1 for a customer who left, 0 for one who stayed"
    else:
        inside, what = cells.isna() | values.between(0, 1), "churn is a fraction from 0 to 1"
    blank = (~inside & cells.isna()).to_numpy()
    faults = cell_faults(cells, ~inside.to_numpy() & ~blank, "is out of range", what, source)
    where = rows_in_file(rows_of(cells), np.flatnonzero(blank).tolist())
    return faults + ([fault_in_rows("is empty", where, what, source, str(cells.name))] if where else [])


def _logistic(grade: str, rates: Floats, share: Floats, weight: Floats) -> LogisticCurve | None:
    """Binomial regression of the share, b held at 0 where it would fall; None where none is finite.

    The covariance is robust where every weight is 1, that is where the offers are not counted.
    """
    design = np.column_stack([np.ones(len(rates)), np.log(rates)])
    intercept, slope, covariance = _binomial(design, share, weight)
    if slope < 0:  # the likelihood is concave: the best curve that does not fall is flat
        intercept, _, alone = _binomial(design[:, :1], share, weight)
        slope, covariance = 0.0, np.pad(alone, (0, 1))
    if not np.isfinite(covariance).all() or np.ptp(design @ [intercept, slope]) > _FLATTEST_TAIL:
        return None
    curve = LogisticCurve(grade, intercept, slope, covariance, 0.0)
    error = float(np.sqrt(np.average((curve.churn(rates) - share) ** 2, weights=weight)))
    return replace(curve, error=error)


def _binomial(design: Floats, share: Floats, weight: Floats) -> tuple[float, float, Floats]:
    """Intercept, slope (0 where the design has none) and covariance; not finite without spread."""
    import warnings

    require("scoring")
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_linear_model import GLM

    if np.average(share, weights=weight) in (0, 1):
        return 0.0, 0.0, np.full((design.shape[1],) * 2, np.nan)
    rows_in_file = bool((weight != 1).any())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = GLM(share, design, family=Binomial(), var_weights=weight).fit(
            cov_type="nonrobust" if rows_in_file else "HC1"
        )
    slope = float(fit.params[1]) if design.shape[1] > 1 else 0.0
    return float(fit.params[0]), slope, np.asarray(fit.cov_params())
