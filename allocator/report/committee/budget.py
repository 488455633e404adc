"""Whether the budget is right: what one more unit brings at each budget, between exact breakpoints."""

from __future__ import annotations

import math
from collections.abc import Sequence

from allocator.records.scenario import Policy
from allocator.report.committee.blocks import (
    Block,
    Column,
    Inline,
    Picture,
    Row,
    Section,
    Strong,
    Table,
    note,
    typed,
    words,
)
from allocator.report.committee.figure import Documents, Place
from allocator.report.committee.levers import change_in_words
from allocator.report.committee.limits import ONE_MORE
from allocator.report.drawing.chart import Axis, Mark
from allocator.report.drawing.usual import SlopeStep, SolvedBound, ladder, steps_between
from allocator.report.money import visible


def budget_section(docs: Documents, policy: Policy) -> Section:
    """A chart of what one more unit brings, by budget."""
    worth = docs.price(*ONE_MORE)
    told = words(
        f"At the budget as it is each further {docs.currency} earns ", Strong(worth), f" {docs.currency}."
    )
    blocks: list[Block] = [told, *_one_percent(docs)]
    if "frontier" in docs.parts:
        now = docs.number(("frontier", "now", "budget"))
        solved, steps = len(docs.at("frontier", "points")), steps_of(docs)
        dark = "Dark: budgets over which the figure is exact, to the breakpoint. "
        apart = any(limit.reference is not None for limit in policy.limits)
        picture = Picture(
            ladder(
                steps,
                [Mark(now, f"now: {worth.text}", "warn")],
                Axis("budget", "money", docs.currency),
                Axis(f"one more {docs.currency} brings"),
            ),
            f"What one more {docs.currency} of budget brings at each budget; now: {worth.text}",
            f"{dark * any(step.exact for step in steps)}Light: between two of the {solved} budgets that were "
            "solved, where it is at least the lower and at most the upper edge"
            f"{', but for limits that are shares of what is lent, which may put it outside' * apart}.",
        )
        blocks.insert(0, picture)
    return Section("budget", "9 · Is the budget right?", tuple(blocks), "a-budget", "third")


def _one_percent(docs: Documents) -> Sequence[Block]:
    """What the lever of the budget adds."""
    for lever in docs.places("levers", "levers"):
        if docs.at(*lever, "name") == "budget":
            change = change_in_words(docs.at(*lever, "change"))
            size = f"Loans being whole, the budget from {change} {docs.currency} adds "
            return (words(size, *_worth_of(docs, lever), "."),)
    return ()


def _worth_of(docs: Documents, lever: Place) -> tuple[Inline, ...]:
    """What a lever adds: one figure where at least and at most agree."""
    low, high = docs.at(*lever, "low"), docs.at(*lever, "high")
    if low is None or high is None:
        return (("at most ", docs.money(*lever, "high")) if high is not None else
                ("at least ", docs.money(*lever, "low")) if low is not None else ("an amount that is not "
                                                                                  "known",))  # fmt: skip
    if docs.money(*lever, "low").text == docs.money(*lever, "high").text or not visible(high - low):
        return (Strong(docs.money(*lever, "low")),)
    if not low:
        return ("at most ", Strong(docs.money(*lever, "high")))
    return ("between ", docs.money(*lever, "low"), " and ", docs.money(*lever, "high"))


def steps_of(docs: Documents) -> list[SlopeStep]:
    """Exact stretches around the budgets that were solved, and what lies between two of them."""
    solved = []
    for place in docs.places("frontier", "points"):
        point = docs.at(*place)
        slope = point.get("slopes", {}).get("budget")
        if slope is not None:
            ends = (math.nan if point[key] is None else point[key] for key in ("stands_from", "stands_to"))
            solved.append(SolvedBound(point["at"]["budget"], max(slope, 0.0), *ends))
    return steps_between(solved)


_BUDGET_COLUMNS = (
    Column("Budget"), Column("Value"), Column("Bound"), Column("One more brings"), Column("holds from"),
    Column("to"), Column("Funded"), Column("Drawn"), Column("Expected loss"),
)  # fmt: skip


_ENDS = 4, 5
"""Columns that are left out where no price is known to hold anywhere."""


def budget_annex(docs: Documents) -> Section:
    """Every budget that was solved."""
    title = "A8 · Budgets"
    formula = words(
        "One more brings: the sum over limits of shadow price times how much the limit's bound grows with "
        "the budget; where a bound is a share of the budget it grows with it. The value is concave in the "
        "budget where no limit is a share of what is lent, so that between two points what one more "
        "brings lies between theirs. Each budget is solved by itself, to a gap of 0.0001%: the bound at the "
        "run's own budget may differ from the certified one by that."
    )  # fmt: skip
    if "frontier" not in docs.parts:
        told = typed("Not solved for this page: `allocator frontier DIR/scenario.yaml --limit budget` does.")
        return Section("a-budget", title, (formula, words(*told)))
    rows = [_budget_row(docs, place) for place in docs.places("frontier", "points")]
    kept = [i for i in range(len(_BUDGET_COLUMNS)) if i not in _ENDS or any(row.cells[i] for row in rows)]
    columns = tuple(_BUDGET_COLUMNS[i] for i in kept)
    rows = [Row(tuple(row.cells[i] for i in kept)) for row in rows]
    command = note(
        *typed(f"From `allocator frontier DIR/scenario.yaml --limit budget --points {len(rows)}`.")
    )
    return Section("a-budget", title, (formula, Table(columns, tuple(rows), docs.currency), command))


def _budget_row(docs: Documents, place: Place) -> Row:
    """What was found at one budget; of one without an allocation only why there is none."""
    budget: Inline = docs.exact(*place, "at", "budget")
    if docs.at(*place).get("value") is None:
        return Row((budget, str(docs.at(*place, "status")).replace("_", " "), *[None] * 7))
    ends = (
        docs.exact(*place, key) if docs.at(*place, key) is not None else None
        for key in ("stands_from", "stands_to")
    )
    return Row((
        budget, docs.exact(*place, "value"), docs.exact(*place, "bound"),
        docs.price(*place, "slopes", "budget"), *ends,
        docs.count(*place, "funded"), docs.exact(*place, "drawn"), docs.exact(*place, "expected_loss"),
    ))  # fmt: skip
