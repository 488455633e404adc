"""A fit as an analyst orders it: from files to a document, its card and what validation says.

Each function reads, fits, validates out of fold and describes; writing is `fitted.write_fitted`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from allocator.errors import Fault, InputError
from allocator.records.portfolio import Floats
from allocator.scoring import validation
from allocator.scoring.classes import CLASSES
from allocator.scoring.declarations import derive, read_rules, read_variables
from allocator.scoring.fitted import Card, content_hash, markdown, read_document, to_document
from allocator.scoring.logit import Penalty
from allocator.scoring.plot import reliability_svg
from allocator.scoring.preparation import Variable
from allocator.scoring.rating import fit_rating
from allocator.scoring.score import read_table
from allocator.scoring.scorecard import fit_scorecard, out_of_fold_pd
from allocator.scoring.trial import auc_by_share, try_rating

TRAINED_BEFORE = 0.7
"""Share of the rows, earliest first, that an out-of-time check trains on."""


@dataclass(frozen=True)
class Fit:
    """A fit, ready to be written."""

    document: dict[str, Any]
    card: Card
    figures: dict[str, Any]
    """What --json prints beside the file's name."""
    tables: Mapping[str, pd.DataFrame]
    """Title -> table, for people; the card shows the same."""
    extra: Mapping[str, str] = field(default_factory=dict)
    """Suffix -> text of a file to write beside."""


def logit_from_files(
    data: Path,
    declared: Path,
    outcome: str,
    *,
    penalty: Penalty = "flic",
    strength: float = 1.0,
    bounds: Mapping[str, float] | None = None,
    folds: int = 5,
    time: str | None = None,
    seed: int = 0,
) -> Fit:
    """A PD scorecard from a table; `outcome` names its 0/1 column, `time` one to order it by.

    Raises InputError with the faults of files, columns or outcomes.
    """
    frame = _table(data, declared, {"outcome": outcome})
    y = _outcome(frame, outcome, data)
    variables = read_variables(declared)
    card = fit_scorecard(frame, y, variables, penalty=penalty, strength=strength, bounds=bounds)
    held_out = out_of_fold_pd(frame, y, variables, penalty=penalty, strength=strength, folds=folds, seed=seed)
    figures = _discrimination(y.to_numpy(float), held_out)
    reliability = validation.reliability(y.to_numpy(float), held_out)
    tables = {"Wald tests": card.wald(), "Reliability, out of fold": reliability}
    metrics = _lines(figures, f"out of fold ({folds} folds)")
    if time is not None:
        later = _out_of_time(frame, y, variables, time, data, penalty, strength)
        figures["out_of_time"] = later
        metrics |= {f"Out of time ({time}): {name}": f"{value:.3f}" for name, value in later.items()}
    described = Card(
        title=f"PD scorecard, {len(y):,} firms, {int(y.sum()):,} defaults",
        purpose="probability of default of a borrower, and its grade where bounds are given",
        data=f"{data.name}, outcome {outcome}",
        method=f"logit, penalty {penalty}, variables of {declared.name}; see docs/scoring.md",
        limits="PDs are over the horizon of the outcome column; see the signs that disagree below",
        metrics=metrics,
        training={data.name: content_hash(data), declared.name: content_hash(declared)},
        sections=[(name, markdown(table)) for name, table in tables.items()],
    )
    extra = {".svg": reliability_svg(reliability, "Out-of-fold reliability")}
    return Fit(to_document(card), described, figures, tables, extra)


def rating_from_files(
    data: Path,
    declared: Path,
    default: str,
    owed: str,
    lost: str,
    *,
    classes: Sequence[str] = CLASSES,
    smallest: int | None = None,
    folds: int = 5,
    repeats: int = 10,
    seed: int = 0,
) -> Fit:
    """A rating from a table with 0/1 defaults and the money owed and lost.

    What was lost counts for defaulted firms only, up to what was owed; both corrections are counted in
    the card. Raises InputError with the faults of files, columns or amounts.
    """
    frame = _table(data, declared, {"default": default, "owed": owed, "lost": lost})
    y = _outcome(frame, default, data)
    money, corrected = _amounts(frame, y, owed, lost)
    rules = read_rules(declared)
    rating, chosen = fit_rating(frame, y, *money, rules, names=classes, smallest=smallest)
    trial = try_rating(
        rating, frame, y, *money, rules, names=classes, smallest=smallest, folds=folds, seed=seed
    )
    outcome = y.to_numpy(float)
    figures = {
        "auc_out_of_fold": vars(validation.auc(outcome, -trial.scores)),
        "ks_out_of_fold": vars(validation.ks(outcome, -trial.scores)),
        "kept": [one.rule.name for one in rating.indicators],
        "corrected": corrected,
    }
    tables = {"Indicators": chosen, "Classes": rating.scale.table(), "In sample and out of fold": trial.table}
    if "variables" in read_document(declared):
        variables = read_variables(declared)
        tables["AUC by training share, beside a logit"] = auc_by_share(
            frame, y, rules, variables, repeats=repeats, seed=seed
        )
    described = Card(
        title=f"Debt rating, {len(y):,} loans, {int(y.sum()):,} defaults",
        purpose="score 0 to 100, class, PD and LGD of a borrower",
        data=f"{data.name}: default {default}, owed {owed}, lost {lost}; {corrected}",
        method=f"F test, R-type clusters, F weights, {len(classes)} classes cut by dynamic programming",
        limits="rates by class rise strictly in sample; out of fold they may not, see the table",
        metrics=_lines(
            {k: v for k, v in figures.items() if isinstance(v, dict)}, f"out of fold ({folds} folds)"
        ),
        training={data.name: content_hash(data), declared.name: content_hash(declared)},
        sections=[(name, markdown(table)) for name, table in tables.items()],
    )
    return Fit(to_document(rating), described, figures, tables)


