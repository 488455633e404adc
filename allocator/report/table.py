"""A run on one page of the terminal: what was decided, what it earns, which limits shape it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.cells import cell_len
from rich.console import Group, RenderableType

from allocator.records.ledger import LINES
from allocator.records.run import Run
from allocator.records.solution import CUT_SHORT
from allocator.report.broken import broken_lines, broken_of, share_of
from allocator.report.limits import limits_table, reasons_of
from allocator.report.money import Unit, gap, percent, unit_for
from allocator.report.named import figures_of, named_table
from allocator.report.pictures.run import run_chart
from allocator.report.plain import Text, notes_of, reasons_table
from allocator.report.room import room
from allocator.report.view import View
from allocator.report.worst import worst_table

_OWN, _OTHER = LINES[:4], LINES[4:]
"""Lines with a column of their own in the grades' table, and costs that share one, where there are any."""
_AMOUNTS = ("offered", "drawn", *(line.name for line in _OWN))
"""Keys of the summary."""
_MOST_POSTED, _FEW = 8, 4
"""Segments of a price list that are all named, and that are named where they share a rate."""
_WIDEST_GRADE = 12
_MOST_GRADES = 20


def run_view(run: Run, folder: Path | None = None) -> View:
    """A run on its page, in the figures of summary.json, and as bars by grade."""
    return View(
        page=lambda: result_page(run, folder),
        document=lambda: run.summary,
        chart=lambda: run_chart(run.summary),
    )


def result_page(run: Run, folder: Path | None) -> RenderableType:
    """The page for `run`, whose files stand in `folder`, if in any; the same run gives the same page."""
    summary = run.summary
    grades = {grade: _with_other(figures) for grade, figures in summary["by_grade"].items()}
    unit = _unit(grades, summary["currency"])
    each = summary.get("worst_of")
    parts: list[RenderableType] = [
        _header(summary),
        "",
        *([worst_table(each), ""] if each else []),
        _grades_table(grades, unit),
        "",
        limits_table(summary["limits"], run.scenario.policy.limits, unit),
    ]
    unspent = _unspent(summary)
    parts += ["", unspent] if unspent else []
    parts += _declined(run)
    parts += notes_of(summary.get("notes", ()))
    if folder is not None:
        parts += ["", Text(f"Written to {folder}", no_wrap=True, overflow="ignore")]
    return Group(*parts)


def _header(summary: Mapping[str, Any]) -> RenderableType:
    currency = summary["currency"]
    proof = {"prices": "by prices", "tree": "by prices on a tree", "solver": "by the solver's search"}
    text = Text(summary["name"], style="bold")
    by_rule = summary["strategy"] != "optimal"
    rule = f", strategy {summary['strategy']}" if by_rule else ""
    came = f": {summary['status'].replace('_', ' ')}{rule}, bound proved {proof[summary['proof']]}"
    text.append(came, style="not bold")
    part = share_of(summary)
    share = f", {part} of it" if by_rule and part else "" if by_rule else f", gap {gap(summary['gap'])}"
    worst = f", the worst of {', '.join(summary['worst_of'])}," if "worst_of" in summary else ""
    lines = [
        *broken_lines(*broken_of(summary)),
        f"objective{worst} {summary['objective']:,.2f} {currency}, bound {summary['bound']:,.2f}{share}",
        f"{summary['funded']:,} of {summary['borrowers']:,} borrowers funded, "
        f"{summary['offered']:,.2f} {currency} offered, {summary['drawn']:,.2f} expected to be drawn",
    ]
    if summary["stop"] in CUT_SHORT:
        lines.append(f"stopped by solver.{summary['stop']}: more of it may find better")
    if "price_list" in summary:
        lines.append(f"price list: {_posted(summary['price_list'])}")
    if summary["proof"] == "solver":
        lines.append(
            f"bound that verify rechecks without a solver: {summary['certified_bound']:,.2f}, "
            f"gap {gap(summary['certified_gap'])}"
        )
    return Group(text, *map(Text, lines))


def _posted(posted: Mapping[str, float]) -> str:
    """A price list; of a long one the rates, each with how many segments post it, and which where few do."""
    if len(posted) <= _MOST_POSTED:
        return ", ".join(f"{segment} {percent(rate)}" for segment, rate in posted.items())
    by_rate: dict[str, list[str]] = {}
    for segment, rate in sorted(posted.items(), key=lambda item: item[1]):
        by_rate.setdefault(percent(rate), []).append(segment)
    told = [
        f"{rate} for {', '.join(own) if len(own) <= _FEW else f'{len(own)} segments'}"
        for rate, own in by_rate.items()
    ]
    return f"{len(posted)} segments, {'; '.join(told)}"


