"""One borrower's decision on the terminal: why, its ledger, its alternatives, what would turn it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType

from allocator.insight.explain.explanation import Alternative, Explanation
from allocator.insight.explain.flips import Flip
from allocator.insight.explain.ledger import PricedAccount
from allocator.records.ledger import lines_among
from allocator.records.limits import entry_of
from allocator.records.lots import CENT
from allocator.records.offers import SAME_RATE
from allocator.records.percentages import as_percentage
from allocator.report.broken import standing_lines
from allocator.report.money import percent, small
from allocator.report.pictures.borrower import borrower_chart
from allocator.report.plain import Text, plain_table, unheaded_table
from allocator.report.view import View

_FIGURES = {
    "pd": "PD",
    "lgd": "LGD",
    "relationship_value": "worth of the relationship",
    "take_up": "take-up at every rate, times",
    "rate": "every rate, at its take-up, plus",
    "funding_rate": "funding rate",
    "cost_of_capital": "cost of capital",
    "processing_cost": "processing cost of a loan",
    "max_amount": "largest loan",
}
_THEN = {"refused": "declined", "offered": "offered"}
"""What the best response is beyond a flip point."""
_ROWS = 3
"""Rows of one `each` that are listed one by one."""


def borrower_view(explanation: Explanation) -> View:
    """One borrower's decision in a run."""
    return View.of(
        explanation,
        _page,
        _document,
        lambda record: borrower_chart(record, _decision_in_words(record, record.run.currency)),
    )


def _page(explanation: Explanation) -> RenderableType:
    """The page of one borrower."""
    run, currency = explanation.run, explanation.run.currency
    parts: list[RenderableType] = [_decision(explanation, currency), *map(Text, standing_lines(run))]
    parts += ["", _why(explanation)]
    if explanation.alternatives:
        parts += [
            "",
            _ledger(explanation, currency),
            "",
            _alternatives(explanation, currency),
            "",
            _flips(explanation),
        ]
    return Group(*parts)


def _document(explanation: Explanation) -> dict[str, Any]:
    own = {key: _plain(value) for key, value in vars(explanation).items() if key != "run"}
    judged = {"as_prices_say": explanation.as_prices_say, "tied": explanation.tied}
    return {"currency": explanation.run.currency, **own, **judged}


def _plain(value: Any) -> Any:
    """A field of an explanation as plain values."""
    match value:
        case PricedAccount():
            return value.figures
        case Alternative():
            return asdict(value)
        case tuple():
            return [asdict(entry) for entry in value]
    return value


def _decision(explanation: Explanation, currency: str) -> RenderableType:
    facts, decision = explanation.facts, _decision_in_words(explanation, currency)
    term = f"{facts['term_years']:g} year" + ("" if facts["term_years"] == 1 else "s")
    loans = (
        f"; loans of {max(facts['smallest_loan'], CENT):,.2f} to {facts['largest_loan']:,.2f}"
        if facts["smallest_loan"] <= facts["largest_loan"]
        else ""
    )
    text = Text(f"{explanation.borrower}, grade {explanation.grade}", style="bold")
    text.append(f": {decision}", style="not bold")
    return Group(text, f"PD {percent(facts['pd'])}, LGD {percent(facts['lgd'])}, term {term}{loans}")


def _decision_in_words(explanation: Explanation, currency: str) -> str:
    if not explanation.amount:
        return f"declined: {explanation.refused_because}"
    return (
        f"offered {explanation.amount:,.2f} {currency} at {percent(explanation.rate)}; "
        f"{percent(explanation.take_up)} are expected to accept"
    )


def _why(explanation: Explanation) -> RenderableType:
    table = unheaded_table("right", "left")
    for number, reason in enumerate(explanation.reasons, start=1):
        table.add_row(str(number), Text(reason.text))
    return Group(Text("Why", style="bold"), table)


