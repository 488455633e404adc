"""A run's folder: whole or not at all, replaced only when that is asked for."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pandas as pd
import pytest

from allocator.errors import InputError, OutputError
from allocator.intake import take, watched
from allocator.store import default_folder, folder, is_run, placing, read_run, require_free, write_run
from allocator.store.file import text_content, write_files
from tests.store.runs import SCENARIO_TEXT, made_run

FILES = {"summary.json", "allocation.csv", "certificate.json", "scenario.json", "scenario.yaml", "solver.log"}


def write(place: Path, *, force: bool = False, **made: object) -> Path:
    return write_run(made_run(**made), place, scenario_text=SCENARIO_TEXT, force=force)  # type: ignore[arg-type]


def entries(place: Path) -> set[str]:
    return {path.name for path in place.iterdir()}


def test_a_run_has_its_files_and_nothing_stays_beside_it(tmp_path: Path) -> None:
    written = write(tmp_path / "run")
    assert written == tmp_path / "run"
    assert entries(written) == FILES
    assert entries(tmp_path) == {"run"}
    assert (written / "scenario.yaml").read_text() == SCENARIO_TEXT
    assert (written / "solver.log").read_text() == "solver said: fine\n"
    assert json.loads((written / "summary.json").read_text())["status"] == "optimal"
    assert is_run(written)


def test_parents_are_made(tmp_path: Path) -> None:
    assert is_run(write(tmp_path / "a" / "b" / "run"))


def test_the_folder_has_ordinary_permissions(tmp_path: Path) -> None:
    ordinary = tmp_path / "ordinary"
    ordinary.mkdir()
    assert write(tmp_path / "run").stat().st_mode == ordinary.stat().st_mode


def test_many_borrowers_are_written_as_parquet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "PARQUET_FROM", 8)
    written = write(tmp_path / "run")
    assert entries(written) == FILES - {"allocation.csv"} | {"allocation.parquet"}
    assert list(pd.read_parquet(written / "allocation.parquet")["amount"]) == list(
        made_run().allocation["amount"]
    )


def test_an_existing_run_is_kept_without_force(tmp_path: Path) -> None:
    write(tmp_path / "run", seed=1)
    before = (tmp_path / "run" / "allocation.csv").read_bytes()
    with pytest.raises(OutputError, match=r"is taken\n.*holds a run already; give --force to replace it"):
        write(tmp_path / "run", seed=2)
    assert (tmp_path / "run" / "allocation.csv").read_bytes() == before
    assert entries(tmp_path) == {"run"}


def test_force_replaces_the_whole_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(folder, "PARQUET_FROM", 8)
        write(tmp_path / "run")
    write(tmp_path / "run", force=True)
    assert entries(tmp_path / "run") == FILES
    assert entries(tmp_path) == {"run"}


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_that_is_no_run_is_never_replaced(tmp_path: Path, force: bool) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("years of work")
    with pytest.raises(OutputError, match="stands for a folder that is not a run"):
        write(tmp_path / "thesis", force=force)
    with pytest.raises(InputError, match="stands for a folder that is not a run; name a folder"):
        require_free(tmp_path / "thesis", force)
    assert (tmp_path / "thesis" / "chapter.tex").read_text() == "years of work"


def test_a_file_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file")
    with pytest.raises(InputError, match="stands for a file"):
        require_free(tmp_path / "run", True)


def test_a_link_to_a_run_stays_a_link(tmp_path: Path) -> None:
    write(tmp_path / "2026-11")
    (tmp_path / "latest").symlink_to("2026-11")
    assert write(tmp_path / "latest", force=True, seed=3) == tmp_path / "2026-11"
    assert (tmp_path / "latest").is_symlink()
    assert entries(tmp_path) == {"2026-11", "latest"}


def test_a_free_place_passes_and_nothing_is_left_there(tmp_path: Path) -> None:
    require_free(tmp_path / "a" / "run", False)
    assert entries(tmp_path) == set()


@pytest.mark.parametrize("place", ["file/run", "file/deeper/run", "loop/run", "x" * 300, "x" * 250])
def test_a_place_that_cannot_be_written_is_bad_input(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "loop").symlink_to("loop")
    for attempt in (lambda: require_free(tmp_path / place, False), lambda: write(tmp_path / place)):
        with pytest.raises(InputError, match=r"no folder can be made here: .*; name a folder"):
            attempt()
    assert entries(tmp_path) == {"file", "loop"}


def test_a_read_only_folder_is_bad_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, *_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(InputError, match="no folder can be made here: Permission denied"):
        require_free(tmp_path / "run", False)
    with pytest.raises(InputError, match="no folder can be made here: Permission denied"):
        write(tmp_path / "run")


@pytest.mark.parametrize("file", sorted(FILES))
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_full_disk_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, code: int
) -> None:
    write(tmp_path / "run", seed=1)
    before = (tmp_path / "run" / "allocation.csv").read_bytes()
    opened = Path.open

    def fail(path: Path, *arguments: object, **options: object) -> object:
        if path.name == file and "partial" in path.parent.name:
            raise OSError(code, os.strerror(code), str(path))
        return opened(path, *arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", fail)
    remedy = "write elsewhere" if code == errno.EIO else "free some space or write elsewhere"
    with pytest.raises(OutputError, match=f"writing failed: {os.strerror(code)}; {remedy}"):
        write(tmp_path / "run", force=True, seed=2)
    monkeypatch.undo()
    assert (tmp_path / "run" / "allocation.csv").read_bytes() == before
    assert entries(tmp_path) == {"run"}


def test_a_limit_on_file_size_is_told_as_a_full_disk(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(OutputError, match="writing failed: File too large; free some space"):
            write(tmp_path / "run", borrowers=2_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert entries(tmp_path) == set()


@pytest.mark.parametrize("seam", ["_sync", "_swap"])
@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
def test_an_interruption_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seam: str, interruption: type[BaseException]
) -> None:
    def interrupt(*_: Path) -> None:
        raise interruption

    monkeypatch.setattr(placing, seam, interrupt)
    with pytest.raises(interruption):
        write(tmp_path / "run")
    assert entries(tmp_path) == set()


def test_an_interruption_between_the_renames_puts_the_old_run_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "run", seed=1)
    before = (tmp_path / "run" / "allocation.csv").read_bytes()
    rename = Path.rename

    def fail(path: Path, target: Path) -> Path:
        if path.suffix == ".partial" and target.name == "run":
            raise KeyboardInterrupt
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "run", force=True, seed=2)
    assert (tmp_path / "run" / "allocation.csv").read_bytes() == before
    assert entries(tmp_path) == {"run"}


def test_what_killed_writers_left_is_cleaned_up_and_nothing_else(tmp_path: Path) -> None:
    others = {".run.x.0123abcd.partial", ".run.mine.partial", ".other.0123abcd.partial"}
    for name in {".run.0123abcd.partial", *others}:
        (tmp_path / name).mkdir()
        (tmp_path / name / "summary.json").write_text("{}")
    (tmp_path / ".run.lock").touch()
    write(tmp_path / "run")
    assert entries(tmp_path) == {"run", *others}


def test_a_run_put_aside_by_a_killed_writer_comes_back(tmp_path: Path) -> None:
    write(tmp_path / "run", seed=1)
    (tmp_path / "run").rename(tmp_path / ".run.0123abcd.replaced")
    with pytest.raises(OutputError, match="holds a run already"):
        write(tmp_path / "run", seed=2)
    assert entries(tmp_path) == {"run"}
    assert read_run(tmp_path / "run").allocation["amount"].equals(made_run(seed=1).allocation["amount"])


def test_a_second_writer_waits_and_then_finds_the_folder_taken(tmp_path: Path) -> None:
    lock = os.open(tmp_path / ".run.lock", os.O_CREAT | os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    told: list[BaseException] = []

    def second() -> None:
        try:
            write(tmp_path / "run", seed=2)
        except OutputError as error:
            told.append(error)

    thread = threading.Thread(target=second)
    thread.start()
    thread.join(0.2)
    assert thread.is_alive(), "the second writer did not wait"
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "summary.json").touch()
    (tmp_path / "run" / "certificate.json").touch()
    os.close(lock)
    thread.join(10)
    assert "holds a run already" in str(told[0])


def test_writers_at_once_never_mix(tmp_path: Path) -> None:
    def one(seed: int) -> None:
        for _ in range(5):
            write(tmp_path / "run", force=True, borrowers=50, name=f"seed {seed}", seed=seed)

    threads = [threading.Thread(target=one, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    stored = read_run(tmp_path / "run")
    seed = int(stored.summary["name"].removeprefix("seed "))
    assert stored.allocation["amount"].equals(made_run(50, seed=seed).allocation["amount"])
    assert entries(tmp_path) == {"run"}


KILLED = """
import os, sys
from pathlib import Path
from allocator.store import placing
from tests.store.test_folder import write
seam, place = sys.argv[1], Path(sys.argv[2])
def stop(*_):
    print("there", flush=True)
    os.kill(os.getpid(), 19)
