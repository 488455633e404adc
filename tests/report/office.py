"""A spreadsheet program that opens a workbook, computes every formula anew and saves what it finds."""

from __future__ import annotations

import io
import os
import re
import subprocess
import zipfile
from pathlib import Path

from python_calamine import CalamineWorkbook

from tests.browser import tool

_ALWAYS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode" oor:op="fuse">
<value>0</value></prop></item></oor:items>"""
_CACHED = re.compile(rb"(</f>)<v>[^<]*</v>")

Sheets = dict[str, list[list[object]]]


def read(path: Path) -> Sheets:
    """Every sheet's rows, as they were saved."""
    book = CalamineWorkbook.from_path(path)
    return {name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names}


def without_values(path: Path, out: Path) -> Path:
    """The same workbook with no formula's value in it, so that whatever stands there is computed anew."""
    with zipfile.ZipFile(path) as held, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bare:
        for name in held.namelist():
            data = held.read(name)
            bare.writestr(name, _CACHED.sub(rb"\1", data) if "worksheets/" in name else data)
    return out


def recalculated(path: Path, folder: Path) -> Sheets:
    """The workbook as LibreOffice computes it, from its data and formulas alone."""
    return read(saved(path, folder))


def saved(path: Path, folder: Path) -> Path:
    """The workbook, its formulas' values taken out, as LibreOffice opens, computes and saves it."""
    (folder / "bare").mkdir()
    [out] = converted([without_values(path, folder / "bare" / path.name)], folder)
    return out


def converted(paths: list[Path], folder: Path) -> list[Path]:
    """What LibreOffice, started once, opens, computes anew and saves; what it cannot open is not there.

    Without a window it never offers to repair a file that is damaged.
    """
    office, out, profile = tool("soffice", package="libreoffice-calc"), folder / "saved", folder / "profile"
    (profile / "user").mkdir(parents=True)
    (profile / "user" / "registrymodifications.xcu").write_text(_ALWAYS)
    subprocess.run(
        [office, f"-env:UserInstallation=file://{profile}", "--headless", "--convert-to", "xlsx",
         "--outdir", str(out), *map(str, paths)],
        check=True, capture_output=True, timeout=170, env={**os.environ, "HOME": str(folder)},
    )  # fmt: skip
    return [out / path.name for path in paths]


def formulas(path: Path) -> int:
    """How many there are."""
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as held:
        return sum(held.read(name).count(b"<f>") for name in held.namelist() if "worksheets/" in name)
