"""An industry shock: factors from growth figures, and their effect on a portfolio (contest question 3).

A sector whose value added grows by g (a fraction, negative in a crisis) is given, with the elasticities
of a severity,

    PD, LGD and churn factor  exp(-elasticity g),   amount factor  exp(elasticity g)

and an industry label the weighted mean growth of the sectors that it is mapped to.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from allocator.errors import Fault, InputError
from allocator.records.conditions import Condition
from allocator.records.portfolio import Booleans, ChurnTable, Floats, Portfolio
from allocator.records.stress import Shock, Stress, StressCase

FIGURES = ("pd", "lgd", "amount", "churn")
FALLS_WITH_GROWTH = {"pd": -1.0, "lgd": -1.0, "amount": 1.0, "churn": -1.0}
"""Sign of each figure's answer to growth."""


def apply_stress(portfolio: Portfolio, table: ChurnTable, stress: Stress) -> tuple[Portfolio, ChurnTable]:
    """The portfolio and churn table after the stress; the ones given stay as they are.

    PD, LGD and churn end at 1 at most. Raises InputError with every fault: a factor that is negative or
    not finite, a column that the portfolio lacks, a churn case on anything but the grade.
    """
    faults = _faults(portfolio, stress)
    if faults:
        raise InputError.of(faults, "Stress")
    stressed = dataclasses.replace(
        portfolio,
        pd=np.minimum(portfolio.pd * _factors(portfolio, stress.pd), 1.0),
        lgd=np.minimum(portfolio.lgd * _factors(portfolio, stress.lgd), 1.0),
        max_amount=_scaled(portfolio.max_amount, _factors(portfolio, stress.amount)),
    )
    churn = {
        grade: np.minimum(curve * _grade_factor(grade, stress.churn), 1.0)
        for grade, curve in table.churn.items()
    }
    return stressed, dataclasses.replace(table, churn=churn)


def industry_factors(
    growth: Mapping[str, float], mapping: pd.DataFrame, elasticity: Mapping[str, float]
) -> pd.DataFrame:
    """Factors by industry: columns growth, pd, lgd, amount, churn.

    `growth` is by sector, a fraction a year; `mapping` has the columns industry, sector, weight (an
    industry's weights sum to 1); `elasticity` is by figure, 0 where it is not named.
    Raises InputError: an unknown sector or figure, weights that do not sum to 1.
    """
    faults = [
        Fault(
            f"{sector!r} has no growth figure",
            "map to a sector of the shock file",
            row=row,
            field="sector",
        )
        for row, sector in enumerate(mapping["sector"], start=1)
        if sector not in growth
    ]
    weights = mapping.groupby("industry", sort=False)["weight"].sum()
    faults += [
        Fault(f"the weights of {industry} sum to {total:g}", "an industry's weights sum to 1", field="weight")
        for industry, total in weights.items()
        if abs(total - 1) > 1e-9
    ]
    unknown = [figure for figure in elasticity if figure not in FIGURES]
    faults += [Fault(f"{name!r} is no figure", f"the figures are {', '.join(FIGURES)}") for name in unknown]
    if faults:
        raise InputError.of(faults, "Industry shock")
    part = mapping["weight"] * mapping["sector"].map(dict(growth))
    mean = part.groupby(mapping["industry"], sort=False).sum()
    table = pd.DataFrame({"growth": mean})
    for figure in FIGURES:
        table[figure] = np.exp(FALLS_WITH_GROWTH[figure] * elasticity.get(figure, 0.0) * mean)
    return table


def stress_of(factors: pd.DataFrame, column: str) -> Stress:
    """The stress that gives each value of the text column `column` (the frame's index) its factors.

    Churn is one curve a grade: its factors differ by industry, so their mean is put on all grades.
    """
    shocks = {}
    for figure in ("pd", "lgd", "amount"):
        if figure in factors.columns:
            pairs = factors[figure].items()
            cases = tuple(
                StressCase((Condition(column, (str(value),)),), float(f)) for value, f in pairs if f != 1.0
            )
            shocks[figure] = Shock(cases=cases)
    churn = float(factors["churn"].mean()) if "churn" in factors.columns else 1.0
    return Stress(**shocks, churn=Shock(churn))


