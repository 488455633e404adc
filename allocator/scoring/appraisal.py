"""A scorecard judged on loans whose outcomes are known: discrimination, calibration, drift, classes, parts.

Intervals are at 95 %. Every verdict names the lines that it is drawn by, and who drew them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import special

from allocator.errors import Fault, InputError, gathering
from allocator.intake import one_reading
from allocator.records.estimate import Estimate
from allocator.records.frames import File
from allocator.records.misfits import meant
from allocator.records.portfolio import Floats
from allocator.scoring import validation
from allocator.scoring.calibration import calibration
from allocator.scoring.distance import ks
from allocator.scoring.fitted import Fitted, read_fitted
from allocator.scoring.levels import levels_of
from allocator.scoring.reading import TEXT, derive, faults_located_in, outcomes, read_table
from allocator.scoring.reference import pd_rows, stability, variable_rows
from allocator.scoring.score import scores, text_columns
from allocator.scoring.scorecard import Scorecard
from allocator.scoring.weighting import effective, mean, part, weights_of

Light = Literal["green", "amber", "red"]
FEWEST = 10
"""Defaults, and loans repaid, from which a part has an AUC."""
_LEAST = 5
"""Loans from which every figure can be measured: an interval of KS takes a cubic."""
_DISCRIMINATES = (0.3, 0.4)
"""Of 1 - AUC."""
_DRIFTS = (0.1, 0.25)
SURE, SURER = 0.05, 0.001
SOURCES = {
    "auc": "AUC: green from 0.7, amber from 0.6 (Hosmer, Lemeshow and Sturdivant 2013)",
    "calibration": "slope 1, intercept 0: amber where refuted at 5 %, red at 0.1 % (Cox 1958; Wald)",
    "classes": "classes, p that so many default at their PD: amber below 5 %, red below 0.1 %, "
    "times the classes (binomial test, Basel Committee 2005; Bonferroni)",
    "psi": "PSI: amber from 0.1, red from 0.25 (Siddiqi 2006)",
}


@dataclass(frozen=True)
class Verdict:
    """A figure, how it stands, and by which lines."""

    figure: str
    value: float
    light: Light
    source: str


@dataclass(frozen=True)
class Appraisal:
    """What a table with outcomes says of a scorecard."""

    n: int
    defaults: int
    mean_pd: float
    figures: dict[str, Any]
    """auc, gini, ks, calibration_slope, calibration_intercept, brier as Estimate; the others as numbers."""
    verdicts: tuple[Verdict, ...]
    tables: dict[str, pd.DataFrame]
    """Title -> table: classes, reliability, drift, parts."""
    default_rate: float
    """Observed."""
    weighted: str | None = None
    """The column that loans count by, where there is one."""
    worth: float | None = None
    """How many loans of one weight they then are worth."""


def appraise(
    frame: pd.DataFrame,
    outcome: pd.Series,
    fitted: Fitted,
    parts: tuple[str, ...] = (),
    weights: str | None = None,
) -> Appraisal:
    """Judge `fitted` on `frame`, whose `outcome` is 1 for a default; `parts` are columns to judge by.

    `weights` names the column that loans count by. Raises InputError: faults of the scorecard's columns,
    outcomes of one kind, a part that is no column, weights that are none.
    """
    given, own = _given(frame, fitted, parts, weights)
    if len(given) < _LEAST:
        fault = Fault(f"{len(given)} loans tell nothing of a scorecard", f"give {_LEAST} or more")
        raise InputError.of([fault], "Validation")
    y, pds = outcome.to_numpy(float), given["pd"].to_numpy(float)
    figures = _figures(y, pds, own)
    verdicts = _verdicts(figures)
    tables = {}
    classes = _classes(given, pds, y, own)
    if classes is not None:
        tables["Classes"] = classes
        least = float(min(1.0, len(classes) * classes["p"].min()))
        light: Light = "red" if least < SURER else "amber" if least < SURE else "green"
        verdicts.append(Verdict("classes", least, light, SOURCES["classes"]))
    tables["Reliability"] = validation.reliability(y, pds, own)
    drawn = pds
    if isinstance(fitted, Scorecard) and fitted.steps is not None:
        drawn = special.expit(fitted.linear(frame))
    drift = _drift(frame, fitted, drawn, own)
    if drift is not None:
        tables["Drift since the fit"] = drift
        verdicts += [
            Verdict(f"psi of {name}", value, _light(value, *_DRIFTS), SOURCES["psi"])
            for name, value in drift["psi"].items()
        ]
    for name in parts:
        tables[f"By {name}"] = _by_part(frame[name], y, (pds, drawn), fitted, own)
    worth = None if own is None else effective(len(y), own)
    means = mean(pds, own), mean(y, own)
    return Appraisal(
        len(y), int(y.sum()), means[0], figures, tuple(verdicts), tables, means[1], weights, worth
    )


def _figures(y: Floats, pds: Floats, weights: Floats | None) -> dict[str, Any]:
    """What the outcomes say of the PDs (n,)."""
    held = calibration(y, pds, weights)
    return {
        "auc": validation.auc(y, pds, weights),
        "gini": validation.gini(y, pds, weights),
        "ks": ks(y, pds, weights),
        "calibration_slope": held.slope,
        "calibration_intercept": held.intercept,
        "brier": validation.brier(y, pds, weights),
        **validation.brier_parts(y, pds, weights),
        "log_loss": validation.log_loss(y, pds, weights),
    }


def _verdicts(figures: Mapping[str, Any]) -> list[Verdict]:
    """How ranking and level stand, where they are known."""
    area = figures["auc"].value
    verdicts = (
        Verdict("auc", area, _light(1 - area, *_DISCRIMINATES), SOURCES["auc"]),
        calibrated("calibration_slope", figures["calibration_slope"], 1.0),
        calibrated("calibration_intercept", figures["calibration_intercept"], 0.0),
    )
    return [verdict for verdict in verdicts if not np.isnan(verdict.value)]


def _given(
    frame: pd.DataFrame, fitted: Fitted | None, parts: Sequence[str], weights: str | None
) -> tuple[pd.DataFrame, Floats | None]:
    """What the scorecard gives, nothing where there is none, and the weights.

    Raises InputError: faults of its columns or of theirs, a part that is no column, no PD.
    """
    faults = [
        Fault("the column is missing", meant(name, frame.columns) or "name one of the table", field=name)
        for name in parts
        if name not in frame.columns
    ]
    own = None
    with gathering(faults):
        own = weights_of(frame, weights)
    with gathering(faults):
        given = pd.DataFrame() if fitted is None else scores(frame, fitted)
        if fitted is not None and "pd" not in given.columns:
            remedy = "name the columns of what was owed and lost"
            faults.append(Fault("the card gives an LGD and no PD", remedy, field="--owed, --lost"))
    if faults:
        raise InputError.of(faults, "Validation")
    return given, own


def _light(value: float, amber: float, red: float) -> Light:
    return "green" if value < amber else "amber" if value < red else "red"


def calibrated(name: str, estimate: Estimate, ideal: float) -> Verdict:
    """Whether the interval holds the ideal; red where one of 99.9 % does not either.

    Without an interval nothing but the ideal itself is green, and nothing is red.
    """
    half = (estimate.high - estimate.low) / 2
    off = abs(estimate.value - ideal)
    if np.isnan(half):
        return Verdict(name, estimate.value, "amber" if off else "green", SOURCES["calibration"])
    light: Light = "green" if off <= half else "amber" if off <= half * 3.290527 / 1.959964 else "red"
    return Verdict(name, estimate.value, light, SOURCES["calibration"])


def _classes(given: pd.DataFrame, pds: Floats, y: Floats, weights: Floats | None) -> pd.DataFrame | None:
    """One row per grade: n, defaults, mean PD, observed with its interval, p of so many at that PD."""
    from scipy import stats

    if "grade" not in given.columns:
        return None
    table = validation.by_class(given["grade"], y, weights=weights)
    table = table[table["n"] > 0]
    inside = [(given["grade"] == name).to_numpy() for name in table.index]
    table.insert(2, "mean_pd", [mean(pds[rows], part(weights, rows)) for rows in inside])
    n, defaults = table["n"].to_numpy(), table["defaults"].to_numpy()
    if weights is None:
        return table.assign(p=stats.binom.sf(defaults - 1, n, table["mean_pd"].to_numpy()))
    n = np.array([effective(len(y), weights[rows]) for rows in inside])
    defaults = n * table["default_rate"].to_numpy()  # the binomial's tail, where counts need not be whole
    tail = special.betainc(np.maximum(defaults, 1e-9), n - defaults + 1, table["mean_pd"].to_numpy())
    return table.assign(p=np.where(defaults > 0, tail, 1.0))


def _drift(frame: pd.DataFrame, fitted: Fitted, pds: Floats, weights: Floats | None) -> pd.DataFrame | None:
    """PSI of the PD and of each variable against the training data; None of a card that keeps none of it."""
    if not isinstance(fitted, Scorecard) or fitted.reference is None:
        return None
    made = derive(frame, fitted.derived)
    kept = fitted.reference
    now = pd_rows(kept, pds, weights)
    rows = {"PD": (stability(kept.pd, now), kept.pd, now)}
    for column in fitted.preparation.columns:
        name = column.variable.name
        now = variable_rows(column.variable, kept.variables[name], made, weights)
        rows[name] = (stability(kept.variables[name], now), kept.variables[name], now)
    table = {}
    for name, (value, then, now) in rows.items():
        was = np.array(then.rows) / sum(then.rows)
        moved = int(np.argmax(np.abs(now / now.sum() - was)))
        shares = {"then": float(was[moved]), "now": float(now[moved] / now.sum())}
        table[name] = {"psi": value, "moved most": then.labels[moved], **shares}
    return pd.DataFrame.from_dict(table, orient="index").rename_axis("of")


def _by_part(
    column: pd.Series, y: Floats, both: tuple[Floats, Floats], fitted: Fitted, weights: Floats | None
) -> pd.DataFrame:
    """One row per value of a column: n, defaults, mean PD, observed, AUC with its interval, PSI of the PD."""
    levels, (pds, drawn) = levels_of(column), both
    reference = fitted.reference if isinstance(fitted, Scorecard) else None
    rows = {}
    for name, code in [*((name, i) for i, name in enumerate(levels.names)), ("missing", -1)]:
        inside = levels.codes == code
        if not inside.any():
            continue
        bad, mine, own = float(y[inside].sum()), pds[inside], part(weights, inside)
        row = {"n": int(inside.sum()), "defaults": int(bad), "mean_pd": mean(mine, own)}
        row |= {"observed": mean(y[inside], own), "auc": np.nan, "low": np.nan, "high": np.nan}
        if min(bad, len(mine) - bad) >= FEWEST:
            area = validation.auc(y[inside], mine, own)
            row |= {"auc": area.value, "low": area.low, "high": area.high}
        if reference is not None:
            row["psi"] = stability(reference.pd, pd_rows(reference, drawn[inside], own))
        rows[name] = row
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis(str(column.name))
    known = pd.to_numeric(pd.Series(table.index), errors="coerce")
    if known.isna().all():
        return table.sort_index()
    return table.iloc[np.argsort(known.to_numpy(), kind="stable")]


@one_reading()
def appraisal_of_files(
    data: File,
    card: File,
    outcome: str,
    parts: Sequence[str] = (),
    weights: str | None = None,
    earlier: Sequence[Fault] = (),
) -> Appraisal:
    """Judge the scorecard of a file on a table.

    Raises InputError with the faults of both, and the `earlier` ones of the order.
    """
    faults = [*earlier]
    fitted, frame, y = card_and_table(card, data, outcome, faults)
    if faults:
        with gathering(faults), faults_located_in(data, frame):
            _given(frame, fitted, parts, weights)
    if fitted is None or y is None or faults:
        raise InputError.of(faults, "validate")
    with faults_located_in(data, frame):
        return appraise(frame, y, fitted, tuple(parts), weights)


def card_and_table(
    card: File | None, data: File, outcome: str | None, faults: list[Fault]
) -> tuple[Fitted | None, pd.DataFrame, pd.Series | None]:
    """The scorecard of a file, a table for it and its outcomes; None and faults where one cannot be had.

    Raises InputError with all faults where there is no table.
    """
    fitted: Fitted | None = None
    with gathering(faults):
        fitted = None if card is None else read_fitted(card)
    texts = frozenset() if fitted is None else text_columns(fitted)
    try:
        frame = read_table(data, (*TEXT, *sorted(texts - {outcome or ""})))
    except InputError as error:
        raise InputError.of([*faults, *error.faults], "Table") from error
    y = None
    with gathering(faults):
        y = None if outcome is None else outcomes(frame, outcome, data, both=True)
    return fitted, frame, y
