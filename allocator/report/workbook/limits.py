"""The sheet of the limits: what each uses, counted again over the loans, its room, its price."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf

import numpy as np

from allocator.insight.audit import Audit, Entry
from allocator.insight.convex import WorstYears
from allocator.insight.explain.ledger import LimitLine
from allocator.insight.variants import AddedValue
from allocator.records.columns import VALUE
from allocator.records.former import FORMER, FORMER_AMOUNT, MONEY_MOVED
from allocator.records.portfolio import Floats
from allocator.records.run import TOLERANCE, LimitUse
from allocator.records.scenario import COUNTED
from allocator.records.workbook import Column, Table, column_letters
from allocator.report.workbook.membership import (
    Keys,
    counts_some,
    number,
    parts_of,
    refers_to_some,
    weighted_by,
)

SHEET = "Limits"
_ORDER = (
    *("number", "name", "label", "measure", "sense", "new", "lent", "used", "share", "of", "reference_lent"),
    *("reference", "bound", "slack", "price", "room", "charge", "fall", "rise", "cost", "tolerance", "holds"),
    *("penalty", "paid"),
)
"""The columns by key; the last two where a limit is soft."""
_SLACK = {
    "at_most": "=[bound]-[used]", "at_least": "=[used]-[bound]", "exactly": "=-ABS([bound]-[used])",
}  # fmt: skip
WHOLE = {"offered": "loan_amount", "drawn": "loan_drawn", "gross_interest": "loan_gross_interest",
          "interest": "loan_interest", "expected_loss": "loan_expected_loss",
          VALUE: "loan_value"}  # fmt: skip
"""Measure without a weight of the limit's own -> the column of the loans that it adds up."""
_BASES = {"offered": "loan_amount", "drawn": "loan_drawn", "interest": "loan_gross_interest",
          "loans": "(loan_amount>0)", "booked": "loan_take_up"}  # fmt: skip


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

    loans: Audit
    lines: Sequence[LimitLine]
    keys: Keys
    worst: Mapping[str, WorstYears]
    groups: int
    """Rows of the sheet of groups."""
    live: bool

    @property
    def entries(self) -> Sequence[Entry]:
        return self.loans.entries

    @cached_property
    def uses(self) -> list[LimitUse]:
        return [line.use for line in self.lines]

    @cached_property
    def places(self) -> list[tuple[int, Entry]]:
        """The entry of each row, and its place."""
        return [(place, entry) for place, entry in enumerate(self.entries) for _ in entry.block.names]

    @cached_property
    def owners(self) -> list[Entry]:
        """The entry of each row."""
        return [entry for _, entry in self.places]

    @cached_property
    def of(self) -> list[str]:
        """What each row's bound is a share of."""
        return [_of(entry) for entry in self.owners]

    @cached_property
    def lent(self) -> Floats:
        return np.concatenate([np.asarray(entry.block.lent, dtype=float) for entry in self.entries])


def limits_table(
    loans: Audit,
    lines: Sequence[LimitLine],
    costs: Sequence[AddedValue],
    keys: Keys,
    worst: Mapping[str, WorstYears],
    *,
    groups: int,
    live: bool,
) -> Table:
    """One row a limit, the budget first; what new offers use is a formula where `live`.

    `groups` are the rows of the sheet of groups.
    """
    rows = _Rows(loans, lines, keys, worst, groups, live)
    columns = (*_names(rows), *_used(rows), *_bounds(rows), *_prices(rows), *_moves(rows, costs))
    by_key = {column.key: column for column in (*columns, *_paid(rows))}
    return Table(tuple(by_key[key] for key in _ORDER if key in by_key), "limit")


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
    if not use.in_force:
        return ", not in force"
    return ", soft" if use.soft else "" if use.penalty else ", reported only"


def _used(rows: _Rows) -> Iterator[Column]:
    new = [use.used - old for use, old in zip(rows.uses, rows.lent.tolist(), strict=True)]
    counted = [_new(rows, entry, place) if rows.live else None for place, entry in rows.places]
    yield Column("new", "New offers use", "money", new, counted)
    yield Column("lent", "Already lent uses", "money", rows.lent)
    yield Column("used", "Used", "money", [use.used for use in rows.uses], "=[new]+[lent]")


