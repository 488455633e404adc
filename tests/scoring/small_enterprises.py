"""The invented small enterprises that are shipped: `python -m tests.scoring.small_enterprises` writes them.

356 firms of 2018 to 2020 with the 19 variables of models/scorecards/small-enterprise-schema.json, as many
and of those years as the default risk thesis has; none of them exists. Defaults are drawn by a stated logit.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import special

FILE = Path(__file__).resolve().parents[2] / "scenarios" / "data" / "small-enterprise-356.csv"
FIRMS = 356
"""As many as the default risk thesis has."""
STRENGTH = {
    "business_years": -0.9,
    "registered_capital": -0.6,
    "debt_to_asset_ratio": 0.9,
    "cash_ratio": -0.8,
    "total_lending": 0.6,
    "loan_term": 0.6,
    "special_support": -0.7,
}
"""Effect of one standard deviation on the log-odds: the default risk thesis's signs, sizes ours."""
INTERCEPT = -1.9
SEED = 2018
_LOGS = {
    "business_years": (7, 0.6, 0),
    "registered_capital": (2_000_000, 0.9, -4),
    "employees": (25, 0.8, 0),
    "total_lending": (800_000, 0.7, -4),
}
"""Median, deviation of the logarithm, decimals."""
_NUMBERS = {
    "owner_experience_years": (12, 5, 0),
    "debt_to_asset_ratio": (0.55, 0.15, 3),
    "cash_ratio": (0.35, 0.12, 3),
    "current_ratio": (1.4, 0.35, 2),
    "return_on_assets": (0.06, 0.04, 3),
    "sales_growth": (0.08, 0.15, 3),
    "receivables_turnover": (6, 1.8, 1),
    "loan_term": (24, 8, 0),
    "guaranteed_share": (0.5, 0.2, 2),
    "interest_rate": (0.055, 0.008, 4),
    "relationship_years": (5, 2, 0),
}
"""Mean, deviation, decimals."""
_COUNTS = {"legal_disputes": 0.4, "lending_banks": 1.5}
"""Means of counts."""
_FLAGS = {"special_support": 0.4, "collateral_required": 0.6}
"""Shares of 1."""
_NOT_BELOW_0 = {"owner_experience_years", "debt_to_asset_ratio", "cash_ratio", "current_ratio"} | {
    "receivables_turnover",
    "guaranteed_share",
    "relationship_years",
}


def invented() -> pd.DataFrame:
    """The firms, in the order of the schema's groups, and what became of their loans."""
    generator = np.random.default_rng(SEED)
    columns: dict[str, np.ndarray] = {}
    for name, (middle, spread, decimals) in _LOGS.items():
        drawn = np.exp(np.log(middle) + spread * generator.normal(size=FIRMS))
        columns[name] = np.maximum(np.round(drawn, decimals), 10.0**-decimals)
    for name, (middle, spread, decimals) in _NUMBERS.items():
        drawn = np.round(middle + spread * generator.normal(size=FIRMS), decimals)
        columns[name] = np.maximum(drawn, 0.0) if name in _NOT_BELOW_0 else drawn
    columns["loan_term"] = np.clip(np.round(columns["loan_term"] / 3) * 3, 6, 48)
    columns["guaranteed_share"] = np.minimum(columns["guaranteed_share"], 1.0)
    for name, mean in _COUNTS.items():
        columns[name] = generator.poisson(mean, FIRMS) + (name == "lending_banks")
    for name, share in _FLAGS.items():
        columns[name] = (generator.random(FIRMS) < share).astype(int)
    odds = np.full(FIRMS, INTERCEPT)
    for name, weight in STRENGTH.items():
        values = np.log(columns[name]) if name in _LOGS else columns[name].astype(float)
        odds += weight * (values - values.mean()) / values.std()
    years = generator.integers(2018, 2021, FIRMS)
    defaults = (generator.random(FIRMS) < special.expit(odds)).astype(int)
    whole = {name for name, values in columns.items() if (values == np.rint(values)).all()}
    frame = pd.DataFrame(
        {name: values.astype(int) if name in whole else values for name, values in columns.items()}
    )
    frame.insert(0, "borrower_id", [f"F{number:03d}" for number in range(1, FIRMS + 1)])
    return frame.assign(year=years, default=defaults)


def text() -> str:
    """The file's content."""
    out = io.StringIO()
    invented().to_csv(out, index=False, lineterminator="\n")
    return out.getvalue()


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
