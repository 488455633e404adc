"""A sheet for each column that limits and the portfolio have: its values with what is lent to each."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from allocator.insight.audit import Entry
from allocator.insight.compare.segments import by_column, mean_pd
from allocator.records.ledger import Account, lines_among
from allocator.records.outcome import Outcome
from allocator.records.workbook import Column, Table
from allocator.report.joined import figures_of

MOST = 1_000
"""Values of a column that has a sheet."""
MOST_CELLS = 50_000_000
"""Comparisons of cells beyond which a sheet is written as figures: formulas would take too long."""
_NOBODY = "(none)"
"""What stands for who has no value."""


def segment_columns(run: Outcome) -> tuple[str, ...]:
    """The columns that have a sheet: the grade, then each of texts that has not too many values."""
    texts, used = run.inputs.portfolio.texts, run.scenario.policy.text_columns()
    few = (name for name, text in texts.items() if len(text.values) <= MOST)
    return ("grade", *(name for name in few if name in used or figures_of(texts[name]) is None))


def segment_table(run: Outcome, column: str, key: str, entries: Sequence[Entry], *, live: bool) -> Table:
    """One row a value of `column`, whose cells on the sheets of borrowers have the key `key`."""
    accounts = sorted(by_column(run, column).values(), key=lambda account: (-account.offered, account.name))
    size = len(run.inputs.portfolio)
    live = live and len(accounts) * size * (len(run.ledger.lines) + 8) <= MOST_CELLS
    where = [None if not account.name or not live else f"EXACT(loan_{key},[name])" for account in accounts]

    def formulas(text: str) -> list[str | None]:
        return [None if test is None else text.replace("@", test) for test in where]

    def added(name: str) -> list[str | None]:
        return formulas(f"=SUMPRODUCT(@*loan_{name})")

    whole = run.account
    columns = [
        Column("name", column, "text", [account.name or _NOBODY for account in accounts], width=22),
        Column("borrowers", "Borrowers", "count", [account.borrowers for account in accounts],
               formulas(f"=SUMPRODUCT(--@)+SUMPRODUCT(--EXACT(declined_{key},[name]))")),
        Column("funded", "Funded", "count", [account.funded for account in accounts],
               formulas("=SUMPRODUCT(--@)")),
        Column("offered", "Offered", "money", [account.offered for account in accounts], added("amount")),
        Column("drawn", "Drawn", "money", [account.drawn for account in accounts], added("drawn")),
        Column("rate", "Rate", "factor", [account.mean_rate for account in accounts],
               formulas("=IF([offered]=0,0,SUMPRODUCT(@*loan_amount*loan_rate)/[offered])")),
        Column("pd", "PD", "share", [_number(mean_pd(account)) for account in accounts],
               formulas("=IF([offered]=0,0,SUMPRODUCT(@*loan_amount*loan_pd)/[offered])")),
        *(Column(line.name, line.label[:1].upper() + line.label[1:], "money",
                 [account.lines[line.name] for account in accounts], added(line.name))
          for line in lines_among(whole.lines)),
        Column("value", "Value", "money", [account.value for account in accounts], added("value")),
        *_on_capital(accounts, added("capital_years")),
        Column("share", "Share of offered", "share",
               [account.offered / whole.offered if whole.offered else 0.0 for account in accounts],
               formulas("=IF(summary_offered=0,0,[offered]/summary_offered)")),
        *_caps(column, accounts, entries),
    ]  # fmt: skip
    return Table(tuple(columns), None)


def _on_capital(accounts: Sequence[Account], summed: list[str | None]) -> list[Column]:
    """What is tied up over the term and earned on it, where capital has a cost."""
    returns = [account.on_capital for account in accounts]
    if not any(returns):
        return []
    raroc = "=IF([capital_years]=0,0,([value]+[capital_cost])/[capital_years])"
    formulas = [None if formula is None else raroc for formula in summed]
    tied_up = [own["capital_years"] for own in returns]
    return [Column("capital_years", "Capital over the term", "money", tied_up, summed),
            Column("raroc", "RAROC", "share", [own["raroc"] for own in returns], formulas)]  # fmt: skip


def _caps(column: str, accounts: Sequence[Account], entries: Sequence[Entry]) -> list[Column]:
    """Of each limit that is set for each value of the column the bound, from the sheet of the limits."""
    caps = []
    for place, entry in enumerate(entries):
        if entry.limit is None or entry.limit.each != column:
            continue
        numbers = {label: entry.first + i for i, label in enumerate(entry.labels)}
        rows = [numbers.get(account.name) for account in accounts]
        formulas = [None if row is None else f"=INDEX(limit_bound,{row})" for row in rows]
        caps.append(Column(f"cap_{place}", f"Bound of {entry.name}", "money", rows, formulas))
    return caps


def with_bounds(table: Table, bounds: Sequence[float]) -> Table:
    """The table with the bounds of limits where it says which limit: `bounds` by the limit's number."""
    columns = []
    for column in table.columns:
        if column.key.startswith("cap_"):
            values = [math.nan if row is None else bounds[row - 1] for row in column.values]
            column = Column(column.key, column.heading, column.kind, values, column.formula)
        columns.append(column)
    return Table(tuple(columns), table.name)


def _number(value: float) -> float:
    return float(value) if np.isfinite(value) else 0.0
