"""The program of a scenario as a statement: sets, data, decisions, objective, constraints."""

from __future__ import annotations

from collections.abc import Iterator

from allocator.insight.formulation import Formulation, Rows, StatedRow
from allocator.records.columns import VALUE
from allocator.records.cuts import HHI
from allocator.records.former import MONEY_MOVED
from allocator.records.lots import CENT
from allocator.records.risk import TailRule
from allocator.report.formulation.blocks import (
    Block,
    Display,
    Heading,
    Math,
    Named,
    Sentence,
    Statement,
    Table,
    Words,
    number,
)
from allocator.report.formulation.symbols import Symbols, span_of
from allocator.report.money import percent

_SENSES = {"at_most": "≤", "at_least": "≥", "exactly": "="}
_HELD = {"clients_changed": "those who were served are", MONEY_MOVED: "what they were offered formerly is"}
"""Measure -> what counts before any offer is made, where that is not exposure."""
_FEW_DIGITS = 4
"""Of take-up by grade."""
_MOST = 12
"""Rows of an `each`, and grades, that are shown; the JSON object has all."""


def statement_of(formulation: Formulation) -> Statement:
    """The whole page; symbols are those of docs/formulation.md."""
    symbols = Symbols(formulation)
    constraints = list(_constraints(formulation, symbols))  # they bring sets and weights
    scenario = formulation.case.scenario
    currency = scenario.policy.currency
    blocks = [
        Sentence((f"Amounts are in {currency}, rates are fractions a year, terms are in years.",)),
        *_cautions(formulation),
        Heading("Sets"),
        Table(("symbol", "what", "size"), _sets(formulation, symbols)),
        Heading("Data"),
        Table(
            ("symbol", "what", "unit", "figures"),
            [((d.symbol,), (d.what,), (d.unit,), d.figure) for d in symbols.data()],
        ),
        Heading("Decisions"),
        Table(("symbol", "what", "domain"), _decisions(formulation)),
        Heading("Objective"),
        *_objective(formulation, symbols),
        Heading("Subject to"),
        *constraints,
        *_rates(formulation),
        *_declined(formulation),
    ]
    return Statement(f"{scenario.name}: the formulation", tuple(blocks))


def _cautions(formulation: Formulation) -> Iterator[Block]:
    scenario = formulation.case.scenario
    if scenario.stress:
        yield Sentence(("All figures are those under the stress that the scenario applies.",))
    if scenario.stress.worst:
        weights = ", ".join(f"{name} {percent(weight)}" for name, weight in scenario.stress.weights.items())
        yield Sentence(
            (
                f"The value is the least in the stresses {', '.join(scenario.stress.worst)}: what is written"
                f" here is their mean at equal weights ({weights}); the most of the least is sought with it,"
                " at the weights whose mean has the least bound. Limits hold in the book without them.",
            )
        )
    if scenario.strategy.rule != "optimal":
        sentence = (
            f"The strategy {scenario.strategy.name} decides; this is the program of the optimum beside it."
        )
        yield Sentence((sentence,))


def _sets(formulation: Formulation, symbols: Symbols) -> list[tuple[Words, Words, Words]]:
    able, options = number(formulation.borrowers), number(formulation.options)
    rows: list[tuple[Words, Words, Words]] = [
        ((Math("i"),), ("borrowers to whom an offer is possible",), (able,)),
        ((Math("k"),), ("rates open to borrower i (pairs i, k)",), (options,)),
    ]
    if formulation.pinned:
        rows.append(((Math("P"),), ("borrowers whose offer is pinned",), (number(formulation.pinned),)))
    return [*rows, *(((symbol,), what, size) for symbol, what, size in symbols.sets)]


def _decisions(formulation: Formulation) -> list[tuple[Words, Words, Words]]:
    lot, grid = number(formulation.amounts.step or CENT), formulation.case.scenario.policy.ticket.grid
    rows: list[tuple[Words, Words, Words]] = [
        ((Math("z_ik"),), ("1 if i is offered the k-th rate, else 0",), (Math("{0, 1}"),)),
        (
            (Math("x_ik"),),
            ("amount offered at it",),
            ("multiples of ", lot) if grid is None else (str(grid),),
        ),
    ]
    if formulation.case.scenario.policy.posting is not None:
        rows.append(((Math("y_gk"),), ("1 if grade g posts its k-th rate, else 0",), (Math("{0, 1}"),)))
    if formulation.economics.idle_rate:
        rows.append(((Math("s"),), ("budget left unspent",), (Math("s ≥ 0"),)))
    for j, soft in _soft(formulation):
        missed = Math(_excess(j, soft))
        rows.append(((missed,), (f"by how much {soft.name} is missed",), (missed, " at least 0")))
    return rows


