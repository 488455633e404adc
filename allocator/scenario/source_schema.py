"""Where the borrowers are, as people type it: a table, a query, or the invoices of firms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    JsonValue,
    Tag,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from allocator.scenario.quantities import Finding, Seconds, Text, describe, one_of, refuse
from allocator.scenario.typed import Typed

SUFFIXES = (".csv", ".parquet", ".xlsx")
PATH: dict[str, JsonValue] = {"unit": "path"}


def _sign(value: object) -> str:
    """One character: text() would refuse a blank."""
    if isinstance(value, str) and len(value) == 1:
        return value
    raise refuse(Finding(f"{describe(value)} is not one character", 'write one in quotes, as ";" or "\\t"'))


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
        raise refuse(Finding(f"{name!r} does not end in {known}", "name such a file"))

    return check


def _known_ending(value: str) -> str:
    if value.lower().endswith(SUFFIXES):
        return value
    problem = f"{PurePath(value).name!r} does not end in .csv, .parquet or .xlsx"
    raise refuse(Finding(problem, "name the format, as {csv: FILE}, {parquet: FILE} or {xlsx: FILE}"))


class CsvSource(Typed):
    """A text table with one row a borrower."""

    csv: Annotated[Text, Field(examples=["borrowers.csv"], json_schema_extra=PATH)]
    """Path of the file."""
    sep: Sign = ","
    """What separates columns."""
    decimal: Annotated[Literal[".", ","], one_of(".", ",")] = "."
    """The decimal sign."""

    @field_validator("decimal")
    @classmethod
    def _differ(cls, decimal: str, info: ValidationInfo) -> str:
        if decimal == info.data.get("sep"):
            finding = Finding(f"{decimal!r} is both decimal sign and separator", 'write another sep, as ";"')
            raise refuse(finding)
        return decimal


class ParquetSource(Typed):
    """A Parquet file with one row a borrower, or a folder of such files."""

    parquet: Annotated[Text, Field(examples=["borrowers.parquet"], json_schema_extra=PATH)]
    """Path of the file or folder."""


class XlsxSource(Typed):
    """An Excel workbook whose first sheet has one row a borrower."""

    xlsx: Annotated[Text, Field(examples=["borrowers.xlsx"], json_schema_extra=PATH)]
    """Path of the file."""


class SqlSource(Typed):
    """A query with one row a borrower."""

    sql: Annotated[Text, Field(examples=['"${DB_URL}"'])]
    """The database's URL; with a password in it, as an environment variable: ${DB_URL}."""
    query: Annotated[Text, Field(examples=["SELECT * FROM borrowers"])]
    """The query, as the database's own SQL: one SELECT, which may begin with WITH."""
    time_limit: Seconds = 300.0
    """Wall time after which the query is stopped, a fault."""


InvoiceFile = Annotated[
    Annotated[Text, AfterValidator(ending_in(".parquet", ".csv"))] | None, Field(json_schema_extra=PATH)
]
Table = Annotated[Annotated[Text, AfterValidator(ending_in(*SUFFIXES))] | None, Field(json_schema_extra=PATH)]
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
    """Table of the firms to score, by enterprise_id; absent: all that have invoices."""
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
            raise refuse(Finding(problem, "keep the workbook or the two files"))
        if workbook is None and len(given) < 2:
            lacking = [key for key in ("purchases", "sales") if key not in given]
            problem = f"no {' and no '.join(lacking)} to judge the firms by"
            raise refuse(Finding(problem, "name the files of purchases and sales, or a workbook", up=True))
        return workbook


class InvoiceSource(Typed):
    """Firms to be scored by their invoices; each becomes a borrower."""

    invoices: InvoicesEntry
    """The files of invoices."""


def _source_kind(value: Any) -> str:
    """Which of the forms of `portfolio.source` a value has."""
    if not isinstance(value, Mapping | Typed):
        return "<file>"
    keys = set(value) if isinstance(value, Mapping) else set(type(value).model_fields)
    if keys & {"sql", "query"}:
        return "<sql>"
    return next((f"<{kind}>" for kind in ("csv", "parquet", "xlsx", "invoices") if kind in keys), "<csv>")


Source = Annotated[
    Annotated[Text, AfterValidator(_known_ending), Tag("<file>")]
    | Annotated[CsvSource, Tag("<csv>")]
    | Annotated[ParquetSource, Tag("<parquet>")]
    | Annotated[XlsxSource, Tag("<xlsx>")]
    | Annotated[SqlSource, Tag("<sql>")]
    | Annotated[InvoiceSource, Tag("<invoices>")],
    Discriminator(_source_kind),
]
