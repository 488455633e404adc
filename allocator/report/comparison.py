"""Sides of a comparison beside one another: for people, as figures, and as a picture."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from allocator.insight.comparison import Comparison, Pair, Side
from allocator.insight.comparison.segments import Figures
from allocator.report.charts import Axis, Chart, Series
from allocator.report.money import Unit, percent, unit_for
from allocator.report.plain import plain_table

WIDTH = 100
_NAME = 24
_MOST = 20
"""Segments and differences shown."""


def comparison_page(comparison: Comparison, top: int) -> RenderableType:
    """The page: results, by segment, then each pair's inputs, costs and swaps with its `top` borrowers."""
    unit = _unit(comparison)
    parts: list[RenderableType] = [_results(comparison, unit), *_broken(comparison)]
    parts += ["", *_simulated(comparison, unit), _by_segment(comparison, unit)]
    for pair in comparison.pairs:
        title = f"{pair.after.name} beside {pair.before.name}"
        parts += [
            "",
            Text(title, style="bold"),
            *_inputs(pair),
            *_costs(pair, unit),
            "",
            _swapped(pair, unit),
        ]
        parts += _listed(pair, top)
    return Group(*parts)


def comparison_figures(comparison: Comparison, top: int) -> dict[str, Any]:
    """The comparison as one JSON object; amounts in currency units."""
    chances = comparison.chances or (None,) * len(comparison.sides)
    rows = zip(comparison.sides, comparison.figures, comparison.segments, chances, strict=True)
    first = comparison.sides[0]
    return {
        "by": comparison.by,
        "years": comparison.years,
        "compared": [
            {
                **_side_figures(side, first),
                **_plain(asdict(figures)),
                "segments": {name: _plain(asdict(own)) for name, own in segments.items()},
                "simulated": None if chance is None else asdict(chance),
            }
            for side, figures, segments, chance in rows
        ],
        "pairs": [_pair_figures(pair, top) for pair in comparison.pairs],
    }


def comparison_chart(comparison: Comparison) -> Chart:
    """Value in all and by segment, one bar a side."""
    currency = comparison.sides[0].case.scenario.policy.currency
    names = _segment_names(comparison)
    series = [
        Series(
            side.name,
            ["all", *names],
            [figures.value, *(segments[name].value if name in segments else 0.0 for name in names)],
            kind="bars",
        )
        for side, figures, segments in zip(
            comparison.sides, comparison.figures, comparison.segments, strict=True
        )
    ]
    return Chart(f"Value by {comparison.by}", Axis(comparison.by), Axis(f"value, {currency}"), tuple(series))


def _unit(comparison: Comparison) -> Unit:
    """The unit in which the widest amounts of the results fit."""
    offered = [figures.offered for figures in comparison.figures]
    values = [figures.value for figures in comparison.figures]
    columns = {"value": values, "less": values, "offered": offered, "interest": values, "loss": values}
    return unit_for(columns, comparison.sides[0].case.scenario.policy.currency, 48)


def _results(comparison: Comparison, unit: Unit) -> RenderableType:
    first = comparison.sides[0]
    table = plain_table()
    table.add_column("", no_wrap=True, overflow="ellipsis", max_width=_NAME)
    for heading in ("value", "of bound", "less", "%", "funded", "offered", "rate", "PD", "interest", "loss"):
        table.add_column(heading, justify="right", no_wrap=True)
    for side, figures in zip(comparison.sides, comparison.figures, strict=True):
        less = first.value - side.value
        share = "" if side.share is None else percent(side.share)
        gained = "" if side is first else _relative(less, side.value)
        table.add_row(
            Text(side.name),
            unit.write(side.value),
            share,
            "" if side is first else unit.write(less),
            gained,
            f"{figures.funded:,}",
            unit.write(figures.offered),
            percent(figures.mean_rate),
            percent(figures.mean_pd),
            unit.write(figures.interest),
            unit.write(figures.expected_loss),
        )
    title = f"Results, amounts in {unit}; less: than {first.name}, % of the own value"
    return Group(Text(title, style="bold"), table)


