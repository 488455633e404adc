"""Reasons for refusals against the inputs: the engine's own stand, invented and contradicted ones do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given

from allocator.certification.reasons import contradicted_reasons
from allocator.engine.reasons import reasons
from allocator.errors import InfeasibleError, InputError, NoAllocationError
from allocator.pipeline import decide, judge
from allocator.records import reasons as words
from allocator.records.case import Case as Prepared
from allocator.records.conditions import Condition
from allocator.records.filters import left_out
from allocator.records.portfolio import Text
from allocator.records.strategy import RuleName, Strategy
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.stages import columns_of, prepared
from tests.strategies import cases, cases_in_cents, random_cases

RULES: tuple[RuleName, ...] = (
    "optimal",
    "ahp_lines",
    "equal",
    "by_score",
    "greedy",
    "max_interest",
    "min_loss",
)
TABLE = churn_table([0.04, 0.08, 0.12], A=[0.0, 0.3, 0.8], B=[0.1, 0.25, 0.6])
BOOK = portfolio(
    ["A", "A", "A", "A", "A", "D", "A", "A", "A", "B", "A"],
    pd=[0.01, 0.011, 0.01, 0.02, 0.9, 0.01, 0.01, 0.01, 0.01, 0.01, 0.012],
    max_amount=[300_000.0] * 6 + [50_000.0, 3e6] + [300_000.0] * 3,
    min_amount=[0.0] * 7 + [2e6, 0.0, 0.0, 0.0],
    min_rate=[np.nan] * 8 + [0.5, np.nan, np.nan],
    exclude=[False] * 9 + [True, False],
    texts={
        "sector": ["food", "food", "steel", "steel", "steel", "food", "food", "food", "food", "food", "steel"]
    },
)
CASE = Case(
    BOOK,
    TABLE,
    policy(
        2e6,
        limit("sectors", "offered", "at_most", 300_000.0, each="sector"),
        limit("few", "loans", "at_most", 9.0),
    ),
)
SAID = [
    "", "crowded out by limit sectors[food]", "", "crowded out by limit sectors[steel]",
    "never profitable, whatever the limits", "no rates for this grade", "request below the smallest loan",
    "smallest loan wanted above the largest ticket", "no rate at or above the borrower's minimum", "excluded",
    "crowded out by limit sectors[steel]",
]  # fmt: skip


def text(words: list[str]) -> Text:
    values = tuple(sorted(set(words)))
    return Text(np.array([values.index(word) for word in words], dtype=np.int32), values)


def judged(ready: Prepared, amount: np.ndarray, prices: np.ndarray, said: list[str]) -> list[str]:
    names = [row.name for row in ready.limits.rows]
    named = dict(zip(names, prices.tolist(), strict=True))
    return contradicted_reasons(ready.scenario, ready.inputs, amount == 0, named, text(said)).tolist()


def told(case: Case, rule: RuleName) -> tuple[Prepared, np.ndarray, np.ndarray, list[str]]:
    """A case decided by a rule: amounts, prices and the reasons that a run would have."""
    ready = prepared(case)
    ready = replace(ready, scenario=replace(ready.scenario, strategy=Strategy(rule)))
    solution = decide(ready)
    why = solution.why
    if why is None:
        aside = left_out(case.policy, case.portfolio, solution.amount > 0)
        why = reasons(columns_of(case), solution.amount == 0, solution.prices, 1, aside)
    return ready, solution.amount, solution.prices, list(why)


def stand(case: Case, rule: RuleName) -> None:
    ready, amount, prices, said = told(case, rule)
    assert judged(ready, amount, prices, said) == [""] * len(said)
    invented = judged(ready, amount, prices, ["we do not like them"] * len(said))
    assert [found != "" for found in invented] == (amount == 0).tolist()


@random_cases(6, full=400, deadline=None)
@given(cases())
def test_what_engine_and_rules_say_stands_on_a_step(case: Case) -> None:
    _all_stand(case)


@random_cases(6, full=400, deadline=None)
@given(cases_in_cents())
def test_what_engine_and_rules_say_stands_in_cents(case: Case) -> None:
    _all_stand(case)


def _all_stand(case: Case) -> None:
    for rule in RULES:
        try:
            stand(case, rule)
        except (InfeasibleError, InputError, NoAllocationError):
            assume(rule != "optimal")


def test_the_case_has_every_kind() -> None:
    _, _, _, said = told(CASE, "optimal")
    assert said == SAID


@pytest.mark.parametrize(
    ("at", "word", "found"),
    [
        (1, "excluded", "an offer that may be made"),
        (9, "no rates for this grade", "excluded"),
        (5, "crowded out by the budget", "no rates for this grade"),
        (1, "never profitable, whatever the limits", "an offer that earns its cost"),
        (4, "crowded out by limit sectors[steel]", "no offer that earns its cost"),
        (1, "crowded out by limit few", "a limit without a price"),
        (1, "crowded out by limit sectors[steel]", "a limit that does not count the borrower"),
        (1, "crowded out by limit sectors", "another reason"),
        (
            3,
            "decided by the integer step: lost within the gap",
            "no offer that earns its cost at these prices",
        ),
        (1, "no room left in the budget at its turn", "another reason"),
    ],
)
def test_a_reason_that_the_inputs_contradict(at: int, word: str, found: str) -> None:
    ready, amount, prices, said = told(CASE, "optimal")
    assert judged(ready, amount, prices, [*said[:at], word, *said[at + 1 :]]) == [
        *[""] * at, found, *[""] * (len(said) - at - 1)
    ]  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
def test_who_is_left_out_for_a_limit_on_a_condition_is_told_so(rule: RuleName) -> None:
    """The rules too leave him out where the limit cannot hold, and keep every limit."""
    met = Condition("sector", ("a",))
    then = replace(limit("then", "offered", "at_least", 3e5, where={"sector": ["b"]}), if_lent_to=(met,))
    book = portfolio(
        ["A"] * 4, pd=[0.0, 0.01, 0.02, 0.03], max_amount=1e5, texts={"sector": ["a", "b", "b", "c"]}
    )
    case = Case(book, churn_table([0.05, 0.1], A=[0.0, 0.5]), policy(4e5, then, rates={"A": (0.0, 1.0)}))
    ready, amount, prices, said = told(case, rule)
    assert said[0] == (words.NOT_NEEDED if rule == "min_loss" else words.left_out("then"))
    assert judge(ready, decide(ready)).broken == ()
    for word in (words.BY_THE_STEP, words.left_out("other")):
        assert judged(ready, amount, prices, [word, *said[1:]])[0]
    if rule == "ahp_lines":  # the last is outside the group
        assert judged(ready, amount, prices, [*said[:3], words.left_out("then")])[3]


def test_a_rule_has_its_own_words() -> None:
    ready, amount, prices, said = told(CASE, "by_score")
    at = next(i for i, word in enumerate(said) if word.startswith("no room left"))
    for word in ("crowded out by the budget", "not needed for the wanted income at the least loss"):
        found = judged(ready, amount, prices, [*said[:at], word, *said[at + 1 :]])
        assert found[at] == "another reason by by_score"
