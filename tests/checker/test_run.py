"""One run by hand: it holds, and each tolerance is met on both sides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.checker.by_hand import BOUND, NOT, ROWS, VALUE, faults

U = 2.0**-53
OPERATIONS = 26 + 2 * 5
"""Of a bound, with five limits."""


def bounded(bound: float) -> list[tuple[str, str, Any]]:
    return figures(VALUE, bound)


def figures(value: float, bound: float) -> list[tuple[str, str, Any]]:
    """A value and a bound with all that follows from them."""
    gap = (bound - value) / bound
    own = [("certificate", "bound", bound), ("certificate", "value", value), ("certificate", "gap", gap)]
    said = {"objective": value, "certified_bound": bound, "bound": bound, "gap": gap, "certified_gap": gap}
    return own + [("summary", key, entry) for key, entry in said.items()]


def test_the_run_holds(tmp_path: Path) -> None:
    assert faults(tmp_path) == []


@pytest.mark.parametrize(
    ("below", "holds"), [(1.25e-12, False), (1.5e-12, True), (4.8e-7, True), (5.0e-7, False)]
)
def test_a_value_is_rounded_inwards_and_not_far(below: float, holds: bool, tmp_path: Path) -> None:
    """12 roundings of terms that add up to 1,000 are 1.33e-12; 1e-9 of the value are 4.9e-7."""
    assert (faults(tmp_path, *figures(490.0 - below, BOUND)) == []) is holds


LEAST = OPERATIONS * U * (562.5 + 2 * 750)
"""Errors of U: of b'lambda, and of what b and c might gain at prices that leave them nothing."""


@pytest.mark.parametrize(
    ("above", "holds"),
    [(0.0, False), (LEAST - 2e-13, False), (LEAST + 3e-13, True), (5.6e-7, True), (5.7e-7, False)],
)
def test_a_bound_is_rounded_outwards_and_not_far(above: float, holds: bool, tmp_path: Path) -> None:
    assert (faults(tmp_path, *bounded(562.5 + above)) == []) is holds


@pytest.mark.parametrize(
    ("off", "holds"), [(0.9e-12, True), (-0.9e-12, True), (1.2e-12, False), (-1.2e-12, False)]
)
def test_a_gap_is_told_to_a_millionth_of_a_millionth(off: float, holds: bool, tmp_path: Path) -> None:
    gap = (BOUND - VALUE) / BOUND + off
    said = [("summary", "gap", gap), ("summary", "certified_gap", gap)]
    assert (faults(tmp_path, ("certificate", "gap", gap), *said) == []) is holds


@pytest.mark.parametrize(("which", "scale", "size"), [(2, 300.0, 550.0), (5, 1000.0, 2000.0)])
@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("key", ["used", "bound"])
def test_uses_and_bounds_are_told_to_their_scale(
    which: int, scale: float, size: float, side: int, key: str, tmp_path: Path
) -> None:
    """To 1e-9 of the larger of bound and largest term, with the rounding of 64 operations."""
    name = ("used", "bound")
    right = {2: (250.0, 300.0), 5: (1000.0, 1000.0)}[which][name.index(key)]
    near = 1e-9 * scale + 64 * U * size
    for part, holds in ((0.99, True), (1.02, False)):
        off = right + side * part * near
        room = side * part * near * (-1 if key == "used" else 1) * (1 if which == 2 else -1)
        slack = (50.0 if which == 2 else 0.0) + room
        changes = [(name, f"limits.{which}.{key}", off) for name in ("certificate", "summary")]
        binding = which == 5 and abs(slack) <= 1e-9 * scale
        changes += [
            ("summary", f"limits.{which}.slack", slack),
            ("summary", f"limits.{which}.binding", binding),
        ]
        assert (faults(tmp_path, *changes) == []) is holds, (part, faults(tmp_path, *changes))


