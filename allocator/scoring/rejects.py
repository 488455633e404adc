"""Reject inference: applicants who were declined, whose outcomes nobody knows, given such as others had.

    fuzzy        each twice, as a default by the weight of its PD and as repaid by the rest, the PD that of
                 a fit without them (fuzzy augmentation: Siddiqi 2006)
    parcelling   in each tenth of that fit's PD as many defaults, at random, as accepted ones there had

PD or rate times a factor, at most 1, where declined ones are held to be worse than accepted ones alike. None
of it is information: with a factor of 1 the fit learns what it knew (Banasik and Crook 2007).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import special

from allocator.errors import Fault, InputError
from allocator.records.portfolio import Floats, Integers
from allocator.scoring.levels import cell_faults
from allocator.scoring.scorecard import Rows, Scorecard
from allocator.scoring.weighting import mean, of_mean_one, part, quantiles

Inference = Literal["fuzzy", "parcelling"]


def rejected(frame: pd.DataFrame, name: str | None) -> np.ndarray:
    """(n,) whether a row is a reject: 1 in the column `name`. Raises InputError for no such mark."""
    if name is None or name not in frame.columns:
        return np.zeros(len(frame), dtype=bool)
    values = pd.to_numeric(frame[name], errors="coerce")
    wrong = (~values.isin([0, 1]) & frame[name].notna() & (frame[name].astype(str) != "")).to_numpy()
    faults = cell_faults(
        frame[name], wrong, "tells no reject", "write 1 for a reject, 0 or nothing for others"
    )
    if faults:
        raise InputError.of(faults, "Rejects")
    return (values == 1).to_numpy()


@dataclass(frozen=True)
class Rejects:
    """Applicants who were declined, and how their outcomes are inferred."""

    frame: pd.DataFrame
    weights: Floats | None
    how: Inference
    factor: float
    seed: int

    def added_to(self, rows: Rows, fit: Callable[..., Scorecard]) -> Rows:
        """`rows` of known outcomes, and the rejects with those that `fit` of these rows gives them."""
        frame, y, weights = rows
        shares = self.shares(rows, fit(frame, y, weights=weights))
        own = np.ones(len(shares)) if self.weights is None else self.weights
        accepted = np.ones(len(y)) if weights is None else weights
        further, outcomes, counted = [self.frame], shares.astype(int), own
        if self.how == "fuzzy":
            further, outcomes = [self.frame, self.frame], np.repeat([1, 0], len(shares))
            counted = np.concatenate([own * shares, own * (1 - shares)])
        whole = pd.concat([frame, *further], ignore_index=True)
        whole.attrs = {}
        both = pd.Series(np.concatenate([y.to_numpy(), outcomes]))
        return whole, both, of_mean_one(np.concatenate([accepted, counted]))

    def shares(self, rows: Rows, plain: Scorecard) -> Floats:
        """(rejects,) how much of each counts as a default: all or nothing, or, fuzzy, a part."""
        pds = special.expit(plain.log_odds(self.frame))
        if self.how == "fuzzy":
            return np.minimum(self.factor * pds, 1.0)
        tenths, _, rates = _tenths(rows, plain, pds)
        generator = np.random.default_rng(self.seed)
        out = np.zeros(len(pds))
        for tenth, rate in enumerate(rates):
            inside = np.flatnonzero(tenths == tenth)
            number = round(min(rate * self.factor, 1.0) * len(inside))
            out[generator.permutation(inside)[:number]] = 1.0
        return out

    def line(self, table: pd.DataFrame) -> str:
        """How many were given which default rate, for people."""
        told = self.figures(table)
        return (
            f"{told['rejects']:,}, {self.how}, factor {self.factor:g}: default rate {told['inferred']:.2%} "
            f"inferred, {told['default_rate']:.2%} of {told['accepted']:,} accepted"
        )

    def figures(self, table: pd.DataFrame) -> dict[str, float]:
        """The same, for JSON."""
        whole = dict(zip(map(str, table.columns), table.to_numpy(float)[-1].tolist(), strict=True))
        return whole | {name: int(whole[name]) for name in ("accepted", "rejects")}

    @property
    def warning(self) -> str:
        """What inference cannot do."""
        return (
            f"the outcomes of {len(self.frame):,} rejects are inferred, not observed: this creates no "
            "information. Standard errors are too small, the validation is of accepted ones alone, and what "
            f"differs from the fit without them is the factor of {self.factor:g}"
        )

    def table(self, rows: Rows, plain: Scorecard) -> pd.DataFrame:
        """One row a tenth of the accepted ones' PD, and one of all: how many, and their default rates."""
        shares = self.shares(rows, plain)
        tenths, places, rates = _tenths(rows, plain, special.expit(plain.log_odds(self.frame)))
        table = {}
        for tenth, rate in enumerate([*rates, mean(rows[1].to_numpy(float), rows[2])]):
            of_all = tenth == len(rates)
            mine = (tenths == tenth) | of_all
            inferred = mean(shares[mine], part(self.weights, mine)) if mine.any() else np.nan
            counts = {"accepted": int(((places == tenth) | of_all).sum()), "default_rate": rate}
            table["all" if of_all else f"{tenth + 1}"] = counts | {
                "rejects": int(mine.sum()),
                "inferred": inferred,
            }
        return pd.DataFrame.from_dict(table, orient="index").rename_axis("tenth of PD")


