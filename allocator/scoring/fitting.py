"""A fit as an analyst orders it: from files to a document, its card and what validation says.

Each function reads, fits, validates out of fold and describes; writing is `fitted.write_fitted`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from allocator.errors import Fault, InputError, gathering
from allocator.intake import content_hash, one_reading
from allocator.records.estimate import Estimate, figure_text
from allocator.records.frames import File
from allocator.records.misfits import meant
from allocator.records.portfolio import Floats, Integers
from allocator.scoring import validation
from allocator.scoring.classes import CLASSES, check_classes, valued
from allocator.scoring.declarations import Declarations, LeakyVariable, sound_declarations
from allocator.scoring.distance import ks
from allocator.scoring.fitted import Card, markdown, to_document
from allocator.scoring.folds import stratified_folds
from allocator.scoring.levels import cell_faults, fault_in_rows, levels_of
from allocator.scoring.preparing import column_faults
from allocator.scoring.rating import fit_rating
from allocator.scoring.reading import (
    PLAIN,
    TEXT,
    column,
    derive,
    faults_located_in,
    imputed_figures,
    imputed_lines,
    numbers,
    outcomes,
    read_table,
)
from allocator.scoring.rejects import rejected
from allocator.scoring.remarks import on_rating, remark_figures, remark_section
from allocator.scoring.rows import rows_in_file, rows_of, rows_where
from allocator.scoring.rules import IndicatorRule, learn
from allocator.scoring.score import imputed_cells
from allocator.scoring.scorecard import out_of_fold_pd
from allocator.scoring.trial import auc_by_share, try_rating, walk_forward
from allocator.scoring.variables import Variable

Entry = TypeVar("Entry", Variable, IndicatorRule)


@dataclass(frozen=True)
class Fit:
    """A fit, ready to be written."""

    document: dict[str, Any]
    card: Card
    figures: dict[str, Any]
    """What --json prints beside the file's name."""
    tables: Mapping[str, pd.DataFrame]
    """Title -> table, for people; the card shows the same."""
    extra: Mapping[str, str] = field(default_factory=dict)
    """Suffix -> text of a file to write beside."""
    reliability: pd.DataFrame | None = None
    """Observed against predicted default rates, which are drawn beside the card."""


@one_reading()
def rating_from_files(
    data: File,
    declared: File,
    default: str,
    owed: str,
    lost: str,
    *,
    classes: Sequence[str] = CLASSES,
    smallest: int | None = None,
    folds: int = 5,
    repeats: int = 10,
    without: str | None = None,
    seed: int = 0,
    found: Sequence[Fault] = (),
) -> Fit:
    """A rating from a table with 0/1 defaults and the money owed and lost.

    What was lost counts for defaulted firms only, up to what was owed; both corrections are counted in
    the card, as are rows left out where the column `without` says why. Raises InputError with the faults of
    files, columns or amounts, and those of the order that were `found` before.
    """
    faults = [*found]
    with gathering(faults):
        check_classes(classes)
    given = sound_declarations(declared, "rules", [default, lost], faults)
    roles = {"default": default, "owed": owed, "lost": lost}
    frame, y, left = training(data, given, roles, without, faults)
    faults += amount_faults(data, frame, y, [owed, lost])
    cut: dict[str, Any] = {"names": classes, "smallest": smallest}
    fitted = None
    with gathering(faults), faults_located_in(data, frame):
        known = readable(given.rules, given, frame)
        if known and (y is None or len(faults) > len(found)):
            learn(frame, known)
        elif known and y is not None:
            money, corrected = amounts(frame, y, owed, lost)
            fitted = fit_rating(frame, y, *money, given.rules, derived=given.derived, **cut)
    with gathering(faults):
        if y is not None:
            stratified_folds(y.to_numpy(), folds, seed)
    if faults or y is None or fitted is None:
        require_sound(faults, "fit rating")
        raise AssertionError("without an outcome there is a fault")
    rating, chosen = fitted
    with faults_located_in(data, frame):
        trial = try_rating(rating, frame, y, *money, given.rules, folds=folds, seed=seed, **cut)
        outcome = y.to_numpy(float)
        codes, amounts_of_each = rating.scale.codes(trial.scores), (part.to_numpy(float) for part in money)
        rating = replace(rating, scale=valued(rating.scale, codes, outcome, *amounts_of_each))
        figures: dict[str, Any] = {
            "auc_out_of_fold": vars(validation.auc(outcome, -trial.scores)),
            "ks_out_of_fold": vars(ks(outcome, -trial.scores)),
            "kept": [indicator.rule.name for indicator in rating.indicators],
            "corrected": corrected,
        }
        tables = {
            "Indicators": chosen,
            "Classes": rating.scale.table(),
            "In sample and out of fold": trial.table,
            **_by_share(frame, y, given, repeats, seed),
            **left_out(given),
        }
        imputed = imputed_cells(frame, rating)
        remarks = on_rating(frame, outcome, rating, given.rules, figures["auc_out_of_fold"]["value"])
    described = Card(
        title=f"Debt rating, {len(y):,} loans, {int(y.sum()):,} defaults",
        purpose="score 0 to 100, class, PD and LGD of a borrower",
        data=f"{data.name}: default {default}, owed {owed}, lost {lost}; {corrected}",
        method=f"F test, R-type clusters, F weights, {len(classes)} classes cut by dynamic programming",
        limits="loss rates rise strictly in sample, where the cuts were sought; PD and LGD are of the "
        "firms by scores of ratings that had not seen them",
        metrics=lines(
            {k: v for k, v in figures.items() if isinstance(v, dict | float)}, f"out of fold ({folds} folds)"
        )
        | left_lines(left)
        | imputed_lines(imputed),
        training={data.name: content_hash(data), declared.name: content_hash(declared)},
        sections=remark_section(remarks) + [(name, markdown(table)) for name, table in tables.items()],
    )
    figures |= imputed_figures(imputed) | remark_figures(remarks) | ({"left_out": left} if left else {})
    return Fit(to_document(rating), described, figures, tables)


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


