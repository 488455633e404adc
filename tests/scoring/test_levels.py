"""Levels: one spelling whatever the file's type and the other rows; what a fit has not seen is named."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from allocator.borrowers import scored_table
from allocator.errors import InputError
from allocator.records.scenario import PortfolioSource
from allocator.scoring.churn import fit_churn
from allocator.scoring.declarations import text_columns
from allocator.scoring.fitted import read_fitted, to_document
from allocator.scoring.invoices import invoices_from_frames
from allocator.scoring.levels import level, levels_of, likeness, slips, unseen, unseen_lines
from allocator.scoring.reading import TEXT, DerivedColumn, read_table
from allocator.scoring.scorecard import Scorecard, fit_scorecard
from allocator.scoring.validation import migration
from allocator.scoring.variables import Binning, Variable
from allocator.scoring.workbook import read_firms

ROOT = Path(__file__).resolve().parents[2]
CODES = ("1", "2", "3", "2.5", "-4")


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([1, 1.0, "1", "1.0", np.int8(1), np.float32(1), Decimal("1.00"), b"1"], "1"),
        ([2.5, "2.50", np.float32(2.5), Decimal("2.5")], "2.5"),
        ([0.00001, "0.00001"], "0.00001"),
        ([0, -0.0, "-0", "0.0"], "0"),
        ([True, np.True_, "true", "TRUE"], "True"),
        ([date(2019, 3, 1), pd.Timestamp("2019-03-01"), "2019-03-01 00:00:00"], "2019-03-01"),
        (["001"], "001"),
        (["1e5"], "1e5"),
        ([" A"], " A"),
    ],
)
def test_one_level_has_one_spelling(cells: list[object], expected: str) -> None:
    assert {level(cell) for cell in cells} == {expected}


def test_a_column_of_mixed_types_is_read_cell_by_cell() -> None:
    found = levels_of(pd.Series([True, 1, 1.0, "1", None, "", np.nan], dtype=object))
    assert found.names == ("True", "1")
    assert found.codes.tolist() == [0, 1, 1, 1, -1, -1, -1]
    assert (found.counts.tolist(), found.empty) == ([1, 3], 3)
    assert found.rows_of(["1"])["1"].tolist() == [1, 2, 3]


def test_resemblance_in_words() -> None:
    known = ["Office", "Self", "1"]
    alike = likeness(["office", "Self ", "Offce", "ＳＥＬＦ", "001", "Pilot"], known)
    assert alike == {
        "office": "it differs from 'Office' by capitals",
        "Self ": "it differs from 'Self' by blanks",
        "Offce": "it is almost 'Office'",
        "ＳＥＬＦ": "it differs from 'Self' by the width of its letters",
        "001": "it differs from '1' by leading zeros",
        "Pilot": "",
    }


def test_one_level_is_one_line_however_many_rows() -> None:
    cells = levels_of(pd.Series(["new"] * 1058 + ["A"] + [f"n{i}" for i in range(9)]))
    lines = unseen_lines(unseen("k", cells, ["A"], "'A'", np.linspace(0, 1, 1068)))
    assert lines[0] == (
        "k 'new' was not seen at fit: 1,058 rows (1, 2, 3, 4, 5, ...) counted as 'A', PD 0.00% to 99.06%"
    )
    assert (len(lines), lines[-1]) == (6, "k: 5 further levels are like these, 5 rows")
    assert "\\x1b" in unseen_lines(unseen("k", levels_of(pd.Series(["\x1b[0m"])), [], "A"))[0]


def test_what_a_derived_column_almost_means_is_named() -> None:
    derived = DerivedColumn("far", "state", "not", "CA")
    found = derived.slips(pd.Series(["CA", "ca", "NV", None, " CA"]))
    assert [one.level for one in found] == ["ca", " CA"]
    assert found[0].line() == (
        "state 'ca' is not 'CA': row 2 counted as another level by far; it differs from 'CA' by capitals"
    )
    assert slips("state", levels_of(pd.Series(["NV"])), "CA", "") == []


def _training() -> pd.DataFrame:
    generator = np.random.default_rng(7)
    frame = pd.DataFrame({"x": generator.normal(size=600).round(3), "k": generator.choice(CODES, 600)})
    frame["m"] = np.where(generator.random(600) < 0.2, -9.0, frame["x"]).round(3)
    frame.loc[generator.random(600) < 0.1, "m"] = np.nan
    odds = frame["x"] + (frame["k"] == "3") - 1
    frame["bad"] = (generator.random(600) < 1 / (1 + np.exp(-odds))).astype(int)
    return frame


TRAINING = _training()
DERIVED = (DerivedColumn("three", "k", "is", "3"),)


FITTED: dict[str, tuple[Variable, ...]] = {
    "category": (Variable("x"), Variable("k", "category")),
    "derived": (Variable("x"), Variable("three")),
    "flags and codes": (Variable("m", special=(-9.0,), missing="flag"), Variable("k", "category")),
    "bins": (
        Variable("m", special=(-9.0,), missing="bin", bins=Binning(most=3)),
        Variable("k", "category", bins=Binning(groups=(("1", "2", "3"), ("2.5", "-4")))),
    ),
    "refuse": (Variable("x", transform="log"), Variable("k", "category", unseen="refuse")),
}
POOLS: dict[str, list[Any]] = {
    "x": [-1.25, 0.5, 2, None],
    "m": [-9, -1.5, 0.25, 3, None],
    "k": [*CODES, None],
}
SHIPPED: dict[str, list[Any]] = {
    **{name: [0, 1, 7, None] for name in ("NoEmp", "CreateJob", "RetainedJob", "FranchiseCode")},
    "New": [0, 1, None], "Portion": [0.5, 0.75, None], "GrAppv": [20_000, 51_234.5, None],
    "UrbanRural": ["0", "1", "2", None], "RevLineCr": ["Y", "N", "0", "T", None],
    "LowDoc": ["Y", "N", None], "BankState": ["CA", "NV", None],
}  # fmt: skip
ENDINGS = ("csv", "csv.gz", "parquet", "xlsx", "sqlite", "frame")


@pytest.fixture(scope="module", params=["category", "derived"])
def card(request: pytest.FixtureRequest) -> Scorecard:
    """A logit of x and k, as a category or through a column derived from it."""
    return _fitted(request.param)


@cache
def _fitted(name: str) -> Scorecard:
    """A fitted card of each kind, or the shipped one."""
    if name == "shipped":
        shipped = read_fitted(ROOT / "models" / "scorecards" / "sba-california-v1.json")
        assert isinstance(shipped, Scorecard)
        return shipped
    used = DERIVED if name == "derived" else ()
    return fit_scorecard(TRAINING, TRAINING["bad"], FITTED[name], derived=used)


def _pds(frame: pd.DataFrame, ending: str, folder: Path, card: Scorecard) -> np.ndarray:
    """PDs of `frame` once it was written to a file, or a database, and read again."""
    path = folder / f"rows.{ending}"
    text = text_columns([one.variable for one in card.preparation.columns], (), card.derived)
    match ending:
        case "parquet":
            _of_one_type(frame).to_parquet(path)
        case "xlsx":
            frame.to_excel(path, index=False)
        case "sqlite":
            with closing(sqlite3.connect(path)) as base:
                frame.to_sql("loans", base, index=False, if_exists="replace")
            (folder / "card.json").write_text(json.dumps({"schema": 1, **to_document(card)}))
            source = PortfolioSource("sql", url=f"sqlite:///{path}", query="select * from loans")
            scored = scored_table(source, folder / "card.json").table
            return np.asarray(scored.column("pd").to_numpy())
        case "frame":
            return card.apply(frame)["pd"].to_numpy()
        case _:
            frame.to_csv(path, index=False)
    return card.apply(read_table(path, (*TEXT, *text)))["pd"].to_numpy()


def _of_one_type(frame: pd.DataFrame) -> pd.DataFrame:
    """Texts for the cells of a column that has texts and numbers, which Parquet does not hold."""
    mixed = [name for name in frame if frame[name].map(lambda cell: isinstance(cell, str)).any()]
    return frame.assign(**{name: frame[name].map(str, na_action="ignore") for name in mixed})


ROWS = st.lists(
    st.tuples(st.floats(-3, 3).map(lambda x: round(x, 3)), st.sampled_from(CODES)), min_size=2, max_size=6
)
SLOW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("name", [*FITTED, "shipped"])
@SLOW
@given(ending=st.sampled_from(ENDINGS), numeric=st.booleans(), data=st.data())
def test_a_cell_of_one_row_changes_no_other_row(
    name: str, ending: str, numeric: bool, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    card, pools = _fitted(name), SHIPPED if name == "shipped" else POOLS
    rows = st.lists(st.fixed_dictionaries({key: st.sampled_from(pool) for key, pool in pools.items()}),
                    min_size=2, max_size=5)  # fmt: skip
    frame = pd.DataFrame(data.draw(rows), columns=list(pools), dtype=object)
    row, key = data.draw(st.integers(0, len(frame) - 1)), data.draw(st.sampled_from(list(pools)))
    texts = isinstance(pools[key][0], str)
    strange = ["A01", "true", "1.50"] if texts and name != "refuse" else []
    changed = frame.copy()
    changed.loc[row, key] = data.draw(st.sampled_from([*pools[key], *strange, *(["1.0"] if texts else [])]))
    folder = tmp_path_factory.mktemp("rows")
    before, after = (
        _pds(_as_numbers(one) if numeric else one, ending, folder, card) for one in (frame, changed)
    )
    others = np.arange(len(frame)) != row
    np.testing.assert_array_equal(after[others], before[others])


def _as_numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """`frame` with columns of numbers where every cell of a column can be one."""
    return pd.DataFrame({name: _numbers(frame[name]) for name in frame})


def _numbers(cells: pd.Series) -> pd.Series:
    read = pd.to_numeric(cells, errors="coerce")
    return read if (read.notna() == cells.notna()).all() else cells


@SLOW
@given(rows=ROWS)
def test_numbers_and_texts_of_every_file_have_the_same_pd(
    rows: list[tuple[float, str]], tmp_path_factory: pytest.TempPathFactory, card: Scorecard
) -> None:
    frame = pd.DataFrame(rows, columns=["x", "k"])
    folder = tmp_path_factory.mktemp("rows")
    wanted = card.apply(frame)["pd"].to_numpy()
    for typed in (frame, frame.assign(k=frame["k"].astype(float)), frame.assign(k=frame["k"].map(Decimal))):
        np.testing.assert_array_equal(card.apply(typed)["pd"].to_numpy(), wanted)
        np.testing.assert_array_equal(_pds(typed, "parquet", folder, card), wanted)
    for ending in ("csv", "xlsx"):
        np.testing.assert_array_equal(
            _pds(frame.assign(k=frame["k"].astype(float)), ending, folder, card), wanted
        )


@pytest.mark.parametrize("cells", [[1, 2, 2], [1.0, 2.0, np.nan], ["1", "2.0", "2"]])
def test_a_fit_learns_the_same_levels_from_every_type(cells: list[object]) -> None:
    frame = pd.DataFrame({"x": np.tile([0.0, 1.0, 3.0], 40), "k": cells * 40})
    y = pd.Series(np.tile([0, 0, 0, 1, 1], 24))
    levels = fit_scorecard(frame, y, [Variable("k", "category")]).preparation.columns[0].levels
    assert set(levels) - {"other", ""} == {"1", "2"}


def test_firms_of_every_type_are_the_same_and_faults_are_told_once_a_cause() -> None:
    rows = {"enterprise_id": [1.0, 2.0], "rating": ["A ", "B"], "default": [1.0, 0.0]}
    firms = read_firms(pd.DataFrame(rows), "f.csv")
    assert firms.to_dict("list") == {"enterprise_id": ["1", "2"], "rating": ["A", "B"], "default": [1, 0]}
    many = 1058
    faulty = pd.DataFrame({"enterprise_id": range(many + 1), "rating": ["b"] * many + [None], "default": 1})
    with pytest.raises(InputError) as caught:
        read_firms(faulty, "f.csv")
    assert [str(fault) for fault in caught.value.faults] == [
        "f.csv, row 1059, rating: is empty; the grades are A, B, C, D",
        "f.csv, row 1, rating: 'b' is no grade: it differs from 'B' by capitals, in 1,058 rows: 1, 2, 3, 4, "
        "5, ...; the grades are A, B, C, D",
    ]


def test_a_blank_status_leaves_the_other_invoices_as_they_were() -> None:
    frame = pd.DataFrame({name: ["x"] * 3 for name in ("enterprise_id", "counterparty_id")})
    frame = frame.assign(date="2019-01-02", amount=1.0, tax=0.0, total=1.0, valid=[1.0, 0.0, np.nan])
    with pytest.raises(InputError) as caught:
        invoices_from_frames(frame, frame.assign(valid=["1", "0", "paid"]))
    assert [(fault.row, fault.problem) for fault in caught.value.faults] == [
        (3, "is empty"),
        (3, "'paid' is no invoice status"),
    ]
    read = invoices_from_frames(frame[:2], frame[:2].assign(valid=[1, 0]))
    assert read.purchases["valid"].tolist() == read.sales["valid"].tolist() == [True, False]


def test_grades_before_are_matched_by_level_and_named_where_they_are_none() -> None:
    after = pd.Series(["1", "2", "1"])
    moved = migration(pd.Series([1.0, 2.0, np.nan]), after, ["1", "2"])
    assert moved["n"].tolist() == [1, 1]
    told = "row 1, before: 'a' is no class: it differs from 'A' by capitals, in 2 rows: 1, 2"
    with pytest.raises(InputError, match=told):
        migration(pd.Series(["a", "a"]), pd.Series(["A", "A"]), ["A", "B"])


def test_a_grade_in_two_spellings_makes_no_two_churn_curves() -> None:
    offers = pd.DataFrame({"rate": [0.04, 0.05, 0.06] * 4, "grade": ["A", "A "] * 6, "left": [0, 1] * 6})
    with pytest.raises(InputError, match="grade: 'A ' is a value of its own: it differs from 'A' by blanks"):
        fit_churn(offers)
    shares = pd.DataFrame({"rate": [0.04, 0.05], "A": [0.0, 0.1], "a": [0.0, 0.1]})
    with pytest.raises(InputError, match="'a' is a value of its own: it differs from 'A' by capitals"):
        fit_churn(shares)
