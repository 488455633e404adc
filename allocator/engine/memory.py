"""What memory the process has in use."""

from __future__ import annotations

import resource
from pathlib import Path

_PAGES = Path("/proc/self/statm")
"""Size and resident size, in pages."""


def memory_in_use() -> float:
    """Resident bytes; where the system does not tell, the most that there ever were."""
    if _PAGES.exists():
        return float(int(_PAGES.read_text(encoding="ascii").split()[1]) * resource.getpagesize())
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
