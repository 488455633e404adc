"""An industry shock: factors from growth figures, and their effect on a portfolio (contest question 3).

A sector whose value added grows by g (a fraction, negative in a crisis) is given, with the elasticities
of a severity,

    PD, LGD and churn factor  exp(-elasticity g),   amount factor  exp(elasticity g)

and an industry label the weighted mean growth of the sectors that it is mapped to.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd

from allocator.errors import Fault, InputError, row_count
from allocator.records.conditions import Condition, nobody_passes
from allocator.records.filters import factors_of, meets, under
from allocator.records.frames import File
from allocator.records.portfolio import ChurnTable, Floats, Portfolio
from allocator.records.scenario import LARGEST_FACTOR
from allocator.records.stress import Shock, Stress, StressCase
from allocator.scoring.levels import likeness
from allocator.scoring.reading import faults_located_in
from allocator.scoring.rows import row_of, with_rows
from allocator.tables import fetch_whole, source_of
from allocator.tables.conversion import to_strings

OF_BORROWERS = tuple(Stress.figures("borrowers"))
BY_GRADE = tuple(Stress.figures("curve"))
"""Figures of the churn curve, which is one per grade."""
FIGURES = ("pd", "lgd", "amount", "churn")
"""What a file may give factors of."""
FALLS_WITH_GROWTH = {"pd": -1.0, "lgd": -1.0, "amount": 1.0}
"""Sign of each figure's answer to growth."""


_MEDIUM = {"pd": 2.0, "lgd": 0.5, "amount": 0.75}
"""Elasticities of a file that gives growth and no factors: those of the shipped medium severity."""
GROWTH = "growth"


def apply_stress(portfolio: Portfolio, table: ChurnTable, stress: Stress) -> tuple[Portfolio, ChurnTable]:
    """The portfolio and churn table after the stress; the ones given stay as they are.

    PD, LGD and churn end at 1 at most. Where the market charges f times as much, churn at r is what it
    was at r / f, read between the table's rates. Funding and limits belong to the policy. Raises
    InputError with every fault: a factor that is negative or not finite, a column that the portfolio or
    some borrower lacks, a case of churn or rates on anything but the grade.
    """
    faults = _faults(portfolio, stress) or _combined_factor_faults(portfolio, table, stress)
    if faults:
        raise InputError.of(faults, "Stress")
    more = factors_of(stress.amount, portfolio)
    stressed = dataclasses.replace(
        under(stress, portfolio),
        max_amount=_scaled_amounts(portfolio.asked, more),
        request=None,
    )
    churn = {
        grade: np.minimum(
            _moved_churn(table.rates, curve, _grade_factor(grade, stress.rates))
            * _grade_factor(grade, stress.churn),
            1.0,
        )
        for grade, curve in table.churn.items()
    }
    return stressed, dataclasses.replace(table, churn=churn)


def idle_cases(portfolio: Portfolio, stress: Stress) -> tuple[str, ...]:
    """One note for each case of `stress` that is about no borrower; `portfolio` is the one before it."""
    return tuple(
        nobody_passes(f"a case of stress.{figure} changes nothing", case.where)
        for figure in (*OF_BORROWERS, *BY_GRADE)
        for case in getattr(stress, figure).cases
        if not np.any(meets(case.where, portfolio))
    )


def check_coverage(portfolio: Portfolio, stress: Stress, column: str, file: File) -> None:
    """Raise InputError where the text column `column` has values that no case of `stress` is about.

    `file` holds its factors: one that says nothing of an industry does not say that it was spared.
    """
    named = {
        value
        for figure in FIGURES
        for case in getattr(stress, figure).cases
        for condition in case.where
        if condition.column == column
        for value in condition.values
    }
    held = portfolio.texts.get(column)
    if held is None or not named:
        return
    alike = likeness([value for value in held.values if value not in named], sorted(named))
    faults = [
        Fault(
            f"no factor for {column} {value!r}, borrowers: {int(np.count_nonzero(held.codes == code))}"
            + (f"; {alike[value]}" if alike[value] else ""),
            "give it a row, with factors of 1 if it was spared",
            file=str(file),
            field=column,
        )
        for code, value in enumerate(held.values)
        if value in alike
    ]
    if faults:
        raise InputError.of(faults, "Stress")


