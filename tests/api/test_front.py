"""Python's front door, as somebody with a data frame in a notebook comes to it."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from allocator import (
    CertificateError,
    InputError,
    Run,
    allocate,
    compare,
    explain,
    frontier,
    levers,
    load_run,
    load_scenario,
    simulate,
    stress,
    verify,
)

ROOT = Path(__file__).resolve().parents[2]
FIRMS, CURVE = ROOT / "scenarios/data/sme-302.csv", ROOT / "models/churn/cumcm-2020.csv"
PLAIN, LIMITED = ROOT / "scenarios/sme-302.yaml", ROOT / "scenarios/sme-302-limits.yaml"
EASY: dict[str, Any] = {
    "name": "mine",
    "policy": {
        "budget": {"amount": 60_000_000},
        "ticket": {"min": 100_000, "max": 1_000_000, "step": 10_000},
        "rates": {"A": ["4%", "15%"], "B": [0.04, 0.15], "C": [0.04, 0.15]},
    },
}
LINE = {"name": "A line", "measure": "offered", "where": {"grade": "A"}, "at_most": 0.4, "of": "budget"}
CASE = {**EASY, "policy": {**EASY["policy"], "limits": [LINE]}}
READERS: dict[str, Callable[[Path], Any]] = {
    "pandas": pd.read_csv,
    "polars": pl.read_csv,
    "arrow": lambda path: pa.Table.from_pandas(pd.read_csv(path)),
}


@pytest.fixture(scope="module")
def run() -> Run:
    return allocate(LIMITED)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_notebook_of_twenty_lines(library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    firms, curve = READERS[library](FIRMS), READERS[library](CURVE)
    run = allocate(CASE, borrowers=firms, churn=curve)
    assert repr(run).startswith("Run('mine': optimal, value 2,")
    values = []
    for share in (0.2, 0.4):
        moved = allocate(run.scenario, sets={"policy": {"limits": {"A line": {"at_most": share}}}}, start=run)
        values.append(moved.value)
    assert values == sorted(values)
    assert values[-1] == pytest.approx(run.value)
    funded = run.table.loc[run.table["amount"] > 0, "borrower_id"].iloc[0]
    why = explain(run, funded)
    assert why.record.amount > 0
    assert funded in repr(why)
    curve_of_value = frontier(run, "A line", low="10%", high="50%", points=3)
    assert curve_of_value.table["value"].is_monotonic_increasing
    assert curve_of_value.plot().title
    saved = run.save("runs/mine")
    assert saved == tmp_path / "runs" / "mine"
    command = [sys.executable, "-c", "import sys; from allocator.cli.main import main; sys.exit(main())"]
    done = subprocess.run([*command, "verify", str(saved)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "mine: verified from its inputs alone" in done.stdout


def test_frames_of_every_library_are_the_same_input() -> None:
    runs = [allocate(EASY, borrowers=read(FIRMS), churn=read(CURVE)) for read in READERS.values()]
    assert len({run.summary["digest"] for run in runs}) == 1
    assert len({run.value for run in runs}) == 1


def test_a_frame_is_kept_with_the_run_and_rechecked(tmp_path: Path) -> None:
    run = allocate(PLAIN, borrowers=pd.read_csv(FIRMS), churn=pd.read_csv(CURVE))
    assert run.value == allocate(PLAIN).value
    folder = run.save(tmp_path / "run")
    ((kept,), (curve,)) = (list(folder.glob(f"frame-{title}-*.csv")) for title in ("borrowers", "churn"))
    assert pd.read_csv(curve).equals(pd.read_csv(CURVE))
    again = load_run(folder)
    assert verify(again).record.value == run.value
    assert again.scenario == run.scenario
    kept.write_text(kept.read_text().replace("0.313321", "0.3133210", 1))
    with pytest.raises(CertificateError, match="portfolio: has changed since the run; restore it or solve"):
        verify(folder)


def test_a_loaded_run_takes_its_frames_along(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    allocate(PLAIN, borrowers=pd.read_csv(FIRMS), churn=pd.read_csv(CURVE)).save(first)
    loaded = load_run(first)
    loaded.save(first, force=True)
    loaded.save(second)
    names = sorted(path.name for path in first.iterdir())
    assert names == sorted(path.name for path in second.iterdir())
    first.rename(tmp_path / "moved")
    assert verify(second).record.value == verify(tmp_path / "moved").record.value == loaded.value
    assert explain(loaded, "B000002").record.amount > 0


def test_who_changes_a_frame_afterwards_changes_no_scenario() -> None:
    firms = pd.read_csv(FIRMS)
    scenario = load_scenario(PLAIN, borrowers=firms)
    firms["pd"] = 1.0
    assert allocate(scenario).value == allocate(PLAIN).value


def test_the_faults_of_a_frame_are_those_of_a_file_all_at_once() -> None:
    firms = pd.read_csv(FIRMS)
    firms["pd"] = firms["pd"].astype(object)
    firms.loc[2, "pd"] = "3%"
    firms.loc[4, "lgd"] = 1.5
    firms.loc[6, "borrower_id"] = firms.loc[5, "borrower_id"]
    with pytest.raises(InputError) as caught:
        allocate(PLAIN, borrowers=firms)
    text = str(caught.value)
    assert "frame of borrowers: 3 faults" in text
    assert 'frame of borrowers, row 3, pd: "3%" has a percent sign; write a fraction, 5% as 0.05' in text
    assert "frame of borrowers, row 5, lgd: 1.5" in text
    assert "frame of borrowers, row 7, borrower_id" in text
    with pytest.raises(InputError, match=r"frame of borrowers, pd: no column pd; the nearest is PD"):
        allocate(PLAIN, borrowers=pd.read_csv(FIRMS).rename(columns={"pd": "PD"}))
    with pytest.raises(InputError, match=r"frame of churn, row 2, rate: "):
        allocate(PLAIN, churn=pd.read_csv(CURVE).assign(rate=0.04))


def test_a_mapping_has_the_faults_of_a_file_all_at_once() -> None:
    case = {
        "policy": {"budget": {"amount": "much"}, "ticket": {"min": 1}, "rates": {"A": [2, 3]}, "lmits": []}
    }
    with pytest.raises(InputError) as caught:
        allocate(case, borrowers=pd.read_csv(FIRMS))
    fields = [fault.field for fault in caught.value.faults]
    assert {"policy.budget.amount", "policy.ticket.max", "policy.lmits", "response"} <= set(fields)


def test_frames_may_stand_in_a_mapping_where_paths_do() -> None:
    case = {**EASY, "portfolio": {"source": pd.read_csv(FIRMS)}, "response": {"churn": pl.read_csv(CURVE)}}
    assert allocate(case).value == allocate(EASY, borrowers=FIRMS, churn=CURVE).value


SEVEN: dict[str, Callable[[Run, Path], Any]] = {
    "a frame": lambda run, _: allocate(PLAIN, pd.read_csv(FIRMS)),
    "a mapping": lambda run, _: allocate(EASY, borrowers=str(FIRMS), churn=CURVE),
    "sets": lambda run, _: allocate(PLAIN, sets={"policy.budget.amount": 5e7}),
    "verify": lambda run, _: verify(run),
    "plot": lambda run, _: run.plot(),
    "save": lambda run, folder: run.save(folder / "run"),
    "repr": lambda run, _: repr(run),
}


@pytest.mark.parametrize("call", SEVEN)
def test_the_seven_calls_that_failed(call: str, run: Run, tmp_path: Path) -> None:
    assert SEVEN[call](run, tmp_path)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: allocate(42), r"scenario: int is no scenario; give the path of a YAML file, a mapping"),
        (lambda: allocate(PLAIN, borrowers=7), r"borrowers: int is no table; give a DataFrame of pandas"),
        (lambda: allocate(PLAIN, sets=7), r'sets: int is neither .*; write \{"policy.budget.amount": 5e7\}'),
        (
            lambda: allocate(PLAIN, stress="sever"),
            r"stress: no stress is named 'sever'; the stresses are mild, ",
        ),
        (lambda: allocate(PLAIN, strategy="best"), r"strategy"),
        (lambda: compare(), r"subjects: nothing is given; give runs, folders of runs or scenarios"),
        (lambda: frontier(PLAIN, "bugdet"), r"limits: no limit is named 'bugdet'; did you mean budget\?"),
        (lambda: frontier(PLAIN, low="half"), r"low: 'half' is not an amount"),
        (lambda: simulate(PLAIN, years=3, rho="x"), r"years: 3 lies outside 100 to 1,000,000"),
        (lambda: simulate(PLAIN, rho="x"), r"rho: 'x' is not a percentage such as 63%"),
        (lambda: levers(PLAIN, 0.9), r"size: 0.9 lies outside 0 to 0.5; write a fraction, as 0.01"),
        (lambda: verify("nowhere"), r"nowhere: there is no such folder; name a folder that solve wrote"),
        (lambda: stress(PLAIN, along="mild"), r"along: says nothing without reverse"),
    ],
)
def test_what_cannot_be_says_in_one_line_what_to_write(call: Callable[[], Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        call()


def test_sets_are_read_alike_however_they_are_written() -> None:
    key = "policy.limits[loss rate].at_most"
    ways: list[Any] = [
        {key: 0.005},
        {"policy": {"limits": {"loss rate": {"at_most": 0.005}}}},
        f"{key}=0.5%",
        [f"{key}=0.5%"],
        [{key: "0.5%"}, "name=sme-302-limits"],
    ]
    found = [load_scenario(LIMITED, sets=way) for way in ways]
    assert all(one.policy == found[0].policy for one in found)
    assert load_scenario(LIMITED).with_(ways[1]).policy == found[0].policy


def test_a_stress_is_a_name_or_a_mapping() -> None:
    scenario = load_scenario(PLAIN)
    severe = scenario.with_(stress="severe")
    assert severe.stress.factors.pd.all == 2.5
    assert severe.stress.factors.funding.add == 0.015
    assert scenario.with_(stress={"pd": {"all": 2.5}}).stress.factors.pd.all == 2.5
    assert severe.with_(stress={"lgd": {"all": 1.1}}).stress.factors.pd.all == 1.0


def test_a_book_of_offers_is_a_strategy(run: Run, tmp_path: Path) -> None:
    book = run.table[["borrower_id", "amount", "rate"]]
    found = compare(LIMITED, strategies={"best": "optimal", "our book": pl.DataFrame(book)})
    assert found.table["name"].tolist() == ["best", "our book"]
    assert found.table["less_than_first"].abs().max() < 1
    own = allocate(LIMITED, strategy=book)
    assert verify(own.save(tmp_path / "own")).record.value == own.value


def test_runs_and_scenarios_are_compared_by_name(run: Run, tmp_path: Path) -> None:
    saved = run.save(tmp_path / "before")
    found = compare(run, saved, run.scenario.with_({"policy.budget.amount": 9e7}), exact=False)
    assert found.table["name"].tolist() == ["sme-302-limits", "before", "sme-302-limits #2"]
    assert compare({"a": run, "b": saved}, by="sector").table["name"].tolist() == ["a", "b"]


def test_questions_may_ask_of_further_columns(run: Run, tmp_path: Path) -> None:
    book = explain(run, by="region", where={"sector": "retail"})
    assert book.record.by == "region"
    assert book.table["funded"].sum() > 0
    saved = explain(run.save(tmp_path / "run"), by="region", where="sector: retail")
    assert saved.table.equals(book.table)
    with pytest.raises(InputError, match="by: pd is no column of texts; name one, as grade or sector"):
        explain(run, by="pd")


def test_answers_show_themselves(run: Run) -> None:
    found = stress(run, "mild")
    page = found._repr_html_()
    assert page.startswith("<pre")
    assert "<script" not in page
    assert "http" not in page
    assert repr(found) == f"StressTest({str(found).splitlines()[0]})"
    assert [row["name"] for row in found.document["stresses"]] == found.table["name"].tolist()
    picture = run.plot()._repr_html_()
    assert picture.startswith("<svg")
    assert "<script" not in picture
    with pytest.raises(InputError, match="it has no picture; print it, or see its table"):
        verify(run).plot()


def test_a_figure_is_written_too(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "run.svg"
    run.plot(path)
    assert "<svg" in path.read_text()
    with pytest.raises(InputError, match="a file of this name is there"):
        run.plot(path)


def test_what_comes_out_is_frozen(run: Run) -> None:
    with pytest.raises(AttributeError):
        run.status = "feasible"  # type: ignore[misc]
    told = str(run)
    for table in (run.table, run.allocation):
        table["amount"] = 0.0
    run.prices.clear()
    run.summary["by_grade"].clear()
    assert isinstance(run.certificate.prices, dict)
    run.certificate.prices.clear()
    assert str(run) == told
    assert run.prices
    assert run != load_scenario(PLAIN)
    assert len({run, run}) == 1


def test_a_share_of_requests_is_money_for_frames_too() -> None:
    share = {"policy.budget": {"amount": "40%", "of": "requests"}}
    run = allocate(PLAIN, borrowers=pd.read_csv(FIRMS), churn=pd.read_csv(CURVE), sets=share)
    assert run.value == allocate(PLAIN, sets=share).value


def test_what_differs_between_frames_is_told() -> None:
    firms = pd.read_csv(FIRMS)
    before = allocate(PLAIN, borrowers=firms, churn=pd.read_csv(CURVE))
    worse = firms.assign(pd=(firms["pd"] * 1.1).clip(upper=1.0))
    after = allocate(before.scenario, borrowers=worse, sets={"policy.budget.amount": 9e7})
    (pair,) = compare({"before": before, "after": after}).record.pairs
    assert sum(step.gain for step in pair.steps if step.gain is not None) == pytest.approx(
        after.value - before.value
    )
    assert len(pair.steps) == 2


def test_errors_speak_of_arguments(run: Run, tmp_path: Path) -> None:
    run.save(tmp_path / "run")
    with pytest.raises(
        InputError, match="holds a run already; give force=True to replace it, or name another"
    ):
        run.save(tmp_path / "run")
    with pytest.raises(InputError, match="borrower: no borrower is named 'B00002'; did you mean B000302"):
        explain(run, "B00002")
    with pytest.raises(
        InputError, match="only: no stress is named 'sever'; the stresses are base, mild, severe"
    ):
        stress(PLAIN, "sever")


def test_a_run_goes_to_another_process_and_back(run: Run) -> None:
    again = pickle.loads(pickle.dumps(run))
    assert repr(again) == repr(run)
    assert explain(again, "B000002").record.amount == explain(run, "B000002").record.amount
    for answer in (explain(run), levers(run, quick=True), verify(run), compare(run, run, exact=False)):
        other = pickle.loads(pickle.dumps(answer))
        assert (str(other), repr(other)) == (str(answer), repr(answer))
        assert other.table.equals(answer.table)


HOSTILE = ["<script>alert(1)</script>", "a\x1b[31mred", "x" * 10_000, "<img src=x>", "a\u2028b", "\u202eb"]


def test_names_of_borrowers_cannot_act_on_a_page() -> None:
    firms = pd.read_csv(FIRMS)
    firms.loc[: len(HOSTILE) - 1, ["borrower_id", "region"]] = [[name, name] for name in HOSTILE]
    firms.loc[: len(HOSTILE) - 1, "grade"] = "A"
    found = allocate(PLAIN, borrowers=firms)
    for shown in (found, explain(found, by="region"), *(explain(found, name) for name in HOSTILE)):
        page = shown._repr_html_() + shown.plot()._repr_html_()
        assert not any(sign in page for sign in ("<script", "<img", "\x1b", "\u202e", "\u2028"))
        assert len(repr(shown).splitlines()) == 1
        assert len(repr(shown)) < 200


def test_frames_that_no_file_holds_are_told() -> None:
    firms = pd.read_csv(FIRMS)
    levels = firms.set_axis(pd.MultiIndex.from_product([["a"], firms.columns]), axis=1)
    wide = pl.DataFrame(firms).with_columns(pl.col("max_amount").cast(pl.Int128))
    for frame, words in (
        (levels, "frame of borrowers: its columns have 2 levels of names; give each column one name"),
        (wide, "polars.DataFrame has a column of a type that Arrow does not read: .*; make it 64-bit"),
        ({"a": [1], "b": [1, 2]}, "frame of borrowers: is no table: All arrays must be of the same length"),
        (firms.rename(columns={"max_amount": "max_amout"}), "no column max_amount; the nearest is max_amout"),
    ):
        with pytest.raises(InputError, match=words):
            load_scenario(PLAIN, borrowers=frame) and allocate(PLAIN, borrowers=frame)


def test_factors_and_variables_may_be_frames_and_lists() -> None:
    firms = pd.read_csv(FIRMS)
    sectors = sorted(firms["sector"].unique())
    shock = pl.DataFrame({"sector": sectors, "pd": [1.5] * len(sectors)})
    assert stress(PLAIN, "shock", shock=shock).table["name"].tolist() == ["base", "shock"]
    with pytest.raises(InputError, match="frame of shock, borrower_id: the rows are single borrowers"):
        stress(PLAIN, shock=firms)


def test_columns_and_rows_of_pythons_own_are_frames(run: Run) -> None:
    firms = pd.read_csv(FIRMS)
    found = [
        load_scenario(PLAIN, borrowers=one)
        for one in (firms, firms.to_dict("list"), firms.to_dict("records"))
    ]
    assert found[0] == found[1] == found[2]
