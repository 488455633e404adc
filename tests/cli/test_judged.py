"""Books of others are judged, not refused; budgets that are shares of demand; customers who never walk."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator import allocate, checker, load_scenario
from allocator.errors import InputError
from allocator.scenario.demand import with_budget_in_money
from allocator.store.reading import read_run
from tests.builders import portfolio
from tests.cli.conftest import Allocator
from tests.strategies import random_cases

COLUMNS = "strategy={file: book.csv, columns: {borrower_id: id, amount: lent, rate: price}}"
GRID = "policy.rate_grid={step: 1%}"


@pytest.fixture
def book(case: Path) -> Path:
    """Offers inside and between the grid's rates, outside the curve, to a grade without curve and band."""
    rates = {"F01": 0.08, "F02": 0.095, "F05": 0.2, "F06": 0.12, "F09": 0.1, "F10": 0.03, "F07": 0.14}
    rows = "".join(f"{name},600000,{rate}\n" for name, rate in rates.items())
    (case / "book.csv").write_text(f"id,lent,price\n{rows}")
    return case


def test_every_offer_of_a_book_is_valued_and_what_it_breaks_is_counted(book: Path) -> None:
    run = allocate(load_scenario(book / "scenario.yaml", [COLUMNS]))
    assert run.status == "breaks_limits"
    assert "budget" in run.summary["limits_broken"]
    assert dict(run.summary["terms_broken"]) == {
        "amount to a borrower who may not be offered anything": 2,
        "amount outside the borrower's smallest and largest loan": 3,
        "rate that may not be offered": 4,
    }
    found = run.allocation.set_index("borrower_id")
    # Between 8 and 11 %, halfway: churn is halfway too. Beyond the ends it is that of the ends.
    taken = {"F01": 0.5, "F02": 0.4, "F05": 0.15, "F06": 0.3, "F09": 1.0, "F10": 1.0, "F07": 0.2}
    for name, share in taken.items():
        assert found["take_up"][name] == pytest.approx(share, abs=1e-12)
    pd, lgd = 0.05, 0.45
    assert found["value"]["F09"] == pytest.approx(600_000 * (0.1 * (1 - pd) - pd * lgd))
    assert [note for note in run.summary["notes"] if "book.csv" in note] == [
        "book.csv: 1 offers to grade C, which has no churn curve: everybody is taken to accept",
        "book.csv: 2 offers at rates outside the churn curve, 0.04 to 0.15: churn is taken as at its ends",
    ]


def test_a_judged_book_passes_verify_and_leads_the_comparison_with_what_it_breaks(
    book: Path, allocator: Allocator
) -> None:
    solved = allocator("solve", "scenario.yaml", "--set", COLUMNS, "--out", "theirs")
    assert (solved.status, solved.err) == (0, "")
    first, second = solved.out.splitlines()[:2]
    assert first == "small: breaks limits, strategy book.csv, bound proved by prices"
    assert second.startswith("limits broken: budget")
    assert "% of it" not in solved.out
    checked = allocator("verify", "theirs")
    assert (checked.status, checked.err) == (0, "")
    page = allocator("compare", "scenario.yaml", "theirs").out
    assert page.splitlines()[2].startswith("theirs breaks limit budget, ")
    row = next(line for line in page.splitlines() if line.startswith("theirs  "))
    assert row.split()[2] == "breaks"
    assert "everybody is taken to accept" in page
    one = allocator("compare", "scenario.yaml", "theirs", "--json").json["compared"][1]
    assert (one["status"], one["share_of_bound"]) == ("breaks_limits", None)


def test_a_band_without_a_curve_is_a_fault_beside_a_book_too(book: Path) -> None:
    bands = "policy.rates={A: [4%, 11%], C: [4%, 11%]}"
    with pytest.raises(InputError, match="no churn column for grade C"):
        allocate(load_scenario(book / "scenario.yaml", [COLUMNS, bands]))


