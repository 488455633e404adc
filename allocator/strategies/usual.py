"""What a scenario's optimum is compared with unless somebody says otherwise."""

from __future__ import annotations

from collections.abc import Sequence

from allocator.records.scenario import Scenario
from allocator.strategies.ahp_lines import LINES

USUAL = ("optimal", "ahp_lines", "equal", "by_score", "greedy")


def with_lines(scenarios: Sequence[Scenario]) -> tuple[list[Scenario], tuple[str, ...]]:
    """One scenario under several strategies, without ahp_lines where none of its lines is for a grade of the
    policy, and without any rule where a price list is posted; with a line that says so.
    """
    if scenarios[0].policy.posting is not None:
        kept = [scenario for scenario in scenarios if scenario.strategy.rule == "optimal"]
        note = (
            "rules are left out: they choose each borrower's rate by itself, and pricing posts one for many"
        )
        return kept, (note,)
    grades = scenarios[0].policy.rates
    if set(grades) & set(LINES):
        return list(scenarios), ()
    lines, named = ", ".join(LINES), ", ".join(grades)
    note = f"ahp_lines is left out: its lines are for {lines}, policy.rates names {named}"
    return [scenario for scenario in scenarios if scenario.strategy.rule != "ahp_lines"], (note,)
