"""Shares as people state them."""

from __future__ import annotations


def as_percentage(fraction: float, digits: int = 6) -> str:
    """A fraction as a percentage to so many significant digits, and no more than it has: `2.5%`."""
    return f"{100 * fraction:,.{digits}g}%"
