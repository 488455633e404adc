"""A strategy of a lender who would reach as many as possible."""

import numpy as np

from allocator.strategies import Plan, served


def smallest_first(case, optimum, progress) -> Plan:
    """Everybody's best offer, the smallest requests first, those of the grades that it is told before all."""
    portfolio = case.inputs.portfolio
    first = [portfolio.grade.code_of(grade) for grade in case.scenario.strategy.told.get("first", [])]
    return served(case, np.lexsort((portfolio.max_amount, ~np.isin(portfolio.grade.codes, first))))
