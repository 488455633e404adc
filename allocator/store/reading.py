"""A run's folder read back: its shape is checked here, its claims by whoever verifies it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from allocator.errors import CertificateError, Fault, InputError
from allocator.records.run import StoredRun
from allocator.store.certificate import RESTORE, altered, certificate_from_json, is_number
from allocator.store.folder import ALLOCATION_CSV, ALLOCATION_PARQUET, CERTIFICATE, SCENARIO, SUMMARY, TEXTS

NUMBERS = (
    "amount",
    "rate",
    "take_up",
    "interest",
    "expected_loss",
    "funding_cost",
    "churn_cost",
    "processing_cost",
    "relationship_cost",
    "value",
)
_STATED = ("objective", "bound", "gap", "certified_bound", "certified_gap", "borrowers", "funded")


def read_run(folder: Path) -> StoredRun:
    """The run in `folder`.

    Raises CertificateError with every fault of the folder's files at once, where they are of another shape
    than a run writes or the certificate contradicts itself: they were altered. InputError where the folder
    or one of its files is missing or cannot be read.
    """
    if not folder.is_dir():
        problem = "is a file, not a run's folder" if folder.exists() else "there is no such folder"
        raise InputError.of([Fault(problem, "name a folder that solve wrote", file=str(folder))], "run")
    parts: list[Any] = []
    errors: list[InputError | CertificateError] = []
    for read in (_read_summary, _read_certificate, _read_scenario_path, _read_allocation):
        try:
            parts.append(read(folder))
        except (InputError, CertificateError) as error:
            errors.append(error)
    if errors:
        raise _together(errors, folder)
    summary, certificate, scenario_path, allocation = parts
    return StoredRun(folder, scenario_path, allocation, certificate, summary)


def _together(errors: list[InputError | CertificateError], folder: Path) -> InputError | CertificateError:
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
    if not isinstance(summary.get("status"), str):
        faults.append(Fault("is missing or no text", RESTORE, file=str(path), field="status"))
    if faults:
        raise altered(str(path), faults)
    return summary


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


def _read_object(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
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


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"is not JSON: it knows no number {name}")


def _read_allocation(folder: Path) -> pd.DataFrame:
    """The allocation, every number finite; more columns than a run writes are left alone."""
    text, parquet = folder / ALLOCATION_CSV, folder / ALLOCATION_PARQUET
    if text.exists() and parquet.exists():
        _refuse(folder, f"holds both {text.name} and {parquet.name}")
    path = parquet if parquet.exists() else text
    try:
        frame = pd.read_parquet(path) if path is parquet else _read_csv(path)
    except OSError as error:
        raise _unreadable(path, error) from error
    except UnicodeDecodeError:
        _refuse(path, "is not UTF-8 text")
    except ValueError as error:  # what pandas and pyarrow raise on files that are not what they say
        _refuse(path, f"cannot be read: {str(error).splitlines()[0]}")
    return _checked(frame, path)


def _read_csv(path: Path) -> pd.DataFrame:
    """Every column as text: nothing is guessed, and what is no number can be named by its row."""
    with path.open(encoding="utf-8", newline="") as file:
        header = next(csv.reader(file), [])
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        _refuse(path, "stands twice in the header", field=twice[0])
    return pd.read_csv(path, dtype=str, keep_default_na=False, index_col=False, encoding="utf-8")


def _checked(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    absent = [column for column in (*TEXTS, *NUMBERS) if column not in frame.columns]
    if absent:
        faults = [Fault("the column is missing", RESTORE, file=str(path), field=column) for column in absent]
        raise altered(str(path), faults)
    numbers = {column: _numbers(frame[column]) for column in NUMBERS}
    faults = []
    for column, values in numbers.items():
        wrong = np.flatnonzero(~np.isfinite(values))
        if wrong.size:
            more = f", and in {wrong.size - 1} more rows" if wrong.size > 1 else ""
            problem = f"{str(frame[column].iloc[wrong[0]])!r} is no finite number{more}"
            faults.append(Fault(problem, RESTORE, file=str(path), row=int(wrong[0]) + 1, field=column))
    if faults:
        raise altered(str(path), faults)
    texts = {
        column: frame[column].astype(object).where(frame[column].notna(), "").astype(str) for column in TEXTS
    }
    return frame.assign(**texts, **numbers)


def _numbers(column: pd.Series[Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Exactly the floats that were written; NaN for what is no number."""
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=np.float64)
    try:
        return column.to_numpy(dtype=object).astype(np.float64)
    except ValueError:
        return np.array([_float(text) for text in column])


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _unreadable(path: Path, error: OSError) -> InputError:
    missing = isinstance(error, FileNotFoundError)
    problem = "is missing" if missing else f"cannot be read: {error.strerror or error}"
    return InputError.of([Fault(problem, RESTORE, file=str(path))], str(path))


def _refuse(path: Path, problem: str, *, line: int | None = None, field: str | None = None) -> NoReturn:
    raise altered(str(path), [Fault(problem, RESTORE, file=str(path), line=line, field=field)])
