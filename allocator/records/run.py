"""What a run hands to people: the allocation, its certificate, and the summary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from allocator.records.cuts import HHI, Cut
from allocator.records.enforcement import NOT_IN_FORCE, REPORT, SOFT
from allocator.records.limits import entry_of
from allocator.records.portfolio import Floats
from allocator.records.price_lists import PriceList
from allocator.records.scenario import Limit, Measure, Scenario, Sense

Status = Literal["optimal", "feasible", "breaks_limits"]

TOLERANCE = 1e-9
"""By how much a row that is not decided in whole numbers may be broken, relative to its scale."""

_TOLERATED = 10 * TOLERANCE
"""Relative to a bound, what its limits' tolerances together may be worth."""


def per_point(uses: Iterable[tuple[str, float, float]], limits: Iterable[Limit]) -> dict[str, float]:
    """Limit -> what a percentage point more of its bound adds, all rows of an `each` together.

    `uses` are name, bound and price of the rows. A price is per unit of money of the row's right-hand side:
    times a hundredth of what the share is of (bound / share), it is per point; of a cut, whose bound grows
    with the root of the index, half of that. Limits that are no share, shares of 0 and those without a price
    are left out.
    """
    shares = {
        limit.name: limit.bound * (2.0 if limit.measure == HHI else 1.0)
        for limit in limits
        if limit.of is not None and limit.bound
    }
    adds: dict[str, float] = {}
    for row, bound, price in uses:
        name = entry_of(row)
        if name in shares and price:
            adds[name] = adds.get(name, 0.0) + price * bound / shares[name] / 100.0
    return adds


@dataclass(frozen=True)
class Decisions:
    """What was decided, in portfolio order: arrays of shape (n,); amount 0 is no offer."""

    amount: Floats
    rate: Floats
    """0 where declined."""


@dataclass(frozen=True)
class LimitUse:
    """How much of one limit is used, as checked from the inputs."""

    name: str
    measure: Measure
    sense: Sense
    used: float
    """The row's left-hand side, exposure included."""
    bound: float
    """The row's right-hand side, exposure included."""
    price: float
    violation: float
    """By how much the row is broken, relative to its scale; 0 where it is kept."""
    scale: float = 0.0
    """max(|right-hand side|, the largest use of one offer), what the row's tolerance is measured by."""
    excess: float = 0.0
    """By how much the row is exceeded, within the tolerance or beyond."""
    penalty: float = inf
    """What a unit of excess costs: inf, the row must hold; 0, it is only reported."""
    missed: float = 0.0
    """By how much a row that need not hold is missed; 0 where it is kept."""
    doubt: float = 0.0
    """What rounding may have done to the excess of a soft row."""
    in_force: bool = True
    """Whether its condition arises, if it has one."""

    @property
    def figures(self) -> dict[str, Any]:
        """Every figure by its name, as JSON can have it."""
        lenient = ("penalty", "missed", "doubt", "in_force")
        return {key: entry for key, entry in vars(self).items() if key not in lenient} | self.enforcement

    @property
    def broken(self) -> bool:
        return self.violation != 0.0

    @property
    def binding(self) -> bool:
        """Whether the row leaves no room, up to its tolerance; one that is only reported takes none."""
        return self.penalty > 0 and abs(self.slack) <= TOLERANCE * self.scale

    @property
    def enforcement(self) -> dict[str, Any]:
        """What certificate and summary say more of a row that need not hold."""
        if self.penalty == inf:
            return {}
        missed = {"missed": self.missed}
        if not self.soft:
            return {"enforce": REPORT if self.in_force else NOT_IN_FORCE, **missed}
        return {"enforce": {SOFT: self.penalty}, **missed, "penalty": self.paid}

    @property
    def soft(self) -> bool:
        """Whether the row may be missed at a price."""
        return 0.0 < self.penalty < inf

    @property
    def paid(self) -> float:
        """What a soft row's excess takes off the value."""
        return self.penalty * self.excess if self.soft else 0.0

    @property
    def slack(self) -> float:
        """Room left: negative where the limit is broken."""
        if self.sense == "at_least":
            return self.used - self.bound
        return self.bound - self.used if self.sense == "at_most" else -abs(self.bound - self.used)


