"""Capital, tail losses and years of several factors, by the formulas of the page and the standard library."""

from __future__ import annotations

import math
from fractions import Fraction
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

from allocator import checker
from allocator.checker import Facts, Wrong
from tests.checker.people import borrowers

NORMAL = NormalDist()
q, below = NORMAL.inv_cdf, NORMAL.cdf


def correlation(kind: str, p: float, sales: float = 50.0) -> float:
    if kind == "retail":
        part = (1 - math.exp(-35 * p)) / (1 - math.exp(-35))
        return 0.03 * part + 0.16 * (1 - part)
    part = (1 - math.exp(-50 * p)) / (1 - math.exp(-50))
    size = 0.04 * (1 - (min(max(sales, 5.0), 50.0) - 5) / 45) if kind == "sme" else 0.0
    return 0.12 * part + 0.24 * (1 - part) - size


def capital(
    kind: str, pd: float, lgd: float, years: float = 2.5, sales: float = 50.0, small: bool = False
) -> float:
    r = correlation(kind, pd, sales)
    k = lgd * (below((q(pd) + math.sqrt(r) * q(0.999)) / math.sqrt(1 - r)) - pd)
    if kind != "retail":
        b = (0.11852 - 0.05478 * math.log(pd)) ** 2
        k *= (1 + (years - 2.5) * b) / (1 - 1.5 * b)
    return k * (0.7619 if small and kind != "corporate" else 1.0)


def required(rule: dict[str, Any], numbers: dict[str, list[float]], **texts: list[str]) -> list[float]:
    people = borrowers(len(numbers["pd"]), {"lgd": [0.45] * len(numbers["pd"]), **numbers}, **texts)
    stated = checker.capital_rule({"capital": rule})
    return [
        float(x) for x in checker.by_class(lambda own: checker.requirements_of(own, people), stated, people)
    ]


@pytest.mark.parametrize("kind", ["corporate", "sme", "retail"])
@pytest.mark.parametrize("small", [False, True])
def test_capital_is_that_of_the_formula(kind: str, small: bool) -> None:
    rule = {
        "asset_class": kind,
        "maturity": 4.0,
        "supporting_factor": small,
        "turnover": "t",
        "turnover_unit": 1e6,
    }
    sales = [4e6, 5e6, 20e6, 50e6, 60e6]
    found = required(
        rule, {"pd": [0.01, 0.03, 0.2, 0.001, 0.5], "lgd": [0.1, 0.45, 0.8, 1.0, 0.6], "t": sales}
    )
    pairs = zip([0.01, 0.03, 0.2, 0.001, 0.5], [0.1, 0.45, 0.8, 1.0, 0.6], sales, strict=True)
    right = [capital(kind, pd, lgd, 4.0, own / 1e6, small) for pd, lgd, own in pairs]
    assert found == pytest.approx(right, abs=6e-9)
    assert all(Fraction(repr(x)).limit_denominator(10**8) == Fraction(repr(x)) for x in found)


def test_pd_and_lgd_have_floors_and_a_pd_is_of_one_year() -> None:
    usual = required({}, {"pd": [0.0001, 0.19], "term_years": [1.0, 2.0]})
    assert usual == pytest.approx(
        [capital("corporate", 0.0005, 0.45), capital("corporate", 0.1, 0.45)], abs=6e-9
    )
    floored = required({"pd_floor": 0.003, "lgd_floor": 0.5}, {"pd": [0.0001, 0.1]})
    assert floored == pytest.approx([capital("corporate", pd, 0.5) for pd in (0.003, 0.1)], abs=6e-9)


