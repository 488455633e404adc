"""The best cut into runs, against every cut there is."""

from __future__ import annotations

import itertools
from typing import get_args

import numpy as np
import pytest

from allocator.scoring.runs import Shape, best_cuts

SHAPES: tuple[Shape, ...] = get_args(Shape)


def _keeps(rates: list[float], shape: Shape) -> bool:
    steps = np.sign(np.diff(rates)).tolist()
    if shape == "free":
        return True
    if 0 in steps:
        return False
    turns: int = sum(a != b for a, b in itertools.pairwise(steps))
    ways = {"rising": 1, "falling": -1, "peak": 1, "valley": -1}
    if shape == "monotone":
        return turns == 0
    if shape in ("rising", "falling"):
        return turns == 0 and bool(not steps or steps[0] == ways[shape])
    return turns == 0 or bool(turns == 1 and steps[0] == ways[shape])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(4))
def test_no_cut_that_keeps_the_shape_gains_more(shape: Shape, seed: int) -> None:
    generator = np.random.default_rng(seed)
    points = 8
    rate = generator.integers(0, 6, (points, points)).astype(float)
    gain = generator.random((points, points))
    gain[generator.random((points, points)) < 0.2] = -np.inf
    found = best_cuts(rate, gain, 5, shape)
    for number in range(1, 6):
        best = -np.inf
        for inner in itertools.combinations(range(1, points - 1), number - 1):
            runs = list(itertools.pairwise([0, *inner, points - 1]))
            if _keeps([rate[run] for run in runs], shape):
                best = max(best, sum(gain[run] for run in runs))
        if np.isinf(best):
            assert number not in found
            continue
        value, ends = found[number]
        assert value == pytest.approx(best)
        assert sum(gain[run] for run in itertools.pairwise(ends)) == pytest.approx(best)
        assert _keeps([rate[run] for run in itertools.pairwise(ends)], shape)
