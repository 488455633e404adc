"""Parquet: typed columns, read by name; one file, or a folder of parts in ascending order of their names."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from allocator.errors import Fault, InputError
from allocator.records.frames import Frame
from allocator.records.scenario import PortfolioSource
from allocator.tables.opened import FetchedColumns, OpenedSource, content, refuse, require_regular
from allocator.tables.parts import Part, source_files

MANY_ROWS, ROWS_A_BYTE = 5_000_000, 100
"""A file of more rows than `MANY_ROWS` and `ROWS_A_BYTE` times its bytes holds no table of borrowers."""
MUCH, FOLD = 256 << 20, 200
"""So does one whose columns unpack to more than `MUCH` bytes and `FOLD` times its size."""


@dataclass(frozen=True)
class _HeldPart:
    """A part, its bytes and its columns."""

    part: Part
    content: Any
    schema: pa.Schema

    @property
    def keys(self) -> dict[str, str | None]:
        return dict(self.part.keys)


def open_parquet(source: PortfolioSource) -> OpenedSource:
    """Open one Parquet file, or a folder of them; folders named column=value give that column."""
    parts = [_held(part, source) for part in source_files(source)]
    names = dict.fromkeys(name for held in parts for name in (*held.schema.names, *held.keys))
    if len(parts) == 1 and not parts[0].keys:
        return OpenedSource(tuple(parts[0].schema.names), partial(_fetch, parts, source))
    return OpenedSource(tuple(names), partial(_fetch, parts, source))


def _held(part: Part, source: PortfolioSource) -> _HeldPart:
    """The part's bytes, with what its footer says of columns and sizes."""
    if not isinstance(part.path, Frame):
        require_regular(source, part.path.stat().st_mode)
    held = content(source, part.path)
    try:
        with parquet.ParquetFile(pa.BufferReader(held)) as file:
            rows, schema = file.metadata.num_rows, file.schema_arrow
            groups = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
            size = sum(group.total_byte_size for group in groups)
    except (pa.ArrowException, OSError) as error:
        raise _damaged_error(source, part, error) from error
    if rows > max(MANY_ROWS, ROWS_A_BYTE * held.size) or size > max(MUCH, FOLD * held.size):
        problem = (
            f"{_part_in_words(source, part)}claims {rows:,} rows of {size:,} bytes in {held.size:,} bytes"
        )
        raise refuse(source, problem, "write the file again")
    return _HeldPart(part, held, schema)


def _fetch(
    parts: Sequence[_HeldPart],
    source: PortfolioSource,
    columns: Sequence[str],
    coded: Collection[str],
    typed: Collection[str],
) -> FetchedColumns:
    """Read `columns` as they are typed, texts of `coded` as dictionaries."""
    _require_columns(parts, columns, source)
    tables = [_read(held, source, columns, coded) for held in parts]
    if len(tables) == 1:
        return FetchedColumns.whole(tables[0])
    faults: list[Fault] = []
    joined = {
        name: _joined_column(name, parts, [table[name] for table in tables], source, faults)
        for name in columns
    }
    if faults:
        raise InputError.of(faults, source.label)
    return FetchedColumns.whole(pa.table(joined))


def _require_columns(parts: Sequence[_HeldPart], columns: Sequence[str], source: PortfolioSource) -> None:
    """Every part has each column: one that lacked it would count as not given."""
    faults = []
    for name in columns:
        have = [name in held.schema.names or name in held.keys for held in parts]
        if not all(have):
            with_it, without = parts[have.index(True)].part.name, parts[have.index(False)].part.name
            problem = f"{without} lacks the column, which {with_it} has"
            faults.append(Fault(problem, "write every part with the column", file=source.label, field=name))
    if faults:
        raise InputError.of(faults, source.label)


def _read(
    held: _HeldPart, source: PortfolioSource, columns: Sequence[str], coded: Collection[str]
) -> pa.Table:
    own = [name for name in columns if name in held.schema.names]
    texts = [name for name in own if name in coded and pa.types.is_string(held.schema.field(name).type)]
    try:
        with parquet.ParquetFile(pa.BufferReader(held.content), read_dictionary=texts) as file:
            table = file.read(columns=own).select(own)
            rows = file.metadata.num_rows
    except (pa.ArrowException, OSError) as error:
        raise _damaged_error(source, held.part, error) from error
    _require_agreement(held, table, source)
    given = {
        name: table[name] if name in own else pa.chunked_array([_repeated_text(held.keys[name], rows)])
        for name in columns
    }
    return pa.table(given)


