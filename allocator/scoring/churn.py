"""Churn curves that do not fall with the rate: isotonic, and logistic with standard errors.

From observed answers (one row an offer: rate, grade, left 0/1) or a table of shares (rate, then one
column a grade). Isotonic: the nearest non-decreasing curve, weighted by the offers behind each share.
Logistic: logit churn = a + b log(rate), b >= 0 if churn rises; its standard errors are those of the
binomial where the offers are counted, else robust ones from the scatter about the curve.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import optimize, special

from allocator.errors import Fault, InputError
from allocator.records.portfolio import ChurnTable, Floats
from allocator.scoring.logit import NORMAL_95

FEWEST_RATES = 3


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

    def interval(self, rates: Floats) -> tuple[Floats, Floats]:
        """95 % interval of the curve at each rate."""
        design = np.column_stack([np.ones(len(rates)), np.log(rates)])
        middle = self.intercept + self.slope * np.log(rates)
        half = NORMAL_95 * np.sqrt(((design @ self.covariance) * design).sum(axis=1))
        return special.expit(middle - half), special.expit(middle + half)


@dataclass(frozen=True)
class ChurnFit:
    """Both fits of every grade, over the same rates."""

    isotonic: ChurnTable
    logistic: ChurnTable
    curves: tuple[LogisticCurve, ...]
    falls: pd.Series
    """Grade -> number of falls of the observed shares with the rate."""

    def table(self) -> pd.DataFrame:
        """One row a grade: intercept, slope, their standard errors, error, falls."""
        rows = {
            curve.grade: {
                "intercept": curve.intercept,
                "slope": curve.slope,
                "intercept_se": float(np.sqrt(curve.covariance[0, 0])),
                "slope_se": float(np.sqrt(curve.covariance[1, 1])),
                "rms_error": curve.error,
                "falls": int(self.falls[curve.grade]),
            }
            for curve in self.curves
        }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("grade")


def fit_churn(frame: pd.DataFrame, source: str = "churn data") -> ChurnFit:
    """Fit from offers (rate, grade, left) or shares (rate, one column a grade).

    Raises InputError with every fault: rates not above 0, shares outside [0, 1], too few rates.
    """
    shares, offers = _shares(frame, source)
    rates = shares.index.to_numpy(float)
    isotonic, curves = {}, []
    for grade in shares.columns:
        known = shares[grade].notna().to_numpy()
        y, weight = shares[grade].to_numpy(float)[known], offers[grade].to_numpy(float)[known]
        monotone = np.asarray(optimize.isotonic_regression(y, weights=weight).x)
        isotonic[str(grade)] = np.interp(rates, rates[known], monotone)
        curves.append(_logistic(str(grade), rates[known], y, weight))
    logistic = {curve.grade: curve.churn(rates) for curve in curves}
    return ChurnFit(
        ChurnTable(source, rates, isotonic),
        ChurnTable(source, rates, logistic),
        tuple(curves),
        (shares.diff() < 0).sum(),
    )


def churn_frame(table: ChurnTable) -> pd.DataFrame:
    """The table as its file has it: rate, then one column a grade."""
    return pd.DataFrame({"rate": table.rates, **dict(table.churn)})


def _shares(frame: pd.DataFrame, source: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Shares and offers behind them, rates by grades; offers are 1 where they are not counted."""
    if "rate" not in frame.columns:
        fault = Fault(
            "lacks the column rate", "give rate, grade and left, or rate and one column a grade", source
        )
        raise InputError.of([fault], "Churn")
    by_offer = {"grade", "left"} <= set(frame.columns)
    grades: Sequence[str] = ["left"] if by_offer else [str(name) for name in frame.columns if name != "rate"]
    faults = [] if grades else [Fault("has no column of churn", "add one column a grade", source)]
    for name in ("rate", *grades):
        values = pd.to_numeric(frame[name], errors="coerce")
        inside = (
            (values > 0) & (values < 1) if name == "rate" else values.isna() | ((values >= 0) & (values <= 1))
        )
        inside &= ~(frame[name].notna() & values.isna())
        for row in np.flatnonzero(~inside.to_numpy())[:1]:
            what = (
                "rates are fractions between 0 and 1" if name == "rate" else "churn is a fraction from 0 to 1"
            )
            faults.append(
                Fault(
                    f"{frame[name].tolist()[row]!r} is out of range",
                    what,
                    source,
                    row=int(row) + 1,
                    field=name,
                )
            )
    if faults:
        raise InputError.of(faults, "Churn")
    if by_offer:
        long = frame.assign(grade=frame["grade"].astype(str))
        grouped = long.groupby(["rate", "grade"])["left"]
        shares, offers = grouped.mean().unstack(), grouped.size().unstack().fillna(0)
    else:
        shares = frame.set_index("rate").sort_index().astype(float)
        offers = pd.DataFrame(1.0, index=shares.index, columns=shares.columns)
    few = [str(grade) for grade in shares.columns if shares[grade].notna().sum() < FEWEST_RATES]
    faults = [
        Fault(f"fewer than {FEWEST_RATES} rates", "a curve needs more", source, field=grade) for grade in few
    ]
    if shares.index.has_duplicates:
        faults.append(Fault("a rate stands twice", "one row a rate", source, field="rate"))
    if faults:
        raise InputError.of(faults, "Churn")
    return shares, offers


def _logistic(grade: str, rates: Floats, share: Floats, weight: Floats) -> LogisticCurve:
    """Binomial regression of the share; robust covariance where every weight is 1 (offers not counted)."""
    import warnings

    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_linear_model import GLM

    design = np.column_stack([np.ones(len(rates)), np.log(rates)])
    counted = bool((weight != 1).any())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = GLM(share, design, family=Binomial(), var_weights=weight).fit(
            cov_type="nonrobust" if counted else "HC1"
        )
    curve = LogisticCurve(
        grade, float(fit.params[0]), float(fit.params[1]), np.asarray(fit.cov_params()), 0.0
    )
    error = float(np.sqrt(np.average((curve.churn(rates) - share) ** 2, weights=weight)))
    return LogisticCurve(grade, curve.intercept, curve.slope, curve.covariance, error)
