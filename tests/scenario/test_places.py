"""What is read from the schema: where paths stand, what must stand, what tells forms apart."""

from __future__ import annotations

from typing import Any

import pytest

from allocator.scenario.places import KINDS, PATHS, REQUIRED, paths_of

INVOICES = ("purchases", "sales", "workbook", "firms", "facts")


def dotted(*places: str) -> set[tuple[str, ...]]:
    return {tuple(place.split(".")) for place in places}


def test_paths_stand_where_the_schema_says_so() -> None:
    assert set(PATHS) == dotted(
        *("portfolio.source", "portfolio.source.csv", "portfolio.source.parquet", "portfolio.source.xlsx"),
        *(f"portfolio.source.invoices.{key}" for key in INVOICES),
        *("portfolio.scorecard", "response.churn", "former", "former.file", "stress.file", "stresses.*.file"),
        *("strategy.file", "strategy.ahp_lines.file"),
    )


def test_null_takes_back_what_the_schema_does_not_require() -> None:
    always = dotted(
        *("schema", "portfolio", "portfolio.source", "response", "response.churn", "policy", "policy.budget"),
        *("policy.budget.amount", "policy.ticket", "policy.ticket.min", "policy.ticket.max", "policy.rates"),
        *("policy.limits.name", "policy.limits.measure"),
    )
    assert always <= REQUIRED
    assert {place[0] for place in REQUIRED - always} == {
        "former",
        "portfolio",
        "policy",
        "response",
        "strategy",
        "stress",
        "stresses",
    }
    assert ("name",) not in REQUIRED


def test_forms_are_told_by_the_keys_that_they_require_or_begin_with() -> None:
    assert {
        ("portfolio", "source"): {"csv", "parquet", "xlsx", "sql", "query", "invoices"},
        ("policy", "ticket", "step"): {"column", "by_size"},
        ("strategy",): {"ahp_lines", "min_loss", "file"},
    } == KINDS


@pytest.mark.parametrize(
    ("document", "places"),
    [
        (
            {"portfolio": {"source": "a.csv"}, "response": {"churn": "b.csv"}},
            ["portfolio.source", "response.churn"],
        ),
        (
            {"portfolio": {"source": {"parquet": "a"}}, "response": {"churn": "none"}},
            ["portfolio.source.parquet"],
        ),
        ({"response": {"churn": {"logistic": {}}}, "strategy": "none"}, []),
        ({"stresses": {"x": {"file": "a.csv"}, "y": {"pd": {}}}}, ["stresses.x.file"]),
        ({"portfolio": [1], "stress": {"file": 3}, "stresses": "x"}, []),
    ],
)
def test_paths_of_a_document_are_texts_where_one_may_stand(
    document: dict[str, Any], places: list[str]
) -> None:
    assert set(paths_of(document)) == dotted(*places)
