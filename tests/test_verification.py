"""A stored run passes its recheck; with any one of its figures altered it does not."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from allocator.errors import CertificateError, InputError
from allocator.pipeline import allocate
from allocator.scenario import dump_scenario, load_scenario
from allocator.store import read_run, write_run
from allocator.verification import in_input_order, verify_run
from tests.builders import portfolio
from tests.cases import write_rich

MEASURED = {"seconds", "peak_memory_mb", "schema", "versions"}
"""What a run says of its making: nothing that a recheck could repeat."""
PROOF = {"tree"}
"""Any sound proof will do, a looser one too: tests/certification/test_tree.py alters it."""


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("case")
    scenario = load_scenario(write_rich(folder))
    out = folder / "run"
    write_run(allocate(scenario), out, scenario_text=dump_scenario(scenario, out), force=False)
    return folder


@pytest.fixture
def run(solved: Path, tmp_path: Path) -> Path:
    """A copy of the case to alter; its run reads the inputs beside it."""
    shutil.copytree(solved, tmp_path / "case")
    return tmp_path / "case" / "run"


def fails(run: Path) -> CertificateError:
    with pytest.raises(CertificateError) as caught:
        verify_run(read_run(run))
    assert caught.value.faults
    return caught.value


def places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every leaf of a JSON document, with the keys that lead to it."""
    if isinstance(document, dict | list):
        items = document.items() if isinstance(document, dict) else enumerate(document)
        for key, value in items:
            yield from places(value, (*path, key))
    else:
        yield path, document


def altered(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    copy = json.loads(json.dumps(document))
    at = copy
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return copy


def nudged(number: float) -> float:
    """The least alteration that must be found: a millionth, or a hundredth where there is little."""
    return number + 0.01 if abs(number) < 1e-3 else number * (1 + 1e-6)


def test_it_passes_as_it_was_written(run: Path) -> None:
    stored = read_run(run)
    certificate = verify_run(stored)
    assert certificate.bound == stored.certificate["bound"]
    assert certificate.largest_violation <= 1e-9
    assert (stored.allocation["amount"] > 0).sum() >= 8


@pytest.mark.parametrize("file", ["certificate.json", "summary.json"])
def test_every_figure_of_a_document_is_rechecked(run: Path, file: str) -> None:
    document = json.loads((run / file).read_text())
    numbers = [
        (path, value)
        for path, value in places(document)
        if isinstance(value, int | float) and not isinstance(value, bool) and path[0] not in MEASURED | PROOF
    ]
    assert len(numbers) > 40
    missed = []
    for path, value in numbers:
        (run / file).write_text(json.dumps(altered(document, path, nudged(value))))
        try:
            verify_run(read_run(run))
        except CertificateError:
            continue
        missed.append((path, value))
    assert missed == []


def test_every_column_of_offers_and_refusals_is_rechecked(run: Path) -> None:
    """Offers in A and B and a pinned one, a refused grade, a loss-making firm."""
    path = run / "allocation.csv"
    lines = path.read_text().splitlines()
    columns = lines[0].split(",")
    missed = []
    for row in (1, 3, 6, 8, 12, 13):
        for at, name in enumerate(columns[:-1]):
            cells = lines[row].split(",")
            try:
                cells[at] = repr(nudged(float(cells[at])))
            except ValueError:
                cells[at] += "x"
            path.write_text("\n".join([*lines[:row], ",".join(cells), *lines[row + 1 :]]) + "\n")
            try:
                verify_run(read_run(run))
            except CertificateError:
                continue
            missed.append((lines[row], name))
    assert missed == []


def test_a_price_of_the_wrong_sign_is_no_price(run: Path) -> None:
    """It would prove the same bound as none: but then it explains nothing."""
    document = json.loads((run / "certificate.json").read_text())
    document["prices"]["sectors[steel]"] = -0.01
    (run / "certificate.json").write_text(json.dumps(document))
    assert "limit sectors[steel]: has the price -0.01, which a limit at most cannot have" in str(fails(run))


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("no rates for this grade", "", "says , the inputs give no rates for this grade"),
        ("no rates for this grade", "excluded", "says excluded, the inputs give no rates for this grade"),
        ("excluded", "we do not like them", "says we do not like them, the inputs give excluded"),
        ('"never profitable, whatever the limits"', "too risky", "too risky, the inputs give another reason"),
        (
            "crowded out by limit A line",
            "crowded out by limit book",
            "the inputs give a limit without a price",
        ),
    ],
)
def test_a_refusal_has_the_reason_that_the_inputs_give(run: Path, before: str, after: str, told: str) -> None:
    path = run / "allocation.csv"
    text = path.read_text()
    assert f",{before}\n" in text
    path.write_text(text.replace(f",{before}\n", f",{after}\n"))
    assert told in str(fails(run))


def test_an_offer_has_no_reason(run: Path) -> None:
    path = run / "allocation.csv"
    lines = path.read_text().splitlines(True)
    assert lines[1].endswith(",\n")
    path.write_text("".join([lines[0], lines[1].replace(",\n", ",excluded\n"), *lines[2:]]))
    assert "row 1, reason: says excluded, the inputs give none" in str(fails(run))


WORDS = [
    ("name", "poor", "summary name: says 'poor', the inputs give 'rich'"),
    ("currency", "EUR", "summary currency: says 'EUR', the inputs give 'CNY'"),
    ("digest", "0" * 64, "summary digest: says '0000"),
    ("strategy", "equal", "summary strategy: says 'equal', the inputs give 'optimal'"),
    ("proof", "faith", "summary proof: says 'faith', where only"),
    ("stop", "boredom", "summary stop: says 'boredom', where only exhausted or gap or time_limit can be"),
    ("method", None, "summary method: says None, where only exact or reduced can be"),
]


