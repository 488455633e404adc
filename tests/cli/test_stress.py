"""`allocator stress`: the page, the JSON, the picture; what is refused, and how."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Allocator
from tests.cli.test_malformed import content, edit

SHOCK = "sector,pd,lgd\nretail,2,1.1\nfood,1.5,1\nsteel,1.2,1\n"
STRESSES = """\
stresses:
  dear: {funding: {add: 2%}}
  tight: {limits: {where: [{name: A line, factor: 0.2}]}, rates: {all: 0.9}}
solver:"""


def test_a_page_of_the_built_in_stresses(case: Path, allocator: Allocator) -> None:
    outcome = allocator("stress", "scenario.yaml")
    assert (outcome.status, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert lines[0] == "small: 3 cases"
    assert [re.split(r"\s+", line)[0] for line in lines if re.match(r"(base|mild|severe)  ", line)] == [
        "base", "mild", "severe", "mild", "severe"
    ]  # fmt: skip
    assert "severe  PD x 2.5; LGD x 1.25; requests x 0.8; churn x 1.25; funding + 1.50%" in outcome.out
    assert max(map(len, lines)) <= 100


def test_the_scenarios_own_stresses_and_a_file_as_json(case: Path, allocator: Allocator) -> None:
    edit("scenario.yaml", "solver:", STRESSES)(case)
    content("shock.csv", SHOCK.encode())(case)
    found = allocator("stress", "scenario.yaml", "--shock", "shock.csv", "--json").json
    base, dear, tight, shock = found["stresses"]
    assert [one["name"] for one in found["stresses"]] == ["base", "dear", "tight", "shock"]
    assert dear["factors"] == {"funding": {"all": 1.0, "add": 0.02}}
    assert dear["frozen"]["funding_cost"] == pytest.approx(0.02 * base["frozen"]["drawn"])
    assert tight["frozen"]["broken"] == ["A line"]
    assert tight["reoptimised"]["broken"] == []
    assert shock["frozen"]["expected_loss"] > base["frozen"]["expected_loss"]
    for one in found["stresses"]:
        assert one["hindsight"] == pytest.approx(one["reoptimised"]["value"] - one["frozen"]["value"])
        assert one["reoptimised"]["gap"] <= 1e-9
    assert (
        base["frozen"]["value"]
        == allocator("solve", "scenario.yaml", "--out", "run", "--json").json["objective"]
    )


def test_under_another_strategy_it_is_said_who_decides_anew(case: Path, allocator: Allocator) -> None:
    equal = ("scenario.yaml", "--set", "strategy=equal")
    page = allocator("stress", *equal).out
    assert page.startswith("small: 3 cases, strategy equal\n")
    assert "decided anew: by the strategy equal, as the base allocation was" in page
    assert "regret: decided anew less frozen" in page
    reverse = allocator("stress", *equal, "--reverse", "value=0").out
    for text in (page, reverse):
        assert "optimised" not in text
    assert "decided anew: crossed at" in reverse
    assert allocator("stress", *equal, "--json").json["strategy"] == "equal"
    assert "decided anew" not in allocator("stress", "scenario.yaml").out


def test_conditions_are_said_in_words(case: Path, allocator: Allocator) -> None:
    stresses = """\
stresses:
  some:
    pd:
      all: 1.1
      where:
        - {pd: {above: 0.5%, at_most: 2%}, sector: [food, steel], factor: 2}
        - {max_amount: {below: 5e5}, factor: 1.5}
    limits: {where: [{name: budget, factor: 0.8}]}
    funding: {add: 1%}
solver:"""
    edit("scenario.yaml", "solver:", stresses)(case)
    page = " ".join(allocator("stress", "scenario.yaml").out.split())
    assert (
        "PD x 1.1, x 2 for PD above 0.5% up to 2% and sector food or steel, x 1.5 for request below "
        "500,000; funding + 1.00%; limits x 0.8 for budget" in page
    )


IDLE = """\
stresses:
  it: {pd: {where: [{sector: retial, factor: 2}]}, churn: {where: [{grade: Z, factor: 2}]}}
  severe: {pd: {all: 2}}
