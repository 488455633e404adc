"""The contest's official workbooks: one sheet of firms and one sheet of invoices a direction.

企业信息       企业代号 企业名称 [信誉评级 是否违约]
进项发票信息   purchases, the counterparty is 销方单位代号
销项发票信息   sales, the counterparty is 购方单位代号
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from allocator.errors import Fault, InputError, gathering
from allocator.extras import require
from allocator.records.scenario import PortfolioSource
from allocator.scoring.invoices import IDENTIFIERS, Duplicates, Invoices, invoices_from_frames
from allocator.scoring.levels import fault_in_rows, identifiers, level_faults, levels_of
from allocator.scoring.reading import frame_of
from allocator.scoring.rows import rows_in_file, rows_of, with_cells, with_names

PURCHASES, SALES, FIRMS = "进项发票信息", "销项发票信息", "企业信息"
_FIRM_COLUMNS = {
    "企业代号": "enterprise_id",
    "企业名称": "name",
    "信誉评级": "rating",
    "是否违约": "default",
    "所属行业": "industry",
    "类别": "industry",
}
_RATINGS = ("A", "B", "C", "D")
_YES_NO = {"是": 1, "否": 0, "1": 1, "0": 0, "true": 1, "false": 0}


@dataclass(frozen=True)
class Workbook:
    """A workbook's invoices and, where it has the sheet, its firms (enterprise_id, name, rating, default)."""

    invoices: Invoices
    firms: pd.DataFrame | None


def read_workbook(path: Path, *, duplicates: Duplicates = "keep", partly: bool = False) -> Workbook:
    """Read an official workbook; firms as `read_firms` has them.

    Raises InputError: no such file, not a workbook, a sheet missing, or the faults of its invoices.
    """
    if not path.exists():
        fault = Fault("the file does not exist", "give the path of an .xlsx workbook", str(path))
        raise InputError.of([fault], "Workbook")
    require("excel")
    from allocator.tables.xlsx import sheet_names

    book = PortfolioSource("xlsx", path, bare=True)
    names = {name.strip(): name for name in sheet_names(book)}
    present = ", ".join(names) or "none"
    faults = [
        Fault(f"lacks the sheet {name}", f"its sheets are {present}; rename the right one", str(path))
        for name in (PURCHASES, SALES)
        if name not in names
    ]
    frames = {
        name: frame_of(replace(book, sheet=names[name]), IDENTIFIERS)
        for name in (PURCHASES, SALES, FIRMS)
        if name in names
    }
    labels = (f"{path}, {PURCHASES}", f"{path}, {SALES}")
    firms = None
    with _sheets_named_once(path):
        with gathering(faults):
            if FIRMS in frames:
                firms = read_firms(frames[FIRMS], f"{path}, {FIRMS}", partly=partly)
        pair = frames.get(PURCHASES), frames.get(SALES)
        invoices = invoices_from_frames(*pair, names=labels, duplicates=duplicates, faults=faults)
    return Workbook(invoices, firms)


@contextmanager
def _sheets_named_once(path: Path) -> Iterator[None]:
    """Faults raised inside that name a cell name its sheet by it."""
    try:
        yield
    except InputError as error:
        faults = [fault if fault.cell is None else replace(fault, file=str(path)) for fault in error.faults]
        raise InputError(error.message, faults) from error


def read_firms(frame: pd.DataFrame, name: str, *, partly: bool = False) -> pd.DataFrame:
    """Firms with canonical columns; `rating` is text A to D, `default` 0 or 1, each only where given.

    `partly`: empty cells of either are no faults, they are "" and -1.

    Raises InputError: no identifier column, a repeated firm, an unknown rating or default.
    """
    frame = with_names(frame, lambda column: _FIRM_COLUMNS.get(column.strip(), column.strip()))
    if "enterprise_id" not in frame.columns:
        fault = Fault("lacks the column enterprise_id", "name the firm of each row (or 企业代号)", name)
        raise InputError.of([fault], "Firms")
    firms = frame.assign(enterprise_id=identifiers(frame["enterprise_id"])).reset_index(drop=True)
    faults = _unnamed_faults(firms["enterprise_id"], name)
    if "rating" in firms.columns:
        levels = levels_of(firms["rating"])
        rated = [name for name in levels.names if name.strip() in _RATINGS]
        remedy = f"the grades are {', '.join(_RATINGS)}"
        faults += level_faults(
            "rating", levels, [*rated, *_RATINGS], "is no grade", remedy, file=name, empty=not partly
        )
        firms["rating"] = np.array([*(name.strip() for name in levels.names), ""], dtype=object)[levels.codes]
    if "default" in firms.columns:
        levels = levels_of(firms["default"])
        stated = {
            name: _YES_NO[name.strip().lower()] for name in levels.names if name.strip().lower() in _YES_NO
        }
        remedy = "write 1 or 0 (or 是, 否)"
        faults += level_faults(
            "default", levels, list(stated), "says neither yes nor no", remedy, file=name, empty=not partly
        )
        firms["default"] = levels.looked_up([stated.get(name, -1) for name in levels.names], -1)
    if faults:
        raise InputError.of(with_cells(faults, frame), "Firms")
    return firms


def _unnamed_faults(names: pd.Series, file: str) -> list[Fault]:
    """Faults of rows without a firm, and of firms that stand twice."""
    blank = (names.isna() | (names == "")).to_numpy()
    faults = []
    if blank.any():
        problem, remedy = "an empty cell is no identifier", "name the firm of each row"
        where = rows_in_file(rows_of(names), np.flatnonzero(blank).tolist())
        faults.append(fault_in_rows(problem, where, remedy, file, "enterprise_id"))
    again = levels_of(names.where(names.duplicated() & ~blank))
    return faults + level_faults(
        "enterprise_id", again, [], "stands twice", "give one row per firm", file=file
    )