def _relative(less: float, value: float) -> str:
    return percent(less / abs(value)) if value else ""


def _broken(comparison: Comparison) -> Iterator[RenderableType]:
    for side in comparison.sides:
        names = _breaks(side)
        if names:
            more = f" and {len(names) - 5} more" if len(names) > 5 else ""
            yield Text(f"{side.name} breaks {', '.join(names[:5])}{more}")


def _breaks(side: Side) -> list[str]:
    limits = [f"limit {use.name}" for use in side.finding.certificate.limits if use.broken]
    return limits + [f"{count:,} x {what}" for what, count in side.finding.terms_broken.items()]


def _simulated(comparison: Comparison, unit: Unit) -> Iterator[RenderableType]:
    """Net of the same simulated years."""
    if not comparison.chances:
        return
    table = plain_table()
    table.add_column("", no_wrap=True, overflow="ellipsis", max_width=_NAME)
    for heading in ("net, mean", "sd", "worst 1 %", "less", "s.e.", "years behind"):
        table.add_column(heading, justify="right", no_wrap=True)
    for side, chance in zip(comparison.sides, comparison.chances, strict=True):
        if chance is None:
            table.add_row(Text(side.name), *[""] * 5, "other borrowers")
            continue
        figures = [unit.write(one) for one in (chance.mean, chance.sd, chance.worst)]
        apart = (unit.write(chance.less), unit.write(chance.less_error), percent(chance.behind))
        table.add_row(Text(side.name), *figures, *(apart if side is not comparison.sides[0] else ("",) * 3))
    title = f"The same {comparison.years:,} simulated years for all, amounts in {unit}"
    yield Text(title, style="bold")
    yield table
    yield ""


def _by_segment(comparison: Comparison, unit: Unit) -> RenderableType:
    """Value and money offered by segment, a column a side."""
    names = _segment_names(comparison)
    parts: list[RenderableType] = []
    for what in ("value", "offered"):
        table = plain_table()
        table.add_column(comparison.by, no_wrap=True, overflow="ellipsis", max_width=_NAME)
        for side in comparison.sides:
            table.add_column(Text(side.name), justify="right", overflow="ellipsis", no_wrap=True)
        for name in names[:_MOST]:
            cells = [_cell(segments.get(name), what, unit) for segments in comparison.segments]
            table.add_row(Text(name), *cells)
        space = [""] if parts else []
        parts += [*space, Text(f"By {comparison.by}: {what}, {unit}", style="bold"), table]
    hidden = len(names) - _MOST
    return Group(*parts, *([f"and {hidden} more values of {comparison.by}"] if hidden > 0 else []))


def _segment_names(comparison: Comparison) -> list[str]:
    return sorted({name for segments in comparison.segments for name in segments})


def _cell(figures: Figures | None, what: str, unit: Unit) -> str:
    return "" if figures is None else unit.write(getattr(figures, what))


def _inputs(pair: Pair) -> Iterator[RenderableType]:
    """What differs in the inputs, a line each."""
    changed, borrowers = pair.scenario, pair.borrowers
    for one in changed[:_MOST]:
        yield Text(f"  {one.key}: {_told(one.before)} -> {_told(one.after)}", overflow="fold")
    if len(changed) > _MOST:
        yield f"  and {len(changed) - _MOST} more keys"
    if borrowers.added or borrowers.dropped:
        yield Text(
            f"  borrowers: {borrowers.added:,} added, asking for {borrowers.added_requests:,.0f}; "
            f"{borrowers.dropped:,} dropped, {borrowers.dropped_requests:,.0f}"
        )
    for column in borrowers.columns:
        sums = "" if column.before is None else f", in sum {column.before:,.6g} -> {column.after:,.6g}"
        yield Text(f"  {column.column}: {column.borrowers:,} borrowers changed{sums}")
    if math.isnan(borrowers.churn):
        yield "  churn curve: other rates or grades"
    elif borrowers.churn:
        yield f"  churn curve: changed by up to {percent(borrowers.churn)}"
    if not changed and not borrowers:
        yield "  the same inputs"


