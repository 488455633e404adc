"""The mean loss of a unit drawn in the worst years of one factor (docs/formulation.md, section 6)."""

from __future__ import annotations

from decimal import Decimal, localcontext
from functools import cache
from typing import Any

import numpy as np

from allocator.records.portfolio import Floats, Portfolio
from allocator.records.risk import TailRule
from allocator.risk.arithmetic import DIGITS, DOUBLES, PI, Arithmetic, rounded
from allocator.risk.capital import by_class, correlation, one_year

_FEW, _MANY = 16, 32
"""Nodes in doubles, where 16 leave 2e-17 at a correlation of 50 %, and in decimals, where 32 leave 1e-34."""
_NEVER, _SURELY = "1e-16", "0.9999999999999999"
"""Beyond, a PD changes no decimal place."""


def tail_loss_of(rule: TailRule, portfolio: Portfolio) -> Floats:
    """(n,) of each borrower, a fraction of what is drawn."""
    if rule.asset_class_by is not None:
        return by_class(tail_loss_of, rule, portfolio)
    sales = portfolio.number(rule.capital.turnover) if rule.columns else np.zeros(len(portfolio))

    def formula(arithmetic: Arithmetic, pd: Any, lgd: Any, term: Any, turnover: Any) -> Any:
        if rule.correlation is not None:
            shared = arithmetic.number(rule.correlation)
        else:
            shared = correlation(
                arithmetic, rule.capital, one_year(arithmetic, rule.capital, pd, term), turnover
            )
        worst = 1 - arithmetic.number(rule.confidence)
        return lgd * (pd + _beyond(arithmetic, pd, worst, arithmetic.sqrt(shared)) / worst)

    return rounded(formula, portfolio.pd, portfolio.lgd, portfolio.term, sales)


def _beyond(arithmetic: Arithmetic, pd: Any, worst: Any, r: Any) -> Any:
    """N2(G(pd), G(worst); r) - pd worst = integral over t from 0 to r of
    exp(-(h^2 - 2 t h k + k^2) / (2 (1 - t^2))) / (2 pi (1 - t^2)^1/2) dt  (Plackett 1954)."""
    h = arithmetic.normal_inverse(
        np.minimum(np.maximum(pd, arithmetic.number(_NEVER)), arithmetic.number(_SURELY))
    )
    k = arithmetic.normal_inverse(worst)
    squares, product, total = h * h + k * k, 2 * h * k, 0 * h
    for node, weight in _legendre(arithmetic is DOUBLES):
        t = r * node
        left = 1 - t * t
        total = total + weight * arithmetic.exp((t * product - squares) / (2 * left)) / arithmetic.sqrt(left)
    return total * r / (2 * arithmetic.number(PI))


@cache
def _legendre(doubles: bool) -> tuple[tuple[Any, Any], ...]:
    """Nodes and weights of Gauss and Legendre from 0 to 1; those of decimals by Newton's steps."""
    points, weights = np.polynomial.legendre.leggauss(_FEW if doubles else _MANY)
    if doubles:
        return tuple(zip(((1 + points) / 2).tolist(), (weights / 2).tolist(), strict=True))
    with localcontext(prec=DIGITS):
        return tuple(_decimal_node(Decimal(point)) for point in points.tolist())


def _decimal_node(x: Decimal) -> tuple[Decimal, Decimal]:
    slope = Decimal(1)
    for _ in range(4):
        before, value = Decimal(1), x
        for n in range(2, _MANY + 1):
            before, value = value, ((2 * n - 1) * x * value - (n - 1) * before) / n
        slope = _MANY * (x * value - before) / (x * x - 1)
        x -= value / slope
    return (1 + x) / 2, 1 / ((1 - x * x) * slope * slope)
