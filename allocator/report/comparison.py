"""Sides of a comparison beside one another: for people, as figures, and as a picture."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Group, RenderableType

from allocator.insight.compare import Comparison, Pair
from allocator.insight.compare.segments import mean_pd
from allocator.insight.compare.swaps import SwapTotal
from allocator.records.ledger import Account
from allocator.records.outcome import Outcome
from allocator.report.grid import Grid, unit_of
from allocator.report.limits import own_first
from allocator.report.money import Unit, percent, relative, unit_for, visible
from allocator.report.pictures.comparison import comparison_chart
from allocator.report.plain import STOPPED_NOTE, Text, cut, listed, marked, more, plain_table
from allocator.report.room import room
from allocator.report.settings import as_written
from allocator.report.view import View

_FIGURES = (
    *("borrowers", "funded", "offered", "drawn", "mean_rate", "mean_pd"),
    *("interest", "expected_loss", "value"),
)
"""Figures of an allocation or a segment in the JSON object."""
_OTHERS = 54
"""Columns of the page that the other figures of borrowers who are swapped take."""
_MOST = 20
"""Segments and differences shown."""


def comparison_view(
    comparison: Comparison, top: int, notes: Sequence[str] = (), out: Path | None = None
) -> View:
    """The comparison with the `top` borrowers who are swapped; all of them in the table `out`."""
    notes = tuple(dict.fromkeys([*comparison.terms, *notes, *comparison.notes]))
    return View(
        page=lambda: _page(comparison, top if len(comparison.sides) == 2 else 0, notes),
        document=lambda: {**_document(comparison, top), "notes": list(notes)},
        chart=lambda: comparison_chart(
            comparison,
            _subject(comparison),
            " ".join(_verdict(comparison)),
            {
                i: f"breaks {listed(names, 3)}"
                for i, side in enumerate(comparison.sides)
                if (names := _broken_names(side))
            },
        ),
        files={} if out is None else {out: _all_swaps(comparison)},
    )


def _page(comparison: Comparison, top: int, notes: Sequence[str] = ()) -> RenderableType:
    """The page: results, by segment, then each pair's inputs, costs and swaps with its `top` borrowers."""
    currency = comparison.sides[0].currency
    results, years, swapped = (
        _results(comparison),
        _simulated(comparison),
        list(map(_swapped, comparison.pairs)),
    )
    unit = unit_of([results, years, *swapped], currency)
    title = f"Results, amounts in {unit}; less: than {comparison.sides[0].name}, % of the own value"
    parts: list[RenderableType] = [
        Text(_subject(comparison), style="bold"),
        Text(" ".join(_verdict(comparison))),
        *map(Text, comparison.terms),
    ]
    parts += [*_broken(comparison), "", Text(title, style="bold"), results.table(unit)]
    parts += _stopped(comparison)
    parts += [*(Text(note) for note in notes if note not in comparison.terms), ""]
    if comparison.chances:
        title = f"The same {comparison.years:,} simulated years for all, amounts in {unit}"
        parts += [Text(title, style="bold"), years.table(unit), ""]
    parts += _by_segment(comparison, unit)
    for pair, swaps in zip(comparison.pairs, swapped, strict=True):
        title = f"{pair.after.name} beside {pair.before.name}"
        parts += [
            "",
            Text(title, style="bold"),
            *_inputs(pair),
            *_costs(pair, unit),
            "",
            swaps.table(unit),
        ]
        parts += _listed(pair, top, currency)
    return Group(*parts)


def _document(comparison: Comparison, top: int) -> dict[str, Any]:
    """The comparison as one JSON object; amounts in currency units."""
    chances = comparison.chances or (None,) * len(comparison.sides)
    rows = zip(comparison.sides, comparison.accounts, comparison.segments, chances, strict=True)
    first = comparison.sides[0]
    return {
        "by": comparison.by,
        "years": comparison.years,
        "compared": [
            {
                **_side_figures(side, first),
                **_account_figures(account),
                "segments": {name: _account_figures(own) for name, own in segments.items()},
                "simulated": None if chance is None else asdict(chance),
            }
            for side, account, segments, chance in rows
        ],
        "pairs": [_pair_figures(pair, top) for pair in comparison.pairs],
    }


def _subject(comparison: Comparison) -> str:
    """What is compared, in a line."""
    names = listed([side.name for side in comparison.sides], 6)
    scenarios = {side.scenario.name for side in comparison.sides}
    return f"{scenarios.pop()}: {names}" if len(scenarios) == 1 else f"Compared: {names}"


