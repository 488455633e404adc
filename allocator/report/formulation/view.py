"""The formulation of a scenario for people, as Markdown or LaTeX, and as one JSON object."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from rich.console import RenderableType

from allocator.insight.formulation import Formulation, Rows, Span
from allocator.report.formulation.latex import latex_of, math_of
from allocator.report.formulation.markdown import markdown_of
from allocator.report.formulation.statement import fixed_of, margin_of, row_text, statement_of
from allocator.report.formulation.symbols import Symbols
from allocator.report.plain import notes_of
from allocator.report.room import room
from allocator.report.view import View

Language = Literal["markdown", "latex"]
ENDINGS: dict[str, Language] = {".md": "markdown", ".tex": "latex"}
"""The language of a file by its ending."""


def formulation_view(formulation: Formulation, language: Language, out: Path | None = None) -> View:
    """What `allocator formulation` shows; with `out` its file too, in the language of its ending."""
    files = {} if out is None else {out: written(formulation, ENDINGS[out.suffix.lower()])}
    return View(lambda: _page(formulation, language, out), lambda: _document(formulation), files=files)


def _page(formulation: Formulation, language: Language, out: Path | None) -> tuple[RenderableType, ...]:
    """The page's lines, or where they were written; then what was set and changes nothing."""
    lines = [f"Written to {out}"] if out is not None else written(formulation, language, room()).splitlines()
    return (*lines, *notes_of(formulation.case.scenario.notes))


def written(formulation: Formulation, language: Language, width: int | None = None) -> str:
    """The page in a language; as Markdown for a terminal of `width` columns, where given."""
    statement = statement_of(formulation)
    return latex_of(statement) if language == "latex" else markdown_of(statement, width)


def _document(formulation: Formulation) -> dict[str, Any]:
    symbols, policy = Symbols(formulation), formulation.case.scenario.policy
    rows = [_rows(entry, formulation, symbols) for entry in formulation.rows]
    margin, fixed = margin_of(formulation, symbols), fixed_of(formulation)
    amounts = formulation.amounts
    return {
        "name": formulation.case.scenario.name,
        "currency": policy.currency,
        "borrowers": formulation.borrowers,
        "options": formulation.options,
        "pinned": formulation.pinned,
        "margin": _both(margin),
        "fixed": _both(fixed) if fixed else None,
        "data": [
            {"symbol": _both(datum.symbol), "what": datum.what, "unit": datum.unit,
             "figures": "".join(datum.figure)}
            for datum in symbols.data()
        ],
        "sets": [
            {"symbol": _both(symbol), "what": "".join(what), "size": "".join(size)}
            for symbol, what, size in symbols.sets
        ],
        "amounts": {"smallest": _span(amounts.smallest), "largest": _span(amounts.largest),
                    "step": amounts.step},
        "limits": rows,
        "rates": [
            {"grade": grade.grade, "band": list(grade.band), "borrowers": grade.borrowers,
             "options": grade.options, "rates": _span(grade.rates), "take_up": _span(grade.take_up)}
            for grade in formulation.grades
        ],
        "declined": dict(formulation.declined),
        "notes": formulation.case.scenario.notes,
    }  # fmt: skip


def _rows(rows: Rows, formulation: Formulation, symbols: Symbols) -> dict[str, Any]:
    return {
        "name": rows.name,
        "row": _both(row_text(rows, formulation, symbols)) if rows.rows else None,
        "sense": rows.sense,
        "share": rows.share,
        "rows": [
            {"value": row.label, "borrowers": row.borrowers, "right_hand_side": row.rhs} for row in rows.rows
        ],
    }


def _both(formula: str) -> dict[str, str]:
    return {"plain": formula, "latex": math_of(formula)}


def _span(span: Span) -> list[float]:
    return [span.least, span.most]
