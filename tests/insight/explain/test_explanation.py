"""Why a borrower was decided so: its ledger, its reasons, and the figures at which the answer turns."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from rich.console import Console

from allocator.certification.bound import best_reduced_values
from allocator.certification.limits import blocks_of, charges_of
from allocator.certification.terms import terms_of
from allocator.errors import InfeasibleError, InputError
from allocator.insight.explain.explanation import (
    Explanation,
    explain_decision,
    find_borrower,
)
from allocator.insight.explain.flips import Flip
from allocator.insight.explain.offers import offer_made, offers_to
from allocator.insight.explain.position import Position, position_of
from allocator.report.borrower import borrower_view
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.insight.explain.test_ledger import rechecked
from tests.strategies import cases_in_cents, random_cases

TABLE = churn_table([0.04, 0.06, 0.08, 0.1, 0.12], A=[0, 0.2, 0.4, 0.6, 0.8], B=[0, 0.1, 0.3, 0.5, 0.7])


def ready_for(case: Case) -> Position:
    return position_of(rechecked(case))


def crowded(n: int = 40, budget: float | None = None, **terms: Any) -> Case:
    """A book of n borrowers of which the budget and a loss limit let a part in."""
    random = np.random.default_rng(7)
    book = portfolio(
        random.choice(["A", "B", "D"], n, p=[0.45, 0.45, 0.1]).tolist(),
        pd=random.uniform(0.002, 0.08, n),
        lgd=random.uniform(0.3, 0.6, n),
        max_amount=np.round(random.uniform(5e4, 9e5, n), -3),
        relationship_value=random.choice([0.0, 3000.0], n),
        texts={"sector": random.choice(["food", "steel"], n).tolist()},
    )
    limits = (
        limit("sectors", "offered", "at_most", 0.6, of="total", each="sector"),
        limit("loss rate", "expected_loss", "at_most", 0.01, of="drawn"),
        limit("book", "loans", "at_most", float(round(0.45 * n))),
    )
    costs = {"funding_rate": 0.01, "processing_cost": 300.0, "churn_cost_rate": 0.001, "decline_churn": 0.2}
    return Case(book, TABLE, policy(1.5e5 * n if budget is None else budget, *limits, **{**costs, **terms}))


@pytest.fixture(scope="module")
def book() -> tuple[Case, Position]:
    case = crowded()
    return case, ready_for(case)


def answers(case: Case, prices: dict[str, float]) -> np.ndarray:
    """Best reduced values at fixed prices, by certification alone."""
    terms = terms_of(case.portfolio, case.table, case.scenario.response, case.policy)
    charges = charges_of(blocks_of(case.policy, case.portfolio), prices)
    return best_reduced_values(case.portfolio, case.policy, terms, charges)


def indifferent(flip: Flip) -> bool:
    """Whether the figure stands on its turn, to the last bits: an offer that the relaxation makes in part."""
    return abs(flip.at - flip.now) <= 1e-9 * max(abs(flip.now), 1.0)


def moved(case: Case, at: int, flip: Flip, figure: float) -> Case | None:
    """The case with one figure of one borrower changed, where a case can say that."""

    def column(name: str) -> Case:
        changed = getattr(case.portfolio, name).copy()
        changed[at] = figure
        return replace(case, portfolio=replace(case.portfolio, **{name: changed}))

    if flip.figure in ("pd", "lgd", "relationship_value", "max_amount"):
        return column(flip.figure)
    if flip.figure in ("funding_rate", "processing_cost"):
        return case.under(**{flip.figure: figure})
    return None


def test_flip_points_hold_at_fixed_prices_exactly(book: tuple[Case, Position]) -> None:
    """Recomputed by certification: just before, the answer is what it was; just after, it is the other."""
    case, ready = book
    prices = dict(ready.prices)
    seen: dict[str, int] = {}
    for at in range(len(case.portfolio)):
        for flip in explain_decision(ready, str(case.portfolio.borrower_id[at])).flips:
            offered_now = answers(case, prices)[at] > 0
            if indifferent(flip):
                continue
            assert flip.turns == ("refused" if offered_now else "offered")
            cents = 0.02 if flip.figure == "max_amount" else 0.0
            step = np.copysign(max(1e-6 * abs(flip.at - flip.now), cents), flip.at - flip.now)
            for figure, offered in ((flip.at - step, offered_now), (flip.at + step, not offered_now)):
                if flip.unit == "price":
                    name = flip.figure.removeprefix("price of ")
                    value = answers(case, {**prices, name: figure})[at]
                elif (changed := moved(case, at, flip, figure)) is not None:
                    value = answers(changed, prices)[at]
                else:
                    continue
                assert (value > 0) == offered, (flip, figure, value)
                seen[flip.unit] = seen.get(flip.unit, 0) + 1
    assert seen.keys() == {"fraction", "money", "rate", "price"}
    assert min(seen.values()) >= 10


def test_what_all_rates_and_all_take_ups_turn_is_exact_too(book: tuple[Case, Position]) -> None:
    case, ready = book
    found = 0
    for at in range(len(case.portfolio)):
        offers = offers_to(ready, at)
        for flip in explain_decision(ready, str(case.portfolio.borrower_id[at])).flips:
            if flip.figure not in ("take_up", "rate") or indifferent(flip):
                continue
            step = 1e-6 * (flip.at - flip.now)
            for figure, then in (
                (flip.at - step, flip.turns == "refused"),
                (flip.at + step, flip.turns == "offered"),
            ):
                changed = (
                    replace(offers, take_up=figure * offers.take_up)
                    if flip.figure == "take_up"
                    else replace(offers, rate=offers.rate + figure)
                )
                assert (np.max(changed.reduced) > 0) == then
            found += 1
    assert found > 20


def test_the_room_of_a_price_is_where_that_price_is_best(book: tuple[Case, Position]) -> None:
    """With the other prices held, U(lambda) is least at the flip's price where the limit has that room."""
    case, ready = book
    prices, found = dict(ready.prices), 0
    blocks = blocks_of(case.policy, case.portfolio)

    def bound(name: str, price: float, more: float) -> float:
        at = {**prices, name: price}
        constant = charges_of(blocks, at).constant + price * more
        return constant + float(np.sum(answers(case, at)))

    for borrower in case.portfolio.borrower_id.tolist():
        for flip in explain_decision(ready, borrower).flips:
            if flip.room is None or flip.room_now is None:
                continue
            name, more = flip.figure.removeprefix("price of "), flip.room - flip.room_now
            here = bound(name, flip.at, more)
            for nearby in (0.999 * flip.at, 1.001 * flip.at):
                assert bound(name, nearby, more) >= here - 1e-9 * abs(here)
            found += 1
    assert found > 20


