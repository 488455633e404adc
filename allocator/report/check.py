"""What check found in a scenario's inputs: borrowers by grade, churn curves, limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Protocol

import numpy as np
from rich.console import Group, RenderableType

from allocator.errors import row_count
from allocator.records.limits import Limits, Row, entry_of
from allocator.records.lots import CENT
from allocator.records.offers import OfferBook
from allocator.records.portfolio import Booleans, Portfolio
from allocator.records.scenario import Limit, Policy, Scenario
from allocator.report.limits import limits_shown, part_of
from allocator.report.money import percent
from allocator.report.named import Figures, figures_of, named_table
from allocator.report.plain import Text, notes_of, plain_table, reasons_table

_MOST_LIMITS = 25


class Curve(Protocol):
    """What stands out in one grade's churn curve."""

    @property
    def grade(self) -> str: ...
    @property
    def falls(self) -> tuple[float, ...]:
        """Rates at which churn is below that of the rate before."""

    @property
    def best_rate(self) -> float: ...
    @property
    def best_yield(self) -> float: ...
    @property
    def band(self) -> tuple[float, float] | None: ...
    @property
    def rates_in_band(self) -> int: ...


@dataclass(frozen=True)
class Examination:
    """A scenario with all that its stages before the engine make of it."""

    scenario: Scenario
    portfolio: Portfolio
    offers: OfferBook
    limits: Limits
    curves: Sequence[Curve]
    notes: tuple[str, ...] = ()
    """What is valid and may not be meant so."""

    def figures(self) -> dict[str, Any]:
        """What `check --json` prints: amounts in currency units, rates as fractions."""
        return {
            "name": self.scenario.name,
            "borrowers": len(self.portfolio),
            "offers_possible": int(np.count_nonzero(self.offers.menu >= 0)),
            "by_grade": self.by_grade(),
            "total": self.total(),
            "refusals": self.refusals(),
            "churn": [
                {
                    "grade": curve.grade,
                    "band": curve.band,
                    "rates_in_band": curve.rates_in_band,
                    "best_rate": curve.best_rate,
                    "best_yield": curve.best_yield,
                    "falls_at": curve.falls,
                }
                for curve in self.curves
            ],
            "limits": [row.name for row in self.limits.rows],
            "notes": list(self.notes),
        }

    def by_grade(self) -> dict[str, dict[str, float]]:
        """Borrowers, requests and what could be offered, by grade."""
        codes = self.portfolio.grade.codes
        return {grade: self._of(codes == code) for code, grade in enumerate(self.portfolio.grade.values)}

    def total(self) -> dict[str, float]:
        """Borrowers, requests and what could be offered, of all."""
        return self._of(np.ones(len(self.portfolio), dtype=bool))

    def _of(self, member: Booleans) -> dict[str, float]:
        request = self.portfolio.max_amount[member]
        possible = member & (self.offers.menu >= 0)
        return {
            "borrowers": int(np.count_nonzero(member)),
            "offers_possible": int(np.count_nonzero(possible)),
            "requested": float(np.sum(request[np.isfinite(request)])),
            "no_request_given": int(np.count_nonzero(~np.isfinite(request))),
            "largest_offers": float(np.sum(self.offers.high[possible])),
            "exposure": float(np.sum(self.portfolio.exposure[member])),
            "mean_pd": float(np.mean(self.portfolio.pd[member])) if member.any() else 0.0,
        }

    def refusals(self) -> dict[str, int]:
        """Reasons for which no offer is possible, with how many borrowers each has."""
        counts = np.bincount(self.offers.no_offer.codes[self.offers.menu < 0], minlength=1)
        named = {self.offers.no_offer.values[code]: int(counts[code]) for code in np.flatnonzero(counts)}
        return dict(sorted(named.items(), key=lambda entry: (-entry[1], entry[0])))


