"""Why one borrower was decided as it was: ledger, reasons, alternatives, and what would turn the decision."""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import get_close_matches

import numpy as np

from allocator.errors import Fault, InputError
from allocator.insight.explain.flips import NOTHING, Flip, flips_of
from allocator.insight.explain.ledger import PricedAccount, whole_account
from allocator.insight.explain.offers import Offers, offer_made, offers_to
from allocator.insight.explain.position import Position, position_of
from allocator.insight.explain.why import Reason, why_declined, why_offered
from allocator.records.outcome import Outcome
from allocator.records.portfolio import Portfolio

_NEAR = 3


@dataclass(frozen=True)
class Alternative:
    """The better amount at one rate, or the decision itself."""

    rate: float
    amount: float
    take_up: float
    value: float
    reduced: float
    """Value less what the limits charge."""
    charges: dict[str, float]


@dataclass(frozen=True)
class Explanation:
    """One borrower's decision at the run's prices."""

    run: Outcome
    borrower: str
    grade: str
    facts: dict[str, float]
    """pd, lgd, term in years, smallest and largest loan."""
    amount: float
    rate: float
    take_up: float
    account: PricedAccount
    """The ledger of the decision."""
    refused_because: str
    """As allocation.csv has it; "" where an offer is made."""
    reasons: tuple[Reason, ...]
    alternatives: tuple[Alternative, ...]
    """One a rate, ascending; none where no offer is possible."""
    made: Alternative | None
    """The decision among them, which may be of another amount; None for no offer."""
    flips: tuple[Flip, ...]
    gap: float
    """bound - value of the run, in money: a flip nearer than this, in reduced value, is not certain."""

    @property
    def best(self) -> Alternative | None:
        """The offer with the largest reduced value."""
        return max(self.alternatives, key=lambda offer: offer.reduced, default=None)

    @property
    def tied(self) -> bool:
        """Whether the best offer has a reduced value of 0, up to a price's rounding: either is best."""
        return self.best is not None and abs(self.best.reduced) <= NOTHING * self.best.amount

    @property
    def as_prices_say(self) -> bool:
        """Whether the best response to the prices is an offer where one is made, no offer where none is."""
        if self.best is None or self.tied:
            return True
        return (self.best.reduced > 0.0) == (self.made is not None)


def find_borrower(portfolio: Portfolio, borrower: str) -> int:
    """The borrower's position; raises InputError with the nearest identifiers where there is none."""
    positions = np.flatnonzero(portfolio.borrower_id == borrower)
    if len(positions):
        return int(positions[0])
    near = get_close_matches(borrower, portfolio.borrower_id.tolist(), n=_NEAR, cutoff=0.3)
    remedy = f"did you mean {' or '.join(near)}?" if near else "see borrower_id in the run's allocation"
    raise InputError.of([Fault(f"no borrower is named {borrower!r}", remedy, field="BORROWER")], "borrower")


def explain_borrower(run: Outcome, borrower: str) -> Explanation:
    """Everything about one borrower of a run. Raises InputError where its portfolio has none of that name."""
    return explain_decision(position_of(run), borrower)


def explain_decision(position: Position, borrower: str) -> Explanation:
    """`explain_borrower` of a run that is ready for questions."""
    portfolio, ledger = position.run.inputs.portfolio, position.run.ledger
    i = find_borrower(portfolio, borrower)
    offers, chosen = offers_to(position, i), offer_made(position, i)
    alone = np.arange(len(portfolio)) == i
    alternatives = _alternatives_of(offers)
    certificate = position.run.certificate
    why = str(position.reasons[i])
    return Explanation(
        run=position.run,
        borrower=borrower,
        grade=portfolio.grade.values[portfolio.grade.codes[i]],
        facts=_facts(position, i),
        amount=float(ledger.amount[i]),
        rate=float(ledger.rate[i]),
        take_up=float(ledger.take_up[i]),
        account=whole_account(position, alone, borrower),
        refused_because=why,
        reasons=tuple(why_declined(why, offers) if why else why_offered(position, i, chosen, offers)),
        alternatives=alternatives,
        made=_alternative(chosen, 0) if ledger.amount[i] > 0 else None,
        flips=tuple(_with_rooms(position, i, flips_of(position, i), offers)),
        gap=certificate.bound - certificate.value,
    )


def _facts(position: Position, i: int) -> dict[str, float]:
    portfolio, terms = position.run.inputs.portfolio, position.terms
    return {
        "pd": float(portfolio.pd[i]),
        "lgd": float(portfolio.lgd[i]),
        "term_years": float(portfolio.term[i]),
        "smallest_loan": float(terms.low[i]),
        "largest_loan": float(terms.high[i]),
    }


def _alternatives_of(offers: Offers) -> tuple[Alternative, ...]:
    """The better end of each rate."""
    reduced, alternatives = offers.reduced, []
    for rate in np.unique(offers.rate):
        ends = np.flatnonzero(offers.rate == rate)
        alternatives.append(_alternative(offers, int(ends[np.argmax(reduced[ends])])))
    return tuple(alternatives)


def _alternative(offers: Offers, k: int) -> Alternative:
    return Alternative(
        rate=float(offers.rate[k]),
        amount=float(offers.amount[k]),
        take_up=float(offers.take_up[k]),
        value=float(offers.ledger.value[k]),
        reduced=float(offers.reduced[k]),
        charges={limit: float(charge[k]) for limit, charge in offers.charges.items()},
    )


def _with_rooms(position: Position, i: int, flips: list[Flip], offers: Offers) -> list[Flip]:
    """The flips with, for the price of a limit in money, the room at which it would be that price.

    Every other price held, the bound is convex in this one, and a price is its minimum exactly where
    the best responses to it use the room: so the room is what everybody else uses at that price, and for
    an offer to be made, what it uses too.
    """
    limits, prices = position.columns.limits, position.row_prices
    names = [row.name for row in limits.rows]
    out = []
    for flip in flips:
        name = flip.figure.removeprefix("price of ")
        stake = next((stake for stake in offers.stakes if stake.limit == name), None)
        if flip.unit != "price" or stake is None or limits.rows[j := names.index(name)].reference:
            out.append(flip)
            continue
        moved = prices.copy()
        moved[j] = flip.at
        answer = position.responses.respond(moved)
        answer.option[i], answer.amount[i] = -1, 0.0
        room = float(position.responses.tally(answer.option, answer.amount).usage[j])
        if flip.turns == "offered":
            best = int(np.argmax(offers.at_prices({name: flip.at}).reduced))
            room += float(stake.uses(offers.bases)[best])
        out.append(replace(flip, room=room, room_now=float(limits.rhs[j])))
    return out