@pytest.mark.parametrize(
    ("which", "key", "value"),
    [
        (0, "violation", 1e-12), (2, "violation", 2e-9), (3, "missed", 1.0 + 3e-9), (3, "missed", 0.0),
        (3, "penalty", 10.0 + 2.5e-8), (3, "enforce", {"soft": 11.0}), (3, "enforce", "report"),
        (4, "missed", 500.0 + 1.52e-6), (4, "missed", 0.0), (4, "enforce", {"soft": 0.0}), (0, "price", 0.26),
        (1, "name", "other"), (1, "sense", "exactly"), (1, "measure", "drawn"),
    ],
)  # fmt: skip
def test_what_a_row_says_otherwise_is_named(which: int, key: str, value: Any, tmp_path: Path) -> None:
    changes = [("certificate", f"limits.{which}.{key}", value)]
    if key in ("missed", "penalty", "enforce", "price"):
        changes.append(("summary", f"limits.{which}.{key}", value))
    found = faults(tmp_path, *changes)
    names = ("budget", "half", "loss", "few", "told", "least")
    assert any(fault.startswith(f"certificate limits {names[which]}: says") for fault in found), found


@pytest.mark.parametrize(
    ("which", "key", "value"),
    [(3, "missed", 1.0 + 0.9e-9), (3, "penalty", 10.0 + 0.9e-8), (4, "missed", 500.0 + 1.49e-6)],
)
def test_a_row_that_need_not_hold_is_told_to_its_scale(
    which: int, key: str, value: float, tmp_path: Path
) -> None:
    changes = [(name, f"limits.{which}.{key}", value) for name in ("certificate", "summary")]
    assert faults(tmp_path, *changes) == []


@pytest.mark.parametrize("name", ["few", "told", "loss", "least", "half"])
def test_a_price_beyond_its_sign_or_penalty_is_named(name: str, tmp_path: Path) -> None:
    place = ("budget", "half", "loss", "few", "told", "least").index(name)
    price = {"few": 10.5, "told": 0.5, "loss": -0.5, "least": 0.5, "half": -0.5}[name]
    changes = [("certificate", f"prices.{name}", price)]
    changes += [(one, f"limits.{place}.price", price) for one in ("certificate", "summary")]
    assert any(fault.startswith(f"certificate prices {name}: ") for fault in faults(tmp_path, *changes))


SAID: list[tuple[str, Any, Any]] = [
    ("name", "by hand", "by hands"), ("currency", "EUR", "USD"), ("strategy", "optimal", "ahp_lines"),
    ("offered", 2000.0 + 1.9e-6, 2000.0 + 2.2e-6), ("drawn", 2000.0 - 1.9e-6, 2000.0 - 2.2e-6),
    ("interest", 750.0 + 0.7e-6, 750.0 + 0.8e-6), ("expected_loss", 250.0 - 2.4e-7, 250.0 - 2.8e-7),
    ("churn_cost", 0.9e-9, 1.1e-9), ("idle_income", 0.9e-9, 1.1e-9), ("budget_unspent", 0.9e-9, 1.1e-9),
    ("limit_penalty", 10.0, 10.0 + 1.1e-8), ("refusal_constant", 0.9e-9, -1.1e-9), ("borrowers", 4, 5),
    ("funded", 2, 3), ("per_point.half", 1.25, 1.26), ("by_grade.A.mean_rate", 0.25 + 0.9e-9, 0.25 + 1.1e-9),
    ("by_grade.A.value", 500.0 + 4.9e-7, 500.0 + 5.2e-7), ("by_grade.A.borrowers", 4, 3),
    ("by_grade.A.funded", 2, 4), ("by_grade.A.offered", 2000.0, 1999.0), ("limits.2.slack", 50.0, 50.1),
    ("limits.2.binding", False, True), ("limits.5.binding", True, False), ("limits.1.broken", False, True),
    ("status", "feasible", "optimal"), ("stop", "exhausted", "gap"), ("stop", "time_limit", "memory"),
    ("proof", "prices", "tree"), ("proof", "prices", "solver"), ("method", "reduced", "auto"),
    ("bound", BOUND, 489.0), ("bound", BOUND, 563.0), ("limits_broken", [], ["few"]),
    ("terms_broken", {}, {"rate that may not be offered": 1}), ("schema", 1, 2), ("notes", ["n"], {}),
    ("notes", [], [1]), ("seconds", {}, []), ("seconds", {"a": 0}, {"a": -0.0}), ("seconds.total", 1, -1),
    ("seconds.total", 0.0, "1"), ("seconds.total", 3, True), ("seconds.total", 3, None),
    ("versions", {}, "3"),
    ("versions", {"a": ""}, {"a": 1}), ("peak_memory_mb", 0, -1), ("peak_memory_mb", 2.5, "2"),
    ("solved_at", "", 3), ("digest", None, "0" * 64),
]  # fmt: skip


