"""Cutting a score into classes whose loss rate rises strictly as the class falls (Meng and Chi, step 3).

Borrowers stand in order of score, best first. Among all cuts into K runs with loss rates
R_1 < R_2 < ... < R_K (R = lost / owed), take the one with the largest between-class sum of squares

    sum_c owed_c (R_c - R)^2

by an exact dynamic program (`runs`).
Borrowers of one score stay together.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from allocator.errors import Fault, InputError
from allocator.records.portfolio import Floats, Integers
from allocator.scoring.frequencies import jeffreys, rising_rates
from allocator.scoring.runs import best_cuts
from allocator.scoring.weighting import effective, mean, part, total

CLASSES = ("AAA", "AA", "A", "BBB", "BB", "B", "CCC", "CC", "C")
POINTS = 400
"""Most places where a cut may fall; more borrowers are first put into as many equal groups."""
_CREDIBILITY = 10.0
"""Defaults in a class at which its own LGD weighs as much as that of all."""


@dataclass(frozen=True)
class RatingClass:
    """Scores in [low, high), the best class up to 100 included."""

    name: str
    low: float
    high: float
    loss_rate: float
    pd: float
    lgd: float
    n: int = 0
    pd_low: float | None = None
    """95 % interval of the PD, where it is known."""
    pd_high: float | None = None


@dataclass(frozen=True)
class Scale:
    """Classes best first, from 100 down to 0 without a gap."""

    classes: tuple[RatingClass, ...]

    def codes(self, score: Floats) -> np.ndarray:
        """(n,) index of the class of each score in [0, 100]."""
        lows = np.array([rating_class.low for rating_class in self.classes])
        place = len(lows) - np.searchsorted(lows[::-1], score, side="right")
        return np.minimum(place, len(lows) - 1)

    def column(self, name: str) -> Floats:
        return np.array([float(getattr(rating_class, name)) for rating_class in self.classes])

    def table(self) -> pd.DataFrame:
        """One row a class: low, high, n, loss_rate, pd with its 95 % interval, lgd."""
        rows = {
            rating_class.name: {
                "low": rating_class.low,
                "high": rating_class.high,
                "n": rating_class.n,
                "loss_rate": rating_class.loss_rate,
                "pd": rating_class.pd,
                "pd_low": rating_class.pd_low,
                "pd_high": rating_class.pd_high,
                "lgd": rating_class.lgd,
            }
            for rating_class in self.classes
        }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("class")


def check_classes(names: Sequence[str]) -> None:
    """Raise InputError unless there are two names or more, each once and none empty."""
    if len(names) < 2 or len(set(names)) < len(names) or not all(names):
        fault = Fault(
            f"{', '.join(map(repr, names))} are no classes", "name two or more, each once", field="--classes"
        )
        raise InputError.of([fault], "Rating classes")


def cut_classes(
    score: Floats,
    default: Floats,
    owed: Floats,
    lost: Floats,
    names: Sequence[str] = CLASSES,
    smallest: int | None = None,
    weights: Floats | None = None,
) -> Scale:
    """The best cut of `score` (n,) into len(names) classes, each of `smallest` borrowers or more.

    `owed` and `lost` (n,) are money, `default` (n,) is 0 or 1. `smallest`: None is 1 % of the borrowers.
    Their money and their defaults count by `weights` (n,), of mean 1.
    Raises InputError: amounts that make no sense, or no such cut exists; the message names the largest
    number of classes that does.
    """
    _check(score, default, owed, lost)
    rows = np.ones(len(score)) if weights is None else weights
    smallest = max(1, len(score) // 100) if smallest is None else smallest
    order = np.argsort(-score, kind="stable")
    ends = _cut_points(score[order])
    counted = (rows * owed)[order], (rows * lost)[order]
    cuts, reached = _best_cut(ends, *counted, len(names), smallest)
    if cuts is None:
        fault = Fault(
            f"no cut into {len(names)} classes of {smallest} or more has strictly rising loss rates",
            f"ask for {reached} classes or fewer, or allow smaller ones",
            field="--classes",
        )
        raise InputError.of([fault], "Rating classes")
    scale, sizes = _scale(score[order], *counted, cuts, names)
    codes = np.repeat(np.arange(len(names)), sizes)
    return valued(scale, codes, default[order], owed[order], lost[order], part(weights, order))


def _check(score: Floats, default: Floats, owed: Floats, lost: Floats) -> None:
    faults = []
    for name, values in (("score", score), ("owed", owed), ("lost", lost)):
        if not np.isfinite(values).all():
            row = int(np.flatnonzero(~np.isfinite(values))[0]) + 1
            faults.append(Fault("is no finite number", "give every borrower one", row=row, field=name))
    if (owed < 0).any() or (lost < 0).any() or (lost > owed * (1 + 1e-9)).any():
        row = int(np.flatnonzero((owed < 0) | (lost < 0) | (lost > owed * (1 + 1e-9)))[0]) + 1
        faults.append(Fault("lost is not within 0 and owed", "0 <= lost <= owed", row=row, field="lost"))
    if len(np.unique(default)) < 2:
        faults.append(
            Fault("the outcomes are of one class only", "give firms of both kinds", field="default")
        )
    if faults:
        raise InputError.of(faults, "Rating classes")


def _cut_points(score: Floats) -> np.ndarray:
    """Positions 0 = e_0 < e_1 < ... = n where the score changes, at most POINTS runs."""
    ends = np.flatnonzero(np.diff(score) != 0) + 1
    ends = np.concatenate([[0], ends, [len(score)]])
    if len(ends) - 1 > POINTS:
        wanted = np.linspace(0, len(score), POINTS + 1)
        ends = np.unique(ends[np.searchsorted(ends, wanted)])
    return ends


def _best_cut(
    ends: np.ndarray, owed: Floats, lost: Floats, classes: int, smallest: int
) -> tuple[list[int] | None, int]:
    """Positions of the best cut (len classes + 1), or None and the most classes that can be had."""
    total_owed = np.concatenate([[0.0], np.cumsum(owed)])[ends]
    total_lost = np.concatenate([[0.0], np.cumsum(lost)])[ends]
    run_owed = total_owed[None, :] - total_owed[:, None]
    run_lost = total_lost[None, :] - total_lost[:, None]
    possible = (ends[None, :] - ends[:, None] >= smallest) & (run_owed > 0)
    rate = np.divide(run_lost, run_owed, out=np.full_like(run_owed, np.nan), where=possible)
    overall = total_lost[-1] / total_owed[-1] if total_owed[-1] > 0 else 0.0
    gain = np.where(possible, run_owed * (rate - overall) ** 2, -np.inf)
    by_number = best_cuts(rate, gain, classes, "rising")
    if classes not in by_number:
        return None, max(by_number, default=1)
    return [int(ends[point]) for point in by_number[classes][1]], classes


def _scale(
    score: Floats, owed: Floats, lost: Floats, cuts: Sequence[int], names: Sequence[str]
) -> tuple[Scale, list[int]]:
    """Loss rates of each run, and its rows; classes meet halfway between their neighbouring scores."""
    borders = [100.0, *(float((score[cut - 1] + score[cut]) / 2) for cut in cuts[1:-1]), 0.0]
    rates = [lost[a:b].sum() / owed[a:b].sum() for a, b in itertools.pairwise(cuts)]
    sizes = np.diff(cuts).tolist()
    classes = (
        RatingClass(name, low, high, float(rate), 0.0, 0.0, size)
        for name, (high, low), rate, size in zip(
            names, itertools.pairwise(borders), rates, sizes, strict=True
        )
    )
    return Scale(tuple(classes)), sizes


def valued(
    scale: Scale,
    codes: Integers,
    default: Floats,
    owed: Floats,
    lost: Floats,
    weights: Floats | None = None,
) -> Scale:
    """`scale` with the PD and LGD of each class by the firms whose class is `codes` (n,), an index.

    A PD is the frequency of default with half a default added, pooled where it would fall; its interval is
    Jeffreys', of the class alone. Firms count by `weights` (n,), and are as many as they are worth. On the
    firms among whom the cuts were sought the best class looks better than it is; by scores of ratings that
    have not seen the firm it does not (cross-fitting).
    """
    bad = default == 1
    number = range(len(scale.classes))
    parts = [_part_of(codes == i, bad, weights) for i in number]
    pds = rising_rates(*np.array([(defaults, n) for n, defaults in parts]).T)
    everywhere = _loss_of(bad, owed, lost, weights, 0.0)
    classes = []
    for i, (n, defaults), pd_ in zip(number, parts, pds.tolist(), strict=True):
        failed = bad & (codes == i)
        trust = effective(float(failed.sum()), part(weights, failed))
        trust /= trust + _CREDIBILITY
        own = _loss_of(failed, owed, lost, weights, everywhere)
        low, high = jeffreys(defaults, n)
        lgd = trust * own + (1 - trust) * everywhere
        classes.append(replace(scale.classes[i], pd=pd_, lgd=lgd, pd_low=low, pd_high=high))
    return Scale(tuple(classes))


def _part_of(inside: np.ndarray, bad: np.ndarray, weights: Floats | None) -> tuple[float, float]:
    """How many firms the rows `inside` are worth, and how many defaults."""
    own = part(weights, inside)
    n = effective(float(inside.sum()), own)
    return n, min(n, n * mean(bad[inside].astype(float), own)) if n else 0.0


def _loss_of(rows: np.ndarray, owed: Floats, lost: Floats, weights: Floats | None, otherwise: float) -> float:
    """The share of the money owed that these rows lost."""
    own = part(weights, rows)
    exposure = total(owed[rows], own)
    return total(lost[rows], own) / exposure if exposure > 0 else otherwise
