"""Paths, their variables, and what never leaves the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from allocator.errors import InputError
from allocator.records.document import relative
from allocator.scenario import dump_scenario, load_scenario
from allocator.scenario.paths import absolute, expand
from tests.scenario.conftest import BASE, Faults, Write

SQL = '{sql: "${DB_URL}", query: SELECT * FROM borrowers}'


def test_variables_are_filled_in_and_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERE", "here")
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.delenv("GONE", raising=False)

    assert expand("${HERE}/$HERE/x") == ("here/$HERE/x", ())
    assert expand("${GONE}${EMPTY}${GONE}${}") == ("", ("GONE", "EMPTY", "${}"))


def test_paths_go_and_come_back_with_their_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA", "/data")
    monkeypatch.setenv("SUB", "sub")
    folder = tmp_path / "run"

    for raw, whole in {
        "../b.csv": f"{tmp_path}/b.csv",
        "/data/x/../b.csv": "/data/b.csv",
        "${DATA}/../b.csv": "${DATA}/../b.csv",
        "a/../${SUB}/../b.csv": f"{folder}/${{SUB}}/../b.csv",
    }.items():
        assert absolute(raw, folder) == whole
        assert absolute(relative(whole, tmp_path), tmp_path) == whole


def test_a_relative_folder_in_a_variable_starts_from_the_working_directory(
    write: Write, base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, folder in (("data/borrowers.csv", tmp_path), ("churn2.csv", tmp_path / "scenarios")):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    text = base.replace("borrowers.csv", '"${DATA}/borrowers.csv"')
    text = text.replace("churn.csv", '"churn${NUMBER}.csv"')
    path = write("scenarios/case.yaml", text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA", "data")
    monkeypatch.setenv("NUMBER", "2")

    scenario = load_scenario(path)

    assert scenario.portfolio.path == tmp_path / "data" / "borrowers.csv"
    assert scenario.response.churn == tmp_path / "scenarios" / "churn2.csv"
    assert "source: ${DATA}/borrowers.csv\n" in dump_scenario(scenario, tmp_path / "elsewhere")

    monkeypatch.chdir(tmp_path / "scenarios")
    with pytest.raises(
        InputError, match=f"does not exist; check the path, which starts from {tmp_path}/scen"
    ):
        load_scenario(path)


def test_missing_variables_files_and_folders_are_told(
    faults: Faults, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GONE", raising=False)
    (tmp_path / "curves").mkdir()
    text = BASE.replace("borrowers.csv", '"${GONE}/borrowers.csv"')

    assert faults(text.replace("churn.csv", "curves")) == [
        "case.yaml, line 3, portfolio.source: environment variable GONE is not set or empty; "
        "set it before you start the command",
        "case.yaml, line 5, response.churn: curves is a folder, expected a file; "
        "check the path, which starts from FOLDER",
    ]
    assert faults(BASE.replace("borrowers.csv", "{csv: nowhere.csv}").replace("churn.csv", "curve.csv")) == [
        "case.yaml, line 3, portfolio.source.csv: nowhere.csv does not exist; "
        "check the path, which starts from FOLDER",
        "case.yaml, line 5, response.churn: curve.csv does not exist; "
        "check the path, which starts from FOLDER",
    ]


def test_a_fault_does_not_show_what_a_variable_holds(faults: Faults, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_URL", "postgresql://bank:secret@host/book.csv")

    (told,) = faults(BASE.replace("borrowers.csv", '"${DB_URL}"'))[:1]

    assert "${DB_URL} does not exist" in told
    assert "secret" not in told


def test_an_impossible_path_is_told_as_missing(faults: Faults) -> None:
    for name in ('"a\\0b.csv"', "x" * 5000 + ".csv"):
        (told,) = faults(BASE.replace("borrowers.csv", name))
        assert "does not exist; check the path" in told


def test_a_database_url_is_filled_in_and_never_written(
    write: Write, base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("case.yaml", base.replace("borrowers.csv", SQL))
    monkeypatch.setenv("DB_URL", "postgresql://bank:secret@host/book")

    scenario = load_scenario(path)

    assert (scenario.portfolio.kind, scenario.portfolio.path) == ("sql", None)
    assert scenario.portfolio.url == "postgresql://bank:secret@host/book"
    assert scenario.portfolio.query == "SELECT * FROM borrowers"
    assert "secret" not in repr(scenario)
    assert "sql: ${DB_URL}\n" in dump_scenario(scenario, tmp_path)

    monkeypatch.delenv("DB_URL")
    with pytest.raises(
        InputError, match=r"line 3, portfolio.source.sql: environment variable DB_URL is not set"
    ):
        load_scenario(path)


ADDRESSES = {
    "sqlite:///books/loans.db": "sqlite:///{}/books/loans.db",
    "sqlite:///../loans.db?timeout=5": "sqlite:///{.parent}/loans.db?timeout=5",
    "sqlite:///file:loans.db?uri=true": "sqlite:///file:{}/loans.db?uri=true",
    "sqlite+pysqlite:///loans.db": "sqlite+pysqlite:///{}/loans.db",
    "sqlite:////books/loans.db": "sqlite:////books/loans.db",
    "sqlite:///:memory:": "sqlite:///:memory:",
    "sqlite://": "sqlite://",
    "postgresql://bank@host/loans.db": "postgresql://bank@host/loans.db",
}


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_database_file_starts_from_the_scenarios_folder(
    address: str, write: Write, base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = f'{{sql: "{address}", query: SELECT 1, time_limit: 7}}'
    path = write("case.yaml", base.replace("borrowers.csv", source))
    monkeypatch.chdir("/")
    scenario = load_scenario(path)
    expected = ADDRESSES[address].format(path.parent.resolve())
    assert (scenario.portfolio.url, scenario.portfolio.query_limit) == (expected, 7.0)
    below = tmp_path / "runs" / "one"
    below.mkdir(parents=True)
    (below / "scenario.yaml").write_text(dump_scenario(scenario, below))
    assert load_scenario(below / "scenario.yaml").portfolio == scenario.portfolio
    if expected != address and address.startswith("sqlite:///books"):
        assert "sqlite:///../../books/loans.db" in (below / "scenario.yaml").read_text()
