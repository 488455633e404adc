"""Tables and figures as the page writes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.machine import BUSY


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table, the first column to the left, numbers to the right."""
    lines = [f"| {' | '.join(head)} |", f"| --- |{' ---: |' * (len(head) - 1)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def seconds(value: float | None) -> str:
    """Three digits at most: 0.012, 1.23, 45.6, 789."""
    if value is None:
        return ""
    places = 3 if value < 0.1 else 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:,.{places}f}"


def ratio(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def gap(value: float | None) -> str:
    return "none" if value is None else "0" if value <= 0 else f"{value:.0e}"


def state(load: float) -> str:
    """quiet, or how busy the machine was."""
    return "quiet" if load <= BUSY else f"busy, {load:.1f}"