def check_page(examination: Examination) -> RenderableType:
    """The page for inputs without a fault."""
    policy = examination.scenario.policy
    headline = Text(f"{examination.scenario.name}: no faults", style="bold")
    budget = f"budget {policy.budget.amount:,.2f} {policy.currency} {policy.budget.basis}"
    smallest = max(policy.ticket.min, policy.ticket.step or CENT)
    tickets = f"loans of {smallest:,.2f} to {policy.ticket.max:,.2f}"
    amounts = "" if policy.ticket.grid is None else f": {policy.ticket.grid}"
    return Group(
        headline,
        f"{budget}, {tickets}{amounts}",
        "",
        _grades(examination),
        "",
        _curves(examination.curves),
        "",
        _limits(examination.limits, policy),
        *_declined(examination),
        *notes_of(examination.notes),
    )


_HEADINGS = ("firms", "lendable", "requested", "no request", "could be offered", "exposure", "mean PD")


def _grades(examination: Examination) -> RenderableType:
    grades = examination.by_grade()
    rows = [_cells(figures) for figures in (*grades.values(), examination.total())]
    columns = figures_of(_HEADINGS, rows)
    title = Text(f"Borrowers, amounts in {examination.scenario.policy.currency}", style="bold")
    return Group(title, named_table("grade", [*grades, "total"], columns, total=True))


def _cells(figures: Mapping[str, float]) -> list[str]:
    return [
        f"{figures['borrowers']:,}",
        f"{figures['offers_possible']:,}",
        f"{figures['requested']:,.0f}",
        f"{figures['no_request_given']:,}",
        f"{figures['largest_offers']:,.0f}",
        f"{figures['exposure']:,.0f}",
        percent(figures["mean_pd"]),
    ]


def _curves(curves: Sequence[Curve]) -> RenderableType:
    table = plain_table()
    table.add_column("grade", no_wrap=True, overflow="ellipsis", max_width=12)
    for heading in ("band", "rates", "best rate", "yield there"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("churn falls at", overflow="fold")
    for curve in curves:
        turns = curve.band is not None or curve.best_rate < 1.0
        table.add_row(
            Text(curve.grade),
            "" if curve.band is None else f"{percent(curve.band[0])} to {percent(curve.band[1])}",
            "" if curve.band is None else str(curve.rates_in_band),
            percent(curve.best_rate) if turns else "",
            percent(curve.best_yield) if turns else "",
            ", ".join(percent(rate) for rate in curve.falls),
        )
    title = "Churn curves; yield is rate x share who accept, best inside the band where there is one"
    return Group(Text(title, style="bold"), table)


def _limits(limits: Limits, policy: Policy) -> RenderableType:
    names = [row.name for row in limits.rows]
    shown, hidden = limits_shown(limits.rows, names, "values of such limits", _MOST_LIMITS)
    written = {entry.name: entry for entry in policy.limits}
    bounds = [_bound(row, written.get(entry_of(row.name))) for row in shown]
    columns = [Figures("measure", [row.measure for row in shown], "left"), Figures("bound", bounds)]
    title = f"Limits: {row_count(len(limits))}"
    return Group(
        Text(title, style="bold"), named_table("limit", [row.name for row in shown], columns), *hidden
    )


def _bound(row: Row, written: Limit | None) -> str:
    """The bound as the scenario has it, and what lets it be missed; the budget's is its row's."""
    sense = row.sense.replace("_", " ")
    if written is None:
        return f"{sense} {row.rhs:,.12g}"
    free = ", soft" if written.penalty < inf else ", on a condition" if written.if_lent_to else ""
    if written.of is None:
        return f"{sense} {written.bound:,.12g}{free}"
    return f"{sense} {part_of(written, 12)}{free}"


def _declined(examination: Examination) -> list[RenderableType]:
    refusals = examination.refusals()
    if not refusals:
        return []
    title = f"{sum(refusals.values()):,} of {len(examination.portfolio):,} firms cannot be offered anything"
    return ["", Text(title, style="bold"), reasons_table(refusals)]
