"""The simulated years of one allocation, in figures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from allocator.insight.simulate.concentration import Concentration, concentration
from allocator.insight.simulate.measures import (
    Distribution,
    distribution,
    share_below,
    tail_weights,
)
from allocator.insight.simulate.record import Method, Risk, Years
from allocator.insight.simulate.years import draw_years
from allocator.records.estimate import Estimate
from allocator.records.ledger import accounts_by
from allocator.records.outcome import Outcome
from allocator.records.progress import Progress

SEGMENT_LEVEL = 0.99
"""Level of the CVaR that the segments are parts of."""


@dataclass(frozen=True)
class SegmentLoss:
    """What one value of the segments' column adds to the loss; currency units."""

    name: str
    mean: float
    tail: float
    """The segment's part of CVaR: the parts of all segments add up to it."""


@dataclass(frozen=True)
class Simulation:
    """The years of one run, and their distributions; currency units."""

    run: Outcome
    risk: Risk
    seed: int
    years: Years
    interest: Distribution
    loss: Distribution
    net: Distribution
    shortfall: Distribution
    """The distribution of -net, whose tails are the worst years of the book."""
    systematic: Distribution
    below_zero: Estimate
    """Share of the years that lose money."""
    segments: tuple[SegmentLoss, ...]
    names: Concentration
    """How money drawn is spread over borrowers."""
    by_segment: Concentration
    """How money drawn is spread over the segments."""


def simulate(
    run: Outcome,
    risk: Risk | None = None,
    *,
    years: int = 10_000,
    seed: int = 0,
    method: Method | None = None,
    progress: Progress = lambda _: None,
) -> Simulation:
    """`years` of the allocation `run`, drawn and raising as `draw_years` does.

    Its segments are the values of the column whose values have a factor each, or the grades.
    """
    risk = risk or Risk()
    threads, portfolio = run.scenario.solver.threads, run.inputs.portfolio
    [drawn] = draw_years(
        {run.name: run}, risk, years=years, seed=seed, method=method, threads=threads, progress=progress
    ).values()
    column = portfolio.grade if risk.by is None else portfolio.text(risk.by)
    means = drawn.by_segment.mean(axis=0)
    tails = np.einsum("y,ys->s", tail_weights(drawn.loss, SEGMENT_LEVEL), drawn.by_segment)
    drawn_by_segment = np.array([account.drawn for account in accounts_by(run.ledger, column)])
    return Simulation(
        run=run,
        risk=risk,
        seed=seed,
        years=drawn,
        interest=distribution(drawn.interest),
        loss=distribution(drawn.loss),
        net=distribution(drawn.net),
        shortfall=distribution(-drawn.net),
        systematic=distribution(drawn.systematic),
        below_zero=share_below(drawn.net, 0.0),
        segments=tuple(map(SegmentLoss, column.values, means.tolist(), tails.tolist())),
        names=concentration(run.ledger.drawn),
        by_segment=concentration(drawn_by_segment, ()),
    )
