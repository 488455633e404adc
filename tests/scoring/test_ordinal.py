"""Proportional odds: gradient, agreement with statsmodels, probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, special

from allocator.errors import InputError
from allocator.scoring.ordinal import _objective, fit_ordinal


def draw(n: int = 600, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(n, 2))
    noise = special.logit(generator.random(n))
    return x, np.searchsorted([-1.0, 0.5, 2.0], x @ np.array([1.2, -0.7]) + noise)


def test_the_gradient_is_that_of_the_objective() -> None:
    x, grade = draw(60)
    theta = np.array([0.3, -0.2, -0.5, 0.1, -0.4])
    error = optimize.check_grad(
        lambda t: _objective(t, x, grade, 3, 2.0)[0], lambda t: _objective(t, x, grade, 3, 2.0)[1], theta
    )
    assert error < 1e-4


def test_it_agrees_with_statsmodels_where_the_penalty_vanishes() -> None:
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    x, grade = draw()
    ours = fit_ordinal(x, grade, ["a", "b"], list("ABCD"), strength=1e-9)
    theirs = OrderedModel(grade, x, distr="logit").fit(method="bfgs", disp=0)
    np.testing.assert_allclose(ours.slopes, theirs.params[:2], atol=1e-3)
    np.testing.assert_allclose(ours.probabilities(x), theirs.predict(x), atol=1e-3)


def test_probabilities_sum_to_one_and_follow_the_index() -> None:
    x, grade = draw()
    fit = fit_ordinal(x, grade, ["a", "b"], list("ABCD"))
    p = fit.probabilities(np.array([[-3.0, 3.0], [3.0, -3.0]]))
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert p[0].argmax() == 0
    assert p[1].argmax() == 3
    assert (np.diff(fit.thresholds) > 0).all()


def test_a_column_that_separates_two_grades_stays_finite() -> None:
    grade = np.repeat([0, 1, 2, 3], 10)
    fit = fit_ordinal(grade[:, None] - 1.5, grade, ["x"], list("ABCD"))
    assert np.isfinite(fit.slopes).all()
    assert (fit.probabilities(grade[:, None] - 1.5).argmax(axis=1) == grade).mean() > 0.9


def test_a_grade_without_firms() -> None:
    with pytest.raises(
        InputError, match="no firm has the grade C; give firms of every grade, or fit fewer grades"
    ):
        fit_ordinal(np.ones((4, 1)), np.array([0, 1, 3, 3]), ["x"], list("ABCD"))