def _verdict(comparison: Comparison) -> Iterator[str]:
    """Which side is worth most of those that break nothing, and by how much the first is behind or ahead."""
    sides, first = comparison.sides, comparison.sides[0]
    whole = [side for side in sides if not side.broken]
    if not whole:
        yield "Every side breaks limits or terms."
        return
    best = max(whole, key=lambda side: side.value)
    currency = first.currency
    yield (
        f"{best.name} is worth most of what breaks nothing, {best.value:,.2f} {currency}."
        if (len(whole) < len(sides))
        else f"{best.name} is worth most, {best.value:,.2f} {currency}."
    )
    others = [side for side in whole if side is not best]
    if others and best.value - max(side.value for side in others) < 0.005:
        yield "Another is worth as much."
    elif others:
        second = max(others, key=lambda side: side.value)
        share = relative(best.value - second.value, second.value)
        yield f"Next is {second.name}, {best.value - second.value:,.2f} less" + (
            f" ({share})." if share else "."
        )


def _results(comparison: Comparison) -> Grid:
    first = comparison.sides[0]
    headings = ("", "value", "of bound", "less", "%", "funded", "offered", "rate", "PD", "interest", "loss")
    return Grid(
        headings,
        [
            (
                marked(side.name, side.stopped),
                side.value,
                _share(side),
                "" if side is first else first.value - side.value,
                "" if side is first else relative(first.value - side.value, side.value),
                f"{account.funded:,}",
                account.offered,
                percent(account.mean_rate),
                percent(mean_pd(account)),
                account.lines["interest"],
                account.lines["expected_loss"],
            )
            for side, account in zip(comparison.sides, comparison.accounts, strict=True)
        ],
    )


def _share(side: Outcome) -> str:
    """Value as a part of the bound, which is on what breaks nothing."""
    if side.broken:
        return "breaks"
    return relative(side.value, side.bound) if side.bound > 0 else ""


def _broken(comparison: Comparison) -> Iterator[RenderableType]:
    """What each side breaks, or misses of what is only reported, before any figure of it."""
    broken = [(side, names) for side in comparison.sides if (names := _broken_names(side))]
    for side, names in broken:
        yield Text(f"{side.name} breaks {listed(names, 5)}", style="bold")
    if broken:
        yield Text("what breaks limits or terms is no answer to the scenario, whatever its value")
    missed = [(side, names) for side in comparison.sides if (names := side.certificate.limits_missed)]
    for side, names in missed:
        paid = f", for {side.limit_penalty:,.2f} {side.currency}" if side.limit_penalty else ""
        yield Text(f"{side.name} misses {listed(own_first(names), 5)}{paid}: reported only, or soft")
    if broken or missed:
        yield ""


def _stopped(comparison: Comparison) -> Iterator[RenderableType]:
    stopped = [side.stopped for side in comparison.sides]
    stopped += [step.stopped for pair in comparison.pairs for step in pair.steps]
    if any(stopped):
        yield Text(STOPPED_NOTE)


def _broken_names(side: Outcome) -> list[str]:
    limits = [f"limit {name}" for name in own_first(side.certificate.limits_broken)]
    return limits + [f"{count:,} x {what}" for what, count in side.terms_broken.items()]


def _simulated(comparison: Comparison) -> Grid:
    """Net of the same simulated years."""
    rows: list[tuple[str | float, ...]] = []
    for side, chance in zip(comparison.sides, comparison.chances, strict=False):
        first = side is comparison.sides[0]
        apart = ("", "", "") if first else (chance.less, chance.less_error, percent(chance.behind))
        rows.append((side.name, chance.mean, chance.sd, chance.worst, *apart))
    return Grid(("", "net, mean", "sd", "worst 1 %", "paired difference", "s.e.", "years behind"), rows)


def _by_segment(comparison: Comparison, unit: Unit) -> Iterator[RenderableType]:
    """Value and money offered by segment, a column a side."""
    names, hidden = cut(_segment_names(comparison), _MOST, f"values of {comparison.by}")
    headings = [comparison.by, *(side.name for side in comparison.sides)]
    for what in ("value", "offered"):
        if what != "value":
            yield ""
        yield Text(f"By {comparison.by}: {what}, {unit}", style="bold")
        rows = [[name, *(_cell(own.get(name), what) for own in comparison.segments)] for name in names]
        yield Grid(headings, rows).table(unit)
    yield from map(Text, hidden)


def _segment_names(comparison: Comparison) -> list[str]:
    return sorted({name for segments in comparison.segments for name in segments})


def _cell(account: Account | None, what: str) -> str | float:
    return "" if account is None else float(getattr(account, what))


def _inputs(pair: Pair) -> Iterator[RenderableType]:
    """What differs in the inputs, a line each."""
    changed, borrowers = pair.scenario, pair.borrowers
    shown, hidden = cut(changed, _MOST, "keys")
    for difference in shown:
        yield Text(
            f"  {difference.key}: {as_written(difference.before)} -> {as_written(difference.after)}",
            overflow="fold",
        )
    yield from (f"  {line}" for line in hidden)
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


