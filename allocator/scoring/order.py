"""What an analyst orders of a logit, and what may be wrong with its times and folds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from allocator.errors import Fault, InputError, gathering
from allocator.records.frames import File
from allocator.scoring.choice import How
from allocator.scoring.folds import stratified_folds
from allocator.scoring.levels import cell_faults, fault_in_rows
from allocator.scoring.logit import Penalty
from allocator.scoring.reading import faults_located_in
from allocator.scoring.rejects import Inference
from allocator.scoring.rows import rows_in_file, rows_of
from allocator.scoring.scorecard import Points


@dataclass(frozen=True)
class Order:
    """What is asked of a logit, beside a table and the declarations of its variables."""

    outcome: str
    """The column of 1 and 0."""
    penalty: Penalty = "flic"
    strength: float = 1.0
    bounds: Mapping[str, float] | None = None
    folds: int = 5
    time: str | None = None
    """The column to order rows by: the latest are judged apart."""
    money: tuple[str, str] | None = None
    """The columns of what was owed and lost: their sums over the defaults are the LGD of all."""
    points: Points | None = None
    choice: How = "all"
    """How the variables are chosen among those declared."""
    without: str | None = None
    """The column that says why a row has no outcome to learn from (rejected, immature, indeterminate): such
    rows are left out and counted."""
    weights: str | None = None
    """The column of how much a row counts."""
    rejects: str | None = None
    """The column that is 1 for applicants who were declined."""
    inference: Inference | None = None
    """How the outcomes of rejects are inferred, `factor` times as bad."""
    factor: float = 1.0
    seed: int = 0

    @property
    def roles(self) -> dict[str, str]:
        """The columns that are no variables, by what they are."""
        named = (("time", self.time), ("weights", self.weights), ("rejects", self.rejects))
        pair = dict(zip(("owed", "lost"), self.money or (), strict=False))
        return {"outcome": self.outcome, **{role: name for role, name in named if name}, **pair}

    @property
    def penalised(self) -> dict[str, Any]:
        return {"penalty": self.penalty, "strength": self.strength}

    @property
    def tried(self) -> dict[str, Any]:
        """How a fit is judged out of fold."""
        return {"folds": self.folds, "seed": self.seed, **self.penalised}


def penalty_faults(penalty: Penalty, strength: float | None, option: str) -> list[Fault]:
    """A fault where a strength is given, by an option of this name, to a penalty that has none."""
    if strength is None or penalty == "ridge":
        return []
    return [Fault(f"the penalty {penalty} has no strength", "leave it out, or say ridge", field=option)]


def time_faults(
    data: File, frame: pd.DataFrame, y: pd.Series | None, time: str | None, folds: int
) -> list[Fault]:
    """What is wrong with the times of decisions, where they are named, and with the number of folds."""
    faults: list[Fault] = []
    with gathering(faults), faults_located_in(data, frame):
        if time is not None and time in frame.columns:
            decision_times(frame[time])
    with gathering(faults):
        if y is not None:
            stratified_folds(y.to_numpy(), folds)
    return faults


def decision_times(values: pd.Series) -> np.ndarray:
    """(n,) numbers or dates, to order by. Raises InputError for a cell that is neither."""
    known = values
    if known.dtype.kind not in "iufM":
        known = pd.to_datetime(values.astype(str), format="ISO8601", errors="coerce")
    wrong, empty, remedy = known.isna().to_numpy(), values.isna().to_numpy(), "write dates as 2019-03-01"
    faults = cell_faults(values, wrong & ~empty, "is neither a date nor a number", remedy)
    blank = rows_in_file(rows_of(values), np.flatnonzero(wrong & empty).tolist())
    faults += [fault_in_rows("is empty", blank, remedy, None, str(values.name))] if blank else []
    if faults:
        raise InputError.of(faults, "Time")
    return known.to_numpy()