def _repeated_text(value: str | None, rows: int) -> pa.Array:
    """(rows,) the same text, or nothing."""
    if value is None:
        return pa.nulls(rows, pa.string())
    return pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), rows), pa.array([value]))


def _require_agreement(held: _HeldPart, table: pa.Table, source: PortfolioSource) -> None:
    """A column that the part and the name of its folder both give has the same values."""
    for name, value in held.part.keys:
        if name not in table.column_names or value is None:
            continue
        words = pc.cast(pc.unique(table[name]), pa.string()).to_pylist()
        other = next((word for word in words if not _same_kind(word, value)), value)
        if other != value:
            problem = f"{held.part.name} holds {other!r} in a folder named {name}={value}"
            raise refuse(source, problem, "move the rows, or drop the column", field=name)


def _same_kind(word: str | None, value: str) -> bool:
    if word == value:
        return True
    try:
        return word is not None and float(word) == float(value)
    except ValueError:
        return False


def _joined_column(
    name: str,
    parts: Sequence[_HeldPart],
    chunks: Sequence[pa.ChunkedArray],
    source: PortfolioSource,
    faults: list[Fault],
) -> pa.ChunkedArray:
    """The parts of one column as one; numbers of several kinds as the widest, texts as text."""
    kinds = [chunk.type for chunk in chunks]
    first = next((place for place, kind in enumerate(kinds) if not pa.types.is_null(kind)), 0)
    wanted = kinds[first]
    for kind in kinds:
        wanted = _common_type(wanted, kind) if wanted is not None else None
    if wanted is None:
        other = next(place for place, kind in enumerate(kinds) if _common_type(kinds[first], kind) is None)
        here, there = (
            f"{_type_in_words(kinds[place])} in {parts[place].part.name}" for place in (other, first)
        )
        problem = f"holds {here}, {there}"
        faults.append(Fault(problem, "write it with one type in every part", file=source.label, field=name))
        return chunks[0]
    cast = []
    for place, chunk in enumerate(chunks):
        try:
            cast.append(pc.cast(chunk, wanted) if chunk.type != wanted else chunk)
        except pa.ArrowInvalid as error:
            first_line, name = str(error).splitlines()[0], parts[place].part.name
            problem = f"{name} does not fit {_type_in_words(wanted)}: {first_line}"
            faults.append(
                Fault(problem, "write it with one type in every part", file=source.label, field=name)
            )
    return pa.chunked_array([piece for chunk in cast for piece in chunk.chunks], wanted)


def _common_type(first: pa.DataType, second: pa.DataType) -> pa.DataType | None:
    """The type that holds the values of both; None where there is none."""
    if first == second or pa.types.is_null(second):
        return first
    if pa.types.is_null(first):
        return second
    if _is_text(first) and _is_text(second):
        return pa.string()
    if pa.types.is_integer(first) and pa.types.is_integer(second):
        return pa.int64()
    if _is_number(first) and _is_number(second):
        return pa.float64()
    if pa.types.is_temporal(first) and pa.types.is_temporal(second):
        return pa.timestamp("us") if not pa.types.is_time(first) and not pa.types.is_time(second) else None
    return None


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return any(
        is_kind(kind) for is_kind in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    )


def _is_number(kind: pa.DataType) -> bool:
    return any(is_kind(kind) for is_kind in (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal))


def _type_in_words(kind: pa.DataType) -> str:
    return str(kind.value_type if pa.types.is_dictionary(kind) else kind)


def _part_in_words(source: PortfolioSource, part: Part) -> str:
    return "" if part.path == source.path else f"{part.name}: "


def _damaged_error(source: PortfolioSource, part: Part, error: Exception) -> InputError:
    """The error of a file that is no Parquet, or no longer."""
    reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
    problem = f"{_part_in_words(source, part)}not a whole Parquet file: {reason}"
    return refuse(source, problem, "write the file again")
