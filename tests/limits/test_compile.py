"""Rows: their order, names, right-hand sides and scales, and how few coefficients are held."""

from __future__ import annotations

import numpy as np
import pytest

from allocator.errors import InputError
from allocator.limits import compile_limits
from allocator.records.limits import BASES
from allocator.testing.books import random_case
from tests.builders import limit, policy, portfolio
from tests.stages import columns_of

BOOK = portfolio(
    ["A", "B", "A"],
    pd=[0.01, 0.2, 0.03],
    exposure=[0.0, 70_000.0, 30_000.0],
    texts={"sector": ["retail", "food", "food"]},
    numbers={"score": [1.0, 2.0, 3.0]},
)


def test_the_budget_comes_first_and_each_gives_a_row_a_value() -> None:
    limits = compile_limits(
        policy(
            1e6,
            limit("sectors", "offered", "at_most", 0.5, of="budget", each="sector"),
            limit("few", "loans", "at_most", 2.0),
        ),
        BOOK,
    )
    assert [row.name for row in limits.rows] == ["budget", "sectors[food]", "sectors[retail]", "few"]
    assert limits.rhs.tolist() == [1e6, 400_000.0, 500_000.0, 2.0]


def test_exposure_is_taken_off_the_right_hand_side() -> None:
    """A share of everything lent counts what is already lent on both sides."""
    limits = compile_limits(
        policy(1e6, limit("A", "offered", "at_most", 0.4, of="total", where={"grade": ["A"]})), BOOK
    )
    assert limits.rhs[1] == pytest.approx(0.4 * 100_000.0 - 30_000.0)


@pytest.mark.parametrize("exposure", [50_000.0, 70_000.0, 1e9])
def test_a_bound_that_is_used_up_leaves_nothing_whatever_the_rounding(exposure: float) -> None:
    book = portfolio(["A", "A"], pd=[0.0, 0.1], lgd=[0.0, 0.5], exposure=[0.0, exposure])
    share = limit("loss", "expected_loss", "at_most", 0.005, of="total", weight="pd")
    assert compile_limits(policy(1e6, share), book).rhs[1] == 0.0


def test_interest_is_compared_with_what_is_newly_lent() -> None:
    """Existing exposure earns nothing here, so an average rate is that of the new loans."""
    limits = compile_limits(policy(1e6, limit("rate", "gross_interest", "at_least", 0.06, of="drawn")), BOOK)
    assert limits.rhs[1] == 0.0


def test_what_a_row_is_measured_against_comes_from_the_row_alone() -> None:
    limits = compile_limits(
        policy(
            1e6,
            limit("big", "offered", "at_most", 5_000.0),
            limit("small", "offered", "at_most", 5.0),
            limit("share", "offered", "at_most", 0.5, of="drawn"),
        ),
        BOOK,
    )
    assert limits.sizes.tolist() == [1e6, 5_000.0, 5.0, 0.0]
    assert limits.shares.tolist() == [0.0, 0.0, 0.0, 0.5]
    assert [row.reference for row in limits.rows] == ["", "", "", "drawn"]


def test_borrowers_of_the_same_memberships_share_a_cell_and_equal_columns_a_channel() -> None:
    book = portfolio(["A"] * 500 + ["B"] * 500, texts={"sector": ["retail", "food"] * 500})
    limits = compile_limits(
        policy(
            1e6,
            limit("grades", "offered", "at_most", 0.5, of="budget", each="grade"),
            limit("sectors", "offered", "at_most", 0.5, of="total", each="sector"),
            limit("again", "offered", "at_most", 1.0, of="total", each="sector"),
            limit("loss", "expected_loss", "at_most", 0.5, of="drawn"),
        ),
        book,
    )
    assert limits.cells == 4
    assert len(limits.channels) == 3
    assert limits.matrix.shape == (1 + 2 + 2 + 2 + 1, 4 * 3)


def test_an_each_that_meets_nobody_makes_no_row() -> None:
    limits = compile_limits(
        policy(1e6, limit("none", "offered", "at_least", 5.0, each="sector", where={"grade": ["C"]})), BOOK
    )
    assert [row.name for row in limits.rows] == ["budget"]


def test_coefficients_of_single_borrowers_are_those_of_their_cells() -> None:
    limits = compile_limits(
        policy(
            1e6,
            limit("score", "drawn", "at_most", 9.0, of="total", weight="score", where={"sector": ["food"]}),
        ),
        BOOK,
    )
    by_basis = limits.coefficients(np.array([2, 0]))
    assert by_basis[0].tolist() == [[1.0, 1.0], [-9.0, -9.0]]
    assert by_basis[1].tolist() == [[0.0, 0.0], [3.0, 0.0]]
    assert not by_basis[2:].any()


