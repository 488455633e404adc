"""The end of every fit: a place that can be written to, the files written, and what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from allocator.cli.misuse import misused
from allocator.cli.shell import show
from allocator.errors import Fault, gathering

if TYPE_CHECKING:
    from allocator.scoring.fitting import Fit


def target_faults(folder: Path, name: str) -> list[Fault]:
    """Which options are misused, and why nothing can be written there, told with the faults of files."""
    from allocator.scoring.fitted import check_name

    faults = misused()
    with gathering(faults):
        check_name(name)
    if folder.exists() and not folder.is_dir():
        faults.append(Fault(f"{folder} is a file", "name a folder", field="--out"))
    return faults


def finish(fit: Fit, folder: Path, name: str, as_json: bool) -> None:
    """Write what was fitted and say what came of it."""
    from allocator.api.scoring import files_beside
    from allocator.report.frame import frame_table, table_rows
    from allocator.report.plain import Text
    from allocator.report.view import View
    from allocator.scoring.fitted import write_fitted

    path = write_fitted(folder, name, fit.document, fit.card, files_beside(fit, name))
    tables = (part for title, table in fit.tables.items() for part in (frame_table(title, table), ""))
    metrics = (Text(f"{label}: {value}") for label, value in fit.card.metrics.items())
    warnings = (Text(f"warning: {warning}") for warning in fit.figures.get("warnings", ()))
    written = f"written to {path}, card {path.with_suffix('.md').name}"
    view = View(
        page=lambda: (*tables, *metrics, *warnings, written),
        document=lambda: {"file": str(path), **fit.figures, **table_rows(fit.tables)},
    )
    show(view, as_json)
