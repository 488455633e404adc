"""Limits: what each bound means, and combinations that mean nothing."""

from __future__ import annotations

import pytest

from allocator.records.conditions import Condition
from allocator.records.risk import Sectors, TailRule
from allocator.records.scenario import Group, Limit
from allocator.scenario import load_scenario
from tests.scenario.conftest import BASE, Faults, Write

WRITTEN = "{name: A line, measure: offered, where: {grade: A}, at_most: 63%, of: budget}"
PLACE = "case.yaml, line 11, policy.limits[x]"

MEANINGS = {
    "measure: offered, each: sector, at_most: 20%, of: total": Limit(
        "x", "offered", "at_most", 0.2, "total", each="sector"
    ),
    "measure: offered, where: {sector: [food, 001, NO], pd: {above: 5%, at_most: 0.5}}, at_most: 4e6": Limit(
        "x",
        "offered",
        "at_most",
        4e6,
        where=(Condition("sector", ("food", "001", "NO")), Condition("pd", above=0.05, at_most=0.5)),
    ),
    "measure: expected_loss, at_most: 1.2%, of: drawn": Limit(
        "x", "expected_loss", "at_most", 0.012, "drawn"
    ),
    "measure: drawn, weight: pd, at_most: 3%, of: drawn": Limit(
        "x", "drawn", "at_most", 0.03, "drawn", weight="pd"
    ),
    "measure: drawn, weight: age, at_most: 12.5, of: drawn": Limit(
        "x", "drawn", "at_most", 12.5, "drawn", weight="age"
    ),
    "measure: drawn, weight: trend, at_least: -4": Limit("x", "drawn", "at_least", -4.0, weight="trend"),
    "measure: drawn, top: 10, at_most: 12%, of: drawn": Limit(
        "x", "drawn", "at_most", 0.12, "drawn", by="borrower_id", top=10
    ),
    "measure: offered, top: 3, by: sector, at_most: 900": Limit(
        "x", "offered", "at_most", 900.0, by="sector", top=3
    ),
    "measure: hhi, by: sector, at_most: 12%, of: budget": Limit(
        "x", "hhi", "at_most", 0.12, "budget", by="sector"
    ),
    "measure: loans, at_least: 9, if_lent_to: {grade: B}": Limit(
        "x", "loans", "at_least", 9.0, if_lent_to=(Condition("grade", ("B",)),)
    ),
    "measure: loans, at_least: 100, enforce: hard": Limit("x", "loans", "at_least", 100.0),
    "measure: loans, at_least: 100, enforce: {soft: 1_000}": Limit(
        "x", "loans", "at_least", 100.0, penalty=1_000.0
    ),
    "measure: loans, at_least: 100, enforce: report": Limit("x", "loans", "at_least", 100.0, penalty=0.0),
    "measure: loans, weight: staff, exactly: 2.5": Limit("x", "loans", "exactly", 2.5, weight="staff"),
    "measure: gross_interest, at_least: 6%, of: drawn": Limit(
        "x", "gross_interest", "at_least", 0.06, "drawn"
    ),
    "measure: offered, each: region, where: {grade: B, age: {below: 3}}, exactly: 0": Limit(
        "x",
        "offered",
        "exactly",
        0.0,
        where=(Condition("grade", ("B",)), Condition("age", below=3.0)),
        each="region",
    ),
    "measure: offered, where: {grade: B}, at_most: 150%, of: {where: {grade: A, pd: {below: 2%}}}": Limit(
        "x",
        "offered",
        "at_most",
        1.5,
        Group("offered", (Condition("grade", ("A",)), Condition("pd", below=0.02))),
        where=(Condition("grade", ("B",)),),
    ),
    "measure: expected_loss, at_most: 1%, of: {measure: drawn, where: {sector: [food]}}": Limit(
        "x", "expected_loss", "at_most", 0.01, Group("drawn", (Condition("sector", ("food",)),))
    ),
    "measure: offered, weight: tonnes, at_most: -10%, of: {where: {sector: [food]}}": Limit(
        "x",
        "offered",
        "at_most",
        -0.1,
        Group("offered", (Condition("sector", ("food",)),)),
        weight="tonnes",
    ),
    "measure: offered, each: borrower_id, at_most: 5%, of: total, where: null, weight: null": Limit(
        "x", "offered", "at_most", 0.05, "total", each="borrower_id"
    ),
}

