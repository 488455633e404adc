"""A report as commands write it: the page or its Markdown, and what the terminal says of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Group

from allocator.insight.compare.compare import Comparison
from allocator.insight.dossier import Dossier
from allocator.records.workbook import Workbook
from allocator.report.committee.blocks import Report
from allocator.report.committee.comparison import comparison_report
from allocator.report.committee.documents import SWAPPED, documents_of
from allocator.report.committee.figure import Documents
from allocator.report.committee.markdown import markdown_of
from allocator.report.committee.page import report_of
from allocator.report.committee.paper import paper_of
from allocator.report.committee.proof import Provenance
from allocator.report.committee.web import html_of
from allocator.report.comparison import comparison_view
from allocator.report.plain import Text
from allocator.report.printing import printed
from allocator.report.view import View
from allocator.report.workbook.book import workbook_of

ENDINGS = (".html", ".md", ".pdf")


def written(report: Report, path: Path) -> str | bytes:
    """The report in the format that the ending of `path` names."""
    match path.suffix.lower():
        case ".md":
            return markdown_of(report)
        case ".pdf":
            return printed(paper_of(report), {}, ".pdf")
    return html_of(report)


def run_view(dossier: Dossier, stood: Provenance, path: Path | None, book: Path | None = None) -> View:
    """The report of a run for `path`, and its workbook for `book`; as JSON all that its figures are from."""
    docs = documents_of(dossier)
    report = report_of(dossier, stood, docs)
    verdict = "".join(str(getattr(part, "text", part)) for part in report.seal[0])
    files: dict[Path, str | bytes | Workbook] = {}
    places = {}
    if path is not None:
        files[path], places["report"] = written(report, path), str(path)
    if book is not None:
        files[book], places["workbook"] = workbook_of(dossier, stood, docs), str(book)
    told = [Text(f"{word.capitalize()} written to {place}") for word, place in places.items()]
    return View(
        page=lambda: Group(Text(f"{dossier.run.name}: {verdict}", style="bold"), *told),
        document=lambda: {**places, **docs.parts},
        files=files,
    )


def sides_view(comparison: Comparison, digests: Sequence[str], path: Path, notes: Sequence[str] = ()) -> View:
    """The report of a comparison, for `path`; `digests` are those of the sides' scenarios and inputs."""
    first = comparison.sides[0]
    named = zip(comparison.sides, digests, strict=True)
    runs = [{"name": side.name, "digest": digest} for side, digest in named]
    compared = comparison_view(comparison, SWAPPED, notes).document()
    docs = Documents({"compare": compared, "runs": runs}, first.currency)
    report = comparison_report(docs)
    return View(
        page=lambda: Group(Text(report.title, style="bold"), Text(f"Report written to {path}")),
        document=lambda: {"report": str(path), **docs.parts},
        files={path: written(report, path)},
    )
