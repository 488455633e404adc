"""The notebooks run from top to bottom, the large one on fewer borrowers, and hold nothing printed."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SHOWN = """
def shown(thing):
    html = getattr(thing, "_repr_html_", None)
    text = html() if html is not None else repr(thing)
    assert text and "<script src" not in text and 'href="http' not in text
"""
"""What a notebook does with the last value of a cell."""


def cells(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return found


def program(path: Path) -> str:
    """The cells as one program; the last expression of each is shown."""
    parts = [SHOWN]
    for cell in cells(path):
        if cell["cell_type"] == "code":
            tree = ast.parse("".join(cell["source"]))
            if isinstance(tree.body[-1], ast.Expr):
                call = ast.Call(ast.Name("shown", ast.Load()), [tree.body[-1].value], [])
                tree.body[-1] = ast.fix_missing_locations(ast.Expr(call))
            parts.append(ast.unparse(tree))
    return "\n".join(parts)


def test_there_are_three() -> None:
    assert [path.stem for path in NOTEBOOKS] == [
        "a-million-borrowers",
        "committee-question",
        "first-allocation",
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_from_top_to_bottom(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for part in ("scenarios", "models"):
        shutil.copytree(ROOT / part, tmp_path / part)
    monkeypatch.setenv("BORROWERS", "3000")
    done = subprocess.run(
        [sys.executable, "-c", program(path)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_kept_without_what_it_printed(path: Path) -> None:
    code = [cell for cell in cells(path) if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
