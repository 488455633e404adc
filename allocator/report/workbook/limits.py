"""The sheet of the limits: what each uses, counted again over the loans, its room, its price."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from allocator.insight.audit import Entry
from allocator.insight.explain.ledger import LimitLine
from allocator.insight.variants import AddedValue
from allocator.records.portfolio import Floats
from allocator.records.run import TOLERANCE, LimitUse
from allocator.records.workbook import Column, Table, column_letters
from allocator.report.workbook.membership import (
    LONGEST,
    LONGEST_TEXT,
    Keys,
    counts_some,
    number,
    quoted,
    refers_to_some,
    weight_cells,
)

SHEET = "Limits"
_ORDER = (
    *("number", "name", "label", "measure", "sense", "new", "lent", "used", "share", "of", "reference_lent"),
    *("reference", "bound", "slack", "price", "room", "charge", "fall", "rise", "cost", "tolerance", "holds"),
)
"""The columns by key."""
_SLACK = {
    "at_most": "=[bound]-[used]", "at_least": "=[used]-[bound]", "exactly": "=-ABS([bound]-[used])",
}  # fmt: skip
_WHOLE = {"offered": "loan_amount", "drawn": "loan_drawn", "gross_interest": "loan_gross_interest",
          "interest": "loan_interest", "expected_loss": "loan_expected_loss"}  # fmt: skip
"""Measure without a weight of the limit's own -> the column of the loans that it adds up."""
_BASES = {"offered": "loan_amount", "drawn": "loan_drawn", "interest": "loan_gross_interest",
          "loans": "(loan_amount>0)"}  # fmt: skip


def _range(key: str, entry: Entry) -> str:
    letters = column_letters(_ORDER.index(key) + 1)
    first, last = entry.first + 1, entry.first + len(entry.block.names)
    return f"{SHEET}!${letters}${first}:${letters}${last}"


def label_range(entry: Entry) -> str:
    """Where the values of the column stand that the entry's rows are for."""
    return _range("label", entry)


def number_range(entry: Entry) -> str:
    """Where the numbers of the entry's rows stand."""
    return _range("number", entry)


def price_range(entry: Entry) -> str:
    """Where the prices of the entry's rows stand."""
    return _range("price", entry)


@dataclass(frozen=True)
class _Rows:
    """The rows of the sheet: an entry of the policy has one, or one for each value of a column."""

    entries: Sequence[Entry]
    lines: Sequence[LimitLine]
    keys: Keys
    live: bool

    @cached_property
    def uses(self) -> list[LimitUse]:
        return [line.use for line in self.lines]

    @cached_property
    def owners(self) -> list[Entry]:
        """The entry of each row."""
        return [entry for entry in self.entries for _ in entry.block.names]

    @cached_property
    def of(self) -> list[str]:
        """What each row's bound is a share of."""
        return [_of(entry) for entry in self.owners]

    @cached_property
    def lent(self) -> Floats:
        return np.concatenate([np.asarray(entry.block.lent, dtype=float) for entry in self.entries])


def limits_table(
    entries: Sequence[Entry],
    lines: Sequence[LimitLine],
    costs: Sequence[AddedValue],
    keys: Keys,
    *,
    live: bool,
) -> Table:
    """One row a limit, the budget first; what new offers use is a formula where `live`."""
    rows = _Rows(entries, lines, keys, live)
    columns = (*_names(rows), *_used(rows), *_bounds(rows), *_prices(rows), *_moves(rows, costs))
    by_key = {column.key: column for column in columns}
    return Table(tuple(by_key[key] for key in _ORDER), "limit")


def _names(rows: _Rows) -> Iterator[Column]:
    uses = rows.uses
    labels = [label for entry in rows.entries for label in entry.labels]
    senses = [use.sense.replace("_", " ") + _kind(use) for use in uses]
    yield Column("number", "No.", "count", range(1, len(uses) + 1), width=6)
    yield Column("name", "Limit", "text", [use.name for use in uses], width=30)
    yield Column("label", "For", "text", labels)
    yield Column("measure", "Measure", "text", [use.measure for use in uses])
    yield Column("sense", "Sense", "text", senses, width=9)


def _kind(use: LimitUse) -> str:
    """What is said beside the sense of a limit that need not hold."""
    return ", soft" if use.soft else "" if use.penalty else ", reported only"


def _used(rows: _Rows) -> Iterator[Column]:
    new = [use.used - old for use, old in zip(rows.uses, rows.lent.tolist(), strict=True)]
    counted = [_new(entry, place, rows.keys) if rows.live else None
               for place, entry in enumerate(rows.entries) for _ in entry.block.names]  # fmt: skip
    yield Column("new", "New offers use", "money", new, counted)
    yield Column("lent", "Already lent uses", "money", rows.lent)
    yield Column("used", "Used", "money", [use.used for use in rows.uses], "=[new]+[lent]")


