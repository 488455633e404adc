"""Scorecards from Python: fitted from frames as from files, applied, saved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from allocator import (
    InputError,
    allocate,
    export_scorecard,
    fit_ahp,
    fit_churn,
    fit_grade,
    fit_logit,
    fit_rating,
    recalibrate,
    score,
    validate,
)

ROOT = Path(__file__).resolve().parents[2]
RANDOM = np.random.default_rng(3)
LOANS = pd.DataFrame({"debt": RANDOM.normal(size=400), "cash": RANDOM.normal(size=400)})
LOANS["bad"] = (RANDOM.random(400) < 1 / (1 + np.exp(1 - LOANS["debt"] + LOANS["cash"]))).astype(int)
LOANS["owed"] = 1000.0
LOANS["lost"] = 400.0 * LOANS["bad"]
VARIABLES = [{"name": "debt", "sign": 1}, {"name": "cash", "sign": -1}]


def test_a_frame_is_fitted_and_scored_as_its_file(tmp_path: Path) -> None:
    path, declared = tmp_path / "loans.csv", tmp_path / "variables.json"
    LOANS.to_csv(path, index=False)
    declared.write_text(json.dumps({"variables": VARIABLES}))
    cards = [
        fit_logit(path, declared, "bad", owed="owed", lost="lost", bounds={"A": 0.3, "B": 1.0}),
        fit_logit(LOANS, VARIABLES, "bad", owed="owed", lost="lost", bounds={"A": 0.3, "B": 1.0}),
        fit_logit(pl.DataFrame(LOANS), {"variables": VARIABLES}, "bad", owed="owed", lost="lost",
                  bounds={"A": 0.3, "B": 1.0}),
    ]  # fmt: skip
    assert cards[0].fit.document == cards[1].fit.document == cards[2].fit.document
    saved = cards[0].save(tmp_path / "cards", "mine")
    scored = [score(LOANS, card) for card in (cards[1], saved, cards[1].document)]
    assert all(one.equals(scored[0]) for one in scored)
    assert {"pd", "grade", "lgd"} <= set(scored[0].columns)
    assert "Fitted(" in repr(cards[0])
    assert "mine-v1.json" in str(saved)
    assert "<pre" in cards[0]._repr_html_()


def test_scored_borrowers_are_allocated(tmp_path: Path) -> None:
    scored = score(LOANS, fit_logit(LOANS, VARIABLES, "bad", bounds={"A": 0.3, "B": 1.0}), lgd=0.4)
    frame = scored.assign(borrower_id=[f"L{at}" for at in range(len(LOANS))], max_amount=1000.0)
    policy: dict[str, Any] = {
        "budget": {"amount": 50_000},
        "ticket": {"min": 100, "max": 1000},
        "rates": {"A": [0.05, 0.3]},
    }
    policy["rate_grid"] = {"step": 0.05}
    run = allocate({"policy": policy, "response": {"churn": "none"}}, borrowers=frame)
    assert run.status == "optimal"


def test_a_scorecard_is_judged_recalibrated_and_exported(tmp_path: Path) -> None:
    card = fit_logit(LOANS, VARIABLES, "bad", points={"pdo": 20, "base": 600, "odds": 20}, choose="signs")
    half = LOANS.assign(part=np.arange(400) % 2)
    found = validate(half, card, "bad", by="part")
    assert found.record.defaults == LOANS["bad"].sum()
    assert found.table["figure"].tolist()[0] == "auc"
    assert "By part" in str(found)
    assert found.document["by_part"][0]["part"] == "0"
    assert found.plot() is not None
    steps = recalibrate(card, LOANS, "bends", outcome="bad", isotonic=True, margin=0.1)
    assert score(LOANS, steps)["pd"].mean() == pytest.approx(1.1 * LOANS["bad"].mean(), rel=0.02)
    saved = steps.save(tmp_path, "steps")
    assert "scored_line" in export_scorecard(saved, tmp_path / "steps.sql", table="loans").read_text()
    terms = pd.read_csv(export_scorecard(steps, tmp_path / "steps.csv"))
    assert terms["variable"].tolist()[0] == "base"
    with pytest.raises(InputError, match=r"steps\.csv"):
        export_scorecard(steps, tmp_path / "steps.csv")
    with pytest.raises(InputError) as caught:
        recalibrate(card, LOANS, "both", outcome="bad", to=0.1, keep_slope=True, isotonic=True)
    assert [fault.field for fault in caught.value.faults] == ["outcome", "keep_slope", "isotonic"]
    with pytest.raises(InputError, match="is no logit"):
        export_scorecard(ROOT / "models/ratings/small-enterprise-published.json", tmp_path / "no.sql")


def test_a_rating_is_fitted_from_a_frame() -> None:
    rules = [
        {"name": "debt", "layer": "debt", "kind": "negative"},
        {"name": "cash", "layer": "cash", "kind": "positive"},
    ]
    rating = fit_rating(LOANS, rules, "bad", "owed", "lost", classes=["A", "B", "C"], folds=3, repeats=1)
    assert set(score(LOANS, rating)["grade"].unique()) <= {"A", "B", "C"}


def test_weights_and_curves_are_shown_as_tables() -> None:
    weights = fit_ahp(json.loads((ROOT / "models/ahp/enterprise-credit.json").read_text()))
    assert weights.tables.keys()
    offers = pd.DataFrame({"rate": [0.04, 0.06, 0.08], "A": [0.1, 0.3, 0.2]})
    curve = fit_churn(pl.DataFrame(offers))
    assert curve.table.columns.tolist() == ["rate", "A"]
    assert curve.table["A"].is_monotonic_increasing


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: fit_logit(LOANS, ["debt"], "worse"), "frame of data, worse: lacks the column worse"),
        (lambda: fit_logit(LOANS, ["dept"], "bad"), "dept"),
        (lambda: fit_logit(LOANS, ["debt"], "bad", strength=2), "strength: the penalty flic has no strength"),
        (lambda: fit_logit(LOANS, ["debt"], "bad", owed="owed"), "owed, lost: an LGD needs both columns"),
        (lambda: fit_rating(LOANS, {"rules": [{"nam": 1}]}, "bad", "owed", "lost"), "frame of rules"),
        (lambda: fit_grade(sales="nowhere.csv"), "invoices: one direction is missing"),
        (lambda: score(LOANS, {"kind": "none"}), "frame of scorecard, kind: its kind is 'none'"),
        (lambda: score(LOANS, object()), "scorecard: object is not a path or a mapping or a Fitted"),
        (lambda: score(3, "card.json"), "card.json"),
    ],
)
def test_what_cannot_be_fitted_says_what_to_write(call: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        call()  # type: ignore[operator]