NONSENSE = {
    "measure: loans, at_least: 9, if_lent_to: {grade: B}, enforce: report": (
        ".enforce: a limit that hangs on a condition holds in no named stress, and must hold; "
        "leave if_lent_to or enforce out"
    ),
    "measure: loans, at_least: 9, if_lent_to: {}": (
        ".if_lent_to: the filter names no column; name one, or leave `where` out"
    ),
    "measure: offered, at_most: 63%": (
        ".at_most: 63% of what is not said; add `of: budget`, `of: total`, `of: drawn` or "
        "`of: {where: ...}`, or write an amount"
    ),
    "measure: loans, at_most: 5%": ".at_most: 5% of what is not said; write a number",
    "measure: loans, at_most: 2.5": ".at_most: 2.5 is no number of loans; write a whole number",
    "measure: offered, at_most: -5": ".at_most: -5 is negative, expected 0 or more; write 0 or more",
    "measure: loans, at_most: 1e308": (
        ".at_most: 1e308 is too large a bound, expected at most 1e+50; write a number of loans such as 100"
    ),
    "measure: drawn, weight: tonnes, exactly: -2e50": (
        ".exactly: -2e50 is too large a bound, expected at most 1e+50; write an amount such as 4_000_000"
    ),
    "measure: drawn, weight: tonnes, at_most: 1e300, of: drawn": (
        ".at_most: 1e300 is too large a bound, expected at most 1e+50; write a number"
    ),
    "measure: offered, at_least: 1e308": (
        ".at_least: '1e308' is too large an amount, expected at most 1e+14; write an amount in currency units"
    ),
    "measure: drawn, weight: lgd, at_most: 45, of: drawn": (
        ".at_most: 45 would be 4,500 %, expected 0% to 100%; write 45% or 0.45"
    ),
    "measure: offered": (
        ": expected one of at_most, at_least and exactly, found none; add one, as `at_most: 63%`"
    ),
    "measure: offered, at_most: 5, exactly: 4": (
        ": expected one of at_most, at_least and exactly, found at_most and exactly; "
        "keep one and set the others to null"
    ),
    "measure: hhi, at_most: 12%, of: total": (
        ": a Herfindahl index of which groups is not said; add `by: sector`"
    ),
    "measure: hhi, by: sector, at_least: 12%, of: total": (
        ".at_least: at_least says nothing of a Herfindahl index; leave at_least out"
    ),
    "measure: hhi, by: sector, at_most: 12%, of: drawn": (
        ".of: the shares of a Herfindahl index are those of everything offered, or of the budget; "
        "write `of: total` or `of: budget`"
    ),
    "measure: hhi, by: sector, at_most: 0%, of: total": (
        ".at_most: no groups have a Herfindahl index of 0; write at_most: 15%"
    ),
    "measure: hhi, by: pd, at_most: 10%, of: total": (".by: pd is no column of texts; name one, as sector"),
    "measure: offered, by: sector, at_most: 5": (
        ".by: by groups a Herfindahl index, or the largest, the measure is offered; "
        "write measure: hhi, or top: 10, or leave `by` out"
    ),
    "measure: offered, top: 0, at_most: 5": (".top: '0' is not above 0; write a number above 0"),
    "measure: offered, top: 3, at_least: 5": (
        ".at_least: at_least says nothing of the largest; leave at_least out"
    ),
    "measure: loans, top: 3, at_most: 5": (
        ".measure: the largest are counted by offered, drawn or expected_loss, not by loans; "
        "write measure: offered, or leave top out"
    ),
    "measure: drawn, top: 3, at_most: 0": (
        ".at_most: the largest loans come to more than 0; write at_most: 15%"
    ),
    "measure: drawn, top: 3, by: sector, at_most: 5, enforce: report": (
        ".enforce: a limit that is soft or only reported is not yet one on the largest; leave enforce out"
    ),
    "measure: loans, at_most: 5%, of: budget": (
        ".of: a number of loans is no fraction of the budget; "
        "write `of: loans`, leave `of` out, or measure offered or drawn"
    ),
    "measure: offered, at_most: 5%, of: total": (
        ": all that is offered is always 100 % of itself; add where, each or weight, or write another `of`"
    ),
    "measure: drawn, at_most: 5%, of: drawn": (
        ": all that is drawn is always 100 % of itself; add where, each or weight, or write another `of`"
    ),
    "measure: loans, at_most: 5, of: {where: {grade: A}}": (
        ".of: a number of loans is no fraction of the money offered; "
        "measure loans in it too, leave `of` out, or measure offered or drawn"
    ),
    "measure: clients_changed, where: {grade: A}, at_most: 5%, of: loans": (
        ".of: a number of clients is no fraction of the loans; leave `of` out, or measure offered or drawn"
    ),
    "measure: drawn, where: {grade: A}, at_most: 5%, of: {measure: loans, where: {grade: B}}": (
        ".of: what is drawn is no fraction of a number of loans; measure loans, or write another `of`"
    ),
    "measure: loans, where: {grade: A}, at_most: 105%, of: loans": (
        ".at_most: 105% is more than 100 %, expected 0% to 100%; "
        "write a percentage such as 63% or a fraction such as 0.63"
    ),
    "measure: loans, at_most: 5%, of: loans": (
        ": the number of loans is always 100 % of itself; add where, each or weight, or write another `of`"
    ),
    "measure: offered, where: {grade: A}, at_most: 5%, of: {where: {grade: A}}": (
        ": what a group is offered is always 100 % of itself; let `of` name another group"
    ),
    "measure: offered, where: {grade: A}, at_most: -5%, of: {where: {grade: B}}": (
        ".at_most: -5% is negative; write a percentage such as 60%"
    ),
    "measure: offered, where: {grade: A}, at_most: 2e6, of: {where: {grade: B}}": (
        ".at_most: 2e6 is more than 1e+06 times as much; write a percentage such as 60%"
    ),
    "measure: offered, at_most: 5%, of: {measure: drawn}": (
        ".of.where: the key is missing; add `where: {grade: car}`"
    ),
    "measure: offered, at_most: 5%, of: {where: {}}": (
        ".of.where: the filter names no column; name one, or leave `where` out"
    ),
    "measure: offered, at_most: 5%, of: {where: {pd: A}}": (
        ".of.where.pd: pd holds numbers, expected a range; write a range, as {above: 5%}"
    ),
    "measure: offered, at_most: 5%, of: {measure: loans, where: {grade: A}}": (
        ".of: what is offered is no fraction of a number of loans; measure loans, or write another `of`"
    ),
    "measure: offered, at_most: 5, weight: grade": (
        ".weight: grade is no column of numbers; name one, as pd"
    ),
    "measure: offered, at_most: 5, each: pd": ".each: pd is no column of texts; name one, as sector",
    "measure: offered, at_most: 5, where: {}": (
        ".where: the filter names no column; name one, or leave `where` out"
    ),
    "measure: offered, at_most: 5, where: {sector: []}": (
        ".where.sector: the list is empty, so that nothing passes; write at least one value"
    ),
    "measure: offered, at_most: 5, where: {sector: {}}": (
        ".where.sector: the range has no end; write above, at_least, below or at_most"
    ),
    "measure: offered, at_most: 5, where: {exclude: [a]}": (
        ".where.exclude: limits cannot read the column exclude; name another column"
    ),
    "measure: offered, at_most: 5, where: {term_years: 1}": (
        ".where.term_years: term_years holds numbers, expected a range; write a range, as {above: 5}"
    ),
    "measure: offered, at_most: 5, where: {grade: {above: 1}}": (
        ".where.grade: grade holds texts, expected one or a list; write a value, as A"
    ),
    "measure: offered, at_most: 5, where: {pd: {above: 5}}": (
        ".where.pd.above: 5 lies outside 0% to 100%; write 5% or a fraction"
    ),
    "measure: offered, at_most: 5, where: {age: {above: 5, at_least: 4}}": (
        ".where.age: above and at_least are the same end; keep one of the two"
    ),
    "measure: offered, at_most: 5, where: {age: {below: 5, at_most: 4}}": (
        ".where.age: below and at_most are the same end; keep one of the two"
    ),
    "measure: offered, at_most: 5, where: {age: {above: 5, below: 5}}": (
        ".where.age: no number lies in the range; write the lower end first"
    ),
    "measure: offered, at_most: 5, where: {age: {abov: 5}}": (
        ".where.age.abov: unknown key 'abov'; did you mean above?"
    ),
    "measure: offered, at_most: 5, where: {age: {above: x}}": (
        ".where.age.above: 'x' is not a number such as 2.5 or 5%; write a number such as 2.5 or 5%"
    ),
}

