"""A run's folder read back: its shape is checked here, its claims by whoever verifies it."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from allocator.errors import CertificateError, Fault, InputError
from allocator.intake import take
from allocator.records.ledger import COMPUTED, LINES, ON_CAPITAL
from allocator.records.run import StoredRun
from allocator.store.certificate import (
    RESTORE,
    SCHEMA,
    altered_file_error,
    certificate_from_json,
    is_negative_zero,
    is_number,
)
from allocator.store.folder import (
    ALLOCATION_CSV,
    ALLOCATION_PARQUET,
    CERTIFICATE,
    RESOLVED,
    SCENARIO,
    SUMMARY,
    TEXTS,
)
from allocator.store.strict import number, read_json, repeated_names

_DECIDED = ("amount", "rate")
NUMBERS = (*_DECIDED, *COMPUTED)
_STATED = ("objective", "bound", "gap", "certified_bound", "certified_gap", "borrowers", "funded")
_KINDS: dict[str, tuple[type, str]] = {
    **dict.fromkeys(("status", "stop", "proof", "method", "solved_at"), (str, "text")),
    **dict.fromkeys(("seconds", "versions"), (dict, "object")),
    "notes": (list, "list"),
}
"""What a summary says of the making of a run: nothing that a recheck could repeat, but of a kind."""
_TOLD = frozenset(
    {
        *_STATED, *(line.name for line in LINES), *ON_CAPITAL, "schema", "name", "status", "stop", "proof",
        "currency", "strategy", "limits_broken", "terms_broken", "offered", "drawn", "idle_income",
        "budget_unspent", "refusal_constant", "by_grade", "limits", "notes", "seconds", "method",
        "peak_memory_mb", "versions", "digest", "plugins", "solved_at", "per_point", "price_list",
        "limit_penalty", "worst_of", "above_worst",
    }
)  # fmt: skip
"""Keys that a summary may have."""


def read_run(folder: Path) -> StoredRun:
    """The run in `folder`.

    Raises CertificateError with every fault of the folder's files at once, where they are of another shape
    than a run writes or the certificate contradicts itself: they were altered. InputError where the folder
    or one of its files is missing or cannot be read.
    """
    if not os.path.isdir(folder):  # unlike Path.is_dir, quiet about names that are too long
        problem = "is a file, not a run's folder" if os.path.exists(folder) else "there is no such folder"
        raise InputError.of([Fault(problem, "name a folder that solve wrote", file=str(folder))], "run")
    parts: list[Any] = []
    errors: list[InputError | CertificateError] = []
    for read in (_read_summary, _read_certificate, _read_scenario_path, _read_document, _read_allocation):
        try:
            parts.append(read(folder))
        except (InputError, CertificateError) as error:
            errors.append(error)
    if errors:
        raise _joint_error(errors, folder)
    summary, certificate, scenario_path, document, allocation = parts
    return StoredRun(folder, scenario_path, document, allocation, certificate, summary)


def _joint_error(errors: list[InputError | CertificateError], folder: Path) -> InputError | CertificateError:
    """All faults in one error: what is missing comes before what was altered."""
    faults = [fault for error in errors for fault in error.faults]
    if any(isinstance(error, InputError) for error in errors):
        return InputError.of(faults, str(folder))
    return errors[0] if len(errors) == 1 else CertificateError(f"{folder}: {len(faults)} faults", faults)


def _read_summary(folder: Path) -> dict[str, Any]:
    path = folder / SUMMARY
    summary = _read_object(path)
    faults = [
        Fault("is missing or no number", RESTORE, file=str(path), field=field)
        for field in _STATED
        if not is_number(summary.get(field))
    ]
    if not _is_amount(summary.get("peak_memory_mb", 0)):
        faults.append(Fault("is no number of at least 0", RESTORE, file=str(path), field="peak_memory_mb"))
    faults += [Fault(problem, RESTORE, file=str(path), field=field) for field, problem in _misstated(summary)]
    faults += [
        Fault("is -0, which no run writes", RESTORE, file=str(path), field=field)
        for field in ("gap", "certified_gap")
        if is_negative_zero(summary.get(field))
    ]
    if summary.get("schema", SCHEMA) != SCHEMA or type(summary.get("schema", SCHEMA)) is not int:
        faults.append(Fault(f"is not {SCHEMA}", RESTORE, file=str(path), field="schema"))
    faults += [
        Fault(f"is missing or no {word}", RESTORE, file=str(path), field=field)
        for field, (kind, word) in _KINDS.items()
        if not isinstance(summary.get(field), kind) and (field == "status" or summary.get(field) is not None)
    ]
    faults += [
        Fault("is not a key of a summary", RESTORE, file=str(path), field=key)
        for key in sorted(summary.keys() - _TOLD)
    ]
    if faults:
        raise altered_file_error(str(path), faults)
    return summary


def _is_amount(value: Any) -> bool:
    return is_number(value) and value >= 0 and not is_negative_zero(value)


def _misstated(summary: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Field and fault of what is said of the making of a run in entries of another kind."""
    seconds, versions, notes = (summary.get(field) for field in ("seconds", "versions", "notes"))
    for name, value in seconds.items() if isinstance(seconds, dict) else ():
        if not _is_amount(value):
            yield f"seconds {name}", "is no number of at least 0"
    for name, value in versions.items() if isinstance(versions, dict) else ():
        if not isinstance(value, str):
            yield f"versions {name}", "is no text"
    for place, value in enumerate(notes if isinstance(notes, list) else (), start=1):
        if not isinstance(value, str):
            yield f"notes, entry {place}", "is no text"


def _read_certificate(folder: Path) -> dict[str, Any]:
    path = folder / CERTIFICATE
    document = _read_object(path)
    certificate_from_json(document, str(path))
    return document


