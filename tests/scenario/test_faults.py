"""Every kind of slip in a scenario is told with its line, its key and its remedy, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from allocator.errors import InputError
from allocator.scenario import load_scenario
from tests.scenario.conftest import BASE, Faults

LIMIT = "{name: A line, measure: offered, where: {grade: A}, at_most: 63%, of: budget}"
BUDGET = "budget: {amount: 1_000_000}"
TICKET = "ticket: {min: 10_000, max: 100_000}"
RATES = "rates: {A: [4%, 11%], B: [11%, 13.5%]}"
DEFAULTS = "defaults: {lgd: 50%}"
SHARES = "a percentage such as 63% or a fraction such as 0.63"

SLIPS = {
    # keys
    "unknown key": (
        (BUDGET, "bugdet: {amount: 1_000_000}"),
        "line 6, policy.budget: the key is missing; add `budget: {...}`",
        "line 7, policy.bugdet: unknown key 'bugdet'; did you mean budget?",
    ),
    "unknown key at the top": (
        ("schema: 1", "schema: 1\nextend: base.yaml"),
        "line 2, extend: unknown key 'extend'; did you mean extends?",
    ),
    "unknown key unlike any": (
        (TICKET, "ticket: {min: 10_000, max: 100_000, wheel: 4}"),
        "line 8, policy.ticket.wheel: unknown key 'wheel'; the keys here are min, max, step, menu",
    ),
    "key of another section": (
        ("schema: 1", "schema: 1\ncurrency: EUR\nchurn: churn.csv"),
        "line 2, currency: unknown key 'currency'; its place is policy.currency",
        "line 3, churn: unknown key 'churn'; its place is response.churn or stress.churn",
    ),
    "key of the top further down": (
        (TICKET, f"{TICKET}\n  solver: {{gap: 1e-9}}\n  gap: 1e-9"),
        "line 9, policy.solver: unknown key 'solver'; its place is the top of the file",
        "line 10, policy.gap: unknown key 'gap'; its place is solver.gap",
    ),
    "merge key": (
        (BUDGET, "budget: {amount: 1_000_000, <<: {spend: exactly}}"),
        "line 7, policy.budget.<<: unknown key '<<'; the keys here are of, amount, spend, basis",
    ),
    "missing section": (
        ("response: {churn: churn.csv}\n", ""),
        "line 1, response: the key is missing; add `response: {...}`",
    ),
    "missing key": (
        ("{churn: churn.csv}", "{smoothing: isotonic}"),
        "line 5, response.churn: the key is missing; add `churn: ../models/churn/cumcm-2020.csv`",
    ),
    "missing schema": (("schema: 1\n", ""), "line 1, schema: the key is missing; add `schema: 1`"),
    "another schema": (
        ("schema: 1", "schema: 2"),
        "line 1, schema: schema '2' is not known, expected 1; write `schema: 1`",
    ),
    "schema as truth": (
        ("schema: 1", "schema: true"),
        "line 1, schema: schema true is not known, expected 1; write `schema: 1`",
    ),
    # shapes
    "list where mapping": (
        (BUDGET, "budget: [1_000_000]"),
        "line 7, policy.budget: expected a mapping, found a list; write `key: value` lines below it",
    ),
    "mapping where list": (
        (f"    - {LIMIT}", "    A line: {at_most: 63%}"),
        "line 10, policy.limits: expected a list, found a mapping; write `- item` lines below it",
    ),
    "nothing where list": (
        (f"    - {LIMIT}\n", ""),
        "line 10, policy.limits: expected a list, found nothing; write `- item` lines below it",
    ),
    "text where mapping": (
        (LIMIT, "A line"),
        "line 11, policy.limits[#1]: expected a mapping, found 'A line'; write `key: value` lines below it",
    ),
    "mapping where text": (
        ("{churn: churn.csv}", "{churn: {file: churn.csv}}"),
        "line 5, response.churn.logistic: the key is missing; add `logistic: {...}`",
        "line 5, response.churn.file: unknown key 'file'; the keys here are logistic",
    ),
    # numbers
    "630 for 63%": (
        ("at_most: 63%", "at_most: 630"),
        f"line 11, policy.limits[A line].at_most: 630 would be 63,000 %, expected 0% to 100%; write {SHARES}",
    ),
    "rate of 4": (
        ("[4%, 11%]", "[4, 11%]"),
        "line 9, policy.rates.A[#1]: 4 would be 400 %, expected 0% to 100%; write 4% or 0.04",
    ),
    "more than all": (
        ("lgd: 50%", "lgd: 150%"),
        f"line 4, portfolio.defaults.lgd: 150% is more than 100 %, expected 0% to 100%; write {SHARES}",
    ),
    "negative share": (
        ("lgd: 50%", "lgd: -5%"),
        f"line 4, portfolio.defaults.lgd: -5% is negative, expected 0% to 100%; write {SHARES}",
    ),
    "share as text": (
        ("lgd: 50%", "lgd: half"),
        f"line 4, portfolio.defaults.lgd: 'half' is not {SHARES}; write {SHARES}",
    ),
    "truth as number": (
        ("amount: 1_000_000", "amount: true"),
        "line 7, policy.budget.amount: true is not an amount such as 100_000_000; "
        "write an amount such as 100_000_000",
    ),
    "not a number": (
        ("amount: 1_000_000", "amount: .nan"),
        "line 7, policy.budget.amount: '.nan' is not an amount such as 100_000_000; "
        "write an amount such as 100_000_000",
    ),
    "infinite": (
        ("amount: 1_000_000", "amount: 1e400"),
        "line 7, policy.budget.amount: 1e400 is too large a number; write an amount such as 100_000_000",
    ),
    "thousands by commas": (
        ("amount: 1_000_000", 'amount: "1,000,000"'),
        "line 7, policy.budget.amount: '1,000,000' has thousands separators; write 1_000_000",
    ),
    "percentage of money": (
        ("amount: 1_000_000", "amount: 5%"),
        "line 7, policy.budget.amount: 5% of what is not said; "
        "add `of: requests`, or write an amount such as 100_000_000",
    ),
    "a budget below nothing": (
        ("amount: 1_000_000", "amount: -1"),
        "line 7, policy.budget.amount: -1 is negative, expected 0 or more; "
        "write an amount such as 100_000_000",
    ),
    "half a thread": (
        ("policy:", "solver: {threads: 1.5}\npolicy:"),
        "line 6, solver.threads: '1.5' is not a whole number below 2^31; write a whole number such as 2",
    ),
    "no term": (
        (BUDGET, f"{BUDGET}\n  term_years: 0"),
        "line 8, policy.term_years: '0' is not above 0; write a number above 0",
    ),
    "no time": (
        ("policy:", "solver: {time_limit: -1}\npolicy:"),
        "line 6, solver.time_limit: -1 is negative, expected 0 or more; write a number of seconds such as 60",
    ),
    "memory without a unit": (
        ("policy:", "solver: {memory: 8}\npolicy:"),
        "line 6, solver.memory: '8' is no amount of memory; write one such as 8 GB or 500 MB",
    ),
    # texts
    "truth as text": (
        ("where: {grade: A}", "where: {grade: true}"),
        'line 11, policy.limits[A line].where.grade: expected text, found true; put it in quotes: "true"',
    ),
    "empty text": (
        ("where: {grade: A}", 'where: {grade: ""}'),
        "line 11, policy.limits[A line].where.grade: the text is empty; write a text or leave the key out",
    ),
    "no value in a filter": (
        ("where: {grade: A}", "where: {grade: }"),
        "line 11, policy.limits[A line].where.grade: expected text, found nothing; write one text",
    ),
    "not a choice": (
        (BUDGET, "budget: {amount: 1_000_000, spend: at_mots}"),
        "line 7, policy.budget.spend: expected one of at_most, exactly, found 'at_mots'; "
        "did you mean at_most?",
    ),
    "not a flag": (
        (DEFAULTS, "defaults: {lgd: 50%, exclude: NO}"),
        "line 4, portfolio.defaults.exclude: expected true or false, found 'NO'; write true or false",
    ),
    "currency": (
        (BUDGET, f"{BUDGET}\n  currency: yuan"),
        "line 8, policy.currency: 'yuan' is no currency code; write three capital letters, as CNY",
    ),
    "name of a folder": (
        ("schema: 1", "schema: 1\nname: ../q1 run"),
        "line 2, name: '../q1 run' cannot name a folder: expected letters, digits, - _ . and a letter or "
        "digit first; write `name: q1-run`",
    ),
    "stresses": (
        ("policy:", "stresses: {mild: {pds: {all: 2}}}\npolicy:"),
        "line 6, stresses.mild.pds: unknown key 'pds'; did you mean pd?",
    ),
    "a column that nothing reads": (
        (DEFAULTS, "columns: {turnover: sales}"),
        "line 4, portfolio.columns.turnover: unknown key 'turnover', which no limit or stress uses either; "
        "the keys here are borrower_id, grade, pd, lgd, term_years, min_amount, max_amount, min_rate, "
        "max_rate, rate, fixed_amount, fixed_rate, relationship_value, exposure, exclude, grade",
    ),
    "strategy": (
        ("policy:", "strategy: gredy\npolicy:"),
        "line 6, strategy: expected one of optimal, ahp_lines, equal, by_score, greedy, max_interest, "
        "min_loss, found 'gredy'; did you mean greedy?",
    ),
    "strategy of two wishes": (
        ("policy:", "strategy: {min_loss: {share: 90%, income: 3}}\npolicy:"),
        "line 6, strategy.min_loss.share: income says too what is wanted; keep income or share",
    ),
    "pricing": (
        (BUDGET, f"{BUDGET}\n  pricing: per_segment"),
        "line 8, policy.pricing: per_segment of which column is not said; "
        "write pricing: {per_segment: sector}",
    ),
    "segments that are borrowers": (
        (BUDGET, f"{BUDGET}\n  pricing: {{per_segment: borrower_id, grades: rising}}"),
        "line 8, policy.pricing.per_segment: the segments are those of pricing: individual; "
        "write pricing: individual, or name another column",
        "line 8, policy.pricing.grades: expected one of together, apart, monotone, found 'rising'; "
        "write one of them",
    ),
    "a value in two segments": (
        (BUDGET, f"{BUDGET}\n  pricing: {{per_segment: sector, groups: {{a: [food], b: [food, steel]}}}}"),
        "line 8, policy.pricing.groups.b: 'food' is in 'a' too; name a value in one segment",
    ),
    "every fault of segments": (
        (
            BUDGET,
            f"{BUDGET}\n  pricing: {{per_segment: sector, "
            "groups: {a: [b, b], c: [], d: [steel], b: [steel]}}",
        ),
        "line 8, policy.pricing.groups.a: 'b' is in 'a' too; name a value in one segment",
        "line 8, policy.pricing.groups.c: a segment of no values; name its values, or leave it out",
        "line 8, policy.pricing.groups.b: 'steel' is in 'd' too; name a value in one segment",
        "line 8, policy.pricing.groups.b: a segment has the name of a value of another, 'a'; "
        "name it otherwise",
    ),
    "pricing by contract": (
        (BUDGET, f"{BUDGET}\n  rate_grid: contract\n  pricing: monotone"),
        "line 9, policy.pricing: each loan has its contract's rate, so that pricing monotone has none "
        "to post; write pricing: individual, or another rate_grid",
    ),
    "a class beside a column of classes": (
        (BUDGET, f"{BUDGET}\n  capital: {{asset_class: sme, asset_class_by: grade}}"),
        "line 8, policy.capital: asset_class has no effect beside asset_class_by; "
        "leave asset_class out, or change asset_class_by",
    ),
    "a column of classes": (
        (BUDGET, f"{BUDGET}\n  capital: {{asset_class_by: pd}}"),
        "line 8, policy.capital.asset_class_by: pd is no column of texts; name one, as sector",
    ),
    "keys of capital without effect": (
        (BUDGET, f"{BUDGET}\n  capital: {{approach: standardised, supporting_factor: true, maturity: 3}}"),
        "line 8, policy.capital: maturity has no effect beside approach: standardised; "
        "leave maturity out, or change approach: standardised",
        "line 8, policy.capital: supporting_factor has no effect beside asset_class: corporate; "
        "leave supporting_factor out, or change asset_class: corporate",
    ),
    "rates that must fall": (
        (RATES, "rates: {A: [11%, 12%], B: [4%, 10%]}\n  pricing: monotone"),
        "line 10, policy.pricing: no rates that never fall: those of B end at 0.1, below 0.11 of A; "
        "name the grades of `rates` from the lowest rates to the highest",
    ),
    "factors of sectors beside a correlation for each borrower": (
        (BUDGET, f"{BUDGET}\n  tail: {{correlation: irb, sectors: {{column: sector, between: 5%}}}}"),
        "line 8, policy.tail.correlation: sectors need one correlation within a sector, and irb has one for "
        "each borrower; write a correlation as 15%, or leave sectors out",
    ),
    "sectors that move together more than each does": (
        (BUDGET, f"{BUDGET}\n  tail: {{correlation: 10%, sectors: {{column: sector, between: 15%}}}}"),
        "line 8, policy.tail.sectors.between: 0.15 between sectors is above 0.1 within one; "
        "write between at most as correlation",
    ),
    "too few years for factors of sectors": (
        (BUDGET, f"{BUDGET}\n  tail: {{sectors: {{column: sector, between: 5%, nodes: 8}}}}"),
        "line 8, policy.tail.sectors.nodes: 8 years are outside 16 to 4,096; write nodes: 256",
    ),
    "sectors by a column of numbers": (
        (BUDGET, f"{BUDGET}\n  tail: {{sectors: {{column: pd, between: 5%}}}}"),
        "line 8, policy.tail.sectors.column: pd is no column of texts; name one, as sector",
    ),
    "a confidence of no tail": (
        (BUDGET, f"{BUDGET}\n  tail: {{confidence: 100%}}"),
        "line 8, policy.tail.confidence: a confidence of 1 is outside 50% to 99.999%; write one as 99.9%",
    ),
    "a correlation beyond sense": (
        (BUDGET, f"{BUDGET}\n  tail: {{correlation: 60%}}"),
        "line 8, policy.tail.correlation: a correlation of 0.6 is above 50%; write one as 15%, or irb for "
        "that of internal ratings",
    ),
    "a correlation by another name": (
        (BUDGET, f"{BUDGET}\n  tail: {{correlation: basel}}"),
        "line 8, policy.tail.correlation: 'basel' is not a percentage such as 15%, or irb; "
        "write a percentage such as 15%, or irb",
    ),
    "a maturity beyond the formula's": (
        (BUDGET, f"{BUDGET}\n  capital: {{maturity: 7}}"),
        "line 8, policy.capital.maturity: a maturity of 7 years is outside the formula's 1 to 5; "
        "write 2.5, or the maturity cut off at 1 or 5",
    ),
    "a floor of PD below the formula's": (
        (BUDGET, f"{BUDGET}\n  capital: {{pd_floor: 0}}"),
        "line 8, policy.capital.pd_floor: a floor of 0 is outside 0.01% to 100%, where the formula has a "
        "meaning; write 0.05%, or another of at least 0.01%",
    ),
    "another class of borrowers": (
        (BUDGET, f"{BUDGET}\n  capital: {{asset_class: retial}}"),
        "line 8, policy.capital.asset_class: expected one of corporate, sme, retail, found 'retial'; "
        "did you mean retail?",
    ),
    "columns of turnover": (
        (BUDGET, f"{BUDGET}\n  capital: {{turnover: grade}}"),
        "line 8, policy.capital.turnover: grade is no column of numbers; name one, as pd",
    ),
    "enforced otherwise": (
        ("of: budget", "of: budget, enforce: reported"),
        "line 11, policy.limits[A line].enforce: expected one of hard, report, found 'reported'; "
        "did you mean report?",
    ),
    "soft": (
        ("at_most: 63%, of: budget", "exactly: 63%, of: budget, enforce: {soft: 2}"),
        "line 11, policy.limits[A line]: a bound that must be met exactly cannot be soft; write at_most, or "
        "at_least, or both as two limits",
    ),
    "a soft percentage": (
        ("of: budget", "of: budget, enforce: {soft: 2%}"),
        "line 11, policy.limits[A line].enforce.soft: 2% is no money a unit of what the limit adds up; "
        "write an amount of money, as 0.05",
    ),
    "a negative penalty": (
        ("of: budget", "of: budget, enforce: {soft: -1}"),
        "line 11, policy.limits[A line].enforce.soft: -1 is negative, expected 0 or more; write 0 or more",
    ),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_told_with_line_key_and_remedy(slip: str, faults: Faults) -> None:
    (old, new), *expected = SLIPS[slip]
    assert BASE.count(old) == 1

    assert faults(BASE.replace(old, new)) == [f"case.yaml, {one}" for one in expected]


def test_the_scenario_that_the_slips_spoil_has_no_fault(write, base) -> None:
    assert load_scenario(write("case.yaml", base)).name == "case"


def test_all_faults_come_at_once_in_the_order_of_lines(faults: Faults) -> None:
    chosen = ["schema as truth", "more than all", "630 for 63%", "truth as number", "rate of 4", "stresses"]
    text = BASE
    for slip in chosen:
        old, new = SLIPS[slip][0]
        text = text.replace(old, new)
    # stresses stands before policy, so what follows it is a line lower.
    expected = [
        "line 1, schema: schema true",
        "line 4, portfolio.defaults.lgd: 150%",
        "line 6, stresses.mild.pds: unknown key 'pds'",
        "line 8, policy.budget.amount: true",
        "line 10, policy.rates.A[#1]: 4 would be 400 %",
        "line 12, policy.limits[A line].at_most: 630",
    ]

    told = faults(text)

    assert len(told) == len(expected)
    assert all(fault.startswith(f"case.yaml, {start}") for fault, start in zip(told, expected, strict=True))


def test_the_error_names_the_file_and_counts_the_faults(write, base) -> None:
    path: Path = write("case.yaml", base.replace("63%", "630").replace("1_000_000", "much"))

    with pytest.raises(InputError) as caught:
        load_scenario(path)

    assert caught.value.message == f"{path}: 2 faults"
    assert [(one.file, one.line, one.field) for one in caught.value.faults] == [
        (str(path), 7, "policy.budget.amount"),
        (str(path), 11, "policy.limits[A line].at_most"),
    ]
