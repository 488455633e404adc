"""A scorecard's walk by commands: bins and points, reasons, export."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.cli.conftest import Allocator

DECLARED = {
    "variables": [
        {"name": "x", "bins": {"shape": "valley"}},
        {"name": "u", "sign": 1},
        {"name": "k", "kind": "category", "unseen": "refuse"},
    ]
}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    generator = np.random.default_rng(8)
    x, u = generator.normal(size=(2, 800))
    frame = pd.DataFrame({"borrower_id": [f"b{i}" for i in range(800)], "x": x, "u": u})
    frame["k"] = generator.choice(["p", "q"], 800)
    odds = -2 + 1.2 * np.abs(x) + u
    frame["bad"] = (generator.random(800) < 1 / (1 + np.exp(-odds))).astype(int)
    frame.to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "v.json").write_text(json.dumps(DECLARED))
    return tmp_path / "t.csv"


@pytest.fixture
def card(table: Path, allocator: Allocator) -> Path:
    folder = table.parent
    given = ("--variables", folder / "v.json", "--outcome", "bad", "--out", folder, "--points", "pdo=40")
    return Path(allocator("fit", "logit", table, *given, "--json").json["file"])


def test_a_fit_shows_bins_and_points(card: Path) -> None:
    text = card.with_suffix(".md").read_text()
    for heading in ("## Information value", "## Bins", "## Points"):
        assert heading in text
    assert json.loads(card.read_text())["points"] == {"pdo": 40.0, "base": 600.0, "odds": 50.0}


def test_scores_come_with_reasons(card: Path, table: Path, allocator: Allocator) -> None:
    out = table.parent / "scored.csv"
    allocator("score", table, "--scorecard", card, "--reasons", "2", "--out", out)
    scored = pd.read_csv(out)
    assert {"pd", "score", "reason_1", "reason_2"} <= set(scored.columns)
    assert np.corrcoef(scored["score"], np.log(scored["pd"] / (1 - scored["pd"])))[0, 1] < -0.999999
    again = allocator("score", table, "--scorecard", card, "--reasons", "2", "--purchases", table)
    assert again.status == 2
    assert "a file and invoices are given" in again.err


def test_a_refused_level_is_told(card: Path, table: Path, allocator: Allocator) -> None:
    new = table.parent / "new.csv"
    new.write_text("borrower_id,x,u,k\na,0,0,p\nb,0,0,z\n")
    told = allocator("score", new, "--scorecard", card)
    assert "new.csv, row 2, k\n    'z' was not seen at fit" in told.err


def test_a_card_is_exported(card: Path, table: Path, allocator: Allocator) -> None:
    folder = table.parent
    assert "written to" in allocator("fit", "export", card, "--out", folder / "c.sql", "--table", "firms").out
    assert 'FROM "firms" AS given' in (folder / "c.sql").read_text()
    allocator("fit", "export", card, "--out", folder / "c.csv")
    assert list(pd.read_csv(folder / "c.csv")) == ["variable", "term", "log_odds", "points"]
    told = allocator("fit", "export", card, "--out", folder / "c.txt")
    assert "let it end in .sql or .csv" in told.err


def test_what_is_no_scale(table: Path, allocator: Allocator) -> None:
    given = ("--variables", table.parent / "v.json", "--outcome", "bad", "--out", table.parent)
    told = allocator("fit", "logit", table, *given, "--points", "pdo=0,odd=2,base=x")
    for problem in ("'base=x' is no part of a scale", "odd is unknown", "pdo is 0"):
        assert problem in told.err


def test_a_card_is_validated(card: Path, table: Path, allocator: Allocator) -> None:
    picture = table.parent / "v.svg"
    asked = ("validate", table, "--scorecard", card, "--outcome", "bad", "--by", "k")
    page = allocator(*asked, "--plot", picture).out
    assert "800 loans, " in page
    assert "green  psi of x 0" in page
    assert picture.read_text().startswith("<svg")
    found = allocator(*asked, "--json").json
    assert found["loans"] == 800
    assert found["auc"]["low"] < found["auc"]["value"] < found["auc"]["high"]
    assert {row["k"] for row in found["by_k"]} == {"p", "q"}
    assert {verdict["light"] for verdict in found["verdicts"]} <= {"green", "amber", "red"}
    told = allocator("validate", table, "--scorecard", card, "--outcome", "x")
    assert told.status == 2
    assert "is no outcome" in told.err


def test_a_card_is_recalibrated(card: Path, table: Path, allocator: Allocator) -> None:
    asked = ("recalibrate", card, "--on", table, "--why", "a rate of 10 %")
    told = allocator(*asked, "--to", "0.1", "--margin", "0.2")
    assert "recalibrated from " not in told.err
    new = card.with_name("logit-v2.json")
    assert f"written to {new}" in told.out
    document = json.loads(new.read_text())
    assert document["recalibrated"]["of"] == card.name
    assert document["recalibrated"]["why"] == "a rate of 10 %"
    assert set(document["training"]) == {card.name, table.name}
    assert "why: a rate of 10 %" in new.with_suffix(".md").read_text()
    assert allocator("score", table, "--scorecard", new, "--json").json["mean_pd"] == pytest.approx(0.12)
    found = allocator(*asked, "--outcome", "bad", "--json").json
    assert found["table"]["after"]["mean_pd"] == pytest.approx(found["table"]["after"]["observed"])
    by_steps = allocator(*asked, "--outcome", "bad", "--isotonic", "--json").json
    assert by_steps["recalibrated"]["method"] == "isotonic"
    assert "steps" in json.loads(Path(by_steps["file"]).read_text())
    told = allocator(*asked, "--to", "0.1", "--isotonic")
    assert "steps are sought by outcomes alone" in told.err
    for wrong, problem in (((), "one of --outcome and --to is needed"), (("--to", "2"), "a mean PD of 2")):
        told = allocator(*asked, *wrong)
        assert told.status == 2
        assert problem in told.err


def test_variables_are_chosen_and_the_page_and_json_say_why(table: Path, allocator: Allocator) -> None:
    declared = json.loads((table.parent / "v.json").read_text())
    frame = pd.read_csv(table)
    frame.assign(flat=1.0, noise=np.random.default_rng(8).normal(size=len(frame))).to_csv(table, index=False)
    declared["variables"] += [{"name": "flat"}, {"name": "noise"}]
    (table.parent / "v.json").write_text(json.dumps(declared))
    order = ("fit", "logit", table, "--variables", table.parent / "v.json", "--outcome", "bad")
    refused = allocator(*order, "--out", table.parent / "cards")
    assert "flat" in refused.err
    assert refused.status == 2
    told = allocator(*order, "--choose", "forward", "--out", table.parent / "cards", "--json")
    document = json.loads(told.out)
    why = {row["variable"]: row["in_the_logit"] for row in document["variables_by_themselves"]}
    assert why["flat"] == "is constant: it can explain nothing"
    kept = [name for name, word in why.items() if word == "yes"]
    assert kept
    assert {row["variable"].split("=")[0] for row in document["odds_ratios"]} == set(kept)
    assert document["forward_path"][0]["chosen"] is True
    page = allocator(*order, "--choose", "signs", "--out", table.parent / "cards").out
    assert "Odds ratios" in page
