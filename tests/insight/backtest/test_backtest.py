"""What happened in the place of what was foreseen: by hand, and on real loans."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allocator.errors import InputError
from allocator.insight.backtest.backtest import gain, score_periods
from allocator.insight.backtest.history import portfolio_with_outcomes
from allocator.insight.backtest.periods import Timeline
from allocator.records.case import Inputs
from allocator.records.strategy import Strategy
from tests.builders import Case, churn_table, limit, policy, portfolio

TABLE = churn_table([0.04, 0.08], A=[0.0, 0.25])
TERMS = policy(1_000_000.0, rates={"A": (0.04, 0.08)}, funding_rate=0.01)
BOOK = portfolio(
    ["A"] * 4,
    pd=[0.01, 0.02, 0.01, 0.03],
    lgd=0.5,
    max_amount=400_000.0,
    numbers={"bad": [0.0, 1.0, 0.0, 0.0], "owed": [1e5] * 4, "lost": [0.0, 8e4, 0.0, 0.0]},
)
PERIOD = Timeline(("1", "2"), np.array([0, 0, 1, 1], dtype=np.int32))


def sides(case: Case) -> list:
    return [replace(case.scenario, strategy=Strategy(name)) for name in ("optimal", "equal")]


def run(book=BOOK, period=PERIOD, terms=TERMS, share=None, money=("owed", "lost")):
    happened = portfolio_with_outcomes(book, "bad", *money)
    case = Case(book, TABLE, terms)
    return score_periods(sides(case), Inputs(book, TABLE, {}), period, happened, share)


def test_the_ledger_of_what_happened_by_hand() -> None:
    first, _, second, _ = run().tested
    assert (first.period, first.strategy, first.funded, first.funded_defaults) == ("1", "optimal", 2, 1)
    # Both get 400,000 at 8 %: 300,000 drawn each, funded at 1 %; the second loses 80 % and pays no interest.
    assert first.happened == pytest.approx(300_000 * (0.08 - 0.01) - 300_000 * (0.8 + 0.01))
    assert first.loss_happened == pytest.approx(240_000)
    assert first.foreseen == pytest.approx(
        300_000 * (0.08 * 0.99 - 0.01 * 0.5 - 0.01) + 300_000 * (0.08 * 0.98 - 0.02 * 0.5 - 0.01)
    )
    assert second.happened == pytest.approx(2 * 300_000 * 0.07)


def test_hindsight_is_no_worse_than_any_strategy() -> None:
    found = run()
    for one in found.tested:
        assert found.hindsight[one.period] >= one.happened - 1e-6


def test_a_stated_lgd_where_no_money_is_known() -> None:
    assert run(money=()).tested[0].loss_happened == pytest.approx(300_000 * 0.5)


def test_whom_nothing_is_known_of_is_left_out() -> None:
    unknown = replace(BOOK, pd=np.array([np.nan, np.nan, 0.01, 0.03]))
    found = run(unknown)
    assert found.skipped == {"1": "too little was known of PD before it"}
    assert {one.period for one in found.tested} == {"2"}


def test_who_is_left_out_is_counted() -> None:
    unknown = replace(BOOK, pd=np.array([0.01, np.nan, np.nan, 0.03]))
    found = run(unknown, Timeline(("1", "2"), np.array([0, 0, -1, 1], dtype=np.int32)))
    assert (found.no_period, found.no_pd) == (1, 1)
    assert [one.borrowers for one in found.of("equal")] == [1, 1]
    assert (run().no_period, run().no_pd) == (0, 0)


def test_a_period_of_the_timeline_without_borrowers_is_none() -> None:
    found = run(period=Timeline(("0", "1", "2"), np.array([1, 1, 2, 2], dtype=np.int32)))
    assert list(found.hindsight) == ["1", "2"]
    assert found.skipped == {}


def test_a_period_without_an_allocation_is_said() -> None:
    tight = replace(TERMS, limits=(limit("much", "offered", "at_least", 900_000.0),))
    found = run(terms=tight)
    assert not found.tested
    assert all("no allocation exists" in why for why in found.skipped.values())


def test_the_budget_as_a_share_of_what_is_asked_for() -> None:
    assert all(one.offered == 400_000.0 for one in run(share=0.5).tested if one.strategy == "optimal")


def test_gain_is_the_difference_of_sums_and_its_error_that_of_draws() -> None:
    found = run(share=0.5)
    own, other = found.of("optimal"), found.of("equal")
    less = np.concatenate([a.happened_each - b.happened_each for a, b in zip(own, other, strict=True)])
    assert gain(found, "equal")[0] == pytest.approx(less.sum())
    assert gain(found, "equal")[1] == pytest.approx(2 * less.std(ddof=1))


def test_outcomes_that_are_none_are_told_at_once() -> None:
    wrong = replace(
        BOOK,
        numbers={
            "bad": np.array([0.0, 1.0, 2.0, 1.0]),
            "owed": np.array([1e5, 0.0, 1e5, 1e5]),
            "lost": np.array([0.0, 1.0, 0.0, np.nan]),
        },
    )
    with pytest.raises(InputError) as caught:
        portfolio_with_outcomes(wrong, "bad", "owed", "lost")
    told = str(caught.value)
    assert "row 3, bad: 2 is no outcome (1 row); write 1 or 0" in told
    assert "row 2, owed: 0 is no money lent (1 row); give an amount above 0" in told
    assert "row 4, lost: nan is no money lost (1 row); give an amount" in told


SBA = """\
schema: 1
name: sba
portfolio:
  source: sba.csv
  columns: {borrower_id: LoanNr_ChkDgt, max_amount: GrAppv}
  defaults: {pd: 30%, lgd: 0.55, grade: B, term_years: 5}
