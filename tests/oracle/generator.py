"""Random books, the same ones for the same seed: borrowers, policy, a sample allocation, limits about it.

Of twenty seeds two have shares of the total that add up to 100 %, four have rows that must be met exactly
(`equalities.py`), the others any limits. Bounds lie at or about what a sample allocation uses, so that
most books have an allocation and some have none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from fractions import Fraction
from random import Random
from typing import Any

from tests.oracle import equalities
from tests.oracle.books import Book
from tests.oracle.feasibility import Offer, used
from tests.oracle.program import Program, rows_of

GRADES = ("A", "B", "C")
SECTORS = ("food", "retail", "NO", "001")
REGIONS = ("north", "south", "east")
MENU = ("0.04", "0.06", "0.0725", "0.09", "0.12", "0.15")
MEASURES = ("offered", "offered", "drawn", "interest", "gross_interest", "expected_loss", "loans")
REFERENCES = {"offered": "total", "drawn": "drawn"}
FILTERS: tuple[dict[str, Any], ...] = (
    {},
    {},
    {"grade": "A"},
    {"sector": ["food", "NO"]},
    {"pd": {"above": Decimal("0.01")}},
    {"score": {"at_least": Decimal(0), "below": Decimal(3)}},
    {"grade": ["B", "C"], "exposure": {"at_most": Decimal(0)}},
)


@dataclass(frozen=True)
class Scale:
    """What money means in one book."""

    lot: Decimal
    typical: Decimal
    """A usual request."""
    round: bool
    """Whether amounts have two significant digits."""

    def money(self, r: Random, low: float, high: float) -> Decimal:
        """Between these parts of the usual request, a lot at least."""
        raw = self.typical * Decimal(repr(r.uniform(low, high)))
        if self.round:
            raw = digits(raw, 2, up=True)
        unit = Decimal("0.01") if r.random() < 0.1 else self.lot
        return max((raw / unit).to_integral_value(), Decimal(1)) * unit


def digits(number: Decimal, count: int, up: bool) -> Decimal:
    """The number to `count` significant digits, from above or from below."""
    with localcontext() as context:
        context.prec, context.rounding = count, ROUND_CEILING if up else ROUND_FLOOR
        return +number


def decimal(number: Fraction, places: int = 30) -> Decimal:
    with localcontext() as context:
        context.prec = places
        return Decimal(number.numerator) / Decimal(number.denominator)


def draw(seed: int) -> Book:
    """The book of a seed."""
    r = Random(seed)
    n = r.randint(3, 8) if r.random() < 0.65 else r.randint(9, 20) if r.random() < 0.8 else r.randint(21, 60)
    scale, budget = _scale(r, n)
    grades = GRADES[: r.randint(1, 3)]
    rates = tuple(sorted(Decimal(m) for m in r.sample(MENU, r.randint(1, 4 if n < 21 else 2))))
    policy = _policy(r, scale, budget, grades, rates)
    book = Book(
        policy,
        rates,
        {grade: _churn(r, len(rates)) for grade in grades},
        r.choice(("none", "none", "isotonic")),
        _borrowers(r, n, scale, grades, policy["rates"]),
    )
    sample = _sample(r, Program(book))
    book = _spent(r, book, sample)
    kind = seed % 20
    if kind in (3, 13):
        book = equalities.shares(r, book, sample)
    elif kind in (2, 7, 12, 17):
        book = equalities.equality(r, book, sample)
        sample = [offer for offer in sample if offer.option.borrower < len(book.borrowers)]
    return _limited(r, book, sample, r.randint(0, 2 if kind in (2, 3, 7, 12, 13, 17) else 5))


def _scale(r: Random, n: int) -> tuple[Scale, Decimal]:
    """Budgets from 1e2 to 1e13, steps from 1 to 1e6 or none."""
    exponent = r.uniform(2, 12.9)
    step = None
    if r.random() < 0.5:
        step = Decimal(r.choice((1, 1, 2, 5, 7, 25))) * 10 ** r.randint(0, 5)
        exponent = max(exponent, 0.8 + float((step * n).log10()))
    budget = Decimal(repr(round(10**exponent, 2)))
    return Scale(step or Decimal("0.01"), budget / n, r.random() < 0.5), budget


def _policy(
    r: Random, scale: Scale, budget: Decimal, grades: tuple[str, ...], rates: tuple[Decimal, ...]
) -> dict[str, Any]:
    least = scale.money(r, 0.05, 0.5)
    ticket = {"min": least, "max": max(scale.money(r, 0.8, 3.0), least)}
    if scale.lot >= 1:
        ticket["step"] = scale.lot
    policy: dict[str, Any] = {
        "budget": {
            "amount": budget,
            "spend": r.choice(("at_most",) * 5 + ("exactly",)),
            "basis": r.choice(("offered",) * 4 + ("drawn",)),
        },
        "ticket": ticket,
        "rates": {grade: _band(r, rates) for grade in grades if r.random() < 0.9 or grade == "A"},
        "limits": [],
    }
    choices = {
        "funding_rate": ("0.02", "0.05"),
        "churn_cost_rate": ("0.001", "0.01"),
        "decline_churn": ("0.2", "0.5"),
        "idle_rate": ("0.01", "0.03"),
        "term_years": ("0.5", "2", "3"),
    }
    policy |= {key: Decimal(r.choice(some)) for key, some in choices.items() if r.random() < 0.3}
    if r.random() < 0.3:
        policy["processing_cost"] = scale.money(r, 0.0001, 0.01)
    if len(rates) > 1 and r.random() < 0.15:
        policy["rate_grid"] = {"step": Decimal("0.031")}
    return policy


def _band(r: Random, rates: tuple[Decimal, ...]) -> list[Decimal]:
    ends = sorted((r.choice(rates), r.choice(rates)))
    return ends if r.random() < 0.4 else [rates[0], rates[-1]]


def _churn(r: Random, count: int) -> tuple[Decimal, ...]:
    """Rising mostly."""
    shares = [Decimal(r.randint(0, 950)) / 1000 for _ in range(count)]
    return tuple(sorted(shares) if r.random() < 0.7 else shares)


def _borrowers(
    r: Random, n: int, scale: Scale, grades: tuple[str, ...], bands: dict[str, list[Decimal]]
) -> tuple[dict[str, str], ...]:
    fixed = r.random() < 0.12
    lent, pinned = r.random() < 0.3, r.random() < 0.2
    weigh = Decimal(10) ** r.randint(-9, 9)
    flat = Decimal(r.randint(1, 999)) * Decimal(10) ** r.randint(-9, 6)
    few = [scale.money(r, 0.3, 2.5) for _ in range(3)] if r.random() < 0.3 else []
    return tuple(
        {
            "borrower_id": f"F{i:03}",
            "grade": grade,
            "pd": r.choice(("0", "0.004", "0.013", "0.02", "0.05", "0.1", "0.3", f"{r.uniform(0, 0.2):.6f}")),
            "lgd": r.choice(("0.45", "0.45", "0.5", "0", "1")),
            "term_years": r.choice(("1", "1", "0.5", "2", "3")),
            "sector": r.choice(SECTORS),
            "region": r.choice(REGIONS),
            "score": r.choice(("-1", "0", "0.5", "3")),
            "carbon": format(Decimal(r.randint(0, 500)) / 100 * weigh, "f"),
            "flat": format(flat, "f"),
            **_request(r, scale, fixed, few),
            **_own(r, scale, lent, pinned, bands.get(grade, [])),
        }
        for i, grade in enumerate(r.choices(grades, k=n))
    )


def _request(r: Random, scale: Scale, fixed: bool, few: list[Decimal]) -> dict[str, str]:
    asked = r.choice(few) if few else scale.money(r, 0.3, 2.5)
    if fixed:
        return {"min_amount": format(asked, "f"), "max_amount": format(asked, "f")}
    found = {"max_amount": format(asked, "f")} if r.random() < 0.75 else {}
    if r.random() < 0.2:
        found["min_amount"] = format(min(asked, scale.money(r, 0.1, 1.5)), "f")
    return found


def _own(r: Random, scale: Scale, lent: bool, pinned: bool, band: list[Decimal]) -> dict[str, str]:
    found = {}
    if r.random() < 0.2:
        found["relationship_value"] = format(scale.money(r, 0.0005, 0.02), "f")
    if lent and r.random() < 0.5:
        found["exposure"] = format(scale.money(r, 0.1, 1.5), "f")
    if r.random() < 0.05:
        found["exclude"] = "true"
    elif pinned and band and r.random() < 0.2:
        pin = {"fixed_amount": scale.money(r, 0.2, 1.0), "fixed_rate": r.choice((*band, sum(band) / 2))}
        found |= {key: format(figure, "f") for key, figure in pin.items()}
    elif band and r.random() < 0.07:
        found["min_rate"] = format(r.choice(band), "f")
    return found


def _sample(r: Random, program: Program) -> list[Offer]:
    """Some offers, of the smallest, the largest and other amounts."""
    found = []
    for terms in program.terms:
        if terms.pinned is not None:
            found.append(Offer(terms.options[0], terms.pinned))
        elif terms.options and r.random() < 0.65:
            lots = r.choice((terms.low, terms.high, terms.high, r.randint(terms.low, terms.high)))
            found.append(Offer(r.choice(terms.options), lots * program.lot))
    return found


def _spent(r: Random, book: Book, sample: list[Offer]) -> Book:
    """The budget about what the sample uses: exactly that, or with room, or too little."""
    program = Program(book)
    spent = decimal(used(program, program.budget_row, sample)[0])
    if not spent:
        return book
    exact = book.policy["budget"]["spend"] == "exactly"
    by = Decimal(r.choice(("1", "1", "1.0001") if exact else ("1", "1.05", "1.3", "1.3", "0.8")))
    amount = (spent * by).quantize(Decimal("0.01"), ROUND_CEILING)
    if by != 1 and r.random() < 0.6:
        amount = digits(amount, 3, up=True)
    return replace(book, policy={**book.policy, "budget": {**book.policy["budget"], "amount": amount}})


def _limited(r: Random, book: Book, sample: list[Offer], count: int) -> Book:
    found, program = list(book.policy["limits"]), Program(book)
    for k in range(count):
        entry = _limit(r, program, sample, f"limit {k}")
        if entry is not None:
            found.append(entry)
    return replace(book, policy={**book.policy, "limits": found})


def _limit(r: Random, program: Program, sample: list[Offer], name: str) -> dict[str, Any] | None:
    """A limit of any family and shape, its bound at or about what the sample uses."""
    entry: dict[str, Any] = {"name": name, "measure": r.choice(MEASURES)}
    where = r.choice(FILTERS)
    if where:
        entry["where"] = where
    elif r.random() < 0.4:
        entry["each"] = r.choice(("sector", "region", "grade"))
    if r.random() < 0.3:
        entry["weight"] = r.choice(("pd", "score", "carbon", "carbon", "flat"))
    if entry["measure"] != "loans":
        of = r.choice((None, None, "budget", "total", "drawn"))
        entry |= {"of": of} if of else {}
    sense = r.choice(("at_most", "at_most", "at_least"))
    rows = list(rows_of(program, {**entry, sense: Decimal(1)}))
    row = r.choice(rows)
    left, right, _ = used(program, row, sample)
    if not right or not left:
        return None
    bound = _bound(r, left / right, sense, bool(row.exact and entry.get("of") is None))
    if entry["measure"] == "loans" and "weight" not in entry:
        bound = bound.to_integral_value(ROUND_CEILING)
    itself = entry.keys() <= {"name", "measure", "of"} and entry.get("of") == REFERENCES.get(entry["measure"])
    if entry.get("of") and (itself or not 0 <= bound <= 1):
        return None
    return {**entry, sense: bound}


def _bound(r: Random, ratio: Fraction, sense: str, whole: bool) -> Decimal:
    up = (sense == "at_most") == (ratio > 0)
    exact = decimal(ratio)
    if whole and r.random() < 0.5 and Fraction(exact) == ratio and len(exact.as_tuple().digits) < 16:
        return exact
    loose = ("1", "1", "1.2", "1.01", "0.95") if up else ("1", "1", "0.8", "0.99", "1.05")
    return digits(exact * Decimal(r.choice(loose)), r.choice((3, 4, 6)), up=up)
