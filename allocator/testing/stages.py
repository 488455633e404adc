"""The stages of a run on records, in the pipeline's order."""

from __future__ import annotations

from dataclasses import dataclass

from allocator.engine.kernel.columns import Columns
from allocator.pipeline import decide, judge, prepare
from allocator.records.case import Case as Prepared
from allocator.records.outcome import Outcome
from allocator.records.portfolio import Floats
from allocator.records.run import Decisions
from allocator.records.solution import Solution
from allocator.testing.cases import Case


@dataclass(frozen=True)
class Solved:
    """What came out of every stage; the decisions have passed their certificate."""

    columns: Columns
    solution: Solution
    decisions: Decisions
    outcome: Outcome

    @property
    def value(self) -> float:
        return self.outcome.value

    @property
    def bound(self) -> float:
        """The recheckable one."""
        return self.outcome.certificate.bound


def prepared(case: Case) -> Prepared:
    """The case as the pipeline prepares it."""
    return prepare(case.scenario, case.inputs)


def columns_of(case: Case) -> Columns:
    """The case priced and its limits compiled."""
    ready = prepared(case)
    return Columns(ready.offers, ready.limits)


def solve(case: Case) -> Solved:
    """The stages of a run, on records.

    Raises what they raise; CertificateError where the result does not pass its recheck.
    """
    ready = prepared(case)
    columns = Columns(ready.offers, ready.limits)
    solution = decide(ready)
    decisions = Decisions(solution.amount, solution.rate)
    return Solved(columns, solution, decisions, judge(ready, solution))


def price_map(columns: Columns, prices: Floats) -> dict[str, float]:
    """Row name -> price."""
    return {row.name: float(price) for row, price in zip(columns.limits.rows, prices, strict=True)}
