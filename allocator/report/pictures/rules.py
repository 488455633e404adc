"""Rules that stand in for a run: what each is worth, and what is lost against the run."""

from __future__ import annotations

from collections.abc import Sequence

from allocator.insight.distil import DistilledRules
from allocator.report.broken import standing_lines
from allocator.report.colours import Shade
from allocator.report.drawing.chart import Axis, Bars, Chart, Line, Part, Row
from allocator.report.drawing.units import short
from allocator.report.money import relative, visible
from allocator.report.pictures.parts import steps

_MOST = 15


def rules_chart(distilled: DistilledRules, words: Sequence[str], worth: Sequence[float]) -> Chart:
    """A waterfall: what the rules, in `words`, add up to, beside the run's value."""
    run, certificate = distilled.run, distilled.outcome.certificate
    entries: list[tuple[str, float, Shade]] = [
        (f"{number}. {phrase}", value, "pale")
        for number, (phrase, value) in enumerate(zip(words, worth, strict=True), start=1)
    ]
    hidden = entries[_MOST:]
    shown = entries[:_MOST]
    if hidden:
        shown.append((f"{len(hidden)} further rules", sum(value for _, value, _ in hidden), "pale"))
    idle = certificate.value - sum(worth)
    shown += [("Pinned offers and idle budget", idle, "rest")] if visible(idle) else []
    rows = [*steps(shown, "All rules")]
    share = relative(distilled.regret, run.value)
    if run.optimal:
        gone = Part(certificate.value, run.value, "warn", f"lost: {short(distilled.regret)}")
        rows.append(Row("Lost against the run", (Line((gone,), short(-distilled.regret)),)))
    rows.append(Row("The run", (Line((Part(0.0, run.value, "deep"),), short(run.value)),), strong=True))
    worths = f"{short(certificate.value)} of the run's {short(run.value)} {run.currency}"
    lost = f": {share} is lost" if share and run.optimal else ""
    answer = f"{len(words)} rules are worth {worths}{lost}."
    panel = Bars("Value, rule by rule", Axis("value", "money", run.currency), tuple(rows))
    broken = tuple(f"broken: {fault}" for fault in distilled.outcome.faults)
    counted = ("where values are counted, the page names them",) * any(
        " one of " in phrase for phrase in words
    )
    return Chart(f"{run.name} as rules", answer, (panel,), (*standing_lines(run), *broken, *counted))