def test_each_class_has_its_own_formula() -> None:
    rule = {"asset_class_by": "kind", "turnover": "t"}
    numbers = {"pd": [0.02] * 3, "t": [math.nan, 10.0, math.nan]}
    found = required(rule, numbers, kind=["retail", "sme", "corporate"])
    right = [
        capital("retail", 0.02, 0.45),
        capital("sme", 0.02, 0.45, sales=10),
        capital("corporate", 0.02, 0.45),
    ]
    assert found == pytest.approx(right, abs=6e-9)
    with pytest.raises(Wrong, match="none of"):
        required(rule, numbers, kind=["retail", "sme", "other"])
    with pytest.raises(Wrong, match="is missing"):
        required({"asset_class": "sme", "turnover": "t"}, {"pd": [0.1], "t": [math.nan]})
    weights = required({"approach": "standardised", "asset_class_by": "kind", "supporting_factor": True},
                       {"pd": [0.02] * 3}, kind=["retail", "sme", "corporate"])  # fmt: skip
    assert weights == pytest.approx([0.045714, 0.0518092, 0.08], abs=1e-15)
    plain = required({"approach": "standardised", "asset_class": "retail"}, {"pd": [0.02]})
    assert plain == [0.06]


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ({"maturity": 1}, True), ({"maturity": 5}, True), ({"maturity": 0.99}, False),
        ({"maturity": 5.01}, False),
        ({"pd_floor": 1e-4}, True), ({"pd_floor": 0.99e-4}, False), ({"pd_floor": 1}, False),
        ({"pd_floor": 0.999}, True), ({"asset_class": "bank"}, False), ({"approach": "own"}, False),
    ],
)  # fmt: skip
def test_a_rule_of_capital_has_ends(rule: dict[str, Any], holds: bool) -> None:
    if holds:
        assert checker.capital_rule({"capital": rule}).irb
    else:
        with pytest.raises(Wrong):
            checker.capital_rule({"capital": rule})


@pytest.mark.parametrize("p", [1e-300, 1e-12, 0.001, 0.3, 0.5, 0.7, 0.999, 1 - 1e-12])
def test_quantiles_undo_the_distribution(p: float) -> None:
    found = float(checker.quantile(p)[0])
    assert found == pytest.approx(q(p) if p > 1e-200 else -37.0471, rel=1e-6)
    assert float(checker.below(found)[0]) == pytest.approx(p, rel=1e-9)
    with checker.localcontext(prec=60):
        exact = checker.long_quantile(checker.Decimal(p)) if p > 1e-6 else None
        if exact is not None:
            assert float(exact) == pytest.approx(q(p), abs=1e-9)
            assert abs(checker.long_below(exact) - checker.Decimal(p)) < checker.Decimal("1e-40")


def test_quantiles_at_the_ends() -> None:
    assert checker.quantile(1.0)[0] == math.inf
    assert checker.long_quantile(checker.Decimal(1)) == checker.Decimal("Infinity")
    assert checker.long_below(checker.Decimal("-Infinity")) == 0
    assert checker.long_below(checker.Decimal("Infinity")) == 1


def worst_mean(pd: float, r: float, alpha: float) -> float:
    """Mean default rate of the worst years by Simpson's rule over the factor."""
    n, a, b = 4000, q(alpha), q(alpha) + 9.0
    h = (b - a) / n

    def at(y: float) -> float:
        rate = below((q(pd) + math.sqrt(r) * y) / math.sqrt(1 - r))
        return rate * NORMAL.pdf(y)

    inner = sum((4 if k % 2 else 2) * at(a + k * h) for k in range(1, n))
    return (at(a) + inner + at(b)) * h / 3 / (1 - alpha)


def tails(rule: dict[str, Any], numbers: dict[str, list[float]], kind: str = "corporate") -> list[float]:
    people = borrowers(len(numbers["pd"]), numbers)
    tail, own = checker.tail_rule({"tail": rule}), checker.capital_rule({"capital": {"asset_class": kind}})
    return [float(x) for x in checker.tail_losses_of(tail, own, people)]


@pytest.mark.parametrize(
    ("rule", "alpha", "r"),
    [
        ({}, 0.999, 0.15),
        ({"confidence": 0.9}, 0.9, 0.15),
        ({"confidence": 0.5, "correlation": 0.5}, 0.5, 0.5),
    ],
)
def test_tail_losses_are_means_of_the_worst_years(rule: dict[str, Any], alpha: float, r: float) -> None:
    found = tails(rule, {"pd": [0.02, 0.3], "lgd": [1.0, 0.5]})
    assert found == pytest.approx([worst_mean(0.02, r, alpha), worst_mean(0.3, r, alpha) / 2], abs=3e-8)


