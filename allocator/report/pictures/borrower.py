"""One borrower: what each rate is worth, before and after the limits' charges."""

from __future__ import annotations

from allocator.insight.explain.explanation import Explanation
from allocator.report.broken import standing_lines
from allocator.report.drawing.chart import Axis, Chart, Curve, Mark, Plot
from allocator.report.money import percent


def borrower_chart(explanation: Explanation, decision: str) -> Chart:
    """Value and reduced value by rate; zero is no offer."""
    offers, run = explanation.alternatives, explanation.run
    worth = tuple((offer.rate, offer.value) for offer in offers)
    kept = tuple((offer.rate, offer.reduced) for offer in offers)
    curves = [Curve("value", worth, "third", "dashed"), Curve("after charges", kept, "deep")]
    if len(offers) == 1:
        curves += [Curve("", worth, "third", "points"), Curve("", kept, "deep", "points")]
    marks = (
        (Mark(explanation.rate, f"offered at {percent(explanation.rate)}", "warn"),)
        if explanation.amount
        else ()
    )
    panel = Plot(
        "The best amount at each rate: its value, and what is left when the limits are paid for",
        Axis("annual rate", "percent"), Axis("value", "money", run.currency), tuple(curves), marks=marks,
        more="Zero is no offer: a rate whose value after charges lies below is not offered.",
    )  # fmt: skip
    panels = (panel,) if offers else ()
    title = f"{run.name}: {explanation.borrower}, grade {explanation.grade}"
    reasons = f" {explanation.reasons[0].text}." if explanation.reasons else ""
    return Chart(title, f"{decision[:1].upper()}{decision[1:]}:{reasons}", panels, tuple(standing_lines(run)))
