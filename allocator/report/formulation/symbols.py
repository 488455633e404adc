"""The letters of a scenario's program: its sets, its data, and those that its limits bring."""

from __future__ import annotations

from dataclasses import dataclass, field

from allocator.insight.formulation import Economics, Formulation, Rows, Span
from allocator.records.columns import VALUE
from allocator.records.conditions import Condition
from allocator.records.former import MONEY_MOVED
from allocator.report.formulation.blocks import Math, Words, number

BASIS = {"offered": "x_ik", "drawn": "x_ik", "interest": "r_k x_ik", "loans": "z_ik"}
"""What each basis adds up, take-up and term aside."""
_MEASURES = {"expected_loss": "p_i L_i", "interest": "(1 - p_i)"}
"""The weights that measures of ours give borrowers; docs/formulation.md, section 2."""
TAKE_UP_DIGITS = 6
_COLUMNS = {"pd": "p_i", "lgd": "L_i", "relationship_value": "R_i"}
_FIGURES = {
    "capital": "by policy.capital",
    "tail_loss": "by policy.tail",
    "clients_changed": "1; -1 if served then",
    MONEY_MOVED: "1 where no less than formerly is offered, -1 where no more",
}
"""Measure -> what its weights are, where no symbol says it."""


@dataclass(frozen=True)
class Datum:
    """One symbol of the data: what it is, in which unit, its figure or the range of its figures."""

    symbol: Math
    what: str
    unit: str
    figure: Words


def span_of(span: Span, digits: int | None = None) -> Words:
    """The one figure, or the least and the most; of what is computed so many `digits`."""
    least, most = (
        number(end if digits is None else float(f"{end:.{digits}g}")) for end in (span.least, span.most)
    )
    return (least,) if least == most else (least, " to ", most)


@dataclass
class Symbols:
    """The symbols met so far; `sets` and `weights` grow as rows are written."""

    formulation: Formulation
    sets: list[tuple[Math, Words, Words]] = field(default_factory=list)
    """Symbol, what it is, its size."""
    weights: list[Datum] = field(default_factory=list)
    _sets: dict[tuple[tuple[Condition, ...], str | None], str] = field(default_factory=dict)
    _weights: dict[str, str] = field(default_factory=dict)

    @property
    def take_up(self) -> str:
        """a_ik, with a blank; nothing where everybody accepts every offer."""
        return "" if self.formulation.economics.take_up.only == 1.0 else "a_ik "

    @property
    def term(self) -> str:
        """The term, with a blank; nothing where it is one year for all."""
        term = self.formulation.economics.term.only
        return "T_i " if term is None else "" if term == 1.0 else "T "

    def basis(self, basis: str) -> str:
        """What one offer adds to a sum over `basis`."""
        accepted = "" if basis in ("offered", "loans") else self.take_up
        return f"{accepted}{self.term if basis == 'interest' else ''}{BASIS[basis]}"

    def weight(self, rows: Rows) -> str:
        """What multiplies it in the row of a limit, with a blank after each factor."""
        if rows.limit is None:
            return ""
        factors = []
        if rows.weighted and rows.limit.measure != VALUE:
            named = _MEASURES.get(rows.limit.measure)
            figure = _FIGURES.get(rows.limit.measure, "as read")
            factors.append(named or self._weight(rows.limit.measure.replace("_", " "), figure))
        if rows.limit.weight is not None:
            factors.append(self._column(rows.limit.weight))
        return "".join(f"{factor} " for factor in factors)

    def per_loan(self, rows: Rows) -> str:
        """What an offer adds to the row of a limit whatever its amount; "" where that is nothing."""
        if rows.limit is None or rows.limit.measure != MONEY_MOVED:
            return ""
        figure = "-2 x what was offered then where no less is offered, else 0"
        return f"{self._weight('money moved by a loan, its amount aside', figure)} z_ik"

    def _column(self, column: str) -> str:
        return _COLUMNS.get(column) or self._weight(f"column {column}")

    def _weight(self, what: str, figure: str = "as read") -> str:
        if what not in self._weights:
            self._weights[what] = symbol = f"w{len(self._weights) + 1}_i"
            self.weights.append(Datum(Math(symbol), f"weight, {what}", "", (figure,)))
        return self._weights[what]

    def over(self, where: tuple[Condition, ...], each: str | None, size: Words) -> str:
        """The index of a sum over those who pass a filter, of one value of the column `each` if given."""
        if not where and each is None:
            return "i,k"
        if (where, each) not in self._sets:
            self._sets[where, each] = name = f"S{len(self._sets) + 1}{'' if each is None else '(v)'}"
            passing = f"borrowers where {', '.join(map(str, where))}" if where else "borrowers"
            value: Words = () if each is None else (" of value ", Math("v"), f" in column {each}")
            self.sets.append((Math(name), (passing, *value), size))
        return f"i∈{self._sets[where, each]},k"

    def data(self) -> list[Datum]:
        """Every symbol of the objective that is not 0 here, and the weights of the limits."""
        economics = self.formulation.economics
        return [*_borrowers_data(economics, self.formulation), *_policy_data(economics), *self.weights]


def _borrowers_data(economics: Economics, formulation: Formulation) -> list[Datum]:
    amounts, currency = formulation.amounts, formulation.case.scenario.policy.currency
    per_year, share = "a year", "a fraction"
    rates = [grade.rates for grade in formulation.grades]
    menu = Span(min((r.least for r in rates), default=0.0), max((r.most for r in rates), default=0.0))
    term = "T" if economics.term.only is not None else "T_i"
    return [
        Datum(Math("r_k"), "the k-th rate of the grade", per_year, span_of(menu)),
        *_unless_all(1.0, "a_ik", "take-up: who accept that rate", share, economics.take_up, TAKE_UP_DIGITS),
        *_unless_all(0.0, "p_i", "PD: probability of default", share, economics.pd),
        *_unless_all(0.0, "L_i", "loss given default", share, economics.lgd),
        *_unless_all(1.0, term, "term", "years", economics.term),
        *_unless_all(0.0, "R_i", "worth of the relationship", currency, economics.relationship),
        *(
            [Datum(Math("K_i"), "capital requirement", share, span_of(economics.requirement))]
            if economics.capital_cost
            else []
        ),
        Datum(Math("l_i"), "smallest loan", currency, span_of(amounts.smallest)),
        Datum(Math("u_i"), "largest loan", currency, span_of(amounts.largest)),
    ]


def _policy_data(economics: Economics) -> list[Datum]:
    figures = (
        ("f", "funding rate", "a year", economics.funding_rate),
        ("e", "cost of capital", "a year", economics.capital_cost),
        ("κ", "cost of churn a unit lost", "a fraction", economics.churn_cost),
        ("d", "declined customers who leave", "a fraction", economics.decline_churn),
        ("c", "cost of one booked loan", "currency units", economics.processing_cost),
        ("ι", "what unspent budget earns", "a fraction", economics.idle_rate),
    )
    return [Datum(Math(symbol), what, unit, (number(of),)) for symbol, what, unit, of in figures if of]


def _unless_all(
    neutral: float, symbol: str, what: str, unit: str, span: Span, digits: int | None = None
) -> list[Datum]:
    """No line where every borrower has the figure that changes nothing."""
    return [] if span.only == neutral else [Datum(Math(symbol), what, unit, span_of(span, digits))]
