"""The borrowers of a scenario: scored as score scores them, stressed as by hand, every input hashed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from allocator.borrowers import content_hashes, examine, read_inputs
from allocator.errors import CertificateError, InputError
from allocator.pipeline import allocate
from allocator.records.scenario import Scenario
from allocator.records.stress import Stress
from allocator.scenario import dump_scenario, load_document, load_scenario
from allocator.scoring.fitted import read_fitted
from allocator.scoring.score import score_frame
from allocator.store import read_run, write_run
from allocator.verification import verify_run
from tests.cases import BORROWERS, CHURN, RICH, write_rich
from tests.portfolio.sources import FORMATS

MODELS = Path(__file__).resolve().parents[1] / "models"
GRADES = MODELS / "grades" / "cumcm-2020-v1.json"
RATING = MODELS / "ratings" / "small-enterprise-published.json"
FIRMS = ("E1", "E2", "E3", "E4")

STRESS = """\
stress:
  pd: {all: 1.2, where: [{sector: [retail, "NO"], factor: 1.5}, {pd: {above: 1%}, grade: B, factor: 0.9}]}
  lgd: {all: 110%}
  amount: {where: [{sector: steel, factor: 0.6}]}
  churn: {all: 1.1, where: [{grade: B, factor: 1.05}]}
"""


def invoices(seed: int) -> pd.DataFrame:
    """Three years of invoices of four firms, a twentieth of them void; the fourth only buys."""
    generator = np.random.default_rng(seed)
    n = 400
    amount = generator.lognormal(9, 1, n).round(2)
    return pd.DataFrame(
        {
            "enterprise_id": np.array(FIRMS)[generator.integers(0, 4 if seed == 0 else 3, n)],
            "date": np.datetime64("2017-01-01") + generator.integers(0, 3 * 365, n),
            "counterparty_id": generator.integers(0, 20, n).astype(str),
            "amount": amount,
            "tax": (amount * 0.13).round(2),
            "total": amount + (amount * 0.13).round(2),
            "valid": (generator.random(n) > 0.05).astype(int),
        }
    )


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Invoices, firms and facts of four firms."""
    tables = {
        "purchases": invoices(0),
        "sales": invoices(1),
        "firms": pd.DataFrame({"enterprise_id": FIRMS}),
        "facts": pd.DataFrame({"industry": ["007", "7", "NA", "x"], "enterprise_id": FIRMS}),
    }
    for name, table in tables.items():
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    (tmp_path / "churn.csv").write_text("rate,A,B,C,D\n0.04,0,0,0,0\n0.15,0.5,0.5,0.5,0.5\n")
    return {name: tmp_path / f"{name}.csv" for name in tables}


@pytest.fixture
def document(files: dict[str, Path]) -> dict[str, Any]:
    """A scenario on those invoices."""
    source = {"invoices": {name: str(path) for name, path in files.items()}}
    return {
        "schema": 1,
        "portfolio": {"source": source, "scorecard": str(GRADES), "defaults": {"lgd": 0.5}},
        "response": {"churn": str(files["sales"].with_name("churn.csv"))},
        "policy": {
            "budget": {"amount": 1e6},
            "ticket": {"min": 1e5, "max": 5e5},
            "rates": {grade: [0.04, 0.15] for grade in "ABCD"},
            "limits": [
                {"name": "i", "measure": "offered", "each": "industry", "at_most": "60%", "of": "budget"}
            ],
        },
    }


def load(document: Mapping[str, Any], **changes: Any) -> Scenario:
    return load_document({**document, **changes}, "/")


def faults_of(scenario: Scenario) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_inputs(scenario)
    return [str(fault) for fault in caught.value.faults]