def _bounds(rows: _Rows) -> Iterator[Column]:
    uses, owners, of = rows.uses, rows.owners, rows.of
    lent = [entry.block.reference_lent if entry.block.reference else np.nan for entry in owners]
    whole = [_reference(entry, use.bound) for entry, use in zip(owners, uses, strict=True)]
    bounds = ["=[share]*[reference]" if kind else None for kind in of]
    refers = [_reference_formula(entry, place, rows.live)
              for place, entry in enumerate(rows.entries) for _ in entry.block.names]  # fmt: skip
    yield Column("share", "Share", "share", [_share(entry) for entry in owners])
    yield Column("of", "Of", "text", of, width=9)
    yield Column("reference_lent", "Of which already lent", "money", lent)
    yield Column("reference", "It is a share of", "money", whole, refers)
    yield Column("bound", "Bound", "money", [use.bound for use in uses], bounds)
    yield Column("slack", "Slack", "money", [use.slack for use in uses], [_SLACK[use.sense] for use in uses])
    yield Column("tolerance", "Tolerance", "price", [TOLERANCE * use.scale for use in uses])
    yield Column("holds", "Holds", "text", ["no" if use.broken or use.missed else "yes" for use in uses],
                 '=IF([slack]>=-[tolerance],"yes","no")', width=7)  # fmt: skip


def _prices(rows: _Rows) -> Iterator[Column]:
    room = ["=[share]*[reference_lent]-[lent]" if entry.block.reference else "=[bound]-[lent]"
            for entry in rows.owners]  # fmt: skip
    yield Column("price", "Shadow price", "price", [use.price for use in rows.uses])
    yield Column("room", "Room for new offers", "money", [line.room for line in rows.lines], room)
    yield Column("charge", "Charges", "money", [line.charge for line in rows.lines],
                 "=[price]*([room]-[bound]+[used])")  # fmt: skip


def _moves(rows: _Rows, costs: Sequence[AddedValue]) -> Iterator[Column]:
    """How far each price holds, and what the value would be more without the entry, beside its first row."""
    ranges = [line.range for line in rows.lines]
    full = {worth.name: worth.low for worth in costs}
    first = {entry.first: full.get(entry.name, np.nan) for entry in rows.entries}
    without = [first.get(number, np.nan) for number in range(1, len(rows.lines) + 1)]
    yield Column("fall", "Price holds if it falls by", "money",
                 [np.nan if one is None else -one.low for one in ranges])  # fmt: skip
    yield Column("rise", "or rises by", "money", [np.nan if one is None else one.high for one in ranges])
    yield Column("cost", "Value without it: more by", "money", without)


def _new(entry: Entry, place: int, keys: Keys) -> str | None:
    """What the loans use of a row of the entry; None where no formula says it."""
    if entry.whole is not None:
        return _index(entry, keys)
    own = weight_cells(entry, place, keys)
    limit, measure = entry.limit, "" if entry.limit is None else entry.limit.measure
    weighted = bool(own) and (measure not in _WHOLE or (limit is not None and limit.weight is not None))
    basis = _BASES[entry.block.basis]
    one = f"loan_row_{place}"
    if weighted:
        factors = own.replace("[", "loan_").replace("]", "")
        return f"=SUMPRODUCT({f'({one}=[number])*' if counts_some(entry) else ''}{basis}{factors})"
    if entry.block.basis == "loans":
        return f"=COUNTIFS({one},[number])" if counts_some(entry) else '=COUNTIF(loan_amount,">0")'
    column = _WHOLE.get(measure, basis)
    return f"=SUMIFS({column},{one},[number])" if counts_some(entry) else f"=SUM({column})"


def _index(entry: Entry, keys: Keys) -> str | None:
    """The Herfindahl index: squares of what each group is lent, new and before, over the whole squared."""
    key = keys((entry.limit and entry.limit.by) or "", "text")
    squares = [
        f"(SUMPRODUCT(EXACT(loan_{key},{quoted(label)})*loan_amount)+{number(lent)})^2"
        for label, lent in entry.groups.items()
    ]
    whole = "policy_budget"
    if entry.whole == "total":
        whole = f"(SUM(loan_amount)+{number(sum(entry.groups.values()))})"
    formula = f"=IF({whole}=0,0,({'+'.join(squares)})/{whole}^2)"
    told = max(map(len, entry.groups), default=0) <= LONGEST_TEXT and len(formula) <= LONGEST
    return formula if told else None


def _of(entry: Entry) -> str:
    return "" if entry.limit is None else entry.limit.of_what


def _share(entry: Entry) -> float:
    return entry.limit.bound if entry.limit is not None and entry.limit.of else float("nan")


def _reference(entry: Entry, bound: float) -> float:
    """What the bound is a share of."""
    if not _of(entry):
        return float("nan")
    return bound / entry.limit.bound if entry.limit is not None and entry.limit.bound else 0.0


def _reference_formula(entry: Entry, place: int, live: bool) -> str | None:
    if _of(entry) == "budget":
        return "=policy_budget"
    column = {"offered": "loan_amount", "drawn": "loan_drawn"}.get(entry.block.reference)
    if entry.block.reference == "loans" and live:
        among = f",loan_base_{place},1" if refers_to_some(entry) else ""
        return f'=COUNTIFS(loan_amount,">0"{among})+[reference_lent]'
    if column is None or not live:
        return None
    lent = f"SUMIFS({column},loan_base_{place},1)" if refers_to_some(entry) else f"SUM({column})"
    return f"={lent}+[reference_lent]"
