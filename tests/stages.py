"""The stages of a run on records, in the pipeline's order."""

from __future__ import annotations

from dataclasses import dataclass

from allocator.certification import certify
from allocator.certification.certify import Finding
from allocator.engine.kernel.columns import Columns
from allocator.engine.optimise import optimise
from allocator.limits import compile_limits
from allocator.pipeline import named_tree
from allocator.pricing.offers import price_offers
from allocator.records.portfolio import Floats
from allocator.records.run import Decisions
from allocator.records.solution import Solution
from tests.builders import Case


@dataclass(frozen=True)
class Solved:
    """What came out of every stage; the decisions have passed their certificate."""

    columns: Columns
    solution: Solution
    decisions: Decisions
    finding: Finding

    @property
    def value(self) -> float:
        return self.finding.certificate.value

    @property
    def bound(self) -> float:
        """The recheckable one."""
        return self.finding.certificate.bound


def columns_of(case: Case) -> Columns:
    """The case priced and its limits compiled."""
    offers = price_offers(case.portfolio, case.table, case.scenario.response, case.policy)
    return Columns(offers, compile_limits(case.policy, case.portfolio))


def solve(case: Case) -> Solved:
    """The stages of a run, on records.

    Raises what they raise; CertificateError where the result does not pass its recheck.
    """
    columns = columns_of(case)
    solution = optimise(columns.offers, columns.limits, case.settings)
    decisions = Decisions(solution.amount, columns.rate(solution.option))
    prices = price_map(columns, solution.prices)
    tree = None if solution.tree is None else named_tree(solution.tree, case.portfolio)
    finding = certify(case.scenario, case.portfolio, case.table, decisions, prices, {}, tree)
    return Solved(columns, solution, decisions, finding)


def price_map(columns: Columns, prices: Floats) -> dict[str, float]:
    """Row name -> price."""
    return {row.name: float(price) for row, price in zip(columns.limits.rows, prices, strict=True)}
