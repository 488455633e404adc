"""Limits become rows: memberships make cells, measures make channels (docs/formulation.md, section 2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from allocator.errors import Fault, InputError
from allocator.limits.concentration import CutWeights, with_cuts
from allocator.limits.filters import Members, Membership, members_of
from allocator.limits.former import amounts_of, nothing_formerly
from allocator.limits.measures import MeasureTerms, measured
from allocator.limits.missing import check_values
from allocator.limits.whole import least_weights, whole_budget, whole_rows
from allocator.records.conditions import nobody_passes
from allocator.records.cuts import beside_a_list
from allocator.records.filters import apart
from allocator.records.former import Changes
from allocator.records.limits import BASES, Channel, Limits, Row
from allocator.records.portfolio import Codes, Floats, Portfolio
from allocator.records.risk import Rule
from allocator.records.scenario import Limit, Policy
from allocator.records.stress import Stress

TermsByRule = dict[tuple[Rule | Changes, Stress | None], MeasureTerms]
"""What measures of a rule of the policy add up, of one portfolio."""
_ROUNDING = 1e-14
"""Of a bound and of what is used of it at the outset, what their difference may be off by."""


@dataclass
class _Channels:
    """Distinct (basis, weight) pairs in the order they are met."""

    places: dict[tuple[str, str], int] = field(default_factory=dict)
    channels: list[Channel] = field(default_factory=list)
    by_rule: TermsByRule = field(default_factory=dict)

    def measured(self, limit: Limit, portfolio: Portfolio, policy: Policy) -> MeasureTerms:
        """What the limit's measure adds up; limits by one rule have it computed once."""
        if limit.rule is None:
            return measured(limit, portfolio, policy)
        by = limit.rule, limit.stress
        if by not in self.by_rule:
            self.by_rule[by] = measured(limit, portfolio, policy)
        return self.by_rule[by]

    def index(self, basis: str, weight: Floats | None, key: str) -> int:
        place = self.places.setdefault((basis, key), len(self.channels))
        if place == len(self.channels):
            self.channels.append(Channel(BASES.index(basis), weight))
        return place

    def in_one_table(self, borrowers: int) -> tuple[Channel, ...]:
        """The channels with their weights as rows of one table: the dual pass reads it as it stands."""
        weighted = [h for h, channel in enumerate(self.channels) if channel.weight is not None]
        table = np.empty((len(weighted), borrowers))
        for row, h in zip(table, weighted, strict=True):
            channel = self.channels[h]
            row[:] = channel.weight
            self.channels[h] = Channel(channel.basis, row)
        return tuple(self.channels)


@dataclass(frozen=True)
class _Draft:
    """The rows of one entry of the policy: one, or one a label of its membership."""

    rows: tuple[Row, ...]
    channels: tuple[int, ...]
    """What each row adds up."""
    membership: int | None
    """Index of the membership whose labels the rows have; None: everybody, in one row."""
    reference: tuple[int, float] | None = None
    """A channel that counts in every row, and its factor."""
    base: int | None = None
    """Index of the membership of those whom the reference counts; None: everybody."""


def compile_limits(
    policy: Policy,
    portfolio: Portfolio,
    known: CutWeights | None = None,
    by_rule: TermsByRule | None = None,
) -> Limits:
    """The rows of `policy` over `portfolio`, the budget first, then the limits in their order.

    A limit that is only reported has none. `known` are weights of cuts; `by_rule`, which grows, is what was
    computed for the same portfolio under other bounds and cuts.

    Raises InputError naming every limit that stands on a missing value.
    """
    check_values(policy.limits, portfolio)
    _require_own_rates(policy)
    policy, portfolio = with_cuts(policy, portfolio, known)
    members = members_of(policy.enforced, portfolio)
    channels = _Channels() if by_rule is None else _Channels(by_rule=by_rule)
    drafts = [_budget(policy, portfolio, channels)]
    for number, limit in enumerate(policy.enforced):
        drafts.append(_draft(limit, members, number, policy, portfolio, channels))
    cell, table = _cells(members.distinct, len(portfolio))
    matrix, everywhere = _matrices(drafts, table, len(channels.channels))
    reported = [limit for limit in policy.limits if limit not in policy.enforced]
    rows = tuple(row for draft in drafts for row in _placed(draft, table))
    return Limits(
        rows=rows,
        cell=cell,
        cells=len(table),
        channels=channels.in_one_table(len(portfolio)),
        matrix=matrix,
        everywhere=everywhere,
        idle_rate=policy.idle_rate,
        notes=(
            *_empty(policy.enforced, members),
            *_empty(reported, members_of(reported, portfolio)),
            *nothing_formerly(policy.enforced, rows),
        ),
    )


