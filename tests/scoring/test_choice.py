"""Which variables a logit reads: the path, its length, signs, and what is left out, with its reason."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
import pytest
from scipy import special

from allocator.errors import InputError
from allocator.scoring.choice import choose
from allocator.scoring.validation import auc, log_loss
from allocator.scoring.variables import Binning, Variable


def table(n: int = 1500, seed: int = 0) -> tuple[pd.DataFrame, pd.Series]:
    """Two columns that tell, one that repeats the first with noise, noise, a constant, a copy, a category."""
    generator = np.random.default_rng(seed)
    a, b, noise, more = generator.normal(size=(4, n))
    kind = generator.choice(["x", "y", "z"], n)
    y = pd.Series((generator.random(n) < special.expit(-1.5 + a - 0.8 * b + 0.9 * (kind == "z"))).astype(int))
    columns = {
        "a": a,
        "b": b,
        "near_a": a + 0.5 * more,
        "noise": noise,
        "flat": 1.0,
        "copy": 2 * a,
        "kind": kind,
    }
    return pd.DataFrame(columns), y


NAMES = ("noise", "a", "near_a", "flat", "b", "copy")
ALL = [*map(Variable, NAMES), Variable("kind", "category")]


def test_the_path_takes_what_tells_and_says_why_of_the_rest() -> None:
    frame, y = table()
    choice = choose(frame, y, ALL, "forward")
    assert [one.name for one in choice.kept] == ["a", "b", "kind"]
    assert choice.path is not None
    assert choice.path.index[:3].tolist() == ["a", "b", "kind"]
    assert choice.path["chosen"].tolist()[:3] == [True] * 3
    assert choice.why == {
        "flat": "is constant: it can explain nothing",
        "copy": "is a combination of a",
        "near_a": "adds nothing out of fold to those that are in",
        "noise": "adds nothing out of fold to those that are in",
    }
    losses = choice.path["log_loss"]
    assert losses.iloc[2] == pytest.approx(log_loss(y.to_numpy(float), choice.held_out), rel=1e-12)
    assert losses.iloc[2] < losses.iloc[0]
    assert auc(y.to_numpy(float), choice.held_out).value > 0.75


def test_the_first_to_enter_has_the_score_test_of_pearson() -> None:
    frame, y = table()
    path = choose(frame, y, [Variable("kind", "category")], "forward").path
    assert path is not None
    from scipy import stats

    counts = pd.crosstab(frame["kind"], y)
    assert path["p"].iloc[0] == pytest.approx(
        stats.chi2_contingency(counts, correction=False).pvalue, rel=1e-9
    )


@pytest.mark.parametrize("how", ["signs", "forward"])
def test_no_variable_goes_against_its_sign(how: Literal["signs", "forward"]) -> None:
    frame, y = table()
    declared = [Variable("a", sign=-1), Variable("b", sign=-1), Variable("kind", "category")]
    choice = choose(frame, y, declared, how)
    assert [one.name for one in choice.kept] == ["b", "kind"]
    assert choice.why == {"a": choice.why["a"]}


def test_a_weight_of_evidence_that_another_turns_around_is_left_out() -> None:
    frame, y = table(600)
    frame["shadow"] = frame["a"] + 0.3 * frame["b"]
    declared = [Variable(name, bins=Binning()) for name in ("a", "b", "shadow", "noise")]
    kept = choose(frame, y, declared, "signs").kept
    assert {"a", "b"} <= {one.name for one in kept}


def test_refusals() -> None:
    frame, y = table(400)
    with pytest.raises(InputError, match="flat: is constant"):
        choose(frame, y, [Variable("flat")], "forward")
    with pytest.raises(InputError, match="no variable tells defaults from the rest"):
        choose(frame, pd.Series(np.arange(400) % 2), [Variable("noise")], "forward")
    with pytest.raises(InputError, match="a: goes against the sign that is declared for it, as"):
        choose(frame, y, [Variable("a", sign=-1)], "signs")