def stress_of(factors: pd.DataFrame, column: str) -> Stress:
    """The stress that gives each value of the text column `column` (the frame's index) its factors.

    Churn is one curve per grade: its factor is that of all rows.
    """
    shocks = {
        figure: Shock(
            cases=tuple(
                StressCase((Condition(column, (str(value),)),), float(factor))
                for value, factor in factors[figure].items()
            )
        )
        for figure in ("pd", "lgd", "amount")
        if figure in factors.columns
    }
    none = Shock()
    return Stress(
        pd=shocks.get("pd", none),
        lgd=shocks.get("lgd", none),
        amount=shocks.get("amount", none),
        churn=Shock(float(factors["churn"].iloc[0]) if "churn" in factors.columns else 1.0),
    )


def read_stress(path: File, column: str) -> Stress:
    """Read a factor file: a column named `column` or `industry`, and any of pd, lgd, amount, churn.

    A file that gives growth and no factor has those that MEDIUM makes of it. Raises InputError: no such
    file, no label column, other columns, a label twice, no rows, factors that are negative or not
    numbers, churn that differs by row.
    """
    frame = _factor_table(path)
    with faults_located_in(path, frame):
        return _stress_in(frame, path, column)


def _stress_in(frame: pd.DataFrame, path: File, column: str) -> Stress:
    """What a table of factors says, its faults by row."""
    if GROWTH in frame.columns and not set(FIGURES) & set(frame.columns):
        frame = _from_growth(frame, path)
    label = next((name for name in (column, "industry") if name in frame.columns), None)
    figures = [name for name in FIGURES if name in frame.columns]
    faults = [] if label is None else _misplaced_column_faults(frame, label, path)
    if label is None:
        faults.append(Fault(f"lacks the column {column}", "name the value that each row is for", str(path)))
    else:
        for row in np.flatnonzero(frame[label].duplicated()).tolist():
            problem = f"{frame[label].tolist()[row]!r} stands twice"
            faults.append(
                Fault(problem, "give one row a value", str(path), row=row_of(frame, row), field=label)
            )
    if not figures or frame.empty:
        faults.append(Fault("holds no factor", f"give one of {', '.join(FIGURES)}", str(path)))
    numbers = frame[figures].apply(pd.to_numeric, errors="coerce")
    for name in figures:
        wrong = ~(np.isfinite(numbers[name]) & (numbers[name] >= 0))
        for row in np.flatnonzero(wrong).tolist():
            problem = f"{frame[name].tolist()[row] or 'an empty cell'} is no factor"
            faults.append(
                Fault(problem, "write a number, 0 or more", str(path), row=row_of(frame, row), field=name)
            )
    if "churn" in figures and numbers["churn"].nunique() > 1:
        remedy = "write one factor in every row, or give factors by grade under stress.churn"
        faults.append(Fault("differs by row: churn is one curve per grade", remedy, str(path), field="churn"))
    if faults or label is None:
        raise InputError.of(faults, "Stress")
    return stress_of(numbers.set_index(frame[label]), column)


def label_of(path: File) -> str:
    """The column that the rows of a factor file are about: the first that holds no figure.

    Raises InputError where there is none, or the file cannot be read.
    """
    names = [name for name in _factor_table(path).columns if name not in (*FIGURES, GROWTH)]
    if not names:
        fault = Fault("names no column of the borrowers", "head the first column with its name", str(path))
        raise InputError.of([fault], "Stress")
    return str(names[0])


def _misplaced_column_faults(frame: pd.DataFrame, label: str, path: File) -> list[Fault]:
    """Columns that no table of factors has: those of borrowers, whose pd is a figure and no factor."""
    faults = []
    if label == "borrower_id":
        problem = "the rows are single borrowers, as of a portfolio"
        remedy = "give factors by a column that groups them, as sector"
        faults.append(Fault(problem, remedy, str(path), field=label))
    others = [str(name) for name in frame.columns if name not in (label, *FIGURES, GROWTH)]
    if others:
        kept = "the column of labels" if faults else label
        remedy = f"keep {kept} and any of {', '.join((*FIGURES, GROWTH))}"
        faults.append(Fault(f"has columns that hold no factors: {', '.join(others)}", remedy, str(path)))
    return faults


def _from_growth(frame: pd.DataFrame, path: File) -> pd.DataFrame:
    """`frame` with the factors that MEDIUM makes of its growth."""
    growth = pd.to_numeric(frame[GROWTH], errors="coerce")
    faults = [
        Fault(f"{frame[GROWTH].tolist()[row] or 'an empty cell'} is no growth", "write a fraction, as -0.1",
              str(path), row=row_of(frame, row), field=GROWTH)
        for row in np.flatnonzero(~(growth > -1) | ~np.isfinite(growth)).tolist()
    ]  # fmt: skip
    if faults:
        raise InputError.of(faults, "Stress")
    factors = {name: np.exp(FALLS_WITH_GROWTH[name] * _MEDIUM[name] * growth) for name in _MEDIUM}
    return frame.assign(**factors)