response: {churn: churn.csv}
policy:
  currency: USD
  budget: {amount: 10_000_000}
  ticket: {min: 5_000, max: 1_000_000}
  funding_rate: 2%
  rates: {B: [6%, 14%]}
"""
KNOWN = ("annual_inc", "revol_util", "inq_last_6mths", "int_rate")
CLUB = """\
schema: 1
name: club
portfolio:
  source: club.csv
  defaults: {pd: 5%, lgd: 0.6, term_years: 3}
response: {churn: churn.csv}
policy:
  currency: USD
  budget: {amount: 5_000_000}
  ticket: {min: 1_000, max: 40_000}
  funding_rate: 3%
  rate_grid: {step: 1%}
  rates: {BANDS}
"""


@pytest.fixture
def loans(data: Path, tmp_path: Path) -> Path:
    """Real loans with what became of them, and a stated answer to rates."""
    packed = data / "sba_case_california" / "sba_case_california.csv.gz"
    (tmp_path / "sba.csv").write_bytes(gzip.decompress(packed.read_bytes()))
    (tmp_path / "sba.yaml").write_text(SBA)
    (tmp_path / "churn.csv").write_text("rate,B\n0.06,0\n0.08,0.05\n0.1,0.12\n0.12,0.22\n0.14,0.35\n")
    return tmp_path


@pytest.fixture
def club(data: Path, tmp_path: Path) -> Path:
    """Consumer loans at their own rates: a grade a letter at its mean rate, and nobody walks away."""
    frame = pd.read_csv(data / "lending_club_modeldata" / "lending_club.csv.gz")
    grade = frame["sub_grade"].str[0]
    rates = (frame["int_rate"] / 100).groupby(grade).mean().round(4)
    lent = pd.DataFrame(
        {
            "borrower_id": [f"L{at:05d}" for at in range(len(frame))],
            "grade": grade,
            "max_amount": frame["funded_amnt"],
            "bad": (frame["Class"] == "bad").astype(int),
            **{name: frame[name] for name in KNOWN},
        }
    )
    lent.to_csv(tmp_path / "club.csv", index=False)
    bands = ", ".join(f"{name}: [{rate}, {rate}]" for name, rate in rates.items())
    (tmp_path / "club.yaml").write_text(CLUB.replace("BANDS", bands))
    flat = ",".join("0" for _ in rates)
    (tmp_path / "churn.csv").write_text(f"rate,{','.join(rates.index)}\n0.01,{flat}\n0.5,{flat}\n")
    variables = [
        {"name": name, "group": "firm"} for name in ("annual_inc", "revol_util", "inq_last_6mths", "int_rate")
    ]
    declared = {"schema": 1, "kind": "variables", "variables": variables}
    (tmp_path / "club.json").write_text(json.dumps(declared))
    return tmp_path


def test_what_idle_money_earns_is_part_of_the_gain() -> None:
    one = run().tested[0]
    lent = replace(one, strategy="lent", happened=10.0, happened_each=np.array([10.0, 0.0]))
    idle = replace(one, strategy="idle", happened=7.0, happened_each=np.zeros(2))
    assert gain(replace(run(), tested=(lent, idle)), "idle")[0] == 3.0


def test_a_book_from_a_file_has_no_periods() -> None:
    case = Case(BOOK, TABLE, TERMS)
    ruled = replace(case.scenario, strategy=Strategy(book=Path("book.csv")))
    with pytest.raises(InputError, match="a file's book is of today's borrowers"):
        score_periods(
            [ruled], Inputs(BOOK, TABLE, {}), PERIOD, portfolio_with_outcomes(BOOK, "bad", "owed", "lost")
        )
