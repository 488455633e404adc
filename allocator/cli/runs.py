"""A run's folder as the outcome that questions are asked of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from allocator.borrowers import FurtherColumns
    from allocator.records.outcome import Outcome
    from allocator.records.progress import Progress


def rechecked(folder: Path, tell: Progress, further: FurtherColumns | None = None) -> Outcome:
    """The run in `folder` once it passes its recheck; its portfolio has the `further` columns too.

    What is no run is refused before the engine is loaded.
    """
    from allocator.store import read_run

    tell("reading the run")
    stored = read_run(folder)
    from allocator.borrowers import NO_MORE
    from allocator.verification import recheck_run

    tell("recomputing it from its inputs")
    return recheck_run(stored, further or NO_MORE)
