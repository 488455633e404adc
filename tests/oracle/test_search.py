"""The oracle finds what trying every allocation of small books finds, and what was worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction
from itertools import product
from math import prod

import pytest

from tests.oracle.books import Book
from tests.oracle.feasibility import Offer, faults, value
from tests.oracle.generator import draw
from tests.oracle.program import Program
from tests.oracle.search import bound_with_tolerances, solve

MOST = 500
"""Allocations of a book that are tried."""


def coarse(book: Book, parts: int) -> Book:
    """The same book in steps so wide that few amounts are left."""
    ticket = book.policy["ticket"]
    step = (Decimal(ticket["max"]) / parts).quantize(Decimal(1), ROUND_CEILING)
    return replace(book, policy={**book.policy, "ticket": {**ticket, "step": step}})


def choices(program: Program) -> list[list[Offer | None]]:
    """What each borrower may get."""
    found: list[list[Offer | None]] = []
    for terms in program.terms:
        if terms.pinned is not None:
            found.append([Offer(terms.options[0], terms.pinned)])
        else:
            lots = range(terms.low, terms.high + 1)
            found.append([None, *(Offer(o, n * program.lot) for o in terms.options for n in lots)])
    return found


def best_of_all(program: Program) -> Fraction | None:
    tried = ([offer for offer in one if offer is not None] for one in product(*choices(program)))
    return max((value(program, offers) for offers in tried if not faults(program, offers)), default=None)


def small_books() -> Iterator[tuple[int, Program]]:
    for seed in range(120):
        for parts in (2, 5):
            program = Program(coarse(draw(seed), parts))
            if 8 < prod(len(some) for some in choices(program)) <= MOST:
                yield seed, program


SMALL = list(small_books())


def test_there_are_enough_small_books_of_both_verdicts() -> None:
    assert len(SMALL) > 30


@pytest.mark.parametrize("program", [program for _, program in SMALL], ids=[str(seed) for seed, _ in SMALL])
def test_the_oracle_finds_the_best_of_all_allocations(program: Program) -> None:
    best, answer = best_of_all(program), solve(program)
    if best is None:
        assert answer.verdict == "infeasible"
        return
    strict = answer.value
    assert strict is not None
    assert not faults(program, answer.offers)
    assert value(program, answer.offers) == strict
    assert strict <= best
    # what tries everything takes rows in doubles to their tolerance
    assert strict == best or float(best) <= bound_with_tolerances(program) + 1e-9 * max(1.0, abs(best))


def test_a_book_that_can_keep_its_shares_only_by_lending_nothing() -> None:
    """A ten-thousandth for grade A, whose smallest loan is more; loans of 1e9 lots."""
    policy = {
        "budget": {"amount": Decimal(10**9), "spend": "at_most"},
        "ticket": {"min": Decimal(9 * 10**6), "max": Decimal(10**7)},
        "rates": {"A": [Decimal("0.05"), Decimal("0.05")], "B": [Decimal("0.05"), Decimal("0.05")]},
        "limits": [
            {"name": g, "measure": "offered", "where": {"grade": g}, "at_most": Decimal(q), "of": "total"}
            for g, q in (("A", "0.0001"), ("B", "0.9999"))
        ],
    }
    borrowers = tuple({"borrower_id": g, "grade": g, "pd": "0.01", "lgd": "0.5"} for g in "AB")
    curve = (Decimal("0.1"),)
    book = Book(policy, (Decimal("0.05"),), {"A": curve, "B": curve}, "none", borrowers)
    answer = solve(Program(book))
    assert (answer.verdict, answer.value, answer.closed) == ("optimal", 0, True)
