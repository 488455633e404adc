"""How sure a difference is: the sides in the same simulated years."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from allocator.insight.comparison.sides import Side
from allocator.insight.simulation import Risk, simulate
from allocator.insight.simulation.measures import LEVELS, distribution
from allocator.records.portfolio import Portfolio

Progress = Callable[[str], None]
WORST = 0.99
"""The mean of the years beyond this level is told."""


@dataclass(frozen=True)
class Chance:
    """One side's simulated net and its difference from the first side's, in currency units."""

    mean: float
    sd: float
    worst: float
    """Mean of the worst 1 % of the years."""
    less: float
    """First less this, on average over the same years; 0 for the first."""
    less_error: float
    """Standard error of that."""
    behind: float
    """Share of the years in which this side ends below the first."""


def chances(
    sides: Sequence[Side], years: int, seed: int = 0, progress: Progress = lambda _: None
) -> tuple[Chance | None, ...]:
    """One a side, all under common random numbers; None for a side of other borrowers than the first's.

    Factors, defaults and take-up are those of `insight.simulation` with its own assumptions. Raises
    InputError for years below 100 or a seed below 0.
    """
    first = sides[0].case.inputs.portfolio
    alike = [at for at, side in enumerate(sides) if _same_debtors(first, side.case.inputs.portfolio)]
    names = {at: str(at) for at in alike}
    drawn = simulate(
        first,
        {names[at]: sides[at].case.scenario.policy for at in alike},
        {names[at]: sides[at].finding for at in alike},
        Risk(),
        years=years,
        seed=seed,
        threads=sides[0].case.scenario.solver.threads,
        progress=progress,
    ).books
    base = drawn[names[0]].net
    found = {at: _chance(base, drawn[names[at]].net) for at in alike}
    return tuple(found.get(at) for at in range(len(sides)))


def _same_debtors(one: Portfolio, other: Portfolio) -> bool:
    """Whether the same borrowers default alike in both."""
    return one is other or (
        np.array_equal(one.borrower_id, other.borrower_id)
        and np.array_equal(one.pd, other.pd)
        and np.array_equal(one.lgd, other.lgd)
    )


def _chance(base: np.ndarray, net: np.ndarray) -> Chance:
    own, less = distribution(-net, LEVELS), distribution(base - net)
    (worst,) = [tail.cvar.value for tail in own.tails if tail.level == WORST]
    behind = float(np.mean(net < base))
    return Chance(-own.mean, own.sd, -worst, less.mean, less.standard_error, behind)