def _with_other(figures: Mapping[str, float]) -> dict[str, float]:
    return {**figures, "other": sum(figures.get(line.name, 0.0) for line in _OTHER)}


def _totals(grades: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    keys = ("borrowers", "funded", *_AMOUNTS, "other", "value")
    totals = {key: sum(figures[key] for figures in grades.values()) for key in keys}
    rated = [("mean_rate", "offered"), *([("raroc", "capital_years")] if _on_capital(grades) else [])]
    for rate, of in rated:
        whole = sum(figures[of] for figures in grades.values())
        weighted = sum(figures[rate] * figures[of] for figures in grades.values())
        totals[rate] = weighted / whole if whole else 0.0
    return totals


def _on_capital(grades: Mapping[str, Mapping[str, float]]) -> bool:
    """Whether capital has a cost, so that a return on it is told."""
    return any("raroc" in figures for figures in grades.values())


def _columns(grades: Mapping[str, Mapping[str, float]]) -> dict[str, str]:
    """Key of the figures -> heading; what is nothing in every grade has no column, the value stands early."""
    costs = {line.name: line.heading for line in _OWN if line.sign < 0}
    others = {**costs, "other": "other"}
    kept = {key: name for key, name in others.items() if any(figures[key] for figures in grades.values())}
    return {"offered": "offered", "value": "value", "drawn": "drawn", "interest": "interest", **kept}


def _unit(grades: Mapping[str, Mapping[str, float]], currency: str) -> Unit:
    """The unit in which the grades' table fits the page."""
    totals = _totals(grades)
    amounts = {
        heading: [figures[key] for figures in (*grades.values(), totals)]
        for key, heading in _columns(grades).items()
    }
    count = max(len("funded"), len(f"{totals['borrowers']:,}"))
    names = max(len("total"), *(cell_len(grade) for grade in grades))
    taken = min(names, _WIDEST_GRADE) + 2 * (2 + count) + (1 + _on_capital(grades)) * len("  100.00%")
    return unit_for(amounts, currency, room() - taken)


def _grades_table(grades: Mapping[str, Mapping[str, float]], unit: Unit) -> RenderableType:
    columns, on_capital = _columns(grades), ["raroc"] if _on_capital(grades) else []

    def cells(figures: Mapping[str, float]) -> list[str]:
        rate = percent(figures["mean_rate"]) if figures["offered"] else ""
        counts = (f"{int(figures['borrowers']):,}", f"{int(figures['funded']):,}")
        returns = (percent(figures[key]) if figures["offered"] else "" for key in on_capital)
        return [*counts, rate, *returns, *(unit.write(figures[key]) for key in columns)]

    headings = ("asked", "funded", "rate", *map(str.upper, on_capital), *columns.values())
    shown = dict(list(grades.items())[:_MOST_GRADES])
    rows = [*map(cells, shown.values()), cells(_totals(grades))]
    figures = figures_of(headings, rows)
    table = named_table("grade", [*shown, "total"], figures, total=True)
    hidden = len(grades) - _MOST_GRADES
    more = [f"the total includes {hidden} more grades"] if hidden > 0 else []
    return Group(Text(f"By grade, amounts in {unit}", style="bold"), table, *more)


def _unspent(summary: Mapping[str, Any]) -> str | None:
    """Why the budget is not spent, where it is not: by its shadow price and those of the other limits."""
    unspent, unit = summary["budget_unspent"], summary["currency"]
    budget, *others = summary["limits"]
    if unspent < 0.01:
        return None
    if summary["strategy"] != "optimal":
        why = "so the strategy decides"
    elif budget["price"] > 0:
        why = "nothing more was found that fits"
    elif any(limit["price"] for limit in others):
        why = "the other limits bind first"
    else:
        why = "no further offer earns its cost"
    return f"{unspent:,.2f} of {budget['bound']:,.2f} {unit} left unspent: {why}."


def _declined(run: Run) -> Sequence[RenderableType]:
    """How many were declined, and for which reasons, the commonest first."""
    allocation = run.allocation
    counts = allocation.loc[allocation["amount"] == 0, "reason"].value_counts()
    reasons = {str(reason): int(count) for reason, count in counts.items() if count}
    if not reasons:
        return []
    names = [limit["name"] for limit in run.summary["limits"]]
    title = f"{sum(reasons.values()):,} of {len(allocation):,} borrowers declined"
    return ["", Text(title, style="bold"), reasons_table(reasons_of(reasons, names))]