def _read_scenario_path(folder: Path) -> Path:
    path = folder / SCENARIO
    if not path.is_file():
        raise _unreadable(path, FileNotFoundError())
    return path


def _read_document(folder: Path) -> dict[str, Any] | None:
    path = folder / RESOLVED
    if not path.exists() and (folder / SCENARIO).is_file():  # as runs were written once
        return None
    return _read_object(path)


def _read_object(path: Path) -> dict[str, Any]:
    try:
        document = read_json(path.read_bytes().decode("utf-8"))
    except json.JSONDecodeError as error:
        _refuse(path, f"is not JSON: {error.msg.lower()}", line=error.lineno)
    except UnicodeDecodeError:
        _refuse(path, "is not UTF-8 text")
    except ValueError as error:
        _refuse(path, str(error))
    except RecursionError:
        _refuse(path, "is nested too deeply")
    except OSError as error:
        raise _unreadable(path, error) from error
    if not isinstance(document, dict):
        _refuse(path, "holds no JSON object")
    return document


def _read_allocation(folder: Path) -> pd.DataFrame:
    """The allocation: the columns that a run writes, no more and no fewer, every number finite."""
    text, parquet = folder / ALLOCATION_CSV, folder / ALLOCATION_PARQUET
    if text.exists() and parquet.exists():
        _refuse(folder, f"holds both {text.name} and {parquet.name}")
    path = parquet if parquet.exists() else text
    try:
        frame = _read_parquet(path) if path is parquet else _read_csv(path)
    except OSError as error:
        raise _unreadable(path, error) from error
    except UnicodeDecodeError:
        _refuse(path, "is not UTF-8 text")
    except (csv.Error, ValueError) as error:  # what csv and pyarrow raise on files that are not what they say
        _refuse(path, f"cannot be read: {str(error).splitlines()[0]}")
    return _checked(frame, path)


def _read_parquet(path: Path) -> pd.DataFrame:
    import pyarrow as pa

    return pd.read_parquet(pa.BufferReader(take(path)))


def _read_csv(path: Path) -> pd.DataFrame:
    """Every column as text: nothing is guessed, and what is no number can be named by its row."""
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = [*csv.reader(file, strict=True)] or [[]]
    while rows and not rows[-1]:
        rows.pop()
    if twice := [*repeated_names(header)]:
        _refuse(path, "stands twice in the header", field=twice[0])
    for row, cells in enumerate(rows, start=1):
        if len(cells) != len(header):
            _refuse(path, f"has {len(cells)} cells under a header of {len(header)}", row=row)
    columns = [*zip(*rows, strict=True)] if rows else [()] * len(header)
    return pd.DataFrame(dict(zip(header, (pd.Series(cells, dtype=object) for cells in columns), strict=True)))


def _checked(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    numbered = (*NUMBERS, *(ON_CAPITAL if {*ON_CAPITAL} & {*frame.columns} else ()))
    known = (*TEXTS, *numbered)
    faults = [
        *_faults_at(
            path, [column for column in known if column not in frame.columns], "the column is missing"
        ),
        *_faults_at(
            path, [str(column) for column in frame.columns if column not in known], "is no column of a run"
        ),
    ]
    if faults:
        raise altered_file_error(str(path), faults)
    numbers = {column: _numbers(frame[column]) for column in numbered}
    for column, values in numbers.items():
        faults += _first_wrong_row(~np.isfinite(values), "is no finite number", frame[column], path)
        if column in _DECIDED:
            faults += _first_wrong_row(np.signbit(values) & (values == 0), "is -0", frame[column], path)
    if faults:
        raise altered_file_error(str(path), faults)
    texts = {column: pd.Series(_texts(frame[column]), dtype=object, index=frame.index) for column in TEXTS}
    return frame.assign(**texts, **numbers)


def _texts(column: pd.Series[Any]) -> np.ndarray[Any, np.dtype[np.object_]]:
    """What was written, as text; "" where nothing was."""
    texts = column.to_numpy(dtype=object, na_value="")
    kept = column.cat.categories if isinstance(column.dtype, pd.CategoricalDtype) else column
    if isinstance(kept.dtype, pd.StringDtype):
        return texts
    return np.array([*map(str, texts)], dtype=object)


def _faults_at(path: Path, columns: Sequence[str], problem: str) -> list[Fault]:
    return [Fault(problem, RESTORE, file=str(path), field=column) for column in columns]


def _first_wrong_row(
    mask: np.ndarray[Any, Any], problem: str, column: pd.Series[Any], path: Path
) -> list[Fault]:
    """The first row of a column that is wrong, and how many more there are."""
    rows = np.flatnonzero(mask)
    if not rows.size:
        return []
    more = f", and in {rows.size - 1} more rows" if rows.size > 1 else ""
    problem = f"{str(column.iloc[rows[0]])!r} {problem}{more}"
    return [Fault(problem, RESTORE, file=str(path), row=int(rows[0]) + 1, field=str(column.name))]


def _numbers(column: pd.Series[Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Exactly the floats that were written; NaN for what is no number."""
    if pd.api.types.is_bool_dtype(column):
        return np.full(len(column), np.nan)
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=np.float64)
    return np.array([number(text) if isinstance(text, str) else np.nan for text in column], dtype=np.float64)


def _unreadable(path: Path, error: OSError) -> InputError:
    missing = isinstance(error, FileNotFoundError)
    problem = "is missing" if missing else f"cannot be read: {error.strerror or error}"
    return InputError.of([Fault(problem, RESTORE, file=str(path))], str(path))


def _refuse(path: Path, problem: str, **place: Any) -> NoReturn:
    """`place` is the line, row or field of the fault."""
    raise altered_file_error(str(path), [Fault(problem, RESTORE, file=str(path), **place)])