def test_tail_losses_may_take_the_correlation_of_capital() -> None:
    for kind, sales in (("corporate", 50.0), ("retail", 50.0), ("sme", 10.0)):
        found = tails({"correlation": "irb"}, {"pd": [0.0396], "lgd": [1.0], "term_years": [2.0],
                                               "turnover": [sales]}, kind)  # fmt: skip
        assert found == pytest.approx([worst_mean(0.0396, correlation(kind, 0.02, sales), 0.999)], abs=3e-8)
    assert tails({"correlation": 0}, {"pd": [0.25, 0.0, 1.0], "lgd": [0.5, 1.0, 1.0]}) == [0.125, 0.0, 1.0]


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ({"confidence": 0.5}, True), ({"confidence": 0.49}, False), ({"confidence": 0.99999}, True),
        ({"confidence": 0.999991}, False), ({"correlation": 0.5}, True), ({"correlation": 0.51}, False),
        ({"correlation": -0.01}, False), ({"sectors": {"column": "s", "between": 0.15}}, True),
        ({"sectors": {"column": "s", "between": 0.16}}, False),
        ({"sectors": {"column": "s", "between": 0}}, True),
        ({"sectors": {"column": "s", "between": -0.01}}, False), ({"sectors": {"column": "s"}}, False),
        ({"sectors": {"column": "s", "between": 0.1, "nodes": 15}}, False),
        ({"sectors": {"column": "s", "between": 0.1, "nodes": 16}}, True),
        ({"sectors": {"column": "s", "between": 0.1, "nodes": 4096}}, True),
        ({"sectors": {"column": "s", "between": 0.1, "nodes": 4097}}, False),
        ({"sectors": {"column": "s", "between": 0.1, "other": 1}}, False),
        ({"correlation": "irb", "sectors": {"column": "s", "between": 0.1}}, False),
    ],
)  # fmt: skip
def test_a_rule_of_tails_has_ends(rule: dict[str, Any], holds: bool) -> None:
    if holds:
        assert checker.tail_rule({"tail": rule}).alpha == rule.get("confidence", 0.999)
    else:
        with pytest.raises(Wrong):
            checker.tail_rule({"tail": rule})


YEARS = 16


def factors(names: list[str], alpha: float = 0.875, between: float = 0.05, shared: float = 0.2) -> Any:
    rule = {
        "confidence": alpha,
        "correlation": shared,
        "sectors": {"column": "s", "between": between, "nodes": YEARS},
    }
    people = borrowers(len(names), {"pd": [0.1] * len(names)}, s=names)
    return checker.Factors(checker.tail_rule({"tail": rule}), people)


def test_years_weigh_what_their_places_are_apart() -> None:
    """j^4 - (j - 1)^4 of 16^4 over the 1/8 that are the worst, in ten-millionths, at most all."""
    caps = factors(["x"]).caps
    assert len(caps) == YEARS
    assert caps == [min(10**7, round(Fraction(j**4 - (j - 1) ** 4, 16**4) * 8 * 10**7)) for j in range(1, 17)]
    assert caps[-1] == 10**7 > caps[0] == round(8e7 / 65536)


def test_places_of_years_are_their_digits_mirrored() -> None:
    made = factors(["x", "y", "z"])
    assert made.points[0] == [((2 * j - 1) / 32) ** 4 for j in range(1, 17)]
    assert made.points[1][:6] == [1 / 2, 1 / 4, 3 / 4, 1 / 8, 5 / 8, 3 / 8]
    assert made.points[2][:5] == pytest.approx([1 / 3, 2 / 3, 1 / 9, 4 / 9, 7 / 9])
    assert len(made.points) == 3
    fourth = factors(["w", "x", "y", "z"]).points[3]
    assert fourth[:6] == pytest.approx([1 / 5, 2 / 5, 3 / 5, 4 / 5, 1 / 25, 6 / 25])


@pytest.mark.parametrize("names", [["x"], ["x", "y"], ["x", "y", "z"]])
def test_sectors_move_by_the_mean_and_apart(names: list[str]) -> None:
    """Helmert's rows: z1/sqrt 2 + z2/sqrt 6, -z1/sqrt 2 + z2/sqrt 6, -2 z2/sqrt 6."""
    made, n = factors(names), len(names)
    for j in range(YEARS):
        mean, z = q(made.points[0][j]), [q(own[j]) for own in made.points[1:]] + [0.0, 0.0]
        one, two = z[0] / math.sqrt(2), z[1] / math.sqrt(6) if n == 3 else 0.0
        apart = [one + two, -one + two, -2 * two] if n > 1 else [0.0]
        for s in range(n):
            right = math.sqrt(0.05 + 0.15 / n) * mean + math.sqrt(0.15) * apart[s]
            assert made.moves[s][j] / 1e8 == pytest.approx(right, abs=6e-9)