def training(
    data: File,
    given: Declarations,
    roles: Mapping[str, str],
    without: str | None,
    faults: list[Fault],
    levels: Collection[str] = (),
    *,
    both: bool = True,
    rejects: str | None = None,
) -> tuple[pd.DataFrame, pd.Series | None, dict[str, int]]:
    """The data with derived columns, the 0/1 outcome that the first of `roles` names, and what was left out.

    `roles` are the columns that the order names. Rows whose cell in the column `without` is not empty are
    left out, as are those with a 1 in `rejects`; last, the rows of each such text. `levels` are further
    columns that are read as texts. Without `both` the outcomes may be of one kind. What is wrong is added to
    `faults`: the outcome is then None, a derived column empty. Raises InputError with all of them where there
    is no table to look at.
    """
    named = {**roles, **({} if without is None else {"reason to leave a row out": without})}
    texts = (*TEXT, *sorted(given.text_columns - set(named.values())), *levels)
    try:
        frame = read_table(data, texts)
    except InputError as error:
        raise InputError.of([*faults, *error.faults], "Training data") from error
    first, *others = named.items()
    for role, name in others:
        if name == first[1]:
            problem = f"is named as the {first[0]} and as the {role}"
            faults.append(Fault(problem, "name a column for each", str(data), field=name))
    lacking = [name for name in named.values() if name not in frame.columns]
    for role, name in named.items():
        if name in lacking:
            remedy = meant(name, map(str, frame.columns)) or f"name the column that holds the {role}"
            faults.append(Fault(f"lacks the column {name}", remedy, str(data), field=name))
    left: dict[str, int] = {}
    if without is not None and without not in lacking:
        reasons = levels_of(frame[without])
        left = dict(zip(reasons.names, reasons.counts.tolist(), strict=True))
        if (reasons.codes >= 0).all():
            problem = "gives every row a reason to be left out"
            fault = Fault(problem, "leave it empty", str(data), field=without)
            raise InputError.of([*faults, fault], "Training data")
        frame = rows_alone(frame, reasons.codes < 0, texts)
    if rejects is not None:
        refused = np.zeros(len(frame), dtype=bool)
        with gathering(faults), faults_located_in(data, frame):
            refused = rejected(frame, rejects)
        if refused.all():
            problem = "marks every row a reject"
            fault = Fault(problem, "write 0 where one was accepted", str(data), field=rejects)
            raise InputError.of([*faults, fault], "Training data")
        frame = rows_alone(frame, ~refused, texts)
    y, outcome = None, next(iter(roles.values()))
    if outcome not in lacking:
        with gathering(faults):
            y = outcomes(frame, outcome, data, both=both)
    with gathering(faults), faults_located_in(data, frame):
        found: list[Fault] = []
        frame = derive(frame, given.derived, found)
        for name in sorted(given.doubtful):
            if name in given.figures - set(texts):
                numbers(frame, name, found, PLAIN)
            else:
                column(frame, name, found)
        if found:
            raise InputError.of(found, "Training data")
    return frame, y, left


def declined(
    data: File, given: Declarations, without: str | None, rejects: str, faults: list[Fault]
) -> pd.DataFrame:
    """The rejects that `training` leaves out, with derived columns; `faults` are added to, as there."""
    texts = (*TEXT, *sorted(given.text_columns - {without, rejects}))
    frame = read_table(data, texts)
    if without is not None and without in frame.columns:
        frame = rows_where(frame, levels_of(frame[without]).codes < 0)
    return derive(rows_alone(frame, rejected(frame, rejects), texts), given.derived, faults)


def rows_alone(frame: pd.DataFrame, kept: np.ndarray, texts: Collection[str]) -> pd.DataFrame:
    """The rows that are `kept` (n,), read as if there were no others: a text there made all texts."""
    rows = rows_where(frame, kept)
    read = {}
    for name in rows.columns if len(rows) < len(frame) else ():
        if rows[name].dtype.kind not in "iufbM" and name not in texts:
            whole, own = (pd.to_numeric(part[name], errors="coerce") for part in (frame, rows))
            if own.notna().equals(rows[name].notna()) and not whole.notna().equals(frame[name].notna()):
                read[name] = own
    return rows.assign(**read)