@random_cases(12, full=20)
@given(cases_in_cents())
def test_one_borrower_is_explained_as_certification_counts_it(case: Case) -> None:
    try:
        ready = ready_for(case)
    except InfeasibleError:
        assume(False)
        raise
    position = ready
    scale = 1e-9 * max(float(np.max(np.abs(position.best), initial=1.0)), 1e6)
    for at, borrower in enumerate(case.portfolio.borrower_id.tolist()):
        offers, found = offers_to(position, at), explain_decision(ready, borrower)
        most = float(np.max(offers.reduced, initial=-np.inf))
        best = most if position.terms.pinned[at] else max(most, 0.0)
        assert best == pytest.approx(position.best[at], abs=scale)
        if found.amount:
            assert offer_made(position, at).reduced[0] == pytest.approx(position.chosen[at], abs=scale)
            assert found.account.chosen == pytest.approx(position.chosen[at], abs=scale)
        assert 1 <= len(found.reasons) <= 4
        assert (found.refused_because == "") == (found.amount > 0)


def explained(case: Case, at: int) -> Explanation:
    return explain_decision(ready_for(case), str(case.portfolio.borrower_id[at]))


def test_a_refusal_names_the_reason_of_the_allocation_then_the_money(book: tuple[Case, Position]) -> None:
    case, ready = book
    codes = set()
    for at, borrower in enumerate(case.portfolio.borrower_id.tolist()):
        found = explain_decision(ready, borrower)
        codes |= {reason.code for reason in found.reasons}
        if found.refused_because:
            assert found.reasons[0].text == found.refused_because == ready.reasons[at]
    assert {"impossible", "crowded_out", "limit", "pays", "rate", "amount"} <= codes


def test_a_loan_that_never_pays_is_told_by_its_costs() -> None:
    case = Case(portfolio(["A", "A"], pd=[0.01, 0.9]), TABLE, policy(1e6))
    found = explained(case, 1)
    assert [reason.code for reason in found.reasons] == ["never_profitable", "cost"]
    assert "expected loss takes" in found.reasons[1].text


def test_a_pinned_offer_has_no_turn() -> None:
    book = portfolio(["A"], pd=0.9, fixed_amount=200_000.0, fixed_rate=0.05)
    found = explained(Case(book, TABLE, policy(1e6)), 0)
    assert (found.reasons[0].code, found.flips) == ("pinned", ())


def test_a_tie_turns_at_no_figure_that_stands_already(book: tuple[Case, Position]) -> None:
    """The last unit of the budget goes to somebody at the very price that leaves nothing of the offer."""
    case, ready = book
    found = [explain_decision(ready, borrower) for borrower in case.portfolio.borrower_id.tolist()]
    tied = [one for one in found if one.tied]
    assert tied
    assert all(one.as_prices_say and abs(one.best.reduced) < 1e-4 for one in tied if one.best is not None)
    assert not any(indifferent(flip) for one in found for flip in one.flips)
    page = Console(width=120)
    with page.capture() as captured:
        page.print(borrower_view(tied[0]).page())
    assert "a tie: the best offer has a reduced value of 0" in captured.get()
    assert "turns at" not in captured.get()


def test_an_unknown_borrower_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError) as caught:
        find_borrower(portfolio(["A", "A"]), "b01")
    (fault,) = caught.value.faults
    assert fault.remedy.startswith("did you mean b0")
