"""A PD scorecard as an analyst orders it: from a table and its declarations to a document and its card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy import special
from threadpoolctl import threadpool_limits

from allocator.errors import Fault, InputError, gathering
from allocator.intake import content_hash, one_reading
from allocator.records.frames import File
from allocator.records.portfolio import Floats
from allocator.scoring import validation
from allocator.scoring.bins import information_values
from allocator.scoring.calibration import calibration
from allocator.scoring.choice import Choice, How, choose
from allocator.scoring.collinearity import Regressors
from allocator.scoring.declarations import Declarations, sound_declarations
from allocator.scoring.distance import ks
from allocator.scoring.fitted import Card, markdown, to_document
from allocator.scoring.fitting import Fit, joined, left_lines, left_out, lines
from allocator.scoring.order import Order, decision_times, time_faults
from allocator.scoring.preparing import column_faults
from allocator.scoring.reading import faults_located_in, imputed_figures, imputed_lines
from allocator.scoring.rejects import Rejects, differences
from allocator.scoring.remarks import on_logit, remark_figures, remark_section
from allocator.scoring.rows import rows_in_file, rows_of, rows_where
from allocator.scoring.score import imputed_cells
from allocator.scoring.scorecard import Scorecard, check_bounds, fit_scorecard, out_of_fold_pd
from allocator.scoring.terms import terms_of
from allocator.scoring.training import amount_faults, amounts, declined, readable, require_sound, training
from allocator.scoring.univariate import by_outcome, odds_ratios, univariate
from allocator.scoring.variables import Variable, cells_by_name
from allocator.scoring.weighting import mean, part, spread_faults, total, weights_of, worth_of

_TRAINED_BEFORE = 0.7
"""Share of the rows, earliest first, that an out-of-time check trains on."""

_RELIABILITY = "Reliability, out of fold"

WORDS: Mapping[How, str] = {
    "all": "",
    "signs": " that keep their signs",
    "forward": " on a forward path, its length by log loss out of fold",
}


@dataclass(frozen=True)
class _Sample:
    """The rows that are learned from: n accepted ones, and rejects beside them."""

    frame: pd.DataFrame
    y: pd.Series
    weights: Floats | None
    left: dict[str, int]
    """Rows that were left out, by why."""
    rejects: Rejects | None

    @property
    def outcomes(self) -> Floats:
        """(n,)"""
        return self.y.to_numpy(float)


@dataclass(frozen=True)
class _Fits:
    """The card, the one without rejects, and what each accepted row is given out of fold."""

    card: Scorecard
    plain: Scorecard
    chosen: Choice | None
    kept: Sequence[Variable]
    held_out: Floats
    lgd: float | None


@one_reading()
def logit_from_files(data: File, declared: File, order: Order, earlier: Sequence[Fault] = ()) -> Fit:
    """A PD scorecard from a table.

    Raises InputError with the faults of files, columns or outcomes, and the `earlier` ones of the order.
    """
    faults = [*earlier]
    if not earlier:
        with gathering(faults):
            check_bounds(order.bounds or {})
    late = [order.outcome, *(order.money or ())[1:]]
    given = sound_declarations(declared, "variables", late, faults, weights=order.weights)
    sample = _sample(data, given, order, faults)
    with threadpool_limits(1, user_api="blas"), faults_located_in(data, sample.frame):
        fits = _fits(sample, given, order)
        figures, metrics = _discrimination(sample.outcomes, fits.held_out, sample.weights), {}
        figures |= _with_leaks(sample, fits.kept, given, order)
        metrics = lines(figures, f"out of fold ({order.folds} folds)")
        more, told = _further(sample, fits, order)
        figures, metrics = figures | more, metrics | told
        columns = Regressors(fits.card.matrix(sample.frame), fits.card.preparation.names)
        remarks = on_logit(sample.frame, sample.outcomes, fits.card, columns, figures["auc"]["value"])
        compared: dict[str, pd.DataFrame] = {}
        if sample.rejects is not None:
            compared = _compared(sample, sample.rejects, fits)
            counted = sample.rejects.figures(compared["Rejects"])
            asked = {"by": order.rejects, "method": order.inference, "factor": order.factor}
            figures["rejects"] = asked | counted
            metrics["rejects"] = sample.rejects.line(compared["Rejects"])
            remarks.append(sample.rejects.warning)
        imputed = imputed_cells(sample.frame, fits.card)
        figures |= imputed_figures(imputed) | remark_figures(remarks)
    tables = {**_tables(sample, fits, columns, given, compared), **left_out(given)}
    sections = remark_section(remarks) + [(name, markdown(table)) for name, table in tables.items()]
    card = _described(data, declared, sample, order, metrics | imputed_lines(imputed), sections)
    return Fit(to_document(fits.card), card, figures, tables, reliability=tables[_RELIABILITY])


def _sample(data: File, given: Declarations, order: Order, faults: list[Fault]) -> _Sample:
    """The rows to learn from. Raises InputError with `faults` and every one of the table."""
    frame, y, left = training(data, given, order.roles, order.without, faults, rejects=order.rejects)
    faults += amount_faults(data, frame, y, order.money or ())
    faults += time_faults(data, frame, y, order.time, order.folds)
    weights, own, beside = order.weights if order.weights in frame.columns else None, None, None
    with gathering(faults), faults_located_in(data, frame):
        own = weights_of(frame, weights)
    if order.rejects in frame.columns and order.inference is not None:
        with gathering(faults), faults_located_in(data, frame):
            beside = _rejects(data, given, order, frame, weights)
    if faults or y is None:
        leaky = [leak.variable for leak in given.leaks if leak.variable is not None]
        with gathering(faults), faults_located_in(data, frame):
            values, known = None if y is None else y.to_numpy(float), [*given.variables, *leaky]
            require_sound(column_faults(frame, readable(known, given, frame), values), "Variables")
            if y is not None and order.penalty == "none":
                fit_scorecard(frame, y, readable(given.variables, given, frame), penalty="none")
        require_sound(faults, "fit logit")
        raise AssertionError("without an outcome there is a fault")
    return _Sample(frame, y, own, left, beside)


def _fits(sample: _Sample, given: Declarations, order: Order) -> _Fits:
    frame, y = sample.frame, sample.y
    lgd = None if order.money is None else _lgd(frame, y, sample.weights, *order.money)
    further: dict[str, Any] = {"bounds": order.bounds, "derived": given.derived, "points": order.points}
    further |= {"lgd": lgd}
    tried = {**order.tried, "weights": sample.weights}
    chosen = None if order.choice == "all" else choose(frame, y, given.variables, order.choice, **tried)
    kept = given.variables if chosen is None else chosen.kept
    card = plain = fit_scorecard(frame, y, kept, **further, **order.penalised, weights=sample.weights)
    grown = None
    if sample.rejects is not None:
        alone = partial(fit_scorecard, variables=kept, **order.penalised)
        grown = partial(sample.rejects.added_to, fit=alone)
        more, outcomes, counted = grown((frame, y, sample.weights))
        card = fit_scorecard(more, outcomes, kept, **further, **order.penalised, weights=counted)
    held_out = chosen.held_out if chosen else out_of_fold_pd(frame, y, kept, grown=grown, whole=card, **tried)
    return _Fits(card, plain, chosen, kept, held_out, lgd)


def _further(sample: _Sample, fits: _Fits, order: Order) -> tuple[dict[str, Any], dict[str, str]]:
    """What else an order asks for, as figures and as lines of the card."""
    figures: dict[str, Any] = {}
    metrics: dict[str, str] = {}
    if order.time is not None:
        figures["out_of_time"] = later = _out_of_time(sample, fits.kept, order.time, order.penalised)
        metrics |= {f"Out of time ({order.time}): {name}": f"{value:.3f}" for name, value in later.items()}
    if fits.lgd is not None:
        figures["lgd"] = fits.lgd
        metrics["LGD, lost of owed over the defaults"] = f"{fits.lgd:.3f}"
    if sample.left:
        figures["left_out"] = sample.left
        metrics |= left_lines(sample.left)
    weighed, told = worth_of(order.weights, sample.weights, len(sample.y))
    return figures | weighed, metrics | told


def _compared(sample: _Sample, rejects: Rejects, fits: _Fits) -> dict[str, pd.DataFrame]:
    """What rejects were given, and what they change."""
    given = rejects.table((sample.frame, sample.y, sample.weights), fits.plain)
    return {"Rejects": given, "With and without rejects": differences(fits.plain, fits.card)}


def _tables(
    sample: _Sample,
    fits: _Fits,
    columns: Regressors,
    given: Declarations,
    compared: Mapping[str, pd.DataFrame],
) -> dict[str, pd.DataFrame]:
    frame, y, own, card = sample.frame, sample.outcomes, sample.weights, fits.card
    path = None if fits.chosen is None else fits.chosen.path
    why = {} if fits.chosen is None else fits.chosen.why
    return {
        "Wald tests": card.wald(),
        **compared,
        "Odds ratios": odds_ratios(card, columns),
        "Variables by themselves": univariate(frame, y, given.variables, why, own),
        **_by_outcome(frame, y, given.variables, own),
        **({} if path is None else {"Forward path": path}),
        **_taken_apart(card),
        _RELIABILITY: validation.reliability(y, fits.held_out, own),
    }


def _described(
    data: File,
    declared: File,
    sample: _Sample,
    order: Order,
    metrics: Mapping[str, str],
    sections: Sequence[tuple[str, str]],
) -> Card:
    weighed = "" if order.weights is None else f", rows weighted by {order.weights}"
    return Card(
        title=f"PD scorecard, {len(sample.y):,} firms, {int(sample.y.sum()):,} defaults",
        purpose="probability of default of a borrower, and its grade where bounds are given",
        data=f"{data.name}, outcome {order.outcome}",
        method=f"logit, penalty {order.penalty}, variables of {declared.name}{WORDS[order.choice]}{weighed}; "
        "see docs/scoring.md",
        limits="PDs are over the horizon of the outcome column; see the signs that disagree below",
        metrics=metrics,
        training={data.name: content_hash(data), declared.name: content_hash(declared)},
        sections=sections,
        weighted=order.weights,
    )


def _rejects(
    data: File, given: Declarations, order: Order, frame: pd.DataFrame, weights: str | None
) -> Rejects | None:
    """The rejects of the table. Raises InputError with their faults."""
    assert order.rejects is not None
    assert order.inference is not None
    faults: list[Fault] = []
    others = declined(data, given, order.without, order.rejects, faults)
    cells_by_name(readable(given.variables, given, others), others, faults)
    weighed = None
    with gathering(faults):
        weighed = _weighed(others, frame, weights, order.rejects)
    require_sound(faults, "Rejects")
    return None if weighed is None else Rejects(*weighed, order.inference, order.factor, order.seed)


def _weighed(
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
    whole = np.concatenate([pd.to_numeric(part[weights], errors="coerce").to_numpy(float) for part in both])
    numbered = np.array([row for part in both for row in rows_in_file(rows_of(part), range(len(part)))])
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
    binned = {
        column.variable.name: column.bins for column in card.preparation.columns if column.bins is not None
    }
    tables = {}
    if binned:
        tables["Information value"] = information_values(list(binned), list(binned.values()))
        tables["Bins"] = pd.concat([bins.table(name) for name, bins in binned.items()])
    return tables | ({} if card.points is None else {"Points": terms_of(card)})


def _with_leaks(
    sample: _Sample, kept: Sequence[Variable], given: Declarations, order: Order
) -> dict[str, Any]:
    """The AUC out of fold that leaky variables would feign; nothing where none is declared."""
    leaky = [leak.variable for leak in given.leaks if leak.variable is not None]
    if not leaky:
        return {}
    feigned = out_of_fold_pd(sample.frame, sample.y, [*kept, *leaky], weights=sample.weights, **order.tried)
    area = validation.auc(sample.outcomes, feigned, sample.weights)
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
    held = calibration(y, pds, weights)
    return {
        "auc": vars(validation.auc(y, pds, weights)),
        "gini": vars(validation.gini(y, pds, weights)),
        "ks": vars(ks(y, pds, weights)),
        "brier": vars(validation.brier(y, pds, weights)),
        "calibration_slope": vars(held.slope),
        "calibration_intercept": vars(held.intercept),
        "log_loss": validation.log_loss(y, pds, weights),
    }


def _out_of_time(
    sample: _Sample, variables: Sequence[Variable], time: str, penalised: Mapping[str, Any]
) -> dict[str, float]:
    """Train on the earliest rows, judge on the later ones; PSI tells how far these have drifted."""
    frame, y = sample.frame, sample.y
    rows = np.argsort(decision_times(frame[time]), kind="stable")
    first, last = np.split(rows, [int(_TRAINED_BEFORE * len(rows))])
    own = part(sample.weights, first), part(sample.weights, last)
    card = fit_scorecard(rows_where(frame, first), y.iloc[first], variables, **penalised, weights=own[0])
    before, after = (special.expit(card.log_odds(rows_where(frame, rows))) for rows in (first, last))
    seen = y.iloc[last].to_numpy(float)
    return {
        "auc": validation.auc(seen, after, own[1]).value,
        "psi": validation.psi(before, after, own),
        "mean PD": mean(after, own[1]),
        "observed": mean(seen, own[1]),
    }