def test_a_budget_of_requests_is_money_in_the_run(case: Path, allocator: Allocator) -> None:
    share = "policy.budget={amount: 33.3%, of: requests}"
    solved = allocator("solve", "scenario.yaml", "--set", share, "--out", "run")
    assert (solved.status, solved.err) == (0, "")
    # 33.3 % of 4,750,000 is 1,581,750; amounts are multiples of 10,000.
    written = json.loads((case / "run" / "scenario.json").read_text())["policy"]["budget"]
    assert written == {"amount": 1_580_000, "spend": "at_most", "basis": "offered"}
    assert allocator("verify", "run").status == 0
    assert "budget 1,580,000.00 CNY offered" in allocator("check", "scenario.yaml", "--set", share).out
    plain = allocator("solve", "scenario.yaml", "--set", "policy.budget.amount=1_580_000", "--json").json
    assert plain["objective"] == json.loads((case / "run" / "summary.json").read_text())["objective"]
    walk = ("--limit", "budget", "--from", "20%", "--to", "33.3%", "--points", "2", "--json")
    points = allocator("frontier", "scenario.yaml", "--set", share, *walk).json["points"]
    assert [point["at"]["budget"] for point in points] == [950_000, 1_580_000]
    stressed = allocator("stress", "scenario.yaml", "--set", share, "--only", "mild", "--json").json
    assert all(
        one["frozen"]["limits"][0]["bound"] == 1_580_000 for one in stressed["stresses"]
    )  # the budget stands while requests shrink
    sides = allocator("compare", "scenario.yaml", "--set", share, "--strategies", "optimal,greedy", "--json")
    assert [side["offered"] <= 1_580_000 for side in sides.json["compared"]] == [True, True]


def test_a_budget_of_requests_needs_them(case: Path, allocator: Allocator) -> None:
    rows = (case / "borrowers.csv").read_text().replace("0.45,500000,", "0.45,,")
    (case / "borrowers.csv").write_text(rows)
    outcome = allocator("check", "scenario.yaml", "--set", "policy.budget={amount: 40%, of: requests}")
    assert outcome.status == 2
    assert "no request is given, of which the budget is to be a share" in outcome.told
    assert "give every borrower a max_amount" in outcome.told
    without = allocator("check", "scenario.yaml", "--set", "policy.budget.amount=40%")
    assert "40% of what is not said -> add `of: requests`" in without.told
    whole = allocator("check", "scenario.yaml", "--set", "policy.budget={amount: 4e6, of: requests}")
    assert "write a percentage such as 40%" in whole.told


