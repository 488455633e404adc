"""Levels of a category: one spelling each whatever the file's type, and those that a fit has not seen.

1, 1.0 and "1" are one level, as are true and TRUE and a day with or without its midnight; "001" and any
other text stay as they are. So a level never depends on what stands in another row, which makes a
column of numbers one of text.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

import numpy as np
import pandas as pd

from allocator.errors import Fault, in_rows, row_count
from allocator.records.portfolio import Floats, Integers
from allocator.scoring.rows import rows_in_file, rows_of

_PLAIN_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_MIDNIGHT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]00:00:00(\.0+)?")
_TRUTH = {"true": "True", "false": "False"}
SHOWN = 5
"""Levels of one variable that are told one by one; rows of one level that are told by number."""


def level(value: Any) -> str:
    """The spelling of one cell that is not empty."""
    if isinstance(value, bytes):
        return level(value.decode("utf-8", "replace"))
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating):
        return str(int(value)) if float(value).is_integer() else np.format_float_positional(value, trim="-")
    if isinstance(value, datetime):
        return _text(value.isoformat(" "))
    return _text(format(value, "f") if isinstance(value, Decimal) else str(value))


def _text(text: str) -> str:
    """The level that a text stands for: a plain number without idle zeros, a day without midnight."""
    if _PLAIN_NUMBER.fullmatch(text):
        short = text.rstrip("0").rstrip(".") if "." in text else text
        return "0" if short == "-0" else short
    day = _MIDNIGHT.fullmatch(text)
    return day[1] if day else _TRUTH.get(text.lower(), text)


@dataclass(frozen=True)
class Levels:
    """A column of levels."""

    codes: Integers
    """(n,) index into `names`, -1 where the cell is empty."""
    names: tuple[str, ...]
    """In the order in which they first stand."""
    places: Integers | None = None
    """(n,) rows of the file, where they are not counted from 1."""

    @property
    def counts(self) -> Integers:
        """(names,) rows of each."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.names)).astype(np.int64)

    @property
    def empty(self) -> int:
        """Rows without a level."""
        return int(np.count_nonzero(self.codes < 0))

    def looked_up(self, known: Sequence[int], missing: int) -> Integers:
        """(n,) `known` (names,) of each row's level, `missing` where it has none."""
        return np.array([*known, missing], dtype=np.int64)[self.codes]

    def rows_of(self, names: Iterable[str]) -> dict[str, Integers]:
        """The rows of each of `names`, counted from 0."""
        order, counts = np.argsort(self.codes, kind="stable"), self.counts
        ends = (np.cumsum(counts) + self.empty).tolist()
        spans = zip(self.names, ends, counts.tolist(), strict=True)
        place = {name: slice(end - count, end) for name, end, count in spans}
        return {name: order[place[name]] for name in names}


def levels_of(cells: pd.Series) -> Levels:
    """The levels of a column; an empty text is an empty cell."""
    places = rows_of(cells)
    if cells.dtype == object and pd.api.types.infer_dtype(cells, skipna=True) not in ("string", "empty"):
        cells = cells.map(level, na_action="ignore")  # hashed as they stand, True would be 1
    codes, uniques = pd.factorize(cells, use_na_sentinel=True)
    texts = [level(value) for value in uniques]
    names = tuple(dict.fromkeys(text for text in texts if text))
    place = {name: i for i, name in enumerate(names)} | {"": -1}
    return Levels(np.array([*(place[text] for text in texts), -1], dtype=np.int64)[codes], names, places)


@dataclass(frozen=True)
class UnseenLevel:
    """A level that a fit has not seen, or that a column derived from it does not mean; what it counts as."""

    name: str
    level: str
    cells: int
    first: tuple[int, ...]
    """The first of its rows, as faults name them."""
    counts_as: str
    like: str
    """How it resembles a known level, in words; empty where it does not."""
    pds: tuple[float, float] | None = None
    """Lowest and highest PD of its rows, or LGD, by what it counts as."""
    why: str = "was not seen at fit"
    gets: Literal["PD", "LGD"] = "PD"

    def figures(self) -> dict[str, Any]:
        """For JSON: the level, how many rows, the first of them, what it counts as and gets."""
        out: dict[str, Any] = {"level": self.level, "cells": self.cells, "first_rows": list(self.first)}
        out |= {"counts_as": self.counts_as} | ({"like": self.like} if self.like else {})
        return out | ({} if self.pds is None else {self.gets.lower(): list(self.pds)})

    def line(self) -> str:
        """For people."""
        gets = ""
        if self.pds is not None:
            low, high = (f"{value:.2%}" for value in self.pds)
            gets = f", {self.gets} {low}" if low == high else f", {self.gets} {low} to {high}"
        like = f"; {self.like}" if self.like else ""
        return (
            f"{self.name} {self.level!r} {self.why}: {_rows_in_words(self.cells, self.first)} "
            f"counted as {self.counts_as}{gets}{like}"
        )


