"""A scenario goes into a run's folder and comes back equal."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import Phase, given
from hypothesis import strategies as st

from allocator.errors import InputError
from allocator.scenario import dump_scenario, load_document, load_scenario
from allocator.scenario.reference import EXAMPLE
from tests.scenario.conftest import BASE, Write
from tests.strategies import random_cases

RUN = Path("runs") / "case-0f3a"
WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).filter(str.strip)


def dumped(scenario, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "scenario.yaml"
    path.write_text(dump_scenario(scenario, folder), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text", [BASE, EXAMPLE, BASE.replace("borrowers.csv", "{csv: borrowers.csv, sep: ' '}")]
)
def test_a_dumped_scenario_is_equal(text: str, write: Write, tmp_path: Path) -> None:
    scenario = load_scenario(write("case.yaml", text))

    again = load_scenario(dumped(scenario, tmp_path / RUN))

    assert again == scenario
    assert again.path == tmp_path / RUN / "scenario.yaml"
    assert dump_scenario(again, tmp_path / RUN) == dump_scenario(scenario, tmp_path / RUN)
    assert load_document(scenario.document, tmp_path / "anywhere") == scenario


def test_an_heir_is_dumped_whole(write: Write, base: str, tmp_path: Path) -> None:
    for name in ("deep/borrowers.csv", "deep/churn.csv"):
        write(name, "")
    write("deep/base.yaml", base)
    heir = load_scenario(write("heir.yaml", "extends: deep/base.yaml"), ["policy.limits[A line].at_most=10%"])

    text = dumped(heir, tmp_path / RUN).read_text(encoding="utf-8")

    assert "extends" not in text
    assert "source: ../../deep/borrowers.csv\n" in text
    assert load_scenario(tmp_path / RUN / "scenario.yaml") == heir


def test_variables_stay_in_the_dump_and_in_the_document(
    write: Write, base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA", str(tmp_path))
    monkeypatch.setenv("CURVE", "churn")
    text = base.replace("borrowers.csv", '"${DATA}/borrowers.csv"').replace("churn.csv", '"${CURVE}.csv"')
    scenario = load_scenario(write("case.yaml", text))

    path = dumped(scenario, tmp_path / RUN)

    assert scenario.response.churn == tmp_path / "churn.csv"
    assert scenario.document["portfolio"]["source"] == "${DATA}/borrowers.csv"
    assert "source: ${DATA}/borrowers.csv\n" in path.read_text(encoding="utf-8")
    assert "churn: ../../${CURVE}.csv\n" in path.read_text(encoding="utf-8")
    assert load_scenario(path) == scenario


def test_what_is_the_same_is_dumped_the_same(write: Write, base: str, tmp_path: Path) -> None:
    spelled = base.replace("63%", "0.63").replace("1_000_000", "1e6").replace("[4%, 11%]", "[0.04, 11 %]")
    spelled = spelled.replace("  limits:", "  term_years: 1\n  funding_rate: 0%\n  limits:")
    first, second = (
        load_scenario(write(f"{at}/case.yaml", text)) for at, text in written(write, base, spelled)
    )

    assert dump_scenario(first, tmp_path) == dump_scenario(second, tmp_path).replace("two/", "one/")


def written(write: Write, *texts: str) -> list[tuple[str, str]]:
    places = ["one", "two"]
    for place in places:
        for name in ("borrowers.csv", "churn.csv"):
            write(f"{place}/{name}", "")
    return list(zip(places, texts, strict=True))


@random_cases(60, full=600, phases=[Phase.explicit, Phase.reuse, Phase.generate])  # shrinking takes minutes
@given(
    grade=WORDS,
    values=st.lists(WORDS, min_size=1, max_size=3),
    column=WORDS.filter(lambda word: word != "exclude"),
    band=st.tuples(*[st.floats(0, 1, allow_subnormal=False)] * 2).map(sorted),
    bound=st.floats(0, 1e14, allow_subnormal=False),
)
def test_any_words_and_numbers_survive_a_dump(grade, values, column, band, bound, write, tmp_path) -> None:
    write("unused.yaml", "")
    document = {
        "schema": 1,
        "name": "case",
        "portfolio": {"source": "borrowers.csv", "columns": {f"the {column}": values[0]}},
        "response": {"churn": "churn.csv"},
        "policy": {
            "budget": {"amount": 1},
            "ticket": {"min": 1, "max": 2},
            "rates": {grade: band},
            "limits": [
                {"name": "x", "measure": "drawn", "where": {f"the {column}": values}, "at_most": bound},
            ],
        },
    }
    scenario = load_document(document, tmp_path)

    assert scenario.policy.limits[0].bound == bound
    assert load_scenario(dumped(scenario, tmp_path / "run")) == scenario


@pytest.mark.parametrize(
    "text", ["a\x85", "a\u2028b", "x" * 300 + " " + "y z " * 40, "a\n\n b\n", "\ta", " a ", "#"]
)
def test_texts_that_yaml_would_fold_survive(text: str, write: Write, base: str, tmp_path: Path) -> None:
    document = load_scenario(write("case.yaml", base)).document
    source = {"sql": "sqlite://", "query": text + " SELECT 1"}
    scenario = load_document({**document, "portfolio": {"source": source}}, tmp_path)

    assert load_scenario(dumped(scenario, tmp_path / "run")).portfolio.query == text + " SELECT 1"


def test_faults_of_a_document_have_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_document({"schema": 1, "polcy": {}}, tmp_path, "mine")

    assert caught.value.message == "scenario mine: 4 faults"
    assert [str(fault) for fault in caught.value.faults] == [
        "portfolio: the key is missing; add `portfolio: {...}`",
        "response: the key is missing; add `response: {...}`",
        "policy: the key is missing; add `policy: {...}`",
        "polcy: unknown key 'polcy'; did you mean policy?",
    ]