def _soft(formulation: Formulation) -> Iterator[tuple[int, Rows]]:
    """The limits that may be missed at a price, each with its number, the budget being 0."""
    return ((j, rows) for j, rows in enumerate(formulation.rows) if rows.penalty)


def _excess(j: int, rows: Rows) -> str:
    """What says by how much limit j is missed; one figure a row of an `each`."""
    return f"t_{j}v" if rows.limit is not None and rows.limit.each is not None else f"t_{j}"


def _objective(formulation: Formulation, symbols: Symbols) -> Iterator[Block]:
    margin, fixed = margin_of(formulation, symbols), fixed_of(formulation)
    terms = ["Σ_{i,k} m_ik x_ik"]
    terms += ["Σ_{i,k} F_ik z_ik"] if fixed else []
    terms += ["ι s"] if formulation.economics.idle_rate else []
    paid = (f" - {number(rows.penalty)} {_paid(j, rows)}" for j, rows in _soft(formulation))
    lines = [Math(f"max  {' + '.join(terms)}{''.join(paid)}"), Math(f"m_ik = {margin}")]
    lines += [Math(f"F_ik = {fixed}")] if fixed else []
    yield Display(lines)
    words = "expected interest" + "".join(
        f" less {cost}" for cost, there in _costs(formulation).items() if there
    )
    yield Sentence((f"The value of an offer against declining: {words}.",))


def _paid(j: int, rows: Rows) -> str:
    excess = _excess(j, rows)
    return f"Σ_v {excess}" if excess.endswith("v") else excess


def _costs(formulation: Formulation) -> dict[str, bool]:
    """What is taken off the interest, and whether it is more than 0 here."""
    economics = formulation.economics
    walks = economics.take_up.only != 1.0
    return {
        "expected loss": economics.pd.most > 0 and economics.lgd.most > 0,
        "funding": economics.funding_rate != 0,
        "the cost of capital": economics.capital_cost != 0,
        "the cost of churn": economics.churn_cost != 0 and walks,
        "relationships lost": economics.relationship != type(economics.relationship)(0.0, 0.0),
        "processing": economics.processing_cost != 0,
    }


def margin_of(formulation: Formulation, symbols: Symbols) -> str:
    """m_ik, a unit offered: docs/formulation.md, section 1, without the terms that are 0 here."""
    economics, costs = formulation.economics, _costs(formulation)
    a, term = symbols.take_up, symbols.term
    survives = "" if economics.pd.only == 0.0 else " (1 - p_i)"
    margin = f"{a}{term}r_k{survives}"
    margin += f" - {a}p_i L_i" if costs["expected loss"] else ""
    margin += f" - {a}{term}f" if costs["funding"] else ""
    margin += f" - {a}{term}e K_i" if costs["the cost of capital"] else ""
    return margin + (" - (1 - a_ik) κ" if costs["the cost of churn"] else "")


def fixed_of(formulation: Formulation) -> str:
    """F_ik, whatever the amount; nothing where it is 0 for all."""
    economics, costs = formulation.economics, _costs(formulation)
    walks = economics.take_up.only != 1.0
    signed = [
        ("+", "d R_i", costs["relationships lost"] and economics.decline_churn != 0),
        ("-", "(1 - a_ik) R_i", costs["relationships lost"] and walks),
        ("-", "a_ik c" if walks else "c", costs["processing"]),
    ]
    parts = [f"{sign} {term}" for sign, term, there in signed if there]
    return " ".join(parts).removeprefix("+ ")