NAMES = {
    "budget": "the name 'budget' is the budget's own; give the limit another name",
    '"sectors[retail]"': (
        "'sectors[retail]' cannot name a limit: no brackets, line breaks or outer blanks; "
        "give the limit a plain name"
    ),
    '"a\\nb"': (
        "'a\\nb' cannot name a limit: no brackets, line breaks or outer blanks; give the limit a plain name"
    ),
}


@pytest.mark.parametrize("text", MEANINGS)
def test_a_limit_means_what_it_says(text: str, write: Write) -> None:
    path = write("case.yaml", BASE.replace(WRITTEN, f"{{name: x, {text}}}"))

    assert load_scenario(path).policy.limits == (MEANINGS[text],)


@pytest.mark.parametrize("text", NONSENSE)
def test_a_limit_without_a_meaning_is_told(text: str, faults: Faults) -> None:
    assert faults(BASE.replace(WRITTEN, f"{{name: x, {text}}}")) == [PLACE + NONSENSE[text]]


def test_conditions_beside_what_they_do_not_go_with(faults: Faults) -> None:
    entries = [f"{{name: l{k}, measure: loans, at_least: 1, if_lent_to: {{grade: B}}}}" for k in range(7)]
    entries.append("{name: h, measure: hhi, by: sector, at_most: 50%, of: total}")
    told = faults(BASE.replace(WRITTEN, "\n    - ".join(entries)))
    assert [one.partition("if_lent_to: ")[2] for one in told] == [
        "a limit that hangs on a condition does not yet go with one on a Herfindahl index; "
        "leave one of the two out, or its if_lent_to",
        "7 limits hang on a condition, expected 6 at most; "
        "leave if_lent_to out where the limit may hold whatever is offered",
    ]


