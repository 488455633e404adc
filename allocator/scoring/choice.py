"""Which declared variables a logit reads: those that keep their signs, or a forward path of them.

On the path, each step takes in the variable whose score test (Rao 1948) is the most significant,

    U' V^-1 U,    U = X_j' (y - p),    V = X_j' W X_j - X_j' W X (X' W X)^-1 X' W X_j,    W = p (1 - p)

X those that are in, with all columns of a variable (levels, flags) at once. Its length is the shortest whose
log loss out of fold is within one standard error, over the rows, of the smallest; every fold goes a path of
its own. Declared signs hold at each step; what cannot be told apart is left out, and all of it is said.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import special

from allocator.errors import Fault, InputError
from allocator.records.portfolio import Floats
from allocator.scoring.folds import each_fold, stratified_folds
from allocator.scoring.information import information
from allocator.scoring.logit import LogitFit, Penalty, fit_logit
from allocator.scoring.preparation import Preparation
from allocator.scoring.preparing import prepared, usable_variables
from allocator.scoring.rows import rows_where
from allocator.scoring.variables import Variable
from allocator.scoring.weighting import effective, mean, part, standard_error

How = Literal["all", "signs", "forward"]
"""all: as declared. signs: without what goes against its sign. forward: the path."""
_ENTERS = 0.1
"""p of the score test from which nothing enters any more."""
TINY = 1e-12


@dataclass(frozen=True)
class Choice:
    """The variables that a logit shall read."""

    kept: tuple[Variable, ...]
    """In the order of their declaration."""
    why: dict[str, str]
    """Variable that is left out -> the reason."""
    path: pd.DataFrame | None
    """One row a step: variable, p of its score test, log_loss out of fold, chosen."""
    held_out: Floats
    """(n,) PD of each row by the choice and the fit of the other folds."""


@dataclass(frozen=True)
class _Step:
    """A logit on the way."""

    inside: tuple[int, ...]
    """Variables, as they came in."""
    p: float
    fit: LogitFit


@dataclass(frozen=True)
class _Walk:
    """Everything that a way through the variables of some rows needs."""

    preparation: Preparation
    matrix: Floats
    y: Floats
    penalty: Penalty
    strength: float
    weights: Floats | None = None

    @property
    def blocks(self) -> list[list[int]]:
        """Matrix columns of each variable."""
        ends = list(
            itertools.accumulate((len(column.names) for column in self.preparation.columns), initial=0)
        )
        return [list(range(a, b)) for a, b in itertools.pairwise(ends)]

    def columns(self, inside: Sequence[int]) -> list[int]:
        return [j for index in inside for j in self.blocks[index]]

    def step(self, inside: tuple[int, ...], p: float = np.nan) -> _Step:
        columns = self.columns(inside)
        names = [self.preparation.names[j] for j in columns]
        order = self.penalty, self.strength
        fit = fit_logit(self.matrix[:, columns], self.y, names, *order, weights=self.weights)
        return _Step(inside, p, fit)

    def against(self, step: _Step) -> dict[int, float]:
        """Variables of a step whose coefficients have not the sign that was declared -> largest |z|."""
        errors = np.sqrt(np.diag(step.fit.covariance))[1:]
        signs = np.array([self.preparation.signs[j] for j in self.columns(step.inside)])
        z = np.where(signs * step.fit.coefficients[1:] < 0, np.abs(step.fit.coefficients[1:]) / errors, 0.0)
        worst = iter(z)
        of_each = {index: max(next(worst) for _ in self.blocks[index]) for index in step.inside}
        return {index: size for index, size in of_each.items() if size > 0}

    def agreeing(self) -> _Step:
        """All variables without those that go against their sign, the worst of them first."""
        inside = tuple(range(len(self.blocks)))
        while inside:
            step = self.step(inside)
            against = self.against(step)
            if not against:
                return step
            worst = max(against, key=lambda index: against[index])
            inside = tuple(index for index in inside if index != worst)
        problem, remedy = "goes against the sign that is declared for it", "look at the declared sign"
        names = [column.variable.name for column in self.preparation.columns]
        faults = [Fault(f"{problem}, as every variable does", remedy, field=name) for name in names]
        raise InputError.of(faults, "Choice of variables")

    def path(self) -> list[_Step]:
        """The steps of the forward path."""
        steps: list[_Step] = []
        rate = np.full(len(self.y), mean(self.y, self.weights))
        while True:
            inside = steps[-1].inside if steps else ()
            p = special.expit(steps[-1].fit.linear(self.matrix[:, self.columns(inside)])) if steps else rate
            entrants = self._entrants(p, inside)
            tried = (self.step((*inside, entrant), value) for value, entrant in entrants)
            step = next((step for step in tried if not self.against(step)), None)
            if step is None:
                return steps
            steps.append(step)

    def _entrants(self, p: Floats, inside: tuple[int, ...]) -> list[tuple[float, int]]:
        """p of the score test and number of what may enter, the most significant first."""
        from scipy import stats

        counts = np.ones(len(p)) if self.weights is None else self.weights
        counts = counts * (effective(len(p), self.weights) / len(p))
        whole = information(np.column_stack([np.ones(len(p)), self.matrix]), counts * p * (1 - p))
        score = self.matrix.T @ (counts * (self.y - p))
        within = [0, *(j + 1 for j in self.columns(inside))]
        known = np.linalg.inv(whole[np.ix_(within, within)])
        entrants = []
        for index, block in enumerate(self.blocks):
            if index in inside:
                continue
            own = [j + 1 for j in block]
            across = whole[np.ix_(own, within)]
            spread = whole[np.ix_(own, own)] - across @ known @ across.T
            statistic = float(score[block] @ np.linalg.lstsq(spread, score[block], rcond=1e-10)[0])
            entrants.append((float(stats.chi2.logsf(statistic, len(block))), index))
        return [(math.exp(log), index) for log, index in sorted(entrants) if log < math.log(_ENTERS)]


def choose(
    frame: pd.DataFrame,
    outcome: pd.Series,
    variables: Sequence[Variable],
    how: Literal["signs", "forward"],
    *,
    penalty: Penalty = "flic",
    strength: float = 1.0,
    folds: int = 5,
    seed: int = 0,
    weights: Floats | None = None,
) -> Choice:
    """The variables of `frame` that a logit of `outcome` (n,), 1 for a default, shall read.

    Raises InputError: a column missing or not numeric, outcomes of one kind, nothing that may be kept.
    """
    y = outcome.to_numpy(float)
    whole, why = _walk(frame, y, variables, penalty, strength, weights)
    fold = stratified_folds(outcome.to_numpy(), folds, seed)
    steps = whole.path() if how == "forward" else [whole.agreeing()]
    if not steps:
        fault = Fault("no variable tells defaults from the rest", f"none has p below {_ENTERS:g}")
        raise InputError.of([fault], "Choice of variables")
    held = _held_out(frame, y, variables, fold, len(steps), (how, penalty, strength), weights)
    losses = -np.where(y[:, None] == 1, np.log(np.maximum(held, TINY)), np.log(np.maximum(1 - held, TINY)))
    size = _length(losses, weights)
    declared = whole.preparation.columns
    inside = set(steps[size].inside)
    reason = "goes against its sign" if how == "signs" else "adds nothing out of fold to those that are in"
    why |= {column.variable.name: reason for i, column in enumerate(declared) if i not in inside}
    path = None
    if how == "forward":
        names = [declared[step.inside[-1]].variable.name for step in steps]
        columns = {"p": [step.p for step in steps], "log_loss": _means(losses, weights)}
        columns["chosen"] = [i <= size for i in range(len(steps))]
        path = pd.DataFrame(columns, index=pd.Index(names, name="enters"))
    kept = tuple(column.variable for i, column in enumerate(declared) if i in inside)
    return Choice(kept, why, path, held[:, size])


def _walk(
    frame: pd.DataFrame,
    y: Floats,
    variables: Sequence[Variable],
    penalty: Penalty,
    strength: float,
    weights: Floats | None,
) -> tuple[_Walk, dict[str, str]]:
    fit, why = usable_variables(frame, variables, y)
    if not fit:
        faults = [Fault(problem, "give another variable", field=name) for name, problem in why.items()]
        raise InputError.of(faults, "Choice of variables")
    made = prepared(frame, fit, y, weights)
    return _Walk(made.preparation, made.matrix, y, penalty, strength, weights), why


def _held_out(
    frame: pd.DataFrame,
    y: Floats,
    variables: Sequence[Variable],
    fold: np.ndarray,
    sizes: int,
    order: tuple[Literal["signs", "forward"], Penalty, float],
    weights: Floats | None,
) -> Floats:
    """(n, sizes) PD of each row after each step of the path of the other folds, its last where it ends."""
    how, penalty, strength = order
    out = np.empty((len(y), sizes))

    def walk_without(k: int) -> None:
        seen, held = fold != k, fold == k
        own = part(weights, seen)
        walk, _ = _walk(rows_where(frame, seen), y[seen], variables, penalty, strength, own)
        steps = walk.path()[:sizes] if how == "forward" else [walk.agreeing()]
        matrix = walk.preparation.matrix(rows_where(frame, held))
        out[held] = mean(y[seen], own)
        for i, step in enumerate(steps):
            pds = special.expit(step.fit.linear(matrix[:, walk.columns(step.inside)]))
            out[held, i:] = pds[:, None]

    each_fold(int(fold.max()) + 1, walk_without)
    return out


def _means(losses: Floats, weights: Floats | None) -> Floats:
    return np.average(losses, axis=0, weights=weights)


def _length(losses: Floats, weights: Floats | None) -> int:
    """The shortest path whose loss (n, sizes) is within a standard error of the smallest, row by row."""
    best = int(_means(losses, weights).argmin())
    beyond = losses - losses[:, [best]]
    errors = [standard_error(column, weights) for column in beyond.T]
    return int(np.flatnonzero(_means(beyond, weights) <= errors)[0])
