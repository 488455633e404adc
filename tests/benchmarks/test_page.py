"""The page of measurements says what the results say, and no more."""

from __future__ import annotations

from typing import Any

from benchmarks.measure import results
from benchmarks.page import PAGE, gap, page_of, ratio, seconds

MACHINE = {"processor": "one", "cores": 2, "memory_gb": 8.0, "system": "Linux", "versions": {"numpy": "2"}}


def race(*peers: dict[str, Any]) -> dict[str, Any]:
    engine = {"seconds": {"total": 0.5}, "value": 200.0, "certified_gap": 2e-10, "load": 3.0}
    run = {"case": "central", "size": 3_000, "seconds": 60.0, "gap": 1e-9}
    return {
        "peers": {
            "machine": MACHINE,
            "day": "2026-11-25",
            "race": {**run, "engine": engine, "peers": list(peers)},
        }
    }


def test_the_page_is_what_the_results_give() -> None:
    assert PAGE.read_text("utf-8") == page_of(results()), "python -m benchmarks page writes it"


def test_tables_fit_a_hundred_columns() -> None:
    wide = [line for line in page_of(results()).splitlines() if len(line) > 100]
    assert wide == []


def test_a_peer_is_told_by_its_time_over_the_engines_and_its_distance_in_value() -> None:
    peer = {"what": "another", "seconds": {"total": 60.0}, "funded": 3, "value": 199.0, "gap": 1e-6}
    page = page_of(race({**peer, "status": "maxTimeLimit"}))
    assert "| allocator | 0.50 | 1 | 1 | 2e-10 | busy, 3.0 |" in page
    assert "| another | 60.0 | 120 | 1 - 5e-03 | 1e-06 | time limit |" in page


def test_who_is_left_out_or_failed_is_named_with_the_reason() -> None:
    page = page_of(race({"what": "one", "left_out": "no rates"}, {"what": "two", "failed": "no memory"}))
    assert "- one: no rates." in page
    assert "- two: no memory." in page


def test_figures_have_three_digits_at_most() -> None:
    assert [seconds(s) for s in (0.01234, 1.234, 12.34, 1234.5, None)] == [
        "0.012",
        "1.23",
        "12.3",
        "1,234",
        "",
    ]
    assert [ratio(r) for r in (1.26, 120.4)] == ["1.3", "120"]
    assert [gap(g) for g in (None, 0.0, -1e-16, 3.4e-11)] == ["none", "0", "0", "3e-11"]


def test_a_case_that_failed_is_told() -> None:
    case = {"case": "central", "size": 30_000, "failed": "ended after 900 seconds"}
    page = page_of({"central-30000": {"machine": MACHINE, "day": "2026-11-25", "case": case}})
    assert "- central, 30,000 borrowers: ended after 900 seconds." in page
