"""A program of somebody else's, in which types are right but for the last: checked, never run."""

# ruff: noqa: F841

import pandas as pd

from allocator import (
    Fitted,
    Run,
    Scenario,
    allocate,
    compare,
    explain,
    fit_churn,
    frontier,
    levers,
    load_run,
    load_scenario,
    score,
    simulate,
    stress,
    verify,
)


def gap_of(path: str, firms: pd.DataFrame) -> float:
    curve: Fitted = fit_churn(firms)
    scenario: Scenario = load_scenario(path, borrowers=firms, churn=curve.table)
    scenario = scenario.with_({"policy.budget.amount": 5e7})
    run: Run = allocate(scenario, sets=["name=mine"], start={"budget": 0.1})
    amount: float = explain(run, "B000002").record.amount
    segments: int = len(explain(load_run(run.save("runs/mine")), by="sector").record.segments)
    names: tuple[str, ...] = frontier(run, ["budget"], low="50%", points=3).record.limits
    kept: bool = verify("runs/mine", exact=True).record.limits_broken == []
    tables: list[pd.DataFrame] = [levers(run).table, stress(path).table, compare(run, path).table, run.table]
    crossings: int = len(stress(path, reverse="value=0").record.crossings)
    mean: float = simulate(run).record.net.mean
    page: str = run._repr_html_() + str(run) + run.plot().title
    return run.gap


words: str = gap_of("scenario.yaml", score("firms.csv", "card.json"))  # type: ignore[assignment]
