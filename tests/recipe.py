"""A copy of the package with something new in it, as docs/architecture.md says where a new thing goes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "allocator"
SCRIPT = """\
import contextlib, io, json, sys
from allocator.cli.main import main
for arguments in json.loads(sys.argv[1]):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        status = main(arguments)
    print(json.dumps([status, out.getvalue()]))
"""

Recipe = Mapping[str, Mapping[str, str]]
"""File -> what stands in it -> what stands there with the new thing; "" stands in a file that is new."""


def changed_package(top: Path, *recipes: Recipe) -> Path:
    """The folder `top` with a copy of the package, changed as the recipes say and in no other file."""
    shutil.copytree(PACKAGE, top / "allocator", ignore=shutil.ignore_patterns("__pycache__"))
    for recipe in recipes:
        for name, changes in recipe.items():
            path = top / "allocator" / name
            text = path.read_text() if path.exists() else ""
            for before, after in changes.items():
                assert text.count(before) == 1, f"{name}: {before}"
                text = text.replace(before, after)
            path.write_text(text)
    return top


def answers(package: Path, folder: Path, commands: Sequence[Sequence[str]]) -> list[str]:
    """What the commands print in `folder`, by the package in the folder `package`; all end well."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(commands)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(package), "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=True,
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [status for status, _ in found] == [0] * len(commands), done.stderr
    return [out for _, out in found]
