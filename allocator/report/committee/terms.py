"""What the page's short words stand for: those that it uses, once, on the front."""

from __future__ import annotations

from collections.abc import Iterator

from allocator.records.risk import TailRule
from allocator.records.scenario import Policy
from allocator.report.committee.blocks import Paragraph, note
from allocator.report.committee.figure import Documents

_ALWAYS = (
    "PD: probability of default over the term. LGD: loss given default, the part of what is owed that is "
    "lost. Churn: the share of customers who refuse an offer at its rate."
)
_BY_MEASURE = {
    "capital": "Capital: what rules on capital tie up against a loan.",
    "tail_loss": "Tail loss: what the loans lose on average in the worst {worst:g}% of years, by formula.",
    "hhi": "Herfindahl index: the sum of squared shares, 100% where one has all.",
}


def terms_of(docs: Documents, policy: Policy) -> Paragraph:
    """The short words of this page, expanded."""
    return note(" ".join(_terms(docs, policy)))


def _terms(docs: Documents, policy: Policy) -> Iterator[str]:
    yield _ALWAYS
    rules = {limit.measure: limit.rule for limit in policy.limits}
    for measure, template in _BY_MEASURE.items():
        if measure in rules:
            yield template.format(worst=_worst(rules[measure]))
    if "raroc" in docs.at("summary"):
        yield "RAROC: return on the capital tied up, adjusted for risk."
    if "compare" in docs.parts and any(
        side["strategy"] == "ahp_lines" for side in docs.at("compare", "compared")
    ):
        yield "AHP: weights from judgements of pairs, by the analytic hierarchy process."


def _worst(rule: object) -> float:
    """The part of the years, in percent, that a tail loss is a mean over."""
    return round(100 * (1 - rule.confidence), 10) if isinstance(rule, TailRule) else 0.0
