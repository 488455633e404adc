"""A run on one page of the terminal: what was decided, what it earns, which limits shape it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from rich.cells import cell_len
from rich.console import Group, RenderableType

from allocator.records.ledger import LINES
from allocator.records.run import Run
from allocator.report.broken import broken_lines, broken_of, share_of
from allocator.report.charts import Axis, Chart, Series
from allocator.report.limits import limits_table
from allocator.report.money import Unit, percent, small, unit_for
from allocator.report.plain import Text, notes_of, plain_table, reasons_table, side_by_side
from allocator.report.room import WIDTH, room
from allocator.report.view import View

_OWN, _OTHER = LINES[:4], LINES[4:]
"""Lines with a column of their own in the grades' table, and costs that share one, where there are any."""
_AMOUNTS = {"offered": "offered", "drawn": "drawn", **{line.name: line.heading for line in _OWN}}
"""Key of the summary -> heading."""
_WIDEST_GRADE = 12
_MOST_GRADES = 20


def run_view(run: Run, folder: Path | None = None) -> View:
    """A run on its page, in the figures of summary.json, and as bars by grade."""
    return View(
        page=lambda: result_page(run, folder), document=lambda: run.summary, chart=lambda: _chart(run.summary)
    )


def _chart(summary: Mapping[str, Any]) -> Chart:
    """What the offers of each grade come to, in the page's order of lines."""
    grades = summary["by_grade"]
    series = [
        Series(heading, list(grades), [figures[key] for figures in grades.values()], "bars")
        for key, heading in {**{line.name: line.heading for line in LINES}, "value": "value"}.items()
        if any(figures[key] for figures in grades.values())
    ]
    title = f"{summary['name']}: {summary['objective']:,.2f} {summary['currency']} expected"
    return Chart(title, Axis("grade"), Axis(summary["currency"]), tuple(series))


def result_page(run: Run, folder: Path | None) -> RenderableType:
    """The page for `run`, whose files stand in `folder`, if in any; the same run gives the same page."""
    summary = run.summary
    grades = {grade: _with_other(figures) for grade, figures in summary["by_grade"].items()}
    unit = _unit(grades, summary["currency"])
    parts: list[RenderableType] = [
        _header(summary),
        "",
        _grades_table(grades, unit),
        "",
        limits_table(summary["limits"], run.scenario.policy.limits, unit),
    ]
    unspent = _unspent(summary)
    parts += ["", unspent] if unspent else []
    parts += _declined(run.allocation)
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
    share = f", {part} of it" if by_rule and part else "" if by_rule else f", gap {small(summary['gap'])}"
    lines = [
        *broken_lines(*broken_of(summary)),
        f"objective {summary['objective']:,.2f} {currency}, bound {summary['bound']:,.2f}{share}",
        f"{summary['funded']:,} of {summary['borrowers']:,} borrowers funded, "
        f"{summary['offered']:,.2f} {currency} offered, {summary['drawn']:,.2f} expected to be drawn",
    ]
    if summary["proof"] == "solver":
        lines.append(
            f"bound that verify rechecks without a solver: {summary['certified_bound']:,.2f}, "
            f"gap {small(summary['certified_gap'])}"
        )
    return Group(text, *map(Text, lines))


def _with_other(figures: Mapping[str, float]) -> dict[str, float]:
    return {**figures, "other": sum(figures[line.name] for line in _OTHER)}


def _totals(grades: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    keys = ("borrowers", "funded", *_AMOUNTS, "other", "value")
    totals = {key: sum(figures[key] for figures in grades.values()) for key in keys}
    weighted = sum(figures["mean_rate"] * figures["offered"] for figures in grades.values())
    return {**totals, "mean_rate": weighted / totals["offered"] if totals["offered"] else 0.0}


def _columns(grades: Mapping[str, Mapping[str, float]]) -> dict[str, str]:
    other = {"other": "other"} if any(figures["other"] for figures in grades.values()) else {}
    return {**_AMOUNTS, **other, "value": "value"}


def _unit(grades: Mapping[str, Mapping[str, float]], currency: str) -> Unit:
    """The unit in which the grades' table fits the page."""
    totals = _totals(grades)
    amounts = {
        heading: [figures[key] for figures in (*grades.values(), totals)]
        for key, heading in _columns(grades).items()
    }
    count = max(len("funded"), len(f"{totals['borrowers']:,}"))
    names = max(len("total"), *(cell_len(grade) for grade in grades))
    taken = min(names, _WIDEST_GRADE) + 2 * (2 + count) + len("  100.00%")
    return unit_for(amounts, currency, WIDTH - taken)


def _grades_table(grades: Mapping[str, Mapping[str, float]], unit: Unit) -> RenderableType:
    columns = _columns(grades)

    def cells(figures: Mapping[str, float]) -> list[str]:
        rate = percent(figures["mean_rate"]) if figures["offered"] else ""
        counts = (f"{int(figures['borrowers']):,}", f"{int(figures['funded']):,}")
        return [*counts, rate, *(unit.write(figures[key]) for key in columns)]

    headings = ("asked", "funded", "rate", *columns.values())
    rows = {grade: cells(figures) for grade, figures in list(grades.items())[:_MOST_GRADES]}
    totals = cells(_totals(grades))
    widths = [2 + max(map(len, column)) for column in zip(headings, totals, *rows.values(), strict=True)]
    names = min(max(len("total"), *map(cell_len, grades)), _WIDEST_GRADE)
    tables = []
    for block in side_by_side(widths, room() - names):  # a narrow page takes the columns in turn
        table = plain_table(totals=True)
        table.add_column("grade", "total", no_wrap=True, overflow="ellipsis", max_width=_WIDEST_GRADE)
        for at in block:
            table.add_column(headings[at], totals[at], justify="right", no_wrap=True)
        for grade, figures in rows.items():
            table.add_row(Text(grade), *(figures[at] for at in block))
        tables.append(table)
    hidden = len(grades) - _MOST_GRADES
    more = [f"the total includes {hidden} more grades"] if hidden > 0 else []
    return Group(Text(f"By grade, amounts in {unit}", style="bold"), *tables, *more)


def _unspent(summary: Mapping[str, Any]) -> str | None:
    """Why the budget is not spent, where it is not: by its shadow price and the binding limits."""
    unspent, unit = summary["budget_unspent"], summary["currency"]
    budget, *others = summary["limits"]
    if unspent < 0.01:
        return None
    if summary["strategy"] != "optimal":
        why = "so the strategy decides"
    elif budget["price"] > 0:
        why = "nothing more was found that fits"
    elif any(limit["binding"] and limit["price"] for limit in others):
        why = "the other limits bind first"
    else:
        why = "no further offer earns its cost"
    return f"{unspent:,.2f} of {budget['bound']:,.2f} {unit} left unspent: {why}."


def _declined(allocation: pd.DataFrame) -> Sequence[RenderableType]:
    """How many were declined, and for which reasons, the commonest first."""
    counts = allocation.loc[allocation["amount"] == 0, "reason"].value_counts()
    reasons = {str(reason): int(count) for reason, count in counts.items() if count}
    if not reasons:
        return []
    title = f"{sum(reasons.values()):,} of {len(allocation):,} borrowers declined"
    return ["", Text(title, style="bold"), reasons_table(reasons)]
