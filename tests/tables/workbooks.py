"""Workbooks written part by part, so that each can be wrong in one way."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
ROLES = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_FORMATS = '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>'
STYLES = f'<styleSheet xmlns="{MAIN}">{_FORMATS}</styleSheet>'
HEADER = ("borrower_id", "grade", "pd", "lgd", "max_amount")
ROWS = (("E1", "A", 0.01, 0.5, 300000), ("E2", "B", 0.02, 0.5, 400000), ("E3", "A", 0.03, 0.5, 250000))


def cell(place: str, value: object) -> str:
    """One cell; None leaves it out."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{value}</t></is></c>'
    return f'<c r="{place}"><v>{value}</v></c>'


def row(number: int, values: tuple[object, ...]) -> str:
    """A row whose cells begin at A."""
    cells = "".join(cell(f"{chr(65 + at)}{number}", value) for at, value in enumerate(values))
    return f'<row r="{number}">{cells}</row>'


def rows(*more: str, start: int = 1) -> str:
    """Header and three borrowers from row `start` on, then `more`."""
    return "".join(row(start + at, values) for at, values in enumerate((HEADER, *ROWS))) + "".join(more)


def sheet(data: str, after: str = "", before: str = "") -> str:
    return f'<worksheet xmlns="{MAIN}">{before}<sheetData>{data}</sheetData>{after}</worksheet>'


def workbook(
    sheets: Mapping[str, str | bytes],
    *,
    hidden: tuple[str, ...] = (),
    calc: str = "",
    rename: Mapping[str, str | None] | None = None,
    replaced: Mapping[str, str | bytes] | None = None,
) -> bytes:
    """An .xlsx file; `rename` gives parts another name (None: leaves them out), `replaced` other content."""
    states = dict.fromkeys(hidden, ' state="hidden"')
    listed = "".join(
        f'<sheet name="{name}" sheetId="{at}" r:id="r{at}"{states.get(name, "")}/>'
        for at, name in enumerate(sheets, start=1)
    )
    links = "".join(
        f'<Relationship Id="r{at}" Type="{ROLES}/worksheet" Target="worksheets/sheet{at}.xml"/>'
        for at in range(1, len(sheets) + 1)
    )
    links += f'<Relationship Id="s" Type="{ROLES}/styles" Target="styles.xml"/>'
    start = f'<Relationship Id="w" Type="{ROLES}/officeDocument" Target="xl/workbook.xml"/>'
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}">{start}</Relationships>',
        "xl/workbook.xml": (
            f'<workbook xmlns="{MAIN}" xmlns:r="{ROLES}"><sheets>{listed}</sheets>{calc}</workbook>'
        ),
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}">{links}</Relationships>',
        "xl/styles.xml": STYLES,
        **{f"xl/worksheets/sheet{at}.xml": text for at, text in enumerate(sheets.values(), start=1)},
        **(replaced or {}),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            own = (rename or {}).get(name, name)
            if own is not None:
                archive.writestr(own, text)
    return out.getvalue()


def one_sheet(data: str, after: str = "", before: str = "", prefix: str = "") -> bytes:
    """A workbook of one sheet, its tags perhaps with a prefix."""
    text = sheet(data, after, before)
    if prefix:
        text = re.sub("<(/?)", rf"<\1{prefix}", text).replace("xmlns=", f"xmlns:{prefix[:-1]}=")
    return workbook({"Loans": text})
