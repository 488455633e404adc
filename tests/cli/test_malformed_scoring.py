"""Bad input to `score` and `fit`, and to `solve` with a scorecard: named, status 2, nothing written."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.cli.conftest import CHURN, Allocator

ROOT = Path(__file__).resolve().parents[2]
Change = Callable[[], object]

LOGIT = "fit logit firms.csv --variables declared.json --outcome bad --out out"
RATING = (
    "fit rating firms.csv --rules declared.json --default bad --owed lent --lost unpaid "
    "--classes a,b,c --repeats 1 --out out"
)
GRADE = "fit grade --purchases in.csv --sales sales.csv --ratings rated.csv --folds 3 --out out"
AHP = "fit ahp judgements.json --out out"
CHURN_FIT = "fit churn offers.csv --out out"
SCORE = "score firms.csv --scorecard card.json --out scored.csv"
INVOICES = f"score --purchases in.csv --sales sales.csv --scorecard {ROOT}/models/grades/cumcm-2020-v1.json"
SOLVE = "solve scenario.yaml --out out"
SCENARIO = """\
schema: 1
name: small
portfolio: {source: firms.csv, scorecard: card.json, columns: {borrower_id: id}, defaults: {lgd: 0.5}}
response: {churn: churn.csv}
policy:
  budget: {amount: 3_000_000}
  ticket: {min: 100_000, max: 1_000_000}
  rates: {A: [4%, 11%], B: [11%, 15%]}
"""


@pytest.fixture(autouse=True)
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: firms, what to fit on them, invoices of rated firms, a fitted card."""
    monkeypatch.chdir(tmp_path)
    generator = np.random.default_rng(0)
    firms = pd.DataFrame(generator.normal(size=(120, 2)), columns=["x", "y"])
    firms.insert(0, "id", [f"F{i:03}" for i in range(120)])
    firms["bad"] = (generator.random(120) < 1 / (1 + np.exp(1 - 2 * firms["x"]))).astype(int)
    firms["lent"] = 10.0
    firms["unpaid"] = 6.0 * firms["bad"]
    firms["kind"] = np.where(firms["y"] > 0, "u", "v")
    firms.to_csv("firms.csv", index=False)
    variables = [{"name": "x", "sign": 1}, {"name": "y"}]
    rules = [{"name": "x", "kind": "negative"}, {"name": "y", "kind": "positive"}]
    Path("declared.json").write_text(json.dumps({"variables": variables, "rules": rules}))
    Path("offers.csv").write_text("rate,A\n0.04,0\n0.06,0.3\n0.08,0.2\n0.1,0.6\n")
    invoices = pd.DataFrame(
        {
            "enterprise_id": [f"E{i % 8}" for i in range(64)],
            "counterparty_id": [f"K{i % 5}" for i in range(64)],
        }
    )
    invoices["date"] = [f"{2018 + i // 32}-{'01' if i % 16 < 8 else '12'}-10" for i in range(64)]
    invoices["amount"] = generator.uniform(10, 99, 64).round(2)
    invoices = invoices.assign(tax=0.0, total=invoices["amount"], valid=np.arange(64) % 7 > 0)
    invoices.to_csv("in.csv", index=False)
    invoices.to_csv("sales.csv", index=False)
    rated = pd.DataFrame({"enterprise_id": [f"E{i}" for i in range(8)], "rating": list("ABCDABCD")})
    rated.assign(default=(rated["rating"] == "D").astype(int)).to_csv("rated.csv", index=False)
    Path("judgements.json").write_text((ROOT / "models/ahp/enterprise-credit.json").read_text())
    card = {
        "schema": 1, "kind": "logit", "variables": [{"name": "x", "fill": 0.0, "scale": 1.0}],
        "penalty": "flic", "strength": 0.0, "coefficients": {"intercept": -2.0, "x": 1.0},
        "covariance": [[1.0, 0.0], [0.0, 1.0]], "log_likelihood": -3.0, "n": 30, "events": 5,
        "bounds": {"A": 0.2, "B": 1.0},
    }  # fmt: skip
    Path("card.json").write_text(json.dumps(card))
    Path("scenario.yaml").write_text(SCENARIO)
    Path("churn.csv").write_text(CHURN)
    return tmp_path