def _told(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_told(entry)}" for key, entry in value.items() if key != "enforce")
    return "none" if value is None else str(value)


def _costs(pair: Pair, unit: Unit) -> Iterator[RenderableType]:
    if not pair.steps:
        return
    table = plain_table()
    table.add_column("one change after the other", overflow="fold", max_width=46)
    for heading in ("gains at most, by prices", "gains exactly"):
        table.add_column(heading, justify="right")
    for step in pair.steps:
        exact = step.problem or ("" if step.gain is None else unit.write(step.gain))
        table.add_row(Text(step.changes), "" if step.most is None else unit.write(step.most), Text(exact))
    yield ""
    yield table


def _swapped(pair: Pair, unit: Unit) -> RenderableType:
    table = plain_table()
    table.add_column("offer", no_wrap=True)
    for heading in ("firms", "amount before", "after", "value before", "after", "gain", "PD"):
        table.add_column(heading, justify="right", no_wrap=True)
    for total in pair.swaps.totals:
        if total.borrowers:
            money = (
                total.amount_before,
                total.amount_after,
                total.value_before,
                total.value_after,
                total.gain,
            )
            table.add_row(total.kind, f"{total.borrowers:,}", *map(unit.write, money), percent(total.mean_pd))
    table.add_row("same", f"{pair.swaps.same:,}")
    return table


def _listed(pair: Pair, top: int) -> Iterator[RenderableType]:
    """The borrowers whose value changes most."""
    rows = pair.swaps.table.head(top)
    if rows.empty:
        return
    yield ""
    table = plain_table()
    table.add_column("borrower", no_wrap=True, overflow="ellipsis", max_width=16)
    table.add_column("grade", no_wrap=True, overflow="ellipsis", max_width=6)
    for heading in ("PD", "amount before", "after", "rate before", "after", "gain"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows.to_dict("records"):
        amounts = [f"{row[key]:,.0f}" for key in ("amount_before", "amount_after")]
        rates = [percent(row[key]) if row[key] else "" for key in ("rate_before", "rate_after")]
        gain = f"{row['gain']:,.0f}"
        table.add_row(
            Text(str(row["borrower_id"])), Text(str(row["grade"])), percent(row["pd"]), *amounts, *rates, gain
        )
    yield table
    if len(pair.swaps.table) > top:
        yield f"and {len(pair.swaps.table) - top:,} more; --out FILE writes all"


def _side_figures(side: Side, first: Side) -> dict[str, Any]:
    less = first.value - side.value
    return {
        "name": side.name,
        "strategy": side.case.scenario.strategy.name,
        "status": side.status,
        "value": side.value,
        "bound": side.bound,
        "share_of_bound": side.share,
        "less_than_first": less,
        "less_than_first_relative": less / abs(side.value) if side.value else None,
        "limits_broken": [use.name for use in side.finding.certificate.limits if use.broken],
        "terms_broken": dict(side.finding.terms_broken),
    }


def _pair_figures(pair: Pair, top: int) -> dict[str, Any]:
    return {
        "before": pair.before.name,
        "after": pair.after.name,
        "scenario": [asdict(one) for one in pair.scenario],
        "borrowers": _plain(asdict(pair.borrowers)),
        "steps": [asdict(step) for step in pair.steps],
        "swaps": {
            "totals": [{**asdict(total), "gain": total.gain} for total in pair.swaps.totals],
            "same": pair.swaps.same,
            "borrowers": pair.swaps.table.head(top).to_dict("records"),
        },
    }


def _plain(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Figures as JSON has them: what is no number is null."""
    return {key: _finite(value) for key, value in figures.items()}


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(one) if isinstance(one, Mapping) else one for one in value]
    return value
