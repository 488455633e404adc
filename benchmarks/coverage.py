"""How often each interval that is printed holds the truth, on tables drawn from known distributions.

    python -m benchmarks.coverage [--tables 1000] [--of NAME]

It prints the table of docs/validation-figures.md and writes shares, and of how many, to
benchmarks/results/scorecards/coverage.json; what stands there is not drawn again. The interval of KS, which
is drawn itself, is asked of the first part of the tables, other things of their own parts.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special, stats

from allocator.insight.simulate.measures import share_below, tail_mean, value_at_risk
from allocator.records.estimate import Estimate
from allocator.scoring import validation
from allocator.scoring.calibration import calibration
from allocator.scoring.distance import ks
from allocator.scoring.frequencies import mean_interval
from allocator.scoring.lgd import bias_of, mean_of
from allocator.scoring.logit import NORMAL_95, fit_logit, shift_to
from allocator.scoring.weighting import quantiles

RESULTS = Path(__file__).parent / "results" / "scorecards" / "coverage.json"
CELLS = ((500, 0.02), (5_000, 0.02), (500, 0.12), (5_000, 0.12))
"""Loans in a table, and the base rate: how many of them default is drawn too."""
FEWEST = 3
"""Defaults from which a table is judged."""
FIRST = 1_000_000
"""Seed of the first table."""
DRAWN = 0.25
"""Part of the tables of which the interval of KS is asked."""
SPREAD = 0.7
"""Of the logarithm of weights: the loans are worth 61 % of as many of one weight."""
FINE = 20_000
"""Points that stand for a distribution where a truth is computed."""
SHIFT, SLOPE = 0.3, 1.3
"""What a card's log-odds are of the true ones, as those of a card that was fitted to too few loans."""
LEVELS = (-0.8, 0.0, 0.8, 1.6)
CLASSES = 5

Numbers = np.ndarray[Any, np.dtype[np.float64]]
Shares = dict[str, list[bool]]


@dataclass(frozen=True)
class Score:
    """Distributions of a score: those of defaults, in equal parts, and that of loans repaid."""

    bad: tuple[Any, ...]
    good: Any
    levels: bool = False
    """Whether it is cut into LEVELS."""
    weighted: bool = False
    """Whether loans count by weights, which say nothing of them."""

    def draw(self, m: int, n: int, generator: np.random.Generator) -> Numbers:
        """(m + n,) scores, of m defaults first."""
        part = generator.integers(len(self.bad), size=m)
        bad = np.choose(part, [one.rvs(m, random_state=generator) for one in self.bad])
        return self._cut(np.concatenate([bad, self.good.rvs(n, random_state=generator)]))

    def points(self) -> tuple[Numbers, Numbers]:
        """Points of equal weight that stand for the scores of defaults and of loans repaid."""
        middle = (np.arange(FINE) + 0.5) / FINE
        bad = np.concatenate([one.ppf(middle) for one in self.bad])
        return self._cut(bad), self._cut(self.good.ppf(middle))

    def log_odds(self, values: Numbers, rate: float) -> Numbers:
        """The true log-odds of default at these scores."""
        if self.levels:
            edges = np.concatenate([[-np.inf], LEVELS, [np.inf]])
            inside = [np.diff(one.cdf(edges)) for one in (self.bad[0], self.good)]
            return np.asarray(np.log(inside[0] / inside[1])[values.astype(int)] + special.logit(rate))
        bad = special.logsumexp([one.logpdf(values) for one in self.bad], axis=0) - np.log(len(self.bad))
        return np.asarray(bad - self.good.logpdf(values) + special.logit(rate))

    def _cut(self, values: Numbers) -> Numbers:
        return np.searchsorted(LEVELS, values).astype(float) if self.levels else values


def _apart(area: float) -> float:
    return float(np.sqrt(2) * special.ndtri(area))


SCORES = {
    "normal, AUC 0.80": Score((stats.norm(_apart(0.8)),), stats.norm()),
    "normal, AUC 0.90": Score((stats.norm(_apart(0.9)),), stats.norm()),
    "two humps": Score((stats.norm(0.55), stats.norm(3.0)), stats.norm()),
    "five levels": Score((stats.norm(1.2),), stats.norm(), levels=True),
    "exponential, AUC 0.85": Score((stats.expon(scale=0.85 / 0.15),), stats.expon()),
    "exponential, AUC 0.96": Score((stats.expon(scale=24.0),), stats.expon()),
    "normal, AUC 0.80, in weights": Score((stats.norm(_apart(0.8)),), stats.norm(), weighted=True),
}


