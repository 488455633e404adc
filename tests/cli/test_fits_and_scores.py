"""Fits and scores say what they met: blanks, levels never seen, codes, columns that tell too much."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allocator.borrowers import scored_table
from allocator.records.scenario import PortfolioSource
from tests.cli.conftest import Allocator


def _fit(folder: Path, allocator: Allocator, frame: pd.DataFrame, declared: dict[str, object]) -> Path:
    """A logit of bad on the declared variables of `frame`, fitted in `folder`; its file."""
    frame.to_csv(folder / "train.csv", index=False)
    (folder / "v.json").write_text(json.dumps(declared))
    files = (folder / "train.csv", "--variables", folder / "v.json", "--outcome", "bad", "--out", folder)
    return Path(allocator("fit", "logit", *files, "--json").json["file"])


@pytest.fixture
def training() -> pd.DataFrame:
    """Firms whose branch and job tell something of their default; some have no branch."""
    generator = np.random.default_rng(3)
    frame = pd.DataFrame({"x": generator.normal(size=500).round(4)})
    frame["branch"] = pd.array(generator.choice([1, 2, 3], 500), dtype="Int64")
    frame.loc[generator.random(500) < 0.06, "branch"] = pd.NA
    frame["job"] = generator.choice(["Office", "Self", "Mgr"], 500, p=[0.6, 0.2, 0.2])
    odds = frame["x"] + (frame["branch"] == 3).fillna(False) + (frame["job"] == "Self") - 1
    frame["bad"] = (generator.random(500) < 1 / (1 + np.exp(-odds))).astype(int)
    return frame


CATEGORY = {"variables": [{"name": "x"}, {"name": "branch", "kind": "category"}]}
DERIVED = {
    "derived": [{"name": "b3", "column": "branch", "is": "3"}],
    "variables": [{"name": "x"}, {"name": "b3"}],
}
JOB = {"variables": [{"name": "x"}, {"name": "job", "kind": "category"}]}


@pytest.mark.parametrize("declared", [CATEGORY, DERIVED])
def test_a_blank_in_one_row_leaves_the_others_as_they_were(
    declared: dict[str, object], training: pd.DataFrame, tmp_path: Path, allocator: Allocator
) -> None:
    card = _fit(tmp_path, allocator, training, declared)
    found = []
    for name, cells in (("new", "0,1\n0,2\n0,3\n"), ("blank", "0,1\n0,2\n0,3\n0,\n")):
        (tmp_path / f"{name}.csv").write_text(f"x,branch\n{cells}")
        out = tmp_path / f"{name}_scored.csv"
        allocator("score", tmp_path / f"{name}.csv", "--scorecard", card, "--out", out)
        found.append(pd.read_csv(out)["pd"].tolist()[:3])
    assert found[0] == found[1]
    assert found[0][0] != found[0][2]


@pytest.mark.parametrize("declared", [CATEGORY, DERIVED])
def test_a_scenario_scores_every_kind_of_source_alike(
    declared: dict[str, object], training: pd.DataFrame, tmp_path: Path, allocator: Allocator
) -> None:
    card = _fit(tmp_path, allocator, training, declared)
    whole = pd.DataFrame({"borrower_id": ["a", "b", "c", "d"], "x": 0.5, "branch": [1, 2, 3, 3]})
    found = set()
    for last in (3, None, "A01"):
        rows = whole.assign(branch=[1, 2, 3, last])
        rows.to_csv(tmp_path / "r.csv", index=False)
        rows.to_excel(tmp_path / "r.xlsx", index=False)
        rows.astype({"branch": str} if last == "A01" else {}).to_parquet(tmp_path / "r.parquet")
        for kind in ("csv", "xlsx", "parquet"):
            scored = scored_table(PortfolioSource(kind, tmp_path / f"r.{kind}"), card)
            found.add(tuple(scored.table["pd"].to_pylist()[:3]))
    assert len(found) == 1


NEW = "borrower_id,x,job\na,0,Office\nb,0,office\nc,0,Self \nd,0,NewJob\ne,0,\nf,0,NA\n"


def test_levels_never_seen_are_counted_and_named(
    training: pd.DataFrame, tmp_path: Path, allocator: Allocator
) -> None:
    card = _fit(tmp_path, allocator, training, JOB)
    (tmp_path / "n.csv").write_text(NEW)
    page = " ".join(allocator("score", tmp_path / "n.csv", "--scorecard", card).out.split())
    assert "job 'office' was not seen at fit: row 2 counted as 'Office', the commonest level, PD " in page
    assert "differs from 'Office' by capitals" in page
    assert "differs from 'Self' by blanks" in page
    assert "empty cells of job: 1, imputed by the level Office" in page
    told = allocator("score", tmp_path / "n.csv", "--scorecard", card, "--json").json["unseen"]["job"]
    assert [(one["level"], one["cells"], one["first_rows"]) for one in told] == [
        ("office", 1, [2]),
        ("Self ", 1, [3]),
        ("NewJob", 1, [4]),
        ("NA", 1, [6]),
    ]
    assert {tuple(one["pd"]) for one in told} == {tuple(told[0]["pd"])}


def test_check_and_solve_note_what_a_scorecard_never_saw(
    training: pd.DataFrame, tmp_path: Path, allocator: Allocator
) -> None:
    card = _fit(tmp_path, allocator, training, JOB)
    (tmp_path / "n.csv").write_text(NEW.replace("\n", ",A\n").replace("job,A", "job,grade"))
    (tmp_path / "churn.csv").write_text("rate,A\n0.1,0.1\n0.6,0.2\n")
    (tmp_path / "s.yaml").write_text(
        f"schema: 1\nname: s\nportfolio:\n  source: n.csv\n  scorecard: {card.name}\n"
        "  defaults: {lgd: 0.5, max_amount: 10}\nresponse: {churn: churn.csv}\n"
        "policy:\n  budget: {amount: 100}\n  ticket: {min: 1, max: 10}\n  rates: {A: [10%, 60%]}\n"
    )
    for command in (("check",), ("solve", "--out", tmp_path / "run")):
        page = " ".join(allocator(command[0], tmp_path / "s.yaml", *command[1:]).out.split())
        assert "job 'office' was not seen at fit: row 2 counted as 'Office', the commonest level" in page
        assert "empty cells of job: 1, imputed by the level Office" in page
    summary = json.loads((tmp_path / "run" / "summary.json").read_text("utf-8"))
    assert any("job 'NewJob' was not seen at fit" in note for note in summary["notes"])


def _told(folder: Path, allocator: Allocator, frame: pd.DataFrame, *names: str) -> list[str]:
    """What a fit of the numbers `names` warns of, in JSON and in its card alike."""
    frame.to_csv(folder / "d.csv", index=False)
    _declare(folder, *names)
    files = (folder / "d.csv", "--variables", folder / "d.json", "--outcome", "bad", "--out", folder)
    found = allocator("fit", "logit", *files, "--json").json
    card = Path(found["file"]).with_suffix(".md").read_text("utf-8")
    for one in found.get("warnings", []):
        assert f"\n- {one}" in card
    return list(found.get("warnings", []))


def test_perfect_separation_is_said_under_the_penalty(
    training: pd.DataFrame, tmp_path: Path, allocator: Allocator
) -> None:
    training.assign(s=10 * training["bad"] + training["x"] / 10).to_csv(tmp_path / "d.csv", index=False)
    _declare(tmp_path, "x", "s")
    files = (tmp_path / "d.csv", "--variables", tmp_path / "d.json", "--outcome", "bad", "--out", tmp_path)
    page = " ".join(allocator("fit", "logit", *files).out.split())
    assert "warning: s: it tells every default from the rest, so its coefficient is the penalty's" in page


def test_columns_that_separate_only_together_are_named(
    training: pd.DataFrame, tmp_path: Path, allocator: Allocator
) -> None:
    noise = np.random.default_rng(1).normal(size=500)
    apart = training.assign(u=noise, w=2 * training["bad"] - noise + training["x"] / 100)
    (told,) = _told(tmp_path, allocator, apart, "x", "u", "w")
    assert told.startswith("u and w: together they tell the outcome")
    refused = allocator("fit", "logit", tmp_path / "d.csv", "--variables", tmp_path / "d.json",
                        "--outcome", "bad", "--out", tmp_path, "--penalty", "none")  # fmt: skip
    assert "defaults are separated perfectly: u, w" in refused.told


def test_a_level_without_a_default_is_said(
    training: pd.DataFrame, tmp_path: Path, allocator: Allocator
) -> None:
    training.loc[training["job"] == "Mgr", "bad"] = 0
    training.to_csv(tmp_path / "d.csv", index=False)
    (tmp_path / "d.json").write_text(json.dumps(JOB))
    files = (tmp_path / "d.csv", "--variables", tmp_path / "d.json", "--outcome", "bad", "--out", tmp_path)
    rows = int((training["job"] == "Mgr").sum())
    (told,) = allocator("fit", "logit", *files, "--json").json["warnings"]
    assert told.startswith(f"job=Mgr: none of its {rows} rows defaulted, so its coefficient is the penalty's")


def test_collinear_columns_are_named_or_said(
    training: pd.DataFrame, tmp_path: Path, allocator: Allocator
) -> None:
    noise = np.random.default_rng(2).normal(size=500)
    near = training.assign(x3=2 * training["x"] + 1e-7 * noise, x4=training["x"] + 0.01 * noise)
    (told,) = _told(tmp_path, allocator, near, "x", "x4")
    assert told.startswith("x4 is nearly a combination of x: they tell 99.98")
    _declare(tmp_path, "x", "x3")
    refused = allocator("fit", "logit", tmp_path / "d.csv", "--variables", tmp_path / "d.json",
                        "--outcome", "bad", "--out", tmp_path)  # fmt: skip
    assert refused.status == 2
    assert "d.csv, x3 is a combination of x to 5e-08 of its spread" in refused.told


def test_special_codes_are_said_until_they_are_declared(
    training: pd.DataFrame, tmp_path: Path, allocator: Allocator
) -> None:
    coded = training.assign(x=training["x"].where(training.index % 5 > 0, -999999))
    (told,) = _told(tmp_path, allocator, coded, "x")
    assert told.startswith("x: -999999 in 100 rows: taken as amounts; if they say that nothing is known")
    (tmp_path / "d.json").write_text(json.dumps({"variables": [{"name": "x", "special": [-999999]}]}))
    files = (tmp_path / "d.csv", "--variables", tmp_path / "d.json", "--outcome", "bad", "--out", tmp_path)
    found = allocator("fit", "logit", *files, "--json").json
    assert "warnings" not in found
    assert found["filled"]["x"]["cells"] == 100
    (tmp_path / "n.csv").write_text("borrower_id,x\na,-999999\nb,9999999\nc,0\n")
    scored = allocator("score", tmp_path / "n.csv", "--scorecard", found["file"], "--json").json
    assert scored["filled"]["x"]["cells"] == 1
    assert [one["level"] for one in scored["unseen"]["x"]] == ["9999999"]


def _declare(folder: Path, *names: str) -> None:
    (folder / "d.json").write_text(json.dumps({"variables": [{"name": name} for name in names]}))
