"""Rows that must be met exactly, as people write them without an equals sign, put on a random book."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

from tests.oracle.books import Book
from tests.oracle.feasibility import Offer

Sample = list[Offer]
Entry = dict[str, Any]


def shares(r: Random, book: Book, sample: Sample) -> Book:
    """Shares of the total that add up to 100 %, over the values of one column or of two."""
    columns = r.sample(("grade", "sector", "region"), 2 if r.random() < 0.2 else 1)
    entries: list[Entry] = []
    for column in columns:
        entries += _partition(r, book, sample, column)
    return _with(book, entries)


def _partition(r: Random, book: Book, sample: Sample, column: str) -> list[Entry]:
    values = sorted({b[column] for b in book.borrowers})
    parts = _parts(r, book, sample, column, values)
    senses = r.choice((("at_most",), ("at_most",), ("at_least",), ("exactly",), ("at_most", "at_least")))
    same = r.random() < 0.15 and len(values) in (2, 4, 5)
    if same:
        part = Decimal(1) / len(values)
        return [{"name": column, "measure": "offered", "each": column, senses[0]: part, "of": "total"}]
    entries = []
    for k, (value, part) in enumerate(zip(values, parts, strict=True)):
        sense = senses[0] if k else senses[-1]
        entries.append(
            {
                "name": f"{column} {value}",
                "measure": "offered",
                "where": {column: value},
                sense: part,
                "of": "total",
            }
        )
    return entries


def _parts(r: Random, book: Book, sample: Sample, column: str, values: list[str]) -> list[Decimal]:
    """About what the sample lends to each value, in per cent, tenths of one, or ten-thousandths."""
    money = dict.fromkeys(values, Fraction(1))
    for offer in sample:
        money[book.borrowers[offer.option.borrower][column]] += offer.amount
    total, unit = sum(money.values()), r.choice((100, 100, 1000, 10_000))
    counts = [max(1, round(unit * money[value] / total)) for value in values]
    counts[counts.index(max(counts))] += unit - sum(counts)
    return [Decimal(count) / unit for count in counts]


def equality(r: Random, book: Book, sample: Sample) -> Book:
    return r.choice(KINDS)(r, book, sample)


def _exact_budget(r: Random, book: Book, sample: Sample) -> Book:
    """Spent to the cent, or beside what can be: a cent or half a step off."""
    off = r.choice((Decimal(0), Decimal(0), Decimal(0), Decimal("0.01"), _lot(book) / 2))
    return _budget(book, _money(sample) + off, "exactly")


def _floor_at_budget(r: Random, book: Book, sample: Sample) -> Book:
    """At least 100 % of the budget, or the same in money."""
    book = _budget(book, _money(sample), "at_most")
    entry = {"name": "all of it", "measure": "offered"}
    if r.random() < 0.5:
        return _with(book, [{**entry, "at_least": Decimal(1), "of": "budget"}])
    return _with(book, [{**entry, "at_least": _money(sample)}])


def _band_of_nothing(r: Random, book: Book, sample: Sample) -> Book:
    """At least and at most the same money for one group."""
    column = r.choice(("grade", "sector", "region"))
    value = r.choice(sorted({b[column] for b in book.borrowers}))
    entry = {"measure": "offered", "where": {column: value}}
    money = _money(sample, book, {column: value})
    both = [{"name": "floor", **entry, "at_least": money}, {"name": "cap", **entry, "at_most": money}]
    return _with(book, both if r.random() < 0.7 else [{"name": "line", **entry, "exactly": money}])


def _floors_fill_budget(r: Random, book: Book, sample: Sample) -> Book:
    """A floor for each value of a column; together they are the budget."""
    column = r.choice(("grade", "sector", "region"))
    entries = [
        {
            "name": f"floor {value}",
            "measure": "offered",
            "where": {column: value},
            "at_least": _money(sample, book, {column: value}),
        }
        for value in sorted({b[column] for b in book.borrowers})
    ]
    return _with(_budget(book, _money(sample), "at_most"), entries)


def _part_of_total(r: Random, book: Book, sample: Sample) -> Book:
    """A group has a given part of the total, no more and no less."""
    value, part = r.choice(("A", "B")), Decimal(r.choice(("0.5", "0.5", "0.25", "0.6", "0.125")))
    entry = {"name": "part", "measure": "offered", "where": {"grade": value}, "of": "total"}
    if r.random() < 0.5:
        return _with(book, [{**entry, "exactly": part}])
    return _with(book, [{**entry, "at_most": part}, {**entry, "name": "least", "at_least": part}])


def _exact_loans(r: Random, book: Book, sample: Sample) -> Book:
    """So many loans, in all or of one group, beside an exact budget."""
    where = r.choice(({}, {"grade": "A"}, {"sector": ["food", "NO"]}))
    count = sum(_in(book, offer, where) for offer in sample)
    entry = {"name": "count", "measure": "loans", **({"where": where} if where else {})}
    book = _with(book, [{**entry, "exactly": Decimal(count)}])
    return _budget(book, _money(sample), "exactly") if r.random() < 0.5 else book


def _sum_of_minimums(r: Random, book: Book, sample: Sample) -> Book:
    """So many loans that the budget is just their smallest amounts."""
    floor = Decimal(book.policy["ticket"]["min"])
    count = max(len(sample), 1)
    book = _with(book, [{"name": "count", "measure": "loans", "at_least": Decimal(count)}])
    return _budget(book, floor * count, "at_most")


def _parity(r: Random, book: Book, sample: Sample) -> Book:
    """Requests that are all the same multiple of a lot, and a budget between two sums."""
    lot, unit = _lot(book), r.choice((2, 3, 10))
    borrowers = tuple(
        {**b, **dict.fromkeys(("min_amount", "max_amount"), _multiple(b, book, lot * unit))}
        for b in book.borrowers
        if not b.get("fixed_amount")
    )
    amount = (_money(sample) // (lot * unit) * unit + r.choice((0, 1))) * lot
    return _budget(replace(book, borrowers=borrowers), amount or lot, "exactly")


def _multiple(borrower: Mapping[str, str], book: Book, unit: Decimal) -> str:
    ticket = book.policy["ticket"]
    least = -(-max(Decimal(ticket["min"]), unit) // unit)
    asked = Decimal(borrower.get("max_amount") or ticket["max"]) // unit
    return format(max(asked, least) * unit, "f")


def _lot(book: Book) -> Decimal:
    return Decimal(book.policy["ticket"].get("step", "0.01"))


def _money(sample: Sample, book: Book | None = None, where: Mapping[str, Any] | None = None) -> Decimal:
    amount = sum((o.amount for o in sample if book is None or _in(book, o, where or {})), Fraction(0))
    return Decimal(amount.numerator) / Decimal(amount.denominator)


def _in(book: Book, offer: Offer, where: Mapping[str, Any]) -> bool:
    own = book.borrowers[offer.option.borrower]
    return all(own[column] in (test if isinstance(test, list) else [test]) for column, test in where.items())


def _budget(book: Book, amount: Decimal, spend: str) -> Book:
    budget = {"amount": amount, "spend": spend, "basis": "offered"}
    return replace(book, policy={**book.policy, "budget": budget})


def _with(book: Book, entries: list[Entry]) -> Book:
    return replace(book, policy={**book.policy, "limits": [*book.policy["limits"], *entries]})


KINDS: tuple[Callable[[Random, Book, Sample], Book], ...] = (
    _exact_budget,
    _exact_budget,
    _floor_at_budget,
    _band_of_nothing,
    _floors_fill_budget,
    _part_of_total,
    _exact_loans,
    _sum_of_minimums,
    _parity,
)
