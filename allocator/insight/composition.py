"""What an allocation is made of: who is offered what, in which segments, and who is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from allocator.insight.compare.segments import by_column, mean_pd, whole_of
from allocator.insight.explain.crowded import Shortfall, beyond_one_limit, shortfall_of
from allocator.insight.explain.position import Position
from allocator.records.ledger import Account, accounts_by
from allocator.records.outcome import Outcome
from allocator.records.portfolio import Booleans, Floats, Portfolio, Text

_PD_EDGES = (0.005, 0.01, 0.02, 0.05, 0.1)
"""The PDs at which one band ends and the next begins."""
LARGEST = 10
"""Loans, and requests declined, that are listed one by one."""
_CURVE = 50
"""Steps of the Lorenz curve."""


@dataclass(frozen=True)
class Band:
    """Borrowers whose PD is at least `low` and below `high`."""

    low: float
    high: float
    funded: int
    declined: int


@dataclass(frozen=True)
class ListedBorrower:
    """One borrower of a list; amounts in currency units."""

    borrower_id: str
    grade: str
    segments: tuple[str, ...]
    """Its value of each column of the composition."""
    pd: float
    lgd: float
    request: float
    """inf where it is not given."""
    amount: float
    rate: float
    drawn: float
    expected_loss: float
    value: float
    reason: str
    """Why it is declined; "" where an offer is made."""
    short: Shortfall | None
    """What it lacks, where the price of a limit crowds it out."""


@dataclass(frozen=True)
class DeclineReason:
    """Borrowers who are declined for one reason."""

    reason: str
    borrowers: int
    requested: float
    """The sum of their requests, of those that state one."""
    beside: int
    """Of them, those who would be worth the price that the reason names: other limits' prices decide too."""
    grades: tuple[str, ...]
    """The grades that they are of, by name."""


@dataclass(frozen=True)
class Composition:
    """An allocation by borrowers and segments."""

    by: tuple[str, ...]
    """At most two columns of texts."""
    segments: tuple[tuple[Account, ...], ...]
    """One tuple a column of `by`: an account a value, by what is offered, the largest first."""
    crossed: tuple[tuple[float, ...], ...]
    """Offered by values of the first column and of the second, in the order of `segments`; empty without."""
    mean_pd: tuple[tuple[str, float], ...]
    """Grade -> PD weighted by what is offered; "" is the whole."""
    bands: tuple[Band, ...]
    largest: tuple[ListedBorrower, ...]
    """The largest loans."""
    declined: tuple[ListedBorrower, ...]
    """The largest requests that are declined."""
    refusals: tuple[DeclineReason, ...]
    """The commonest reason first."""
    curve: tuple[tuple[float, float], ...]
    """Lorenz curve of what is offered: share of the funded borrowers, the smallest first; their share."""


def compose(position: Position, by: Sequence[str]) -> Composition:
    """The composition of the run in `position`."""
    run = position.run
    portfolio, ledger = run.inputs.portfolio, run.ledger
    texts = [portfolio.text(column) for column in by]
    segments = [_largest_first(accounts_by(ledger, text, unnamed="(none)")) for text in texts]
    offers = np.flatnonzero(ledger.amount > 0)
    refused = np.flatnonzero((ledger.amount == 0) & np.isfinite(portfolio.max_amount))
    return Composition(
        by=tuple(by),
        segments=tuple(map(tuple, segments)),
        crossed=_cross_table(ledger.amount, texts, segments) if len(texts) == 2 else (),
        mean_pd=_mean_pd(run),
        bands=_bands(portfolio.pd, ledger.amount > 0),
        largest=_listed_borrowers(position, texts, _largest_rows(offers, ledger.amount)),
        declined=_listed_borrowers(position, texts, _largest_rows(refused, portfolio.max_amount)),
        refusals=declined_by_reason(position.reasons, portfolio, beyond_one_limit(position)),
        curve=_lorenz(ledger.amount[offers]),
    )


def _largest_first(accounts: Sequence[Account]) -> list[Account]:
    return sorted(accounts, key=lambda account: (-account.offered, account.name))


def _codes(text: Text, accounts: Sequence[Account]) -> np.ndarray:
    """(n,) place of each borrower's value among `accounts`."""
    place = {account.name: number for number, account in enumerate(accounts)}
    by_code = np.array([place.get(value, -1) for value in (*text.values, "(none)")])
    return np.asarray(by_code[text.codes])  # code -1, of no value, is the last


