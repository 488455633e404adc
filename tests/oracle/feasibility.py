"""Whether an allocation is one, and what it is worth: exactly, or to a row's own tolerance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from tests.oracle.program import ZERO, Option, Program, Row

TOLERANCE = Fraction(1, 10**9)
"""Of a row's scale, where it is not decided in whole cents."""


@dataclass(frozen=True)
class Offer:
    option: Option
    amount: Fraction
    """Money."""


Allocation = Sequence[Offer]
"""One offer a borrower at most; who has none is refused."""


def value(program: Program, offers: Allocation) -> Fraction:
    worth = sum((o.option.unit * o.amount + o.option.made for o in offers), ZERO)
    spent = used(program, program.budget_row, offers)[0]
    return worth + program.idle * max(ZERO, program.budget - spent)


def used(program: Program, row: Row, offers: Allocation) -> tuple[Fraction, Fraction, Fraction]:
    """Left side with what is lent already, right side, and the row's scale."""
    left, reference, largest = row.lent, row.reference_lent, ZERO
    for offer in offers:
        term = program.term[offer.option.borrower]
        bare = Row("", "", row.basis, row.weight, ZERO, ZERO, ZERO, None, ZERO, False)
        use = bare.unit(offer.option, term) * offer.amount + bare.made(offer.option)
        left, largest = left + use, max(largest, abs(use))
        if row.reference == "offered":
            reference += offer.amount
        elif row.reference == "drawn":
            reference += offer.option.take_up * offer.amount
    right = row.share * reference if row.reference else row.bound
    return left, right, max(abs(right), largest)


def tolerance(row: Row, scale: Fraction) -> Fraction:
    """How much of the row may be broken."""
    if row.exact:
        return ZERO
    if row.basis == "loans":
        weights = [abs(w) for w in row.weight if w]
        least = min(weights) / 2 if weights else ZERO
        return max(min(TOLERANCE * scale, least), 4 * scale / 2**53)
    return TOLERANCE * scale


def broken(program: Program, row: Row, offers: Allocation) -> Fraction:
    """By how much the row is broken beyond its tolerance; 0 or less where it is kept."""
    return exceeded(program, row, offers) - tolerance(row, used(program, row, offers)[2])


def exceeded(program: Program, row: Row, offers: Allocation) -> Fraction:
    """By how much the row is broken, its tolerance aside; less than 0 where it has room."""
    left, right, _ = used(program, row, offers)
    return {"at_most": left - right, "at_least": right - left, "exactly": abs(left - right)}[row.sense]


def faults(program: Program, offers: Allocation) -> list[str]:
    """All that is wrong with the allocation, in words; empty where it stands."""
    made = {offer.option.borrower: offer for offer in offers}
    found = [] if len(made) == len(offers) else ["two offers to one borrower"]
    for i, terms in enumerate(program.terms):
        offer = made.get(i)
        if terms.pinned is not None and (offer is None or offer.amount != terms.pinned):
            found.append(f"borrower {i}: the pinned offer is not made")
        elif offer is not None and terms.pinned is None:
            lots = offer.amount / program.lot
            if lots.denominator != 1 or not terms.low <= lots <= terms.high:
                found.append(f"borrower {i}: {offer.amount} is not in {terms.low} to {terms.high} lots")
        if offer is not None and offer.option not in terms.options:
            found.append(f"borrower {i}: no such rate")
    for row in program.rows:
        over = broken(program, row, offers)
        if over > 0:
            found.append(f"row {row.name} is broken by {float(over):.3g}")
    return found


def offers_of(program: Program, decisions: Iterable[tuple[float, float]]) -> tuple[list[Offer], list[str]]:
    """Amounts and rates in doubles, borrower by borrower, as exact offers; and what cannot be read so."""
    offers, found = [], []
    for i, (amount, rate) in enumerate(decisions):
        if amount == 0:
            continue
        terms = program.terms[i]
        exact = terms.pinned
        if exact is None:
            exact = round(Fraction(amount) / program.lot) * program.lot
        if float(exact) != amount:
            found.append(f"borrower {i}: {amount!r} is not the double nearest to whole lots")
        near = min(terms.options, key=lambda o: abs(o.rate - Fraction(rate)), default=None)
        if near is None or abs(near.rate - Fraction(rate)) > Fraction(1, 10**12):
            found.append(f"borrower {i}: no rate {rate!r}")
        else:
            offers.append(Offer(near, exact))
    return offers, found