def _ledger(explanation: Explanation, currency: str) -> RenderableType:
    """The ledger of the offer made, or where none is made of the best one that is possible."""
    priced, best = explanation.account, explanation.best
    table = unheaded_table("left", "right", least=34)
    if explanation.amount:
        title = f"Ledger of the offer, {currency}"
        for line in lines_among(priced.account.lines):
            money = priced.account.lines[line.name]
            if money or line.sign > 0:
                table.add_row(line.label, f"{line.sign * money:,.2f}")
        table.add_row("= value", f"{priced.account.value:,.2f}")
        for raroc in [*priced.account.on_capital.values()][1:]:
            table.add_row("RAROC, a year, before the cost of capital", percent(raroc))
        charges, kept = priced.charges, priced.chosen
    elif best is not None:
        title = f"Ledger of the best offer that is not made ({percent(best.rate)}), {currency}"
        table.add_row("value", f"{best.value:,.2f}")
        charges, kept = best.charges, best.reduced
    for label, charge in _charged(charges):
        table.add_row(Text(label), f"{-charge:z,.2f}")
    table.add_row("= reduced value", f"{kept:z,.2f}")
    return Group(Text(title, style="bold"), table)


def _charged(charges: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    """What each limit charges; of many rows of one `each` the one that charges most, the others as a sum."""
    rows: dict[str, list[str]] = {}
    for name in (name for name, charge in charges.items() if charge):
        rows.setdefault(entry_of(name), []).append(name)
    for entry, names in rows.items():
        most = max(names, key=lambda name: abs(charges[name]))
        for name in names if len(names) <= _ROWS else [most]:
            yield "charge of the budget" if name == "budget" else f"charge of {name}", charges[name]
        if len(names) > _ROWS:
            others = sum(charges[name] for name in names if name != most)
            yield f"charge of {len(names) - 1} other rows of {entry}", others


def _alternatives(explanation: Explanation, currency: str) -> RenderableType:
    table = plain_table("rate", "take-up", "amount", "value", "charged", "reduced value", "")
    for offer, mark in _marked(explanation):
        charged = sum(offer.charges.values())
        table.add_row(
            percent(offer.rate), percent(offer.take_up), f"{offer.amount:,.0f}", f"{offer.value:,.2f}",
            f"{charged:,.2f}", f"{offer.reduced:,.2f}", mark,
        )  # fmt: skip
    return Group(Text(f"The best amount at each rate, {currency}", style="bold"), table)


def _marked(explanation: Explanation) -> Iterator[tuple[Alternative, str]]:
    """The alternatives with what is made among them, in the order of rates."""
    made = explanation.made
    others = [offer for offer in explanation.alternatives if made is None or not _same_offer(offer, made)]
    for offer in sorted([*others, *([] if made is None else [made])], key=lambda offer: offer.rate):
        yield offer, "made" if offer is made else "best" if offer is explanation.best else ""


def _same_offer(offer: Alternative, made: Alternative) -> bool:
    return abs(offer.rate - made.rate) <= SAME_RATE and offer.amount == made.amount


def _flips(explanation: Explanation) -> RenderableType:
    title = Text("What would change the decision, one figure at a time, shadow prices held", style="bold")
    if explanation.reasons[0].code == "pinned":
        return Group(title, "nothing: a pinned offer is made whatever it is worth")
    if not explanation.as_prices_say:
        response = "no offer" if explanation.made else "an offer"
        title = Text(f"The best response to the shadow prices is {response}, ", style="bold")
        title.append("not the decision. ")
        title.append("What would change that response, one figure at a time")
    if explanation.tied:
        tie = Text("a tie: the best offer has a reduced value of 0, and the least change of a figure decides")
        return Group(title, tie)
    if not explanation.flips:
        return Group(title, "nothing within reach")
    table = plain_table(("figure", 38), "now", "flips at", "then", "at bound", "bound now")
    for flip in explanation.flips:
        label = _FIGURES.get(flip.figure, flip.figure.replace("price of", "shadow price of", 1))
        bounds = ["" if bound is None else f"{bound:,.0f}" for bound in (flip.room, flip.room_now)]
        ends = (_figure(flip, flip.now), _figure(flip, flip.at))
        table.add_row(Text(label), *ends, _THEN[flip.turns], *bounds)
    note = (
        f"At the run's shadow prices; solved again, they move too. The run's gap is {explanation.gap:,.2f}."
    )
    return Group(title, table, Text(note))


def _figure(flip: Flip, number: float) -> str:
    match flip.unit:
        case "fraction" | "rate":
            return as_percentage(number, 4)
        case "money":
            return f"{number:,.2f}"
        case "factor":
            return f"{number:.4g}"
    return small(number)
