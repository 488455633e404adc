"""What stresses do to an allocation: a table, the factors behind it, and where a line is crossed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any

from rich.console import Group, RenderableType

from allocator.insight.whatif.reverse import MONEY, Crossing, ReverseStress, ScalePoint
from allocator.insight.whatif.stress import StressTest, StressTrial, StressVerdict
from allocator.records.run import LimitUse
from allocator.records.scenario import Scenario
from allocator.records.stress import FundingShock, LimitShock, Shock, Stress
from allocator.report.conditions import in_words
from allocator.report.drawing.chart import Chart
from allocator.report.grid import Grid, unit_of
from allocator.report.limits import in_short, is_cut, is_of_each
from allocator.report.money import Unit, gap, percent, relative, unit_for
from allocator.report.named import figures_of, named_table
from allocator.report.pictures.stress import reverse_chart, stress_answer, stress_chart
from allocator.report.plain import STOPPED, STOPPED_NOTE, Text, cut, marked, notes_of, plain_table
from allocator.report.room import room
from allocator.report.view import View

_MOST = 4
"""Broken limits, and cases of one figure, that are shown."""
_PROVED = 1e-9
"""A gap that is shown as none."""
_OTHERS = 38
"""Columns of the page that all but amounts take."""
_FINER = 6
"""Decimals that may be added to tell amounts apart."""


def stress_view(test: StressTest) -> View:
    """All stresses: frozen beside what is decided anew."""
    return View.of(
        test, _page, _document, lambda record: stress_chart(record, _titled(record), _anew(record.scenario))
    )


def reverse_view(reverse: ReverseStress) -> View:
    """Where the allocations cross a line on the way along one stress."""
    return View.of(reverse, _reverse_page, _reverse_document, _drawn)


def _document(test: StressTest) -> dict[str, Any]:
    trials = [_trial_figures(trial) for trial in test.trials]
    return {**_about(test.scenario), "stresses": trials, "notes": test.notes}


def _reverse_document(reverse: ReverseStress) -> dict[str, Any]:
    crossings = [_crossing_figures(crossing, reverse.stress) for crossing in reverse.crossings]
    about = _about(reverse.scenario)
    return {**about, "along": reverse.along, "reverse": crossings, "notes": reverse.notes}


def _about(scenario: Scenario) -> dict[str, Any]:
    policy, strategy = scenario.policy, scenario.strategy
    return {"name": scenario.name, "currency": policy.currency, "strategy": strategy.name}


def _page(test: StressTest) -> RenderableType:
    """The page of all stresses: frozen beside what is decided anew."""
    scenario, trials = test.scenario, test.trials
    anew = _anew(scenario)
    table = _table(trials, anew)
    unit = unit_of([table], scenario.policy.currency)
    cases = f"{len(trials)} case{'' if len(trials) == 1 else 's'}"
    title = Text(f"{scenario.name}: {cases}{_by(scenario)}", style="bold")
    parts: list[RenderableType] = [title, Text(stress_answer(test)), *map(Text, _legend(test, unit)), ""]
    parts += [table.table(unit)]
    if any(trial.stress != Stress() for trial in trials):
        parts += ["", _factors(trials)]
    parts += [Text(line) for line in _remarks(trials, unit, anew)]
    parts += [Text(STOPPED_NOTE)] if any(trial.stopped for trial in trials) else []
    return Group(*parts, *notes_of(test.notes))


def _anew(scenario: Scenario) -> str:
    """What the allocation that knows the stress is called."""
    return "re-optimised" if scenario.strategy.rule == "optimal" else "decided anew"


def _by(scenario: Scenario) -> str:
    return "" if scenario.strategy.rule == "optimal" else f", strategy {scenario.strategy.name}"


def _legend(test: StressTest, unit: Unit) -> Iterator[str]:
    """What the columns mean."""
    scenario, anew = test.scenario, _anew(test.scenario)
    yield f"amounts in {unit}; frozen: the base allocation as it is, under the stress"
    if _by(scenario):
        yield f"{anew}: by the strategy {scenario.strategy.name}, as the base allocation was"
    yield f"broken: limits that it breaks there; regret: {anew} less frozen"
    verdicts = [verdict for trial in test.trials for verdict in (trial.frozen, trial.reoptimised) if verdict]
    yield "gap: to the bound that no allocation exceeds under the stress unless it breaks limits"
    if any(isinstance(_gap(verdict), float) for verdict in verdicts):
        yield "gap without %: an amount, as the bound is next to nothing beside it"


def _reverse_page(reverse: ReverseStress) -> RenderableType:
    """Where each kind of allocation crosses the line, and what it is worth on either side."""
    scenario, stress, crossings = reverse.scenario, reverse.stress, reverse.crossings
    target = crossings[0].target
    headings = ("crossed at", "before", "after", "value after", "bound after", "path")
    unit = _unit_of(crossings, scenario.policy.currency)
    columns = figures_of(headings, [_crossing_cells(crossing, unit) for crossing in crossings])
    table = named_table("", [_kind(scenario, crossing) for crossing in crossings], columns)
    line = f"{target.quantity} = {target.threshold:z.12g} along {reverse.along}, whose factors are f"
    title = f"{scenario.name}: {line}{_by(scenario)}"
    lines = [
        f"amounts in {unit}; at scale s each factor is 1 + s (f - 1)",
        "; ".join(_stress_in_words(stress)),
    ]
    for crossing in crossings:
        lines += [f"{_kind(scenario, crossing)}: {_verdict(crossing, stress)}"]
    if target.quantity == "bound":
        lines += [f"a bound belongs to the stressed case, not to an allocation: {_anew(scenario)} only"]
    points = [point.outcome for crossing in crossings for point in crossing.points]
    if any(outcome is not None and outcome.stopped for outcome in points):
        lines += [STOPPED_NOTE.replace(STOPPED, "some points were", 1)]
    below = [*map(Text, lines[2:]), *notes_of(reverse.notes)]
    return Group(Text(title, style="bold"), *map(Text, lines[:2]), "", table, *below)


def _trial_figures(trial: StressTrial) -> dict[str, Any]:
    """A trial as plain values; amounts in currency units."""
    return {
        "name": trial.name,
        "stopped": trial.stopped,
        "factors": _factor_figures(trial.stress),
        "frozen": _verdict_figures(trial.frozen),
        "cut": asdict(trial.cut),
        "reoptimised": None if trial.reoptimised is None else _verdict_figures(trial.reoptimised),
        "failure": trial.failure or None,
        "hindsight": trial.hindsight,
        "moved": None if trial.moved is None else asdict(trial.moved),
    }


def _crossing_figures(crossing: Crossing, along: Stress) -> dict[str, Any]:
    """A reverse stress as plain values."""
    scale = crossing.scale
    return {
        "kind": crossing.kind,
        "quantity": crossing.target.quantity,
        "threshold": crossing.target.threshold,
        "scale": scale,
        "factors": None if scale is None else _factor_figures(along.scaled(scale)),
        "before": _point_figures(crossing.before),
        "after": _point_figures(crossing.after),
        "monotone": crossing.monotone,
        "proved": crossing.proved,
        "points": [[point.scale, point.quantity] for point in crossing.points],
    }


def _factor_figures(stress: Stress) -> dict[str, Any]:
    """The figures that a stress moves, as plain values."""
    return {name: asdict(shock) for name, shock in stress.moved().items()}


def _verdict_figures(outcome: StressVerdict) -> dict[str, Any]:
    """One allocation under one stress as plain values."""
    return {
        **outcome.figures,
        "stopped": outcome.stopped,
        "gap": outcome.gap,
        "broken": [use.name for use in outcome.broken],
        "limits": [
            {"name": use.name, "used": use.used, "bound": use.bound, "price": use.price}
            for use in outcome.limits
        ],
    }


def _titled(test: StressTest) -> str:
    return f"{test.scenario.name}: value under stress{_by(test.scenario)}"


def _drawn(reverse: ReverseStress) -> Chart:
    """The quantity by scale, with the line that is to be crossed."""
    scenario, crossings = reverse.scenario, reverse.crossings
    kinds = [_kind(scenario, crossing) for crossing in crossings]
    verdicts = [_verdict(crossing, reverse.stress) for crossing in crossings]
    quantity = crossings[0].target.quantity.replace("_", " ")
    title = f"{scenario.name}: {quantity} along {reverse.along}{_by(scenario)}"
    return reverse_chart(reverse, title, kinds, verdicts)


def _kind(scenario: Scenario, crossing: Crossing) -> str:
    return "frozen" if crossing.kind == "frozen" else _anew(scenario)


def _table(trials: Sequence[StressTrial], anew: str) -> Grid:
    headings = ("stress", "frozen", "loss", "gap", "broken", anew, "loss", "gap", "regret")
    return Grid(headings, [_trial_row(trial) for trial in trials])


def _trial_row(trial: StressTrial) -> tuple[str | float, ...]:
    frozen, own, gain = trial.frozen, trial.reoptimised, trial.hindsight
    known = ("none", "", "", "") if own is None or gain is None else (
        own.value, own.account.lines["expected_loss"], _gap(own), gain
    )  # fmt: skip
    return (
        marked(trial.name, trial.stopped),
        frozen.value,
        frozen.account.lines["expected_loss"],
        _gap(frozen),
        str(len(frozen.broken)),
        *known,
    )


def _gap(outcome: StressVerdict) -> str | float:
    """Relative to the bound; the amount where that is next to nothing, blank where there is none."""
    if outcome.bound is None or outcome.gap is None:
        return ""
    lack = outcome.bound - outcome.value
    if abs(outcome.gap) <= _PROVED:
        return "0"
    return gap(outcome.gap) if relative(lack, outcome.bound) else lack


def _factors(trials: Sequence[StressTrial]) -> RenderableType:
    table = plain_table(("stress", 22))
    table.add_column("what it does", overflow="fold")
    for trial in trials:
        if trial.stress != Stress():
            table.add_row(Text(trial.name), Text("; ".join(_stress_in_words(trial.stress)) or "nothing"))
    return table


def _stress_in_words(stress: Stress) -> Iterator[str]:
    """Each figure that a stress moves, in words."""
    labels = Stress.figures()
    for name, shock in stress.moved().items():
        words = [f"x {shock.all:.4g}"] if shock.all != 1 else []
        match shock:
            case Shock():
                cases = [f"x {case.factor:.4g} for {in_words(case.where, {})}" for case in shock.cases]
            case LimitShock():
                cases = [f"x {factor:.4g} for {name}" for name, factor in shock.named]
            case FundingShock():
                cases = []
                words += [f"{'-' if shock.add < 0 else '+'} {percent(abs(shock.add))}"] if shock.add else []
        shown, hidden = cut(cases, _MOST)
        yield f"{labels[name]} {', '.join([*words, *shown, *hidden])}"


def _remarks(trials: Sequence[StressTrial], unit: Unit, anew: str) -> Iterator[str]:
    """What the frozen offers lose of themselves, which limits are broken, and where nothing can be lent."""
    yield ""
    for trial in trials:
        cut = trial.cut
        if cut.smaller or cut.dropped:
            yield (
                f"{trial.name}: frozen offers that shrink to what is now asked for: {cut.smaller:,}, "
                f"dropped: {cut.dropped:,}, {unit.write(cut.amount)} in all"
            )
        yield from _breaks(f"{trial.name}: frozen", trial.frozen)
        if trial.reoptimised is not None and trial.reoptimised is not trial.frozen:
            yield from _breaks(f"{trial.name}: {anew}", trial.reoptimised)
        if trial.failure:
            yield f"{trial.name}: {in_short(trial.failure)}"
        moved = trial.moved
        if moved is not None:
            rates = f", {moved.rates:,} rates by {percent(moved.rate)} on average" if moved.rates else ""
            yield (
                f"{trial.name}: {anew}, {moved.come:,} come and {moved.gone:,} go; "
                f"amounts move by {unit.write(moved.money)} in all{rates}"
            )


def _breaks(which: str, outcome: StressVerdict) -> Iterator[str]:
    rows = [use.name for use in outcome.limits]
    whole = (use for use in outcome.broken if not is_cut(use.name, rows))
    broken = sorted(whole, key=lambda use: (is_of_each(use.name), -use.violation))
    shown, hidden = cut(broken, _MOST)
    if broken:
        yield f"{which} breaks {', '.join([*map(_use, shown), *hidden])}"
    missed, hidden = cut([use for use in outcome.limits if use.missed], _MOST)
    if missed:
        yield f"{which} misses {', '.join([*map(_use, missed), *hidden])}: reported only, or soft"


def _use(use: LimitUse) -> str:
    share = relative(use.used, use.bound)
    return (
        f"{use.name} ({share} of its bound)"
        if share
        else f"{use.name} ({use.used:z,.0f} of {use.bound:z,.0f})"
    )


def _unit_of(crossings: Sequence[Crossing], currency: str) -> Unit:
    """One unit for all amounts of a reverse stress, fine enough to tell both sides from the line."""
    sides = [side for c in crossings for side in (c.before, c.after) if side is not None and side.outcome]
    values = [side.outcome.value for side in sides if side.outcome is not None]
    target = crossings[0].target
    money = [side.quantity for side in sides] if target.quantity in MONEY else []
    columns = {"before": money, "after": money, "value after": values, "bound after": values}
    unit = unit_for(columns, currency, room() - _OTHERS)
    apart = {target.threshold, *money} if money else set()
    finer = [replace(unit, decimals=unit.decimals + more) for more in range(_FINER + 1)]
    return next((candidate for candidate in finer if len({*map(candidate.write, apart)}) == len(apart)), unit)


def _crossing_cells(crossing: Crossing, unit: Unit) -> list[str]:
    way = "monotone" if crossing.monotone else "not monotone"
    if crossing.before is None or crossing.after is None:
        return ["never", "", "", "", "", way]
    after = crossing.after.outcome
    money = unit if crossing.target.quantity in MONEY else None
    return [
        f"{crossing.after.scale:.4f}",
        _quantity(crossing.before, money),
        _quantity(crossing.after, money),
        "none" if after is None else unit.write(after.value),
        "" if after is None or after.bound is None or crossing.kind == "frozen" else unit.write(after.bound),
        way,
    ]


def _quantity(point: ScalePoint, money: Unit | None) -> str:
    if point.outcome is None:
        return "none"
    return f"{point.quantity:z,.5g}" if money is None else money.write(point.quantity)


def _verdict(crossing: Crossing, along: Stress) -> str:
    scale = crossing.scale
    if scale is None:
        return f"not crossed up to {crossing.points[-1].scale:.4g} times the stress"
    if crossing.after is not None and crossing.after.outcome is None:
        return f"undecided from {scale:.4f} times the stress: {crossing.after.failure}"
    if scale == 0:
        return "crossed before any stress"
    factors = "; ".join(_stress_in_words(along.scaled(scale)))
    proved = "; there no allocation that keeps the limits is worth the line" if crossing.proved else ""
    maybe = "" if crossing.monotone else "; not monotone on the way, so an earlier crossing may exist"
    return f"crossed at {scale:.4f} times the stress ({factors}){proved}{maybe}"


def _point_figures(point: ScalePoint | None) -> dict[str, Any] | None:
    if point is None:
        return None
    outcome = None if point.outcome is None else _verdict_figures(point.outcome)
    return {"scale": point.scale, "quantity": point.quantity, "outcome": outcome}
