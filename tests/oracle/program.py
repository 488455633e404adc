"""The program of docs/formulation.md, sections 1 to 3, in rationals: what each offer is worth and uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import ceil, floor
from typing import Any

from tests.oracle.books import Book, Cells

CENT = Fraction(1, 100)
ZERO = Fraction(0)


def number(value: Any) -> Fraction:
    """The decimal that a text, Decimal or whole number states, a percentage among them."""
    text = str(value)
    return Fraction(text[:-1].strip()) / 100 if text.endswith("%") else Fraction(text)


def cell(borrower: Cells, column: str, absent: Any = 0) -> Fraction:
    text = borrower.get(column)
    return number(absent) if text in (None, "") else number(text)


@dataclass(frozen=True)
class Option:
    """One borrower at one rate: an offer of x is worth unit x + made."""

    borrower: int
    rate: Fraction
    take_up: Fraction
    unit: Fraction
    made: Fraction


@dataclass(frozen=True)
class Terms:
    """What a borrower may get: `low` to `high` lots, or exactly `pinned` money for certain."""

    low: int
    high: int
    options: tuple[Option, ...]
    pinned: Fraction | None = None


@dataclass(frozen=True)
class Row:
    """Σ w_i basis_i + lent  <=, >= or =  bound, or share x (Σ reference_i + reference lent)."""

    name: str
    sense: str
    basis: str
    weight: tuple[Fraction, ...]
    """One a borrower, 0 outside the filter."""
    lent: Fraction
    bound: Fraction
    share: Fraction
    """0 where the bound is money, a count or a share of the budget."""
    reference: str | None
    reference_lent: Fraction
    exact: bool
    """Whether amounts, weights and bound are whole cents and decimals: no tolerance."""

    def unit(self, option: Option, term: Fraction) -> Fraction:
        """Use of a unit of money, the reference taken off."""
        own = self.weight[option.borrower] * _basis(self.basis, option, term)
        return own - (self.share * _basis(self.reference, option, term) if self.reference else 0)

    def made(self, option: Option) -> Fraction:
        return self.weight[option.borrower] if self.basis == "loans" else ZERO


def _basis(basis: str | None, option: Option, term: Fraction) -> Fraction:
    if basis == "offered":
        return Fraction(1)
    if basis == "drawn":
        return option.take_up
    return option.take_up * option.rate * term if basis == "interest" else ZERO


@dataclass(frozen=True)
class Program:
    """Borrowers' terms and the rows, the budget's first."""

    book: Book

    @cached_property
    def lot(self) -> Fraction:
        step = self.book.policy["ticket"].get("step")
        return CENT if step is None else number(step)

    @cached_property
    def budget(self) -> Fraction:
        return number(self.book.policy["budget"]["amount"])

    @cached_property
    def term(self) -> tuple[Fraction, ...]:
        absent = self.book.policy.get("term_years", 1)
        return tuple(cell(b, "term_years", absent) for b in self.book.borrowers)

    @cached_property
    def idle(self) -> Fraction:
        """What a unit of unspent budget earns, 0 where it must be spent."""
        exact = self.book.policy["budget"].get("spend", "at_most") == "exactly"
        return ZERO if exact else number(self.book.policy.get("idle_rate", 0))

    @cached_property
    def terms(self) -> tuple[Terms, ...]:
        return tuple(_terms(self, i) for i in range(len(self.book.borrowers)))

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        limits = (row for entry in self.book.policy["limits"] for row in rows_of(self, entry))
        return (self.budget_row, *limits)

    @cached_property
    def budget_row(self) -> Row:
        policy, ones = self.book.policy["budget"], (Fraction(1),) * len(self.book.borrowers)
        basis = policy.get("basis", "offered")
        whole = basis == "offered" and all(t.pinned is None or _whole(t.pinned) for t in self.terms)
        return Row(
            "budget", policy.get("spend", "at_most"), basis, ones, ZERO, self.budget, ZERO, None, ZERO, whole
        )

    @cached_property
    def rates(self) -> list[Fraction]:
        """Those of the churn curve."""
        return [number(rate) for rate in self.book.rates]

    @cached_property
    def curves(self) -> dict[str, list[Fraction]]:
        """Churn of each grade at these rates, after smoothing."""
        raw = {grade: [number(c) for c in curve] for grade, curve in self.book.churn.items()}
        return raw if self.book.smoothing == "none" else {g: _pooled(curve) for g, curve in raw.items()}

    def churn(self, grade: str, rate: Fraction) -> Fraction:
        """Linear between the table's rates."""
        rates, curve = self.rates, self.curves[grade]
        for at in range(len(rates) - 1):
            if rates[at] <= rate <= rates[at + 1]:
                part = (rate - rates[at]) / (rates[at + 1] - rates[at])
                return curve[at] + part * (curve[at + 1] - curve[at])
        assert rate == rates[0]
        return curve[0]

    def menu(self, grade: str) -> list[Fraction]:
        low, high = (number(end) for end in self.book.policy["rates"][grade])
        grid = self.book.policy.get("rate_grid", "table")
        if grid == "table":
            return [rate for rate in self.rates if low <= rate <= high]
        step, count = number(grid["step"]), 0
        found = []
        while low + count * step < high:
            found.append(low + count * step)
            count += 1
        return [*found, high]


