"""Why one borrower was decided as it was: ledger, reasons, alternatives, and what would turn the decision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from difflib import get_close_matches

import numpy as np

from allocator.borrowers import FurtherColumns
from allocator.engine.kernel.columns import Columns
from allocator.engine.kernel.passes import Pass
from allocator.engine.kernel.passes import prepare as prepare_pass
from allocator.engine.reasons import reasons
from allocator.errors import Fault, InputError
from allocator.insight.explain.flips import NOTHING, Flip, flips_of
from allocator.insight.explain.ledger import Position, PricedAccount, position_of, whole_account
from allocator.insight.explain.offers import Offers, decided, offers_to
from allocator.insight.explain.why import Reason, why_declined, why_offered
from allocator.pipeline import prepare
from allocator.records.case import Case
from allocator.records.outcome import Outcome
from allocator.records.portfolio import Portfolio
from allocator.records.run import StoredRun
from allocator.verification import in_input_order, recheck_run

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


@dataclass(frozen=True)
class Reader:
    """A case made ready for questions about its borrowers at a run's prices."""

    position: Position
    case: Case
    columns: Columns
    book: Pass
    reasons: np.ndarray
    """(n,) why each borrower is declined, in portfolio order."""

    @property
    def run(self) -> Outcome:
        return self.position.run


def read_reader(stored: StoredRun, further: FurtherColumns, progress: Callable[[str], None]) -> Reader:
    """A stored run that passes its recheck, with the `further` columns, made ready for questions.

    Raises as `recheck_run` does.
    """
    progress("recomputing it from its inputs")
    run = recheck_run(stored, further)
    why = None if run.optimal else _stated_reasons(stored, run.inputs.portfolio)
    return reader_of(position_of(run), prepare(run.scenario, run.inputs), why)


def reader_of(position: Position, case: Case, why: np.ndarray | None = None) -> Reader:
    """`position` with the engine's view of its book; `case` is that of the same scenario and inputs.

    `why` (n,) is why each borrower is declined, in portfolio order; None: what the prices give.
    """
    columns = Columns(case.offers, case.limits)
    threads = case.scenario.solver.threads
    if why is None:
        declined = position.run.decisions.amount == 0
        why = reasons(columns, declined, prices_of(position), threads)
    return Reader(position, case, columns, prepare_pass(columns, threads), why)


def _stated_reasons(stored: StoredRun, portfolio: Portfolio) -> np.ndarray:
    """(n,) the reasons that the run's allocation states, in portfolio order."""
    stated = in_input_order(stored.allocation, portfolio, ordered=False)["reason"].fillna("").to_numpy(object)
    return np.asarray(stated[np.argsort(np.argsort(portfolio.row, kind="stable"))])


def prices_of(position: Position) -> np.ndarray:
    """(m,) the run's prices in the order of the rows."""
    return np.array([position.prices[name] for block in position.blocks for name in block.names])


def find_borrower(portfolio: Portfolio, borrower: str) -> int:
    """Its position; raises InputError with the nearest identifiers where there is none."""
    found = np.flatnonzero(portfolio.borrower_id == borrower)
    if len(found):
        return int(found[0])
    near = get_close_matches(borrower, portfolio.borrower_id.tolist(), n=_NEAR, cutoff=0.3)
    remedy = f"did you mean {' or '.join(near)}?" if near else "see borrower_id in the run's allocation"
    raise InputError.of([Fault(f"no borrower is named {borrower!r}", remedy, field="BORROWER")], "borrower")


def explain_borrower(reader: Reader, borrower: str) -> Explanation:
    """Everything about one borrower. Raises InputError where the portfolio has none of that name."""
    position = reader.position
    portfolio, ledger = position.run.inputs.portfolio, position.run.ledger
    at = find_borrower(portfolio, borrower)
    offers, chosen = offers_to(position, at), decided(position, at)
    alone = np.arange(len(portfolio)) == at
    alternatives = _alternatives_of(offers)
    certificate = position.run.certificate
    why = str(reader.reasons[at])
    return Explanation(
        borrower=borrower,
        grade=portfolio.grade.values[portfolio.grade.codes[at]],
        facts=_facts(position, at),
        amount=float(ledger.amount[at]),
        rate=float(ledger.rate[at]),
        take_up=float(ledger.take_up[at]),
        account=whole_account(position, alone, borrower),
        refused_because=why,
        reasons=tuple(why_declined(why, offers) if why else why_offered(position, at, chosen, offers)),
        alternatives=alternatives,
        made=_alternative(chosen, 0) if ledger.amount[at] > 0 else None,
        flips=tuple(_with_rooms(reader, at, flips_of(position, at), offers)),
        gap=certificate.bound - certificate.value,
    )


def _facts(position: Position, at: int) -> dict[str, float]:
    portfolio, terms = position.run.inputs.portfolio, position.terms
    return {
        "pd": float(portfolio.pd[at]),
        "lgd": float(portfolio.lgd[at]),
        "term_years": float(portfolio.term[at]),
        "smallest_loan": float(terms.low[at]),
        "largest_loan": float(terms.high[at]),
    }


def _alternatives_of(offers: Offers) -> tuple[Alternative, ...]:
    """The better end of each rate."""
    reduced, found = offers.reduced, []
    for rate in np.unique(offers.rate):
        ends = np.flatnonzero(offers.rate == rate)
        found.append(_alternative(offers, int(ends[np.argmax(reduced[ends])])))
    return tuple(found)


def _alternative(offers: Offers, k: int) -> Alternative:
    return Alternative(
        rate=float(offers.rate[k]),
        amount=float(offers.amount[k]),
        take_up=float(offers.take_up[k]),
        value=float(offers.ledger.value[k]),
        reduced=float(offers.reduced[k]),
        charges={limit: float(charge[k]) for limit, charge in offers.charges.items()},
    )


def _with_rooms(reader: Reader, at: int, flips: list[Flip], offers: Offers) -> list[Flip]:
    """The flips with, for the price of a limit in money, the room at which it would be that price.

    Every other price held, the bound is convex in this one, and a price is its minimum exactly where
    the best responses to it use the room: so the room is what everybody else uses at that price, and for
    an offer to be made, what it uses too.
    """
    names = [row.name for row in reader.columns.limits.rows]
    prices = prices_of(reader.position)
    out = []
    for flip in flips:
        name = flip.figure.removeprefix("price of ")
        stake = next((stake for stake in offers.stakes if stake.limit == name), None)
        if flip.unit != "price" or stake is None or stake.reference:
            out.append(flip)
            continue
        j = names.index(name)
        moved = prices.copy()
        moved[j] = flip.at
        answer = reader.book.respond(moved)
        answer.option[at], answer.amount[at] = -1, 0.0
        room = float(reader.book.tally(answer.option, answer.amount).usage[j])
        if flip.turns == "offered":
            best = int(np.argmax(offers.at_prices({name: flip.at}).reduced))
            room += float(stake.uses(offers.bases)[best])
        out.append(replace(flip, room=room, room_now=float(reader.columns.limits.rhs[j])))
    return out
