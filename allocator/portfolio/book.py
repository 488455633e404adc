"""A book of offers that somebody else made: amounts and rates by borrower."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from allocator.errors import Fault
from allocator.portfolio.columns import repeated_names
from allocator.portfolio.order import ascending, duplicates
from allocator.records.portfolio import ChurnTable, Floats, Integers, Portfolio
from allocator.records.run import Decisions
from allocator.records.scenario import PortfolioSource
from allocator.tables import open_source
from allocator.tables.conversion import Numbers, to_numbers, to_strings, type_fault
from allocator.tables.findings import Finding, Rows, quoted, raise_faults

_WANTED = {"borrower_id": "text", "amount": "number", "rate": "number"}


def read_book(source: PortfolioSource, portfolio: Portfolio, table: ChurnTable) -> Decisions:
    """The offers of `source` to the borrowers of `portfolio`; who is not named is refused.

    An amount of 0, or none, is a refusal; other columns are passed over. Whether the offers keep terms and
    limits is for whoever judges them. Raises InputError with every fault of the file: a column or a value
    missing, an identifier that stands twice or that the portfolio lacks, an amount below 0, a rate at
    which `table` does not say who accepts.
    """
    opened = open_source(source)
    faults = repeated_names(opened.names, source)
    faults += [
        Fault("the column is missing", "name whom, how much and at which rate", file=source.label, field=name)
        for name in _WANTED
        if name not in opened.names
    ]
    raise_faults(source.label, faults, ())
    fetched = opened.fetch(list(_WANTED), ())
    cells = {name: fetched.table[name] for name in _WANTED}
    mistyped = [type_fault(name, kind, cells[name].type, source) for name, kind in _WANTED.items()]
    raise_faults(source.label, [fault for fault in mistyped if fault is not None], fetched.findings)
    rows = Rows(source.label, fetched.number, np.zeros(len(fetched.number), dtype=bool))
    ids = to_strings(cells["borrower_id"])
    amount, rate = (to_numbers(cells[name], name, source, rows) for name in ("amount", "rate"))
    at, findings = _places(ids, portfolio, rows)
    findings += [*amount.findings, *rate.findings]
    findings += _value_findings(amount, rate, rows)
    findings += _curve_findings(amount, rate, at, portfolio, table, rows)
    raise_faults(source.label, (), findings)
    return Decisions(
        _placed(np.where(amount.missing, 0.0, amount.values), at, len(portfolio)),
        _placed(np.where(_offered(amount), rate.values, 0.0), at, len(portfolio)),
    )


def _offered(amount: Numbers) -> np.ndarray:
    return ~amount.missing & (amount.values > 0)


def _placed(values: Floats, at: Integers, borrowers: int) -> Floats:
    placed = np.zeros(borrowers)
    placed[at] = values
    return placed


def _places(ids: pa.Array, portfolio: Portfolio, rows: Rows) -> tuple[Integers, list[Finding]]:
    """Each row's place in the portfolio (-1: none), and the identifiers that have none or stand twice."""
    empty = ids.is_null().to_numpy(zero_copy_only=False)
    known = pa.array(portfolio.borrower_id, pa.string())
    at = pc.fill_null(pc.index_in(ids.cast(pa.string()), value_set=known), -1).to_numpy().astype(np.int64)
    findings = rows.find(
        empty, "borrower_id", lambda i: "an empty cell", "name the borrower, or remove the row"
    )
    findings += rows.find(
        (at < 0) & ~empty,
        "borrower_id",
        lambda i: f"{quoted(ids[i].as_py())} is no borrower of the portfolio",
        "remove the row, or add the borrower",
    )
    return at, findings + duplicates(ids, ascending(ids), "borrower_id", rows)


def _value_findings(amount: Numbers, rate: Numbers, rows: Rows) -> list[Finding]:
    shown, wanted = amount.values, _offered(amount)
    return [
        *rows.find(
            ~amount.missing & (shown < 0),
            "amount",
            lambda i: f"{shown[i]:g} is negative",
            "write 0 for a refusal",
        ),
        *rows.find(
            wanted & rate.missing, "rate", lambda i: "an empty cell beside an amount", "write the rate"
        ),
    ]


def _curve_findings(
    amount: Numbers, rate: Numbers, at: Integers, portfolio: Portfolio, table: ChurnTable, rows: Rows
) -> list[Finding]:
    """Offers of which the churn curve cannot say who accepts."""
    known = np.array([grade in table.churn for grade in portfolio.grade.values] + [False])
    placed = _offered(amount) & (at >= 0)
    low, high = float(table.rates[0]), float(table.rates[-1])
    outside = _offered(amount) & ~rate.missing & ((rate.values < low) | (rate.values > high))
    grades = portfolio.grade
    return [
        *rows.find(
            placed & ~known[grades.codes[at]],
            "borrower_id",
            lambda i: f"grade {grades.values[grades.codes[at[i]]]} has no churn curve",
            "add its column to the curve, or write 0 for the amount",
        ),
        *rows.find(
            outside,
            "rate",
            lambda i: f"{rate.values[i]:g} lies outside the churn curve, {low:g} to {high:g}",
            "write a rate that the curve covers, as a fraction",
        ),
    ]