@pytest.mark.parametrize(("key", "right", "wrong"), SAID)
def test_the_summary_says_what_the_inputs_give(key: str, right: Any, wrong: Any, tmp_path: Path) -> None:
    if right is not None:
        assert faults(tmp_path, ("summary", key, right)) == []
    found = faults(tmp_path, ("summary", key, wrong))
    assert any(fault.startswith("summary") or "is no number" in fault or "object" in fault for fault in found)


def cell(place: int, column: int, text: str) -> list[tuple[str, ...]]:
    rows = [*ROWS]
    rows[place] = (*rows[place][:column], text, *rows[place][column + 1 :])
    return rows


@pytest.mark.parametrize(
    ("place", "column", "right", "wrong"),
    [
        (0, 1, "A", "B"), (0, 2, "1000", "1000.01"), (0, 2, "1000.00", "999.995"), (0, 2, "1000", "99"),
        (0, 3, "0.2500000000005", "0.250000000002"), (0, 3, "0.25", "0.3"),
        (0, 4, "1.0000000009", "1.0000000012"),
        (0, 5, "375.0000003", "375.0000004"), (0, 6, "124.9999999", "124.9999998"), (0, 8, "1e-10", "2e-9"),
        (0, 11, "250.0000002", "249.9999997"), (2, 3, "0", "-0"), (2, 2, "0", "-0"), (0, 2, "1000", "01000"),
        (0, 2, "1e3", "1_000"), (0, 12, "", "crowded out by the budget"), (2, 12, NOT[0] and ROWS[2][12], ""),
        (2, 12, ROWS[2][12], "never profitable, whatever the limits"),
        (2, 12, "crowded out by the budget", "crowded out by limit loss"),
        (2, 12, "decided by the integer step: lost within the gap", "crowded out by limit half"),
        (2, 12, "crowded out by the budget", "crowded out by limit half"), (3, 12, ROWS[3][12], "excluded"),
        (3, 12, ROWS[3][12], "crowded out by the budget"),
        (3, 12, ROWS[3][12], "decided by the integer step: lost within the gap"),
        (2, 12, ROWS[2][12], "left out, so that limit half need not hold"),
    ],
)  # fmt: skip
def test_a_row_of_the_allocation_is_what_the_inputs_give(
    place: int, column: int, right: str, wrong: str, tmp_path: Path
) -> None:
    assert faults(tmp_path, rows=cell(place, column, right)) == []
    assert faults(tmp_path, rows=cell(place, column, wrong))


def test_other_keys_of_any_document_are_named(tmp_path: Path) -> None:
    for name in ("certificate", "summary", "scenario"):
        assert faults(tmp_path, (name, "other", 1)), name
    for place in ("policy.other", "portfolio.other", "response.other", "policy.budget.other", "solver"):
        assert faults(tmp_path, ("scenario", place, {"other": 1})), place
    for key in ("schema", "bound", "value", "gap", "largest_violation"):
        assert faults(tmp_path, ("certificate", key, None)), key
        assert faults(tmp_path, ("certificate", key, True)), key
    assert faults(tmp_path, ("certificate", "prices.other", 0.0))
    assert faults(tmp_path, ("certificate", "limits.0.other", 0.0))
    assert faults(tmp_path, ("certificate", "price_bound", BOUND))
    assert faults(tmp_path, ("certificate", "inputs", {}))
    assert faults(tmp_path, ("certificate", "plugins", {"measure other": "package"}))
