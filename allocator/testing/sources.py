"""What every source must pass: the borrowers that it reads are those that a CSV file of them gives."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from allocator.errors import InputError
from allocator.portfolio import load_portfolio
from allocator.records.columns import NUMBERS, TEXTS
from allocator.records.plugins import Plugin, PluginSource
from allocator.records.portfolio import Portfolio
from allocator.records.scenario import PortfolioSource
from allocator.tables import open_source
from allocator.testing.requiring import require


def check_source(source: PluginSource, content: bytes, borrowers: Mapping[str, Sequence[Any]]) -> None:
    """`content` reads as the `borrowers`, column -> values; damaged content is refused by a ValueError.

    None is an empty cell. Raises AssertionError, or InputError where the borrowers are none.
    """
    plugin = Plugin("source", "under_test", "the package under test", "0", source)
    with TemporaryDirectory(prefix="allocator-source-") as name:
        path = Path(name) / "borrowers"
        path.write_bytes(content)
        check_same_borrowers(PortfolioSource("under_test", path, plugin=plugin), borrowers)
        damaged = {
            "no bytes": b"",
            "half of the bytes": content[: len(content) // 2],
            "noise": b"\xff\x00" * 99,
        }
        for what, part in damaged.items():
            path = Path(name) / what
            path.write_bytes(part)
            try:
                open_source(PortfolioSource("under_test", path, plugin=plugin))
            except InputError as error:
                require(" cannot read it: " in str(error), f"of {what} it does not raise ValueError: {error}")


def check_same_borrowers(source: PortfolioSource, borrowers: Mapping[str, Sequence[Any]]) -> None:
    """The source reads as a CSV file of the `borrowers` does, twice alike. Raises AssertionError."""
    names = open_source(source).names
    require(sorted(names) == sorted(borrowers), f"its columns are {names}, expected {(*borrowers,)}")
    canonical = {column.name for column in NUMBERS} | {*TEXTS, "exclude"}
    texts = {n for n in borrowers if any(isinstance(cell, str) for cell in borrowers[n])} - canonical
    wanted = frozenset(texts), frozenset(borrowers.keys() - canonical - texts)
    with TemporaryDirectory(prefix="allocator-source-") as name:
        path = Path(name) / "borrowers.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(borrowers)
            writer.writerows(zip(*borrowers.values(), strict=True))
        expected = load_portfolio(PortfolioSource("csv", path), *wanted)
    for reading in ("once", "twice"):
        _require_equal(load_portfolio(source, *wanted), expected, reading)


def _require_equal(read: Portfolio, expected: Portfolio, reading: str) -> None:
    for field in fields(Portfolio):
        if field.name != "source":
            ours, theirs = getattr(read, field.name), getattr(expected, field.name)
            if field.name == "row":  # a spreadsheet counts its header too
                ours, theirs = np.argsort(ours), np.argsort(theirs)
            message = f"read {reading}, {field.name} is {ours}, expected {theirs}"
            require(_same(ours, theirs), message)


def _same(ours: Any, theirs: Any) -> bool:
    if isinstance(theirs, np.ndarray):
        return bool(np.array_equal(ours, theirs, equal_nan=theirs.dtype.kind == "f"))
    if isinstance(theirs, Mapping):
        return ours.keys() == theirs.keys() and all(_same(ours[key], theirs[key]) for key in theirs)
    if ours is None or theirs is None:
        return ours is theirs
    return ours.values == theirs.values and _same(ours.codes, theirs.codes)
