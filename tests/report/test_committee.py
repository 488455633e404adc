"""The parts of the committee's page: figures and their places, markup, ladders, how much is solved."""

from __future__ import annotations

import math
from typing import Any

import pytest

from allocator.insight.dossier import HUGE, LARGE, ReportEffort
from allocator.records.reasons import BY_THE_STEP
from allocator.report.committee.blocks import Code, Report, Strong, Table, joined, typed, words
from allocator.report.committee.budget import steps_of
from allocator.report.committee.decisions import declined_section
from allocator.report.committee.distilled import distilled_sections
from allocator.report.committee.figure import Documents, pointer
from allocator.report.committee.front import _left_out, _more, front
from allocator.report.committee.levers import change_in_words, levers_section
from allocator.report.committee.limits import _shown
from allocator.report.committee.markdown import markdown_of
from allocator.report.committee.proof import best_possible, seal
from allocator.report.committee.rules import rules_section
from allocator.report.committee.stress import breaks, broken_in, how_far, named, of_cuts
from allocator.report.conditions import as_told, in_brief
from allocator.report.drawing.units import headed, unit_of
from allocator.report.drawing.usual import SlopeStep
from allocator.report.limits import (
    by_entry,
    fullest_of,
    fullness,
    limit_in_words,
    limits_table,
    part_of,
)
from allocator.report.markup import Markup, escaped, tag
from allocator.report.money import Unit
from allocator.report.pictures.parts import gauge
from tests.builders import limit
from tests.report.page import Read, at, reads_as
from tests.report.test_table import printed


def documents(**parts: object) -> Documents:
    return Documents(parts, "EUR")


@pytest.mark.parametrize(
    ("amount", "told"),
    [
        (0.0, "0"),
        (7.4, "7"),
        (999.4, "999"),
        (1_234.0, "1.23 k"),
        (27_856.0, "27.9 k"),
        (-392_658.4, "\u2212393 k"),
        (2_785_643.46, "2.79 m"),
        (1e8, "100 m"),
        (3e11, "300 bn"),
        (2.5e15, "2,500 t"),
    ],
)
def test_money_in_a_sentence_has_three_figures(amount: float, told: str) -> None:
    figure = documents(a={"b": amount}).money("a", "b")
    assert figure.text == told
    assert reads_as(Read(figure.text, figure.value, pointer(figure.place), ""))


@pytest.mark.parametrize(
    ("high", "told"), [(18_224.0, ""), (18_229.0, ""), (18_260.0, "at least "), (None, "at least ")]
)
def test_an_added_value_says_at_least_where_its_ends_read_apart(high: float | None, told: str) -> None:
    assert documents(costs=[{"low": 18_224.0, "high": high}]).least("costs", 0) == told


def test_a_figure_names_its_place_and_what_it_is_divided_by() -> None:
    docs = documents(summary={"by/grade": {"A~": {"loss": 3.0}}, "drawn": 400.0})
    figure = docs.percent(("summary", "by/grade", "A~", "loss"), ("summary", "drawn"))
    assert (figure.text, figure.value) == ("0.75%", 0.0075)
    assert pointer(figure.place) == "/summary/by~1grade/A~0/loss"
    assert at(docs.parts, pointer(figure.place)) == 3.0
    assert docs.percent(("summary", "drawn"), ("summary", "by/grade", "A~", "loss")).value == 400 / 3
    small = documents(a=6.8e-6).percent(("a",))
    assert (small.text, reads_as(Read(small.text, small.value, "/a", ""))) == ("0.00068%", True)
    nothing = documents(a=1.0, b=0.0).percent(("a",), ("b",))
    assert (nothing.text, nothing.value) == ("0.00%", 0.0)


def test_costs_are_written_as_what_they_take_away() -> None:
    docs = documents(cost=392_658.4, gain=-5.0, none=0.0)
    unit = unit_of([2e6])
    assert docs.bare(("cost",), unit, negative=True).text == "\u22120.39"
    assert docs.bare(("none",), unit, negative=True).text == "0.00"
    assert docs.percent(("gain",), negative=True).text == "500.00%"
    assert docs.exact("gain").text == "\u22125.00"
    assert docs.money("gain", absolute=True).text == "5"


