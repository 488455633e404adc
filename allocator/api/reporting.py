"""A run, or a comparison, as the report that a committee decides on; `allocator report` writes it so too."""

from __future__ import annotations

import os
from pathlib import Path

from allocator.api.about_strategies import Subject, compare
from allocator.api.runs import Progress, is_stored, silent, stored_run, under_usual
from allocator.api.words import public_function
from allocator.errors import Fault, InputError
from allocator.insight.compare.compare import Comparison
from allocator.insight.dossier import dossier_of
from allocator.records.document import value_at
from allocator.records.run import StoredRun
from allocator.records.scenario import Scenario
from allocator.report.committee.proof import Provenance
from allocator.report.committee.view import ENDINGS, run_view, sides_view
from allocator.report.view import View
from allocator.store.file import require_file, text_content, write_files
from allocator.summary import digest

_LARGEST_CARD = 20_000
"""Characters of a model card that are shown."""


@public_function
def write_report(
    *subjects: Subject,
    out: str | os.PathLike[str],
    quick: bool = False,
    force: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Write a run as the page that a committee decides on: `allocator report`; return where.

    subjects  a Run, or the folder of a saved one; or two and more, scenarios too, to be compared
    out       a file ending in .html, which needs no network to be read, or in .md; `force` replaces one
    quick     solve less: three budgets, levers by shadow prices alone

    What is decided, whether it is proven, what binds, what may go wrong: docs/report.md. Raises InputError
    for a scenario alone and for a file that may not be written, else as `verify` and `compare`.

    >>> from allocator import allocate, write_report
    >>> run = allocate("scenarios/sme-302.yaml")
    >>> write_report(run, out="report.html", quick=True, force=True).name
    'report.html'
    """
    path, tell = Path(out), progress or silent
    require_file(path, ENDINGS, force=force)
    if len(subjects) == 1:
        (subject,) = subjects
        if not is_stored(subject):
            fault = Fault("a scenario alone is no run", "give what allocate returns of it", field="subjects")
            raise InputError.of([fault], "write_report")
        with stored_run(subject) as stored:
            view = _run_report(stored, path, tell, quick=quick)
    else:
        record = compare(*subjects, exact=not quick, progress=tell).record
        view = sides_report(record, path)
    write_files({place: text_content(str(text)) for place, text in view.files.items()})
    return path


def _run_report(stored: StoredRun, path: Path, tell: Progress, *, quick: bool = False) -> View:
    """The report of a stored run, for `path`."""
    rules, notes = under_usual(stored)
    dossier = dossier_of(stored, rules, tell, notes=notes, quick=quick)
    tell("writing the report")
    text = stored.scenario_path.read_text("utf-8")
    return run_view(
        dossier, Provenance(stored.folder.resolve().name, text, cards_of(dossier.run.scenario)), path
    )


def sides_report(comparison: Comparison, path: Path) -> View:
    """The report of a comparison, for `path`."""
    digests = [digest(side.scenario, side.certificate) for side in comparison.sides]
    return sides_view(comparison, digests, path)


def cards_of(scenario: Scenario) -> dict[str, str]:
    """The Markdown file beside each file that the scenario reads, where there is one."""
    cards = {}
    for place in scenario.paths:
        path = Path(str(value_at(scenario.document, place)))
        card = path.with_suffix(".md")
        if card.is_file():
            text = card.read_text("utf-8", errors="replace")
            cards[path.name] = text[:_LARGEST_CARD] + ("\n..." if len(text) > _LARGEST_CARD else "")
    return cards
