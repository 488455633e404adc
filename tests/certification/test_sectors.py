"""Runs with a limit on the tail loss of several sectors: rechecked in rational numbers; what refuses them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from allocator.certification.factors import worst_mean, worst_mean_above
from allocator.cli.main import main
from allocator.errors import CertificateError
from allocator.insight.explain.position import position_of
from allocator.insight.whatif.frontier import frontier
from allocator.records.risk import Sectors, TailRule
from allocator.records.scenario import BUDGET
from allocator.store import read_run
from allocator.verification import recheck_run, verify_run
from tests.builders import portfolio
from tests.forgery import runs
from tests.forgery.runs import Files, decide, funded
from tests.risk.factor_limits import mean_of_the_worst, tail_limit

RULE = TailRule(0.99, 0.2, sectors=Sectors("sector", 0.08, 64))


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return runs.solved(tmp_path_factory.mktemp("sectors") / "case", runs.SECTORS).parent


def test_a_run_is_confirmed_in_rational_numbers(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(run), "--exact"]) == 0
    assert Files(run).json("summary.json")["per_point"]["worst"] > 0


def test_other_budgets_have_other_cuts_than_the_run(run: Path) -> None:
    """A budget so small that no tail loss binds has none, and prices of none."""
    case = position_of(recheck_run(read_run(run))).case
    assert case.scenario.policy.cuts
    few = frontier(case, [BUDGET], [(300_000.0, 600_000.0)], points=2)
    assert all(point.slopes[0] > 0 for point in few.points)


def test_a_loss_beyond_the_tolerance_is_broken(run: Path) -> None:
    files = Files(run)
    amounts = funded(files)
    decide(files, {"F03": amounts["F03"] - 0.1, "F06": amounts["F06"] + 0.1})
    with pytest.raises(CertificateError, match="worst"):
        verify_run(read_run(run), exact=True)


@pytest.mark.parametrize(
    ("command", "refusal"),
    [
        (
            ["distil"],
            "limit 'worst' is on the tail loss of several sectors, which rules cannot yet be held to",
        ),
    ],
)
def test_what_does_not_know_such_limits_refuses_them(
    command: list[str], refusal: str, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, *options = command
    assert main([name, str(run), *options]) == 2
    assert refusal in capsys.readouterr().err


def test_the_mean_is_that_of_the_formula_in_doubles_and_in_rational_numbers() -> None:
    """Nothing rounded there; here 8 places of losses and 7 of weights, and only who passes the filter."""
    draw = np.random.default_rng(9)
    names = [str(name) for name in draw.choice(list("abcd"), 30)]
    pd, lgd, lent = draw.uniform(0, 0.1, 30), draw.random(30), draw.choice([0.0, 500.5], 30)
    book = portfolio(
        ["A"] * 30, pd=pd.tolist(), lgd=lgd.tolist(), exposure=lent.tolist(), texts={"sector": names}
    )
    drawn, limit = draw.uniform(0, 1e4, 30).round(2), tail_limit(1.0, RULE)
    found = worst_mean(limit, book, drawn)
    assert found == pytest.approx(mean_of_the_worst(RULE, pd, lgd, names, drawn + lent), rel=2e-6)
    exact = worst_mean_above(limit, book, {i: Fraction(repr(x)) for i, x in enumerate(drawn.tolist())})
    assert 0 <= exact - Fraction(found) + Fraction(1, 10**8) <= Fraction(2, 10**8)
