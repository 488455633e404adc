"""Capital and tail losses by their formulas, one borrower at a time, as `plain` reads limits."""

from __future__ import annotations

import math
from statistics import NormalDist

from allocator.records.risk import CapitalRule, TailRule
from allocator.testing.cases import Case


def requirement(case: Case, i: int) -> float:
    """K of docs/formulation.md, section 6, to 8 places."""
    p, rules = (
        case.portfolio,
        [limit.rule for limit in case.policy.limits if isinstance(limit.rule, CapitalRule)],
    )
    rule = rules[0] if rules else case.policy.capital
    if (by := rule.asset_class_by) is not None:
        rule = dict(rule.of_classes())[p.text(by).values[p.text(by).codes[i]]]
    factor = 0.7619 if rule.supporting_factor and rule.asset_class != "corporate" else 1.0
    if rule.approach == "standardised":
        return round({"corporate": 0.08, "sme": 0.068, "retail": 0.06}[rule.asset_class] * factor, 8)
    yearly = max(1.0 - (1.0 - float(p.pd[i])) ** (1.0 / float(p.term[i])), rule.pd_floor)
    lgd = max(float(p.lgd[i]), rule.lgd_floor)
    if yearly == 1.0:
        return 0.0
    if rule.asset_class == "retail":
        r = 0.03 + 0.13 * (1.0 - (1.0 - math.exp(-35.0 * yearly)) / (1.0 - math.exp(-35.0)))
    else:
        r = 0.12 + 0.12 * (1.0 - (1.0 - math.exp(-50.0 * yearly)) / (1.0 - math.exp(-50.0)))
    if rule.asset_class == "sme":
        sales = float(p.number(rule.turnover)[i]) / rule.turnover_unit
        r -= 0.04 * (1.0 - (min(max(sales, 5.0), 50.0) - 5.0) / 45.0)
    normal = NormalDist()
    worst = normal.cdf((normal.inv_cdf(yearly) + r**0.5 * normal.inv_cdf(0.999)) / (1.0 - r) ** 0.5)
    b = 0.0 if rule.asset_class == "retail" else (0.11852 - 0.05478 * math.log(yearly)) ** 2
    return round(float(lgd * (worst - yearly) * (1 + (rule.maturity - 2.5) * b) / (1 - 1.5 * b) * factor), 8)


def tail_loss(case: Case, i: int) -> float:
    """The bivariate normal chance that the borrower and the common factor both do badly, over that of the
    factor, times LGD: Simpson's rule over correlations, of a rule whose correlation is a figure."""
    p, rules = (
        case.portfolio,
        [limit.rule for limit in case.policy.limits if isinstance(limit.rule, TailRule)],
    )
    rule, pd = rules[0] if rules else TailRule(), float(p.pd[i])
    if pd in (0.0, 1.0):
        return pd * float(p.lgd[i])
    assert rule.correlation is not None
    h, k = NormalDist().inv_cdf(pd), NormalDist().inv_cdf(1.0 - rule.confidence)
    step, total = rule.correlation**0.5 / 400, 0.0
    for n in range(401):
        rest = 1.0 - (n * step) ** 2
        density = math.exp(-(h * h - 2.0 * n * step * h * k + k * k) / (2.0 * rest)) / math.sqrt(rest)
        total += density * (1 if n in (0, 400) else 4 if n % 2 else 2)
    joint = pd * (1.0 - rule.confidence) + total * step / 3.0 / (2.0 * math.pi)
    return round(float(joint / (1.0 - rule.confidence) * p.lgd[i]), 8)
