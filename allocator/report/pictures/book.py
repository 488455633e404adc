"""A run explained: which limits shape it, and how much of each segment's value they charge."""

from __future__ import annotations

from collections.abc import Sequence

from allocator.insight.explain.book import BookExplanation
from allocator.insight.explain.ledger import PricedAccount
from allocator.report.broken import standing_lines
from allocator.report.colours import Shade
from allocator.report.drawing.chart import Axis, Bars, Chart, Key, Line, Part, Row
from allocator.report.drawing.units import short
from allocator.report.limits import limit_in_words
from allocator.report.pictures.parts import gauge, shades_of, stacked
from allocator.report.plain import more

_MOST = 20
_LIMITS = 3
"""Limits whose charges are parts of their own."""


def book_chart(book: BookExplanation, whom: str) -> Chart:
    """A gauge of the limits, and each segment's value as what its borrowers keep and what limits charge."""
    run, ledger = book.run, book.ledger
    uses = [
        {**line.use.figures, "binding": line.use.binding, "broken": line.use.broken} for line in ledger.limits
    ]
    title = f"{run.name}: where its value comes from and what its limits cost"
    return Chart(title, book_answer(book), (gauge(uses), _segments(book, whom)), tuple(standing_lines(run)))


def book_answer(book: BookExplanation) -> str:
    """What the run is worth, and what of it limits charge."""
    charged, kept = sum(line.charge for line in book.ledger.limits), book.ledger.account.chosen
    return (
        f"Worth {short(book.run.value)} {book.run.currency}: limits charge {short(charged)} of it at their "
        f"shadow prices, {short(kept)} is what offers are worth beyond."
    )


def _segments(book: BookExplanation, whom: str) -> Bars:
    funded = [segment for segment in book.segments if segment.account.funded]
    largest = sorted(funded, key=lambda segment: -segment.account.value)
    kept = {id(segment) for segment in largest[:_MOST]}
    shown = [segment for segment in funded if id(segment) in kept]
    idle = len(book.segments) - len(funded)
    without = [f"{idle} {book.by if idle == 1 else f'values of {book.by}'} without an offer"] if idle else []
    dearest, others = _charged(book)
    every = [line.use.name for line in book.ledger.limits]
    names = ["beyond all limits", *(f"charged by {limit_in_words(name, every)}" for name in dearest)]
    keys: list[tuple[Shade, str]] = [*zip(shades_of(names), names, strict=True)]
    keys += [("rest", f"by {len(others)} other {_several('limit', len(others))}")] if others else []
    rows = [
        Row(
            segment.account.name,
            (Line(_parts(segment, dearest, others, keys), short(segment.account.value)),),
        )
        for segment in shown
    ]
    return Bars(
        f"Value by {book.by}{whom}", Axis("value", "money", book.run.currency), tuple(rows),
        keys=tuple(Key(shade, name) for shade, name in keys), figures="value",
        more="; ".join([*more(len(largest) - len(shown), f"values of {book.by}, worth less"), *without]),
    )  # fmt: skip


def _charged(book: BookExplanation) -> tuple[list[str], list[str]]:
    """The limits that charge most, and the others that charge."""
    totals: dict[str, float] = {}
    for segment in book.segments:
        for name, charge in segment.charges.items():
            totals[name] = totals.get(name, 0.0) + charge
    ordered = sorted((name for name in totals if totals[name]), key=lambda name: (-abs(totals[name]), name))
    return ordered[:_LIMITS], ordered[_LIMITS:]


def _parts(
    segment: PricedAccount, dearest: Sequence[str], others: Sequence[str], keys: Sequence[tuple[Shade, str]]
) -> tuple[Part, ...]:
    amounts = [segment.chosen, *(segment.charges.get(name, 0.0) for name in dearest)]
    amounts += [sum(segment.charges.get(name, 0.0) for name in others)] if others else []
    return stacked([(amount, shade, name) for amount, (shade, name) in zip(amounts, keys, strict=True)])


def _several(thing: str, count: int) -> str:
    return thing if count == 1 else f"{thing}s"
