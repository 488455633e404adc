"""The stand-alone checker: as a program, copied anywhere, and its figures by closed forms."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from allocator import checker
from allocator.certification.capital import in_parts
from allocator.certification.rounding import Rounded
from allocator.checker import Facts
from tests.forgery.runs import CENTS, SECTORS, Files, solved


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return solved(tmp_path_factory.mktemp("case") / "cents", CENTS)


def alone(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The file by itself in `folder`, with no package beside it."""
    copy = folder / "checker.py"
    shutil.copyfile(str(checker.__file__), copy)
    command = [sys.executable, "-I", str(copy), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)


def test_it_runs_by_itself_and_says_what_it_found(run: Path, tmp_path: Path) -> None:
    done = alone(tmp_path, str(run))
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{run}: it holds\n", "")
    shutil.copytree(run.parent, tmp_path / "case")
    files = Files(tmp_path / "case" / "run")
    files.edit("summary.json", lambda said: said.update(name="poor", funded=99))
    done = alone(tmp_path, "case/run")
    assert done.returncode == 5
    assert "fault: summary name: says 'poor', the inputs give 'cents'" in done.stderr
    assert "fault: summary funded: says 99" in done.stderr
    assert done.stdout == "case/run: 2 faults, it does not hold\n"
    (files.run.parent / "churn.csv").unlink()
    done = alone(tmp_path, "case/run")
    assert (done.returncode, "churn.csv" in done.stderr) == (2, True)
    assert alone(tmp_path).returncode == 2
    assert alone(tmp_path, "nowhere").returncode == 2


def test_no_smallest_loan_is_below_nothing(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run.parent, tmp_path / "case")
    files = Files(tmp_path / "case" / "run")
    files.edit("scenario.json", lambda said: said["policy"]["ticket"].update(min=-1))
    assert any("policy.ticket.min lies below 0" in fault for fault in checker.check(str(files.run)))


@pytest.mark.parametrize("basis", ["offered", "drawn"])
def test_a_run_that_earns_by_idle_money_alone_holds(tmp_path: Path, basis: str) -> None:
    idle = CENTS.replace("2_500_000}", f"2_500_000, basis: {basis}}}\n  idle_rate: 50%")
    assert checker.check(str(solved(tmp_path / "idle", idle))) == []


POSTED = """\
schema: 1
name: posted
portfolio: {source: ../two.csv}
response: {churn: ../two-rates.csv}
policy:
  budget: {amount: 1_000_000}
  ticket: {min: 100_000, max: 200_000}
  rates: {A: [4%, 12%]}
  funding_rate: 50%
  pricing: per_grade
"""


def test_posted_rates_at_which_nobody_profits_prove_0(tmp_path: Path) -> None:
    (tmp_path / "two.csv").write_text("borrower_id,grade,pd,lgd\na,A,0.01,0.5\nb,A,0.02,0.5\n")
    (tmp_path / "two-rates.csv").write_text("rate,A\n0.04,0\n0.12,0.1\n")
    run = solved(tmp_path / "posted", POSTED)
    lists = json.loads((run / "certificate.json").read_text())["lists"]
    assert [node["bound"] for node in lists["nodes"]] == [0.0]
    assert checker.check(str(run)) == []


def test_nothing_is_rounded_where_only_zeros_are_added_up() -> None:
    """A run that lends nothing at no price states a bound and a value of 0, and so proves them."""
    found = checker.values_of([], Facts(constant=0.0, constant_terms=0.0), 30)
    assert (found.bound, found.upper) == (0.0, 0.0)
    assert checker.misstated(0.0, found) == ""
    nothing = Rounded(0.0, 0.0)
    assert (nothing.most, nothing.least) == (nothing.above, nothing.below) == (0.0, 0.0)


def book(exposure: list[float]) -> Facts:
    return Facts(exposure=np.array(exposure), ids=[str(i) for i in range(len(exposure))])


def rows(basis: str, sense: str, bound: float, weight: list[float], of: str = "", lent: float = 0.0) -> Facts:
    held = np.array(weight)
    return Facts(
        names=["row"], measure=basis, sense=sense, basis=basis, weight=held,
        row=np.zeros(len(held), dtype=int), plain=bool(np.all(held == 1)), share=bound, bounds=[bound], of=of,
        whole=[checker.exact(bound)], exposed=lent != 0, lent=[lent],
        base=np.ones(len(held), dtype=bool), among=False, penalty=math.inf, moved=False,
        given=None, further=[],
    )  # fmt: skip


def use(row: Facts, offered: list[float], drawn: float = 0.5, exposure: list[float] | None = None) -> Facts:
    amounts = np.array(offered)
    bases = {"offered": amounts, "drawn": amounts * drawn, "loans": (amounts > 0) * 1.0}
    return checker.uses_of([row], book(exposure or [0.0] * len(offered)), bases)[0]


@pytest.mark.parametrize("money", [1.0, 1e6, 1e9])
def test_a_row_of_whole_cents_has_no_tolerance(money: float) -> None:
    assert not use(rows("offered", "at_most", 3 * money, [1, 1]), [money, 2 * money]).broken
    assert use(rows("offered", "at_most", 3 * money, [1, 1]), [money, 2 * money + 0.01]).broken
    assert use(rows("offered", "exactly", 3 * money, [1, 1]), [money, 2 * money - 0.01]).broken
    assert not use(rows("offered", "exactly", 0.3, [1, 1, 1]), [0.1, 0.1, 0.1]).broken