def _require_own_rates(policy: Policy) -> None:
    """Raises InputError for a limit that is kept by cuts beside a price list, where none are found."""
    if not policy.convex or policy.posting is None:
        return
    limit = policy.convex[0]
    fault = Fault(*beside_a_list(limit.measure, limit.top), field=f"limits.{limit.name}")
    raise InputError.of([fault], "limits")


def _empty(limits: Sequence[Limit], members: Members) -> Iterator[str]:
    """A note for every filter of `limits` that leaves nobody."""
    places = zip(limits, members.counted, members.reference, strict=True)
    for limit, counted, reference in places:
        if limit.where and not np.any(members.distinct[counted].codes >= 0):
            yield nobody_passes(f"limit {limit.name!r} counts nobody", limit.where)
        group = limit.reference
        if reference is not None and group and not np.any(members.distinct[reference].codes >= 0):
            subject = f"limit {limit.name!r} is a share of nobody's money"
            yield nobody_passes(subject, group.where)


def _placed(draft: _Draft, table: np.ndarray) -> tuple[Row, ...]:
    """The rows, with the cells that their reference counts where it does not count all."""
    if draft.base is None:
        return draft.rows
    base = table[:, draft.base] >= 0
    return tuple(replace(row, base=base) for row in draft.rows)


def _budget(policy: Policy, portfolio: Portfolio, channels: _Channels) -> _Draft:
    budget = policy.budget
    whole = whole_budget(policy, portfolio)
    row = Row("budget", budget.basis, budget.spend, budget.amount, budget.amount, everybody=True, whole=whole)
    return _Draft((row,), (channels.index(budget.basis, None, ""),), None)


def _draft(
    limit: Limit,
    members: Members,
    number: int,
    policy: Policy,
    portfolio: Portfolio,
    channels: _Channels,
) -> _Draft:
    """One row, or with `each` one a value of that column."""
    portfolio = portfolio if limit.stress is None else apart(limit.stress, portfolio)
    place, base = members.counted[number], members.reference[number]
    membership = members.distinct[place]
    counted = channels.measured(limit, portfolio, policy)
    weight, key = _weighted(counted.weight, limit, portfolio)
    added = [channels.index(counted.basis, weight, key)]
    for basis, further in counted.further:
        added.append(channels.index(basis, *_weighted(further, limit, portfolio)))
    reference = _reference(limit, channels)
    used_at_outset = _outset_by_code(counted, weight, membership, portfolio)
    lent = _reference_exposure(limit, counted, portfolio, None if base is None else members.distinct[base])
    taken = limit.bound * lent
    share = limit.bound if reference is not None else 0.0
    amounts = amounts_of(limit, membership, portfolio, policy)
    bound = limit.bound * amounts
    room = _left(taken if reference is not None else bound, used_at_outset)
    wholes = whole_rows(limit, membership, portfolio, amounts)
    least = least_weights(limit, membership, portfolio)
    everybody = limit.each is None and not limit.where
    rows = tuple(
        Row(
            name=limit.name if limit.each is None else f"{limit.name}[{label}]",
            measure=limit.measure,
            sense=limit.sense,
            rhs=float(room[code]),
            size=0.0 if reference is not None else abs(float(bound[code])),
            amount=float(amounts[code]),
            share=share,
            reference=limit.reference.basis if limit.reference is not None else "",
            lent=lent,
            least_weight=float(least[code]),
            everybody=everybody,
            whole=wholes[code] if limit.penalty == inf else None,
            penalty=limit.penalty,
        )
        for code, label in enumerate(membership.labels)
    )
    return _Draft(rows, tuple(added), None if everybody else place, reference, base)


def _left(whole: Floats | float, used: Floats) -> Floats:
    """What is left of `whole`: nothing where only the rounding of a sum tells it from what is `used`."""
    left = np.asarray(whole - used)
    return np.where(np.abs(left) <= _ROUNDING * np.maximum(np.abs(whole), np.abs(used)), 0.0, left)


def _weighted(measured: Floats | None, limit: Limit, portfolio: Portfolio) -> tuple[Floats | None, str]:
    """The measure's weight times the limit's own column, with a key that tells equal ones apart."""
    key = f"{limit.measure} by {limit.by or limit.rule}" if measured is not None else ""
    key += "" if limit.stress is None else f" under {limit.stress}"
    if limit.weight is None:
        return measured, key
    column = portfolio.number(limit.weight)
    product = column if measured is None else measured * column
    return product, f"{key} x {limit.weight}"


