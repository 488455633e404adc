"""PDs as they could be known at each decision, by a logit that has not seen the loan, for backtests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from allocator.errors import Fault, gathering
from allocator.records.frames import File
from allocator.records.portfolio import Floats, Integers
from allocator.scoring.declarations import sound_declarations
from allocator.scoring.folds import stratified_folds
from allocator.scoring.preparing import column_faults
from allocator.scoring.reading import faults_located_in
from allocator.scoring.rows import rows_where
from allocator.scoring.scorecard import out_of_fold_pd
from allocator.scoring.training import readable, require_sound, training
from allocator.scoring.trial import walk_forward


@dataclass(frozen=True)
class ForeseenPds:
    """PD of every row of a table as it could be known at its decision."""

    pd: Floats
    """(rows,) NaN where too little was known."""
    fold: Integers | None
    """(rows,) the fold that each row was held out in; None where periods tell what was known."""


def foreseen_pd(
    data: File,
    declared: File,
    outcome: str,
    *,
    later: Sequence[str] = (),
    when: Floats | None = None,
    known: Floats | None = None,
    folds: int = 5,
    seed: int = 0,
) -> ForeseenPds:
    """PDs by a logit of the declared variables that has not seen the row: walk-forward, or out of fold.

    `when` (rows,) orders the decisions, `known` the moments at which defaults became known, by the same
    numbers; NaN: none. A row without a `when` has no PD and teaches nothing; without `when` the rows are
    held out fold by fold. No variable may read the outcome or a column of `later`, which what came after
    has filled. Raises InputError with the faults of files and columns.
    """
    faults: list[Fault] = []
    given = sound_declarations(declared, "variables", [outcome, *later], faults)
    frame, y, _ = training(data, given, {"outcome": outcome}, None, faults)
    if faults or y is None:
        with gathering(faults), faults_located_in(data, frame):
            values = None if y is None else y.to_numpy(float)
            require_sound(column_faults(frame, readable(given.variables, given, frame), values), "Variables")
        require_sound(faults, "Training data")
        raise AssertionError("without an outcome there is a fault")
    with faults_located_in(data, frame):
        if when is None:
            fold = stratified_folds(y.to_numpy(), folds, seed)
            return ForeseenPds(out_of_fold_pd(frame, y, given.variables, folds=folds, seed=seed), fold)
        dated = ~np.isnan(when)
        known_on = None if known is None else pd.Series(known[dated])
        rows = rows_where(frame, dated)
        walked = walk_forward(rows, y[dated], pd.Series(when[dated]), given.variables, known=known_on)
        pds = np.full(len(frame), np.nan)
        pds[dated] = walked["pd"]
        return ForeseenPds(pds, None)
