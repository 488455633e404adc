"""What the former run offered, borrower by borrower."""

from __future__ import annotations

from allocator.records.portfolio import Portfolio


def formerly(p: Portfolio, i: int) -> float:
    """What borrower i was offered in the former run."""
    return float(p.numbers.get("former_amount", [0.0] * len(p))[i])


def formerly_counted(p: Portfolio, measure: str, i: int) -> float:
    """What that offer, made again, adds to a measure that a share of the former run is by."""
    then = formerly(p, i)
    if measure in ("loans", "clients_changed"):
        return float(then > 0)
    return then + (float(p.exposure[i]) if measure == "offered" else 0.0)