def test_what_is_not_known_is_no_number() -> None:
    docs = documents(a=None, b=math.inf, c={0.01: 1.0})
    assert math.isnan(docs.exact("a").value)
    assert docs.at("b") is None
    assert [*docs.places("c")] == [("c", "0.01")]


@pytest.mark.parametrize(
    ("amounts", "heading"),
    [([], "x"), ([900.0], "x"), ([1_000.0, 5.0], "x,\u00a0k"), ([-3e6], "x,\u00a0m"), ([2e9], "x,\u00a0bn")],
)
def test_a_column_has_one_unit(amounts: list[float], heading: str) -> None:
    assert headed("x", unit_of(amounts)) == heading


def test_markup_escapes_all_but_markup() -> None:
    inner = tag("b", 'a < b & "c"')
    assert inner == "<b>a &lt; b &amp; &quot;c&quot;</b>"
    assert tag("p", inner, title='"><script>') == (
        '<p title="&quot;&gt;&lt;script&gt;"><b>a &lt; b &amp; &quot;c&quot;</b></p>'
    )
    assert tag("td", "x", class_=None, data_h="h") == '<td data-h="h">x</td>'
    assert tag("rect", width=1 / 3) == '<rect width="0.333333"/>'
    assert escaped("\x00\u202e") == "\\x00\\u202e"
    assert escaped(Markup("<i>")) == "<i>"


def test_a_ladder_is_exact_around_its_points_and_open_between() -> None:
    def point(
        budget: float, slope: float | None, start: float | None, end: float | None
    ) -> dict[str, object]:
        return {"at": {"budget": budget}, "slopes": {"budget": slope}, "stands_from": start, "stands_to": end}

    points = [
        point(10.0, 0.3, 5.0, 12.0),
        {"at": {"budget": 20.0}, "status": "infeasible"},
        point(30.0, 0.1, 28.0, 90.0),
    ]
    steps = steps_of(documents(frontier={"points": points}))
    assert steps == [
        SlopeStep(10.0, 12.0, 0.3, 0.3, exact=True),
        SlopeStep(12.0, 28.0, 0.1, 0.3, exact=False),
        SlopeStep(28.0, 30.0, 0.1, 0.1, exact=True),
    ]


def test_sentences_are_put_together() -> None:
    assert joined(["a", "b", Strong("c")]) == ("a", ", ", "b", " and ", Strong("c"))
    assert typed("run `x` now") == ("run ", Code("x"), " now")
    assert [named(names) for names in (["a"], ["a", "b"], ["a", "b", "c", "d", "e"])] == [
        "a",
        "a and b",
        "a, b, c and 2 more",
    ]


def test_rows_of_one_each_are_told_as_one_where_they_are_many() -> None:
    rows = [f"sectors[{name}]" for name in "abc"]
    assert by_entry(["loss", *rows, "regions[x]", "regions[y]"]) == [
        "loss", "sectors (3 of them)", "regions[x]", "regions[y]"
    ]  # fmt: skip
    assert named([*rows, "loss"]) == "sectors (3 of them) and loss"


def test_only_what_leaves_no_room_is_full() -> None:
    assert [fullness(part) for part in (0.994, 0.995, 0.99996, 1.0)] == ["99%", "99.50%", "100.00%", "100%"]
    assert fullness(0.9999999, tight=True) == "100%"
    uses = [use("a", 5.0), use("b", 9.96), use("c", 10.0, binding=True)]
    assert fullest_of(uses[:2]) == "none above 99.60% of its bound"
    assert fullest_of(uses) == "1 of them without room, of the rest none above 99.60% of its bound"
    assert fullest_of(uses[2:]) == "1 of them without room"


def test_a_picture_tells_no_share_of_nothing() -> None:
    uses = [use("clients", 15.0, missed=True) | {"bound": 0.0}, use("floor", 1.0) | {"sense": "at_least"}]
    drawn = gauge(uses)
    assert [row.lines[0].figure for row in drawn.rows] == ["15 of 0", "1000%"]
    told = [
        "of a floor: what it asks for, as a share of what is there",
        "a bar with a gap near its end goes on",
    ]
    assert drawn.more == "; ".join(told)


