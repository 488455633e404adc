"""A scenario with all that it names: first as it was read, then priced and compiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from allocator.records.limits import Limits
from allocator.records.offers import OfferBook
from allocator.records.portfolio import ChurnTable, Portfolio
from allocator.records.run import Decisions
from allocator.records.scenario import Scenario


@dataclass(frozen=True)
class Inputs:
    """What a scenario names: its borrowers and its churn curve, scored and stressed as it says."""

    portfolio: Portfolio
    churn: ChurnTable
    hashes: Mapping[str, str]
    """Input name -> content hash."""
    book: Decisions | None = None
    """The amounts and rates of the file that the strategy names, in portfolio order."""
    lines: Mapping[str, float] | None = None
    """Grade -> share of the budget, from the file of AHP weights that the strategy names."""
    notes: tuple[str, ...] = ()
    """Cases of the scenario's stress that change nothing, in words."""
    copy: bytes | None = None
    """The borrowers before the stress as the run keeps them; None where a checker can read their source."""


@dataclass(frozen=True)
class Case:
    """All that a decision needs: the inputs, what every offer is worth, what every limit counts."""

    scenario: Scenario
    inputs: Inputs
    offers: OfferBook
    limits: Limits
