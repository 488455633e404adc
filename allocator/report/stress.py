"""What stresses do to an allocation: a table, the factors behind it, and where a line is crossed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from allocator.insight.reverse import MONEY, Crossing, Point
from allocator.insight.stress import Outcome, Trial
from allocator.records.run import LimitUse
from allocator.records.stress import FundingShock, LimitShock, Shock, Stress
from allocator.report.charts import Axis, Chart, Series
from allocator.report.money import Unit, percent, small, unit_for
from allocator.report.plain import plain_table

_MOST = 4
"""Broken limits, and cases of one figure, that are shown."""
PROVED = 1e-9
"""A gap that is shown as none."""
_ROOM = 62
"""Columns of the page that amounts may take."""
_WORDS = {
    "pd": "PD", "lgd": "LGD", "amount": "requests", "churn": "churn", "rates": "market rates",
    "funding": "funding", "limits": "limits",
}  # fmt: skip


def stress_page(name: str, currency: str, trials: Sequence[Trial]) -> RenderableType:
    """The page of all stresses: frozen beside re-optimised."""
    unit = _unit(trials, currency)
    title = Text(f"{name}: {len(trials)} worlds", style="bold")
    note = (
        f"amounts in {unit}; frozen: the base allocation as it stands in that world\n"
        "broken: limits that it breaks there; hindsight: re-optimised less frozen\n"
        "gap: to the bound that no allocation of that world exceeds unless it breaks limits"
    )
    parts: list[RenderableType] = [title, note, "", _table(trials, unit), ""]
    parts += [_factors(trials)]
    parts += [Text(line) for line in _remarks(trials, unit)]
    return Group(*parts)


def reverse_page(
    name: str, currency: str, along: str, stress: Stress, crossings: Sequence[Crossing]
) -> RenderableType:
    """Where each kind of allocation crosses the line, and what it is worth on either side."""
    target = crossings[0].target
    table = plain_table()
    for heading in ("", "crossed at", "before", "after", "value after", "bound after", "way"):
        table.add_column(heading, justify="left" if heading == "" else "right", no_wrap=True)
    unit = _unit_of(crossings, currency)
    for crossing in crossings:
        table.add_row(*_crossing_cells(crossing, unit))
    title = f"{name}: {target.quantity} = {target.threshold:g} along {along}, whose factors are f"
    lines = [f"amounts in {unit}; at scale s each factor is 1 + s (f - 1)", "; ".join(_said(stress))]
    for crossing in crossings:
        lines += [_verdict(crossing, stress)]
    return Group(Text(title, style="bold"), *map(Text, lines[:2]), "", table, *map(Text, lines[2:]))


def stress_figures(trials: Sequence[Trial]) -> list[dict[str, Any]]:
    """The trials as plain values; amounts in currency units."""
    return [
        {
            "name": trial.name,
            "factors": factor_figures(trial.stress),
            "frozen": outcome_figures(trial.frozen),
            "cut": asdict(trial.cut),
            "reoptimised": None if trial.reoptimised is None else outcome_figures(trial.reoptimised),
            "failure": trial.failure or None,
            "hindsight": trial.hindsight,
        }
        for trial in trials
    ]


def crossing_figures(crossing: Crossing, along: Stress) -> dict[str, Any]:
    """A reverse stress as plain values."""
    scale = crossing.scale
    return {
        "kind": crossing.kind,
        "quantity": crossing.target.quantity,
        "threshold": crossing.target.threshold,
        "scale": scale,
        "factors": None if scale is None else factor_figures(along.scaled(scale)),
        "before": _point_figures(crossing.before),
        "after": _point_figures(crossing.after),
        "monotone": crossing.monotone,
        "proved": crossing.proved,
        "points": [[point.scale, point.quantity] for point in crossing.points],
    }


def factor_figures(stress: Stress) -> dict[str, Any]:
    """The figures that a stress moves, as plain values."""
    return {
        figure.name: asdict(shock)
        for figure in fields(stress)
        if (shock := getattr(stress, figure.name)) != type(shock)()
    }


def outcome_figures(outcome: Outcome) -> dict[str, Any]:
    """One allocation in one world as plain values."""
    plain = {name: value for name, value in vars(outcome).items() if name != "limits"}
    return {
        **plain,
        "gap": outcome.gap,
        "loss_rate": outcome.loss_rate,
        "broken": [use.name for use in outcome.broken],
        "limits": [
            {"name": use.name, "used": use.used, "bound": use.bound, "price": use.price}
            for use in outcome.limits
        ],
    }


def stress_chart(name: str, currency: str, trials: Sequence[Trial]) -> Chart:
    """Bars: the value of both allocations in each world."""
    names = [trial.name for trial in trials]
    anew = [0.0 if t.reoptimised is None else t.reoptimised.value for t in trials]
    return Chart(
        f"{name}: value under stress",
        Axis("stress"),
        Axis(f"value, {currency}"),
        (
            Series("frozen", names, [trial.frozen.value for trial in trials], "bars"),
            Series("re-optimised", names, anew, "bars"),
        ),
    )


def reverse_chart(name: str, along: str, crossings: Sequence[Crossing]) -> Chart:
    """Lines: the quantity by scale, with the line that is to be crossed."""
    target = crossings[0].target
    drawn = [
        (crossing.kind, [point for point in crossing.points if point.outcome is not None])
        for crossing in crossings
    ]
    ends = [0.0, max(point.scale for _, points in drawn for point in points)]
    marks = [(c.scale, f"{c.kind} {c.scale:.4g}") for c in crossings if c.scale is not None]
    return Chart(
        f"{name}: {target.quantity} along {along}",
        Axis(f"scale of {along}"),
        Axis(target.quantity, "linear" if abs(target.threshold) > 1 or target.threshold == 0 else "percent"),
        (
            *(Series(kind, [p.scale for p in ps], [p.quantity for p in ps]) for kind, ps in drawn),
            Series(f"line {target.threshold:g}", ends, [target.threshold] * 2),
        ),
        tuple(marks),
    )


def _unit(trials: Sequence[Trial], currency: str) -> Unit:
    anew = [trial.reoptimised for trial in trials if trial.reoptimised is not None]
    columns = {
        "frozen": [trial.frozen.value for trial in trials],
        "loss": [trial.frozen.expected_loss for trial in trials],
        "re-optimised": [outcome.value for outcome in anew],
        "loss ": [outcome.expected_loss for outcome in anew],
        "hindsight": [trial.hindsight or 0.0 for trial in trials],
    }
    return unit_for(columns, currency, _ROOM)


def _table(trials: Sequence[Trial], unit: Unit) -> RenderableType:
    table = plain_table()
    table.add_column("stress", overflow="fold", max_width=22)
    for heading in ("frozen", "loss", "gap", "broken", "re-optimised", "loss", "gap", "hindsight"):
        table.add_column(heading, justify="right", no_wrap=True)
    for trial in trials:
        frozen, anew, gain = trial.frozen, trial.reoptimised, trial.hindsight
        table.add_row(
            Text(trial.name),
            unit.write(frozen.value),
            unit.write(frozen.expected_loss),
            _gap(frozen.gap),
            str(len(frozen.broken)),
            "none" if anew is None else unit.write(anew.value),
            "" if anew is None else unit.write(anew.expected_loss),
            "" if anew is None else _gap(anew.gap),
            "" if gain is None else unit.write(gain),
        )
    return table


def _gap(gap: float) -> str:
    if abs(gap) <= PROVED:
        return "0"
    return percent(gap) if abs(gap) > 1e-4 else small(gap)


def _factors(trials: Sequence[Trial]) -> RenderableType:
    table = plain_table()
    table.add_column("stress", overflow="fold", max_width=22)
    table.add_column("what it does", overflow="fold")
    for trial in trials:
        if trial.stress != Stress():
            table.add_row(Text(trial.name), Text("; ".join(_said(trial.stress)) or "nothing"))
    return table


def _said(stress: Stress) -> Iterator[str]:
    """Each figure that a stress moves, in words."""
    for figure in fields(stress):
        shock = getattr(stress, figure.name)
        if shock == type(shock)():
            continue
        words = [f"x {shock.all:.4g}"] if shock.all != 1 else []
        match shock:
            case Shock():
                cases = [
                    f"{'/'.join(v for c in case.where for v in (c.values or (c.column,)))} {case.factor:.4g}"
                    for case in shock.cases
                ]
            case LimitShock():
                cases = [f"{name} {factor:.4g}" for name, factor in shock.named]
            case FundingShock():
                cases = []
                words += [f"+ {percent(shock.add)}"] if shock.add else []
        hidden = [f"and {len(cases) - _MOST} more"] if len(cases) > _MOST else []
        yield f"{_WORDS[figure.name]} {', '.join(words + cases[:_MOST] + hidden)}"


def _remarks(trials: Sequence[Trial], unit: Unit) -> Iterator[str]:
    """What the frozen offers lose of themselves, which limits they break, and where nothing can be lent."""
    yield ""
    for trial in trials:
        cut = trial.cut
        if cut.smaller or cut.dropped:
            yield (
                f"{trial.name}: {cut.smaller:,} frozen offers shrink to what is now asked for, "
                f"{cut.dropped:,} are dropped, {unit.write(cut.amount)} in all"
            )
        broken = sorted(trial.frozen.broken, key=lambda use: -use.violation)
        more = f", and {len(broken) - _MOST} more" if len(broken) > _MOST else ""
        if broken:
            yield f"{trial.name}: frozen breaks {', '.join(map(_use, broken[:_MOST]))}{more}"
        if trial.failure:
            yield f"{trial.name}: {trial.failure}"


def _use(use: LimitUse) -> str:
    share = f"{percent(use.used / use.bound)} of its bound" if use.bound else "a bound of 0"
    return f"{use.name} ({share})"


def _unit_of(crossings: Sequence[Crossing], currency: str) -> Unit:
    """One unit for all amounts of a reverse stress."""
    sides = [side for c in crossings for side in (c.before, c.after) if side is not None and side.outcome]
    values = [side.outcome.value for side in sides if side.outcome is not None]
    money = [side.quantity for side in sides] if crossings[0].target.quantity in MONEY else []
    columns = {"before": money, "after": money, "value after": values, "bound after": values}
    return unit_for(columns, currency, _ROOM)


def _crossing_cells(crossing: Crossing, unit: Unit) -> list[str]:
    way = "monotone" if crossing.monotone else "not monotone"
    if crossing.before is None or crossing.after is None:
        return [crossing.kind, "never", "", "", "", "", way]
    after = crossing.after.outcome
    money = unit if crossing.target.quantity in MONEY else None
    return [
        crossing.kind,
        f"{crossing.after.scale:.4f}",
        _quantity(crossing.before, money),
        _quantity(crossing.after, money),
        "none" if after is None else unit.write(after.value),
        "" if after is None or crossing.kind == "frozen" else unit.write(after.bound),
        way,
    ]


def _quantity(point: Point, money: Unit | None) -> str:
    if point.outcome is None:
        return "none"
    return f"{point.quantity:,.5g}" if money is None else money.write(point.quantity)


def _verdict(crossing: Crossing, along: Stress) -> str:
    kind, scale = crossing.kind, crossing.scale
    if scale is None:
        return f"{kind}: not crossed up to {crossing.points[-1].scale:.4g} times the stress"
    if crossing.after is not None and crossing.after.outcome is None:
        return f"{kind}: no allocation meets the limits from {scale:.4f} times the stress"
    if scale == 0:
        return f"{kind}: crossed before any stress"
    said = "; ".join(_said(along.scaled(scale)))
    proved = "; there no allocation at all is worth the line" if crossing.proved else ""
    maybe = "" if crossing.monotone else "; not monotone on the way, so an earlier crossing may exist"
    return f"{kind}: crossed at {scale:.4f} times the stress ({said}){proved}{maybe}"


def _point_figures(point: Point | None) -> dict[str, Any] | None:
    if point is None:
        return None
    outcome = None if point.outcome is None else outcome_figures(point.outcome)
    return {"scale": point.scale, "quantity": point.quantity, "outcome": outcome}
