"""The printed program is the one that is solved: each formula, read back, has the engine's coefficients."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from allocator.engine.cores import build_core, restrict
from allocator.engine.kernel.columns import Columns
from allocator.engine.prices import relaxation_prices
from allocator.insight.formulation import formulation_of
from allocator.records.conditions import Condition
from allocator.records.portfolio import Floats
from allocator.records.scenario import Group
from allocator.report.formulation.view import written
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.golden import CASES, path_of
from tests.insight.printed import coefficient, figure, line_of, right_of, rows_of, value_of
from tests.stages import prepared

SECTORS = ["food", "steel", None, "food", "arts"]
RICH = Case(
    portfolio(
        ["A", "B", "B", "A", "Z"],
        pd=[0.01, 0.04, 0.03, 0.02, 0.1],
        lgd=[0.4, 0.5, 0.6, 0.45, 0.5],
        term=[1.0, 2.0, 0.5, 3.0, 1.0],
        max_amount=[300_000.0, 200_000.0, 250_000.0, 150_000.0, 90_000.0],
        relationship_value=[1_000.0, 0.0, 500.0, 0.0, 0.0],
        exposure=[0.0, 50_000.0, 0.0, 25_000.5, 10.0],
        fixed_amount=[np.nan, np.nan, 100_000.0, np.nan, np.nan],
        fixed_rate=[np.nan, np.nan, 0.09, np.nan, np.nan],
        texts={"sector": [sector or "none" for sector in SECTORS]},
        numbers={"green": [1.0, -2.0, 0.5, 0.0, 3.0]},
    ),
    churn_table([0.04, 0.08, 0.12], A=[0.0, 0.3, 0.8], B=[0.1, 0.25, 0.6]),
    policy(
        400_000.0,
        limit("sectors", "offered", "at_most", 0.6, of="total", each="sector"),
        limit("sector money", "offered", "at_most", 250_000.0, each="sector"),
        limit("green", "drawn", "at_least", -1e5, weight="green"),
        limit("average PD", "drawn", "at_most", 0.04, of="drawn", weight="pd"),
        limit("loss", "expected_loss", "at_most", 0.03, of="drawn", where={"sector": ["food", "none"]}),
        limit("income", "interest", "at_least", 0.0),
        limit("rate", "gross_interest", "at_least", 0.01, of="drawn"),
        limit("earned", "value", "at_least", 0.01, of="total", where={"grade": ["A"]}),
        limit("book", "loans", "at_least", 1.0, where={"grade": ["B"]}),
        funding_rate=0.02,
        idle_rate=0.01,
        churn_cost_rate=0.003,
        decline_churn=0.2,
        processing_cost=150.0,
    ),
)
GROUPED = replace(limit("food to B", "offered", "at_most", 0.5, of="total", where={"sector": ["food"]}))
GROUPED = replace(GROUPED, of=Group("drawn", (Condition("grade", ("B",)),)))


def _values(case: Case, who: int, take_up: float, rate: float) -> dict[str, float]:
    given, terms = case.inputs.portfolio, case.scenario.policy
    return {
        "a_ik": take_up, "r_k": rate, "p_i": given.pd[who], "L_i": given.lgd[who], "T_i": given.term[who],
        "T": given.term[0], "R_i": given.relationship_value[who], "f": terms.funding_rate,
        "κ": terms.churn_cost_rate, "d": terms.decline_churn, "c": terms.processing_cost,
        "w1_i": given.numbers["green"][who] if "green" in given.numbers else 1.0,
    }  # fmt: skip


def _offers(case: Case, columns: Columns) -> list[tuple[int, int, dict[str, float]]]:
    """Borrower, option and the values of the symbols, for every offer that may be made."""
    offers = columns.offers
    return [
        (i, k, {**own, "m_ik": float(margin[0]), "F_ik": float(fixed[0])})
        for i in range(len(offers))
        if offers.menu[i] >= 0
        for menu in [offers.menus[offers.menu[i]]]
        for k in range(len(menu.rates))
        for own in [_values(case, i, float(menu.take_up[k]), float(menu.rates[k]))]
        for margin, fixed in [offers.worth(menu.rates[[k]], menu.take_up[[k]], np.array([i]))]
    ]


def _own_uses(columns: Columns, i: int, values: dict[str, float]) -> tuple[Floats, Floats]:
    """(m,) what a unit offered to borrower i, and the loan itself, use of every row."""
    per_basis = columns.limits.coefficients(np.array([i]))[:, :, 0]
    drawn, interest = values["a_ik"], values["a_ik"] * values["r_k"] * columns.offers.term[i]
    return per_basis[0] + drawn * per_basis[1] + interest * per_basis[2], per_basis[3] + values[
        "a_ik"
    ] * per_basis[4]


@pytest.mark.parametrize("case", [*CASES.values(), RICH], ids=[*CASES, "rich"])
def test_what_an_offer_is_worth_is_printed(case: Case) -> None:
    ready = prepared(case)
    page = written(formulation_of(ready), "markdown")
    for i, _, values in _offers(case, Columns(ready.offers, ready.limits)):
        who = np.array([i])
        margin, fixed = ready.offers.worth(np.array([values["r_k"]]), np.array([values["a_ik"]]), who)
        assert value_of(line_of(page, "m_ik"), values) == pytest.approx(margin[0], rel=1e-12)
        printed = line_of(page, "F_ik")
        assert (value_of(printed, values) if printed else 0.0) == pytest.approx(fixed[0], rel=1e-12)


def test_every_row_has_the_coefficients_and_the_right_hand_side_of_the_compiled_limits() -> None:
    case = Case(
        RICH.inputs.portfolio,
        RICH.inputs.churn,
        replace(RICH.scenario.policy, limits=(*RICH.scenario.policy.limits, GROUPED)),
    )
    ready = prepared(case)
    found = formulation_of(ready)
    columns, page = Columns(ready.offers, ready.limits), written(found, "markdown")
    rows, given = rows_of(page), case.inputs.portfolio
    sets = dict(re.findall(r"^\| (S\d+)(?:\(v\))? +\| (.*?) +\|", page, re.MULTILINE))
    names = [(entry, row) for entry in found.rows for row in entry.rows]
    assert len(names) == len(ready.limits)
    for j, (entry, row) in enumerate(names):
        sense, right = right_of(rows[entry.name])
        assert {"≤": "at_most", "≥": "at_least", "=": "exactly"}[sense] == ready.limits.senses[j]
        own = figure(right) if right != "b_v" else row.rhs
        assert own == ready.limits.rhs[j], entry.name
        for i, _, values in _offers(case, columns):

            def inside(name: str, i: int = i, value: str = row.label) -> bool:
                said = sets[name.removesuffix("(v)")]
                sector, grade = (given.text(c).values[given.text(c).codes[i]] for c in ("sector", "grade"))
                if name.endswith("(v)"):
                    return sector == value
                asked = re.search(r"where (\w+): (.*)", said)
                assert asked is not None
                return {"sector": sector, "grade": grade}[asked[1]] in re.findall(r"\w+", asked[2])

            unit, loan = _own_uses(columns, i, values)
            assert coefficient(rows[entry.name], "x_ik", inside, values) == pytest.approx(unit[j], rel=1e-12)
            assert coefficient(rows[entry.name], "z_ik", inside, values) == pytest.approx(loan[j], rel=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_the_printed_rows_are_those_of_the_golden_programs(name: str) -> None:
    case = CASES[name]
    ready = prepared(case)
    columns, page = Columns(ready.offers, ready.limits), written(formulation_of(ready), "markdown")
    everybody = np.flatnonzero(columns.offers.menu >= 0)
    play = restrict(columns, relaxation_prices(columns, lambda _: None), everybody, np.inf)
    core = build_core(columns, play, np.zeros(len(columns.limits)), columns.offers.step)
    program = path_of(name).read_text()
    grades = case.inputs.portfolio.grade
    options = {(i, k): values for i, k, values in _offers(case, columns)}
    for j, row in enumerate(rows_of(page).values()):
        body = re.search(rf"_limit\({j}\)_:\n((?:[+-].*\n)+)(?:<=|>=|=) (\S+)", program)
        assert body is not None
        unit = core.unit / core.measure[j]
        stated = {what: float(number) for number, what in re.findall(r"(\S+) (\S+)\n", body[1])}
        for n in range(len(play.options)):
            who = int(play.options.position[n])
            values = options[who, int(play.options.option[n])]
            grade = grades.values[grades.codes[who]]
            amount = coefficient(row, "x_ik", lambda _, grade=grade: grade == "A", values) * unit
            loan = coefficient(row, "z_ik", lambda _: True, values) / core.measure[j]
            assert stated.get(f"amount({n})", 0.0) == pytest.approx(amount, rel=1e-12)
            assert stated.get(f"take({n})", 0.0) == pytest.approx(loan, rel=1e-12)
        assert float(body[2]) == pytest.approx(figure(right_of(row)[1]) / core.measure[j], rel=1e-12)


def test_sizes_are_those_of_the_book() -> None:
    found = formulation_of(prepared(RICH))
    assert (found.borrowers, found.pinned, found.options) == (4, 1, 3 * 3 + 1)
    assert found.declined == {"no rates for this grade": 1}
    assert [(grade.grade, grade.borrowers) for grade in found.grades] == [("A", 2), ("B", 2)]


def test_terms_that_are_0_are_not_printed() -> None:
    plain = Case(
        portfolio(["A"], pd=0.0, max_amount=100.0),
        churn_table([0.04, 0.08], A=[0.0, 0.0]),
        policy(50.0, ticket=(1.0, 100.0), rates={"A": (0.0, 1.0)}),
    )
    page = written(formulation_of(prepared(plain)), "markdown")
    assert line_of(page, "m_ik") == "r_k"
    assert line_of(page, "F_ik") == ""
    for symbol in ("a_ik", "p_i", "κ", "ι", "| f ", "T_i"):
        assert symbol not in page