def by_hand(folder: Path) -> Path:
    """The rich case with its columns multiplied as STRESS says."""
    book = pd.read_csv(folder / "borrowers.csv", dtype={"sector": str}, keep_default_na=False, na_values=[""])
    b_above = (book["grade"] == "B") & (book["pd"] > 0.01)
    trade = book["sector"].isin(["retail", "NO"])
    pd_factor = np.where(b_above, 0.9, 1.0) * (np.where(trade, 1.5, 1.0) * 1.2)
    book["pd"] = np.minimum(book["pd"] * pd_factor, 1)
    book["lgd"] = 0.45 * 1.1
    book["max_amount"] *= np.where(book["sector"] == "steel", 0.6, 1.0)
    book.to_csv(folder / "borrowers.csv", index=False)
    curve = pd.read_csv(folder / "churn.csv")
    curve["A"] = np.minimum(curve["A"] * 1.1, 1)
    curve["B"] = np.minimum(curve["B"] * (1.1 * 1.05), 1)
    curve.to_csv(folder / "churn.csv", index=False)
    return folder / "scenario.yaml"


def test_a_stressed_book_is_the_book_multiplied_by_hand(tmp_path: Path) -> None:
    for name in ("stressed", "hand"):
        (tmp_path / name).mkdir()
        write_rich(tmp_path / name)
    path = tmp_path / "stressed" / "scenario.yaml"
    unstressed = allocate(load_scenario(path))
    path.write_text(RICH + STRESS)
    stressed, hand = allocate(load_scenario(path)), allocate(load_scenario(by_hand(tmp_path / "hand")))

    assert stressed.certificate.value == pytest.approx(hand.certificate.value, rel=1e-12)
    assert stressed.certificate.value < 0.95 * unstressed.certificate.value
    columns = ["amount", "rate", "expected_loss", "value"]
    np.testing.assert_allclose(stressed.allocation[columns], hand.allocation[columns], rtol=1e-9, atol=1e-6)


def test_a_stressed_run_is_verified_and_its_factors_are_inputs(tmp_path: Path) -> None:
    path = write_rich(tmp_path)
    factors = tmp_path / "factors.csv"
    factors.write_text("sector,pd,amount\nretail,1.5,1\nfood,1.2,0.9\nsteel,1,1\nNO,1,1\n")
    path.write_text(RICH + "stress: {file: factors.csv, column: sector, pd: {all: 1.1}}\n")
    scenario, out = load_scenario(path), tmp_path / "run"
    write_run(allocate(scenario), out, scenario_text=dump_scenario(scenario, out), force=False)
    assert verify_run(read_run(out)).inputs.keys() == {"portfolio", "churn", "stress"}

    (out / "scenario.yaml").write_text((out / "scenario.yaml").read_text().replace("all: 1.1", "all: 1.2"))
    with pytest.raises(CertificateError, match="certificate value"):
        verify_run(read_run(out))
    for text in (factors.read_text().replace("1.5", "1.6"), "no factors at all"):
        factors.write_text(text)
        with pytest.raises(CertificateError, match="stress: has changed since the run"):
            verify_run(read_run(out))
    factors.unlink()
    with pytest.raises(InputError, match=r"stress.file: .*factors.csv does not exist"):
        verify_run(read_run(out))


def test_what_a_file_of_factors_does_not_name_is_a_fault(tmp_path: Path) -> None:
    path = write_rich(tmp_path)
    (tmp_path / "factors.csv").write_text("sector,pd\nretail,1.5\nfood,1.2\nsteel,1\n")
    path.write_text(RICH + "stress: {file: factors.csv, column: sector}\n")
    assert faults_of(load_scenario(path)) == [
        f"{tmp_path / 'factors.csv'}, sector: no factor for sector 'NO', borrowers: 2; "
        "give it a row, with factors of 1 if it was spared"
    ]


def test_the_faults_of_all_inputs_come_at_once(tmp_path: Path) -> None:
    path = write_rich(tmp_path, BORROWERS.replace("F01,A,0.005", "F01,A,5"))
    (tmp_path / "churn.csv").write_text(CHURN.replace("0.04,0", "0.04,x"))
    (tmp_path / "factors.csv").write_text("sector,pd\nretail,-1\n")
    path.write_text(RICH + "stress: {file: factors.csv, column: sector}\n")
    scenario = load_scenario(path)
    assert [Path(fault.file or "").name for fault in examine(scenario).faults] == [
        "borrowers.csv", "churn.csv", "factors.csv"
    ]  # fmt: skip
    with pytest.raises(InputError, match="rich: 3 faults"):
        read_inputs(scenario)


