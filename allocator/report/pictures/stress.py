"""Stresses: what the allocation is worth as it stands and decided anew, and which limits it breaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from allocator.insight.whatif.reverse import MONEY, ReverseStress
from allocator.insight.whatif.stress import StressTest, StressTrial
from allocator.report.drawing.chart import Axis, Bars, Chart, Curve, Key, Line, Mark, Part, Plot, Row
from allocator.report.drawing.scale import writer
from allocator.report.drawing.units import PLAIN, short
from allocator.report.limits import in_short, limit_in_words, own_first
from allocator.report.plain import listed, more

_MOST = 20
_NAMED = 3
"""Broken limits by name."""


def stress_chart(test: StressTest, title: str, anew: str) -> Chart:
    """A pair of bars a stress; orange where the allocation as it stands breaks a limit."""
    shown = test.trials[:_MOST]
    keys = [
        Key("deep", "frozen: the base allocation as it stands"),
        Key("pale", f"{anew}, knowing the stress"),
    ]
    if any(trial.frozen.broken for trial in shown):
        keys.insert(1, Key("warn", "frozen, breaks limits"))
    panel = Bars(
        "Value under each stress", Axis("value", "money", test.scenario.policy.currency),
        tuple(_row(trial, anew) for trial in shown), tuple(keys), figures="value",
        more="".join(more(len(test.trials) - len(shown), "stresses")),
    )  # fmt: skip
    return Chart(title, stress_answer(test), (panel,), tuple(test.notes))


def _row(trial: StressTrial, anew: str) -> Row:
    frozen, own = trial.frozen, trial.reoptimised
    broken = [limit_in_words(name) for name in own_first(use.name for use in frozen.broken)]
    lines = [Line((Part(0.0, frozen.value, "warn" if broken else "deep", "frozen"),), short(frozen.value))]
    if own is not None and not broken and short(own.value) == short(frozen.value):
        lines = [replace(lines[0], figure=f"both {lines[0].figure}")]
    elif own is not None:
        lines.append(Line((Part(0.0, own.value, "pale", anew),), short(own.value)))
    else:
        lines.append(Line((), "none"))
    note = f"breaks {listed(broken, _NAMED)}" if broken else ""
    note += f"{'; ' if note else ''}{in_short(trial.failure)}" if trial.failure else ""
    return Row(trial.name, tuple(lines), note)


def stress_answer(test: StressTest) -> str:
    """What it is worth as expected and at worst, and how often it breaks limits."""
    base, *others = test.trials
    worst_of = test.scenario.stress.worst
    told = f"in the worst of {', '.join(worst_of)}" if worst_of else "as expected"
    if not others:
        return f"Worth {short(base.frozen.value)} {told}."
    worst = min(others, key=lambda trial: trial.frozen.value)
    breaking = sum(bool(trial.frozen.broken) for trial in others)
    kept = f"breaks limits under {breaking} of {len(others)} stresses" if breaking else "keeps every limit"
    return (
        f"Worth {short(base.frozen.value)} {told}, at worst {short(worst.frozen.value)}, under "
        f"{worst.name}; the allocation as it stands {kept}."
    )


def reverse_chart(reverse: ReverseStress, title: str, kinds: Sequence[str], verdicts: Sequence[str]) -> Chart:
    """The quantity by the scale of the stress, with the line to be crossed; `kinds` name the curves."""
    target, currency = reverse.crossings[0].target, reverse.scenario.policy.currency
    curves, marks = [], []
    for i, (kind, crossing) in enumerate(zip(kinds, reverse.crossings, strict=True)):
        points = tuple((p.scale, p.quantity) for p in crossing.points if p.outcome is not None)
        curves.append(Curve(kind, points, "third" if i else "deep", "dashed" if i else "line"))
        if crossing.scale is not None:
            marks.append(Mark(crossing.scale, f"{kind} {crossing.scale:.4g}"))
    name = target.quantity.replace("_", " ")
    y = Axis(name, "money", currency) if target.quantity in MONEY else Axis(
        name, "percent" if abs(target.threshold) <= 1 and target.threshold else "number"
    )  # fmt: skip
    line = short(target.threshold) if y.scale == "money" else writer(y, PLAIN)(target.threshold)
    panel = Plot(
        "", Axis(f"scale of {reverse.along}: 0 as expected, 1 as stated"), y, tuple(curves),
        marks=tuple(marks),
        levels=(Mark(target.threshold, f"the line, {line}", "warn"),),
    )  # fmt: skip
    answer = " ".join(f"{kind}: {verdict}." for kind, verdict in zip(kinds, verdicts, strict=True))
    return Chart(title, answer, (panel,), tuple(reverse.notes))
