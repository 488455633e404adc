"""Borrowers as lines of JSON."""

import json

import pyarrow as pa

from allocator.plugins import PluginSource


def read(content: bytes) -> pa.Table:
    """One row a line; json's errors are ValueErrors."""
    rows = [json.loads(line) for line in content.decode("utf-8").splitlines()]
    if not all(isinstance(row, dict) for row in rows):
        raise ValueError("a line that is no object")
    return pa.Table.from_pylist(rows)


JSONL = PluginSource(read)