def _constraints(formulation: Formulation, symbols: Symbols) -> Iterator[Block]:
    yield Named("One offer", ("each borrower is made one offer or none", *_pinned(formulation)))
    pinned = [Math("Σ_k z_ik = 1   (i∈P)")] if formulation.pinned else []
    yield Display([Math("Σ_k z_ik ≤ 1"), *pinned])
    amounts = formulation.amounts
    low, high = (
        span.only if span.only is not None else name
        for span, name in ((amounts.smallest, "l_i"), (amounts.largest, "u_i"))
    )
    low, high = (end if isinstance(end, str) else number(end) for end in (low, high))
    yield Named("Loans", ("an amount lies between the borrower's smallest and largest loan, or is 0",))
    yield Display([Math(f"{low} z_ik ≤ x_ik ≤ {high} z_ik")])
    yield from _price_list(formulation)
    for rows in formulation.rows:
        yield from _limit(rows, formulation, symbols)
    reported = [limit.name for limit in formulation.case.scenario.policy.limits if limit.penalty == 0.0]
    if reported:
        yield Sentence((f"No row of the program, as they are only reported: {', '.join(reported)}.",))


def _price_list(formulation: Formulation) -> Iterator[Block]:
    """What posts rates: one a segment, and rising ones."""
    posting = formulation.case.scenario.policy.posting
    if posting is None:
        return
    who = "each grade g" if posting.column is None else f"each segment g by {posting.column}"
    who += " and grade" if posting.column is not None and posting.by_grade else ""
    rising = ", and no rate falls from a grade to the next, h" if posting.rising else ""
    sentence = f"{who} posts one rate, which all of it get who have no rate of their own{rising}"
    yield Named("Price list", (sentence,))
    lines = [Math("Σ_k y_gk = 1"), Math("z_ik ≤ y_gk   (i∈g)")]
    lines += [Math("Σ_{r_l≥r} y_gl ≤ Σ_{r_l≥r} y_hl   (each rate r)")] if posting.rising else []
    yield Display(lines)


def _pinned(formulation: Formulation) -> Words:
    if not formulation.pinned:
        return ()
    return (", and to ", number(formulation.pinned), " pinned ones their own")


def _limit(rows: Rows, formulation: Formulation, symbols: Symbols) -> Iterator[Block]:
    yield Named(rows.name, _in_words(rows, formulation))
    if not rows.rows:
        return
    yield Display([Math(row_text(rows, formulation, symbols))])
    if len(rows.rows) > 1 and rows.exposed:
        shown = rows.rows[:_MOST]
        heads = ("value v", "borrowers who count", "right-hand side")
        yield Table(heads, [((r.label,), (number(r.borrowers),), (number(r.rhs),)) for r in shown])
        if len(rows.rows) > _MOST:
            yield Sentence((f"and {len(rows.rows) - _MOST:,} more rows",))


def row_text(rows: Rows, formulation: Formulation, symbols: Symbols) -> str:
    """The row itself, its right-hand side what new offers may come to."""
    limit, reference = rows.limit, rows.reference
    if limit is not None and limit.measure == HHI:
        return _index_text(rows, formulation, symbols)
    where, each = (limit.where, limit.each) if limit is not None else ((), None)
    over = symbols.over(where, each, _sizes(rows.rows, each))
    weight, term, once = symbols.weight(rows), symbols.basis(rows.basis), symbols.per_loan(rows)
    if limit is not None and limit.measure == VALUE:
        term, once = "m_ik x_ik", f"{weight}F_ik z_ik" if fixed_of(formulation) else ""
    left = f"Σ_{{{over}}} {weight}{term}"
    if limit is not None and limit.top is not None:
        left = f"max_{{|S| ≤ {limit.top:,}}} Σ_{{v in S}} {_of_group(rows, symbols)}"
    elif limit is not None and limit.by is not None:
        left = f"max_q Σ_j q_j Σ_{{{over}}} L_ij {term}"
    left += f" + Σ_{{{over}}} {once}" if once else ""
    if reference is not None:
        base = symbols.over(reference.where, None, (number(rows.referred),))
        sign = "+" if rows.share < 0 else "-"
        left += f" {sign} {number(abs(rows.share))} Σ_{{{base}}} {symbols.basis(reference.basis)}"
    if limit is None and formulation.economics.idle_rate:
        left += " + s"
    if rows.penalty:
        j = next(j for j, soft in _soft(formulation) if soft is rows)
        left += f" {'+' if rows.sense == 'at_least' else '-'} {_excess(j, rows)}"
    alike = len({row.rhs for row in rows.rows}) == 1
    right = number(rows.rows[0].rhs) if alike else "b_v"
    return f"{left} {_SENSES[rows.sense]} {right}"


