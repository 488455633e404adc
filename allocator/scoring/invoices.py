"""Purchase and sales invoices as two checked frames, from Parquet, csv or the contest's workbooks.

An invoice is void when its status says so, negative when its amount is below 0 (a return).
Duplicate rows are kept and counted unless asked otherwise: the published figures keep them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from allocator.errors import Fault, InputError
from allocator.records.frames import File
from allocator.scoring.levels import identifiers, level_faults, levels_of
from allocator.scoring.reading import read_table
from allocator.scoring.rows import row_of, with_cells, with_names

COLUMNS = ("enterprise_id", "invoice_no", "date", "counterparty_id", "amount", "tax", "total", "valid")
_NEEDED = ("enterprise_id", "date", "counterparty_id", "amount", "tax", "total", "valid")
MONEY = ("amount", "tax", "total")

CHINESE: Mapping[str, str] = {
    "企业代号": "enterprise_id",
    "发票号码": "invoice_no",
    "开票日期": "date",
    "销方单位代号": "counterparty_id",
    "购方单位代号": "counterparty_id",
    "金额": "amount",
    "税额": "tax",
    "价税合计": "total",
    "发票状态": "valid",
}
IDENTIFIERS = ("enterprise_id", "counterparty_id", "企业代号", "销方单位代号", "购方单位代号")
STATUS: Mapping[str, bool] = {
    "有效发票": True,
    "作废发票": False,
    "true": True,
    "false": False,
    "1": True,
    "0": False,
}

Duplicates = Literal["keep", "drop"]
LARGEST = 1e15
"""Currency units: an amount beyond it is a slip, and cents could no longer be told in it."""
YEARS = (1950, 2100)
"""First and last year that an invoice may be of: 0201-01-01 and 9999-01-01 are slips."""
_TOTAL_TOLERANCE = 0.02
"""Currency units: a total further from amount + tax is counted as inconsistent."""


@dataclass(frozen=True)
class InvoiceNotes:
    """What was found in one file of invoices, handled as stated and reported."""

    file: str
    rows: int
    duplicates: int
    """Rows equal to an earlier row in every column."""
    dropped: int
    """Rows taken out: the duplicates, where that was asked for."""
    void: int
    negative: int
    """Valid invoices with a negative amount: returns, they lower the sums."""
    inconsistent: int
    """Rows whose total is not amount + tax; all three are used as they stand."""
    first: str
    last: str
    partial_years: tuple[int, ...]
    """Years whose first or last month has no invoice at all: they enter no growth and no yearly profit."""


@dataclass(frozen=True)
class Invoices:
    """All invoices of a set of firms, both directions; frames have the columns COLUMNS."""

    purchases: pd.DataFrame
    sales: pd.DataFrame
    notes: tuple[InvoiceNotes, InvoiceNotes]

    @property
    def whole_years(self) -> tuple[int, ...]:
        """Years that are partial in neither direction, ascending."""
        dates = pd.concat([self.purchases["date"], self.sales["date"]])
        partial = set(self.notes[0].partial_years) | set(self.notes[1].partial_years)
        return tuple(sorted({int(year) for year in dates.dt.year.unique()} - partial))


def read_invoices(purchases: File | None, sales: File | None, *, duplicates: Duplicates = "keep") -> Invoices:
    """Read one file a direction, Parquet, csv or xlsx, English or Chinese column names.

    Raises InputError with the faults of both files at once, or where one is not given.
    """
    faults: list[Fault] = []
    if purchases is None or sales is None:
        remedy = "name purchases and sales, or a workbook"
        faults.append(Fault("one direction is missing", remedy, field="invoices"))
    frames = [None if path is None else _load(path, faults) for path in (purchases, sales)]
    return invoices_from_frames(
        *frames, names=(str(purchases), str(sales)), duplicates=duplicates, faults=faults
    )


def invoices_from_frames(
    purchases: pd.DataFrame | None,
    sales: pd.DataFrame | None,
    *,
    names: tuple[str, str] = ("purchases", "sales"),
    duplicates: Duplicates = "keep",
    faults: list[Fault] | None = None,
) -> Invoices:
    """Check and normalise two frames already in memory; `faults` holds what was found before."""
    faults = [] if faults is None else faults
    checked = []
    for frame, name in zip((purchases, sales), names, strict=True):
        checked.append(None if frame is None else _checked(frame, name, duplicates, faults))
    if faults:
        raise InputError.of(faults, "Invoices")
    (bought, bought_notes), (sold, sold_notes) = (pair for pair in checked if pair is not None)
    return Invoices(bought, sold, (bought_notes, sold_notes))


def _load(path: File, faults: list[Fault]) -> pd.DataFrame | None:
    """The file as a frame, or None and its faults."""
    try:
        return read_table(path, IDENTIFIERS)
    except InputError as error:
        faults += error.faults
        return None


def _checked(
    frame: pd.DataFrame, name: str, duplicates: Duplicates, faults: list[Fault]
) -> tuple[pd.DataFrame, InvoiceNotes] | None:
    """The frame with canonical columns and types, and what was found in it."""
    frame = with_names(frame, lambda column: CHINESE.get(column.strip(), column.strip()))
    missing = [column for column in _NEEDED if column not in frame.columns]
    if missing:
        faults.append(
            Fault(
                f"lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}",
                f"invoice files have {', '.join(COLUMNS)} (or the official Chinese headers)",
                name,
            )
        )
        return None
    if frame.empty:
        faults.append(Fault("holds no invoice", "give at least one row", name))
        return None
    before = len(faults)
    canonical = pd.DataFrame(
        {
            "enterprise_id": _identifiers(frame["enterprise_id"], name, faults),
            "date": _dates(frame["date"], name, faults),
            "counterparty_id": _identifiers(frame["counterparty_id"], name, faults),
            **{column: _money(frame[column], column, name, faults) for column in MONEY},
            "valid": _status(frame["valid"], name, faults),
        }
    )
    if "invoice_no" in frame.columns:
        canonical.insert(1, "invoice_no", frame["invoice_no"].array)
    if len(faults) > before:
        faults[before:] = with_cells(faults[before:], frame)
        return None
    return _noted(canonical, name, duplicates)


def _noted(frame: pd.DataFrame, name: str, duplicates: Duplicates) -> tuple[pd.DataFrame, InvoiceNotes]:
    repeated = _repeated(frame)
    rows = len(frame)
    if duplicates == "drop":
        frame = frame[~repeated].reset_index(drop=True)
    gap = (frame["amount"] + frame["tax"] - frame["total"]).abs()
    first, last = frame["date"].min(), frame["date"].max()
    partial = {first.year} if first.month > 1 else set()
    partial |= {last.year} if last.month < 12 else set()
    notes = InvoiceNotes(
        file=name,
        rows=rows,
        duplicates=int(repeated.sum()),
        dropped=rows - len(frame),
        void=int((~frame["valid"]).sum()),
        negative=int((frame["valid"] & (frame["amount"] < 0)).sum()),
        inconsistent=int((gap > _TOTAL_TOLERANCE).sum()),
        first=f"{first:%Y-%m-%d}",
        last=f"{last:%Y-%m-%d}",
        partial_years=tuple(sorted(partial)),
    )
    return frame, notes


def _repeated(frame: pd.DataFrame) -> np.ndarray:
    """True where a row equals an earlier one in every column; by hash, then by value among the suspects."""
    hashes = np.zeros(len(frame), dtype=np.uint64)
    for column in frame.columns:
        values = frame[column]
        if isinstance(values.dtype, pd.CategoricalDtype):
            keys = values.cat.codes.to_numpy()
        elif values.dtype.kind in "iufbM":
            keys = values.to_numpy()
        else:
            keys = pd.factorize(values)[0]
        with np.errstate(over="ignore"):
            hashes = hashes * np.uint64(0x9E3779B97F4A7C15) + pd.util.hash_array(keys)
    suspects = np.flatnonzero(pd.Series(hashes).duplicated(keep=False).to_numpy())
    repeated = np.zeros(len(frame), dtype=bool)
    repeated[suspects] = frame.iloc[suspects].duplicated().to_numpy()
    return repeated


def _identifiers(values: pd.Series, name: str, faults: list[Fault]) -> pd.Series:
    """Identifiers as categories of text; an empty one is a fault."""
    blank = values.isna() if values.dtype.kind != "O" else values.isna() | (values == "")
    _report(blank, values, str(values.name), "is empty", "every invoice names both parties", name, faults)
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values.cat.rename_categories(identifiers(values.cat.categories.to_series()).tolist())
    return identifiers(values).astype("category")


def _dates(values: pd.Series, name: str, faults: list[Fault]) -> pd.Series:
    """Dates; text in ISO form (or 2019/3/1) is read, anything else is a fault."""
    if values.dtype.kind == "M":
        parsed = values
    elif values.dtype.kind in "iuf":
        parsed = pd.Series(pd.NaT, index=values.index, dtype="datetime64[us]")
    else:
        text = values.astype(str).str.replace("/", "-", regex=False)
        parsed = pd.to_datetime(text, format="ISO8601", errors="coerce")
        slow = parsed.isna()
        parsed = parsed.where(~slow, pd.to_datetime(text.where(slow), format="%Y-%m-%d", errors="coerce"))
    wrong = ~parsed.dt.year.between(*YEARS)
    remedy = f"write dates as 2019-03-01, of {YEARS[0]} to {YEARS[1]}"
    _report(wrong, values, "date", "is no date", remedy, name, faults)
    return parsed


def _money(values: pd.Series, column: str, name: str, faults: list[Fault]) -> pd.Series:
    numbers = values if values.dtype.kind in "iuf" else pd.to_numeric(values, errors="coerce")
    wrong = ~(np.abs(numbers.to_numpy(dtype=float, na_value=np.nan)) <= LARGEST)
    _report(
        pd.Series(wrong, index=values.index),
        values,
        column,
        "is no amount",
        f"amounts are plain numbers, 1234.56, up to {LARGEST:g}",
        name,
        faults,
    )
    return numbers.astype(float)


def _status(values: pd.Series, name: str, faults: list[Fault]) -> pd.Series:
    if values.dtype.kind == "b":
        return values.astype(bool)
    levels = levels_of(values)
    stated = {name: STATUS[name.strip().lower()] for name in levels.names if name.strip().lower() in STATUS}
    remedy = "write true or false (or 有效发票, 作废发票)"
    faults += level_faults(
        "valid", levels, list(stated), "is no invoice status", remedy, file=name, empty=True
    )
    known = levels.looked_up([stated.get(name, True) for name in levels.names], True)
    return pd.Series(known.astype(bool), index=values.index)


def _report(
    wrong: pd.Series, values: pd.Series, field: str, problem: str, remedy: str, name: str, faults: list[Fault]
) -> None:
    """One fault per column: the first row that is wrong, and how many there are."""
    rows = np.flatnonzero(wrong.to_numpy())
    if len(rows) == 0:
        return
    value = values.iloc[[rows[0]]].tolist()[0]
    shown = "" if pd.isna(value) or value == "" else f"{_shown(value)} "
    others = f" (and {len(rows) - 1} more rows)" if len(rows) > 1 else ""
    faults.append(
        Fault(f"{shown}{problem}{others}", remedy, name, row=row_of(values, int(rows[0])), field=field)
    )


def _shown(value: object) -> str:
    """A cell as it is written: a date is no Timestamp to whoever typed it."""
    return f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else repr(value)
