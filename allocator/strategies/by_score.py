"""The best scores first."""

from __future__ import annotations

import numpy as np

from allocator.records.case import Case
from allocator.records.portfolio import Integers, Portfolio
from allocator.records.progress import Progress
from allocator.records.solution import Solution
from allocator.strategies.plan import Plan, served


def by_score(case: Case, optimum: Solution, progress: Progress) -> Plan:
    """Everybody's best offer, the better grades first, inside a grade the lower PD."""
    return served(case, score_order(case.inputs.portfolio))


def score_order(portfolio: Portfolio) -> Integers:
    """Positions by grade, then PD, then borrower_id; the better of two grades has the lower mean PD."""
    codes, count = portfolio.grade.codes, len(portfolio.grade.values)
    members = np.bincount(codes, minlength=count)
    mean = np.bincount(codes, portfolio.pd, minlength=count) / np.maximum(members, 1)
    rank = np.argsort(np.argsort(mean, kind="stable"), kind="stable")
    return np.lexsort((portfolio.pd, rank[codes]))
