"""The cases: each a shape of book that stresses something, at several sizes, from one seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from allocator.records.conditions import Condition
from allocator.records.former import FORMER_AMOUNT
from allocator.records.portfolio import Text
from allocator.records.risk import CapitalRule, Sectors, TailRule
from allocator.records.scenario import Budget, Limit, Policy
from allocator.records.ticket import Ticket
from benchmarks.books import BRANCHES, Book, borrowers, churn_table, labelled

LENT = 1.6e5
"""Budget a borrower, in currency units: about 30 % of the borrowers are funded."""
BAND = (0.04, 0.15)
LENDABLE = Condition("grade", ("A", "B", "C"))

QUICK = (30_000, 1_000_000)
"""Sizes that `make bench` runs of every case."""
GROWTH = (302, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
MIDDLE = (3_000, 30_000, 300_000)
"""Sizes at which proofs are hard: integrality shows, and the book is too large for a solver."""
LARGEST = 10_000_000
MAPPED = 100_000_000
"""Borrowers of the largest book; its columns are on disk."""


@dataclass(frozen=True)
class Case:
    """A shape of book; `build(n, seed)` makes one of n borrowers."""

    name: str
    stresses: str
    build: Callable[[int, int], Book]
    sizes: tuple[int, ...] = QUICK
    full_sizes: tuple[int, ...] = (3_000,)
    """Sizes that only `make bench-full` adds."""
    seed: int = 3

    @property
    def hard(self) -> bool:
        """Whether it is one of the middle's."""
        return self.full_sizes == MIDDLE

    def book(self, size: int) -> Book:
        return self.build(size, self.seed)


def policy(n: int, limits: Sequence[Limit], spend: float = LENT) -> Policy:
    """Grades A to C at 4 to 15 %, semicontinuous loans of 100,000 to 1,000,000."""
    bands = dict.fromkeys("ABC", BAND)
    return Policy(Budget(spend * n), Ticket(1e5, 1e6), bands, limits=tuple(limits))


def book_of(n: int, seed: int, limits: Sequence[Limit], spend: float = LENT) -> Book:
    return Book(borrowers(n, seed), churn_table(), policy(n, limits, spend))


def caps(
    budget: float, grade: float, sector: float, region: float, loss: float, capital: float
) -> list[Limit]:
    """23 limits beside the budget, each a share of it."""
    return [
        Limit("grades", "offered", "at_most", grade, "budget", (LENDABLE,), "grade"),
        Limit("sectors", "offered", "at_most", sector, "budget", (), "sector"),
        Limit("regions", "offered", "at_most", region, "budget", (), "region"),
        Limit("expected loss", "expected_loss", "at_most", loss * budget),
        Limit("capital", "drawn", "at_most", capital * budget, weight="k"),
    ]


def usual_caps(budget: float) -> list[Limit]:
    return caps(budget, 0.40, 0.12, 0.15, 0.005, 0.03)


def central(n: int, seed: int) -> Book:
    return book_of(n, seed, usual_caps(LENT * n))


def few(n: int, seed: int) -> Book:
    limits = [Limit("grades", "offered", "at_most", 0.40, "budget", (LENDABLE,), "grade")]
    return book_of(n, seed, limits)


def binding(n: int, seed: int) -> Book:
    """Sectors and regions are of uneven worth, so that half of the limits bind."""
    book = book_of(n, seed, caps(LENT * n, 0.35, 0.102, 0.128, 0.0035, 0.025))
    texts, own = book.portfolio.texts, book.portfolio
    tilt = 0.9 + 0.03 * (texts["sector"].codes + texts["region"].codes)
    return book.with_columns(pd=np.clip(own.pd * tilt, 0.0003, 0.9))


def ties(n: int, seed: int) -> Book:
    """36 kinds of borrowers in a cell."""
    random = np.random.default_rng(seed + 1)
    return central(n, seed).with_columns(
        pd=random.choice([0.005, 0.02, 0.05], n),
        lgd=random.choice([0.4, 0.5], n),
        max_amount=random.choice([2e5, 5e5, 1e6], n),
        numbers={"k": random.choice([0.04, 0.08], n)},
    )


