"""Every file is read once, and who changes it meanwhile is found out."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from allocator import intake
from allocator.errors import InputError
from allocator.intake import (
    content_hash,
    list_files,
    one_reading,
    require_unchanged,
    take,
    take_bytes,
    watched,
)
from allocator.portfolio import fingerprint
from allocator.records.scenario import PortfolioSource
from allocator.tables import open_source

CHANGED = "changed while it was in use; start again when nobody writes to it"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "a.csv").write_bytes(b"one")
    return tmp_path / "a.csv"


def replace(file: Path, content: bytes) -> None:
    """Another file under the name of this one, as most programs save."""
    other = file.with_suffix(".new")
    other.write_bytes(content)
    os.replace(other, file)


@pytest.mark.parametrize("content", [b"", b"one", os.urandom(100_000)])
def test_bytes_and_their_hash(file: Path, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "_PIECE", 4_096)
    file.write_bytes(content)
    assert take_bytes(file) == bytes(take(file)) == content
    assert content_hash(file) == f"sha256:{hashlib.sha256(content).hexdigest()}"


def test_one_reading_gives_the_same_bytes_to_all(file: Path) -> None:
    with one_reading():
        first = take(file)
        replace(file, b"two")
        with one_reading():
            assert take(file) is first
        assert content_hash(file) == f"sha256:{hashlib.sha256(b'one').hexdigest()}"
    assert take_bytes(file) == b"two"


@pytest.mark.parametrize("change", ["replaced", "written to", "removed"])
def test_a_file_that_changes_is_named(file: Path, change: str) -> None:
    with watched():
        take(file)
        if change == "replaced":
            replace(file, b"two")
        elif change == "written to":
            file.write_bytes(b"two")
        else:
            file.unlink()
        with watched(), pytest.raises(InputError) as raised:
            require_unchanged()
    assert [str(fault) for fault in raised.value.faults] == [f"{file}: {CHANGED}"]


def test_a_file_that_comes_to_a_folder_is_named(file: Path) -> None:
    def found() -> tuple[Path, ...]:
        return tuple(sorted(file.parent.glob("*.csv")))

    new = file.with_name("b.csv")
    told = f"{new}: was added while its folder was in use; start again when nobody writes there"
    with watched():
        assert list_files(file.parent, found) == (file,)
        require_unchanged()
        assert list_files(file.parent, found) == (file,)
        new.touch()
        for again in (require_unchanged, lambda: list_files(file.parent, found)):
            with pytest.raises(InputError) as raised:
                again()
            assert [str(fault) for fault in raised.value.faults] == [told]
        new.unlink()
        require_unchanged()
    new.touch()
    assert list_files(file.parent, found) == (file, new)


def test_a_part_that_comes_while_a_folder_is_read_is_named(tmp_path: Path) -> None:
    """Neither read nor counted: the hash is of other parts than the figures, or of fewer than there are."""
    first, new = tmp_path / "1.parquet", tmp_path / "grade=A" / "2.parquet"
    parquet.write_table(pa.table({"borrower_id": ["E1"]}), first)
    source = PortfolioSource("parquet", tmp_path)
    with watched():
        open_source(source)
        new.parent.mkdir()
        new.write_bytes(first.read_bytes())
        with pytest.raises(InputError, match="was added while its folder was in use"):
            fingerprint(source)
        with pytest.raises(InputError, match=r"2\.parquet"):
            require_unchanged()


def test_a_file_that_is_only_touched_is_unchanged(file: Path) -> None:
    with watched():
        take(file)
        os.utime(file, (1, 1))
        replace(file, b"one")
        require_unchanged()


def test_a_file_that_has_changed_between_two_readings_is_named(file: Path) -> None:
    with watched():
        take(file)
        replace(file, b"two")
        with pytest.raises(InputError, match=CHANGED):
            take(file)
    take(file)


@pytest.mark.parametrize("written", [b"more", b""])
def test_a_file_that_changes_while_it_is_read_is_named(
    file: Path, written: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = hashlib.sha256

    def meddled(*given: bytes) -> object:
        file.write_bytes(written)
        return plain(*given)

    monkeypatch.setattr(hashlib, "sha256", meddled)
    with pytest.raises(InputError, match=CHANGED):
        take(file)


def test_only_files_of_a_size_are_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(file.with_name("pipe"))
    with pytest.raises(OSError, match="Not a regular file"):
        take(file.with_name("pipe"))
    with pytest.raises(OSError, match="Not a regular file"):
        take(Path("/dev/zero"))
    with pytest.raises(IsADirectoryError):
        take(file.parent)
    monkeypatch.setattr(intake, "LARGEST", 2)
    with pytest.raises(OSError, match="Larger than"):
        take(file)
