"""Shocks: factors from growth, their effect on a portfolio, the shipped ones."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allocator.errors import InputError
from allocator.portfolio.synthesis import SECTORS
from allocator.records.conditions import Condition
from allocator.records.portfolio import ChurnTable, Portfolio, Text
from allocator.records.stress import Shock, Stress, StressCase
from allocator.scoring.shock import FALLS_WITH_GROWTH, apply_stress, check_coverage, label_of, read_stress

TABLE = ChurnTable("curve", np.array([0.04, 0.1]), {"A": np.array([0.0, 0.6]), "B": np.array([0.1, 0.8])})


@pytest.fixture
def portfolio() -> Portfolio:
    zeros = np.zeros(3)
    return Portfolio(
        source="test",
        borrower_id=np.array(["a", "b", "c"], dtype=object),
        row=np.arange(1, 4),
        grade=Text(np.array([0, 1, 1], dtype=np.int32), ("A", "B")),
        pd=np.array([0.1, 0.2, 0.8]),
        lgd=np.full(3, 0.5),
        term=np.ones(3),
        min_amount=zeros,
        max_amount=np.array([100.0, 200.0, np.inf]),
        relationship_value=zeros,
        exposure=zeros,
        exclude=np.zeros(3, dtype=bool),
        min_rate=np.full(3, np.nan),
        max_rate=np.full(3, np.nan),
        rate=np.full(3, np.nan),
        fixed_amount=np.full(3, np.nan),
        fixed_rate=np.full(3, np.nan),
        texts={"sector": Text(np.array([0, 1, -1], dtype=np.int32), ("food", "retail"))},
        numbers={"age": np.array([1.0, np.nan, 9.0])},
    )


def portfolio_with_sectors(book: Portfolio) -> Portfolio:
    """`book` with a sector for everybody."""
    sector = Text(np.array([0, 1, 1], dtype=np.int32), ("food", "retail"))
    return dataclasses.replace(book, texts={"sector": sector})


def case(column: str, factor: float, *values: str) -> StressCase:
    return StressCase((Condition(column, values),), factor)


def test_factors_multiply_and_pd_ends_at_one(portfolio: Portfolio) -> None:
    stress = Stress(pd=Shock(1.5, (case("borrower_id", 2.0, "b"), case("grade", 1.1, "B"))))
    stressed, table = apply_stress(portfolio, TABLE, stress)
    np.testing.assert_allclose(stressed.pd, [0.15, 0.2 * 1.5 * 2 * 1.1, 1.0])
    np.testing.assert_array_equal(portfolio.pd, [0.1, 0.2, 0.8])
    np.testing.assert_array_equal(stressed.lgd, portfolio.lgd)
    np.testing.assert_array_equal(table.churn["A"], TABLE.churn["A"])


def test_customers_answer_to_a_cheaper_market_as_to_a_dearer_offer(portfolio: Portfolio) -> None:
    stress = Stress(rates=Shock(0.8, (StressCase((Condition("grade", ("B",)),), 1.25),)))
    _, table = apply_stress(portfolio, TABLE, stress)
    np.testing.assert_allclose(table.churn["A"], [0.6 * (0.05 - 0.04) / 0.06, 0.6])
    np.testing.assert_allclose(table.churn["B"], TABLE.churn["B"])


def test_lgd_amount_and_churn(portfolio: Portfolio) -> None:
    stress = Stress(
        lgd=Shock(3.0),
        amount=Shock(0.5, (case("grade", 0.0, "A"),)),
        churn=Shock(1.5, (case("grade", 2.0, "B"),)),
    )
    stressed, table = apply_stress(portfolio, TABLE, stress)
    np.testing.assert_array_equal(stressed.lgd, [1, 1, 1])
    np.testing.assert_array_equal(stressed.max_amount, [0, 100, np.inf])
    np.testing.assert_allclose(table.churn["A"], [0.0, 0.9])
    np.testing.assert_allclose(table.churn["B"], [0.3, 1.0])


def test_factors_that_are_too_large_together_are_told(portfolio: Portfolio) -> None:
    """Only where they meet: a long list of cases that are about others is none."""
    apart = tuple(case("grade", 1e6, grade) for grade in ("A", "B", "C"))
    apply_stress(portfolio, TABLE, Stress(pd=Shock(1.0, apart), churn=Shock(1.0, apart)))
    many = tuple(case("grade", 1e6, "B") for _ in range(60))
    twice = Shock(2.0, (case("sector", 1e6, "food"),))
    with pytest.raises(InputError) as caught:
        apply_stress(portfolio_with_sectors(portfolio), TABLE, Stress(amount=twice, rates=Shock(1.0, many)))
    wanted = "expected at most 1e+06; write smaller factors, or cases that do not overlap"
    assert [str(fault) for fault in caught.value.faults] == [
        f"stress.amount: the factors together come to 2e+06 for some, {wanted}",
        f"stress.rates: the factors together come to inf for some, {wanted}",
    ]


def test_ranges_with_either_end(portfolio: Portfolio) -> None:
    cases = (
        StressCase((Condition("pd", above=0.1, at_most=0.2),), 2.0),
        StressCase((Condition("pd", at_least=0.1, below=0.2),), 3.0),
    )
    stressed, _ = apply_stress(portfolio, TABLE, Stress(pd=Shock(cases=cases)))
    np.testing.assert_allclose(stressed.pd, [0.3, 0.4, 0.8])


def test_a_missing_value_is_a_fault_as_with_limits(portfolio: Portfolio) -> None:
    over = StressCase((Condition("age", at_least=0.0),), 2.0)
    stress = Stress(pd=Shock(cases=(over, case("sector", 9.0, "none"))), lgd=Shock(cases=(over,)))
    with pytest.raises(InputError) as caught:
        apply_stress(portfolio, TABLE, stress)
    assert [str(fault) for fault in caught.value.faults] == [
        "test, row 2, age: stress.pd reads age, which is missing in 1 row; fill the column",
        "test, row 3, sector: stress.pd reads sector, which is missing in 1 row; fill the column",
        "test, row 2, age: stress.lgd reads age, which is missing in 1 row; fill the column",
    ]


def test_a_value_that_no_case_is_about_is_a_fault_where_a_file_says_all(portfolio: Portfolio) -> None:
    food = Stress(pd=Shock(cases=(case("sector", 1.0, "food"),)))
    with pytest.raises(
        InputError, match=r"f\.csv, sector: no factor for sector 'retail', borrowers: 1; give it a row"
    ):
        check_coverage(portfolio, food, "sector", Path("f.csv"))
    both = food.times(Stress(lgd=Shock(cases=(case("sector", 2.0, "retail"),))))
    check_coverage(portfolio, both, "sector", Path("f.csv"))
    check_coverage(portfolio, Stress(), "sector", Path("f.csv"))


def test_no_stress_changes_nothing(portfolio: Portfolio) -> None:
    stressed, table = apply_stress(portfolio, TABLE, Stress())
    np.testing.assert_array_equal(stressed.pd, portfolio.pd)
    np.testing.assert_array_equal(stressed.max_amount, portfolio.max_amount)
    np.testing.assert_array_equal(table.churn["B"], TABLE.churn["B"])


def test_columns_that_the_loader_must_read() -> None:
    stress = Stress(
        pd=Shock(cases=(case("sector", 2.0, "x"), case("grade", 2.0, "A"))),
        lgd=Shock(cases=(StressCase((Condition("age", above=3.0),), 2.0),)),
    )
    assert stress.text_columns() == {"sector"}
    assert stress.number_columns() == {"age"}


def test_faults_come_together(portfolio: Portfolio) -> None:
    stress = Stress(
        pd=Shock(-1.0, (case("region", 2.0, "x"),)), churn=Shock(float("nan"), (case("sector", 2.0, "food"),))
    )
    with pytest.raises(InputError) as caught:
        apply_stress(portfolio, TABLE, stress)
    assert [fault.problem for fault in caught.value.faults] == [
        "-1.0 is no factor",
        "the portfolio has no column region",
        "nan is no factor",
        "a case names sector",
    ]


ELASTICITY = {
    "light": {"pd": 1.0, "lgd": 0.25, "amount": 0.5},
    "medium": {"pd": 2.0, "lgd": 0.5, "amount": 0.75},
    "severe": {"pd": 3.0, "lgd": 0.75, "amount": 1.0},
}


def industry_factors(
    growth: dict[str, float], mapping: pd.DataFrame, elasticity: dict[str, float]
) -> pd.DataFrame:
    """Factors by industry: columns growth, pd, lgd and amount.

    `growth` is by sector, a fraction a year; `mapping` has the columns industry, sector, weight.
    """
    part = mapping["weight"] * mapping["sector"].map(growth)
    mean = part.groupby(mapping["industry"], sort=False).sum()
    factors = {figure: np.exp(FALLS_WITH_GROWTH[figure] * size * mean) for figure, size in elasticity.items()}
    return pd.DataFrame({"growth": mean, **factors})


@pytest.mark.parametrize("severity", ELASTICITY)
def test_the_shipped_factors_follow_from_the_shipped_growth(models: Path, severity: str) -> None:
    folder = models / "shocks"
    growth = pd.read_csv(folder / "china-2020q1.csv").set_index("sector")["growth"].to_dict()
    mapping = pd.read_csv(folder / "industry-sectors.csv")
    table = industry_factors(growth, mapping, ELASTICITY[severity])
    shipped = pd.read_csv(folder / f"covid-2020q1-{severity}.csv", index_col="industry").drop(columns="churn")
    pd.testing.assert_frame_equal(table, shipped, atol=5e-5)
    assert table["pd"].idxmax() == "sole_proprietor"


def test_the_invented_sectors_have_the_medium_factors(models: Path) -> None:
    folder = models / "shocks"
    growth = pd.read_csv(folder / "china-2020q1.csv").set_index("sector")["growth"].to_dict()
    mapping = pd.read_csv(folder / "invented-sectors.csv")
    assert set(mapping["industry"]) == set(SECTORS)
    table = industry_factors(growth, mapping, ELASTICITY["medium"])
    shipped = pd.read_csv(folder / "covid-2020q1-invented.csv", index_col="sector")
    pd.testing.assert_frame_equal(table, shipped, atol=5e-5, check_names=False)


def test_growth_alone_has_the_medium_factors(models: Path, tmp_path: Path) -> None:
    path = models / "shocks" / "china-2020q1.csv"
    assert label_of(path) == "sector"
    stress = read_stress(path, "sector")
    assert stress.pd.cases[3].factor == pytest.approx(np.exp(2 * 0.178))
    assert stress.amount.cases[3].factor == pytest.approx(np.exp(-0.75 * 0.178))
    bad = tmp_path / "g.csv"
    bad.write_text("sector,growth\nfood,down\nsteel,-2\n")
    with pytest.raises(InputError) as caught:
        read_stress(bad, "sector")
    assert [(fault.row, fault.problem) for fault in caught.value.faults] == [
        (1, "down is no growth"),
        (2, "-2 is no growth"),
    ]
    bad.write_text("growth,pd\n1,2\n")
    with pytest.raises(InputError, match="names no column of the borrowers"):
        label_of(bad)


def test_the_shipped_growth_is_that_of_the_data(models: Path, contest: Path) -> None:
    shipped = pd.read_csv(models / "shocks" / "china-2020q1.csv")
    quoted = pd.read_csv(contest / "industry_shock_2020q1.csv")
    np.testing.assert_allclose(shipped["growth"], quoted["value_added_growth_2020q1_yoy_pct"] / 100)
    labels = pd.read_csv(contest / "industry_by_enterprise.csv")["industry"].unique()
    assert set(labels) == set(pd.read_csv(models / "shocks" / "industry-sectors.csv")["industry"])


def test_a_factor_file_becomes_a_stress(models: Path) -> None:
    stress = read_stress(models / "shocks" / "covid-2020q1-medium.csv", "sector")
    assert stress.text_columns() == {"sector"}
    assert stress.churn == Shock(1.0)
    assert stress.pd.cases[0] == StressCase((Condition("sector", ("agriculture",)),), 1.0576)
    assert [len(shock.cases) for shock in (stress.pd, stress.lgd, stress.amount)] == [6, 6, 6]


def test_bad_factor_files(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    with pytest.raises(InputError, match="the file does not exist"):
        read_stress(path, "industry")
    path.write_text("name,pd\nfood,-1\n")
    with pytest.raises(InputError) as caught:
        read_stress(path, "industry")
    assert [fault.problem for fault in caught.value.faults] == [
        "lacks the column industry",
        "-1 is no factor",
    ]
    path.write_text("industry,pd,churn\n001,1,1.1\n1,,1.2\n001,1,1.2\n")
    with pytest.raises(InputError) as caught:
        read_stress(path, "industry")
    assert [(fault.row, fault.field, fault.problem) for fault in caught.value.faults] == [
        (3, "industry", "'001' stands twice"),
        (2, "pd", "an empty cell is no factor"),
        (None, "churn", "differs by row: churn is one curve per grade"),
    ]
    bad = {
        b"": "an empty file",
        b"industry,pd\na,1,2,3\nb,1\nc,1,2,3,4\n": "row 1: 4 cells under a header of 2",
        b"industry,pd\n\xff,1\n": "line 2: not UTF-8; save the file in UTF-8",
    }
    for text, words in bad.items():
        path.write_bytes(text)
        with pytest.raises(InputError, match=words):
            read_stress(path, "industry")
    path.write_text("industry,size\nfood,1\n")
    with pytest.raises(InputError, match="holds no factor; give one of pd, lgd, amount, churn"):
        read_stress(path, "industry")


def test_a_table_of_borrowers_is_no_table_of_factors(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("borrower_id,grade,pd,lgd\nF01,A,0.01,0.45\n")
    with pytest.raises(InputError) as caught:
        read_stress(path, label_of(path))
    assert [str(fault).removeprefix(str(path)) for fault in caught.value.faults] == [
        ", borrower_id: the rows are single borrowers, as of a portfolio; "
        "give factors by a column that groups them, as sector",
        ": has columns that hold no factors: grade; "
        "keep the column of labels and any of pd, lgd, amount, churn, growth",
    ]
    path.write_text("sector,pd,note\nfood,2,\n")
    with pytest.raises(InputError, match="has columns that hold no factors: note; keep sector and any of pd"):
        read_stress(path, "sector")
