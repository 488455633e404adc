"""Content hashes of what a run reads: `sha256:` and 64 hexadecimal digits."""

from __future__ import annotations

import hashlib
import json

from allocator.intake import content_hash
from allocator.records.scenario import PortfolioSource
from allocator.tables import open_source
from allocator.tables.conversion import cell_text
from allocator.tables.parts import source_files


def fingerprint(source: PortfolioSource) -> str:
    """The hash of the source's file, byte by byte, or of a query's result as text.

    Of a folder it is the hash of its parts' names and hashes, a line each. A query's rows are hashed in
    ascending order: a database may return them in any.
    Raises InputError where the source cannot be read.
    """
    if source.kind != "sql":
        files = source_files(source)
        if files[0].path == source.path:
            return content_hash(files[0].path)
        parts = "".join(f"{part.name} {content_hash(part.path)}\n" for part in files)
        return f"sha256:{hashlib.sha256(parts.encode()).hexdigest()}"
    opened = open_source(source)
    columns = [column.to_pylist() for column in opened.fetch(opened.names, ()).table.columns]
    lines = sorted(json.dumps([cell_text(cell) for cell in row]) for row in zip(*columns, strict=True))
    digest = hashlib.sha256(json.dumps(opened.names).encode())
    for line in lines:
        digest.update(b"\n" + line.encode())
    return f"sha256:{digest.hexdigest()}"
