"""Shares of what is lent that only an empty book can keep.

Four groups with at most 20 % of the total each leave 20 % to nobody. Whether some book of at least one loan
keeps the shares is a linear program over the groups of borrowers who count alike: what is offered to a group,
what it draws and what else the shares weigh, each between the least and the most that the group's offers make
of it. Where it has no solution no book has one, for it allows more than every book may do. What the program
cannot tell apart, three shares of 33.3333333333 %, is added up in decimals.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf
from typing import Any

import numpy as np
from scipy import sparse

from allocator.limits.measures import OF_PARTS
from allocator.limits.possible import PossibleOffers, row_of
from allocator.limits.whole import decimal
from allocator.records.limits import BASES, Limits, entry_of
from allocator.records.offers import OfferBook
from allocator.records.portfolio import Booleans, Floats, Integers, Portfolio
from allocator.records.scenario import Limit, Policy

MOST = 20_000
"""Groups and rows up to which the program is solved."""
_TOLERANCE = 1e-9
_INFEASIBLE = 2
"""How linprog says that there is no solution."""


def only_an_empty_book(
    policy: Policy, portfolio: Portfolio, offers: OfferBook, limits: Limits
) -> Iterator[str]:
    """One note that names limits, as few as say it, which no book with a loan in it keeps."""
    known = (limit for limit in policy.enforced if limit.reference is not None and limit.penalty == inf)
    # Of money moved and of value loans take off; a limit on a condition some book need not keep.
    shares = [limit for limit in known if limit.measure not in OF_PARTS and not limit.if_lent_to]
    names = [entry_of(row.name) for row in limits.rows]

    def rows_of(some: Sequence[Limit]) -> list[int]:
        chosen = {limit.name for limit in some}
        return [place for place, name in enumerate(names) if name in chosen]

    program = _Program.of(offers, limits, rows_of(shares))
    if program is None:
        return
    if program.some_book(program.rows):
        lendable = PossibleOffers(offers, limits).cells
        some = [
            share
            for share in (*([share] for share in shares), shares)
            if _just_off(limits, lendable, rows_of(share))
        ]
        shares = some[0] if some else []
    else:
        for share in list(shares):
            rest = [limit for limit in shares if limit is not share]
            if rest and not program.some_book(rows_of(rest)):
                shares = rest
    if not shares:
        return
    rows = rows_of(shares)
    kept = all(_kept_by_nothing(limits, place) for place in rows) and not portfolio.exposure.any()
    which = "only a book without any loan keeps" if kept else "no book with a loan in it keeps"
    named = " and ".join(repr(limit.name) for limit in shares)
    together = " together" if len(shares) > 1 else ""
    kind = "limits" if len(shares) > 1 else "limit"
    yield f"{which} {kind} {named}{together}{_sum(shares, program, limits, rows)}"


def _just_off(limits: Limits, lendable: Booleans, rows: Sequence[int]) -> bool:
    """Whether shares of the money offered miss all of it, in decimals and so by however little.

    Caps that together count everybody have to add up to all of it, and floors that count nobody twice to no
    more. `lendable` (cells,) tells which cells hold somebody who can be lent to.
    """
    some = [limits.rows[place] for place in rows]
    whole = [row.whole for row in some if row.measure == "offered" and row.whole is not None]
    if not rows or len(whole) < len(rows) or any(row.weight != 1 or not row.share for row in whole):
        return False
    times = np.zeros(limits.cells, dtype=np.int64)
    for place, row in zip(rows, some, strict=True):
        times[slice(None) if row.everybody else row_of(limits.matrix, place)[0] // len(limits.channels)] += 1
    total, room = (
        sum(figures, Fraction(0)) for figures in zip(*((r.share, r.rhs) for r in whole), strict=True)
    )
    senses, times = {row.sense for row in some}, times[lendable]
    short = "at_least" not in senses and total < 1 and room <= 0 and np.all(times > 0)
    return bool(short or ("at_most" not in senses and total > 1 and room >= 0 and np.all(times < 2)))


def _kept_by_nothing(limits: Limits, row: int) -> bool:
    rhs = limits.rows[row].rhs
    return {"at_most": rhs >= 0, "at_least": rhs <= 0, "exactly": rhs == 0}[limits.rows[row].sense]


def _sum(shares: Sequence[Limit], program: _Program, limits: Limits, rows: Sequence[int]) -> str:
    """What the shares add up to, where that is the reason."""
    plain = all(
        (share.measure, share.of) in (("offered", "total"), ("drawn", "drawn")) and not share.weight
        for share in shares
    )
    senses = {share.sense for share in shares}
    if not plain or len(senses) > 1:
        return ""
    bound = {share.name: decimal(share.bound) for share in shares}
    sense = senses.pop()
    counted = [place for place in rows if sense != "at_most" or program.counts_somebody(place)]
    total = sum((bound[entry_of(limits.rows[place].name)] for place in counted), Fraction(0))
    if (total < 1 and sense != "at_least") or (total > 1 and sense != "at_most"):
        many = f"{len(counted):,} shares add" if len(counted) > 1 else "share comes"
        whose = "their" if len(shares) > 1 else "its"
        percent = f"{float(100 * total):.6g}"
        percent = repr(float(100 * total)) if percent == "100" else percent
        return f": {whose} {many} up to {percent} % of what is lent"
    idle = [place for place in rows if not program.counts_somebody(place)]
    if sense != "at_most" and idle:
        return f": nobody whom {limits.rows[idle[0]].name!r} counts can be lent to"
    return ""


@dataclass(frozen=True)
class _Program:
    """Is there a book of at least one loan that keeps some rows? Money in units of the smallest loan."""

    rows: list[int]
    """The shares, as places among the limits."""
    left: sparse.csr_array
    """(rows, variables)"""
    rhs: Floats
    """(rows,)"""
    senses: tuple[str, ...]
    ties: sparse.csr_array
    """(ties, variables): ties x <= 0, whatever is decided."""
    high: Floats
    """(variables,) inf but for the money offered to each group, which comes first, and is at least 0."""
    groups: int
    offered: int
    """The variable that is all the money offered."""
    inside: frozenset[int]
    """Rows that count somebody who can be lent to."""

    @classmethod
    def of(cls, offers: OfferBook, limits: Limits, rows: list[int]) -> _Program | None:
        """The program; None where there are no shares, nobody to lend to, or too many groups."""
        possible = PossibleOffers(offers, limits)
        groups = np.flatnonzero(possible.cells) if rows and len(possible.who) else np.empty(0, dtype=np.int64)
        if not len(groups) or len(groups) + len(rows) > MOST:
            return None
        unit = float(np.min(offers.low[possible.who]))
        columns = _Columns(possible, groups, unit)
        left, inside = columns.rows(rows)
        money = np.bincount(possible.cell, offers.high[possible.who], minlength=limits.cells)[groups]
        high = np.full(columns.size, np.inf)
        high[: len(groups)] = money / unit
        return cls(
            rows, _matrix(left, columns.size), np.array([limits.rows[row].rhs for row in rows]) / unit,
            tuple(limits.rows[row].sense for row in rows), _matrix(columns.ties, columns.size),
            high, len(groups), columns.offered, frozenset(inside),
        )  # fmt: skip

    def counts_somebody(self, row: int) -> bool:
        return row in self.inside

    def some_book(self, rows: Sequence[int]) -> bool:
        """Whether some book of at least one loan may keep `rows`."""
        from scipy import optimize

        linprog: Any = optimize.linprog  # whose types know nothing of sparse matrices
        place = {row: k for k, row in enumerate(self.rows)}
        places = [place[row] for row in rows]
        upper = [k for k in places if self.senses[k] != "at_least"]
        lower = [k for k in places if self.senses[k] != "at_most"]
        low = np.full(len(self.high), -np.inf)
        low[: self.groups] = 0.0
        low[self.offered] = 1.0
        answer = linprog(
            np.zeros(len(self.high)),
            A_ub=sparse.vstack([self.left[upper], -self.left[lower], self.ties], format="csr"),
            b_ub=np.concatenate([self.rhs[upper], -self.rhs[lower], np.zeros(self.ties.shape[0])]),
            bounds=np.column_stack([low, self.high]),
            method="highs",
            options={"primal_feasibility_tolerance": _TOLERANCE},
        )
        return bool(answer.status != _INFEASIBLE)


Entries = list[tuple[Integers, Floats]]
"""Rows of a matrix: columns and values of each."""


class _Columns:
    """The variables, one per group and quantity, and what ties them to one another."""

    def __init__(self, possible: PossibleOffers, groups: Integers, unit: float) -> None:
        self.possible, self.groups, self.unit = possible, groups, unit
        self.size = 0
        self.ties: Entries = []
        self._known: dict[int, Integers] = {}
        self._totals: dict[int, int] = {}
        self._money = self._more(len(groups))
        self._drawn = self._more(len(groups))
        self._tied(self._drawn, self._money, *possible.take_up)
        self.offered = self._sum(self._money)

    def of(self, channel: int) -> Integers:
        """(groups,) the variables of a channel."""
        if channel not in self._known:
            self._known[channel] = self._made(channel)
        return self._known[channel]

    def total(self, channel: int) -> int:
        """The variable that is the sum over all groups."""
        if channel not in self._totals:
            self._totals[channel] = self._sum(self.of(channel))
        return self._totals[channel]

    def _sum(self, parts: Integers) -> int:
        """A variable that is the sum of others."""
        whole = int(self._more(1)[0])
        columns, balance = np.append(parts, whole), np.append(np.ones(len(parts)), -1.0)
        self.ties += [(columns, balance), (columns, -balance)]
        return whole

    def rows(self, rows: Sequence[int]) -> tuple[Entries, list[int]]:
        """Left-hand sides of `rows` of the limits, and which of them count somebody."""
        limits, channels = self.possible.limits, len(self.possible.limits.channels)
        place = np.full(limits.cells, -1)
        place[self.groups] = np.arange(len(self.groups))
        entries, inside = [], []
        for row in rows:
            own, weights = row_of(limits.matrix, row)
            here = place[own // channels] >= 0
            shared, factors = row_of(limits.everywhere, row)
            columns = [
                self.of(int(h))[place[c]]
                for c, h in zip(own[here] // channels, own[here] % channels, strict=True)
            ]
            columns += [self.total(int(h)) for h in shared]
            entries.append((np.array(columns, dtype=np.int64), np.append(weights[here], factors)))
            if here.any() or not len(own):
                inside.append(row)
        return entries, inside

    def _made(self, channel: int) -> Integers:
        limits, possible = self.possible.limits, self.possible
        kind, weight = BASES[limits.channels[channel].basis], limits.channels[channel].weight
        basis = self._money if kind in ("offered", "loans") else self._drawn
        if weight is None and kind in ("offered", "drawn"):
            return basis
        ones = np.ones(len(possible.who))
        term = possible.offers.term[possible.who]
        span = (ones, ones) if kind != "interest" else (possible.rate[0] * term, possible.rate[1] * term)
        if kind == "loans":  # a loan of x is 1 / x loans a unit of money
            span = (
                self.unit / possible.offers.high[possible.who],
                self.unit / possible.offers.low[possible.who],
            )
        made = self._more(len(self.groups))
        self._tied(made, basis, *possible.weighted(channel, span))
        return made

    def _tied(self, made: Integers, basis: Integers, low: Floats, high: Floats) -> None:
        """`made` lies between the least `low` and the most `high` of a group's borrowers, times `basis`."""
        least = self.possible.of_cells(np.minimum, low)[self.groups]
        most = self.possible.of_cells(np.maximum, high)[self.groups]
        for k in range(len(self.groups)):
            pair = np.array([basis[k], made[k]])
            self.ties += [(pair, np.array([least[k], -1.0])), (pair, np.array([-most[k], 1.0]))]

    def _more(self, count: int) -> Integers:
        self.size += count
        return np.arange(self.size - count, self.size)


def _matrix(rows: Entries, columns: int) -> sparse.csr_array:
    owner = np.concatenate([np.full(len(own), row) for row, (own, _) in enumerate(rows)])
    where = np.concatenate([own for own, _ in rows])
    values = np.concatenate([value for _, value in rows])
    return sparse.coo_array((values, (owner, where)), shape=(len(rows), columns)).tocsr()