def unseen(
    name: str, levels: Levels, known: Sequence[str], counts_as: str, pds: Floats | None = None
) -> list[UnseenLevel]:
    """Those of `levels` that are none of `known`, most rows first; `pds` (n,) are the rows' own."""
    seen = set(known)
    rows = levels.rows_of(name for name in levels.names if name not in seen)
    order = sorted(rows, key=lambda value: -len(rows[value]))
    alike = likeness(order, known)
    return [
        UnseenLevel(
            name, value, len(rows[value]), first_rows(levels, rows[value]), counts_as, alike[value],
            _span(pds, rows[value]),
        )
        for value in order
    ]  # fmt: skip


def slips(name: str, levels: Levels, asked: str, counts_as: str) -> list[UnseenLevel]:
    """Those of `levels` that differ from the one asked for by no more than blanks or capitals."""
    rows = levels.rows_of(name for name in levels.names if name != asked and _bare(name) == _bare(asked))
    return [
        UnseenLevel(name, near, len(where), first_rows(levels, where), counts_as,
               likeness([near], [asked])[near], None, f"is not {asked!r}")
        for near, where in rows.items()
    ]  # fmt: skip


def _span(pds: Floats | None, rows: Integers) -> tuple[float, float] | None:
    return None if pds is None else (float(pds[rows].min()), float(pds[rows].max()))


def unseen_figures(levels: Sequence[UnseenLevel]) -> dict[str, Any]:
    """What JSON says of unseen levels, by variable; nothing where there are none."""
    by_name: dict[str, list[dict[str, Any]]] = {}
    for level in levels:
        by_name.setdefault(level.name, []).append(level.figures())
    return {"unseen": by_name} if by_name else {}


def unseen_lines(levels: Sequence[UnseenLevel]) -> list[str]:
    """The same as lines of a page: the first levels of each variable, and how many more there are."""
    lines = []
    for name in dict.fromkeys(level.name for level in levels):
        mine = [level for level in levels if level.name == name]
        lines += [level.line() for level in mine[:SHOWN]]
        if mine[SHOWN:]:
            cells = sum(level.cells for level in mine[SHOWN:])
            lines.append(f"{name}: {len(mine) - SHOWN:,} further levels are like these, {row_count(cells)}")
    return lines


def level_faults(
    field: str,
    levels: Levels,
    known: Sequence[str],
    problem: str,
    remedy: str,
    *,
    file: str | None = None,
    empty: bool = False,
) -> list[Fault]:
    """One fault for each of `levels` that is none of `known`, most rows first, and one for all beyond SHOWN.

    With `empty` also one for the empty cells.
    """
    seen = set(known)
    rows = levels.rows_of(name for name in levels.names if name not in seen)
    order = sorted(rows, key=lambda value: -len(rows[value]))
    alike = likeness(order, known)
    problems = {
        name: f"{name!r} {problem}{f': {alike[name]}' if alike[name] else ''}" for name in order[:SHOWN]
    }
    causes = [(words, rows[name]) for name, words in problems.items()]
    if empty and levels.empty:
        causes.insert(0, ("is empty", np.flatnonzero(levels.codes < 0)))
    if order[SHOWN:]:
        further = np.sort(np.concatenate([rows[name] for name in order[SHOWN:]]))
        causes.append((f"{len(order) - SHOWN:,} further values like it", further))
    placed_causes = [(words, rows_in_file(levels.places, where.tolist())) for words, where in causes]
    return [fault_in_rows(words, where, remedy, file, field) for words, where in placed_causes]


