"""Price lists: one posted rate a grade, which every borrower of the grade without a rate of its own gets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Pricing = Literal["individual", "per_grade", "monotone"]
"""Each borrower has a rate of its own; one rate a grade; and rates that never fall from grade to grade."""
PriceList = Mapping[str, float]
"""Grade -> its posted rate."""