setattr(placing, seam, stop)
write(place)
"""


@pytest.mark.parametrize("seam", ["_sync", "_swap"])
def test_a_killed_writer_leaves_nothing_that_looks_whole(tmp_path: Path, seam: str) -> None:
    root = Path(__file__).resolve().parents[2]
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, seam, str(tmp_path / "run")], cwd=root, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"there\n"
    child.send_signal(signal.SIGKILL)
    child.communicate(timeout=10)
    assert not (tmp_path / "run").exists()
    assert all(name.startswith(".run.") for name in entries(tmp_path))
    started = time.monotonic()
    write(tmp_path / "run")
    assert time.monotonic() - started < 5, "the dead writer's lock was waited for"
    assert entries(tmp_path) == {"run"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sme-302", "runs/sme-302-5f5f5f5f5f5f"),
        ("../../etc/passwd", "runs/etc-passwd-5f5f5f5f5f5f"),
        ("贷款 2026", "runs/贷款-2026-5f5f5f5f5f5f"),
        ("/", "runs/run-5f5f5f5f5f5f"),
    ],
)
def test_the_default_folder_is_named_after_scenario_and_digest(name: str, expected: str) -> None:
    assert default_folder(made_run(name=name)) == Path(expected)
    assert default_folder(made_run(name=name, digest="sha256:" + "5f" * 32)) == Path(expected)


def test_nothing_is_replaced_where_an_input_has_changed(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("one")
    write(tmp_path / "run", seed=1)
    before = (tmp_path / "run" / "allocation.csv").read_bytes()
    with watched():
        take(tmp_path / "a.csv")
        (tmp_path / "a.csv").write_text("other")
        with pytest.raises(InputError, match=r"a\.csv: changed while it was in use"):
            write(tmp_path / "run", force=True, seed=2)
        with pytest.raises(InputError, match=r"a\.csv: changed while it was in use"):
            write_files({tmp_path / "b.csv": text_content("from one")})
    assert (tmp_path / "run" / "allocation.csv").read_bytes() == before
    assert entries(tmp_path) == {"run", "a.csv"}