def _of_group(rows: Rows, symbols: Symbols) -> str:
    """What the members of one group v use."""
    limit = rows.limit
    assert limit is not None
    own = "p_i L_i " if limit.measure == "expected_loss" else ""
    over = symbols.over(limit.where, limit.by, _sizes(rows.rows, None))
    return f"Σ_{{{over}}} {own}{symbols.basis(rows.basis)}"


def _index_text(rows: Rows, formulation: Formulation, symbols: Symbols) -> str:
    """The squares of what groups have against the square of all of it: the limit, before it is cut."""
    limit = rows.limit
    assert limit is not None
    over = symbols.over((), limit.by, _sizes(rows.rows, limit.by))
    group = f"(Σ_{{{over}}} x_ik{' - b_v' if rows.exposed else ''})²"
    held = f" + {number(-sum(row.rhs for row in rows.rows))}" if rows.exposed else ""
    whole = f"(Σ_{{i,k}} x_ik{held})"
    if limit.of == "budget":
        whole = number(formulation.case.scenario.policy.budget.amount)
    return f"Σ_v {group} ≤ {number(limit.bound)} · {whole}²"


def _sizes(rows: tuple[StatedRow, ...], each: str | None) -> Words:
    """How many borrowers a set counts, or the sets of all values of `each`."""
    counts = [row.borrowers for row in rows]
    if each is None:
        return (number(sum(counts)),)
    least, most = number(min(counts)), number(max(counts))
    span: Words = (least,) if least == most else (least, " to ", most)
    return (f"{len(counts):,} values of ", *span)


def _in_words(rows: Rows, formulation: Formulation) -> Words:
    """What is limited, by what, in how many rows, and what of it is lent already."""
    limit = rows.limit
    policy = formulation.case.scenario.policy
    if limit is None:
        return (f"{policy.budget.basis}, {_said(rows.sense)} ", number(rows.bound))
    weight = f" x {limit.weight}" if limit.weight is not None else ""
    words: list[str | Math] = [f"{limit.measure.replace('_', ' ')}{weight}, {_said(rows.sense)} "]
    words.append(number(limit.bound))
    words += [f" of {limit.of_what}"] if limit.of is not None else []
    words += [f"; {len(rows.rows):,} rows, one a value v of {limit.each}"] if limit.each is not None else []
    if limit.measure == HHI:
        words[0] = f"Herfindahl index of what the values v of {limit.by} are offered, {_said(rows.sense)} "
    elif limit.top is not None:
        words.append(f"; of the {limit.top:,} values v of {limit.by} that come to most")
        words.append("; what is already lent counts too")
    elif limit.by is not None and isinstance(limit.rule, TailRule) and limit.rule.sectors is not None:
        words.append(f"; L_ij is what a unit drawn loses in year j of {limit.rule.sectors.nodes:,}, ")
        words.append(
            f"by the factor of its {limit.by} and the common one; q_j are weights of sum 1, none above "
        )
        words.append("what its year may have among the worst; what is already lent counts too")
    words += ["; p_i and L_i in it are those under the stress"] if limit.stress is not None else []
    if limit.if_lent_to:
        words.append(f"; must hold if anything is offered to {', '.join(map(str, limit.if_lent_to))}")
    words += ["; missed at ", number(rows.penalty), " a unit"] if rows.penalty else []
    held = _HELD.get(limit.measure, "what is already lent is")
    words += [f"; {held} taken off the right-hand side"] if rows.exposed else []
    return words


def _said(sense: str) -> str:
    return sense.replace("_", " ")


def _rates(formulation: Formulation) -> Iterator[Block]:
    yield Heading("Rates")
    shown = formulation.grades[:_MOST]
    heads = ("grade", "band", "menu", "asked", "rates", "take-up")
    yield Table(
        heads,
        [
            (
                (grade.grade,),
                (number(grade.band[0]), " to ", number(grade.band[1])),
                span_of(grade.count),
                (number(grade.borrowers),),
                span_of(grade.rates),
                span_of(grade.take_up, _FEW_DIGITS),
            )
            for grade in shown
        ],
    )
    if len(formulation.grades) > _MOST:
        yield Sentence((f"and {len(formulation.grades) - _MOST:,} more grades",))


def _declined(formulation: Formulation) -> Iterator[Block]:
    if formulation.declined:
        yield Heading("Left out")
        rows = [((why,), (number(count),)) for why, count in formulation.declined.items()]
        yield Table(("no offer is possible", "borrowers"), rows)
