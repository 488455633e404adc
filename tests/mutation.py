"""Mutants of what rechecks a run, and what came of them by module in tests/mutation_results.json.

    python -m tests.mutation [MODULE ...]     (make mutation)

A module is named as `certification.lots` or `summary`; without one, all of them. What is known of the others
stays. pyproject.toml says which tests may kill (docs/decisions/mutation.md).
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("mutation_results.json")
ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "mutants" / "allocator"
"""Where mutmut keeps the mutated copies, and beside each what came of its mutants."""
CERTIFICATION = sorted(path.stem for path in (ROOT / "allocator" / "certification").glob("[!_]*.py"))
MODULES = (*(f"certification.{name}" for name in CERTIFICATION), "summary", "verification", "checker")
KILLED, SURVIVED, INTERNAL, UNTESTED = 1, 0, 3, 33
"""Exit codes of the tests of one mutant; any other is that of an end by force, mostly a time out."""


def outcomes(module: str) -> dict[str, Any]:
    """How many mutants of a module were killed, and which were not, by function and number."""
    meta = (WORK / module.replace(".", "/")).with_suffix(".py.meta")
    codes: dict[str, int | None] = json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"]
    tried = {name.rpartition(".")[2]: code for name, code in codes.items() if code is not None}
    left = sorted(name for name, code in tried.items() if code in (SURVIVED, UNTESTED))
    kinds = Counter(
        "killed" if code in (KILLED, INTERNAL) else "ended"
        for name, code in tried.items()
        if name not in left
    )
    stopped = kinds["killed"] + kinds["ended"]
    rate = round(100 * stopped / len(tried), 1) if tried else 0.0
    return {
        "mutants": len(codes),
        "tried": len(tried),
        "killed": kinds["killed"],
        "ended by force": kinds["ended"],
        "killed %": rate,
        "survivors": [name.replace("ǁ", ".").removeprefix("x") for name in left],
    }


def main(modules: list[str]) -> int:
    unknown = sorted(set(modules) - set(MODULES))
    if unknown:
        print(f"no such module: {', '.join(unknown)}; there are {', '.join(MODULES)}", file=sys.stderr)
        return 2
    chosen = modules or list(MODULES)
    patterns = [f"allocator.{module}.*" for module in chosen]
    done = subprocess.run([sys.executable, "-m", "mutmut", "run", *patterns], cwd=ROOT, check=False)
    if done.returncode:
        return done.returncode
    known = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    found = known | {module: outcomes(module) for module in chosen}
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(found[name])}" for name in MODULES if name in found)
    RESULTS.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
