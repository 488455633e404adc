"""Limits on the tail loss of several sectors, and the same by the plain formula."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import NormalDist

from allocator.records.risk import TailRule
from allocator.records.scenario import Limit
from tests.builders import limit

_NORMAL = NormalDist()


def tail_limit(bound: float, rule: TailRule, of: str | None = None, by: str = "sector") -> Limit:
    return replace(limit("tail", "tail_loss", "at_most", bound, of=of, rule=rule), by=by)


def mean_of_the_worst(
    rule: TailRule, pd: Sequence[float], lgd: Sequence[float], sector: Sequence[str], money: Sequence[float]
) -> float:
    """The mean loss by the formula as docs/formulation.md has it, nothing rounded."""
    assert rule.sectors is not None
    assert rule.correlation is not None
    names, years, rare = sorted(set(sector)), rule.sectors.nodes, 1 - rule.confidence
    count, within = len(names), rule.correlation - rule.sectors.between
    primes = [p for p in range(2, 80) if all(p % d for d in range(2, p))]
    losses = []
    for j in range(1, years + 1):
        mean = (rule.sectors.between + within / count) ** 0.5 * _NORMAL.inv_cdf(
            ((2 * j - 1) / 2 / years) ** 4
        )
        z = [_NORMAL.inv_cdf(_mirrored(j, p)) for p in primes[: count - 1]]
        moved = {}
        for s, name in enumerate(names, 1):
            apart = sum(z[t - 1] / (t * (t + 1)) ** 0.5 for t in range(s, count))
            apart -= ((s - 1) / s) ** 0.5 * z[s - 2] if s > 1 else 0.0
            moved[name] = mean + within**0.5 * apart
        lost = 0.0
        for own_pd, own_lgd, name, amount in zip(pd, lgd, sector, money, strict=True):
            distance = _NORMAL.inv_cdf(own_pd) - moved[name] if own_pd > 0 else -1e9
            lost += amount * own_lgd * _NORMAL.cdf(distance / (1 - rule.correlation) ** 0.5)
        losses.append((lost, (j**4 - (j - 1) ** 4) / years**4))
    total, left = 0.0, rare
    for lost, share in sorted(losses, reverse=True):
        total += lost * min(share, left)
        left -= min(share, left)
    return total / rare


def _mirrored(number: int, base: int) -> float:
    found, place = 0.0, 1.0
    while number:
        number, digit = divmod(number, base)
        place /= base
        found += digit * place
    return found
