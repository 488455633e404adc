"""Tables as people have them, and as nobody should: read right, or told where and what to do."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from allocator.errors import InputError
from allocator.portfolio import load_portfolio
from allocator.records.scenario import PortfolioSource
from allocator.tables import source_of
from tests.tables.workbooks import HEADER, ROWS, cell, one_sheet, row, rows, sheet, workbook

HEAD = ",".join(HEADER)
LINES = [",".join(map(str, values)) for values in ROWS]
PLAIN = "\n".join([HEAD, *LINES]) + "\n"
AMOUNTS = {"E1": 300000.0, "E2": 400000.0, "E3": 250000.0}

Told = tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A file and what is right: the amounts by borrower, or words that the fault has."""

    content: str | bytes | Callable[[Path], None]
    right: dict[str, float] | Told = field(default_factory=lambda: AMOUNTS)
    how: dict[str, Any] = field(default_factory=dict)


def joined(*lines: str) -> str:
    return "\n".join(lines) + "\n"


GROUPED = joined(HEAD, 'E1,A,0.01,0.5,"300,000"', 'E2,B,0.02,0.5,"400,000"', 'E3,A,0.03,0.5,"250,000"')
CSV: dict[str, Table] = {
    "plain": Table(PLAIN),
    "with a byte order mark": Table(b"\xef\xbb\xbf" + PLAIN.encode()),
    "with carriage returns": Table(PLAIN.replace("\n", "\r\n")),
    "of an old Macintosh": Table(PLAIN.replace("\n", "\r")),
    "gzipped": Table(gzip.compress(PLAIN.encode())),
    "gzipped in two pieces": Table(gzip.compress(PLAIN[:40].encode()) + gzip.compress(PLAIN[40:].encode())),
    "gzip cut short": Table(
        gzip.compress(PLAIN.encode())[:-6], ("a gzip archive cut short", "pack it again")
    ),
    "gzip damaged": Table(b"\x1f\x8b\x08\x00" + b"\xff" * 40, ("a damaged gzip archive",)),
    "sep line": Table("sep=;\n" + PLAIN.replace(",", ";"), how={"separator": ";"}),
    "sep line that differs": Table(
        "sep=;\n" + PLAIN.replace(",", ";"), ("line 1", 'the line says that ";"', 'write sep: ";"')
    ),
    "semicolons unsaid": Table(PLAIN.replace(",", ";"), ('write source: {csv: table.csv, sep: ";"}',)),
    "semicolons and decimal commas unsaid": Table(
        PLAIN.replace(",", ";").replace(".", ","), ("line 1", 'sep: ";", decimal: ","}')
    ),
    "semicolons and decimal commas said": Table(
        PLAIN.replace(",", ";").replace(".", ","), how={"separator": ";", "decimal": ","}
    ),
    "a quote that is not closed": Table(
        PLAIN.replace("E2", '"E2'), ("line 3", "a quote that is never closed", "close it, or delete it")
    ),
    "a web page": Table("\n<!DOCTYPE html><html><body>Log in</body></html>", ("a web page, not delimited",)),
    "tabs unsaid": Table(PLAIN.replace(",", "\t"), ('sep: "\\t"',)),
    "title above": Table("Loans of March\n" + PLAIN, ("line 1", "a title", "line 2", "skip: 1")),
    "title and blank line above": Table("Loans, as of March\n\n" + PLAIN, ("line 1", "a title", "skip: 2")),
    "title skipped": Table("Loans of March\n" + PLAIN, how={"skip": 1}),
    "title padded": Table("Loans,,,,\n" + PLAIN, ("line 1", "a title", "skip: 1")),
    "two titles skipped": Table("Loans\nMarch\n" + PLAIN, how={"skip": 2}),
    "skips more than there is": Table(PLAIN, ("no line after the 9 that are skipped",), {"skip": 9}),
    "total below": Table(PLAIN + "Total,,,,950000\n", ("row 4", "a total", '"Total"', "remove it")),
    "grand total in capitals": Table(PLAIN + "GRAND TOTAL:,,,,950000\n", ("row 4", "a total")),
    "total in Chinese": Table(PLAIN + "合计,,,,950000\n", ("row 4", "a total")),
    "total in German, with a blank line": Table(PLAIN + "\nSumme,,,,950000\n", ("row 5", "a total")),
    "total in the second cell": Table(PLAIN + ",Total,,,950000\n", ("row 4", "a total")),
    "subtotal in the middle": Table(
        joined(HEAD, LINES[0], "Subtotal,A,0,0,300000", *LINES[1:]), ("row 2", "a total", "Subtotal")
    ),
    "subtotal of a group in the middle": Table(
        joined(HEAD, LINES[0], "Subtotal grade A,,,,300000", *LINES[1:]), ("row 2", "a total", "grade A")
    ),
    "note below, with commas": Table(
        PLAIN + "\nSource: core banking, 30 November 2026\n", ("row 5", "a note below", "banking, 30")
    ),
    "notes below": Table(
        PLAIN + "\nTotal funded in policy code 1: 950000\nTotal funded in policy code 2: 0\n",
        ("row 5", "row 6", "a total"),
    ),
    "remark below": Table(PLAIN + "* provisional,,,,\n", ("row 4", "a note below the table")),
    "blank lines between": Table(
        joined(HEAD, LINES[0], "", LINES[1], "", "E3,A,x,0.5,250000"), ("row 5, pd", '"x" is not a number')
    ),
    "blanks in a number": Table(
        joined(HEAD, LINES[0], 'E2,A,"  ",0.5,1'),
        ("row 2, pd", '"  " holds blanks alone', "leave the cell empty"),
    ),
    "thousands": Table(GROUPED, ("row 1, max_amount", "a thousands separator", "write 300000")),
    "thousands said": Table(GROUPED, how={"thousands": ","}),
    "thousands twice": Table(
        joined(HEAD, 'E1,A,0.01,0.5,"1,300,000"'), ("has a thousands separator;", "write 1300000")
    ),
    "thousands with cents": Table(joined(HEAD, 'E1,A,0.01,0.5,"1,300.50"'), ("write 1300.50",)),
    "thousands beside decimals": Table(
        joined(HEAD, 'E1,A,0.01,0.5,"1,300"', 'E2,A,0.01,0.5,"1,5"'), ('"1,300" has a decimal comma',)
    ),
    "decimal comma below one": Table(joined(HEAD, 'E1,A,"0,125",0.5,1'), ('"0,125" has a decimal comma',)),
    "thousands in the wrong place": Table(
        joined(HEAD, 'E1,A,0.01,0.5,"30,00,000"'), ("is not a number",), {"thousands": ","}
    ),
    "points between thousands": Table(
        joined(HEAD, *LINES).replace(",", ";").replace(".", ",").replace("300000", "300.000"),
        ('"300.000" has a thousands separator', "write 300000", 'thousands: "."'),
        {"separator": ";", "decimal": ","},
    ),
    "points between thousands said": Table(
        joined(HEAD, *LINES).replace(",", ";").replace(".", ",").replace("300000", "300.000"),
        how={"separator": ";", "decimal": ",", "thousands": "."},
    ),
    "blanks between thousands": Table(PLAIN.replace("400000", "400 000"), ("write 400000",)),
    "unbroken blanks said": Table(PLAIN.replace("400000", "400\u202f000"), how={"thousands": " "}),
    "apostrophes said": Table(PLAIN.replace("400000", "400'000"), how={"thousands": "'"}),
    "gbk": Table(PLAIN.replace("A", "甲").encode("gbk"), ("line 2", "not UTF-8", "encoding: gbk")),
    "gbk said": Table(PLAIN.replace("A", "甲").encode("gbk"), how={"encoding": "gbk"}),
    "gbk that is none": Table(b"\xff\xff" + PLAIN.encode(), ("line 1", "not gbk"), {"encoding": "gbk"}),
    "latin-1": Table(PLAIN.replace("E3", "É3").encode("latin-1"), ("line 4", "not UTF-8", "latin-1")),
    "utf-16": Table(PLAIN.encode("utf-16"), ("UTF-16", "encoding: utf-16")),
    "utf-16 said": Table(PLAIN.encode("utf-16"), how={"encoding": "utf-16"}),
    "every row too long": Table(
        PLAIN.replace("000\n", "000,\n"), ("every row has 6 cells under a header of 5",)
    ),
    "nothing": Table("", ("an empty file",)),
    "blank lines alone": Table("\n\n\n", ("an empty file",)),
    "zeros": Table(b"\0" * 5_000_000, ("a binary file",)),
    "a workbook": Table(one_sheet(rows()), ("an Excel workbook", "name a workbook .xlsx")),
    "a line without end": Table("x" * 3_000_000, ("line 1: no header",)),
}