def _factor_table(path: File) -> pd.DataFrame:
    """The file's cells as text, as they stand; an empty one is ""."""
    if isinstance(path, Path) and not path.exists():
        raise InputError.of([Fault("the file does not exist", "give a file of factors", str(path))], "Stress")
    fetched = fetch_whole(source_of(path))
    texts = {name: to_strings(fetched.table[name]).to_pandas() for name in fetched.table.column_names}
    return with_rows(pd.DataFrame(texts).fillna(""), fetched.number, fetched.letters)


def _faults(portfolio: Portfolio, stress: Stress) -> list[Fault]:
    faults = []
    for figure in (*OF_BORROWERS, *BY_GRADE):
        shock: Shock = getattr(stress, figure)
        place = f"stress.{figure}"
        faults += [
            Fault(f"{factor} is no factor", "write a number, 0 or more; for rates above 0", field=place)
            for factor in shock.factors()
            if not (np.isfinite(factor) and factor >= 0 and (factor > 0 or figure != "rates"))
        ]
        for column in dict.fromkeys(c.column for case in shock.cases for c in case.where):
            if figure in BY_GRADE and column != "grade":
                remedy = "churn is one curve per grade: use grade, or all"
                faults.append(Fault(f"a case names {column}", remedy, field=place))
            elif not _has_column(portfolio, column):
                known = ", ".join(["grade", *portfolio.texts, *portfolio.numbers])
                faults.append(
                    Fault(f"the portfolio has no column {column}", f"use one of {known}", field=place)
                )
        for condition in dict.fromkeys(c for case in shock.cases for c in case.where):
            if figure not in BY_GRADE and _has_column(portfolio, condition.column):
                faults += _missing_value_faults(portfolio, condition, place)
    return list(dict.fromkeys(faults))


def _combined_factor_faults(portfolio: Portfolio, table: ChurnTable, stress: Stress) -> list[Fault]:
    """A fault for every figure whose factors, all that meet one borrower or grade, come to too much."""
    with np.errstate(over="ignore", invalid="ignore"):
        most = {
            figure: float(np.max(factors_of(getattr(stress, figure), portfolio), initial=0.0))
            for figure in FIGURES
            if figure not in BY_GRADE
        }
        for figure in BY_GRADE:
            shock: Shock = getattr(stress, figure)
            most[figure] = max((_grade_factor(grade, shock) for grade in table.churn), default=0.0)
    return [
        Fault(
            f"the factors together come to {factor:g} for some, expected at most {LARGEST_FACTOR:g}",
            "write smaller factors, or cases that do not overlap",
            field=f"stress.{figure}",
        )
        for figure, factor in most.items()
        if not factor <= LARGEST_FACTOR
    ]


def _has_column(portfolio: Portfolio, column: str) -> bool:
    if column in ("borrower_id", "grade") or column in portfolio.texts:
        return True
    try:
        portfolio.number(column)
    except KeyError:
        return False
    return True


def _missing_value_faults(portfolio: Portfolio, condition: Condition, place: str) -> list[Fault]:
    """A borrower without the value is stressed or not by a guess: as with limits, a fault."""
    name = condition.column
    lacking = np.isnan(portfolio.number(name)) if condition.is_range else portfolio.text(name).codes < 0
    count = int(np.count_nonzero(lacking))
    if not count:
        return []
    problem = f"{place} reads {name}, which is missing in {row_count(count)}"
    row = int(np.min(portfolio.row[lacking]))
    return [Fault(problem, "fill the column", file=portfolio.source, row=row, field=name)]


def _scaled_amounts(amounts: Floats, factors: Floats) -> Floats:
    """Amounts times factors; an unlimited request stays unlimited, unless the factor is 0."""
    return np.where(
        np.isinf(amounts) & (factors > 0), amounts, np.where(factors == 0, 0.0, amounts) * factors
    )


def _moved_churn(rates: Floats, curve: Floats, factor: float) -> Floats:
    """The churn curve where all others charge `factor` times as much."""
    if factor == 1.0:
        return curve
    moved: Floats = np.interp(rates / factor, rates, curve)
    return moved


def _grade_factor(grade: str, shock: Shock) -> float:
    factor = shock.all
    for case in shock.cases:
        if all(grade in condition.values for condition in case.where):
            factor *= case.factor
    return factor
