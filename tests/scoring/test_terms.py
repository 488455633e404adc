"""A scorecard taken apart, and scored elsewhere."""

from __future__ import annotations

import math
import sqlite3

import numpy as np
import pandas as pd
import pytest

from allocator.errors import InputError
from allocator.scoring.export import sql_of
from allocator.scoring.reading import DerivedColumn
from allocator.scoring.score import score_frame
from allocator.scoring.scorecard import Points, Scorecard, fit_scorecard
from allocator.scoring.terms import reasons_of, terms_of
from allocator.scoring.variables import Binning, Variable

VARIABLES = (
    Variable("x", bins=Binning(shape="valley"), special=(-99.0, -98.0)),
    Variable("u", transform="log", special=(-9.0, -8.0)),
    Variable("plain", cut=None, missing="median"),
    Variable("trade", "category", bins=Binning()),
    Variable("it's", "category"),
    Variable("far"),
    Variable("known"),
)
DERIVED = (DerivedColumn("far", "town", "not", "O'x"), DerivedColumn("known", "town", "missing", True))


@pytest.fixture(scope="module")
def book() -> pd.DataFrame:
    generator = np.random.default_rng(2)
    n = 1500
    frame = pd.DataFrame(generator.normal(size=(n, 3)), columns=["x", "u", "plain"])
    frame["u"] = frame["u"] * 50
    frame.loc[generator.random(n) < 0.1, "x"] = np.nan
    frame.loc[generator.random(n) < 0.1, "x"] = -99
    frame.loc[:3, "x"] = -98
    frame.loc[generator.random(n) < 0.1, "u"] = np.nan
    frame.loc[generator.random(n) < 0.1, "u"] = -9
    frame.loc[:3, "u"] = -8
    frame.loc[generator.random(n) < 0.005, "plain"] = np.nan
    frame["trade"] = pd.Series(generator.choice(["a", "b", "c", "1", ""], n)).replace("", None)
    frame["it's"] = pd.Series(generator.choice(["p", "q'q", "r"], n)).where(generator.random(n) < 0.9)
    frame["town"] = pd.Series(generator.choice(["O'x", "y"], n)).where(generator.random(n) < 0.9)
    odds = (
        -1 + np.abs(frame["x"].clip(-3)).fillna(1) + (frame["trade"] == "c") + 0.5 * frame["plain"].fillna(0)
    )
    return frame.assign(bad=(generator.random(n) < 1 / (1 + np.exp(-odds + 1))).astype(int))


@pytest.fixture(scope="module")
def card(book: pd.DataFrame) -> Scorecard:
    return fit_scorecard(book, book["bad"], VARIABLES, derived=DERIVED, points=Points(40, 500, 20))


def test_points_double_the_odds(book: pd.DataFrame, card: Scorecard) -> None:
    scored = card.apply(book)
    odds = (1 - scored["pd"]) / scored["pd"]
    np.testing.assert_allclose(scored["score"], 500 + 40 * np.log2(odds / 20), rtol=1e-9)


def test_points_add_up(book: pd.DataFrame) -> None:
    variables = [
        Variable("x", bins=Binning(shape="valley"), special=(-99.0,)),
        Variable("trade", "category", bins=Binning()),
        Variable("it's", "category"),
    ]
    card = fit_scorecard(book, book["bad"], variables, points=Points())
    terms = terms_of(card)
    row = pd.DataFrame({"x": [-99.0], "trade": ["c"], "it's": ["q'q"]})
    bins = card.preparation.columns[1].bins
    assert bins is not None
    group = next(label for label in bins.labels if "c" in label.split(", "))
    wanted = [("base", ""), ("x", "-99"), ("trade", group), ("it's", "q'q")]
    added = [float(terms.loc[[name]].set_index("term")["points"][term]) for name, term in wanted]
    assert math.fsum(added) == pytest.approx(card.apply(row)["score"].iloc[0], abs=1e-9)


def scored_in_sql(query: str, rows: pd.DataFrame) -> pd.DataFrame:
    """What SQLite answers to the query of a card, over the rows as a table "borrowers"."""
    base = sqlite3.connect(":memory:")
    for name, function in (("EXP", math.exp), ("LN", math.log), ("SIGN", lambda v: np.sign(v).item())):
        base.create_function(name, 1, lambda v, f=function: None if v is None else f(v))
    rows.to_sql("borrowers", base, index=False)
    return pd.read_sql_query(query, base)


def test_another_program_gives_the_same_pd(book: pd.DataFrame, card: Scorecard) -> None:
    rows = pd.concat([book, book.assign(x=book["x"] * 5, u=book["u"] * 5, trade="new", town="z")])
    rows = rows.reset_index(drop=True)
    there = scored_in_sql(sql_of(card), rows)
    here = card.apply(rows)
    np.testing.assert_allclose(there["scored_pd"], here["pd"], rtol=1e-9)
    np.testing.assert_allclose(there["scored_score"], here["score"], rtol=1e-9)


def test_reasons_raise_the_pd(book: pd.DataFrame, card: Scorecard) -> None:
    rows = book.iloc[:200]
    told = reasons_of(card, rows, 3)
    assert list(told.columns) == ["reason_1", "reason_2", "reason_3"]
    worst = int(card.apply(rows)["pd"].to_numpy().argmax())
    assert told["reason_1"].iloc[worst] in {"x", "trade"}
    assert set(told["reason_3"]) <= {"", *(variable.name for variable in VARIABLES)}
    scored = score_frame(rows, card, reasons=1)
    assert scored["reason_1"].tolist() == told["reason_1"].tolist()


def test_an_older_card_has_no_reasons(book: pd.DataFrame, card: Scorecard) -> None:
    from dataclasses import replace

    with pytest.raises(InputError, match="does not keep the average borrower; fit it again, or leave it"):
        reasons_of(replace(card, means=None), book, 2)


def test_whole_numbers_in_a_column_of_fractions_are_the_same_levels(book: pd.DataFrame) -> None:
    rows = np.arange(len(book))
    kinds = book.assign(kind=rows % 4 - 1, group=rows % 5, sound=np.where(rows % 3 > 0, "true", "False"))
    variables = [
        Variable("kind", "category"),
        Variable("group", "category", bins=Binning()),
        Variable("second", cut=None),
        Variable("sound", "category"),
    ]
    derived = [DerivedColumn("second", "trade", "is", 1)]
    card = fit_scorecard(kinds, kinds["bad"], variables, derived=derived)
    kinds.loc[:1, ["kind", "group"]] = np.nan  # numbers of which one is empty are fractions
    found = scored_in_sql(sql_of(card), kinds)
    np.testing.assert_allclose(found["scored_pd"], card.apply(kinds)["pd"], rtol=1e-12)
