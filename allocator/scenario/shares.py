"""What a limit may be a share of: money of money, and a number of loans of a number of loans."""

from __future__ import annotations

from allocator.records.former import FORMER, MONEY_MOVED
from allocator.records.misfits import Misfit
from allocator.records.scenario import COUNTED

_COUNTS = {"loans": "a number of loans", "clients_changed": "a number of clients"}
_MONEY_BY = {"offered": "what is offered", "drawn": "what is drawn"}
_MONEY = "leave `of` out, or measure offered or drawn"


def all_by(measure: str) -> str:
    """All that a measure adds up, in words."""
    return "the number of loans" if measure == "loans" else f"all that is {measure}"


def no_share(measure: str | None, whole: str | None, *, of_group: bool) -> Misfit | None:
    """Why a limit by `measure` is no share of `whole`, of everybody's or of a group's; None where it is."""
    if whole == FORMER:
        problem = f"{measure} is not what a former run tells: it has amounts and clients"
        remedy = "measure offered, loans, clients_changed or money_moved, or write another `of`"
        return None if measure in (*COUNTED, "offered", MONEY_MOVED, None) else Misfit(problem, remedy)
    if whole is None or measure == whole or (whole != "loans" and measure not in COUNTED):
        return None
    if whole == "loans" and measure not in COUNTED:
        problem = f"{_MONEY_BY.get(str(measure), str(measure))} is no fraction of a number of loans"
        return Misfit(problem, "measure loans, or write another `of`")
    named = f"money {whole}" if of_group and whole != "loans" else whole
    instead = "measure loans in it too, " if of_group else "write `of: loans`, "
    remedy = instead + _MONEY if measure == "loans" else _MONEY
    return Misfit(f"{_COUNTS[str(measure)]} is no fraction of the {named}", remedy)