def _reference(limit: Limit, channels: _Channels) -> tuple[int, float] | None:
    """- bound x reference on the left, for limits that are a share of what is lent."""
    if limit.reference is None:
        return None
    return channels.index(limit.reference.basis, None, ""), -limit.bound


def _outset_by_code(
    measured: MeasureTerms, weight: Floats | None, membership: Membership, portfolio: Portfolio
) -> Floats:
    """What is already lent, or who was served formerly, uses of each code's row."""
    count = len(membership.labels)
    outset = portfolio.exposure if measured.counts_exposure else measured.outset
    if outset is None or not np.any(outset):
        return np.zeros(count)
    used = outset if weight is None else outset * weight
    inside = membership.codes >= 0
    return np.bincount(membership.codes[inside], used[inside], minlength=count).astype(np.float64, copy=False)


def _reference_exposure(
    limit: Limit, measured: MeasureTerms, portfolio: Portfolio, base: Membership | None
) -> float:
    """What is already lent of the reference; a measure that exposure does not use has one without it."""
    if limit.reference is None or not measured.counts_exposure:
        return 0.0
    return float(np.sum(portfolio.exposure if base is None else portfolio.exposure[base.codes >= 0]))


def _cells(memberships: Sequence[Membership], borrowers: int) -> tuple[Codes, np.ndarray]:
    """Each borrower's cell, and the table (cells, memberships) of the codes that make a cell."""
    cell: NDArray[Any] = np.zeros(borrowers, dtype=np.int32)
    table = np.zeros((1, 0), dtype=np.int64)
    for membership in memberships:
        width = len(membership.labels) + 1
        size = len(table) * width
        keys: NDArray[Any] = cell if size < 2**31 else cell.astype(np.int64)
        keys *= width
        keys += membership.codes
        keys += 1
        present, cell = _compress(keys, size)
        table = np.column_stack([table[present // width], present % width - 1])
    return cell.astype(np.int32, copy=False), table


def _compress(keys: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The distinct keys, ascending, and each key's position among them."""
    if size > 4_000_000:
        distinct, places = np.unique(keys, return_inverse=True)
        return distinct.astype(np.int64), places.astype(np.int32)
    seen = np.zeros(max(size, 1), dtype=bool)
    seen[keys] = True
    present = np.flatnonzero(seen)
    if len(present) == 0:
        present = np.zeros(1, dtype=np.int64)
    if len(present) == size:
        return present, keys
    position = np.cumsum(seen, dtype=np.int32) - 1
    return present, position[keys]


def _matrices(
    drafts: Sequence[_Draft], table: np.ndarray, channels: int
) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Coefficients in single cells (rows, cells * channels), and in every cell alike (rows, channels)."""
    rows = sum(len(draft.rows) for draft in drafts)
    single, common = _Entries(), _Entries()
    first = 0
    for draft in drafts:
        own = first + np.arange(len(draft.rows))
        for channel in draft.channels:
            if draft.membership is None:
                common.add(own, channel, 1.0)
                continue
            code = table[:, draft.membership]
            members = np.flatnonzero(code >= 0)
            single.add(first + code[members], members * channels + channel, 1.0)
        if draft.reference is not None and draft.base is None:
            common.add(own, *draft.reference)
        elif draft.reference is not None:
            channel, factor = draft.reference
            counted = np.flatnonzero(table[:, draft.base] >= 0) * channels + channel
            single.add(np.repeat(own, len(counted)), np.tile(counted, len(own)), factor)
        first += len(draft.rows)
    return single.matrix(rows, len(table) * channels), common.matrix(rows, channels)


class _Entries:
    """Entries of a sparse matrix; those of one place add up."""

    def __init__(self) -> None:
        none = np.zeros(0, dtype=np.int64)
        self._parts: list[tuple[Any, Any, Any]] = [(none, none, np.zeros(0))]

    def add(self, rows: np.ndarray, columns: np.ndarray | int, value: float) -> None:
        self._parts.append((rows, np.broadcast_to(columns, rows.shape), np.full(len(rows), value)))

    def matrix(self, rows: int, columns: int) -> sparse.csr_array:
        row, column, value = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        return sparse.coo_array((value, (row, column)), shape=(rows, columns)).tocsr()
