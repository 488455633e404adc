"""What a backtest has to be told before anything is read."""

from __future__ import annotations

from allocator.errors import Fault, InputError
from allocator.records.frames import File


def check_options(
    period: str | None, lost: str | None, owed: str | None, variables: File | None, known: str | None
) -> None:
    """Raises InputError, in terms of the command's options, where one needs another or none says when."""
    faults = []
    if (lost is None) != (owed is None):
        faults.append(Fault("money lost is a part of money lent", "give both", field="--lost, --owed"))
    if period is None and variables is None:
        remedy = "give --period, or --variables to hold out fold by fold"
        faults.append(Fault("nothing says what was known when", remedy, field="--period"))
    if known is not None and (period is None or variables is None):
        faults.append(Fault("has nothing to hold back", "give --period and --variables too", field="--known"))
    if faults:
        raise InputError.of(faults, "command line")