def _pooled(values: list[Fraction]) -> list[Fraction]:
    """The non-decreasing averages of adjacent violators."""
    blocks: list[list[Fraction]] = []
    for value in values:
        blocks.append([value])
        while len(blocks) > 1 and _mean(blocks[-2]) > _mean(blocks[-1]):
            last = blocks.pop()
            blocks[-1] += last
    return [_mean(block) for block in blocks for _ in block]


def _mean(values: list[Fraction]) -> Fraction:
    return sum(values, ZERO) / len(values)


def option(program: Program, i: int, rate: Fraction) -> Option:
    """The line of section 1."""
    own, policy = program.book.borrowers[i], program.book.policy
    p, loss, term = cell(own, "pd"), cell(own, "lgd"), program.term[i]
    take_up = 1 - program.churn(own["grade"], rate)
    funding, kappa, decline, cost = (
        number(policy.get(key, 0))
        for key in ("funding_rate", "churn_cost_rate", "decline_churn", "processing_cost")
    )
    relation = cell(own, "relationship_value")
    unit = take_up * (term * (1 - p) * rate - p * loss - funding * term) - (1 - take_up) * kappa
    made = decline * relation - (1 - take_up) * relation - take_up * cost
    return Option(i, rate, take_up, unit, made)


def _terms(program: Program, i: int) -> Terms:
    own, ticket = program.book.borrowers[i], program.book.policy["ticket"]
    if own.get("fixed_amount"):
        fixed = number(own["fixed_amount"])
        return Terms(0, 0, (option(program, i, number(own["fixed_rate"])),), fixed)
    low = ceil(max(cell(own, "min_amount"), number(ticket["min"])) / program.lot)
    largest = number(ticket["max"])
    high = floor(min(cell(own, "max_amount", largest), largest) / program.lot)
    lends = own["grade"] in program.book.policy["rates"] and own.get("exclude", "") != "true" and low <= high
    rates = [r for r in program.menu(own["grade"]) if r >= cell(own, "min_rate")] if lends else []
    return Terms(low, high, tuple(option(program, i, rate) for rate in rates))


MEASURES = {
    "offered": ("offered", lambda p, loss: 1, True),
    "drawn": ("drawn", lambda p, loss: 1, True),
    "expected_loss": ("drawn", lambda p, loss: p * loss, True),
    "interest": ("interest", lambda p, loss: 1 - p, False),
    "gross_interest": ("interest", lambda p, loss: 1, False),
    "loans": ("loans", lambda p, loss: 1, False),
}
"""Measure -> basis, weight of a borrower by PD and LGD, whether exposure counts, in the filter and in the
reference (section 2)."""


def rows_of(program: Program, entry: Mapping[str, Any]) -> Iterator[Row]:
    """One row, or one a value of the column that `each` names."""
    inside = [passes(b, entry.get("where", {})) for b in program.book.borrowers]
    column = entry.get("each")
    if column is None:
        yield _row(program, entry, entry["name"], inside)
        return
    for value in sorted({b[column] for b in program.book.borrowers}):
        own = [i and b[column] == value for i, b in zip(inside, program.book.borrowers, strict=True)]
        yield _row(program, entry, f"{entry['name']}[{value}]", own)


def _row(program: Program, entry: Mapping[str, Any], name: str, inside: list[bool]) -> Row:
    borrowers = program.book.borrowers
    basis, factor, counts = MEASURES[entry["measure"]]
    columns = [cell(b, entry["weight"]) if "weight" in entry else Fraction(1) for b in borrowers]
    weights = tuple(
        factor(cell(b, "pd"), cell(b, "lgd")) * own if i else ZERO
        for b, own, i in zip(borrowers, columns, inside, strict=True)
    )
    lent = [cell(b, "exposure") for b in borrowers]
    sense = next(key for key in ("at_most", "at_least", "exactly") if key in entry)
    stated, of = number(entry[sense]), entry.get("of")
    share = stated if of in ("total", "drawn") else ZERO
    bound = ZERO if share or of in ("total", "drawn") else stated * (program.budget if of == "budget" else 1)
    same = len({own for own, i in zip(columns, inside, strict=True) if i}) <= 1 and 0 not in columns
    money = [t.pinned for t in program.terms if t.pinned is not None] + lent
    whole = entry["measure"] in ("offered", "loans") and of != "drawn" and same
    return Row(
        name,
        sense,
        basis,
        weights,
        sum((w * e for w, e in zip(weights, lent, strict=True)), ZERO) if counts else ZERO,
        bound,
        share,
        {"total": "offered", "drawn": "drawn"}.get(str(of)),
        sum(lent, ZERO) if of in ("total", "drawn") and counts else ZERO,
        whole and (basis == "loans" or all(_whole(amount) for amount in money)),
    )


def _whole(amount: Fraction) -> bool:
    return (amount / CENT).denominator == 1


def passes(borrower: Cells, where: Mapping[str, Any]) -> bool:
    return all(_passes(borrower, column, test) for column, test in where.items())


def _passes(borrower: Cells, column: str, test: Any) -> bool:
    if not isinstance(test, Mapping):
        return borrower[column] in ([str(one) for one in test] if isinstance(test, list) else [str(test)])
    value = cell(borrower, column)
    holds = {
        "above": lambda end: value > end,
        "at_least": lambda end: value >= end,
        "below": lambda end: value < end,
        "at_most": lambda end: value <= end,
    }
    return all(holds[key](number(end)) for key, end in test.items())