def read_stress(path: Path, column: str) -> Stress:
    """Read a factor file: a column named `column` or `industry`, and any of pd, lgd, amount, churn.

    Raises InputError: no such file, no label column, factors that are negative or not numbers.
    """
    if not path.is_file():
        raise InputError.of([Fault("the file does not exist", "give a file of factors", str(path))], "Stress")
    frame = pd.read_csv(path, keep_default_na=False)
    label = next((name for name in (column, "industry") if name in frame.columns), None)
    figures = [name for name in FIGURES if name in frame.columns]
    faults = []
    if label is None:
        faults.append(Fault(f"lacks the column {column}", "name the value that each row is for", str(path)))
    if not figures:
        faults.append(Fault("holds no factor", f"give one of {', '.join(FIGURES)}", str(path)))
    for name in figures:
        values = pd.to_numeric(frame[name], errors="coerce")
        for row in np.flatnonzero(~(np.isfinite(values) & (values >= 0)).to_numpy()).tolist():
            problem = f"{frame[name].tolist()[row]!r} is no factor"
            faults.append(Fault(problem, "write a number, 0 or more", str(path), row=row + 1, field=name))
    if faults or label is None:
        raise InputError.of(faults, "Stress")
    return stress_of(frame.set_index(label)[figures].astype(float), column)


def _faults(portfolio: Portfolio, stress: Stress) -> list[Fault]:
    faults = []
    for figure in FIGURES:
        shock: Shock = getattr(stress, figure)
        place = f"stress.{figure}"
        factors = (shock.all, *(case.factor for case in shock.cases))
        faults += [
            Fault(f"{factor} is no factor", "write a number, 0 or more", field=place)
            for factor in factors
            if not (np.isfinite(factor) and factor >= 0)
        ]
        for column in dict.fromkeys(c.column for case in shock.cases for c in case.where):
            if figure == "churn" and column != "grade":
                faults.append(
                    Fault(
                        f"a case names {column}", "churn is one curve a grade: use grade, or all", field=place
                    )
                )
            elif not _has(portfolio, column):
                known = ", ".join(["grade", *portfolio.texts, *portfolio.numbers])
                faults.append(
                    Fault(f"the portfolio has no column {column}", f"use one of {known}", field=place)
                )
    return faults


def _has(portfolio: Portfolio, column: str) -> bool:
    if column == "grade" or column in portfolio.texts:
        return True
    try:
        portfolio.number(column)
    except KeyError:
        return False
    return True


def _factors(portfolio: Portfolio, shock: Shock) -> Floats:
    out = np.full(len(portfolio), shock.all)
    for case in shock.cases:
        met = np.ones(len(portfolio), dtype=bool)
        for condition in case.where:
            met &= _meets(portfolio, condition)
        out[met] *= case.factor
    return out


def _meets(portfolio: Portfolio, condition: Condition) -> Booleans:
    """(n,) whether each borrower meets a condition; a missing value meets none."""
    if not condition.is_range:
        text = portfolio.text(condition.column)
        codes = [text.code_of(value) for value in condition.values]
        return np.isin(text.codes, [code for code in codes if code >= 0])
    values = portfolio.number(condition.column)
    met = ~np.isnan(values)
    if condition.above is not None:
        met &= values > condition.above
    if condition.at_least is not None:
        met &= values >= condition.at_least
    if condition.below is not None:
        met &= values < condition.below
    if condition.at_most is not None:
        met &= values <= condition.at_most
    return met


def _scaled(amounts: Floats, factors: Floats) -> Floats:
    """Amounts times factors; an unlimited request stays unlimited, unless the factor is 0."""
    return np.where(
        np.isinf(amounts) & (factors > 0), amounts, np.where(factors == 0, 0.0, amounts) * factors
    )


def _grade_factor(grade: str, shock: Shock) -> float:
    factor = shock.all
    for case in shock.cases:
        if all(grade in condition.values for condition in case.where):
            factor *= case.factor
    return factor
