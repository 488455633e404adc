"""The borrowers as a run keeps them, for a checker that cannot read where they came from.

A checker reads one CSV file or one Parquet file as it stands. Of a workbook, a database, a folder of
parts or scored firms it reads the run's borrowers.csv instead: canonical columns as they were read and
scored, before the stress (docs/certificate.md).
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from allocator.records.columns import NUMBERS
from allocator.records.frames import Frame
from allocator.records.portfolio import Floats, Portfolio, Text
from allocator.records.scenario import PortfolioSource

NAME = "borrowers"
"""Name of the copy among the inputs of a certificate."""
_IF_GIVEN = ("max_rate", "rate")
"""Columns that stand there where somebody has a value."""
_READ_BY = {"csv", "sep", "decimal", "skip", "encoding"}


def stands_as_it_is(source: PortfolioSource, written: Any) -> bool:
    """Whether a checker can read `source`, which the scenario has `written` so: a path, or a mapping."""
    if source.scorecard is not None or source.path is None:
        return False
    if isinstance(source.path, Frame):
        return True
    if source.kind == "parquet":
        return not source.path.is_dir() and (not isinstance(written, Mapping) or set(written) == {"parquet"})
    known = True
    if isinstance(written, Mapping):
        usual = written.get("skip", 0) == 0 and written.get("encoding", "utf-8") == "utf-8"
        known = usual and set(written) <= _READ_BY
    return source.kind == "csv" and known and source.path.name.lower().endswith(".csv")


def portfolio_as_csv(portfolio: Portfolio, texts: Collection[str], numbers: Collection[str]) -> bytes:
    """`portfolio` as CSV: one row per borrower in the source's order, numbers as their shortest decimals.

    After the canonical columns stand the `texts` and `numbers` that limits and the stress read; a column
    that is read as both stands a second time as `number NAME`.
    """
    order = np.argsort(portfolio.row, kind="stable")
    columns = {"borrower_id": portfolio.borrower_id.astype(str), "grade": _words(portfolio.grade)}
    columns |= {
        column.name: _digits(portfolio.number(column.name))
        for column in NUMBERS
        if column.name not in _IF_GIVEN or np.any(np.isfinite(portfolio.number(column.name)))
    }
    columns["exclude"] = np.where(portfolio.exclude, "true", "")
    further = sorted(set(texts) - columns.keys())
    columns |= {name: _words(portfolio.text(name)) for name in further}
    for name in sorted(set(numbers) - {column.name for column in NUMBERS}):
        columns[f"number {name}" if name in columns else name] = _digits(portfolio.number(name))
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
    writer.writerow(columns)
    writer.writerows(zip(*(column[order].tolist() for column in columns.values()), strict=True))
    return text.getvalue().encode("utf-8")


def _words(column: Text) -> np.ndarray[Any, Any]:
    """(n,) texts, "" where missing."""
    words: np.ndarray[Any, Any] = np.array([*column.values, ""], dtype=object)[column.codes]
    return words


def _digits(column: Floats) -> np.ndarray[Any, Any]:
    """(n,) decimals, "" where nothing is given: a request without limit, a rate or offer that none names."""
    return np.array([repr(value) if math.isfinite(value) else "" for value in column.tolist()], dtype=object)
