"""Writes every golden program anew: look at the diff before it is committed."""

from __future__ import annotations

from tests.golden import CASES, as_text, path_of

for name, case in CASES.items():
    path_of(name).write_text(as_text(case))
