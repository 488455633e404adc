"""Budget, ticket and rates."""

from __future__ import annotations

import pytest

from allocator.records.scenario import Budget
from allocator.records.ticket import Ticket
from allocator.scenario import load_scenario
from tests.scenario.conftest import BASE, Faults, Write

RATES = "{A: [4%, 11%], B: [11%, 13.5%]}"
BAND = "expected a lowest and a highest rate, as [4%, 11%]"


POINT = "write both ends of the band, decimals with a point as 4.5%"


@pytest.mark.parametrize(
    ("bands", "place", "problem"),
    [
        ("{A: [4%]}", "policy.rates.A", f"{BAND}, found 1 value; write both ends of the band"),
        ("{A: }", "policy.rates.A", f"{BAND}, found nothing; write both ends of the band"),
        ("{A: 4%}", "policy.rates.A", f"{BAND}, found '4%'; write both ends of the band"),
        ("{A: [1%, 2%, 3%]}", "policy.rates.A", f"{BAND}, found 3 values; {POINT}"),
        (
            "{A: [11%, 4%]}",
            "policy.rates.A",
            "the lowest rate 11% is above the highest 4%; write the lower rate first",
        ),
        (
            "{A: [-120%, 4%]}",
            "policy.rates.A[#1]",
            "-120% is less than -100 %, expected -100% to 100%; write a percentage such as 63% or a fraction"
            " such as 0.63",
        ),
        ("{}", "policy.rates", "no grade may borrow; write a band for one, as A: [4%, 11%]"),
    ],
)
def test_bands_have_two_ends_in_order(bands: str, place: str, problem: str, faults: Faults) -> None:
    assert faults(BASE.replace(RATES, bands)) == [f"case.yaml, line 9, {place}: {problem}"]


def test_a_share_of_own_funds_needs_their_amount(faults: Faults, write: Write) -> None:
    shares = BASE.replace("of: budget", "of: own_funds").replace("63%", "800%")
    place = "case.yaml, line 11, policy.limits[A line].of"
    remedy = "add policy.own_funds: 50_000_000"
    assert faults(shares) == [f"{place}: a share of own funds, which nothing states; {remedy}"]
    negative = "-3 is negative, expected 0 or more; write an amount such as 100_000_000"
    assert faults(shares + "  own_funds: -3\n") == [f"case.yaml, line 12, policy.own_funds: {negative}"]
    policy = load_scenario(write("case.yaml", shares + "  own_funds: 2e6\n")).policy
    assert [policy.amount_of(limit) * limit.bound for limit in policy.limits] == [16e6]


def test_a_share_of_the_former_run_needs_one_and_what_it_tells(faults: Faults, write: Write) -> None:
    shares = BASE.replace("of: budget", "of: former").replace("63%", "110%")
    place = "case.yaml, line 11, policy.limits[A line]"
    problem = "there is no former run that the limit could be a share of"
    remedy = "add `former: FOLDER`, a run's, or a file of its offers"
    assert faults(shares) == [f"{place}.of: {problem}; {remedy}"]
    drawn = shares.replace("measure: offered", "measure: drawn") + "former: former.csv\n"
    problem = "drawn is not what a former run tells: it has amounts and clients"
    remedy = "measure offered, loans, clients_changed or money_moved, or write another `of`"
    assert faults(drawn)[0] == f"{place}.of: {problem}; {remedy}"


def test_a_band_may_be_one_rate_and_a_grade_any_text(write: Write) -> None:
    path = write(
        "case.yaml", BASE.replace(RATES, "{A: [5%, 5%], 1: [0, 100%], NO: [0.04, 0.11], on: [1%, 2%]}")
    )

    assert load_scenario(path).policy.rates == {
        "A": (0.05, 0.05),
        "1": (0.0, 1.0),
        "NO": (0.04, 0.11),
        "on": (0.01, 0.02),
    }


