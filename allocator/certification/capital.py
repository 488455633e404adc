"""Capital requirements and tail losses again (docs/certificate.md, section 6).

Each is a decimal of 8 places. Where doubles are too near to a half to say which, 50 digits do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cache, partial
from typing import Any

import numpy as np

from allocator.certification.normal import ROOT, below, below_in_decimals, quantile, quantile_in_decimals
from allocator.records.portfolio import Floats, Portfolio
from allocator.records.risk import CapitalRule, Rule, TailRule
from allocator.records.scenario import Policy

_STANDARD = {"corporate": Fraction(8, 100), "sme": Fraction(68, 1000), "retail": Fraction(6, 100)}
_SUPPORT = Fraction(7619, 10_000)
_PLACES = 10.0**8
_NEAR_HALF = 1e-5
"""In units of the last place: more than doubles are wrong by."""
_AT_ONCE = 16_384


@dataclass(frozen=True)
class Functions:
    exp: Callable[[Any], Any]
    log: Callable[[Any], Any]
    below: Callable[[Any], Any]
    """N(x): how likely a standard normal number is at most x."""
    quantile: Callable[[Any], Any]
    number: Callable[[Any], Any]


Formula = Callable[..., Any]
"""From functions and columns to what is rounded."""


def weights_by(rule: Rule, portfolio: Portfolio) -> Floats:
    """(n,) what a unit drawn counts by the rule, or by that of each borrower's class."""
    if rule.asset_class_by is not None:
        weights, classes = np.zeros(len(portfolio)), portfolio.text(rule.asset_class_by)
        for asset_class, class_rule in rule.of_classes():
            among = np.flatnonzero(classes.codes == classes.code_of(asset_class))
            if asset_class in classes.values:
                weights[among] = weights_by(class_rule, portfolio.take(among))
        return weights
    size = portfolio.number(_capital(rule).turnover) if rule.columns else np.ones(len(portfolio))
    columns = [portfolio.pd, portfolio.lgd, portfolio.term, size]
    if isinstance(rule, TailRule):
        return in_parts(partial(_tail_loss, rule), columns)
    supported = _SUPPORT if rule.supporting_factor and rule.asset_class in ("sme", "retail") else Fraction(1)
    if rule.approach == "standardised":
        return np.full(len(portfolio), float(_STANDARD[rule.asset_class] * supported))
    return in_parts(partial(_requirement, rule, supported), columns)


def with_requirements(policy: Policy, portfolio: Portfolio) -> Portfolio:
    """The borrowers with K as it is computed here, where capital has a cost."""
    if policy.capital.cost is None:
        return portfolio
    return replace(portfolio, requirement=weights_by(policy.capital, portfolio))


def _capital(rule: Rule) -> CapitalRule:
    return rule.capital if isinstance(rule, TailRule) else rule


def in_parts(formula: Formula, columns: list[Floats]) -> Floats:
    """(n,) a formula of `columns`, each value to the nearest decimal of 8 places."""
    out = np.empty(len(columns[0]))
    for start in range(0, len(out), _AT_ONCE):
        own = slice(start, start + _AT_ONCE)
        out[own] = _rounded(formula, [column[own] for column in columns])
    return out


def _rounded(formula: Formula, columns: list[Floats]) -> Floats:
    with np.errstate(divide="ignore"):
        scaled = formula(_IN_DOUBLES, *columns) * _PLACES
    low = np.floor(scaled)
    result = np.where(scaled - low < 0.5, low, low + 1.0)
    for i in np.flatnonzero(np.abs(scaled - low - 0.5) < _NEAR_HALF).tolist():
        result[i] = _decided(formula, tuple(float(column[i]) for column in columns))
    return np.asarray(result / _PLACES)


def _decided(formula: Formula, own: tuple[float, ...]) -> int:
    with localcontext(prec=50):
        exact: Decimal = formula(_IN_DECIMALS, *map(Decimal, own))
        return int((exact * 10**8).to_integral_value("ROUND_HALF_EVEN"))


