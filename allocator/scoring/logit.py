"""Binary logit with Wald tests: by maximum likelihood, or penalised where that has no finite answer.

    none    maximum likelihood (statsmodels)
    firth   + 1/2 log det of the information (Firth 1993): finite under any separation
    flic    firth, then the intercept alone by maximum likelihood (Puhr et al. 2017), so that the
            mean fitted probability is the observed share
    ridge   - strength/2 sum of squared standardised slopes, the intercept free

Columns are expected to be standardised; `x` has no intercept column. With weights the likelihood is that of
their effective number of rows, so that penalties weigh against what the rows are worth, and the covariance is
the sandwich (Huber 1967), which asks nothing of what the weights mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import special

from allocator.errors import Fault, InputError
from allocator.extras import require
from allocator.records.portfolio import Floats
from allocator.scoring.information import information, leverages
from allocator.scoring.reading import weighted_sum
from allocator.scoring.separation import separating_columns, separating_together
from allocator.scoring.weighting import effective, mean

Penalty = Literal["none", "firth", "flic", "ridge"]
STEPS = 200
PENALISED_STEPS = 2000
"""Near separation the penalty alone pulls, and steps shrink by a constant factor."""
TOLERANCE = 1e-10
CLOSE = 1e-6
"""Step ahead at which a fit to a fold is left, whose PDs then lack less than a tenth of it."""
SMALL = 0.05
"""Leverage up to which the information alone makes a good step."""
NEAR = 0.1
"""Largest step from which leverages are computed anew each time; until then old ones do."""
NORMAL_95 = 1.959963984540054


@dataclass(frozen=True)
class LogitFit:
    """A fitted logit; index 0 is the intercept."""

    names: tuple[str, ...]
    """(k + 1,) "intercept", then the columns."""
    coefficients: Floats
    covariance: Floats
    """(k + 1, k + 1) inverse of the (penalised) information at the fit; with weights the sandwich."""
    penalty: Penalty
    strength: float
    log_likelihood: float
    """Unpenalised, at the fit; of weights of mean 1."""
    n: int
    events: int

    def linear(self, x: Floats) -> Floats:
        """(n,) log-odds."""
        return np.asarray(self.coefficients[0] + weighted_sum(x, self.coefficients[1:]))

    def wald(self, scales: Floats | None = None, signs: Sequence[int] | None = None) -> pd.DataFrame:
        """Wald tests, one row a coefficient: estimate, standard error, z, two-sided p, 95 % interval.

        `scales` (k,) puts slopes on the scale of the variables; `signs` (k,) adds the expected sign
        and `agrees` (None where none is expected).
        """
        unit = np.concatenate([[1.0], np.ones(len(self.names) - 1) if scales is None else scales])
        estimate = self.coefficients / unit
        error = np.sqrt(np.diag(self.covariance)) / unit
        z = estimate / error
        table = pd.DataFrame(
            {
                "estimate": estimate,
                "standard_error": error,
                "z": z,
                "p": 2 * special.ndtr(-np.abs(z)),
                "low": estimate - NORMAL_95 * error,
                "high": estimate + NORMAL_95 * error,
            },
            index=pd.Index(self.names, name="variable"),
        )
        if signs is not None:
            expected = [0, *signs]
            table["expected"] = expected
            pairs = zip(expected, estimate, strict=True)
            table["agrees"] = pd.array(
                [None if e == 0 else bool(e * b > 0) for e, b in pairs], dtype="boolean"
            )
        return table


def fit_logit(
    x: Floats,
    y: Floats,
    names: Sequence[str],
    penalty: Penalty = "flic",
    strength: float = 1.0,
    *,
    weights: Floats | None = None,
    start: Floats | None = None,
) -> LogitFit:
    """Fit y (n,) in {0, 1} on x (n, k); `weights` (n,) have mean 1, a penalised search begins at `start`.

    Raises InputError: one class only, not more rows than columns, or (penalty none) separation,
    with the columns that separate.
    """
    design, counts, ridge = _ordered(x, y, penalty, strength, weights)
    coefficients = _coefficients(design, y, names, penalty, (counts, ridge), weights, start)
    p = special.expit(design @ coefficients)
    covariance = np.linalg.inv(information(design, counts * p * (1 - p)) + np.diag(ridge))
    if weights is not None:
        covariance = covariance @ information(design, (counts * (y - p)) ** 2) @ covariance
    return LogitFit(
        names=("intercept", *names),
        coefficients=coefficients,
        covariance=np.asarray(covariance, dtype=np.float64),
        penalty=penalty,
        strength=strength if penalty == "ridge" else 0.0,
        log_likelihood=_log_likelihood(design, y, coefficients, 1.0 if weights is None else weights),
        n=len(y),
        events=int(y.sum()),
    )


def coefficients_of(
    x: Floats,
    y: Floats,
    names: Sequence[str],
    penalty: Penalty = "flic",
    strength: float = 1.0,
    *,
    weights: Floats | None = None,
    start: Floats | None = None,
) -> Floats:
    """(k + 1,) the coefficients of `fit_logit` to CLOSE, without errors. Raises InputError as it does."""
    design, counts, ridge = _ordered(x, y, penalty, strength, weights)
    return _coefficients(design, y, names, penalty, (counts, ridge), weights, start, CLOSE)


def _ordered(
    x: Floats, y: Floats, penalty: Penalty, strength: float, weights: Floats | None
) -> tuple[Floats, Floats | float, Floats]:
    """The design (n, k + 1), how often each row counts, and the ridge (k + 1,). Raises InputError."""
    _check(x, y)
    counts = 1.0 if weights is None else weights * (effective(len(y), weights) / len(y))
    ridge = np.full(x.shape[1] + 1, strength if penalty == "ridge" else 0.0)
    ridge[0] = 0.0
    return np.column_stack([np.ones(len(x)), x]), counts, ridge


def _coefficients(
    design: Floats,
    y: Floats,
    names: Sequence[str],
    penalty: Penalty,
    ordered: tuple[Floats | float, Floats],
    weights: Floats | None,
    start: Floats | None,
    tolerance: float = TOLERANCE,
) -> Floats:
    """(k + 1,) those of the penalty; `ordered` are counts and ridge."""
    counts, ridge = ordered
    if penalty == "none":
        return _maximum_likelihood(design, y, names, counts)
    firth = penalty != "ridge"
    coefficients = _newton(
        design, y, names, firth=firth, ridge=ridge, counts=counts, start=start, tolerance=tolerance
    )
    return _refit_intercept(design, y, coefficients, weights) if penalty == "flic" else coefficients


def fit_fractional(x: Floats, y: Floats, names: Sequence[str], weights: Floats | None = None) -> LogitFit:
    """Fit shares y (n,) in [0, 1] on x (n, k) by the Bernoulli quasi-likelihood; `weights` (n,) have mean 1.

    The covariance is the sandwich with n / (n - k - 1), which needs no variance to be right (Papke and
    Wooldridge 1996). Raises InputError: shares that are all 0 or all 1, not more rows than columns.
    """
    faults = []
    if len(y) and float(y.mean()) in (0.0, 1.0):
        faults.append(Fault(f"every share is {y[0]:g}", "give loans of which some lost more than others"))
    if len(x) <= x.shape[1] + 1:
        problem = f"{len(x)} rows cannot carry {x.shape[1]} columns"
        faults.append(Fault(problem, "give more rows or fewer variables"))
    if faults:
        raise InputError.of(faults, "Fractional logit")
    design = np.column_stack([np.ones(len(x)), x])
    counts, ridge = 1.0 if weights is None else weights, np.zeros(design.shape[1])
    coefficients = _newton(design, y, names, firth=False, ridge=ridge, counts=counts)
    p = special.expit(design @ coefficients)
    inverse = np.linalg.inv(information(design, counts * p * (1 - p)))
    meat = information(design, (counts * (y - p)) ** 2) * len(y) / (len(y) - design.shape[1])
    return LogitFit(
        names=("intercept", *names),
        coefficients=coefficients,
        covariance=np.asarray(inverse @ meat @ inverse, dtype=np.float64),
        penalty="none",
        strength=0.0,
        log_likelihood=_log_likelihood(design, y, coefficients, counts),
        n=len(y),
        events=int((y > 0).sum()),
    )


def _check(x: Floats, y: Floats) -> None:
    faults = []
    if len(y) and not np.isin(y, (0, 1)).all():
        row = int(np.flatnonzero(~np.isin(y, (0, 1)))[0]) + 1
        faults.append(Fault(f"{y[row - 1]:g} is no outcome", "write 1 for a default, 0 for none", row=row))
    elif len(np.unique(y)) < 2:
        what = "no default" if len(y) == 0 or y[0] == 0 else "nothing but defaults"
        faults.append(Fault(f"the outcomes hold {what}", "give firms of both kinds"))
    if len(x) <= x.shape[1] + 1:
        faults.append(
            Fault(f"{len(x)} rows cannot carry {x.shape[1]} columns", "give more rows or fewer variables")
        )
    if faults:
        raise InputError.of(faults, "Logit")


def _maximum_likelihood(design: Floats, y: Floats, names: Sequence[str], counts: Floats | float) -> Floats:
    """statsmodels' fit, with weights this module's; separation is looked for here."""
    import warnings

    require("scoring")
    from statsmodels.discrete.discrete_model import Logit
    from statsmodels.tools.sm_exceptions import PerfectSeparationError

    converged = True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            if isinstance(counts, float):
                result = Logit(y, design).fit(disp=0, maxiter=STEPS, method="newton")
                converged = bool(result.mle_retvals["converged"])
                coefficients = np.asarray(result.params)
            else:
                free = np.zeros(design.shape[1])
                coefficients = _newton(design, y, names, firth=False, ridge=free, counts=counts)
        except (np.linalg.LinAlgError, PerfectSeparationError):
            converged, coefficients = False, np.zeros(design.shape[1])
    if not converged or not np.isfinite(coefficients).all() or np.abs(coefficients[1:]).max(initial=0) > 30:
        remedy = "use penalty flic, firth or ridge, or leave {} out"
        raise InputError.of(_separation_faults(design[:, 1:], y, names, remedy), "Logit")
    return coefficients


def _separation_faults(x: Floats, y: Floats, names: Sequence[str], remedy: str) -> list[Fault]:
    """What separates: each column of x (n, k) that does so alone, and a combination of the others."""
    alone = separating_columns(x, y, names)
    others = [j for j, name in enumerate(names) if name not in alone]
    together = separating_together(x[:, others], y, [names[j] for j in others]) if others else []
    problem = "defaults are separated perfectly"
    faults = [Fault(f"{problem} by it", remedy.format("it"), field=name) for name in alone]
    if together or not alone:
        of = f": {', '.join(together)}" if together else " (several columns together)"
        faults.append(Fault(f"{problem}{of}", remedy.format("them")))
    return faults


def _newton(
    design: Floats,
    y: Floats,
    names: Sequence[str],
    *,
    firth: bool,
    ridge: Floats,
    counts: Floats | float = 1.0,
    start: Floats | None = None,
    tolerance: float = TOLERANCE,
) -> Floats:
    """Maximise the penalised likelihood, each row `counts` times, by Newton's method with step halving.

    Firth's score (his eq. 5.2): X'(y - p + h (1/2 - p)), h the leverages of the weighted fit. It is that
    of data with h more half-successes a row, so where a leverage is large the step weighs each row 1 + h:
    with the information alone, a row of leverage 1 would be overshot by its own size, for ever.
    """
    coefficients = np.zeros(design.shape[1]) if start is None else start
    leverage, far = np.zeros(len(y)), np.inf
    p, whole, objective = _penalised(design, y, coefficients, firth, ridge, counts)
    for number in range(PENALISED_STEPS):
        if firth and (number == 0 or far < NEAR or leverage.max() > SMALL):
            leverage = leverages(design, counts * p * (1 - p), whole)
        curvature = whole
        if leverage.max() > SMALL:
            curvature = information(design, p * (1 - p) * (counts + leverage)) + np.diag(ridge)
        slope = design.T @ (counts * (y - p) + leverage * (0.5 - p)) - ridge * coefficients
        step = np.linalg.solve(curvature, slope)
        step *= min(1.0, 5.0 / max(float(np.abs(step).max()), 1e-300))
        for _ in range(40):
            p, whole, tried = _penalised(design, y, coefficients + step, firth, ridge, counts)
            if tried >= objective - 1e-12 * abs(objective):
                break
            step = step / 2
        before, far = far, float(np.abs(step).max())
        coefficients, objective = coefficients + step, tried
        ahead = far * (min(1.0, 10 * far / before) if before < NEAR else 1.0)  # steps go on shrinking so
        if ahead < tolerance * max(1.0, float(np.abs(coefficients).max())):
            return coefficients
    problem = f"the fit has not settled after {PENALISED_STEPS} steps"
    guilty = separating_columns(design[:, 1:], y, names) or separating_together(design[:, 1:], y, names)
    if guilty:
        problem += f": defaults are separated perfectly, {', '.join(guilty)}"
    fault = Fault(problem, "leave out what separates, cut outliers, or use penalty ridge")
    raise InputError.of([fault], "Logit")


def _penalised(
    design: Floats, y: Floats, coefficients: Floats, firth: bool, ridge: Floats, counts: Floats | float
) -> tuple[Floats, Floats, float]:
    """Probabilities (n,), the (penalised) information and the objective at `coefficients`."""
    eta = design @ coefficients
    p = special.expit(eta)
    whole = information(design, counts * p * (1 - p)) + np.diag(ridge)
    value = likelihood_at(eta, y, counts) - 0.5 * float(ridge @ coefficients**2)
    if firth:
        value += 0.5 * float(np.linalg.slogdet(whole)[1])
    return p, whole, value


def _log_likelihood(design: Floats, y: Floats, coefficients: Floats, counts: Floats | float = 1.0) -> float:
    return likelihood_at(design @ coefficients, y, counts)


def likelihood_at(eta: Floats, y: Floats, counts: Floats | float) -> float:
    """The log-likelihood of outcomes y (n,) at log-odds `eta` (n,)."""
    return float((counts * y) @ eta - (counts * np.logaddexp(0, eta)).sum())


def _refit_intercept(design: Floats, y: Floats, coefficients: Floats, weights: Floats | None) -> Floats:
    """Move the intercept until the mean probability is the observed share."""
    root = shift_to(design[:, 1:] @ coefficients[1:], mean(y, weights), weights)
    return np.concatenate([[root], coefficients[1:]])


def shift_to(log_odds: Floats, rate: float, weights: Floats | None = None) -> float:
    """The constant by which the mean probability of `log_odds` (n,) plus it is `rate`, in (0, 1).

    Newton's method inside a bracket that each step narrows.
    """
    middle = float(special.logit(rate))
    low, high = middle - float(log_odds.max()), middle - float(log_odds.min())
    shift = (low + high) / 2
    while low < shift < high:
        p = special.expit(shift + log_odds)
        gap = mean(p, weights) - rate
        low, high = (low, shift) if gap > 0 else (shift, high)
        slope = mean(p * (1 - p), weights)
        tried = shift - gap / slope if slope > 0 else np.nan
        if abs(tried - shift) <= 1e-13 * max(1.0, abs(shift)):
            return tried
        shift = tried if low < tried < high else (low + high) / 2
    return shift