solver:"""


def test_cases_about_nobody_are_noted_on_every_page(case: Path, allocator: Allocator) -> None:
    edit("scenario.yaml", "solver:", IDLE)(case)
    notes = [
        "stresses.it: a case of stress.pd changes nothing: no borrower passes {sector: retial}",
        "stresses.it: a case of stress.churn changes nothing: no borrower passes {grade: Z}",
    ]
    reverse = ("--reverse", "value=90_000", "--along")
    for further in ((), (*reverse, "it")):
        assert allocator("stress", "scenario.yaml", *further).out.endswith(
            f"\n\nnote: {notes[0]}\nnote: {notes[1]}\n"
        )
        assert allocator("stress", "scenario.yaml", *further, "--json").json["notes"] == notes
    for further in (("--only", "severe"), (*reverse, "severe")):
        assert "note:" not in allocator("stress", "scenario.yaml", *further).out
        assert allocator("stress", "scenario.yaml", *further, "--json").json["notes"] == []


def test_there_is_no_gap_where_nothing_meets_the_limits(case: Path, allocator: Allocator) -> None:
    stresses = "stresses: {half: {amount: {all: 0.5}}}\nsolver:"
    edit("scenario.yaml", "solver:", stresses)(case)
    floor = ("scenario.yaml", "--set", "policy.budget.spend=exactly")
    world = allocator("stress", *floor, "--json").json["stresses"][1]
    assert world["reoptimised"] is None
    assert (world["frozen"]["bound"], world["frozen"]["gap"]) == (None, None)
    page = allocator("stress", *floor).out
    [row] = [line.split() for line in page.splitlines() if re.match("half .*,", line)]
    assert row[3:] == ["1", "none"]  # limits broken, and no gap before them
    page = " ".join(allocator("stress", *floor, "--reverse", "value=-1").out.split())
    assert re.search(r"re-optimised: undecided from 0\.\d+ times the stress: no allocation exists: ", page)


def test_a_bound_is_asked_of_the_world_alone(case: Path, allocator: Allocator) -> None:
    arguments = ("stress", "scenario.yaml", "--reverse", "bound=10_000")
    page = allocator(*arguments).out
    assert "a bound belongs to the stressed case, not to an allocation: re-optimised only" in page
    assert "never" not in page
    assert [one["kind"] for one in allocator(*arguments, "--json").json["reverse"]] == ["reoptimised"]


def test_both_sides_of_a_line_are_told_apart(case: Path, allocator: Allocator) -> None:
    small = ("--set", "policy.budget.amount=100_000", "--set", "policy.ticket.min=10_000")
    arguments = ("stress", "scenario.yaml", "--reverse", "value=1000", *small)
    page, found = allocator(*arguments).out, allocator(*arguments, "--json").json["reverse"]
    rows = [line.split() for line in page.splitlines() if re.match(r"(frozen|re-optimised) +\d", line)]
    assert len(rows) == len(found) == 2
    for row, one in zip(rows, found, strict=True):
        before, after = (float(cell.replace(",", "")) for cell in row[2:4])
        assert before > 1000 > after
        assert before == pytest.approx(one["before"]["quantity"], abs=0.05)


def test_a_line_is_shown_in_all_its_digits(case: Path, allocator: Allocator) -> None:
    page = allocator("stress", "scenario.yaml", "--reverse", "value=1_234_567.5").out
    assert "small: value = 1234567.5 along severe" in page


def test_a_gap_to_a_bound_of_nothing_is_an_amount(case: Path, allocator: Allocator) -> None:
    edit("scenario.yaml", "solver:", "stresses: {ruin: {pd: {all: 100}, lgd: {all: 3}}}\nsolver:")(case)
    page = allocator("stress", "scenario.yaml").out
    [row] = [line.split() for line in page.splitlines() if re.match("ruin .*,", line)][:1]
    frozen = allocator("stress", "scenario.yaml", "--json").json["stresses"][1]["frozen"]
    assert frozen["bound"] == pytest.approx(0.0, abs=1e-6)
    assert row[3] == f"{-frozen['value']:,.0f}"
    assert "gap without %: an amount, as the bound is next to nothing beside it" in page
    assert not re.search(r"-0(\.0+)?(?![\d.,])", page)


def test_one_world_is_one(case: Path, allocator: Allocator) -> None:
    page = allocator("stress", "scenario.yaml", "--only", "base").out
    assert page.startswith("small: 1 case\n")
    assert "what it does" not in page


def test_long_names_and_large_amounts_fit_the_page(case: Path, allocator: Allocator) -> None:
    name = "a stress that is told in a long name"
    edit("scenario.yaml", "solver:", f"stresses: {{{name}: {{pd: {{all: 2}}}}}}\nsolver:")(case)
    borrowers = (case / "borrowers.csv").read_text()
    (case / "borrowers.csv").write_text(re.sub(r"(\d{5,}),", r"\g<1>0000000,", borrowers))
    policy = ("--set", "policy.budget.amount=3e13", "--set", "policy.ticket.max=1e13")
    outcome = allocator("stress", "scenario.yaml", *policy)
    assert outcome.status == 0
    assert max(map(len, outcome.out.splitlines())) <= 100
    assert "…" not in outcome.out


def test_no_line_is_minus_nothing(case: Path, allocator: Allocator) -> None:
    page = allocator("stress", "scenario.yaml", "--reverse", "value=-0").out
    assert "small: value = 0 along severe" in page


def test_one_stress_alone(case: Path, allocator: Allocator) -> None:
    found = allocator("stress", "scenario.yaml", "--only", "mild", "--json").json
    assert [one["name"] for one in found["stresses"]] == ["base", "mild"]


@pytest.mark.parametrize("ending", ["html", "svg"])
def test_a_picture(case: Path, allocator: Allocator, ending: str) -> None:
    picture = f"stress.{ending}"
    assert allocator("stress", "scenario.yaml", "--plot", picture).status == 0
    text = (case / picture).read_text()
    assert "small: value under stress" in text
    assert "re-optimised" in text
    again = allocator("stress", "scenario.yaml", "--plot", picture)
    assert again.status == 2
    assert "a file of this name is there -> name another or give --force" in again.told
    arguments = ["--reverse", "loss_rate=1%", "--only", "severe", "--plot", picture, "--force"]
    assert allocator("stress", "scenario.yaml", *arguments).status == 0
    assert "loss rate along severe" in (case / picture).read_text()


def test_a_reverse_stress(case: Path, allocator: Allocator) -> None:
    outcome = allocator("stress", "scenario.yaml", "--reverse", "value=0", "--along", "severe")
    assert (outcome.status, outcome.err) == (0, "")
    assert "small: value = 0 along severe" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 100
    found = allocator("stress", "scenario.yaml", "--reverse", "value=0", "--json").json
    frozen, anew = found["reverse"]
    assert found["along"] == "severe"
    assert (frozen["kind"], anew["kind"]) == ("frozen", "reoptimised")
    assert frozen["before"]["quantity"] > 0 >= frozen["after"]["quantity"]
    assert frozen["after"]["scale"] - frozen["before"]["scale"] <= 1e-3 * frozen["scale"]
    assert frozen["factors"]["pd"]["all"] == pytest.approx(1 + frozen["scale"] * 1.5)


def test_the_best_in_the_worst_of_several(case: Path, allocator: Allocator) -> None:
    edit("scenario.yaml", "solver:", "stresses: {bad: {pd: {all: 4}}, lost: {lgd: {all: 1.5}}}\nsolver:")(
        case
    )
    arguments = ("stress", "scenario.yaml", "--worst-of", "base, bad,lost")
    outcome = allocator(*arguments)
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.startswith("small: worth ")
    assert max(map(len, outcome.out.splitlines())) <= 100
    found = allocator(*arguments, "--json").json
    assert [one["name"] for one in found["stresses"]] == ["base", "bad", "lost"]
    assert found["worst"] == min(one["value"] for one in found["stresses"]) <= found["bound"] * (1 + 1e-12)
    assert found["stresses"][1]["weight"] == 1.0
    entry = re.search(r'"(stress.worst_of=\[.*\])"', outcome.out.replace("\n", " "))
    assert entry is not None
    held = allocator("solve", "scenario.yaml", "--set", entry[1], "--out", "held", "--json").json
    assert (held["objective"], held["bound"]) == (found["worst"], found["bound"])
    assert {**held["worst_of"]["bad"], "name": "bad"} == found["stresses"][1]
    assert "the worst of base, bad, lost" in allocator("solve", "scenario.yaml", "--set", entry[1]).out
    assert allocator("verify", "held", "--exact").status == 0
    ledger = allocator("explain", "held", "--json").json
    assert ledger["value_of_lines"] == pytest.approx(ledger["value"], rel=1e-9)
    assert ledger["gap_of_lines"] == pytest.approx(ledger["bound_at_prices"] - ledger["value"], abs=1e-3)
    tried = allocator("stress", "held/scenario.yaml", "--json").json["stresses"]
    assert tried[0]["frozen"]["value"] == found["worst"]
    assert tried[1]["frozen"]["value"] == pytest.approx(found["stresses"][1]["value"], rel=1e-9)
    page = " ".join(allocator("stress", "held/scenario.yaml").out.split())
    assert " in the worst of base, bad, lost, at worst " in page
    assert "as expected" not in page
    refused = allocator(*arguments, "--only", "bad")
    assert refused.status == 2
    assert "does not go with --reverse, --shock, --only or --plot" in refused.told


CASES: dict[str, tuple[Callable[[Path], object], list[str], str]] = {
    "no scenario": (lambda case: (case / "scenario.yaml").unlink(), [], "the file does not exist"),
    "unknown figure": (
        edit("scenario.yaml", "solver:", "stresses: {x: {pds: {all: 2}}}\nsolver:"),
        [],
        "line 15, stresses.x.pds unknown key 'pds' -> did you mean pd?",
    ),
    "unknown limit": (
        edit(
            "scenario.yaml",
            "solver:",
            "stresses: {x: {limits: {where: [{name: B line, factor: 2}]}}}\nsolver:",
        ),
        [],
        "no limit is named 'B line' -> did you mean A line?",
    ),
    "unknown column": (
        edit(
            "scenario.yaml", "solver:", "stresses: {x: {pd: {where: [{region: north, factor: 2}]}}}\nsolver:"
        ),
        [],
        "region",
    ),
    "negative factor": (
        edit("scenario.yaml", "solver:", "stresses: {x: {lgd: {all: -2}}}\nsolver:"),
        [],
        "-2 is negative, expected 0 or more -> write a factor such as 1.4",
    ),
    "unknown name": (lambda case: None, ["--only", "mid"], "--only no stress is named 'mid'"),
    "shock missing": (lambda case: None, ["--shock", "no.csv"], "no.csv the file does not exist"),
    "shock of other things": (
        content("shock.csv", b"sector,size\nretail,2\n"),
        ["--shock", "shock.csv"],
        "shock.csv holds no factor",
    ),
    "a portfolio for a shock": (
        lambda case: None,
        ["--shock", "borrowers.csv"],
        "borrowers.csv, borrower_id the rows are single borrowers, as of a portfolio -> give factors by",
    ),
    "shock of some": (
        content("shock.csv", b"sector,pd\nretail,2\n"),
        ["--shock", "shock.csv"],
        "shock.csv, sector no factor for sector 'food', borrowers: 4",
    ),
    "shock of a bad figure": (
        content("shock.csv", b"sector,pd\nretail,2\nfood,-1\n"),
        ["--shock", "shock.csv"],
        "shock.csv, row 2, pd -1 is no factor -> write a number, 0 or more",
    ),
    "shock of a name that is taken": (
        content("mild.csv", SHOCK.encode()),
        ["--shock", "mild.csv"],
        "--shock a stress is named 'mild' already -> rename the file",
    ),
    "shock by a column that is not there": (
        content("shock.csv", b"branch,pd\nretail,2\n"),
        ["--shock", "shock.csv"],
        "branch",
    ),
    "shock that is no table": (
        content("shock.csv", b"\xff\xfe\x00"),
        ["--shock", "shock.csv"],
        "this is text in UTF-16",
    ),
    "no line": (lambda case: None, ["--reverse", "value"], "write QUANTITY=THRESHOLD"),
    "no quantity": (lambda case: None, ["--reverse", "profit=0"], "'profit' is no quantity"),
    "no such limit": (lambda case: None, ["--reverse", "limits[A lin]=1"], "did you mean limits[A line]?"),
    "no such way": (
        lambda case: None,
        ["--reverse", "value=0", "--along", "sever"],
        "--along no stress is named 'sever' -> the stresses are mild, severe",
    ),
    "no way named": (
        edit("scenario.yaml", "solver:", STRESSES),
        ["--reverse", "value=0"],
        "--reverse there is more than one stress -> name the stress to go along: --along NAME "
        "(one of dear, tight)",
    ),
    "no way left": (
        lambda case: None,
        ["--reverse", "value=0", "--only", "base"],
        "--reverse there is no stress beside base -> leave --only out",
    ),
    "a way of no name": (
        lambda case: None,
        ["--reverse", "value=0", "--along", ""],
        "--along no stress is named '' -> the stresses are mild, severe",
    ),
    "base for a stress": (
        edit("scenario.yaml", "solver:", "stresses: {base: {pd: {all: 2}}}\nsolver:"),
        [],
        "line 15, stresses.base base is the scenario as it stands -> choose another name",
    ),
    "a way to nowhere": (lambda case: None, ["--along", "severe"], "--along says nothing without --reverse"),
    "a picture of another kind": (
        lambda case: None,
        ["--plot", "x.jpg"],
        "let it end in .html or .svg or .png or .pdf",
    ),
    "a picture in no folder": (lambda case: None, ["--plot", "no/x.svg"], "its folder does not exist"),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_told_with_place_and_remedy(case: Path, allocator: Allocator, name: str) -> None:
    spoil, arguments, told = CASES[name]
    spoil(case)
    before = sorted(case.iterdir())
    outcome = allocator("stress", "scenario.yaml", *arguments)
    assert (outcome.status, outcome.out) == (2, "")
    assert told in outcome.told
    assert "->" in outcome.told
    assert "Traceback" not in outcome.err
    assert sorted(case.iterdir()) == before


def test_worlds_in_which_hardly_anything_is_worth_lending_are_certified(
    case: Path, allocator: Allocator
) -> None:
    """On the way to a value of 0 what is left of large sums is next to nothing."""
    options = ("--set", "stresses.severe.pd.all=2", "--reverse", "value=0")
    outcome = allocator("stress", "scenario.yaml", *options)
    assert outcome.status == 0, outcome.err
    assert "re-optimised: crossed at 15.0" in outcome.out
