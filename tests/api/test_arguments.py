"""What is handed over is held against the signature: every fault at once, before anything is done."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import allocator
from allocator import (
    InputError,
    allocate,
    backtest,
    compare,
    distil,
    explain,
    fit_ahp,
    fit_churn,
    fit_logit,
    frontier,
    levers,
    load_run,
    load_scenario,
    simulate,
    stress,
    verify,
)
from allocator.api.arguments import read_arguments
from allocator.api.runs import Solved

ROOT = Path(__file__).resolve().parents[2]
PLAIN = ROOT / "scenarios/sme-302.yaml"
LOANS = pd.DataFrame({"debt": np.linspace(0, 1, 40), "bad": [0, 0, 1, 1] * 10})


def _call(function: Callable[..., Any], *args: Any, **named: Any) -> Callable[[], Any]:
    return lambda: function(*args, **named)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (_call(allocate, PLAIN, borrower=LOANS), "borrower: no argument has this name; did you mean"),
        (_call(allocate), r"missing a required argument: 'scenario'; see help\(allocate\)"),
        (_call(allocate, PLAIN, start=[1]), "start: list is not a Run or a mapping"),
        (_call(allocate, PLAIN, start={"budget": "x"}), "start: dict is not a Run or a mapping"),
        (_call(allocate, PLAIN, stress=[]), "stress: list is not a text or a mapping"),
        (_call(allocate, PLAIN, progress=5), "progress: 5 is not a function; give a function"),
        (_call(allocate, "schema: 1\npolicy: {}"), "scenario: a text of several lines is no path"),
        (_call(allocate, "a\0b"), "scenario: a text of several lines is no path"),
        (_call(allocate, PLAIN, borrowers="no.csv"), "borrowers, portfolio.source: no.csv does not exist"),
        (_call(verify, LOANS), "run: pandas.DataFrame is not a Run or a path"),
        (_call(verify, "x", exact="yes"), "exact: 'yes' is not True or False"),
        (_call(load_run, 5), "folder: 5 is not a path"),
        (_call(verify, "x" * 300), "there is no such folder; name a folder that solve wrote"),
        (_call(load_run, "a\0b"), "folder: 'a.x00b' holds a null character; give a path"),
        (_call(explain, "x", ["B1"]), "borrower: list is not a text or a whole number"),
        (_call(explain, "x", by=5), "by: 5 is not a text; give a text, as 'grade'"),
        (_call(explain, "x", where=LOANS), "where: pandas.DataFrame is not a text or a mapping"),
        (_call(explain, "x", where={"grade": {"A"}}), r"where: is no filter; write texts, numbers and lists"),
        (_call(levers, "x", None), "size: None is not a number or a text; give a number or a text, as 0.01"),
        (_call(simulate, PLAIN, years=100.5), "years: 100.5 is not a whole number; give"),
        (_call(simulate, PLAIN, seed=-1), "seed: -1 is below 0"),
        (_call(simulate, PLAIN, method="x"), "method: 'x' is not 'each' or 'binned'"),
        (_call(distil, "x", 0), "rules: 0 lies outside 1 to 12"),
        (_call(distil, "x", out=[5]), "out: list is not a path or a list of paths"),
        (_call(frontier, PLAIN, 5), "limits: 5 is not a text or a list of texts"),
        (_call(frontier, PLAIN, gap=float("nan")), "gap: nan is not a number; give a number, as 1e-06"),
        (_call(stress, PLAIN, reverse=5), "reverse: 5 is not a text"),
        (_call(compare, PLAIN, strategies=[]), "strategies: none is named; name some, or leave them out"),
        (_call(compare, {}), "subjects: nothing is given"),
        (_call(backtest, PLAIN, None), "outcome: None is not a text"),
        (_call(fit_logit, LOANS, [5], "bad"), "variables: list is not a path or a mapping or a list of"),
        (_call(fit_logit, LOANS, ["debt"], "bad", penalty="x"), "penalty: 'x' is not 'none' or 'firth' or"),
        (_call(fit_logit, LOANS, ["debt"], "bad", folds=0), "folds: 0 is below 2"),
        (_call(fit_logit, LOANS, ["debt"], "bad", bounds=[1]), "bounds: list is not a mapping"),
        (_call(fit_ahp, "a.json", method="x"), "method: 'x' is not 'eigenvector' or 'geometric_mean'"),
        (_call(fit_churn, LOANS, shape="x"), "shape: 'x' is not 'isotonic' or 'logistic'"),
    ],
)  # fmt: skip
def test_what_an_argument_cannot_be_is_said(call: Callable[[], Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        call()


def test_every_argument_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(InputError) as caught:
        simulate(PLAIN, years="x", seed=1.5, by=5, yeers=3)  # type: ignore[call-arg, arg-type]
    assert [fault.field for fault in caught.value.faults] == ["yeers", "years", "seed", "by"]


def test_what_people_mean_is_read() -> None:
    def asked(years: int, share: float, names: list[str], flag: bool, run: Solved | None = None) -> None: ...

    read, named = read_arguments(asked, (1e4, Decimal("0.5")), {"names": "a", "flag": np.True_})
    assert (read, named) == ((10_000, 0.5, ["a"], True), {})
    assert [type(one) for one in read] == [int, float, list, bool]
    for names in (
        pd.Index(["a", "b"]),
        np.array(["a", "b"]),
        ("a", "b"),
        iter("ab"),
        {"a": 1, "b": 2}.keys(),
    ):
        assert read_arguments(asked, (np.int64(3), 1, names, False), {})[0] == (3, 1, ["a", "b"], False)
    for wrong in ({"a", "b"}, 5, None, b"ab"):
        with pytest.raises(InputError, match=r"names: .* is not a list of texts"):
            read_arguments(asked, (1, 1, wrong, False), {})


def test_signatures_are_those_of_the_functions() -> None:
    for name in allocator.__all__:
        thing = getattr(allocator, name)
        if inspect.isfunction(thing):
            signature = inspect.signature(thing)
            assert all(one.annotation is not one.empty for one in signature.parameters.values())
            assert signature.return_annotation is not signature.empty


def test_numbers_and_arrays_of_others_stand_in_a_mapping() -> None:
    rates = {"A": np.array([0.04, 0.15]), "B": ("4%", "15%"), "C": [0.04, 0.15]}
    changed = load_scenario(PLAIN, {"policy.budget.amount": Decimal(6), "policy.rates": rates})
    assert changed.policy.budget.amount == 6
    assert changed.policy.rates["A"] == (0.04, 0.15)
    endless: dict[str, Any] = {}
    endless["policy"] = endless
    with pytest.raises(InputError, match="scenario: is nested without end"):
        allocate(endless)