def cell(file: str, column: str, row: int, value: object) -> Change:
    """Put `value` into one cell."""

    def change() -> None:
        frame = pd.read_csv(file, dtype=object)
        frame.loc[row, column] = value
        frame.to_csv(file, index=False)

    return change


def column(file: str, name: str, value: object) -> Change:
    return lambda: pd.read_csv(file).assign(**{name: value}).to_csv(file, index=False)


def rows(file: str, n: int) -> Change:
    return lambda: pd.read_csv(file).iloc[:n].to_csv(file, index=False)


def without(file: str, name: str) -> Change:
    return lambda: pd.read_csv(file).drop(columns=name).to_csv(file, index=False)


def put(file: str, *path: str | int, to: object) -> Change:
    """Set the place `path` of a JSON file."""

    def change() -> None:
        document: Any = json.loads(Path(file).read_text())
        inner = document
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = to
        Path(file).write_text(json.dumps(document))

    return change


def content(file: str, data: bytes) -> Change:
    return lambda: Path(file).write_bytes(data)


def remove(file: str) -> Change:
    return lambda: Path(file).unlink()


def nothing() -> None:
    return None


CASES: dict[str, tuple[str, Change, str]] = {
    # what a table may be
    "no table": (LOGIT, remove("firms.csv"), "firms.csv the file does not exist"),
    "no csv": (LOGIT, content("firms.csv", b"\x00\xff\xfe\x01" * 9), "firms.csv a binary file"),
    "uneven rows": (LOGIT, content("firms.csv", b"x,y,bad\n1,2,0\n1,2\n"), "2 cells under a header of 3"),
    "another encoding": (LOGIT, content("firms.csv", b"x,y,bad,n\n1,2,0,\xe9\n"), "line 2 not UTF-8"),
    "a column twice": (LOGIT, content("firms.csv", b"x,x,bad\n1,2,0\n"), "x 2 columns have this name"),
    "no rows": (LOGIT, rows("firms.csv", 0), "firms.csv holds no row"),
    "no parquet": (
        LOGIT.replace("firms.csv", "f.parquet"),
        content("f.parquet", b"PAR1"),
        "not a whole Parquet file",
    ),
    # fit logit
    "one class": (LOGIT, column("firms.csv", "bad", 0), "firms.csv, bad no row is a default -> give"),
    "an unknown outcome": (LOGIT, cell("firms.csv", "bad", 3, 2), "row 4, bad '?2'? is no outcome"),
    "no outcome": (LOGIT, cell("firms.csv", "bad", 3, None), "row 4, bad is empty -> write 1 or 0, or"),
    "no such column": (LOGIT + " --outcome worse", nothing, "firms.csv, worse lacks the column worse"),
    "a constant": (LOGIT, column("firms.csv", "x", 1.5), "firms.csv, x is constant"),
    "no value": (LOGIT, column("firms.csv", "x", None), "firms.csv, x has no value at all"),
    "text": (LOGIT, cell("firms.csv", "x", 3, "n/a"), "firms.csv, row 4, x 'n/a' is no number"),
    "infinite": (LOGIT, cell("firms.csv", "x", 3, "-inf"), "firms.csv, row 4, x is infinite"),
    "collinear": (
        LOGIT,
        lambda: pd.read_csv("firms.csv").eval("y = 2 * x + 1").to_csv("firms.csv", index=False),
        "firms.csv, y is a combination of x -> leave one of them out",
    ),
    "separated": (
        LOGIT + " --penalty none",
        lambda: pd.read_csv("firms.csv").eval("bad = (x > 0) * 1").to_csv("firms.csv", index=False),
        "firms.csv, x defaults are separated perfectly by it -> use penalty flic",
    ),
    "few rows": (LOGIT, rows("firms.csv", 3), "firms.csv"),
    "many folds": (LOGIT + " --folds 99", nothing, r"folds \d+ rows have 0, 99 folds need"),
    "no date": (LOGIT + " --time kind", nothing, "row 1, kind '[uv]' is neither a date nor a number"),
    "a grade twice": (LOGIT + " --bounds A=5%,A=100%", nothing, "--bounds A stands twice"),
    "bounds that fall": (LOGIT + " --bounds A=50%,B=20%,C=100%", nothing, "the bounds do not rise"),
    "no bound": (LOGIT + " --bounds A=nan,B=1", nothing, r"a bound lies outside \(0, 1\]"),
    "owed alone": (LOGIT + " --owed lent", nothing, "--lost is missing -> an LGD needs both columns"),
    "lost as a variable": (
        LOGIT + " --owed lent --lost x", nothing, r"variables\[x\] x would tell the outcome",
    ),
    "no name": (LOGIT + " --name ../x", nothing, "--name '../x' is no name of a file"),
    "out is a file": (LOGIT.replace("--out out", "--out firms.csv"), nothing, "firms.csv is a file"),
    "declared: no JSON": (LOGIT, content("declared.json", b"{variables"), "not JSON: expected a key"),
    "declared: a list": (LOGIT, content("declared.json", b"[1]"), "declared.json"),
    "declared: no variables": (LOGIT, put("declared.json", "variables", to=[]), "has no variables"),
    "declared: a slip": (LOGIT, put("declared.json", "variables", 0, "sgn", to=1), "did you mean sign"),
    "declared: no text": (
        LOGIT, put("declared.json", "variables", 0, "name", to=["x"]), r"\[#1\].name expected text",
    ),
    "declared: cut": (LOGIT, put("declared.json", "variables", 0, "cut", to=[1, 9]), r"cut\[#2\] expect"),
    "declared: the outcome": (
        LOGIT, put("declared.json", "variables", 0, "name", to="bad"), "bad would tell the outcome",
    ),
    "declared: a leak": (
        LOGIT, put("declared.json", "leaks", to=[{"name": "x", "why": "made from bad"}]),
        r"variables\[x\] x would tell the outcome: made from bad",
    ),
    "declared: derived from nothing": (
        LOGIT, put("declared.json", "derived", to=[{"name": "z", "column": "q", "is": 1}]),
        "firms.csv, q the column is missing, z is derived from it",
    ),
    # fit rating
    "rating: one class": (RATING, column("firms.csv", "bad", 1), "bad every row is a default -> give"),
    "rating: owed text": (RATING, cell("firms.csv", "lent", 3, "x"), "row 4, lent 'x' is no number"),
    "rating: owed negative": (RATING, cell("firms.csv", "lent", 3, -5), "row 4, lent -5 is below 0"),
    "rating: lost negative": (RATING, cell("firms.csv", "unpaid", 3, -5), "row 4, unpaid -5 is below 0"),
    "rating: nothing lost": (RATING, column("firms.csv", "unpaid", 0), "no cut into 3 classes .* 1 classes"),
    "rating: classes twice": (RATING + " --classes a,a", nothing, "classes 'a', 'a' are no classes"),
    "rating: one class name": (RATING + " --classes a", nothing, "classes 'a' are no classes"),
    "rating: too many classes": (
        RATING + " --classes " + ",".join(map(str, range(40))), nothing, "no cut into 40 classes",
    ),
    "rating: kind": (
        RATING, put("declared.json", "rules", 0, "kind", to="up"), r"rules\[x\].kind expected one of",
    ),
    "rating: no interval": (
        RATING, put("declared.json", "rules", 0, "kind", to="interval"), r"rules\[x\] needs an interval",
    ),
    "rating: interval of all": (
        RATING, put("declared.json", "rules", 0, to={"name": "x", "kind": "interval", "interval": [-99, 99]}),
        r"x every value lies in the interval",
    ),
    "rating: scores": (
        RATING, put("declared.json", "rules", 0, to={"name": "kind", "kind": "qualitative", "scores": [1]}),
        r"scores expected a mapping that is not empty",
    ),
    "rating: no score": (
        RATING,
        put("declared.json", "rules", 0, to={"name": "kind", "kind": "qualitative", "scores": {"u": 1}}),
        "kind 'v' has no score",
    ),
    # fit grade
    "grade: one direction": (GRADE.replace("--sales sales.csv ", ""), nothing, "one direction is missing"),
    "grade: no file": (GRADE, remove("sales.csv"), "sales.csv the file does not exist"),
    "grade: no workbook": (
        "fit grade --workbook book.xlsx --out out", content("book.xlsx", b"PK"),
        "not a whole Excel workbook",
    ),
    "grade: a column": (GRADE, without("in.csv", "tax"), "in.csv lacks the column tax"),
    "grade: no date": (GRADE, cell("in.csv", "date", 7, "spring"), "in.csv, row 8, date 'spring' is no date"),
    "grade: a far date": (
        GRADE, cell("in.csv", "date", 7, "9999-01-01"), "row 8, date 9999-01-01 is no date",
    ),
    "grade: no amount": (GRADE, cell("in.csv", "amount", 7, "1,234"), "row 8, amount '1,234' is no amount"),
    "grade: infinite": (GRADE, cell("in.csv", "amount", 7, "inf"), "row 8, amount inf is no amount"),
    "grade: no status": (
        GRADE, cell("in.csv", "valid", 7, "maybe"), "row 8, valid 'maybe' is no invoice status",
    ),
    "grade: no firm": (GRADE, cell("in.csv", "enterprise_id", 7, None), "row 8, enterprise_id is empty"),
    "grade: no sales": (GRADE, column("sales.csv", "valid", False), "rated firms E0, E1, E2 and 5 more"),
    "grade: a silent firm": (GRADE, cell("rated.csv", "enterprise_id", 0, "E99"), "rated firm E99"),
    "grade: unknown": (
        GRADE, cell("rated.csv", "rating", 0, "E"), "rated.csv, row 1, rating 'E' is no grade",
    ),
    "grade: default": (GRADE, cell("rated.csv", "default", 0, "maybe"), "'maybe' says neither yes nor no"),
    "grade: a firm twice": (GRADE, cell("rated.csv", "enterprise_id", 0, "E1"), "row 2, enterprise_id 'E1'"),
    "grade: no ratings": (GRADE, without("rated.csv", "rating"), "rated.csv lacks the column rating"),
    # fit ahp, fit churn
    "ahp: not reciprocal": (
        AHP, put("judgements.json", "criteria", "rows", 0, 1, to=3),
        r"line 1, criteria\[strength, reputation\] is not reciprocal: 3 one way and 4 the other",
    ),
    "ahp: zero": (AHP, put("judgements.json", "criteria", "rows", 0, 1, to=0), " 0 is no judgement"),
    "ahp: words": (
        AHP, put("judgements.json", "criteria", "rows", 0, 1, to="strong"), "'strong' is no judge",
    ),
    "ahp: true": (AHP, put("judgements.json", "criteria", "rows", 0, 1, to=True), " true is no judgement"),
    "ahp: not square": (AHP, put("judgements.json", "criteria", "rows", to=[[1]]), "criteria is not 4 x 4"),
    "ahp: no rows": (
        AHP, put("judgements.json", "criteria", "rows", to=3), "criteria.rows expected a list",
    ),
    "ahp: a criterion": (
        AHP, put("judgements.json", "criteria", "items", 0, to="luck"), "strength is no criterion",
    ),
    "ahp: another encoding": (AHP, content("judgements.json", b"\xff\xfe{"), "not JSON: byte 0xFF"),
    "churn: beyond 1": (CHURN_FIT, cell("offers.csv", "A", 1, 1.5), "row 2, A 1.5 is out of range"),
    "churn: percent": (CHURN_FIT, cell("offers.csv", "rate", 1, 6), "row 2, rate 6 is out of range"),
    "churn: few rates": (CHURN_FIT, rows("offers.csv", 2), "offers.csv, A fewer than 3 rates"),
    "churn: no rate": (CHURN_FIT, without("offers.csv", "rate"), "offers.csv lacks the column rate"),
    "churn: half an answer": (
        CHURN_FIT, content("offers.csv", b"rate,grade,left\n0.04,A,0.5\n"), "row 1, left 0.5 is out of range",
    ),
    "churn: no slope": (
        CHURN_FIT + " --shape logistic", content("offers.csv", b"rate,A\n0.04,0\n0.05,0\n0.06,0\n"),
        "offers.csv, A has no logistic curve",
    ),
    # score
    "score: no scorecard": (SCORE.replace("--scorecard card.json ", ""), nothing, "--scorecard is missing"),
    "score: no fit": (SCORE, put("card.json", "kind", to="tree"), "line 1, kind its kind is 'tree'"),
    "score: another schema": (SCORE, put("card.json", "schema", to=2), "schema expected 1, found 2"),
    "score: damaged": (SCORE, put("card.json", "coefficients", to={"x": 1}), "coefficients are not those of"),
    "score: not finite": (SCORE, content("card.json", b'{"kind": "logit", "n": NaN}'), "card.json"),
    "score: a column": (SCORE, without("firms.csv", "x"), "firms.csv, x the column is missing"),
    "score: text": (SCORE, cell("firms.csv", "x", 0, "high"), "firms.csv, row 1, x 'high' is no number"),
    "score: lgd": (SCORE + " --lgd 45", nothing, "invalid value for '--lgd'"),
    "score: grades before": (SCORE + " --was none", nothing, "--was lacks the column none"),
    "score: unknown before": (SCORE + " --was kind", nothing, "before 'u' is no class"),
    "score: both": (SCORE + " --purchases in.csv", nothing, "FILE a file and invoices are given"),
    "score: a firm without a name": (
        INVOICES + " --firms rated.csv", cell("rated.csv", "enterprise_id", 2, None),
        "rated.csv, row 3, enterprise_id .* is no identifier",
    ),
    "score: firms of no invoice": (
        INVOICES + " --firms rated.csv", column("rated.csv", "enterprise_id", "Z"), "'Z'",
    ),
    "score: invoices by a logit": (
        "score --purchases in.csv --sales sales.csv --scorecard card.json", nothing, "grades no invoices",
    ),
    # solve with a scorecard
    "solve: no scorecard": (SOLVE, remove("card.json"), "portfolio.scorecard card.json does not exist"),
    "solve: damaged": (SOLVE, put("card.json", "variables", 0, "scale", to=0), r"\[x\].scale expected"),
    "solve: a column": (SOLVE, without("firms.csv", "x"), "x the column is missing"),
    "solve: infinite": (SOLVE, cell("firms.csv", "x", 3, "inf"), "row 4, x"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_named_and_nothing_is_written(name: str, case: Path, allocator: Allocator) -> None:
    order, change, told = CASES[name]
    change()
    before = {path: path.stat().st_mtime_ns for path in case.rglob("*")}
    outcome = allocator(*order.split())
    assert outcome.status == 2, outcome.told
    assert re.search(told, outcome.told), outcome.told
    assert "->" in outcome.err
    assert outcome.out == ""
    assert {path: path.stat().st_mtime_ns for path in case.rglob("*")} == before


@pytest.mark.parametrize("order", [LOGIT, RATING, AHP, CHURN_FIT, SCORE, SOLVE])
def test_the_case_itself_is_sound(order: str, allocator: Allocator) -> None:
    outcome = allocator(*order.split())
    assert outcome.status == 0, outcome.told
