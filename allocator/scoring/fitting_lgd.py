"""An LGD as an analyst orders it: from a table of loans to a document, its card and its validation."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from allocator.errors import Fault, InputError, gathering
from allocator.intake import content_hash, one_reading
from allocator.records.estimate import figure_text
from allocator.records.frames import File
from allocator.records.portfolio import Floats, Integers
from allocator.scoring.appraisal import Verdict, calibrated
from allocator.scoring.bins import OTHER
from allocator.scoring.declarations import Declarations, sound_declarations
from allocator.scoring.fitted import Card, markdown, read_fitted, to_document
from allocator.scoring.fitting import Fit, left_lines, left_out
from allocator.scoring.folds import each_fold, stratified_folds
from allocator.scoring.levels import levels_of
from allocator.scoring.lgd import (
    FEWEST,
    NO_SEGMENT,
    LgdCard,
    RegressionLgd,
    SegmentLgd,
    bias_of,
    fit_regression,
    fit_segments,
    mean_of,
)
from allocator.scoring.preparing import column_faults
from allocator.scoring.reading import faults_located_in, imputed_figures, imputed_lines
from allocator.scoring.rows import rows_where
from allocator.scoring.score import imputed_cells, text_columns
from allocator.scoring.training import amount_faults, amounts, readable, require_sound, training
from allocator.scoring.weighting import (
    alike,
    effective,
    mean,
    of_mean_one,
    part,
    total,
    weights_of,
    worth_of,
)

_LINES = (
    "lost less foreseen 0: amber where refuted at 5 %, red at 0.1 % (Student's t); amber, too, where all "
    "differ by one amount, which leaves no error to test by"
)
FIFTHS = 5
"""Parts of equal size that a regression is held against what was lost in."""


@dataclass(frozen=True)
class _Defaulted:
    """The loans that have defaulted and owed something, (n,) each."""

    frame: pd.DataFrame
    owed: Floats
    lost: Floats
    left_out: dict[str, str]
    """What was left out and corrected, for a card."""
    weights: Floats | None = None
    """(n,) of mean 1."""

    @property
    def shares(self) -> Floats:
        """LGD of each."""
        return self.lost / self.owed


@one_reading()
def lgd_from_files(
    data: File,
    default: str,
    owed: str,
    lost: str,
    *,
    by: str | None = None,
    declared: File | None = None,
    without: str | None = None,
    weights: str | None = None,
    folds: int = 5,
    seed: int = 0,
    earlier: Sequence[Fault] = (),
) -> Fit:
    """LGD from a table of loans: means by the column `by`, or a regression of `declared` variables.

    `default` names the 0/1 column, `owed` and `lost` the money of each loan; `without` one that says why a
    row is left out, `weights` one by which loans count. Raises InputError with the faults of files, columns
    or amounts, where both ways are named or none, and where fewer than 30 loans have defaulted; with them
    the `earlier` ones of the order.
    """
    faults = [*earlier, *_way_faults(by, declared, weights)]
    given = Declarations()
    if declared is not None:
        given = sound_declarations(
            declared, "variables", [default, lost], faults, binned=False, weights=weights
        )

    def check(bad: pd.DataFrame) -> None:
        plain = [variable for variable in given.variables if variable.bins is None]
        require_sound(column_faults(bad, readable(plain, given, bad), None), "Variables")

    roles = {"default": default, "owed": owed, "lost": lost} | ({} if by is None else {"segments": by})
    loans = _defaulted(data, given, roles, without, [] if by is None else [by], faults, check, weights)
    _require_fewest(loans, data, default)
    with gathering(faults), faults_located_in(data, loans.frame):
        card = _fitted(loans, np.ones(len(loans.owed), dtype=bool), given, by)
    with gathering(faults):
        stratified_folds(_halves(loans), folds, seed)
    require_sound(faults, "fit lgd")
    with faults_located_in(data, loans.frame):
        held_out = _out_of_fold(loans, given, by, folds, seed)
        imputed = imputed_cells(loans.frame, card)
        figures, tables = judged(loans.shares, held_out, card, loans.frame, loans.weights)
    weighed, told = worth_of(weights, loans.weights, len(loans.owed))
    tables = _own_tables(card) | tables | left_out(given)
    files = [data, *([] if declared is None else [declared])]
    described = Card(
        title=f"LGD of {len(loans.owed):,} defaulted loans",
        purpose="loss given default of a borrower, a fraction",
        data=f"{data.name}: default {default}, owed {owed}, lost {lost}",
        method=f"{_way(by, declared)}; see docs/scoring.md",
        limits=f"each defaulted loan counts {'once' if weights is None else f'by {weights}'}, whatever it "
        "owed; nothing is discounted",
        metrics=loans.left_out | told | _shown(figures, folds) | imputed_lines(imputed),
        training={file.name: content_hash(file) for file in files},
        sections=[(name, markdown(table)) for name, table in tables.items()],
        weighted=weights,
    )
    return Fit(to_document(card), described, figures | weighed | imputed_figures(imputed), tables)


def _shown(figures: Mapping[str, float], folds: int) -> dict[str, str]:
    """The figures of the validation as lines of a card."""
    where = f"out of fold ({folds} folds)"
    return {f"{name.replace('_', ' ')}, {where}": figure_text(value) for name, value in figures.items()}


def _require_fewest(loans: _Defaulted, data: File, default: str) -> None:
    if len(loans.owed) < FEWEST:
        problem, remedy = f"{len(loans.owed)} loans have defaulted and owed money", f"give {FEWEST} or more"
        raise InputError.of([Fault(problem, remedy, str(data), field=default)], "Training data")


def _way(by: str | None, declared: File | None) -> str:
    """How LGDs are told apart, in words."""
    return f"means by {by}" if declared is None else f"fractional logit, variables of {declared.name}"


def _way_faults(by: str | None, declared: File | None, weights: str | None) -> list[Fault]:
    """What does not go together of the two ways, and of segments and weights."""
    faults = []
    if (by is None) == (declared is None):
        remedy = "name segments, or variables"
        faults.append(Fault("both or none is given", remedy, field="--by, --variables"))
    if by is not None and by == weights:
        problem, remedy = f"{by} is what the rows are weighted by", "weight them by another column"
        faults.append(Fault(problem, remedy, field="--by"))
    return faults


def _defaulted(
    data: File,
    given: Declarations,
    roles: Mapping[str, str],
    without: str | None,
    levels: Collection[str],
    faults: list[Fault],
    check: Callable[[pd.DataFrame], object],
    weights: str | None,
) -> _Defaulted:
    """Loans that count, and what was said of the others; `levels` are columns that are read as texts.

    Raises InputError with `faults`, its own, and those that `check` then raises of the loans.
    """
    named = roles if weights is None else {**roles, "weights": weights}
    frame, y, left = training(data, given, named, without, faults, levels, both=False)
    own = None
    with gathering(faults), faults_located_in(data, frame):
        own = weights_of(frame, weights if weights in frame.columns else None)
    faults += amount_faults(data, frame, y, [roles["owed"], roles["lost"]])
    if faults or y is None:
        with gathering(faults), faults_located_in(data, frame):
            check(frame if y is None else rows_where(frame, y.to_numpy() == 1))
        require_sound(faults, "Loans")
        raise AssertionError("without an outcome there is a fault")
    with faults_located_in(data, frame):
        (money, gone), corrected = amounts(frame, y, roles["owed"], roles["lost"])
    bad = y.to_numpy() == 1
    kept = bad & (money.to_numpy() > 0)
    facts = {"corrected": corrected} | left_lines(left)
    if (bad & ~kept).any():
        facts["left out, owed nothing"] = f"{int((bad & ~kept).sum()):,} defaulted loans"
    counted = None if own is None or not kept.any() else of_mean_one(own[kept])
    return _Defaulted(rows_where(frame, kept), money.to_numpy()[kept], gone.to_numpy()[kept], facts, counted)


def _fitted(loans: _Defaulted, seen: np.ndarray, given: Declarations, by: str | None) -> LgdCard:
    """The LGD by those loans that are `seen` (n,)."""
    frame, owed, lost = rows_where(loans.frame, seen), loans.owed[seen], loans.lost[seen]
    own = part(loans.weights, seen)
    if by is not None:
        return fit_segments(frame[by], owed, lost, own)
    return fit_regression(frame, lost / owed, given.variables, given.derived, own)


def _halves(loans: _Defaulted) -> Integers:
    """(n,) 1 for a loan that lost more than the middle one, spread evenly over folds."""
    return (loans.shares > np.median(loans.shares)).astype(np.int64)


def _out_of_fold(loans: _Defaulted, given: Declarations, by: str | None, folds: int, seed: int) -> Floats:
    """(n,) LGD of each loan by a fit without its fold."""
    fold = stratified_folds(_halves(loans), folds, seed)
    out = np.empty(len(fold))

    def fit_without(k: int) -> None:
        seen, held = fold != k, fold == k
        card = _fitted(loans, seen, given, by)
        out[held] = card.of(rows_where(loans.frame, held))

    each_fold(folds, fit_without)
    return out


def judged(
    shares: Floats, foreseen: Floats, card: LgdCard, frame: pd.DataFrame, weights: Floats | None = None
) -> tuple[dict[str, float], dict[str, pd.DataFrame]]:
    """How far the `foreseen` LGDs (n,) are from the `shares` lost, and both by segment or fifth.

    r_squared is NaN where all lost the same share: there is nothing to tell apart.
    """
    off, spread = shares - foreseen, shares - mean(shares, weights)
    figures = {
        "mae": mean(np.abs(off), weights),
        "mae_of_the_mean": mean(np.abs(spread), weights),
        "rmse": float(np.sqrt(mean(off**2, weights))),
        "r_squared": np.nan if alike(shares) else 1 - total(off**2, weights) / total(spread**2, weights),
        "mean_foreseen": mean(foreseen, weights),
        "mean_lost": mean(shares, weights),
    }
    places, names = _parts(card, frame, foreseen)
    rows = {}
    for i, name in enumerate(names):
        inside = places == i
        if inside.any():
            own = part(weights, inside)
            lost = mean_of(shares[inside], own)
            row = {"n": int(inside.sum()), "foreseen": mean(foreseen[inside], own)}
            rows[name] = row | {"lost": lost.value, "low": lost.low, "high": lost.high}
    table = pd.DataFrame.from_dict(rows, orient="index")
    return figures, {"Foreseen and lost": table.rename_axis("part")}


def _parts(card: LgdCard, frame: pd.DataFrame, foreseen: Floats) -> tuple[Integers, list[str]]:
    """(n,) the part of each loan, and the parts' names: segments, or fifths by what is foreseen."""
    if isinstance(card, SegmentLgd):
        levels, names = levels_of(frame[card.column]), [*card.names]
        rest = OTHER if OTHER in names else NO_SEGMENT
        names += [] if rest in names else [rest]
        places = [names.index(name) if name in names else names.index(rest) for name in levels.names]
        return levels.looked_up(places, names.index(rest)), names
    order = np.empty(len(foreseen), dtype=np.int64)
    order[np.argsort(foreseen, kind="stable")] = np.arange(len(foreseen))
    return order * FIFTHS // max(len(foreseen), 1), [f"fifth {i + 1}" for i in range(FIFTHS)]


