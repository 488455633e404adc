"""Where the borrowers are, as people type it: a table, a query, or the invoices of firms."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    JsonValue,
    Tag,
    ValidationInfo,
    WithJsonSchema,
    create_model,
    field_validator,
)

from allocator.plugins import names_of
from allocator.records.misfits import Misfit, describe, refuse
from allocator.records.sources import ENDINGS, TABLE_KINDS, TableKind
from allocator.scenario.quantities import PositiveWhole, Seconds, Text, Whole, one_of
from allocator.scenario.typed import Typed, tag_of, told_by_keys

PATH: dict[str, JsonValue] = {"unit": "path"}


def _sign(value: object) -> str:
    """One character: text() would refuse a blank."""
    if isinstance(value, str) and len(value) == 1:
        return value
    raise refuse(Misfit(f"{describe(value)} is not one character", 'write one in quotes, as ";" or "\\t"'))


Sign = Annotated[
    str,
    BeforeValidator(_sign),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 1, "unit": "character"}),
]


def ending_in(*endings: str) -> Callable[[str], str]:
    """The check that a path has one of `endings`, in any case."""

    def check(value: str) -> str:
        if value.lower().endswith(endings):
            return value
        name, known = PurePath(value).name, " or ".join(endings)
        raise refuse(Misfit(f"{name!r} does not end in {known}", "name such a file"))

    return check


def _known_ending(value: str) -> str:
    if value.lower().endswith(ENDINGS):
        return value
    problem = f"{PurePath(value).name!r} does not end in {_any_of_words(ENDINGS)}"
    formats = _any_of_words([f"{{{kind.name}: FILE}}" for kind in TABLE_KINDS if kind.endings])
    raise refuse(Misfit(problem, f"name the format, as {formats}"))


def _any_of_words(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


_NO_FILES = ("idna", "punycode", "raw-unicode-escape", "unicode-escape")
"""Encodings that Python knows, of names and literals: no table is stored so."""


def _encoding(value: str) -> str:
    """The name of an encoding of texts that Python knows."""
    try:
        known = codecs.lookup(value)
        if known.name in _NO_FILES or "grade,1".encode(value).decode(value) != "grade,1":
            raise LookupError
    except (LookupError, ValueError, AssertionError):
        remedy = "write one such as utf-8, gbk, gb18030, big5, shift_jis, cp1252 or latin-1"
        raise refuse(Misfit(f"no encoding is called {value!r}", remedy)) from None
    return known.name


Encoding = Annotated[Text, AfterValidator(_encoding)]
THOUSANDS = (",", ".", " ", "'", "’")


class CsvSource(Typed):
    """A text table, which may be gzipped, with one row per borrower."""

    csv: Annotated[Text, Field(examples=["borrowers.csv"], json_schema_extra=PATH)]
    """Path of the file."""
    sep: Sign = ","
    """What separates columns."""
    decimal: Annotated[Literal[".", ","], one_of(".", ",")] = "."
    """The decimal sign."""
    thousands: Annotated[Literal[",", ".", " ", "'", "’"], one_of(*THOUSANDS)] | None = None
    """The sign between thousands, which is passed over; without one a number that has any is a fault."""
    skip: Whole = 0
    """Lines above the header that are no part of the table."""
    encoding: Encoding = "utf-8"
    """How characters are stored, as gbk or latin-1."""

    @field_validator("decimal")
    @classmethod
    def _differ(cls, decimal: str, info: ValidationInfo) -> str:
        if decimal == info.data.get("sep"):
            finding = Misfit(f"{decimal!r} is both decimal sign and separator", 'write another sep, as ";"')
            raise refuse(finding)
        return decimal

    @field_validator("thousands")
    @classmethod
    def _no_decimal(cls, thousands: str | None, info: ValidationInfo) -> str | None:
        if thousands is not None and thousands == info.data.get("decimal"):
            finding = Misfit(f"{thousands!r} is the decimal sign too", 'write decimal: ",", or another sign')
            raise refuse(finding)
        return thousands


class XlsxSource(Typed):
    """An Excel workbook with one row per borrower."""

    xlsx: Annotated[Text, Field(examples=["borrowers.xlsx"], json_schema_extra=PATH)]
    """Path of the file."""
    sheet: Text | None = None
    """Name of the sheet; absent: the first that is not hidden."""
    table: Text | None = None
    """Name of a table, or of a range of cells, of the workbook: only its rows are read, its totals aside."""
    header: PositiveWhole | None = None
    """Row that holds the names of the columns, as Excel counts; absent: the first that is not empty."""


class SqlSource(Typed):
    """A query with one row per borrower."""

    sql: Annotated[Text, Field(examples=['"${DB_URL}"'])]
    """The database's URL; with a password in it, as an environment variable: ${DB_URL}."""
    query: Annotated[Text, Field(examples=["SELECT * FROM borrowers"])]
    """The query, as the database's own SQL: one SELECT, which may begin with WITH."""
    time_limit: Seconds = 300.0
    """Wall time after which the query is stopped, a fault."""


