"""Periods in the order of time, whatever they are written as: 9 comes before 10."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from allocator.errors import Fault, InputError, row_count
from allocator.records.portfolio import Booleans, Codes, Floats, Integers, Portfolio, Text

_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_YEAR_FIRST = re.compile(r"\d{4}(?!\d)", re.ASCII)
_DIGITS = re.compile(r"\d+", re.ASCII)
_REMEDY = "write numbers such as 2019, or dates with the year first such as 2019-03-01 or 2019-Q1"


@dataclass(frozen=True)
class Timeline:
    """When each of n borrowers was decided, and when its default became known."""

    names: tuple[str, ...]
    """Periods in the order of time."""
    when: Codes
    """(n,) index into names; -1: no period is given."""
    known: Codes | None = None
    """(n,) the same of the default; -1: not known to this day. None: one period after its decision."""


def timeline(
    portfolio: Portfolio, period: str, known: str | None = None, defaulted: Booleans | None = None
) -> Timeline:
    """What the text columns `period` and `known` say; of `known` only the rows in `defaulted` (n,) count.

    Periods are numbers, or texts of one form that begin with their year; both columns are of one kind.
    Raises InputError with every fault: what is neither, and a default known before its own decision.
    """
    columns = [name for name in (period, known) if name is not None]
    faults = _faults(portfolio, columns)
    if faults:
        raise InputError.of(faults, portfolio.source)
    texts = [portfolio.text(name) for name in columns]
    first = {_key(value): value for text in reversed(texts) for value in reversed(text.values)}
    order = sorted(first)
    places = {key: place for place, key in enumerate(order)}
    codes = [_coded(text, [places[_key(value)] for value in text.values]) for text in texts]
    when, became_known = codes[0], codes[1] if known else None
    if (when < 0).all():
        fault = Fault("no borrower has one", "say when each was decided", portfolio.source, field=period)
        raise InputError.of([fault], portfolio.source)
    if became_known is not None and defaulted is not None:
        became_known = np.where(defaulted, became_known, -1).astype(np.int32)
        _require_later(portfolio, columns, when, became_known)
    return Timeline(tuple(first[key] for key in order), when, became_known)


def by_fold(fold: Integers, folds: int) -> Timeline:
    """Folds (n,), counted from 0, in the place of periods."""
    return Timeline(tuple(f"fold {number + 1}" for number in range(folds)), fold.astype(np.int32))


def in_rows(time: Timeline, portfolio: Portfolio) -> tuple[Floats, Floats | None]:
    """`when` and `known` (rows,) in the order of the portfolio's source; NaN: none."""
    return _in_rows(time.when, portfolio), None if time.known is None else _in_rows(time.known, portfolio)


def _in_rows(codes: Codes, portfolio: Portfolio) -> Floats:
    # Rows of a source may have gaps: blank ones count.
    order = np.argsort(portfolio.row, kind="stable")
    return np.where(codes < 0, np.nan, codes)[order]


def _coded(text: Text, places: Sequence[int]) -> Codes:
    """-1, a missing cell, takes the last entry."""
    return np.array([*places, -1], dtype=np.int32)[text.codes]


def _key(value: str) -> tuple[Decimal, ...]:
    """What a period is ordered by: its number, or the numbers in it from the year on."""
    if _NUMBER.fullmatch(value.strip()):
        return (Decimal(value.strip()),)
    return tuple(Decimal(digits) for digits in _DIGITS.findall(value))


def _form(value: str) -> str | None:
    """What periods that can be ordered have in common; None: the order of this one cannot be told."""
    value = value.strip()
    if _NUMBER.fullmatch(value):
        return "number"
    return _DIGITS.sub("0", value) if _YEAR_FIRST.match(value) else None


def _faults(portfolio: Portfolio, columns: Sequence[str]) -> list[Fault]:
    """The first cell of each column whose order cannot be told, else the first of another form."""
    faults: list[Fault] = []
    expected: tuple[str, str, str] | None = None
    for name in columns:
        text = portfolio.text(name)
        forms = [_form(value) for value in text.values]
        unordered = np.array([*(form is None for form in forms), False])[text.codes]
        if unordered.any():
            faults.append(_fault(portfolio, name, unordered, "does not begin with its year", _REMEDY))
            continue
        if not forms:
            continue
        first = text.values[text.codes[_first_in_source(portfolio, text.codes >= 0)]]
        expected = expected or (first, str(_form(first)), name)
        other = np.array([*(form != expected[1] for form in forms), False])[text.codes]
        if other.any():
            problem = f"is not of the form of {expected[0]!r} in {expected[2]}"
            faults.append(_fault(portfolio, name, other, problem, "write all periods in one form"))
    return faults


def _require_later(portfolio: Portfolio, columns: Sequence[str], when: Codes, became_known: Codes) -> None:
    """Raises InputError where a default was known before its borrower was decided."""
    early = (became_known >= 0) & (became_known < when)
    if early.any():
        problem = f"lies before the borrower's own {columns[0]}"
        fault = _fault(portfolio, columns[1], early, problem, "no default is known before its loan")
        raise InputError.of([fault], portfolio.source)


def _fault(portfolio: Portfolio, column: str, wrong: Booleans, problem: str, remedy: str) -> Fault:
    """The fault of the first row in `wrong` (n,), with how many there are."""
    first, text = _first_in_source(portfolio, wrong), portfolio.text(column)
    words = f"{text.values[text.codes[first]]!r} {problem} ({row_count(int(np.count_nonzero(wrong)))})"
    return Fault(words, remedy, file=portfolio.source, row=int(portfolio.row[first]), field=column)


def _first_in_source(portfolio: Portfolio, rows: Booleans) -> int:
    """The position of the one of `rows` (n,) that comes first in the source."""
    positions = np.flatnonzero(rows)
    return int(positions[np.argmin(portfolio.row[positions])])
