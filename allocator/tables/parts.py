"""The files that a source consists of: one, or the parts of a folder of Parquet files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from allocator.errors import Fault, InputError
from allocator.intake import list_files
from allocator.records.frames import File, Frame
from allocator.records.scenario import PortfolioSource
from allocator.tables.opened import existing_file, refuse

ENDINGS = (".parquet", ".parq", ".pq")
NOTHING = "__HIVE_DEFAULT_PARTITION__"
"""How the name of a folder says that its rows have no value."""


@dataclass(frozen=True)
class Part:
    """A file of a folder, and what the folders on the way say of all its rows."""

    path: File
    name: str
    """The file's path from the source's folder."""
    keys: tuple[tuple[str, str | None], ...] = ()
    """Column and value, by folders named column=value."""


def source_files(source: PortfolioSource) -> tuple[Part, ...]:
    """The source's file, or in ascending order of their names the parts of a folder of Parquet files.

    Raises InputError for a folder without parts, and for parts in folders that are not named column=value.
    """
    path = source.path
    if source.kind != "parquet" or path is None or isinstance(path, Frame) or not path.is_dir():
        file = existing_file(source)
        return (Part(file, file.name),)
    files = list_files(path, lambda: tuple(sorted(_walk(path))))
    parts = sorted((_part(file, path) for file in files), key=lambda part: part.name)
    if not parts:
        raise refuse(source, "a folder without a .parquet file", "name a folder of parts, or one file")
    strays = sorted({PurePosixPath(part.name).parent for part in parts if not _is_partition(part)})
    if strays:
        remedy = "name folders column=value, or keep parts of one table alone in a folder"
        faults = [
            Fault(
                f"{folder} holds Parquet files, but is not named column=value",
                remedy,
                file=source.label,
            )
            for folder in strays
        ]
        raise InputError.of(faults, source.label)
    return tuple(parts)


def _walk(folder: Path) -> Iterator[Path]:
    """Every part below `folder`; names that begin with a dot or an underscore are of other programs."""
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "_"))]
        for name in files:
            if name.lower().endswith(ENDINGS) and not name.startswith((".", "_")):
                yield Path(place, name)


def _part(file: Path, folder: Path) -> Part:
    own = file.relative_to(folder)
    return Part(file, own.as_posix(), _keys(own))


def _keys(path: Path) -> tuple[tuple[str, str | None], ...]:
    keys = []
    for folder in path.parts[:-1]:
        column, sign, value = folder.partition("=")
        if sign and column:
            keys.append((unquote(column), None if value == NOTHING else unquote(value)))
    return tuple(keys)


def _is_partition(part: Part) -> bool:
    return len(part.keys) == len(PurePosixPath(part.name).parts) - 1
