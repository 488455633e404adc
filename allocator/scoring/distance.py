"""KS, the largest distance between the scores of defaults and those of loans repaid, with its interval.

As a maximum KS is too high on average, by more the fewer the defaults. By how much is told by tables drawn
from a smooth model of the scores, whose own KS is known: a logit of the outcome on a cubic of the rank, the
rank as a normal score. Errors are differences on the logit's scale.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from allocator.records.estimate import Estimate
from allocator.records.portfolio import Floats, Integers
from allocator.scoring.logit import fit_logit
from allocator.scoring.validation import midranks, require_both
from allocator.scoring.weighting import effective, mean, part

MANY = 20_000
"""Rows that the model is fitted to."""
PLACES = 400
"""Runs of scores that a drawn table tells apart."""


def ks(
    outcome: Floats, score: Floats, weights: Floats | None = None, *, draws: int = 400, seed: int = 0
) -> Estimate:
    """Largest distance between the two distributions of the score, with a bootstrap interval of 95 %.

    Raises InputError where there is one class only or a value that is not finite.
    """
    require_both(outcome, score)
    own = np.ones(len(score)) if weights is None else weights
    order = np.argsort(score, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(score[order])), len(order) - 1)
    value = _largest(*(np.cumsum(own[order] * of[order])[ends] for of in (outcome, 1 - outcome)))
    runs = ends if len(ends) <= PLACES else ends[np.linspace(0, len(ends) - 1, PLACES).round().astype(int)]
    share, pds = _model(outcome, score, weights, order, runs)
    true = _largest(np.cumsum(share * pds), np.cumsum(share * (1 - pds)))
    rows = round(effective(len(score), weights))
    generator = np.random.default_rng(seed)
    distances: list[float] = []
    while len(distances) < draws:
        drawn = generator.multinomial(rows, share, size=draws)
        bad = generator.binomial(drawn, pds)
        both = (bad.sum(axis=1) > 0) & (bad.sum(axis=1) < rows)
        pairs = np.cumsum(bad[both], axis=1), np.cumsum((drawn - bad)[both], axis=1)
        distances += np.abs(pairs[0] / pairs[0][:, -1:] - pairs[1] / pairs[1][:, -1:]).max(axis=1).tolist()
    least, most = np.quantile(_odds(np.array(distances), rows) - _odds(true, rows), [0.025, 0.975])
    low, high = special.expit(_odds(value, rows) - np.array([most, least]))
    return Estimate(value, min(float(low), value), max(float(high), value))


def _largest(bad: Floats, good: Floats) -> float:
    """The largest distance between two distributions, of which these are the running sums."""
    return float(np.abs(bad / bad[-1] - good / good[-1]).max())


def _odds(value: Floats | float, rows: int) -> Floats:
    """On the logit's scale, 0 and 1 half a row inside."""
    return np.asarray(special.logit(np.clip(value, 0.5 / rows, 1 - 0.5 / rows)))


def _model(
    outcome: Floats, score: Floats, weights: Floats | None, order: Integers, runs: Integers
) -> tuple[Floats, Floats]:
    """(runs,) the share of the rows up to the end of each run from that of the one before, and its PD."""
    ranks = midranks(score, weights) / (len(score) if weights is None else weights.sum())
    reached = np.cumsum(np.ones(len(score)) if weights is None else weights[order])[runs]
    share = np.diff(reached, prepend=0.0) / reached[-1]
    middle = (np.cumsum(share) - share / 2).clip(1e-12, 1 - 1e-12)
    few = order[:: max(1, len(order) // MANY)]
    few = few if 0 < outcome[few].mean() < 1 else order
    terms = ["linear", "square", "cubic"][: len(runs) - 1]
    if not terms:
        return share, np.array([mean(outcome, weights)])
    columns = _cubic(ranks[few])[:, : len(terms)]
    fit = fit_logit(columns, outcome[few], terms, "flic", weights=part(weights, few))
    return share, special.expit(fit.linear(_cubic(middle)[:, : len(terms)]))


def _cubic(ranks: Floats) -> Floats:
    """(n, 3) Hermite's polynomials of the normal scores of ranks in (0, 1)."""
    z = special.ndtri(ranks)
    return np.column_stack([z, z * z - 1, z**3 - 3 * z])
