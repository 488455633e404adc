"""What became of invented borrowers: when each was decided, what its books said, how its loan ended.

The stated PD is that of an ordinary year. Good and bad years move all of its log-odds alike; leverage and
margin follow it with noise, so that a scorecard can find it again in part.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from allocator.errors import Fault, InputError
from allocator.records.portfolio import Floats

_CLIMATE = 0.4
"""Standard deviation over years of the log-odds of default."""
DRAWN = (0.5, 1.0)
"""Least and largest share of the request that was lent."""
_LOSS_SPREAD = 0.15
"""Standard deviation of the fraction lost around the stated LGD."""
_DELAYS = (0.2, 0.5, 0.3)
"""Shares of the defaults that became known 0, 1 and 2 years after the decision."""


def climates(years: range, random: np.random.Generator) -> Floats:
    """(years,) what each year adds to every borrower's log-odds of default."""
    if not len(years):
        fault = Fault("no year lies between them", "name the first year first", field="years")
        raise InputError.of([fault], "synthetic portfolio")
    return random.normal(0.0, _CLIMATE, len(years))


def with_history(part: pa.Table, years: range, climate: Floats, random: np.random.Generator) -> pa.Table:
    """`part` (n rows) with its past; the same random numbers give the same one.

    year: of the decision; leverage: debt over assets; margin: profit over turnover; age: years in
    business; default: 1 or 0, and in default_year the year it became known; owed and lost: money.
    """
    n = part.num_rows
    drawn_year = random.integers(len(years), size=n)
    pd = part["pd"].to_numpy()
    odds = np.log(pd / (1.0 - pd))
    leverage = 1.0 / (1.0 + np.exp(-0.4 * odds - 1.2 + random.normal(0.0, 0.6, n)))
    margin = 0.02 - 0.02 * odds + random.normal(0.0, 0.05, n)
    age = np.ceil(random.gamma(2.0, 6.0, n))
    default = random.random(n) * (1.0 + np.exp(-odds - climate[drawn_year])) < 1.0
    owed = (part["max_amount"].to_numpy() * random.uniform(*DRAWN, n) / 1_000).round() * 1_000
    lost = owed * np.clip(part["lgd"].to_numpy() + random.normal(0.0, _LOSS_SPREAD, n), 0.0, 1.0)
    year = np.array(years)[drawn_year]
    known_year = year + random.choice(len(_DELAYS), n, p=_DELAYS)
    columns = {
        "year": year,
        "leverage": leverage.round(3),
        "margin": margin.round(3),
        "age": age.astype(np.int64),
        "default": default.astype(np.int64),
        "default_year": pa.array(known_year, mask=~default),
        "owed": owed.astype(np.int64),
        "lost": np.where(default, lost, 0.0).astype(np.int64),
    }
    return pa.table(dict(zip(part.column_names, part.columns, strict=True)) | columns)
