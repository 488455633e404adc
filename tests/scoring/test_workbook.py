"""The contest's official workbooks: Chinese sheets and headers."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from allocator.errors import InputError
from allocator.scoring.indicators import firm_indicators
from allocator.scoring.workbook import FIRMS, PURCHASES, SALES, read_firms, read_workbook

FIRM_ROWS = {
    "企业代号": ["E1", "E2"],
    "企业名称": ["甲", "乙"],
    "信誉评级": ["A", "D"],
    "是否违约": ["否", "是"],
}


def invoices(counterparty: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "企业代号": ["E1", "E1", "E2"],
            "发票号码": [3390939, 3390940, 12],
            "开票日期": pd.to_datetime(["2018-01-03", "2019-12-30", "2018-06-01"]),
            counterparty: ["B1", "B2", "B1"],
            "金额": [100.0, -5.0, 70.0],
            "税额": [13.0, -0.65, 9.1],
            "价税合计": [113.0, -5.65, 79.1],
            "发票状态": ["有效发票", "有效发票", "作废发票"],
        }
    )


def write(path: Path, sheets: dict[str, pd.DataFrame]) -> Path:
    with pd.ExcelWriter(path, engine="xlsxwriter") as writer:
        for name, sheet in sheets.items():
            sheet.to_excel(writer, sheet_name=name, index=False)
    return path


SHEETS = {
    FIRMS: pd.DataFrame(FIRM_ROWS),
    PURCHASES: invoices("销方单位代号"),
    SALES: invoices("购方单位代号"),
}


def test_a_workbook_becomes_indicators(tmp_path: Path) -> None:
    book = read_workbook(write(tmp_path / "a.xlsx", SHEETS))
    assert book.firms is not None
    assert book.firms[["enterprise_id", "rating", "default"]].to_numpy().tolist() == [
        ["E1", "A", 0],
        ["E2", "D", 1],
    ]
    table = firm_indicators(book.invoices, ["E1", "E2"])
    assert table.loc["E1", "out_amount"] == 95.0
    assert table["void_share"].tolist() == [0.0, 1.0]


def test_two_sheets_are_enough(tmp_path: Path) -> None:
    sheets = {name: sheet for name, sheet in SHEETS.items() if name != FIRMS}
    assert read_workbook(write(tmp_path / "a.xlsx", sheets)).firms is None


def test_a_missing_sheet_is_named_with_those_there_are(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xlsx", {"Sheet1": SHEETS[SALES], PURCHASES: SHEETS[PURCHASES]})
    with pytest.raises(InputError, match=f"lacks the sheet {SALES}; its sheets are Sheet1, {PURCHASES}"):
        read_workbook(path)


def test_faults_name_cells_by_their_sheet(tmp_path: Path) -> None:
    wrong = {
        **SHEETS,
        PURCHASES: SHEETS[PURCHASES].assign(金额=["x", 1, 2], 发票状态=["有效发票", "?", "作废发票"]),
        SALES: SHEETS[SALES].assign(
            购方单位代号=["B1", "", "B1"], 开票日期=["2018-01-03", "2018-01-03", "no"]
        ),
    }
    path = write(tmp_path / "a.xlsx", wrong)
    with pytest.raises(InputError) as caught:
        read_workbook(path)
    assert [fault.place for fault in caught.value.faults] == [
        f"{path}, '{PURCHASES}'!E2, amount",
        f"{path}, '{PURCHASES}'!H3, valid",
        f"{path}, '{SALES}'!C4, date",
        f"{path}, '{SALES}'!D3, counterparty_id",
    ]
    path = write(path, {**SHEETS, FIRMS: SHEETS[FIRMS].assign(信誉评级=["A", "E"], 是否违约=["也许", "否"])})
    with pytest.raises(InputError) as caught:
        read_workbook(path)
    assert [fault.place for fault in caught.value.faults] == [
        f"{path}, '{FIRMS}'!C3, rating",
        f"{path}, '{FIRMS}'!D2, default",
    ]


def test_not_a_workbook(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_text("no")
    with pytest.raises(InputError, match="not a whole Excel workbook"):
        read_workbook(tmp_path / "a.xlsx")
    with pytest.raises(InputError, match="the file does not exist"):
        read_workbook(tmp_path / "b.xlsx")


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"信誉评级": ["A", "E"]}, "row 2, rating: 'E' is no grade; the grades are A, B, C, D"),
        ({"是否违约": ["否", "maybe"]}, "row 2, default: 'maybe' says neither yes nor no"),
        ({"企业代号": ["E1", "E1"]}, "row 2, enterprise_id: 'E1' stands twice"),
    ],
)
def test_bad_firms(changed: dict[str, list[str]], text: str) -> None:
    with pytest.raises(InputError, match=text):
        read_firms(pd.DataFrame({**FIRM_ROWS, **changed}), "firms")


def test_firms_without_an_identifier() -> None:
    with pytest.raises(InputError, match="lacks the column enterprise_id"):
        read_firms(pd.DataFrame({"name": ["x"]}), "firms")
