"""Money drawn by borrowers of doubtful standing, by how doubtful it is."""

import numpy as np

from allocator.plugins import PluginMeasure


def doubt(pd: np.ndarray, lgd: np.ndarray) -> np.ndarray:
    """(n,) from 0, below a PD of 1 %, to 1, as the square root of what is lost."""
    return np.where(pd < 0.01, 0.0, np.sqrt(pd * lgd))


DOUBTFUL = PluginMeasure("drawn", columns=("pd", "lgd"), weight=doubt, counts_exposure=True)