DATA = rows()
NA = '<c r="E3" t="e"><v>#N/A</v></c>'
FORMULA = '<c r="E3"><f>200000*2</f>{}</c>'


def with_cell(written: str) -> str:
    """The usual rows with another cell E3."""
    return DATA.replace(cell("E3", 400000), written)


UNCALCULATED = ("Loans!E3, max_amount", '"=200000*2" was never calculated', "save it, or write the value")
XLSX: dict[str, Table] = {
    "plain": Table(one_sheet(DATA)),
    "total below": Table(
        one_sheet(rows(row(5, ("Total", None, None, None, 950000)))), ("Loans!A5", "a total")
    ),
    "blank row and note below": Table(
        one_sheet(rows(row(6, ("Source: the bank",)))), ("Loans!A6", "a note below the table")
    ),
    "blank row between": Table(
        one_sheet(rows(row(6, ("E9", "A", "x", 0.5, 1)))), ("Loans!C6, pd", '"x" is not a number')
    ),
    "title above": Table(
        one_sheet(row(1, ("Loans of March",)) + rows(start=3)), ("row 1", "a title", "header: 3")
    ),
    "title above, header said": Table(one_sheet(row(1, ("Loans",)) + rows(start=3)), how={"header": 3}),
    "rows counted below a header": Table(
        one_sheet(row(1, ("Loans",)) + rows(row(7, ("E9", "A", "x", 0.5, 1)), start=3)),
        ("Loans!C7, pd",),
        {"header": 3},
    ),
    "header where nothing is": Table(one_sheet(DATA), ("row 9", "no header"), {"header": 9}),
    "hidden first sheet": Table(
        workbook({"old": sheet(row(1, ("x",))), "Loans": sheet(DATA)}, hidden=("old",))
    ),
    "borrowers on another sheet": Table(
        workbook({"notes": sheet(row(1, ("x",))), "Loans": sheet(DATA)}),
        ('in the sheet "notes"; there is also "Loans"', 'sheet: "Loans"}'),
    ),
    "sheet said": Table(
        workbook({"old": sheet(row(1, ("x",))), "Loans": sheet(DATA)}), how={"sheet": "Loans"}
    ),
    "hidden sheet said": Table(
        workbook({"Loans": sheet(DATA), "new": sheet("")}, hidden=("Loans",)), how={"sheet": "Loans"}
    ),
    "sheet misspelt": Table(one_sheet(DATA), ('no sheet "Lones"', '"Loans"'), {"sheet": "Lones"}),
    "only hidden sheets": Table(workbook({"Loans": sheet(DATA)}, hidden=("Loans",)), ("hidden are", "Loans")),
    "error": Table(one_sheet(with_cell(NA)), ("Loans!E3, max_amount", '"#N/A" is not a number')),
    "error, prefixed": Table(
        one_sheet(with_cell(NA), prefix="x:"), ("Loans!E3, max_amount", '"#N/A" is not a number')
    ),
    "error that is new": Table(
        one_sheet(with_cell("<c r='E3' t='e'><v>#SPILL!</v></c>")), ("Loans!E3, max_amount", "#SPILL!")
    ),
    "formula without value": Table(one_sheet(with_cell(FORMULA.format(""))), UNCALCULATED),
    "formula with an empty value": Table(one_sheet(with_cell(FORMULA.format("<v></v>"))), UNCALCULATED),
    "formula, closed value": Table(one_sheet(with_cell(FORMULA.format("<v/>"))), UNCALCULATED),
    "formula waiting with 0": Table(
        workbook(
            {"Loans": sheet(with_cell(FORMULA.format("<v>0</v>")))}, calc='<calcPr fullCalcOnLoad="1"/>'
        ),
        UNCALCULATED,
    ),
    "formula calculated": Table(one_sheet(with_cell(FORMULA.format("<v>400000</v>")))),
    "merged amounts": Table(
        one_sheet(with_cell(""), '<mergeCells count="1"><mergeCell ref="E2:E3"/></mergeCells>'),
        ("Loans!E3, max_amount", "merged with E2", "unmerge"),
    ),
    "merged title": Table(
        one_sheet(row(1, ("Loans",)) + rows(start=2), '<mergeCells><mergeCell ref="A1:E1"/></mergeCells>'),
        how={"header": 2},
    ),
    "number as text": Table(one_sheet(with_cell(cell("E3", "400000")))),
    "grouped text": Table(one_sheet(with_cell(cell("E3", "400,000"))), ("Loans!E3", "write 400000")),
    "date for an amount": Table(
        one_sheet(with_cell('<c r="E3" s="1"><v>45000</v></c>')), ("Loans!E3", "2023-03-15")
    ),
    "far cell": Table(
        one_sheet(rows('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')),
        ("XFD1048576", "far from the table", "delete"),
    ),
    "far cell without a value": Table(one_sheet(rows('<row r="1048576"><c r="XFD1048576" s="1"/></row>'))),
    "cell outside any sheet": Table(
        one_sheet(rows('<row r="9"><c r="ZZZ9"><v>1</v></c></row>')), ("ZZZ9", "where no sheet has one")
    ),
    "row outside any sheet": Table(
        one_sheet(rows('<row r="4294967295"><c r="A4294967295"><v>1</v></c></row>')), ("A4294967295",)
    ),
    "cells without places": Table(one_sheet(re.sub(' r="[A-Z]?[0-9]+"', "", DATA))),
    "entities": Table(
        workbook({"Loans": '<!DOCTYPE x [<!ENTITY a "aa">]>' + sheet(DATA)}), ("declares entities",)
    ),
    "entities in the list of sheets": Table(
        workbook(
            {"Loans": sheet(DATA)}, replaced={"xl/workbook.xml": '<!DOCTYPE x [<!ENTITY a "a">]><x>&a;</x>'}
        ),
        ("xl/workbook.xml declares entities",),
    ),
    "in utf-16": Table(workbook({"Loans": sheet(DATA).encode("utf-16")})),
    "comments and CDATA": Table(
        one_sheet(DATA.replace('<t xml:space="preserve">E1</t>', "<!-- c --><t><![CDATA[E1]]></t>"))
    ),
    "other capitals": Table(workbook({"Loans": sheet(DATA)}, rename={"xl/workbook.xml": "xl/Workbook.XML"})),
    "backslashes": Table(
        workbook({"Loans": sheet(DATA)}, rename={"xl/worksheets/sheet1.xml": "xl\\worksheets\\Sheet1.xml"})
    ),
    "part missing": Table(
        workbook({"Loans": sheet(DATA)}, rename={"xl/worksheets/sheet1.xml": None}), ("lacks its part",)
    ),
    "links missing": Table(
        workbook({"Loans": sheet(DATA)}, rename={"xl/_rels/workbook.xml.rels": None}), ("lacks its part",)
    ),
    "sheet broken off": Table(workbook({"Loans": sheet(DATA)[:-60]}), ("not a whole Excel workbook",)),
    "texts missing": Table(
        one_sheet(with_cell('<c r="E3" t="s"><v>7</v></c>')), ("not a whole Excel workbook",)
    ),
    "zeros zipped": Table(
        workbook({"Loans": sheet(DATA + " " * 80_000_000)}), ("unpacks to", "save the table as CSV")
    ),
    "with a password": Table(b"\xd0\xcf\x11\xe0" + b"\0" * 600, ("with a password",)),
    "text": Table(PLAIN, ("not a whole Excel workbook",)),
    "cut short": Table(one_sheet(DATA)[:-300], ("not a whole Excel workbook",)),
    "empty": Table(one_sheet(""), ("an empty first sheet",)),
}