@cache
def truths(name: str, rate: float) -> dict[str, Any]:
    """The figures of the whole population; of classes, the bounds of their PDs and their default rates."""
    score = SCORES[name]
    bad, good = score.points()
    y = np.concatenate([np.ones(len(bad)), np.zeros(len(good))])
    values = np.concatenate([bad, good])
    weights = np.where(y == 1, rate / len(bad), (1 - rate) / len(good)) * len(y)
    odds = SHIFT + SLOPE * score.log_odds(values, rate)
    pds = special.expit(odds)
    shares = (np.arange(1, CLASSES) / CLASSES).tolist()
    bounds: Numbers = np.unique(np.array(quantiles(pds, shares, weights)))
    place = np.searchsorted(bounds, pds)
    return {
        "AUC": validation.auc(y, values).value,
        "KS": _distance(bad, good),
        "Brier": float(np.average((pds - y) ** 2, weights=weights)),
        "calibration slope": 1 / SLOPE,
        "calibration intercept": shift_to(odds, rate, weights),
        "bounds": bounds,
        "classes": np.bincount(place, weights * y) / np.bincount(place, weights),
    }


def _distance(bad: Numbers, good: Numbers) -> float:
    at = np.unique(np.concatenate([bad, good]))
    shares = [np.searchsorted(np.sort(each), at, side="right") / len(each) for each in (bad, good)]
    return float(np.abs(shares[0] - shares[1]).max())


def drawn(name: str, n: int, rate: float, seed: int) -> tuple[Numbers, Numbers]:
    """(n,) outcomes and (n,) scores of a table."""
    generator = np.random.default_rng([seed, n, round(1000 * rate), *name.encode()])
    m = 0
    while m < FEWEST:
        m = int(generator.binomial(n, rate))
    return np.concatenate([np.ones(m), np.zeros(n - m)]), SCORES[name].draw(m, n - m, generator)


def judge(name: str, n: int, rate: float, seed: int, held: Shares, *, drawing: bool = True) -> None:
    """Draw a table, and add to `held` whether each interval holds its truth; `drawing`: KS too."""
    y, values = drawn(name, n, rate, seed)
    own = weights_of(name, n, seed)
    pds = special.expit(SHIFT + SLOPE * SCORES[name].log_odds(values, rate))
    true, held_at = truths(name, rate), calibration(y, pds, own)
    found = {"AUC": validation.auc(y, values, own)}
    if drawing:
        found["KS"] = ks(y, values, own)
    found["Brier"] = validation.brier(y, pds, own)
    found |= {"calibration slope": held_at.slope, "calibration intercept": held_at.intercept}
    for figure, one in found.items():
        held.setdefault(figure, []).append(holds(one, true[figure]))
    place = np.searchsorted(true["bounds"], pds)
    for i, share in enumerate(true["classes"]):
        inside = place == i
        low, high = mean_interval(y[inside], None if own is None else own[inside])
        held.setdefault("default rate of a fifth", []).append(bool(low <= share <= high))


def holds(one: Estimate, truth: float) -> bool:
    """Whether an interval does."""
    return bool(one.low <= truth <= one.high)


def weights_of(name: str, n: int, seed: int) -> Numbers | None:
    """(n,) weights of a table, of mean 1."""
    if not SCORES[name].weighted:
        return None
    weights = np.random.default_rng([seed, n]).lognormal(sigma=SPREAD, size=n)
    return np.asarray(weights / weights.mean())


def judge_logit(n: int, rate: float, seed: int, held: Shares) -> None:
    """The same of a logit's coefficients and of the PD of a borrower that it has not seen."""
    generator = np.random.default_rng([seed, n, round(1000 * rate), 1])
    true = np.array([_intercept(rate), 1.0, 0.5, 0.0])
    y = np.zeros(n)
    while not FEWEST <= y.sum() <= n - FEWEST:
        x = generator.normal(size=(n, 3))
        y = (generator.random(n) < special.expit(true[0] + x @ true[1:])).astype(float)
    fit = fit_logit(x, y, ["one", "half", "none"])
    half = NORMAL_95 * np.sqrt(np.diag(fit.covariance))
    held.setdefault("coefficients", []).extend((np.abs(fit.coefficients - true) <= half)[1:].tolist())
    new = np.column_stack([np.ones(20), generator.normal(size=(20, 3))])
    half = NORMAL_95 * np.sqrt(np.einsum("ij,jk,ik->i", new, fit.covariance, new))
    off = np.abs(new @ (fit.coefficients - true))
    held.setdefault("PD of a borrower", []).extend((off <= half).tolist())


@cache
def _intercept(rate: float) -> float:
    """Of the logit, such that so many default."""
    places = special.ndtri((np.arange(FINE) + 0.5) / FINE) * np.sqrt(1.25)
    return shift_to(places, rate)


