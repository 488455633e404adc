"""Alterations of a run with a limit on the tail loss of several sectors, and of its cuts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.forgery.alterations import (
    CERTIFICATE,
    SUMMARY,
    Change,
    agreed,
    cell,
    dropping,
    moving,
    of,
    setting,
    up,
)
from tests.forgery.runs import Files, decide, funded

Cut = dict[str, float]


def _cut(change: Callable[[Cut], Any]) -> Change:
    """A change of the weights of the years of the one cut, with all that follows from the certificate."""
    return lambda files: files.certificate(lambda told: change(next(iter(told["cuts"].values()))) and None)


def _named(name: str) -> Change:
    """The cut under another name, its row and its price with it."""

    def change(told: Any) -> None:
        old = next(iter(told["cuts"]))
        told["cuts"] = {name: told["cuts"][old]}
        told["prices"] = {name if own == old else own: price for own, price in told["prices"].items()}
        next(use for use in told["limits"] if use["name"] == old)["name"] = name

    return lambda files: files.certificate(change)


def _more(files: Files) -> None:
    """A loan more, with every figure that it gives."""
    decide(files, {"F01": 500_000.0})


SECTORS = of(
    "sectors",
    a_year_weighs_more_than_it_may=_cut(lambda cut: cut.update({"2": 0.0009043})),
    weights_of_more_than_1=_cut(lambda cut: cut.update({"12": cut["12"] + 1e-7})),
    weights_of_7_places_and_a_bit=_cut(lambda cut: cut.update({"12": cut["12"] - 1e-9})),
    a_weight_below_0=_cut(lambda cut: cut.update({"13": -1e-7})),
    a_weight_as_text=_cut(lambda cut: cut.update({"2": "0.0009042"})),  # type: ignore[arg-type, dict-item]
    a_weight_of_no_year=_cut(lambda cut: cut.update({"25": 0.0, "1": cut["1"]})),
    a_weight_of_year_0=_cut(lambda cut: cut.update({"0": 0.0})),
    a_year_written_otherwise=_cut(lambda cut: cut.update({"02": cut.pop("2")})),
    lighter_weights_under_the_old_bound=_cut(lambda cut: cut.update({"11": 0.0})),
    other_years_under_the_old_bound=_cut(lambda cut: cut.update({"12": 0.0, "13": cut["12"]})),
    a_cut_left_out=lambda files: files.certificate(lambda told: told.pop("cuts") and None),
    a_cut_of_no_limit=_named("worse[3]"),
    a_cut_of_another_limit=_named("worst of A[3]"),
    a_cut_of_number_0=_named("worst[0]"),
    a_cut_of_the_budget=_named("budget[1]"),
    a_mean_loss=moving(CERTIFICATE, "limits.1.used"),
    a_bound_of_the_limit=moving(CERTIFICATE, "limits.1.bound"),
    what_the_cut_counts=moving(CERTIFICATE, "limits.2.used"),
    a_measure_of_the_cut=setting(CERTIFICATE, "limits.2.measure", "tail_loss"),
    a_price_of_the_limit_itself=agreed("prices.worst", lambda price: 0.01),
    a_price_of_the_cut_up=agreed("prices.worst[3]", up),
    a_price_of_the_cut_down=agreed("prices.worst[3]", lambda price: price * 0.99),
    what_a_point_adds=moving(SUMMARY, "per_point.worst"),
    no_price_of_the_cut=dropping(CERTIFICATE, "prices.worst[3]"),
    a_loan_that_the_limit_does_not_allow=_more,
    a_loan_by_a_hair_too_large=lambda files: decide(
        files, {"F03": funded(files)["F03"] - 10.0, "F06": funded(files)["F06"] + 10.0}
    ),
    a_reason_of_a_cut=cell(1, "reason", "crowded out by limit worst[1]"),
    another_confidence=lambda files: files.scenario("confidence: 0.95", "confidence: 0.951"),
    another_correlation=lambda files: files.scenario("correlation: 0.2", "correlation: 0.201"),
    another_correlation_between=lambda files: files.scenario("between: 0.05", "between: 0.04"),
    more_years=lambda files: files.scenario("nodes: 24", "nodes: 25"),
    sectors_of_another_column=lambda files: files.scenario("column: sector", "column: grade"),
    one_factor_alone=lambda files: files.scenario(
        "    sectors:\n      column: sector\n      between: 0.05\n      nodes: 24\n", ""
    ),
    a_borrower_of_another_sector=lambda files: files.input(
        "portfolio", "borrowers.csv", "F06,B,0.030,600000,steel", "F06,B,0.030,600000,food"
    ),
)