def _own_tables(card: LgdCard) -> dict[str, pd.DataFrame]:
    """What was fitted, for people."""
    if isinstance(card, RegressionLgd):
        return {"Wald tests": card.fit.wald(card.preparation.scales, card.preparation.signs)}
    rows = [vars(segment) for segment in (*card.segments, card.whole)]
    return {"Segments": pd.DataFrame(rows).set_index("name").rename_axis("segment")}


@dataclass(frozen=True)
class LgdAppraisal:
    """What a table of loans says of an LGD."""

    n: int
    """Loans that have defaulted."""
    figures: dict[str, Any]
    """lost_less_foreseen as Estimate; the others, as mae, as numbers."""
    verdict: Verdict
    """Of what was lost less what was foreseen."""
    tables: dict[str, pd.DataFrame]
    weighted: str | None = None
    """The column that loans count by, where there is one."""
    worth: float | None = None
    """How many loans of one weight they then are worth."""


@one_reading()
def lgd_appraisal_of_files(
    data: File,
    card: File,
    default: str,
    owed: str,
    lost: str,
    weights: str | None = None,
    earlier: Sequence[Fault] = (),
) -> LgdAppraisal:
    """Judge the LGD of a file on the defaulted loans of a table, which count by the column `weights`.

    Raises InputError with their faults, and the `earlier` ones of the order.
    """
    faults = [*earlier]
    fitted: LgdCard | None = None
    with gathering(faults):
        fitted = _lgd_of(card)
    roles = {"default": default, "owed": owed, "lost": lost}
    texts = frozenset() if fitted is None else text_columns(fitted)
    check = (lambda _: None) if fitted is None else fitted.of
    loans = _defaulted(data, Declarations(), roles, None, texts, faults, check, weights)
    if fitted is None:
        raise AssertionError("without a card there is a fault")
    if len(loans.owed) < 2:
        fault = Fault("hold no two loans that have defaulted", "give more", str(data), field=default)
        raise InputError.of([fault], "Validation")
    with faults_located_in(data, loans.frame):
        foreseen = fitted.of(loans.frame)
    figures, tables = judged(loans.shares, foreseen, fitted, loans.frame, loans.weights)
    bias = bias_of(loans.shares, foreseen, loans.weights)
    verdict = replace(calibrated("lost_less_foreseen", bias, 0.0), source=_LINES)
    n = len(foreseen)
    told = None if loans.weights is None else effective(n, loans.weights)
    return LgdAppraisal(n, {"lost_less_foreseen": bias, **figures}, verdict, tables, weights, told)


def _lgd_of(card: File) -> LgdCard:
    """The LGD of a file. Raises InputError."""
    fitted = read_fitted(card)
    if not isinstance(fitted, SegmentLgd | RegressionLgd):
        remedy = "name a file of fit lgd, or leave --owed and --lost out"
        raise InputError.of([Fault("gives no LGD of its own", remedy, str(card))], "Validation")
    return fitted