def test_a_column_at_most_stands_only_where_it_reads_otherwise() -> None:
    def columns(high: float) -> list[str]:
        lever = {"name": "churn", "change": "-1%", "low": 86_231.0, "high": high}
        table = levers_section(documents(levers={"levers": [lever]})).blocks[0]
        assert isinstance(table, Table)
        return [column.heading for column in table.columns]

    assert columns(86_231.4)[-1] == ""  # the bar's
    assert columns(88_000.0)[-1] == "at most"


def test_a_count_is_written_without_what_comes_of_rounding() -> None:
    docs = documents(moves=[-1.0, 2.1e-7, -2.1e-7, 12_500.5])
    assert [docs.whole("moves", at).text for at in range(4)] == ["\N{MINUS SIGN}1", "0", "0", "12,500.5"]


def use(name: str, used: float, *, binding: bool = False, **more: object) -> dict[str, object]:
    """A limit of at most 10, as summary.json has it."""
    return {"name": name, "sense": "at_most", "measure": "offered", "used": used, "bound": 10.0,
            "price": float(binding), "binding": binding, "broken": False, **more}  # fmt: skip


def test_the_front_says_what_is_not_kept_and_what_is_posted() -> None:
    limits = [
        use("budget", 10.0, binding=True),
        use("home", 12.0, enforce={"soft": 0.1}, missed=True),
        use("watched", 11.0, enforce="report", missed=True),
        use("kept", 1.0, enforce="report", missed=False),
    ]
    account = {"objective": 3.0, "offered": 10.0, "drawn": 9.0, "interest": 3.0, "expected_loss": 0.0}
    rest = dict.fromkeys(("funding_cost", "churn_cost", "processing_cost", "relationship_cost"), 0.0)
    docs = documents(
        summary={"funded": 1, "borrowers": 1, "status": "optimal", "limits": limits, "idle_income": 0.0,
                 "price_list": {"A": 0.07, "B": 0.0825}, **account, **rest},
        composition={"mean_rate": 0.07, "one_more": 1.0, "refusals": []},
        explain={"limits": limits, "costs": []},
        simulate={"years": 500, "net": {"quantiles": {"0.01": 1.0}}, "below_zero": {"value": 0.0}},
        stress={"stresses": []}, levers={"levers": []}, certificate={"value": 3.0, "bound": 3.0191},
    )  # fmt: skip
    said = markdown_of(Report("t", "s", (("seal",),), True, front(docs), (), (), (), ()))
    assert "Rates are posted: A 7.00%, B 8.25%. It is worth" in said
    assert "Not kept: home, at a price; watched, reported only. " in said
    assert "No allocation within the limits is worth over 0.02 EUR more." in said
    assert "none of 500 simulated years loses money" in said
    assert "- Accept what is not kept: home, at a price; watched, reported only." in said


def test_a_limit_under_another_stress_is_told_as_on_top_of_it() -> None:
    names = ["loss rate [severe]", "regions[north [a]]", "regions [mild][north]", "average PD"]
    docs = documents(stress={"stresses": [{"name": "severe", "frozen": {"broken": names}}]})
    assert broken_in(docs, ("stress", "stresses", 0)) == [
        "loss rate [severe]", "regions[north [a]]", "regions [mild][north]", "average PD"
    ]  # fmt: skip
    told = ["loss rate with severe on top", "regions: north [a]", "regions: north with mild on top"]
    assert [*map(limit_in_words, names)] == [*told, "average PD"]
    assert breaks(names[:2]) == f"breaks {told[0]} and {told[1]}"
    assert breaks([]) == "breaks none"


