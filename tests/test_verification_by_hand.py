"""What a recheck says of each figure, word for word, and how far each may stand from what the inputs give."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from allocator import verification
from allocator.certification.certify import recheck_with_proof
from allocator.errors import CertificateError, Fault, InputError
from allocator.records.ledger import COMPUTED
from allocator.records.run import Certificate, Decisions
from allocator.records.strategy import SolverSettings, Strategy
from allocator.summary import summarise
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.records.outcomes import outcome_of

SOLVE = "solve again"


def told(faults: Any) -> list[str]:
    return [str(fault) for fault in faults]


@pytest.mark.parametrize(
    ("stated", "recomputed", "place", "same"),
    [
        (1.0 + 0.9e-9, 1.0, "x price", True),
        (1.0 + 1.1e-9, 1.0, "x price", False),
        (1e6 * (1 - 0.9e-9), 1e6, "x mean_rate", True),
        (1e6 * (1 - 1.1e-9), 1e6, "x mean_rate", False),
        (-1e6 * (1 - 1.1e-9), -1e6, "x mean_rate", False),
        (0.009, 0.0, "x used", True),
        (0.011, 0.0, "x used", False),
        (0.009, 0.0, "x certified_gap", False),
        (0.009, 0.0, "x price", False),
        (0.009, 0.0, "violation", True),
        (1e-300, 0.0, "x violation", False),
        (0.0, 1e-300, "x violation", False),
        (1e-300, 2e-300, "x violation", True),
        (1, 1.0, "x used", True),
        (True, 1.0, "x used", False),
        ("1", 1.0, "x used", False),
        (None, 1.0, "x used", False),
        (1.0, 1, "x funded", False),
        (2, 1, "x funded", False),
        (1, 1, "x funded", True),
        (True, True, "x broken", True),
        (1, True, "x broken", False),
        ("a", "a", "x name", True),
        ("a", "b", "x name", False),
    ],
)
def test_figures_agree_to_a_billionth_and_money_to_the_rounding_of_its_sum(
    stated: Any, recomputed: Any, place: str, same: bool
) -> None:
    """A trillion of money may have been added up: a hundredth of it is rounding, in money alone."""
    assert verification._same_figure(stated, recomputed, 1e12, place, 1.0) is same


def test_differences_are_told_by_key_and_place() -> None:
    stated = {"a": 1.0, "l": [1, 2], "d": {"x": 1}, "more": 3, "s": [1]}
    recomputed = {"a": 2.0, "l": [1, 3], "d": {"x": 1, "y": None}, "s": [1, 2], "z": "z"}
    assert told(verification._difference_faults(stated, recomputed, 1.0, "summary")) == [
        f"summary a: says 1.0, the inputs give 2.0; {SOLVE}",
        f"summary l[1]: says 2, the inputs give 3; {SOLVE}",
        f"summary s: says [1], the inputs give [1, 2]; {SOLVE}",
        f"summary z: says None, the inputs give 'z'; {SOLVE}",
        f"summary more: is nothing that the inputs give; {SOLVE}",
    ]
    assert told(verification._difference_faults([1], {"a": 1}, 1.0, "x")) == [
        f"x: says [1], the inputs give {{'a': 1}}; {SOLVE}"
    ]
    assert told(verification._difference_faults({"a": 1}, [1], 1.0, "x")) == [
        f"x: says {{'a': 1}}, the inputs give [1]; {SOLVE}"
    ]
    assert told(verification._difference_faults({"used": 0.009}, {"used": 0.0}, 1e12, "l")) == []
    assert told(verification._difference_faults([0.009], [0.0], 1e12, "l")) == []
    assert verification._those({"a": 1, "b": 2}, {"b": 3, "c": 4}) == {"b": 3}


def test_a_line_of_the_summary_has_the_certificate_s_last_digit() -> None:
    limits = [
        {"name": "budget", "used": 1.0, "bound": 2.0, "price": 0.0, "violation": 0.0},
        {"name": "few", "used": 1.0, "bound": 2.0, "price": 0.5, "violation": 0.0},
    ]
    line = {"used": 1.0, "bound": 2.0, "price": 0.5}
    other = f"summary limits few: says other figures than the certificate; {SOLVE}"
    assert told(verification._unlike_certificate_faults([{**line, "price": 0.0}, line], limits)) == []
    for key in line:
        off = {**line, key: np.nextafter(line[key], 9)}
        assert told(verification._unlike_certificate_faults([{**line, "price": 0.0}, off], limits)) == [other]
    assert told(verification._unlike_certificate_faults(["budget", {**line, "used": 0}], limits)) == [other]
    assert told(verification._unlike_certificate_faults([{**line, "price": 0.0}], limits)) == []
    assert told(verification._unlike_certificate_faults(None, limits)) == []
    assert told(verification._unlike_certificate_faults({"few": 1}, limits)) == []


def test_a_changed_input_is_named_whether_it_came_went_or_changed() -> None:
    claimed, present = {"a": "1", "b": "2", "gone": "3"}, {"new": "4", "a": "1", "b": "x"}
    rest = f"has changed since the run; restore it or {SOLVE}"
    assert told(verification._changed_input_faults(claimed, present)) == [
        f"{name}: {rest}" for name in ("new", "b", "gone")
    ]
    assert verification._changed_input_faults(claimed, dict(claimed)) == []


def test_a_copy_of_the_borrowers_is_what_their_source_gives(tmp_path: Path) -> None:
    stored, path = SimpleNamespace(folder=tmp_path), tmp_path / "borrowers.csv"
    assert verification._changed_copy_fault(stored, None) == []  # type: ignore[arg-type]
    with pytest.raises(InputError) as caught:
        verification._changed_copy_fault(stored, b"a")  # type: ignore[arg-type]
    assert str(caught.value) == f"{path}: 1 fault\n  {path}: is missing; restore it or {SOLVE}"
    path.write_bytes(b"a")
    assert verification._changed_copy_fault(stored, b"a") == []  # type: ignore[arg-type]
    assert told(verification._changed_copy_fault(stored, b"b")) == [  # type: ignore[arg-type]
        f"{path}: is not what the source of the borrowers gives; {SOLVE}"
    ]


def unfounded(broken: bool = False, **said: Any) -> list[str]:
    """What is told of a run worth 90 at a certified bound of 100, where the solver said a bound of 95."""
    summary = {"bound": 95.0, "gap": 5 / 95, "status": "feasible", "proof": "solver"} | said
    stored = SimpleNamespace(summary=summary, certificate={"bound": 100.0, "value": 90.0})
    outcome = outcome_of(Certificate({}, 100.0, 90.0, (), {}), broken=broken)
    return told(verification._unfounded_faults(stored, outcome))  # type: ignore[arg-type]


def test_a_bound_lies_between_the_value_and_what_is_certified() -> None:
    assert unfounded() == []
    assert unfounded(bound=100.0, gap=0.1) == unfounded(bound=90.0, gap=0.0, status="optimal") == []
    for bound, gap in ((100.1, 10.1 / 100.1), (89.9, -0.1 / 89.9)):
        outside = f"says {bound!r}, outside 90.0 (the least it can be) to 100.0 (certified)"
        status = "feasible" if gap > 0 else "optimal"
        assert unfounded(bound=bound, gap=gap, status=status) == [f"summary bound: {outside}; {SOLVE}"]
    for gap in (0.1 - 2e-12, 0.1 + 2e-12):
        told_gap = f"summary gap: says {gap!r}, not what bound and objective give; {SOLVE}"
        assert unfounded(bound=100.0, gap=gap) == [told_gap]
    assert unfounded(bound=100.0, gap=0.1 + 5e-13) == []
    status = "summary status: says 'optimal' at a gap of 0.1, where it is 'feasible'"
    assert unfounded(bound=100.0, gap=0.1, status="optimal") == [f"{status}; {SOLVE}"]


def test_what_breaks_limits_has_the_certified_bound_or_the_solver_s_own() -> None:
    said = {"broken": True, "status": "breaks_limits"}
    assert unfounded(**said, bound=100.0, gap=0.1, proof="prices") == []
    assert unfounded(**said, bound=50.0, gap=-40 / 50) == []
    outside = "summary bound: says 99.0, outside 100.0 (the least it can be) to 100.0 (certified)"
    assert unfounded(**said, bound=99.0, gap=9 / 99, proof="tree") == [f"{outside}; {SOLVE}"]
    none = "summary bound: says 101.0, outside -inf (the least it can be) to 100.0 (certified)"
    assert unfounded(**said, bound=101.0, gap=11 / 101) == [f"{none}; {SOLVE}"]


def words(tree: Any = None, rule: Any = "optimal", told_method: Any = "auto", **said: Any) -> list[str]:
    """What is told of the words of a summary of 90 at a certified bound of 100."""
    summary = {"bound": 100.0, "gap": 1e-10, "proof": "prices", "stop": "gap", "method": "exact"} | said
    stored = SimpleNamespace(summary=summary, certificate={"bound": 100.0, "value": 90.0})
    solver = SolverSettings(gap=1e-9, time_limit=1.0, method=told_method)
    scenario = SimpleNamespace(solver=solver, strategy=Strategy(rule))
    recomputed = Certificate({}, 100.0, 90.0, (), {}, tree)
    return told(verification._impossible_word_faults(stored, scenario, recomputed))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "possible"),
    [
        ({}, ""),
        ({"proof": "tree"}, "proof 'tree' prices"),
        ({"proof": "solver"}, "proof 'solver' prices"),
        ({"tree": {}, "proof": "tree"}, ""),
        ({"tree": {}, "proof": "prices"}, "proof 'prices' tree"),
        ({"bound": 99.0, "proof": "solver"}, ""),
        ({"bound": 99.0}, "proof 'prices' solver"),
        ({"bound": 90.0, "proof": "solver"}, ""),
        ({"bound": 90.0}, "proof 'prices' solver"),
        ({"gap": 1.9e-9}, ""),
        ({"gap": 2.1e-9}, "stop 'gap' exhausted or time_limit"),
        ({"gap": 2.1e-9, "rule": "greedy"}, ""),
        ({"gap": 2.1e-9, "stop": "time_limit"}, ""),
        ({"gap": 2.1e-9, "stop": "exhausted"}, ""),
        ({"stop": "tired"}, "stop 'tired' exhausted or gap or time_limit"),
        ({"method": "reduced"}, ""),
        ({"method": "guess"}, "method 'guess' exact or reduced"),
    ],
)
def test_a_summary_has_words_that_a_search_can_have(said: dict[str, Any], possible: str) -> None:
    key, _, rest = possible.partition(" ")
    word, _, only = rest.partition(" ")
    expected = [f"summary {key}: says {word}, where only {only} can be; {SOLVE}"] if possible else []
    assert words(**said) == expected


def test_the_method_is_the_scenario_s_where_it_names_one() -> None:
    assert words(told_method="reduced", method="reduced") == words(told_method="exact") == []
    only = f"summary method: says 'exact', where only reduced can be; {SOLVE}"
    assert words(told_method="reduced") == [only]


BOOK = portfolio(["A", "B", "A"])


def listed(*names: str, ordered: bool = True) -> pd.DataFrame:
    frame = pd.DataFrame(
        {"borrower_id": names, "at": range(len(names))}, index=[2 * k for k in range(len(names))]
    )
    return verification.in_input_order(frame, BOOK, ordered=ordered)


def test_rows_of_an_allocation_are_the_borrowers_once_each() -> None:
    assert listed("b000", "b001", "b002")["at"].tolist() == [0, 1, 2]
    assert listed("b002", "b000", "b001", ordered=False)["at"].tolist() == [1, 2, 0]
    head = "the allocation does not fit the portfolio\n  allocation"
    remedy = "restore the file: it has one row per borrower"
    for names, row in (
        (("b000", "b002", "b001"), 2),
        (("b000", "b001"), 3),
        (("b000", "b001", "b002", "b003"), 4),
    ):
        with pytest.raises(CertificateError) as caught:
            listed(*names)
        text = f"{head}, row {row}: does not list the portfolio's borrowers in their order; {remedy}"
        assert str(caught.value) == text
    for names in (("b000", "b001", "b001"), ("b000", "b001"), ("b000", "b001", "b003")):
        with pytest.raises(CertificateError) as caught:
            listed(*names, ordered=False)
        assert str(caught.value) == f"{head}: does not list the portfolio's borrowers; {remedy}"


def rows(unfounded: tuple[str, str, str] = ("", "", ""), **columns: Any) -> list[str]:
    """Two offers and a refusal, listed from the last to the first, with some columns changed."""
    given: dict[str, Any] = {
        "grade": ["A", "B", "A"], "amount": [100.0, 0.0, 200.0], "rate": [0.05, 0.0, 0.04],
        **{name: [1e6, 0.0, -0.5] for name in COMPUTED}, "reason": ["", "excluded", ""],
    } | columns  # fmt: skip
    frame = pd.DataFrame(given, index=[4, 5, 6])
    book = portfolio(["A", "B", "A"])
    book = type(book)(**{**vars(book), "row": np.array([3, 2, 1])})
    ledger = SimpleNamespace(
        rate=np.array([0.04, 0.0, 0.05]), **{name: np.array([-0.5, 0.0, 1e6]) for name in COMPUTED},
        computed=COMPUTED, capital_cost=None,
    )  # fmt: skip
    texts = np.array(unfounded, dtype=object)
    return told(verification._altered_row_faults(frame, book, ledger, texts))  # type: ignore[arg-type]


def test_the_first_row_of_a_column_that_differs_is_told_with_how_many_do() -> None:
    assert rows() == []
    place = "allocation, row"
    assert rows(grade=["A", "A", "B"]) == [
        f"{place} 6, grade: says A, the inputs give B (2 rows differ); {SOLVE}"
    ]
    assert rows(reason=["", "", ""]) == [f"{place} 6, reason: says , the inputs give some reason; {SOLVE}"]
    assert rows(reason=["", "excluded", "dear"]) == [
        f"{place} 7, reason: says dear, the inputs give none; {SOLVE}"
    ]
    assert rows(("", "another", "")) == [
        f"{place} 6, reason: says excluded, the inputs give another; {SOLVE}"
    ]
    for name in ("rate", *COMPUTED):
        right = [0.05, 0.0, 0.04] if name == "rate" else [1e6, 0.0, -0.5]
        scale = max(right[0], 1.0)
        assert rows(**{name: [right[0] + 0.9e-9 * scale, 0.9e-9, right[2] - 0.9e-9]}) == []
        off = right[0] + 1.1e-9 * scale
        assert rows(**{name: [off, *right[1:]]}) == [
            f"{place} 5, {name}: says {off}, the inputs give {right[0]}; {SOLVE}"
        ]
        assert rows(**{name: [right[0], 0.0, np.nan]}) == [
            f"{place} 7, {name}: says nan, the inputs give {right[2]}; {SOLVE}"
        ]


def test_texts_are_encoded_in_ascending_order() -> None:
    encoded = verification._encoded(np.array(["b", "", "a", "b"], dtype=object))
    assert (encoded.values, encoded.codes.tolist(), encoded.codes.dtype) == (
        ("", "a", "b"),
        [2, 0, 1, 2],
        np.int32,
    )


def test_rational_numbers_confirm_a_run_where_that_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome, fault = (
        SimpleNamespace(certificate="recomputed"),
        Fault("is not so", SOLVE, field="certificate value"),
    )
    stated: dict[str, list[Fault]] = {}
    monkeypatch.setattr(verification, "recheck_run", lambda _: outcome)
    monkeypatch.setattr(verification, "_faults_in_rationals", lambda _, certificate: certificate["faults"])
    run = SimpleNamespace(allocation=range(10_000), certificate=stated, folder=Path("run"))
    assert verification.verify_run(run) == "recomputed"  # type: ignore[arg-type]
    stated["faults"] = []
    assert verification.verify_run(run, exact=True) == "recomputed"  # type: ignore[arg-type]
    stated["faults"] = [fault]
    with pytest.raises(CertificateError) as caught:
        verification.verify_run(run, exact=True)  # type: ignore[arg-type]
    assert str(caught.value) == f"the run does not pass its recheck in rational numbers\n  {fault}"
    run.allocation = range(10_001)
    with pytest.raises(InputError) as larger:
        verification.verify_run(run, exact=True)  # type: ignore[arg-type]
    problem = "run: has 10,001 borrowers, and rational numbers do for 10,000; verify it without --exact"
    assert str(larger.value) == f"run: 1 fault\n  {problem}"


def test_what_a_summary_says_of_the_search_is_kept() -> None:
    outcome = outcome_of(Certificate({}, 100.0, 90.0, (), {}))
    why = np.array(["excluded"], dtype=object)
    said = {"proof": "solver", "bound": 95.0, "stop": "time_limit"}
    kept = verification._as_searched(outcome, said, why)
    assert (kept.solver_bound, kept.stop, kept.why) == (95.0, "time_limit", None)
    kept = verification._as_searched(outcome, said | {"proof": "tree"}, why)
    assert kept.solver_bound == np.inf
    other = replace(outcome, scenario=replace(outcome.scenario, strategy=Strategy("greedy")))
    assert verification._as_searched(other, said, why).why is why


def test_a_package_that_is_not_installed_is_named() -> None:
    stored = SimpleNamespace(certificate={"plugins": {"measure npl": "acme 1.0"}}, folder=Path("run"))
    with pytest.raises(InputError) as caught:
        verification._scenario_of(stored)  # type: ignore[arg-type]
    problem = "the run was made with measure npl of the package acme 1.0, which is not installed"
    assert str(caught.value) == f'run: 1 fault\n  {problem}; pip install "acme==1.0"'


def test_an_input_is_absent_where_its_file_is_or_may_be(tmp_path: Path) -> None:
    document = {"response": {"churn": {"csv": "churn.csv"}}, "portfolio": {"source": {"csv": "book.csv"}}}
    stored = SimpleNamespace(document=None, folder=tmp_path)
    assert verification._input_absent(stored)  # type: ignore[arg-type]
    stored.document = document
    for name in ("churn.csv", "book.csv"):
        assert verification._input_absent(stored)  # type: ignore[arg-type]
        (tmp_path / name).write_text("")
    assert not verification._input_absent(stored)  # type: ignore[arg-type]


def disagreements(change: Any) -> list[str]:
    """What is told of a run of one offer whose summary and certificate were changed."""
    book = portfolio(["A"], pd=0.0, lgd=0.0)
    rules = policy(1e6, limit("few", "loans", "at_most", 2.0), rates={"A": (0.04, 0.08)})
    case = Case(book, churn_table([0.04, 0.08], A=[0.0, 0.5]), rules)
    decisions = Decisions(np.array([200_000.0]), np.array([0.04]))
    prices = {"budget": 0.0, "few": 8_000.0}
    scenario = replace(case.scenario, document={"portfolio": {"source": {"csv": "book.csv"}}})
    outcome, proved = recheck_with_proof(scenario, case.inputs, decisions, prices)
    own = outcome.certificate
    keys = ("name", "measure", "sense", "used", "bound", "price", "violation")
    limits = [{key: getattr(use, key) for key in keys} for use in own.limits]
    stated = {"value": own.value, "bound": own.bound, "gap": own.gap, "prices": prices, "limits": limits}
    summary = json.loads(json.dumps(summarise(outcome, "exact", {"solve": 0.0})))
    change(summary, stated)
    stored = SimpleNamespace(summary=summary, certificate=stated, document={}, allocation=range(1))
    return told(verification._disagreement_faults(stored, outcome, proved))  # type: ignore[arg-type]


def test_every_statement_that_disagrees_is_told_with_its_place() -> None:
    assert disagreements(lambda summary, stated: None) == []
    for key in ("schema", "notes", "seconds", "versions", "peak_memory_mb"):
        assert disagreements(lambda summary, stated, key=key: summary.pop(key)) == [
            f"summary {key}: is missing; {SOLVE}"
        ]
    assert disagreements(lambda summary, stated: stated["limits"][1].update(used=3.0)) == [
        f"certificate limits[1] used: says 3.0, the inputs give 1.0; {SOLVE}",
        f"summary limits few: says other figures than the certificate; {SOLVE}",
    ]
    assert disagreements(lambda summary, stated: stated["prices"].update(few=7.0)) == [
        f"certificate limits few price: says 8000.0, the prices give 7.0; {SOLVE}"
    ]
    for place, at in (("summary", 0), ("certificate", 1)):
        assert disagreements(lambda *both, at=at: both[at].update(plugins={"measure npl": "acme 1.0"})) == [
            f"{place} plugins: are not what the scenario names; {SOLVE}",
        ]
    assert disagreements(lambda summary, stated: summary.update(offered=1.0, name="other")) == [
        f"summary name: says 'other', the inputs give 'case'; {SOLVE}",
        f"summary offered: says 1.0, the inputs give 200000.0; {SOLVE}",
    ]


def test_what_the_certificate_states_is_proved_and_repeated() -> None:
    right: dict[str, float] = {}

    def moved(summary: dict[str, Any], stated: dict[str, Any]) -> None:
        right.update(bound=stated["bound"], value=stated["value"], gap=stated["gap"])
        stated.update(bound=1.0, value=9e9, gap=0.5)

    faults = disagreements(moved)
    assert faults[:5] == [
        f"certificate bound: says 1.0, the inputs give {right['bound']!r}; {SOLVE}",
        f"certificate value: says 9000000000.0, the inputs give {right['value']!r}; {SOLVE}",
        f"summary objective: says {right['value']!r}, the certificate gives 9000000000.0; {SOLVE}",
        f"summary certified_bound: says {right['bound']!r}, the certificate gives 1.0; {SOLVE}",
        f"summary certified_gap: says {right['gap']!r}, the certificate gives 0.5; {SOLVE}",
    ]
