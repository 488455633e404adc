"""Who shares a posted rate: segments of the borrowers, by grade, by a column, or by both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from allocator.errors import Fault, InputError, in_rows
from allocator.records.offers import SAME_RATE, Menu, PostedSegments
from allocator.records.portfolio import Booleans, Floats, Portfolio
from allocator.records.price_lists import MOST_SEGMENTS, Posting, segment_column
from allocator.records.scenario import Policy


@dataclass(frozen=True)
class Cell:
    """Borrowers of one grade, and where rates are posted of one segment, with the rates open to them."""

    grade: str
    members: Booleans
    """(n,)"""
    menu: Menu
    segment: int
    """Its place in the book's segments; -1 where no list is to be chosen."""


def segments_of(portfolio: Portfolio, menus: Mapping[str, Menu], policy: Policy) -> PostedSegments | None:
    """The segments that post a rate, of no book's menus yet; None where the policy posts none.

    `menus` are those of the grades. Raises InputError where the column is no column of segments.
    """
    posting = policy.posting
    if posting is None:
        return None
    grades = [grade for grade in policy.rates if len(menus[grade].rates)]
    names: dict[str, Floats] = {}
    chains: list[tuple[int, ...]] = []
    for value in _values_of(portfolio, posting, len(grades)):
        own = {posting.segment(grade, value): grade for grade in grades}
        if twice := sorted(names.keys() & own.keys()):
            problem = f"two grades and values of {posting.column} have the same name, {twice[0]!r}"
            raise InputError.of([Fault(problem, "name one otherwise", field="policy.pricing")], "price lists")
        places = range(len(names), len(names) + len(own))
        chains += [tuple(places)] if posting.rising else [(place,) for place in places]
        for name, grade in own.items():
            shared = [grade] if posting.by_grade else grades
            names[name] = _merged([menus[menu].rates for menu in shared])
    return PostedSegments(tuple(names), tuple(names.values()), np.zeros(0, dtype=np.int32), tuple(chains))


def _merged(rates: list[Floats]) -> Floats:
    """The rates of several menus, ascending, each once."""
    every = np.unique(np.concatenate(rates))
    return np.asarray(every[np.append(True, np.diff(every) > SAME_RATE)])


def _values_of(portfolio: Portfolio, posting: Posting, grades: int) -> tuple[str, ...]:
    """What of the column tells segments apart, ascending; one value where there is no column."""
    if posting.column is None:
        return ("",)
    column = portfolio.text(posting.column)
    blank = np.array([not value.strip() for value in column.values] + [True])  # the last: no value, code -1
    lacking = np.sort(portfolio.row[blank[column.codes]]).tolist()
    if lacking:
        problem = f"pricing posts a rate for each {posting.column}, which is blank{in_rows(lacking)}"
        fault = Fault(problem, "fill it in", file=portfolio.source, row=int(lacking[0]), field=posting.column)
        raise InputError.of([fault], "price lists")
    present = [column.values[code] for code in np.unique(column.codes).tolist()]
    if both := sorted({*posting.groups.values()} & {*present} - posting.groups.keys()):
        problem = f"the group {both[0]!r} has the name of a value of {posting.column} that it does not list"
        remedy = f"list {both[0]!r} in it, or name the group otherwise"
        raise InputError.of([Fault(problem, remedy, field="policy.pricing.groups")], "price lists")
    values = sorted({posting.groups.get(value, value) for value in present})
    count = len(values) * (grades if posting.by_grade else 1)
    if count > MOST_SEGMENTS:
        problem = f"a price list of {count:,} segments, expected {MOST_SEGMENTS} at most"
        remedy = "name a column of fewer values, or put values together in groups"
        raise InputError.of([Fault(problem, remedy, field="policy.pricing")], "price lists")
    return tuple(values)


def unknown_values(portfolio: Portfolio, policy: Policy) -> tuple[str, ...]:
    """A note where segments put values together that no borrower has."""
    posting = policy.posting
    if posting is None or posting.column is None:
        return ()
    column = portfolio.text(posting.column)
    known = {column.values[code] for code in np.unique(column.codes).tolist()}
    if not (unknown := sorted(posting.groups.keys() - known)):
        return ()
    listed = ", ".join(map(repr, unknown))
    return (f"pricing puts together values of {posting.column} that no borrower has: {listed}",)


def cells_of(
    portfolio: Portfolio, menus: Mapping[str, Menu], policy: Policy, segments: PostedSegments | None
) -> Iterator[Cell]:
    """Every borrower of a grade of the policy in one cell, with what a list that is held to leaves."""
    posting = policy.posting
    names = () if segments is None or policy.posted is not None else segments.names
    told_apart = segment_column(posting)
    column = None if told_apart is None else portfolio.text(told_apart)
    for grade, menu in menus.items():
        own = portfolio.grade.codes == portfolio.grade.code_of(grade)
        for code, value in enumerate(("",) if column is None else column.values):
            members = own if column is None else own & (column.codes == code)
            name = "" if posting is None else posting.segment(grade, value)
            left = menu if policy.posted is None else _held_to(menu, policy.posted.get(name))
            yield Cell(grade, members, left, names.index(name) if name in names else -1)


def _held_to(menu: Menu, rate: float | None) -> Menu:
    """What a price list leaves of a grade's menu."""
    kept = np.abs(menu.rates - (np.nan if rate is None else rate)) <= SAME_RATE
    return Menu(menu.rates[kept], menu.take_up[kept])
