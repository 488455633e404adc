"""KS by hand, and its interval."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from allocator.errors import InputError
from allocator.scoring.distance import ks


def test_ks_is_the_largest_distance() -> None:
    y = np.array([0.0, 0, 0, 1, 1, 1])
    found = ks(y, np.array([1.0, 2, 5, 4, 6, 7]))
    assert found.value == pytest.approx(2 / 3)
    assert 0 <= found.low < found.value < found.high <= 1


def test_ends_of_scores_that_tell_all_or_nothing() -> None:
    y = np.repeat([1.0, 0.0], [20, 180])
    perfect, nothing = ks(y, y), ks(y, np.zeros(200))
    assert (perfect.value, perfect.high) == (1, 1)
    assert 0.6 < perfect.low < 1
    assert (nothing.value, nothing.low) == (0, 0)
    with pytest.raises(InputError, match="of one class only"):
        ks(np.zeros(5), np.arange(5.0))


def test_the_same_draws_each_time_and_of_rows_with_weights_as_many_as_they_are_worth() -> None:
    generator = np.random.default_rng(0)
    score = generator.normal(size=400)
    y = (generator.random(400) < special.expit(score - 1)).astype(float)
    assert ks(y, score) == ks(y, score)
    weights = np.where(generator.random(400) < 0.1, 9.0, 0.2)
    weights /= weights.mean()
    plain, weighed = ks(y, score), ks(y, score, weights)
    assert weighed.high - weighed.low > 1.5 * (plain.high - plain.low)
    bad, good = weights * y, weights * (1 - y)
    far = max(abs(bad[score <= s].sum() / bad.sum() - good[score <= s].sum() / good.sum()) for s in score)
    assert weighed.value == pytest.approx(far)
