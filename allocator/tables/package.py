"""The package that a workbook is: its parts by name, never more of them unpacked than a table can fill.

Whatever reads a part after this has only seen parts that are plain XML in UTF-8, without entities.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import pyarrow as pa

from allocator.errors import InputError
from allocator.records.scenario import PortfolioSource
from allocator.tables.opened import refuse

SMALL, FOLD = 64 << 20, 150
"""A part that unpacks to more than `SMALL` bytes and `FOLD` times the workbook's size holds no table."""
LARGEST = 768 << 20
"""Bytes of a part that are still unpacked."""
_MOST_PARTS = 20_000
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    ElementTree.ParseError,
)
"""What reading an archive or XML raises where it is not whole."""
_OTHERS = {"xl/workbook.bin": "a binary workbook (.xlsb)", "content.xml": "an OpenDocument sheet"}
OFFICE = re.compile(r"relationships/officeDocument$")
DECLARED = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["'][^>]*\?>""")


@dataclass(frozen=True)
class Tab:
    """A sheet as the workbook lists it."""

    name: str
    part: str
    hidden: bool


@dataclass(frozen=True)
class Workbook:
    """What a workbook says of its sheets."""

    tabs: tuple[Tab, ...]
    shared: str | None
    """The part of texts that cells point to."""
    styles: str | None
    from_1904: bool
    """Whether days are counted from 1904."""
    to_calculate: bool
    """Whether formulas wait to be calculated when it is opened."""
    ranges: Mapping[str, str] = field(default_factory=dict)
    """Name of a range -> where it is, as `Loans!$A$1:$F$20`."""


class Package:
    """The parts of a workbook; names are compared without regard to capitals and slashes."""

    def __init__(self, held: Any, source: PortfolioSource) -> None:
        """Raises InputError for what is no archive, locked, or made to burst."""
        self._source, self._size = source, held.size
        start = bytes(held[:8])
        if start.startswith(b"\xd0\xcf\x11\xe0"):
            raise self.damaged("an old workbook, or one with a password")
        if bytes(held).count(b"PK\x01\x02") > _MOST_PARTS:
            raise self.damaged(f"more than {_MOST_PARTS:,} parts")
        try:
            self._archive = zipfile.ZipFile(pa.BufferReader(held))
        except _DAMAGED as error:
            raise self.damaged(str(error)) from error
        self._parts = {_lookup_name(info.filename): info for info in reversed(self._archive.infolist())}
        for mark, kind in _OTHERS.items():
            if mark in self._parts:
                raise self.damaged(f"{kind}, not .xlsx")

    def damaged(self, reason: str) -> InputError:
        """The error of what is no workbook, or no longer a whole one."""
        problem = f"not a whole Excel workbook: {reason.rstrip('.') or 'it cannot be unpacked'}"
        return refuse(self._source, problem, "save it again as .xlsx, without a password")

    def __contains__(self, name: str) -> bool:
        return _lookup_name(name) in self._parts

    def xml(self, name: str) -> bytes:
        """A part in UTF-8. Raises InputError where it is missing, damaged, too large or declares entities."""
        info = self._parts.get(_lookup_name(name))
        if info is None:
            raise self.damaged(f"it lacks its part {name}")
        if info.file_size > min(LARGEST, max(SMALL, FOLD * self._size)):
            problem = f"its part {name} unpacks to {info.file_size >> 20:,} MB: too much for a table"
            raise refuse(self._source, problem, "save the table as CSV or Parquet")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise self.damaged(f"its part {name} is packed in an unusual way")
        try:
            data = _in_utf8(self._archive.read(info))
        except _DAMAGED as error:
            raise self.damaged(f"its part {name}: {error}") from error
        if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
            raise self.damaged(f"its part {name} declares entities, which no spreadsheet does")
        return data

    def tree(self, name: str) -> ElementTree.Element:
        """A part as a tree."""
        try:
            return ElementTree.fromstring(self.xml(name))
        except ElementTree.ParseError as error:
            raise self.damaged(f"its part {name}: {error}") from error

    def links(self, name: str) -> dict[str, tuple[str, str]]:
        """What the part `name` points to: identifier -> kind and name of the part."""
        folder, file = posixpath.split(name)
        listed = posixpath.join(folder, "_rels", f"{file}.rels")
        return {
            link.get("Id", ""): (link.get("Type", ""), _target(folder, link.get("Target", "")))
            for link in self.tree(listed)
            if link.get("TargetMode") != "External"
        }


def read_book(package: Package) -> Workbook:
    """The sheets of a workbook, and which parts its cells need."""
    start = next(
        (part for kind, part in package.links("").values() if OFFICE.search(kind)), "xl/workbook.xml"
    )
    tree, links = package.tree(start), package.links(start)
    tabs, says, ranges = [], {}, {}
    for entry in tree.iter():
        kind = entry.tag.rpartition("}")[2]
        if kind == "sheet":
            key = next((value for name, value in entry.items() if name.endswith("relationships}id")), "")
            role, part = links.get(key, ("worksheet", ""))
            if role.endswith("worksheet"):
                tabs.append(Tab(entry.get("name", ""), part, entry.get("state", "visible") != "visible"))
        elif kind in ("workbookPr", "calcPr"):
            says.update(entry.attrib)
        elif kind == "definedName":
            ranges[entry.get("name", "")] = entry.text or ""
    others = {kind.rpartition("/")[2]: part for kind, part in links.values()}
    return Workbook(
        tuple(tabs),
        others.get("sharedStrings"),
        others.get("styles"),
        from_1904=says.get("date1904") in ("1", "true"),
        to_calculate=says.get("fullCalcOnLoad") in ("1", "true"),
        ranges=ranges,
    )


def _lookup_name(name: str) -> str:
    """A part's name as it is looked up."""
    return name.replace("\\", "/").lstrip("/").lower()


def _target(folder: str, target: str) -> str:
    target = unquote(target.replace("\\", "/"))
    return posixpath.normpath(target if target.startswith("/") else posixpath.join(folder, target)).lstrip(
        "/"
    )


def _in_utf8(data: bytes) -> bytes:
    """XML in UTF-8, whichever encoding it declares."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        data = data.decode("utf-16").encode()
    declared = DECLARED.match(data[:200])
    if declared:
        data = (
            data[declared.end() :]
            if declared[1].lower().startswith(b"utf")
            else (data[declared.end() :].decode(declared[1].decode()).encode())
        )
    return data.removeprefix(b"\xef\xbb\xbf")
