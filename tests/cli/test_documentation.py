"""docs/commands.md keeps its word: its blocks are run, its tables compared with the code."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from allocator import errors
from allocator.cli.main import app
from tests.cli.conftest import Allocator

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "commands.md").read_text()
SESSION = re.findall(r"```console\n\$ allocator ([^\n]*)\n(.*?)```", PAGE, re.DOTALL)
STATUS = '; echo "exit status $?"'


def test_each_block_shows_what_its_command_prints(
    tmp_path: Path, allocator: Allocator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One folder, where the session goes on from block to block."""
    monkeypatch.chdir(tmp_path)
    assert SESSION
    for command, shown in SESSION:
        outcome = allocator(*shlex.split(command.removesuffix(STATUS)))
        printed = outcome.out + outcome.err
        if command.endswith(STATUS):
            printed += f"exit status {outcome.status}\n"
        pattern = re.escape(shown).replace(re.escape("..."), ".*")
        assert re.fullmatch(pattern, printed, re.DOTALL), f"{command}\n{printed}"


def test_every_command_has_its_row() -> None:
    rows = re.findall(r"^\| `allocator (\w+)", PAGE, re.MULTILINE)
    commands = [command.callback.__name__ for command in app.registered_commands if command.callback]
    assert sorted(rows) == sorted(commands)


def test_every_error_has_its_code_and_status() -> None:
    table = PAGE[PAGE.index("| code | status |") :]
    listed = {
        code: int(status)
        for codes, status in re.findall(r"^\| (`.*`) \| (\d+) \|$", table, re.MULTILINE)
        for code in re.findall(r"`(\w+)`", codes)
    }
    kinds = [errors.AllocatorError, *errors.AllocatorError.__subclasses__()]
    own = {kind.code: kind.exit_status for kind in kinds}
    assert {**listed, **own} == listed