def _bounds(rows: _Rows) -> Iterator[Column]:
    uses, owners, of = rows.uses, rows.owners, rows.of
    lent = [entry.block.reference_lent if entry.block.reference else np.nan for entry in owners]
    bounds = ["=[share]*[reference]" if kind else None for kind in of]
    refers = [_reference_formula(rows, entry, place) for place, entry in rows.places]
    yield Column("share", "Share", "share", [_share(entry) for entry in owners])
    yield Column("of", "Of", "text", of, width=9)
    yield Column("reference_lent", "Of which already lent", "money", lent)
    yield Column("reference", "It is a share of", "money", list(_references(rows)), refers)
    yield Column("bound", "Bound", "money", [use.bound for use in uses], bounds)
    yield Column("slack", "Slack", "money", [use.slack for use in uses], [_SLACK[use.sense] for use in uses])
    yield Column("tolerance", "Tolerance", "price", [TOLERANCE * use.scale for use in uses])
    holds = [_holds(use, entry, place) for use, (place, entry) in zip(uses, rows.places, strict=True)]
    yield Column("holds", "Holds", "text", [word for word, _ in holds], [formula for _, formula in holds],
                 width=11)  # fmt: skip


def _holds(use: LimitUse, entry: Entry, place: int) -> tuple[str, str]:
    """Whether the row is kept, and the formula that says so."""
    missed = "no" if use.penalty == inf and use.in_force else "missed"
    formula = f'IF([slack]>=-[tolerance],"yes","{missed}")'
    if entry.lent_to is not None:
        formula = f'IF(SUM(loan_makes_{place})=0,"not in force",{formula.replace("missed", "no")})'
    if not use.in_force:
        return "not in force", f"={formula}"
    return "no" if use.broken else "missed" if use.missed else "yes", f"={formula}"


def _paid(rows: _Rows) -> Iterator[Column]:
    """What a unit by which a soft limit is missed costs, and what it costs then."""
    if any(use.soft for use in rows.uses):
        prices = [use.penalty if use.soft else np.nan for use in rows.uses]
        yield Column("penalty", "Price of missing it", "price", prices)
        yield Column("paid", "Paid for missing it", "money", [use.paid for use in rows.uses],
                     ["=[penalty]*MAX(0,-[slack])" if use.soft else None for use in rows.uses])  # fmt: skip


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
                 [np.nan if moves is None else -moves.low for moves in ranges])  # fmt: skip
    yield Column(
        "rise", "or rises by", "money", [np.nan if moves is None else moves.high for moves in ranges]
    )
    yield Column("cost", "Value without it: more by", "money", without)


def _new(rows: _Rows, entry: Entry, place: int) -> str | None:
    """What the loans use of a row of the entry; None where no formula says it."""
    if entry.written is not None and entry.name not in rows.worst:
        return _of_groups(rows, entry)
    limit, measure = entry.limit, "" if entry.limit is None else entry.limit.measure
    parts, inside = parts_of(entry, place, rows.keys), _inside(entry, place)
    if measure == MONEY_MOVED:
        then = f"loan_{rows.keys(FORMER_AMOUNT, 'number')}"
        return f"=SUMPRODUCT({inside}(ABS(loan_amount-{then})-{then}))"
    if measure in WHOLE and not (limit is not None and (limit.plugin or limit.stress)):
        return _added(WHOLE[measure], entry, place, rows.keys)
    if parts in ([("loans", "")], [("offered", "")], [("drawn", "")], [("interest", "")]):
        return _added(_BASES[parts[0][0]], entry, place, rows.keys)
    counted = "+".join(_BASES[basis] + _in_arrays(factors) for basis, factors in parts)
    owed = f"+{number(rows.worst[entry.name].lent)}" if entry.name in rows.worst else ""
    return f"=SUMPRODUCT({inside}({counted})){owed}"