def test_limits_that_are_no_sums_are_told_by_line_beside_a_price_list(faults: Faults) -> None:
    index = "{name: h, measure: hhi, by: sector, at_most: 50%, of: total}"
    entries = f"{{name: x, measure: loans, at_least: 1}}\n    - {index}"
    posting = "  pricing: per_grade\n"
    (told,) = faults(BASE.replace(WRITTEN, entries).replace("  limits:\n", posting + "  limits:\n"))
    place, _, words = told.partition("policy.limits[h].measure: ")
    assert "line " in place
    assert words == (
        "a limit on a Herfindahl index does not yet go with a price list; "
        "write pricing: individual, or cap its groups, as each: sector, at_most: 20%, of: total"
    )
    (told,) = faults(of_sectors("at_most: 4%, of: drawn").replace("  limits:\n", posting + "  limits:\n"))
    assert told.endswith(
        "policy.limits[x].measure: a limit on the tail loss of several sectors does not yet go with a "
        "price list; write pricing: individual, or leave policy.tail.sectors out"
    )


SECTORS = "  tail: {confidence: 99%, correlation: 20%, sectors: {column: sector, between: 5%}}\n  limits:\n"


def of_sectors(limit: str) -> str:
    return BASE.replace("  limits:\n", SECTORS).replace(WRITTEN, f"{{name: x, measure: tail_loss, {limit}}}")


