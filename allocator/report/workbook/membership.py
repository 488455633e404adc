"""How formulas say whom a limit counts and what it counts of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np

from allocator.insight.audit import Audit, Entry
from allocator.records.columns import VALUE
from allocator.records.conditions import Condition
from allocator.records.former import FORMER_AMOUNT, MONEY_MOVED
from allocator.records.portfolio import Portfolio
from allocator.report.joined import is_told

MOST_ROWS = 60
"""Rows of an entry up to which a formula finds the borrower's own."""
_LONGEST, _LONGEST_TEXT = 7_000, 250
"""Characters of a formula, and of a text in it, that a spreadsheet takes."""
_SIGNS = {"above": ">", "at_least": ">=", "below": "<", "at_most": "<="}
BASIS_CELLS = {"offered": "[amount]", "drawn": "[drawn]", "interest": "[gross_interest]",
               "loans": "IF([amount]>0,1,0)", "booked": "[take_up]"}  # fmt: skip
_OWN: Mapping[str, str] = {"expected_loss": "*[pd]*[lgd]", "interest": "*(1-[pd])"}
"""What a measure multiplies its basis with."""
Keys = Callable[[str, Literal["text", "number"]], str]
"""Column of the borrowers, and what it is read as -> the key of its column on the sheet."""


def _quoted(text: str) -> str:
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
    return _among(audit, entry.limit.reference.where, keys)


def lent_to_formula(audit: Audit, entry: Entry, keys: Keys) -> str | None:
    """1 for whom any offer to makes the entry hold, else 0, as a formula; None where none says it."""
    return None if entry.limit is None else _among(audit, entry.limit.if_lent_to, keys)


def _among(audit: Audit, where: tuple[Condition, ...], keys: Keys) -> str | None:
    """1 for who passes all tests, else 0, as a formula."""
    tests = [_test(condition, audit.borrowers, keys) for condition in where]
    formula = f"=IF(AND({','.join(map(str, tests))}),1,0)"
    return None if any(test is None for test in tests) or len(formula) > _LONGEST else formula


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
    counted = str(entry.first)
    if limit.each is not None:
        if len(entry.block.names) > MOST_ROWS:
            return None
        counted = f"SUMPRODUCT(EXACT([{keys(limit.each, 'text')}],{labels})*{numbers})"
    formula = f"=IF(AND({','.join(map(str, tests))}),{counted},0)" if tests else f"={counted}"
    return formula if len(formula) <= _LONGEST else None


def _test(condition: Condition, borrowers: Portfolio, keys: Keys) -> str | None:
    cell = f"[{keys(condition.column, 'number' if condition.is_range else 'text')}]"
    if condition.is_range:
        if not np.all(np.isfinite(borrowers.number(condition.column))):
            return None
        return ",".join(f"{cell}{_SIGNS[key]}{number(end)}" for key, end in condition.ends.items())
    if any(len(value) > _LONGEST_TEXT for value in condition.values):
        return None
    same = [f"EXACT({cell},{_quoted(value)})" for value in condition.values]
    return same[0] if len(same) == 1 else f"OR({','.join(same)})"


def parts_of(entry: Entry, place: int, keys: Keys) -> list[tuple[str, str]]:
    """The bases that the entry adds up, each with what it multiplies it with, as factors: `*[pd]*[lgd]`."""
    measure = "" if entry.limit is None else entry.limit.measure
    if measure == MONEY_MOVED:
        side, then = f"[weight_{place}]", f"[{keys(FORMER_AMOUNT, 'number')}]"
        return [("offered", f"*{side}"), ("loans", f"*({side}>0)*-2*{then}")]
    if measure == VALUE:
        return _parts_of_value(entry, place, weighted_by(entry, keys))
    return [(entry.block.basis, _weight_cells(entry, place, keys))]


def weighted_by(entry: Entry, keys: Keys) -> str:
    """The column of weights that the policy names, as a factor, or nothing."""
    named = None if entry.limit is None else entry.limit.weight
    return "" if named is None else f"*[{keys(named, 'number')}]"


def _weight_cells(entry: Entry, place: int, keys: Keys) -> str:
    limit = entry.limit
    if limit is None:
        return ""
    if limit.own_weights:
        return "" if entry.block.weight is None else f"*[weight_{place}]"
    own = _OWN.get(limit.measure, "")
    if limit.measure == "clients_changed":
        own = f"*(1-2*([{keys(FORMER_AMOUNT, 'number')}]>0))"
    return own + weighted_by(entry, keys)


def _parts_of_value(entry: Entry, place: int, weight: str) -> list[tuple[str, str]]:
    """What an offer is worth by what it is asked for (docs/formulation.md, section 2)."""
    own, stressed = entry.counted, entry.limit is not None and entry.limit.stress is not None
    pd, lgd, capital = (
        f"[{name}_{place}]" if stressed else f"[{name}]" for name in ("pd", "lgd", "capital_requirement")
    )
    weight = weight.replace("[pd]", pd).replace("[lgd]", lgd)
    per_unit = f"policy_churn_cost_rate-{pd}*{lgd}-policy_funding_rate*[term_years]"
    if own is not None and own.requirement is not None:
        per_unit += f"-policy_capital_cost*{capital}*[term_years]"
    related = own is not None and is_told(own, "relationship_value")
    booked = "([relationship_value]-policy_processing_cost)" if related else "-policy_processing_cost"
    parts = [("interest", f"*(1-{pd})"), ("drawn", f"*({per_unit})"), ("offered", "*-policy_churn_cost_rate"),
             ("booked", f"*{booked}")]  # fmt: skip
    parts += [("loans", "*(policy_decline_churn-1)*[relationship_value]")] if related else []
    return [(basis, factors + weight) for basis, factors in parts]
