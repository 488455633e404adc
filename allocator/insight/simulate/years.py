"""The years of one or several allocations over the same borrowers."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from allocator.errors import Fault, InputError, row_count
from allocator.insight.simulate import binned, each
from allocator.insight.simulate.binned import Bins, Strata
from allocator.insight.simulate.blocks import Block, Draw, block_of
from allocator.insight.simulate.book import DRAWN, BookFlows
from allocator.insight.simulate.factors import DefaultModel, draw_factors, expected_given
from allocator.insight.simulate.record import Method, Risk, Years
from allocator.records.columns import NUMBERS
from allocator.records.outcome import Outcome
from allocator.records.portfolio import Codes, Floats, Portfolio, Text
from allocator.records.progress import Progress

_EACH_UP_TO = 50_000_000
"""Borrowers times years that are drawn borrower by borrower."""
_MOST_SEGMENTS = 1_000
"""Values that the factors' column may have."""


def draw_years(
    outcomes: Mapping[str, Outcome],
    risk: Risk | None = None,
    *,
    years: int = 10_000,
    seed: int = 0,
    method: Method | None = None,
    threads: int = 2,
    progress: Progress = lambda _: None,
) -> dict[str, Years]:
    """Simulated years of the allocations `outcomes`, by name, of borrowers who have the same figures in all.

    All of them meet the same years: factors and defaults in common, and by `each` the same luck of
    every borrower with take-up too; so differences are far surer than either side. With `each` that
    holds between two calls of one seed as well. `method` None takes `each` up to EACH_UP_TO borrowers
    times years, then `binned`. The same arguments give the same bits whatever `threads` is.

    Raises InputError with every fault of the risk's figures, the years, the seed and the factors' column.
    """
    risk = risk or Risk()
    portfolio = next(iter(outcomes.values())).inputs.portfolio
    _check(portfolio, risk, years, seed)
    column = portfolio.grade if risk.by is None else portfolio.text(risk.by)
    sector = np.zeros(len(portfolio), dtype=np.int32) if risk.by is None else column.codes
    model = DefaultModel(portfolio.pd, portfolio.lgd, sector, risk.rho)
    factors = draw_factors(risk, len(column.values) if risk.by is not None else 1, years, seed)
    books = {name: BookFlows.of(outcome) for name, outcome in outcomes.items()}
    chosen: Method = method or ("each" if years * len(portfolio) <= _EACH_UP_TO else "binned")
    bins = [Bins.of_book(book) for book in books.values()] if chosen == "binned" else []
    draw, size = _draws(chosen, model, list(books.values()), bins, factors, risk, seed)
    parts = _blocks(draw, size, years, list(books.values()), column, threads, progress)
    results = {}
    for number, (name, book) in enumerate(books.items()):
        progress("adding up the years")
        loss_weight = book.take_up * book.flows[DRAWN] * portfolio.lgd
        results[name] = _years(
            [part[number] for part in parts],
            expected_given(model, loss_weight, factors),
            book,
            chosen,
            bins[number] if bins else None,
        )
    return results


def _draws(
    method: Method,
    model: DefaultModel,
    books: list[BookFlows],
    bins: list[Bins],
    factors: Floats,
    risk: Risk,
    seed: int,
) -> tuple[Draw, int]:
    """The draws by block, and the years of a block."""
    if method == "each":
        size = each.years_a_block(len(model.pd))
        return each.draws(model, books, factors, risk, seed, size), size
    offered = np.any([book.offered for book in books], axis=0)
    strata = Strata.of(model, offered)
    size = binned.years_a_block(model, strata)
    return binned.draws(model, books, bins, strata, factors, risk, seed, size), size


def _blocks(
    draw: Draw, size: int, years: int, books: list[BookFlows], column: Text, threads: int, progress: Progress
) -> list[list[Block]]:
    """Every block's years, in order, one list a block with one entry a book."""
    segment: Codes = column.codes

    def run(block: int) -> list[Block]:
        defaults, takings = draw(block)
        return [
            block_of(book, defaults, own, segment, len(column.values))
            for book, own in zip(books, takings, strict=True)
        ]

    blocks = range(-(-years // size))
    done: list[list[Block]] = []
    pool = ThreadPoolExecutor(max_workers=threads)
    try:
        for part in pool.map(run, blocks):
            done.append(part)
            progress(f"simulated {min(len(done) * size, years):,} of {years:,} years")
    finally:
        pool.shutdown(cancel_futures=True)
    return done


def _years(
    parts: list[Block], systematic: Floats, book: BookFlows, method: Method, bins: Bins | None
) -> Years:
    return Years(
        **{name: np.concatenate([block[name] for block in parts]) for name in parts[0]},
        systematic=systematic,
        expected=book.expected,
        method=method,
        exact_bins=0 if bins is None else len(bins.size),
        pooled=0 if bins is None else bins.pooled,
        normal_error=0.0 if bins is None else bins.error,
    )


def _check(portfolio: Portfolio, risk: Risk, years: int, seed: int) -> None:
    """Raise InputError with everything that cannot be simulated."""
    faults = []
    for name, value, below_one in (
        ("rho", risk.rho, True),
        ("between", risk.between, False),
        ("lgd_spread", risk.lgd_spread, True),
    ):
        if not (0 <= value < 1 or (value == 1 and not below_one)):
            top = "below 100%" if below_one else "at most 100%"
            faults.append(Fault(f"{value:g} is out of range", f"write 0% or more and {top}", field=name))
    if years < 100:
        faults.append(Fault(f"{years} years say little", "simulate at least 100", field="years"))
    if seed < 0:
        faults.append(Fault(f"{seed} is below 0", "give a seed of at least 0", field="seed"))
    if risk.by is not None:
        faults += _column_faults(portfolio, risk.by)
    if faults:
        raise InputError.of(faults, "simulation")


def _column_faults(portfolio: Portfolio, by: str) -> list[Fault]:
    if by not in ("grade", *portfolio.texts) or by in {column.name for column in NUMBERS}:
        return [Fault(f"the portfolio has no text column {by}", "name another column", field="by")]
    column = portfolio.text(by)
    faults = []
    if len(column.values) > _MOST_SEGMENTS:
        problem = f"{by} has {len(column.values):,} values, each with a factor of its own"
        faults.append(Fault(problem, f"name a column of at most {_MOST_SEGMENTS:,}", field="by"))
    missing = np.flatnonzero(column.codes < 0)
    if len(missing):
        problem = f"{by} is missing in {row_count(len(missing))}"
        row = int(np.min(portfolio.row[missing]))
        faults.append(Fault(problem, "fill the column", file=portfolio.source, row=row, field=by))
    return faults
