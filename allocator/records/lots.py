"""Amounts as whole numbers of lots: cents, or the policy's steps.

A lot is a decimal; k lots are the double nearest to k times it, so that amounts are compared without a
tolerance at any size (docs/formulation.md, section 1).
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from allocator.records.portfolio import Floats

CENT = 0.01
"""The lot of amounts that go by no step."""
LARGEST = 1e13
"""The largest amount, budget or bound in money: its cents are whole numbers in doubles."""


def lots_to_money(count: Floats, lot: float) -> Floats:
    """`count` lots, each the double nearest to the decimal that it is."""
    exact = Fraction(repr(float(lot)))
    if exact.denominator == 1:
        return np.asarray(count * lot)
    return np.asarray(count * float(exact.numerator) / float(exact.denominator))


def money_to_lots(amounts: Floats, lot: float) -> Floats:
    """The whole number of lots that each amount is, or is nearest to."""
    return np.asarray(np.rint(_counted(amounts, lot)))


def down_to_lots(amounts: Floats | float, lot: float, near: float = 1e-6) -> Floats:
    """The whole lots in each amount, in money; one of which only the part `near` is missing counts."""
    return lots_to_money(np.floor(_counted(amounts, lot) + near), lot)


def _counted(amounts: Floats | float, lot: float) -> Floats:
    exact = Fraction(repr(float(lot)))
    return np.asarray(amounts * float(exact.denominator) / float(exact.numerator))


def lots_within(amounts: Floats, lot: float) -> Floats:
    """The most whole lots that are no more than each amount."""
    with np.errstate(invalid="ignore"):
        count = money_to_lots(amounts, lot)
        count = np.where(lots_to_money(count + 1.0, lot) <= amounts, count + 1.0, count)
        count = np.where(lots_to_money(count, lot) > amounts, count - 1.0, count)
    return np.asarray(count)


def lots_for(amounts: Floats, lot: float) -> Floats:
    """The fewest whole lots that are no less than each amount."""
    count = lots_within(amounts, lot)
    with np.errstate(invalid="ignore"):
        return np.where(lots_to_money(count, lot) < amounts, count + 1.0, count)
