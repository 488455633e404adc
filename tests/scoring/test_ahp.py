"""AHP: the source's tables, consistency, and what a matrix must be."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.errors import InputError
from allocator.scoring.ahp import (
    Hierarchy,
    compose,
    judgement,
    read_hierarchy,
    sensitivity,
    weigh,
)

PRINTED = {
    "strength": (0.571, 0.285, 0.142),
    "reputation": (0.648, 0.229, 0.122),
    "supply and demand": (0.109, 0.309, 0.581),
    "risk assessment": (0.744, 0.193, 0.063),
}
"""Weights as the credit strategy study prints them."""


@pytest.fixture(scope="module")
def shipped(models: Path) -> Hierarchy:
    return read_hierarchy(models / "ahp" / "enterprise-credit.json")


def test_the_weights_of_the_source(shipped: Hierarchy) -> None:
    np.testing.assert_allclose(shipped.criteria.weights, (0.133, 0.533, 0.067, 0.267), atol=0.0015)
    for weights in shipped.alternatives:
        np.testing.assert_allclose(weights.weights, PRINTED[weights.judgement.name], atol=0.0015)
    assert [round(100 * weight) for weight in shipped.composed] == [63, 23, 14]
    np.testing.assert_allclose(shipped.composed, (0.627, 0.233, 0.140), atol=0.0005)


def test_consistency_of_the_source(shipped: Hierarchy) -> None:
    assert shipped.criteria.lambda_max == pytest.approx(4.0)
    assert shipped.criteria.consistency_ratio == pytest.approx(0.0, abs=1e-9)
    worst = shipped.alternatives[3]
    assert worst.lambda_max == pytest.approx(3.0713, abs=1e-4)
    assert worst.consistency_ratio == pytest.approx(0.0614, abs=1e-4)
    assert shipped.warnings == ()


def test_geometric_means_agree_where_judgements_are_consistent(shipped: Hierarchy) -> None:
    by_mean = weigh(shipped.criteria.judgement, "geometric_mean")
    np.testing.assert_allclose(by_mean.weights, shipped.criteria.weights)


def test_three_items_have_the_same_weights_either_way(shipped: Hierarchy) -> None:
    for weights in shipped.alternatives:
        by_mean = weigh(weights.judgement, "geometric_mean")
        np.testing.assert_allclose(by_mean.weights, weights.weights, atol=1e-12)


@given(st.lists(st.floats(0.1, 10), min_size=2, max_size=6))
def test_weights_that_made_the_judgements_come_back(raw: list[float]) -> None:
    weights = np.array(raw) / sum(raw)
    rows = (weights[:, None] / weights[None, :]).tolist()
    found = weigh(judgement("w", [str(i) for i in range(len(raw))], rows))
    np.testing.assert_allclose(found.weights, weights, rtol=1e-8)
    assert found.consistency_ratio == pytest.approx(0, abs=1e-8)


def test_contradictions_are_warned_of() -> None:
    circle = judgement("circle", ["a", "b", "c"], [[1, 3, "1/3"], ["1/3", 1, 3], [3, "1/3", 1]])
    found = weigh(circle)
    assert found.consistency_ratio > 0.1
    assert found.warning is not None
    assert "circle: consistency ratio 1.1" in found.warning


def test_sensitivity_names_the_judgement_that_counts(shipped: Hierarchy) -> None:
    table = sensitivity(shipped)
    assert len(table) == 6 + 4 * 3
    assert table["shift"].is_monotonic_decreasing
    assert table.loc[0, ["judgement", "item", "against"]].tolist() == ["reputation", "A", "B"]
    np.testing.assert_allclose(table[["A", "B", "C"]].sum(axis=1), 1)
    moved = judgement("r", ["A", "B", "C"], [[1, 4.5, 5], [1 / 4.5, 1, 2], ["1/5", "1/2", 1]])
    weights = [one.weights for one in shipped.alternatives]
    weights[1] = weigh(moved).weights
    np.testing.assert_allclose(
        table.loc[0, ["A", "B", "C"]].to_numpy(float), shipped.criteria.weights @ weights
    )


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ([[1, 2], ["1/3", 1]], r"m\[a, b\]: is not reciprocal: 2 one way and 0.333333 the other; write 1/2"),
        ([[1, -2], ["-1/2", 1]], r"m\[a, b\]: -2 is no judgement"),
        ([[1, "x"], [1, 1]], r"'x' is no judgement; write a number from 1/1000 to 1000 or a fraction, 1/4"),
        ([[1, "1/0"], [1, 1]], r"'1/0' is no judgement"),
        ([[1, float("nan")], [1, 1]], r"nan is no judgement"),
        ([[2, 2], ["1/2", 1]], r"m\[a, a\]: is not reciprocal: 2 one way and 2 the other; the diagonal is 1"),
        ([[1, 2, 3], [1, 1, 1]], r"m: is not 2 x 2"),
    ],
)
def test_a_matrix_that_is_none(rows: list[list[float | str]], text: str) -> None:
    with pytest.raises(InputError, match=text):
        judgement("m", ["a", "b"], rows)


def test_composing_needs_one_judgement_a_criterion() -> None:
    one = judgement("m", ["a", "b"], [[1, 2], ["1/2", 1]])
    with pytest.raises(InputError, match="has no judgement for the criterion b"):
        compose(one, {"a": one})
    other = judgement("n", ["a", "c"], [[1, 2], ["1/2", 1]])
    with pytest.raises(InputError, match="compare different alternatives"):
        compose(one, {"a": one, "b": other})


def test_faults_of_a_whole_file_come_together(models: Path, tmp_path: Path) -> None:
    document = json.loads((models / "ahp" / "enterprise-credit.json").read_text())
    document["criteria"]["rows"][0][1] = 5
    document["alternatives"]["rows"]["strength"][2][0] = "none"
    path = tmp_path / "file.json"
    path.write_text(json.dumps(document))
    with pytest.raises(InputError) as caught:
        read_hierarchy(path)
    assert [fault.file for fault in caught.value.faults] == [str(path)] * 2


def test_a_judgement_under_no_criterion(models: Path, tmp_path: Path) -> None:
    document = json.loads((models / "ahp" / "enterprise-credit.json").read_text())
    document["alternatives"]["rows"]["luck"] = document["alternatives"]["rows"]["strength"]
    (tmp_path / "a.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match="luck: is no criterion; the criteria are strength, reputation"):
        read_hierarchy(tmp_path / "a.json")
