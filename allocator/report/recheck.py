"""What verify found, in a few lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType

from allocator.records.run import Certificate
from allocator.report.broken import broken_lines, broken_of
from allocator.report.money import gap, small
from allocator.report.plain import Text, unheaded_table


def recheck_page(
    certificate: Certificate, amounts: int, rates: int, summary: Mapping[str, Any], *, exact: bool = False
) -> RenderableType:
    """The page for a run that passed: what was rechecked, and the figures that the inputs give."""
    currency = summary.get("currency", "")
    table = unheaded_table("left", "right", "left")
    terms = summary.get("terms_broken")
    kept = ("inside each borrower's smallest and largest loan, or 0", "in the band of the borrower's grade")
    amount_note, rate_note = ("as the file has them, see below",) * 2 if terms else kept
    table.add_row("amounts", f"{amounts:,}", amount_note)
    table.add_row("rates", f"{rates:,}", rate_note)
    table.add_row(
        "limits", f"{len(certificate.limits):,}", f"largest violation {small(certificate.largest_violation)}"
    )
    table.add_row("inputs", f"{len(certificate.inputs):,}", "unchanged: " + ", ".join(certificate.inputs))
    table.add_row("value", f"{certificate.value:,.2f}", currency)
    broken = list(broken_lines(*broken_of(summary)))
    within = "no allocation that keeps limits and terms" if broken else "no allocation"
    table.add_row("bound", f"{certificate.bound:,.2f}", f"{currency}: {within} can be worth more")
    if not broken:  # the bound is on what breaks nothing
        table.add_row("gap", gap(certificate.gap), "(bound - value) / bound")
    if exact:
        table.add_row("exact", "yes", "bound, value and limits hold in rational numbers too")
    verdict = Text(f"{summary.get('name', 'run')}: verified from its inputs alone", style="bold")
    return Group(verdict, table, *map(Text, broken))
