"""A run whose every figure is worked out by hand, in numbers that doubles hold exactly.

Four borrowers ask for 1,000 over 2 years at 25 % (all accept) or 50 % (half walk, at a cost of 0.25 a unit).
Of a, b and c (PD 1/4, LGD 1/2) a unit at 25 % is worth 0.25 x 2 x 3/4 - 1/8 = 1/4, at 50 % with half of them
0.5 x (0.75 - 0.125) - 0.5 x 0.25 = 3/16; of d (PD 3/4) both are worth less than nothing. The budget of 2,000
is priced at 1/4, the share of a at 1/16: U = 500 + 62.5, and 500 are earned, 10 of them lost to a soft limit.
"""

from __future__ import annotations

import copy
import csv
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from allocator import checker

CHURN = "rate,A\n0.25,0\n0.5,0.5\n"
BORROWERS = "borrower_id,grade,pd,lgd,max_amount,sector\n" + "".join(
    f"{who},A,{pd},0.5,1000,{sector}\n"
    for who, pd, sector in (("a", 0.25, "x"), ("b", 0.25, "y"), ("c", 0.25, "y"), ("d", 0.75, "y"))
)
LIMITS = [
    {"name": "half", "measure": "offered", "where": {"sector": "x"}, "at_most": 0.5, "of": "budget"},
    {"name": "loss", "measure": "expected_loss", "at_most": 300},
    {"name": "few", "measure": "loans", "at_most": 1, "enforce": {"soft": 10}},
    {"name": "told", "measure": "drawn", "at_most": 1500, "enforce": "report"},
    {"name": "least", "measure": "drawn", "where": {"sector": "y"}, "at_least": 1000},
]
SCENARIO = {
    "schema": 1,
    "name": "by hand",
    "portfolio": {"source": "borrowers.csv"},
    "response": {"churn": "churn.csv"},
    "policy": {
        "currency": "EUR",
        "budget": {"amount": 2000},
        "ticket": {"min": 100, "max": 1000},
        "term_years": 2,
        "churn_cost_rate": 0.25,
        "rates": {"A": [0.25, 0.5]},
        "limits": LIMITS,
    },
}
COLUMNS = (
    *("borrower_id", "grade", "amount", "rate", "take_up", "interest", "expected_loss", "funding_cost"),
    *("churn_cost", "processing_cost", "relationship_cost", "value", "reason"),
)
LENT = ("A", "1000", "0.25", "1", "375", "125", "0", "0", "0", "0", "250", "")
NOT = ("A", *("0",) * 10)
ROWS = [
    ("a", *LENT),
    ("b", *LENT),
    ("c", *NOT, "crowded out by the budget"),
    ("d", *NOT, "never profitable, whatever the limits"),
]
VALUE, BOUND = 490.0 - 1e-10, 562.5 + 1e-10
GAP = (BOUND - VALUE) / BOUND


def row(name: str, measure: str, used: float, bound: float, price: float, sense: str = "at_most") -> Any:
    stated = {"name": name, "measure": measure, "sense": sense, "used": used, "bound": bound, "price": price}
    return {**stated, "violation": 0.0}


def certificate() -> dict[str, Any]:
    """What proves the run, but for its inputs."""
    rows = [
        row("budget", "offered", 2000.0, 2000.0, 0.25),
        row("half", "offered", 1000.0, 1000.0, 0.0625),
        row("loss", "expected_loss", 250.0, 300.0, 0.0),
        row("few", "loans", 2.0, 1.0, 0.0) | {"enforce": {"soft": 10.0}, "missed": 1.0, "penalty": 10.0},
        row("told", "drawn", 2000.0, 1500.0, 0.0) | {"enforce": "report", "missed": 500.0},
        row("least", "drawn", 1000.0, 1000.0, 0.0, "at_least"),
    ]
    prices = {one["name"]: one["price"] for one in rows}
    told = {"schema": 1, "bound": BOUND, "value": VALUE, "gap": GAP, "largest_violation": 0.0}
    return told | {"prices": prices, "limits": rows}


def summary() -> dict[str, Any]:
    """What is said of the run, but for the digest."""
    slack = {"budget": 0.0, "half": 0.0, "loss": 50.0, "few": -1.0, "told": -500.0, "least": 0.0}
    binding = {"budget", "half", "least"}
    limits = certificate()["limits"]
    for one in limits:
        del one["violation"]
        one |= {"slack": slack[one["name"]], "binding": one["name"] in binding, "broken": False}
    costs = dict.fromkeys(("funding_cost", "churn_cost", "processing_cost", "relationship_cost"), 0.0)
    sums = {"offered": 2000.0, "drawn": 2000.0, "interest": 750.0, "expected_loss": 250.0, **costs}
    return {
        "schema": 1, "name": "by hand", "currency": "EUR", "strategy": "optimal", "objective": VALUE,
        "certified_bound": BOUND, "certified_gap": GAP, "bound": BOUND, "gap": GAP, "proof": "prices",
        "status": "feasible", "stop": "time_limit", "method": "exact", "limits_broken": [],
        "terms_broken": {}, **sums, "idle_income": 0.0, "budget_unspent": 0.0, "limit_penalty": 10.0,
        "refusal_constant": 0.0, "borrowers": 4, "funded": 2, "limits": limits, "per_point": {"half": 1.25},
        "by_grade": {"A": {**sums, "borrowers": 4, "funded": 2, "mean_rate": 0.25, "value": 500.0}},
        "notes": [], "seconds": {"total": 0.5}, "versions": {"python": "3"}, "peak_memory_mb": 1.0,
        "solved_at": "2026-11-30T09:15:02Z",
    }  # fmt: skip


def hashed(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def signed(scenario: Mapping[str, Any], inputs: Mapping[str, str]) -> str:
    """The digest as section 10 says, of a scenario without other paths than these two."""
    document = copy.deepcopy({**scenario, "portfolio": {}, "response": {}})
    document["portfolio"] = {k: v for k, v in scenario["portfolio"].items() if k != "source"}
    return hashlib.sha256(json.dumps([document, {}, inputs], sort_keys=True).encode()).hexdigest()


def put(document: Any, path: str, value: Any) -> None:
    """`value` at a path as limits.0.used."""
    *above, last = path.split(".")
    for key in above:
        document = document[int(key)] if isinstance(document, list) else document[key]
    document[int(last) if isinstance(document, list) else last] = value


def written(
    folder: Path,
    changes: Sequence[tuple[str, str, Any]] = (),
    rows: Sequence[Sequence[str]] = ROWS,
    borrowers: str = BORROWERS,
) -> Path:
    """The run in `folder`, with `changes` of its documents before it is signed: document, path, value."""
    documents = {
        "scenario": copy.deepcopy(SCENARIO),
        "certificate": certificate(),
        "summary": summary(),
    }
    for name, path, value in changes:
        put(documents[name], path, value)
    inputs = {"portfolio": hashed(borrowers), "churn": hashed(CHURN)}
    documents["certificate"].setdefault("inputs", inputs)
    documents["summary"].setdefault("digest", signed(documents["scenario"], inputs))
    for name, document in documents.items():
        (folder / f"{name}.json").write_text(json.dumps(document))
    (folder / "borrowers.csv").write_text(borrowers)
    (folder / "churn.csv").write_text(CHURN)
    with (folder / "allocation.csv").open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])
    return folder


def faults(folder: Path, *changes: tuple[str, str, Any], **more: Any) -> list[str]:
    return checker.check(str(written(folder, changes, **more)))