InvoiceFile = Annotated[
    Annotated[Text, AfterValidator(ending_in(".parquet", ".csv", ".csv.gz"))] | None,
    Field(json_schema_extra=PATH),
]
Table = Annotated[Annotated[Text, AfterValidator(ending_in(*ENDINGS))] | None, Field(json_schema_extra=PATH)]
Workbook = Annotated[
    Annotated[Text, AfterValidator(ending_in(".xlsx"))] | None, Field(json_schema_extra=PATH)
]


class InvoicesEntry(Typed):
    """Purchases and sales in two files, or both in an official workbook."""

    purchases: InvoiceFile = None
    """Purchase invoices."""
    sales: InvoiceFile = None
    """Sales invoices."""
    firms: Table = None
    """Table of the firms to score, by enterprise_id; absent: all with invoices. A `rating` is kept."""
    facts: Table = None
    """Table of further columns, as the industry: one row, by enterprise_id, for each firm scored."""
    duplicates: Annotated[Literal["keep", "drop"], one_of("keep", "drop")] = "keep"
    """Whether an invoice that stands twice counts twice."""
    workbook: Workbook = Field(default=None, validate_default=True)
    """Workbook in the official layout, in place of the two files."""

    @field_validator("workbook")
    @classmethod
    def _both_directions(cls, workbook: str | None, info: ValidationInfo) -> str | None:
        # A path that could not be read is missing from the data, but it was written.
        given = [key for key in ("purchases", "sales") if info.data.get(key, "unread") is not None]
        if workbook is not None and given:
            problem = f"a workbook holds both directions, {' and '.join(given)} stand beside it"
            raise refuse(Misfit(problem, "keep the workbook or the two files"))
        if workbook is None and len(given) < 2:
            lacking = [key for key in ("purchases", "sales") if key not in given]
            problem = f"no {' and no '.join(lacking)} to judge the firms by"
            raise refuse(Misfit(problem, "name the files of purchases and sales, or a workbook", up=True))
        return workbook


class InvoiceSource(Typed):
    """Firms to be scored by their invoices; each becomes a borrower."""

    invoices: InvoicesEntry
    """The files of invoices."""


def _file_source(kind: TableKind) -> type[Typed]:
    """The form of a kind of tables that has no form of its own here."""
    ending = kind.endings[0] if kind.endings else f".{kind.name}"
    path = Field(examples=[f"borrowers{ending}"], description=kind.path, json_schema_extra=PATH)
    key: Any = {kind.name: (Annotated[Text, path], ...)}
    return create_model(f"{kind.name.title()}Source", __base__=Typed, __doc__=kind.about, **key)


_OWN: dict[str, type[Typed]] = {"csv": CsvSource, "xlsx": XlsxSource, "sql": SqlSource}
OURS = (*(kind.name for kind in TABLE_KINDS), "invoices")
_BROUGHT = (TableKind(name, about="A file that another package reads.") for name in names_of("source"))
_FORMS = [
    *(_OWN.get(kind.name) or _file_source(kind) for kind in TABLE_KINDS),
    *(_file_source(kind) for kind in _BROUGHT if kind.name not in OURS),
    InvoiceSource,
]
if TYPE_CHECKING:
    Source = str | Typed
else:
    _TAGGED = tuple(Annotated[form, Tag(tag_of(form))] for form in _FORMS)
    Source = Annotated[
        Union[(Annotated[Text, AfterValidator(_known_ending), Tag("<file>")], *_TAGGED)],
        told_by_keys("<file>", SqlSource, *_FORMS, CsvSource),
    ]