def require_sound(faults: Sequence[Fault], subject: str) -> None:
    """Raise InputError where there are faults: each once, files as they were first met, lines ascending."""
    if faults:
        told = {(fault.file, fault.row, fault.field, fault.problem): fault for fault in reversed(faults)}
        unique = [fault for fault in dict.fromkeys(faults) if fault in told.values()]
        files = list(dict.fromkeys(fault.file for fault in unique))
        raise InputError.of(
            sorted(unique, key=lambda fault: (files.index(fault.file), fault.line or 0)), subject
        )


def readable(entries: Iterable[Entry], given: Declarations, frame: pd.DataFrame) -> list[Entry]:
    """Those of `entries` that do not read a derived column which could not be made."""
    made = {derivation.name for derivation in given.derived}
    empty = {name for name in frame.columns if frame[name].isna().all()}
    lost = {one.name for one in given.derived if one.name in empty and one.column not in empty - made}
    return [entry for entry in entries if entry.name not in lost | given.unmade]


def amounts(
    frame: pd.DataFrame, default: pd.Series, owed: str, lost: str
) -> tuple[tuple[pd.Series, pd.Series], str]:
    """Money owed and lost (n,), and what was corrected. Raises InputError: an amount that is none."""
    faults: list[Fault] = []
    bad, remedy = default.to_numpy() == 1, "write an amount, 0 or more"
    money, gone = (numbers(frame, name, faults, PLAIN) for name in (owed, lost))
    for name, needed in ((owed, np.ones_like(bad)), (lost, bad)):
        if name in frame.columns:
            values = pd.to_numeric(frame[name], errors="coerce")
            below = ((values < 0) & (values > -np.inf)).to_numpy(dtype=bool, na_value=False)
            faults += cell_faults(frame[name], below, "is below 0", remedy)
            empty = frame[name].isna().to_numpy() & needed
            blank = rows_in_file(rows_of(frame), np.flatnonzero(empty).tolist())
            faults += [fault_in_rows("is empty", blank, remedy, None, name)] if blank else []
    if faults or money is None or gone is None:
        raise InputError.of(faults, "Training data")
    performing, beyond = ~bad & (gone > 0), bad & (gone > money)
    kept = np.where(bad, np.minimum(gone, money), 0.0)
    corrected = (
        f"{int(performing.sum())} performing loans' losses set to 0, "
        f"{int(beyond.sum())} losses cut to what was owed"
    )
    return (pd.Series(money, frame.index), pd.Series(kept, frame.index)), corrected


def amount_faults(
    data: File, frame: pd.DataFrame, default: pd.Series | None, money: Sequence[str]
) -> list[Fault]:
    """What `amounts` would refuse of the columns that are there."""
    y = pd.Series(0, frame.index) if default is None else default
    faults: list[Fault] = []
    if len(money) == 2 and set(money) <= set(frame.columns):
        with gathering(faults), faults_located_in(data, frame):
            amounts(frame, y, *money)
    return faults


def _by_share(
    frame: pd.DataFrame, y: pd.Series, given: Declarations, repeats: int, seed: int
) -> dict[str, pd.DataFrame]:
    """AUC by training share beside a logit's and, on the same splits, what the leaks would feign."""
    if not given.variables:
        return {}
    table = auc_by_share(frame, y, given.rules, given.variables, repeats=repeats, seed=seed)
    leaks = [leak for leak in given.leaks if leak.rule is not None and leak.variable is not None]
    if leaks:
        rules = [*given.rules, *(leak.rule for leak in leaks if leak.rule is not None)]
        variables = [*given.variables, *(leak.variable for leak in leaks if leak.variable is not None)]
        feigned = auc_by_share(frame, y, rules, variables, repeats=repeats, seed=seed)
        with_leaks = feigned[["auc", "logit_auc"]].add_suffix(f"_with_{joined(leaks)}")
        table = pd.concat([table, with_leaks], axis=1)
    return {"AUC by training share, beside a logit": table}


def left_out(given: Declarations) -> dict[str, pd.DataFrame]:
    """What no fit may read, and why."""
    if not given.leaks:
        return {}
    why = pd.DataFrame(
        {"why": [leak.why for leak in given.leaks]},
        index=pd.Index([leak.name for leak in given.leaks], name="column"),
    )
    return {"Left out: known only after the decision": why}


def left_lines(left: Mapping[str, int]) -> dict[str, str]:
    """Rows left out by reason, as lines of a card."""
    return {f"left out, {reason}": f"{rows:,} rows" for reason, rows in left.items()}


def joined(entries: Sequence[Variable | LeakyVariable]) -> str:
    """Their names as one word."""
    return "_and_".join(entry.name for entry in entries)


def lines(figures: Mapping[str, Any], where: str) -> dict[str, str]:
    """Figures as the lines of a card, with their 95 % intervals."""
    lines = {}
    for name, value in figures.items():
        title = f"{name.removesuffix('_out_of_fold').replace('_', ' ')}, {where}"
        lines[title] = figure_text(value if isinstance(value, float) else Estimate(**value))
    return lines
