"""What decisions use of every limit, and whether they keep it (docs/formulation.md, section 2).

Rows of loans, and of amounts offered where every amount is whole cents, are decided in whole numbers. The
others may be broken by a part of their own scale, which rounding needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf

import numpy as np

from allocator.certification.economics import BASES, Bases
from allocator.certification.limits import Block
from allocator.certification.lots import CENTS, WholeSums, decimal, whole_cents
from allocator.certification.rounding import DEEPEST, UNIT
from allocator.certification.sums import CHUNK, sums_by_code
from allocator.records.portfolio import Floats, Integers
from allocator.records.run import TOLERANCE, LimitUse
from allocator.records.scenario import Sense

_ROUNDING = 4 * 2.0**-53
"""Relative to a row's scale, what no tolerance may fall below."""
_LEAST = 5e-324
"""The smallest number above 0: a broken row says so, however little it is broken by."""


@dataclass(frozen=True)
class RowTotals:
    """What decisions add to the rows of one block, arrays of shape (rows,)."""

    used: Floats
    largest: Floats
    """The largest |weight x basis| of one offer."""
    counted: WholeSums
    """Cents offered or loans made by the members, where the block is decided in whole numbers."""
    off: Integers
    """Offers to members that are no whole number of cents."""
    referred: float
    """What those have of the basis that the block is a share of whom it counts; 0 where it counts all."""
    size: Floats
    """The sum of the magnitudes of what is used; 0 where no excess is paid for."""


@dataclass(frozen=True)
class Totals:
    """What decisions add up to."""

    rows: tuple[RowTotals, ...]
    """One a block."""
    bases: dict[str, float]
    """What limits may be a share of: offered, drawn and loans, of all borrowers."""
    cents: WholeSums
    """(1,) offered to everybody."""
    off: int
    """Offers that are no whole number of cents."""

    @classmethod
    def of(cls, blocks: tuple[Block, ...], bases: Bases) -> Totals:
        sums = {basis: float(np.sum(getattr(bases, basis))) for basis in ("offered", "drawn", "loans")}
        made = np.flatnonzero(bases.offered)
        held = Bases(*(getattr(bases, basis)[made] for basis in BASES))
        cents, off = whole_cents(held.offered)
        rows = tuple(_row_totals(block.part(made), held, cents, off) for block in blocks)
        everyone = np.zeros(len(made), dtype=np.int32)
        return cls(rows, sums, WholeSums.of(everyone, cents, 1), int(np.count_nonzero(off)))

    @classmethod
    def sum_of(cls, parts: Sequence[Totals]) -> Totals:
        """The parts together, added in their order."""
        together = zip(*(part.rows for part in parts), strict=True)
        bases = {basis: sum(part.bases[basis] for part in parts) for basis in parts[0].bases}
        cents = sum((part.cents for part in parts[1:]), parts[0].cents)
        return cls(tuple(map(_added, together)), bases, cents, sum(part.off for part in parts))


def _row_totals(block: Block, bases: Bases, cents: Floats, off: np.ndarray) -> RowTotals:
    """Of the offers made alone."""
    rows, place = len(block.names), block.codes + 1
    basis = getattr(bases, block.basis)
    use = block.used_by(bases)
    largest = np.zeros(rows + 1)
    np.fmax.at(largest, place, np.abs(use))
    counted, broken = WholeSums.none(rows), np.zeros(rows, dtype=np.int64)
    if block.exact is not None and block.basis == "loans":
        counted = WholeSums.of(block.codes, basis.astype(np.float64), rows)
    elif block.exact is not None:
        counted = WholeSums.of(block.codes, cents, rows)
        broken = np.bincount(place[off], minlength=rows + 1)[1:].astype(np.int64)
    used = np.bincount(place, use, minlength=rows + 1)[1:].astype(np.float64, copy=False)
    size = np.zeros(rows)
    if block.soft:  # to the last digits, which cost something
        used, size = (
            sums_by_code(block.codes, use * 1.0, rows),
            sums_by_code(block.codes, np.sum(np.abs(block.terms_of(bases)), axis=0) * 1.0, rows),
        )
    referred = 0.0 if block.base is None else float(np.sum(block.referred(getattr(bases, block.reference))))
    return RowTotals(used, largest[1:], counted, broken, referred, size)


