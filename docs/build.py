"""Keeps the pages honest: `make docs` rewrites what they show as output, and pages of schemas.

A ```console block is a session: lines that begin with `$ ` are commands, the rest is what they print.
A ```python block is a program; a ```text block right below it is what it prints. A ```yaml block whose
first line is `# PATH` is saved there. The blocks of a page run in their order, in one new folder that
holds the shipped scenarios and models. `...` stands for output left out; a block with one is compared by
the tests and never rewritten. docs/commands.md has a test of its own.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from allocator.scenario.reference import reference_page
from docs.declarations import declarations_page
from docs.warm import command_output, program_output

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "scenario.md"
DECLARATIONS = ROOT / "docs" / "declarations.md"
OWN_TEST = {ROOT / "docs" / "commands.md"}
CARRIED = ("scenarios", "models")
LEFT_OUT = "..."
WIDTH = "100"

_BLOCK = re.compile(
    r"^```(?P<kind>console|python|yaml)\n(?P<body>.*?)^```\n(?:\n?^```text\n(?P<shown>.*?)^```\n)?",
    re.DOTALL | re.MULTILINE,
)
_OWN = re.compile(r"allocator (?P<arguments>[^|<>;&$*?]*)(?P<onwards>[|>][^;&]*)?")
"""The command alone, or with where its output goes."""
_SECONDS = re.compile(r"\b\d+(\.\d+)? s\b")
_ROUNDING = re.compile(r"\b\d(\.\d+)?e-1\d\b")


@dataclass(frozen=True)
class Example:
    """One block of a page: what is run, what the page shows, what came out."""

    start: int
    """Where the shown output begins in the page, for a console block the whole block."""
    end: int
    shown: str
    printed: str

    @property
    def agrees(self) -> bool:
        """Whether the page shows what was printed, left-out parts, seconds and rounding aside."""
        pattern = re.escape(_normal(self.shown)).replace(re.escape(LEFT_OUT), ".*")
        return re.fullmatch(pattern, _normal(self.printed), re.DOTALL) is not None


def pages() -> list[Path]:
    """Every page whose examples are run from here, those without any included."""
    found = [ROOT / "README.md", *(ROOT / part / "README.md" for part in CARRIED)]
    return [*found, *sorted(set((ROOT / "docs").rglob("*.md")) - OWN_TEST)]


def examples(text: str) -> Iterator[Example]:
    """Runs the blocks of a page one after the other."""
    if not _BLOCK.search(text):
        return
    with _workplace() as folder:
        for block in _BLOCK.finditer(text):
            body = block["body"]
            if block["kind"] == "console":
                yield Example(block.start("body"), block.end("body"), body, _session(body, folder))
            elif block["kind"] == "python":
                at = block.span("shown") if block["shown"] is not None else (block.end(), block.end())
                yield Example(*at, block["shown"] or "", _program(body, folder))
            elif (first := body.partition("\n")[0]).startswith("# ") and first.endswith(".yaml"):
                (folder / first.removeprefix("# ")).write_text(body, encoding="utf-8")


def rewritten(text: str) -> str:
    """The page with the output that its examples print now."""
    for example in reversed(list(examples(text))):
        if example.shown and LEFT_OUT not in example.shown:
            text = text[: example.start] + example.printed + text[example.end :]
    return text


def _session(body: str, folder: Path) -> str:
    """The commands of a session, each followed by what it prints."""
    commands = [line for line in body.splitlines() if line.startswith("$ ")]
    return "".join(f"{line}\n{_command(line.removeprefix('$ '), folder)}" for line in commands)


def _command(line: str, folder: Path) -> str:
    """What a line of a session prints: of `allocator`, or of a shell where it is not that alone."""
    own = _OWN.fullmatch(line)
    if own is None:
        return _lines(_shell(line, folder))
    out, error = command_output(shlex.split(own["arguments"]), folder, _environment())
    if own["onwards"]:
        out = _shell(f"cat {own['onwards']}", folder, out)
    return _lines(error + out)


def _program(text: str, folder: Path) -> str:
    """What a program prints."""
    out, error = program_output(text, folder, _environment())
    return _lines(out + error)


def _shell(line: str, folder: Path, given: bytes = b"") -> bytes:
    """What a shell prints, both streams in one."""
    return subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        env=_environment(),
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    ).stdout


def _environment() -> dict[str, str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return {**os.environ, "PATH": path, "COLUMNS": WIDTH, "NO_COLOR": "1", "PYTHONUTF8": "1"}


def _lines(output: bytes) -> str:
    """Output without blanks at the ends of lines."""
    return "".join(f"{line.rstrip()}\n" for line in output.decode("utf-8").splitlines())


@contextmanager
def _workplace() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="allocator-docs-") as name:
        for part in CARRIED:
            shutil.copytree(ROOT / part, Path(name) / part)
        yield Path(name)


def _normal(text: str) -> str:
    """Without what another machine or another run may change."""
    return _ROUNDING.sub("0", _SECONDS.sub("_ s", text))


def main() -> None:
    REFERENCE.write_text(reference_page(), encoding="utf-8")
    DECLARATIONS.write_text(declarations_page(), encoding="utf-8")
    for page in pages():
        text = page.read_text(encoding="utf-8")
        new = rewritten(text)
        if new != text:
            page.write_text(new, encoding="utf-8")
            print(f"rewritten: {page.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
