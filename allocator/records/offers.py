"""What may be offered to whom and what it is worth: compact, never borrowers x rates.

At rate r with take-up a an offer of x to borrower i is worth

    V_i(x, r, a) = a (yield_i r - cost_i) x - (1 - a) kappa x + (d R_i - (1 - a) R_i - a c)

(docs/formulation.md, section 1), so that a borrower needs two numbers, and everything that
depends on the rate is in the few menus that borrowers share.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from allocator.records.lots import CENT, Bands, lots_to_money, money_to_lots
from allocator.records.portfolio import Booleans, Codes, Floats, Integers, Text

SAME_RATE = 1e-12
"""Two rates closer than this are one."""


@dataclass(frozen=True)
class Menu:
    """The rates that some borrowers may be offered, and the share of them who accept."""

    rates: Floats
    """(K,) strictly ascending fractions."""
    take_up: Floats
    """(K,) 1 - churn."""


@dataclass(frozen=True)
class PostedSegments:
    """What price lists choose from: a rate of each of G segments."""

    names: tuple[str, ...]
    rates: tuple[Floats, ...]
    """Of each segment, (K,) strictly ascending."""
    segment: Codes
    """The segment of each menu of an offer book; -1: a rate of the borrower's own, which no list changes."""
    chains: tuple[tuple[int, ...], ...]
    """Segments, each in one chain, along which a list's rates never fall; most stand alone."""


@dataclass(frozen=True)
class OfferBook:
    """n borrowers in portfolio order; arrays have shape (n,)."""

    menus: tuple[Menu, ...]
    menu: Codes
    """Index into `menus`; -1: no offer is possible, `no_offer` says why."""
    low: Floats
    """Smallest loan, a multiple of `step` where there is one, else of 0.01."""
    high: Floats
    """Largest loan, likewise; at least `low` wherever an offer is possible."""
    income: Floats
    """T (1 - p): interest per unit drawn and a unit of rate."""
    cost: Floats
    """p L + f T + k K T: expected loss, funding and cost of capital a unit drawn."""
    relationship: Floats
    """R: worth of the relationship, lost when the customer walks."""
    term: Floats
    """T in years."""
    must: Booleans
    """A pinned offer: it is made, whatever it is worth."""
    no_offer: Text
    """Why no offer is possible; code -1 where one is."""
    churn_cost: float
    """kappa: cost of churn a unit offered and lost."""
    decline_churn: float
    """d: share of declined customers whose relationship is lost."""
    processing_cost: float
    """c: cost of one booked loan."""
    step: float | None
    """Amounts are multiples of it; None: of 0.01."""
    bands: Bands | None = None
    """Which multiples of the step are amounts; None: every one from `low` to `high`."""
    posted: PostedSegments | None = None
    """What of the rates a price list chooses; None: each borrower's rate is chosen by itself."""

    def __len__(self) -> int:
        return len(self.menu)

    def lots(self, who: Integers) -> Floats:
        """(k,) what the amounts of `who` go by: each one's own step, or what its bands have in common."""
        if self.bands is None or len(self.bands) > 1:
            return np.full(len(who), self.step or CENT)
        return np.asarray(np.broadcast_to(self.bands.step, (1, len(self)))[0, who] / 100.0)

    def below(self, who: Integers, amounts: Floats, count: int) -> Floats:
        """The amounts of `who` that are `count` steps below `amounts`, or more where bands leave no other."""
        if self.bands is None:
            lot = self.step or CENT
            return lots_to_money(money_to_lots(amounts, lot) - count, lot)
        own = self.bands.take(who)
        return own.down(amounts - count * own.around(amounts)[2])

    def down(self, who: Integers | slice, amounts: Floats, near: float = 1e-6) -> Floats:
        """The largest amounts of `who` up to `amounts`, -inf where bands have none.

        One of which only the part `near` of a lot is missing counts.
        """
        if self.bands is not None:
            return self.bands.take(who).down(amounts, near)
        lot = self.step or CENT
        return lots_to_money(np.floor(amounts / lot + near), lot)

    def worth(
        self, rate: Floats, take_up: Floats, who: Integers | slice = slice(None)
    ) -> tuple[Floats, Floats]:
        """Margin a unit offered, and worth of an offer whatever its amount, at a rate of each of `who`."""
        margin = take_up * (self.income[who] * rate - self.cost[who]) - (1.0 - take_up) * self.churn_cost
        kept = (self.decline_churn - 1.0 + take_up) * self.relationship[who]
        return margin, kept - take_up * self.processing_cost

    @property
    def refusal_constant(self) -> float:
        """-d sum R: what declining everybody would cost, reported apart from the objective."""
        return 0.0 if self.decline_churn == 0 else -self.decline_churn * float(np.sum(self.relationship))
