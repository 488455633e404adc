"""The offers that some borrowers may get, one line each, and the rule that drops what no optimum needs.

Two options of a borrower differ in value m x + F and in what a unit uses of the limits. Dropping
is safe when another option of the same borrower could replace the dropped one in any allocation
without losing value or breaking a row (proved in docs/formulation.md, section 3).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from allocator.engine.kernel.columns import Columns
from allocator.engine.kernel.hull import hulls_of
from allocator.records.limits import summed
from allocator.records.portfolio import Booleans, Floats, Integers

_BLOCK = 500
"""Borrowers compared at a time: 500 x 29 x 29 flags are half a megabyte."""


@dataclass(frozen=True)
class Options:
    """N options of nb borrowers, ordered by borrower and rate; arrays of shape (N,) but `borrowers`."""

    borrowers: Integers
    """(nb,) positions in the portfolio."""
    owner: Integers
    """Index into `borrowers`."""
    option: Integers
    """Index into the borrower's menu."""
    rate: Floats
    take_up: Floats
    margin: Floats
    """m: value per unit offered."""
    fixed: Floats
    """F: value an offer, whatever its amount."""
    low: Floats
    """Smallest amount: the borrower's, or that of one band of its amounts (`by_band`)."""
    high: Floats
    lot: Floats
    """Amounts are multiples of it."""

    def __len__(self) -> int:
        return len(self.owner)

    def keep(self, mask: Booleans) -> Options:
        """Only the options where `mask` (N,) is true; borrowers stay."""
        return self.take(np.flatnonzero(mask))

    def take(self, lines: Integers) -> Options:
        """The options at `lines` alone; borrowers stay."""
        own = {entry.name: getattr(self, entry.name)[lines] for entry in fields(self)[1:]}
        return Options(self.borrowers, **own)

    @property
    def position(self) -> Integers:
        """(N,) portfolio position of each option's borrower."""
        return self.borrowers[self.owner]


@dataclass(frozen=True)
class Uses:
    """What each option uses of each row: `unit` times the amount, plus `loan`; shapes (m, N)."""

    unit: Floats
    loan: Floats

    def keep(self, mask: Booleans) -> Uses:
        return Uses(self.unit[:, mask], self.loan[:, mask])


def options_of(columns: Columns, borrowers: Integers) -> Options:
    """Every option of `borrowers`; those that cannot be offered anything have none."""
    offers = columns.offers
    counts = np.array([len(menu.rates) for menu in offers.menus] + [0])[offers.menu[borrowers]]
    owner = np.repeat(np.arange(len(borrowers)), counts)
    option = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    position = borrowers[owner]
    menu = offers.menu[position]
    width = max((len(m.rates) for m in offers.menus), default=1)
    rates, take_ups = (np.zeros((max(len(offers.menus), 1), width)) for _ in range(2))
    for number, entry in enumerate(offers.menus):
        rates[number, : len(entry.rates)] = entry.rates
        take_ups[number, : len(entry.rates)] = entry.take_up
    rate, take_up = rates[menu, option], take_ups[menu, option]
    worth = offers.worth(rate, take_up, position)
    ends = offers.low[position], offers.high[position], offers.lots(position)
    return Options(borrowers, owner, option, rate, take_up, *worth, *ends)


def by_band(columns: Columns, options: Options) -> Options:
    """Each option once for each band of amounts that it reaches; as it is where nobody has several."""
    bands = columns.offers.bands
    if bands is None or len(bands) == 1:
        return options
    own = bands.take(options.position)
    free = ~columns.offers.must[options.position]
    parts = []
    for first, last, step in zip(own.first, own.last, own.step, strict=True):
        low = np.ceil(np.maximum(first, np.rint(options.low * 100.0)) / step) * step / 100.0
        high = np.floor(np.minimum(last, np.rint(options.high * 100.0)) / step) * step / 100.0
        held = np.flatnonzero(free & (low <= high) & (first <= last))
        lot = np.broadcast_to(step, low.shape) / 100.0
        parts.append((held, low[held], high[held], lot[held]))
    pinned = np.flatnonzero(~free)
    parts.append((pinned, options.low[pinned], options.high[pinned], options.lot[pinned]))
    line, low, high, lot = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((low, line))
    return replace(options.take(line[order]), low=low[order], high=high[order], lot=lot[order])


def uses_of(columns: Columns, options: Options) -> Uses:
    """What each option uses of each row (docs/formulation.md, section 2)."""
    by_basis = columns.limits.coefficients(options.borrowers)[:, :, options.owner]
    term = columns.offers.term[options.position]
    drawn = options.take_up * summed(options.rate * term * by_basis[2], by_basis[1])
    return Uses(summed(drawn, by_basis[0]), summed(options.take_up * by_basis[4], by_basis[3]))


def undominated(columns: Columns, options: Options) -> Booleans:
    """(N,) options that some optimum may need."""
    if len(options) == 0:
        return np.zeros(0, dtype=bool)
    keep = np.zeros(len(options), dtype=bool)
    first = np.searchsorted(options.owner, np.arange(len(options.borrowers) + 1))
    rule = _undominated_by_rows if columns.limits.uses_rate else _best_somewhere
    for start in range(0, len(options.borrowers), _BLOCK):
        block = slice(first[start], first[min(start + _BLOCK, len(options.borrowers))])
        if block.start < block.stop:
            keep[block] = rule(columns, options.keep(_mask(len(options), block)))
    return keep