def test_shares_of_the_total_are_decided_in_decimals() -> None:
    half = rows("offered", "at_most", 0.63, [1, 0], of="offered")
    half.row = np.array([0, -1])
    assert not use(half, [63.0, 37.0]).broken
    assert use(half, [63.01, 36.99]).broken


@pytest.mark.parametrize(("weight", "bound"), [(1e-12, 3e-12), (1.0, 3.0), (1e9, 3e9)])
def test_no_weight_hides_a_loan(weight: float, bound: float) -> None:
    assert not use(rows("loans", "at_most", bound, [weight] * 4), [5.0, 5.0, 5.0, 0.0]).broken
    assert use(rows("loans", "at_most", bound, [weight] * 4), [5.0] * 4).broken
    mixed = [weight, weight / 1e10, weight, weight]
    assert use(rows("loans", "at_most", bound, mixed), [5.0] * 4).broken


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_other_rows_have_a_tolerance_of_their_own_size(scale: float) -> None:
    """Bound and largest use are 1,000 of the scale: the tolerance is a millionth of it."""
    bound = 1_000.0 * scale
    for part, broken in ((0.9e-9, False), (1.1e-9, True)):
        amount = 2 * bound * (1 + part)
        assert use(rows("drawn", "at_most", bound, [1.0]), [amount]).broken is broken
        assert use(rows("drawn", "at_least", bound, [1.0]), [2 * bound * (1 - part)]).broken is broken


def test_a_row_may_have_a_point_in_its_name() -> None:
    assert checker.numbers_of({"prices": {"size[1.5]": 2}}, "prices") == {"size[1.5]": 2.0}
    with pytest.raises(checker.Wrong, match="no number"):
        checker.numbers_of({"prices": {"size[1.5]": None}}, "prices")


def test_a_curve_is_pooled_and_read_in_fractions() -> None:
    thirds = [Fraction(1), Fraction(3), Fraction(2), Fraction(1), Fraction(9)]
    assert checker.rising(thirds) == [1, 2, 2, 2, 9]
    curve = Facts(rates=[0.0, 0.5, 1.0], churn=[Fraction(0), Fraction(1, 2), Fraction(1, 4)])
    found = [checker.walk_at(curve, rate) for rate in (-1.0, 0.0, 0.25, 0.5, 0.75, 2.0)]
    assert found == [0, 0, Fraction(1, 4), Fraction(1, 2), Fraction(3, 8), Fraction(1, 4)]


@pytest.mark.parametrize(
    ("lot", "value", "up", "down"),
    [
        (Fraction(1, 100), 0.29, 29, 29),
        (Fraction(1, 100), math.nextafter(0.29, 1), 30, 29),
        (Fraction(1, 100), 1e13 - 0.01, 999_999_999_999_999, 999_999_999_999_999),
        (Fraction(50_000), 149_999.99, 3, 2),
        (Fraction(1, 10), 0.35, 4, 3),
        (Fraction(1, 1000), 0.007, 7, 7),
    ],
)
def test_amounts_are_counted_in_whole_lots(lot: Fraction, value: float, up: int, down: int) -> None:
    one = np.array([value])
    count = checker.lots(one, lot)
    assert (count + (checker.money(count, lot) < one))[0] == up
    assert (count - (checker.money(count, lot) > one))[0] == down


@pytest.mark.parametrize(
    ("said", "fits"),
    [
        (10.0 - 1e-13, False),
        (10.0 + 1e-15, True),
        (10.0 + 5e-9, True),
        (10.0 + 2e-8, False),
        (math.inf, False),
    ],
)
def test_a_stated_bound_lies_above_what_is_proved_and_not_far(said: float, fits: bool) -> None:
    assert (checker.misstated(said, Facts(bound=10.0, upper=10.0 + 1e-15)) == "") is fits
    assert checker.misstated(1e308, Facts(bound=10.0, upper=math.inf))


@pytest.mark.parametrize(
    ("said", "bound", "value", "fits"),
    [(0.5, 2.0, 1.0, True), (0.5, 2.0, 1.0 + 1e-9, False), (0.0, 1.0, 1.5, True), (-0.5, 1.0, 1.5, True),
     (-0.0, 1.0, 1.0, False), (0.5, 0.5, 0.0, True)],
)  # fmt: skip
def test_a_gap_is_relative_to_the_bound_and_never_minus_0(
    said: float, bound: float, value: float, fits: bool
) -> None:
    assert checker.is_gap(said, bound, value) is fits


def test_losses_by_sector_of_who_never_or_surely_fails_are_known(tmp_path: Path) -> None:
    """A PD of 0 has no quantile, nor has one of 1."""
    sure = "stress: {pd: {where: [{sector: food, factor: 0}, {sector: steel, factor: 1000}]}}\n"
    easy = SECTORS.replace("2.7%", "70%").replace("5_000", "900_000").replace("0.45", "0.501953125") + sure
    run = solved(tmp_path / "case", easy)
    assert checker.check(str(run)) == []


@pytest.mark.parametrize(
    ("lgd", "units"), [(0.123456785, 12_345_678), (0.001953125, 195_312), (0.005859375, 585_938)]
)
def test_a_half_of_the_last_place_goes_to_the_even_one(lgd: float, units: int) -> None:
    """Of a sure loss, which is the LGD: below a half by the digits of the double, or at one."""

    def lost(by: Any, pd: Any, lgd: Any) -> Any:
        return lgd * by.below(by.quantile(pd))

    columns = [np.array([1.0]), np.array([lgd])]
    assert checker.in_units(lost, columns)[0] == units
    assert np.rint(in_parts(lost, columns) * 1e8)[0] == units