def _requirement(
    rule: CapitalRule, supported: Fraction, of: Functions, pd: Any, lgd: Any, term: Any, size: Any
) -> Any:
    """L (N((G(p) + sqrt(R) G(0.999)) / sqrt(1 - R)) - p), times the adjustment to the maturity."""

    def number(digits: str | float) -> Any:
        return of.number(Fraction(digits))

    p = _yearly(of, rule, pd, term)
    loss = np.maximum(lgd, of.number(Fraction(rule.lgd_floor)))
    shared = _correlation(of, rule, p, size)
    quantile = of.quantile(p) + shared ** of.number(Fraction(1, 2)) * of.quantile(number("0.999"))
    worst = of.below(quantile / (1 - shared) ** of.number(Fraction(1, 2)))
    adjusted = loss * (worst - p) * of.number(supported)
    if rule.asset_class != "retail":
        slope = (number("0.11852") - number("0.05478") * of.log(p)) ** 2
        years = of.number(Fraction(rule.maturity) - Fraction(5, 2))
        adjusted = adjusted * (1 + years * slope) / (1 - number("1.5") * slope)
    return adjusted


def _yearly(of: Functions, rule: CapitalRule, pd: Any, term: Any) -> Any:
    return np.maximum(1 - of.exp(of.log(1 - pd) / term), of.number(Fraction(rule.pd_floor)))


def _correlation(of: Functions, rule: CapitalRule, p: Any, size: Any) -> Any:
    """R: from `high` at a PD of 0 down to `low`, less for small firms by their sales in millions."""

    def number(digits: str | float) -> Any:
        return of.number(Fraction(digits))

    low, high, decay = ("0.03", "0.16", "35") if rule.asset_class == "retail" else ("0.12", "0.24", "50")
    fallen = (1 - of.exp(-number(decay) * p)) / (1 - of.exp(-number(decay)))
    shared = number(high) - (number(high) - number(low)) * fallen
    if rule.asset_class != "sme":
        return shared
    sales = np.minimum(np.maximum(size / number(rule.turnover_unit), number("5")), number("50"))
    return shared - number("0.04") * (50 - sales) / 45


def _tail_loss(rule: TailRule, of: Functions, pd: Any, lgd: Any, term: Any, size: Any) -> Any:
    """L (p + D / (1 - confidence)), D what a correlation adds to the chance of both: the integral of the
    bivariate normal density at (G(p), G(1 - confidence)) over correlations from 0 to the square root of R."""
    if rule.correlation is None:
        shared = _correlation(of, rule.capital, _yearly(of, rule.capital, pd, term), size)
    else:
        shared = of.number(Fraction(rule.correlation))
    rare = of.number(1 - Fraction(rule.confidence))
    most = shared ** of.number(Fraction(1, 2))
    within = np.minimum(np.maximum(pd, of.number(_LEAST)), of.number(1 - _LEAST))
    x, y = of.quantile(within), of.quantile(rare)
    added = 0 * x
    for share, weight in _steps(of is _IN_DOUBLES):
        c = most * share
        rest = 1 - c * c
        density = of.exp(-((x - c * y) ** 2 / rest + y * y) / 2) / rest ** of.number(Fraction(1, 2))
        added = added + weight * density
    return lgd * (pd + added * most / (_ROOT_AS[of is _IN_DOUBLES] ** 2 * rare))


_LEAST = Fraction(1, 10**16)
"""A smaller chance, or one that is nearer to 1, changes no place."""


@cache
def _steps(doubles: bool) -> tuple[tuple[Any, Any], ...]:
    """Where, and with which weight, an integral from 0 to 1 is read.

    In doubles by Gauss and Legendre, whose 18 nodes leave less than 1e-16 at correlations up to 50 %; in
    decimals by Takahasi and Mori (1974).
    """
    if doubles:
        points, weights = np.polynomial.legendre.leggauss(18)
        return tuple(zip(((1 + points) / 2).tolist(), (weights / 2).tolist(), strict=True))
    with localcontext(prec=50):
        width, half, pi = Decimal(1) / 8, 34, ROOT * ROOT / 2
        steps = []
        for k in range(-half, half + 1):
            up, down = (width * k).exp(), (-width * k).exp()
            inner = (pi / 2 * (up - down)).exp()
            steps.append((inner / (1 + inner), width * pi / 2 * (up + down) * inner / (1 + inner) ** 2))
    return tuple(steps)


def _decimal(fraction: Fraction) -> Decimal:
    return Decimal(fraction.numerator) / Decimal(fraction.denominator)


_IN_DOUBLES = Functions(np.exp, np.log, below, quantile, float)
_IN_DECIMALS = Functions(Decimal.exp, Decimal.ln, below_in_decimals, quantile_in_decimals, _decimal)
_ROOT_AS: dict[bool, Any] = {True: float(ROOT), False: ROOT}