def part(path: Path, table: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.table(table), path)


COLUMNS: dict[str, list[Any]] = {name: [values[at] for values in ROWS] for at, name in enumerate(HEADER)}


def picked(*places: int, without: tuple[str, ...] = (), **changed: list[Any]) -> dict[str, list[Any]]:
    own = {name: [cells[at] for at in places] for name, cells in COLUMNS.items() if name not in without}
    return own | changed


def hive(folder: Path) -> None:
    part(folder / "grade=A" / "1.parquet", picked(0, 2, without=("grade",)))
    part(folder / "grade=B" / "deep.PARQUET", picked(1, without=("grade",)))


def other_order(folder: Path) -> None:
    part(folder / "1.parquet", picked(0, 1))
    doubles = picked(2, max_amount=[250000.0], note=[1])
    part(folder / "2.parquet", dict(reversed(doubles.items())))


def lacking(folder: Path) -> None:
    part(folder / "1.parquet", picked(0, 1))
    part(folder / "2.parquet", picked(2, without=("pd",)))


def mixed(folder: Path) -> None:
    part(folder / "1.parquet", picked(0, 1))
    part(folder / "2.parquet", picked(2, pd=["x"]))


def stray(folder: Path) -> None:
    part(folder / "1.parquet", picked(0, 1))
    part(folder / "backup" / "1.parquet", picked(2))


