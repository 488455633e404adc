"""Large books: defaults one by one by thinning, take-up by bins of equal offers.

Defaults are rare, so only defaulters are touched. Borrowers of one sector and nearly one PD form a
stratum. Given its factor each of its n borrowers gets a Poisson number of points of rate
-log(1 - p_i): he defaults where he has one, which is with probability p_i exactly, independently of the
others. The points of the largest rate are drawn for all (their number Poisson, their places uniform) and
each is kept with probability rate_i / largest rate. Where p_i is large the whole stratum is gone through.

Take-up is independent of default. Among the borrowers of a bin (equal take-up, amount, rate, term and
relationship) who do not default, the number who take their offer is binomial, exactly. The bins that vary
most are drawn so, one large loan being a bin of its own; offers of all further bins, where there are more
than `EXACT_BINS`, are pooled into a normal sum with their exact mean and covariance given who defaults.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from allocator.insight.simulate.blocks import BlockTakeUp, Defaults, Draw, severities
from allocator.insight.simulate.book import DRAWN, BookFlows
from allocator.insight.simulate.factors import DefaultModel, barrier_pd
from allocator.insight.simulate.record import Risk
from allocator.insight.simulate.streams import DEFAULTS, RECOVERY, TAKE_UP, stream
from allocator.records.portfolio import Codes, Floats, Integers

EXACT_BINS = 5_000
"""Bins of one book whose take-up is drawn by binomials."""
_RATIO = 1.25
"""Largest PD of a stratum over its smallest: what is drawn in vain stays few."""
_GO_THROUGH = 0.5
"""PD given the factor beyond which a stratum is gone through borrower by borrower."""
_EVENTS = 1_000_000
"""Points of one block, about."""
_BERRY_ESSEEN = 0.56
"""Constant for sums of independent, not identical summands (Shevtsova 2010)."""


@dataclass(frozen=True)
class Strata:
    """Borrowers who may default, sorted by stratum; k strata."""

    member: Integers
    """(m,) positions in the portfolio."""
    start: Integers
    """(k,) where each begins in `member`."""
    size: Integers
    """(k,)"""
    sector: Codes
    """(k,)"""
    top: Floats
    """(k,) G of the largest PD."""

    @classmethod
    def of(cls, model: DefaultModel, offered: np.ndarray) -> Strata:
        """The strata of the borrowers that some book has an offer for."""
        who = np.flatnonzero(offered & (model.pd > 0.0))
        steps = np.floor(np.log(model.pd[who]) / np.log(_RATIO)).astype(np.int64)
        keys = model.sector[who].astype(np.int64) * (1 << 32) + (steps + (1 << 31))
        order = np.argsort(keys, kind="stable")
        member, keys = who[order], keys[order]
        start = np.flatnonzero(np.diff(keys, prepend=-1)) if len(keys) else np.zeros(0, dtype=np.int64)
        size = np.diff(start, append=len(keys))
        barrier = model.barrier[member]
        top = np.maximum.reduceat(barrier, start) if len(start) else np.zeros(0)
        return cls(member, start, size, model.sector[member[start]], top)


@dataclass(frozen=True)
class Bins:
    """One book's offers by bin: b exact ones, and a pool of the rest."""

    of: Integers
    """(n,) bin of each borrower; b: in the pool, -1: no offer."""
    size: Integers
    """(b,)"""
    take_up: Floats
    """(b,)"""
    flows: Floats
    """(3, b)"""
    mean: Floats
    """(3,) of the pool's flows taken."""
    covariance: Floats
    """(3, 3)"""
    pooled: int
    error: float

    @classmethod
    def of_book(cls, book: BookFlows, most: int | None = None) -> Bins:
        """The bins of `book`; `most` of them exact, EXACT_BINS if not given."""
        most = EXACT_BINS if most is None else most
        who = np.flatnonzero(book.offered)
        frame = pd.DataFrame({number: column[who] for number, column in enumerate(book.terms)})
        number = frame.groupby(list(frame.columns), sort=True).ngroup().to_numpy(np.int64)
        count = int(number.max(initial=-1)) + 1
        first = np.full(count, -1, dtype=np.int64)
        first[number[::-1]] = who[::-1]
        size = np.bincount(number, minlength=count)
        take_up, flows = book.take_up[first], book.flows[:, first]
        varies = size * take_up * (1.0 - take_up) * flows[DRAWN] ** 2
        order = np.argsort(-varies, kind="stable")
        kept = order[:most]
        place = np.full(count, len(kept), dtype=np.int64)
        place[kept] = np.arange(len(kept))
        of = np.full(len(book.take_up), -1, dtype=np.int64)
        of[who] = place[number]
        pool = np.flatnonzero(of == len(kept))
        mean, covariance, error = _moments(book, pool)
        return cls(of, size[kept], take_up[kept], flows[:, kept], mean, covariance, len(pool), error)


def years_a_block(model: DefaultModel, strata: Strata) -> int:
    """So many that a block has about `_EVENTS` points."""
    expected = float(np.sum(model.pd[strata.member])) * _RATIO
    return int(min(max(_EVENTS / max(expected, 1.0), 1.0), 500.0))


