"""Random numbers by seed, purpose and block: the same whoever draws them, in whatever order."""

from __future__ import annotations

import numpy as np

FACTORS, DEFAULTS, TAKE_UP, RECOVERY = range(4)
"""Purposes."""


def stream(seed: int, purpose: int, block: int) -> np.random.Generator:
    """A counter-based generator (Philox) of its own for each purpose and block of years."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=(purpose, block))))