def _cross_table(
    amount: Floats, texts: Sequence[Text], segments: Sequence[Sequence[Account]]
) -> tuple[tuple[float, ...], ...]:
    rows, columns = (_codes(text, own) for text, own in zip(texts, segments, strict=True))
    shape = (len(segments[0]), len(segments[1]))
    table = np.bincount(rows * shape[1] + columns, amount, minlength=shape[0] * shape[1]).reshape(shape)
    return tuple(tuple(row) for row in table.tolist())


def _mean_pd(run: Outcome) -> tuple[tuple[str, float], ...]:
    means = {grade: mean_pd(account) for grade, account in by_column(run, "grade").items()}
    return (*means.items(), ("", mean_pd(whole_of(run))))


def _bands(pd: Floats, funded: Booleans) -> tuple[Band, ...]:
    ends = (0.0, *_PD_EDGES, 1.0)
    band = np.searchsorted(_PD_EDGES, pd, side="right")
    counts = [np.bincount(band[among], minlength=len(ends) - 1) for among in (funded, ~funded)]
    return tuple(
        Band(ends[k], ends[k + 1], int(counts[0][k]), int(counts[1][k])) for k in range(len(ends) - 1)
    )


def _largest_rows(rows: np.ndarray, size: Floats) -> np.ndarray:
    """The `LARGEST` of `rows` by `size`, the first in the portfolio where it ties."""
    return rows[np.argsort(-size[rows], kind="stable")[:LARGEST]]


def _listed_borrowers(
    position: Position, texts: Sequence[Text], rows: np.ndarray
) -> tuple[ListedBorrower, ...]:
    portfolio, ledger = position.run.inputs.portfolio, position.run.ledger

    def value(text: Text, i: int) -> str:
        return text.values[text.codes[i]] if text.codes[i] >= 0 else ""

    return tuple(
        ListedBorrower(
            borrower_id=str(portfolio.borrower_id[i]),
            grade=value(portfolio.grade, i),
            segments=tuple(value(text, i) for text in texts),
            pd=float(portfolio.pd[i]),
            lgd=float(portfolio.lgd[i]),
            request=float(portfolio.max_amount[i]),
            amount=float(ledger.amount[i]),
            rate=float(ledger.rate[i]),
            drawn=float(ledger.drawn[i]),
            expected_loss=float(ledger.expected_loss[i]),
            value=float(ledger.value[i]),
            reason=str(position.reasons[i]),
            short=shortfall_of(position, i),
        )
        for i in rows.tolist()
    )


def declined_by_reason(
    why: np.ndarray, portfolio: Portfolio, beside: Booleans | None = None
) -> tuple[DeclineReason, ...]:
    """Who is declined, by the reasons `why` (n,), "" where an offer is made; the commonest first.

    `beside` (n,) is who would be worth the price that the reason names.
    """
    requested = portfolio.max_amount
    codes, names = pd.factorize(why)
    counts = np.bincount(codes, minlength=len(names))
    sums = np.bincount(codes, np.where(np.isfinite(requested), requested, 0.0), minlength=len(names))
    more = np.bincount(codes, beside, minlength=len(names)).astype(int)
    grades = _grades_by(codes, len(names), portfolio)
    figures = zip(map(str, names), counts.tolist(), sums.tolist(), more.tolist(), grades, strict=True)
    refusals = [DeclineReason(*figure) for figure in figures if figure[0]]
    return tuple(sorted(refusals, key=lambda refusal: (-refusal.borrowers, refusal.reason)))


def _grades_by(codes: np.ndarray, many: int, portfolio: Portfolio) -> list[tuple[str, ...]]:
    """The grades, by name, of whom each of `many` `codes` (n,) is for."""
    grade = portfolio.grade
    pairs = np.unique(codes * len(grade.values) + grade.codes) if len(codes) else np.zeros(0, dtype=int)
    own: list[list[str]] = [[] for _ in range(many)]
    for code, place in zip(*divmod(pairs, max(len(grade.values), 1)), strict=True):
        own[code].append(grade.values[place])
    return [tuple(sorted(names)) for names in own]


def _lorenz(amounts: Floats) -> tuple[tuple[float, float], ...]:
    if not len(amounts):
        return ()
    shares = np.concatenate([[0.0], np.cumsum(np.sort(amounts))])
    shares /= shares[-1]
    steps = np.unique(np.linspace(0, len(amounts), min(len(amounts), _CURVE) + 1).astype(int))
    return tuple(zip((steps / len(amounts)).tolist(), shares[steps].tolist(), strict=True))
