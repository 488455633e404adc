"""Fitted files: what is written comes back, versions do not overwrite, shipped ones are whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from allocator.errors import InputError, OutputError
from allocator.intake import content_hash
from allocator.scoring.classes import RatingClass, Scale
from allocator.scoring.fitted import Card, markdown, read_fitted, to_document, write_fitted
from allocator.scoring.grades import GradeScorecard
from allocator.scoring.rating import Rating
from allocator.scoring.reading import DerivedColumn
from allocator.scoring.rules import IndicatorRule, LearntRule
from allocator.scoring.scorecard import Scorecard, fit_scorecard
from allocator.scoring.variables import Variable

CARD = Card("Title", "purpose", "data", "method", "limits", {"auc": "0.8"}, {"a.csv": "sha256:00"})


DERIVED = (DerivedColumn("not_a", "k", "not", "a"),)


@pytest.fixture(scope="module")
def scorecard() -> Scorecard:
    generator = np.random.default_rng(0)
    frame = pd.DataFrame({"x": generator.normal(size=200), "k": generator.choice(["a", "b", "c"], 200)})
    y = pd.Series((generator.random(200) < 0.3).astype(int))
    variables = [Variable("x", transform="log", cut=None, sign=1, group="g"), Variable("k", "category")]
    return fit_scorecard(frame, y, variables, bounds={"A": 0.3, "B": 1.0}, lgd=0.4, derived=DERIVED)


def rating() -> Rating:
    indicators = (
        LearntRule(IndicatorRule("v", "interval", "layer", (1.0, 2.0)), 0.0, 5.0, 1.0, 3, 4),
        LearntRule(IndicatorRule("q", "qualitative", scores={"x": 1.0, "": 0.5}), fill=0.5),
    )
    scale = Scale((RatingClass("a", 50, 100, 0.1, 0.2, 0.5, 9), RatingClass("b", 0, 50, 0.2, 0.4, 0.5, 9)))
    return Rating(indicators, np.array([0.75, 0.25]), np.array([30.0, 10.0]), scale, DERIVED)


def test_a_scorecard_comes_back(scorecard: Scorecard, tmp_path: Path) -> None:
    path = write_fitted(tmp_path, "card", to_document(scorecard), CARD)
    again = read_fitted(path)
    assert isinstance(again, Scorecard)
    frame = pd.DataFrame({"x": [-1.0, np.nan, 30.0], "k": ["a", "c", "new"]})
    pd.testing.assert_frame_equal(again.apply(frame, intervals=True), scorecard.apply(frame, intervals=True))
    assert again.wald().equals(scorecard.wald())


def test_a_rating_comes_back(tmp_path: Path) -> None:
    again = read_fitted(write_fitted(tmp_path, "r", to_document(rating()), CARD))
    assert isinstance(again, Rating)
    assert again.indicators == rating().indicators
    assert again.scale == rating().scale
    assert again.derived == DERIVED


def test_versions_count_up_and_have_cards(tmp_path: Path) -> None:
    first = write_fitted(tmp_path, "r", to_document(rating()), CARD, {".svg": "<svg/>"})
    before = first.read_bytes()
    second = write_fitted(tmp_path, "r", to_document(rating()), CARD)
    assert [first.name, second.name] == ["r-v1.json", "r-v2.json"]
    assert first.read_bytes() == before
    assert json.loads(second.read_text())["version"] == 2
    card = second.with_suffix(".md").read_text()
    for part in ("# Title", "| Purpose | purpose |", "| auc | 0.8 |", "| Version | 2 |", "sha256:00"):
        assert part in card
    assert first.with_suffix(".svg").read_text() == "<svg/>"


Change = Callable[[dict[str, Any]], object]


def put(*path: str | int, to: object) -> Change:
    """Set the place `path` of a document."""

    def change(document: dict[str, Any]) -> None:
        inner: Any = document
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = to

    return change


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON: expected a key in double quotes, found the end of the file"),
        ("[1]", "expected a mapping, found a list of 1; give a file that fit wrote"),
        ('{"schema": 9, "kind": "logit"}', "schema: expected 1, found 9"),
        ('{"kind": "tree"}', "kind: its kind is 'tree'; the kinds are logit, rating, grade"),
        ('{"kind": "rating", "indicators": []}', "classes: the key is missing"),
        ('{"kind": "logit", "coefficients": 3}', "coefficients: expected a mapping, found 3"),
    ],
)
def test_files_that_are_no_fit(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "f.json"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_fitted(path)


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        (
            "logit",
            put("variables", 0, "scale", to=0),
            "variables[x].scale: expected a number above 0, found 0",
        ),
        (
            "logit",
            put("variables", 0, "fill", to=None),
            "variables[x].fill: expected a number, found nothing",
        ),
        ("logit", put("variables", 0, "transform", to="sqrt"), "expected one of none, log, found 'sqrt'"),
        ("logit", lambda d: d["variables"].pop(), "its coefficients are not those of its variables"),
        ("logit", lambda d: d["coefficients"].pop("x"), "its coefficients are not those of its variables"),
        ("logit", put("coefficients", "x", to=float("inf")), "Infinity is no number of JSON"),
        ("logit", put("covariance", to=[[1.0]]), "its covariance is not 4 x 4"),
        ("logit", put("covariance", 0, 0, to=-1.0), "its covariance has a negative variance"),
        ("logit", put("bounds", to={"A": 0.5, "B": 0.2}), "the bounds do not rise"),
        ("logit", put("lgd", to=4), "lgd: expected a number from 0 to 1, found 4"),
        ("rating", put("indicators", 0, "weight", to=3), "its weights do not sum to 1"),
        (
            "rating",
            put("indicators", 0, "weight", to=-1),
            ".weight: expected a number above 0, found -1",
        ),
        ("rating", put("indicators", 0, "weight", to="big"), "expected a number above 0, found 'big'"),
        ("rating", put("indicators", 0, "high", to=0.0), "its low 0 is not below its high 0"),
        ("rating", put("indicators", 0, "interval", to=None), ": needs an interval"),
        (
            "rating",
            put("indicators", to=[]),
            "indicators: expected a list of 1 or more, each a mapping, found an empty list",
        ),
        (
            "rating",
            put("classes", 0, "pd", to=3),
            ".pd: expected a number from 0 to 1, found 3",
        ),
        ("rating", put("classes", 0, "name", to="b"), "class b: stands twice"),
        ("rating", lambda d: d["classes"].reverse(), "do not go from 100 down to 0 without a gap"),
        ("rating", put("classes", 0, "colour", to="red"), ".colour: unknown key 'colour'"),
        ("grade", put("pd_by_grade", "D", to=4), "pd_by_grade.D: expected a number from 0 to 1, found 4"),
        ("grade", lambda d: d["pd_by_grade"].pop("A"), "its PDs are not those of its grades"),
        ("grade", put("frequency", "A", to=0.9), "its frequencies do not sum to 1"),
        ("grade", lambda d: d["thresholds"].reverse(), "needs 3 thresholds that rise"),
        ("grade", lambda d: d["slopes"].pop("out_amount"), "its slopes are not those of its variables"),
        ("grade", put("method", to="voodoo"), "expected one of ordinal, void_ranges, found 'voodoo'"),
        ("ranges", lambda d: d["ranges"].pop("A"), "needs a range [low, high] for each of its grades"),
    ],
)
def test_a_damaged_fit_is_refused_by_place(
    file: str, change: Change, message: str, scorecard: Scorecard, models: Path, tmp_path: Path
) -> None:
    sources = {"grade": "cumcm-2020-v1", "ranges": "cumcm-2020-void-ranges-v1"}
    if file in sources:
        document = json.loads((models / "grades" / f"{sources[file]}.json").read_text())
    else:
        document = json.loads(json.dumps(to_document(scorecard if file == "logit" else rating())))
    change(document)
    path = tmp_path / "f.json"
    path.write_text(json.dumps(document))
    with pytest.raises(InputError) as caught:
        read_fitted(path)
    assert any(part in str(caught.value.faults[0]) for part in message.split("|"))
    assert caught.value.faults[0].file == str(path)


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden"])
def test_a_name_that_is_no_file_s(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--name: .* is no name of a file"):
        write_fitted(tmp_path, name, to_document(rating()), CARD)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_of_a_fit_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "r-v7.md").mkdir()
    first = write_fitted(tmp_path, "r", to_document(rating()), CARD)
    assert first.name == "r-v8.json"
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_fitted(tmp_path, "n", {"kind": "x", "figure": float("nan")}, CARD)
    with pytest.raises(OutputError, match="the fit was not written"):
        write_fitted(tmp_path, "r", to_document(rating()), CARD, {"/no/.svg": "<svg/>"})
    assert {path.name for path in tmp_path.iterdir()} == {"r-v7.md", "r-v8.json", "r-v8.md"}


def test_every_shipped_fit_is_readable_and_has_a_card(models: Path) -> None:
    kinds = {}
    for folder in ("scorecards", "ratings", "grades"):
        for path in sorted((models / folder).glob("*.json")):
            assert path.with_suffix(".md").is_file(), path
            if json.loads(path.read_text())["kind"] in ("logit", "rating", "grade"):
                kinds[f"{folder}/{path.stem}"] = type(read_fitted(path))
    assert kinds == {
        "scorecards/sba-california-v1": Scorecard,
        "ratings/sba-california-v1": Rating,
        "ratings/small-enterprise-published": Rating,
        "grades/cumcm-2020-v1": GradeScorecard,
        "grades/cumcm-2020-void-ranges-v1": GradeScorecard,
    }


def test_training_hashes_are_those_of_the_data(models: Path, contest: Path) -> None:
    document = json.loads((models / "grades" / "cumcm-2020-v1.json").read_text())
    for name, value in document["training"].items():
        assert content_hash(contest / name) == value


def test_tables_in_markdown() -> None:
    table = pd.DataFrame({"x": [0.123456, np.nan], "n": [1, 2]}, index=pd.Index(["a", "b"], name="k"))
    assert markdown(table).splitlines() == [
        "| k | x | n |",
        "| --- | --- | --- |",
        "| a | 0.1235 | 1 |",
        "| b |  | 2 |",
    ]