def cell_faults(
    cells: pd.Series,
    wrong: np.ndarray,
    problem: str,
    remedy: str | Callable[[str], str],
    file: str | None = None,
) -> list[Fault]:
    """One fault for each value of the cells that are `wrong` (n,), most rows first, one for all beyond SHOWN.

    `remedy` may depend on the value.
    """
    places = np.flatnonzero(wrong)
    levels, number, field = levels_of(cells.iloc[places]), rows_of(cells), str(cells.name)
    rows = levels.rows_of(levels.names)
    order = sorted(rows, key=lambda value: -len(rows[value]))
    shown = repr if cells.dtype.kind not in "iufb" else str
    causes = [(f"{shown(name)} {problem}", name, rows[name]) for name in order[:SHOWN]]
    if order[SHOWN:]:
        further = np.sort(np.concatenate([rows[name] for name in order[SHOWN:]]))
        causes.append((f"{len(order) - SHOWN:,} further values like it", order[SHOWN], further))
    return [
        fault_in_rows(
            words,
            rows_in_file(number, places[where].tolist()),
            remedy if isinstance(remedy, str) else remedy(name),
            file,
            field,
        )
        for words, name, where in causes
    ]


def fault_in_rows(problem: str, rows: Sequence[int], remedy: str, file: str | None, field: str) -> Fault:
    """One fault of `rows`, as faults name them."""
    return Fault(f"{problem}{in_rows(rows)}", remedy, file, row=rows[0], field=field)


def twin_levels(names: Sequence[str]) -> dict[str, str]:
    """How those of `names` differ that are an earlier one but for blanks, capitals or leading zeros."""
    first: dict[str, str] = {}
    alike = {}
    for name in names:
        other = first.setdefault(_bare(name), name)
        if other != name:
            alike[name] = f"it differs from {other!r} by {_difference(name, other)}"
    return alike


def twin_faults(field: str | None, names: Sequence[str], file: str) -> list[Fault]:
    """One fault per name that is almost an earlier one."""
    return [
        Fault(
            f"{name!r} is a value of its own: {how}", "write one the same way everywhere", file, field=field
        )
        for name, how in twin_levels(names).items()
    ]


def identifiers(cells: pd.Series) -> pd.Series:
    """(n,) names of firms as text: a text as it stands, a number as its level."""
    return cells.map(lambda cell: cell if isinstance(cell, str) else level(cell), na_action="ignore")


def first_rows(levels: Levels, rows: Integers) -> tuple[int, ...]:
    """The first few of `rows`, which count from 0, as faults name them."""
    return tuple(rows_in_file(levels.places, rows[:SHOWN].tolist()))


def _rows_in_words(cells: int, first: Sequence[int]) -> str:
    """`row 4`, `3 rows (4, 7, 9)`, `1,058 rows (1, 2, 3, 4, 5, ...)`."""
    if cells == 1:
        return f"row {first[0]}"
    more = ", ..." if cells > len(first) else ""
    return f"{row_count(cells)} ({', '.join(map(str, first))}{more})"


def likeness(names: Sequence[str], known: Sequence[str]) -> dict[str, str]:
    """How each of `names` resembles one of `known`, in words; empty where it does not.

    Spelling slips are looked for in the first SHOWN alone.
    """
    bare = {_bare(name): name for name in reversed(known)}
    out = {}
    for place, value in enumerate(names):
        twin = bare.get(_bare(value))
        if twin is None and place < SHOWN:
            close = difflib.get_close_matches(value, known, 1, 0.8)
            out[value] = f"it is almost {close[0]!r}" if close else ""
        else:
            out[value] = "" if twin is None else f"it differs from {twin!r} by {_difference(value, twin)}"
    return out


def _bare(text: str) -> str:
    """What is left without blanks, capitals, width of letters and leading zeros."""
    plain = "".join(unicodedata.normalize("NFKC", text).casefold().split())
    return plain.lstrip("0") or "0" if plain.isdigit() else plain


def _difference(name: str, other: str) -> str:
    without = "".join(name.split()), "".join(other.split())
    if without[0] == without[1]:
        return "blanks"
    if name.casefold() == other.casefold():
        return "capitals"
    if without[0].casefold() == without[1].casefold():
        return "blanks and capitals"
    return "leading zeros" if name.isdigit() and other.isdigit() else "the width of its letters"
