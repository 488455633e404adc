"""Cells as a table has them: values, empty cells and codes, and which of these have a column of their own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allocator.errors import Fault, InputError
from allocator.scoring.declarations import read_declarations
from allocator.scoring.fitted import read_fitted, to_document
from allocator.scoring.preparing import prepare
from allocator.scoring.reading import DerivedColumn
from allocator.scoring.score import scores
from allocator.scoring.scorecard import Scorecard, fit_scorecard
from allocator.scoring.variables import Missing, NumberColumn, Variable, cells_of, own_states


@pytest.fixture
def book() -> pd.DataFrame:
    """1,000 firms: an empty income, and more so the code -9, goes with default; some have no town."""
    generator = np.random.default_rng(5)
    income = generator.normal(size=1000)
    state = generator.choice(["known", "empty", "code"], 1000, p=[0.7, 0.2, 0.1])
    odds = -1 - income * (state == "known") + 1.5 * (state == "empty") + 3 * (state == "code")
    frame = pd.DataFrame(
        {"income": np.where(state == "known", income, np.where(state == "code", -9, np.nan))}
    )
    frame["other"] = generator.normal(size=1000)
    frame["town"] = pd.Series(generator.choice(["a", "b"], 1000)).where(state != "empty")
    frame["bad"] = (generator.random(1000) < 1 / (1 + np.exp(-odds))).astype(int)
    return frame


def test_a_cell_holds_a_value_or_a_state(book: pd.DataFrame) -> None:
    cells = cells_of(Variable("income", special=(-9, -8)), book, [])
    assert isinstance(cells, NumberColumn)
    assert cells.names == ("", "-9", "-8")
    empty, coded = int(book["income"].isna().sum()), int((book["income"] == -9).sum())
    assert cells.counts.tolist() == [empty, coded, 0]
    assert np.isnan(cells.values).sum() == empty + coded
    assert cells.in_state("", ["-9"]).sum() == empty
    assert cells.in_state("", []).sum() == empty + coded


@pytest.mark.parametrize(
    ("missing", "counts", "own"),
    [
        (None, [("", 30), ("-9", 50)], ("", "-9")),
        (None, [("", 29), ("-9", 50)], ("-9",)),  # 1 % of 3,000 rows
        (None, [("", 25), ("-9", 5)], ("",)),  # a rare code counts as empty
        ("flag", [("", 20), ("-9", 0)], ("",)),
        ("flag", [("", 19), ("-9", 0)], ()),
        ("median", [("", 900), ("-9", 900)], ()),
    ],
)
def test_what_has_a_column_of_its_own(
    missing: Missing | None, counts: list[tuple[str, int]], own: tuple[str, ...]
) -> None:
    assert own_states(Variable("x", missing=missing), 3000, counts) == own


def test_flags_tell_what_the_median_hides(book: pd.DataFrame) -> None:
    y = book["bad"]
    card = fit_scorecard(book, y, [Variable("income", special=(-9,)), Variable("other")])
    assert card.preparation.names == ("income", "income is missing", "income is -9", "other")
    wald = card.wald()
    assert wald["estimate"].to_numpy()[1:4] == pytest.approx([-1.0, 1.5, 3.0], abs=0.5)
    plain = fit_scorecard(book, y, [Variable("income", special=(-9,), missing="median"), Variable("other")])
    assert plain.preparation.names == ("income", "other")
    assert card.fit.log_likelihood > plain.fit.log_likelihood + 50
    rows = pd.DataFrame({"income": [np.nan, -9.0, -7.0], "other": 0.0})
    pds = card.apply(rows)["pd"].to_numpy()
    assert pds[0] == pytest.approx(y[book["income"].isna()].mean(), abs=0.02)
    assert pds[1] == pytest.approx(y[book["income"] == -9].mean(), abs=0.02)
    assert [entry.by for entry in card.preparation.imputed(rows)] == [
        f"the median at fit, {card.preparation.columns[0].fill:.4g} and a flag of their own"
    ]


def test_an_empty_level_is_a_level(book: pd.DataFrame) -> None:
    preparation = prepare(book, [Variable("town", "category")])
    assert preparation.columns[0].levels[2] == ""
    assert preparation.names[1] == "town is missing"
    matrix = preparation.matrix(pd.DataFrame({"town": [None, "nowhere"]}))
    np.testing.assert_array_equal(matrix, [[0, 1], [0, 0]])
    assert [entry.by for entry in preparation.imputed(book)] == ["a level of their own"]


def test_of_flags_of_the_same_rows_one_is_kept_and_that_is_said(book: pd.DataFrame) -> None:
    from allocator.scoring.collinearity import Regressors
    from allocator.scoring.remarks import on_logit

    twice = book.assign(wealth=book["income"] ** 2)
    variables = [Variable("income", special=(-9,)), Variable("wealth", special=(81,))]
    card = fit_scorecard(twice, twice["bad"], variables)
    assert card.preparation.names == ("income", "income is missing", "income is -9", "wealth")
    columns = Regressors(card.matrix(twice), card.preparation.names)
    assert on_logit(twice, twice["bad"].to_numpy(float), card, columns, 0.7)[-2:] == [
        "wealth: that it is missing has no flag: other columns tell it",
        "wealth: that it is 81 has no flag: other columns tell it",
    ]


def test_a_card_keeps_its_flags_and_an_older_one_has_none(book: pd.DataFrame, tmp_path: Path) -> None:
    variables = [Variable("income", special=(-9,)), Variable("town", "category", unseen="refuse")]
    card = fit_scorecard(book, book["bad"], variables)
    path = tmp_path / "card.json"
    path.write_text(json.dumps({"schema": 1, **to_document(card)}))
    again = read_fitted(path)
    assert isinstance(again, Scorecard)
    np.testing.assert_array_equal(card.apply(book)["pd"], again.apply(book)["pd"])
    assert again.preparation == card.preparation
    older = fit_scorecard(book, book["bad"], [Variable("income", missing="median")])
    document = to_document(older)
    del document["variables"][0]["missing"]
    path.write_text(json.dumps({"schema": 1, **document}))
    np.testing.assert_array_equal(older.apply(book)["pd"], scores(book, read_fitted(path))["pd"])


def test_a_level_that_is_refused_is_named_with_its_rows(book: pd.DataFrame) -> None:
    card = fit_scorecard(book, book["bad"], [Variable("town", "category", unseen="refuse")])
    rows = pd.DataFrame({"town": ["a", "c", "A ", "c"]})
    with pytest.raises(InputError) as caught:
        card.apply(rows)
    assert [(fault.field, fault.problem, fault.row) for fault in caught.value.faults] == [
        ("town", "'c' was not seen at fit, in 2 rows: 2, 4", 2),
        ("town", "'A ' was not seen at fit: it differs from 'a' by blanks and capitals", 3),
    ]
    assert card.log_odds(rows).shape == (4,)


def test_a_derived_column_knows_what_is_missing(book: pd.DataFrame, tmp_path: Path) -> None:
    declared = {
        "derived": [{"name": "no_town", "column": "town", "missing": True}],
        "variables": [{"name": "no_town"}],
    }
    (tmp_path / "v.json").write_text(json.dumps(declared))
    given = read_declarations(tmp_path / "v.json", "variables")
    assert given.derived == (DerivedColumn("no_town", "town", "missing", True),)
    faults: list[Fault] = []
    made = given.derived[0].of(book["town"], faults)
    assert made is not None
    np.testing.assert_array_equal(made, book["town"].isna())
    figures = given.derived[0].of(book["income"], faults)
    assert figures is not None
    np.testing.assert_array_equal(figures, book["income"].isna())


def test_what_a_declaration_cannot_ask(tmp_path: Path) -> None:
    declared = {
        "derived": [{"name": "d", "column": "x", "missing": True, "above": 1}],
        "variables": [
            {"name": "a", "missing": "bin"},
            {"name": "b", "kind": "category", "missing": "median"},
            {"name": "c", "unseen": "refuse"},
        ],
    }
    (tmp_path / "v.json").write_text(json.dumps(declared))
    with pytest.raises(InputError) as caught:
        read_declarations(tmp_path / "v.json", "variables")
    assert [(fault.field, fault.problem) for fault in caught.value.faults] == [
        ("derived[d]", "has 2 tests: above, missing"),
        ("variables[a].missing", "has no bins"),
        ("variables[b].missing", "a category has no median"),
        ("variables[c].unseen", "a number has no levels to refuse"),
    ]
