"""Writes that are killed at a chosen moment, each in a process of its own.

    python -m tests.store.killed KIND FOLDER MOMENTS

KIND is run (a new folder), again (a run that replaces another) or files. Kill -9 comes before or after a call
of a C function: half of the moments are spread over all such calls of the write, half over those around its
renames. What the folder holds afterwards is printed, a line a moment: new, old, none, whole files, or what is
wrong.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from allocator.store import is_run, write_run
from allocator.store.file import text_content, write_files
from tests.store.runs import SCENARIO_TEXT, made_run

OLD, NEW = "old " * 20_000, "new " * 20_000
"""Larger than what is buffered before it is written."""
AROUND = 24
"""Events before the first rename and after the last one."""


class Countdown:
    """Calls `end` at the event of number `at`, and counts all events."""

    def __init__(self, at: int = -1, end: Callable[[], None] = lambda: None) -> None:
        self.seen = 0
        self.renames: list[int] = []
        self._at, self._end = at, end

    def __call__(self, frame: FrameType, event: str, given: Any) -> None:
        if event in ("c_call", "c_return"):
            if self.seen == self._at:
                self._end()
            if given in (os.rename, os.replace):
                self.renames.append(self.seen)
            self.seen += 1


def write(kind: str, place: Path, version: str) -> None:
    """A run, or three files, that say which version they are."""
    if kind == "files":
        text = NEW if version == "new" else OLD
        write_files({place / name: text_content(text) for name in ("a.csv", "b.csv", "c.csv")})
    else:
        run = made_run(400, name=version, seed=len(version))
        write_run(run, place / "run", scenario_text=SCENARIO_TEXT + f"# {version}\n", force=True)


def watched(kind: str, place: Path, countdown: Countdown) -> None:
    """The write of a new version under the eyes of `countdown`."""
    sys.setprofile(countdown)
    try:
        write(kind, place, "new")
    finally:
        sys.setprofile(None)


def killed(kind: str, place: Path, moment: int) -> None:
    """The same, ended by kill -9 at the moment; an ordinary end says that the moment never came."""
    child = os.fork()
    if child == 0:
        watched(kind, place, Countdown(moment, lambda: os.kill(os.getpid(), signal.SIGKILL)))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status) not in (0, -signal.SIGKILL):
        raise RuntimeError(f"the write failed: {status}")


def state(kind: str, place: Path, whole: dict[str, dict[str, bytes]]) -> str:
    """Which version stands, all of it; whatever has a hidden name is nothing."""
    if kind == "files":
        texts = {path.read_text() for path in place.glob("*.csv")}
        return "whole" if texts <= {OLD, NEW} and len(list(place.glob("*.csv"))) == 3 else "torn files"
    if not (place / "run").exists():
        return "none"
    if not is_run(place / "run"):
        return "a folder that is no run"
    found = contents(place / "run")
    return next((version for version, files in whole.items() if files == found), "a torn run")


def contents(run: Path) -> dict[str, bytes]:
    """Every file; the summary without the seconds that writing took."""
    files = {path.name: path.read_bytes() for path in run.iterdir()}
    summary = {**json.loads(files["summary.json"]), "seconds": None}
    return {**files, "summary.json": json.dumps(summary).encode()}


def ready(kind: str, folder: Path) -> None:
    """The folder as the write finds it."""
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    if kind != "run":
        write(kind, folder, "old")


def main(kind: str, folder: Path, moments: int) -> None:
    whole = {}
    for version in ("old", "new"):
        write(kind, folder, version)
        whole[version] = contents(folder / "run") if kind != "files" else {}
    count = Countdown()
    ready(kind, folder)
    watched(kind, folder, count)
    half, first = moments // 2, count.renames[0] - AROUND
    span = count.renames[-1] + AROUND - first
    moments_of = [count.seen * at // half for at in range(half)]
    moments_of += [first + span * at // half for at in range(half)]
    for moment in moments_of:
        ready(kind, folder)
        killed(kind, folder, moment)
        after = state(kind, folder, whole)
        write(kind, folder, "new")  # the next writer tidies up
        left = sorted(path.name for path in folder.iterdir() if kind != "files" and path.name != "run")
        again = state(kind, folder, whole)
        print(after if again in ("new", "whole") and not left else f"{after}, then {again} beside {left}")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