def draws(
    model: DefaultModel,
    books: list[BookFlows],
    bins: list[Bins],
    strata: Strata,
    factors: Floats,
    risk: Risk,
    seed: int,
    size: int,
) -> Draw:
    """The draws of blocks of `size` years."""
    barrier = model.barrier

    def draw(block: int) -> tuple[Defaults, list[BlockTakeUp]]:
        own = factors[block * size : (block + 1) * size]
        random = stream(seed, DEFAULTS, block)
        year, borrower = _defaulters(strata, barrier, own, risk.rho, random)
        severity = severities(model, borrower, risk.lgd_spread, stream(seed, RECOVERY, block))
        luck = random.random(len(year))
        defaults = Defaults(len(own), year, borrower, severity)
        takings = [
            _takings(book, own_bins, defaults, luck, stream(seed, TAKE_UP, block))
            for book, own_bins in zip(books, bins, strict=True)
        ]
        return defaults, takings

    return draw


def _defaulters(
    strata: Strata, barrier: Floats, factors: Floats, rho: float, random: np.random.Generator
) -> tuple[Integers, Integers]:
    """Years and borrowers of all defaults, sorted, each once."""
    largest = barrier_pd(strata.top, factors[:, strata.sector], rho)
    through = largest > _GO_THROUGH
    rate = -np.log1p(-np.where(through, 0.0, largest))
    points = np.where(through, strata.size, random.poisson(rate * strata.size))
    cell = np.repeat(np.arange(points.size), points.ravel())
    year, stratum = np.divmod(cell, len(strata.size)) if len(strata.size) else (cell, cell)
    whole = through.ravel()[cell]
    first = np.cumsum(points.ravel()) - points.ravel()
    within = np.where(
        whole,
        np.arange(len(cell)) - first[cell],
        (random.random(len(cell)) * strata.size[stratum]).astype(np.int64),
    )
    borrower = strata.member[strata.start[stratum] + within]
    given = barrier_pd(barrier[borrower], factors[year, strata.sector[stratum]], rho)
    with np.errstate(divide="ignore", invalid="ignore"):
        kept = np.where(whole, given, -np.log1p(-given) / rate.ravel()[cell])
    hit = random.random(len(cell)) < kept
    both = np.sort(year[hit] * len(barrier) + borrower[hit])
    both = both[np.diff(both, prepend=-1) > 0]  # np.unique hashes them: fifty times as long
    years, borrowers = np.divmod(both, len(barrier))
    return years, borrowers


def _takings(
    book: BookFlows, bins: Bins, defaults: Defaults, luck: Floats, random: np.random.Generator
) -> BlockTakeUp:
    """Binomials for the bins, a normal for the pool, and the defaulters by their own luck."""
    year, borrower, years = defaults.year, defaults.borrower, defaults.years
    taken = luck < book.take_up[borrower]
    flows = np.where(taken, book.flows[:, borrower], 0.0)
    sums = np.array([np.bincount(year, flow, minlength=years) for flow in flows], dtype=np.float64)
    count, place = len(bins.size), bins.of[borrower]
    exact = (place >= 0) & (place < count)
    fallen = np.bincount(year[exact] * count + place[exact], minlength=years * count)
    left = bins.size - fallen.reshape(years, count)
    takers = random.binomial(left, bins.take_up).astype(np.float64)
    sums += np.einsum("yb,fb->fy", takers, bins.flows)
    if bins.pooled:
        pool = np.flatnonzero(place == count)
        sums += _pooled(book, bins, years, year[pool], borrower[pool], random)
    return BlockTakeUp(sums, taken)


def _pooled(
    book: BookFlows, bins: Bins, years: int, year: Integers, borrower: Integers, random: np.random.Generator
) -> Floats:
    """(3, years) the pool's flows: normal, with mean and covariance less those of the pool's defaulters."""
    share, flows = book.take_up[borrower], book.flows[:, borrower]
    mean = np.array([np.bincount(year, share * flow, minlength=years) for flow in flows])
    spread = share * (1.0 - share)
    covariance = np.array(
        [[np.bincount(year, spread * flow * second, minlength=years) for second in flows] for flow in flows]
    )
    left = bins.covariance[:, :, None] - covariance
    values, vectors = np.linalg.eigh(left.transpose(2, 0, 1))
    scaled = np.sqrt(np.maximum(values, 0.0)) * random.standard_normal((years, 3))
    moved = np.einsum("yfk,yk->fy", vectors, scaled)
    total: Floats = bins.mean[:, None] - mean + moved
    return total


def _moments(book: BookFlows, pool: Integers) -> tuple[Floats, Floats, float]:
    """Mean (3,), covariance (3, 3) and the Berry-Esseen bound of the flows that a pool takes up."""
    share, flows = book.take_up[pool], book.flows[:, pool]
    spread = share * (1.0 - share)
    covariance = np.array([[np.sum(spread * flow * second) for second in flows] for flow in flows])
    third = spread * (share**2 + (1.0 - share) ** 2)
    scale = np.sqrt(np.diag(covariance))
    errors = [
        _BERRY_ESSEEN * float(np.sum(third * np.abs(flow / s) ** 3))
        for flow, s in zip(flows, scale, strict=True)
        if s > 0
    ]
    return np.sum(share * flows, axis=1), covariance, min(max(errors, default=0.0), 1.0)
