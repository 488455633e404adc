"""The portfolio, the response, the solver and the name."""

from __future__ import annotations

from pathlib import Path

import pytest

from allocator.records.strategy import SolverSettings
from allocator.scenario import load_document, load_scenario
from tests.scenario.conftest import BASE, Faults, Write

SOURCES = {
    "borrowers.csv": ("csv", "borrowers.csv", ",", "."),
    "Borrowers.CSV": ("csv", "Borrowers.CSV", ",", "."),
    "book.parquet": ("parquet", "book.parquet", ",", "."),
    "book.xlsx": ("xlsx", "book.xlsx", ",", "."),
    '{csv: book.txt, sep: ";", decimal: ","}': ("csv", "book.txt", ";", ","),
    '{csv: book.txt, sep: "\\t"}': ("csv", "book.txt", "\t", "."),
    "{parquet: book.txt}": ("parquet", "book.txt", ",", "."),
    "{xlsx: book.txt}": ("xlsx", "book.txt", ",", "."),
}

NO_SOURCES = {
    "book.ods": (
        "portfolio.source: 'book.ods' does not end in .csv, .csv.gz, .parquet or .xlsx; "
        "name the format, as {csv: FILE}, {parquet: FILE} or {xlsx: FILE}"
    ),
    "[borrowers.csv]": "portfolio.source: expected text, found a list; write one text",
    "{sep: x}": "portfolio.source.csv: the key is missing; add `csv: borrowers.csv`",
    "{csv: borrowers.csv, xlsx: book.xlsx}": (
        "portfolio.source.xlsx: unknown key 'xlsx'; "
        "the keys here are csv, sep, decimal, thousands, skip, encoding"
    ),
    "{csv: borrowers.csv, sep: tab}": (
        'portfolio.source.sep: \'tab\' is not one character; write one in quotes, as ";" or "\\t"'
    ),
    "{csv: borrowers.csv, decimal: ','}": (
        "portfolio.source.decimal: ',' is both decimal sign and separator; write another sep, as \";\""
    ),
    **{
        f"{{csv: borrowers.csv, encoding: {name}}}": (
            f"portfolio.source.encoding: no encoding is called '{name}'; "
            "write one such as utf-8, gbk, gb18030, big5, shift_jis, cp1252 or latin-1"
        )
        for name in ("klingon", "rot13", "base64", "undefined", "idna", "unicode_escape")
    },
    "{sql: 'sqlite:///book.db'}": (
        "portfolio.source.query: the key is missing; add `query: SELECT * FROM borrowers`"
    ),
}


@pytest.mark.parametrize("source", SOURCES)
def test_sources(source: str, write: Write, tmp_path: Path) -> None:
    kind, name, separator, decimal = SOURCES[source]
    write(name, "")

    portfolio = load_scenario(write("case.yaml", BASE.replace("borrowers.csv", source))).portfolio

    assert (portfolio.kind, portfolio.path) == (kind, tmp_path / name)
    assert (portfolio.separator, portfolio.decimal) == (separator, decimal)


@pytest.mark.parametrize("source", NO_SOURCES)
def test_no_sources(source: str, faults: Faults, tmp_path: Path) -> None:
    for name in ("book.ods", "book.xlsx"):
        (tmp_path / name).touch()

    assert faults(BASE.replace("borrowers.csv", source)) == [f"case.yaml, line 3, {NO_SOURCES[source]}"]


def test_columns_and_defaults(write: Write) -> None:
    given = (
        "columns: {borrower_id: id, max_amount: request}\n  defaults: {lgd: 45%, exclude: false, exposure: 5}"
    )
    portfolio = load_scenario(write("case.yaml", BASE.replace("defaults: {lgd: 50%}", given))).portfolio

    assert portfolio.columns == {"borrower_id": "id", "max_amount": "request"}
    assert portfolio.defaults == {"lgd": 0.45, "exclude": False, "exposure": 5.0, "term_years": 1.0}


def test_the_policy_s_term_is_that_of_borrowers_without_one(write: Write, base: str) -> None:
    path = write("case.yaml", base)

    assert load_scenario(path, ["policy.term_years=2"]).portfolio.defaults["term_years"] == 2.0
    sets = ["policy.term_years=2", "portfolio.defaults.term_years=3"]
    assert load_scenario(path, sets).portfolio.defaults["term_years"] == 3.0


def test_pd_comes_from_one_place(write: Write, faults: Faults) -> None:
    by_grade = BASE.replace("response:", "  pd_by_grade: {A: 0.5%, B: 2%}\nresponse:")

    assert load_scenario(write("case.yaml", by_grade)).portfolio.pd_by_grade == {"A": 0.005, "B": 0.02}
    assert faults(by_grade, ["portfolio.defaults.pd=1%"]) == [
        "case.yaml, line 5, portfolio.pd_by_grade: defaults.pd also says what a missing column pd is; "
        "keep pd_by_grade or defaults.pd, not both"
    ]


def test_the_solver_s_settings(write: Write, base: str) -> None:
    path = write("case.yaml", base)

    assert load_scenario(path).solver == SolverSettings("auto", 1e-9, 60.0, 2, 0)
    sets = ["solver={method: reduced, gap: 1.0e-6, time_limit: 0.5, threads: 1, seed: 3, memory: 1.5gb}"]
    assert load_scenario(path, sets).solver == SolverSettings("reduced", 1e-6, 0.5, 1, 3, 1.5e9)


@pytest.mark.parametrize("name", ["sme-100m", "2026.q1_B", "März", "1"])
def test_names_of_folders(name: str, write: Write, base: str) -> None:
    assert load_scenario(write("case.yaml", base), [f"name={name}"]).name == name


@pytest.mark.parametrize("name", ["", "..", ".hidden", "-x", "a b", "a/b", "a" * 101])
def test_names_of_no_folders(name: str, faults: Faults) -> None:
    (told,) = faults(BASE, [f'name="{name}"'])

    assert told.startswith("--set, name: ")


def test_a_file_without_a_name_gives_its_own(write: Write, base: str) -> None:
    assert load_scenario(write("q1.2026.yaml", base)).name == "q1.2026"


def test_a_file_whose_name_is_no_folder_s_is_told(write: Write, base: str, tmp_path: Path) -> None:
    path = write("q1 (2).yaml", base)

    with pytest.raises(Exception, match=r"write `name: q1-2`") as caught:
        load_scenario(path)
    assert str(path) in str(caught.value)


def test_python_s_numbers_are_numbers_and_flags_are_not(write: Write, tmp_path: Path) -> None:
    write("unused.yaml", "")
    document = {
        "schema": 1,
        "portfolio": {"source": Path("borrowers.csv"), "defaults": {"lgd": 0.5}},
        "response": {"churn": tmp_path / "churn.csv"},
        "policy": {
            "budget": {"amount": 10**8},
            "ticket": {"min": 1e5, "max": "1_000_000"},
            "rates": {"A": (0.04, "11%")},
            "limits": [{"name": "x", "measure": "loans", "at_least": 3, "where": {"sector": 7}}],
        },
    }

    scenario = load_document(document, tmp_path)

    assert (scenario.name, scenario.path) == ("scenario", None)
    assert scenario.policy.budget.amount == 1e8
    assert scenario.policy.rates == {"A": (0.04, 0.11)}
    assert scenario.policy.limits[0].where[0].values == ("7",)
    with pytest.raises(Exception, match=r"policy\.budget\.amount: true is not"):
        load_document({**document, "policy": {"budget": {"amount": True}}}, tmp_path)