def identical(n: int, seed: int) -> Book:
    """One kind of borrower, one grade, one sector, one region."""
    one = np.zeros(n, dtype=np.int32)
    return book_of(n, seed, caps(LENT * n, 0.95, 1.0, 1.0, 0.003, 0.025)).with_columns(
        grade=Text(one, ("A",)),
        pd=np.full(n, 0.02),
        lgd=np.full(n, 0.45),
        max_amount=np.full(n, 5e5),
        texts={"sector": labelled(one, 1, "s"), "region": labelled(one, 1, "r")},
        numbers={"k": np.full(n, 0.06)},
    )


def floors(n: int, seed: int) -> Book:
    """Floors, ratios to what is lent, averages and a count of loans."""
    return book_of(
        n,
        seed,
        [
            Limit("A line", "offered", "at_least", 0.40, "total", (Condition("grade", ("A",)),)),
            Limit("sectors", "offered", "at_least", 0.09, "total", (), "sector"),
            Limit("regions", "offered", "at_most", 0.126, "total", (), "region"),
            Limit("loss rate", "expected_loss", "at_most", 0.006, "drawn"),
            Limit("average PD", "drawn", "at_most", 0.015, "drawn", weight="pd"),
            Limit("average rate", "gross_interest", "at_least", 0.062, "drawn"),
            Limit("book size", "loans", "at_least", 0.31 * n),
        ],
    )


def exact_budget(n: int, seed: int) -> Book:
    book = central(n, seed)
    spent = replace(book.policy.budget, spend="exactly")
    return replace(book, policy=replace(book.policy, budget=spent))


def tiny_budget(n: int, seed: int) -> Book:
    """Money for about forty loans, whatever the number of borrowers."""
    return book_of(n, seed, usual_caps(2e7), spend=2e7 / n)


def many_limits(n: int, seed: int) -> Book:
    """200 limits: a cap a branch beside the usual 24."""
    branch = np.random.default_rng(seed + 1).integers(0, BRANCHES, n)
    cap = Limit("branches", "offered", "at_most", 1.15 / BRANCHES, "budget", (), "branch")
    book = book_of(n, seed, [*usual_caps(LENT * n), cap])
    return book.with_columns(texts={**book.portfolio.texts, "branch": labelled(branch, BRANCHES, "b")})


def costs(n: int, seed: int) -> Book:
    """Fixed costs and relationships at stake: refusals cost, low ends count, fixed terms of both signs."""
    random = np.random.default_rng(seed + 1)
    book = central(n, seed).with_columns(
        relationship_value=random.uniform(0.0, 9_000.0, n),
        min_amount=np.round(random.uniform(1e5, 2e5, n), -3),
    )
    book = book.with_columns(max_amount=np.maximum(book.portfolio.max_amount, 3e5))
    dear = replace(
        book.policy, processing_cost=500.0, churn_cost_rate=0.002, decline_churn=0.1, funding_rate=0.01
    )
    return replace(book, policy=dear)


def steps(n: int, seed: int) -> Book:
    book = central(n, seed)
    return replace(book, policy=replace(book.policy, ticket=Ticket(1e5, 1e6, 1e4)))


def tight(n: int, seed: int, ticket: Ticket | None = None) -> Book:
    """Caps, averages and a least rate so close that 13 to 22 of 26 limits bind."""
    budget = LENT * n
    limits = [
        *caps(budget, 0.36, 0.1035, 0.129, 0.0040, 0.0300),
        Limit("average PD", "drawn", "at_most", 0.0125, "drawn", weight="pd"),
        Limit("average rate", "gross_interest", "at_least", 0.0635, "drawn"),
    ]
    book = book_of(n, seed, limits)
    texts = book.portfolio.texts
    tilt = 0.86 + 0.03 * texts["sector"].codes + 0.035 * texts["region"].codes
    book = book.with_columns(pd=np.clip(book.portfolio.pd * tilt, 0.0003, 0.9))
    return book if ticket is None else replace(book, policy=replace(book.policy, ticket=ticket))


def tight_steps(n: int, seed: int) -> Book:
    return tight(n, seed, Ticket(1e5, 1e6, 1e4))


def tight_large_steps(n: int, seed: int) -> Book:
    return tight(n, seed, Ticket(1e5, 1e6, 5e4))