def indicators(n: int) -> dict[str, list[Any]]:
    """What the published rating reads, for n firms with identifiers and a sector that look like numbers."""
    generator = np.random.default_rng(n)
    columns: dict[str, list[Any]] = {
        "id": [f"0{i}" for i in range(n)],
        "sector": ["01", "1", "NA"] * (n // 3),
    }
    return columns | {f"indicator_{i:02d}": generator.random(n).round(3).tolist() for i in range(1, 22)}


@pytest.mark.parametrize("kind", FORMATS)
def test_a_scored_portfolio_is_what_score_writes(kind: str, tmp_path: Path, document: dict[str, Any]) -> None:
    columns = indicators(12)
    names = {"borrower_id": "id", "relationship_value": "indicator_01"}
    source = replace(FORMATS[kind](columns, tmp_path, scorecard=RATING), columns=names)
    scenario = replace(load(document), portfolio=source)
    portfolio = read_inputs(with_limit_on(scenario, "sector")).portfolio

    expected = score_frame(pd.DataFrame(columns), read_fitted(RATING)).sort_values("id")
    assert portfolio.borrower_id.tolist() == expected["id"].tolist()
    assert [portfolio.grade.values[code] for code in portfolio.grade.codes] == expected["grade"].tolist()
    assert portfolio.texts["sector"].values == ("01", "1", "NA")
    for name, ours in {"pd": portfolio.pd, "lgd": portfolio.lgd}.items():
        np.testing.assert_allclose(ours, expected[name], rtol=1e-12)
    np.testing.assert_array_equal(portfolio.relationship_value, expected["indicator_01"])


def with_limit_on(scenario: Scenario, column: str) -> Scenario:
    policy = scenario.policy
    limits = tuple(replace(limit, each=column) for limit in policy.limits)
    return replace(scenario, policy=replace(policy, limits=limits))


def test_decimal_commas_are_scored_as_the_numbers_that_they_are(tmp_path: Path, document: Any) -> None:
    columns = indicators(6)
    points = replace(FORMATS["csv"](columns, tmp_path, scorecard=RATING), columns={"borrower_id": "id"})
    scenario = with_limit_on(replace(load(document), portfolio=points), "sector")
    expected = read_inputs(scenario).portfolio
    pd.DataFrame(columns).to_csv(points.path, sep=";", decimal=",", index=False)
    commas = replace(points, separator=";", decimal=",")
    found = read_inputs(replace(scenario, portfolio=commas)).portfolio
    np.testing.assert_array_equal(found.pd, expected.pd)


def test_a_scorecard_that_gives_what_a_column_names_is_a_fault(tmp_path: Path, document: Any) -> None:
    names = {"borrower_id": "id", "grade": "sector"}
    source = replace(FORMATS["csv"](indicators(6), tmp_path, scorecard=RATING), columns=names)
    scenario = replace(load(document), portfolio=source)
    assert faults_of(scenario) == [
        "portfolio.columns.grade: the scorecard gives grade too; leave this line out"
    ]


def test_firms_are_scored_from_their_invoices_with_their_facts(document: dict[str, Any]) -> None:
    scenario = load(document)
    portfolio = read_inputs(scenario).portfolio
    assert portfolio.borrower_id.tolist() == list(FIRMS)
    assert portfolio.texts["industry"].values == ("007", "7", "NA", "x")
    assert portfolio.lgd.tolist() == [0.5] * 4
    assert portfolio.exclude.tolist() == [False, False, False, True]
    assert portfolio.grade.values[portfolio.grade.codes[3]] == "ungraded"
    run = allocate(scenario)
    assert run.allocation["reason"].tolist()[3] == "excluded"
    named = {"churn", "scorecard", "purchases", "sales", "firms", "facts", "borrowers"}
    assert set(run.certificate.inputs) == named


def test_a_run_on_invoices_is_verified_and_each_of_its_inputs_is_watched(
    document: dict[str, Any], files: dict[str, Path], tmp_path: Path
) -> None:
    card = tmp_path / "card.json"
    card.write_bytes(GRADES.read_bytes())
    document["portfolio"]["scorecard"] = str(card)
    scenario, out = load(document), tmp_path / "run"
    write_run(allocate(scenario), out, scenario_text=dump_scenario(scenario, out), force=False)
    verify_run(read_run(out))
    for name, path in {**files, "scorecard": card}.items():
        whole = path.read_bytes()
        for altered in (whole.replace(b"1", b"2", 1), whole[: len(whole) // 2]):
            path.write_bytes(altered)
            with pytest.raises(CertificateError, match=f"{name}: has changed since the run"):
                verify_run(read_run(out))
        path.unlink()
        with pytest.raises(InputError, match="does not exist"):
            verify_run(read_run(out))
        path.write_bytes(whole)
    verify_run(read_run(out))


Spoil = Callable[[dict[str, Any], dict[str, Path]], None]


def facts(text: str) -> Spoil:
    """Writes another file of facts."""

    def spoil(document: dict[str, Any], files: dict[str, Path]) -> None:
        files["facts"].write_text(text)

    return spoil


def no_facts(document: dict[str, Any], files: dict[str, Path]) -> None:
    del document["portfolio"]["source"]["invoices"]["facts"]


def use_rating(document: dict[str, Any], files: dict[str, Path]) -> None:
    document["portfolio"]["scorecard"] = str(RATING)


def no_lgd(document: dict[str, Any], files: dict[str, Path]) -> None:
    del document["portfolio"]["defaults"]


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (facts("id,industry\nE1,x\n"), "enterprise_id: the column is missing; name whom each"),
        (facts("enterprise_id,industry\nE1,x\nE2,x\n"), '"E3" has no row, as do 1 more; add one'),
        (
            facts("enterprise_id,industry\nE1,x\nE2,x\nE3,x\nE4,x\nE2,y\n"),
            '"E2" stands in more than one row; keep one of them',
        ),
        (
            facts("enterprise_id,industry,pd\nE1,x,1\nE2,x,1\nE3,x,1\nE4,x,1\n"),
            "pd: the scored firms have this column too; rename or drop it",
        ),
        (facts("enterprise_id,industry\nE1,x,y\n"), "row 1: 3 cells under a header of 2"),
        (no_facts, "industry: no column industry; there are borrower_id, grade, pd"),
        (use_rating, "scorecard: grades no invoices; name a file of `allocator fit grade`"),
        (no_lgd, "lgd: no column lgd; there are borrower_id, grade"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_firms_is_told(
    spoil: Spoil, expected: str, document: dict[str, Any], files: dict[str, Path]
) -> None:
    spoil(document, files)
    (told, *_) = faults_of(load(document))
    assert expected in told


def test_all_firms_with_invoices_are_scored_where_none_are_named(document: dict[str, Any]) -> None:
    del document["portfolio"]["source"]["invoices"]["firms"]
    assert read_inputs(load(document)).portfolio.borrower_id.tolist() == list(FIRMS)


def test_a_plain_scenario_has_two_inputs_and_no_stress(tmp_path: Path) -> None:
    scenario = load_scenario(write_rich(tmp_path))
    assert scenario.stress.factors == Stress()
    assert set(content_hashes(scenario)) == {"portfolio", "churn"}


def test_an_input_that_is_gone_when_it_is_hashed_is_bad_input(tmp_path: Path) -> None:
    scenario = load_scenario(write_rich(tmp_path))
    (tmp_path / "churn.csv").unlink()
    with pytest.raises(InputError, match=r"churn.csv: cannot be read: No such file or directory"):
        content_hashes(scenario)
