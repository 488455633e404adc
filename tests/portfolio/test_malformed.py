"""Every way in which a portfolio can be wrong, with the exact words that say so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from allocator.errors import InputError
from allocator.portfolio import load_portfolio
from allocator.records.scenario import PortfolioSource
from tests.portfolio.sources import as_csv, as_parquet, as_sql, as_xlsx, csv_text
from tests.strategies import random_cases

HEAD = "borrower_id,grade,pd,lgd"
GOOD: dict[str, list[Any]] = {
    "borrower_id": ["E1", "E2"],
    "grade": ["A", "B"],
    "pd": [0.1, 0.2],
    "lgd": [0.5, 0.5],
}
FRACTION = "write a fraction from 0 to 1, 5% as 0.05"
UNEVEN = 'put cells that hold "," in quotes, or separate columns by another sign'
FLAG = "write true or false, or leave the cell empty"
PLAIN = "write a plain number, as 0.05 or 100000"


def told(source: PortfolioSource, *texts: str, numbers: frozenset[str] = frozenset()) -> list[str]:
    """The lines of the error, the folder's name taken out."""
    with pytest.raises(InputError) as caught:
        load_portfolio(source, frozenset(texts), numbers)
    folder = f"{source.path.parent}/" if source.path else "\0"
    return [line.strip().replace(folder, "") for line in str(caught.value).splitlines()]


