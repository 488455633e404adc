"""A debt rating as an analyst orders it: from a table of loans to a document, its card and its validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from allocator.errors import Fault, gathering
from allocator.intake import content_hash, one_reading
from allocator.records.frames import File
from allocator.records.portfolio import Floats
from allocator.scoring import validation
from allocator.scoring.classes import CLASSES, check_classes, valued
from allocator.scoring.declarations import Declarations, sound_declarations
from allocator.scoring.distance import ks
from allocator.scoring.fitted import Card, markdown, to_document
from allocator.scoring.fitting import Fit, joined, left_lines, left_out, lines
from allocator.scoring.folds import stratified_folds
from allocator.scoring.rating import Rating, fit_rating
from allocator.scoring.reading import faults_located_in, imputed_figures, imputed_lines
from allocator.scoring.remarks import on_rating, remark_figures, remark_section
from allocator.scoring.rules import learn
from allocator.scoring.score import imputed_cells
from allocator.scoring.training import amount_faults, amounts, readable, require_sound, training
from allocator.scoring.trial import auc_by_share, try_rating
from allocator.scoring.weighting import weights_of, worth_of


@dataclass(frozen=True)
class RatingOrder:
    """What is asked of a rating, beside a table and the rules of its indicators."""

    default: str
    """The column of 1 and 0."""
    owed: str
    lost: str
    """The columns of money."""
    classes: Sequence[str] = CLASSES
    """Names, best first."""
    smallest: int | None = None
    """Fewest loans in a class; None: 1 % of them."""
    folds: int = 5
    repeats: int = 10
    """Random splits per training share."""
    without: str | None = None
    """The column that says why a row is left out."""
    weights: str | None = None
    """The column of how much a row counts."""
    seed: int = 0

    @property
    def roles(self) -> dict[str, str]:
        """The columns that are no indicators, by what they are."""
        weighed = {} if self.weights is None else {"weights": self.weights}
        return {"default": self.default, "owed": self.owed, "lost": self.lost, **weighed}

    @property
    def cut(self) -> dict[str, Any]:
        """How scores are cut into classes."""
        return {"names": self.classes, "smallest": self.smallest}


@dataclass(frozen=True)
class _Loans:
    """What a rating is fitted to, (n,) each."""

    frame: pd.DataFrame
    y: pd.Series
    owed: pd.Series
    lost: pd.Series
    weights: Floats | None
    """Of mean 1."""
    corrections: Mapping[str, Any] = field(default_factory=dict)
    """What was corrected and left out."""

    @property
    def outcome(self) -> Floats:
        return self.y.to_numpy(float)

    @property
    def columns(self) -> tuple[pd.DataFrame, pd.Series, pd.Series, pd.Series]:
        return self.frame, self.y, self.owed, self.lost


@one_reading()
def rating_from_files(data: File, declared: File, order: RatingOrder, earlier: Sequence[Fault] = ()) -> Fit:
    """A rating from a table with 0/1 defaults and the money owed and lost.

    What was lost counts for defaulted firms only, up to what was owed; both corrections are counted in
    the card, as are rows left out where a column says why. Raises InputError with the faults of files,
    columns or amounts, and the `earlier` ones of the order.
    """
    faults = [*earlier]
    with gathering(faults):
        check_classes(order.classes)
    late = [order.default, order.lost]
    given = sound_declarations(declared, "rules", late, faults, weights=order.weights)
    loans, fitted = _fitted(data, given, order, faults, len(earlier))
    with faults_located_in(data, loans.frame):
        rating, figures, tables = _judged(loans, *fitted, given, order)
        imputed = imputed_cells(loans.frame, rating)
        auc = figures["auc_out_of_fold"]["value"]
        remarks = on_rating(loans.frame, loans.outcome, rating, given.rules, auc)
    weighed, told = worth_of(order.weights, loans.weights, len(loans.y))
    estimated = {name: figures[name] for name in ("auc_out_of_fold", "ks_out_of_fold")}
    metrics, left = lines(estimated, f"out of fold ({order.folds} folds)"), loans.corrections["left"]
    card = replace(
        _described(data, loans, order),
        metrics=metrics | told | left_lines(left) | imputed_lines(imputed),
        training={data.name: content_hash(data), declared.name: content_hash(declared)},
        sections=remark_section(remarks) + [(name, markdown(table)) for name, table in tables.items()],
    )
    figures |= weighed | imputed_figures(imputed) | remark_figures(remarks)
    return Fit(to_document(rating), card, figures | ({"left_out": left} if left else {}), tables)


def _fitted(
    data: File, given: Declarations, order: RatingOrder, faults: list[Fault], before: int
) -> tuple[_Loans, tuple[Rating, pd.DataFrame]]:
    """The loans of a file and the rating fitted to all of them.

    Raises InputError with `faults` and theirs; without any but the first `before` fitting is tried.
    """
    frame, y, left = training(data, given, order.roles, order.without, faults)
    own = None
    with gathering(faults), faults_located_in(data, frame):
        own = weights_of(frame, order.weights if order.weights in frame.columns else None)
    faults += amount_faults(data, frame, y, [order.owed, order.lost])
    fitted = loans = None
    with gathering(faults), faults_located_in(data, frame):
        known = readable(given.rules, given, frame)
        if known and (y is None or len(faults) > before):
            learn(frame, known)
        elif known and y is not None:
            money, corrected = amounts(frame, y, order.owed, order.lost)
            loans = _Loans(frame, y, *money, own, {"corrected": corrected, "left": left})
            fitted = fit_rating(*loans.columns, given.rules, derived=given.derived, weights=own, **order.cut)
    with gathering(faults):
        if y is not None:
            stratified_folds(y.to_numpy(), order.folds, order.seed)
    if faults or loans is None or fitted is None:
        require_sound(faults, "fit rating")
        raise AssertionError("without an outcome there is a fault")
    return loans, fitted


def _judged(
    loans: _Loans, rating: Rating, chosen: pd.DataFrame, given: Declarations, order: RatingOrder
) -> tuple[Rating, dict[str, Any], dict[str, pd.DataFrame]]:
    """The rating with PDs and LGDs of loans that it had not seen, its figures out of fold, and tables."""
    tried = {"folds": order.folds, "seed": order.seed, "weights": loans.weights, **order.cut}
    trial = try_rating(rating, *loans.columns, given.rules, **tried)
    y, codes = loans.outcome, rating.scale.codes(trial.scores)
    money = loans.owed.to_numpy(float), loans.lost.to_numpy(float)
    rating = replace(rating, scale=valued(rating.scale, codes, y, *money, loans.weights))
    figures: dict[str, Any] = {
        "auc_out_of_fold": vars(validation.auc(y, -trial.scores, loans.weights)),
        "ks_out_of_fold": vars(ks(y, -trial.scores, loans.weights)),
        "kept": [indicator.rule.name for indicator in rating.indicators],
        "corrected": loans.corrections["corrected"],
    }
    tables = {
        "Indicators": chosen,
        "Classes": rating.scale.table(),
        "In sample and out of fold": trial.table,
        **_by_share(loans, given, order),
        **left_out(given),
    }
    return rating, figures, tables


def _by_share(loans: _Loans, given: Declarations, order: RatingOrder) -> dict[str, pd.DataFrame]:
    """AUC by training share beside a logit's and, on the same splits, what the leaks would feign."""
    if not given.variables:
        return {}
    how: dict[str, Any] = {"repeats": order.repeats, "seed": order.seed, "weights": loans.weights}
    table = auc_by_share(loans.frame, loans.y, given.rules, given.variables, **how)
    leaks = [leak for leak in given.leaks if leak.rule is not None and leak.variable is not None]
    if leaks:
        rules = [*given.rules, *(leak.rule for leak in leaks if leak.rule is not None)]
        variables = [*given.variables, *(leak.variable for leak in leaks if leak.variable is not None)]
        feigned = auc_by_share(loans.frame, loans.y, rules, variables, **how)
        with_leaks = feigned[["auc", "logit_auc"]].add_suffix(f"_with_{joined(leaks)}")
        table = pd.concat([table, with_leaks], axis=1)
    return {"AUC by training share, beside a logit": table}


def _described(data: File, loans: _Loans, order: RatingOrder) -> Card:
    """What was fitted to what, for the card."""
    columns = f"default {order.default}, owed {order.owed}, lost {order.lost}"
    return Card(
        title=f"Debt rating, {len(loans.y):,} loans, {int(loans.y.sum()):,} defaults",
        purpose="score 0 to 100, class, PD and LGD of a borrower",
        data=f"{data.name}: {columns}; {loans.corrections['corrected']}",
        method=f"F test, R-type clusters, F weights, {len(order.classes)} classes cut by dynamic programming",
        limits="loss rates rise strictly in sample, where the cuts were sought; PD and LGD are of the "
        "firms by scores of ratings that had not seen them",
        weighted=order.weights,
    )
