"""The page of a run: right, narrow, and the same each time."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from rich.console import Console, RenderableType

from allocator.records.run import LimitUse, Run
from allocator.records.scenario import Limit
from allocator.report.borrower import _charged
from allocator.report.explain import _missed
from allocator.report.limits import in_short, is_tight, limits_shown, own_first, state_of
from allocator.report.room import WIDTH
from allocator.report.table import result_page
from tests.store.runs import SUMS, made_run


def printed(page: RenderableType) -> str:
    console = Console(file=io.StringIO(), width=WIDTH, highlight=False)
    console.print(page, markup=False)
    file = console.file
    assert isinstance(file, io.StringIO)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines())


def shown(run: Run) -> str:
    return printed(result_page(run, Path("runs/made-up")))


def with_limits(run: Run, *limits: Mapping[str, Any]) -> Run:
    return replace(run, summary={**run.summary, "limits": [run.summary["limits"][0], *limits]})


def limit(name: str, used: float, bound: float, **more: Any) -> dict[str, Any]:
    slack = bound - used
    return {
        "name": name, "measure": "offered", "sense": "at_most", "used": used, "bound": bound,
        "slack": slack, "price": 0.0, "binding": slack == 0,
        "broken": more.get("slack", slack) < 0, **more,
    }  # fmt: skip


def test_the_page_of_a_run() -> None:
    assert (
        shown(made_run(300))
        == """\
made up: optimal, bound proved by prices
objective -25,161.03 CNY, bound -25,161.03, gap 4e-12
225 of 300 borrowers funded, 131,956.49 CNY offered, 64,703.80 expected to be drawn

By grade, amounts in CNY
grade  asked  funded   rate  offered    value   drawn  interest   loss  funding  churn   other
──────────────────────────────────────────────────────────────────────────────────────────────
A        150     150  4.65%   88,787  -16,900  42,851     4,784  4,765    4,430  4,555   7,934
B        150      75  4.65%   43,169   -8,261  21,853     2,220  1,840    2,114  2,043   4,484
──────────────────────────────────────────────────────────────────────────────────────────────
total    300     225  4.65%  131,956  -25,161  64,704     7,004  6,605    6,544  6,599  12,418

Limits, amounts in CNY; shadow price: what one more CNY of bound adds
limit                 used              bound   slack  shadow price
────────────────────────────────────────────────────────────────────────────
budget           1,000,000  at most 1,000,000       0          0.01  binding
A line             600,000    at most 630,000  30,000
sectors[retail]     -2,000          at most 0   2,000

75 of 300 borrowers declined
75  grade is not lent to

