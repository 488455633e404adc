"""A book of offers that somebody else made: amounts and rates by borrower."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from allocator.errors import Fault
from allocator.portfolio.order import ascending_positions, duplicates
from allocator.records.portfolio import Booleans, ChurnTable, Floats, Integers, Portfolio
from allocator.records.run import Decisions
from allocator.records.scenario import PortfolioSource
from allocator.tables import open_source
from allocator.tables.conversion import Numbers, to_numbers, to_strings, type_fault
from allocator.tables.findings import SHOWN, Finding, Rows, quoted, raise_faults
from allocator.tables.opened import repeated_names

_WANTED = {"borrower_id": "text", "amount": "number", "rate": "number"}


def read_book(source: PortfolioSource, portfolio: Portfolio) -> Decisions:
    """The offers of `source` to the borrowers of `portfolio`; who is not named is refused.

    An amount of 0, or none, is no offer; other columns are passed over. Whether the offers keep terms and
    limits is for whoever judges them. Raises InputError with every fault of the file: a column or a value
    missing, an identifier that stands twice or that the portfolio lacks, an amount below 0, a rate that is
    no fraction.
    """
    offers, _, _ = _read_offers(source, portfolio, lowest_rate=0.0, strangers=False)
    return offers


def read_former_offers(source: PortfolioSource, portfolio: Portfolio) -> tuple[Decisions, Booleans, int]:
    """The offers of `source`, who of the borrowers of `portfolio` (n,) stands in it, and how many do not.

    As `read_book`, but those whom the portfolio lacks are counted, and rates may be negative.
    """
    return _read_offers(source, portfolio, lowest_rate=-1.0, strangers=True)


def _read_offers(
    source: PortfolioSource, portfolio: Portfolio, *, lowest_rate: float, strangers: bool
) -> tuple[Decisions, Booleans, int]:
    opened = open_source(source)
    theirs = {name: source.columns.get(name, name) for name in _WANTED}
    faults = repeated_names(opened.names, source)
    faults += [
        _missing_fault(name, wanted, opened.names, source)
        for name, wanted in theirs.items()
        if wanted not in opened.names
    ]
    raise_faults(source.label, faults, ())
    fetched = opened.fetch(list(theirs.values()), ())
    cells = {name: fetched.table[wanted] for name, wanted in theirs.items()}
    mistyped = [type_fault(name, kind, cells[name].type, source) for name, kind in _WANTED.items()]
    raise_faults(source.label, [fault for fault in mistyped if fault is not None], fetched.findings)
    rows = Rows.of(source.label, fetched.number, fetched.letters)
    ids = to_strings(cells["borrower_id"])
    amount, rate = (to_numbers(cells[name], name, source, rows) for name in ("amount", "rate"))
    places, findings = _places(ids, portfolio, rows, strangers=strangers)
    findings += [*amount.findings, *rate.findings]
    findings += _value_findings(amount, rate, rows, lowest_rate)
    raise_faults(source.label, (), findings)
    known = places >= 0
    listed = np.zeros(len(portfolio), dtype=bool)
    listed[places[known]] = True
    offers = Decisions(
        _placed(np.where(amount.missing, 0.0, amount.values)[known], places[known], len(portfolio)),
        _placed(np.where(_offered(amount), rate.values, 0.0)[known], places[known], len(portfolio)),
    )
    return offers, listed, int(np.count_nonzero(~known))


def off_curve(
    book: Decisions, name: str, portfolio: Portfolio, table: ChurnTable, named: Container[str]
) -> Iterator[str]:
    """What is taken for granted of who accepts the book's offers, a note each.

    `table` has a column of zeros for grades without a curve; `named` are those of the policy.
    """
    made, codes = book.amount > 0, portfolio.grade.codes
    blank = [
        (grade, int(np.count_nonzero(made & (codes == code))))
        for code, grade in enumerate(portfolio.grade.values)
        if grade not in named and not np.any(table.churn.get(grade, 0.0))
    ]
    for grade, count in blank:
        if count:
            yield (
                f"{name}: {count:,} offers to grade {grade}, which has no churn curve: "
                "everybody is taken to accept"
            )
    outside = made & ((book.rate < table.rates[0]) | (book.rate > table.rates[-1]))
    if np.any(outside):
        yield (
            f"{name}: {np.count_nonzero(outside):,} offers at rates outside the churn curve, "
            f"{table.rates[0]:g} to {table.rates[-1]:g}: churn is taken as at its ends"
        )


def _missing_fault(name: str, theirs: str, names: Sequence[str], source: PortfolioSource) -> Fault:
    problem = "the column is missing" if theirs == name else f"no column {theirs}"
    remedy = f"name whom, how much and at which rate, or write columns: {{{name}: its name in the file}}"
    shown = ", ".join(names[:12])
    return Fault(f"{problem}; there are {shown}", remedy, file=source.label, field=name)


def _offered(amount: Numbers) -> np.ndarray:
    return ~amount.missing & (amount.values > 0)


def _placed(values: Floats, places: Integers, borrowers: int) -> Floats:
    placed = np.zeros(borrowers)
    placed[places] = values
    return placed


def _places(
    ids: pa.Array, portfolio: Portfolio, rows: Rows, *, strangers: bool
) -> tuple[Integers, list[Finding]]:
    """Each row's place in the portfolio (-1: none), and the identifiers that stand twice.

    Unless there may be `strangers`, those that have no place are at fault too.
    """
    empty = ids.is_null().to_numpy(zero_copy_only=False)
    known = pa.array(portfolio.borrower_id, pa.string())
    places = pc.fill_null(pc.index_in(ids.cast(pa.string()), value_set=known), -1).to_numpy().astype(np.int64)
    findings = rows.find(
        empty, "borrower_id", lambda i: "an empty cell", "name the borrower, or remove the row"
    )
    unknown = (places < 0) & ~empty & (not strangers)
    few = np.count_nonzero(unknown) <= SHOWN
    findings += rows.find(
        unknown,
        "borrower_id",
        lambda i: f"{quoted(ids[i].as_py()) if few else 'the identifier'} is no borrower of the portfolio",
        "remove the row, or add the borrower",
    )
    return places, findings + duplicates(ids, ascending_positions(ids), "borrower_id", rows)


def _value_findings(amount: Numbers, rate: Numbers, rows: Rows, lowest: float) -> list[Finding]:
    shown, wanted = amount.values, _offered(amount)
    return [
        *rows.find(
            ~amount.missing & (shown < 0),
            "amount",
            lambda i: f"{shown[i]:g} is negative",
            "write 0 for no offer",
        ),
        *rows.find(
            wanted & rate.missing, "rate", lambda i: "an empty cell beside an amount", "write the rate"
        ),
        *rows.find(
            wanted & ~rate.missing & ~((rate.values >= lowest) & (rate.values <= 1)),
            "rate",
            lambda i: f"{rate.values[i]:g} lies outside {lowest:g} to 1",
            "write a fraction, 5% as 0.05",
        ),
    ]
