"""The arrows of docs/architecture.md: who may import whom, and which library stays in which room.

Every import counts, those under TYPE_CHECKING and inside functions too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "allocator"
LONGEST = 400
LONGER = {"checker.py": 2_350}
"""A stranger copies the checker as one file: it cannot be cut into modules."""

GROUND = {"records", "errors"}
READING = {"tables", "intake"}
"""What rooms need that read files."""
STAGES = {"scenario", "portfolio", "scoring", "pricing", "limits", "engine", "certification"}
MAY_IMPORT = {
    "errors": set(),
    "lean": set(),
    "records": {"errors", "lean"},
    "intake": GROUND,
    "placed": set(),
    "extras": {"errors"},
    "plugins": GROUND,
    "tables": {"extras", "intake", *GROUND},
    "risk": GROUND,
    **dict.fromkeys(STAGES, GROUND),
    "limits": {"risk", *GROUND},
    "engine": {"lean", *GROUND},
    "scenario": {"extras", "plugins", "tables", *GROUND},
    **dict.fromkeys(("portfolio", "pricing"), READING | GROUND),
    "scoring": {"extras", "placed", *READING, *GROUND},
    "summary": GROUND,
    "borrowers": {"portfolio", "scoring", "pricing", *READING, *GROUND},
    "verification": {"plugins", "intake", "borrowers", "summary", *STAGES, *GROUND},
    "knapsack": {"engine", *GROUND},
    "strategies": {"engine", "limits", "pricing", *GROUND},
    "pipeline": {"intake", "borrowers", "summary", "strategies", *STAGES, *GROUND},
    "insight": {"pipeline", "verification", "borrowers", "summary", "strategies", *STAGES, *GROUND},
    "report": {"extras", "insight", *GROUND},
    "store": {"extras", "insight", "intake", "placed", *GROUND},
    "api": {
        *("insight", "report", "store", "pipeline", "verification", "borrowers", "summary", "strategies"),
        *("tables", "intake", "extras", *STAGES, *GROUND),
    },
    "checker": set(),
}
"""Room -> rooms that it may import; cli, testing and the package itself may import all."""
ANYTHING = {"cli", "testing", ""}

FENCES = {
    "pyomo": ("engine/formulation.py",),
    "highspy": ("engine/solving.py",),
    "numba": ("engine/kernel/",),
    "ruamel": ("scenario/",),
    "yaml": ("scenario/",),
    "sqlalchemy": ("tables/",),
    "python_calamine": ("tables/xlsx.py",),
    "xlsxwriter": ("store/tables.py", "store/workbook.py"),
    "typst": ("report/printing.py",),
    "statsmodels": ("scoring/churn.py", "scoring/logit.py"),
}

MODULES = {
    path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text()) for path in PACKAGE.rglob("*.py")
}


def dotted(path: str) -> str:
    """`engine/kernel/__init__.py` is allocator.engine.kernel."""
    return ".".join(["allocator", *path.removesuffix(".py").split("/")]).removesuffix(".__init__")


NAMES = {dotted(path) for path in MODULES}


def imports(tree: ast.Module) -> Iterator[str]:
    """Full names of what a module imports; `from a import b` is a.b where that is a module, else a."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            base = str(node.module)
            for alias in node.names:
                yield f"{base}.{alias.name}" if f"{base}.{alias.name}" in NAMES else base


def room(path: str) -> str:
    first = path.split("/")[0].removesuffix(".py")
    return "" if first == "__init__" else first


@pytest.mark.parametrize("path", sorted(MODULES))
def test_rooms_import_only_what_lies_below_them(path: str) -> None:
    own = room(path)
    if own in ANYTHING:
        return
    used = {name.split(".")[1] for name in imports(MODULES[path]) if name.startswith("allocator.")}
    assert used - {own} <= MAY_IMPORT[own]


@pytest.mark.parametrize("path", sorted(MODULES))
def test_libraries_stay_behind_their_fences(path: str) -> None:
    for name in imports(MODULES[path]):
        allowed = FENCES.get(name.split(".")[0])
        assert allowed is None or path.startswith(allowed), f"{name} belongs in {allowed}"


def test_certification_needs_numpy_alone() -> None:
    """A solver or a compiled pass behind the certificate would have to be trusted; its sums need not."""
    own = [MODULES[path] for path in MODULES if room(path) == "certification"]
    used = {name for tree in own for name in imports(tree) if not name.startswith("allocator.")}
    plain = {"collections.abc", "concurrent.futures", "dataclasses", "fractions", "functools", "math"}
    plain |= {"decimal", "itertools", "statistics"}
    assert used <= {"numpy", "bisect", "typing", "__future__", *plain}


def test_the_checker_stands_alone() -> None:
    """It may be copied anywhere and run without the package, whose faults it must not share."""
    used = {name.split(".")[0] for name in imports(MODULES["checker.py"])}
    own = {
        "csv",
        "decimal",
        "gzip",
        "hashlib",
        "io",
        "json",
        "math",
        "os",
        "re",
        "sys",
        "collections",
        "fractions",
    }
    assert used <= {"__future__", "itertools", "types", "typing", "numpy", "pyarrow", *own}
    importers = [path for path in MODULES if "allocator.checker" in set(imports(MODULES[path]))]
    assert importers == []


@pytest.mark.parametrize("path", sorted(path for path in MODULES if room(path) not in ("cli", "checker")))
def test_only_commands_print(path: str) -> None:
    names = {node.id for node in ast.walk(MODULES[path]) if isinstance(node, ast.Name)}
    streams = {
        node.attr
        for node in ast.walk(MODULES[path])
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "sys"
    }
    assert "print" not in names
    assert not streams & {"stdout", "stderr"}


def test_no_module_imports_itself_through_others() -> None:
    graph = {dotted(path): set(imports(tree)) & NAMES - {dotted(path)} for path, tree in MODULES.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize("path", sorted(MODULES))
def test_modules_are_short(path: str) -> None:
    assert len((PACKAGE / path).read_text().splitlines()) <= LONGER.get(path, LONGEST)