Written to runs/made-up"""
    )


def test_no_column_for_costs_that_are_not_there() -> None:
    run = made_run()
    plain = {
        grade: {**figures, "processing_cost": 0.0, "relationship_cost": 0.0}
        for grade, figures in run.summary["by_grade"].items()
    }
    assert "other" not in shown(replace(run, summary={**run.summary, "by_grade": plain}))


@pytest.mark.parametrize("scale", [1.0, 1e4, 1e7, 1e10])
def test_the_page_keeps_its_width_and_no_figure_is_cut(scale: float) -> None:
    run = made_run(300)
    money = {*SUMS, "offered", "drawn", "value"}
    grown = {
        grade: {key: value * (scale if key in money else 1) for key, value in figures.items()}
        | {"borrowers": 5_000_000, "funded": 1_000_000}
        for grade, figures in run.summary["by_grade"].items()
    }
    page = shown(replace(run, summary={**run.summary, "by_grade": grown}))
    assert max(map(len, page.splitlines())) <= WIDTH
    assert "…" not in page


def test_many_grades_are_cut_and_counted_in_the_total() -> None:
    run = made_run()
    figures = run.summary["by_grade"]["A"]
    grades = {f"grade number {number}": figures for number in range(33)}
    page = shown(replace(run, summary={**run.summary, "by_grade": grades}))
    assert "the total includes 13 more grades" in page
    assert re.search(rf"^total +{33 * figures['borrowers']} ", page, re.MULTILINE)


@pytest.mark.parametrize(
    ("price", "other", "why"),
    [
        (0.0, limit("line", 5.0, 9.0), "no further offer earns its cost"),
        (0.0, limit("line", 9.0, 9.0, price=0.1), "the other limits bind first"),
        (0.0, limit("line", 8.9, 9.0, price=0.1), "the other limits bind first"),
        (0.02, limit("line", 9.0, 9.0, price=0.1), "nothing more was found that fits"),
    ],
)
def test_money_left_is_explained(price: float, other: dict[str, Any], why: str) -> None:
    run = with_limits(made_run(budget_unspent=1_234.5), other)
    budget = {**run.summary["limits"][0], "price": price}
    run = replace(run, summary={**run.summary, "limits": [budget, other]})
    assert f"\n\n1,234.50 of 1,000,000.00 CNY left unspent: {why}.\n" in shown(run)


def test_money_spent_needs_no_word() -> None:
    assert "unspent" not in shown(made_run(budget_unspent=0.001))


def test_a_bound_of_the_search_is_told_beside_the_one_that_can_be_rechecked() -> None:
    page = shown(made_run(proof="solver", certified_bound=123.0, certified_gap=0.5))
    assert "bound proved by the solver's search" in page
    assert "bound that verify rechecks without a solver: 123.00, gap 50.00%" in page


def test_binding_limits_come_first_then_the_nearest() -> None:
    far, near, binding = limit("far", 1.0, 9e5), limit("near", 8.9e5, 9e5), limit("bound", 7e5, 7e5)
    lines = shown(with_limits(made_run(), far, near, binding)).splitlines()
    first = next(at for at, line in enumerate(lines) if line.startswith("budget"))
    assert [line.split()[0] for line in lines[first : first + 4]] == ["budget", "bound", "near", "far"]


def test_of_many_limits_the_nearest_are_shown_and_the_others_counted() -> None:
    page = shown(with_limits(made_run(), *(limit(f"each[{i}]", float(i), 1e6) for i in range(40))))
    assert "each[39]" in page
    assert "each[28]" not in page
    assert "and 29 more limits, none above 0% of its bound" in page


def test_shares_of_what_is_lent_are_shown_as_shares() -> None:
    run = with_limits(made_run(), limit("loss rate", 400.0, 600.0), limit("sectors[a]", 0.0, 0.0))
    limits = (
        Limit("loss rate", "expected_loss", "at_most", 0.012, of="drawn"),
        Limit("sectors", "offered", "at_most", 0.2, of="total", each="sector"),
    )
    run = replace(run, scenario=replace(run.scenario, policy=replace(run.scenario.policy, limits=limits)))
    lines = [line.split() for line in shown(run).splitlines()]
    assert ["loss", "rate", "0.80%", "at", "most", "1.20%", "of", "drawn", "200"] in lines
    assert ["sectors[a]", "at", "most", "20.00%", "of", "total", "0", "binding"] in lines


def test_a_share_says_what_a_percentage_point_adds_over_all_rows_of_an_each() -> None:
    """40 % of a million at -0.03125 a unit: a point is 10,000 units, -312.50."""
    run = with_limits(
        made_run(),
        limit("home", 400_000.0, 400_000.0, sense="at_least", price=-0.03125),
        limit("sectors[a]", 200_000.0, 200_000.0, price=0.5),
        limit("sectors[b]", 200_000.0, 200_000.0, price=0.25),
        limit("money", 600.0, 600.0, price=0.1),
        limit("nothing", 0.0, 0.0, price=0.1),
    )
    limits = (
        Limit("home", "offered", "at_least", 0.4, of="total"),
        Limit("sectors", "offered", "at_most", 0.2, of="budget", each="sector"),
        Limit("money", "offered", "at_most", 600.0),
        Limit("nothing", "offered", "at_most", 0.0, of="total"),
    )
    policy = replace(run.scenario.policy, limits=limits)
    page = shown(replace(run, scenario=replace(run.scenario, policy=policy)))
    assert "A percentage point more of bound adds, in CNY: home -312.5, sectors 7,500" in page.splitlines()


def test_a_broken_limit_and_a_count_of_loans() -> None:
    run = with_limits(
        made_run(),
        limit("line", 9.0, 5.0),
        limit("book", 3.0, 9.0, measure="loans", sense="at_least", slack=-6.0),
    )
    lines = [line.split() for line in shown(run).splitlines()]
    assert ["line", "9", "at", "most", "5", "-4", "broken"] in lines
    assert ["book", "3", "at", "least", "9", "-6", "broken"] in lines


def test_reasons_are_counted_the_commonest_first() -> None:
    run = made_run(100)
    reasons = [f"reason {place % 13}" if place % 4 == 3 else "" for place in range(100)]
    page = shown(replace(run, allocation=run.allocation.assign(reason=pd.Categorical(reasons))))
    table = page.partition("25 of 100 borrowers declined\n")[2].splitlines()[:11]
    counts = [int(line.split()[0]) for line in table]
    assert sum(counts) == 25
    assert counts[:10] == sorted(counts[:10], reverse=True)
    assert "further reasons" in table[-1]


def test_nobody_declined_needs_no_word() -> None:
    run = made_run(3)
    assert "declined" not in shown(run)


def test_names_that_look_like_markup_stay_as_they_are() -> None:
    page = shown(with_limits(made_run(name="[red]x[/red]"), limit("each[bold]", 1.0, 2.0)))
    assert "[red]x[/red]: optimal" in page
    assert "each[bold]" in page


@pytest.mark.parametrize("own", [1, 5, 30])
def test_a_limit_that_stands_for_itself_is_never_hidden_behind_the_rows_of_an_each(own: int) -> None:
    rows = [limit(f"each[{i}]", 1e6 - i, 1e6) for i in range(60)]
    far = [limit(f"own {i}", 0.0, 1e6) for i in range(own)]
    page = shown(with_limits(made_run(), *rows, *far))
    assert all(f"own {i} " in page for i in range(own))
    others = max(12 - 1 - own, 1)  # that which binds
    assert sum(line.startswith("each[") for line in page.splitlines()) == others
    assert f"and {60 - others} more limits, none above " in page
    names = ["each[a]", "own", "each[b]", "other", "each[c]"]
    assert limits_shown(names, names, "limits", 3) == (["each[a]", "own", "other"], ["and 2 more limits"])
    assert own_first(names) == ["own", "other", "each[a]", "each[b]", "each[c]"]


def test_an_explanation_names_limits_that_are_missed() -> None:
    """A line for those that cost, one for those that are only reported."""
    kinds = {"cap": 0.004, "floor": 0.0, "kept": 0.0}
    uses = [LimitUse(name, "drawn", "at_most", 3.0, 2.0, 0.0, 0.0, penalty=kinds[name], missed=1.0)
            for name in ("cap", "floor")]  # fmt: skip
    uses.append(LimitUse("kept", "drawn", "at_most", 1.0, 2.0, 0.0, 0.0, penalty=0.0))
    book: Any = SimpleNamespace(ledger=SimpleNamespace(limits=[SimpleNamespace(use=use) for use in uses]))
    assert _missed(book) == ["missed, soft: cap", "missed, reported only: floor"]


def test_a_limit_whose_condition_does_not_arise_is_not_in_force() -> None:
    """Whatever it is used by; where it has none it is kept or missed."""
    idle = LimitUse(
        "strong", "offered", "at_least", 1.0, 2.0, 0.0, 0.0, excess=1.0, penalty=0.0, in_force=False
    )
    watched = replace(idle, missed=1.0, in_force=True)
    told = [{"broken": False, "binding": use.binding, **use.figures} for use in (idle, watched)]
    assert [state_of(use) for use in told] == ["not in force", "missed, reported"]
    assert [is_tight(use) for use in told] == [False, True]


def test_many_rows_of_one_each_charge_a_borrower_in_two_lines() -> None:
    """The row that charges most, and the others as a sum; few are listed one by one."""
    few = {"budget": 5.0, "regions[east]": 1.0, "regions[west]": -0.5, "cap": 0.0}
    assert list(_charged(few)) == [("charge of the budget", 5.0), ("charge of regions[east]", 1.0),
                                   ("charge of regions[west]", -0.5)]  # fmt: skip
    many = {f"sectors[{at}]": -1.0 for at in range(5)} | {"sectors[own]": 4.0}
    assert list(_charged(many)) == [
        ("charge of sectors[own]", 4.0),
        ("charge of 5 other rows of sectors", -5.0),
    ]


def test_rows_of_one_each_are_told_as_one_in_a_message() -> None:
    rows = ", ".join(f"'single[{at}]'" for at in range(40))
    said = f"no allocation exists: 'earnings [severe]', {rows} and 'index' cannot all be met together"
    told = "'earnings [severe]', single (40 of them) and 'index'"
    assert in_short(said) == f"no allocation exists: {told} cannot all be met together"
    assert in_short("dropping 'a' or 'b' alone") == "dropping 'a' or 'b' alone"