def test_factors_of_sectors_make_a_limit_on_the_tail_loss_one_by_their_column(write: Write) -> None:
    policy = load_scenario(write("case.yaml", of_sectors("where: {grade: A}, at_most: 4%, of: drawn"))).policy
    (limit,) = policy.convex
    assert (limit.by, limit.bound, limit.of) == ("sector", 0.04, "drawn")
    assert limit.rule == TailRule(0.99, 0.2, sectors=Sectors("sector", 0.05, 256))


SUM = (
    "does not go with the tail loss of several sectors, which is no sum; "
    "leave it out, or policy.tail.sectors: one factor alone makes it a sum"
)
OF_SECTORS = {
    "at_least: 4": [f".at_least: at_least {SUM}"],
    "weight: k, at_most: 4": [f".weight: weight {SUM}"],
    "each: region, under: [bad], at_most: 4": [
        f".each: each {SUM}",
        f".under: under {SUM}",
    ],
    "at_most: 4, enforce: report": [
        ".enforce: a limit on the tail loss of several sectors is not yet soft or only reported; "
        "leave enforce out, or policy.tail.sectors"
    ],
    "at_most: 0": [".at_most: no loan has a tail loss of 0; write at_most: 4%"],
    "at_most: 4, if_lent_to: {grade: A}": [
        ".if_lent_to: a limit that hangs on a condition does not yet go with one on the tail loss of several "
        "sectors; leave one of the two out, or its if_lent_to"
    ],
}
"""Limits that several factors do not allow -> what is told of each."""


@pytest.mark.parametrize("text", OF_SECTORS)
def test_a_limit_on_several_factors_is_held_to_what_it_may_say(text: str, faults: Faults) -> None:
    told = faults(of_sectors(text) + "stresses: {bad: {pd: {all: 2}}}\n")
    assert [one.partition("limits[x]")[2] for one in told] == OF_SECTORS[text]


@pytest.mark.parametrize("name", NAMES)
def test_names_that_would_be_mistaken(name: str, faults: Faults) -> None:
    (told,) = faults(BASE.replace("name: A line", f"name: {name}"))

    assert told.startswith("case.yaml, line 11, policy.limits[")
    assert told.endswith(f"].name: {NAMES[name]}")


def test_a_range_may_be_one_number(write: Write) -> None:
    path = write("case.yaml", BASE.replace("{grade: A}", "{age: {at_least: 5, at_most: 5}}"))

    assert load_scenario(path).policy.limits[0].where == (Condition("age", at_least=5.0, at_most=5.0),)


def test_all_that_is_wrong_with_one_limit_comes_at_once(faults: Faults) -> None:
    where = "{pd: A, exclude: B, lgd: {above: 7}}"
    limit = f"{{name: budget, measure: money, of: all, where: {where}, each: lgd, at_most: x}}"

    assert [one.split(": ")[0] for one in faults(BASE.replace(WRITTEN, limit))] == [
        f"case.yaml, line 11, policy.limits[budget].{key}"
        for key in (
            "name",
            "measure",
            "of",
            "where.pd",
            "where.exclude",
            "where.lgd.above",
            "each",
            "at_most",
        )
    ]
