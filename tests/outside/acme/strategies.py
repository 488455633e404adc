"""A strategy of a lender who would reach as many as possible."""

import numpy as np

from allocator.strategies import Plan, served


def smallest_first(case, optimum, progress) -> Plan:
    """Everybody's best offer, the smallest requests first."""
    return served(case, np.argsort(case.inputs.portfolio.max_amount, kind="stable"))
