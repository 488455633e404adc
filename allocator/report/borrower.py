"""One borrower's decision on the terminal: why, its ledger, its alternatives, what would turn it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from rich.console import Group, RenderableType

from allocator.insight.explain.explanation import Alternative, Explanation
from allocator.insight.explain.flips import Flip
from allocator.records.ledger import LINES
from allocator.records.offers import SAME_RATE
from allocator.records.outcome import Outcome
from allocator.report.broken import standing_lines
from allocator.report.charts import Axis, Chart, Series
from allocator.report.money import percent, small
from allocator.report.plain import Text, plain_table, unheaded_table
from allocator.report.view import View

_FIGURES = {
    "pd": "PD",
    "lgd": "LGD",
    "relationship_value": "worth of the relationship",
    "take_up": "take-up at every rate, times",
    "rate": "every rate, at its take-up, plus",
    "funding_rate": "funding rate",
    "processing_cost": "processing cost of a loan",
    "max_amount": "largest loan",
}
_THEN = {"refused": "declined", "offered": "offered"}
"""What the best response is beyond a flip point."""


def borrower_view(found: Explanation, run: Outcome) -> View:
    """One borrower's decision in `run`."""
    return View(
        page=lambda: _page(found, run),
        document=lambda: _document(found, run),
        chart=lambda: _chart(found, run),
    )


def _page(found: Explanation, run: Outcome) -> RenderableType:
    """The page of one borrower."""
    currency = run.currency
    parts: list[RenderableType] = [_decision(found, currency), *map(Text, standing_lines(run))]
    parts += ["", _why(found)]
    if found.alternatives:
        parts += ["", _ledger(found, currency), "", _alternatives(found, currency), "", _flips(found)]
    return Group(*parts)


def _document(found: Explanation, run: Outcome) -> dict[str, Any]:
    said = {"as_prices_say": found.as_prices_say, "tied": found.tied}
    return {"currency": run.currency, **asdict(found), "account": found.account.figures, **said}


def _decision(found: Explanation, currency: str) -> RenderableType:
    facts = found.facts
    if found.amount:
        decision = (
            f"offered {found.amount:,.2f} {currency} at {percent(found.rate)}; "
            f"{percent(found.take_up)} are expected to accept"
        )
    else:
        decision = f"declined: {found.refused_because}"
    term = f"{facts['term_years']:g} year" + ("" if facts["term_years"] == 1 else "s")
    loans = (
        f"; loans of {facts['smallest_loan']:,.2f} to {facts['largest_loan']:,.2f}"
        if facts["smallest_loan"] <= facts["largest_loan"]
        else ""
    )
    text = Text(f"{found.borrower}, grade {found.grade}", style="bold")
    text.append(f": {decision}", style="not bold")
    return Group(text, f"PD {percent(facts['pd'])}, LGD {percent(facts['lgd'])}, term {term}{loans}")


def _why(found: Explanation) -> RenderableType:
    table = unheaded_table("right", "left")
    for number, reason in enumerate(found.reasons, start=1):
        table.add_row(str(number), Text(reason.text))
    return Group(Text("Why", style="bold"), table)


def _ledger(found: Explanation, currency: str) -> RenderableType:
    """Of the decision, or where no offer is made of the best response among offers."""
    priced, best = found.account, found.best
    table = unheaded_table("left", "right", least=34)
    if found.amount:
        title = f"Ledger of the offer, {currency}"
        for line in LINES:
            money = priced.account.lines[line.name]
            if money or line.sign > 0:
                table.add_row(line.label, f"{line.sign * money:,.2f}")
        table.add_row("= value", f"{priced.account.value:,.2f}")
        charges, kept = priced.charges, priced.chosen
    elif best is not None:
        title = f"Ledger of the best offer that is not made ({percent(best.rate)}), {currency}"
        table.add_row("value", f"{best.value:,.2f}")
        charges, kept = best.charges, best.reduced
    for limit, charge in charges.items():
        if charge:
            table.add_row(
                Text("charge of the budget" if limit == "budget" else f"charge of {limit}"), f"{-charge:,.2f}"
            )
    table.add_row("= reduced value", f"{kept:,.2f}")
    return Group(Text(title, style="bold"), table)