@pytest.mark.parametrize(
    ("budget", "told"),
    [
        (1e8, "; a million more brings 20.2 k"),
        (5e7, "; a million more brings at most 20.5 k; a budget of 1% more (a EUR to b) brings 20.2 k"),
        (1e7, "; a budget of 1% more (a EUR to b) brings 20.2 k"),
    ],
)
def test_a_million_that_was_solved_is_told_once(budget: float, told: str) -> None:
    lever = {"name": "budget", "change": "a to b", "solved": True, "low": 20_210.0, "high": 20_210.0}
    docs = documents(
        summary={"status": "optimal", "limits": [{"bound": budget}]},
        composition={"one_more": 0.0205},
        levers={"levers": [{"name": "limit a"}, lever]},
    )
    said = markdown_of(Report("t", "s", (("seal",),), True, (words(*_more(docs)),), (), (), (), ()))
    assert told in said.replace("**", "").replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("reasons", "told"),
    [
        (4, "; 1 c; 1 d. Declined by grade: B all 4."),
        (5, "; the others for 2 further reasons. Declined by grade: A 1 of 5, B all 4."),
    ],
)
def test_one_reason_more_is_named(reasons: int, told: str) -> None:
    refusals = [{"borrowers": 1, "reason": reason, "beside": 0, "grades": []} for reason in "abcde"[:reasons]]
    grades = {"A": {"borrowers": 5, "funded": 9 - reasons}, "B": {"borrowers": 4, "funded": 0}}
    summary = {"borrowers": 9, "funded": 9 - reasons, "by_grade": grades}
    docs = documents(composition={"refusals": refusals}, summary=summary)
    said = markdown_of(Report("t", "s", (("seal",),), True, (words(*_left_out(docs)),), (), (), (), ()))
    assert told in said


def test_a_cut_is_told_as_its_limit() -> None:
    names = ["tail[5]", "tail", "regions[south]", "loss rate [severe]", "loss rate", "tail[3]"]
    told = ["tail", "regions[south]", "loss rate [severe]", "loss rate"]
    assert of_cuts(names, set(names)) == told


def test_an_average_of_a_column_is_no_percentage() -> None:
    turnover = limit("turnover", "loans", "at_most", 5_000_000.0, of="loans", weight="turnover")
    assert part_of(turnover, 6) == "5,000,000 x loans"
    assert part_of(limit("pd", "drawn", "at_most", 0.026, of="drawn", weight="pd"), 6) == "2.6% of drawn"
    assert part_of(limit("big", "offered", "at_most", 8.0, of="own_funds"), 6) == "800% of own funds"
    used = {**use("turnover", 9_000_000.0), "bound": 10_000_000.0, "slack": 1_000_000.0}
    page = printed(limits_table([use("budget", 10.0, slack=0.0), used], [turnover], Unit(1, "EUR")))
    assert "4,500,000  at most 5,000,000 x loans" in page


def test_a_long_rule_counts_its_values() -> None:
    where: list[dict[str, Any]] = [
        {"column": "pd", "at_most": 0.05},
        {"column": "sector", "values": [*"abcd"]},
    ]
    assert in_brief("short", as_told(where), 10) == "short"
    assert in_brief("long" * 9, as_told(where), 10) == "PD up to 5% and sector one of 4"


def test_less_is_solved_of_a_large_book() -> None:
    efforts = [ReportEffort.of(size, quick=False) for size in (LARGE - 1, LARGE, HUGE)]
    assert [effort.levers for effort in efforts] == ["solved", "priced", "few"]
    assert [effort.budgets for effort in efforts] == [9, 3, 0]
    assert ReportEffort.of(10, quick=True) == efforts[1]
    assert ReportEffort.of(HUGE, quick=True) == efforts[2]


def test_the_bound_is_never_below_the_value_that_it_is_on() -> None:
    """What rows are exceeded by within their tolerance may be worth a cent."""
    summary = {"bound": 130.1}
    below, above = ({"value": value, "bound": 130.09} for value in (130.05, 130.1))
    assert best_possible(documents(summary=summary, certificate=below)) == ("certificate", "bound")
    assert best_possible(documents(summary=summary, certificate=above)) == ("summary", "bound")


@pytest.mark.parametrize(
    ("price", "told"),
    [(0.01065, "0.01065"), (4.046e-05, "0.00004046"), (3e-13, "3e-13"), (-284.8, "\u2212284.8")],
)
def test_a_small_price_is_written_in_full(price: float, told: str) -> None:
    assert documents(limit={"price": price}).price("limit", "price").text == told


