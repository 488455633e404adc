"""The contest's official workbooks: one sheet of firms and one sheet of invoices a direction.

企业信息       企业代号 企业名称 [信誉评级 是否违约]
进项发票信息   purchases, the counterparty is 销方单位代号
销项发票信息   sales, the counterparty is 购方单位代号
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd

from allocator.errors import Fault, InputError
from allocator.intake import take_bytes
from allocator.scoring.invoices import Duplicates, Invoices, invoices_from_frames

PURCHASES, SALES, FIRMS = "进项发票信息", "销项发票信息", "企业信息"
FIRM_COLUMNS = {
    "企业代号": "enterprise_id",
    "企业名称": "name",
    "信誉评级": "rating",
    "是否违约": "default",
    "所属行业": "industry",
    "类别": "industry",
}
YES_NO = {"是": 1, "否": 0, "1": 1, "0": 0, "true": 1, "false": 0}


@dataclass(frozen=True)
class Workbook:
    """A workbook's invoices and, where it has the sheet, its firms (enterprise_id, name, rating, default)."""

    invoices: Invoices
    firms: pd.DataFrame | None


def read_workbook(path: Path, *, duplicates: Duplicates = "keep") -> Workbook:
    """Read an official workbook.

    Raises InputError: no such file, not a workbook, a sheet missing, or the faults of its invoices.
    """
    from python_calamine import CalamineError, CalamineWorkbook

    if not path.is_file():
        fault = Fault("the file does not exist", "give the path of an .xlsx workbook", str(path))
        raise InputError.of([fault], "Workbook")
    try:
        sheets = CalamineWorkbook.from_filelike(BytesIO(take_bytes(path)))
    except (CalamineError, OSError) as error:
        fault = Fault(f"cannot be read as a workbook ({error})", "save it as .xlsx", str(path))
        raise InputError.of([fault], "Workbook") from error
    names = {name.strip(): name for name in sheets.sheet_names}
    missing = [name for name in (PURCHASES, SALES) if name not in names]
    if missing:
        found = ", ".join(names) or "none"
        faults = [
            Fault(f"lacks the sheet {name}", f"its sheets are {found}; rename the right one", str(path))
            for name in missing
        ]
        raise InputError.of(faults, "Workbook")
    frames = {
        name: _frame(sheets.get_sheet_by_name(names[name]).to_python(skip_empty_area=True))
        for name in (PURCHASES, SALES, FIRMS)
        if name in names
    }
    labels = (f"{path}, {PURCHASES}", f"{path}, {SALES}")
    invoices = invoices_from_frames(frames[PURCHASES], frames[SALES], names=labels, duplicates=duplicates)
    firms = read_firms(frames[FIRMS], f"{path}, {FIRMS}") if FIRMS in frames else None
    return Workbook(invoices, firms)


def read_firms(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Firms with canonical columns; `rating` is text A to D, `default` 0 or 1, each only where given.

    Raises InputError: no identifier column, a repeated firm, an unknown rating or default.
    """
    frame = frame.rename(columns=lambda column: FIRM_COLUMNS.get(str(column).strip(), str(column).strip()))
    if "enterprise_id" not in frame.columns:
        fault = Fault("lacks the column enterprise_id", "name the firm of each row (or 企业代号)", name)
        raise InputError.of([fault], "Firms")
    blank = frame["enterprise_id"].isna() | (frame["enterprise_id"] == "")
    firms = frame.assign(enterprise_id=frame["enterprise_id"].astype(str)).reset_index(drop=True)
    faults: list[Fault] = []

    def report(wrong: pd.Series, column: str, problem: str, remedy: str) -> None:
        for row in np.flatnonzero(wrong.to_numpy()).tolist():
            shown = f"{firms[column].tolist()[row]!r} {problem}"
            faults.append(Fault(shown, remedy, name, row=row + 1, field=column))

    report(blank, "enterprise_id", "is no identifier", "name the firm of each row")
    report(
        firms["enterprise_id"].duplicated() & ~blank.to_numpy(),
        "enterprise_id",
        "stands twice",
        "give one row a firm",
    )
    if "rating" in firms.columns:
        firms["rating"] = firms["rating"].astype(str).str.strip()
        report(~firms["rating"].isin(list("ABCD")), "rating", "is no grade", "the grades are A, B, C, D")
    if "default" in firms.columns:
        known = firms["default"].astype(str).str.strip().str.lower().str.removesuffix(".0").map(YES_NO)
        report(known.isna(), "default", "says neither yes nor no", "write 1 or 0 (or 是, 否)")
        firms["default"] = known
    if faults:
        raise InputError.of(faults, "Firms")
    if "default" in firms.columns:
        firms["default"] = firms["default"].astype(int)
    return firms


def _frame(rows: list[list[object]]) -> pd.DataFrame:
    """A sheet whose first row holds the headers."""
    return pd.DataFrame(rows[1:], columns=[str(cell) for cell in rows[0]]) if rows else pd.DataFrame()
