"""Rejects whose outcomes are inferred: what is given to whom, and that it is no information."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import special

from allocator.errors import InputError
from allocator.scoring.fitting_logit import logit_from_files
from allocator.scoring.order import Order
from allocator.scoring.rejects import Inference, order_faults


@pytest.fixture
def book(tmp_path: Path) -> tuple[Path, Path]:
    """1,500 applicants, those of much debt declined: their outcomes are empty."""
    generator = np.random.default_rng(2)
    debt = generator.normal(size=1500)
    bad = (generator.random(1500) < special.expit(debt - 2)).astype(float)
    declined = (debt + generator.normal(size=1500) > 1.5).astype(int)
    frame = pd.DataFrame({"debt": debt, "bad": np.where(declined, np.nan, bad), "declined": declined})
    frame.to_csv(tmp_path / "book.csv", index=False)
    (tmp_path / "v.json").write_text(json.dumps({"schema": 1, "variables": [{"name": "debt", "cut": None}]}))
    return tmp_path / "book.csv", tmp_path / "v.json"


def fitted(book: tuple[Path, Path], how: Inference | None, factor: float = 1.0) -> Any:
    return logit_from_files(
        *book, Order("bad", rejects="declined", inference=how, factor=factor, penalty="none")
    )


@pytest.mark.parametrize("how", ["fuzzy", "parcelling"])
def test_rejects_are_counted_and_given_a_default_rate(book: tuple[Path, Path], how: Inference) -> None:
    frame = pd.read_csv(book[0])
    fit = fitted(book, how, 1.5)
    told, table = fit.figures["rejects"], fit.tables["Rejects"]
    assert told["rejects"] == frame["declined"].sum() == table["rejects"][:-1].sum()
    assert told["accepted"] == 1500 - told["rejects"]
    assert told["default_rate"] == pytest.approx(frame["bad"].mean())
    assert told["inferred"] > 1.5 * told["default_rate"]
    assert f"{told['rejects']:,.0f}, {how}, factor 1.5" in fit.card.metrics["rejects"]
    assert "creates no information" in fit.figures["warnings"][-1]
    assert fit.tables["With and without rejects"].loc["debt", "with_rejects"] > 0


def test_fuzzy_rejects_alike_teach_nothing(book: tuple[Path, Path]) -> None:
    moved = fitted(book, "fuzzy").tables["With and without rejects"]
    assert moved["with_rejects"].to_numpy() == pytest.approx(moved["without_rejects"].to_numpy(), rel=1e-6)
    worse = fitted(book, "fuzzy", 2.0).tables["With and without rejects"]
    assert worse.loc["debt", "in_standard_errors"] > 1


def test_the_validation_is_of_accepted_ones_alone(book: tuple[Path, Path], tmp_path: Path) -> None:
    accepted = tmp_path / "accepted.csv"
    pd.read_csv(book[0]).query("declined == 0").to_csv(accepted, index=False)
    alone = logit_from_files(accepted, book[1], Order("bad", penalty="none"))
    both = fitted(book, "fuzzy")
    assert both.figures["auc"]["value"] == pytest.approx(alone.figures["auc"]["value"])
    assert both.figures["brier"]["value"] == pytest.approx(alone.figures["brier"]["value"], rel=1e-5)


def test_what_cannot_be_inferred(book: tuple[Path, Path]) -> None:
    with pytest.raises(InputError, match="tells no reject"):
        logit_from_files(*book, Order("bad", rejects="debt", inference="fuzzy"))
    none = pd.read_csv(book[0]).dropna().assign(declined=0)
    none.to_csv(book[0], index=False)
    with pytest.raises(InputError, match="marks no reject"):
        fitted(book, "fuzzy")
    told = [(fault.field, fault.problem) for fault in order_faults(None, "declined", -1, "all", None)]
    assert told == [
        ("--reject-inference", "is missing"),
        ("--reject-factor", "has nothing to act on"),
        ("--reject-factor", "-1 is no number above 0"),
    ]
    assert order_faults("fuzzy", "declined", 1, "all", "day")[0].problem == "knows nothing of rejects"