def disagreeing(folder: Path) -> None:
    part(folder / "grade=A" / "1.parquet", picked(0, 1))


def broken_part(folder: Path) -> None:
    part(folder / "1.parquet", picked(0, 1))
    (folder / "2.parquet").write_bytes(b"PAR1" + b"\0" * 20)


def empty_part(folder: Path) -> None:
    part(folder / "1.parquet", picked(0, 1, 2))
    part(folder / "2.parquet", {name: pa.nulls(0) for name in HEADER})


def of_other_programs(folder: Path) -> None:
    part(folder / "1.parquet", picked(0, 1, 2))
    (folder / "_temporary").mkdir()
    (folder / "_temporary" / "x.parquet").write_bytes(b"half")
    (folder / "_SUCCESS").touch()
    (folder / ".1.parquet.crc").touch()


PARTS: dict[str, Table] = {
    "partitions by grade": Table(hive),
    "other order, doubles, a further column": Table(other_order),
    "a part lacks a column": Table(lacking, ("pd", "2.parquet lacks the column, which 1.parquet has")),
    "a part has texts": Table(mixed, ("pd", "string in 2.parquet", "double in 1.parquet")),
    "a folder that is no partition": Table(stray, ("backup holds Parquet files", "column=value")),
    "a partition that disagrees": Table(disagreeing, ("grade", "'B' in a folder named grade=A")),
    "a broken part": Table(broken_part, ("2.parquet: not a whole Parquet file",)),
    "a part without rows": Table(empty_part),
    "files of other programs": Table(of_other_programs),
    "no part": Table(lambda folder: folder.mkdir(), ("a folder without a .parquet file",)),
}