# Header and rows -> what is said of them, after "borrowers.csv, ".
SLIPS: dict[str, tuple[str, list[str]]] = {
    "a column missing, another near": (
        "borrower_id,grde,pd,lgd\nE1,A,.1,.5",
        [
            "grade: no column grade; the nearest is grde;"
            " rename it or write columns: {grade: grde} or give defaults.grade"
        ],
    ),
    "a column missing, none near": (
        "borrower_id,grade,lgd\nE1,A,.5",
        [
            "pd: no column pd; there are borrower_id, grade, lgd; write columns: {pd: its name in the source}"
            " or give defaults.pd or pd_by_grade"
        ],
    ),
    "capitals": (
        "Borrower_ID,grade,pd,lgd\nE1,A,.1,.5",
        [
            "borrower_id: no column borrower_id; the nearest is Borrower_ID;"
            " rename it or write columns: {borrower_id: Borrower_ID}"
        ],
    ),
    "a blank before a name": (
        "borrower_id, grade,pd,lgd\nE1,A,.1,.5",
        [
            'grade: no column grade; the nearest is " grade";'
            ' rename it or write columns: {grade: " grade"} or give defaults.grade'
        ],
    ),
    "an optional column in capitals": (
        f"{HEAD},Max_Amount,fixed rate,Exposed\nE1,A,.1,.5,500,.1,1",
        [
            "max_amount: no column max_amount; the nearest is Max_Amount;"
            " rename it or write columns: {max_amount: Max_Amount} or give defaults.max_amount",
            "fixed_rate: no column fixed_rate; the nearest is fixed rate;"
            " rename it or write columns: {fixed_rate: fixed rate} or give defaults.fixed_rate",
        ],
    ),
    "an identifier twice": (
        f"{HEAD}\nE2,A,.1,.5\nE1,A,.1,.5\nE2,B,.1,.5",
        ['row 3, borrower_id: "E2" is the identifier of row 1 too; keep one row per borrower'],
    ),
    "an empty identifier": (
        f"{HEAD}\n,A,.1,.5",
        ["row 1, borrower_id: an empty cell; give every borrower an identifier"],
    ),
    "an empty grade": (f'{HEAD}\nE1,"",.1,.5', ["row 1, grade: an empty cell; give every borrower a grade"]),
    "an empty number": (f"{HEAD}\nE1,A,,.5", ["row 1, pd: an empty cell; give every borrower a value"]),
    "text for a number": (f"{HEAD}\nE1,A,low,.5", [f'row 1, pd: "low" is not a number; {PLAIN}']),
    "blanks for a number": (
        f"{HEAD}\nE1,A,  ,.5",
        ['row 1, pd: "  " holds blanks alone; leave the cell empty, or write a number'],
    ),
    "thousands": (
        f'{HEAD},exposure\nE1,A,.1,.5,"1,000,000"',
        [
            'row 1, exposure: "1,000,000" has a thousands separator;'
            ' write 1000000, or thousands: "," beside csv'
        ],
    ),
    "a long text": (
        f"{HEAD}\nE1,A,{'x' * 50},.5",
        [f'row 1, pd: "{"x" * 39}…" is not a number; {PLAIN}'],
    ),
    "a percent sign": (
        f"{HEAD}\nE1,A,5%,.5",
        ['row 1, pd: "5%" has a percent sign; write a fraction, 5% as 0.05'],
    ),
    "a decimal comma": (
        f'{HEAD}\nE1,A,"0,5",.5',
        ['row 1, pd: "0,5" has a decimal comma; write a point for it, and no sign between thousands'],
    ),
    "not a number": (
        f"{HEAD}\nE1,A,NaN,.5",
        ["row 1, pd: NaN is not a finite number; write a finite number"],
    ),
    "infinite": (f"{HEAD}\nE1,A,.1,-inf", ["row 1, lgd: -inf is not a finite number; write a finite number"]),
    "infinite among text": (
        f"{HEAD}\nE1,A,.1,Infinity\nE2,A,.1,x",
        [
            "row 1, lgd: Infinity is not a finite number; write a finite number",
            f'row 2, lgd: "x" is not a number; {PLAIN}',
        ],
    ),
    "a percentage as pd": (f"{HEAD}\nE1,A,2.6,.5", [f"row 1, pd: 2.6 is above 1; {FRACTION}"]),
    "a negative pd": (f"{HEAD}\nE1,A,-0.1,.5", [f"row 1, pd: -0.1 is below 0; {FRACTION}"]),
    "lgd above 1": (f"{HEAD}\nE1,A,.1,45", [f"row 1, lgd: 45 is above 1; {FRACTION}"]),
    "negative amounts": (
        f"{HEAD},min_amount,max_amount,exposure,relationship_value\nE1,A,.1,.5,-4,-3,-2,-1",
        [
            f"row 1, {name}: {value} is below 0; write a number of at least 0"
            for name, value in zip(
                ("min_amount", "max_amount", "relationship_value", "exposure"), (-4, -3, -1, -2), strict=True
            )
        ],
    ),
    "absurd amounts and terms": (
        f"{HEAD},max_amount,exposure,term_years\nE1,A,.1,.5,1e300,2e14,1200\nE2,A,.1,.5,,,1",
        [
            "row 1, term_years: 1200 is above 100; write a number of at most 100",
            "row 1, max_amount: 1e+300 is above 1e+13; write a number of at most 1e+13",
            "row 1, exposure: 2e+14 is above 1e+13; write a number of at most 1e+13",
        ],
    ),
    "min above max": (
        f"{HEAD},min_amount,max_amount\nE1,A,.1,.5,300000,200000",
        ["row 1, min_amount: 300000 is above the request of 200000; lower min_amount or raise max_amount"],
    ),
    "a negative request": (  # one fault for one cause
        f"{HEAD},max_amount\nE1,A,.1,.5,-500",
        ["row 1, max_amount: -500 is below 0; write a number of at least 0"],
    ),
    "no term": (
        f"{HEAD},term_years\nE1,A,.1,.5,0\nE2,A,.1,.5,-1\nE3,A,.1,.5,",
        [
            "row 1, term_years: 0 is not above 0; write a number above 0",
            "row 2, term_years: -1 is not above 0; write a number above 0",
            "row 3, term_years: an empty cell; give every borrower a value",
        ],
    ),
    "exclude neither true nor false": (
        f"{HEAD},exclude\nE1,A,.1,.5,yes\nE2,A,.1,.5,1\nE3,A,.1,.5,TRUE",
        [
            f'row 1, exclude: "yes" is neither true nor false; {FLAG}',
            f'row 2, exclude: "1" is neither true nor false; {FLAG}',
        ],
    ),
    "half a pinned offer": (
        f"{HEAD},fixed_amount,fixed_rate\nE1,A,.1,.5,100000,\nE2,A,.1,.5,,0.05\nE3,A,.1,.5,0,0.05",
        [
            "row 1, fixed_amount: no fixed_rate beside it; pin both amount and rate, or neither",
            "row 2, fixed_rate: no fixed_amount beside it; pin both amount and rate, or neither",
            "row 3, fixed_amount: 0 is not above 0; write a number above 0",
        ],
    ),
    "a pinned amount in a file without rates": (
        f"{HEAD},fixed_amount\nE1,A,.1,.5,100000",
        ["row 1, fixed_amount: no fixed_rate beside it; pin both amount and rate, or neither"],
    ),
    "rates in percent": (
        f"{HEAD},min_rate,fixed_amount,fixed_rate\nE1,A,.1,.5,4,1000,6",
        [f"row 1, min_rate: 4 is above 1; {FRACTION}", f"row 1, fixed_rate: 6 is above 1; {FRACTION}"],
    ),
    "a rate below what a rate may be": (
        f"{HEAD},rate\nE1,A,.1,.5,-1.5",
        ["row 1, rate: -1.5 is below -1; write a fraction from -1 to 1, 5% as 0.05"],
    ),
    "rates that leave nothing between them": (
        f"{HEAD},min_rate,max_rate,rate\nE1,A,.1,.5,.05,.04,\nE2,A,.1,.5,.05,,.04\nE3,A,.1,.5,,.05,.06",
        [
            "row 1, min_rate: 0.05 is above max_rate, 0.04; lower min_rate or raise max_rate",
            "row 2, min_rate: 0.05 is above rate, 0.04; lower min_rate or raise rate",
            "row 3, rate: 0.06 is above max_rate, 0.05; lower rate or raise max_rate",
        ],
    ),
    "a name heading two columns": (
        f"{HEAD},pd,sector,sector\nE1,A,.1,.5,.2,a,b",
        [
            "pd: 2 columns have this name; rename or drop all but one",
            "sector: 2 columns have this name; rename or drop all but one",
        ],
    ),
    "the header again": (
        f"{HEAD}\nE1,A,.1,.5\n{HEAD}\nE2,A,x,.5",
        ["row 2, borrower_id: the header again; remove this row", f'row 3, pd: "x" is not a number; {PLAIN}'],
    ),
    "no rows": (HEAD, ["no rows under the header; give one row per borrower"]),
    "an empty file": ("", ["an empty file; give a header and one row per borrower"]),
    "another delimiter": (
        "borrower_id;grade;pd;lgd\nE1;A;0,1;0,5",
        [
            'line 1: one column found: "," does not separate the header, ";" may;'
            ' write source: {csv: borrowers.csv, sep: ";", decimal: ","}'
        ],
    ),
    "tabs": (
        "borrower_id\tgrade\nE1\tA",
        [
            'line 1: one column found: "," does not separate the header, "\\t" may;'
            ' write source: {csv: borrowers.csv, sep: "\\t"}'
        ],
    ),
    "rows of other lengths": (
        f"{HEAD}\nE1,A,.1,.5\n\nE2,A,0,1,0,5\nE3,A,.1\nE4,A,x,.5",
        [
            f"row 3: 6 cells under a header of 4; {UNEVEN}",
            f"row 4: 3 cells under a header of 4; {UNEVEN}",
            f'row 5, pd: "x" is not a number; {PLAIN}',
        ],
    ),
    "no row of the right length": (
        f"{HEAD}\nE1,A,.1\n",
        [f"row 1: 3 cells under a header of 4; {UNEVEN}"],
    ),
    "a quote left open": (
        f'{HEAD}\nE1,A,.1,".5\nE2,A,.1,.5\n',
        [f'row 1, lgd: ".5\\nE2,A,.1,.5" is not a number; {PLAIN}'],
    ),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_slip(slip: str, tmp_path: Path) -> None:
    text, faults = SLIPS[slip]
    count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    expected = [f"borrowers.csv{', ' if place(fault) else ': '}{fault}" for fault in faults]
    assert told(csv_text(text, tmp_path)) == [f"borrowers.csv: {count}", *expected]


def place(fault: str) -> bool:
    """Whether the words begin with a row, a line or a column."""
    return " " not in fault.split(":")[0] or fault.startswith(("row ", "line "))


def test_first_twenty_of_many_in_the_order_of_rows(tmp_path: Path) -> None:
    rows = "".join(f"E{i},A,{'x' if i % 2 else '7'}{i},.5\n" for i in range(1, 1001))
    lines = told(csv_text(f"{HEAD}\n{rows}", tmp_path))
    assert lines[0] == "borrowers.csv: 1000 faults, 980 of them not listed here"
    assert [int(line.split("row ")[1].split(",")[0]) for line in lines[1:]] == list(range(1, 21))


@given(st.lists(st.sampled_from(("0.1", "x", "7", "")), min_size=1, max_size=60))
@random_cases(few=20, full=200)
def test_a_fault_once_a_cause_with_the_number_and_the_first_of_its_rows(
    tmp_path_factory: pytest.TempPathFactory, cells: list[str]
) -> None:
    rows = "".join(f"E{i},A,{cell},.5\n" for i, cell in enumerate(cells, 1))
    causes = sorted({cell for cell in cells if cell != "0.1"}, key=cells.index)
    if not causes:
        return
    lines = told(csv_text(f"{HEAD}\n{rows}", tmp_path_factory.mktemp("causes")))
    assert lines[0] == f"borrowers.csv: {len(causes)} fault{'s' if len(causes) > 1 else ''}"
    for line, cause in zip(lines[1:], causes, strict=True):
        with_it = [row for row, cell in enumerate(cells, 1) if cell == cause]
        assert f"row {with_it[0]}, pd: " in line
        counted = f", in {len(with_it):,} rows: {', '.join(map(str, with_it[:5]))}"
        assert (counted in line) == (len(with_it) > 1)


def test_faults_of_columns_come_before_those_of_rows(tmp_path: Path) -> None:
    lines = told(csv_text("borrower_id,grade,pd\nE1,A,x\n", tmp_path), "sector")
    assert [line.split(":")[0] for line in lines[1:]] == [
        "borrowers.csv, lgd",
        "borrowers.csv, sector",
        "borrowers.csv, row 1, pd",
    ]


def test_messages_use_the_names_of_the_source(tmp_path: Path) -> None:
    columns = {"borrower_id": "id", "grade": "ratng", "pd": "pd_mean"}
    assert told(csv_text("id,rating,pd_mean,lgd\nE1,A,2,.5\n", tmp_path, columns=columns)) == [
        "borrowers.csv: 2 faults",
        "borrowers.csv, grade: no column ratng; the nearest is rating;"
        " rename it or write columns: {grade: rating}",
        f"borrowers.csv, row 1, pd_mean: 2 is above 1; {FRACTION}",
    ]


def test_names_that_would_be_passed_over(tmp_path: Path) -> None:
    slips: dict[str, Any] = {"columns": {"max_amout": "x"}, "defaults": {"term_year": 2}}
    assert told(csv_text(f"{HEAD},x\nE1,A,.1,.5,1\n", tmp_path, **slips)) == [
        "borrowers.csv: 2 faults",
        "portfolio.columns.max_amout: no column has this name; the nearest is max_amount; write max_amount",
        "portfolio.defaults.term_year: no column has this name; the nearest is term_years; write term_years",
    ]


def test_defaults_out_of_range(tmp_path: Path) -> None:
    defaults = {"lgd": 45.0, "exposure": -1, "min_rate": "4%", "exclude": "no", "term_years": 0}
    source = csv_text("borrower_id,grade\nE1,A\n", tmp_path, defaults=defaults, pd_by_grade={"A": 2.6})
    assert told(source) == [
        "borrowers.csv: 6 faults",
        f"portfolio.pd_by_grade.A: 2.6 is out of range; {FRACTION}",
        f"portfolio.defaults.lgd: 45 is out of range; {FRACTION}",
        "portfolio.defaults.term_years: 0 is out of range; write a number above 0",
        "portfolio.defaults.exposure: -1 is out of range; write a number of at least 0",
        f'portfolio.defaults.min_rate: "4%" is not a number; {FRACTION}',
        'portfolio.defaults.exclude: "no" is neither true nor false; write true or false',
    ]


def test_a_grade_without_pd(tmp_path: Path) -> None:
    text = "borrower_id,grade,lgd\nE1,A,.5\nE2,D,.5\nE3,D,.5\nE4,E,.5\n"
    assert told(csv_text(text, tmp_path, pd_by_grade={"A": 0.01})) == [
        "borrowers.csv: 2 faults",
        "borrowers.csv, pd_by_grade: no probability of default for grade D, which 2 borrowers have,"
        " first row 2; write pd_by_grade: {D: its probability of default}",
        "borrowers.csv, pd_by_grade: no probability of default for grade E, which 1 borrower has,"
        " first row 4; write pd_by_grade: {E: its probability of default}",
    ]


def test_further_numbers(tmp_path: Path) -> None:
    lines = told(csv_text(f"{HEAD},turnover\nE1,A,.1,.5,many\n", tmp_path), numbers=frozenset({"turnover"}))
    assert lines[1:] == [f'borrowers.csv, row 1, turnover: "many" is not a number; {PLAIN}']


def test_points_beside_decimal_commas(tmp_path: Path) -> None:
    text = "borrower_id;grade;pd;lgd\nE1;A;0.5;0,5\nE2;A;1.000,5;0,5\n"
    assert told(csv_text(text, tmp_path, separator=";", decimal=","))[1:] == [
        f'borrowers.csv, row 1, pd: "0.5" is not a number; {PLAIN}',
        'borrowers.csv, row 2, pd: "1.000,5" has a thousands separator;'
        ' write 1000.5, or thousands: "." beside csv',
    ]


def test_decimal_commas_in_a_file_with_semicolons(tmp_path: Path) -> None:
    text = "borrower_id;grade;pd;lgd\nE1;A;0,5;1\n"
    assert told(csv_text(text, tmp_path, separator=";"))[1:] == [
        'borrowers.csv, row 1, pd: "0,5" has a decimal comma;'
        ' write source: {csv: borrowers.csv, sep: ";", decimal: ","}'
    ]


ENCODING = "save the file in UTF-8, or name its encoding, as encoding: latin-1 beside csv"
GOOD_TEXT = f"{HEAD},name\nE1,A,.1,.5,Zoë\n"
CONTENTS: dict[str, tuple[bytes, str]] = {
    "latin-1": (GOOD_TEXT.encode("latin-1"), f", line 2: not UTF-8; {ENCODING}"),
    "cut short": (GOOD_TEXT.encode()[:-2], ", line 2: cut short inside a character; save the file in UTF-8"),
    "utf-16": (
        GOOD_TEXT.encode("utf-16"),
        ": this is text in UTF-16, not in UTF-8; save it in UTF-8, or write encoding: utf-16 beside csv",
    ),
    "utf-16 unmarked": (
        GOOD_TEXT.encode("utf-16-le"),
        ": a binary file, not delimited text; name a CSV file in UTF-8",
    ),
    "gzip": (
        b"\x1f\x8b\x08abc",
        ": a damaged gzip archive; pack it again",
    ),
    "parquet": (b"PAR1abc", ": this is a Parquet file, not delimited text; name it .parquet"),
    "workbook": (
        b"PK\x03\x04abc",
        ": this is an Excel workbook or a zip archive, not delimited text;"
        " name a workbook .xlsx, unpack an archive",
    ),
    "endless header": (
        b"x" * 200_000,
        ", line 1: no header: field larger than field limit (131072); give one name a column",
    ),
}


@pytest.mark.parametrize("content", CONTENTS)
def test_not_delimited_text(content: str, tmp_path: Path) -> None:
    data, words = CONTENTS[content]
    path = tmp_path / "borrowers.csv"
    path.write_bytes(data)
    assert told(PortfolioSource("csv", path)) == ["borrowers.csv: 1 fault", f"borrowers.csv{words}"]


def test_wrong_bytes_far_down_are_found_by_line(tmp_path: Path) -> None:
    path = tmp_path / "borrowers.csv"
    path.write_bytes(f"{HEAD}\n".encode() + b"E1,A,.1,.5\n" * 200_000 + b"E\xff,A,.1,.5\n")
    assert told(PortfolioSource("csv", path))[1:] == [f"borrowers.csv, line 200002: not UTF-8; {ENCODING}"]


def test_a_quote_left_open_in_a_long_file(tmp_path: Path) -> None:
    lines = told(csv_text(f'{HEAD}\nE1,"A,.1,.5\n' + "E1,A,.1,.5\n" * 300_000, tmp_path))
    assert lines[1].startswith("borrowers.csv: cannot be split into rows: straddling object")
    assert lines[1].endswith("; look for a quote that is not closed")


@pytest.mark.parametrize("kind", ["csv", "parquet", "xlsx"])
def test_no_file(kind: Any, tmp_path: Path) -> None:
    missing = PortfolioSource(kind, tmp_path / "none")
    remedy = "mend portfolio.source; paths are relative to the scenario file"
    assert told(missing)[1:] == [f"none: no such file; {remedy}"]
    (tmp_path / "none").mkdir()
    folder = "not a file; name one file, not a folder"
    if kind == "parquet":
        folder = "a folder without a .parquet file; name a folder of parts, or one file"
    assert told(missing)[1:] == [f"none: {folder}"]


def test_parts_of_parquet_that_differ_or_are_damaged(tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    source = PortfolioSource("parquet", folder)
    for name, columns in (("1", {"borrower_id": ["a"]}), ("2", {"borrower_id": [1]})):
        parquet.write_table(pa.table(columns), folder / f"{name}.parquet")
    parquet.write_table(pa.table(GOOD), folder / "1.parquet")
    parquet.write_table(pa.table({**GOOD, "borrower_id": [1, 2]}), folder / "2.parquet")
    problem = "holds int64 in 2.parquet, string in 1.parquet; write it with one type in every part"
    assert told(source)[1:] == [f"parts, borrower_id: {problem}"]
    (folder / "2.parquet").write_bytes(b"PAR1")
    assert "2.parquet: not a whole Parquet file" in told(source)[1]


def test_damaged_parquet(tmp_path: Path) -> None:
    source = as_parquet(GOOD, tmp_path)
    assert source.path is not None
    whole = source.path.read_bytes()
    source.path.write_bytes(whole[: len(whole) // 2])
    assert told(source)[1].startswith("borrowers.parquet: not a whole Parquet file: ")
    source.path.write_bytes(whole[:8] + b"\xff" * 200 + whole[208:])
    assert told(source)[1].startswith("borrowers.parquet: not a whole Parquet file: ")


def test_parquet_columns_of_the_wrong_type(tmp_path: Path) -> None:
    columns = {**GOOD, "pd": [True, False], "exclude": [0.5, 1.0], "sector": [[1], [2]], "lgd": [b"x", b"y"]}
    source = as_parquet(columns, tmp_path)
    assert told(source, "sector") == [
        "borrowers.parquet: 4 faults",
        "borrowers.parquet, exclude: holds double, not true and false; store it as true and false",
        "borrowers.parquet, pd: holds bool, not numbers; store it as numbers",
        "borrowers.parquet, lgd: holds binary, not numbers; store it as numbers",
        "borrowers.parquet, sector: holds list<element: int64>, not text; store it as text",
    ]


def test_parquet_nan_is_no_empty_cell(tmp_path: Path) -> None:
    path = tmp_path / "borrowers.parquet"
    amounts = pa.array([float("nan"), None], from_pandas=False)
    parquet.write_table(pa.table({**GOOD, "max_amount": amounts}), path)
    assert told(PortfolioSource("parquet", path))[1:] == [
        "borrowers.parquet, row 1, max_amount: nan is not a finite number; write a finite number"
    ]


def test_damaged_workbook(tmp_path: Path) -> None:
    source = as_xlsx(GOOD, tmp_path)
    assert source.path is not None
    whole = source.path.read_bytes()
    for part in (whole[: len(whole) // 2], b"borrower_id,grade\n"):
        source.path.write_bytes(part)
        line = told(source)[1]
        assert line.startswith("borrowers.xlsx: not a whole Excel workbook: ")
        assert line.endswith("; save it again as .xlsx, without a password")


def test_cells_of_a_workbook(tmp_path: Path) -> None:
    path = tmp_path / "borrowers.xlsx"
    with xlsxwriter.Workbook(path) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_row(2, 1, ["borrower_id", "grade", "pd", "lgd", "max_amount", "sector"])
        sheet.write_row(3, 1, ["E1", "A", "5%", 0.5])
        sheet.write_formula(3, 5, "=NA()", None, "#N/A")
        sheet.write_formula(3, 6, "=1/0", None, "#DIV/0!")
        sheet.write_row(4, 1, ["E2", "A", 0.1, "0,5"])
    assert told(PortfolioSource("xlsx", path), "sector")[1:] == [
        'borrowers.xlsx, Sheet1!D4, pd: "5%" has a percent sign; write a fraction, 5% as 0.05',
        f'borrowers.xlsx, Sheet1!F4, max_amount: "#N/A" is not a number; {PLAIN}',
        'borrowers.xlsx, Sheet1!E5, lgd: "0,5" has a decimal comma; store it as a number',
    ]


def test_an_empty_sheet(tmp_path: Path) -> None:
    assert told(as_xlsx({}, tmp_path))[1:] == [
        "borrowers.xlsx: an empty first sheet; give a header and one row per borrower"
    ]


QUERIES = {
    "unknown table": (
        "SELECT * FROM loans",
        "sqlite refused: no such table: loans; mend the address or the query",
    ),
    "not SQL": (
        "borrowers",
        "the query begins with BORROWERS, not with SELECT or WITH: nothing else is run; write one SELECT",
    ),
    "half SQL": ("SELECT FROM", 'sqlite refused: near "FROM": syntax error; mend the address or the query'),
    "a parameter": (
        "SELECT :grade",
        "sqlite refused: Incorrect number of bindings supplied. The current statement uses 1, and there are "
        "0 supplied; mend the address or the query",
    ),
}


@pytest.mark.parametrize("query", QUERIES)
def test_queries_that_fail(query: str, tmp_path: Path) -> None:
    text, words = QUERIES[query]
    url = as_sql(GOOD, tmp_path).url
    assert told(PortfolioSource("sql", url=url, query=text)) == ["SQL query: 1 fault", f"SQL query: {words}"]


def test_a_source_that_names_nothing() -> None:
    assert told(PortfolioSource("csv"))[1:] == [
        "SQL query: a csv source without a file; name the file under portfolio.source"
    ]
    assert told(PortfolioSource("sql", url="sqlite://"))[1:] == [
        "SQL query: an address and a query are needed; write source: {sql: address, query: text}"
    ]


ADDRESSES = {
    "unknown dialect": (
        "oraclex://treasurer:hush-7@host/db",
        "no driver for oraclex; name a database that SQLAlchemy knows, as postgresql",
    ),
    "driver not installed": (
        "mssql+pymssql://treasurer:hush-7@host/db",
        "the driver for mssql+pymssql is not installed: no module pymssql; install pymssql",
    ),
    "no address": (
        "treasurer:hush-7",
        "not a database address; write sql: dialect://user:password@host/database",
    ),
    "no database": ("sqlite:///none.db", "no SQLite database none.db; mend the address under sql"),
    "an option that the driver repeats": (
        "sqlite://?timeout=hush-7",
        "sqlite refused: could not convert string to float: '***'; mend the address or the query",
    ),
}


@pytest.mark.parametrize("address", ADDRESSES)
def test_addresses_that_fail_and_keep_their_password(address: str) -> None:
    url, words = ADDRESSES[address]
    lines = told(PortfolioSource("sql", url=url, query="SELECT 1"))
    assert lines == ["SQL query: 1 fault", f"SQL query: {words}"]
    assert "hush" not in "".join(lines)


def test_sql_rows_and_columns(tmp_path: Path) -> None:
    source = as_sql({**GOOD, "pd": ["x", None], "exclude": [1, 2]}, tmp_path)
    assert told(source)[1:] == [
        f'SQL query, row 1, pd: "x" is not a number; {PLAIN}',
        f'SQL query, row 2, exclude: "2" is neither true nor false; {FLAG}',
        "SQL query, row 2, pd: an empty cell; give every borrower a value",
    ]


def test_good_portfolios_are_good(tmp_path: Path) -> None:
    """The rows that the slips are made from are right but for the slip."""
    for make in (as_csv, as_parquet, as_xlsx, as_sql):
        assert load_portfolio(make(GOOD, tmp_path)).borrower_id.tolist() == ["E1", "E2"]
