"""PD by grade from observed frequencies, drawn a little towards one half: the simple choice.

pd_g = (defaults_g + s) / (firms_g + 2 s). With s = 1/2 (Jeffreys' prior) this is exactly Firth's
penalised logit on one dummy a grade, so a grade without defaults, or with nothing else, keeps a PD
strictly between 0 and 1. Grades that do not rise from best to worst are pooled.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import special

from allocator.errors import Fault, InputError
from allocator.records.portfolio import Floats
from allocator.scoring.weighting import effective, total


def pd_by_grade(
    grade: pd.Series, default: pd.Series, grades: Sequence[str] = ("A", "B", "C", "D"), shrinkage: float = 0.5
) -> pd.DataFrame:
    """One row per grade, best first: n, defaults, frequency, pd, low, high (95 %), pooled.

    Raises InputError: an unknown grade, outcomes other than 0 and 1, a negative shrinkage.
    """
    faults = []
    if shrinkage < 0:
        faults.append(Fault(f"a shrinkage of {shrinkage:g}", "use 0 or more; 0.5 is Jeffreys' prior"))
    unknown = sorted({str(value) for value in grade.unique()} - set(grades))
    faults += [Fault(f"{value!r} is no grade", f"the grades are {', '.join(grades)}") for value in unknown]
    if not default.isin([0, 1]).all():
        faults.append(Fault("outcomes other than 0 and 1", "write 1 for a default, 0 for none"))
    if faults:
        raise InputError.of(faults, "PD by grade")
    names = grade.astype(str)
    n = names.value_counts().reindex(pd.Index(grades), fill_value=0).to_numpy(float)
    defaults = (
        default.astype(float)
        .groupby(names.to_numpy())
        .sum()
        .reindex(pd.Index(grades), fill_value=0.0)
        .to_numpy()
    )
    alpha, beta, pooled = _pooled(defaults + shrinkage, n - defaults + shrinkage)
    whole = alpha + beta
    rate = np.divide(alpha, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    inside = (alpha > 0) & (beta > 0)
    safe = np.where(inside, alpha, 1.0), np.where(inside, beta, 1.0)
    return pd.DataFrame(
        {
            "n": n.astype(int),
            "defaults": defaults.astype(int),
            "frequency": np.divide(defaults, n, out=np.full(len(n), np.nan), where=n > 0),
            "pd": rate,
            "low": np.where(inside, special.betaincinv(*safe, 0.025), 0.0),
            "high": np.where(inside, special.betaincinv(*safe, 0.975), 1.0),
            "pooled": pooled,
        },
        index=pd.Index(grades, name="grade"),
    )


def rising_rates(defaults: np.ndarray, n: np.ndarray, shrinkage: float = 0.5) -> np.ndarray:
    """(grades,) (defaults + s) / (n + 2 s), pooled where it would fall; n and defaults need not be whole."""
    alpha, beta, _ = _pooled(defaults + shrinkage, n - defaults + shrinkage)
    return np.asarray(alpha / (alpha + beta))


def _pooled(alpha: np.ndarray, beta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Adjacent grades merged until the rate rises from best to worst (pool adjacent violators)."""
    blocks: list[tuple[float, float, list[int]]] = []
    for place, (a, b) in enumerate(zip(alpha, beta, strict=True)):
        blocks.append((float(a), float(b), [place]))
        while len(blocks) > 1 and _rate(blocks[-2]) >= _rate(blocks[-1]):
            last, before = blocks.pop(), blocks.pop()
            blocks.append((before[0] + last[0], before[1] + last[1], before[2] + last[2]))
    out_a, out_b, pooled = np.zeros(len(alpha)), np.zeros(len(alpha)), np.zeros(len(alpha), dtype=bool)
    for a, b, places in blocks:
        out_a[places], out_b[places], pooled[places] = a, b, len(places) > 1
    return out_a, out_b, pooled


def _rate(block: tuple[float, float, list[int]]) -> float:
    """Share of defaults of a block; one without any firm or prior takes its neighbour's."""
    whole = block[0] + block[1]
    return block[0] / whole if whole > 0 else -1.0


def jeffreys(events: float, n: float) -> tuple[float, float]:
    """95 % interval of a share: quantiles of Beta(events + 1/2, n - events + 1/2), open at 0 and n."""
    a, b = events + 0.5, n - events + 0.5
    low = 0.0 if events == 0 else float(special.betaincinv(a, b, 0.025))
    high = 1.0 if events == n else float(special.betaincinv(a, b, 0.975))
    return low, high


def mean_interval(shares: Floats, weights: Floats | None = None) -> tuple[float, float]:
    """95 % interval of the mean of shares (n,) in [0, 1]: of 0 and 1 alone it is Jeffreys'.

    Quantiles of the beta distribution with the moments that the mean has in a Bayesian bootstrap (Rubin 1981)
    of the rows, of half a row of 0 and of half a row of 1: what no row has come to yet, others may. With
    weights (n,) the rows are as many as their effective number (Korn and Graubard 1998).
    """
    n = effective(len(shares), weights)
    each, whole = n / len(shares) if weights is None else n / float(weights.sum()), n + 1
    middle = (each * total(shares, weights) + 0.5) / whole
    spread = each * total((shares - middle) ** 2, weights) + 0.5 * (middle**2 + (1 - middle) ** 2)
    rows = middle * (1 - middle) * (whole + 1) * whole / spread - 1
    a, b = middle * rows, (1 - middle) * rows
    low = float(special.betaincinv(a, b, 0.025)) if shares.any() else 0.0
    return low, float(special.betaincinv(a, b, 0.975)) if (shares < 1).any() else 1.0
