"""What a row must satisfy: each value on its own, then one against another."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from allocator.errors import Fault
from allocator.records.columns import NUMBERS, Column
from allocator.records.portfolio import Booleans, Floats, Text
from allocator.records.scenario import PortfolioSource
from allocator.tables.conversion import Numbers
from allocator.tables.findings import Finding, Rows


def value_findings(column: Column, field: str, read: Numbers, rows: Rows) -> list[Finding]:
    """Empty cells where none may be, and values outside the column's range."""
    too_low, too_high = _outside(column, read.values)
    lowest = "not above 0" if column.positive else f"below {column.lowest:g}"
    findings = list(read.findings)
    if column.empty is None:
        findings += rows.find(read.missing, field, lambda i: "an empty cell", "give every borrower a value")
    findings += rows.find(
        too_low, field, lambda i: f"{read.values[i]:.12g} is {lowest}", _remedy(column, lowest)
    )
    above = f"is above {column.highest:g}"
    findings += rows.find(too_high, field, lambda i: f"{read.values[i]:.12g} {above}", _remedy(column, above))
    return findings


def pair_findings(read: Mapping[str, Numbers], names: Mapping[str, str], rows: Rows) -> list[Finding]:
    """A smallest loan or rate above the largest, a contract outside both rates, and half a pinned offer."""
    low, high = read["min_amount"].values, read["max_amount"].values
    findings = rows.find(
        (low > high) & (high >= 0),  # NaN, a fault or an empty cell, compares as false.
        names.get("min_amount", "min_amount"),
        lambda i: f"{low[i]:.12g} is above the request of {high[i]:.12g}",
        "lower min_amount or raise max_amount",
    )
    for lower, upper in (("min_rate", "max_rate"), ("min_rate", "rate"), ("rate", "max_rate")):
        less, more = read[lower].values, read[upper].values
        findings += rows.find(
            less > more,
            names.get(lower, lower),
            lambda i, less=less, more=more, upper=upper: f"{less[i]:.12g} is above {upper}, {more[i]:.12g}",  # type: ignore[misc]
            f"lower {lower} or raise {upper}",
        )
    for given, other in (("fixed_amount", "fixed_rate"), ("fixed_rate", "fixed_amount")):
        findings += rows.find(
            _is_given(given, read, names) & ~_is_given(other, read, names),
            names.get(given, given),
            lambda i, other=other: f"no {other} beside it",  # type: ignore[misc]
            "pin both amount and rate, or neither",
        )
    return findings


def _is_given(name: str, read: Mapping[str, Numbers], names: Mapping[str, str]) -> Booleans:
    """(n,) where a cell is filled, rightly or not."""
    missing = read[name].missing
    return ~missing if name in names else np.isfinite(read[name].values)


def pd_from_grade(grade: Text, source: PortfolioSource, rows: Rows) -> tuple[Floats, list[Fault]]:
    """(n,) probabilities of default by grade, and a fault for each grade that has none."""
    faults = []
    table = np.full(len(grade.values) + 1, math.nan)
    for code, value in enumerate(grade.values):
        table[code] = source.pd_by_grade.get(value, math.nan)
        if value not in source.pd_by_grade:
            members = rows.number[grade.codes == code]
            problem = f"no probability of default for grade {value}, which {_count(len(members))}"
            remedy = f"write pd_by_grade: {{{value}: its probability of default}}"
            faults.append(
                Fault(f"{problem}, first row {members[0]}", remedy, file=source.label, field="pd_by_grade")
            )
    return table[grade.codes], faults


def default_faults(source: PortfolioSource) -> list[Fault]:
    """Values under `defaults` and `pd_by_grade` that no cell of their column could have."""
    given = {f"pd_by_grade.{grade}": (NUMBERS[0], value) for grade, value in source.pd_by_grade.items()}
    for column in NUMBERS:
        if column.name in source.defaults:
            given[f"defaults.{column.name}"] = (column, source.defaults[column.name])  # type: ignore[assignment]
    faults = []
    for field, (column, value) in given.items():
        if isinstance(value, bool | str) or not math.isfinite(value):
            faults.append(Fault(f'"{value}" is not a number', _remedy(column), field=f"portfolio.{field}"))
        elif np.any(_outside(column, np.array([value]))):
            faults.append(Fault(f"{value:g} is out of range", _remedy(column), field=f"portfolio.{field}"))
    if not isinstance(source.defaults.get("exclude", False), bool):
        problem = f'"{source.defaults["exclude"]}" is neither true nor false'
        faults.append(Fault(problem, "write true or false", field="portfolio.defaults.exclude"))
    return faults


def _outside(column: Column, values: Floats) -> tuple[Booleans, Booleans]:
    """Where `values` lie below and above the column's range; NaN lies in it."""
    too_high = np.isfinite(values) & (values > column.highest)  # infinite: a request that is not given
    return (values <= 0) if column.positive else (values < column.lowest), too_high


def _remedy(column: Column, fault: str = "") -> str:
    """What to write instead."""
    if column.highest == 1.0:
        least = column.lowest if fault.startswith("below") else 0.0
        return f"write a fraction from {least:g} to 1, 5% as 0.05"
    if fault.startswith("is above"):
        return f"write a number of at most {column.highest:g}"
    return "write a number above 0" if column.positive else "write a number of at least 0"


def _count(members: int) -> str:
    return "1 borrower has" if members == 1 else f"{members} borrowers have"
