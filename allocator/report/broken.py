"""What an allocation breaks, where a strategy's does, and what part of the bound it is worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from allocator.report.money import percent

_MOST = 5


def share_of(summary: Mapping[str, Any]) -> str:
    """The objective as a part of the bound; blank where the bound is not above 0."""
    return percent(summary["objective"] / summary["bound"]) if summary["bound"] > 0 else ""


def broken_lines(summary: Mapping[str, Any]) -> Iterator[str]:
    """One line for the limits that are broken, one for each term."""
    limits = summary.get("limits_broken", [])
    if limits:
        more = f" and {len(limits) - _MOST} more" if len(limits) > _MOST else ""
        yield f"limits broken: {', '.join(limits[:_MOST])}{more}"
    for what, count in summary.get("terms_broken", {}).items():
        yield f"{count:,} x {what}"
