"""The sheets of single borrowers: who is lent what, who is declined, and what each would best be offered.

Every figure that follows from others is a formula of docs/formulation.md, sections 1 and 4, over its row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from allocator.insight.audit import Audit, Entry
from allocator.insight.convex import WorstYears
from allocator.records.ledger import Ledger
from allocator.records.portfolio import Floats, Portfolio, Text
from allocator.records.scenario import Policy
from allocator.records.workbook import Column, Kind, Table
from allocator.report.joined import figures_of, is_told
from allocator.report.workbook.limits import label_range, number_range, price_range
from allocator.report.workbook.membership import (
    BASIS_CELLS,
    base_formula,
    counts_some,
    lent_to_formula,
    parts_of,
    refers_to_some,
    row_formula,
    rows_of,
)

CANONICAL: dict[str, tuple[str, Kind]] = {
    "pd": ("PD", "share"), "lgd": ("LGD", "share"), "term_years": ("Term in years", "number"),
    "max_amount": ("Request", "money"), "min_amount": ("Smallest loan wanted", "money"),
    "min_rate": ("Lowest rate", "factor"), "max_rate": ("Highest rate", "factor"),
    "rate": ("Contract rate", "factor"), "fixed_amount": ("Pinned amount", "money"),
    "fixed_rate": ("Pinned rate", "factor"), "relationship_value": ("Worth of the relationship", "money"),
    "exposure": ("Already lent", "money"),
}  # fmt: skip
"""The canonical columns of numbers, as the sheets head them."""
_LINE_FORMULAS = {
    "interest": "=[gross_interest]*(1-[pd])",
    "expected_loss": "=[drawn]*[pd]*[lgd]",
    "funding_cost": "=[drawn]*policy_funding_rate*[term_years]",
    "churn_cost": "=([amount]-[drawn])*policy_churn_cost_rate",
    "processing_cost": "=[take_up]*policy_processing_cost",
    "relationship_cost": "=(1-[take_up]-policy_decline_churn)*[relationship_value]",
    "capital_cost": "=[capital_years]*policy_capital_cost",
}
"""Line of the ledger -> its formula; a line without one is written as it was computed."""
_BASIS_WORDS = {"offered": "unit offered", "drawn": "unit drawn", "interest": "unit of interest due",
                "loans": "loan", "booked": "loan booked"}  # fmt: skip
_BEST_BASES = {"offered": "[best_amount]", "drawn": "[best_take_up]*[best_amount]",
               "interest": "[best_take_up]*[best_amount]*[best_rate]*[term_years]",
               "loans": "IF([best_amount]>0,1,0)", "booked": "[best_take_up]"}  # fmt: skip


class Borrowers:
    """Columns of the borrowers of one audit; `prices` are those of the rows of all limits, in their order,
    `worst` the years that tail losses by sectors are the means of."""

    def __init__(self, audit: Audit, policy: Policy, prices: Floats, worst: Mapping[str, WorstYears]) -> None:
        self._audit, self._policy, self._prices, self._worst = audit, policy, prices, worst
        own = audit.borrowers
        self._further = {
            "text": {name: f"column_{i}" for i, name in enumerate(own.texts, 1)},
            "number": {name: f"number_{i}" for i, name in enumerate(own.numbers, 1)},
        }

    def key(self, column: str, read_as: Literal["text", "number"] = "text") -> str:
        """The key of a column of the portfolio; one that is read as both has two."""
        canonical = column in ("borrower_id", "grade", *CANONICAL)
        return column if canonical else self._further[read_as][column]

    def loans(self) -> Table:
        """Those who are made an offer, with the ledger of each."""
        return Table(
            (
                *self._facts(),
                *self._decision(),
                *self._membership(),
                *self._charges(),
                *self._by_limit(),
                *self._best(),
            ),
            "loan",
        )

    def declined(self) -> Table:
        """Those who are not."""
        reasons = Column("reason", "Reason", "text", self._audit.reasons.tolist(), width=34)
        turning = Column("turning", "PD that turns it", "share", self._audit.turning)
        return Table(
            (*self._facts(), reasons, *self._membership(), *self._charges(), *self._best(), turning),
            "declined",
        )

    def _facts(self) -> Iterator[Column]:
        own = self._audit.borrowers
        yield Column("borrower_id", "Borrower", "text", own.borrower_id.tolist(), width=16)
        yield Column("grade", "Grade", "text", words(own.grade), width=8)
        for name, text in own.texts.items():
            as_numbers = None if name in self._policy.text_columns() else figures_of(text)
            if as_numbers is None:
                yield Column(self.key(name), name, "text", words(text), width=16)
            else:
                yield Column(self.key(name), name, "number", as_numbers, width=16)
        for name, (heading, kind) in CANONICAL.items():
            if self._has(name, own):
                yield Column(name, heading, kind, own.number(name))
        if own.requirement is not None:
            yield Column("capital_requirement", "Capital requirement", "share", own.requirement)
        for name, figures in own.numbers.items():
            yield Column(self.key(name, "number"), name, "number", figures)

    def _has(self, name: str, own: Portfolio) -> bool:
        return name in self._policy.number_columns() or is_told(own, name)

    def _decision(self) -> Iterator[Column]:
        decided = self._audit.decided
        yield Column("amount", "Amount", "money", decided.amount)
        yield Column("rate", "Rate", "factor", decided.rate)
        yield Column("take_up", "Take-up", "share", decided.take_up)
        yield Column("drawn", "Drawn", "money", decided.drawn, "=[amount]*[take_up]")
        gross = "=[drawn]*[rate]*[term_years]"
        yield Column("gross_interest", "Interest due", "money", decided.gross_interest, gross)
        if decided.capital_years is not None:
            tied_up = "=[drawn]*[capital_requirement]*[term_years]"
            yield Column("capital_years", "Capital over the term", "money", decided.capital_years, tied_up)
        for line in decided.lines:
            figures = getattr(decided, line.name)
            yield Column(line.name, _capital(line.label), "money", figures, self._line_formula(line.name))
        value = "=" + "".join(f"{'+' if line.sign > 0 else '-'}[{line.name}]" for line in decided.lines)
        yield Column("value", "Value", "money", decided.value, value.replace("=+", "="))
        if decided.capital_cost is not None:
            earned = "=IF([capital_years]=0,0,([value]+[capital_cost])/[capital_years])"
            yield Column("raroc", "RAROC", "share", decided.raroc, earned)

    def _line_formula(self, name: str) -> str | None:
        if name == "relationship_cost" and not self._has("relationship_value", self._audit.borrowers):
            return None
        return _LINE_FORMULAS.get(name)

    def _membership(self) -> Iterator[Column]:
        """Of each entry that tells borrowers apart the number of the limit that counts the borrower."""
        for place, entry in enumerate(self._audit.entries):
            yield from self._of_its_own(place, entry)
            if counts_some(entry):
                formula = row_formula(self._audit, entry, self.key, label_range(entry), number_range(entry))
                numbers = rows_of(self._audit, entry)
                yield Column(f"row_{place}", f"Row of {entry.name}", "row", numbers, formula, width=9)
            if refers_to_some(entry):
                heading, counted = f"In the share of {entry.name}", entry.block.referred(1)
                formula = base_formula(self._audit, entry, self.key)
                yield Column(f"base_{place}", heading, "row", counted, formula, width=9)

            if entry.lent_to is not None:
                heading, formula = f"Makes {entry.name} hold", lent_to_formula(self._audit, entry, self.key)
                yield Column(f"makes_{place}", heading, "row", entry.lent_to * 1, formula, width=9)

    def _of_its_own(self, place: int, entry: Entry) -> Iterator[Column]:
        """What the entry alone counts of each borrower: weights by a rule, PD and LGD under its stress."""
        limit, own = entry.limit, entry.counted
        if limit is not None and limit.stress is not None and own is not None:
            yield Column(f"pd_{place}", f"PD in {entry.name}", "share", own.pd)
            yield Column(f"lgd_{place}", f"LGD in {entry.name}", "share", own.lgd)
            if own.requirement is not None:
                heading = f"Capital requirement in {entry.name}"
                yield Column(f"capital_requirement_{place}", heading, "share", own.requirement)
        elif limit is not None and entry.name in self._worst:
            weights, heading = self._worst[entry.name].weights[self._audit.rows], f"Lost by {entry.name}"
            yield Column(f"weight_{place}", heading, "number", np.where(weights == 0.0, np.nan, weights))
        elif limit is not None and limit.own_weights and entry.block.weight is not None:
            yield Column(f"weight_{place}", f"Weight of {entry.name}", "number", entry.block.weight)

    def _priced(self) -> list[tuple[int, Entry]]:
        """The entries with a price that is not 0, and their places."""
        return [(place, entry) for place, entry in enumerate(self._audit.entries)
                if np.any(self._own_prices(entry))]  # fmt: skip

    def _own_prices(self, entry: Entry) -> Floats:
        return self._prices[entry.first - 1 : entry.first - 1 + len(entry.block.names)]

    def _price(self, place: int, entry: Entry) -> str:
        if not counts_some(entry):
            return f"INDEX(limit_price,{entry.first})"
        return f"IF([row_{place}]=0,0,INDEX(limit_price,MAX([row_{place}],1)))"

    def _charges(self) -> Iterator[Column]:
        """What the limits charge the borrower a unit of each basis."""
        for basis, figures in self._audit.charges.items():
            terms = [f"+{self._price(place, entry)}{factors}" for place, entry in self._priced()
                     for on, factors in parts_of(entry, place, self.key) if on == basis]  # fmt: skip
            terms += [f"-{_of_shares(place, entry)}" for place, entry in self._priced()
                      if entry.block.reference == basis]  # fmt: skip
            if terms:
                heading = f"Charge a {_BASIS_WORDS[basis]}"
                formula = "=" + "".join(terms).removeprefix("+")
                yield Column(f"charge_{basis}", heading, "price", figures, formula)

    def _charged_bases(self) -> list[str]:
        used = {on for place, entry in self._priced() for on, _ in parts_of(entry, place, self.key)}
        used |= {entry.block.reference for _, entry in self._priced() if entry.block.reference}
        return [basis for basis in self._audit.charges if basis in used]

    def _total_charge(self, bases: dict[str, str]) -> str:
        terms = [f"[charge_{basis}]*{bases[basis]}" for basis in self._charged_bases()]
        return "=" + ("+".join(terms) or "0")

    def _by_limit(self) -> Iterator[Column]:
        """What each limit charges the loan, all of them together, and what is left of its value."""
        decided = self._audit.decided
        bases = _bases_of(decided)
        for place, entry in self._priced():
            block, own = entry.block, self._own_prices(entry)
            price = np.where(block.codes < 0, 0.0, own[np.maximum(block.codes, 0)])
            charged = price * sum(
                bases[part.basis] * (1.0 if part.weight is None else part.weight) for part in block.parts
            )
            counted = "+".join(
                BASIS_CELLS[basis] + factors for basis, factors in parts_of(entry, place, self.key)
            )
            formula = f"={self._price(place, entry)}*({counted})"
            if block.reference:
                lent = block.referred(bases[block.reference])
                charged = charged - block.share * float(np.sum(own)) * lent
                formula += f"-{_of_shares(place, entry)}*{BASIS_CELLS[block.reference]}"
            yield Column(f"by_{place}", f"Charged by {entry.name}", "money", charged, formula)
        charges = decided.value - self._audit.chosen
        yield Column("charges", "Charges", "money", charges, self._total_charge(BASIS_CELLS))
        yield Column("kept", "Value less charges", "money", self._audit.chosen, "=[value]-[charges]")

    def _best(self) -> Iterator[Column]:
        """The offer that keeps most at the prices, and what it keeps: the borrower's part of the bound."""
        best, pinned = self._audit.answers, self._audit.pinned
        yield Column("best_amount", "Best amount", "money", best.amount)
        yield Column("best_rate", "Best rate", "factor", best.rate)
        yield Column("best_take_up", "Take-up at it", "share", best.take_up)
        yield Column("best_value", "Value of it", "money", best.value, self._best_value())
        charged = self._total_charge(_BEST_BASES)
        kept = self._audit.best
        yield Column("best_charges", "Charges of it", "money", _charges_of(self._audit, best), charged)
        difference = "[best_value]-[best_charges]"
        formulas: str | Sequence[str | None] = f"=MAX(0,{difference})"
        if pinned.any():
            formulas = [f"={difference}" if fixed else f"=MAX(0,{difference})" for fixed in pinned.tolist()]
        yield Column("best_kept", "Best response", "money", kept, formulas)

    def _best_value(self) -> str | None:
        lines = {line.name for line in self._audit.decided.lines}
        if not lines <= _LINE_FORMULAS.keys():
            return None
        inner = "[best_rate]*[term_years]*(1-[pd])-[pd]*[lgd]-policy_funding_rate*[term_years]"
        if "capital_cost" in lines:
            inner += "-policy_capital_cost*[capital_requirement]*[term_years]"
        drawn = f"[best_take_up]*([best_amount]*({inner})-policy_processing_cost)"
        walks = "(1-[best_take_up])*[best_amount]*policy_churn_cost_rate"
        relation = ""
        if self._has("relationship_value", self._audit.borrowers):
            relation = "-(1-[best_take_up]-policy_decline_churn)*[relationship_value]"
        return f"=IF([best_amount]>0,{drawn}-{walks}{relation},0)"


def _of_shares(place: int, entry: Entry) -> str:
    """What the entry's rows, as shares of what is lent, pay a unit of it."""
    paid = f"INDEX(limit_share,{entry.first})*SUM({price_range(entry)})"
    return f"[base_{place}]*{paid}" if refers_to_some(entry) else paid


def _charges_of(audit: Audit, ledger: Ledger) -> Floats:
    """(k,) what the limits charge the offers of `ledger`."""
    charged = [audit.charges[basis] * used for basis, used in _bases_of(ledger).items()]
    return np.asarray(np.sum(charged, axis=0))


def _bases_of(ledger: Ledger) -> dict[str, Any]:
    """Basis -> (k,) what offers have of it."""
    return {"offered": ledger.amount, "drawn": ledger.drawn, "interest": ledger.gross_interest,
            "loans": ledger.amount > 0, "booked": ledger.take_up}  # fmt: skip


def words(column: Text) -> list[str]:
    """The texts of a column, "" where there is none."""
    texts: list[str] = np.array([*column.values, ""], dtype=object)[column.codes].tolist()
    return texts


def _capital(label: str) -> str:
    return label[:1].upper() + label[1:]
