"""The run record: a folder written whole or not at all, and read back."""

from allocator.store.certificate import certificate_from_json, certificate_to_json
from allocator.store.folder import default_folder, is_run, require_free, write_run
from allocator.store.placing import require_writable
from allocator.store.reading import read_run
from allocator.store.text import to_json

__all__ = [
    "certificate_from_json",
    "certificate_to_json",
    "default_folder",
    "is_run",
    "read_run",
    "require_free",
    "require_writable",
    "to_json",
    "write_run",
]
