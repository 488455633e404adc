"""`allocator score` and `allocator fit`, from arguments to files."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allocator.scoring.invoices import CHINESE
from tests.cli.conftest import Allocator

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = ROOT / "models" / "ratings" / "small-enterprise-published.json"
KINDS = ("logit", "rating", "lgd", "grade", "ahp", "churn", "correlation", "export")
GRADES = ROOT / "models" / "grades" / "cumcm-2020-v1.json"


@pytest.fixture(scope="module")
def contest(data: Path) -> Path:
    """The folder of the contest's data."""
    return data / "cumcm2020c"


@pytest.fixture
def borrowers(tmp_path: Path) -> Path:
    frame = pd.DataFrame({f"indicator_{i:02d}": [1.0, 0.2, 0.7] for i in range(1, 22)})
    frame.insert(0, "borrower_id", ["001", "002", "NA"])
    frame.to_csv(tmp_path / "b.csv", index=False)
    return tmp_path / "b.csv"


@pytest.fixture
def firms(tmp_path: Path) -> tuple[Path, Path]:
    generator = np.random.default_rng(0)
    frame = pd.DataFrame(generator.normal(size=(300, 2)), columns=["x", "y"])
    frame["bad"] = (generator.random(300) < 1 / (1 + np.exp(1 - 2 * frame["x"]))).astype(int)
    frame.to_csv(tmp_path / "f.csv", index=False)
    (tmp_path / "v.json").write_text(json.dumps({"variables": [{"name": "x", "sign": 1}, {"name": "y"}]}))
    return tmp_path / "f.csv", tmp_path / "v.json"


def test_score_writes_borrowers_that_a_scenario_can_read(
    borrowers: Path, tmp_path: Path, allocator: Allocator
) -> None:
    out = tmp_path / "scored.csv"
    outcome = allocator("score", borrowers, "--scorecard", PUBLISHED, "--out", out, "--json")
    assert outcome.json == {
        "borrowers": 3,
        "file": str(out),
        "by_grade": {"AAA": 1, "AA": 0, "A": 0, "BBB": 0, "BB": 1, "B": 0, "CCC": 0, "CC": 0, "C": 1},
        "mean_pd": pytest.approx((0.00114 + 0.19797 + 0.04576) / 0.45 / 3),
    }
    written = pd.read_csv(out, dtype={"borrower_id": str}, keep_default_na=False)
    assert written["borrower_id"].tolist() == ["001", "002", "NA"]
    assert {"grade", "pd", "lgd"} <= set(written.columns)


def test_score_replaces_only_with_force_and_refuses_other_endings(
    borrowers: Path, tmp_path: Path, allocator: Allocator
) -> None:
    out = tmp_path / "scored.parquet"
    out.write_text("mine")
    refused = allocator("score", borrowers, "--scorecard", PUBLISHED, "--out", out)
    assert refused.status == 2
    assert "give --force" in refused.told
    assert out.read_text() == "mine"
    assert allocator("score", borrowers, "--scorecard", PUBLISHED, "--out", out, "--force").status == 0
    assert len(pd.read_parquet(out)) == 3
    ending = allocator("score", borrowers, "--scorecard", PUBLISHED, "--out", tmp_path / "x.txt")
    assert "no format for the ending .txt" in ending.told
    nowhere = allocator("score", borrowers, "--scorecard", PUBLISHED, "--out", tmp_path / "no" / "x.csv")
    assert nowhere.status == 2
    assert "its folder does not exist" in nowhere.told


def test_score_without_a_scorecard_or_with_a_wrong_one(borrowers: Path, allocator: Allocator) -> None:
    assert "--scorecard" in allocator("score", borrowers).told
    assert "--scorecard" in allocator("score").told
    wrong = allocator("score", "--scorecard", PUBLISHED)
    assert wrong.status == 2
    assert "grades no invoices" in wrong.told


