"""A limit that needs a value which is missing, or too large to weigh by: an error, never a guess."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from allocator.errors import Fault, InputError, row_count
from allocator.records.portfolio import Booleans, Portfolio
from allocator.records.risk import ASSET_CLASSES, LEAST_NODES, MOST_LOSSES, MOST_SECTORS, TailRule
from allocator.records.scenario import LARGEST_NUMBER, Limit


def check_values(limits: Sequence[Limit], portfolio: Portfolio) -> None:
    """Raises InputError naming every column that some limit reads and some borrower lacks or overdoes."""
    faults = [fault for limit in limits for fault in _faults(limit, portfolio)]
    if faults:
        raise InputError.of(faults, "limits")


def _faults(limit: Limit, portfolio: Portfolio) -> Iterator[Fault]:
    """One fault per column, with the first row and a count."""
    for verb, column, missing in _missing(limit, portfolio):
        yield from _fault(limit, verb, column, "missing", "fill the column", missing, portfolio)
    if limit.by is not None and isinstance(limit.rule, TailRule):
        yield from _too_many(limit, portfolio)
    if limit.class_column is not None:
        classes = portfolio.text(limit.class_column)
        known = np.isin([*classes.values, ""], ASSET_CLASSES)
        what, remedy = f"none of {', '.join(ASSET_CLASSES)}", "write one of them"
        verb = f"measures {limit.measure} by"
        yield from _fault(limit, verb, limit.class_column, what, remedy, ~known[classes.codes], portfolio)
    for column in sorted(limit.rule.columns) if limit.rule is not None else ():
        verb = f"measures {limit.measure} by"
        below = (portfolio.number(column) < 0) & _sized(limit, portfolio)
        yield from _fault(limit, verb, column, "negative", "write 0 or more", below, portfolio)
    if limit.weight is not None:
        values = np.abs(portfolio.number(limit.weight))
        what, remedy = f"above {LARGEST_NUMBER:g} in size", "write it in a larger unit"
        large = np.isfinite(values) & (values > LARGEST_NUMBER)
        yield from _fault(limit, "weighs by", limit.weight, what, remedy, large, portfolio)


def _too_many(limit: Limit, portfolio: Portfolio) -> Iterator[Fault]:
    """More sectors than the points for their factors fill evenly, or more losses than are kept."""
    sectors = limit.rule.sectors if isinstance(limit.rule, TailRule) else None
    if sectors is None:
        return
    count, losses = len(portfolio.text(sectors.column).values), len(portfolio) * sectors.nodes
    if count > MOST_SECTORS:
        problem = f"limit {limit.name!r} has a factor for each of {count:,} values of {sectors.column}"
        remedy = f"name a column of {MOST_SECTORS} values at most"
        yield Fault(problem, remedy, file=portfolio.source, field=sectors.column)
    if losses > MOST_LOSSES:
        many = f"{len(portfolio):,} borrowers in {sectors.nodes:,} years"
        problem = f"limit {limit.name!r} needs the losses of {many}"
        most = MOST_LOSSES // len(portfolio)
        fewer = (
            f"write policy.tail.sectors.nodes: {most}"
            if most >= LEAST_NODES
            else "decide for fewer borrowers"
        )
        yield Fault(problem, f"{fewer}, or leave policy.tail.sectors out", field="policy.tail.sectors.nodes")


def _sized(limit: Limit, portfolio: Portfolio) -> Booleans:
    """(n,) whose sales the rule of the limit reads: where a column says the classes, those of class sme."""
    if limit.class_column is None:
        return np.ones(len(portfolio), dtype=bool)
    classes = portfolio.text(limit.class_column)
    return np.array([*(name == "sme" for name in classes.values), False])[classes.codes]


def _fault(
    limit: Limit, verb: str, column: str, what: str, remedy: str, where: Booleans, portfolio: Portfolio
) -> Iterator[Fault]:
    """The fault of a column in the rows `where` (n,), if there are any."""
    count = int(np.count_nonzero(where))
    if count:
        subject = f"limit {limit.name!r}" if limit.name else "policy.capital"
        yield Fault(
            f"{subject} {verb} {column}, which is {what} in {row_count(count)}",
            remedy,
            file=portfolio.source,
            row=int(np.min(portfolio.row[where])),
            field=column,
        )


def _missing(limit: Limit, portfolio: Portfolio) -> Iterator[tuple[str, str, Booleans]]:
    """What the limit does with each column that it reads, and who lacks the value, shape (n,)."""
    for condition in limit.conditions:
        name = condition.column
        lacking = np.isnan(portfolio.number(name)) if condition.is_range else portfolio.text(name).codes < 0
        yield "filters by", name, lacking
    if limit.each is not None:
        yield "counts each", limit.each, portfolio.text(limit.each).codes < 0
    if limit.by is not None:
        yield "groups by", limit.by, portfolio.text(limit.by).codes < 0
    for column in limit.plugin.thing.columns if limit.plugin is not None else ():
        yield "measures by", column, ~np.isfinite(portfolio.number(column))
    for column in sorted(limit.rule.columns) if limit.rule is not None else ():
        lacking = ~np.isfinite(portfolio.number(column))
        yield f"measures {limit.measure} by", column, lacking & _sized(limit, portfolio)
    if limit.weight is not None:
        # A request that is not given is infinite: it passes filters but weighs nothing sensible.
        yield "weighs by", limit.weight, ~np.isfinite(portfolio.number(limit.weight))