def judge_losses(n: int, rate: float, seed: int, held: Shares) -> None:
    """The same of mean LGDs, and of what was lost less what was foreseen, of as many loans as default."""
    generator = np.random.default_rng([seed, n, round(1000 * rate), 2])
    m = max(FEWEST, int(generator.binomial(n, rate)))
    lot = generator.random(m)
    kinds = {
        "two humps": (generator.beta(0.5, 0.5, m), 0.5),
        "skewed": (generator.beta(0.3, 1.5, m), 1 / 6),
        "mostly none": (np.where(lot < 0.1, 1.0, np.where(lot < 0.8, 0.0, 0.3 * generator.random(m))), 0.13),
    }
    for kind, (shares, true) in kinds.items():
        held.setdefault(f"mean LGD, {kind}", []).append(holds(mean_of(shares), true))
    foreseen = generator.uniform(0.2, 0.8, m)
    off = holds(bias_of(generator.beta(2 * foreseen, 2 - 2 * foreseen), foreseen), 0.0)
    held.setdefault("lost less foreseen", []).append(off)


YEARS = 10_000
LEVELS_OF_LOSS = (0.95, 0.99, 0.999)


def judge_years(n: int, rate: float, seed: int, held: Shares) -> None:
    """The same of simulated years of n loans whose defaults hang together by one factor (rho 15 %)."""
    losses = _years(n, rate, YEARS, seed)
    true = _true_tails(n, rate)
    for level in LEVELS_OF_LOSS:
        var, cvar = value_at_risk(losses, level), tail_mean(losses, level)
        held.setdefault(f"VaR at {100 * level:g} %", []).append(holds(var, true[level][0]))
        held.setdefault(f"CVaR at {100 * level:g} %", []).append(holds(cvar, true[level][1]))
    worse = share_below(-losses, -true[0.95][0])
    held.setdefault("chance of a year", []).append(holds(worse, true["beyond"][0]))


def _years(n: int, rate: float, years: int, seed: int) -> Numbers:
    """(years,) ascending losses: defaults of n loans, each of a loss between 0 and 1 in the mean of all."""
    generator = np.random.default_rng([seed, n, round(1000 * rate), 4])
    factor = generator.normal(size=years)
    chance = special.ndtr((special.ndtri(rate) - np.sqrt(0.15) * factor) / np.sqrt(0.85))
    lost = generator.binomial(n, chance)
    return np.sort(lost + generator.uniform(-0.5, 0.5, years))


@cache
def _true_tails(n: int, rate: float) -> dict[Any, tuple[float, float]]:
    """Level -> VaR and CVaR of four million years, and the share of them beyond the first VaR."""
    losses = _years(n, rate, 4_000_000, 10**9)
    out: dict[Any, tuple[float, float]] = {
        level: (value_at_risk(losses, level).value, tail_mean(losses, level).value)
        for level in LEVELS_OF_LOSS
    }
    return {**out, "beyond": (float((losses > out[0.95][0]).mean()), 0.0)}


PARTS: Mapping[str, tuple[float, Callable[[int, float, int, Shares], None]]] = {
    "logit": (0.5, judge_logit),
    "LGD": (1.0, judge_losses),
    "years": (1.0, judge_years),
}
"""Name -> part of the tables that are drawn, and what judges one."""


def judged(name: str, n: int, rate: float, tables: int) -> dict[str, tuple[float, int]]:
    """Figure -> the share of intervals that hold the truth, and of how many; some of `tables` are drawn."""
    held: Shares = {}
    for i in range(max(1, round(tables * PARTS[name][0])) if name in PARTS else tables):
        if name in PARTS:
            PARTS[name][1](n, rate, FIRST + i, held)
        else:
            judge(name, n, rate, FIRST + i, held, drawing=i < DRAWN * tables)
    return {figure: (float(np.mean(each)), len(each)) for figure, each in held.items()}


def lines(results: Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]]) -> Iterator[str]:
    """The table in Markdown."""
    yield "| interval | score | " + " | ".join(f"{n:,}, {rate:.0%}" for n, rate in CELLS) + " |"
    yield "| --- | --- |" + " ---: |" * len(CELLS)
    figures = dict.fromkeys(figure for cells in results.values() for of in cells.values() for figure in of)
    for figure in figures:
        first = figure
        for name, cells in results.items():
            told = [cells.get(f"{n}, {rate}", {}).get(figure) for n, rate in CELLS]
            if any(share is not None for share in told):
                shares = " | ".join("" if share is None else f"{100 * share[0]:.1f} %" for share in told)
                yield f"| {first} | {name} | {shares} |"
                first = ""


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=1000)
    parser.add_argument("--of", choices=[*SCORES, *PARTS], nargs="*")
    order = parser.parse_args(arguments)
    for name in order.of or [*SCORES, *PARTS]:
        for n, rate in CELLS:
            if f"{n}, {rate}" not in _read().get(name, {}):
                found = judged(name, n, rate, order.tables)
                results = _read()
                results.setdefault(name, {})[f"{n}, {rate}"] = found
                RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    results = _read()
    print("\n".join(lines({name: results[name] for name in [*SCORES, *PARTS] if name in results})))


def _read() -> dict[str, Any]:
    known: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    return known


if __name__ == "__main__":
    main(sys.argv[1:])