def _table(data: Path, declared: Path, columns: Mapping[str, str]) -> pd.DataFrame:
    """The data with derived columns; every column that the order names is there."""
    frame = derive(read_table(data), declared)
    faults = [
        Fault(f"lacks the column {name}", f"name the column that holds the {role}", str(data), field=name)
        for role, name in columns.items()
        if name not in frame.columns
    ]
    if faults:
        raise InputError.of(faults, "Training data")
    return frame


def _outcome(frame: pd.DataFrame, name: str, data: Path) -> pd.Series:
    """The 0/1 column."""
    values = pd.to_numeric(frame[name], errors="coerce")
    wrong = np.flatnonzero(~values.isin([0, 1]).to_numpy())
    if len(wrong):
        problem = f"{frame[name].tolist()[wrong[0]]!r} is no outcome ({len(wrong)} rows)"
        fault = Fault(
            problem, "write 1 for a default, 0 for none", str(data), row=int(wrong[0]) + 1, field=name
        )
        raise InputError.of([fault], "Training data")
    return values.astype(int)


def _amounts(
    frame: pd.DataFrame, default: pd.Series, owed: str, lost: str
) -> tuple[tuple[pd.Series, pd.Series], str]:
    money = pd.to_numeric(frame[owed], errors="coerce")
    gone = pd.to_numeric(frame[lost], errors="coerce")
    sound = (default == 0) & (gone > 0)
    beyond = (gone > money) & ~sound
    kept = gone.where(default == 1, 0.0).clip(upper=money)
    said = f"{int(sound.sum())} sound loans' losses set to 0, {int(beyond.sum())} losses cut to what was owed"
    return (money, kept), said


def _discrimination(y: Floats, pds: Floats) -> dict[str, Any]:
    calibration = validation.calibration(y, pds)
    return {
        "auc": vars(validation.auc(y, pds)),
        "gini": vars(validation.gini(y, pds)),
        "ks": vars(validation.ks(y, pds)),
        "brier": vars(validation.brier(y, pds)),
        "calibration_slope": vars(calibration.slope),
        "calibration_intercept": vars(calibration.intercept),
        "log_loss": validation.log_loss(y, pds),
    }


def _lines(figures: Mapping[str, Any], where: str) -> dict[str, str]:
    """Figures as the lines of a card, with their 95 % intervals."""
    lines = {}
    for name, value in figures.items():
        title = f"{name.removesuffix('_out_of_fold').replace('_', ' ')}, {where}"
        lines[title] = f"{value:.4f}" if isinstance(value, float) else str(validation.Estimate(**value))
    return lines


def _out_of_time(
    frame: pd.DataFrame,
    y: pd.Series,
    variables: Sequence[Variable],
    time: str,
    data: Path,
    penalty: Penalty,
    strength: float,
) -> dict[str, float]:
    """Train on the earliest rows, judge on the later ones; PSI tells how far these have drifted."""
    if time not in frame.columns:
        raise InputError.of([Fault(f"lacks the column {time}", "name a date", str(data), field=time)], "Time")
    order = frame[time].argsort(kind="stable").to_numpy()
    first, last = np.split(order, [int(TRAINED_BEFORE * len(order))])
    card = fit_scorecard(frame.iloc[first], y.iloc[first], variables, penalty=penalty, strength=strength)
    before, after = (special.expit(card.log_odds(frame.iloc[rows])) for rows in (first, last))
    seen = y.iloc[last].to_numpy(float)
    return {
        "auc": validation.auc(seen, after).value,
        "psi": validation.psi(before, after),
        "mean PD": float(after.mean()),
        "observed": float(seen.mean()),
    }