def on_hull(columns: Columns, options: Options) -> Booleans:
    """(N,) options whose point (a r, a) is a vertex of its menu's upper hull: the LP needs no other.

    With a negative worth of interest the lower hull would count; prices from this set still give a
    valid bound, only a looser one.
    """
    hulls = hulls_of(columns.offers.menus)
    width = max((len(menu.rates) for menu in columns.offers.menus), default=1)
    vertex = np.zeros((max(len(columns.offers.menus), 1), width), dtype=bool)
    for number, menu in enumerate(columns.offers.menus):
        take = hulls.take[hulls.first[number] : hulls.first[number + 1]]
        gross = hulls.gross[hulls.first[number] : hulls.first[number + 1]]
        place = np.searchsorted(take, menu.take_up)
        held = np.minimum(place, len(take) - 1)
        vertex[number, : len(menu.rates)] = (take[held] == menu.take_up) & (
            gross[held] == menu.take_up * menu.rates
        )
    return vertex[columns.offers.menu[options.position], options.option]


def _mask(size: int, block: slice) -> Booleans:
    mask = np.zeros(size, dtype=bool)
    mask[block] = True
    return mask


def _padded(options: Options, values: Floats, fill: float) -> tuple[Floats, tuple[Integers, Integers]]:
    """`values` as a table (borrowers of the block, most options), and where each option stands in it."""
    owners, row = np.unique(options.owner, return_inverse=True)
    first = np.searchsorted(options.owner, owners)
    column = np.arange(len(options)) - first[row]
    table = np.full((len(owners), int(column.max()) + 1), fill)
    table[row, column] = values
    return table, (row, column)


def _best_somewhere(columns: Columns, options: Options) -> Booleans:
    """No row depends on the rate: keep the options that are best for some amount in [low, high].

    The values m x + F of a borrower's options are lines over [low, high]; their upper envelope is
    walked from `low`, one line a step, all borrowers at once. Ties go to the steeper, then to the
    lower rate.
    """
    slope, place = _padded(options, options.margin, -np.inf)
    level, _ = _padded(options, options.fixed, 0.0)
    owners = options.borrowers[np.unique(options.owner)]
    here, end = columns.offers.low[owners].copy(), columns.offers.high[owners]
    rows = np.arange(len(slope))
    value = slope * here[:, None] + level
    tied = value >= value.max(axis=1, keepdims=True)
    current = np.argmax(np.where(tied, slope, -np.inf), axis=1)
    kept = np.zeros(slope.shape, dtype=bool)
    active = np.ones(len(slope), dtype=bool)
    while active.any():
        kept[rows[active], current[active]] = True
        steeper = slope - slope[rows, current][:, None]
        fall = level[rows, current][:, None] - level
        with np.errstate(divide="ignore", invalid="ignore"):
            cross = np.where(steeper > 0, fall / steeper, np.inf)
        cross = np.maximum(cross, here[:, None])
        nearest = cross.min(axis=1)
        active &= nearest < end
        tied = cross <= nearest[:, None]
        following = np.argmax(np.where(tied & np.isfinite(cross), slope, -np.inf), axis=1)
        current = np.where(active, following, current)
        here = np.where(active, nearest, here)
    return np.asarray(kept[place])


def _undominated_by_rows(columns: Columns, options: Options) -> Booleans:
    """Some row depends on the rate: k' removes k only if it is worth no less at both ends and uses no more.

    "No more" is by the row's direction: <= for at_most, >= for at_least, = for exactly. Of equal
    options the first stays.
    """
    owners = options.borrowers[np.unique(options.owner)]
    margin, place = _padded(options, options.margin, np.nan)
    fixed, _ = _padded(options, options.fixed, 0.0)
    low, high = (margin * end[owners, None] + fixed for end in (columns.offers.low, columns.offers.high))
    with np.errstate(invalid="ignore"):
        better = (low[:, :, None] >= low[:, None, :]) & (high[:, :, None] >= high[:, None, :])
    by_basis = columns.limits.coefficients(owners)
    take_up, _ = _padded(options, options.take_up, 0.0)
    rate, _ = _padded(options, options.rate, 0.0)
    income = take_up * rate * columns.offers.term[owners, None]
    for j, row in enumerate(columns.limits.rows):
        drawn, interest, booked = by_basis[1, j], by_basis[2, j], by_basis[4, j]
        unit, loan = take_up * drawn[:, None] + income * interest[:, None], take_up * booked[:, None]
        for use in (unit, loan):
            if not use.any():
                continue
            if row.sense in ("at_most", "exactly"):
                better &= use[:, :, None] <= use[:, None, :]
            if row.sense in ("at_least", "exactly"):
                better &= use[:, :, None] >= use[:, None, :]
    earlier = np.tri(margin.shape[1], k=-1, dtype=bool).T
    removes = better & (~better.transpose(0, 2, 1) | earlier)
    removed = np.asarray(removes.any(axis=1)[place], dtype=bool)
    return ~removed