def _alternatives(found: Explanation, currency: str) -> RenderableType:
    table = plain_table()
    for heading in ("rate", "take-up", "amount", "value", "charged", "reduced value", ""):
        table.add_column(heading, justify="right", no_wrap=True)
    for offer, mark in _marked(found):
        charged = sum(offer.charges.values())
        table.add_row(
            percent(offer.rate), percent(offer.take_up), f"{offer.amount:,.0f}", f"{offer.value:,.2f}",
            f"{charged:,.2f}", f"{offer.reduced:,.2f}", mark,
        )  # fmt: skip
    return Group(Text(f"The best amount at each rate, {currency}", style="bold"), table)


def _marked(found: Explanation) -> Iterator[tuple[Alternative, str]]:
    """The alternatives with what is made among them, in the order of rates."""
    made = found.made
    others = [offer for offer in found.alternatives if made is None or not _same_offer(offer, made)]
    for offer in sorted([*others, *([] if made is None else [made])], key=lambda one: one.rate):
        yield offer, "made" if offer is made else "best" if offer is found.best else ""


def _same_offer(offer: Alternative, made: Alternative) -> bool:
    return abs(offer.rate - made.rate) <= SAME_RATE and offer.amount == made.amount


def _flips(found: Explanation) -> RenderableType:
    title = Text("What would change the decision, one figure at a time, shadow prices held", style="bold")
    if found.reasons[0].code == "pinned":
        return Group(title, "nothing: a pinned offer is made whatever it is worth")
    if not found.as_prices_say:
        response = "no offer" if found.made else "an offer"
        title = Text(f"The best response to the shadow prices is {response}, ", style="bold")
        title.append("not the decision. ")
        title.append("What would change that response, one figure at a time")
    if found.tied:
        tie = Text("a tie: the best offer has a reduced value of 0, and the least change of a figure decides")
        return Group(title, tie)
    if not found.flips:
        return Group(title, "nothing within reach")
    table = plain_table()
    table.add_column("figure", overflow="fold", max_width=38)
    for heading in ("now", "flips at", "then", "at bound", "bound now"):
        table.add_column(heading, justify="right", no_wrap=True)
    for flip in found.flips:
        label = _FIGURES.get(flip.figure, flip.figure.replace("price of", "shadow price of", 1))
        bounds = ["" if bound is None else f"{bound:,.0f}" for bound in (flip.room, flip.room_now)]
        ends = (_figure(flip, flip.now), _figure(flip, flip.at))
        table.add_row(Text(label), *ends, _THEN[flip.turns], *bounds)
    note = f"At the run's shadow prices; solved again, they move too. The run's gap is {found.gap:,.2f}."
    return Group(title, table, Text(note))


def _figure(flip: Flip, number: float) -> str:
    match flip.unit:
        case "fraction" | "rate":
            return f"{100 * number:.4g}%"
        case "money":
            return f"{number:,.2f}"
        case "factor":
            return f"{number:.4g}"
    return small(number)


def _chart(found: Explanation, run: Outcome) -> Chart:
    """Value and reduced value by rate."""
    offers: Sequence[Alternative] = found.alternatives
    rates = [offer.rate for offer in offers]
    series = (
        Series("value", rates, [offer.value for offer in offers]),
        Series("reduced value: after the limits' charges", rates, [offer.reduced for offer in offers]),
        Series("no offer", rates, np.zeros(len(rates)).tolist()),
    )
    marks = ((found.rate, "offered"),) if found.amount else ()
    title = f"{found.borrower}: what each rate is worth"
    return Chart(title, Axis("annual rate", "percent"), Axis(run.currency), series, marks)