def test_missing_weights_and_filters_are_named_with_their_first_row() -> None:
    book = portfolio(
        ["A", "B", "A"],
        texts={"sector": ["retail", None, None], "region": ["x", None, "y"]},
        numbers={"score": [1.0, 2.0, np.nan]},
    )
    terms = policy(
        1e6,
        limit("sectors", "offered", "at_most", 0.5, of="budget", each="sector"),
        limit("good", "offered", "at_most", 5.0, where={"score": {"above": 1.0}, "region": ["x"]}),
        limit("score", "offered", "at_most", 5.0, weight="score"),
        limit("request", "offered", "at_most", 5.0, weight="max_amount"),
    )
    with pytest.raises(InputError) as caught:
        compile_limits(terms, book)
    assert str(caught.value) == (
        "limits: 5 faults\n"
        "  borrowers.csv, row 2, sector: limit 'sectors' counts each sector, which is missing in 2 rows; "
        "fill the column\n"
        "  borrowers.csv, row 3, score: limit 'good' filters by score, which is missing in 1 row; "
        "fill the column\n"
        "  borrowers.csv, row 2, region: limit 'good' filters by region, which is missing in 1 row; "
        "fill the column\n"
        "  borrowers.csv, row 3, score: limit 'score' weighs by score, which is missing in 1 row; "
        "fill the column\n"
        "  borrowers.csv, row 1, max_amount: limit 'request' weighs by max_amount, "
        "which is missing in 3 rows; fill the column"
    )


def test_weights_too_large_to_multiply_money_with_are_named() -> None:
    book = portfolio(["A", "B", "A", "B"], numbers={"tonnes": [1e50, -1.1e50, 0.0, 1e308]})
    with pytest.raises(InputError, match=r"row 2, tonnes: .* above 1e\+50 in size in 2 rows; write it in a"):
        compile_limits(policy(1e6, limit("carbon", "offered", "at_most", 5.0, weight="tonnes")), book)
    within = portfolio(["A", "B"], numbers={"tonnes": [1e50, -1e50]})
    compile_limits(policy(1e6, limit("carbon", "offered", "at_most", 5.0, weight="tonnes")), within)


def test_each_borrower_may_have_a_limit_of_its_own() -> None:
    limits = compile_limits(
        policy(1e6, limit("name", "offered", "at_most", 0.5, of="total", each="borrower_id")), BOOK
    )
    assert [row.name for row in limits.rows[1:]] == ["name[b000]", "name[b001]", "name[b002]"]
    assert limits.coefficients(np.array([1]))[0, :, 0].tolist() == [1.0, -0.5, 0.5, -0.5]


@pytest.mark.parametrize("of", [None, "budget", "total", "drawn"])
def test_each_over_many_values_holds_a_few_numbers_a_borrower(of: str | None) -> None:
    """Shares of what is lent count everybody in every row, yet that is written down once per row."""
    n = 2_000
    book = portfolio(["A"] * n, texts={"client": [f"c{i:04d}" for i in range(n)]})
    limits = compile_limits(
        policy(1e9, limit("clients", "offered", "at_most", 0.01, of=of, each="client")), book
    )
    assert len(limits) == 1 + n
    assert limits.matrix.nnz + limits.everywhere.nnz <= 3 * n + 1


@pytest.mark.parametrize("seed", range(6))
def test_uses_and_charges_are_those_of_the_coefficients(seed: int) -> None:
    """Row by row and borrower by borrower, whatever a row counts in single cells or everywhere."""
    columns = columns_of(random_case(seed))
    draw = np.random.default_rng(seed)
    limits, n = columns.limits, len(columns)
    bases, prices = draw.uniform(0.0, 1e6, (len(BASES), n)), draw.normal(size=len(limits))
    every = limits.coefficients(np.arange(n))
    sums = np.zeros((limits.cells, len(limits.channels)))
    for h, channel in enumerate(limits.channels):
        weight = 1.0 if channel.weight is None else channel.weight
        np.add.at(sums[:, h], limits.cell, bases[channel.basis] * weight)
    expected = np.einsum("bjn,bn->j", every, bases)
    np.testing.assert_allclose(limits.use_of(sums), expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())
    charged = columns.price_by_basis(prices)
    np.testing.assert_allclose(charged, np.einsum("bjn,j->bn", every, prices), rtol=1e-9, atol=1e-12)