def _added(parts: Sequence[RowTotals]) -> RowTotals:
    return RowTotals(
        np.sum([part.used for part in parts], axis=0),
        np.max([part.largest for part in parts], axis=0),
        sum((part.counted for part in parts[1:]), parts[0].counted),
        np.sum([part.off for part in parts], axis=0),
        sum(part.referred for part in parts),
        np.sum([part.size for part in parts], axis=0),
    )


def limit_uses(
    blocks: tuple[Block, ...], totals: Totals, prices: Mapping[str, float]
) -> tuple[LimitUse, ...]:
    """Use, bound, price and violation of every row."""
    return tuple(
        use
        for block, rows in zip(blocks, totals.rows, strict=True)
        for use in _block_uses(block, rows, totals, prices)
    )


def _block_uses(block: Block, rows: RowTotals, totals: Totals, prices: Mapping[str, float]) -> list[LimitUse]:
    bounds = block.constant
    if block.reference:
        lent = totals.bases[block.reference] if block.base is None else rows.referred
        bounds = np.full(len(block.names), block.share * (lent + block.reference_lent))
    scale = np.maximum(rows.largest, np.abs(bounds))
    least = _ROUNDING * scale
    tolerance = np.maximum(np.minimum(TOLERANCE * scale, block.finest / 2), least)
    used = rows.used + block.lent
    exact = _in_whole_numbers(block, rows, totals)
    rounding = _rounding(block) * (rows.size + block.lent_size + np.abs(bounds))
    uses = []
    for row, name in enumerate(block.names):
        value, right, excess = float(used[row]), float(bounds[row]), 0.0
        if row in exact:
            value, right, excess = exact[row]
            kept, doubt = excess == 0, 4 * UNIT * (excess + abs(right)) * bool(excess)
        else:
            excess = _excess(block.sense, value - right)
            kept, doubt = excess <= tolerance[row], float(rounding[row])
            sure = excess == 0 and abs(value - right) > doubt
            doubt = 0.0 if sure or not block.soft else doubt
        size, hard = float(scale[row]), block.penalty == inf
        violation = 0.0 if kept or not hard else max(excess / size, _LEAST) if size else 1.0
        in_force = hard or not block.conditional
        missed = excess if in_force and not (kept or hard) else 0.0
        state = block.penalty, missed, doubt if block.soft else 0.0, in_force
        uses.append(
            LimitUse(
                name, block.measure, block.sense, value, right, prices[name], violation, size, excess, *state
            )
        )
    return uses


def _rounding(block: Block) -> float:
    """Relative to the magnitudes of both sides, what the difference of them may be wrong by."""
    parts = len(block.codes) // CHUNK + 1
    return (4 * DEEPEST + 2 * parts + block.lent_operations) * UNIT


def _excess(sense: Sense, over: float) -> float:
    """By how much a row is broken whose left-hand side lies `over` above the right-hand side."""
    return {"at_most": max(over, 0.0), "at_least": max(-over, 0.0), "exactly": abs(over)}[sense]


def _in_whole_numbers(block: Block, rows: RowTotals, totals: Totals) -> dict[int, tuple[float, float, float]]:
    """Row -> use, right-hand side and excess, each rounded once, of the rows that whole numbers decide."""
    exact = block.exact
    if exact is None or (block.reference and totals.off):
        return {}
    of_what = Fraction(1)
    if block.reference:
        of_what = Fraction((totals.cents + exact.reference_lent).exact(0), CENTS)
    uses = {}
    counted = rows.counted + exact.lent
    for row in np.flatnonzero(~np.isnan(exact.unit) & (rows.off == 0)).tolist():
        unit, bound = decimal(float(exact.unit[row])), exact.right(row) * of_what
        left, right = counted.exact(row) * unit.numerator, bound * (exact.per_unit * unit.denominator)
        over = left * right.denominator - right.numerator  # whole, of size below
        whole = exact.per_unit * unit.denominator * right.denominator
        size = {"at_most": max(over, 0), "at_least": max(-over, 0), "exactly": abs(over)}[block.sense]
        uses[row] = (
            left / (exact.per_unit * unit.denominator),
            bound.numerator / bound.denominator,
            max(size / whole, _LEAST) if size else 0.0,
        )
    return uses
