"""A PD scorecard taken apart: what each bin, level, flag and unit adds to the log-odds, and for whom.

    score = base - factor (log-odds of default + log odds),   factor = pdo / log 2

so that `odds` repaid loans for each default score `base`, and `pdo` points more double them.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from allocator.errors import Fault, InputError
from allocator.scoring.variables import state_name

if TYPE_CHECKING:
    from allocator.scoring.preparation import LearntColumn
    from allocator.scoring.scorecard import Scorecard
    from allocator.scoring.steps import Steps

PER_UNIT, PER_LOG = "per unit", "per unit of its log"
BASE, STEP = "base", "step"


def terms_of(card: Scorecard) -> pd.DataFrame:
    """One row per term: variable, term, log_odds, and points where the card has a scale.

    The log-odds of a borrower are those of the base and, of each variable, of the one bin or level, of all
    flags that apply, and of the value (cut, imputed) times the row "per unit". Of a card with steps this sum
    tells the step; its log-odds, and its points, which are the score, are those of the row STEP.
    """
    slopes = card.slopes
    base = float(card.fit.coefficients[0])
    base -= sum(slopes[name] * centre for name, centre in _centres(card))
    rows = [(BASE, "", base)]
    for column in card.preparation.columns:
        rows += [(column.variable.name, label, value) for label, value in _terms(column, slopes)]
    table = pd.DataFrame(rows, columns=["variable", "term", "log_odds"]).set_index("variable")
    if card.points is not None:
        points = -card.points.factor * table["log_odds"].to_numpy(float)
        points[0] += card.points.offset
        table["points"] = points
    return table if card.steps is None else pd.concat([table, _steps(card, card.steps)])


def _steps(card: Scorecard, steps: Steps) -> pd.DataFrame:
    words = [f"{cut:.6g}" for cut in steps.cuts]
    middle = [f"sum {low} to {high}" for low, high in itertools.pairwise(words)]
    labels = [f"sum below {words[0]}", *middle, f"sum {words[-1]} or more"] if words else ["any sum"]
    table = pd.DataFrame({"term": labels, "log_odds": steps.log_odds}, index=[STEP] * len(labels))
    if card.points is not None:
        table["points"] = card.points.score(np.array(steps.log_odds))
    return table.rename_axis("variable")


def _centres(card: Scorecard) -> list[tuple[str, float]]:
    return list(zip(card.preparation.names, card.preparation.centres.tolist(), strict=True))


def _terms(column: LearntColumn, slopes: dict[str, float]) -> list[tuple[str, float]]:
    name = column.variable.name
    if column.bins is not None:
        pairs = zip(column.bins.labels, column.bins.woe, strict=True)
        return [(label, slopes[name] * weight) for label, weight in pairs]
    if column.variable.kind == "category":
        others = zip(column.levels[1:], column.names, strict=True)
        first = (column.levels[0] or "missing", 0.0)
        return [first, *((label or "missing", slopes[key]) for label, key in others)]
    unit = PER_LOG if column.variable.transform == "log" else PER_UNIT
    flags = [(flag or "missing", slopes[state_name(name, flag)]) for flag in column.flags]
    return [(unit, slopes[name]), *flags]


def reasons_of(card: Scorecard, frame: pd.DataFrame, number: int) -> pd.DataFrame:
    """`reason_1` .. `reason_N` (n,): the variables that raise a borrower's log-odds most above the average.

    The average is that of the training data; a variable that raises them by nothing is no reason, and its
    place is empty. Raises InputError for a card that does not know the average.
    """
    if card.means is None:
        problem, remedy = "the scorecard does not keep the average borrower", "fit it again, or leave it out"
        fault = Fault(problem, remedy, field="--reasons")
        raise InputError.of([fault], "Reasons")
    raised = (card.matrix(frame) - card.means) * card.fit.coefficients[1:]
    place, parts = 0, []
    for column in card.preparation.columns:
        parts.append(raised[:, place : place + len(column.names)].sum(axis=1))
        place += len(column.names)
    by_variable = np.column_stack(parts)
    names = np.array([*(column.variable.name for column in card.preparation.columns), ""], dtype=object)
    order = np.argsort(-by_variable, axis=1, kind="stable")[:, :number]
    raising = np.take_along_axis(by_variable, order, axis=1) > 0
    chosen = np.where(raising, order, len(names) - 1)
    columns = {f"reason_{i + 1}": names[chosen[:, i]] for i in range(chosen.shape[1])}
    return pd.DataFrame(columns, index=frame.index)