@pytest.mark.parametrize(("key", "word", "told"), WORDS)
def test_every_word_of_the_summary_is_rechecked(run: Path, key: str, word: Any, told: str) -> None:
    document = json.loads((run / "summary.json").read_text())
    (run / "summary.json").write_text(json.dumps({**document, key: word}))
    assert told in str(fails(run))


def test_a_bound_below_the_certified_one_is_the_solvers(tmp_path: Path) -> None:
    scenario = load_scenario(write_rich(tmp_path), ["solver.gap=5%"])
    run = tmp_path / "run"
    write_run(allocate(scenario), run, scenario_text=dump_scenario(scenario, run), force=False)
    document = json.loads((run / "summary.json").read_text())
    assert document["certified_gap"] > 1e-6
    (run / "summary.json").write_text(
        json.dumps({**document, "bound": document["objective"], "gap": 0.0, "proof": "prices"})
    )
    assert "summary proof: says 'prices', where only solver can be" in str(fails(run))


@pytest.mark.parametrize("path", [("by_grade", "Z"), ("by_grade", "A", "profit"), ("terms_broken", "rate")])
def test_what_the_inputs_do_not_give_is_found(run: Path, path: tuple[str, ...]) -> None:
    document = json.loads((run / "summary.json").read_text())
    (run / "summary.json").write_text(json.dumps(altered(document, path, {"funded": 1})))
    assert f"summary {' '.join(path)}: is nothing that the inputs give" in str(fails(run))


@pytest.mark.parametrize(
    ("before", "after"),
    [("F05,B,0.020", "F05,B,0.021"), ("F13,B,0.018", "F13,A,0.018"), ("0.06,0.25", "0.06,0.26")],
)
def test_an_altered_input_is_found_by_its_content(run: Path, before: str, after: str) -> None:
    for path in (run.parent / "borrowers.csv", run.parent / "churn.csv"):
        path.write_text(path.read_text().replace(before, after))
    assert "has changed since the run; restore it or solve again" in str(fails(run))


def test_an_input_row_that_is_gone_does_not_fit_the_allocation(run: Path) -> None:
    path = run.parent / "borrowers.csv"
    path.write_text("".join(line for line in path.read_text().splitlines(True) if not line.startswith("F07")))
    assert "allocation, row 7: does not list the portfolio's borrowers in their order" in str(fails(run))


def test_a_database_may_hand_over_its_rows_in_another_order() -> None:
    book = portfolio(["A"] * 3)
    turned = pd.DataFrame({"borrower_id": book.borrower_id[::-1]})
    found = in_input_order(turned, book, ordered=False)
    assert found["borrower_id"].tolist() == book.borrower_id.tolist()
    assert found.index.tolist() == [2, 1, 0]
    with pytest.raises(CertificateError, match=r"row 1: does not list .* in their order"):
        in_input_order(turned, book, ordered=True)


@pytest.mark.parametrize(
    ("rows", "row"),
    [([], 1), ([0, 1, 2], 4), ([*range(15), 3], 16), ([0, 0, *range(2, 15)], 2)],
)
def test_an_allocation_lists_every_borrower_once(run: Path, rows: list[int], row: int) -> None:
    path = run / "allocation.csv"
    header, *given = path.read_text().splitlines(True)
    assert len(given) == 15
    path.write_text("".join([header, *(given[i] for i in rows)]))
    assert f"allocation, row {row}: does not list the portfolio's borrowers in their order" in str(fails(run))


def test_a_looser_policy_does_not_hide_a_broken_limit(run: Path) -> None:
    """The resolved scenario belongs to the run: with another bound in it, the figures no longer fit."""
    path = run / "scenario.yaml"
    text = path.read_text()
    assert "at_most: 0.011" in text
    path.write_text(text.replace("at_most: 0.011", "at_most: 0.012"))
    assert "limit" in str(fails(run))


@pytest.mark.parametrize("file", ["scenario.yaml", "scenario.json"])
def test_both_files_of_the_scenario_say_the_same(run: Path, file: str) -> None:
    path = run / file
    text = path.read_text()
    assert text.count("20") > 0
    path.write_text(text.replace("time_limit", "unknown_key"))
    assert "scenario is not as the run wrote it" in str(fails(run)) or "scenario.json" in str(fails(run))
    path.write_text(text.replace("rich", "poor"))
    assert "scenario.json: does not say what scenario.yaml says" in str(fails(run))
    path.write_text(text.replace("  ", "    ") if file == "scenario.json" else f"# a remark\n{text}")
    verify_run(read_run(run))


def test_an_input_that_is_gone_is_no_fault_of_the_certificate(run: Path) -> None:
    (run.parent / "churn.csv").unlink()
    with pytest.raises(InputError):
        verify_run(read_run(run))


def test_a_bound_that_no_price_proves_is_refused_though_the_summary_agrees(run: Path) -> None:
    """Certificate and summary altered alike: only the recomputation tells."""
    for file, keys in (("certificate.json", ("bound",)), ("summary.json", ("bound", "certified_bound"))):
        document = json.loads((run / file).read_text())
        for key in keys:
            document[key] = math.nextafter(document[key] * 0.999, 0.0)
        if file == "certificate.json":
            document["gap"] = (document["bound"] - document["value"]) / max(abs(document["bound"]), 1.0)
        (run / file).write_text(json.dumps(document))
    assert "certificate bound: says" in str(fails(run))
