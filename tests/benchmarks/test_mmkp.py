"""Public knapsacks: the reader, the exact recheck, and the engine on real instances."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from allocator.knapsack import KnapsackSolution, solve_knapsack
from benchmarks.measure import results
from benchmarks.mmkp import Instance, Published, exact_bound, read_index, read_instance, recheck

TEXT = """2 2
3 2.5
2
5 1 0
7.5 2 1
1
4 1 1.5
"""
QUICK = (
    "hh_n5_",
    "hh_n10_",
    "hh_n25_k10_m5_",
    "hh_n25_k10_m10_",
    "hh_n30_",
    "hh_n50_",
    "khan_I01",
    "khan_I05",
)


@pytest.fixture(scope="session")
def folder(data: Path) -> Path:
    if not (data / "mmkp" / "index.csv").is_file():
        pytest.skip(f"no public knapsacks at {data / 'mmkp'}")
    return data / "mmkp"


def written(folder: Path, text: str) -> Path:
    path = folder / "tiny.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_is_read_as_it_stands(tmp_path: Path) -> None:
    instance = read_instance(written(tmp_path, TEXT))
    values, weights, capacities, classes = instance.arrays()
    assert values.tolist() == [5.0, 7.5, 4.0]
    assert weights.tolist() == [[1.0, 2.0, 1.0], [0.0, 1.0, 1.5]]
    assert capacities.tolist() == [3.0, 2.5]
    assert classes.tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (TEXT[:-5], "ends before its last class is complete"),
        (TEXT + "1 2\n", "has 2 numbers after its last class"),
    ],
)
def test_a_broken_file_is_refused(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=told):
        read_instance(written(tmp_path, text))


def test_the_recheck_is_exact_and_finds_what_is_wrong(tmp_path: Path) -> None:
    instance = read_instance(written(tmp_path, TEXT))
    assert float(recheck(instance, [1, 2])) == 11.5
    with pytest.raises(ValueError, match="item 2 is not of the class that begins at 0"):
        recheck(instance, [2, 2])
    tight = Instance(instance.capacities[:1] + instance.classes[1][0][1][:1], instance.classes)
    with pytest.raises(ValueError, match=r"capacity 1 is 1, the choice needs 2\.5"):
        recheck(tight, [1, 2])
    assert exact_bound(instance, [0.0, 0.0]) == Fraction(23, 2)
    assert exact_bound(instance, [1.0, 0.0]) == Fraction(3) + Fraction(11, 2) + 3
    with pytest.raises(ValueError, match="below 0"):
        exact_bound(instance, [-1.0, 0.0])


def solved(folder: Path, name: str, **settings: Any) -> tuple[Instance, KnapsackSolution]:
    """An instance with the engine's answer to it, value and price bound recomputed exactly."""
    instance = read_instance(folder / f"{name}.txt")
    found = solve_knapsack(*instance.arrays(), **settings)
    assert float(recheck(instance, found.choice.tolist())) == found.value
    bound = exact_bound(instance, found.prices.tolist())
    assert float(bound) == pytest.approx(found.price_bound, rel=1e-12)
    return instance, found


def reaches(folder: Path, published: Published) -> None:
    """The proved value, proved again."""
    _, found = solved(folder, published.name)
    assert found.value == float(published.target)
    assert found.stop == "optimal"
    assert found.bound == pytest.approx(float(published.target), rel=1e-12)


def test_small_instances_reach_their_proved_value(folder: Path) -> None:
    picked = [entry for name, entry in read_index(folder / "index.csv").items() if name.startswith(QUICK)]
    assert len(picked) == 22
    for published in picked:
        reaches(folder, published)


@pytest.mark.full
def test_every_instance_with_a_proved_value_reaches_it(folder: Path) -> None:
    for name, published in read_index(folder / "index.csv").items():
        if published.family == "hh" or name in ("khan_I01", "khan_I02", "khan_I05", "khan_I06"):
            reaches(folder, published)


def test_a_large_instance_beats_its_published_value_after_a_few_rounds(folder: Path) -> None:
    published = read_index(folder / "index.csv")["mmkp_a_13"]
    _, found = solved(folder, published.name, rounds=10)
    assert found.stop == "rounds"
    assert found.value >= float(published.value)


@pytest.mark.full
def test_no_bound_lies_below_a_published_value(folder: Path) -> None:
    for name, published in read_index(folder / "index.csv").items():
        _, found = solved(folder, name, rounds=7)
        best = float(max(published.value, published.solved))
        assert min(found.bound, found.price_bound, found.tree_bound) >= best * (1 - 1e-12), name


def test_kept_results_hold_what_the_page_says() -> None:
    kept = [result for result in results()["mmkp"]["mmkp"]["instances"] if "failed" not in result]
    assert all(result["bound"] >= max(result["value"], result["published"]) for result in kept)
    assert all(result["claimed"]["value"] == result["value"] for result in kept)
    proved = [result for result in kept if result["family"] == "hh"]
    assert all(result["value"] == result["target"] for result in proved)
    rivals = [result for result in kept if result["family"] in ("a", "b", "c")]
    assert len(rivals) == 19
    assert sum(result["value"] >= result["published"] for result in rivals) >= 0.8 * len(rivals)