def test_score_of_a_scenario_takes_its_borrowers(
    borrowers: Path, tmp_path: Path, allocator: Allocator
) -> None:
    (tmp_path / "churn.csv").write_text("rate,AAA\n0.04,0\n0.05,0.2\n")
    (tmp_path / "s.yaml").write_text(
        "schema: 1\nname: s\nportfolio:\n  source: b.csv\n  columns: {max_amount: indicator_21}\n"
        "response: {churn: churn.csv}\npolicy:\n  budget: {amount: 1000}\n"
        "  ticket: {min: 1, max: 10}\n  rates: {AAA: [4%, 5%]}\n"
    )
    outcome = allocator("score", tmp_path / "s.yaml", "--scorecard", PUBLISHED, "--json")
    assert (borrowers.name, outcome.json["by_grade"]["AAA"]) == ("b.csv", 1)
    assert "--scorecard" in allocator("score", tmp_path / "s.yaml").told


def test_score_of_a_scenario_takes_its_scorecard_and_its_lgd(
    contest: Path, tmp_path: Path, allocator: Allocator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALLOCATOR_DATA", str(contest.parent.resolve()))
    (tmp_path / "s.yaml").write_text(
        f"schema: 1\nextends: {ROOT}/scenarios/contest-q3.yaml\nportfolio: {{defaults: {{lgd: 0.4}}}}\n"
    )
    outcome = allocator("score", tmp_path / "s.yaml", "--out", tmp_path / "b.csv")
    assert "302 borrowers: A 63, B 112, C 88, D 39, ungraded 0" in outcome.out
    assert "invoices_in_302.parquet: 395,175 invoices" in outcome.out
    written = pd.read_csv(tmp_path / "b.csv")
    assert set(written["lgd"]) == {0.4}
    assert written["industry"].nunique() == 6


def test_score_of_invoices(contest: Path, tmp_path: Path, allocator: Allocator) -> None:
    files = [
        "--purchases",
        contest / "invoices_in_302.parquet",
        "--sales",
        contest / "invoices_out_302.parquet",
    ]
    outcome = allocator("score", *files, "--scorecard", GRADES, "--out", tmp_path / "b.csv")
    assert outcome.status == 0
    assert (
        "invoices_in_302.parquet: 395,175 invoices, 17,236 void, 3,552 returns, 4,681 repeated rows kept"
        in outcome.out
    )
    assert "302 borrowers: A 63, B 112, C 88, D 39, ungraded 0" in outcome.out
    assert len(pd.read_csv(tmp_path / "b.csv")) == 302


def test_an_official_workbook_teaches_grades_and_is_graded(
    contest: Path, tmp_path: Path, allocator: Allocator
) -> None:
    firms = pd.read_csv(contest / "enterprises_123.csv")
    sides = [pd.read_parquet(contest / f"invoices_{way}_123.parquet") for way in ("in", "out")]
    sold = sides[1][sides[1]["valid"]].groupby("enterprise_id").size()
    few = firms.assign(sold=firms["enterprise_id"].map(sold)).sort_values("sold").groupby("rating").head(8)
    official = {english: chinese for chinese, english in CHINESE.items() if chinese != "销方单位代号"}
    status = {True: "有效发票", False: "作废发票"}
    book = tmp_path / "附件1.xlsx"
    with pd.ExcelWriter(book) as writer:
        titles = {
            "enterprise_id": "企业代号",
            "name": "企业名称",
            "rating": "信誉评级",
            "default": "是否违约",
        }
        few.drop(columns="sold").rename(columns=titles).replace({"是否违约": {1: "是", 0: "否"}}).to_excel(
            writer, sheet_name="企业信息", index=False
        )
        for side, sheet in zip(sides, ("进项发票信息", "销项发票信息"), strict=True):
            rows = side[side["enterprise_id"].isin(few["enterprise_id"])]
            rows = rows.assign(valid=rows["valid"].map(status)).rename(columns=official)
            rows.to_excel(writer, sheet_name=sheet, index=False)
    fitted = allocator("fit", "grade", "--workbook", book, "--folds", "4", "--out", tmp_path, "--json")
    assert fitted.status == 0, fitted.err
    scored = allocator("score", "--workbook", book, "--scorecard", tmp_path / "grade-v1.json", "--json")
    assert scored.json["borrowers"] == 32
    assert sum(scored.json["by_grade"].values()) == 32
    assert [Path(note["file"]).name for note in scored.json["invoices"]] == [
        "附件1.xlsx, 进项发票信息",
        "附件1.xlsx, 销项发票信息",
    ]


def test_ratings_are_seen_to_move(borrowers: Path, tmp_path: Path, allocator: Allocator) -> None:
    pd.read_csv(borrowers).assign(before=["AAA", "C", "A"]).to_csv(borrowers, index=False)
    order = ["score", borrowers, "--scorecard", PUBLISHED, "--was", "before"]
    moved = allocator(*order, "--json").json["moved"]
    assert (moved["AAA"]["stayed"], moved["C"]["stayed"], moved["A"]["down"]) == (1.0, 1.0, 1.0)
    assert "From before (rows) to grade (columns)" in allocator(*order).out
    assert "--was needs a table of borrowers" in allocator("score", *order[2:]).told


def test_fit_logit_then_score(firms: tuple[Path, Path], tmp_path: Path, allocator: Allocator) -> None:
    data, declared = firms
    order = [
        "fit",
        "logit",
        data,
        "--variables",
        declared,
        "--outcome",
        "bad",
        "--name",
        "x",
        "--out",
        tmp_path,
    ]
    fitted = allocator(*order, "--bounds", "A=20%,B=100%", "--json")
    assert fitted.json["file"] == str(tmp_path / "x-v1.json")
    assert fitted.json["auc"]["value"] > 0.8
    assert (tmp_path / "x-v1.md").is_file()
    assert (tmp_path / "x-v1.svg").is_file()
    scored = allocator("score", data, "--scorecard", tmp_path / "x-v1.json", "--intervals")
    assert scored.status == 0
    assert "pd low" in scored.out
    assert "--out FILE writes them all" in scored.out
    again = allocator(*order)
    assert "Wald tests" in again.out
    assert "x-v2.json" in again.out


def test_fit_and_score_say_what_they_filled(
    firms: tuple[Path, Path], tmp_path: Path, allocator: Allocator
) -> None:
    frame = pd.read_csv(firms[0])
    frame.loc[[3, 5, 8], "y"] = np.nan
    frame["kind"] = ["small"] * 150 + ["large"] * 149 + [None]
    frame.to_csv(firms[0], index=False)
    declared = {"variables": [{"name": "x"}, {"name": "y"}, {"name": "kind", "kind": "category"}]}
    firms[1].write_text(json.dumps(declared))
    order = ("fit", "logit", firms[0], "--variables", firms[1], "--outcome", "bad", "--out", tmp_path / "m")
    filled = {
        "y": {"cells": 3, "by": f"the median at fit, {frame['y'].median():.4g}"},
        "kind": {"cells": 1, "by": "the level small"},
    }
    lines = [
        f"empty cells of {name}: {one['cells']}, imputed by {one['by']}\n" for name, one in filled.items()
    ]
    fit = allocator(*order, "--json")
    assert fit.json["filled"] == filled
    said = allocator(*order)
    card = (tmp_path / "m" / "logit-v2.md").read_text()
    for line in lines:
        assert line in said.out
        assert line.strip().replace(": ", " | ") in card
    told = ("score", firms[0], "--scorecard", fit.json["file"])
    assert allocator(*told, "--json").json["filled"] == filled
    assert lines[0] + lines[1] in allocator(*told).out
    assert "filled" not in allocator("score", whole(frame, tmp_path), *told[2:], "--json").json


def whole(frame: pd.DataFrame, folder: Path) -> Path:
    frame.dropna().to_csv(folder / "whole.csv", index=False)
    return folder / "whole.csv"


def test_a_rating_says_what_it_filled(borrowers: Path, allocator: Allocator) -> None:
    frame = pd.read_csv(borrowers)
    frame.loc[1, "indicator_04"] = np.nan
    frame.to_csv(borrowers, index=False)
    found = allocator("score", borrowers, "--scorecard", PUBLISHED, "--json").json["filled"]
    assert found["indicator_04"]["cells"] == 1
    assert found["indicator_04"]["by"].startswith("the median at fit, ")


def test_options_that_change_nothing_are_refused(
    borrowers: Path, firms: tuple[Path, Path], contest: Path, allocator: Allocator
) -> None:
    table = ("score", borrowers, "--scorecard", PUBLISHED)
    assert (
        "--lgd the scorecard or the borrowers give one -> leave it out"
        in allocator(*table, "--lgd", "0.4").told
    )
    assert "--intervals only a logit has intervals" in allocator(*table, "--intervals").told
    invoices = (
        "--purchases",
        contest / "invoices_in_123.parquet",
        "--sales",
        contest / "invoices_out_123.parquet",
    )
    outcome = allocator("score", *invoices, "--scorecard", GRADES, "--intervals")
    assert (outcome.status, "--intervals grades of invoices have no intervals" in outcome.told) == (2, True)
    fit = allocator("fit", "logit", firms[0], "--variables", firms[1], "--outcome", "bad", "--strength", "3")
    assert (fit.status, "--strength the penalty flic has no strength" in fit.told) == (2, True)


def test_a_scenario_whose_borrowers_lack_a_variable_names_their_file(
    borrowers: Path, tmp_path: Path, allocator: Allocator
) -> None:
    frame = pd.read_csv(borrowers, dtype=str, keep_default_na=False)
    frame.drop(columns="indicator_04").to_csv(borrowers, index=False)
    (tmp_path / "churn.csv").write_text("rate,AAA\n0.04,0\n0.05,0.2\n")
    (tmp_path / "s.yaml").write_text(
        f"schema: 1\nportfolio: {{source: b.csv, scorecard: {PUBLISHED}}}\nresponse: {{churn: churn.csv}}\n"
        "policy: {budget: {amount: 1000}, ticket: {min: 1, max: 10}, rates: {AAA: [4%, 5%]}}\n"
    )
    for command in ("check", "score", "solve"):
        outcome = allocator(command, tmp_path / "s.yaml")
        assert (outcome.status, "b.csv, indicator_04 the column is missing" in outcome.told) == (2, True)


def test_score_of_a_stressed_scenario_says_that_its_pds_are_not(
    contest: Path, allocator: Allocator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALLOCATOR_DATA", str(contest.parent.resolve()))
    stressed, plain = (ROOT / "scenarios" / f"{name}.yaml" for name in ("contest-q3", "contest-q2"))
    outcome = allocator("score", stressed)
    assert ", before the scenario's stress, which solve applies\n" in outcome.out
    assert allocator("score", stressed, "--json").json["stressed"] is False
    assert "stressed" not in allocator("score", plain, "--json").json


def test_fit_refuses_bad_bounds(firms: tuple[Path, Path], tmp_path: Path, allocator: Allocator) -> None:
    order = ["fit", "logit", firms[0], "--variables", firms[1], "--outcome", "bad", "--out", tmp_path]
    assert "'B' is no bound -> write GRADE=PD" in allocator(*order, "--bounds", "A=1%,B").told
    assert "the last bound is 0.5" in allocator(*order, "--bounds", "A=1%,B=50%").told


def test_fit_ahp_prints_the_source_s_weights(tmp_path: Path, allocator: Allocator) -> None:
    judgements = ROOT / "models" / "ahp" / "enterprise-credit.json"
    outcome = allocator("fit", "ahp", judgements, "--out", tmp_path)
    assert outcome.status == 0
    for line in ("A: 0.6274", "B: 0.2329", "C: 0.1398"):
        assert line in outcome.out
    assert outcome.out.rstrip().endswith("card ahp-v1.md")


def test_fit_churn_writes_a_curve(tmp_path: Path, allocator: Allocator) -> None:
    curve = pd.DataFrame({"rate": [0.04, 0.06, 0.08, 0.1], "A": [0.0, 0.3, 0.2, 0.6]})
    curve.to_csv(tmp_path / "c.csv", index=False)
    assert allocator("fit", "churn", tmp_path / "c.csv", "--out", tmp_path / "out").status == 0
    assert pd.read_csv(tmp_path / "out" / "churn-v1.csv")["A"].tolist() == [0.0, 0.25, 0.25, 0.6]


def test_fit_correlation_prints_table_4(contest: Path, allocator: Allocator) -> None:
    files = [
        "--purchases",
        contest / "invoices_in_123.parquet",
        "--sales",
        contest / "invoices_out_123.parquet",
    ]
    order = [
        "fit",
        "correlation",
        *files,
        "--ratings",
        contest / "enterprises_123.csv",
        "--indicator",
        "void_share",
    ]
    assert "void_share  -0.2662**  0.0029" in allocator(*order).out
    row = allocator(*order, "--json").json["correlation"][0]
    assert (round(row["pearson"], 4), round(row["pearson_p"], 4), row["n"]) == (-0.2662, 0.0029, 123)


def test_table_4_comes_out_as_printed_and_the_indicators_by_grade_are_written(
    contest: Path, tmp_path: Path, allocator: Allocator
) -> None:
    files = {"--purchases": "invoices_in_123.parquet", "--sales": "invoices_out_123.parquet"}
    files["--ratings"] = "enterprises_123.csv"
    named = [part for option, name in files.items() for part in (option, contest / name)]
    out = tmp_path / "by-grade.csv"
    order = ["fit", "correlation", *named, "--drop-duplicates", "--indicator", "out_void_net_share"]
    told = allocator(*order, "--out", out, "--json").json
    (row,) = told["correlation"]
    assert (round(row["pearson"], 5), round(row["pearson_p"], 5)) == (-0.26996, 0.00253)
    written = pd.read_csv(out)
    assert written["grade"].tolist() == ["A", "B", "C", "D"]
    assert written["median"].tolist() == pytest.approx([one["median"] for one in told["by_grade"]])
    assert f"written to {out}" in allocator(*order, "--out", out, "--force").out


def test_indicators_are_of_firms_with_invoices(borrowers: Path, allocator: Allocator) -> None:
    told = allocator("score", borrowers, "--scorecard", PUBLISHED, "--indicators")
    assert told.status == 2
    assert "  --indicators\n    are of firms with invoices\n" in told.err


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_fit_has_help_with_an_example_and_json(kind: str, allocator: Allocator) -> None:
    outcome = allocator("fit", kind, "--help")
    assert outcome.status == 0
    assert f"Example: allocator fit {kind} " in " ".join(outcome.out.split())
    assert "--json" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 100


def test_fit_lists_its_kinds(allocator: Allocator) -> None:
    outcome = allocator("fit", "--help")
    assert re.findall(r"^  (\w+)  ", outcome.out.partition("Commands:")[2], re.MULTILINE) == list(KINDS)


def test_columns_that_nobody_asked_about_stay_as_written(
    borrowers: Path, tmp_path: Path, allocator: Allocator
) -> None:
    asked = {
        "zip": ["01234", "01235", "20000"],
        "since": ["2020-01-01", "2020-02-01", ""],
        "at": ["2020-01-01 10:00", "2020-01-01 11:00:30", "2021-01-01 10:00"],
        "n": ["1", "2.0", "3"],
        "long": ["12345678901234567890", "1e5", "007"],
        "flag": ["true", "False", "yes"],
    }
    frame = pd.read_csv(borrowers, dtype=str, keep_default_na=False).assign(**asked)
    frame.to_csv(borrowers, index=False)
    out = tmp_path / "scored.csv"
    assert allocator("score", borrowers, "--scorecard", PUBLISHED, "--out", out).status == 0
    written = pd.read_csv(out, dtype=str, keep_default_na=False)
    for name in ("borrower_id", *asked):
        assert written[name].tolist() == frame[name].tolist()
    assert written["pd"].tolist() != [""] * 3


def test_a_table_may_take_the_place_of_the_one_that_was_scored(borrowers: Path, allocator: Allocator) -> None:
    """A file that the command itself replaces has not changed behind its back."""
    given = ("score", borrowers, "--scorecard", PUBLISHED, "--out", borrowers, "--force")
    assert [allocator(*given).status for _ in range(2)] == [0, 0]