@pytest.mark.parametrize(
    ("ticket", "place", "problem"),
    [
        (
            "{min: 5, max: 4}",
            "max",
            "the largest loan 4 is below the smallest 5; write max: at least as large as min",
        ),
        (
            "{min: 30, max: 39, step: 20}",
            "step",
            "no multiple of 20 lies between min 30 and max 39; write a smaller step or a wider ticket",
        ),
        (
            "{min: 0.001, max: 0.009}",
            "step",
            "no multiple of 0.01 lies between min 0.001 and max 0.009; "
            "write a smaller step or a wider ticket",
        ),
        (
            "{min: 1, max: 1e300}",
            "max",
            "'1e300' is too large an amount, expected at most 1e+14; write an amount in currency units",
        ),
        (
            "{min: 1, max: 1e14}",
            "max",
            "1e+14 is too large a loan, expected at most 1e+13; "
            "write an amount in currency units, or count in thousands of them",
        ),
        (
            "{min: 1, max: 1e13, step: 0.001875}",
            "step",
            "steps of 0.001875 are too fine for loans of up to 1e+13; "
            "write a step of fewer digits, or a smaller max",
        ),
        (
            "{min: -1, max: 4}",
            "min",
            "-1 is negative, expected 0 or more; write an amount such as 100_000_000",
        ),
        (
            "{min: 0, max: 4, step: 5}",
            "step",
            "no multiple of 5 lies between min 0 and max 4; write a smaller step or a wider ticket",
        ),
        ("{min: 1, max: 4, step: 0}", "step", "'0' is not above 0; write a number above 0"),
    ],
)
def test_some_loan_must_fit_the_ticket(ticket: str, place: str, problem: str, faults: Faults) -> None:
    told = faults(BASE.replace("{min: 10_000, max: 100_000}", ticket))

    assert told == [f"case.yaml, line 8, policy.ticket.{place}: {problem}"]


@pytest.mark.parametrize(("step", "least"), [("null", 0.01), ("500", 500.0)])
def test_amounts_from_0_begin_at_one_lot(step: str, least: float, write: Write) -> None:
    text = BASE.replace("{min: 10_000, max: 100_000}", f"{{min: 0, max: 100_000, step: {step}}}")

    scenario = load_scenario(write("case.yaml", text))

    assert scenario.policy.ticket.min == least
    assert scenario.document["policy"]["ticket"]["min"] == 0


def test_the_multiples_of_a_step_are_counted_exactly(write: Write) -> None:
    for ticket in (
        "{min: 0.3, max: 0.35, step: 0.1}",
        "{min: 1e6, max: 1e6, step: 1e6}",
        "{min: 0.01, max: 0.01}",
        "{min: 0.01, max: 1e13}",
        "{min: 1, max: 5e12, step: 0.001875}",
    ):
        load_scenario(write("case.yaml", BASE.replace("{min: 10_000, max: 100_000}", ticket)))


def test_the_grid_is_the_table_or_steps(write: Write, faults: Faults) -> None:
    def with_grid(grid: str) -> str:
        return BASE.replace("  limits:", f"  rate_grid: {grid}\n  limits:")

    assert load_scenario(write("case.yaml", with_grid("table"))).policy.rate_step is None
    assert load_scenario(write("case.yaml", with_grid("{step: 0.25%}"))).policy.rate_step == 0.0025
    assert load_scenario(write("case.yaml", with_grid("contract"))).policy.by_contract
    assert faults(with_grid("tabel")) == [
        "case.yaml, line 10, policy.rate_grid: expected one of table, contract, found 'tabel'; "
        "did you mean table?"
    ]
    assert faults(with_grid("{step: 0}")) == [
        "case.yaml, line 10, policy.rate_grid.step: '0' is not above 0; write a number above 0"
    ]
    assert faults(with_grid("{step: 1e-6}")) == [
        "case.yaml, line 10, policy.rate_grid.step: a band would hold 70,000 rates, expected 10,000 at most; "
        "write a larger step, as 0.25%"
    ]


def test_what_is_not_said_has_the_documented_value(write: Write, base: str) -> None:
    policy = load_scenario(write("case.yaml", base)).policy

    assert policy.budget == Budget(1e6, "at_most", "offered")
    assert policy.ticket == Ticket(10_000, 100_000, None)
    assert (policy.currency, policy.term_years, policy.rate_step) == ("CNY", 1.0, None)
    assert policy.funding_rate == policy.churn_cost_rate == policy.decline_churn == 0
    assert policy.idle_rate == policy.processing_cost == 0
