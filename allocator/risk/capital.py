"""The capital requirement of a unit drawn (docs/formulation.md, section 6): Basel CRE31 and CRE20."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from allocator.records.portfolio import Floats, Portfolio
from allocator.records.risk import CapitalRule, TailRule
from allocator.risk.arithmetic import Arithmetic, rounded

_Rule = TypeVar("_Rule", CapitalRule, TailRule)
WEIGHTS = {"corporate": "1", "sme": "0.85", "retail": "0.75"}
"""Risk weight of the standardised approach (CRE20), of which capital is 8 %."""
SUPPORTING_FACTOR = "0.7619"
"""Of loans to small firms, up to 2.5 million EUR each (CRR, article 501)."""


def capital_of(rule: CapitalRule, portfolio: Portfolio) -> Floats:
    """(n,) K of each borrower, a fraction of what is drawn."""
    if rule.asset_class_by is not None:
        return by_class(capital_of, rule, portfolio)
    if rule.approach == "standardised":
        return np.full(len(portfolio), _standardised(rule))
    sales = portfolio.number(rule.turnover) if rule.columns else np.zeros(len(portfolio))

    def formula(arithmetic: Arithmetic, pd: Any, lgd: Any, term: Any, turnover: Any) -> Any:
        p = one_year(arithmetic, rule, pd, term)
        return _irb(
            arithmetic,
            rule,
            p,
            np.maximum(lgd, arithmetic.number(rule.lgd_floor)),
            correlation(arithmetic, rule, p, turnover),
        )

    return rounded(formula, portfolio.pd, portfolio.lgd, portfolio.term, sales)


def by_class(formula: Callable[[_Rule, Portfolio], Floats], rule: _Rule, portfolio: Portfolio) -> Floats:
    """(n,) a formula's figures, of each borrower by the rule of the own class."""
    column = portfolio.text(rule.asset_class_by or "")
    out = np.zeros(len(portfolio))
    for name, own in rule.of_classes():
        if name in column.values:
            members = np.flatnonzero(column.codes == column.code_of(name))
            out[members] = formula(own, portfolio.take(members))
    return out


def one_year(arithmetic: Arithmetic, rule: CapitalRule, pd: Any, term: Any) -> Any:
    """The PD of one year, at least the floor, of a PD over `term` years."""
    return np.maximum(1 - arithmetic.exp(arithmetic.log(1 - pd) / term), arithmetic.number(rule.pd_floor))


def _factor(rule: CapitalRule, number: Any) -> Any:
    small = rule.supporting_factor and rule.asset_class != "corporate"
    return number(SUPPORTING_FACTOR if small else "1")


def _standardised(rule: CapitalRule) -> float:
    from decimal import Decimal

    return float(Decimal("0.08") * Decimal(WEIGHTS[rule.asset_class]) * _factor(rule, Decimal))


def correlation(arithmetic: Arithmetic, rule: CapitalRule, p: Any, turnover: Any) -> Any:
    """R of borrowers with one-year PD `p`."""
    n = arithmetic.number
    if rule.asset_class == "retail":
        near = (1 - arithmetic.exp(-35 * p)) / (1 - arithmetic.exp(n(-35)))
        return n("0.03") * near + n("0.16") * (1 - near)
    near = (1 - arithmetic.exp(-50 * p)) / (1 - arithmetic.exp(n(-50)))
    whole = n("0.12") * near + n("0.24") * (1 - near)
    if rule.asset_class != "sme":
        return whole
    size = np.minimum(np.maximum(turnover / n(rule.turnover_unit), n(5)), n(50))
    return whole - n("0.04") * (1 - (size - 5) / 45)


def _irb(arithmetic: Arithmetic, rule: CapitalRule, p: Any, lgd: Any, r: Any) -> Any:
    """K = [L N((G(p) + R^1/2 G(0.999)) / (1 - R)^1/2) - p L] (1 + (M - 2.5) b) / (1 - 1.5 b)."""
    n = arithmetic.number
    far = (
        arithmetic.normal_inverse(p) + arithmetic.sqrt(r) * arithmetic.normal_inverse(n("0.999"))
    ) / arithmetic.sqrt(1 - r)
    own = lgd * (arithmetic.normal(far) - p) * _factor(rule, n)
    if rule.asset_class == "retail":
        return own
    b = (n("0.11852") - n("0.05478") * arithmetic.log(p)) ** 2
    return own * (1 + (n(rule.maturity) - n("2.5")) * b) / (1 - n("1.5") * b)
