"""Fitted files: what is written comes back, versions do not overwrite, shipped ones are whole."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allocator.errors import InputError
from allocator.scoring.classes import RatingClass, Scale
from allocator.scoring.fitted import Card, content_hash, markdown, read_fitted, to_document, write_fitted
from allocator.scoring.grades import GradeScorecard
from allocator.scoring.preparation import Variable
from allocator.scoring.rating import Rating
from allocator.scoring.rules import Learnt, Rule
from allocator.scoring.scorecard import Scorecard, fit_scorecard

CARD = Card("Title", "purpose", "data", "method", "limits", {"auc": "0.8"}, {"a.csv": "sha256:00"})


@pytest.fixture(scope="module")
def scorecard() -> Scorecard:
    generator = np.random.default_rng(0)
    frame = pd.DataFrame({"x": generator.normal(size=200), "k": generator.choice(["a", "b", "c"], 200)})
    y = pd.Series((generator.random(200) < 0.3).astype(int))
    variables = [Variable("x", transform="log", cut=None, sign=1, group="g"), Variable("k", "category")]
    return fit_scorecard(frame, y, variables, bounds={"A": 0.3, "B": 1.0}, lgd=0.4)


def rating() -> Rating:
    indicators = (
        Learnt(Rule("v", "interval", "layer", (1.0, 2.0)), 0.0, 5.0, 1.0, 3, 4),
        Learnt(Rule("q", "qualitative", scores={"x": 1.0, "": 0.5}), fill=0.5),
    )
    scale = Scale((RatingClass("a", 50, 100, 0.1, 0.2, 0.5, 9), RatingClass("b", 0, 50, 0.2, 0.4, 0.5, 9)))
    return Rating(indicators, np.array([0.75, 0.25]), np.array([30.0, 10.0]), scale)


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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[1]", "is not of this schema"),
        ('{"schema": 9, "kind": "logit"}', "is not of this schema"),
        ('{"kind": "tree"}', "its kind is 'tree'; the kinds are logit, rating, grade"),
        ('{"kind": "rating", "indicators": []}', "lacks 'classes'"),
        ('{"kind": "logit", "coefficients": 3}', "cannot be read"),
        (
            '{"kind": "grade", "method": "ordinal", "grades": ["A"], "frequency": ["x"], "pd_by_grade": [1]}',
            "cannot",
        ),
    ],
)
def test_files_that_are_no_fit(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "f.json"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_fitted(path)


def test_coefficients_of_other_variables_are_noticed(scorecard: Scorecard, tmp_path: Path) -> None:
    document = to_document(scorecard)
    document["variables"] = document["variables"][:1]
    with pytest.raises(InputError, match="its coefficients are not those of its variables"):
        read_fitted(write_fitted(tmp_path, "f", document, CARD))


def test_every_shipped_fit_is_readable_and_has_a_card(models: Path) -> None:
    kinds = {}
    for folder in ("scorecards", "ratings", "grades"):
        for path in sorted((models / folder).glob("*.json")):
            assert path.with_suffix(".md").is_file() or path.stem == "sba-rules-term", path
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