@random_cases(few=15, full=200)
@given(
    st.lists(st.integers(1, 10**9), min_size=1, max_size=8),
    st.integers(0, 1000),
    st.sampled_from((None, 1.0, 0.05, 7.0, 10_000.0)),
)
def test_the_share_is_taken_of_the_sum_and_rounded_down(
    tmp_path_factory: pytest.TempPathFactory, cents: list[int], permille: int, step: float | None
) -> None:
    folder = tmp_path_factory.mktemp("demand")
    for name in ("borrowers.csv", "churn.csv"):
        (folder / name).touch()
    (folder / "s.yaml").write_text(
        "schema: 1\nportfolio: {source: borrowers.csv}\nresponse: {churn: churn.csv}\npolicy:\n"
        f"  budget: {{amount: {permille / 10}%, of: requests}}\n"
        f"  ticket: {{min: 100, max: 1_000_000{'' if step is None else f', step: {step}'}}}\n"
        "  rates: {A: [4%, 11%]}\n"
    )
    borrowers = portfolio(["A"] * len(cents), max_amount=[cent / 100 for cent in cents])
    budget = with_budget_in_money(load_scenario(folder / "s.yaml"), borrowers).policy.budget
    lot = Fraction(1, 100) if step is None else Fraction(repr(step))
    exact = Fraction(permille, 1000) * Fraction(sum(cents), 100)
    assert budget.of is None
    assert budget.amount == pytest.approx(float(exact // lot * lot), abs=0)


def test_where_nobody_walks_every_rate_is_taken_by_all(case: Path, allocator: Allocator) -> None:
    nobody = ("--set", "response.churn=none", "--set", GRID)
    solved = allocator("solve", "scenario.yaml", *nobody, "--out", "run")
    assert (solved.status, solved.err) == (0, "")
    found = json.loads((case / "run" / "summary.json").read_text())
    assert found["offered"] == found["drawn"] > 0
    assert allocator("verify", "run").status == 0
    inputs = json.loads((case / "run" / "certificate.json").read_text())["inputs"]
    assert list(inputs) == ["portfolio"]
    # Without churn the dearest rate of the band is best, but where a limit says otherwise.
    run = allocate(load_scenario(case / "scenario.yaml", [nobody[1], nobody[3]]))
    funded = run.allocation[run.allocation["amount"] > 0]
    assert set(np.round(funded["rate"], 12)) == {0.11, 0.15}
    assert (funded["take_up"] == 1).all()
    moved = allocator("compare", "run", "scenario.yaml", "--prices-only")
    assert (moved.status, moved.err) == (0, "")
    assert "response.churn: none -> " in " ".join(moved.out.split())


def test_without_a_curve_rates_need_a_step(case: Path, allocator: Allocator) -> None:
    outcome = allocator("check", "scenario.yaml", "--set", "response.churn=none")
    assert outcome.status == 2
    assert "policy.rate_grid there is no churn curve whose rates could be offered" in outcome.told
    assert "write a step, as rate_grid: {step: 0.25%}" in outcome.told


LOGISTIC = "response.churn={logistic: {A: {midpoint: 8%, slope: 60}, B: {midpoint: 11%, slope: 40}}}"


def test_a_run_on_curves_by_parameters_is_verified_in_every_way(case: Path, allocator: Allocator) -> None:
    solved = allocator("solve", "scenario.yaml", "--set", LOGISTIC, "--set", GRID, "--out", "run")
    assert (solved.status, solved.err) == (0, "")
    run = read_run(case / "run")
    offers = run.allocation[run.allocation["amount"] > 0]
    middle = np.where(offers["grade"] == "A", 0.08, 0.11)
    slope = np.where(offers["grade"] == "A", 60.0, 40.0)
    walks = 1 / (1 + np.exp(-slope * (offers["rate"] - middle)))
    np.testing.assert_allclose(offers["take_up"], 1 - walks, rtol=1e-11)
    assert list(run.certificate["inputs"]) == ["portfolio"]
    assert allocator("verify", "run").status == 0
    assert allocator("verify", "run", "--exact").status == 0
    assert checker.check("run") == []


def test_parameters_that_are_changed_afterwards_are_found(case: Path, allocator: Allocator) -> None:
    assert allocator("solve", "scenario.yaml", "--set", LOGISTIC, "--set", GRID, "--out", "run").status == 0
    digest = json.loads((case / "run" / "summary.json").read_text())["digest"]
    for name in ("scenario.json", "scenario.yaml"):
        path = case / "run" / name
        path.write_text(
            path.read_text().replace("slope: 60", "slope: 61").replace('"slope": 60', '"slope": 61')
        )
    assert allocator("verify", "run").status == 5
    assert any(fault.startswith("summary digest: ") for fault in checker.check("run"))
    other = LOGISTIC.replace("60", "61")
    again = allocator("solve", "scenario.yaml", "--set", other, "--set", GRID, "--json").json
    assert again["digest"] != digest


def test_curves_by_parameters_are_stressed_and_compared_as_any(case: Path, allocator: Allocator) -> None:
    moved = ("--set", LOGISTIC, "--set", GRID, "--set", "stress={rates: {all: 0.9}, churn: {all: 1.1}}")
    assert allocator("solve", "scenario.yaml", *moved, "--out", "run").status == 0
    assert allocator("verify", "run").status == 0
    assert checker.check("run") == []
    page = allocator("compare", "run", "scenario.yaml", "--prices-only")
    assert (page.status, page.err) == (0, "")