def test_who_is_left_out_is_told_by_grade() -> None:
    grades = {"A": {"borrowers": 66, "funded": 57}, "B": {"borrowers": 5, "funded": 5},
              "C": {"borrowers": 84, "funded": 0}}  # fmt: skip
    reasons = [
        {
            "reason": "crowded out by the budget",
            "borrowers": 93,
            "requested": 1.0,
            "beside": 3,
            "grades": ["A"],
        },
        {"reason": "no rates for this grade", "borrowers": 2, "requested": 1.0, "beside": 0, "grades": ["C"]},
        {"reason": BY_THE_STEP, "borrowers": 2, "requested": 1.0, "beside": 0, "grades": ["A"]},
    ]
    docs = documents(summary={"by_grade": grades}, composition={"refusals": reasons})
    section = declined_section(docs)
    said = markdown_of(Report("t", "s", (("seal",),), True, section.blocks, (), (), (), ()))
    assert "Declined by grade: A 9 of 66, C all 84." in said
    assert "since they earn what that one charges: 3 of the 93 crowded out by the budget." in said
    assert "of grade C, for which the policy sets no rates" in said
    assert "that no longer fit as whole loans" in said


@pytest.mark.parametrize(
    ("summary", "told"),
    [
        ({}, "None was tried on a book of this size."),
        ({"price_list": {"A": 0.07}}, "this policy posts rates."),
    ],
)
def test_why_no_rule_was_tried(summary: dict[str, object], told: str) -> None:
    section = rules_section(documents(summary=summary, certificate={"bound": 1e6}))
    page = markdown_of(Report("t", "s", (("seal",),), True, (), (), (section,), (), ()))
    assert told in page


def test_a_broken_limit_says_how_full_it_is() -> None:
    frozen = {
        "limits": [{"name": "capital", "used": 2.5, "bound": 2.0}, {"name": "none", "used": 1, "bound": 0}]
    }
    docs = documents(stress={"stresses": [{"frozen": frozen}]})
    told = how_far(docs, ("stress", "stresses", 0, "frozen"), ["capital", "none", "elsewhere"])
    said = "".join(getattr(part, "text", part) for part in told)
    assert said == "capital (at 125.00% of its bound), none and elsewhere"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("-1% of itself", "down by 1% of itself"),
        ("+1% of itself", "up by 1% of itself"),
        ("100,000,000 to 101,000,000", "100 m to 101 m"),
        ("4.4% to 4.444%", "4.4% to 4.444%"),
    ],
)
def test_a_lever_says_its_way_in_words(change: str, told: str) -> None:
    assert change_in_words(change).replace("\N{NO-BREAK SPACE}", " ") == told


def test_limits_without_room_are_all_shown_and_then_those_that_stand_for_themselves() -> None:
    rows = [use(f"sectors[{at}]", 10.0, binding=True) for at in range(14)]
    rows += [use(f"regions[{at}]", 9.0) for at in range(5)] + [use("loss rate", 4.0)]
    docs = documents(explain={"limits": rows}, summary={"limits": rows})
    shown, others = _shown(docs, 10)
    assert [docs.at(*place, "name") for place in shown] == [
        *(f"sectors[{at}]" for at in range(14)), "loss rate"
    ]  # fmt: skip
    assert len(others) == 5


def test_without_rules_the_page_says_why() -> None:
    (section,) = distilled_sections(documents(), "None were sought for a book this large.")
    assert section.blocks == (words("None were sought for a book this large."),)


def test_the_seal_says_how_far_value_and_bound_are_apart() -> None:
    def verdict(bound: float, value: float = 100.0) -> str:
        docs = documents(summary={"status": "optimal"}, certificate={"value": value, "bound": bound})
        return str(seal(docs)[0][0])

    assert verdict(100.0) == "Certified: the best there is"
    assert verdict(100.006, 100.004) == "Certified: the best there is to within 0.01 EUR"
    assert verdict(100.37) == "Certified: the best there is to within 0.37 EUR"