def tight_costs(n: int, seed: int) -> Book:
    book = tight(n, seed)
    return replace(book, policy=replace(book.policy, processing_cost=1_500.0))


def tight_branches(n: int, seed: int) -> Book:
    """176 limits more, a cap a branch."""
    branch = np.random.default_rng(seed + 1).integers(0, BRANCHES, n)
    cap = Limit("branches", "offered", "at_most", 1.1 / BRANCHES, "budget", (), "branch")
    book = tight(n, seed)
    book = replace(book, policy=replace(book.policy, limits=(*book.policy.limits, cap)))
    return book.with_columns(texts={**book.portfolio.texts, "branch": labelled(branch, BRANCHES, "b")})


def appetite(n: int, seed: int) -> Book:
    """What a risk appetite statement asks for: capital, bad years, an average, changes, a soft line."""
    random, budget = np.random.default_rng(seed + 1), LENT * n
    book = book_of(n, seed, usual_caps(budget))
    small = CapitalRule(asset_class="sme", turnover_unit=7.8e6)
    limits = [
        *book.policy.limits,
        Limit("irb capital", "capital", "at_most", 0.026 * budget, rule=small),
        Limit("tail loss", "tail_loss", "at_most", 0.031, "drawn", rule=TailRule(0.99, 0.15)),
        Limit("average PD", "drawn", "at_most", 0.0112, "drawn", weight="pd"),
        Limit("line", "offered", "at_most", 0.05, "budget", (Condition("sector", ("s3",)),), penalty=0.01),
        Limit("turnover", "clients_changed", "at_most", 0.25 * n),
    ]
    served = random.random(n) < 0.25
    own = book.portfolio.numbers
    grown = {
        "turnover": random.lognormal(17.5, 0.8, n),
        FORMER_AMOUNT: np.where(served, book.portfolio.max_amount, 0.0),
    }
    book = replace(book, policy=replace(book.policy, limits=tuple(limits)))
    return book.with_columns(numbers={**own, **grown})


def appetite_sectors(n: int, seed: int) -> Book:
    """The same with factors of three industries beside the common one, and less lost than the book would."""
    book, three = appetite(n, seed), TailRule(0.99, 0.2, sectors=Sectors("industry", 0.08, 96))
    industry = np.random.default_rng(seed + 2).integers(0, 3, n)
    worst = Limit("worst", "tail_loss", "at_most", 0.0255, "drawn", rule=three, by="industry")
    book = replace(book, policy=replace(book.policy, limits=(*book.policy.limits, worst)))
    return book.with_columns(texts={**book.portfolio.texts, "industry": labelled(industry, 3, "i")})


CASES: dict[str, Case] = {
    case.name: case
    for case in (
        Case("central", "24 limits, of which 4 or 5 bind", central, GROWTH, (LARGEST, MAPPED)),
        Case("few", "the budget and three lines", few, QUICK, (3_000, LARGEST)),
        Case("binding", "tight caps: many prices at once", binding, QUICK, (3_000, LARGEST)),
        Case("ties", "borrowers of few kinds: a kinked dual", ties),
        Case("identical", "one kind of borrower: nothing but ties", identical),
        Case("floors", "floors, ratios, averages, a count", floors),
        Case("exact-budget", "an equality, its price free in sign", exact_budget),
        Case("tiny-budget", "forty loans: whole loans matter", tiny_budget),
        Case("many-limits", "200 limits, 176 of them a branch's", many_limits, QUICK, (3_000, LARGEST)),
        Case("costs", "fixed terms of both signs", costs),
        Case("steps", "amounts in multiples of 10,000", steps),
        Case("appetite", "24 limits, capital, a tail loss, changes", appetite),
        Case("appetite-sectors", "that, and a tail loss of three sectors", appetite_sectors),
        Case("tight", "13 to 22 of 26 limits bind", tight, (), MIDDLE),
        Case("tight-steps", "the same in multiples of 10,000", tight_steps, (), MIDDLE),
        Case("tight-large-steps", "the same in multiples of 50,000", tight_large_steps, (), MIDDLE),
        Case("tight-costs", "the same, and each loan costs 1,500", tight_costs, (), MIDDLE),
        Case("tight-branches", "the same, and 176 limits more", tight_branches, (), MIDDLE),
    )
}
