"""Sums of many doubles by row, off by next to nothing whatever their order."""

from __future__ import annotations

from math import frexp

import numpy as np

from allocator.records.portfolio import Codes, Floats

CHUNK = 16_384
"""Borrowers that are added up at a time."""
_BITS = 38
"""Bits of each that are added without rounding."""


def sums_by_code(codes: Codes, amounts: Floats, count: int) -> Floats:
    """(count,) sum of `amounts` by code; code -1 counts nowhere.

    `bincount` adds one by one: so all but the last bits of each are added as whole numbers of a power of
    two, without rounding, and what that leaves is too little to count.
    """
    total = np.zeros(count)
    for start in range(0, len(amounts), CHUNK):
        own, places = amounts[start : start + CHUNK], codes[start : start + CHUNK] + 1
        quantum = 2.0 ** (frexp(float(np.max(np.abs(own))))[1] - _BITS)
        whole = np.rint(own / quantum)
        for part, unit in ((whole, quantum), (own - whole * quantum, 1.0)):
            total += np.bincount(places, part, minlength=count + 1)[1:] * unit
    return total
