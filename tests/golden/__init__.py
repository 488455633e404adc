"""Programs as text: a changed coefficient shows in a diff. `python -m tests.golden` writes them anew."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from allocator.engine.cores import build_core, restrict
from allocator.engine.formulation import formulate
from allocator.engine.prices import relaxation_prices
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.stages import columns_of

FOLDER = Path(__file__).parent
TABLE = churn_table([0.04, 0.08, 0.12], A=[0.0, 0.3, 0.8], B=[0.1, 0.25, 0.6])

CASES = {
    "shares": Case(
        portfolio(
            ["A", "B"],
            pd=[0.01, 0.04],
            max_amount=[300_000.0, 200_000.0],
            relationship_value=[1_000.0, 0.0],
            exposure=[0.0, 50_000.0],
        ),
        TABLE,
        policy(
            400_000.0,
            limit("A line", "offered", "at_most", 0.6, of="budget", where={"grade": ["A"]}),
            limit("loss rate", "expected_loss", "at_most", 0.01, of="drawn"),
            funding_rate=0.02,
            idle_rate=0.01,
        ),
    ),
    "steps": Case(
        portfolio(["A", "B"], pd=[0.01, 0.04], fixed_amount=[np.nan, 150_000.0], fixed_rate=[np.nan, 0.08]),
        TABLE,
        policy(
            350_000.0,
            limit("book", "loans", "at_least", 2.0),
            limit("rate", "gross_interest", "at_least", 0.06, of="drawn"),
            spend="exactly",
            ticket=(100_000.0, 400_000.0),
            step=50_000.0,
            processing_cost=100.0,
        ),
    ),
}
"""Amounts of any size, a share, a weighted drawn row and idle money; whole steps, a pinned offer, a count."""


def as_text(case: Case) -> str:
    """The whole program of a case in LP format, every borrower in play."""
    import pyomo.environ  # noqa: F401 (registers the writer, which the engine does without)

    columns = columns_of(case)
    everybody = np.flatnonzero(columns.offers.menu >= 0)
    play = restrict(columns, relaxation_prices(columns, lambda _: None), everybody, np.inf)
    instance = formulate(build_core(columns, play, np.zeros(len(columns.limits)), columns.offers.step))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "program.lp"
        instance.write(str(path), io_options={"symbolic_solver_labels": True})
        return path.read_text()


def path_of(name: str) -> Path:
    return FOLDER / f"{name}.lp"
