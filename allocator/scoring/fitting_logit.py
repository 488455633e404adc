"""A PD scorecard as an analyst orders it: from a table and its declarations to a document and its card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from allocator.errors import Fault, InputError, gathering
from allocator.intake import content_hash, one_reading
from allocator.records.frames import File
from allocator.records.portfolio import Floats
from allocator.scoring import validation
from allocator.scoring.bins import information_values
from allocator.scoring.choice import How, choose
from allocator.scoring.declarations import Declarations, sound_declarations
from allocator.scoring.fitted import Card, markdown, to_document
from allocator.scoring.fitting import (
    Fit,
    amount_faults,
    amounts,
    declined,
    joined,
    left_lines,
    left_out,
    lines,
    readable,
    require_sound,
    training,
)
from allocator.scoring.levels import cell_faults, fault_in_rows
from allocator.scoring.logit import Penalty
from allocator.scoring.preparing import column_faults
from allocator.scoring.reading import faults_located_in, imputed_figures, imputed_lines
from allocator.scoring.rejects import Inference, Rejects, differences
from allocator.scoring.remarks import on_logit, remark_figures, remark_section
from allocator.scoring.rows import rows_in_file, rows_of, rows_where
from allocator.scoring.score import imputed_cells
from allocator.scoring.scorecard import Points, Scorecard, check_bounds, fit_scorecard, out_of_fold_pd
from allocator.scoring.terms import terms_of
from allocator.scoring.univariate import by_outcome, odds_ratios, univariate
from allocator.scoring.validation import stratified_folds
from allocator.scoring.variables import Variable, cells_by_name
from allocator.scoring.weighting import effective, mean, part, spread_faults, total, weights_of

_TRAINED_BEFORE = 0.7
"""Share of the rows, earliest first, that an out-of-time check trains on."""

WORDS: Mapping[How, str] = {
    "all": "",
    "signs": " that keep their signs",
    "forward": " on a forward path, its length by log loss out of fold",
}


@one_reading()
def logit_from_files(
    data: File,
    declared: File,
    outcome: str,
    *,
    penalty: Penalty = "flic",
    strength: float = 1.0,
    bounds: Mapping[str, float] | None = None,
    folds: int = 5,
    time: str | None = None,
    money: tuple[str, str] | None = None,
    points: Points | None = None,
    choice: How = "all",
    without: str | None = None,
    weights: str | None = None,
    rejects: str | None = None,
    inference: Inference | None = None,
    factor: float = 1.0,
    seed: int = 0,
    found: Sequence[Fault] = (),
) -> Fit:
    """A PD scorecard from a table; `outcome` names its 0/1 column, `time` one to order it by.

    `money` names the columns of what was owed and lost: their sums over the defaults are the LGD of all.
    `choice` says how the variables are chosen among those declared; `without` names a column that says why a
    row has no outcome to learn from (rejected, immature, indeterminate): such rows are left out and counted;
    `weights` one that says how much a row counts; `rejects` one that is 1 for applicants who were declined,
    whose outcomes are inferred by `inference`, theirs `factor` times as bad.

    Raises InputError with the faults of files, columns or outcomes, and those of the order that were `found`.
    """
    faults = [*found]
    if not found:
        with gathering(faults):
            check_bounds(bounds or {})
    given = sound_declarations(declared, "variables", [outcome, *(money or ())[1:]], faults)
    roles = {"outcome": outcome}
    further_roles = ("time", time), ("weights", weights), ("rejects", rejects)
    roles |= {role: name for role, name in further_roles if name}
    roles |= dict(zip(("owed", "lost"), money or (), strict=False))
    frame, y, left = training(data, given, roles, without, faults, rejects=rejects)
    faults += [*amount_faults(data, frame, y, money or ()), *_order_faults(data, frame, y, time, folds)]
    own = None
    with gathering(faults), faults_located_in(data, frame):
        own = weights_of(frame, weights if weights in frame.columns else None)
    refused = None
    if rejects is not None and inference is not None and rejects in frame.columns:
        with gathering(faults), faults_located_in(data, frame):
            theirs: list[Fault] = []
            others = declined(data, given, without, rejects, theirs)
            cells_by_name(readable(given.variables, given, others), others, theirs)
            with gathering(theirs):
                refused = _rejects(others, frame, weights if weights in frame.columns else None, rejects)
            require_sound(theirs, "Rejects")
    if faults or y is None:
        variables = [*given.variables, *(leak.variable for leak in given.leaks if leak.variable is not None)]
        with gathering(faults), faults_located_in(data, frame):
            values = None if y is None else y.to_numpy(float)
            require_sound(column_faults(frame, readable(variables, given, frame), values), "Variables")
        require_sound(faults, "fit logit")
        raise AssertionError("without an outcome there is a fault")
    shared: dict[str, Any] = {"penalty": penalty, "strength": strength}
    with faults_located_in(data, frame):
        shared |= {"weights": own}
        lgd = None if money is None else _lgd(frame, y, own, *money)
        further: dict[str, Any] = {"bounds": bounds, "lgd": lgd, "derived": given.derived, "points": points}
        tried = {"folds": folds, "seed": seed, **shared}
        added = None
        if refused is not None and inference is not None:
            added = Rejects(*refused, inference, factor, seed)
        chosen = None if choice == "all" else choose(frame, y, given.variables, choice, **tried)
        kept, why = (given.variables, {}) if chosen is None else (chosen.kept, chosen.why)
        card = plain = fit_scorecard(frame, y, kept, **further, **shared)
        grown = None
        if added is not None:
            alone = partial(fit_scorecard, variables=kept, penalty=penalty, strength=strength)
            grown = partial(added.added_to, fit=alone)
            more, outcomes, counted = grown((frame, y, own))
            card = fit_scorecard(more, outcomes, kept, **further, **{**shared, "weights": counted})
        held_out = chosen.held_out if chosen else out_of_fold_pd(frame, y, kept, grown=grown, **tried)
        figures = _discrimination(y.to_numpy(float), held_out, own)
        figures |= _with_leaks(frame, y, kept, given, **tried)
        metrics = lines(figures, f"out of fold ({folds} folds)")
        if time is not None:
            figures["out_of_time"] = _out_of_time(frame, y, kept, time, shared)
            later = figures["out_of_time"].items()
            metrics |= {f"Out of time ({time}): {name}": f"{value:.3f}" for name, value in later}
        if lgd is not None:
            figures["lgd"] = lgd
            metrics["LGD, lost of owed over the defaults"] = f"{lgd:.3f}"
        if left:
            figures["left_out"] = left
            metrics |= left_lines(left)
        if weights is not None:
            figures["weighted"] = {"by": weights, "worth": effective(len(y), own)}
            metrics["weighted"] = f"by {weights}: as uncertain as {effective(len(y), own):,.0f} of one weight"
        imputed = imputed_cells(frame, card)
        remarks = on_logit(frame, y.to_numpy(float), card, figures["auc"]["value"])
        told: dict[str, pd.DataFrame] = {}
        if added is not None:
            told = {
                "Rejects": added.table((frame, y, own), plain),
                "With and without rejects": differences(plain, card),
            }
            figures["rejects"] = {"by": rejects, "method": inference, "factor": factor}
            figures["rejects"] |= added.figures(told["Rejects"])
            metrics["rejects"] = added.line(told["Rejects"])
            remarks.append(added.warning)
        figures |= imputed_figures(imputed) | remark_figures(remarks)
    reliability = validation.reliability(y.to_numpy(float), held_out, own)
    tables = {
        "Wald tests": card.wald(),
        **told,
        "Odds ratios": odds_ratios(card, card.matrix(frame)),
        "Variables by themselves": univariate(frame, y.to_numpy(float), given.variables, why, own),
        **_by_outcome(frame, y.to_numpy(float), given.variables, own),
        **({} if chosen is None or chosen.path is None else {"Forward path": chosen.path}),
        **_taken_apart(card),
        "Reliability, out of fold": reliability,
        **left_out(given),
    }
    weighed = "" if weights is None else f", rows weighted by {weights}"
    described = Card(
        title=f"PD scorecard, {len(y):,} firms, {int(y.sum()):,} defaults",
        purpose="probability of default of a borrower, and its grade where bounds are given",
        data=f"{data.name}, outcome {outcome}",
        method=f"logit, penalty {penalty}, variables of {declared.name}{WORDS[choice]}{weighed}; "
        "see docs/scoring.md",
        limits="PDs are over the horizon of the outcome column; see the signs that disagree below",
        metrics=metrics | imputed_lines(imputed),
        training={data.name: content_hash(data), declared.name: content_hash(declared)},
        sections=remark_section(remarks) + [(name, markdown(table)) for name, table in tables.items()],
    )
    return Fit(to_document(card), described, figures, tables, reliability=reliability)


def _rejects(
    declined_rows: pd.DataFrame, frame: pd.DataFrame, weights: str | None, rejects: str
) -> tuple[pd.DataFrame, Floats | None]:
    """The rejects and what each weighs, where accepted ones of `frame` weigh 1 on average."""
    if declined_rows.empty:
        raise InputError.of(
            [Fault("marks no reject", "write 1 where one was declined", field=rejects)], "Rejects"
        )
    if weights is None:
        return declined_rows, None
    weights_of(declined_rows, weights)  # its faults, by row; those of accepted ones are told already
    both = frame, declined_rows
    whole = np.concatenate([pd.to_numeric(one[weights], errors="coerce").to_numpy(float) for one in both])
    numbered = np.array([row for one in both for row in rows_in_file(rows_of(one), range(len(one)))])
    if (whole > 0).all() and (faults := spread_faults(whole, numbered, weights)):
        raise InputError.of(faults, "Rejects")
    return declined_rows, whole[len(frame) :] / whole[: len(frame)].mean()


def _by_outcome(
    frame: pd.DataFrame, y: Floats, variables: Sequence[Variable], weights: Floats | None
) -> dict[str, pd.DataFrame]:
    table = by_outcome(frame, y, variables, weights)
    return {} if table.empty else {"Variables by outcome": table}


def _taken_apart(card: Scorecard) -> dict[str, pd.DataFrame]:
    """Bins and what they tell, and what each term adds to the score; nothing where there are none."""
    binned = {one.variable.name: one.bins for one in card.preparation.columns if one.bins is not None}
    tables = {}
    if binned:
        tables["Information value"] = information_values(list(binned), list(binned.values()))
        tables["Bins"] = pd.concat([bins.table(name) for name, bins in binned.items()])
    return tables | ({} if card.points is None else {"Points": terms_of(card)})


def _with_leaks(
    frame: pd.DataFrame, y: pd.Series, kept: Sequence[Variable], given: Declarations, **fit: Any
) -> dict[str, Any]:
    """The AUC out of fold that leaky variables would feign; nothing where none is declared."""
    leaky = [leak.variable for leak in given.leaks if leak.variable is not None]
    if not leaky:
        return {}
    feigned = out_of_fold_pd(frame, y, [*kept, *leaky], **fit)
    area = validation.auc(y.to_numpy(float), feigned, fit["weights"])
    return {f"auc_with_{joined(leaky)}_which_leaks": vars(area)}


def _lgd(frame: pd.DataFrame, default: pd.Series, weights: Floats | None, owed: str, lost: str) -> float:
    (money, gone), _ = amounts(frame, default, owed, lost)
    bad = default.to_numpy() == 1
    exposure = total(money.to_numpy()[bad], part(weights, bad))
    if exposure <= 0:
        fault = Fault("the defaults owe nothing", "an LGD needs what was owed", field=owed)
        raise InputError.of([fault], "Training data")
    return total(gone.to_numpy()[bad], part(weights, bad)) / exposure


def _discrimination(y: Floats, pds: Floats, weights: Floats | None) -> dict[str, Any]:
    calibration = validation.calibration(y, pds, weights)
    return {
        "auc": vars(validation.auc(y, pds, weights)),
        "gini": vars(validation.gini(y, pds, weights)),
        "ks": validation.ks(y, pds, weights),
        "brier": vars(validation.brier(y, pds, weights)),
        "calibration_slope": vars(calibration.slope),
        "calibration_intercept": vars(calibration.intercept),
        "log_loss": validation.log_loss(y, pds, weights),
    }


def _out_of_time(
    frame: pd.DataFrame, y: pd.Series, variables: Sequence[Variable], time: str, shared: Mapping[str, Any]
) -> dict[str, float]:
    """Train on the earliest rows, judge on the later ones; PSI tells how far these have drifted."""
    order = np.argsort(_decision_times(frame[time]), kind="stable")
    first, last = np.split(order, [int(_TRAINED_BEFORE * len(order))])
    own = part(shared["weights"], first), part(shared["weights"], last)
    card = fit_scorecard(rows_where(frame, first), y.iloc[first], variables, **{**shared, "weights": own[0]})
    before, after = (special.expit(card.log_odds(rows_where(frame, rows))) for rows in (first, last))
    seen = y.iloc[last].to_numpy(float)
    return {
        "auc": validation.auc(seen, after, own[1]).value,
        "psi": validation.psi(before, after, own),
        "mean PD": mean(after, own[1]),
        "observed": mean(seen, own[1]),
    }


def _order_faults(
    data: File, frame: pd.DataFrame, y: pd.Series | None, time: str | None, folds: int
) -> list[Fault]:
    """What is wrong with the times of decisions, where they are named, and with the number of folds."""
    faults: list[Fault] = []
    with gathering(faults), faults_located_in(data, frame):
        if time is not None and time in frame.columns:
            _decision_times(frame[time])
    with gathering(faults):
        if y is not None:
            stratified_folds(y.to_numpy(), folds)
    return faults


def _decision_times(values: pd.Series) -> np.ndarray:
    """(n,) numbers or dates, to order by. Raises InputError for a cell that is neither."""
    known = values
    if known.dtype.kind not in "iufM":
        known = pd.to_datetime(values.astype(str), format="ISO8601", errors="coerce")
    wrong, empty, remedy = known.isna().to_numpy(), values.isna().to_numpy(), "write dates as 2019-03-01"
    faults = cell_faults(values, wrong & ~empty, "is neither a date nor a number", remedy)
    blank = rows_in_file(rows_of(values), np.flatnonzero(wrong & empty).tolist())
    faults += [fault_in_rows("is empty", blank, remedy, None, str(values.name))] if blank else []
    if faults:
        raise InputError.of(faults, "Time")
    return known.to_numpy()
