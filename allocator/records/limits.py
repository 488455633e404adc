"""The limits as rows over five bases.

Row j reads  sum_i sum_b coefficient_jbi basis_b(i)  {<=, >=, =}  rhs_j  with the bases
offered = x, drawn = a x, interest = a r T x (gross), loans = 1 and booked = a (docs/formulation.md, section
2).
Coefficients never depend on the rate, and few of them differ: borrowers of one *cell* (the same
membership in every filter) share theirs, up to the borrower's own weights. A *channel* is a basis
times a weight column; so a row is a sparse vector over cells x channels, plus what it counts in
every cell alike (the budget, the reference of a share), and nothing of size borrowers x rows or
cells x rows is stored.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from math import inf

import numpy as np

from allocator.lean import UNNEEDED_BY_SCIPY, without
from allocator.records.portfolio import Booleans, Codes, Floats, Integers
from allocator.records.scenario import Limit, Measure, Policy, Sense

with without(UNNEEDED_BY_SCIPY):  # the first import of SciPy
    from scipy import sparse

BASES = ("offered", "drawn", "interest", "loans", "booked")

_CANCELLED = 1e-13
"""A sum this small beside one of its parts is rounding; blown up by a price it would decide."""


def entry_of(row: str) -> str:
    """The name of the policy's entry that a row called `row` is of: names of entries have no brackets."""
    return row.partition("[")[0].rstrip()


def is_percentage(limit: Limit) -> bool:
    """Whether a share reads as a percentage: not one beyond 1 of a column of weights, as of turnover."""
    return limit.weight is None or abs(limit.bound) <= 1.0


def summed(left: Floats, right: Floats) -> Floats:
    """The sum of two coefficients; 0 where they cancel, as an interest of 4 % does against a share of 4 %."""
    total = left + right
    return np.where(np.abs(total) <= _CANCELLED * np.abs(right), 0.0, total)


@dataclass(frozen=True)
class Channel:
    """A basis (index into BASES) times a column of weights (None: 1)."""

    basis: int
    weight: Floats | None
    """(n,)"""


@dataclass(frozen=True)
class Whole:
    """A row that is decided in decimals, without a tolerance (docs/formulation.md, section 2).

    weight x (sum over the row's borrowers) - share x (sum over everybody)  {<=, >=, =}  rhs
    in money offered or in loans, what is already lent taken off.
    """

    weight: Fraction
    share: Fraction
    rhs: Fraction


@dataclass(frozen=True)
class Row:
    """One limit: its name, direction, right-hand side and what its verdict is measured against."""

    name: str
    measure: Measure
    sense: Sense
    rhs: float
    """Right-hand side with the exposure already lent taken off."""
    size: float
    """|b|: the right-hand side as the policy has it; 0 for a share of what is lent."""
    amount: float = 1.0
    """What a bound of 1 is, where it is a fraction of a figure."""
    share: float = 0.0
    """q, where the right-hand side is a share of what is lent."""
    reference: str = ""
    """The basis that the share is of; '' without one."""
    base: Booleans | None = None
    """(cells,) whom the reference counts; None: everybody."""
    lent: float = 0.0
    """What is already lent of it."""
    least_weight: float = 0.0
    """Of a row of loans with differing weights the smallest but 0, whatever its sign: no tolerance is
    worth one more loan."""
    everybody: bool = False
    """Whether the row counts every borrower; else it counts those whose cells `Limits.matrix` names."""
    whole: Whole | None = None
    """The row in decimals, where it is a whole row."""
    penalty: float = inf
    """What a unit of the row's excess costs; inf: the row must hold."""