def _costs(pair: Pair, unit: Unit) -> Iterator[RenderableType]:
    if not pair.steps:
        return
    table = plain_table(("one change after the other", 46))
    for heading in ("gains at most, by prices", "gains exactly"):
        table.add_column(heading, justify="right")
    for step in pair.steps:
        exact = step.problem or ("" if step.gain is None else marked(unit.write(step.gain), step.stopped))
        table.add_row(Text(step.changes), "" if step.most is None else unit.write(step.most), Text(exact))
    yield ""
    yield table


def _swapped(pair: Pair) -> Grid:
    """The kinds of change, whose gains add up to the difference of the values."""
    swaps = pair.swaps
    rows = [_swap_row(total) for total in (*swaps.totals, swaps.same) if total.borrowers]
    before, after = swaps.idle
    if visible(before) or visible(after):
        rows.append(("idle budget", "", "", "", before, after, after - before, ""))
    before, after = swaps.penalty
    if visible(before) or visible(after):
        rows.append(("missed limits", "", "", "", -before, -after, before - after, ""))
    before, after = swaps.above_worst
    if visible(before) or visible(after):
        rows.append(("mean above worst", "", "", "", -before, -after, before - after, ""))
    headings = ("offer", "firms", "amount before", "after", "value before", "after", "gain", "PD")
    return Grid(headings, [*rows, _swap_row(swaps.whole)])


def _swap_row(total: SwapTotal) -> tuple[str | float, ...]:
    amounts = (total.amount_before, total.amount_after)
    values = (total.value_before, total.value_after, total.gain)
    return (total.kind, f"{total.borrowers:,}", *amounts, *values, percent(total.mean_pd))


def _listed(pair: Pair, top: int, currency: str) -> Iterator[RenderableType]:
    """The borrowers whose value changes most."""
    table = pair.swaps.table
    rows = table.head(top)
    if rows.empty:
        return
    money = {"amount before": "amount_before", "after": "amount_after", "gain": "gain"}
    unit = unit_for(
        {heading: rows[key].tolist() for heading, key in money.items()}, currency, room() - _OTHERS
    )
    yield ""
    yield Text(f"Borrowers, amounts in {unit}", style="bold")
    headings = ("PD", "amount before", "after", "rate before", "after", "gain")
    listed = plain_table(("borrower", 16), ("grade", 6), *headings)
    for row in rows.to_dict("records"):
        amounts = [unit.write(row[key]) for key in ("amount_before", "amount_after")]
        rates = [percent(row[key]) if row[key] else "" for key in ("rate_before", "rate_after")]
        who = (Text(str(row["borrower_id"])), Text(str(row["grade"])), percent(row["pd"]))
        listed.add_row(*who, *amounts, *rates, unit.write(row["gain"]))
    yield listed
    yield from (f"{line}; --out FILE writes all" for line in more(len(table) - top))


def _side_figures(side: Outcome, first: Outcome) -> dict[str, Any]:
    less = first.value - side.value
    return {
        "name": side.name,
        "strategy": side.scenario.strategy.name,
        "status": side.status,
        "stopped": side.stopped,
        "value": side.value,
        "bound": side.bound,
        "share_of_bound": side.share,
        "less_than_first": less,
        "less_than_first_relative": less / abs(side.value) if side.value else None,
        "limits_broken": side.certificate.limits_broken,
        "limits_missed": side.certificate.limits_missed,
        "terms_broken": dict(side.terms_broken),
    }


def _account_figures(account: Account) -> dict[str, Any]:
    own = {**account.figures, "mean_pd": mean_pd(account)}
    return {key: own[key] for key in _FIGURES}


def _pair_figures(pair: Pair, top: int) -> dict[str, Any]:
    swaps = pair.swaps
    before, after = swaps.idle
    return {
        "before": pair.before.name,
        "after": pair.after.name,
        "scenario": [asdict(difference) for difference in pair.scenario],
        "borrowers": asdict(pair.borrowers),
        "steps": [asdict(step) for step in pair.steps],
        "swaps": {
            "totals": [_swap_figures(total) for total in swaps.totals],
            "same": swaps.same.borrowers,
            "unchanged": _swap_figures(swaps.same),
            "idle": {"value_before": before, "value_after": after, "gain": after - before},
            "limit_penalty": {"before": swaps.penalty[0], "after": swaps.penalty[1]},
            "above_worst": {"before": swaps.above_worst[0], "after": swaps.above_worst[1]},
            "total": _swap_figures(swaps.whole),
            "borrowers": swaps.table.head(top).to_dict("records"),
        },
    }


def _swap_figures(total: SwapTotal) -> dict[str, Any]:
    return {**asdict(total), "gain": total.gain}


def _all_swaps(comparison: Comparison) -> pd.DataFrame:
    """The swaps of every pair, told apart by the names of its sides."""
    parts = [
        pair.swaps.table.assign(before=pair.before.name, after=pair.after.name) for pair in comparison.pairs
    ]
    whole = pd.concat(parts, ignore_index=True)
    return whole[["before", "after", *(name for name in whole.columns if name not in ("before", "after"))]]
