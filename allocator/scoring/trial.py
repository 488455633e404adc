"""A rating on firms that it has not seen: AUC by training share, and loss rates by class out of fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from allocator.errors import Fault, InputError
from allocator.records.portfolio import Floats
from allocator.scoring.classes import CLASSES
from allocator.scoring.folds import each_fold, stratified_folds
from allocator.scoring.logit import Penalty
from allocator.scoring.preparing import usable_variables
from allocator.scoring.rating import CORRELATED, Rating, fit_rating, select, weights_of
from allocator.scoring.rows import row_of, rows_where
from allocator.scoring.rules import IndicatorRule, learn, standardise
from allocator.scoring.scorecard import fit_scorecard
from allocator.scoring.validation import auc, by_class
from allocator.scoring.variables import Variable
from allocator.scoring.weighting import part

SHARES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
FEWEST = 20
"""Known defaults, and as many loans that count as performing, from which PDs are fitted."""


@dataclass(frozen=True)
class RatingTrial:
    """How a rating does, in sample and out."""

    in_sample: pd.DataFrame
    """Score table by class (`validation.by_class`)."""
    out_of_fold: pd.DataFrame
    """The same, each firm rated by a rating fitted without it."""
    scores: Floats
    """(n,) out-of-fold scores."""

    @property
    def table(self) -> pd.DataFrame:
        """Class by row: n, loss_rate and default_rate in sample and out of fold."""
        names = ["n", "default_rate", "loss_rate"]
        return pd.concat([self.in_sample[names], self.out_of_fold[names].add_suffix("_out_of_fold")], axis=1)


def try_rating(
    rating: Rating,
    frame: pd.DataFrame,
    default: pd.Series,
    owed: pd.Series,
    lost: pd.Series,
    rules: Sequence[IndicatorRule],
    *,
    names: Sequence[str] = CLASSES,
    smallest: int | None = None,
    correlated: float = CORRELATED,
    folds: int = 5,
    seed: int = 0,
    weights: Floats | None = None,
) -> RatingTrial:
    """Rate each fold by a rating of the others: indicators, weights and cuts are all learnt anew.

    Firms count by `weights` (n,). Raises InputError as fit_rating does.
    """
    fold = stratified_folds(default.to_numpy(), folds, seed)
    codes, scores = np.zeros(len(frame), dtype=np.int64), np.zeros(len(frame))

    def fit_without(k: int) -> None:
        seen, held = fold != k, fold == k
        fitted, _ = fit_rating(
            frame[seen],
            default[seen],
            owed[seen],
            lost[seen],
            rules,
            names=names,
            smallest=smallest,
            correlated=correlated,
            weights=part(weights, seen),
        )
        scores[held] = fitted.score(frame[held])
        codes[held] = fitted.scale.codes(scores[held])

    each_fold(folds, fit_without)
    y, money = default.to_numpy(float), (owed.to_numpy(float), lost.to_numpy(float))
    held_out = pd.Series(pd.Categorical.from_codes(codes, pd.Index(names), ordered=True))
    inside = pd.Series(rating.apply(frame)["grade"].array)
    tables = [by_class(classes, y, *money, weights=weights) for classes in (inside, held_out)]
    return RatingTrial(tables[0], tables[1], scores)


def auc_by_share(
    frame: pd.DataFrame,
    default: pd.Series,
    rules: Sequence[IndicatorRule],
    variables: Sequence[Variable],
    *,
    shares: Sequence[float] = SHARES,
    correlated: float = CORRELATED,
    repeats: int = 10,
    seed: int = 0,
    weights: Floats | None = None,
) -> pd.DataFrame:
    """AUC on the firms left out, by share of firms trained on (Meng and Chi, table 4), beside a logit's.

    One row a share: n (trained on), auc and logit_auc (means over random stratified splits), low and
    high, logit_low and logit_high (their 2.5 and 97.5 % quantiles). Raises InputError: a share outside
    (0, 1). Firms count by `weights` (n,).
    """
    wrong = [share for share in shares if not 0 < share < 1]
    if wrong:
        faults = [
            Fault(f"{share:g} is no training share", "use fractions between 0 and 1") for share in wrong
        ]
        raise InputError.of(faults, "AUC by share")
    y = default.to_numpy(float)
    generator = np.random.default_rng(seed)
    rows = []
    for share in shares:
        pairs: list[tuple[float, float]] = []
        for _ in range(repeats):
            seen = _split(y, share, generator)
            pairs.append(_one_split(frame, default, y, seen, rules, variables, correlated, weights))
        ours, logits = np.array(pairs).T
        rows.append(
            {"share": share, "n": int(seen.sum())}
            | dict(zip(("auc", "low", "high"), _spread(ours), strict=True))
            | dict(zip(("logit_auc", "logit_low", "logit_high"), _spread(logits), strict=True))
        )
    return pd.DataFrame(rows).set_index("share")


def walk_forward(
    frame: pd.DataFrame,
    default: pd.Series,
    period: pd.Series,
    variables: Sequence[Variable],
    *,
    known: pd.Series | None = None,
    fewest: int = FEWEST,
    penalty: Penalty = "flic",
    strength: float = 1.0,
) -> pd.DataFrame:
    """PD of each row by a scorecard of the periods before its own: what its decision could have known.

    `period` (n,) orders the decisions; `known` (n,) is the period in which a default became known, NaN
    where there is none, and only a default known before a period is one to its scorecard: until then
    the loan counts as performing. None: every outcome is known one period later. Variables that the earlier
    rows leave constant or collinear are left out of that period's scorecard.

    On the index of `frame`: pd (NaN where fewer than `fewest` earlier rows of either kind are known),
    trained (earlier rows), defaults (of these, known ones), left_out (names). Raises InputError: a
    column missing or not numeric, a row without a period.
    """
    when = period.to_numpy(dtype=float, na_value=np.nan)
    blank = np.flatnonzero(np.isnan(when))
    if len(blank):
        fault = Fault(
            "is empty", "give each row a period", row=row_of(period, int(blank[0])), field=str(period.name)
        )
        raise InputError.of([fault], "Walk forward")
    known_on = when if known is None else known.to_numpy(dtype=float, na_value=np.nan)
    bad = default.to_numpy(dtype=float) == 1
    out = pd.DataFrame({"pd": np.nan, "trained": 0, "defaults": 0, "left_out": ""}, index=frame.index)
    for now in np.unique(when):
        earlier, rows = when < now, np.flatnonzero(when == now)
        y = (bad & (known_on < now)).astype(int)[earlier]
        out.iloc[rows, 1:3] = [len(y), int(y.sum())]
        if min(y.sum(), len(y) - y.sum()) < fewest:
            continue
        seen = rows_where(frame, earlier)
        chosen, _ = usable_variables(seen, variables, y.astype(float))
        card = fit_scorecard(seen, pd.Series(y), chosen, penalty=penalty, strength=strength)
        out.iloc[rows, 0] = special.expit(card.log_odds(rows_where(frame, rows)))
        out.iloc[rows, 3] = " ".join(variable.name for variable in variables if variable not in chosen)
    return out


def _one_split(
    frame: pd.DataFrame,
    default: pd.Series,
    y: Floats,
    seen: np.ndarray,
    rules: Sequence[IndicatorRule],
    variables: Sequence[Variable],
    correlated: float,
    weights: Floats | None,
) -> tuple[float, float]:
    """AUC of the rating's score and of the logit on the rows that are not `seen`."""
    own, others = part(weights, seen), part(weights, ~seen)
    learnt = learn(frame[seen], rules, own)
    x = standardise(frame[seen], learnt)
    chosen = select(x, y[seen], [indicator.rule for indicator in learnt], correlated, own)
    kept = chosen["kept"].to_numpy()
    score = standardise(frame[~seen], learnt)[:, kept] @ weights_of(chosen["f"].to_numpy()[kept])
    card = fit_scorecard(frame[seen], default[seen], variables, weights=own)
    pds = special.expit(card.log_odds(frame[~seen]))
    return auc(y[~seen], -score, others).value, auc(y[~seen], pds, others).value


def _split(y: Floats, share: float, generator: np.random.Generator) -> np.ndarray:
    seen = np.zeros(len(y), dtype=bool)
    for label in (0, 1):
        rows = generator.permutation(np.flatnonzero(y == label))
        seen[rows[: round(share * len(rows))]] = True
    return seen


def _spread(values: Floats) -> tuple[float, float, float]:
    low, high = np.quantile(values, [0.025, 0.975])
    return float(values.mean()), float(low), float(high)