def relative_gap(bound: float, value: float) -> float:
    """(bound - value) / |bound|, or the difference itself below a currency unit; never -0.

    0 where the value lies above the bound by no more than the tolerances of limits are worth.
    """
    gap = (bound - value) / max(abs(bound), 1.0)
    return max(gap, 0.0) if gap > -_TOLERATED else gap


@dataclass(frozen=True)
class Certificate:
    """A bound on the best possible value, and the value reached, both computed from the inputs alone."""

    prices: Mapping[str, float]
    bound: float
    value: float
    limits: tuple[LimitUse, ...]
    inputs: Mapping[str, str]
    """Input name -> content hash."""
    tree: Mapping[str, Any] | None = None
    price_bound: float | None = None
    """What `prices` prove alone, of the posted list and of the conditional limits in force, beside a tree or
    a proof over lists; None where that is `bound` itself."""
    lists: Mapping[str, Any] | None = None
    """The posted price list, with the proof over all others (docs/certificate.md); None: none is posted."""
    plugins: Mapping[str, str] = field(default_factory=dict)
    """What other packages brought, as `measure npl`, and whose it is: `acme-lending 1.0`."""

    cuts: tuple[Cut, ...] = ()
    """What the rows of limits on the Herfindahl index are made of."""

    weights: Mapping[str, float] = field(default_factory=dict)
    """Of the stresses whose least value counts: those of the mean that the bound is of; empty: no such."""
    values: Mapping[str, float] = field(default_factory=dict)
    """What the decisions are worth in each of these, rounded inwards; a stored certificate states none."""
    above_worst: float = 0.0
    """What the mean at these weights lies above `value`, the least of `values`."""

    @property
    def gap(self) -> float:
        return relative_gap(self.bound, self.value)

    @property
    def in_each(self) -> dict[str, dict[str, float]]:
        """Of each stress whose least value counts, its weight in the mean, and the value in it."""
        return {name: {"weight": own, "value": self.values[name]} for name, own in self.weights.items()}

    @property
    def posted(self) -> PriceList | None:
        """The price list, a rate a grade; None where each borrower's rate is its own."""
        return None if self.lists is None else self.lists["posted"]

    @property
    def proved_by_nodes(self) -> bool:
        """Whether the bound is that of a tree, of borrowers' choices or of price lists."""
        return self.tree is not None or self.lists is not None

    def further_prices(self) -> Iterator[Mapping[str, float]]:
        """The prices of every node of a sound proof beside `prices`."""
        nodes = [] if self.lists is None else self.lists["nodes"]
        trees = [self.tree, *(node.get("tree") for node in nodes)]
        for tree in trees:
            yield from (node["prices"] for node in (tree or {"nodes": []})["nodes"] if "prices" in node)
        yield from [] if self.lists is None else self.lists["prices"]

    @property
    def limits_broken(self) -> list[str]:
        """Names of the limits that do not hold."""
        return [limit.name for limit in self.limits if limit.broken]

    @property
    def penalty(self) -> float:
        """What the soft limits that are missed take off the value."""
        return sum(limit.paid for limit in self.limits)

    @property
    def limits_missed(self) -> list[str]:
        """Names of the limits that need not hold, and do not."""
        return [limit.name for limit in self.limits if limit.missed]

    @property
    def largest_violation(self) -> float:
        return max((limit.violation for limit in self.limits), default=0.0)


@dataclass(frozen=True)
class Run:
    """A finished run; `allocation` has one row per borrower, in input order."""

    scenario: Scenario
    allocation: pd.DataFrame
    certificate: Certificate
    summary: Mapping[str, Any]
    status: Status
    log: str = field(default="", repr=False)
    borrowers: bytes | None = field(default=None, repr=False)
    """borrowers.csv: the borrowers before the stress, where a checker could not read their source."""

    @property
    def prices(self) -> Mapping[str, float]:
        """Limit name -> change of the best value per unit more of its right-hand side."""
        return self.certificate.prices


@dataclass(frozen=True)
class StoredRun:
    """A run as its folder tells it: the shape is checked, what it claims is not."""

    folder: Path
    scenario_path: Path
    """The resolved scenario; its paths start from the folder."""
    document: Mapping[str, Any] | None
    """scenario.json: the same as JSON. None of a run that was written before there was one."""
    allocation: pd.DataFrame
    """One row per borrower, in input order, every number as it was written."""
    certificate: Mapping[str, Any]
    """certificate.json: prices, bound, value, gap, largest_violation, limits, inputs, tree."""
    summary: Mapping[str, Any]
