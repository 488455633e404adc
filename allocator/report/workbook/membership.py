"""How formulas say whom a limit counts and what it counts of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np

from allocator.insight.audit import Audit, Entry
from allocator.records.conditions import Condition
from allocator.records.former import FORMER_AMOUNT
from allocator.records.portfolio import Portfolio

MOST_ROWS = 60
"""Rows of an entry up to which a formula finds the borrower's own."""
LONGEST, LONGEST_TEXT = 7_000, 250
"""Characters of a formula, and of a text in it, that a spreadsheet takes."""
_SIGNS = {"above": ">", "at_least": ">=", "below": "<", "at_most": "<="}
BASIS_CELLS = {"offered": "[amount]", "drawn": "[drawn]", "interest": "[gross_interest]",
               "loans": "IF([amount]>0,1,0)"}  # fmt: skip
_OWN: Mapping[str, str] = {"expected_loss": "*[pd]*[lgd]", "interest": "*(1-[pd])"}
"""What a measure multiplies its basis with."""
Keys = Callable[[str, Literal["text", "number"]], str]
"""Column of the borrowers, and what it is read as -> the key of its column on the sheet."""


def quoted(text: str) -> str:
    """A text as formulas have it."""
    return '"' + text.replace('"', '""') + '"'


def number(value: float) -> str:
    """A number as formulas have it, to the last bit."""
    return repr(float(value)).replace("e", "E")


def counts_some(entry: Entry) -> bool:
    """Whether the entry tells borrowers apart."""
    return entry.limit is not None and bool(entry.limit.each is not None or entry.limit.where)


def rows_of(audit: Audit, entry: Entry) -> np.ndarray:
    """(k,) the number of the limit that counts each borrower, 0 where none does."""
    codes = np.asarray(entry.block.codes)
    return np.where(codes < 0, 0, codes + entry.first)


def refers_to_some(entry: Entry) -> bool:
    """Whether the entry is a share of what some of the borrowers are lent."""
    return entry.block.base is not None


def base_formula(audit: Audit, entry: Entry, keys: Keys) -> str | None:
    """1 for borrowers whose money the entry is a share of, else 0, as a formula; None where none says it."""
    if entry.limit is None or entry.limit.reference is None or entry.limit.stress is not None:
        return None
    tests = [_test(condition, audit.borrowers, keys) for condition in entry.limit.reference.where]
    formula = f"=IF(AND({','.join(map(str, tests))}),1,0)"
    return None if any(test is None for test in tests) or len(formula) > LONGEST else formula


def row_formula(audit: Audit, entry: Entry, keys: Keys, labels: str, numbers: str) -> str | None:
    """`rows_of` as a formula; None where no formula says it.

    `labels` and `numbers` are the ranges of the entry's rows, on the sheet of the limits.
    """
    limit = entry.limit
    if limit is None or limit.stress is not None:
        return None
    tests = [_test(condition, audit.borrowers, keys) for condition in limit.where]
    if any(test is None for test in tests):
        return None
    found = str(entry.first)
    if limit.each is not None:
        if len(entry.block.names) > MOST_ROWS:
            return None
        found = f"SUMPRODUCT(EXACT([{keys(limit.each, 'text')}],{labels})*{numbers})"
    formula = f"=IF(AND({','.join(map(str, tests))}),{found},0)" if tests else f"={found}"
    return formula if len(formula) <= LONGEST else None


def _test(condition: Condition, borrowers: Portfolio, keys: Keys) -> str | None:
    cell = f"[{keys(condition.column, 'number' if condition.is_range else 'text')}]"
    if condition.is_range:
        if not np.all(np.isfinite(borrowers.number(condition.column))):
            return None
        return ",".join(f"{cell}{_SIGNS[key]}{number(end)}" for key, end in condition.ends.items())
    if any(len(value) > LONGEST_TEXT for value in condition.values):
        return None
    same = [f"EXACT({cell},{quoted(value)})" for value in condition.values]
    return same[0] if len(same) == 1 else f"OR({','.join(same)})"


def weight_cells(entry: Entry, place: int, keys: Keys) -> str:
    """What of each borrower the entry multiplies its basis with, as factors: `*[pd]*[lgd]`, or nothing."""
    limit = entry.limit
    if limit is None:
        return ""
    if limit.own_weights:
        return "" if entry.block.weight is None else f"*[weight_{place}]"
    own = _OWN.get(limit.measure, "")
    if limit.measure == "clients_changed":
        own = f"*(1-2*([{keys(FORMER_AMOUNT, 'number')}]>0))"
    return own if limit.weight is None else f"{own}*[{keys(limit.weight, 'number')}]"
