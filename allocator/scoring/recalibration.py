"""A PD scorecard brought to another level of defaults: the ranking stays, slope and intercept change.

    log-odds' = shift + slope x log-odds

    target      slope 1; the shift by which the mean PD over a table is a stated rate
    intercept   slope 1; the shift by which it is the observed rate
    slope       both by a logit of the outcome on the log-odds (flic)
    isotonic    steps of the log-odds in place of the line (`steps`): equals, where the rates do not rise

A margin of conservatism m shifts further, until the mean PD is 1 + m times as high. What comes of it is a
scorecard like any other: coefficients and intercept hold the change, or the steps do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from scipy import special

from allocator.errors import Fault, InputError, gathering
from allocator.intake import content_hash, one_reading
from allocator.records.frames import File
from allocator.records.portfolio import Floats
from allocator.scoring.appraisal import card_and_table
from allocator.scoring.bins import Bins
from allocator.scoring.calibration import calibration
from allocator.scoring.fitted import Card, no_logit, to_document
from allocator.scoring.fitting import Fit
from allocator.scoring.logit import fit_logit, shift_to
from allocator.scoring.reading import faults_located_in
from allocator.scoring.reference import Reference
from allocator.scoring.scorecard import Recalibration, Scorecard
from allocator.scoring.steps import isotonic
from allocator.scoring.weighting import mean, weights_of, worth_of

Method = Literal["target", "intercept", "slope", "isotonic"]


@dataclass(frozen=True)
class RecalibrationOrder:
    """What is to be done, and why."""

    method: Method
    why: str
    target: float | None = None
    """The mean PD that is wanted, a fraction; of method target."""
    margin: float = 0.0
    """How much higher the mean PD shall be, a fraction of it."""


def order_of(
    why: str, outcome: str | None, to: float | None, margin: float, *, keep_slope: bool, isotonic: bool
) -> RecalibrationOrder:
    """The order of what people ask for. Raises InputError for what does not go together."""
    faults = []
    if (outcome is None) == (to is None):
        faults.append(Fault("one of --outcome and --to is needed", "give one of them", field="--outcome"))
    if to is not None and keep_slope:
        faults.append(
            Fault("a rate changes the intercept alone anyway", "leave it out", field="--keep-slope")
        )
    if isotonic and (to is not None or keep_slope):
        problem, remedy = "steps are sought by outcomes alone", "leave it or the other out"
        faults.append(Fault(problem, remedy, field="--isotonic"))
    if to is not None:
        with gathering(faults):
            _require_rate(to)
    if not why.strip():
        faults.append(Fault("is empty", "say why, for who reads the card", field="--why"))
    if faults:
        raise InputError.of(faults, "recalibrate")
    method: Method = "intercept" if keep_slope else "isotonic" if isotonic else "slope"
    return RecalibrationOrder("target" if to is not None else method, why, to, margin)


def recalibrate(
    card: Scorecard,
    frame: pd.DataFrame,
    y: Floats | None,
    order: RecalibrationOrder,
    of: str,
    weights: Floats | None = None,
) -> Scorecard:
    """`card` recalibrated on `frame`, whose outcomes are y (n,); `of` names the card that it comes from.

    Rows count by `weights` (n,), of mean 1.

    Raises InputError: faults of the columns, outcomes of one kind, a slope that is not above 0.
    """
    if order.method == "isotonic":
        if y is None:
            raise AssertionError("steps are sought by outcomes")
        card = replace(card, steps=isotonic(card.linear(frame), y, weights))
    odds = card.log_odds(frame)
    slope, shift = (1.0, 0.0) if order.method == "isotonic" else _level(odds, y, order, weights)
    if order.margin:
        wanted = mean(special.expit(shift + slope * odds), weights) * (1 + order.margin)
        shift += _shift(shift + slope * odds, wanted, weights)
    record = Recalibration(of, order.why, order.method, slope, shift, order.margin)
    if card.steps is not None:
        return replace(card, steps=card.steps.moved(slope, shift), recalibrated=record)
    coefficients = slope * card.fit.coefficients
    coefficients[0] += shift
    fit = replace(card.fit, coefficients=coefficients, covariance=slope**2 * card.fit.covariance)
    return replace(card, fit=fit, reference=_moved(card.reference, slope, shift), recalibrated=record)


def _level(
    odds: Floats, y: Floats | None, order: RecalibrationOrder, weights: Floats | None
) -> tuple[float, float]:
    """Slope and shift, the margin aside."""
    if order.target is not None:
        return 1.0, _shift(odds, order.target, weights)
    if y is None:
        raise AssertionError("without a target there are outcomes")
    if order.method == "intercept":
        return 1.0, _shift(odds, mean(y, weights), weights)
    fit = fit_logit(odds[:, None], y, ["slope"], penalty="flic", weights=weights)
    slope = float(fit.coefficients[1])
    if slope <= 0:
        fault = Fault(f"the slope is {slope:.3g}: the ranking does not hold here", "fit a new scorecard")
        raise InputError.of([fault], "Recalibration")
    return slope, float(fit.coefficients[0])


def _shift(odds: Floats, rate: float, weights: Floats | None) -> float:
    """The constant that makes the mean PD `rate`. Raises InputError for a rate that is none."""
    _require_rate(rate)
    return shift_to(odds, rate, weights)


def _require_rate(rate: float) -> None:
    if not 0 < rate < 1:
        fault = Fault(f"a mean PD of {rate:.4g}", "it lies between 0 and 1", field="--to")
        raise InputError.of([fault], "Recalibration")


def _moved(reference: Reference | None, slope: float, shift: float) -> Reference | None:
    """The training data's PDs as the new scorecard would have them; the variables are what they were."""
    if reference is None:
        return None
    then = reference.pd
    cuts = special.expit(shift + slope * special.logit(np.array(then.cuts)))
    moved = Bins(tuple(cuts.tolist()), then.groups, then.states, then.rows, pool=then.pool)
    return Reference(moved, reference.variables)


