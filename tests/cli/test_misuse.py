"""What is wrong with options: all of it at once, and with what is wrong with the files that they name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Allocator


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["fit", "logit"], ["argument 'DATA'", "option '--variables'", "option '--outcome'"]),
        (
            ["solve", "a", "--outt", "x", "--tmie", "--gap"],
            ["no such option: --outt", "no such option: --tmie", "no such option: --gap"],
        ),
        (
            ["synth", "--borrowers", "many", "--seed", "x", "surplus"],
            ["'--borrowers'", "'--seed'", "unexpected extra argument(s) (surplus)", "'--out'"],
        ),
    ],
)
def test_every_option_that_is_misused_is_told_at_once(
    allocator: Allocator, arguments: list[str], told: list[str]
) -> None:
    faults = allocator(*arguments, "--json").json["error"]["faults"]
    assert len(faults) == len(told)
    assert all(any(words in fault["problem"] for fault in faults) for words in told)


READING = {
    "score": "score no.csv --scorecard no.json --lgd 3 --reasons -1",
    "recalibrate": "recalibrate no.json --on no.csv --why w --to 4 --margin -1",
    "backtest": "backtest no.yaml --outcome d --folds 1 --seed -1",
    "logit": "fit logit no.csv --variables no.json --outcome d --folds 1 --penalty heavy",
    "rating": "fit rating no.csv --rules no.json --default d --owed o --lost l --folds 1 --repeats 0",
    "lgd": "fit lgd no.csv --variables no.json --default d --owed o --lost l --folds 1 --seed x",
    "grade": "fit grade --purchases no.csv --sales no.csv --ratings no.csv --folds 1 --method guess",
    "ahp": "fit ahp no.json --method guess",
    "churn": "fit churn no.csv --shape round",
}


@pytest.mark.parametrize("call", READING.values(), ids=READING)
def test_values_that_cannot_be_read_are_told_with_the_faults_of_files(
    allocator: Allocator, call: str
) -> None:
    ended = allocator(*call.split(), "--json")
    problems = [fault["problem"] for fault in ended.json["error"]["faults"]]
    assert ended.status == 2
    assert any("invalid value" in problem for problem in problems)
    assert any("does not exist" in problem for problem in problems)


def test_an_order_of_a_backtest_is_judged_as_a_whole(allocator: Allocator) -> None:
    call = "backtest no.yaml --outcome d --lost l --period p --seed 1 --strategies a,,b --budget-share x"
    fields = {fault["field"] for fault in allocator(*call.split(), "--json").json["error"]["faults"]}
    assert {"--lost, --owed", "--seed", "--strategies", "--budget-share"} <= fields


def test_a_scorecard_that_cannot_be_read_hides_no_fault_of_the_loans(
    allocator: Allocator, case: Path
) -> None:
    Path("loans.csv").write_text("x,bad,w\n1,0,-1\n2,3,1\n")
    call = "validate loans.csv --scorecard no.json --outcome bad --weights w --by year"
    problems = [fault["problem"] for fault in allocator(*call.split(), "--json").json["error"]["faults"]]
    assert problems == [
        "the file does not exist", "3 is no outcome", "the column is missing", "is not above 0",
    ]  # fmt: skip