@dataclass(frozen=True)
class Limits:
    """m rows, the budget first, over `cells` x `channels`."""

    rows: tuple[Row, ...]
    cell: Codes
    """(n,) cell of each borrower."""
    cells: int
    channels: tuple[Channel, ...]
    matrix: sparse.csr_array
    """(m, cells * channels): coefficient of row j at cell c, channel h in column c * channels + h."""
    everywhere: sparse.csr_array
    """(m, channels): what comes on top of it in every cell."""
    idle_rate: float
    """What a unit of unspent budget earns."""
    notes: tuple[str, ...] = ()
    """Limits of the policy that count nobody, in words."""

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def rhs(self) -> Floats:
        """(m,) right-hand sides."""
        return np.array([row.rhs for row in self.rows])

    @cached_property
    def sizes(self) -> Floats:
        """(m,) |b|, 0 for shares of what is lent."""
        return np.array([row.size for row in self.rows])

    @cached_property
    def shares(self) -> Floats:
        """(m,) |q|, 0 for rows that are no share of what is lent."""
        return np.array([abs(row.share) for row in self.rows])

    @cached_property
    def senses(self) -> tuple[Sense, ...]:
        return tuple(row.sense for row in self.rows)

    @cached_property
    def penalties(self) -> Floats:
        """(m,) what a unit of each row's excess costs; inf where the row must hold."""
        return np.array([row.penalty for row in self.rows])

    @cached_property
    def soft(self) -> Integers:
        """The rows that may be missed."""
        return np.flatnonzero(np.isfinite(self.penalties))

    @cached_property
    def relief(self) -> Floats:
        """(m,) what a unit of a row's excess adds to its left-hand side, so that the row holds."""
        return np.array([1.0 if row.sense == "at_least" else -1.0 for row in self.rows])

    def penalty_of(self, used: Floats) -> float:
        """What the soft rows cost at left-hand sides `used` (m,)."""
        rows = self.soft
        excess = np.maximum(self.relief[rows] * (self.rhs[rows] - used[rows]), 0.0)
        return float(self.penalties[rows] @ excess)

    @property
    def idle_room(self) -> float:
        """How much of the budget may stay unspent and earn `idle_rate`: none where it is spent exactly."""
        return self.rows[0].rhs if self.rows[0].sense == "at_most" else 0.0

    @property
    def uses_rate(self) -> bool:
        """Whether some row's use depends on the rate (basis drawn, interest or booked)."""
        return any(self.channels[h].basis in (1, 2, 4) for h in self.used_channels())

    def used_channels(self) -> tuple[int, ...]:
        """Channels that some row gives a coefficient other than 0."""
        single = self.matrix.indices[self.matrix.data != 0] % len(self.channels)
        common = self.everywhere.indices[self.everywhere.data != 0]
        return tuple(int(h) for h in np.union1d(single, common))

    def over(self, rows: Integers) -> Limits:
        """The limits of `rows` (positions, ascending) alone."""
        if len(rows) == len(self):
            return self
        kept = tuple(self.rows[j] for j in rows)
        return replace(self, rows=kept, matrix=self.matrix[rows], everywhere=self.everywhere[rows])

    def use_of(self, sums: Floats) -> Floats:
        """(m,) left-hand sides from sums (cells, channels) of what borrowers use of each channel."""
        return np.asarray(self.uses_of(sums[None])[0])

    def uses_of(self, sums: Floats) -> Floats:
        """(k, m) left-hand sides from k sums, shape (k, cells, channels), of what borrowers use."""
        single = self.matrix @ sums.reshape(len(sums), -1).T
        return np.asarray((single + self.everywhere @ sums.sum(axis=1).T).T)

    def charges(self, prices: Floats) -> Floats:
        """(cells, channels) what one unit of each channel costs in each cell at `prices` (m,)."""
        single = (self.matrix.T @ prices).reshape(self.cells, len(self.channels))
        return np.asarray(single + self.everywhere.T @ prices)

    def in_each_cell(self) -> sparse.csr_array:
        """(m, cells * channels) all coefficients, those that are the same everywhere repeated a cell."""
        repeated = sparse.kron(np.ones((1, self.cells)), self.everywhere, format="csr")
        return sparse.csr_array(self.matrix + repeated)

    def coefficients(self, borrowers: np.ndarray) -> np.ndarray:
        """Coefficients of the given borrowers, shape (5, m, len(borrowers)), by basis."""
        channels = len(self.channels)
        columns, common = self.matrix.tocsc(), self.everywhere.toarray()
        out = np.zeros((len(BASES), len(self.rows), len(borrowers)))
        for h, channel in enumerate(self.channels):
            table = columns[:, h::channels][:, self.cell[borrowers]].toarray()
            weight = 1.0 if channel.weight is None else channel.weight[borrowers]
            out[channel.basis] = summed(out[channel.basis], (table + common[:, h, None]) * weight)
        return out


def conditional(policy: Policy) -> tuple[Limit, ...]:
    """The limits that must hold only if something is lent to a group."""
    return tuple(limit for limit in policy.limits if limit.if_lent_to)


def in_force(policy: Policy, names: Container[str]) -> Policy:
    """The policy with those of its conditional limits in force that are named; others are only reported."""
    force = {own.name: inf if own.name in names else 0.0 for own in conditional(policy)}
    limits = (replace(own, penalty=force.get(own.name, own.penalty)) for own in policy.limits)
    return replace(policy, limits=tuple(limits))


@dataclass(frozen=True)
class Bounds:
    """The E bounds that a policy writes, the budget's amount first, and the m rows that they move.

    A bound that is a share of what is lent moves coefficients: row j allows what the bound grows by times
    its reference (`Row.reference`) more.
    """

    names: tuple[str, ...]
    written: Floats
    """(E,) money, a count, or a fraction."""
    low: Floats
    """(E,) the least and the most that may be written."""
    high: Floats
    size: Floats
    """(E,) what a change is measured against; above 0."""
    up: Booleans
    """(E,) whether a larger bound can loosen something, and a smaller one."""
    down: Booleans
    entry: Integers
    """(m,) the bound of each row."""
    moves: sparse.csr_array
    """(m, E) what a right-hand side grows by a unit of each bound; 0 for shares of what is lent."""
