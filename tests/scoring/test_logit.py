"""Logits: agreement with statsmodels, Firth's closed form, separation, coverage of the intervals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from allocator.errors import InputError
from allocator.scoring.logit import fit_logit, separating_columns
from tests.strategies import random_cases


def draw(n: int, seed: int, slopes: tuple[float, ...] = (1.0, -0.5)) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(n, len(slopes)))
    y = (generator.random(n) < special.expit(-0.7 + x @ np.array(slopes))).astype(float)
    return x, y


def test_maximum_likelihood_solves_its_score() -> None:
    x, y = draw(400, 1)
    fit = fit_logit(x, y, ["a", "b"], "none")
    residual = y - special.expit(fit.linear(x))
    np.testing.assert_allclose(np.column_stack([np.ones(400), x]).T @ residual, 0, atol=1e-6)
    design = np.column_stack([np.ones(400), x])
    p = special.expit(fit.linear(x))
    information = design.T @ (design * (p * (1 - p))[:, None])
    np.testing.assert_allclose(fit.covariance @ information, np.eye(3), atol=1e-8)


def test_a_vanishing_ridge_is_maximum_likelihood() -> None:
    x, y = draw(400, 2)
    plain, ridge = fit_logit(x, y, ["a", "b"], "none"), fit_logit(x, y, ["a", "b"], "ridge", 1e-9)
    np.testing.assert_allclose(plain.coefficients, ridge.coefficients, atol=1e-6)


def test_firth_on_two_groups_adds_half_an_event_to_each_cell() -> None:
    x = np.repeat([0.0, 1.0], [30, 20])[:, None]
    y = np.concatenate([np.repeat([1.0, 0.0], [3, 27]), np.ones(20)])
    fit = fit_logit(x, y, ["group"], "firth")
    p = special.expit(fit.linear(np.array([[0.0], [1.0]])))
    np.testing.assert_allclose(p, [3.5 / 31, 20.5 / 21], atol=1e-9)


def test_flic_keeps_the_observed_share() -> None:
    x, y = draw(80, 3)
    fit = fit_logit(x, y, ["a", "b"], "flic")
    assert special.expit(fit.linear(x)).mean() == pytest.approx(y.mean(), abs=1e-12)


def test_separation_is_named_and_firth_is_the_way_out() -> None:
    x, _ = draw(50, 4)
    y = (x[:, 0] > 0.3).astype(float)
    told = "a: defaults are separated perfectly by it; use penalty flic, firth or ridge, or leave it out"
    with pytest.raises(InputError, match=told):
        fit_logit(x, y, ["a", "b"], "none")
    fit = fit_logit(x, y, ["a", "b"], "firth")
    assert np.isfinite(fit.coefficients).all()
    assert fit.coefficients[1] > 0


def test_grade_d_of_the_contest_separates(firms: tuple) -> None:  # type: ignore[type-arg]
    known, _ = firms
    x = np.column_stack([(known["rating"] == grade).to_numpy(float) for grade in "BCD"])
    y = known["default"].to_numpy(float)
    with pytest.raises(InputError, match="separated perfectly"):
        fit_logit(x, y, list("BCD"), "none")
    p = special.expit(fit_logit(x, y, list("BCD"), "firth").linear(np.vstack([np.zeros(3), np.eye(3)])))
    np.testing.assert_allclose(p, [0.5 / 28, 1.5 / 39, 2.5 / 35, 24.5 / 25], atol=1e-8)


@random_cases(40, full=400)
@given(st.integers(0, 10**6), st.integers(1, 4))
def test_firth_settles_even_where_one_firm_has_a_column_to_itself(seed: int, columns: int) -> None:
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(60, columns))
    x[:, 0] = 0.0
    x[generator.integers(60), 0] = 5.0
    y = (generator.random(60) < 0.4).astype(float)
    if 0 < y.sum() < 60:
        fit = fit_logit(x, y, [str(j) for j in range(columns)], "firth")
        p = special.expit(fit.linear(x))
        assert ((p > 0) & (p < 1)).all()


def test_wald_table_on_the_scale_of_the_variables() -> None:
    x, y = draw(500, 5)
    fit = fit_logit(x, y, ["a", "b"], "none")
    table = fit.wald(scales=np.array([2.0, 1.0]), signs=[1, 1])
    assert table.loc["a", "estimate"] == pytest.approx(fit.coefficients[1] / 2)
    assert table.loc["a", "z"] == pytest.approx(fit.coefficients[1] / np.sqrt(fit.covariance[1, 1]))
    assert table["agrees"].tolist()[1:] == [True, False]
    assert table.loc["a", "p"] < 0.001


def test_separating_finds_either_direction() -> None:
    x = np.array([[0.0, 5.0, 1.0], [1.0, 4.0, 2.0], [2.0, 1.0, 1.5]])
    assert separating_columns(x, np.array([0.0, 0.0, 1.0]), ["up", "down", "neither"]) == ["up", "down"]


@pytest.mark.parametrize(
    ("y", "text"),
    [
        (np.zeros(10), "the outcomes hold no default"),
        (np.ones(10), "the outcomes hold nothing but defaults"),
        (np.array([0, 1, 2, *[0] * 7]), "row 3: 2 is no outcome; write 1 for a default, 0 for none"),
        (np.array([0, 1, np.nan, *[0] * 7]), "row 3: nan is no outcome"),
    ],
)
def test_outcomes_that_cannot_be_fitted(y: np.ndarray, text: str) -> None:
    with pytest.raises(InputError, match=text):
        fit_logit(np.arange(10.0)[:, None], y.astype(float), ["a"])


def test_too_few_rows() -> None:
    with pytest.raises(InputError, match="4 rows cannot carry 3 columns"):
        fit_logit(np.eye(4)[:, :3], np.array([0.0, 1, 0, 1]), ["a", "b", "c"])