def _inside(entry: Entry, place: int) -> str:
    """1 for the loans that the row counts, else 0, as a factor in front; nothing where it counts all."""
    return f"(loan_row_{place}=[number])*" if counts_some(entry) else ""


def _in_arrays(factors: str) -> str:
    """Factors of a loan as those of all."""
    return factors.replace("[", "loan_").replace("]", "")


def _added(column: str, entry: Entry, place: int, keys: Keys) -> str:
    """The column, times the policy's weights, added up over the loans that the row counts."""
    weight = _in_arrays(weighted_by(entry, keys))
    if weight:
        return f"=SUMPRODUCT({_inside(entry, place)}{column}{weight})"
    if column == _BASES["loans"]:
        return (
            f"=COUNTIFS(loan_row_{place},[number])" if _inside(entry, place) else '=COUNTIF(loan_amount,">0")'
        )
    return f"=SUMIFS({column},loan_row_{place},[number])" if _inside(entry, place) else f"=SUM({column})"


def _of_groups(rows: _Rows, entry: Entry) -> str | None:
    """What the largest groups come to; or the Herfindahl index, the squares of what each has, new and
    before, over the whole squared."""
    own, limit = "EXACT(group_limit,[name])*group_used", entry.written
    if limit is None or not rows.groups:
        return None
    if limit.top is not None:
        return f"=SUMPRODUCT(LARGE({own},ROW(Groups!$1:${min(limit.top, rows.groups)})))"
    whole = "policy_budget" if limit.of == "budget" else f"SUMPRODUCT({own})"
    return f"=IF({whole}=0,0,SUMPRODUCT({own}^2)/{whole}^2)"


def _of(entry: Entry) -> str:
    return "" if entry.limit is None else entry.limit.of_what


def _share(entry: Entry) -> float:
    return entry.limit.bound if entry.limit is not None and entry.limit.of else float("nan")


def _references(rows: _Rows) -> Iterator[float]:
    """What each row's bound is a share of."""
    uses = iter(rows.uses)
    for entry in rows.entries:
        block = entry.block
        for amount in block.amounts.tolist():
            bound = next(uses).bound
            if not _of(entry):
                yield np.nan
            elif not block.reference:
                yield amount
            elif block.share:
                yield bound / block.share
            else:
                decided = {"offered": rows.loans.decided.amount, "drawn": rows.loans.decided.drawn}
                made = decided.get(block.reference, rows.loans.decided.amount > 0)
                yield float(np.sum(block.referred(made))) + block.reference_lent


def _reference_formula(rows: _Rows, entry: Entry, place: int) -> str | None:
    limit, of = entry.limit, entry.block.reference
    if _of(entry) == "budget":
        return "=policy_budget"
    if limit is None or not rows.live:
        return None
    if limit.of == FORMER:
        if limit.stress is not None and limit.weight is not None:
            return None
        return _formerly(entry, place, rows.keys)
    among = f"loan_base_{place},1" if refers_to_some(entry) else ""
    if of == "loans":
        return f'=COUNTIFS(loan_amount,">0"{"," * bool(among)}{among})+[reference_lent]'
    if of not in ("offered", "drawn"):
        return None
    return f"={f'SUMIFS({_BASES[of]},{among})' if among else f'SUM({_BASES[of]})'}+[reference_lent]"


def _formerly(entry: Entry, place: int, keys: Keys) -> str:
    """What the offers of the former run, made again, come to over the row, with what is already lent."""
    assert entry.limit is not None
    sums = []
    for side in ("loan", "declined"):
        then = f"{side}_{keys(FORMER_AMOUNT, 'number')}"
        counted = f"({then}>0)" if entry.limit.measure in COUNTED else then
        factors = f"{_inside(entry, place)}{counted}{_in_arrays(weighted_by(entry, keys))}"
        sums.append(f"SUMPRODUCT(1*{factors.replace('loan_', f'{side}_')})")
    lent = "" if entry.limit.measure in (*COUNTED, MONEY_MOVED) else "+[lent]"
    return f"={'+'.join(sums)}{lent}"