ALONE: dict[str, tuple[str, str | bytes, str]] = {
    "sep line that differs": ("csv", "sep=;\n" + PLAIN, 'save it with "," between columns'),
    "semicolons": ("csv", PLAIN.replace(",", ";"), 'save it with "," between columns'),
    "title above": ("csv", "Loans of March\n" + PLAIN, "delete the lines above"),
    "gbk": ("csv", PLAIN.replace("A", "甲").encode("gbk"), "save the file in UTF-8"),
    "utf-16": ("csv", PLAIN.encode("utf-16"), "save it in UTF-8"),
    "thousands": ("csv", GROUPED, "write 300000 (300.000 if they are decimals)"),
    "title in a sheet": (
        "xlsx", one_sheet(row(1, ("Loans",)) + rows(start=3)), "delete the rows above"
    ),
    "only hidden sheets": (
        "xlsx", workbook({"Loans": sheet(DATA)}, hidden=("Loans",)), "show the one that is meant"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ALONE)
def test_a_file_that_nothing_can_be_said_of_is_to_be_mended_itself(tmp_path: Path, name: str) -> None:
    """Commands that take a path alone have no entry to write `encoding:` or `sheet:` beside."""
    kind, content, remedy = ALONE[name]
    path = tmp_path / f"table.{kind}"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as caught:
        load_portfolio(source_of(path))
    assert caught.value.faults[0].remedy == remedy
    with pytest.raises(InputError) as caught:
        load_portfolio(source_of(path.with_name("absent.csv")))
    assert caught.value.faults[0].remedy == "mend its path"


def check(source: PortfolioSource, right: dict[str, float] | Told) -> None:
    if isinstance(right, dict):
        book = load_portfolio(source)
        assert dict(zip(book.borrower_id.tolist(), book.max_amount.tolist(), strict=True)) == right
        return
    with pytest.raises(InputError) as caught:
        load_portfolio(source)
    for words in right:
        assert words in str(caught.value)


def write(table: Table, path: Path) -> None:
    if callable(table.content):
        table.content(path)
    else:
        path.write_bytes(table.content.encode() if isinstance(table.content, str) else table.content)


@pytest.mark.parametrize("name", CSV)
def test_delimited_text(name: str, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write(CSV[name], path)
    check(PortfolioSource("csv", path, **CSV[name].how), CSV[name].right)


@pytest.mark.parametrize("name", XLSX)
def test_workbooks(name: str, tmp_path: Path) -> None:
    path = tmp_path / "table.xlsx"
    write(XLSX[name], path)
    check(PortfolioSource("xlsx", path, **XLSX[name].how), XLSX[name].right)


@pytest.mark.parametrize("name", PARTS)
def test_parts_of_parquet(name: str, tmp_path: Path) -> None:
    path = tmp_path / "table"
    write(PARTS[name], path)
    check(PortfolioSource("parquet", path), PARTS[name].right)


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet"])
def test_what_has_no_end_is_no_table(kind: Any, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path, words in ((pipe, "a pipe, not a file"), (Path("/dev/zero"), "a device, not a file")):
        check(PortfolioSource(kind, path), (words, "save the table to a file"))


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet"])
def test_a_file_with_holes_is_not_held_in_memory(kind: Any, tmp_path: Path) -> None:
    path = tmp_path / "table"
    path.write_text(PLAIN)
    os.truncate(path, 3 << 30)
    check(PortfolioSource(kind, path), ("a file with holes",))


def test_text_that_unpacks_without_measure(tmp_path: Path) -> None:
    path = tmp_path / "table.csv.gz"
    pack = zlib.compressobj(wbits=31)
    line = LINES[0].encode() + b"\n"
    path.write_bytes(pack.compress(PLAIN.encode()) + pack.compress(line * 4_000_000) + pack.flush())
    check(PortfolioSource("csv", path), ("unpacks to more than 64 MB",))


READ = """
import json, re, resource, sys, time
from pathlib import Path
from allocator.errors import InputError
from allocator.portfolio import load_portfolio
from allocator.tables import source_of
def most_held():
    "Megabytes, of this program alone where the system tells: a child's resource use begins at its parent's."
    status = Path("/proc/self/status")
    own = re.search(r"VmHWM:\\s*(\\d+)", status.read_text()) if status.is_file() else None
    return (int(own[1]) if own else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 1024
for path in sys.argv[1:]:
    before = time.process_time()
    try:
        load_portfolio(source_of(Path(path)))
        said = ""
    except InputError as error:
        said = str(error)
    seconds = time.process_time() - before
    print(json.dumps([said, seconds, most_held()]))
"""


def test_hostile_tables_take_little_memory_and_time(tmp_path: Path) -> None:
    """Each in less than 1 GB and 20 s of processor time, and without an abort."""
    hostile = {
        "far.xlsx": XLSX["far cell"].content,
        "zeros.xlsx": XLSX["zeros zipped"].content,
        "row.xlsx": XLSX["row outside any sheet"].content,
        "far-down.xlsx": one_sheet(rows(row(1_000_000, (*(None,) * 25, 1)))),
        "zeros.csv": b"\0" * 50_000_000,
        "line.csv": b"x" * 50_000_000,
        "quote.csv": (HEAD + '\n"' + LINES[0] * 500_000).encode(),
        "rows.parquet": b"PAR1" + os.urandom(4_000) + b"\xff\xff\xff\x7fPAR1",
    }
    for name, data in hostile.items():
        assert not callable(data)
        (tmp_path / name).write_bytes(data.encode() if isinstance(data, str) else data)
    done = subprocess.run(
        [sys.executable, "-c", READ, *(str(tmp_path / name) for name in hostile)],
        capture_output=True,
        text=True,
        check=True,
    )
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(told) == len(hostile)
    for said, seconds, megabytes in told:
        assert said
        assert seconds < 20
        assert megabytes < 1024
