"""How sure a difference is: the sides in the same simulated years."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from allocator.insight.simulate import Risk, draw_years
from allocator.insight.simulate.measures import LEVELS, distribution
from allocator.records.outcome import Outcome
from allocator.records.portfolio import Portfolio
from allocator.records.progress import Progress

_READ = ("pd", "lgd", "term", "relationship_value")
_WORST = 0.99
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
    sides: Sequence[Outcome], years: int, seed: int = 0, progress: Progress = lambda _: None
) -> tuple[Chance, ...]:
    """One a side, all in the same years, drawn from `seed` as `insight.simulate` assumes them by itself.

    Factors are common to all. Sides of the same borrowers share each one's luck too, as far as their figures
    are the same or every borrower is drawn for. Raises InputError for years below 100 or a seed below 0.
    """
    nets: dict[int, np.ndarray] = {}
    waiting = list(range(len(sides)))
    while waiting:
        book = sides[waiting[0]].inputs.portfolio
        alike = {
            str(number): sides[number]
            for number in waiting
            if _same_figures(book, sides[number].inputs.portfolio)
        }
        waiting = [number for number in waiting if str(number) not in alike]
        drawn = draw_years(
            alike,
            Risk(),
            years=years,
            seed=seed,
            threads=sides[0].scenario.solver.threads,
            progress=progress,
        )
        nets |= {int(name): simulated.net for name, simulated in drawn.items()}
    return tuple(_chance(nets[0], nets[number]) for number in range(len(sides)))


def _same_figures(first: Portfolio, second: Portfolio) -> bool:
    """Whether the same borrowers have the same figures in both: all that a simulated year reads of them."""
    return first is second or (
        np.array_equal(first.borrower_id, second.borrower_id)
        and all(np.array_equal(getattr(first, name), getattr(second, name)) for name in _READ)
    )


def _chance(base: np.ndarray, net: np.ndarray) -> Chance:
    own, less = distribution(-net, LEVELS), distribution(base - net)
    (worst,) = [tail.cvar.value for tail in own.tails if tail.level == _WORST]
    behind = float(np.mean(net < base))
    return Chance(-own.mean, own.sd, -worst, less.mean, less.standard_error, behind)
