"""Where a node is split: the borrowers that its LP leaves fractional, and the two sides for one of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from allocator.engine.pool import NO_OFFER, Pool, PoolAnswer
from allocator.engine.restricted import Book, ChoiceSets
from allocator.records.lots import CENT, lots_to_money
from allocator.records.portfolio import Booleans

_WHOLE = 1e-6
"""A share, or a count of steps, this near a whole number is one."""
_TRIED = 12
"""Splits that strong branching tries at a node."""
_LEAST = 1e-6
"""A side that falls by less, as a part of what is asked for, counts as falling by this."""


@dataclass(frozen=True)
class Split:
    """Two sides that together cover everything that a node leaves one borrower."""

    borrower: int
    sides: tuple[ChoiceSets, ChoiceSets]
    options: tuple[Booleans, Booleans] | None = None
    """(K,) each: the borrower's options on either side; no offer, where allowed, is on the second."""
    amount: float | None = None
    """Where amounts are split: the first side ends here, the second begins a lot above, without declining."""
    evenness: float = 0.0
    """The smaller of the two shares that the LP's point has on either side."""


def splits_of(book: Book, sets: ChoiceSets, answer: PoolAnswer, lot: float | None) -> list[Split]:
    """What fractional borrowers offer to split, the most even first; none where nothing is left to split.

    Amounts are split in lots of `lot`; None: not at all.
    """
    splits: list[Split] = []
    owners = answer.points.owner
    for i in np.unique(owners[answer.shares < 1.0]):
        own = np.flatnonzero(owners == i)
        shares, lines = answer.shares[own], answer.points.line[own]
        held = np.unique(lines[shares > _WHOLE])
        if len(held) > 1:
            splits += _option_splits(book, sets, int(i), lines, shares)
        elif lot is not None and held[0] != NO_OFFER and book.columns.offers.bands is not None:
            splits += _band_splits(book, sets, int(i), float(shares @ answer.points.amount[own]))
        elif lot is not None and held[0] != NO_OFFER:
            splits += _amount_splits(book, sets, int(i), float(shares @ answer.points.amount[own]) / lot, lot)
    return sorted(
        [entry for entry in splits if entry.evenness > 0.0] or splits, key=lambda split: -split.evenness
    )


def _option_splits(
    book: Book, sets: ChoiceSets, i: int, lines: np.ndarray, shares: np.ndarray
) -> list[Split]:
    """One split between each two neighbours among the options in use, by rate, no offer last."""
    span = book.lines(i)
    count = span.stop - span.start
    share_at = np.zeros(count + 1)
    np.add.at(share_at, np.where(lines == NO_OFFER, count, lines - span.start), shares)
    places = np.flatnonzero(share_at > _WHOLE)
    splits = []
    for left, right in pairwise(places.tolist()):
        cut = count if right == count else (left + right + 1) // 2
        below = float(share_at[:cut].sum())
        splits.append(_option_split(book, sets, i, cut, min(below, 1.0 - below)))
    return splits


def _amount_splits(book: Book, sets: ChoiceSets, i: int, count: float, lot: float) -> list[Split]:
    """A split at `count` lots of the borrower's amount, of evenness 0 where these are whole inside the range.

    Then the LP's point breaks a limit by the solver's tolerance, or a price must turn at the amount.
    """
    below, near = float(np.floor(count)), float(np.rint(count))
    if abs(count - near) > _WHOLE:
        return [_amount_split(book, sets, i, below, lot, min(count - below, 1.0 + below - count))]
    span = book.lines(i)
    low, high = sets.low[span][sets.options[span]], sets.high[span][sets.options[span]]
    inside = low.min() / lot + 0.5 < near < high.max() / lot - 0.5
    return [_amount_split(book, sets, i, near, lot, 0.0)] if inside else []


def _option_split(book: Book, sets: ChoiceSets, i: int, cut: int, evenness: float) -> Split:
    """Options before `cut` on one side, the others and no offer on the other."""
    span = book.lines(i)
    own = sets.options[span]
    before = np.arange(len(own)) < cut
    first, second = own & before, own & ~before
    without = sets.no_offer.copy()
    without[i] = False
    sides = (
        replace(sets, options=_with_row(sets.options, span, first), no_offer=without),
        replace(sets, options=_with_row(sets.options, span, second)),
    )
    return Split(i, sides, (first, second), None, evenness)


def _amount_split(book: Book, sets: ChoiceSets, i: int, count: float, lot: float, evenness: float) -> Split:
    """Up to `count` lots on one side, with no offer; a lot more on the other."""
    amount, beyond = lots_to_money(np.array([count, count + 1.0]), lot).tolist()
    return _split_between(book, sets, i, amount, beyond, evenness)


def _band_splits(book: Book, sets: ChoiceSets, i: int, amount: float) -> list[Split]:
    """The same where amounts go by bands: between those on either side of `amount`, or beyond it."""
    bands = book.columns.offers.bands
    assert bands is not None
    own, amounts = bands.take(np.array([book.options.borrowers[i]])), np.array([amount])
    below, above = float(own.down(amounts)[0]), float(own.up(amounts)[0])
    part = min(amount - below, above - amount) / (above - below) if above > below else 0.0
    if part > _WHOLE:
        return [_split_between(book, sets, i, below, above, part)]
    held = below if amount - below <= above - amount else above
    span = book.lines(i)
    low, high = sets.low[span][sets.options[span]], sets.high[span][sets.options[span]]
    beyond = float(own.up(np.array([held + CENT]))[0])
    inside = low.min() < held < high.max() and beyond < np.inf
    return [_split_between(book, sets, i, held, beyond, 0.0)] if inside else []


def _split_between(
    book: Book, sets: ChoiceSets, i: int, amount: float, beyond: float, evenness: float
) -> Split:
    """Up to `amount` on one side, with no offer; from `beyond` on, the next one, on the other."""
    span = book.lines(i)
    without = sets.no_offer.copy()
    without[i] = False
    lower = _with_row(sets.high, span, np.minimum(sets.high[span], amount))
    upper = _with_row(sets.low, span, np.maximum(sets.low[span], beyond))
    sides = (
        _nonempty(replace(sets, high=lower)),
        _nonempty(replace(sets, low=upper, no_offer=without)),
    )
    return Split(i, sides, None, amount, evenness)


def _nonempty(sets: ChoiceSets) -> ChoiceSets:
    """Options whose range is empty are out."""
    return replace(sets, options=sets.options & (sets.low <= sets.high))


def _with_row(values: np.ndarray, span: slice, own: np.ndarray) -> np.ndarray:
    changed = values.copy()
    changed[span] = own
    return changed


def choose(pool: Pool, splits: list[Split], bound: float, target: float) -> Split:
    """The split whose sides fall most: strong branching (Applegate, Bixby, Chvatal and Cook, 1995).

    A side that falls to the target is closed, so no fall counts for more than that.
    """
    if len(splits) == 1:
        return splits[0]
    tried = splits[:_TRIED]
    basis = pool.basis
    wanted = max(bound - target, 1e-300)
    scores = []
    for split in tried:
        score = 1.0
        for side in split.sides:
            pool.restart(basis)
            part = (bound - pool.solve(side).value) / wanted
            score *= min(max(part, _LEAST), 1.0)
        scores.append(score)
    return tried[int(np.argmax(scores))]
