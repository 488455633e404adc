"""What a run is, as every page about one names it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from allocator.verification import Rechecked


@dataclass(frozen=True)
class Standing:
    """A rechecked run by name and strategy, with what it is worth and what it breaks."""

    name: str
    currency: str
    strategy: str
    optimal: bool
    """Whether the strategy is the optimal one: no other may break anything."""
    stressed: bool
    """Whether the borrowers' figures are those under the scenario's `stress:`."""
    value: float
    bound: float
    limits_broken: tuple[str, ...]
    terms_broken: Mapping[str, int]
    """Term -> how many decisions break it."""


def standing_of(run: Rechecked) -> Standing:
    """What `run` is."""
    certificate, strategy = run.finding.certificate, run.scenario.strategy
    return Standing(
        name=run.scenario.name,
        currency=run.scenario.policy.currency,
        strategy=strategy.name,
        optimal=strategy.rule == "optimal",
        stressed=bool(run.scenario.stress),
        value=certificate.value,
        bound=certificate.bound,
        limits_broken=tuple(certificate.limits_broken),
        terms_broken=dict(run.finding.terms_broken),
    )