@one_reading()
def recalibrated_from_files(
    card_file: File,
    data: File,
    outcome: str | None,
    order: RecalibrationOrder | None,
    earlier: Sequence[Fault] = (),
    weights: str | None = None,
) -> Fit:
    """The scorecard of a file recalibrated on a table, with its card; its rows count by the column `weights`.

    Raises InputError with the faults of both, and the `earlier` ones where there is no `order`.
    """
    faults = [*earlier]
    card, frame, known = card_and_table(card_file, data, outcome, faults)
    own = None
    with gathering(faults), faults_located_in(data, frame):
        own = weights_of(frame, weights)
    if card is not None and not isinstance(card, Scorecard):
        faults.append(no_logit(card_file))
    elif faults and card is not None:
        with gathering(faults), faults_located_in(data, frame):
            card.matrix(frame)
    if faults or order is None or not isinstance(card, Scorecard):
        raise InputError.of(faults, "recalibrate")
    y = None if known is None else known.to_numpy(float)
    with faults_located_in(data, frame):
        new = recalibrate(card, frame, y, order, card_file.name, own)
        rows = {}
        for label, version in (("before", card), ("after", new)):
            pds = special.expit(version.log_odds(frame))
            rows[label] = {"mean_pd": mean(pds, own)} | ({} if y is None else _stands(y, pds, own))
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("scorecard")
    weighed, told = worth_of(weights, own, len(frame))
    figures = {"recalibrated": vars(new.recalibrated), "table": rows, **weighed}
    described = Card(
        title=f"PD scorecard recalibrated, from {card_file.name}",
        purpose="probability of default of a borrower, at another level than the one it was fitted to",
        data=f"{data.name}, {len(frame):,} rows" + ("" if outcome is None else f", outcome {outcome}"),
        method=f"{order.method}, margin {order.margin:.2%}; the ranking is that of {card_file.name}",
        limits=f"why: {order.why}; figures below are on the rows that it was recalibrated on",
        metrics=told,
        training={card_file.name: content_hash(card_file), data.name: content_hash(data)},
        weighted=weights,
    )
    return Fit(to_document(new), described, figures, {"Before and after": table})


def _stands(y: Floats, pds: Floats, weights: Floats | None) -> dict[str, float]:
    line = calibration(y, pds, weights)
    return {
        "observed": mean(y, weights),
        "calibration_slope": line.slope.value,
        "calibration_intercept": line.intercept.value,
        "brier": mean((pds - y) ** 2, weights),
    }
