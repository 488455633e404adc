"""Outcomes of nothing in particular, for what they say of themselves."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from allocator.records.outcome import Outcome
from allocator.records.run import Certificate, Decisions
from allocator.records.solution import Solution
from tests.store.runs import made_scenario

_NOTHING = np.zeros(0)


def outcome_of(certificate: Certificate, *, broken: bool = False, scenario: Any = None) -> Outcome:
    """Decisions on nobody with this certificate; `broken` says whether they break something."""
    faults = cast(Any, ("broken",) if broken else ())
    own = scenario or made_scenario("s")
    decisions = Decisions(_NOTHING, _NOTHING)
    return Outcome(own.name, own, cast(Any, None), decisions, certificate, faults, {}, (), cast(Any, None))


def solution(bound: float, proof: str) -> Solution:
    """A solution for nobody, of which the engine says this bound and what it rests on."""
    return Solution(_NOTHING, _NOTHING, _NOTHING, 0.0, bound, cast(Any, proof), "gap", "exact")
