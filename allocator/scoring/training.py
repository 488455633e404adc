"""The table that a fit learns from: outcomes, columns derived, rows left out, money; every fault at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np
import pandas as pd

from allocator.errors import Fault, InputError, gathering
from allocator.records.frames import File
from allocator.records.misfits import meant
from allocator.scoring.declarations import Declarations
from allocator.scoring.levels import cell_faults, fault_in_rows, levels_of
from allocator.scoring.reading import (
    PLAIN,
    TEXT,
    column,
    derive,
    faults_located_in,
    numbers,
    outcomes,
    read_table,
)
from allocator.scoring.rejects import rejected
from allocator.scoring.rows import rows_in_file, rows_of, rows_where
from allocator.scoring.rules import IndicatorRule
from allocator.scoring.variables import Variable

Entry = TypeVar("Entry", Variable, IndicatorRule)


def training(
    data: File,
    given: Declarations,
    roles: Mapping[str, str],
    without: str | None,
    faults: list[Fault],
    levels: Collection[str] = (),
    *,
    both: bool = True,
    rejects: str | None = None,
) -> tuple[pd.DataFrame, pd.Series | None, dict[str, int]]:
    """The data with derived columns, the 0/1 outcome that the first of `roles` names, and what was left out.

    `roles` are the columns that the order names. Rows whose cell in the column `without` is not empty are
    left out, as are those with a 1 in `rejects`; last, the rows of each such text. `levels` are further
    columns that are read as texts. Without `both` the outcomes may be of one kind. What is wrong is added to
    `faults`: the outcome is then None, a derived column empty. Raises InputError with all of them where there
    is no table to look at.
    """
    named = {**roles, **({} if without is None else {"reason to leave a row out": without})}
    texts = (*TEXT, *sorted(given.text_columns - set(named.values())), *levels)
    try:
        frame = read_table(data, texts)
    except InputError as error:
        raise InputError.of([*faults, *error.faults], "Training data") from error
    faults += _role_faults(data, frame, named)
    left: dict[str, int] = {}
    if without in frame.columns:
        reasons = levels_of(frame[without])
        left = dict(zip(reasons.names, reasons.counts.tolist(), strict=True))
        emptied = Fault("gives every row a reason to be left out", "leave it empty", str(data), field=without)
        frame = _remaining(frame, reasons.codes < 0, texts, emptied, faults)
    if rejects is not None:
        refused = np.zeros(len(frame), dtype=bool)
        with gathering(faults), faults_located_in(data, frame):
            refused = rejected(frame, rejects)
        problem, remedy = "marks every row a reject", "write 0 where one was accepted"
        emptied = Fault(problem, remedy, str(data), field=rejects)
        frame = _remaining(frame, ~refused, texts, emptied, faults)
    y, outcome = None, next(iter(roles.values()))
    if outcome in frame.columns:
        with gathering(faults):
            y = outcomes(frame, outcome, data, both=both)
    with gathering(faults), faults_located_in(data, frame):
        wrong: list[Fault] = []
        frame = derive(frame, given.derived, wrong)
        wrong += _doubtful_faults(frame, given, texts)
        if wrong:
            raise InputError.of(wrong, "Training data")
    return frame, y, left


def _role_faults(data: File, frame: pd.DataFrame, named: Mapping[str, str]) -> list[Fault]:
    """Where a column is named for the first role and another one, or is none of the table."""
    (first, outcome), *others = named.items()
    faults = [
        Fault(f"is named as the {first} and as the {role}", "name a column for each", str(data), field=name)
        for role, name in others
        if name == outcome
    ]
    return faults + [
        Fault(
            f"lacks the column {name}",
            meant(name, map(str, frame.columns)) or f"name the column that holds the {role}",
            str(data),
            field=name,
        )
        for role, name in named.items()
        if name not in frame.columns
    ]


def _remaining(
    frame: pd.DataFrame,
    kept: np.ndarray,
    texts: Collection[str],
    emptied: Fault,
    faults: Sequence[Fault],
) -> pd.DataFrame:
    """The rows that are `kept` (n,). Raises InputError with `faults` where there is none."""
    if not kept.any():
        raise InputError.of([*faults, emptied], "Training data")
    return rows_alone(frame, kept, texts)


def _doubtful_faults(frame: pd.DataFrame, given: Declarations, texts: Collection[str]) -> list[Fault]:
    """What is wrong with columns whose declarations could not be read."""
    faults: list[Fault] = []
    for name in sorted(given.doubtful):
        if name in given.figures - set(texts):
            numbers(frame, name, faults, PLAIN)
        else:
            column(frame, name, faults)
    return faults


def declined(
    data: File, given: Declarations, without: str | None, rejects: str, faults: list[Fault]
) -> pd.DataFrame:
    """The rejects that `training` leaves out, with derived columns; `faults` are added to, as there."""
    texts = (*TEXT, *sorted(given.text_columns - {without, rejects}))
    frame = read_table(data, texts)
    if without is not None and without in frame.columns:
        frame = rows_where(frame, levels_of(frame[without]).codes < 0)
    return derive(rows_alone(frame, rejected(frame, rejects), texts), given.derived, faults)


def rows_alone(frame: pd.DataFrame, kept: np.ndarray, texts: Collection[str]) -> pd.DataFrame:
    """The rows that are `kept` (n,), read as if there were no others: a text there made all texts."""
    rows = rows_where(frame, kept)
    read = {}
    for name in rows.columns if len(rows) < len(frame) else ():
        if rows[name].dtype.kind not in "iufbM" and name not in texts:
            whole, own = (pd.to_numeric(part[name], errors="coerce") for part in (frame, rows))
            if own.notna().equals(rows[name].notna()) and not whole.notna().equals(frame[name].notna()):
                read[name] = own
    return rows.assign(**read)


def require_sound(faults: Sequence[Fault], subject: str) -> None:
    """Raise InputError where there are faults: each once, files as they were first met, lines ascending."""
    if faults:
        told = {(fault.file, fault.row, fault.field, fault.problem): fault for fault in reversed(faults)}
        unique = [fault for fault in dict.fromkeys(faults) if fault in told.values()]
        files = list(dict.fromkeys(fault.file for fault in unique))
        raise InputError.of(
            sorted(unique, key=lambda fault: (files.index(fault.file), fault.line or 0)), subject
        )


def readable(entries: Iterable[Entry], given: Declarations, frame: pd.DataFrame) -> list[Entry]:
    """Those of `entries` that do not read a derived column which could not be made."""
    made = {derivation.name for derivation in given.derived}
    empty = {name for name in frame.columns if frame[name].isna().all()}
    lost = {
        derived.name
        for derived in given.derived
        if derived.name in empty and derived.column not in empty - made
    }
    return [entry for entry in entries if entry.name not in lost | given.unmade]


def amounts(
    frame: pd.DataFrame, default: pd.Series, owed: str, lost: str
) -> tuple[tuple[pd.Series, pd.Series], str]:
    """Money owed and lost (n,), and what was corrected. Raises InputError: an amount that is none."""
    faults: list[Fault] = []
    bad, remedy = default.to_numpy() == 1, "write an amount, 0 or more"
    money, gone = (numbers(frame, name, faults, PLAIN) for name in (owed, lost))
    for name, needed in ((owed, np.ones_like(bad)), (lost, bad)):
        if name in frame.columns:
            values = pd.to_numeric(frame[name], errors="coerce")
            below = ((values < 0) & (values > -np.inf)).to_numpy(dtype=bool, na_value=False)
            faults += cell_faults(frame[name], below, "is below 0", remedy)
            empty = frame[name].isna().to_numpy() & needed
            blank = rows_in_file(rows_of(frame), np.flatnonzero(empty).tolist())
            faults += [fault_in_rows("is empty", blank, remedy, None, name)] if blank else []
    if faults or money is None or gone is None:
        raise InputError.of(faults, "Training data")
    performing, beyond = ~bad & (gone > 0), bad & (gone > money)
    kept = np.where(bad, np.minimum(gone, money), 0.0)
    corrected = (
        f"{int(performing.sum())} performing loans' losses set to 0, "
        f"{int(beyond.sum())} losses cut to what was owed"
    )
    return (pd.Series(money, frame.index), pd.Series(kept, frame.index)), corrected


def amount_faults(
    data: File, frame: pd.DataFrame, default: pd.Series | None, money: Sequence[str]
) -> list[Fault]:
    """What `amounts` would refuse of the columns that are there."""
    y = pd.Series(0, frame.index) if default is None else default
    faults: list[Fault] = []
    if len(money) == 2 and set(money) <= set(frame.columns):
        with gathering(faults), faults_located_in(data, frame):
            amounts(frame, y, *money)
    return faults