def _tenths(rows: Rows, plain: Scorecard, pds: Floats) -> tuple[Integers, Integers, list[float]]:
    """The tenths of the known rows' PDs that `pds` lie in, those of these rows, and their default rates."""
    frame, y, weights = rows
    known = special.expit(plain.log_odds(frame))
    cuts = sorted(set(quantiles(known, np.linspace(0.1, 0.9, 9).tolist(), weights)))
    places = np.searchsorted(cuts, known, side="right")
    inside = [places == tenth for tenth in range(len(cuts) + 1)]
    rates = [mean(y.to_numpy(float)[tenth], part(weights, tenth)) if tenth.any() else 0.0 for tenth in inside]
    return np.searchsorted(cuts, pds, side="right"), places, rates


def differences(plain: Scorecard, card: Scorecard) -> pd.DataFrame:
    """One row per coefficient: without the rejects, with them, and how far that is in its standard errors.

    Empty without them where a variable has other levels or flags with them, measured from another one.
    """
    both = [[column.names for column in each.preparation.columns] for each in (plain, card)]
    alike = {name for names in both[1] if names in both[0] for name in names}
    alike |= {"intercept"} if both[0] == both[1] else set()
    now = card.wald()["estimate"]
    before = plain.wald().reindex([name if name in alike else "" for name in now.index])
    was, error = before["estimate"].to_numpy(), before["standard_error"].to_numpy()
    columns = {"without_rejects": was, "with_rejects": now, "in_standard_errors": (now - was) / error}
    return pd.DataFrame(columns, index=now.index)


def order_faults(
    how: str | None, rejects: str | None, factor: float, choose: str, time: str | None
) -> list[Fault]:
    """What does not go together: a choice of variables and a check out of time know nothing of rejects."""
    others = [name for name, asked in (("--choose", choose != "all"), ("--time", time is not None)) if asked]
    faults = []
    if (how is None) != (rejects is None):
        missing = "--reject-inference" if how is None else "--rejects"
        faults.append(Fault("is missing", "reject inference needs a column and a method", field=missing))
    if how is None and factor != 1:
        faults.append(Fault("has nothing to act on", "leave it out", field="--reject-factor"))
    if not 0 < factor < np.inf:
        faults.append(
            Fault(f"{factor:g} is no number above 0", "1 says alike, 2 twice as bad", field="--reject-factor")
        )
    if how is not None:
        faults += [
            Fault("knows nothing of rejects", "leave it or --rejects out", field=name) for name in others
        ]
    return faults
