"""Everybody's decision beside what people ask about each borrower, as one table."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from allocator.records.columns import NUMBERS
from allocator.records.ledger import ON_CAPITAL
from allocator.records.outcome import Outcome
from allocator.records.portfolio import Portfolio, Text

_ALWAYS = ("pd", "lgd", "term_years", "max_amount")
"""Canonical columns of numbers that are shown whatever they hold."""
FORMATS = (".csv", ".parquet", ".xlsx")
_FIGURE = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,15})?(?:[eE][-+]?[0-9]{1,2})?")
"""A number as it is written, and no identifier as 007."""


def joined_frame(run: Outcome, reasons: pd.Series) -> pd.DataFrame:
    """One row per borrower in the source's order; `reasons` are those of the declined, by identifier.

    After identifier and grade stand the columns that limits, the stress and options read; PD, LGD, term and
    request, and further canonical columns where somebody has a value; amount, rate, take-up, drawn, the lines
    of the value, the value, the reason. PDs and the like are those that were decided on, after any stress.
    """
    portfolio, ledger = run.inputs.portfolio, run.ledger
    order = np.argsort(portfolio.row, kind="stable")
    columns: dict[str, Any] = {"borrower_id": portfolio.borrower_id, "grade": _words(portfolio.grade)}
    used = run.scenario.policy.text_columns()
    for name, text in portfolio.texts.items():
        as_numbers = None if name in used else figures_of(text)
        columns[name] = _words(text) if as_numbers is None else np.array(as_numbers, dtype=float)
    columns |= {
        column.name: portfolio.number(column.name) for column in NUMBERS if is_told(portfolio, column.name)
    }
    columns |= dict(portfolio.numbers)
    further = () if ledger.capital_cost is None else ON_CAPITAL[1:]
    decided = ("amount", "rate", "take_up", "drawn", *(line.name for line in ledger.lines), "value", *further)
    columns |= {name: getattr(ledger, name) for name in decided}
    frame = pd.DataFrame({name: values[order] for name, values in columns.items()})
    frame = frame.replace([np.inf, -np.inf], np.nan)
    frame["reason"] = reasons.reindex(frame["borrower_id"]).to_numpy(dtype=object)
    return frame


def is_told(portfolio: Portfolio, name: str) -> bool:
    """Whether a canonical column of numbers is shown: one of `_ALWAYS`, or somebody has a value."""
    figures = portfolio.number(name)
    return name in _ALWAYS or bool(np.any(np.isfinite(figures) & (figures != 0)))


def figures_of(column: Text) -> list[float | None] | None:
    """The texts of a column as numbers, where each that there is says one as a number is written."""
    if not column.values or not all(map(_FIGURE.fullmatch, column.values)):
        return None
    figures = [*map(float, column.values), None]
    return [figures[code] for code in column.codes.tolist()]


def _words(column: Text) -> np.ndarray:
    words: np.ndarray = np.array([*column.values, None], dtype=object)[column.codes]
    return words
