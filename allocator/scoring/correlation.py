"""Which indicators go with a rating: Pearson and Spearman, two-sided p, N.

After table 4 of the credit strategy study.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from allocator.errors import Fault, InputError
from allocator.scoring.rows import row_of

_GRADE_POINTS = {"A": 4, "B": 3, "C": 2, "D": 1}
"""The credit strategy study's scale: better grades score higher."""
FEWEST = 3
_QUANTILES = {"low": 0.0, "p05": 0.05, "median": 0.5, "p95": 0.95, "high": 1.0}


def rating_correlations(
    rating: pd.Series, indicators: pd.DataFrame, columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """Correlation of a rating with each indicator, over the firms that have both.

    `rating` is numeric or graded A to D (A counts 4, D 1) and shares its index with `indicators`.
    One row per indicator: `pearson`, `pearson_p`, `pearson_stars`, `spearman`, `spearman_p`,
    `spearman_stars`, `n`, `note`; NaN with a note where the indicator is constant or too rarely known.

    Raises InputError: an unknown grade or indicator.
    """
    from scipy import stats

    points = _grade_points(rating)
    numbers = list(indicators.select_dtypes("number").columns)
    columns = numbers if columns is None else list(columns)
    faults = unknown_faults([column for column in columns if column not in numbers])
    if faults:
        raise InputError.of(faults, "Correlation")
    rows = []
    for column in columns:
        values = indicators[column].astype(float)
        known = (points.notna() & np.isfinite(values)).to_numpy()
        x, y = points[known].to_numpy(dtype=float), values[known].to_numpy()
        row: dict[str, object] = {"indicator": column, "n": int(known.sum()), "note": ""}
        if len(x) < FEWEST:
            row["note"] = f"fewer than {FEWEST} firms have it"
        elif np.ptp(x) == 0 or np.ptp(y) == 0:
            row["note"] = "constant"
        else:
            for name, (r, p) in (("pearson", stats.pearsonr(x, y)), ("spearman", stats.spearmanr(x, y))):
                row |= {name: float(r), f"{name}_p": float(p), f"{name}_stars": stars(float(p))}
        rows.append(row)
    names = ["pearson", "pearson_p", "pearson_stars", "spearman", "spearman_p", "spearman_stars"]
    table = pd.DataFrame(rows, columns=["indicator", *names, "n", "note"]).set_index("indicator")
    return table.fillna({"pearson_stars": "", "spearman_stars": ""})


def unknown_faults(names: Sequence[str]) -> list[Fault]:
    """One fault for each name that no indicator has."""
    return [Fault("is no indicator", "name a number among the indicators", field=name) for name in names]


def starred_table(table: pd.DataFrame) -> pd.DataFrame:
    """The table of `rating_correlations` for people: coefficients with their stars, four decimals."""
    out = {}
    for name in ("pearson", "spearman"):
        pairs = zip(table[name], table[f"{name}_stars"], strict=True)
        out[name] = ["" if np.isnan(r) else f"{r:.4f}{mark}" for r, mark in pairs]
        out[f"{name} p"] = ["" if np.isnan(p) else f"{p:.4f}" for p in table[f"{name}_p"]]
    return pd.DataFrame({**out, "n": table["n"].tolist(), "note": table["note"].tolist()}, index=table.index)


def by_grade(
    rating: pd.Series, indicators: pd.DataFrame, columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """What each indicator is within each grade: one row an indicator and grade, in their order.

    Columns: n (firms that have a value), mean, sd (n - 1), low, p05, median, p95, high; NaN where nothing is
    known. `columns` as in `rating_correlations`, which has checked them.
    """
    names = list(indicators.select_dtypes("number").columns) if columns is None else list(columns)
    rows = {}
    for name in names:
        values = indicators[name].astype(float).where(lambda column: np.isfinite(column))
        for grade, firms in values.groupby(rating.astype(object)):
            known = firms.dropna()
            rows[name, grade] = {
                "n": len(known),
                "mean": known.mean(),
                "sd": known.std(),
                **dict(zip(_QUANTILES, known.quantile(list(_QUANTILES.values())), strict=True)),
            }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["indicator", "grade"])


def medians(table: pd.DataFrame) -> pd.DataFrame:
    """The medians of `by_grade`, one row an indicator and one column a grade."""
    return table["median"].unstack("grade").reindex(table.index.unique("indicator"))


def stars(p: float) -> str:
    """** below 0.01, * below 0.05, as the credit strategy study prints them."""
    return "**" if p < 0.01 else "*" if p < 0.05 else ""


def _grade_points(rating: pd.Series) -> pd.Series:
    """The rating as numbers: A 4 ... D 1; numbers stay; missing stays missing."""
    if pd.api.types.is_numeric_dtype(rating):
        return rating.astype(float)
    points = rating.astype(object).map(_GRADE_POINTS).astype(float)
    wrong = rating[points.isna() & rating.notna()]
    if len(wrong):
        faults = [
            Fault(
                f"{value!r} is no grade",
                "the grades are A, B, C, D",
                row=row_of(rating, int(np.flatnonzero(rating == value)[0])),
            )
            for value in wrong.unique()
        ]
        raise InputError.of(faults, "Ratings")
    return points