def lost(made: Any, s: int, year: int) -> int:
    return round(0.5 * below((q(0.1) - made.moves[s][year - 1] / 1e8) / math.sqrt(0.8)) * 1e8)


def test_a_years_losses_and_the_worst_of_them() -> None:
    made = factors(["x", "y"])
    every = {year: [lost(made, 0, year), lost(made, 1, year)] for year in range(1, 17)}
    for year, right in every.items():
        assert made.losses(year).tolist() == pytest.approx(right, abs=1)
    assert made.losses(3, np.array([1])).tolist() == [made.losses(3)[1]]
    money = np.array([100.0, 300.0])
    totals = sorted(((float(made.losses(y) @ money), made.caps[y - 1]) for y in every), reverse=True)
    left, summed = 10**7, 0.0
    for own, cap in totals:
        summed, left = summed + own * min(cap, left), left - min(cap, left)
    assert left == 0
    assert made.worst(money) == pytest.approx(summed / 1e15, rel=1e-12)
    assert made.worst(np.zeros(2)) == 0.0


def test_a_cuts_weights_are_of_worst_years() -> None:
    made = factors(["x", "y"])
    found = made.weights("l[1]", {"1": 0.0001, "2": 0.001})
    assert found.tolist() == ((1e3 * made.losses(1) + 1e4 * made.losses(2)) / 1e15).tolist()
    cap = made.caps[0] / 1e7
    assert made.weights("l[1]", {"1": cap}).shape == (2,)
    for wrong in (
        {"1": cap + 1e-7},
        {"17": 0.0},
        {"0": 0.0},
        {"1": -1e-7},
        {"2": 1e-8},
        {"15": 0.6, "16": 0.5},
    ):
        with pytest.raises(Wrong, match="no worst years"):
            made.weights("l[1]", wrong)
    assert made.weights("l[1]", {"16": 1.0}).tolist() == (1e7 * made.losses(16) / 1e15).tolist()


def test_sectors_are_named_and_few() -> None:
    with pytest.raises(Wrong, match="is missing"):
        factors(["x", ""])
    with pytest.raises(Wrong, match="21 sectors"):
        factors([f"s{k:02}" for k in range(21)])


@pytest.mark.parametrize(("sense", "bound", "own"), [
    ("at_least", 1, {}), ("at_most", 0, {}), ("at_most", 1, {"each": "s"}), ("at_most", 1, {"weight": "pd"}),
    ("at_most", 1, {"if_lent_to": {"s": "x"}}), ("at_most", 1, {"enforce": "report"}),
])  # fmt: skip
def test_cuts_of_tails_are_of_a_plain_limit(sense: str, bound: float, own: dict[str, Any]) -> None:
    made = factors(["x", "y"])
    people = borrowers(2, {"pd": [0.1] * 2}, s=["x", "y"])
    entry = {"name": "l", "measure": "tail_loss", sense: bound, **own}
    limit, rules = checker.limit_of(entry, [], made.tail), Facts(tail=made.tail, factors=None, limits=[])
    rules.limits = [limit]
    with pytest.raises(Wrong, match="several factors"):
        checker.cuts_among(rules, people, {})


def test_a_cut_of_tails_counts_what_is_drawn() -> None:
    made = factors(["x", "y"])
    people = borrowers(2, {"pd": [0.1] * 2}, s=["x", "y"])
    limit = checker.limit_of({"name": "l", "measure": "tail_loss", "at_most": 10}, [], made.tail)
    rules = Facts(tail=made.tail, factors=None, limits=[limit])
    _, cut = checker.cuts_among(rules, people, {"l[1]": {"16": 0.5}})
    assert (cut.name, cut.measure, cut.by, cut.bound) == ("l[1]", "drawn", None, 10 * (1 + 2.0**-50))
    assert people.numbers[cut.weight].tolist() == (5e6 * made.losses(16) / 1e15).tolist()
    assert cut.parent is limit
    with pytest.raises(Wrong, match="no such name"):
        checker.cuts_among(rules, people, {"l[0]": {"16": 0.5}})
